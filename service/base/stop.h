/* A stop token: asked once, seen by everybody; threads wait on it instead of sleeping, so that
 * ending takes no longer than the step in hand. The same wait can be woken early without stopping
 * (resume, work arrived). */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include "base/defs.h"

struct stop;

struct stop *stop_new(void);
void stop_free(struct stop *s);
void stop_request(struct stop *s);
bool stop_requested(const struct stop *s);
void stop_wake(struct stop *s); /* ends the waits under way, or the next one */

/* Waits until the time has passed, somebody woke it, or a stop was asked; true when a stop was
 * asked. */
bool stop_wait_ms(struct stop *s, int64_t ms);

#endif

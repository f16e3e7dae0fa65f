/* What was called: sums by side, user and endpoint, and the last calls in order.
 * Keeps no secret: the query of a call for a token is left out. */
#ifndef SANDBOX_CONTROL_CALLS_H
#define SANDBOX_CONTROL_CALLS_H

#include <stdint.h>

#include "base/side.h"
#include "base/text.h"
#include "base/web.h"

enum { CALLS_SIDES = 2 };

/* One call being served. */
struct call_note {
	int side;                    /* position in the names given to calls_init */
	const char *user, *endpoint; /* outlive the process: see side.h */
	int64_t started_us, at_ms;
	unsigned int epoch; /* a reset between begin and end forgets the call */
	int sum;
};

void calls_init(const char *first_side, const char *second_side);
void calls_begin(struct call_note *note, int side, const char *user, const char *endpoint);
void calls_end(struct call_note *note, const struct web_request *request,
	       const struct web_response *response, int64_t records);
void calls_reset(void);
void calls_json(struct text *out);
void calls_log_json(struct text *out, uint64_t limit);
void calls_free(void);

#endif

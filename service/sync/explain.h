/* One person's fields in words: where each stands, what happened to it last, and why. */
#ifndef SYNC_EXPLAIN_H
#define SYNC_EXPLAIN_H

#include "sync/engine_p.h"

/* name, state (agreed, differs, parked, paused, never), lastRule, lastTime, lastDirection
 * (to_marketo, to_dynamics), why: a row for every field the link's table has by the field set, also
 * those that do not travel at present. errors: the person's, as the store lists them. link NULL: no
 * rows. The caller releases ret->memory. */
void explain_fields(struct engine *e, const struct link *link, const struct rowset *errors,
		    struct rowset *ret);

#endif

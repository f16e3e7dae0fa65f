/* The budgets of both sides, as the sync and operators use them. Any thread; from memory, at once,
 * but for usage_refresh. */
#ifndef SYNC_USAGE_H
#define SYNC_USAGE_H

#include "sync/engine_p.h"

void usage_look(struct engine *e, enum side side, struct remote_budget *ret);
/* Lets each side ask what it has counted, when that is due. A failure is logged: the sync goes on
 * with what it knew. The worker's. */
void usage_refresh(struct engine *e, bool is_in_cycle);
/* Is a side closed for the rest of its day, to real-time calls as well? */
bool usage_is_over(struct engine *e);
void usage_reopen(struct engine *e); /* sides that said so are tried again */

#endif

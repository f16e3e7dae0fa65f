/* Sync Person to Microsoft, for many persons at once: what is behind every door and behind the
 * queue. */
#ifndef SYNC_REQUESTS_H
#define SYNC_REQUESTS_H

#include "sync/engine_p.h"

/* requests are stored already, of different persons each. Fills outcome, entity, record_id and
 * reason of every one and commits them; what could not be finished stays open with the outcome
 * `queued` or `failed`. Batch campaigns' requests wait for the cycle: they are left `queued` unless
 * is_cycle. is_gone[i] is set when Marketo has no such person. */
void requests_run(struct engine *e, const struct call *call, bool is_cycle,
		  struct request *requests, size_t count, bool *is_gone, struct arena *arena,
		  struct cycle_report *report);

#endif

/* Sync Person to Microsoft: one operation behind every door. A request is in the store before the
 * first remote call; what is asked for at the same time travels together (one Marketo read carries
 * 300 persons, one Dynamics batch 100 creates); one person is worked on once at a time. */
#ifndef SYNC_REALTIME_H
#define SYNC_REALTIME_H

#include "sync/engine.h"

/* Called exactly once, from another thread, before realtime_submit returned or later. request
 * carries outcome, entity, recordId and reason; both are borrowed. err is NULL unless there is no
 * outcome to tell: ERR_GONE (no such person in Marketo; nothing was kept), ERR_STORE (nothing was
 * accepted). */
typedef void realtime_done(void *context, const struct request *request, const struct err *err);

/* deadline_ms: clock_mono_ms() by which the caller wants an answer; at that time the outcome is
 * `queued`. Copies the request. Never blocks on a remote or on SQL. */
void realtime_submit(struct engine *e, const struct request *request, int64_t deadline_ms,
		     realtime_done *done, void *context);

#endif

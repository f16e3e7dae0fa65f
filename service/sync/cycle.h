/* One pass over all changes of both sides (design: the cycle). Runs on the worker's thread; fenced.
 */
#ifndef SYNC_CYCLE_H
#define SYNC_CYCLE_H

#include "sync/engine_p.h"

/* Fills the report (number and start are the caller's). Returns other than ERR_NONE when the pass
 * could not be finished: whatever was committed stands, the next pass goes on from there. */
enum err_kind cycle_run(struct engine *e, struct cycle_report *report, struct err *err);

#endif

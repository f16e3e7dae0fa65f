/* What the threads tell each other, and operators: how a side is doing, how far a cycle is, whether
 * the sync is open. */
#ifndef SYNC_STATE_H
#define SYNC_STATE_H

#include "sync/engine_p.h"

/* Notes how a side is doing, for readiness and status. */
void state_note_side(struct engine *e, enum side side, enum err_kind kind, const struct err *err);
void state_publish(struct engine *e, const struct cycle_report *report);
void state_set_paused(struct engine *e, bool is_paused);
bool state_is_leader(struct engine *e);
bool state_is_open(
	struct engine *e); /* neither paused nor halted: real-time calls go to the remotes */

/* How far reading a table from the start has come in this life. */
void state_note_backfill(struct engine *e, enum table table, uint64_t rows, bool is_end);
bool state_is_backfilling(struct engine *e, enum table table);

#endif

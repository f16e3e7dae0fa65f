/* How the sync and its sides are doing, as the threads tell each other. */
#include "sync/state.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/metric.h"

void state_note_side(struct engine *e, enum side side, enum err_kind kind, const struct err *err)
{
	(void)pthread_mutex_lock(&e->lock);
	e->side[side].was_used = true;
	e->side[side].is_ok = kind == ERR_NONE;
	(void)snprintf(e->side[side].reason, sizeof(e->side[side].reason), "%s",
		       kind == ERR_NONE ? "" : err->text);
	(void)pthread_mutex_unlock(&e->lock);
}

void state_publish(struct engine *e, const struct cycle_report *report)
{
	(void)pthread_mutex_lock(&e->lock);
	e->report = *report;
	(void)pthread_mutex_unlock(&e->lock);
}

void state_set_paused(struct engine *e, bool is_paused)
{
	(void)pthread_mutex_lock(&e->lock);
	e->is_paused = is_paused;
	(void)pthread_mutex_unlock(&e->lock);
	metric_set(METRIC_PAUSED, is_paused);
}

bool state_is_leader(struct engine *e)
{
	bool is_leader;

	(void)pthread_mutex_lock(&e->lock);
	is_leader = e->is_leader;
	(void)pthread_mutex_unlock(&e->lock);
	return is_leader;
}

bool state_is_open(struct engine *e)
{
	bool is_open;

	(void)pthread_mutex_lock(&e->lock);
	is_open = !e->is_paused && !e->halt_reason[0];
	(void)pthread_mutex_unlock(&e->lock);
	return is_open;
}

void state_note_backfill(struct engine *e, enum table table, uint64_t rows, bool is_end)
{
	(void)pthread_mutex_lock(&e->lock);
	if (!e->backfill[table].is_open) {
		e->backfill[table].is_open = true;
		e->backfill[table].since_ms = clock_mono_ms();
		e->backfill[table].rows = 0;
	} else {
		/* The rows that opened the count took time before it began. */
		e->backfill[table].rows += rows;
	}
	if (is_end)
		e->backfill[table].is_open = false;
	(void)pthread_mutex_unlock(&e->lock);
}

bool state_is_backfilling(struct engine *e, enum table table)
{
	bool is_open;

	(void)pthread_mutex_lock(&e->lock);
	is_open = e->backfill[table].is_open;
	(void)pthread_mutex_unlock(&e->lock);
	return is_open;
}

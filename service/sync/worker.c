/* The background thread: a cycle, a pause from its end, again; one leader among all services on one
 * database. */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "core/retry.h"
#include "sync/cursor_age.h"
#include "sync/cycle.h"
#include "sync/state.h"
#include "sync/usage.h"

enum {
	WORKER_LOOK_MS = 1000,            /* how often a paused or following service looks again */
	WORKER_RETRY_BASE_MS = 2 * 1000,  /* after a failed cycle */
	WORKER_RETRY_MAX_MS = 300 * 1000, /* or the interval, where that is shorter */
	WORKER_RETRY_MAX_LEAST_MS = 10 * 1000,
	WORKER_CLEAN_UP_MS = 3600 * 1000,
	WORKER_WAIT_MS = 15 * 1000, /* while a remote is making something for us */
	WORKER_AGES_MS = 60 * 1000, /* no cycle runs: how often the feeds' age is looked at */
};

struct worker {
	struct engine *e;
	pthread_t thread;
	bool is_joined;    /* the stopping thread's */
	unsigned failures; /* cycles failed in a row */
	int64_t cleaned_ms;
	int64_t aged_ms;       /* when the feeds' age was looked at */
	atomic_llong finished; /* cycles ended well by this service */
};

static void worker_set_state(struct engine *e, bool is_leader, int64_t next_ms)
{
	(void)pthread_mutex_lock(&e->lock);
	e->is_leader = is_leader;
	e->next_ms = next_ms;
	(void)pthread_mutex_unlock(&e->lock);
}

static void worker_set_running(struct engine *e, bool is_running)
{
	(void)pthread_mutex_lock(&e->lock);
	e->is_running = is_running;
	(void)pthread_mutex_unlock(&e->lock);
	metric_set(METRIC_CYCLE_RUNNING, is_running);
}

static void worker_set_halt(struct engine *e, const char *reason)
{
	(void)pthread_mutex_lock(&e->lock);
	(void)snprintf(e->halt_reason, sizeof(e->halt_reason), "%s", reason);
	(void)pthread_mutex_unlock(&e->lock);
	metric_set(METRIC_HALTED, reason[0] != '\0');
}

/* Does this failure stand until somebody mends something, or the day ends, so that real-time calls
 * are queued meanwhile? Where only cycles have used up theirs, real-time calls go on. */
static bool worker_is_halt(struct engine *e, enum err_kind kind)
{
	return kind == ERR_BROKEN || kind == ERR_RIGHTS || kind == ERR_CONFIG ||
	       (kind == ERR_QUOTA && usage_is_over(e));
}

static enum err_kind worker_save_report(struct engine *e, const struct cycle_report *report,
					bool is_fenced, struct err *err)
{
	struct unit unit = { .is_fenced = is_fenced, .report = report };

	return e->store.ops->commit(e->store.self, &unit, err);
}

static void worker_log_report(const struct cycle_report *r, const struct err *err)
{
	static const enum metric metrics[CYCLE_RESULT_COUNT] = {
		[CYCLE_OK] = METRIC_CYCLES_OK,
		[CYCLE_PARTIAL] = METRIC_CYCLES_PARTIAL,
		[CYCLE_FAILED] = METRIC_CYCLES_FAILED,
	};

	metric_add(metrics[r->result], 1);
	metric_set(METRIC_CYCLE_LAST_MS, r->finished_ms - r->started_ms);
	if (r->result != CYCLE_FAILED)
		metric_set(METRIC_CYCLE_LAST_OK_TIME, r->finished_ms / 1000);
	if (r->result == CYCLE_FAILED)
		log_error("cycle_failed", LOG_NUMBER("cycle", r->number), LOG_ERR(err));
	log_info("cycle_finished", LOG_NUMBER("cycle", r->number),
		 LOG_TEXT("result", cycle_result_name(r->result)),
		 LOG_NUMBER("milliseconds", r->finished_ms - r->started_ms),
		 LOG_NUMBER("createdPersons", r->created[TABLE_PERSON]),
		 LOG_NUMBER("updatedPersons", r->updated[TABLE_PERSON]),
		 LOG_NUMBER("createdRecords", r->created[TABLE_LEAD] + r->created[TABLE_CONTACT]),
		 LOG_NUMBER("updatedRecords", r->updated[TABLE_LEAD] + r->updated[TABLE_CONTACT]),
		 LOG_NUMBER("collided", r->collided), LOG_NUMBER("refused", r->refused),
		 LOG_NUMBER("marketoCalls", r->calls[SIDE_MARKETO]),
		 LOG_NUMBER("dynamicsCalls", r->calls[SIDE_DYNAMICS]));
}

static bool worker_has_failures(const struct cycle_report *r)
{
	for (int t = 0; t < TABLE_COUNT; t++) {
		if (r->failed[t])
			return true;
	}
	return r->refused > 0;
}

static enum cycle_result worker_result(enum err_kind kind, const struct cycle_report *report)
{
	if (kind == ERR_STOPPED)
		return CYCLE_PARTIAL; /* paused or ending: the rest follows later */
	if (kind != ERR_NONE)
		return CYCLE_FAILED;
	return worker_has_failures(report) || report->is_unfinished ? CYCLE_PARTIAL : CYCLE_OK;
}

static const char *worker_reason(enum err_kind kind, const struct cycle_report *report,
				 const struct err *err)
{
	if (kind != ERR_NONE)
		return err->text;
	if (report->is_waiting)
		return "Marketo is making files of all its persons, by which the first load is prepared";
	if (report->is_unfinished)
		return "reading everything goes on in the next cycle, which begins at once";
	return report->result == CYCLE_PARTIAL
		       ? "some records need attention, all others are in step: "
			 "see /v1/errors"
		       : "";
}

/* *ret_pause_ms: until the next cycle, when this one is not finished; else left alone. */
static enum err_kind worker_cycle(struct worker *w, int64_t *ret_pause_ms, struct err *err)
{
	struct engine *e = w->e;
	struct cycle_report report = { .started_ms = clock_wall_ms() };
	struct err save_err;
	enum err_kind kind;

	kind = e->store.ops->next_cycle_number(e->store.self, &report.number, err);
	if (kind == ERR_NONE)
		kind = worker_save_report(e, &report, true, err);
	if (kind != ERR_NONE)
		return kind;
	state_publish(e, &report);
	worker_set_running(e, true);
	worker_set_halt(e, ""); /* this cycle is the probe */
	kind = cycle_run(e, &report, err);
	if (kind == ERR_NONE && report.is_unfinished)
		*ret_pause_ms = report.is_waiting ? WORKER_WAIT_MS : 0;
	report.finished_ms = clock_wall_ms();
	report.result = worker_result(kind, &report);
	(void)snprintf(report.reason, sizeof(report.reason), "%s",
		       worker_reason(kind, &report, err));
	if (worker_save_report(e, &report, true, &save_err) != ERR_NONE)
		log_error("report_lost", LOG_NUMBER("cycle", report.number), LOG_ERR(&save_err));
	worker_log_report(&report, err);
	state_publish(e, &report);
	worker_set_running(e, false);
	return kind;
}

/* What the store says of a pause, which another service may have been told of. */
static enum err_kind worker_look_paused(struct engine *e, bool *ret, struct err *err)
{
	enum err_kind kind;

	(void)pthread_mutex_lock(&e->pause_lock);
	kind = e->store.ops->is_paused(e->store.self, ret, err);
	if (kind == ERR_NONE)
		state_set_paused(e, *ret);
	(void)pthread_mutex_unlock(&e->pause_lock);
	return kind;
}

/* Paused by an operator, or another service leads: true when a cycle may run now. */
static bool worker_may_run(struct worker *w)
{
	struct engine *e = w->e;
	bool is_leading = false, is_paused = false;
	struct err err;
	enum err_kind kind;

	kind = worker_look_paused(e, &is_paused, &err);
	if (kind == ERR_NONE)
		kind = e->store.ops->lead(e->store.self, &is_leading, &err);
	if (kind != ERR_NONE)
		log_error("store_unreachable", LOG_ERR(&err));
	worker_set_state(e, is_leading, 0);
	return kind == ERR_NONE && is_leading && !is_paused;
}

static void worker_clean_up(struct worker *w)
{
	struct err err;
	int64_t now = clock_mono_ms();

	if (w->cleaned_ms && now - w->cleaned_ms < WORKER_CLEAN_UP_MS)
		return;
	w->cleaned_ms = now;
	if (w->e->store.ops->clean_up(w->e->store.self, w->e->settings.retention_days, &err) !=
	    ERR_NONE)
		log_warn("clean_up_failed", LOG_ERR(&err));
}

/* After every cycle, and now and then while there is none. */
static void worker_look_at_ages(struct worker *w, bool has_run)
{
	int64_t now = clock_mono_ms();

	if (!has_run && w->aged_ms && now - w->aged_ms < WORKER_AGES_MS)
		return;
	w->aged_ms = now;
	cursor_age_look(w->e);
}

/* After a cycle: how long to wait for the next. A failed one is tried again sooner, with growing
 * pauses. */
static int64_t worker_pause_ms(struct worker *w, enum err_kind kind, const struct err *err)
{
	int64_t interval = w->e->settings.interval_ms;
	int64_t max = interval < WORKER_RETRY_MAX_LEAST_MS ? WORKER_RETRY_MAX_LEAST_MS
		      : interval > WORKER_RETRY_MAX_MS     ? WORKER_RETRY_MAX_MS
							   : interval;
	uint32_t random;

	if (kind == ERR_NONE) {
		w->failures = 0;
		worker_set_halt(w->e, "");
		return interval;
	}
	if (kind == ERR_STOPPED)
		return 0;
	worker_set_halt(w->e, worker_is_halt(w->e, kind) ? err->text : "");
	if (kind == ERR_BROKEN) {
		(void)pthread_mutex_lock(&w->e->schema_lock);
		w->e->schema_read_ms = 0; /* the schema may be what changed */
		(void)pthread_mutex_unlock(&w->e->schema_lock);
	}
	fingerprint_random(&random, sizeof(random));
	return retry_delay_ms(++w->failures, WORKER_RETRY_BASE_MS, max, err->retry_after_ms,
			      random);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct engine *e = w->e;

	while (!stop_requested(e->stop)) {
		struct err err;
		enum err_kind kind;
		int64_t pause_ms, next_ms = -1;

		if (!worker_may_run(w)) {
			worker_look_at_ages(w, false);
			(void)stop_wait_ms(e->stop, WORKER_LOOK_MS);
			continue;
		}
		kind = worker_cycle(w, &next_ms, &err);
		worker_look_at_ages(w, true);
		if (kind == ERR_NOT_LEADER)
			e->store.ops->resign(e->store.self);
		if (kind == ERR_NONE && next_ms < 0 &&
		    atomic_fetch_add(&w->finished, 1) + 1 == e->settings.cycles_max)
			break;
		if (kind == ERR_NONE)
			usage_refresh(e, false);
		pause_ms = worker_pause_ms(w, kind, &err);
		if (kind == ERR_NONE && next_ms >= 0 && next_ms < pause_ms)
			pause_ms = next_ms;
		worker_clean_up(w);
		worker_set_state(e, kind != ERR_NOT_LEADER, clock_wall_ms() + pause_ms);
		(void)stop_wait_ms(e->stop, pause_ms);
	}
	worker_set_state(e, false, 0);
	e->store.ops->resign(e->store.self);
	return NULL;
}

struct worker *worker_start(struct engine *e, struct err *err)
{
	struct worker *w = mem_alloc(sizeof(*w));

	w->e = e;
	if (pthread_create(&w->thread, NULL, worker_main, w) == 0)
		return w;
	free(w);
	(void)err_set(err, ERR_OURS, "the worker thread cannot be started");
	return NULL;
}

void worker_wake(struct worker *w)
{
	stop_wake(w->e->stop);
}

void worker_stop(struct worker *w)
{
	stop_request(w->e->stop);
	if (!w->is_joined)
		(void)pthread_join(w->thread, NULL);
	w->is_joined = true;
}

void worker_free(struct worker *w)
{
	free(w);
}

int64_t worker_finished_cycles(const struct worker *w)
{
	return atomic_load(&w->finished);
}

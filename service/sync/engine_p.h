/* The inside of struct engine, for the files of sync only. */
#ifndef SYNC_ENGINE_P_H
#define SYNC_ENGINE_P_H

#include <pthread.h>

#include "sync/engine.h"
#include "sync/operator.h"

struct realtime;
struct worker;

/* A mapping in use: threads share it, the last one frees it. */
struct shared_mapping {
	struct mapping *mapping;
	unsigned references; /* guarded by engine->lock */
};

struct engine {
	struct engine_settings settings;
	struct remote remote[SIDE_COUNT];
	struct store store;
	struct stop *stop; /* foreign */

	/* One thread at a time reads schemas: the worker, or the real-time thread before the first
	 * cycle. */
	pthread_mutex_t schema_lock;
	struct arena schema_memory;
	struct schema schemas[TABLE_COUNT];
	int64_t schema_read_ms; /* clock_mono_ms(); 0: never */
	bool is_schema_stale;   /* a row showed what the schema does not know: read it again. The
				   worker's */
	bool is_schema_fresh;   /* it was read for that reason in this very cycle. The worker's */
	uint16_t *slots;        /* one per field of settings, owned; NULL before the first schema */
	struct store_identity identity;
	bool has_identity;

	struct {
		int64_t next_ms; /* clock_mono_ms() before which nothing is asked of it */
		uint64_t at;     /* how far the file has been read */
	} extract;               /* the worker's */

	struct {
		struct arena memory; /* of all the others; owned */
		struct str job;      /* empty: none under way */
		struct link **links; /* whose stamps are in the file */
		size_t count;
		int64_t next_ms; /* clock_mono_ms() before which nothing is asked of it */
		bool is_off;
	} import;               /* the worker's */
	bool has_roster;        /* the worker's */
	int64_t roster_next_ms; /* clock_mono_ms() before which its files are not asked about */

	uint64_t deletes; /* since the last good cycle; the worker's. Failed cycles add up, so that
			     a halt cannot be worn down */

	pthread_mutex_t pause_lock;  /* held while the pause in the store and is_paused below are
					brought in step */
	pthread_mutex_t outbox_lock; /* whoever writes Activity Logs holds it: each line is written
					by one thread */

	pthread_mutex_t lock; /* guards everything below */
	struct shared_mapping *shared;
	struct {
		bool was_used, is_ok;
		char reason[320];
	} side[SIDE_COUNT];
	bool is_running, is_leader, is_paused;
	bool is_accepting; /* an operator has seen why the sync halted and let it go on: the next
			      cycle deletes without limit */
	char halt_reason[320]; /* "" : not halted */
	struct cycle_report report;
	struct {
		bool is_open;
		int64_t since_ms; /* clock_mono_ms() when this life began to read */
		uint64_t rows;    /* read since */
	} backfill[TABLE_COUNT];
	int64_t next_ms; /* wall clock of the next cycle, 0 unknown */

	struct realtime *realtime; /* owned */
	struct worker *worker;     /* owned */
};

struct worker *worker_start(struct engine *e, struct err *err);
void worker_wake(struct worker *w);
void worker_stop(struct worker *w); /* joins; once more does nothing */
void worker_free(struct worker *w);
int64_t worker_finished_cycles(const struct worker *w);

struct realtime *realtime_start(struct engine *e, struct err *err);
void realtime_stop(struct realtime *r); /* answers everybody, joins; later callers are refused */
void realtime_free(struct realtime *r);
/* Works through the requests left open in the store, in the real-time thread; returns when done. */
enum err_kind realtime_work_open(struct engine *e, const struct call *call,
				 struct cycle_report *report, struct err *err);

#endif

/* The sync as one thing: the parts it works with, and its threads: the worker that runs cycles and
 * the real-time thread that serves callers. Everything a function needs comes through struct
 * engine; there is no global. */
#ifndef SYNC_ENGINE_H
#define SYNC_ENGINE_H

#include "base/stop.h"
#include "remote/remote.h"
#include "store/store.h"

struct engine_settings {
	int64_t interval_ms; /* pause between cycles, from the end of one */
	bool match_by_email; /* look for an unlinked counterpart before creating */
	int64_t retention_days;
	uint64_t max_deletes; /* per cycle; 0 no limit */
	int64_t cycles_max;   /* good cycles after which the worker rests for good; 0: it goes on */
	int64_t verify_ms;    /* every link is proven equal again within it */
	int64_t sweep_ms;     /* between sweeps, which prove a part of the links; the look back at
				 Marketo's feed comes 24 times as often. 0: no sweeps */
	uint64_t bulk_rows; /* so many rows to be read for the first time pay a roster; 0: never */
	int64_t slice_ms;   /* long work makes way for live changes after that; 0: never */
	const char *instance;        /* names the Marketo instance in derived GUIDs: its address */
	const struct field_set *set; /* the selected fields; foreign */
	/* An Activity Log line that was sent and not answered for is looked for so much later. */
	int64_t activity_settle_ms;
};

struct engine;

/* Takes the remotes and the store over (engine_free frees them). stop is foreign and outlives the
 * engine. */
struct engine *engine_new(const struct engine_settings *settings,
			  const struct remote remotes[SIDE_COUNT], const struct store *store,
			  struct stop *stop);
enum err_kind engine_start(struct engine *e, struct err *err); /* starts the threads */
int64_t engine_finished_cycles(const struct engine *e); /* cycles ended well since the start */
void engine_stop(struct engine *e); /* ends them: callers that wait get `queued`, the step in hand
				       is finished */
void engine_free(struct engine *e);

#endif

/* The inside of a play, for play.c and acts.c only. */
#ifndef TESTS_SIM_PLAY_P_H
#define TESTS_SIM_PLAY_P_H

#include "tests/sim/play.h"

enum { PLAY_PAUSE_MS = 300 * 1000, PLAY_LONG_PAUSE_MS = 2 * 3600 * 1000 };

struct player {
	struct sim s;
	const struct history *h;
	size_t next; /* event */
	unsigned options;
	struct figures *figures;
	struct port ports[SIM_SERVICES][SIDE_COUNT + 1]; /* the last is the store's */
	struct engine *engine[SIM_SERVICES];
	struct field fields[FIELD_COUNT];
	struct field_set set;
	struct stop *stop;
	uint64_t requests;
	int settled;    /* cycles in a row that were undisturbed, nothing having happened since */
	bool has_acted; /* somebody did something inside this cycle, or something failed */
	bool is_final;  /* the events are over */
};

void play_start(struct player *p, int service);
void play_end(struct player *p, int service);
/* What the worker does with a cycle. */
enum err_kind play_cycle(struct player *p, int service, struct err *err);
/* acts.c: an event happens, whoever does it. */
void play_event(struct player *p, const struct event *e);

#endif

/* A history: how its world is set up, and what happens in it, when. Drawn from a seed; the same
 * seed gives the same history, and a shorter list of events is a history too. */
#ifndef TESTS_SIM_HISTORY_H
#define TESTS_SIM_HISTORY_H

#include "tests/sim/sim.h"

/* event, name in statistics, may it happen inside a cycle, how often (of all events) */
#define EVENTS(X)                                                                                  \
	X(CREATE, "create", true, 14)                                                              \
	X(EDIT, "edit", true, 34)                                                                  \
	X(EMPTY, "emptying", true, 6)                                                              \
	X(OPT_OUT, "opt-out", true, 6)                                                             \
	X(OPT_IN, "opt-in", true, 4)                                                               \
	X(DELETE, "delete", true, 4)                                                               \
	X(MERGE, "merge", true, 4)                                                                 \
	X(QUALIFY, "qualification", true, 4)                                                       \
	X(FILTER, "filter change", true, 4)                                                        \
	X(DEACTIVATE, "deactivation", true, 2)                                                     \
	X(RIGHT, "right taken or given", false, 3)                                                 \
	X(CALL, "real-time call", true, 12)                                                        \
	X(LOST, "lost answer", true, 5)                                                            \
	X(THROTTLE, "throttling", true, 3)                                                         \
	X(CRASH, "crash", true, 6)                                                                 \
	X(LATE, "late feed entries", true, 3)                                                      \
	X(REPEAT, "repeated feed entries", true, 3)                                                \
	X(EXPIRE, "expired cursor", true, 2)                                                       \
	X(LOSE_STORE, "lost store", false, 1)                                                      \
	X(SECOND, "second service", true, 2)                                                       \
	X(STRANGE, "another organisation or an empty table", false, 1)                             \
	X(RETRY, "operator's retry", false, 3)                                                     \
	X(RULES, "remotes' validation on or off", true, 2)                                         \
	X(LONG, "long pause", false, 2)                                                            \
	X(PAUSE, "operator's pause", true, 1)

#define EVENT_ENUM(id, name, inside, weight) EVENT_##id,
enum event_kind { EVENTS(EVENT_ENUM) EVENT_KIND_COUNT };
#undef EVENT_ENUM

const char *event_name(enum event_kind k);

/* The arguments are plain numbers, taken round whatever is there when it happens. */
struct event {
	enum event_kind kind;
	int round; /* cycle, from 1 */
	int call;  /* 0: before the cycle; else before that call of a twin in it */
	unsigned a, b, c, d;
};

struct history {
	uint64_t seed;
	struct setup setup;
	struct event events[SIM_EVENTS_MAX];
	size_t count;
	int rounds;
};

/* Kinds of histories, for the laws that hold of some only. */
enum flavour {
	FLAVOUR_ANY,   /* everything at any time */
	FLAVOUR_CALM,  /* people act between cycles only, nothing fails */
	FLAVOUR_CRASH, /* calm, but for crashes */
	FLAVOUR_PAIR,  /* calm, and only edits of one linked pair */
	FLAVOUR_COUNT
};

bool history_is_sorted(const struct history *h);
void history_draw(uint64_t seed, enum flavour flavour, struct history *ret);
uint64_t sim_random(uint64_t *state);

/* people.c: the event happens to the remotes; false when there was nothing it could happen to. */
bool people_act(struct sim *s, const struct event *e);
/* The n-th of those that are there, taken round; NULL when nothing is. */
struct thing *people_pick(struct sim *s, enum table table, unsigned n);

#endif

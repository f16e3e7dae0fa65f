/* Plays a history: the real cycle against the twins, with everything that happens in it. */
#ifndef TESTS_SIM_PLAY_H
#define TESTS_SIM_PLAY_H

#include "tests/sim/history.h"

struct figures {
	uint64_t histories, cycles, writes, stamps, collisions, errors, failed_cycles;
	uint64_t requests[OUTCOME_COUNT];
	uint64_t events[EVENT_KIND_COUNT]; /* that really happened */
	uint64_t checked_fields;           /* compared with the model */
	uint64_t laws;
};

struct ending {
	const char *broken; /* name of the invariant; NULL: none */
	bool is_incomparable;
	char how[2000];
	char *digest; /* owned; NULL unless asked for */
};

enum {
	PLAY_NO_CRASH = 1,
	PLAY_DIGEST = 2,
	PLAY_RESCAN = 8,
	PLAY_AGAIN = 16,
	PLAY_DIGEST_PAIR = 32
};

void play(const struct history *h, unsigned options, struct buf *story, struct figures *figures,
	  struct ending *ret);

#endif

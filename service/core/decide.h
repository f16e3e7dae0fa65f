/* Decide: (policy, link, what each side shows now) -> plan. Knows no clock, network, SQL or JSON.
 * A plan also holds the fingerprints as they will be once its writes have worked; a write that
 * fails is taken back out of it (decide_drop), so that what is committed never claims more than
 * what happened. */
#ifndef CORE_DECIDE_H
#define CORE_DECIDE_H

#include "core/plan.h"

struct decide_input {
	const struct mapping *mapping;
	const struct fingerprint_key *key;
	const struct link *link;               /* its table is the policy */
	const struct record *seen[SIDE_COUNT]; /* NULL: not read this time */
	/* Marketo values that a write of ours covered and that are to be put back: decided as if
	 * Marketo showed them, and written there too unless they lose. */
	const struct field_write *restore;
	size_t restore_count;
	uint32_t cycle; /* number of this cycle, 0: none */
	int64_t now_s;  /* for the events */
};

/* A value that came back this many times in a row, each time within DECIDE_TURN_CYCLES of having
 * been sent, is not sent once more: the record's field is frozen until somebody changes it. */
enum { DECIDE_TURNS_MAX = 3, DECIDE_TURN_CYCLES = 2 };

void decide(const struct decide_input *in, struct arena *a, struct plan *ret);

/* The plan for creating the counterpart of the one record that is seen: every non-empty field that
 * may be created there; consent fields only when they are an opt-out (INV-CONSENT). */
void decide_create(const struct decide_input *in, struct arena *a, struct plan *ret);

/* Takes the write of a field (or of all: PARKED_WHOLE_RECORD) into target out of the plan again,
 * puts the fingerprints of those fields back to the link's, and notes the refusal. */
void decide_drop(const struct decide_input *in, struct plan *p, enum side target, uint16_t index,
		 const struct err *err, struct arena *a);
/* The same for all fields of a person that are its company's; false when none is written. */
bool decide_drop_company(const struct decide_input *in, struct plan *p, const struct err *err,
			 struct arena *a);

#endif

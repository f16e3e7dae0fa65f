/* The table of the round trips: pairs of types and the values that travel between them. */
#ifndef TESTS_ORACLE_ROUNDTRIP_H
#define TESTS_ORACLE_ROUNDTRIP_H

#include "core/table.h"

struct trip {
	enum side from;
	const char *raw;   /* as the side it comes from shows it, JSON; NULL ends the list */
	const char *sent;  /* as the other side is given it, JSON; "nothing" */
	const char *rule;  /* of the refusal, when it is refused instead */
	bool is_respelled; /* the other side shows the value in its own spelling */
};

struct type_pair {
	const char *marketo, *marketo_more;   /* dataType of describe; more members */
	const char *dynamics, *dynamics_more; /* AttributeType; members of its own definition */
	const char *paused; /* why fields of this pair do not travel; NULL: they do */
	const struct trip *trips;
	bool is_read_only; /* the column cannot be written */
};

extern const struct type_pair type_pairs[];
extern const size_t type_pair_count;

#endif

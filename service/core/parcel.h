/* A value on its way into a column: can it be held, and how will it come back? */
#ifndef CORE_PARCEL_H
#define CORE_PARCEL_H

#include "core/fingerprint.h"
#include "core/schema.h"

struct parcel {
	struct value value; /* as the column will show it: options come back in their own spelling */
	uint64_t fingerprint;
	bool is_held;
	struct err err; /* when it is not held */
};

/* fingerprint: v's. Memory of the value: v's, or the arena. */
void parcel_pack(const struct column *c, const struct fingerprint_key *key, const struct value *v,
		 uint64_t fingerprint, struct arena *a, struct parcel *ret);

#endif

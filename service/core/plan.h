/* What deciding comes to for one link: what to write where, what collided, what a side cannot take,
 * and the fingerprints and events as they will be once the writes have worked. Lists grow in the
 * arena that is given along. */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include "core/merge.h"

struct field_write {
	uint16_t index; /* of the field in the mapping */
	struct value value;
};

struct collision {
	uint16_t index;
	enum merge_rule rule;
	enum side winner;
	struct value value[SIDE_COUNT]; /* what each side showed */
};

struct refusal {
	uint16_t index; /* PARKED_WHOLE_RECORD: no field to blame */
	enum side target;
	uint64_t fingerprint; /* of the value that was refused */
	struct err err;
};

struct plan {
	struct field_write *write[SIDE_COUNT]; /* by target side */
	size_t write_count[SIDE_COUNT];
	struct collision *collision;
	size_t collision_count;
	struct refusal *refusal; /* values the target cannot hold, found before sending; decide_drop
				    adds more */
	size_t refusal_count;
	struct field_event *event; /* of the fields that are written or given up, for the link */
	size_t event_count;
	uint64_t *fingerprint[SIDE_COUNT]; /* slot_count each, after success */
	size_t slot_count;
	bool is_changed;            /* the fingerprints differ from the link's */
	bool must_read[SIDE_COUNT]; /* nothing was decided: read this side first, decide again */
};

void plan_write(struct plan *p, enum side target, size_t index, const struct value *v,
		struct arena *a);
void plan_refuse(struct plan *p, const struct refusal *refusal, struct arena *a);
void plan_collide(struct plan *p, const struct collision *collision, struct arena *a);
void plan_event(struct plan *p, const struct field_event *event, struct arena *a);

/* Take the field's row out again, when there is one. */
void plan_drop_collision(struct plan *p, uint16_t index);
void plan_drop_event(struct plan *p, uint16_t slot);
/* The i-th write into a side. */
void plan_drop_write(struct plan *p, enum side target, size_t i);

#endif

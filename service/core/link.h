/* The pairing of one person with one record: identities, state, and a fingerprint per field and
 * side. */
#ifndef CORE_LINK_H
#define CORE_LINK_H

#include "core/record.h"

enum link_state {
	LINK_CLAIMED, /* one half is known, the other is being created or looked for; also the
			 intent before a create */
	LINK_LIVE,
	LINK_DELETED_IN_DYNAMICS, /* tombstone: the person stays and is flagged */
	LINK_DELETED_IN_MARKETO,  /* tombstone: a later change of the record makes a new person */
	LINK_PAUSED, /* nothing travels, either way: the filter says no, or its record lost a merge */
	LINK_STATE_COUNT
};

/* A write that was refused for good and is not repeated until a value changes. */
struct parked_write {
	uint16_t slot;        /* field; PARKED_WHOLE_RECORD when no field could be blamed */
	enum side target;     /* the side that refused */
	uint64_t fingerprint; /* of the refused value (whole record: of all of them) */
};
enum { PARKED_WHOLE_RECORD = 0xffff };

/* The last time a field of the link was written, or given up: what a person's page explains, and
 * what tells a value that bounces between two sides from one that people change. */
struct field_event {
	uint16_t slot;
	enum side target;
	uint8_t rule;     /* enum merge_rule */
	bool is_given_up; /* nothing was written */
	uint8_t turns;    /* times in a row it came back soon after it was sent */
	uint32_t cycle;   /* number of the cycle, 0: a real-time call */
	int64_t at_s;
};

struct link {
	enum table table;      /* lead or contact */
	struct guid record_id; /* the record's, or the one it will be created with */
	int64_t person_id;     /* 0: none yet */
	enum link_state state;
	uint32_t generation; /* times this person got a record */
	int64_t version;     /* the record's row version last seen or made; 0 unknown */
	bool is_stamp_due;   /* the person does not carry the stamp of this link yet */
	uint64_t *fingerprint[SIDE_COUNT]; /* slot_count each; 0: none */
	size_t slot_count;
	struct parked_write *parked;
	size_t parked_count;
	struct field_event *events; /* at most one per slot, in the order of slots */
	size_t event_count;
	/* Sets apart what was loaded from what is made: the store inserts or updates. */
	bool is_stored;
};

/* claimed, live, deleted_in_dynamics, deleted_in_marketo, paused */
const char *link_state_name(enum link_state s);
/* The person and the record belong to each other, whether anything travels or not. */
bool link_is_bound(const struct link *l);
/* Its person and its record, as far as it has them, are not free for another link: bound, or being
 * made. NULL: free. */
bool link_is_taken(const struct link *l);

/* Fingerprint of a slot; 0 beyond what the link holds. */
uint64_t link_fingerprint(const struct link *l, enum side side, uint16_t slot);
/* Makes room for slot_count fingerprints on both sides, keeping what is there. */
void link_reserve(struct link *l, size_t slot_count, struct arena *a);
/* Nothing is agreed on with this half any more: it is another person or record now. */
void link_forget_side(struct link *l, enum side side);
/* NULL: the field was not written since the link was made. */
const struct field_event *link_event(const struct link *l, uint16_t slot);
/* Puts the events in, each in the place of an older one of its slot. */
void link_note_events(struct link *l, const struct field_event *events, size_t count,
		      struct arena *a);

#endif

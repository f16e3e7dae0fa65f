/* The state store as the sync sees it: a table of functions. PostgreSQL stands behind it
 * (postgres.h), an in-memory twin in simulations. What belongs together is committed together:
 * everything a step found out and did goes into one struct unit, and commit writes it with its
 * cursor in one transaction (INV-CURSOR-BEHIND), checking that this service still leads. Every
 * function may be called from any thread and blocks for a short statement only. Errors: ERR_STORE,
 * ERR_NOT_LEADER. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "core/fingerprint.h"
#include "core/link.h"
#include "core/request.h"
#include "core/rowset.h"

/* What this database belongs to; made on first use. */
struct store_identity {
	struct fingerprint_key key;
	struct guid organisation[SIDE_COUNT]; /* zero until first contact */
};

/* A record that needs another look, whatever the feeds say. seq tells a later mark from the one
 * that was taken. */
struct dirty {
	enum table table;
	int64_t person_id;
	struct guid record_id;
	int64_t seq;
};

struct collision_row {
	enum table table;
	struct guid record_id;
	int64_t person_id;
	const char *field, *rule;
	enum side winner;
	struct str value[SIDE_COUNT]; /* kept until TANDEM_RETENTION_DAYS */
};

/* One open row per (record or person, target side, slot): a repeat raises its attempts. */
struct error_row {
	enum table table;      /* of the record; TABLE_PERSON when only a person is known */
	struct guid record_id; /* zero: none */
	int64_t person_id;     /* 0: none */
	enum side target;
	const char *operation; /* create, update, delete, link, read */
	const char *field;     /* "" none */
	uint16_t slot;         /* PARKED_WHOLE_RECORD: none */
	uint64_t fingerprint;  /* of the refused value, for parking; 0: not parked */
	const char *kind, *code;
	struct str message; /* plain words, no values */
	const char *advice; /* what a person can do about it; NULL: nothing special */
	/* 1 + the index in the unit's outbox of the line that tells of it; 0: none. A line is not
	 * written when all the errors it tells of are open already, with the same code. */
	size_t line;
};

/* A refusal that is over: its error row is closed, its parking lifted. */
struct resolved_row {
	enum table table;
	struct guid record_id;
	enum side target;
	uint16_t slot;
};

/* An Activity Log line waiting to be written to Marketo. */
struct outbox_row {
	int64_t id; /* given by the store */
	int64_t person_id, at_s;
	unsigned tries; /* times it was sent without an answer that tells what became of it */
	struct str outcome, direction, entity, record_id, field, code, message;
};

/* How far a line is. */
enum outbox_stage {
	OUTBOX_WAITING, /* nothing was sent, for certain */
	OUTBOX_TRIED,   /* it is about to be sent: from now on it may have arrived */
	OUTBOX_SENT
};

struct outbox_step {
	int64_t id;
	enum outbox_stage stage;
};

/* A write into a person's field: what it replaced as far as we knew, and what it left. Kept until
 * Marketo's change log tells what it really replaced. */
struct overwrite_row {
	int64_t person_id;
	uint16_t slot;
	uint64_t seen, written; /* fingerprints */
};

struct cursor_row {
	const char *name; /* "person", "lead", "contact" */
	struct str text;
};

/* A part of a full reading of a table. When it ends, every link of the table that was there when it
 * began and was not shown is marked for another look, and all are proven as of its beginning. */
struct scan_part {
	enum table table;
	bool is_begin, is_end;
	uint64_t total; /* with is_begin: rows to expect, 0 unknown */
	uint64_t rows;  /* in this part */
	const struct guid *shown;
	size_t shown_count;
};

/* The links of a table whose record's id begins with the byte `slice`, as the unit of proving links
 * equal. */
enum { PROOF_SLICES = 256 };
struct proof {
	enum table table;
	unsigned slice;
	struct guid place; /* where the proof under way has come to; zero: none is under way */
	int64_t since_s;   /* when the last one began; never: when the database was made */
	bool is_end;       /* to be stored: the slice is through */
};

/* Everything is foreign and must live until commit returns. */
struct unit {
	bool is_fenced; /* the cycle's writes: ERR_NOT_LEADER and nothing committed when another
			   leads */
	struct link *const *links;
	size_t link_count; /* inserted or overwritten whole, by (table, record_id) */
	const struct link *const *forget;
	size_t forget_count; /* links to remove, where they are in the state given; before links are
				written */
	/* Only the mark `stamp due` is taken off, nothing else of the row is touched: another
	 * thread may be writing it. */
	const struct link *const *stamped;
	size_t stamped_count;
	const struct collision_row *collisions;
	size_t collision_count;
	const struct error_row *errors;
	size_t error_count;
	const struct resolved_row *resolved;
	size_t resolved_count;
	const struct dirty *dirty;
	size_t dirty_count; /* marks to add (seq ignored) */
	const struct dirty *clean;
	size_t clean_count; /* marks taken care of: removed when seq is still the same */
	const struct overwrite_row *overwrites;
	size_t overwrite_count; /* to add */
	const struct overwrite_row *checked;
	size_t checked_count;         /* to remove, by person, slot and what was written */
	const struct scan_part *scan; /* NULL: none */
	const struct proof *proof;    /* NULL: none; how far the slice is now */
	bool is_doubtful;             /* nothing counts as proven any more */
	const uint64_t *events;       /* of Marketo's feed, taken in */
	size_t event_count;
	const uint64_t *roster; /* hashes to add */
	size_t roster_count;
	bool is_roster_over; /* the roster is emptied */
	const struct cursor_row *cursors;
	size_t cursor_count;
	const struct request *requests;
	size_t request_count; /* outcome, entity, record, reason, attempts, finished */
	const struct outbox_row *outbox;
	size_t outbox_count; /* to add */
	const struct outbox_step *outbox_steps;
	size_t outbox_step_count;
	const struct cycle_report *report; /* NULL: none; upserted by number */
};

struct object_status {
	uint64_t pending_inserts, pending_updates;
	int64_t oldest_pending_s;                                        /* 0 none */
	uint64_t last_hour_created, last_hour_updated, last_hour_failed; /* last full clock hour */
};

/* A table being read from the start. */
struct scan_status {
	bool is_open;
	int64_t began_s;
	uint64_t done, total; /* rows; total 0: unknown */
};

struct store_status {
	bool is_paused;
	char paused_by[64];
	int64_t paused_at_s;
	struct cycle_report last; /* number 0: none yet */
	struct object_status objects[TABLE_COUNT];
	uint64_t links[TABLE_COUNT]; /* live, lead and contact (planner's estimate is not enough:
					exact, kept cheap) */
	uint64_t open_errors;
	struct scan_status scans[TABLE_COUNT];
	int64_t oldest_proof_s; /* every link was proven equal since, or is younger; 0: never all of
				   them */
};

struct store_ops {
	/* Applies migrations under a lock; *ret_applied how many. */
	enum err_kind (*migrate)(void *self, unsigned *ret_applied, struct err *);
	enum err_kind (*schema_ready)(void *self,
				      struct err *); /* connected and at this program's version;
							ERR_STORE says what is missing */
	enum err_kind (*identity)(void *self, struct store_identity *ret, struct err *);
	enum err_kind (*set_organisation)(void *self, enum side, const struct guid *, struct err *);
	/* Becomes or stays the one service that runs the cycle (advisory lock and fencing number). */
	enum err_kind (*lead)(void *self, bool *ret_leading, struct err *);
	void (*resign)(void *self);
	/* Stable slot numbers of fields by name, given on first sight. */
	enum err_kind (*slots)(void *self, const struct field *fields, size_t count, uint16_t *ret,
			       struct err *);
	enum err_kind (*cursor)(void *self, const char *name, struct arena *, struct str *ret,
				struct err *); /* empty: none */
	/* Seconds since the cursor of each table moved; -1: it has none. */
	enum err_kind (*cursor_ages)(void *self, int64_t ret[TABLE_COUNT], struct err *);
	/* Links with their parked writes; ret[i] NULL: none. Memory: arena. */
	enum err_kind (*links_by_record)(void *self, enum table, const struct guid *ids,
					 size_t count, struct arena *, struct link **ret,
					 struct err *);
	enum err_kind (*links_by_person)(void *self, const int64_t *ids, size_t count,
					 struct arena *, struct link **ret, struct err *);
	/* Inserts links (usually LINK_CLAIMED) at once and durably, each in the place of a
	 * tombstone of its record; ret[i] false where the person or the record has one already. */
	enum err_kind (*claim)(void *self, const struct link *const *links, size_t count, bool *ret,
			       struct err *);
	/* Links whose stamp is due, without their fingerprints, and claims older than the age (left
	 * by a crash). */
	enum err_kind (*links_due)(void *self, size_t limit, struct arena *, struct link ***ret,
				   size_t *ret_count, struct err *);
	enum err_kind (*claims_stale)(void *self, int64_t older_than_ms, size_t limit,
				      struct arena *, struct link ***ret, size_t *ret_count,
				      struct err *);
	/* Marks of a side with after < seq <= up_to, lowest first; dirty_high gives the newest seq
	 * there is (0: none). */
	enum err_kind (*dirty)(void *self, enum side, int64_t after, int64_t up_to, size_t limit,
			       struct arena *, struct dirty **ret, size_t *ret_count, struct err *);
	enum err_kind (*dirty_high)(void *self, int64_t *ret, struct err *);
	/* The seq of the mark on each person, 0: none. */
	enum err_kind (*dirty_among)(void *self, const int64_t *person_ids, size_t count,
				     int64_t *ret, struct err *);
	/* Writes into the persons that the change log has not confirmed yet, in no promised order. */
	enum err_kind (*overwrites)(void *self, const int64_t *person_ids, size_t count,
				    struct arena *, struct overwrite_row **ret, size_t *ret_count,
				    struct err *);
	enum err_kind (*commit)(void *self, const struct unit *, struct err *);
	/* Requests: insert durably (repeat of an open one for the same person: its id and state are
	 * returned instead). */
	enum err_kind (*request_add)(void *self, struct request *requests, size_t count,
				     struct err *);
	enum err_kind (*requests_open)(void *self, size_t limit, struct arena *,
				       struct request **ret, size_t *ret_count, struct err *);
	/* Which of the persons have an open request: a claim of one is being worked on. */
	enum err_kind (*requests_among)(void *self, const int64_t *person_ids, size_t count,
					bool *ret, struct err *);
	/* Lines to send: those never tried first, then those tried longer ago than settle_ms, the
	 * oldest try first. */
	enum err_kind (*outbox)(void *self, int64_t settle_ms, size_t limit, struct arena *,
				struct outbox_row **ret, size_t *ret_count, struct err *);
	/* The slices that were proven longest ago, oldest first. */
	enum err_kind (*proofs)(void *self, size_t limit, struct arena *, struct proof **ret,
				size_t *ret_count, struct err *err);
	/* Records of the slice's live links behind its place, in order. */
	enum err_kind (*proof_links)(void *self, const struct proof *, size_t limit, struct arena *,
				     struct guid **ret, size_t *ret_count, struct err *err);
	/* Which of the events were taken in. */
	enum err_kind (*events_among)(void *self, const uint64_t *events, size_t count, bool *ret,
				      struct err *err);
	/* Which of the hashes are in the roster. */
	enum err_kind (*roster_among)(void *self, const uint64_t *hashes, size_t count, bool *ret,
				      struct err *err);
	enum err_kind (*next_cycle_number)(void *self, int64_t *ret, struct err *);
	/* Operator */
	enum err_kind (*set_paused)(void *self, bool paused, const char *by, struct err *);
	enum err_kind (*is_paused)(void *self, bool *ret, struct err *);
	enum err_kind (*retry_error)(
		void *self, int64_t id, bool *ret_found,
		struct err *); /* both halves are looked at and written again */
	enum err_kind (*status)(void *self, struct store_status *ret, struct err *);
	enum err_kind (*list)(void *self, const struct list_query *, struct rowset *ret,
			      struct err *);
	enum err_kind (*clean_up)(void *self, int64_t retention_days,
				  struct err *); /* drops what is past its retention */
	void (*free)(void *self);
};

struct store {
	const struct store_ops *ops;
	void *self;
};

#endif

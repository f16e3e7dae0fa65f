/* The step at the heart of a cycle: links with what their sides show are decided, written, and
 * noted for one commit. */
#ifndef SYNC_PAIRS_H
#define SYNC_PAIRS_H

#include "sync/ledger.h"

struct pair {
	struct link *link;               /* of the step's arena; changed to what shall be stored */
	struct record *seen[SIDE_COUNT]; /* NULL: not read */
	bool is_unkept;  /* the link was put back, for a write into Marketo did not stick */
	bool is_resumed; /* the link was paused until now: both sides may have changed */
	bool is_create;  /* the half that is not seen does not exist yet and is created */
	const struct guid *owner;          /* of a record to be created; NULL: the sync user */
	const struct field_write *restore; /* see decide.h */
	size_t restore_count;
	struct plan plan;             /* filled by the step */
	const struct collision *kept; /* collisions whose values are in the store already */
	size_t kept_count;
	bool is_later; /* something could not be done now: another look is due */
	bool is_over;  /* the link ended (a half is gone); nothing more to write */
	bool was_written[SIDE_COUNT], was_created[SIDE_COUNT];
	bool has_own_version; /* the link's version is that of our write, newer than what was seen */
};

/* What a step works with. */
struct step {
	struct engine *engine;
	const struct call *call;
	const struct mapping *mapping;
	struct arena *arena;
	struct ledger *ledger;
	struct cycle_report *report;
	bool leaves_stamps; /* stamps with nothing else to write stay due: many of them travel in
			       one file */
	bool is_proof;      /* the links are proven equal: what is not counts as drift */
	bool has_written;   /* something may have been written: what the ledger holds must be
			       committed */
};

/* Reads what deciding lacks, decides, keeps losing values (a commit of its own, before they are
 * overwritten), writes Dynamics, then Marketo, and notes links, errors and marks in the ledger,
 * which the caller commits. Returns other than ERR_NONE when a side stopped answering: what was
 * done is noted all the same, the rest is marked. */
enum err_kind pairs_run(struct step *s, struct pair *pairs, size_t count, struct err *err);

/* The person or record of a link is gone: the link becomes a tombstone (noted in the ledger). */
void pairs_end_link(struct step *s, struct link *link, enum link_state state);

#endif

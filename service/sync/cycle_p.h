/* The inside of a cycle, for the files that make it up: cycle_feed.c (Marketo's feed),
 * cycle_table.c (Dynamics' tables), cycle_marks.c (what needs another look), cycle_proof.c (proving
 * links equal), joined by cycle.c. */
#ifndef SYNC_CYCLE_P_H
#define SYNC_CYCLE_P_H

#include "sync/cycle.h"
#include "sync/pairs.h"

/* Records decided and committed together: whole calls of 300 to Marketo and batches of 100 to
 * Dynamics, and a page of 5,000 fills them. */
enum { CYCLE_CHUNK = 1200 };

struct cycle {
	struct engine *e;
	struct call call;
	struct shared_mapping *shared;
	struct cycle_report *report;
	bool is_accepting;    /* an operator has seen why the sync halted: the guards let pass */
	uint64_t deletes_max; /* 0: no limit, this time */
	bool is_from_start;   /* the table's full scan began in this pass */
	uint64_t rows;        /* of it so far */
	uint64_t scan_total;  /* rows to expect of it; 0 unknown */
	bool has_scanned;     /* a full scan came to its end in this cycle */
	int64_t slice_end_ms; /* clock_mono_ms() by which long work makes way for live changes; 0:
				 never */
};

/* A step with memory of its own; cycle_step_end releases it. */
struct cycle_step {
	struct step step;
	struct arena arena;
	struct ledger ledger;
};

void cycle_step_begin(struct cycle *c, struct cycle_step *s);
/* Commits what the step noted. A step that failed before its first write leaves no trace (never half
 * a page); one that failed later is committed all the same: what was written must be remembered. */
enum err_kind cycle_step_end(struct cycle *c, struct cycle_step *s, enum err_kind kind,
			     struct err *err);
/* Is it time for long work to stop, so that live changes get their turn? Then the cycle is
 * unfinished, and the next one goes on at once. */
bool cycle_makes_way(struct cycle *c);

/* Places of what is done now and then: when it was last done, and where it stands (may be NULL).
 * Nothing stored: 0 and empty. */
enum err_kind cycle_place(struct cycle *c, const char *name, struct arena *a, int64_t *ret_at_s,
			  struct str *ret_rest, struct err *err);
struct str cycle_place_text(struct arena *a, int64_t at_s, struct str rest);
/* When a reading from the start last ended. */
extern const char cycle_scan_ended[];

/* Marketo's feed: ids of persons to look at are marked in the store, with the cursor, in one commit
 * a page. */
enum err_kind cycle_feed(struct cycle *c, struct err *err);
/* Now and then: events that turned up with a date the feed had passed already. */
enum err_kind cycle_look_back(struct cycle *c, struct err *err);

/* A Dynamics table from its cursor to the end of its feed; a reading from the start makes way for
 * live changes and goes on in the next cycle. */
enum err_kind cycle_table(struct cycle *c, enum table table, struct err *err);
/* Rows that are there, and the links of those that are not, taken through; of one table. */
enum err_kind cycle_rows(struct cycle *c, struct step *s, struct link *const *gone,
			 size_t gone_count, struct record *const *records, size_t count,
			 bool is_full_scan, struct err *err);

/* Works through the marks of a side that were there when it began. */
enum err_kind cycle_marks(struct cycle *c, enum side side, struct err *err);
/* Records of a table, read by their ids and taken through with is_full_scan as in cycle_rows. */
enum err_kind cycle_read_records(struct cycle *c, struct step *s, enum table table,
				 const struct guid *ids, size_t count, bool is_full_scan,
				 struct err *err);
/* Claims an earlier life left behind without a request that would take them up: look at their
 * records again. */
enum err_kind cycle_stale_claims(struct cycle *c, struct err *err);

/* Now and then: a part of the links, read on both sides, so that each is proven equal in time. What
 * is not equal is repaired by the rules, and counted. */
enum err_kind cycle_prove(struct cycle *c, struct err *err);
/* Once a sweep: persons that a file of what changed lately shows different are marked. */
enum err_kind cycle_extract(struct cycle *c, struct err *err);
/* Nothing counts as proven any more: all links are looked at again as soon as possible. */
void cycle_doubt(struct cycle_step *s);

#endif

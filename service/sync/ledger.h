/* What one step found out and did, gathered for one commit. Rows live in the ledger's arena. */
#ifndef SYNC_LEDGER_H
#define SYNC_LEDGER_H

#include "core/line.h"
#include "sync/engine_p.h"

struct ledger {
	struct arena *arena; /* foreign */
	struct unit unit;    /* arrays below; counts inside */
	struct link **links;
	size_t link_cap;
	const struct link **forget;
	size_t forget_cap;
	const struct link **stamped;
	size_t stamped_cap;
	struct collision_row *collisions;
	size_t collision_cap;
	struct error_row *errors;
	size_t error_cap;
	struct resolved_row *resolved;
	size_t resolved_cap;
	struct dirty *dirty, *clean;
	size_t dirty_cap, clean_cap;
	struct cursor_row *cursors;
	size_t cursor_cap;
	struct request *requests;
	size_t request_cap;
	struct outbox_row *outbox;
	size_t outbox_cap;
	struct outbox_step *outbox_steps;
	size_t outbox_step_cap;
	struct overwrite_row *overwrites, *checked;
	size_t overwrite_cap, checked_cap;
	uint64_t *events;
	size_t event_cap;
	uint64_t *roster;
	size_t roster_cap;
};

void ledger_link(struct ledger *l, struct link *link);
void ledger_forget(struct ledger *l, const struct link *link);
void ledger_stamped(struct ledger *l, const struct link *link);
void ledger_resolved(struct ledger *l, const struct link *link, enum side target, uint16_t slot);
void ledger_dirty_record(struct ledger *l, enum table table, const struct guid *record_id);
void ledger_dirty_person(struct ledger *l, int64_t person_id);
void ledger_clean(struct ledger *l, const struct dirty *mark);
void ledger_cursor(struct ledger *l, enum table table, struct str text);
/* A cursor that is not a table's own; name is static. */
void ledger_place(struct ledger *l, const char *name, struct str text);
void ledger_event(struct ledger *l, uint64_t event); /* 0: nothing to note */
void ledger_roster(struct ledger *l, uint64_t hash);
void ledger_request(struct ledger *l, const struct request *request);
void ledger_outbox_step(struct ledger *l, int64_t outbox_id, enum outbox_stage stage);
void ledger_overwrite(struct ledger *l, const struct overwrite_row *row);
void ledger_checked(struct ledger *l, const struct overwrite_row *row);

/* Rows out of a plan. */
void ledger_collision(struct ledger *l, const struct mapping *m, const struct link *link,
		      const struct collision *collision);
/* Errors also become lines for the person's Activity Log when there is a person: fields that were
 * refused for one reason share a line. */
void ledger_refusals(struct ledger *l, const struct mapping *m, const struct link *link,
		     const struct plan *plan, const char *operation);
/* Closes the error rows of the link's parked writes that are over: the field's fingerprints have
 * moved on, or, for a record refused as a whole, is_whole_over says so of the side that refused.
 * Call before the link takes the plan's fingerprints. */
void ledger_resolve(struct ledger *l, const struct link *link, const struct plan *plan,
		    const bool is_whole_over[SIDE_COUNT]);
/* What was refused of the link is over, whatever it was: it gets another try. */
void ledger_unpark(struct ledger *l, struct link *link);
void ledger_error(struct ledger *l, const struct link *link, enum side target,
		  const char *operation, const struct err *err);
/* Lines for the Activity Log of the link's person, when it has one: of something that happened to
 * the link, and one of all the collisions that were decided together. */
void ledger_tell(struct ledger *l, const struct link *link, enum line_kind kind);
void ledger_tell_collisions(struct ledger *l, const struct mapping *m, const struct link *link,
			    const struct collision *collisions, size_t count);

/* Commits and empties the ledger (its arena keeps the rows). Nothing to commit: no call. */
enum err_kind ledger_commit(struct ledger *l, struct engine *e, bool is_fenced, struct err *err);

#endif

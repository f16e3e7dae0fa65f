/* What operators see and do. Every function may be called from any thread and blocks for a short
 * SQL statement at most. */
#ifndef SYNC_OPERATOR_H
#define SYNC_OPERATOR_H

#include "core/rowset.h"
#include "sync/engine.h"

enum sync_state { SYNC_IDLE, SYNC_RUNNING, SYNC_PAUSED, SYNC_HALTED, SYNC_STATE_COUNT };
const char *sync_state_name(enum sync_state s);

struct operator_status {
	enum sync_state state;
	char reason[320];          /* "" : null in answers */
	bool is_leader;            /* this service runs the cycle */
	struct cycle_report cycle; /* the running one, else the last; number 0: none yet */
	int64_t next_ms;           /* when the next cycle begins, since 1970; 0 unknown */
	struct object_status objects[TABLE_COUNT];
	uint64_t links[TABLE_COUNT];
	uint64_t open_errors;
	struct backfill_status {
		bool is_open;
		int64_t began_s;
		uint64_t done, total; /* rows; total 0: unknown */
		double per_second;    /* as this service reads them; 0 not known yet */
		int64_t left_s;       /* -1 unknown */
	} backfill[TABLE_COUNT];
	int64_t verify_ms;      /* the period every link is proven equal in */
	int64_t oldest_proof_s; /* since 1970; 0: not every link has been proven yet */
	struct remote_budget budget[SIDE_COUNT];
};
enum err_kind operator_status(struct engine *e, struct operator_status *ret, struct err *err);

enum err_kind operator_pause(struct engine *e, const char *by, struct err *err);
enum err_kind operator_resume(struct engine *e, const char *by,
			      struct err *err); /* also ends a halt: tries again at once */
enum err_kind operator_retry(struct engine *e, int64_t error_id, bool *ret_found, struct err *err);

void operator_measure(struct engine *e); /* sets the metrics that change by themselves */

/* The caller releases ret->memory. LIST_FIELDS tells per field: names on the three tables,
 * direction, winner, state, reason. */
enum err_kind operator_list(struct engine *e, const struct list_query *query, struct rowset *ret,
			    struct err *err);

/* One person: each rowset may be empty; the caller releases all memories (operator_person_release).
 */
struct operator_person {
	bool is_known; /* Tandem has a link, a request or an error for this person */
	struct rowset
		link; /* 0 or 1 rows: personId, entity, recordId, state, generation, stampDue */
	struct rowset fields; /* explain.h */
	struct rowset collisions, errors, requests;
};
enum err_kind operator_person(struct engine *e, int64_t person_id, struct operator_person *ret,
			      struct err *err);
void operator_person_release(struct operator_person *p);

/* Readiness: database reachable and at the right version, both sides' access working as of the last
 * time they were used. */
struct operator_ready {
	bool is_ready;
	struct ready_line {
		const char *name; /* "database", "schema", "marketo", "dynamics" */
		bool is_ok;
		char reason[320];
	} lines[4];
	size_t count;
};
void operator_ready(struct engine *e, struct operator_ready *ret);

#endif

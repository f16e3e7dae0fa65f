/* The store's own data and the functions of its table, by the file that holds them. Visible in this
 * folder only. */
#ifndef STORE_PARTS_H
#define STORE_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/db.h"
#include "store/postgres.h"

struct postgres {
	struct db *db;               /* owned */
	_Atomic int64_t fence;       /* the number this service leads under; 0: it does not lead */
	pthread_mutex_t leader_lock; /* guards leader */
	struct session *leader;      /* owned; NULL while not connected */
	pthread_mutex_t due_lock;    /* guards due_after */
	struct guid due_after; /* links_due goes round, so that stamps that always fail hold up no
				  other */
};

/* migrate.c */
enum err_kind postgres_migrate(void *self, unsigned *ret_applied, struct err *err);
enum err_kind postgres_schema_ready(void *self, struct err *err);

/* leader.c */
enum err_kind postgres_lead(void *self, bool *ret_leading, struct err *err);
void postgres_resign(void *self);

/* control.c */
enum err_kind postgres_identity(void *self, struct store_identity *ret, struct err *err);
enum err_kind postgres_set_organisation(void *self, enum side side, const struct guid *id,
					struct err *err);
enum err_kind postgres_slots(void *self, const struct field *fields, size_t count, uint16_t *ret,
			     struct err *err);
enum err_kind postgres_cursor(void *self, const char *name, struct arena *a, struct str *ret,
			      struct err *err);
enum err_kind postgres_cursor_ages(void *self, int64_t ret[TABLE_COUNT], struct err *err);
enum err_kind postgres_set_paused(void *self, bool paused, const char *by, struct err *err);
enum err_kind postgres_is_paused(void *self, bool *ret, struct err *err);
enum err_kind postgres_next_cycle_number(void *self, int64_t *ret, struct err *err);
enum err_kind postgres_retry_error(void *self, int64_t id, bool *ret_found, struct err *err);
enum err_kind postgres_clean_up(void *self, int64_t retention_days, struct err *err);

/* links.c */
enum err_kind postgres_links_by_record(void *self, enum table table, const struct guid *ids,
				       size_t count, struct arena *a, struct link **ret,
				       struct err *err);
enum err_kind postgres_links_by_person(void *self, const int64_t *ids, size_t count,
				       struct arena *a, struct link **ret, struct err *err);
enum err_kind postgres_links_due(void *self, size_t limit, struct arena *a, struct link ***ret,
				 size_t *ret_count, struct err *err);
enum err_kind postgres_claims_stale(void *self, int64_t older_than_ms, size_t limit,
				    struct arena *a, struct link ***ret, size_t *ret_count,
				    struct err *err);
enum err_kind postgres_claim(void *self, const struct link *const *links, size_t count, bool *ret,
			     struct err *err);
/* The order in which everybody writes links, for qsort of pointers to them: by person, then by
 * record, so that two writers who want the same persons or records rarely wait for each other. */
int link_write_order(const void *left, const void *right);
/* By record and table: equal means the same row. */
int link_row_order(const struct link *a, const struct link *b);
/* The ten arrays of LINKS_PUT and LINKS_CLAIM. */
void link_params(struct params *p, const struct link *const *links, size_t count);

/* unit.c */
enum err_kind postgres_commit(void *self, const struct unit *unit, struct err *err);

/* requests.c */
enum err_kind postgres_request_add(void *self, struct request *requests, size_t count,
				   struct err *err);
enum err_kind postgres_requests_open(void *self, size_t limit, struct arena *a,
				     struct request **ret, size_t *ret_count, struct err *err);

/* outbox.c */
enum err_kind postgres_outbox(void *self, int64_t settle_ms, size_t limit, struct arena *a,
			      struct outbox_row **ret, size_t *ret_count, struct err *err);
/* Before the unit's errors are written: what is open now decides which lines are news. */
enum err_kind outbox_write(struct session *s, const struct unit *unit, struct err *err);

/* marks.c */
enum err_kind postgres_dirty(void *self, enum side side, int64_t after, int64_t up_to, size_t limit,
			     struct arena *a, struct dirty **ret, size_t *ret_count,
			     struct err *err);
enum err_kind postgres_dirty_high(void *self, int64_t *ret, struct err *err);
enum err_kind postgres_requests_among(void *self, const int64_t *person_ids, size_t count,
				      bool *ret, struct err *err);
enum err_kind postgres_dirty_among(void *self, const int64_t *person_ids, size_t count,
				   int64_t *ret, struct err *err);
enum err_kind postgres_overwrites(void *self, const int64_t *person_ids, size_t count,
				  struct arena *a, struct overwrite_row **ret, size_t *ret_count,
				  struct err *err);
enum err_kind marks_write(struct session *s, const struct unit *unit, struct err *err);

/* proof.c */
enum err_kind postgres_proofs(void *self, size_t limit, struct arena *a, struct proof **ret,
			      size_t *ret_count, struct err *err);
enum err_kind postgres_proof_links(void *self, const struct proof *proof, size_t limit,
				   struct arena *a, struct guid **ret, size_t *ret_count,
				   struct err *err);
enum err_kind postgres_events_among(void *self, const uint64_t *events, size_t count, bool *ret,
				    struct err *err);
enum err_kind postgres_roster_among(void *self, const uint64_t *hashes, size_t count, bool *ret,
				    struct err *err);
enum err_kind proof_write(struct session *s, const struct unit *unit, struct err *err);

/* lists.c */
enum err_kind postgres_list(void *self, const struct list_query *query, struct rowset *ret,
			    struct err *err);

/* status.c */
enum err_kind postgres_status(void *self, struct store_status *ret, struct err *err);
void cycle_params(struct params *p, const struct cycle_report *report);

#endif

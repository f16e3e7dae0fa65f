/* The rows of the state store in memory, as the tables of the real one hold them. */
#ifndef TESTS_SIM_TWIN_STORE_H
#define TESTS_SIM_TWIN_STORE_H

#include "tests/sim/sim.h"

/* A link row; fingerprints and events lie in the history's memory and are never changed in place. */
struct stored_link {
	struct link link; /* without parked writes: those are rows of their own */
	bool is_stamp_due;
	int64_t state_at_ms;
};

struct stored_parked {
	enum table table;
	struct guid record_id;
	struct parked_write parked;
};

struct stored_collision {
	enum table table;
	struct guid record_id;
	int64_t person_id;
	const char *field, *rule;
	enum side winner;
	const char *value[SIDE_COUNT];
	int step;
};

struct stored_error {
	int64_t id;
	enum table table;
	struct guid record_id;
	int64_t person_id;
	enum side target;
	uint16_t slot;
	const char *field, *code;
	bool is_resolved;
	int step;
};

struct stored_request {
	struct request request;
	int64_t number;
	bool is_open;
};

struct stored_outbox {
	struct outbox_row row;
	bool is_sent;
	int64_t tried_at_ms;
};

/* A full reading of a table that has not come to its end. */
struct stored_scan {
	bool is_open; /* the table had links when it began */
	struct guid *shown;
	size_t count, cap;
};

struct twin_store {
	struct stored_scan scans[TABLE_COUNT];
	struct stored_link *links;
	size_t link_count, link_cap;
	struct stored_parked *parked;
	size_t parked_count, parked_cap;
	struct dirty *dirty;
	size_t dirty_count, dirty_cap;
	int64_t dirty_seq;
	struct overwrite_row *overwrites;
	size_t overwrite_count, overwrite_cap;
	struct stored_collision *collisions;
	size_t collision_count, collision_cap;
	struct stored_error *errors;
	size_t error_count, error_cap;
	struct stored_request *requests;
	size_t request_count, request_cap;
	struct stored_outbox *outbox;
	size_t outbox_count, outbox_cap;
	const char *cursors[TABLE_COUNT]; /* by table; NULL none */
	struct guid organisation[SIDE_COUNT];
	int64_t cycle_number, fence;
	bool is_paused;
	int64_t numbers; /* of errors, requests, outbox lines */
};

struct twin_store *twin_store_new(struct sim *s);
struct stored_link *stored_link(struct twin_store *t, enum table table, const struct guid *id);
/* The bound or claimed link of a person; NULL: none. */
struct stored_link *stored_link_of(struct twin_store *t, int64_t person_id);
bool stored_is_dirty(const struct twin_store *t, enum table table, int64_t person_id,
		     const struct guid *record_id);
bool stored_is_parked(const struct twin_store *t, const struct link *l, uint16_t slot);
struct stored_error *stored_open_error(struct twin_store *t, const struct error_row *e);
bool stored_has_error(const struct twin_store *t, const struct thing *thing);
bool link_holds_person(const struct link *l); /* counts for the one link a person may have */
struct stored_link stored_copy(struct sim *s, const struct link *l, int64_t state_at_ms);

enum err_kind twin_commit(void *self, const struct unit *unit, struct err *err);
/* twin_outbox.c */
enum err_kind twin_outbox(void *self, int64_t settle_ms, size_t limit, struct arena *a,
			  struct outbox_row **ret, size_t *ret_count, struct err *err);
void twin_outbox_commit(struct sim *s, const struct unit *u);
bool twin_retry(struct sim *s, struct stored_error *e);

#endif

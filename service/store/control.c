/* Single values: what the database belongs to, slots, cursors, the pause, the operator's verbs. */
#include "core/field.h"
#include "store/parts.h"

enum {
	SLOT_LAST = 65534,
	CLEAN_ROUNDS_MAX = 200,
	CYCLES_KEPT_DAYS = 400,
	OVERWRITES_KEPT_DAYS = 14,
	RETENTION_DAYS_MAX = 36500
};

/* Waits nothing out: the row of the first service stays, whoever comes second reads it. */
static enum err_kind identity_make_key(struct postgres *p, struct err *err)
{
	struct fingerprint_key key;
	struct params params = { 0 };

	fingerprint_random(key.byte, sizeof(key.byte));
	params_bytes(&params, (struct str){ (const char *)key.byte, sizeof(key.byte) });
	return db_ask(p->db, STATEMENT_IDENTITY_KEY, &params, NULL, err);
}

enum err_kind postgres_identity(void *self, struct store_identity *ret, struct err *err)
{
	struct postgres *p = self;
	struct answer answer = { 0 };
	struct str key;
	enum err_kind kind = db_run(p->db, STATEMENT_IDENTITY, NULL, &answer, err);

	if (!kind && answer_rows(&answer) == 1 && answer_null(&answer, 0, 0)) {
		answer_release(&answer);
		kind = identity_make_key(p, err);
		if (!kind)
			kind = db_run(p->db, STATEMENT_IDENTITY, NULL, &answer, err);
	}
	if (kind)
		return kind;
	key = answer_rows(&answer) == 1 ? answer_bytes(&answer, 0, 0) : (struct str){ NULL, 0 };
	if (key.n == sizeof(ret->key.byte)) {
		memcpy(ret->key.byte, key.p, sizeof(ret->key.byte));
		ret->organisation[SIDE_MARKETO] = answer_guid(&answer, 0, 1);
		ret->organisation[SIDE_DYNAMICS] = answer_guid(&answer, 0, 2);
	} else {
		kind = err_set(err, ERR_STORE, "the control row is missing from the database");
	}
	answer_release(&answer);
	return kind;
}

enum err_kind postgres_set_organisation(void *self, enum side side, const struct guid *id,
					struct err *err)
{
	struct postgres *p = self;
	struct params params = { 0 };

	params_guid(&params, id);
	return db_ask(p->db,
		      side == SIDE_MARKETO ? STATEMENT_ORGANISATION_MARKETO
					   : STATEMENT_ORGANISATION_DYNAMICS,
		      &params, NULL, err);
}

struct slots_job {
	struct params names;
	size_t count;
	uint16_t *ret;
};

/* *ret_complete false: some names have no slot yet. */
static enum err_kind slots_read(const struct answer *answer, struct slots_job *job,
				bool *ret_complete, struct err *err)
{
	size_t rows = answer_rows(answer);

	for (size_t i = 0; i < rows; i++) {
		int64_t n = answer_int(answer, i, 0), slot = answer_int(answer, i, 1);

		if (n < 1 || (uint64_t)n > job->count || slot < 0 || slot > SLOT_LAST)
			return err_set(err, ERR_STORE,
				       "a field's slot in the database is out of range");
		job->ret[n - 1] = (uint16_t)slot;
	}
	*ret_complete = rows == job->count;
	return ERR_NONE;
}

static enum err_kind slots_add(struct session *s, void *context, struct err *err)
{
	struct slots_job *job = context;
	struct answer answer = { 0 };
	bool is_complete = false;
	enum err_kind kind = session_run(s, STATEMENT_SLOTS_LOCK, NULL, NULL, err);

	if (!kind)
		kind = session_run(s, STATEMENT_SLOTS_ADD, &job->names, NULL, err);
	if (!kind)
		kind = session_run(s, STATEMENT_SLOTS, &job->names, &answer, err);
	if (kind)
		return kind;
	kind = slots_read(&answer, job, &is_complete, err);
	answer_release(&answer);
	if (!kind && !is_complete)
		kind = err_set(err, ERR_STORE, "not every field got a slot");
	return kind;
}

enum err_kind postgres_slots(void *self, const struct field *fields, size_t count, uint16_t *ret,
			     struct err *err)
{
	struct postgres *p = self;
	struct slots_job job = { .count = count, .ret = ret };
	struct answer answer = { 0 };
	struct buf *names = params_array(&job.names, ELEMENT_TEXT, count);
	bool is_complete = false;
	enum err_kind kind;

	for (size_t i = 0; i < count; i++)
		array_text(names, str_of(fields[i].name));
	kind = db_run(p->db, STATEMENT_SLOTS, &job.names, &answer, err);
	if (!kind) {
		kind = slots_read(&answer, &job, &is_complete, err);
		answer_release(&answer);
	}
	if (!kind && !is_complete)
		kind = db_transaction(p->db, slots_add, &job, err);
	params_release(&job.names);
	return kind;
}

enum err_kind postgres_cursor(void *self, const char *name, struct arena *a, struct str *ret,
			      struct err *err)
{
	struct postgres *p = self;
	struct params params = { 0 };
	struct answer answer = { 0 };
	enum err_kind kind;

	params_text(&params, str_of(name));
	kind = db_ask(p->db, STATEMENT_CURSOR, &params, &answer, err);
	if (kind)
		return kind;
	*ret = answer_rows(&answer) ? arena_str(a, answer_bytes(&answer, 0, 0))
				    : (struct str){ NULL, 0 };
	answer_release(&answer);
	return ERR_NONE;
}

enum err_kind postgres_cursor_ages(void *self, int64_t ret[TABLE_COUNT], struct err *err)
{
	struct postgres *p = self;
	struct answer answer = { 0 };
	enum err_kind kind = db_run(p->db, STATEMENT_CURSOR_AGES, NULL, &answer, err);

	if (kind)
		return kind;
	for (int t = 0; t < TABLE_COUNT; t++) {
		ret[t] = -1;
		for (size_t i = 0; i < answer_rows(&answer); i++)
			if (str_equal(answer_bytes(&answer, i, 0),
				      str_of(table_name((enum table)t))))
				ret[t] = answer_int(&answer, i, 1);
	}
	answer_release(&answer);
	return ERR_NONE;
}

enum err_kind postgres_set_paused(void *self, bool paused, const char *by, struct err *err)
{
	struct postgres *p = self;
	struct params params = { 0 };

	params_bool(&params, paused);
	params_text(&params, str_of(by));
	return db_ask(p->db, STATEMENT_PAUSE, &params, NULL, err);
}

enum err_kind postgres_is_paused(void *self, bool *ret, struct err *err)
{
	struct postgres *p = self;
	struct answer answer = { 0 };
	enum err_kind kind = db_run(p->db, STATEMENT_IS_PAUSED, NULL, &answer, err);

	if (kind)
		return kind;
	*ret = answer_rows(&answer) && answer_bool(&answer, 0, 0);
	answer_release(&answer);
	return ERR_NONE;
}

enum err_kind postgres_next_cycle_number(void *self, int64_t *ret, struct err *err)
{
	struct postgres *p = self;
	struct answer answer = { 0 };
	enum err_kind kind = db_run(p->db, STATEMENT_CYCLE_NUMBER, NULL, &answer, err);

	if (kind)
		return kind;
	*ret = answer_int(&answer, 0, 0);
	answer_release(&answer);
	return ERR_NONE;
}

enum err_kind postgres_retry_error(void *self, int64_t id, bool *ret_found, struct err *err)
{
	struct postgres *p = self;
	struct params params = { 0 };
	struct answer answer = { 0 };
	enum err_kind kind;

	params_int64(&params, id);
	kind = db_ask(p->db, STATEMENT_ERROR_RETRY, &params, &answer, err);
	if (kind)
		return kind;
	*ret_found = answer_int(&answer, 0, 0) != 0;
	answer_release(&answer);
	return ERR_NONE;
}

static enum err_kind clean_table(struct postgres *p, enum statement id, int64_t days,
				 struct err *err)
{
	enum err_kind kind = ERR_NONE;
	size_t changed = 1;

	for (int i = 0; i < CLEAN_ROUNDS_MAX && changed && !kind; i++) {
		struct params params = { 0 };
		struct answer answer = { 0 };

		params_int64(&params, days);
		kind = db_ask(p->db, id, &params, &answer, err);
		changed = kind ? 0 : answer_changed(&answer);
		answer_release(&answer);
	}
	return kind;
}

static enum err_kind clean_events(struct postgres *p, struct err *err)
{
	enum err_kind kind = ERR_NONE;
	size_t changed = 1;

	for (int i = 0; i < CLEAN_ROUNDS_MAX && changed && !kind; i++) {
		struct answer answer = { 0 };

		kind = db_run(p->db, STATEMENT_CLEAN_EVENTS, NULL, &answer, err);
		changed = kind ? 0 : answer_changed(&answer);
		answer_release(&answer);
	}
	return kind;
}

enum err_kind postgres_clean_up(void *self, int64_t retention_days, struct err *err)
{
	static const struct {
		enum statement statement;
		int64_t days_min;
	} tables[] = {
		{ STATEMENT_CLEAN_COLLISIONS, 0 },
		{ STATEMENT_CLEAN_ERRORS, 0 },
		{ STATEMENT_CLEAN_REQUESTS, 0 },
		{ STATEMENT_CLEAN_OUTBOX, 0 },
		{ STATEMENT_CLEAN_CYCLES, CYCLES_KEPT_DAYS },
		{ STATEMENT_CLEAN_OVERWRITES, OVERWRITES_KEPT_DAYS },
	};
	struct postgres *p = self;
	int64_t days = retention_days < RETENTION_DAYS_MAX ? retention_days : RETENTION_DAYS_MAX;
	enum err_kind kind = ERR_NONE;

	for (size_t i = 0; i < ARRAY_LEN(tables) && !kind; i++)
		kind = clean_table(p, tables[i].statement,
				   days > tables[i].days_min ? days : tables[i].days_min, err);
	if (!kind)
		kind = clean_events(p, err);
	if (!kind)
		kind = db_run(p->db, STATEMENT_FOLD_COUNTS, NULL, NULL, err);
	return kind;
}

/* Brings the tables to this program's version: one transaction under a lock, so that any number of
 * services may start at once and a failure leaves everything as it was. Forward only. */
#include "store/parts.h"

static const int64_t migration_key = INT64_C(0x74616e64656d02); /* "tandem", 2 */

static int newest_known(void)
{
	return migration_count ? migrations[migration_count - 1].number : 0;
}

static enum err_kind too_new(int64_t found, struct err *err)
{
	return err_set(
		err, ERR_STORE,
		"the database is at version %lld, this program knows %d: use a newer program",
		(long long)found, newest_known());
}

static enum err_kind migrate_one(struct session *s, const struct migration *m, struct err *err)
{
	struct params p = { 0 };
	struct err cause;
	enum err_kind kind;

	if (session_script(s, m->sql, &cause)) {
		err_set(err, ERR_STORE, "migration %04d_%s: %s", m->number, m->name, cause.text);
		if (err)
			memcpy(err->code, cause.code, sizeof(err->code));
		return ERR_STORE;
	}
	params_int64(&p, m->number);
	params_text(&p, str_of(m->name));
	kind = session_run(s, STATEMENT_MIGRATION_DONE, &p, NULL, err);
	params_release(&p);
	return kind;
}

static enum err_kind migrate_all(struct session *s, void *context, struct err *err)
{
	unsigned *ret_applied = context;
	struct params key = { 0 };
	struct answer answer = { 0 };
	enum err_kind kind;
	int64_t last;

	*ret_applied = 0;
	/* Waiting for another service's migration, and changing a large table, may take as long as
	 * it takes. */
	kind = session_script(s, "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0",
			      err);
	params_int64(&key, migration_key);
	if (!kind)
		kind = session_run(s, STATEMENT_MIGRATION_LOCK, &key, NULL, err);
	params_release(&key);
	if (!kind)
		kind = session_run(s, STATEMENT_MIGRATION_TABLE, NULL, NULL, err);
	if (!kind)
		kind = session_run(s, STATEMENT_MIGRATION_LAST, NULL, &answer, err);
	if (kind)
		return kind;
	last = answer_int(&answer, 0, 0);
	answer_release(&answer);
	if (last > newest_known())
		return too_new(last, err);
	for (size_t i = 0; i < migration_count && !kind; i++) {
		if (migrations[i].number <= last)
			continue;
		kind = migrate_one(s, &migrations[i], err);
		(*ret_applied)++;
	}
	return kind;
}

enum err_kind postgres_migrate(void *self, unsigned *ret_applied, struct err *err)
{
	struct postgres *p = self;
	unsigned applied = 0;
	enum err_kind kind = db_transaction(p->db, migrate_all, &applied, err);

	if (!kind)
		*ret_applied = applied;
	return kind;
}

enum err_kind postgres_schema_ready(void *self, struct err *err)
{
	struct postgres *p = self;
	struct answer answer = { 0 };
	enum err_kind kind = db_run(p->db, STATEMENT_MIGRATION_LAST, NULL, &answer, err);
	int64_t last;

	if (kind)
		return kind;
	last = answer_int(&answer, 0, 0);
	answer_release(&answer);
	if (last > newest_known())
		return too_new(last, err);
	if (last < newest_known())
		return err_set(err, ERR_STORE,
			       "the database is at version %lld of %d: run `tandem migrate`",
			       (long long)last, newest_known());
	return ERR_NONE;
}

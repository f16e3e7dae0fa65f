/* The pool and its sessions; see db.h. Knows libpq and the statement table, none of the store's
 * data. */
#include "store/db.h"

#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

enum { TRIES_MAX = 8, WAIT_SECONDS = 30 };

struct session {
	struct session *next; /* in the pool */
	struct db *db;        /* foreign */
	PGconn *connection;   /* owned */
	bool is_prepared[STATEMENT_COUNT];
	bool is_broken; /* to be closed when it is given back */
	unsigned tries; /* what the last failure is worth, in all */
};

struct db {
	char *url, *password; /* owned; password NULL when the URL has none */
	unsigned max;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t freed;
	struct session *idle;
	unsigned open;
};

/* What a SQLSTATE asks for ("PostgreSQL: Error Codes"); the first prefix that fits counts. In all
 * these cases the server has undone the transaction. */
static const struct cause {
	const char *prefix;
	unsigned tries; /* of the same statement or transaction, in all */
	bool is_connection_lost;
	const char *text;
} causes[] = {
	{ "40001", TRIES_MAX, false, "another transaction was in the way" },
	{ "40P01", TRIES_MAX, false, "two transactions waited for each other" },
	/* ON CONFLICT watches one index only: two that insert the same new row at once may meet in
	 * another one. By the next try the row is there and is updated. */
	{ "23505", 3, false, "a row would be there twice" },
	{ "08", 1, true, "the connection failed" },
	{ "57P", 1, true, "the server is stopping or starting" },
	{ "26000", 1, true, "the connection forgot its statements" },
	{ "0A000", 1, true, "the tables changed under the connection" },
	{ "57014", 1, false, "the statement took too long" },
	{ "55P03", 1, false, "a lock took too long" },
	{ "3F", 1, false, "the database has no Tandem tables: run `tandem migrate`" },
	{ "42P01", 1, false, "a table is missing: run `tandem migrate`" },
	{ "42703", 1, false, "a column is missing: run `tandem migrate`" },
	{ "23", 1, false, "a rule of the tables was broken" },
	{ "25006", 1, false, "the database is read-only" },
	{ "53", 1, false, "the server is out of room" },
	{ "", 1, false, "the database refused" },
};

static const struct cause *cause_of(const char *state)
{
	size_t i = 0;

	while (!str_starts(str_of(state), str_of(causes[i].prefix)))
		i++;
	return &causes[i];
}

/* libpq's text on one line, without the password should it ever stand there. */
static void message_clean(const struct db *db, const char *raw, struct buf *ret)
{
	struct str rest = str_trim(str_of(raw)), secret = str_of(db->password);

	while (rest.n) {
		if (secret.n && str_starts(rest, secret)) {
			buf_text(ret, "***");
			rest = (struct str){ rest.p + secret.n, rest.n - secret.n };
			continue;
		}
		buf_char(ret, *rest.p == '\n' || *rest.p == '\t' ? ' ' : *rest.p);
		rest = (struct str){ rest.p + 1, rest.n - 1 };
	}
}

/* Only the primary message is passed on: the detail may hold values. */
static enum err_kind session_failed(struct session *s, const PGresult *result, const char *what,
				    struct err *err)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const struct cause *cause = cause_of(state                                       ? state
					     : PQstatus(s->connection) == CONNECTION_BAD ? "08"
											 : "XX");
	struct buf text = { .max = 4096 };

	message_clean(s->db, primary ? primary : PQerrorMessage(s->connection), &text);
	s->tries = cause->tries;
	s->is_broken = s->is_broken || cause->is_connection_lost ||
		       PQstatus(s->connection) == CONNECTION_BAD;
	err_set(err, ERR_STORE, "%s: %s (%s)", what, cause->text, buf_cstr(&text));
	if (err)
		(void)snprintf(err->code, sizeof(err->code), "%s", state ? state : "");
	buf_release(&text);
	return ERR_STORE;
}

static enum err_kind session_check(struct session *s, PGresult *result, const char *what,
				   struct answer *ret, struct err *err)
{
	ExecStatusType status = PQresultStatus(result);
	enum err_kind kind = ERR_NONE;

	s->tries = 1;
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		kind = session_failed(s, result, what, err);
	if (!kind && ret)
		ret->result = TAKE(result);
	PQclear(result);
	return kind;
}

/* A lost durability setting would break the promise of claim and request_add; everything else may
 * be as it is. */
static const char session_settings[] =
	"SET statement_timeout = '30s'; SET lock_timeout = '20s';"
	"SET idle_in_transaction_session_timeout = '60s'; SET TimeZone = 'UTC';"
	"SET jit = off; SET random_page_cost = 1.1; SET client_min_messages = warning;"
	"SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 5;"
	"SET tcp_keepalives_count = 3;"
	"SELECT set_config('synchronous_commit', 'on', false)"
	" WHERE current_setting('synchronous_commit') = 'off'";

/* Settings before dbname yield to the URL, those behind it do not ("PostgreSQL: libpq,
 * PQconnectdbParams"). */
static PGconn *connect_now(const struct db *db)
{
	const char *const names[] = { "connect_timeout",
				      "tcp_user_timeout",
				      "keepalives_idle",
				      "keepalives_interval",
				      "keepalives_count",
				      "fallback_application_name",
				      "dbname",
				      "client_encoding",
				      NULL };
	const char *const values[] = {
		"5", "30000", "20", "5", "3", "tandem", db->url, "UTF8", NULL
	};

	return PQconnectdbParams(names, values, 1);
}

/* Notices would go to standard error by themselves. */
static void ignore_notice(void *context, const PGresult *result)
{
	(void)context;
	(void)result;
}

struct session *session_open(struct db *db, struct err *err)
{
	struct session *s = mem_alloc(sizeof(*s));
	struct buf text = { .max = 4096 };

	s->db = db;
	s->connection = connect_now(db);
	if (PQstatus(s->connection) != CONNECTION_OK) {
		message_clean(db, PQerrorMessage(s->connection), &text);
		err_set(err, ERR_STORE, "the database cannot be reached: %s", buf_cstr(&text));
		buf_release(&text);
		session_close(s);
		return NULL;
	}
	PQsetNoticeReceiver(s->connection, ignore_notice, NULL);
	if (session_script(s, session_settings, err)) {
		session_close(s);
		return NULL;
	}
	return s;
}

void session_close(struct session *s)
{
	if (!s)
		return;
	PQfinish(s->connection);
	free(s);
}

enum err_kind session_script(struct session *s, const char *sql, struct err *err)
{
	return session_check(s, PQexec(s->connection, sql), "script", NULL, err);
}

static enum err_kind session_prepare(struct session *s, enum statement id, struct err *err)
{
	const struct statement_row *row = &statements[id];

	if (s->is_prepared[id])
		return ERR_NONE;
	if (session_check(s, PQprepare(s->connection, row->name, row->sql, 0, NULL), row->name,
			  NULL, err))
		return ERR_STORE;
	s->is_prepared[id] = true;
	return ERR_NONE;
}

enum err_kind session_run(struct session *s, enum statement id, const struct params *p,
			  struct answer *ret, struct err *err)
{
	static const struct params none;
	const struct statement_row *row = &statements[id];
	const char *values[PARAMS_MAX];
	int lengths[PARAMS_MAX], formats[PARAMS_MAX], count;
	PGresult *result;

	p = p ? p : &none;
	count = (int)p->count;
	if (p->count != row->params || params_full(p))
		return err_set(err, ERR_STORE, "%s: the parameters do not fit", row->name);
	for (int i = 0; i < count; i++) {
		values[i] = p->is_null[i] ? NULL : buf_cstr(&p->value[i]);
		lengths[i] = (int)p->value[i].len;
		formats[i] = 1;
	}
	if (row->is_planned_each_time) {
		result = PQexecParams(s->connection, row->sql, count, row->types, values, lengths,
				      formats, 1);
	} else {
		if (session_prepare(s, id, err))
			return ERR_STORE;
		result = PQexecPrepared(s->connection, row->name, count, values, lengths, formats,
					1);
	}
	return session_check(s, result, row->name, ret, err);
}

struct db *db_new(const char *url, unsigned connections_max, struct err *err)
{
	PQconninfoOption *options = url ? PQconninfoParse(url, NULL) : NULL;
	pthread_condattr_t attributes;
	struct db *db;

	/* libpq's own text may quote the whole URL, password and all. */
	if (!options) {
		err_set(err, ERR_CONFIG,
			"the database URL is not one: postgres://user:password@host/database");
		return NULL;
	}
	db = mem_alloc(sizeof(*db));
	db->url = mem_text(url);
	db->max = connections_max ? connections_max : 1;
	for (const PQconninfoOption *o = options; o->keyword; o++) {
		if (str_equal(str_of(o->keyword), STR("password")))
			db->password = mem_text(o->val);
	}
	PQconninfoFree(options);
	(void)pthread_mutex_init(&db->lock, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&db->freed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	return db;
}

void db_free(struct db *db)
{
	if (!db)
		return;
	while (db->idle) {
		struct session *s = db->idle;

		db->idle = s->next;
		session_close(s);
	}
	(void)pthread_cond_destroy(&db->freed);
	(void)pthread_mutex_destroy(&db->lock);
	free(db->url);
	free(db->password);
	free(db);
}

/* Waits for an idle session or the right to open one; false when neither came in time. *ret NULL:
 * open one. */
static bool db_wait(struct db *db, struct session **ret)
{
	struct timespec until;
	int late = 0;
	bool ok = false;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += WAIT_SECONDS;
	(void)pthread_mutex_lock(&db->lock);
	while (!db->idle && db->open >= db->max && !late)
		late = pthread_cond_timedwait(&db->freed, &db->lock, &until);
	*ret = db->idle;
	if (db->idle) {
		db->idle = db->idle->next;
		ok = true;
	} else if (db->open < db->max) {
		db->open++;
		ok = true;
	}
	(void)pthread_mutex_unlock(&db->lock);
	return ok;
}

static void db_forget(struct db *db)
{
	(void)pthread_mutex_lock(&db->lock);
	db->open--;
	(void)pthread_cond_signal(&db->freed);
	(void)pthread_mutex_unlock(&db->lock);
}

/* A server that went away has said so and closed its end, which is seen here without asking it:
 * first its farewell can be read, then the end. */
static bool session_lives(struct session *s)
{
	struct pollfd end = { .fd = PQsocket(s->connection), .events = POLLIN };

	for (int i = 0; i < TRIES_MAX && poll(&end, 1, 0) > 0; i++) {
		if (!PQconsumeInput(s->connection))
			return false;
	}
	return PQstatus(s->connection) == CONNECTION_OK;
}

struct session *db_take(struct db *db, struct err *err)
{
	struct session *s;

	while (db_wait(db, &s)) {
		if (s && session_lives(s))
			return s;
		if (!s) {
			s = session_open(db, err);
			if (!s)
				db_forget(db);
			return s;
		}
		session_close(s);
		db_forget(db);
	}
	err_set(err, ERR_STORE, "no free database connection for %d seconds", WAIT_SECONDS);
	return NULL;
}

void db_give(struct db *db, struct session *s)
{
	if (!s)
		return;
	if (s->is_broken || PQtransactionStatus(s->connection) != PQTRANS_IDLE) {
		session_close(s);
		db_forget(db);
		return;
	}
	(void)pthread_mutex_lock(&db->lock);
	s->next = db->idle;
	db->idle = s;
	(void)pthread_cond_signal(&db->freed);
	(void)pthread_mutex_unlock(&db->lock);
}

enum err_kind db_run(struct db *db, enum statement id, const struct params *p, struct answer *ret,
		     struct err *err)
{
	enum err_kind kind = ERR_STORE;
	bool is_again = true;

	for (unsigned i = 0; i < TRIES_MAX && is_again; i++) {
		struct session *s = db_take(db, err);

		if (!s)
			return ERR_STORE;
		kind = session_run(s, id, p, ret, err);
		is_again = kind &&
			   (i + 1 < s->tries || (s->is_broken && statements[id].is_read && i == 0));
		db_give(db, s);
	}
	return kind;
}

enum err_kind db_ask(struct db *db, enum statement id, struct params *p, struct answer *ret,
		     struct err *err)
{
	enum err_kind kind = db_run(db, id, p, ret, err);

	params_release(p);
	return kind;
}

/* One try; undoes the transaction on any error. */
static enum err_kind transaction_try(struct session *s, db_body *body, void *context,
				     struct err *err)
{
	enum err_kind kind = session_script(s, "BEGIN", err);
	unsigned tries;

	if (kind)
		return kind;
	kind = body(s, context, err);
	if (!kind)
		kind = session_script(s, "COMMIT", err);
	if (kind && !s->is_broken) {
		tries = s->tries;
		if (session_script(s, "ROLLBACK", NULL))
			s->is_broken = true;
		s->tries = tries;
	}
	return kind;
}

enum err_kind db_transaction(struct db *db, db_body *body, void *context, struct err *err)
{
	enum err_kind kind = ERR_STORE;
	bool is_again = true;

	for (unsigned i = 0; i < TRIES_MAX && is_again; i++) {
		struct session *s = db_take(db, err);

		if (!s)
			return ERR_STORE;
		s->tries = 1;
		kind = transaction_try(s, body, context, err);
		is_again = kind && i + 1 < s->tries;
		db_give(db, s);
	}
	return kind;
}

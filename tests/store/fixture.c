/* See fixture.h. */
#include "fixture.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

struct err last_err;

void check_worked(enum err_kind kind, const char *call, const char *file, int line)
{
	if (!kind)
		return;
	print_error("%s: %s %s: %s\n", call, err_kind_name(kind), last_err.code, last_err.text);
	_fail(file, line);
}

static PGconn *connect_to(const char *url)
{
	PGconn *connection = PQconnectdb(url);

	if (PQstatus(connection) != CONNECTION_OK)
		fail_msg("DATABASE_URL: %s", PQerrorMessage(connection));
	return connection;
}

static void run_sql(PGconn *connection, const char *sql)
{
	PGresult *result = PQexec(connection, sql);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(connection));
	PQclear(result);
}

/* The server of DATABASE_URL with another database name, in the key=value form. */
static char *url_of(const char *database)
{
	const char *server = getenv("DATABASE_URL");
	PQconninfoOption *options = server ? PQconninfoParse(server, NULL) : NULL;
	struct buf url = { 0 };

	if (!options)
		fail_msg("run under tests/store/with_postgres.sh, or set DATABASE_URL");
	for (const PQconninfoOption *o = options; o->keyword; o++) {
		bool is_database = strcmp(o->keyword, "dbname") == 0;

		if (!o->val && !is_database)
			continue;
		buf_fmt(&url, "%s = '", o->keyword);
		for (const char *p = is_database ? database : o->val; *p; p++) {
			if (*p == '\'' || *p == '\\')
				buf_char(&url, '\\');
			buf_char(&url, *p);
		}
		buf_text(&url, "' ");
	}
	PQconninfoFree(options);
	return url.data;
}

struct store fixture_open(const struct fixture *f)
{
	const struct postgres_settings settings = { .url = f->url, .connections_max = 8 };
	struct store store;

	ok(postgres_new(&settings, &store, &last_err));
	return store;
}

int fixture_empty(void **state)
{
	static int count;
	struct fixture *f = mem_alloc(sizeof(*f));
	PGconn *server = connect_to(getenv("DATABASE_URL") ? getenv("DATABASE_URL") : "");
	char name[64], sql[128];

	(void)snprintf(name, sizeof(name), "test_%d_%d", (int)getpid(), count++);
	(void)snprintf(sql, sizeof(sql), "CREATE DATABASE %s", name);
	run_sql(server, sql);
	PQfinish(server);
	f->url = url_of(name);
	f->store = fixture_open(f);
	*state = f;
	return 0;
}

int fixture_migrated(void **state)
{
	struct fixture *f;
	unsigned applied;

	fixture_empty(state);
	f = *state;
	ok(f->store.ops->migrate(f->store.self, &applied, &last_err));
	assert_int_equal(applied, migration_count);
	return 0;
}

int fixture_end(void **state)
{
	struct fixture *f = *state;

	f->store.ops->free(f->store.self);
	arena_release(&f->memory);
	free(f->url);
	free(f);
	return 0;
}

void fixture_sql(const struct fixture *f, const char *sql)
{
	PGconn *connection = connect_to(f->url);

	run_sql(connection, sql);
	PQfinish(connection);
}

int64_t fixture_number(const struct fixture *f, const char *sql)
{
	PGconn *connection = connect_to(f->url);
	PGresult *result = PQexec(connection, sql);
	int64_t n = 0;

	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
		fail_msg("%s: %s", sql, PQerrorMessage(connection));
	assert_true(str_int64(str_of(PQgetvalue(result, 0, 0)), INT64_MIN, INT64_MAX, &n));
	PQclear(result);
	PQfinish(connection);
	return n;
}

/* Spread like real ones, and the same for the same number. */
struct guid guid_number(uint64_t n)
{
	struct guid g;
	uint64_t x = n;

	for (size_t i = 0; i < sizeof(g.byte); i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		g.byte[i] = (uint8_t)(x >> 33);
	}
	memcpy(g.byte + 8, &n, sizeof(n));
	return g;
}

struct link *make_link(struct fixture *f, uint64_t n, int64_t person_id, size_t slot_count)
{
	struct link *l = arena_alloc(&f->memory, sizeof(*l));

	*l = (struct link){ .table = TABLE_LEAD,
			    .record_id = guid_number(n),
			    .person_id = person_id,
			    .state = LINK_LIVE,
			    .generation = 1,
			    .version = 1000 + (int64_t)n,
			    .slot_count = slot_count };
	for (int side = 0; side < SIDE_COUNT; side++) {
		l->fingerprint[side] = arena_array(&f->memory, slot_count, sizeof(uint64_t));
		for (size_t i = 0; i < slot_count; i++)
			l->fingerprint[side][i] =
				(n + 1) * 11400714819323198485u + i * 7046029254386353131u + 1;
	}
	return l;
}

struct link *load_record(struct fixture *f, enum table table, uint64_t n)
{
	struct guid id = guid_number(n);
	struct link *l;

	ok(f->store.ops->links_by_record(f->store.self, table, &id, 1, &f->memory, &l, &last_err));
	return l;
}

struct link *load_person(struct fixture *f, int64_t person_id)
{
	struct link *l;

	ok(f->store.ops->links_by_person(f->store.self, &person_id, 1, &f->memory, &l, &last_err));
	return l;
}

void check_same_link(const struct link *a, const struct link *b)
{
	assert_non_null(a);
	assert_true(guid_equal(&a->record_id, &b->record_id));
	assert_int_equal(a->table, b->table);
	assert_int_equal(a->person_id, b->person_id);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->generation, b->generation);
	assert_int_equal(a->version, b->version);
	assert_int_equal(a->is_stamp_due, b->is_stamp_due);
	assert_int_equal(a->event_count, b->event_count);
	for (size_t i = 0; i < a->event_count; i++) {
		const struct field_event *x = &a->events[i], *y = &b->events[i];

		assert_true(x->slot == y->slot && x->target == y->target && x->rule == y->rule &&
			    x->is_given_up == y->is_given_up && x->turns == y->turns &&
			    x->cycle == y->cycle && x->at_s == y->at_s);
	}
	for (int side = 0; side < SIDE_COUNT; side++) {
		for (uint16_t i = 0; i < 60; i++)
			assert_int_equal(link_fingerprint(a, (enum side)side, i),
					 link_fingerprint(b, (enum side)side, i));
	}
}

struct str cell(const struct rowset *r, size_t row, const char *name)
{
	for (size_t i = 0; i < r->columns; i++) {
		if (strcmp(r->names[i], name) == 0)
			return r->cells[row * r->columns + i];
	}
	fail_msg("no column %s", name);
	return (struct str){ NULL, 0 };
}

void check_cell(const struct rowset *r, size_t row, const char *name, const char *expected)
{
	struct str found = cell(r, row, name);

	if (!str_equal(found, str_of(expected)))
		fail_msg("%s is \"" STR_FMT "\", not \"%s\"", name, STR_ARG(found),
			 expected ? expected : "(null)");
}

struct rowset fixture_list(const struct fixture *f, struct list_query query)
{
	struct rowset ret;

	query.limit = query.limit ? query.limit : 100;
	ok(f->store.ops->list(f->store.self, &query, &ret, &last_err));
	return ret;
}

void check_count(const struct fixture *f, struct list_query query, size_t expected)
{
	struct rowset r = fixture_list(f, query);

	assert_int_equal(r.rows, expected);
	arena_release(&r.memory);
}

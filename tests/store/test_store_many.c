/* The state store under several services, many threads, and a server that goes away. */
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPS (f->store.ops)
#define SELF (f->store.self)

enum { THREADS = 20 };

static struct fixture *f;

static int begin(void **state)
{
	fixture_migrated(state);
	f = *state;
	return 0;
}

static int begin_empty(void **state)
{
	fixture_empty(state);
	f = *state;
	return 0;
}

/* Runs work in THREADS threads that start together; each is given its number. */
static pthread_barrier_t barrier;
static void (*thread_work)(unsigned n);

static void *thread_main(void *n)
{
	(void)pthread_barrier_wait(&barrier);
	thread_work((unsigned)(uintptr_t)n);
	return NULL;
}

static void run_threads(void (*work)(unsigned n))
{
	pthread_t threads[THREADS];

	thread_work = work;
	assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, thread_main, (void *)i), 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	(void)pthread_barrier_destroy(&barrier);
}

static void test_two_services_migrate_at_once(void **state)
{
	int applied_by = 0;
	pid_t children[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		children[i] = fork();
		if (!children[i]) {
			struct store other = fixture_open(f);
			unsigned applied = 0;
			bool failed = other.ops->migrate(other.self, &applied, NULL) != ERR_NONE;

			_exit(failed ? 99 : (int)applied);
		}
	}
	for (int i = 0; i < 4; i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_true(WIFEXITED(status));
		assert_int_not_equal(WEXITSTATUS(status), 99);
		applied_by += WEXITSTATUS(status);
	}
	assert_int_equal(applied_by, migration_count);
	ok(OPS->schema_ready(SELF, &last_err));
}

static struct store_identity identities[THREADS];

static void make_identity(unsigned n)
{
	if (OPS->identity(SELF, &identities[n], NULL))
		memset(&identities[n], 0, sizeof(identities[n]));
}

static void test_one_key_whoever_comes_first(void **state)
{
	static const struct fingerprint_key none;

	(void)state;
	run_threads(make_identity);
	assert_memory_not_equal(&identities[0].key, &none, sizeof(none));
	for (unsigned i = 1; i < THREADS; i++)
		assert_memory_equal(&identities[i].key, &identities[0].key, sizeof(none));
}

static uint16_t slots_seen[THREADS][3];

static void take_slots(unsigned n)
{
	const struct field fields[] = { { .name = n % 2 ? "a" : "c" },
					{ .name = "b" },
					{ .name = n % 2 ? "c" : "a" } };
	uint16_t slots[3] = { 99, 99, 99 };

	(void)OPS->slots(SELF, fields, 3, slots, NULL);
	slots_seen[n][0] = slots[n % 2 ? 0 : 2];
	slots_seen[n][1] = slots[1];
	slots_seen[n][2] = slots[n % 2 ? 2 : 0];
}

static void test_slots_race(void **state)
{
	(void)state;
	run_threads(take_slots);
	for (unsigned i = 1; i < THREADS; i++)
		assert_memory_equal(slots_seen[i], slots_seen[0], sizeof(slots_seen[0]));
	assert_int_equal(fixture_number(f, "SELECT max(slot) * 10 + count(*) FROM field_slot"), 23);
}

enum { CLAIMS = 200 };
static atomic_int wins[CLAIMS], failures;

static void count_failure(enum err_kind kind, const struct err *err)
{
	if (!kind)
		return;
	atomic_fetch_add(&failures, 1);
	print_error("%s: %s\n", err->code, err->text);
}

/* Every thread claims the same persons, each for a record of its own, in an order of its own. */
static void claim_all(unsigned n)
{
	static struct link links[THREADS][CLAIMS];
	const struct link *order[CLAIMS];
	bool won[CLAIMS];
	struct err err;
	enum err_kind kind;

	for (unsigned i = 0; i < CLAIMS; i++) {
		unsigned person = (i * 37 + n * 11) % CLAIMS;

		links[n][i] = (struct link){ .table = TABLE_LEAD,
					     .record_id = guid_number(n * 1000 + person),
					     .person_id = person + 1,
					     .state = LINK_CLAIMED };
		order[i] = &links[n][i];
	}
	kind = OPS->claim(SELF, order, CLAIMS, won, &err);
	count_failure(kind, &err);
	if (kind)
		return;
	for (unsigned i = 0; i < CLAIMS; i++)
		atomic_fetch_add(&wins[order[i]->person_id - 1], won[i]);
}

static void test_claim_race(void **state)
{
	(void)state;
	atomic_store(&failures, 0);
	run_threads(claim_all);
	assert_int_equal(atomic_load(&failures), 0);
	for (int i = 0; i < CLAIMS; i++)
		assert_int_equal(atomic_load(&wins[i]), 1);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM link"), CLAIMS);
}

static struct guid request_ids[THREADS];

static void add_request(unsigned n)
{
	struct request r[2] = {
		{ .id = guid_number(n + 1), .person_id = 7, .sync_as = TABLE_LEAD },
		{ .id = guid_number(n + 1000), .person_id = 8, .sync_as = TABLE_LEAD }
	};
	struct request turned[2] = { r[1], r[0] };

	struct err err;

	count_failure(OPS->request_add(SELF, n % 2 ? r : turned, 2, &err), &err);
	request_ids[n] = n % 2 ? r[0].id : turned[1].id;
}

static void test_request_race(void **state)
{
	(void)state;
	atomic_store(&failures, 0);
	run_threads(add_request);
	assert_int_equal(atomic_load(&failures), 0);
	for (unsigned i = 1; i < THREADS; i++)
		assert_true(guid_equal(&request_ids[i], &request_ids[0]));
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM request"), 2);
}

/* Commits and claims that touch the same rows in every order: some wait for each other, all get
 * through. */
static void write_everything(unsigned n)
{
	struct err err;
	static struct link links[THREADS][60];
	struct link *order[60];
	struct error_row errors[60];
	struct dirty marks[60];
	struct unit u = { .links = order,
			  .link_count = 60,
			  .errors = errors,
			  .error_count = 60,
			  .dirty = marks,
			  .dirty_count = 60 };

	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 60; i++) {
			unsigned k = (i * 7 + n * 13 + round) % 60;

			links[n][i] = (struct link){ .table = TABLE_LEAD,
						     .record_id = guid_number(k),
						     .person_id = k + 1,
						     .state = LINK_LIVE,
						     .version = n };
			order[i] = &links[n][i];
			errors[i] = (struct error_row){ .table = TABLE_LEAD,
							.record_id = guid_number(k),
							.operation = "update",
							.field = "",
							.fingerprint = 1,
							.kind = "refused",
							.code = "",
							.slot = 1 };
			marks[i] = (struct dirty){ .table = TABLE_PERSON, .person_id = k + 1 };
		}
		count_failure(OPS->commit(SELF, &u, &err), &err);
	}
}

static void test_writers_get_through(void **state)
{
	struct store_status s;

	(void)state;
	atomic_store(&failures, 0);
	run_threads(write_everything);
	assert_int_equal(atomic_load(&failures), 0);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM link"), 60);
	assert_int_equal(fixture_number(f, "SELECT sum(attempts) FROM error"), 60 * THREADS * 10);
	ok(OPS->status(SELF, &s, &last_err));
	assert_int_equal(s.links[TABLE_LEAD], 60);
}

static void test_fencing(void **state)
{
	struct store other = fixture_open(f);
	struct cursor_row cursor = { .name = "lead", .text = STR("first") };
	struct link *l = make_link(f, 1, 7, 3);
	struct unit u = { .is_fenced = true,
			  .links = &l,
			  .link_count = 1,
			  .cursors = &cursor,
			  .cursor_count = 1 };
	struct str place;
	bool leading;

	(void)state;
	assert_int_equal(OPS->commit(SELF, &u, &last_err), ERR_NOT_LEADER);
	ok(OPS->lead(SELF, &leading, &last_err));
	assert_true(leading);
	ok(OPS->lead(SELF, &leading, &last_err));
	assert_true(leading);
	ok(other.ops->lead(other.self, &leading, &last_err));
	assert_false(leading);
	ok(OPS->commit(SELF, &u, &last_err));
	assert_int_equal(other.ops->commit(other.self, &u, &last_err), ERR_NOT_LEADER);
	/* The first one's connection dies without its noticing: the other leads, the first one's
	 * commit is refused. */
	fixture_sql(
		f,
		"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
		" AND database = (SELECT oid FROM pg_database WHERE datname = current_database())");
	do {
		ok(other.ops->lead(other.self, &leading, &last_err));
	} while (!leading);
	cursor.text = STR("second");
	l->version = 2;
	assert_int_equal(OPS->commit(SELF, &u, &last_err), ERR_NOT_LEADER);
	ok(OPS->cursor(SELF, "lead", &f->memory, &place, &last_err));
	assert_true(str_equal(place, STR("first")));
	assert_int_equal(load_record(f, TABLE_LEAD, 1)->version, 1001);
	ok(OPS->lead(SELF, &leading, &last_err));
	assert_false(leading);
	ok(other.ops->commit(other.self, &u, &last_err));
	/* What the cycle does not write needs no leader. */
	u.is_fenced = false;
	ok(OPS->commit(SELF, &u, &last_err));
	other.ops->resign(other.self);
	assert_int_equal(other.ops->commit(other.self, &(struct unit){ .is_fenced = true },
					   &last_err),
			 ERR_NOT_LEADER);
	do {
		ok(OPS->lead(SELF, &leading, &last_err));
	} while (!leading);
	other.ops->free(other.self);
}

static void test_restart(void **state)
{
	const char *restart = getenv("POSTGRES_RESTART");
	struct link *l = make_link(f, 1, 7, 3);
	struct unit u = { .is_fenced = true, .links = &l, .link_count = 1 };
	bool leading, paused;

	(void)state;
	if (!restart)
		skip();
	ok(OPS->lead(SELF, &leading, &last_err));
	run_threads(take_slots); /* several connections of the pool are open */
	assert_int_equal(system(restart), 0);
	/* Reads and fresh transactions work at once; the lead has to be taken anew. */
	for (int i = 0; i < 10; i++)
		ok(OPS->is_paused(SELF, &paused, &last_err));
	ok(OPS->set_paused(SELF, true, "ops", &last_err));
	ok(OPS->lead(SELF, &leading, &last_err));
	assert_true(leading);
	ok(OPS->commit(SELF, &u, &last_err));
	assert_non_null(load_record(f, TABLE_LEAD, 1));
}

/* The connection breaks while it is idle in a way the socket does not show yet, or in the middle of
 * a read. */
static void test_killed_connections(void **state)
{
	bool paused;

	(void)state;
	for (int i = 0; i < 20; i++) {
		ok(OPS->is_paused(SELF, &paused, &last_err));
		fixture_sql(f, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
			       " WHERE datname = current_database() AND pid <> pg_backend_pid()");
		ok(OPS->is_paused(SELF, &paused, &last_err));
	}
}

static void test_pool_is_shared(void **state)
{
	(void)state;
	run_threads(make_identity);
	assert_true(
		fixture_number(
			f,
			"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
			" AND pid <> pg_backend_pid()") <= 8);
}

int main(void)
{
	static const struct {
		const char *name;
		void (*run)(void **);
	} cases[] = {
		{ "one key whoever comes first", test_one_key_whoever_comes_first },
		{ "slots race", test_slots_race },
		{ "claim race", test_claim_race },
		{ "request race", test_request_race },
		{ "writers get through", test_writers_get_through },
		{ "fencing", test_fencing },
		{ "killed connections", test_killed_connections },
		{ "pool is shared", test_pool_is_shared },
		{ "restart", test_restart },
	};
	struct CMUnitTest tests[ARRAY_LEN(cases) + 1] = { { "two services migrate at once",
							    test_two_services_migrate_at_once,
							    begin_empty, fixture_end, NULL } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		tests[i + 1] = (struct CMUnitTest){ cases[i].name, cases[i].run, begin, fixture_end,
						    NULL };
	return cmocka_run_group_tests_name("store, many at once", tests, NULL, NULL);
}

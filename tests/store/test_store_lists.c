/* The state store against a real PostgreSQL: requests, lists, status, retention. */
#include "fixture.h"

#include <stdio.h>

#include "base/clock.h"

#define OPS (f->store.ops)
#define SELF (f->store.self)

static struct fixture *f;

static int begin(void **state)
{
	fixture_migrated(state);
	f = *state;
	return 0;
}

static void commit(const struct unit *u)
{
	ok(OPS->commit(SELF, u, &last_err));
}

static void commit_link(struct link *l)
{
	commit(&(struct unit){ .links = &l, .link_count = 1 });
}

static struct request request_of(uint64_t id, int64_t person)
{
	return (struct request){ .id = guid_number(id),
				 .person_id = person,
				 .sync_as = TABLE_LEAD,
				 .owner = STR("anna@example.org"),
				 .campaign_id = STR("7"),
				 .campaign_name = STR("Spring"),
				 .door = DOOR_FLOW,
				 .outcome = OUTCOME_QUEUED,
				 .created_ms = 1700000000123 };
}

static void test_requests(void **state)
{
	struct request r[] = { request_of(1, 5), request_of(2, 6), request_of(3, 5) }, *open,
		       repeat = request_of(4, 5);
	const int64_t persons[] = { 6, 7, 5 };
	bool among[3];
	struct guid first;
	size_t count;

	(void)state;
	r[2].is_trigger = true;
	ok(OPS->request_add(SELF, r, 3, &last_err));
	first = guid_number(1);
	assert_true(guid_equal(&r[0].id, &first));
	assert_true(guid_equal(&r[2].id, &first));
	assert_true(r[0].is_trigger);
	repeat.sync_as = TABLE_CONTACT;
	repeat.created_ms = 0;
	ok(OPS->request_add(SELF, &repeat, 1, &last_err));
	assert_true(guid_equal(&repeat.id, &first));
	assert_int_equal(repeat.created_ms, 1700000000123);
	assert_int_equal(repeat.sync_as, TABLE_LEAD);
	ok(OPS->requests_among(SELF, persons, 3, among, &last_err));
	assert_true(among[0] && !among[1] && among[2]);
	/* Least tried first. */
	r[0].attempts = 3;
	r[0].outcome = OUTCOME_FAILED;
	r[0].reason = STR("the remote did not answer");
	commit(&(struct unit){ .requests = r, .request_count = 1 });
	ok(OPS->requests_open(SELF, 10, &f->memory, &open, &count, &last_err));
	assert_int_equal(count, 2);
	assert_int_equal(open[0].person_id, 6);
	assert_int_equal(open[1].person_id, 5);
	assert_int_equal(open[1].attempts, 3);
	assert_int_equal(open[1].outcome, OUTCOME_FAILED);
	assert_int_equal(open[1].door, DOOR_FLOW);
	assert_true(str_equal(open[1].owner, STR("anna@example.org")));
	assert_true(str_equal(open[1].campaign_name, STR("Spring")));
	assert_true(str_equal(open[1].reason, STR("the remote did not answer")));
	/* Finished: the first outcome stays, and the next call is a new request. */
	r[0].outcome = OUTCOME_CREATED;
	r[0].entity = TABLE_LEAD;
	r[0].record_id = guid_number(9);
	r[0].finished_ms = 1700000001000;
	commit(&(struct unit){ .requests = r, .request_count = 1 });
	r[0].outcome = OUTCOME_REJECTED;
	commit(&(struct unit){ .requests = r, .request_count = 1 });
	assert_int_equal(
		fixture_number(f, "SELECT outcome FROM request WHERE finished_at IS NOT NULL"),
		OUTCOME_CREATED);
	repeat = request_of(4, 5);
	ok(OPS->request_add(SELF, &repeat, 1, &last_err));
	assert_false(guid_equal(&repeat.id, &first));
}

static void outbox_step(int64_t id, enum outbox_stage stage)
{
	commit(&(struct unit){ .outbox_steps = &(struct outbox_step){ id, stage },
			       .outbox_step_count = 1 });
}

static void test_outbox(void **state)
{
	struct outbox_row rows[] = { { .person_id = 5,
				       .at_s = 1700000000,
				       .outcome = STR("rejected"),
				       .direction = STR("d"),
				       .entity = STR("lead"),
				       .record_id = STR("r"),
				       .field = STR("f"),
				       .code = STR("c"),
				       .message = STR("m") },
				     { .person_id = 6, .at_s = 1700000001 } };
	struct outbox_row *out;
	size_t count;

	(void)state;
	commit(&(struct unit){ .outbox = rows, .outbox_count = 2 });
	ok(OPS->outbox(SELF, 0, 10, &f->memory, &out, &count, &last_err));
	assert_int_equal(count, 2);
	assert_int_equal(out[0].at_s, 1700000000);
	assert_int_equal(out[0].tries, 0);
	assert_true(str_equal(out[0].outcome, STR("rejected")));
	assert_true(str_equal(out[0].message, STR("m")));
	outbox_step(out[0].id, OUTBOX_SENT);
	ok(OPS->outbox(SELF, 0, 10, &f->memory, &out, &count, &last_err));
	assert_int_equal(count, 1);
	assert_int_equal(out[0].person_id, 6);
}

/* A line that may have arrived keeps behind those that surely have not, until it has settled. */
static void test_outbox_tried(void **state)
{
	struct outbox_row rows[] = { { .person_id = 5 }, { .person_id = 6 }, { .person_id = 7 } };
	struct outbox_row *out;
	int64_t first;
	size_t count;

	(void)state;
	commit(&(struct unit){ .outbox = rows, .outbox_count = 3 });
	ok(OPS->outbox(SELF, 60000, 10, &f->memory, &out, &count, &last_err));
	first = out[0].id;
	outbox_step(first, OUTBOX_TRIED);
	ok(OPS->outbox(SELF, 60000, 10, &f->memory, &out, &count, &last_err));
	assert_int_equal(count, 2);
	assert_int_equal(out[0].person_id, 6);
	ok(OPS->outbox(SELF, 0, 10, &f->memory, &out, &count, &last_err));
	assert_int_equal(count, 3);
	assert_int_equal(out[2].id, first);
	assert_int_equal(out[2].tries, 1);
	outbox_step(first, OUTBOX_TRIED);
	ok(OPS->outbox(SELF, 0, 10, &f->memory, &out, &count, &last_err));
	assert_int_equal(out[2].tries, 2);
	outbox_step(first, OUTBOX_WAITING);
	ok(OPS->outbox(SELF, 60000, 1, &f->memory, &out, &count, &last_err));
	assert_int_equal(count, 1);
	assert_int_equal(out[0].id, first);
	assert_int_equal(out[0].tries, 0);
	outbox_step(first, OUTBOX_SENT);
	outbox_step(first, OUTBOX_WAITING); /* too late */
	ok(OPS->outbox(SELF, 0, 10, &f->memory, &out, &count, &last_err));
	assert_int_equal(count, 2);
}

static size_t lines_after(const struct unit *u)
{
	struct outbox_row *out;
	size_t count;

	commit(u);
	ok(OPS->outbox(SELF, 0, 100, &f->memory, &out, &count, &last_err));
	return count;
}

/* What is open already with the same code is no news; anything else is. */
static void test_lines_of_errors(void **state)
{
	struct outbox_row line = { .person_id = 5 };
	struct error_row e[] = {
		{ .table = TABLE_LEAD,
		  .record_id = guid_number(1),
		  .person_id = 5,
		  .target = SIDE_DYNAMICS,
		  .operation = "update",
		  .field = "title",
		  .slot = 3,
		  .kind = "refused",
		  .code = "1",
		  .line = 1 },
		{ .table = TABLE_LEAD,
		  .person_id = 5,
		  .target = SIDE_DYNAMICS,
		  .operation = "link",
		  .field = "",
		  .slot = PARKED_WHOLE_RECORD,
		  .kind = "refused",
		  .code = "AMBIGUOUS",
		  .line = 1 },
	};
	struct unit u = { .outbox = &line, .outbox_count = 1, .errors = e, .error_count = 1 };
	struct resolved_row over = {
		.table = TABLE_LEAD, .record_id = guid_number(1), .target = SIDE_DYNAMICS, .slot = 3
	};

	(void)state;
	assert_int_equal(lines_after(&u), 1);
	assert_int_equal(lines_after(&u), 1);
	e[0].code = "2";
	assert_int_equal(lines_after(&u), 2);
	u.error_count = 2; /* one of two is new */
	assert_int_equal(lines_after(&u), 3);
	assert_int_equal(lines_after(&u), 3);
	e[1].person_id = 6; /* while there is no record, the person tells them apart */
	assert_int_equal(lines_after(&u), 4);
	u.error_count = 1;
	u.resolved = &over;
	u.resolved_count = 1;
	assert_int_equal(lines_after(&u), 5);
	u.resolved_count = 0;
	e[0].line = 0; /* it tells of nothing but itself */
	assert_int_equal(lines_after(&u), 6);
}

static void test_collisions_and_text(void **state)
{
	struct collision_row c = { .table = TABLE_CONTACT,
				   .record_id = guid_number(1),
				   .person_id = 7,
				   .field = "title",
				   .rule = "contact_dynamics_wins",
				   .winner = SIDE_DYNAMICS,
				   .value = { { "a\0b\xff"
						"c\xed\xa0\x80",
						8 },
					      STR("J\xc3\xb6rg '; DROP TABLE link; --") } };
	char id[GUID_TEXT];
	struct rowset r;

	(void)state;
	commit(&(struct unit){ .collisions = &c, .collision_count = 1 });
	guid_print(&c.record_id, id);
	r = fixture_list(f,
			 (struct list_query){ .kind = LIST_COLLISIONS, .record_id = str_of(id) });
	assert_int_equal(r.rows, 1);
	check_cell(&r, 0, "recordId", id);
	check_cell(&r, 0, "object", "contact");
	check_cell(&r, 0, "rule", "contact_dynamics_wins");
	check_cell(&r, 0, "winner", "dynamics");
	check_cell(&r, 0, "marketoFate", "overwritten");
	check_cell(&r, 0, "dynamicsFate", "kept");
	check_cell(&r, 0, "dynamicsValue", "J\xc3\xb6rg '; DROP TABLE link; --");
	/* What no text column takes is replaced, never a reason to fail a unit. */
	check_cell(&r, 0, "marketoValue",
		   "a\xef\xbf\xbd"
		   "b\xef\xbf\xbd"
		   "c\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	arena_release(&r.memory);
}

static void test_paging(void **state)
{
	struct collision_row c[25];
	struct list_query query = { .kind = LIST_COLLISIONS, .limit = 10 };
	char cursor[64] = "";
	size_t sizes[] = { 10, 10, 5 }, seen = 0;
	struct rowset r;

	(void)state;
	for (int i = 0; i < 25; i++)
		c[i] = (struct collision_row){ .table = TABLE_LEAD,
					       .person_id = 25 - i,
					       .field = i % 2 ? "a" : "b",
					       .rule = "none" };
	commit(&(struct unit){ .collisions = c, .collision_count = 25 });
	for (size_t page = 0; page < 3; page++) {
		query.cursor = str_of(cursor);
		r = fixture_list(f, query);
		assert_int_equal(r.rows, sizes[page]);
		for (size_t i = 0; i < r.rows; i++) {
			char expected[16];

			(void)snprintf(expected, sizeof(expected), "%zu", ++seen);
			check_cell(&r, i, "personId", expected);
		}
		assert_int_equal(r.next.n == 0, page == 2);
		(void)snprintf(cursor, sizeof(cursor), STR_FMT, STR_ARG(r.next));
		arena_release(&r.memory);
	}
	check_count(f, (struct list_query){ .kind = LIST_COLLISIONS, .field = STR("a") }, 12);
	check_count(f, (struct list_query){ .kind = LIST_COLLISIONS, .person_id = 3 }, 1);
	check_count(f, (struct list_query){ .kind = LIST_COLLISIONS, .since_s = 4102444800 }, 0);
	check_count(f, (struct list_query){ .kind = LIST_COLLISIONS, .until_s = 4102444800 }, 25);
	query.cursor = STR("e12");
	assert_int_equal(OPS->list(SELF, &query, &r, &last_err), ERR_INPUT);
	query.cursor = STR("k12x");
	assert_int_equal(OPS->list(SELF, &query, &r, &last_err), ERR_INPUT);
	query = (struct list_query){ .kind = LIST_ERRORS, .limit = 1, .state = STR("odd") };
	assert_int_equal(OPS->list(SELF, &query, &r, &last_err), ERR_INPUT);
	query = (struct list_query){ .kind = LIST_ERRORS, .limit = 1, .record_id = STR("odd") };
	assert_int_equal(OPS->list(SELF, &query, &r, &last_err), ERR_INPUT);
	query = (struct list_query){ .kind = LIST_ERRORS, .limit = 0 };
	assert_int_equal(OPS->list(SELF, &query, &r, &last_err), ERR_INPUT);
}

static void test_fields_and_requests_lists(void **state)
{
	const struct field fields[] = { { .name = "email" },
					{ .name = "firstName" },
					{ .name = "phone" } };
	struct request q = request_of(1, 5);
	uint16_t slots[3];
	struct rowset r;

	(void)state;
	ok(OPS->slots(SELF, fields, 3, slots, &last_err));
	r = fixture_list(f, (struct list_query){ .kind = LIST_FIELDS, .limit = 2 });
	check_cell(&r, 0, "name", "email");
	check_cell(&r, 1, "slot", "1");
	check_count(f, (struct list_query){ .kind = LIST_FIELDS, .limit = 2, .cursor = r.next }, 1);
	arena_release(&r.memory);
	ok(OPS->request_add(SELF, &q, 1, &last_err));
	r = fixture_list(f, (struct list_query){ .kind = LIST_REQUESTS, .person_id = 5 });
	check_cell(&r, 0, "time", "2023-11-14T22:13:20.123Z");
	check_cell(&r, 0, "syncAs", "lead");
	check_cell(&r, 0, "type", "batch");
	check_cell(&r, 0, "door", "flow");
	check_cell(&r, 0, "outcome", "queued");
	check_cell(&r, 0, "campaign", "Spring");
	assert_null(cell(&r, 0, "entity").p);
	assert_null(cell(&r, 0, "recordId").p);
	assert_null(cell(&r, 0, "finishedAt").p);
	arena_release(&r.memory);
}

static void test_cycles(void **state)
{
	struct cycle_report report = { .started_ms = 1700000000000, .result = CYCLE_RUNNING }, done;
	struct store_status status;
	struct rowset r;
	int64_t second;

	(void)state;
	ok(OPS->status(SELF, &status, &last_err));
	assert_int_equal(status.last.number, 0);
	ok(OPS->next_cycle_number(SELF, &report.number, &last_err));
	ok(OPS->next_cycle_number(SELF, &second, &last_err));
	assert_int_equal(second, report.number + 1);
	commit(&(struct unit){ .report = &report });
	done = report;
	done.finished_ms = 1700000002500;
	done.result = CYCLE_PARTIAL;
	done.is_full_scan = true;
	(void)snprintf(done.reason, sizeof(done.reason), "two records were refused");
	for (unsigned t = 0; t < TABLE_COUNT; t++) {
		done.read[t] = 10 + t;
		done.created[t] = 20 + t;
		done.updated[t] = 30 + t;
		done.equal[t] = 40 + t;
		done.failed[t] = 50 + t;
	}
	done.linked = 1;
	done.collided = 2;
	done.refused = 3;
	done.deleted = 4;
	done.calls[SIDE_MARKETO] = 5;
	done.calls[SIDE_DYNAMICS] = 6;
	commit(&(struct unit){ .report = &done });
	ok(OPS->status(SELF, &status, &last_err));
	assert_memory_equal(&status.last.read, &done.read,
			    sizeof(done) - offsetof(struct cycle_report, read));
	assert_string_equal(status.last.reason, done.reason);
	assert_int_equal(status.last.finished_ms, done.finished_ms);
	r = fixture_list(f, (struct list_query){ .kind = LIST_CYCLES });
	assert_int_equal(r.rows, 1);
	check_cell(&r, 0, "result", "partial");
	check_cell(&r, 0, "fullScan", "true");
	check_cell(&r, 0, "createdLeads", "21");
	check_cell(&r, 0, "failedContacts", "52");
	check_cell(&r, 0, "dynamicsCalls", "6");
	check_cell(&r, 0, "milliseconds", "2500");
	check_cell(&r, 0, "finishedAt", "2023-11-14T22:13:22.500Z");
	arena_release(&r.memory);
}

static void test_status(void **state)
{
	struct link *links[4];
	struct request q = request_of(1, 5);
	struct dirty mark = { .table = TABLE_CONTACT, .record_id = guid_number(1) };
	struct cycle_report report = {
		.number = 1, .result = CYCLE_OK, .created = { 1, 2, 3 }, .failed = { 0, 0, 9 }
	};
	struct store_status s;
	bool paused;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		links[i] = make_link(f, i, i ? i : 0, 2);
	links[0]->state = LINK_CLAIMED;
	links[3]->table = TABLE_CONTACT;
	report.started_ms = report.finished_ms = clock_wall_ms() / 3600000 * 3600000 - 1000;
	commit(&(struct unit){ .links = links,
			       .link_count = 4,
			       .dirty = &mark,
			       .dirty_count = 1,
			       .report = &report });
	ok(OPS->request_add(SELF, &q, 1, &last_err));
	links[1]->state = LINK_DELETED_IN_DYNAMICS;
	commit_link(links[1]);
	ok(OPS->set_paused(SELF, true, "ops", &last_err));
	ok(OPS->set_paused(SELF, true, "late", &last_err));
	ok(OPS->status(SELF, &s, &last_err));
	assert_true(s.is_paused);
	assert_string_equal(s.paused_by, "ops");
	assert_true(s.paused_at_s > 1700000000);
	assert_int_equal(s.links[TABLE_LEAD], 1);
	assert_int_equal(s.links[TABLE_CONTACT], 1);
	assert_int_equal(s.objects[TABLE_PERSON].pending_inserts, 1);
	assert_int_equal(s.objects[TABLE_LEAD].pending_inserts, 1);
	assert_int_equal(s.objects[TABLE_LEAD].oldest_pending_s, 1700000000);
	assert_int_equal(s.objects[TABLE_CONTACT].pending_updates, 1);
	assert_int_equal(s.objects[TABLE_LEAD].last_hour_created, 2);
	assert_int_equal(s.objects[TABLE_CONTACT].last_hour_failed, 9);
	ok(OPS->set_paused(SELF, false, "ops", &last_err));
	ok(OPS->is_paused(SELF, &paused, &last_err));
	assert_false(paused);
	ok(OPS->clean_up(SELF, 30, &last_err));
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM link_count"), 2);
	commit(&(struct unit){ .forget = (const struct link *const *)&links[2],
			       .forget_count = 1 });
	ok(OPS->status(SELF, &s, &last_err));
	assert_int_equal(s.links[TABLE_LEAD], 0);
	assert_int_equal(s.links[TABLE_CONTACT], 1);
}

static void test_clean_up(void **state)
{
	(void)state;
	fixture_sql(f, "INSERT INTO collision (at, record_id, person_id, entity, winner, field,"
		       " rule, marketo_value, dynamics_value)"
		       " SELECT now() - least(n, 90) * interval '1 day', gen_random_uuid(), n, 1,"
		       " 0, 'f', 'r', '', '' FROM generate_series(0, 12000) n");
	fixture_sql(f, "INSERT INTO error (record_id, person_id, slot, entity, target, operation,"
		       " field, kind, code, message, resolved_at)"
		       " SELECT gen_random_uuid(), n, 0, 1, 0, '', '', '', '', '',"
		       " CASE WHEN n % 2 = 0 THEN now() - interval '31 days' END"
		       " FROM generate_series(1, 10) n");
	fixture_sql(f, "INSERT INTO cycle SELECT n, now() - n * interval '100 days', now(), 1,"
		       " '', false, 0,0,0, 0,0,0, 0,0,0, 0,0,0, 0,0,0, 0,0,0,0, 0,0"
		       " FROM generate_series(1, 5) n");
	ok(OPS->clean_up(SELF, 30, &last_err));
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM collision"), 30);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM error"), 5);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM cycle"), 3);
}

static void test_address(void **state)
{
	struct postgres_settings settings = { .url = "postgres://u:s3cret%zz@@h:port/x",
					      .connections_max = 1 };
	struct store store;
	bool paused;

	(void)state;
	assert_int_equal(postgres_new(&settings, &store, &last_err), ERR_CONFIG);
	assert_null(strstr(last_err.text, "s3cret"));
	/* Connects lazily; the password never shows. */
	settings.url = "postgres://someone:s3cret@127.0.0.1:1/s3cret";
	ok(postgres_new(&settings, &store, &last_err));
	assert_int_equal(store.ops->is_paused(store.self, &paused, &last_err), ERR_STORE);
	assert_null(strstr(last_err.text, "s3cret"));
	store.ops->free(store.self);
}

int main(void)
{
	static const struct {
		const char *name;
		void (*run)(void **);
	} cases[] = {
		{ "requests", test_requests },
		{ "outbox", test_outbox },
		{ "outbox_tried", test_outbox_tried },
		{ "lines_of_errors", test_lines_of_errors },
		{ "collisions and text", test_collisions_and_text },
		{ "paging", test_paging },
		{ "fields and requests lists", test_fields_and_requests_lists },
		{ "cycles", test_cycles },
		{ "status", test_status },
		{ "clean up", test_clean_up },
		{ "address", test_address },
	};
	struct CMUnitTest tests[ARRAY_LEN(cases)];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		tests[i] = (struct CMUnitTest){ cases[i].name, cases[i].run, begin, fixture_end,
						NULL };
	return cmocka_run_group_tests_name("store, lists and requests", tests, NULL, NULL);
}

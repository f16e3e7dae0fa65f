/* What a link carries besides its fingerprints, against a real PostgreSQL: events, the state
 * paused, and the writes whose effect the change log has not told yet. */
#include "fixture.h"

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

static void test_events(void **state)
{
	static const struct field_event first[] = {
		{ .slot = 2,
		  .target = SIDE_DYNAMICS,
		  .rule = 3,
		  .turns = 2,
		  .cycle = 9,
		  .at_s = 1790000000 },
		{ .slot = 39,
		  .is_given_up = true,
		  .rule = 8,
		  .cycle = UINT32_MAX,
		  .at_s = UINT32_MAX },
	};
	static const struct field_event more[] = {
		{ .slot = 2, .rule = 1, .cycle = 10, .at_s = 5 }
	};
	struct link *with = make_link(f, 1, 101, 40), *without = make_link(f, 2, 102, 40),
		    *links[] = { with, without }, *found;
	struct unit u = { .links = links, .link_count = 2 };
	const int64_t person_id = 101;
	bool claimed[1] = { false };

	(void)state;
	link_note_events(with, first, ARRAY_LEN(first), &f->memory);
	commit(&u);
	check_same_link(load_record(f, TABLE_LEAD, 1), with);
	check_same_link(load_person(f, 102), without);
	found = load_person(f, 101);
	link_note_events(found, more, ARRAY_LEN(more), &f->memory);
	commit_link(found);
	check_same_link(load_person(f, 101), found);
	assert_int_equal(load_person(f, 101)->events[0].cycle, 10);
	/* A claim keeps them too: a real-time call makes a record and notes what it wrote. */
	links[0] = make_link(f, 3, 103, 4);
	links[0]->state = LINK_CLAIMED;
	link_note_events(links[0], first, ARRAY_LEN(first), &f->memory);
	ok(OPS->claim(SELF, (const struct link *const *)links, 1, claimed, &last_err));
	assert_true(claimed[0]);
	check_same_link(load_person(f, 103), links[0]);
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM link WHERE events IS NULL"), 1);
	/* Damaged ones are not guessed at. */
	fixture_sql(f, "UPDATE link SET events = '\\x0001' WHERE person_id = 101");
	assert_int_equal(OPS->links_by_person(SELF, &person_id, 1, &f->memory, &found, &last_err),
			 ERR_STORE);
}

static void check_overwrites(const int64_t *ids, size_t count, const struct overwrite_row *expected,
			     size_t expected_count)
{
	struct overwrite_row *rows;
	size_t n = 0;

	ok(OPS->overwrites(SELF, ids, count, &f->memory, &rows, &n, &last_err));
	assert_int_equal(n, expected_count);
	for (size_t i = 0; i < expected_count; i++) {
		size_t same = 0;

		for (size_t k = 0; k < n; k++)
			same += rows[k].person_id == expected[i].person_id &&
				rows[k].slot == expected[i].slot &&
				rows[k].seen == expected[i].seen &&
				rows[k].written == expected[i].written;
		assert_int_equal(same, 1);
	}
}

static void test_overwrites(void **state)
{
	static const struct overwrite_row rows[] = {
		{ 7, 3, 11, 21 },
		{ 7, 3, 12, 22 }, /* written twice before the log told of either */
		{ 7, 65534, UINT64_MAX, UINT64_MAX - 1 },
		{ 8, 3, 11, 21 },
	};
	static const struct overwrite_row twice[] = { { 9, 1, 5, 6 }, { 9, 1, 5, 6 } };
	static const struct overwrite_row again = { 8, 3, 99, 21 };
	static const int64_t both[] = { 7, 8 }, first[] = { 7 }, third[] = { 9 }, nobody[] = { 6 };

	(void)state;
	commit(&(struct unit){ .overwrites = rows, .overwrite_count = ARRAY_LEN(rows) });
	check_overwrites(both, 2, rows, 4);
	check_overwrites(first, 1, rows, 3);
	check_overwrites(nobody, 1, NULL, 0);
	check_overwrites(nobody, 0, NULL, 0);
	commit(&(struct unit){ .overwrites = twice, .overwrite_count = 2 });
	check_overwrites(third, 1, twice, 1);
	commit(&(struct unit){ .overwrites = &again, .overwrite_count = 1 });
	check_overwrites(&both[1], 1, &again, 1);
	/* Checked ones go, by what was written; the one seen does not matter. */
	commit(&(struct unit){ .checked = &rows[1], .checked_count = 1 });
	check_overwrites(first, 1, (const struct overwrite_row[]){ rows[0], rows[2] }, 2);
	commit(&(struct unit){ .checked = rows, .checked_count = ARRAY_LEN(rows) });
	check_overwrites(both, 2, NULL, 0);
	check_overwrites(third, 1, twice, 1);
	/* Those the log never told of are forgotten after the retention, but not within two weeks. */
	fixture_sql(f, "UPDATE overwrite SET at = now() - interval '13 days'");
	ok(OPS->clean_up(SELF, 1, &last_err));
	check_overwrites(third, 1, twice, 1);
	fixture_sql(f, "UPDATE overwrite SET at = now() - interval '15 days'");
	ok(OPS->clean_up(SELF, 30, &last_err));
	check_overwrites(third, 1, twice, 1);
	ok(OPS->clean_up(SELF, 1, &last_err));
	check_overwrites(third, 1, NULL, 0);
}

/* A person has at most one record, whether anything travels or not (INV-ONE-ROW). */
static void test_one_record_per_person_in_every_state(void **state)
{
	static const struct {
		enum link_state held, wanted;
		bool is_refused;
	} rows[] = {
		{ LINK_CLAIMED, LINK_LIVE, true },
		{ LINK_CLAIMED, LINK_PAUSED, true },
		{ LINK_LIVE, LINK_CLAIMED, true },
		{ LINK_LIVE, LINK_PAUSED, true },
		{ LINK_PAUSED, LINK_CLAIMED, true },
		{ LINK_PAUSED, LINK_LIVE, true },
		{ LINK_PAUSED, LINK_PAUSED, true },
		{ LINK_DELETED_IN_DYNAMICS, LINK_LIVE, false },
		{ LINK_DELETED_IN_MARKETO, LINK_PAUSED, false },
		{ LINK_PAUSED, LINK_DELETED_IN_MARKETO, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t person_id = 100 + (int64_t)i;
		struct link *held = make_link(f, 2 * i + 1, person_id, 2),
			    *wanted = make_link(f, 2 * i + 2, person_id, 2);
		struct unit u = { .links = &wanted, .link_count = 1 };

		held->state = rows[i].held;
		wanted->state = rows[i].wanted;
		commit_link(held);
		assert_int_equal(OPS->commit(SELF, &u, &last_err),
				 rows[i].is_refused ? ERR_STORE : ERR_NONE);
		if (rows[i].is_refused)
			assert_string_equal(last_err.code, "23505");
	}
}

static void test_paused(void **state)
{
	struct link *old = make_link(f, 1, 7, 3), *paused = make_link(f, 2, 7, 3);

	(void)state;
	old->state = LINK_DELETED_IN_DYNAMICS;
	old->generation = 9;
	commit_link(old);
	paused->state = LINK_PAUSED;
	commit_link(paused);
	/* It is the person's link, whatever older tombstones say. */
	check_same_link(load_person(f, 7), paused);
	check_same_link(load_record(f, TABLE_LEAD, 2), paused);
	paused->state = LINK_LIVE;
	commit_link(paused);
	check_same_link(load_person(f, 7), paused);
	paused->state = (enum link_state)LINK_STATE_COUNT;
	assert_int_equal(OPS->commit(SELF, &(struct unit){ .links = &paused, .link_count = 1 },
				     &last_err),
			 ERR_STORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_events, begin, fixture_end),
		cmocka_unit_test_setup_teardown(test_overwrites, begin, fixture_end),
		cmocka_unit_test_setup_teardown(test_one_record_per_person_in_every_state, begin,
						fixture_end),
		cmocka_unit_test_setup_teardown(test_paused, begin, fixture_end),
	};

	return cmocka_run_group_tests_name("store/links", tests, NULL, NULL);
}

/* The state store against a real PostgreSQL: links, units, requests, lists. What needs several
 * services, threads or a restart is in test_store_many.c. */
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

static int begin_empty(void **state)
{
	fixture_empty(state);
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

static void test_migrate(void **state)
{
	unsigned applied = 99;

	(void)state;
	assert_int_equal(OPS->schema_ready(SELF, &last_err), ERR_STORE);
	assert_non_null(strstr(last_err.text, "tandem migrate"));
	ok(OPS->migrate(SELF, &applied, &last_err));
	assert_int_equal(applied, migration_count);
	ok(OPS->migrate(SELF, &applied, &last_err));
	assert_int_equal(applied, 0);
	ok(OPS->schema_ready(SELF, &last_err));
	fixture_sql(f, "INSERT INTO migration (number, name) VALUES (9999, 'later')");
	assert_int_equal(OPS->schema_ready(SELF, &last_err), ERR_STORE);
	assert_non_null(strstr(last_err.text, "newer"));
	assert_int_equal(OPS->migrate(SELF, &applied, &last_err), ERR_STORE);
}

static void test_identity(void **state)
{
	struct store_identity first, again;
	struct guid id[SIDE_COUNT] = { guid_number(1), guid_number(2) };

	(void)state;
	ok(OPS->identity(SELF, &first, &last_err));
	assert_true(guid_is_zero(&first.organisation[SIDE_MARKETO]));
	ok(OPS->set_organisation(SELF, SIDE_MARKETO, &id[0], &last_err));
	ok(OPS->set_organisation(SELF, SIDE_DYNAMICS, &id[1], &last_err));
	ok(OPS->identity(SELF, &again, &last_err));
	assert_memory_equal(&first.key, &again.key, sizeof(first.key));
	assert_true(guid_equal(&again.organisation[SIDE_MARKETO], &id[0]));
	assert_true(guid_equal(&again.organisation[SIDE_DYNAMICS], &id[1]));
}

static void test_slots(void **state)
{
	const struct field fields[] = { { .name = "email" },
					{ .name = "firstName" },
					{ .name = "phone" },
					{ .name = "a'\\b" } };
	const struct field turned[] = { { .name = "title" },
					{ .name = "phone" },
					{ .name = "email" } };
	uint16_t slots[4], more[3];

	(void)state;
	ok(OPS->slots(SELF, fields, 4, slots, &last_err));
	for (uint16_t i = 0; i < 4; i++)
		assert_int_equal(slots[i], i);
	ok(OPS->slots(SELF, turned, 3, more, &last_err));
	assert_int_equal(more[0], 4);
	assert_int_equal(more[1], 2);
	assert_int_equal(more[2], 0);
	ok(OPS->slots(SELF, fields, 0, slots, &last_err));
}

static void test_link_round_trip(void **state)
{
	struct link *same = make_link(f, 1, 101, 40), *other = make_link(f, 2, 102, 40),
		    *bare = make_link(f, 3, 0, 0);
	struct link *contact = make_link(f, 1, 103, 5), *links[] = { same, other, bare, contact };
	struct guid ids[] = { guid_number(9), guid_number(2), guid_number(1) };
	struct link *found[3];

	(void)state;
	for (size_t i = 0; i < 40; i += 2)
		other->fingerprint[SIDE_DYNAMICS][i] = i * 3;
	other->is_stamp_due = true;
	bare->state = LINK_CLAIMED;
	contact->table = TABLE_CONTACT;
	contact->version = INT64_MAX;
	commit(&(struct unit){ .links = links, .link_count = 4 });
	assert_true(same->is_stored);
	check_same_link(load_record(f, TABLE_LEAD, 1), same);
	check_same_link(load_record(f, TABLE_LEAD, 2), other);
	check_same_link(load_record(f, TABLE_LEAD, 3), bare);
	check_same_link(load_record(f, TABLE_CONTACT, 1), contact);
	check_same_link(load_person(f, 103), contact);
	assert_null(load_person(f, 104));
	assert_null(load_record(f, TABLE_CONTACT, 2));
	ok(OPS->links_by_record(SELF, TABLE_LEAD, ids, 3, &f->memory, found, &last_err));
	assert_null(found[0]);
	check_same_link(found[1], other);
	check_same_link(found[2], same);
	/* Overwritten whole. */
	same->fingerprint[SIDE_MARKETO][0] = 77;
	same->person_id = 555;
	commit_link(same);
	check_same_link(load_person(f, 555), same);
	assert_null(load_person(f, 101));
	commit(&(struct unit){ .forget = (const struct link *const *)&links[0],
			       .forget_count = 1 });
	assert_null(load_record(f, TABLE_LEAD, 1));
	assert_non_null(load_record(f, TABLE_CONTACT, 1));
}

static void test_last_link_of_a_record_counts(void **state)
{
	struct link *first = make_link(f, 1, 1, 3), *second = make_link(f, 1, 2, 4),
		    *links[] = { first, second };

	(void)state;
	commit(&(struct unit){ .links = links, .link_count = 2 });
	check_same_link(load_record(f, TABLE_LEAD, 1), second);
}

static void test_tombstones(void **state)
{
	struct link *old = make_link(f, 1, 7, 3), *older = make_link(f, 2, 7, 3),
		    *new = make_link(f, 3, 7, 3);
	struct link *links[] = { new, old };

	(void)state;
	old->generation = 2;
	older->state = LINK_DELETED_IN_DYNAMICS;
	commit_link(older);
	commit_link(old);
	assert_int_equal(load_person(f, 7)->generation, 2);
	/* The old one ends and a new one begins in one unit, whatever their order in it. */
	old->state = LINK_DELETED_IN_DYNAMICS;
	new->generation = 3;
	commit(&(struct unit){ .links = links, .link_count = 2 });
	check_same_link(load_person(f, 7), new);
	new->state = LINK_DELETED_IN_DYNAMICS;
	commit_link(new);
	assert_int_equal(load_person(f, 7)->generation, 3);
}

static void test_one_row(void **state)
{
	struct link *first = make_link(f, 1, 7, 3), *second = make_link(f, 2, 7, 3);
	struct cursor_row cursor = { .name = "lead", .text = STR("further") };
	struct unit u = { .links = &second, .link_count = 1, .cursors = &cursor, .cursor_count = 1 };
	struct str place;

	(void)state;
	commit_link(first);
	assert_int_equal(OPS->commit(SELF, &u, &last_err), ERR_STORE);
	assert_string_equal(last_err.code, "23505");
	assert_false(second->is_stored);
	ok(OPS->cursor(SELF, "lead", &f->memory, &place, &last_err));
	assert_int_equal(place.n, 0);
	assert_null(load_record(f, TABLE_LEAD, 2));
}

static void test_cursor_behind(void **state)
{
	struct cursor_row cursors[] = { { "person", STR("a") }, { "lead", STR("token/1") } };
	struct link *l = make_link(f, 1, 7, 3);
	struct unit u = { .links = &l, .link_count = 1, .cursors = cursors, .cursor_count = 2 };
	struct str place;

	(void)state;
	commit(&u);
	ok(OPS->cursor(SELF, "lead", &f->memory, &place, &last_err));
	assert_true(str_equal(place, STR("token/1")));
	/* One row that cannot be: nothing of the unit is there, the cursor included. */
	cursors[1].text = STR("token/2");
	l->version = 5;
	l->state = (enum link_state)9;
	assert_int_equal(OPS->commit(SELF, &u, &last_err), ERR_STORE);
	assert_string_equal(last_err.code, "23514");
	ok(OPS->cursor(SELF, "lead", &f->memory, &place, &last_err));
	assert_true(str_equal(place, STR("token/1")));
	assert_int_equal(load_record(f, TABLE_LEAD, 1)->version, 1001);
	ok(OPS->cursor(SELF, "contact", &f->memory, &place, &last_err));
	assert_int_equal(place.n, 0);
}

static void test_cursor_ages(void **state)
{
	struct cursor_row cursors[] = { { "person", STR("a") }, { "lead", STR("b") } };
	struct unit u = { .cursors = cursors, .cursor_count = 2 };
	int64_t ages[TABLE_COUNT] = { 0 };

	(void)state;
	commit(&u);
	fixture_sql(f, "UPDATE cursor SET moved_at = moved_at - interval '5 days'");
	u.cursor_count = 1;
	commit(&u);
	ok(OPS->cursor_ages(SELF, ages, &last_err));
	assert_in_range(ages[TABLE_PERSON], 0, 24 * 3600);
	assert_in_range(ages[TABLE_LEAD], 5 * 24 * 3600, 6 * 24 * 3600);
	assert_int_equal(ages[TABLE_CONTACT], -1);
}

static void test_claims(void **state)
{
	struct link *a = make_link(f, 1, 1, 0), *b = make_link(f, 2, 1, 0),
		    *c = make_link(f, 3, 3, 0), *d = make_link(f, 4, 0, 0);
	const struct link *links[] = { c, b, a, d };
	struct link **stale;
	size_t count;
	bool won[4];

	(void)state;
	a->state = b->state = c->state = d->state = LINK_CLAIMED;
	d->is_stamp_due = true; /* as the cycle's claims have it */
	ok(OPS->claim(SELF, links, 4, won, &last_err));
	assert_true(won[0]);
	assert_true(won[1] != won[2]);
	assert_true(won[3]);
	ok(OPS->claim(SELF, links, 4, won, &last_err));
	for (int i = 0; i < 3; i++)
		assert_false(won[i]);
	assert_true(won[3]); /* the cycle's own, without a person: it takes it up again */
	d->is_stamp_due = false;
	d->person_id = 7;
	ok(OPS->claim(SELF, links, 4, won, &last_err));
	assert_false(won[3]); /* not so a real-time call, which did not see that it is being made */
	ok(OPS->claims_stale(SELF, 60000, 10, &f->memory, &stale, &count, &last_err));
	assert_int_equal(count, 0);
	fixture_sql(f, "UPDATE link SET state_at = now() - interval '2 minutes'");
	ok(OPS->claims_stale(SELF, 60000, 2, &f->memory, &stale, &count, &last_err));
	assert_int_equal(count, 2);
	/* Tried again: it is no longer stale. */
	commit(&(struct unit){ .links = stale, .link_count = 2 });
	ok(OPS->claims_stale(SELF, 60000, 10, &f->memory, &stale, &count, &last_err));
	assert_int_equal(count, 1);
	/* A tombstone holds neither its person nor its record. */
	c->state = LINK_DELETED_IN_DYNAMICS;
	commit_link(c);
	a = make_link(f, 5, 3, 0);
	a->state = LINK_CLAIMED;
	ok(OPS->claim(SELF, (const struct link *const *)&a, 1, won, &last_err));
	assert_true(won[0]);
	b = make_link(f, 3, 9, 0);
	b->state = LINK_CLAIMED;
	ok(OPS->claim(SELF, (const struct link *const *)&b, 1, won, &last_err));
	assert_true(won[0]);
	assert_int_equal(load_record(f, c->table, 3)->person_id, 9);
}

static void test_stamps_due(void **state)
{
	struct link *links[5], **due;
	bool seen[5] = { false };
	size_t count;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		links[i] = make_link(f, i, i + 1, 2);
		links[i]->is_stamp_due = true;
	}
	commit(&(struct unit){ .links = links, .link_count = 5 });
	/* Stamps that cannot be written come round, and hold up none of the others. */
	for (int round = 0; round < 3; round++) {
		ok(OPS->links_due(SELF, 2, &f->memory, &due, &count, &last_err));
		for (size_t i = 0; i < count; i++)
			seen[due[i]->person_id - 1] = true;
	}
	for (int i = 0; i < 5; i++)
		assert_true(seen[i]);
	/* Only the mark is taken off, and not from a link that became another one. */
	links[1]->person_id = 99;
	links[2]->version = 5;
	commit(&(struct unit){ .stamped = (const struct link *const *)links, .stamped_count = 5 });
	assert_int_equal(fixture_number(f, "SELECT count(*) FROM stamp_due"), 1);
	assert_int_equal(load_record(f, TABLE_LEAD, 2)->version, 1002);
	ok(OPS->links_due(SELF, 10, &f->memory, &due, &count, &last_err));
	assert_int_equal(count, 1);
	assert_int_equal(due[0]->person_id, 2);
}

static struct error_row error_of(uint64_t n, int64_t person, uint16_t slot, const char *message)
{
	return (struct error_row){ .table = n ? TABLE_CONTACT : TABLE_PERSON,
				   .record_id = n ? guid_number(n) : (struct guid){ { 0 } },
				   .person_id = person,
				   .target = SIDE_DYNAMICS,
				   .operation = "update",
				   .field = "lastName",
				   .slot = slot,
				   .fingerprint = 0xfedcba9876543210u,
				   .kind = "refused",
				   .code = "0x80044331",
				   .message = str_of(message),
				   .advice = person ? NULL : "Shorten it." };
}

static void test_errors(void **state)
{
	struct link *l = make_link(f, 1, 7, 3);
	struct error_row errors[] = { error_of(1, 7, 4, "too long"),
				      error_of(1, 7, PARKED_WHOLE_RECORD, "no"),
				      error_of(0, 7, 4, "x"), error_of(1, 0, 4, "still too long") };
	struct resolved_row over = { .table = TABLE_CONTACT,
				     .record_id = guid_number(1),
				     .target = SIDE_DYNAMICS,
				     .slot = 4 };
	struct rowset r;

	(void)state;
	l->table = TABLE_CONTACT;
	commit(&(struct unit){ .links = &l, .link_count = 1, .errors = errors, .error_count = 4 });
	commit(&(struct unit){ .errors = &errors[3], .error_count = 1 });
	r = fixture_list(f, (struct list_query){ .kind = LIST_ERRORS });
	assert_int_equal(r.rows, 3);
	for (size_t i = 0; i < 3; i++) {
		if (str_equal(cell(&r, i, "attempts"), STR("1"))) {
			assert_null(cell(&r, i, "advice").p);
			continue;
		}
		check_cell(&r, i, "advice", "Shorten it.");
		check_cell(&r, i, "attempts", "2");
		check_cell(&r, i, "message", "still too long");
		check_cell(&r, i, "personId", "7");
		check_cell(&r, i, "object", "contact");
		check_cell(&r, i, "direction", "Marketo to Dynamics");
		check_cell(&r, i, "operation", "update");
		check_cell(&r, i, "field", "lastName");
		check_cell(&r, i, "kind", "refused");
		check_cell(&r, i, "code", "0x80044331");
		check_cell(&r, i, "state", "open");
		assert_null(cell(&r, i, "resolvedAt").p);
	}
	arena_release(&r.memory);
	l = load_person(f, 7);
	assert_int_equal(l->parked_count, 2);
	assert_int_equal(l->parked[0].slot, 4);
	assert_int_equal(l->parked[0].target, SIDE_DYNAMICS);
	assert_int_equal(l->parked[0].fingerprint, 0xfedcba9876543210u);
	assert_int_equal(l->parked[1].slot, PARKED_WHOLE_RECORD);
	/* Over: closes the record's row and the one its person had before there was a record. */
	commit(&(struct unit){ .resolved = &over, .resolved_count = 1 });
	check_count(f, (struct list_query){ .kind = LIST_ERRORS }, 1);
	check_count(f, (struct list_query){ .kind = LIST_ERRORS, .state = STR("resolved") }, 2);
	check_count(f, (struct list_query){ .kind = LIST_ERRORS, .state = STR("all") }, 3);
	assert_int_equal(load_person(f, 7)->parked_count, 1);
	/* Refused again: a new row, first attempt. */
	commit(&(struct unit){
		.resolved = &over, .resolved_count = 1, .errors = errors, .error_count = 1 });
	r = fixture_list(f, (struct list_query){ .kind = LIST_ERRORS, .limit = 1 });
	check_cell(&r, 0, "attempts", "1");
	check_cell(&r, 0, "message", "too long");
	arena_release(&r.memory);
	check_count(f, (struct list_query){ .kind = LIST_ERRORS, .person_id = 8 }, 0);
	check_count(f,
		    (struct list_query){
			    .kind = LIST_ERRORS, .person_id = 7, .field = STR("lastName") },
		    2);
}

static void test_retry_error(void **state)
{
	struct link *l = make_link(f, 1, 7, 3);
	struct error_row e = error_of(1, 0, 4, "too long");
	struct dirty *persons, *records;
	size_t person_count, record_count;
	bool found;
	int64_t id, high;

	(void)state;
	l->table = TABLE_CONTACT;
	commit(&(struct unit){ .links = &l, .link_count = 1, .errors = &e, .error_count = 1 });
	id = fixture_number(f, "SELECT id FROM error");
	ok(OPS->retry_error(SELF, id + 1, &found, &last_err));
	assert_false(found);
	ok(OPS->retry_error(SELF, id, &found, &last_err));
	assert_true(found);
	/* No value is parked any more; the place stays, so that the success closes the error row. */
	l = load_person(f, 7);
	assert_int_equal(l->parked_count, 1);
	assert_int_equal(l->parked[0].fingerprint, 0);
	ok(OPS->dirty_high(SELF, &high, &last_err));
	ok(OPS->dirty(SELF, SIDE_MARKETO, 0, high, 10, &f->memory, &persons, &person_count,
		      &last_err));
	ok(OPS->dirty(SELF, SIDE_DYNAMICS, 0, high, 10, &f->memory, &records, &record_count,
		      &last_err));
	assert_int_equal(person_count, 1);
	assert_int_equal(persons[0].person_id, 7);
	assert_int_equal(record_count, 1);
	assert_int_equal(records[0].table, TABLE_CONTACT);
	assert_true(guid_equal(&records[0].record_id, &l->record_id));
	fixture_sql(f, "UPDATE error SET resolved_at = now()");
	ok(OPS->retry_error(SELF, id, &found, &last_err));
	assert_false(found);
}

static void test_dirty(void **state)
{
	struct dirty marks[] = { { .table = TABLE_PERSON, .person_id = 3 },
				 { .table = TABLE_PERSON, .person_id = 1 },
				 { .table = TABLE_LEAD, .record_id = guid_number(1) },
				 { .table = TABLE_PERSON, .person_id = 3 } };
	const int64_t ids[] = { 1, 2, 3 };
	struct dirty *taken, *again;
	size_t count, again_count;
	int64_t high, seqs[3];

	(void)state;
	ok(OPS->dirty_high(SELF, &high, &last_err));
	assert_int_equal(high, 0);
	commit(&(struct unit){ .dirty = marks, .dirty_count = 4 });
	ok(OPS->dirty_high(SELF, &high, &last_err));
	ok(OPS->dirty(SELF, SIDE_MARKETO, 0, high, 10, &f->memory, &taken, &count, &last_err));
	assert_int_equal(count, 2);
	ok(OPS->dirty_among(SELF, ids, 3, seqs, &last_err));
	assert_int_equal(seqs[0], taken[0].person_id == 1 ? taken[0].seq : taken[1].seq);
	assert_int_equal(seqs[1], 0);
	assert_int_equal(seqs[2], taken[0].person_id == 3 ? taken[0].seq : taken[1].seq);
	/* Paging by seq. */
	ok(OPS->dirty(SELF, SIDE_MARKETO, taken[0].seq, high, 10, &f->memory, &again, &again_count,
		      &last_err));
	assert_int_equal(again_count, 1);
	assert_int_equal(again[0].person_id, taken[1].person_id);
	ok(OPS->dirty(SELF, SIDE_MARKETO, 0, taken[0].seq, 10, &f->memory, &again, &again_count,
		      &last_err));
	assert_int_equal(again_count, 1);
	/* Marked again while it was worked on: that mark stays. */
	commit(&(struct unit){ .dirty = marks, .dirty_count = 1 });
	commit(&(struct unit){ .clean = taken, .clean_count = 2 });
	ok(OPS->dirty_high(SELF, &high, &last_err));
	ok(OPS->dirty(SELF, SIDE_MARKETO, 0, high, 10, &f->memory, &taken, &count, &last_err));
	assert_int_equal(count, 1);
	assert_int_equal(taken[0].person_id, 3);
	ok(OPS->dirty(SELF, SIDE_DYNAMICS, 0, high, 10, &f->memory, &taken, &count, &last_err));
	assert_int_equal(count, 1);
	commit(&(struct unit){ .clean = taken, .clean_count = 1 });
	ok(OPS->dirty(SELF, SIDE_DYNAMICS, 0, high, 10, &f->memory, &taken, &count, &last_err));
	assert_int_equal(count, 0);
}

int main(void)
{
	static const struct {
		const char *name;
		void (*run)(void **);
	} cases[] = {
		{ "identity", test_identity },
		{ "slots", test_slots },
		{ "link round trip", test_link_round_trip },
		{ "last link of a record counts", test_last_link_of_a_record_counts },
		{ "tombstones", test_tombstones },
		{ "INV-ONE-ROW", test_one_row },
		{ "INV-CURSOR-BEHIND", test_cursor_behind },
		{ "cursor ages", test_cursor_ages },
		{ "claims", test_claims },
		{ "stamps due", test_stamps_due },
		{ "errors", test_errors },
		{ "retry error", test_retry_error },
		{ "dirty", test_dirty },
	};
	struct CMUnitTest tests[ARRAY_LEN(cases) + 1] = { { "migrate", test_migrate, begin_empty,
							    fixture_end, NULL } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		tests[i + 1] = (struct CMUnitTest){ cases[i].name, cases[i].run, begin, fixture_end,
						    NULL };
	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}

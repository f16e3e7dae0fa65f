/* A link in memory, and the names of sides and tables. */
#include "core/link.h"

#include "tests/unit/unit.h"

static void fingerprints_are_kept_when_room_is_made(void **state)
{
	struct arena a = { NULL, 0 };
	struct link l = { .table = TABLE_LEAD };

	(void)state;
	assert_true(link_fingerprint(&l, SIDE_MARKETO, 0) == 0);
	link_reserve(&l, 2, &a);
	l.fingerprint[SIDE_MARKETO][1] = 11;
	l.fingerprint[SIDE_DYNAMICS][1] = 22;
	link_reserve(&l, 5, &a);
	link_reserve(&l, 3, &a); /* never fewer */
	assert_int_equal(l.slot_count, 5);
	assert_true(link_fingerprint(&l, SIDE_MARKETO, 1) == 11);
	assert_true(link_fingerprint(&l, SIDE_DYNAMICS, 1) == 22);
	assert_true(link_fingerprint(&l, SIDE_DYNAMICS, 4) == 0);
	assert_true(link_fingerprint(&l, SIDE_DYNAMICS, 5) == 0);
	arena_release(&a);
}

static void check_events(const struct link *l, const uint16_t *slots, size_t count)
{
	assert_int_equal(l->event_count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(l->events[i].slot, slots[i]);
}

static void events_stand_in_the_order_of_slots(void **state)
{
	static const struct field_event first[] = { { .slot = 7, .cycle = 1 },
						    { .slot = 2, .cycle = 1 },
						    { .slot = 9, .cycle = 1 } };
	static const struct field_event more[] = { { .slot = 0, .cycle = 2 },
						   { .slot = 65534, .cycle = 2 },
						   { .slot = 8, .cycle = 2 } };
	static const uint16_t slots[] = { 0, 2, 7, 8, 9, 65534 };
	struct arena a = { NULL, 0 };
	struct link l = { .table = TABLE_LEAD };

	(void)state;
	assert_null(link_event(&l, 0));
	link_note_events(&l, NULL, 0, &a);
	check_events(&l, slots, 0);
	link_note_events(&l, first, ARRAY_LEN(first), &a);
	check_events(&l, (const uint16_t[]){ 2, 7, 9 }, 3);
	link_note_events(&l, more, ARRAY_LEN(more), &a);
	check_events(&l, slots, ARRAY_LEN(slots));
	for (size_t i = 0; i < ARRAY_LEN(slots); i++)
		assert_ptr_equal(link_event(&l, slots[i]), &l.events[i]);
	assert_null(link_event(&l, 1));
	assert_null(link_event(&l, 65533));
	assert_null(link_event(&l, 65535));
	arena_release(&a);
}

static void an_event_takes_the_place_of_the_older_one(void **state)
{
	static const struct field_event was[] = { { .slot = 1, .at_s = 10 },
						  { .slot = 3, .at_s = 10 },
						  { .slot = 5, .at_s = 10 } };
	static const struct field_event now[] = {
		{ .slot = 3, .target = SIDE_DYNAMICS, .rule = 4, .turns = 2, .cycle = 8, .at_s = 20 },
		{ .slot = 5, .at_s = 21 },
		{ .slot = 5, .at_s = 22 }, /* twice at once: the later counts */
	};
	struct arena a = { NULL, 0 };
	struct link l = { .table = TABLE_CONTACT };

	(void)state;
	link_note_events(&l, was, ARRAY_LEN(was), &a);
	link_note_events(&l, now, ARRAY_LEN(now), &a);
	check_events(&l, (const uint16_t[]){ 1, 3, 5 }, 3);
	assert_int_equal(link_event(&l, 1)->at_s, 10);
	assert_int_equal(link_event(&l, 3)->at_s, 20);
	assert_int_equal(link_event(&l, 3)->target, SIDE_DYNAMICS);
	assert_int_equal(link_event(&l, 3)->rule, 4);
	assert_int_equal(link_event(&l, 3)->turns, 2);
	assert_int_equal(link_event(&l, 3)->cycle, 8);
	assert_int_equal(link_event(&l, 5)->at_s, 22);
	assert_int_equal(was[1].at_s, 10);
	arena_release(&a);
}

static void half_of_a_link_can_be_forgotten(void **state)
{
	struct arena a = { NULL, 0 };
	struct link l = { .table = TABLE_CONTACT };

	(void)state;
	link_forget_side(&l, SIDE_MARKETO); /* nothing there yet */
	link_reserve(&l, 3, &a);
	for (uint16_t i = 0; i < 3; i++)
		l.fingerprint[SIDE_MARKETO][i] = l.fingerprint[SIDE_DYNAMICS][i] = i + 1U;
	link_forget_side(&l, SIDE_DYNAMICS);
	for (uint16_t i = 0; i < 3; i++) {
		assert_true(link_fingerprint(&l, SIDE_MARKETO, i) == i + 1U);
		assert_true(link_fingerprint(&l, SIDE_DYNAMICS, i) == 0);
	}
	arena_release(&a);
}

static void live_and_paused_links_bind(void **state)
{
	static const bool is_bound[LINK_STATE_COUNT] = { [LINK_LIVE] = true, [LINK_PAUSED] = true };

	(void)state;
	for (int s = 0; s < LINK_STATE_COUNT; s++) {
		struct link l = { .state = (enum link_state)s };

		assert_int_equal(link_is_bound(&l), is_bound[s]);
		assert_int_equal(link_is_taken(&l), is_bound[s] || s == LINK_CLAIMED);
	}
	assert_false(link_is_taken(NULL));
}

static void names(void **state)
{
	enum table table = TABLE_PERSON;

	(void)state;
	assert_string_equal(link_state_name(LINK_CLAIMED), "claimed");
	assert_string_equal(link_state_name(LINK_DELETED_IN_MARKETO), "deleted_in_marketo");
	assert_string_equal(link_state_name(LINK_PAUSED), "paused");
	for (int s = 0; s < LINK_STATE_COUNT; s++)
		assert_non_null(link_state_name((enum link_state)s));
	assert_string_equal(side_name(SIDE_DYNAMICS), "dynamics");
	assert_int_equal(side_other(SIDE_DYNAMICS), SIDE_MARKETO);
	assert_string_equal(table_name(TABLE_CONTACT), "contact");
	assert_int_equal(table_side(TABLE_PERSON), SIDE_MARKETO);
	assert_int_equal(table_side(TABLE_LEAD), SIDE_DYNAMICS);
	assert_true(table_parse(STR("Contact"), &table));
	assert_int_equal(table, TABLE_CONTACT);
	assert_true(table_parse(STR("LEAD"), &table));
	assert_int_equal(table, TABLE_LEAD);
	assert_false(table_parse(STR("person"), &table));
	assert_false(table_parse(STR("leads"), &table));
	assert_int_equal(table, TABLE_LEAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fingerprints_are_kept_when_room_is_made),
		cmocka_unit_test(events_stand_in_the_order_of_slots),
		cmocka_unit_test(an_event_takes_the_place_of_the_older_one),
		cmocka_unit_test(half_of_a_link_can_be_forgotten),
		cmocka_unit_test(live_and_paused_links_bind),
		cmocka_unit_test(names),
	};

	return RUN(tests);
}

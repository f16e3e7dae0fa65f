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

static void names(void **state)
{
	enum table table = TABLE_PERSON;

	(void)state;
	assert_string_equal(link_state_name(LINK_CLAIMED), "claimed");
	assert_string_equal(link_state_name(LINK_DELETED_IN_MARKETO), "deleted_in_marketo");
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
		cmocka_unit_test(names),
	};

	return RUN(tests);
}

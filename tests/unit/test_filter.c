/* The sync filter: every mark a row can carry, under every reading of an empty one. */
#include "core/filter.h"

#include "tests/unit/unit.h"

static void every_mark_under_every_policy(void **state)
{
	static const struct {
		enum filter_null null;
		enum filter_mark mark;
		enum filter_verdict verdict;
	} rows[] = {
		{ FILTER_NULL_CREATE_ONLY, FILTER_ABSENT, FILTER_TRAVELS },
		{ FILTER_NULL_CREATE_ONLY, FILTER_YES, FILTER_TRAVELS },
		{ FILTER_NULL_CREATE_ONLY, FILTER_NO, FILTER_STOPS },
		{ FILTER_NULL_CREATE_ONLY, FILTER_NULL, FILTER_CREATES },
		{ FILTER_NULL_SYNC, FILTER_ABSENT, FILTER_TRAVELS },
		{ FILTER_NULL_SYNC, FILTER_YES, FILTER_TRAVELS },
		{ FILTER_NULL_SYNC, FILTER_NO, FILTER_STOPS },
		{ FILTER_NULL_SYNC, FILTER_NULL, FILTER_TRAVELS },
		{ FILTER_NULL_SKIP, FILTER_ABSENT, FILTER_TRAVELS },
		{ FILTER_NULL_SKIP, FILTER_YES, FILTER_TRAVELS },
		{ FILTER_NULL_SKIP, FILTER_NO, FILTER_STOPS },
		{ FILTER_NULL_SKIP, FILTER_NULL, FILTER_STOPS },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct filter_rule rule = { .column = "new_synctomkto", .null = rows[i].null };

		assert_int_equal(filter_verdict(&rule, rows[i].mark), rows[i].verdict);
		rule.is_set_on_create = true; /* what is written never matters to what is read */
		assert_int_equal(filter_verdict(&rule, rows[i].mark), rows[i].verdict);
	}
}

static void the_built_in_rule_is_the_native_one(void **state)
{
	const struct filter_rule *rule = &field_set_default.filter;

	(void)state;
	assert_string_equal(rule->column, "new_synctomkto");
	assert_int_equal(rule->null, FILTER_NULL_CREATE_ONLY);
	assert_true(rule->is_set_on_create);
	assert_false(field_set_default.leaves_deleted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mark_under_every_policy),
		cmocka_unit_test(the_built_in_rule_is_the_native_one),
	};

	return RUN(tests);
}

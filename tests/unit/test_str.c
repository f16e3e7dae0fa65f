/* Views on text and strict numbers. */
#include "tests/unit/unit.h"

static void compares(void **state)
{
	(void)state;
	assert_true(str_equal(STR("abc"), str_of("abc")));
	assert_false(str_equal(STR("abc"), STR("abd")));
	assert_false(str_equal(STR("abc"), STR("abcd")));
	assert_true(str_equal((struct str){ NULL, 0 }, STR("")));
	assert_true(str_equal_fold(STR("Lead"), STR("lEAD")));
	assert_false(str_equal_fold(STR("Lead"), STR("leaf")));
	assert_false(
		str_equal_fold(STR("["), STR("{"))); /* apart by the case bit, yet no letters */
	assert_true(str_compare(STR("a"), STR("b")) < 0);
	assert_true(str_compare(STR("ab"), STR("a")) > 0);
	assert_true(str_compare(STR("\xc3"), STR("a")) > 0); /* bytes are unsigned */
	assert_int_equal(str_compare(STR("same"), STR("same")), 0);
}

static void finds_ends(void **state)
{
	(void)state;
	assert_true(str_starts(STR("tandem"), STR("tan")));
	assert_false(str_starts(STR("ta"), STR("tan")));
	assert_true(str_starts(STR("x"), STR("")));
	assert_true(str_ends(STR("tandem"), STR("dem")));
	assert_false(str_ends(STR("tandem"), STR("tan")));
	assert_false(str_ends(STR("em"), STR("dem")));
}

static void trims_and_cuts(void **state)
{
	struct str rest = STR("a,,b");

	(void)state;
	assert_str(str_trim(STR(" \t\r\n x y \v\f")), "x y");
	assert_str(str_trim(STR("   ")), "");
	assert_str(str_cut(&rest, ','), "a");
	assert_str(str_cut(&rest, ','), "");
	assert_str(rest, "b");
	assert_str(str_cut(&rest, ','), "b");
	assert_int_equal(rest.n, 0);
	assert_str(str_cut(&rest, ','), "");
}

static void reads_numbers_strictly(void **state)
{
	static const char *const bad[] = { "",
					   "-",
					   "+1",
					   " 1",
					   "1 ",
					   "1a",
					   "0x1",
					   "1.0",
					   "--1",
					   "9223372036854775808",
					   "-9223372036854775809",
					   "99999999999999999999" };
	int64_t n = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(str_int64(str_of(bad[i]), INT64_MIN, INT64_MAX, &n));
	assert_false(str_int64(STR("11"), 0, 10, &n));
	assert_false(str_int64(STR("-1"), 0, 10, &n));
	assert_int_equal(n, 7);
	assert_true(str_int64(STR("9223372036854775807"), INT64_MIN, INT64_MAX, &n));
	assert_true(n == INT64_MAX);
	assert_true(str_int64(STR("-9223372036854775808"), INT64_MIN, INT64_MAX, &n));
	assert_true(n == INT64_MIN);
	assert_true(str_int64(STR("10"), 0, 10, &n));
	assert_int_equal(n, 10);
	assert_true(str_int64(STR("007"), 0, 10, &n));
	assert_int_equal(n, 7);
}

static void reads_seconds_as_milliseconds(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = { { "1.5", 1500 }, { "0", 0 },      { "300", 300000 },
		     { "0.05", 50 },  { "0.0019", 1 }, { "2.", 2000 } };
	static const char *const bad[] = { "", "-1", "1.x", "x", ".5", "1.-5", "99999999999" };
	int64_t ms = -1;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(str_decimal_ms(str_of(good[i].text), &ms));
		assert_int_equal(ms, good[i].ms);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(str_decimal_ms(str_of(bad[i]), &ms));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares),
		cmocka_unit_test(finds_ends),
		cmocka_unit_test(trims_and_cuts),
		cmocka_unit_test(reads_numbers_strictly),
		cmocka_unit_test(reads_seconds_as_milliseconds),
	};

	return RUN(tests);
}

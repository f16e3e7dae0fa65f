/* Refusals that protect a whole database (INV-NO-WIPE). */
#include "core/guard.h"

#include "tests/unit/unit.h"

static void deletes_beyond_the_limit_stop(void **state)
{
	struct err err = { .kind = ERR_NONE };

	(void)state;
	assert_int_equal(guard_deletes(0, 10, &err), ERR_NONE);
	assert_int_equal(guard_deletes(10, 10, &err), ERR_NONE);
	assert_int_equal(guard_deletes(1000000, 0, &err), ERR_NONE);
	assert_int_equal(err.kind, ERR_NONE);
	assert_int_equal(guard_deletes(11, 10, &err), ERR_BROKEN);
	assert_non_null(strstr(err.text, "11 deletions"));
	assert_non_null(strstr(err.text, "TANDEM_MAX_DELETES"));
	assert_non_null(strstr(err.text, "resume"));
}

static void another_organisation_stops(void **state)
{
	struct guid zero = { { 0 } }, one = { { 1 } }, two = { { 2 } };
	struct err err = { .kind = ERR_NONE };

	(void)state;
	assert_int_equal(guard_organisation(&zero, &one, &err), ERR_NONE);
	assert_int_equal(guard_organisation(&one, &one, &err), ERR_NONE);
	assert_int_equal(guard_organisation(&one, &two, &err), ERR_BROKEN);
	assert_non_null(strstr(err.text, "01000000-"));
	assert_non_null(strstr(err.text, "02000000-"));
	assert_int_equal(guard_organisation(&one, &zero, NULL), ERR_BROKEN);
}

static void an_empty_side_stops(void **state)
{
	struct err err = { .kind = ERR_NONE };

	(void)state;
	assert_int_equal(guard_empty(0, 0, "lead", &err), ERR_NONE);
	assert_int_equal(guard_empty(1, 500, "lead", &err), ERR_NONE);
	assert_int_equal(guard_empty(0, 500, "lead", &err), ERR_BROKEN);
	assert_non_null(strstr(err.text, "lead"));
	assert_non_null(strstr(err.text, "500"));
}

static void the_longest_texts_fit(void **state)
{
	struct guid one = { { 1 } }, two = { { 2 } };
	struct err err;

	(void)state;
	(void)guard_organisation(&one, &two, &err);
	assert_true(strlen(err.text) < sizeof(err.text) - 1);
	(void)guard_deletes(UINT64_MAX, UINT64_MAX - 1, &err);
	assert_true(strlen(err.text) < sizeof(err.text) - 1);
	(void)guard_empty(0, UINT64_MAX, "contact", &err);
	assert_true(strlen(err.text) < sizeof(err.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deletes_beyond_the_limit_stop),
		cmocka_unit_test(another_organisation_stops),
		cmocka_unit_test(an_empty_side_stops),
		cmocka_unit_test(the_longest_texts_fit),
	};

	return RUN(tests);
}

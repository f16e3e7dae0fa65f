/* Reading and printing GUIDs. */
#include "base/guid.h"

#include "tests/unit/unit.h"

static const char text[] = "5e8f1f3a-1111-4c2e-9a77-2d6f0b7f9c01";

static void reads_every_form(void **state)
{
	struct guid a, b, c;
	char print[GUID_TEXT];

	(void)state;
	assert_true(guid_parse(str_of(text), &a));
	assert_int_equal(a.byte[0], 0x5e);
	assert_int_equal(a.byte[15], 0x01);
	assert_true(guid_parse(STR("5E8F1F3A-1111-4C2E-9A77-2D6F0B7F9C01"), &b));
	assert_true(guid_parse(STR("{5e8f1f3a-1111-4c2e-9a77-2d6f0b7f9c01}"), &c));
	assert_true(guid_equal(&a, &b));
	assert_true(guid_equal(&a, &c));
	guid_print(&b, print);
	assert_string_equal(print, text);
}

static void refuses_the_rest(void **state)
{
	static const char *const bad[] = {
		"",
		"5e8f1f3a11114c2e9a772d6f0b7f9c01",
		"5e8f1f3a-1111-4c2e-9a77-2d6f0b7f9c0",
		"5e8f1f3a-1111-4c2e-9a77-2d6f0b7f9c0g",
		"5e8f1f3a-1111-4c2e-9a77-2d6f0b7f9c011",
		"5e8f1f3a01111-4c2e-9a77-2d6f0b7f9c01",
		"{5e8f1f3a-1111-4c2e-9a77-2d6f0b7f9c01",
		"(5e8f1f3a-1111-4c2e-9a77-2d6f0b7f9c01)",
	};
	struct guid g = { { 9 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(guid_parse(str_of(bad[i]), &g));
	assert_int_equal(g.byte[0], 9);
}

static void knows_zero_and_order(void **state)
{
	struct guid zero = { { 0 } }, one = { { [15] = 1 } }, big = { { 0xff } };

	(void)state;
	assert_true(guid_is_zero(&zero));
	assert_false(guid_is_zero(&one));
	assert_true(guid_compare(&zero, &one) < 0);
	assert_true(guid_compare(&big, &one) > 0);
	assert_int_equal(guid_compare(&big, &big), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_form),
		cmocka_unit_test(refuses_the_rest),
		cmocka_unit_test(knows_zero_and_order),
	};

	return RUN(tests);
}

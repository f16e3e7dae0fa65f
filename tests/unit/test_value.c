/* Canonical values. */
#include "core/value.h"

#include "tests/unit/unit.h"

static struct arena arena;

static int release(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static void text_is_made_canonical(void **state)
{
	static const struct {
		struct str raw;
		const char *text;
	} cases[] = {
		{ STR("plain"), "plain" },
		{ STR("  two words\t\n"), "two words" },
		{ STR("a\r\nb\rc\nd"), "a\nb\nc\nd" },
		{ STR("a\r"), "a" },
		{ STR("\xc2\xa0name\xe3\x80\x80"), "name" }, /* NBSP, ideographic space */
		{ STR("\xe2\x80\x83 \xc2\x85 x \xe2\x80\xa8"),
		  "x" },                          /* em space, NEL, line separator */
		{ STR("e\xcc\x81"), "\xc3\xa9" }, /* e + acute */
		{ STR("\xc3\xa9"), "\xc3\xa9" },
		{ STR("\xe2\x84\xab"), "\xc3\x85" }, /* Angstrom sign */
		{ STR("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"),
		  "\xed\x95\x9c" }, /* Hangul letters */
		{ STR("q\xcc\xa3\xcc\x87"), "q\xcc\xa3\xcc\x87" },
		{ STR("q\xcc\x87\xcc\xa3"), "q\xcc\xa3\xcc\x87" }, /* marks in their order */
		{ STR("\xef\xac\x81"), "\xef\xac\x81" }, /* a ligature is not taken apart */
		{ STR("a\xff"
		      "b"),
		  "a\xef\xbf\xbd"
		  "b" },
		{ STR("cut\xe2\x82"), "cut\xef\xbf\xbd\xef\xbf\xbd" },
		{ STR("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ STR("nul\0x"), "nul\xef\xbf\xbdx" },
		{ STR("\xf0\x9f\x98\x80!"), "\xf0\x9f\x98\x80!" },
		{ STR("\x80"), "\xef\xbf\xbd" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct value v = value_text(&arena, cases[i].raw), again;

		assert_int_equal(v.kind, VALUE_TEXT);
		assert_str(v.text, cases[i].text);
		again = value_text(&arena, v.text);
		assert_true(value_equal(&v, &again));
	}
}

static void text_of_white_space_is_empty(void **state)
{
	static const char *const blanks[] = { "", " ", "\r\n", "\xc2\xa0",
					      " \xe2\x80\x8a\t\xe1\x9a\x80" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(blanks); i++)
		assert_int_equal(value_text(&arena, str_of(blanks[i])).kind, VALUE_EMPTY);
	assert_int_equal(value_text(&arena, (struct str){ NULL, 0 }).kind, VALUE_EMPTY);
}

static void long_text_is_composed_too(void **state)
{
	char raw[3 * 2000], composed[2 * 2000];
	struct value v;

	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		memcpy(raw + 3 * i, "e\xcc\x81", 3);
		memcpy(composed + 2 * i, "\xc3\xa9", 2);
	}
	v = value_text(&arena, (struct str){ raw, sizeof(raw) });
	assert_int_equal(v.text.n, sizeof(composed));
	assert_memory_equal(v.text.p, composed, sizeof(composed));
}

static void text_made_of_any_bytes_is_stable(void **state)
{
	static const char *const parts[] = { "a",
					     " ",
					     "\r",
					     "\n",
					     "\xcc\x81",
					     "\xc3",
					     "\xa9",
					     "\xe2\x80\x83",
					     "\xf0\x9f",
					     "\xe1\x85\xa1",
					     "\xe1\x84\x92",
					     "\xff",
					     "e" };
	uint64_t seed = 7;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char raw[64];
		size_t n = 0;
		struct value v, again;

		for (uint64_t count = unit_random(&seed) % 12; count; count--) {
			const char *part = parts[unit_random(&seed) % ARRAY_LEN(parts)];

			memcpy(raw + n, part, strlen(part));
			n += strlen(part);
		}
		v = value_text(&arena, (struct str){ raw, n });
		if (v.kind == VALUE_EMPTY)
			continue;
		again = value_text(&arena, v.text);
		assert_true(value_equal(&v, &again));
		assert_null(memchr(v.text.p, '\r', v.text.n));
	}
}

static void decimals_are_text_arithmetic(void **state)
{
	static const struct {
		const char *raw;
		int scale;
		const char *text;
	} cases[] = {
		{ "0", -1, "0" },
		{ "-0", -1, "0" },
		{ "-0.000", -1, "0" },
		{ "125000.0000", -1, "125000" },
		{ "007.50", -1, "7.5" },
		{ "-12.50", -1, "-12.5" },
		{ "1e3", -1, "1000" },
		{ "1E+3", -1, "1000" },
		{ "12.5e-3", -1, "0.0125" },
		{ "0.00", 2, "0" },
		{ "2.345", 2, "2.35" },
		{ "-2.345", 2, "-2.35" },
		{ "2.344999", 2, "2.34" },
		{ "9.999", 2, "10" },
		{ "0.05", 1, "0.1" },
		{ "0.04", 1, "0" },
		{ "-0.04", 1, "0" },
		{ "0.5", 0, "1" },
		{ "0.49", 0, "0" },
		{ "99.5", 0, "100" },
		{ "0.005", 1, "0" },
		{ "1200", 0, "1200" },
		{ "1.2e2", 0, "120" },
		{ " 7 ", -1, "7" },
		{ "0.1000000000000000055511151231257827", 10, "0.1" },
		{ "12345678901234567890.123456789", 9, "12345678901234567890.123456789" },
		{ "0.999", 0, "1" },
		{ "5e-1", 0, "1" },
		{ "5e-2", 0, "0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct value v;

		assert_int_equal(value_decimal(&arena, str_of(cases[i].raw), cases[i].scale, &v,
					       NULL),
				 ERR_NONE);
		assert_int_equal(v.kind, VALUE_DECIMAL);
		assert_str(v.text, cases[i].text);
	}
}

static void what_is_no_number_is_refused(void **state)
{
	static const char *const bad[] = { "",     "-",       "abc",   "1.",    ".5",
					   "1..2", "1e",      "1e+",   "1e+-2", "1e1.5",
					   "0x10", "1,5",     "1 000", "NaN",   "--1",
					   "+1",   "1e10000", "1e999", "1e-999" };
	struct value v = { .kind = VALUE_DATE };
	struct err err = { .kind = ERR_NONE };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(value_decimal(&arena, str_of(bad[i]), -1, &v, &err), ERR_REFUSED);
	assert_int_equal(v.kind, VALUE_DATE);
	assert_int_equal(value_decimal(&arena, STR("12secret"), -1, &v, &err), ERR_REFUSED);
	assert_null(strstr(err.text, "secret")); /* INV-PRIVATE */
}

static void text_is_read_into_kinds_and_printed_back(void **state)
{
	static const struct {
		enum value_kind kind;
		const char *raw, *print; /* print NULL: refused */
	} cases[] = {
		{ VALUE_BOOLEAN, "True", "true" },
		{ VALUE_BOOLEAN, "0", "false" },
		{ VALUE_BOOLEAN, "", "false" },
		{ VALUE_BOOLEAN, "YES", "true" },
		{ VALUE_BOOLEAN, "maybe", NULL },
		{ VALUE_INTEGER, "42", "42" },
		{ VALUE_INTEGER, "-7.0", "-7" },
		{ VALUE_INTEGER, "1e2", "100" },
		{ VALUE_INTEGER, "2.5", NULL },
		{ VALUE_INTEGER, "9223372036854775808", NULL },
		{ VALUE_INTEGER, " ", "" },
		{ VALUE_DECIMAL, "1.25", "1.3" },
		{ VALUE_DATE, "2026-08-30", "2026-08-30" },
		{ VALUE_DATE, "2026-02-30", NULL },
		{ VALUE_DATE, "30.08.2026", NULL },
		{ VALUE_TIME, "2026-08-30T16:05:09+02:00", "2026-08-30T14:05:09Z" },
		{ VALUE_TIME, "2026-08-30", NULL },
		{ VALUE_TEXT, " a\r\nb ", "a\nb" },
		{ VALUE_TEXT, "\xc2\xa0", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct value v = { .kind = VALUE_UNSEEN }, again;
		enum err_kind kind =
			value_parse(&arena, cases[i].kind, str_of(cases[i].raw), 1, &v, NULL);

		assert_int_equal(kind, cases[i].print ? ERR_NONE : ERR_REFUSED);
		if (kind)
			continue;
		assert_str(value_print(&arena, &v), cases[i].print);
		assert_int_equal(value_parse(&arena, cases[i].kind, value_print(&arena, &v), 1,
					     &again, NULL),
				 ERR_NONE);
		assert_true(value_equal(&v, &again));
	}
}

static void equality_and_blankness(void **state)
{
	struct value unseen = { .kind = VALUE_UNSEEN }, empty = { .kind = VALUE_EMPTY };
	struct value no = value_boolean(false), yes = value_boolean(true), zero = value_integer(0);
	struct value day = value_date(0), second = value_time(0);

	(void)state;
	assert_false(value_equal(&unseen, &unseen));
	assert_true(value_equal(&empty, &empty));
	assert_false(value_equal(&empty, &no));
	assert_false(value_equal(&yes, &no));
	assert_false(value_equal(&day, &second));
	assert_true(value_equal(&zero, &zero));
	assert_true(value_is_blank(&empty) && value_is_blank(&no));
	assert_false(value_is_blank(&yes) || value_is_blank(&zero) || value_is_blank(&unseen));
}

static void lengths_by_unit(void **state)
{
	struct str text = STR("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");

	(void)state;
	assert_int_equal(value_character_count(text), 4);
	assert_int_equal(value_utf16_length(text), 5);
	assert_int_equal(value_utf16_length(STR("")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(text_is_made_canonical, release),
		cmocka_unit_test_teardown(text_of_white_space_is_empty, release),
		cmocka_unit_test_teardown(long_text_is_composed_too, release),
		cmocka_unit_test_teardown(text_made_of_any_bytes_is_stable, release),
		cmocka_unit_test_teardown(decimals_are_text_arithmetic, release),
		cmocka_unit_test_teardown(what_is_no_number_is_refused, release),
		cmocka_unit_test_teardown(text_is_read_into_kinds_and_printed_back, release),
		cmocka_unit_test(equality_and_blankness),
		cmocka_unit_test(lengths_by_unit),
	};

	return RUN(tests);
}

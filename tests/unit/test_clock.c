/* Dates and times as numbers. */
#include "base/clock.h"

#include <time.h>

#include "tests/unit/unit.h"

static void reads_every_form_the_remotes_write(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-08-30T14:05:09Z", 1788098709 },
		{ "2026-08-30T14:05:09.123456Z", 1788098709 },
		{ "2026-08-30T06:05:09-08:00", 1788098709 },
		{ "2026-08-30T19:35:09+05:30", 1788098709 },
		{ "2026-08-30T14:05:09+0000", 1788098709 },
		{ "2026-08-30T14:05:09Z+0000", 1788098709 },
		{ "2026-08-30 14:05:09", 1788098709 },
		{ "2026-08-30T14:05:09", 1788098709 },
		{ "1969-12-31T23:59:59Z", -1 },
		{ "1753-01-01T00:00:00Z", -6847804800 },
	};
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(clock_parse(str_of(cases[i].text), &seconds));
		assert_int_equal(seconds, cases[i].seconds);
	}
}

static void refuses_what_is_no_time(void **state)
{
	static const char *const bad[] = {
		"",
		"2026-08-30",
		"2026-08-30T",
		"2026-8-30T14:05:09Z",
		"2026-08-30T24:00:00Z",
		"2026-08-30T14:60:09Z",
		"2026-13-30T14:05:09Z",
		"2026-02-29T14:05:09Z",
		"1900-02-29T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"2026-08-00T00:00:00Z",
		"2026-08-30T14:05:09Q",
		"2026-08-30T14:05:09Zx",
		"2026-08-30T14:05:09+5:30",
		"2026-08-30T14:05:09+15:00",
		"2026-08-30t14:05:09Z",
		"-026-08-30T14:05:09Z",
	};
	int64_t seconds = 42;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(clock_parse(str_of(bad[i]), &seconds));
	assert_false(clock_parse_date(STR("2026-08-30T00:00:00Z"), &seconds));
	assert_false(clock_parse_date(STR("2025-02-29"), &seconds));
	assert_int_equal(seconds, 42);
}

static void agrees_with_the_library_on_every_day(void **state)
{
	(void)state;
	for (int64_t days = -80000; days < 80000; days++) {
		time_t t = (time_t)(days * 86400);
		char text[CLOCK_TEXT], expected[CLOCK_TEXT];
		int64_t back;
		struct tm tm;

		clock_print_date(days, text);
		assert_non_null(gmtime_r(&t, &tm));
		assert_true(strftime(expected, sizeof(expected), "%Y-%m-%d", &tm) > 0);
		assert_string_equal(text, expected);
		assert_true(clock_parse_date(str_of(text), &back));
		assert_int_equal(back, days);
	}
}

static void prints(void **state)
{
	char text[CLOCK_TEXT];

	(void)state;
	clock_print(1788098709, text);
	assert_string_equal(text, "2026-08-30T14:05:09Z");
	clock_print(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59Z");
	clock_print_ms(1788098709007, text);
	assert_string_equal(text, "2026-08-30T14:05:09.007Z");
	clock_print_ms(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999Z");
}

static void clocks_run(void **state)
{
	int64_t before = clock_mono_ns();

	(void)state;
	assert_true(clock_wall_ms() > 1700000000000);
	assert_true(clock_mono_ns() >= before);
	assert_true(clock_mono_ms() >= before / 1000000);
	assert_true(clock_cpu_ms() >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_form_the_remotes_write),
		cmocka_unit_test(refuses_what_is_no_time),
		cmocka_unit_test(agrees_with_the_library_on_every_day),
		cmocka_unit_test(prints),
		cmocka_unit_test(clocks_run),
	};

	return RUN(tests);
}

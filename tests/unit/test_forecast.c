/* The day of Marketo's quota, and when today's calls will be used up. */
#include "core/forecast.h"

#include "base/clock.h"
#include "tests/unit/unit.h"

static int64_t s(const char *text)
{
	int64_t seconds = 0;

	if (!clock_parse(str_of(text), &seconds))
		fail_msg("%s", text);
	return seconds;
}

/* Midnight in Chicago is 06:00 UTC by standard and 05:00 by daylight time; the later one counts on
 * every day, those of the two switches (8 March and 1 November 2026) included. */
static void a_day_ends_at_midnight_central(void **state)
{
	static const struct {
		const char *now, *end, *reset;
	} rows[] = {
		{ "2026-11-22T16:35:00Z", "2026-11-23T06:00:00Z", "2026-11-23T06:00:00Z" },
		{ "2026-07-01T12:00:00Z", "2026-07-02T06:00:00Z", "2026-07-02T06:00:00Z" },
		{ "2026-03-07T23:00:00Z", "2026-03-08T06:00:00Z", "2026-03-08T06:00:00Z" },
		{ "2026-03-08T05:59:59Z", "2026-03-08T06:00:00Z", "2026-03-08T06:00:00Z" },
		{ "2026-03-08T08:00:00Z", "2026-03-09T06:00:00Z", "2026-03-09T06:00:00Z" },
		{ "2026-03-09T05:00:00Z", "2026-03-09T06:00:00Z", "2026-03-09T06:00:00Z" },
		{ "2026-10-31T05:30:00Z", "2026-10-31T06:00:00Z", "2026-10-31T06:00:00Z" },
		{ "2026-11-01T05:30:00Z", "2026-11-01T06:00:00Z", "2026-11-01T06:00:00Z" },
		{ "2026-11-01T07:00:00Z", "2026-11-02T06:00:00Z", "2026-11-02T06:00:00Z" },
		{ "2026-11-02T05:59:59Z", "2026-11-02T06:00:00Z", "2026-11-02T06:00:00Z" },
		/* just after midnight: the other clock is late, the day is not over for it */
		{ "2026-11-02T06:00:00Z", "2026-11-03T06:00:00Z", "2026-11-02T06:15:00Z" },
		{ "2026-11-02T06:14:59Z", "2026-11-03T06:00:00Z", "2026-11-02T06:15:00Z" },
		{ "2026-11-02T06:15:00Z", "2026-11-03T06:00:00Z", "2026-11-03T06:00:00Z" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (forecast_day_end(s(rows[i].now)) != s(rows[i].end) ||
		    forecast_reset(s(rows[i].now)) != s(rows[i].reset))
			fail_msg("%s", rows[i].now);
		assert_true(forecast_reset(s(rows[i].now)) > s(rows[i].now));
	}
}

/* The number of a day is that of its date, which is how Marketo names it. */
static void days_are_numbered_by_their_date(void **state)
{
	int64_t day = 0;

	(void)state;
	assert_true(clock_parse_date(STR("2026-11-22"), &day));
	assert_int_equal(forecast_day(s("2026-11-22T06:00:00Z")), day);
	assert_int_equal(forecast_day(s("2026-11-23T05:59:59Z")), day);
	assert_int_equal(forecast_day(s("2026-11-23T06:00:00Z")), day + 1);
	assert_int_equal(forecast_day(0), -1);
}

static void the_pace_is_that_of_the_last_hour(void **state)
{
	const int64_t minute = 60000;
	struct pace p = { .minute = 0 };

	(void)state;
	assert_int_equal(pace_hour(&p, 5 * minute), 0);
	for (int i = 0; i < 30; i++)
		pace_note(&p, 5 * minute + i);
	assert_int_equal(pace_hour(&p, 5 * minute + 100), 30 * 60); /* known for a minute */
	assert_int_equal(pace_hour(&p, 14 * minute), 30 * 6);
	assert_int_equal(pace_hour(&p, 64 * minute), 30);
	assert_int_equal(pace_hour(&p, 65 * minute), 0);
	pace_note(&p, 64 * minute);
	pace_note(&p, 70 * minute);
	assert_int_equal(pace_hour(&p, 70 * minute), 2);
	pace_note(&p, 1000 * minute);
	assert_int_equal(pace_hour(&p, 1000 * minute), 1);
}

static void used_up_at_this_pace(void **state)
{
	static const struct {
		uint64_t used, limit, hour;
		const char *now, *spent; /* NULL: not today */
	} rows[] = {
		{ 100, 1100, 1000, "2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z" },
		{ 100, 1100, 1000, "2026-11-23T04:59:59Z", "2026-11-23T05:59:59Z" },
		{ 100, 1100, 1000, "2026-11-23T05:00:00Z", NULL }, /* the day ends first */
		{ 0, 1, 7200, "2026-11-22T10:00:00Z", "2026-11-22T10:00:01Z" },
		{ 100, 1100, 0, "2026-11-22T10:00:00Z", NULL },
		{ 100, 0, 1000, "2026-11-22T10:00:00Z", NULL }, /* no limit */
		{ 1100, 1100, 0, "2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z" },
		{ 0, 100000000, 1, "2026-11-22T10:00:00Z", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t now = s(rows[i].now);
		struct forecast f = { .used = rows[i].used,
				      .limit = rows[i].limit,
				      .day_began_s = forecast_day_end(now) - 86400,
				      .now_s = now,
				      .hour_calls = rows[i].hour };

		if (forecast_spent(&f) != (rows[i].spent ? s(rows[i].spent) : 0))
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day_ends_at_midnight_central),
		cmocka_unit_test(days_are_numbered_by_their_date),
		cmocka_unit_test(the_pace_is_that_of_the_last_hour),
		cmocka_unit_test(used_up_at_this_pace),
	};

	return RUN(tests);
}

/* Pacing of long rounds: core/round.h. */
#include "core/round.h"

#include "tests/unit/unit.h"

enum { DAY_S = 86400 };
#define DAY_MS (DAY_S * INT64_C(1000))

static int64_t since[512];

static void all_since(int64_t at_s)
{
	for (size_t i = 0; i < ARRAY_LEN(since); i++)
		since[i] = at_s;
}

static void a_sweep_takes_a_quarter_more_than_an_even_share(void **state)
{
	(void)state;
	all_since(1000 * DAY_S);
	assert_int_equal(round_parts(since, 512, 1001 * DAY_S, 30 * DAY_MS, DAY_MS), 22);
	assert_int_equal(round_parts(since, 512, 1001 * DAY_S, 3650 * DAY_MS, DAY_MS), 1);
}

static void what_would_be_late_is_taken_along(void **state)
{
	(void)state;
	all_since(1000 * DAY_S);
	for (size_t i = 0; i < 100; i++)
		since[i] = 970 * DAY_S;
	assert_int_equal(round_parts(since, 512, 1001 * DAY_S, 30 * DAY_MS, DAY_MS), 100);
	all_since(0);
	assert_int_equal(round_parts(since, 512, 1001 * DAY_S, 30 * DAY_MS, DAY_MS), 512);
}

static void a_period_of_a_sweep_is_everything(void **state)
{
	(void)state;
	all_since(1000 * DAY_S);
	assert_int_equal(round_parts(since, 512, 1000 * DAY_S, DAY_MS, DAY_MS), 512);
	assert_int_equal(round_parts(since, 3, 1000 * DAY_S, 1000, 100 * DAY_MS), 3);
	assert_int_equal(round_parts(since, 0, 1000 * DAY_S, 1000, DAY_MS), 0);
}

/* Sweep by sweep over a year: no part is ever older than the period. */
static void every_part_is_in_time(void **state)
{
	(void)state;
	all_since(0);
	for (int64_t now_s = DAY_S; now_s < 400 * DAY_S; now_s += DAY_S) {
		size_t n = round_parts(since, 512, now_s, 30 * DAY_MS, DAY_MS);

		assert_true(n <= 512);
		assert_true(now_s - since[0] <= 30 * DAY_S);
		memmove(since, since + n, (512 - n) * sizeof(*since));
		for (size_t i = 512 - n; i < 512; i++)
			since[i] = now_s;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sweep_takes_a_quarter_more_than_an_even_share),
		cmocka_unit_test(what_would_be_late_is_taken_along),
		cmocka_unit_test(a_period_of_a_sweep_is_everything),
		cmocka_unit_test(every_part_is_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

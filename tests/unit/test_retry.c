/* Pauses before repeats. */
#include "core/retry.h"

#include "tests/unit/unit.h"

static void grows_within_its_bounds(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (unsigned attempt = 1; attempt < 200; attempt++) {
		int64_t ceiling = attempt > 9 ? 60000 : 200LL << (attempt - 1);

		if (ceiling > 60000)
			ceiling = 60000;
		for (int i = 0; i < 50; i++) {
			int64_t delay = retry_delay_ms(attempt, 200, 60000, -1,
						       (uint32_t)unit_random(&seed));

			assert_true(delay >= ceiling / 2);
			assert_true(delay <= ceiling);
		}
	}
}

static void chance_reaches_both_ends(void **state)
{
	(void)state;
	assert_int_equal(retry_delay_ms(1, 1000, 60000, -1, 0), 500);
	assert_int_equal(retry_delay_ms(1, 1000, 60000, -1, 500), 1000);
	assert_int_equal(retry_delay_ms(2, 1000, 60000, -1, 0), 1000);
	assert_int_equal(retry_delay_ms(0, 1000, 60000, -1, 0), 500);
}

static void a_longer_hint_wins(void **state)
{
	(void)state;
	assert_int_equal(retry_delay_ms(1, 1000, 60000, 90000, 0), 90000);
	assert_int_equal(retry_delay_ms(1, 1000, 60000, 100, 0), 500);
	assert_int_equal(retry_delay_ms(1, 1000, 60000, 0, 0), 500);
}

static void odd_bounds_do_no_harm(void **state)
{
	(void)state;
	assert_int_equal(retry_delay_ms(3, 0, 0, -1, UINT32_MAX), 1);
	assert_true(retry_delay_ms(UINT32_MAX, 1, INT64_MAX, -1, UINT32_MAX) > 0);
	assert_int_equal(retry_delay_ms(1, 5000, 100, -1, 0), 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_within_its_bounds),
		cmocka_unit_test(chance_reaches_both_ends),
		cmocka_unit_test(a_longer_hint_wins),
		cmocka_unit_test(odd_bounds_do_no_harm),
	};

	return RUN(tests);
}

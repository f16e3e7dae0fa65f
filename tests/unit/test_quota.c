/* The budget of calls (INV-BUDGET). */
#include "core/quota.h"

#include "tests/unit/unit.h"

static struct quota make(uint32_t window, uint32_t concurrent, uint32_t day, uint32_t percent)
{
	struct quota q;

	quota_init(&q, &(struct quota_limits){ .window_calls = window,
					       .window_ms = 20000,
					       .concurrent = concurrent,
					       .day_calls = day,
					       .realtime_percent = percent });
	return q;
}

static bool take(struct quota *q, enum lane lane, int64_t now, int64_t *wait)
{
	if (!quota_take(q, lane, now, 0, wait))
		return false;
	quota_done(q);
	return true;
}

static void the_window_slides(void **state)
{
	struct quota q = make(3, 0, 0, 0);
	int64_t wait = -1;

	(void)state;
	assert_true(take(&q, LANE_CHANGES, 0, &wait));
	assert_true(take(&q, LANE_CHANGES, 5000, &wait));
	assert_true(take(&q, LANE_CHANGES, 6000, &wait));
	assert_int_equal(wait, -1);
	assert_false(take(&q, LANE_CHANGES, 6001, &wait));
	assert_int_equal(wait, 13999);
	assert_false(take(&q, LANE_CHANGES, 19999, &wait));
	assert_true(take(&q, LANE_CHANGES, 20000, &wait));
	assert_false(take(&q, LANE_CHANGES, 20000, &wait));
	assert_int_equal(wait, 5000);
	quota_release(&q);
}

/* Whatever is asked when, no window holds more than allowed, no lane more than its share. */
static void no_window_is_ever_exceeded(void **state)
{
	struct quota q = make(50, 0, 0, 20);
	int64_t starts[4000], now = 0, wait;
	size_t count = 0;
	uint64_t seed = 3;

	(void)state;
	while (count < ARRAY_LEN(starts)) {
		enum lane lane = (enum lane)(unit_random(&seed) % LANE_COUNT);
		size_t inside = 0;

		now += (int64_t)(unit_random(&seed) % 500);
		for (size_t i = count; i && starts[i - 1] > now - 20000; i--)
			inside++;
		assert_int_equal(take(&q, lane, now, &wait),
				 inside < (lane == LANE_REALTIME ? 50u : 40u));
		if (q.total > count)
			starts[count++] = now;
	}
	quota_release(&q);
}

static void a_share_is_kept_for_realtime(void **state)
{
	struct quota q = make(10, 0, 0, 30);
	int64_t wait;

	(void)state;
	for (int i = 0; i < 7; i++)
		assert_true(take(&q, LANE_BACKFILL, 0, &wait));
	assert_false(take(&q, LANE_BACKFILL, 0, &wait));
	assert_false(take(&q, LANE_CHANGES, 0, &wait));
	for (int i = 0; i < 3; i++)
		assert_true(take(&q, LANE_REALTIME, 0, &wait));
	assert_false(take(&q, LANE_REALTIME, 0, &wait));
	quota_release(&q);
	q = make(0, 1, 0, 100);
	assert_true(quota_take(&q, LANE_CHANGES, 0, 0,
			       &wait)); /* at least one, or nothing would ever move */
	assert_false(quota_take(&q, LANE_CHANGES, 0, 0, &wait));
	quota_release(&q);
}

static void concurrency_is_given_back(void **state)
{
	struct quota q = make(0, 2, 0, 50);
	int64_t wait = 0;

	(void)state;
	assert_true(quota_take(&q, LANE_CHANGES, 0, 0, &wait));
	assert_false(quota_take(&q, LANE_CHANGES, 0, 0, &wait));
	assert_true(wait > 0);
	assert_true(quota_take(&q, LANE_REALTIME, 0, 0, &wait));
	assert_false(quota_take(&q, LANE_REALTIME, 0, 0, &wait));
	quota_done(&q);
	assert_true(quota_take(&q, LANE_REALTIME, 0, 0, &wait));
	quota_done(&q);
	quota_done(&q);
	quota_done(&q); /* one too many is forgiven */
	assert_int_equal(q.in_flight, 0);
	quota_release(&q);
}

static void the_day_ends(void **state)
{
	struct quota q = make(0, 0, 4, 50);
	int64_t wait = 0;

	(void)state;
	assert_true(quota_take(&q, LANE_BACKFILL, 0, 100, &wait));
	assert_true(quota_take(&q, LANE_BACKFILL, 0, 100, &wait));
	assert_false(quota_take(&q, LANE_BACKFILL, 0, 100, &wait));
	assert_true(wait > 0);
	assert_true(quota_take(&q, LANE_REALTIME, 0, 100, &wait));
	assert_true(quota_take(&q, LANE_REALTIME, 0, 100, &wait));
	assert_false(quota_take(&q, LANE_REALTIME, 0, 100, &wait));
	assert_true(quota_take(&q, LANE_BACKFILL, 0, 101, &wait));
	assert_int_equal(q.day_used, 1);
	quota_release(&q);
}

static void a_closed_side_waits(void **state)
{
	struct quota q = make(0, 0, 0, 0);
	int64_t wait = 0;

	(void)state;
	quota_close(&q, 9000);
	quota_close(&q, 5000); /* the later one counts */
	assert_false(take(&q, LANE_REALTIME, 1000, &wait));
	assert_int_equal(wait, 8000);
	assert_true(take(&q, LANE_REALTIME, 9000, &wait));
	quota_release(&q);
}

static void a_refused_call_costs_nothing(void **state)
{
	struct quota q = make(2, 0, 2, 0);
	int64_t wait;

	(void)state;
	assert_true(take(&q, LANE_CHANGES, 0, &wait));
	assert_true(take(&q, LANE_CHANGES, 0, &wait));
	for (int i = 0; i < 10; i++)
		assert_false(take(&q, LANE_CHANGES, 1, &wait));
	assert_int_equal(q.total, 2);
	assert_int_equal(q.day_used, 2);
	assert_int_equal(q.in_flight, 0);
	quota_release(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_window_slides),
		cmocka_unit_test(no_window_is_ever_exceeded),
		cmocka_unit_test(a_share_is_kept_for_realtime),
		cmocka_unit_test(concurrency_is_given_back),
		cmocka_unit_test(the_day_ends),
		cmocka_unit_test(a_closed_side_waits),
		cmocka_unit_test(a_refused_call_costs_nothing),
	};

	return RUN(tests);
}

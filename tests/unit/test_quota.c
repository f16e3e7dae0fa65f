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

/* Midnight US Central of day 20000, and a while after it. */
static struct quota_now at(int64_t mono_ms)
{
	const int64_t wall_s = (int64_t)20000 * 86400 + 7 * 3600;

	return (struct quota_now){ .mono_ms = mono_ms, .wall_ms = wall_s * 1000 + mono_ms };
}

static struct quota_now on(int64_t day)
{
	return (struct quota_now){ .wall_ms = (day * 86400 + 7 * 3600) * 1000 };
}

static enum quota_hold hold(struct quota *q, enum lane lane, struct quota_now now, int64_t *wait)
{
	return quota_take(q, lane, &now, wait);
}

static bool take(struct quota *q, enum lane lane, int64_t now, int64_t *wait)
{
	if (hold(q, lane, at(now), wait) != HOLD_NONE)
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
	assert_int_equal(hold(&q, LANE_CHANGES, at(6001), &wait), HOLD_WINDOW);
	assert_int_equal(wait, 13999);
	assert_false(take(&q, LANE_CHANGES, 19999, &wait));
	assert_int_equal(wait, 1);
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
	q = make(0, 1, 0, 100); /* at least one, or nothing would ever move */
	assert_int_equal(hold(&q, LANE_CHANGES, at(0), &wait), HOLD_NONE);
	assert_int_equal(hold(&q, LANE_CHANGES, at(0), &wait), HOLD_BUSY);
	quota_release(&q);
}

/* However much cycles and back-fills want, what is kept is there for real-time calls at any moment:
 * in the window, among the calls at once, and of the day. */
static void cycles_never_take_what_is_kept(void **state)
{
	static const struct {
		uint32_t window, concurrent, day, kept;
	} rows[] = { { 50, 0, 0, 10 }, { 0, 10, 0, 2 }, { 0, 0, 400, 80 }, { 50, 10, 400, 2 } };
	uint64_t seed = 11;
	int64_t wait;

	(void)state;
	for (size_t i = 0; i < 100 * ARRAY_LEN(rows); i++) {
		size_t r = i % ARRAY_LEN(rows);
		struct quota q = make(rows[r].window, rows[r].concurrent, rows[r].day, 20);
		int64_t now = 0;

		for (int n = 0; n < 1000; n++) {
			enum lane lane = unit_random(&seed) % 2 ? LANE_CHANGES : LANE_BACKFILL;

			now += (int64_t)(unit_random(&seed) % 60);
			if (hold(&q, lane, at(now), &wait) == HOLD_NONE && !rows[r].concurrent)
				quota_done(&q);
		}
		for (int n = 0; n < 50; n++)
			(void)hold(&q, LANE_BACKFILL, at(now), &wait);
		for (uint32_t n = 0; n < rows[r].kept; n++)
			assert_int_equal(hold(&q, LANE_REALTIME, at(now), &wait), HOLD_NONE);
		assert_true(hold(&q, LANE_REALTIME, at(now), &wait) != HOLD_NONE);
		quota_release(&q);
	}
}

static void concurrency_is_given_back(void **state)
{
	struct quota q = make(0, 2, 0, 50);
	int64_t wait = 0;

	(void)state;
	assert_int_equal(hold(&q, LANE_CHANGES, at(0), &wait), HOLD_NONE);
	assert_int_equal(hold(&q, LANE_CHANGES, at(0), &wait), HOLD_BUSY);
	assert_true(wait == INT64_MAX); /* the end of a call is told, not waited for */
	assert_int_equal(hold(&q, LANE_REALTIME, at(0), &wait), HOLD_NONE);
	assert_int_equal(hold(&q, LANE_REALTIME, at(0), &wait), HOLD_BUSY);
	quota_done(&q);
	assert_int_equal(hold(&q, LANE_REALTIME, at(0), &wait), HOLD_NONE);
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
	assert_int_equal(hold(&q, LANE_BACKFILL, on(100), &wait), HOLD_NONE);
	assert_int_equal(hold(&q, LANE_BACKFILL, on(100), &wait), HOLD_NONE);
	assert_int_equal(hold(&q, LANE_BACKFILL, on(100), &wait), HOLD_DAY);
	assert_int_equal(hold(&q, LANE_REALTIME, on(100), &wait), HOLD_NONE);
	assert_int_equal(hold(&q, LANE_REALTIME, on(100), &wait), HOLD_NONE);
	assert_int_equal(hold(&q, LANE_REALTIME, on(100), &wait), HOLD_DAY);
	assert_int_equal(hold(&q, LANE_BACKFILL, on(101), &wait), HOLD_NONE);
	assert_int_equal(q.day_used, 1);
	quota_release(&q);
}

static void a_closed_side_waits(void **state)
{
	struct quota q = make(0, 0, 0, 0);
	const struct quota_now now = at(1000);
	struct budget b;
	int64_t wait = 0;

	(void)state;
	quota_close(&q, 9000);
	quota_close(&q, 5000); /* the later one counts */
	assert_int_equal(hold(&q, LANE_REALTIME, now, &wait), HOLD_TOLD);
	assert_int_equal(wait, 8000);
	quota_look(&q, &now, &b);
	assert_int_equal(b.hold, HOLD_TOLD);
	assert_int_equal(b.held_until_ms, now.wall_ms + 8000);
	assert_true(take(&q, LANE_REALTIME, 9000, &wait));
	quota_release(&q);
}

/* Its quota is used up: nobody goes, until the wall clock says so, or an operator. */
static void a_shut_side_stays_shut(void **state)
{
	struct quota q = make(0, 0, 0, 0);
	struct quota_now now = at(0);
	struct budget b;
	int64_t wait = 0;

	(void)state;
	quota_shut(&q, now.wall_ms + 5000);
	assert_true(quota_is_shut(&q, &now));
	for (int lane = 0; lane < LANE_COUNT; lane++)
		assert_int_equal(hold(&q, (enum lane)lane, at(4999), &wait), HOLD_SHUT);
	quota_look(&q, &now, &b);
	assert_int_equal(b.hold, HOLD_SHUT);
	assert_true(b.is_realtime_held);
	assert_int_equal(b.held_until_ms, now.wall_ms + 5000);
	assert_int_equal(hold(&q, LANE_BACKFILL, at(5000), &wait), HOLD_NONE);
	quota_shut(&q, now.wall_ms + 9000);
	assert_int_equal(hold(&q, LANE_BACKFILL, at(5001), &wait), HOLD_SHUT);
	quota_reopen(&q);
	assert_int_equal(hold(&q, LANE_BACKFILL, at(5001), &wait), HOLD_NONE);
	assert_int_equal(q.total, 2);
	quota_release(&q);
}

/* What all programs together have called stops cycles, never real-time calls. */
static void everybodys_calls_stop_cycles(void **state)
{
	struct quota q;
	const struct quota_now now = on(100), later = on(101);
	struct budget b;
	int64_t wait;

	(void)state;
	quota_init(&q, &(struct quota_limits){ .shared_stop = 1000, .day_calls = 500 });
	assert_int_equal(hold(&q, LANE_CHANGES, now, &wait), HOLD_NONE);
	quota_look(&q, &now, &b);
	assert_false(b.has_shared);
	quota_note_usage(&q, &now, 99, 5000, 400); /* of yesterday: says nothing */
	quota_look(&q, &now, &b);
	assert_false(b.has_shared);
	assert_int_equal(b.day_used, 1);
	quota_note_usage(&q, &now, 100, 998, 40); /* an earlier life made 39 of them */
	quota_look(&q, &now, &b);
	assert_true(b.has_shared);
	assert_int_equal(b.shared_used, 998);
	assert_int_equal(b.day_used, 40);
	quota_note_usage(&q, &now, 100, 998, 0); /* our row is missing: ours are not forgotten */
	assert_int_equal(hold(&q, LANE_REALTIME, now, &wait), HOLD_NONE);
	assert_int_equal(q.day_used, 41);
	assert_int_equal(hold(&q, LANE_CHANGES, now, &wait), HOLD_NONE);
	assert_int_equal(hold(&q, LANE_CHANGES, now, &wait), HOLD_SHARED);
	assert_int_equal(hold(&q, LANE_BACKFILL, now, &wait), HOLD_SHARED);
	assert_int_equal(hold(&q, LANE_REALTIME, now, &wait), HOLD_NONE);
	quota_look(&q, &now, &b);
	assert_int_equal(b.hold, HOLD_SHARED);
	assert_false(b.is_realtime_held);
	assert_int_equal(b.held_until_ms, forecast_day_end(now.wall_ms / 1000) * 1000);
	assert_int_equal(hold(&q, LANE_CHANGES, later, &wait), HOLD_NONE);
	quota_look(&q, &later, &b);
	assert_false(b.has_shared);
	assert_int_equal(b.day_used, 1);
	quota_release(&q);
}

/* A remote whose window counts arrivals: calls that are up to guard_ms on their way, sent as soon
 * as they may be, never break its limit, and use nearly all of it. */
static void arrivals_fit_into_the_remotes_window(void **state)
{
	struct quota q;
	int64_t arrived[3000], now = 0, wait;
	size_t count = 0, used = 0;
	uint64_t seed = 5;

	(void)state;
	quota_init(&q, &(struct quota_limits){
			       .window_calls = 100, .window_ms = 20000, .guard_ms = 400 });
	while (count < ARRAY_LEN(arrived)) {
		size_t inside = 1, i = count;

		if (!take(&q, LANE_CHANGES, now, &wait)) {
			now += wait;
			continue;
		}
		arrived[count] = now + (int64_t)(unit_random(&seed) % 400);
		while (i && arrived[--i] > now - 21000)
			inside += arrived[i] > arrived[count] - 20000 &&
				  arrived[i] <= arrived[count];
		assert_in_range(inside, 1, 100);
		count++;
		now += (int64_t)(unit_random(&seed) % 20);
	}
	used = count * 20000 / 100;
	assert_true(used >= (size_t)(now - 20000) * 95 / 100);
	quota_release(&q);
}

static void a_look_tells_the_window(void **state)
{
	struct quota q = make(4, 0, 0, 0);
	const struct quota_now now = at(21000);
	struct budget b;
	int64_t wait;

	(void)state;
	assert_true(take(&q, LANE_CHANGES, 0, &wait));
	assert_true(take(&q, LANE_CHANGES, 2000, &wait));
	assert_true(take(&q, LANE_CHANGES, 20000, &wait));
	quota_look(&q, &now, &b);
	assert_int_equal(b.window_used, 2);
	assert_int_equal(b.window_limit, 4);
	assert_int_equal(b.hold, HOLD_NONE);
	assert_int_equal(b.held_until_ms, 0);
	quota_release(&q);
}

/* 10 calls a minute on an empty day of 6,000, of which cycles may use 4,800. */
static void a_look_tells_when_the_day_is_used_up(void **state)
{
	struct quota q = make(0, 0, 6000, 20);
	struct quota_now now = at(0);
	struct budget b;
	int64_t wait;

	(void)state;
	for (int64_t m = 0; m < 60; m++)
		for (int i = 0; i < 10; i++)
			assert_true(take(&q, LANE_CHANGES, m * 60000, &wait));
	now = at((int64_t)60 * 60000 - 1);
	quota_look(&q, &now, &b);
	assert_int_equal(b.spent_s, now.wall_ms / 1000 + (4800 - 600) * 6);
	q.limits.shared_stop = 5000; /* others: 3,400 in the two hours since the day began */
	quota_note_usage(&q, &now, forecast_day(now.wall_ms / 1000), 4000, 0);
	quota_look(&q, &now, &b);
	assert_in_range(b.spent_s - now.wall_ms / 1000, 1000 * 3600 / 2300 - 2,
			1000 * 3600 / 2300 + 2);
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
		cmocka_unit_test(cycles_never_take_what_is_kept),
		cmocka_unit_test(concurrency_is_given_back),
		cmocka_unit_test(the_day_ends),
		cmocka_unit_test(a_closed_side_waits),
		cmocka_unit_test(a_shut_side_stays_shut),
		cmocka_unit_test(everybodys_calls_stop_cycles),
		cmocka_unit_test(arrivals_fit_into_the_remotes_window),
		cmocka_unit_test(a_look_tells_the_window),
		cmocka_unit_test(a_look_tells_when_the_day_is_used_up),
		cmocka_unit_test(a_refused_call_costs_nothing),
	};

	return RUN(tests);
}

/* The budget of calls (INV-BUDGET). A ring holds the starts of the last window_calls calls, so that
 * the n-th last start tells whether n calls fit into the window. Knows no clock and no lock. */
#include "core/quota.h"

#include <stdlib.h>

#include "base/mem.h"

void quota_init(struct quota *q, const struct quota_limits *limits)
{
	*q = (struct quota){ .limits = *limits };
	if (q->limits.window_ms <= 0)
		q->limits.window_calls = 0;
	if (q->limits.window_calls > QUOTA_WINDOW_CALLS_MAX)
		q->limits.window_calls = QUOTA_WINDOW_CALLS_MAX;
	if (q->limits.realtime_percent > 100)
		q->limits.realtime_percent = 100;
	if (q->limits.window_calls)
		q->started_ms = mem_array(q->limits.window_calls, sizeof(*q->started_ms));
}

void quota_release(struct quota *q)
{
	free(q->started_ms);
	*q = (struct quota){ .limits = q->limits };
}

/* The part of a limit a lane may use; at least one call, or the lane would starve. */
static uint32_t quota_share(const struct quota *q, enum lane lane, uint32_t limit)
{
	uint64_t share;

	if (lane == LANE_REALTIME)
		return limit;
	share = (uint64_t)limit * (100 - q->limits.realtime_percent) / 100;
	return share ? (uint32_t)share : 1;
}

static int64_t quota_wait_window(const struct quota *q, enum lane lane, int64_t now_ms)
{
	uint32_t calls = q->limits.window_calls, share;
	int64_t free_ms;

	if (!calls)
		return 0;
	share = quota_share(q, lane, calls);
	if (q->total < share)
		return 0;
	free_ms = q->started_ms[(q->next + calls - share) % calls] + q->limits.window_ms +
		  q->limits.guard_ms;
	return free_ms > now_ms ? free_ms - now_ms : 0;
}

static int64_t quota_longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bool quota_knows_shared(const struct quota *q)
{
	return q->shared_day && q->shared_day >= q->day;
}

bool quota_is_shut(const struct quota *q, const struct quota_now *now)
{
	return q->shut_until_ms > now->wall_ms;
}

/* What ends with the day only. */
static enum quota_hold quota_hold_day(const struct quota *q, enum lane lane,
				      const struct quota_now *now)
{
	const struct quota_limits *limits = &q->limits;

	if (quota_is_shut(q, now))
		return HOLD_SHUT;
	if (limits->day_calls && q->day_used >= quota_share(q, lane, limits->day_calls))
		return HOLD_DAY;
	if (lane != LANE_REALTIME && limits->shared_stop && quota_knows_shared(q) &&
	    q->shared_used >= limits->shared_stop)
		return HOLD_SHARED;
	return HOLD_NONE;
}

static enum quota_hold quota_hold(const struct quota *q, enum lane lane,
				  const struct quota_now *now, int64_t *ret_wait_ms)
{
	const struct quota_limits *limits = &q->limits;
	int64_t window_ms = quota_wait_window(q, lane, now->mono_ms);
	int64_t closed_ms = q->closed_until_ms - now->mono_ms;
	enum quota_hold hold = quota_hold_day(q, lane, now);

	*ret_wait_ms = INT64_MAX;
	if (hold != HOLD_NONE)
		return hold;
	if (limits->concurrent && q->in_flight >= quota_share(q, lane, limits->concurrent))
		return HOLD_BUSY;
	*ret_wait_ms = quota_longer(window_ms, closed_ms);
	if (closed_ms > 0)
		return HOLD_TOLD;
	return window_ms > 0 ? HOLD_WINDOW : HOLD_NONE;
}

static void quota_turn_day(struct quota *q, const struct quota_now *now)
{
	int64_t day = forecast_day(now->wall_ms / 1000);

	if (day == q->day)
		return;
	q->day = day;
	q->day_used = 0;
}

enum quota_hold quota_take(struct quota *q, enum lane lane, const struct quota_now *now,
			   int64_t *ret_wait_ms)
{
	enum quota_hold hold;

	quota_turn_day(q, now);
	hold = quota_hold(q, lane, now, ret_wait_ms);
	if (hold != HOLD_NONE)
		return hold;
	if (q->limits.window_calls) {
		q->started_ms[q->next] = now->mono_ms;
		q->next = (q->next + 1) % q->limits.window_calls;
	}
	q->total++;
	q->in_flight++;
	q->day_used++;
	q->shared_used++;
	pace_note(&q->pace, now->mono_ms);
	return HOLD_NONE;
}

void quota_done(struct quota *q)
{
	if (q->in_flight)
		q->in_flight--;
}

void quota_close(struct quota *q, int64_t until_ms)
{
	q->closed_until_ms = quota_longer(q->closed_until_ms, until_ms);
}

void quota_shut(struct quota *q, int64_t until_wall_ms)
{
	q->shut_until_ms = quota_longer(q->shut_until_ms, until_wall_ms);
}

void quota_reopen(struct quota *q)
{
	q->shut_until_ms = 0;
}

void quota_note_usage(struct quota *q, const struct quota_now *now, int64_t day, uint64_t all,
		      uint64_t ours)
{
	quota_turn_day(q, now);
	if (day < q->day)
		return; /* its day has not ended yet: that count says nothing of ours */
	q->shared_day = day;
	q->shared_used = all;
	if (day == q->day && ours > q->day_used)
		q->day_used = ours < UINT32_MAX ? (uint32_t)ours : UINT32_MAX;
}

/* ---- what operators see ---- */

static uint64_t quota_window_used(const struct quota *q, int64_t now_ms)
{
	uint32_t calls = q->limits.window_calls;
	uint64_t made = q->total < calls ? q->total : calls, used = 0;

	while (used < made &&
	       q->started_ms[(q->next + calls - 1 - used) % calls] + q->limits.window_ms > now_ms)
		used++;
	return used;
}

/* Cycles stop at the first of two ends: of our own day, and of everybody's. Of the others only the
 * count of the day is known, so their pace is the day's. */
static int64_t quota_spent(const struct quota *q, const struct quota_now *now)
{
	int64_t now_s = now->wall_ms / 1000, end_s = forecast_day_end(now_s), shared_s;
	struct forecast f = { .used = q->day_used,
			      .limit = quota_share(q, LANE_CHANGES, q->limits.day_calls),
			      .day_began_s = end_s - 86400,
			      .now_s = now_s,
			      .hour_calls = pace_hour(&q->pace, now->mono_ms) };
	uint64_t others = q->shared_used > q->day_used ? q->shared_used - q->day_used : 0;
	int64_t own_s = q->limits.day_calls ? forecast_spent(&f) : 0;

	if (!quota_knows_shared(q))
		return own_s;
	f.used = q->shared_used;
	f.limit = q->limits.shared_stop;
	f.hour_calls += others * 3600 / (uint64_t)quota_longer(3600, now_s - f.day_began_s);
	shared_s = forecast_spent(&f);
	return own_s && (!shared_s || own_s < shared_s) ? own_s : shared_s;
}

void quota_look(const struct quota *q, const struct quota_now *now, struct budget *ret)
{
	struct quota today = *q;
	enum quota_hold hold;

	quota_turn_day(&today, now);
	hold = quota_hold_day(&today, LANE_CHANGES, now);
	*ret = (struct budget){ .day_used = today.day_used,
				.day_limit = q->limits.day_calls,
				.has_shared = quota_knows_shared(&today),
				.shared_used = q->shared_used,
				.shared_stop = q->limits.shared_stop,
				.window_used = quota_window_used(q, now->mono_ms),
				.window_limit = q->limits.window_calls,
				.window_ms = q->limits.window_ms,
				.spent_s = quota_spent(&today, now),
				.hold = hold };
	if (hold == HOLD_SHUT)
		ret->held_until_ms = q->shut_until_ms;
	else if (hold != HOLD_NONE)
		ret->held_until_ms = forecast_day_end(now->wall_ms / 1000) * 1000;
	ret->is_realtime_held = quota_hold_day(&today, LANE_REALTIME, now) != HOLD_NONE;
	if (hold != HOLD_NONE || q->closed_until_ms <= now->mono_ms)
		return;
	ret->hold = HOLD_TOLD;
	ret->is_realtime_held = true;
	ret->held_until_ms = now->wall_ms + q->closed_until_ms - now->mono_ms;
}

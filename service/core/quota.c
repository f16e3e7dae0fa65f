/* The budget of calls (INV-BUDGET). A ring holds the starts of the last window_calls calls, so that
 * the n-th last start tells whether n calls fit into the window. Knows no clock and no lock. */
#include "core/quota.h"

#include <stdlib.h>

#include "base/mem.h"

/* Waits for what is not known in advance: a call coming back, the day of the remote ending. */
enum { QUOTA_WAIT_CONCURRENT_MS = 20, QUOTA_WAIT_DAY_MS = 60 * 1000 };

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
	free_ms = q->started_ms[(q->next + calls - share) % calls] + q->limits.window_ms;
	return free_ms > now_ms ? free_ms - now_ms : 0;
}

static int64_t quota_longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t quota_wait(const struct quota *q, enum lane lane, int64_t now_ms)
{
	const struct quota_limits *limits = &q->limits;
	int64_t wait = quota_wait_window(q, lane, now_ms);

	if (q->closed_until_ms > now_ms)
		wait = quota_longer(wait, q->closed_until_ms - now_ms);
	if (limits->concurrent && q->in_flight >= quota_share(q, lane, limits->concurrent))
		wait = quota_longer(wait, QUOTA_WAIT_CONCURRENT_MS);
	if (limits->day_calls && q->day_used >= quota_share(q, lane, limits->day_calls))
		wait = quota_longer(wait, QUOTA_WAIT_DAY_MS);
	return wait;
}

bool quota_take(struct quota *q, enum lane lane, int64_t now_ms, int64_t day, int64_t *ret_wait_ms)
{
	int64_t wait;

	if (day != q->day) {
		q->day = day;
		q->day_used = 0;
	}
	wait = quota_wait(q, lane, now_ms);
	if (wait) {
		*ret_wait_ms = wait;
		return false;
	}
	if (q->limits.window_calls) {
		q->started_ms[q->next] = now_ms;
		q->next = (q->next + 1) % q->limits.window_calls;
	}
	q->total++;
	q->in_flight++;
	q->day_used++;
	return true;
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

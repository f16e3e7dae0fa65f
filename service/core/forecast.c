/* The day of Marketo's quota, and when today's calls will be used up. Knows no clock. */
#include "core/forecast.h"

#include <string.h>

enum {
	DAY_S = 86400,
	DAY_BEGIN_S = 6 * 3600, /* midnight US Central standard time, by UTC */
	RESET_DOUBT_S = 15 * 60,
	MINUTE_MS = 60 * 1000,
	HOUR_S = 3600,
};

int64_t forecast_day(int64_t now_s)
{
	int64_t since = now_s - DAY_BEGIN_S;

	return since / DAY_S - (since % DAY_S < 0);
}

static int64_t forecast_day_begin(int64_t now_s)
{
	return forecast_day(now_s) * DAY_S + DAY_BEGIN_S;
}

int64_t forecast_day_end(int64_t now_s)
{
	return forecast_day_begin(now_s) + DAY_S;
}

/* In the first minutes of a day no quota can be used up: then the clocks differ, and the remote
 * still speaks of the day before. Waiting for the end of this day would lose it. */
int64_t forecast_reset(int64_t now_s)
{
	int64_t begin_s = forecast_day_begin(now_s);

	return now_s - begin_s < RESET_DOUBT_S ? begin_s + RESET_DOUBT_S : begin_s + DAY_S;
}

/* Minutes without a call since the last one noted are empty. */
static void pace_go_on(struct pace *p, int64_t minute)
{
	if (minute - p->minute >= PACE_MINUTES)
		memset(p->calls, 0, sizeof(p->calls));
	else
		for (int64_t m = p->minute + 1; m <= minute; m++)
			p->calls[m % PACE_MINUTES] = 0;
	if (minute > p->minute)
		p->minute = minute;
}

void pace_note(struct pace *p, int64_t now_ms)
{
	int64_t minute = now_ms / MINUTE_MS + 1; /* from 1, so that 0 says: none yet */

	if (!p->first_minute)
		p->first_minute = p->minute = minute;
	pace_go_on(p, minute);
	p->calls[p->minute % PACE_MINUTES]++;
}

uint64_t pace_hour(const struct pace *p, int64_t now_ms)
{
	struct pace now = *p;
	int64_t minutes = now_ms / MINUTE_MS + 2 - p->first_minute;
	uint64_t calls = 0;

	if (!p->first_minute)
		return 0;
	pace_go_on(&now, now_ms / MINUTE_MS + 1);
	for (size_t i = 0; i < PACE_MINUTES; i++)
		calls += now.calls[i];
	if (minutes < 1)
		minutes = 1;
	return minutes < PACE_MINUTES ? calls * PACE_MINUTES / (uint64_t)minutes : calls;
}

int64_t forecast_spent(const struct forecast *f)
{
	uint64_t left_s;

	if (!f->limit)
		return 0;
	if (f->used >= f->limit)
		return f->now_s;
	if (!f->hour_calls)
		return 0;
	left_s = ((f->limit - f->used) * HOUR_S + f->hour_calls - 1) / f->hour_calls;
	if (left_s >= DAY_S || f->now_s + (int64_t)left_s >= f->day_began_s + DAY_S)
		return 0;
	return f->now_s + (int64_t)left_s;
}

/* The day of Marketo's quota, and when today's calls will be used up. Pure: the caller supplies the
 * time. */
#ifndef CORE_FORECAST_H
#define CORE_FORECAST_H

#include "base/defs.h"

/* Marketo counts its calls by the day, which ends at midnight US Central ("Adobe: Error Codes",
 * code 607). Nobody says whether that follows daylight time, so a day ends here at the later of
 * both, midnight standard time, all the year round. */
int64_t forecast_day(int64_t now_s);     /* its number */
int64_t forecast_day_end(int64_t now_s); /* when it ends, seconds since 1970 */
/* Until when nothing is to be asked of a side that has just said that its quota is used up. */
int64_t forecast_reset(int64_t now_s);

enum { PACE_MINUTES = 60 };

/* How many calls were made in the last hour, by the minute. All zero: none yet. */
struct pace {
	uint32_t calls[PACE_MINUTES];
	int64_t minute;       /* the last one noted */
	int64_t first_minute; /* the first one ever noted */
};

void pace_note(struct pace *p, int64_t now_ms);
/* Calls an hour: those of the last one, or of the time since the first call where that is shorter. */
uint64_t pace_hour(const struct pace *p, int64_t now_ms);

struct forecast {
	uint64_t used, limit; /* today's; limit 0: none */
	int64_t day_began_s, now_s;
	uint64_t hour_calls; /* the present pace */
};

/* When the limit will be reached at this pace: now when it has been, 0 when the day ends before. */
int64_t forecast_spent(const struct forecast *f);

#endif

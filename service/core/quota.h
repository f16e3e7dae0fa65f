/* A budget of calls: so many in any window, so many at once, so many a day; a share of it is kept
 * for real-time calls. Pure: the caller supplies the time and holds the lock. */
#ifndef CORE_QUOTA_H
#define CORE_QUOTA_H

#include "core/forecast.h"

enum lane { LANE_REALTIME, LANE_CHANGES, LANE_BACKFILL, LANE_COUNT }; /* in order of precedence */

enum { QUOTA_WINDOW_CALLS_MAX = 8192 };

struct quota_limits {
	uint32_t window_calls; /* 0: not limited; at most QUOTA_WINDOW_CALLS_MAX */
	int64_t window_ms;
	int64_t guard_ms;     /* what the ways of two calls may differ by: a remote's window counts
				 arrivals, ours departures */
	uint32_t concurrent;  /* 0: not limited */
	uint32_t day_calls;   /* 0: not limited */
	uint32_t shared_stop; /* calls a day of all programs together, ours among them, from which
				 on only LANE_REALTIME goes on; 0: not limited */
	uint32_t realtime_percent; /* share of window, concurrency and day that only LANE_REALTIME
				      may use */
};

struct quota_now {
	int64_t mono_ms; /* for pauses and windows */
	int64_t wall_ms; /* for days */
};

/* Why a call is not made now. From HOLD_DAY on: not today any more, so that nobody waits for it. */
enum quota_hold {
	HOLD_NONE,
	HOLD_BUSY,   /* so many are under way; the end of one opens the way */
	HOLD_WINDOW, /* so many were made lately */
	HOLD_TOLD,   /* the remote asked for a pause */
	HOLD_DAY,    /* day_calls */
	HOLD_SHARED, /* shared_stop */
	HOLD_SHUT,   /* the remote says that its own quota is used up */
};

struct quota {
	struct quota_limits limits;
	int64_t *started_ms; /* ring of the last window_calls starts; owned */
	uint32_t next;
	uint64_t total;
	uint32_t in_flight;
	int64_t day; /* the counts below belong to (forecast_day) */
	uint32_t day_used;
	int64_t shared_day;      /* the remote's own count belongs to; 0: it has told none yet */
	uint64_t shared_used;    /* what it told, and ours since */
	int64_t closed_until_ms; /* the remote asked for a pause; 0 open */
	int64_t shut_until_ms;   /* by the wall clock: its quota is used up; 0 open */
	struct pace pace;
};

void quota_init(struct quota *q, const struct quota_limits *limits);
void quota_release(struct quota *q);

/* Takes one call (INV-BUDGET): HOLD_NONE. Otherwise why not, and after how long to ask again;
 * INT64_MAX: when something happens. Every taken call is given back by quota_done. */
MUST_CHECK enum quota_hold quota_take(struct quota *q, enum lane lane, const struct quota_now *now,
				      int64_t *ret_wait_ms);
void quota_done(struct quota *q);
void quota_close(struct quota *q,
		 int64_t until_ms); /* the whole side waits; later of the two if already closed */
/* The remote's quota is used up: no call before the wall clock shows that time. quota_reopen takes
 * it back. */
void quota_shut(struct quota *q, int64_t until_wall_ms);
void quota_reopen(struct quota *q);
bool quota_is_shut(const struct quota *q, const struct quota_now *now);
/* What the remote itself has counted on a day: all programs' calls, and those of our user (0
 * unknown), which are more than ours where a program before this one or beside it made some. */
void quota_note_usage(struct quota *q, const struct quota_now *now, int64_t day, uint64_t all,
		      uint64_t ours);

/* What operators see of it. */
struct budget {
	uint64_t day_used, day_limit;      /* limit 0: none */
	bool has_shared;                   /* the remote has told its count of this day */
	uint64_t shared_used, shared_stop; /* stop 0: none */
	uint64_t window_used, window_limit;
	int64_t window_ms;
	int64_t spent_s; /* when cycles will have used up what they may today, at the present pace;
			    0: not today */
	enum quota_hold hold;  /* what holds cycles, other than taking turns; HOLD_NONE: nothing */
	bool is_realtime_held; /* real-time calls too */
	int64_t held_until_ms; /* since 1970, by hold; 0: nothing is held */
};
void quota_look(const struct quota *q, const struct quota_now *now, struct budget *ret);

#endif

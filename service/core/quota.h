/* A budget of calls: so many in any window, so many at once, so many a day; a share of it is kept
 * for real-time calls. Pure: the caller supplies the time and holds the lock. */
#ifndef CORE_QUOTA_H
#define CORE_QUOTA_H

#include "base/defs.h"

enum lane { LANE_REALTIME, LANE_CHANGES, LANE_BACKFILL, LANE_COUNT }; /* in order of precedence */

enum { QUOTA_WINDOW_CALLS_MAX = 8192 };

struct quota_limits {
	uint32_t window_calls; /* 0: not limited; at most QUOTA_WINDOW_CALLS_MAX */
	int64_t window_ms;
	uint32_t concurrent;       /* 0: not limited */
	uint32_t day_calls;        /* 0: not limited */
	uint32_t realtime_percent; /* share of window, concurrency and day that only LANE_REALTIME
				      may use */
};

struct quota {
	struct quota_limits limits;
	int64_t *started_ms; /* ring of the last window_calls starts; owned */
	uint32_t next;
	uint64_t total;
	uint32_t in_flight;
	int64_t day; /* day number the count belongs to, as the caller counts days */
	uint32_t day_used;
	int64_t closed_until_ms; /* the remote said so; 0 open */
};

void quota_init(struct quota *q, const struct quota_limits *limits);
void quota_release(struct quota *q);

/* Takes one call; false tells how long to wait (INV-BUDGET). Every taken call is given back by
 * quota_done. */
MUST_CHECK bool quota_take(struct quota *q, enum lane lane, int64_t now_ms, int64_t day,
			   int64_t *ret_wait_ms);
void quota_done(struct quota *q);
void quota_close(struct quota *q,
		 int64_t until_ms); /* the whole side waits; later of the two if already closed */

#endif

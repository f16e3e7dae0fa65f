/* How much of the time that a service grants its requests is used, and what follows from it: how
 * many requests may run at once, how many rows one of them may carry. Dataverse grants a user 20
 * minutes of combined execution in 300 seconds ("Microsoft Learn: Service protection API limits").
 * Pure: the caller supplies the time and holds the lock. */
#ifndef CORE_LOAD_H
#define CORE_LOAD_H

#include "base/defs.h"

enum {
	LOAD_WINDOW_MS = 300 * 1000,
	LOAD_SLICE_MS = 5 * 1000,
	LOAD_SLICES = LOAD_WINDOW_MS / LOAD_SLICE_MS + 1, /* one is under way */
};

struct load_slice {
	int64_t number; /* which slice of all time this is */
	int64_t busy_ms, longest_ms;
};

struct load {
	int64_t granted_ms; /* in any window; 0: not limited */
	struct load_slice slices[LOAD_SLICES];
	uint32_t fewer;     /* requests at once less than allowed */
	int64_t stepped_ms; /* when that changed last */
};

/* One request that has ended. Its time counts from its end on: only then is it known. */
void load_add(struct load *l, int64_t started_ms, int64_t took_ms);

/* Percent of the granted time used in the window, counting in as many requests under way as given,
 * each as long as the longest of the window. */
uint32_t load_percent(const struct load *l, int64_t now_ms, uint32_t under_way);

/* To be asked with every request that ends: how many of the allowed ones may run at once now. Above
 * 70 % it is one fewer each time, so that what ends is not followed by another; below 50 % one
 * more, but no sooner than a slice after the last. Never less than one. */
uint32_t load_concurrency(struct load *l, int64_t now_ms, uint32_t allowed);

uint32_t load_now(const struct load *l, uint32_t allowed); /* the same as it stands */

/* The next number of rows in one request, after one with so many rows took so long. */
enum { LOAD_ROWS_FIRST = 100, LOAD_ROWS_MAX = 500, LOAD_ROWS_MIN = 10 };
size_t load_rows(size_t now, size_t sent, int64_t took_ms);

#endif

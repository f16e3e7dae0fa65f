/* The time requests take, kept in slices so that memory does not grow with their number; see
 * load.h. Knows no clock, no lock and no request. */
#include "core/load.h"

enum {
	LOAD_HIGH_PERCENT = 70,
	LOAD_LOW_PERCENT = 50,
	LOAD_QUICK_MS = 10 * 1000, /* the service itself gives up after two minutes */
	LOAD_SLOW_MS = 30 * 1000,
};

void load_add(struct load *l, int64_t started_ms, int64_t took_ms)
{
	int64_t number = (started_ms + took_ms) / LOAD_SLICE_MS + 1;
	struct load_slice *s = &l->slices[number % LOAD_SLICES];

	if (number < s->number)
		return; /* of a window that has passed */
	if (s->number != number)
		*s = (struct load_slice){ .number = number };
	s->busy_ms += took_ms;
	s->longest_ms = took_ms > s->longest_ms ? took_ms : s->longest_ms;
}

uint32_t load_percent(const struct load *l, int64_t now_ms, uint32_t under_way)
{
	int64_t number = now_ms / LOAD_SLICE_MS + 1, busy_ms = 0, longest_ms = 0, percent;

	if (l->granted_ms <= 0)
		return 0;
	for (size_t i = 0; i < LOAD_SLICES; i++) {
		if (l->slices[i].number <= number - LOAD_SLICES)
			continue;
		busy_ms += l->slices[i].busy_ms;
		if (l->slices[i].longest_ms > longest_ms)
			longest_ms = l->slices[i].longest_ms;
	}
	percent = (busy_ms + longest_ms * under_way) * 100 / l->granted_ms;
	return percent > 1000 ? 1000 : (uint32_t)percent;
}

uint32_t load_now(const struct load *l, uint32_t allowed)
{
	return allowed > l->fewer ? allowed - l->fewer : allowed > 0;
}

uint32_t load_concurrency(struct load *l, int64_t now_ms, uint32_t allowed)
{
	uint32_t now, percent;

	if (l->fewer >= allowed)
		l->fewer = allowed ? allowed - 1 : 0;
	now = load_now(l, allowed);
	percent = load_percent(l, now_ms, now);
	if (percent > LOAD_HIGH_PERCENT && now > 1) {
		l->fewer++;
		l->stepped_ms = now_ms;
	} else if (percent < LOAD_LOW_PERCENT && l->fewer &&
		   now_ms - l->stepped_ms >= LOAD_SLICE_MS) {
		l->fewer--;
		l->stepped_ms = now_ms;
	}
	return load_now(l, allowed);
}

size_t load_rows(size_t now, size_t sent, int64_t took_ms)
{
	if (took_ms >= LOAD_SLOW_MS)
		now = sent < now ? sent / 2 : now / 2;
	else if (took_ms < LOAD_QUICK_MS && sent >= now)
		now *= 2;
	if (now > LOAD_ROWS_MAX)
		return LOAD_ROWS_MAX;
	return now < LOAD_ROWS_MIN ? LOAD_ROWS_MIN : now;
}

/* Real time plus what the tests have put it forward by. */
#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

#include "base/side.h"

static atomic_int_least64_t advanced_ms;

int64_t sandbox_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + atomic_load(&advanced_ms);
}

int64_t sandbox_now_s(void)
{
	return sandbox_now_ms() / 1000;
}

void clock_advance(int64_t seconds)
{
	atomic_fetch_add(&advanced_ms, seconds * 1000);
}

void clock_reset(void)
{
	atomic_store(&advanced_ms, 0);
}

int64_t clock_advanced_s(void)
{
	return atomic_load(&advanced_ms) / 1000;
}

int64_t clock_steady_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void clock_print(struct text *t, int64_t seconds)
{
	time_t at = (time_t)seconds;
	struct tm tm;
	char buffer[32];

	gmtime_r(&at, &tm);
	text_add(t, buffer, strftime(buffer, sizeof(buffer), "%Y-%m-%dT%H:%M:%SZ", &tm));
}

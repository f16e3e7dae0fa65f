/* Service protection limits. The window is kept in slices, so that memory does not grow with
 * traffic. */
#include "dataverse/limit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/side.h"

#define SLICES 60
#define USERS_MAX 8

struct slice {
	int64_t number; /* which slice of all time this is */
	int64_t requests, execution_us;
};

struct window {
	struct slice slices[SLICES];
	int64_t running;
};

struct limiter {
	pthread_mutex_t lock;
	struct limits limits;
	struct window windows[USERS_MAX];
};

static const struct limits vendor_limits = {
	.requests = 6000, .window_ms = 300000, .execution_ms = 1200000, .concurrent = 52
};

struct limiter *limiter_new(void)
{
	struct limiter *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	pthread_mutex_init(&l->lock, NULL);
	l->limits = vendor_limits;
	return l;
}

void limiter_free(struct limiter *l)
{
	if (!l)
		return;
	pthread_mutex_destroy(&l->lock);
	free(l);
}

void limiter_reset(struct limiter *l)
{
	pthread_mutex_lock(&l->lock);
	l->limits = vendor_limits;
	for (size_t i = 0; i < USERS_MAX; i++)
		memset(l->windows[i].slices, 0, sizeof(l->windows[i].slices));
	pthread_mutex_unlock(&l->lock);
}

struct limits limiter_limits(struct limiter *l)
{
	struct limits limits;

	pthread_mutex_lock(&l->lock);
	limits = l->limits;
	pthread_mutex_unlock(&l->lock);
	return limits;
}

/* A new window length forgets what was counted: slices of another width do not compare. */
void limiter_set(struct limiter *l, const struct limits *limits)
{
	pthread_mutex_lock(&l->lock);
	if (limits->window_ms != l->limits.window_ms)
		for (size_t i = 0; i < USERS_MAX; i++)
			memset(l->windows[i].slices, 0, sizeof(l->windows[i].slices));
	l->limits = *limits;
	pthread_mutex_unlock(&l->lock);
}

static int64_t slice_ms(const struct limiter *l)
{
	int64_t ms = l->limits.window_ms / SLICES;

	return ms > 0 ? ms : 1;
}

static struct slice *slice_now(struct limiter *l, int user)
{
	int64_t number = sandbox_now_ms() / slice_ms(l) + 1;
	struct slice *s = &l->windows[user].slices[number % SLICES];

	if (s->number != number)
		*s = (struct slice){ .number = number };
	return s;
}

static void window_sums(struct limiter *l, int user, int64_t *ret_requests,
			int64_t *ret_execution_us)
{
	int64_t number = sandbox_now_ms() / slice_ms(l) + 1;

	*ret_requests = 0;
	*ret_execution_us = 0;
	for (size_t i = 0; i < SLICES; i++) {
		const struct slice *s = &l->windows[user].slices[i];

		if (s->number <= number - SLICES || s->number > number)
			continue;
		*ret_requests += s->requests;
		*ret_execution_us += s->execution_us;
	}
}

/* Whole seconds until enough slices have left the window for the sum to be below the limit. */
static int seconds_until_free(struct limiter *l, int user, int64_t sum, int64_t limit,
			      bool requests)
{
	int64_t now = sandbox_now_ms();
	int64_t number = now / slice_ms(l) + 1;

	for (int64_t n = number - SLICES + 1; n <= number; n++) {
		const struct slice *s = &l->windows[user].slices[n % SLICES];
		int64_t free_at = (n + SLICES - 1) * slice_ms(l);

		if (s->number == n)
			sum -= requests ? s->requests : s->execution_us;
		if (sum < limit)
			return (int)((free_at - now + 999) / 1000) + (free_at <= now);
	}
	return (int)((l->limits.window_ms + 999) / 1000);
}

static bool within(struct limiter *l, int user, bool count_requests, struct failure *failure,
		   int *ret_retry_after)
{
	int64_t requests, execution_us;

	window_sums(l, user, &requests, &execution_us);
	if (count_requests && requests > l->limits.requests) {
		*ret_retry_after = seconds_until_free(l, user, requests, l->limits.requests, true);
		return failure_set(
			failure, 429, "0x80072322",
			"Number of requests exceeded the limit of %lld over time window of %lld seconds.",
			(long long)l->limits.requests, (long long)l->limits.window_ms / 1000);
	}
	if (execution_us <= l->limits.execution_ms * 1000)
		return true;
	*ret_retry_after =
		seconds_until_free(l, user, execution_us, l->limits.execution_ms * 1000, false);
	return failure_set(
		failure, 429, "0x80072321",
		"Combined execution time of incoming requests exceeded limit of %lld milliseconds over time window "
		"of %lld seconds. Decrease number of concurrent requests or reduce the duration of requests and "
		"try again later.",
		(long long)l->limits.execution_ms, (long long)l->limits.window_ms / 1000);
}

/* A refused request counts too: going on while limited lengthens the wait. */
bool limiter_begin(struct limiter *l, int user, struct failure *failure, int *ret_retry_after)
{
	bool good = true;

	pthread_mutex_lock(&l->lock);
	slice_now(l, user)->requests++;
	if (l->limits.enforce) {
		if (l->windows[user].running >= l->limits.concurrent) {
			*ret_retry_after = 1;
			good = failure_set(
				failure, 429, "0x80072326",
				"Number of concurrent requests exceeded the limit of %lld.",
				(long long)l->limits.concurrent);
		} else {
			good = within(l, user, true, failure, ret_retry_after);
		}
	}
	if (good)
		l->windows[user].running++;
	pthread_mutex_unlock(&l->lock);
	return good;
}

bool limiter_may_go_on(struct limiter *l, int user, struct failure *failure, int *ret_retry_after)
{
	bool good = true;

	pthread_mutex_lock(&l->lock);
	if (l->limits.enforce)
		good = within(l, user, false, failure, ret_retry_after);
	pthread_mutex_unlock(&l->lock);
	return good;
}

void limiter_operation(struct limiter *l, int user, int64_t took_us)
{
	int64_t wanted_us = limiter_limits(l).operation_ms * 1000;

	if (took_us < wanted_us) {
		int64_t rest = wanted_us - took_us;
		struct timespec pause = { .tv_sec = rest / 1000000,
					  .tv_nsec = (long)(rest % 1000000) * 1000 };

		nanosleep(&pause, NULL);
		took_us = wanted_us;
	}
	pthread_mutex_lock(&l->lock);
	slice_now(l, user)->execution_us += took_us;
	pthread_mutex_unlock(&l->lock);
}

void limiter_end(struct limiter *l, int user)
{
	pthread_mutex_lock(&l->lock);
	l->windows[user].running--;
	pthread_mutex_unlock(&l->lock);
}

/* 1,199.97 */
static void print_seconds(int64_t us, char *out, size_t size)
{
	int64_t hundredths = us > 0 ? us / 10000 : 0;
	int64_t seconds = hundredths / 100;

	if (seconds >= 1000)
		snprintf(out, size, "%lld,%03lld.%02lld", (long long)seconds / 1000,
			 (long long)seconds % 1000, (long long)hundredths % 100);
	else
		snprintf(out, size, "%lld.%02lld", (long long)seconds, (long long)hundredths % 100);
}

void limiter_headers(struct limiter *l, int user, struct web_response *response)
{
	int64_t requests, execution_us, left;
	char seconds[40];

	pthread_mutex_lock(&l->lock);
	window_sums(l, user, &requests, &execution_us);
	left = l->limits.requests - requests;
	print_seconds(l->limits.execution_ms * 1000 - execution_us, seconds, sizeof(seconds));
	pthread_mutex_unlock(&l->lock);
	web_header(response, "x-ms-ratelimit-burst-remaining-xrm-requests", "%lld",
		   (long long)(left > 0 ? left : 0));
	web_header(response, "x-ms-ratelimit-time-remaining-xrm-requests", "%s", seconds);
}

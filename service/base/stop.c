/* Stop token on a condition variable. */
#include "base/stop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

struct stop {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	atomic_bool requested;
	bool woken; /* guarded by lock */
};

struct stop *stop_new(void)
{
	struct stop *s = mem_alloc(sizeof(*s));
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	return s;
}

void stop_free(struct stop *s)
{
	if (!s)
		return;
	(void)pthread_cond_destroy(&s->changed);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

void stop_request(struct stop *s)
{
	(void)pthread_mutex_lock(&s->lock);
	atomic_store(&s->requested, true);
	(void)pthread_cond_broadcast(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
}

bool stop_requested(const struct stop *s)
{
	return atomic_load(&s->requested);
}

void stop_wake(struct stop *s)
{
	(void)pthread_mutex_lock(&s->lock);
	s->woken = true;
	(void)pthread_cond_broadcast(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
}

bool stop_wait_ms(struct stop *s, int64_t ms)
{
	struct timespec until;
	int64_t ns;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	if (ms < 0)
		ms = 0;
	ns = until.tv_nsec + ms % 1000 * 1000000;
	until.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
	until.tv_nsec = (long)(ns % 1000000000);
	(void)pthread_mutex_lock(&s->lock);
	while (!atomic_load(&s->requested) && !s->woken) {
		if (pthread_cond_timedwait(&s->changed, &s->lock, &until) != 0)
			break;
	}
	s->woken = false;
	(void)pthread_mutex_unlock(&s->lock);
	return atomic_load(&s->requested);
}

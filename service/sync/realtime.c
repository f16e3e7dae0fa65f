/* The real-time thread: callers hand in requests and go; the thread takes all that wait, works
 * through them together and tells each caller its outcome. One thread, so one flight per person in
 * this service; the store's claims keep several services apart. */
#include "sync/realtime.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "sync/outbox.h"
#include "sync/requests.h"
#include "sync/state.h"

enum {
	REALTIME_WINDOW_MS = 2, /* how long the first caller waits for company */
	REALTIME_BATCH_MAX = 1000,
	REALTIME_OPEN_MAX = 3000, /* queued requests a cycle takes up */
	REALTIME_MARGIN_MS = 500, /* kept for the answer itself */
};

struct waiting {
	struct waiting *next;
	struct request request; /* texts owned */
	int64_t deadline_ms;
	realtime_done *done;
	void *context;
};

struct realtime {
	struct engine *e;
	pthread_t thread;
	bool is_joined; /* the stopping thread's */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct waiting *first, **last; /* callers, in order of arrival */
	size_t waiting_count;
	bool is_stopping;
	/* the worker's wish to have the open requests worked through */
	bool is_wanted;
	const struct call *wanted_call;
	struct cycle_report *wanted_report;
	enum err_kind wanted_kind;
	struct err wanted_err;
};

static struct str realtime_own(struct str s)
{
	char *copy = mem_array(s.n + 1, 1);

	if (s.n)
		memcpy(copy, s.p, s.n);
	return (struct str){ copy, s.n };
}

static void waiting_free(struct waiting *w)
{
	free((char *)w->request.owner.p);
	free((char *)w->request.campaign_id.p);
	free((char *)w->request.campaign_name.p);
	free(w);
}

void realtime_submit(struct engine *e, const struct request *request, int64_t deadline_ms,
		     realtime_done *done, void *context)
{
	struct realtime *r = e->realtime;
	struct waiting *w = mem_alloc(sizeof(*w));
	bool is_refused;

	w->request = *request;
	w->request.id = fingerprint_random_guid();
	w->request.owner = realtime_own(request->owner);
	w->request.campaign_id = realtime_own(request->campaign_id);
	w->request.campaign_name = realtime_own(request->campaign_name);
	w->request.created_ms = clock_wall_ms();
	w->request.entity = TABLE_PERSON;
	w->deadline_ms = deadline_ms;
	w->done = done;
	w->context = context;
	(void)pthread_mutex_lock(&r->lock);
	is_refused = r->is_stopping;
	if (!is_refused) {
		*r->last = w;
		r->last = &w->next;
		r->waiting_count++;
		(void)pthread_cond_broadcast(&r->changed);
	}
	(void)pthread_mutex_unlock(&r->lock);
	if (is_refused) {
		struct err err;

		(void)err_set(&err, ERR_STOPPED, "the service is ending");
		done(context, &w->request, &err);
		waiting_free(w);
		return;
	}
	metric_add(METRIC_REQUESTS_WAITING, 1);
}

static int realtime_order(const void *a, const void *b)
{
	const struct waiting *x = *(struct waiting *const *)a, *y = *(struct waiting *const *)b;
	int64_t order = x->request.person_id - y->request.person_id;

	if (!order)
		order = x->request.created_ms - y->request.created_ms;
	return (order > 0) - (order < 0);
}

/* The callers of one round, a request for each person among them. */
struct flight {
	struct arena arena;
	struct waiting **waiting; /* sorted by person, within a person by arrival */
	size_t *request_of;       /* of each caller: index into requests */
	size_t waiting_count;
	struct request *requests;
	bool *is_gone;
	size_t count;
	int64_t deadline_ms; /* earliest of the callers' */
};

static void flight_gather(struct flight *f, struct waiting *list, size_t count)
{
	f->waiting = arena_array(&f->arena, count, sizeof(struct waiting *));
	f->request_of = arena_array(&f->arena, count, sizeof(*f->request_of));
	f->requests = arena_array(&f->arena, count, sizeof(*f->requests));
	f->is_gone = arena_array(&f->arena, count, sizeof(*f->is_gone));
	for (; list; list = list->next) {
		if (!f->deadline_ms || list->deadline_ms < f->deadline_ms)
			f->deadline_ms = list->deadline_ms;
		f->waiting[f->waiting_count++] = list;
	}
	qsort(f->waiting, f->waiting_count, sizeof(*f->waiting), realtime_order);
	for (size_t i = 0; i < f->waiting_count; i++) {
		const struct request *r = &f->waiting[i]->request;

		if (!f->count || f->requests[f->count - 1].person_id != r->person_id)
			f->requests[f->count++] = *r;
		f->request_of[i] = f->count - 1;
		/* One trigger campaign among several callers is enough to want it now. */
		f->requests[f->count - 1].is_trigger |= r->is_trigger;
	}
}

/* Tells every caller. Whoever came second for a person hears that the record is there, not that it
 * was made for him. */
static void flight_tell(struct flight *f, const struct err *failed)
{
	for (size_t i = 0; i < f->waiting_count; i++) {
		struct waiting *w = f->waiting[i];
		size_t at = f->request_of[i];
		bool is_follower = i > 0 && f->request_of[i - 1] == at;
		struct request told = f->requests[at];
		struct err gone;

		(void)err_set(&gone, ERR_GONE, "there is no such person in Marketo");
		if (is_follower &&
		    (told.outcome == OUTCOME_CREATED || told.outcome == OUTCOME_LINKED))
			told.outcome = OUTCOME_EXISTS;
		w->done(w->context, &told, failed ? failed : f->is_gone[at] ? &gone : NULL);
		metric_add(METRIC_REQUESTS_WAITING, -1);
		waiting_free(w);
	}
}

/* Stamps and Activity Log lines of what was just done. What fails stays due, for the next cycle. */
static void realtime_follow_up(struct engine *e)
{
	struct call call = { .lane = LANE_REALTIME };
	struct err err;

	if (!state_is_open(e))
		return;
	if (outbox_stamps(e, &call, NULL, &err) != ERR_NONE)
		log_warn("stamps_postponed", LOG_ERR(&err));
	if (outbox_activities(e, &call, &err) != ERR_NONE)
		log_warn("activities_postponed", LOG_ERR(&err));
}

static void flight_run(struct engine *e, struct flight *f)
{
	struct call call = { .lane = LANE_REALTIME,
			     .deadline_ms = f->deadline_ms - REALTIME_MARGIN_MS };
	struct cycle_report report = { .number = 0 };

	requests_run(e, &call, false, f->requests, f->count, f->is_gone, &f->arena, &report);
}

static void realtime_serve(struct realtime *r, struct waiting *list, size_t count)
{
	struct flight f = { .waiting_count = 0 };
	const struct store *store = &r->e->store;
	struct err err;

	flight_gather(&f, list, count);
	if (store->ops->request_add(store->self, f.requests, f.count, &err) != ERR_NONE) {
		log_error("requests_not_accepted", LOG_NUMBER("requests", f.count), LOG_ERR(&err));
		flight_tell(&f, &err);
	} else {
		flight_run(r->e, &f);
		flight_tell(&f, NULL);
		realtime_follow_up(r->e);
	}
	arena_release(&f.arena);
}

static enum err_kind realtime_serve_open(struct realtime *r, struct err *err)
{
	const struct store *store = &r->e->store;
	struct arena arena = { .chunks = NULL };
	struct request *requests = NULL;
	size_t count = 0;
	bool *is_gone;
	enum err_kind kind;

	kind = store->ops->requests_open(store->self, REALTIME_OPEN_MAX, &arena, &requests, &count,
					 err);
	is_gone = arena_array(&arena, count, sizeof(*is_gone));
	for (size_t done = 0; kind == ERR_NONE && done < count; done += REALTIME_BATCH_MAX) {
		size_t n = count - done < REALTIME_BATCH_MAX ? count - done : REALTIME_BATCH_MAX;
		struct arena batch = { .chunks = NULL };

		requests_run(r->e, r->wanted_call, true, requests + done, n, is_gone + done, &batch,
			     r->wanted_report);
		arena_release(&batch);
	}
	arena_release(&arena);
	return kind;
}

/* Takes up to a batch of callers off the queue. Called with the lock held. */
static struct waiting *realtime_take(struct realtime *r, size_t *ret_count)
{
	struct waiting *list = r->first, **end = &list;
	size_t n = 0;

	while (*end && n < REALTIME_BATCH_MAX) {
		end = &(*end)->next;
		n++;
	}
	r->first = *end;
	if (!r->first)
		r->last = &r->first;
	*end = NULL;
	r->waiting_count -= n;
	*ret_count = n;
	return list;
}

/* The first caller waits a moment for company, so that a burst travels together. Called with the
 * lock held. */
static void realtime_window(struct realtime *r)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += REALTIME_WINDOW_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	while (!r->is_stopping && r->waiting_count < REALTIME_BATCH_MAX &&
	       pthread_cond_timedwait(&r->changed, &r->lock, &until) == 0)
		;
}

static void realtime_work_wanted(struct realtime *r)
{
	struct err err;
	enum err_kind kind;

	(void)pthread_mutex_unlock(&r->lock);
	kind = realtime_serve_open(r, &err);
	(void)pthread_mutex_lock(&r->lock);
	r->wanted_kind = kind;
	if (kind != ERR_NONE)
		r->wanted_err = err;
	r->is_wanted = false;
	(void)pthread_cond_broadcast(&r->changed);
}

static void *realtime_main(void *arg)
{
	struct realtime *r = arg;

	(void)pthread_mutex_lock(&r->lock);
	for (;;) {
		struct waiting *list;
		size_t count;

		while (!r->first && !r->is_wanted && !r->is_stopping)
			(void)pthread_cond_wait(&r->changed, &r->lock);
		if (r->first) {
			realtime_window(r);
			list = realtime_take(r, &count);
			(void)pthread_mutex_unlock(&r->lock);
			realtime_serve(r, list, count);
			(void)pthread_mutex_lock(&r->lock);
		}
		if (r->is_wanted)
			realtime_work_wanted(r);
		if (r->is_stopping && !r->first)
			break;
	}
	(void)pthread_mutex_unlock(&r->lock);
	return NULL;
}

enum err_kind realtime_work_open(struct engine *e, const struct call *call,
				 struct cycle_report *report, struct err *err)
{
	struct realtime *r = e->realtime;
	enum err_kind kind;

	(void)pthread_mutex_lock(&r->lock);
	r->wanted_call = call;
	r->wanted_report = report;
	r->is_wanted = !r->is_stopping;
	r->wanted_kind = ERR_NONE;
	(void)pthread_cond_broadcast(&r->changed);
	while (r->is_wanted)
		(void)pthread_cond_wait(&r->changed, &r->lock);
	kind = r->wanted_kind;
	if (kind != ERR_NONE)
		*err = r->wanted_err;
	(void)pthread_mutex_unlock(&r->lock);
	return kind;
}

struct realtime *realtime_start(struct engine *e, struct err *err)
{
	struct realtime *r = mem_alloc(sizeof(*r));
	pthread_condattr_t attr;

	r->e = e;
	r->last = &r->first;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&r->lock, NULL);
	(void)pthread_cond_init(&r->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	if (pthread_create(&r->thread, NULL, realtime_main, r) == 0)
		return r;
	(void)pthread_cond_destroy(&r->changed);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
	(void)err_set(err, ERR_OURS, "the real-time thread cannot be started");
	return NULL;
}

void realtime_stop(struct realtime *r)
{
	(void)pthread_mutex_lock(&r->lock);
	r->is_stopping = true;
	(void)pthread_cond_broadcast(&r->changed);
	(void)pthread_mutex_unlock(&r->lock);
	if (!r->is_joined)
		(void)pthread_join(r->thread, NULL);
	r->is_joined = true;
}

void realtime_free(struct realtime *r)
{
	if (!r)
		return;
	(void)pthread_cond_destroy(&r->changed);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
}

/* HTTP to the remotes: one I/O thread, a queue per origin and lane, a budget per origin
 * (INV-BUDGET), one origin only (INV-ORIGIN). Must not know what is asked for or answered. */
#include "remote/http.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "remote/http_address.h"
#include "remote/http_transfer.h"
#include "remote/wait.h"

enum {
	HTTP_SLEEP_MS = 60 * 1000, /* longest nap of the I/O thread when nothing is due */
	HTTP_IDLE_HANDLES_MAX = 32,
};

struct http_batch {
	size_t open; /* exchanges without an outcome */
	pthread_cond_t done;
};

/* From http_run to the outcome; lives on in exchange->internal. */
struct http_request {
	struct http_transfer transfer;
	struct http_origin *origin;
	struct http_batch *batch;
	struct http_request *next;  /* waiting: in its lane */
	struct http_request **link; /* running: what points here */
	bool is_counted;
};

struct http {
	CURLM *multi; /* the I/O thread's own, but for curl_multi_wakeup */
	pthread_t thread;
	pthread_mutex_t lock;  /* everything below, and every origin's queue and quota */
	pthread_cond_t cancel; /* told when is_cancelled becomes true */
	bool is_cancelled, is_ending;
	struct http_origin *origins;
	struct http_request *running;
};

struct http_lane {
	struct http_request *first, **end;
};

struct http_origin {
	struct http *http;
	struct http_origin *next;
	char *text;
	bool is_plain;
	struct quota quota;
	struct http_lane lanes[LANE_COUNT];
	struct http_lane uncounted;  /* token end points: they wait for nobody */
	int64_t soonest_deadline_ms; /* of the waiting ones; INT64_MAX none */
	CURL *idle[HTTP_IDLE_HANDLES_MAX];
	size_t idle_count;
	enum metric calls_metric, errors_metric;
	atomic_uint_fast64_t calls;
};

bool http_origin_owns(const struct http_origin *o, struct str url)
{
	char *text = url.n && !memchr(url.p, '\0', url.n) ? strndup(url.p, url.n) : NULL;
	bool is_plain, is_loopback, owns;
	char *origin = text ? http_address_origin(text, &is_plain, &is_loopback) : NULL;

	owns = origin && strcmp(origin, o->text) == 0;
	free(origin);
	free(text);
	return owns;
}

/* ---- outcomes; all with the lock held ---- */

static void http_tell(struct http_request *r)
{
	struct http_batch *batch = r->batch;

	r->transfer.exchange->internal = NULL;
	http_transfer_release(&r->transfer);
	free(r);
	if (--batch->open == 0)
		(void)pthread_cond_signal(&batch->done);
}

static void http_tell_error(struct http_request *r, enum err_kind kind, const char *text)
{
	struct http_exchange *x = r->transfer.exchange;

	x->kind = err_set(&x->err, kind, "%s", text);
	x->was_sent = false;
	http_tell(r);
}

static void http_give_back(struct http_request *r)
{
	struct http_origin *o = r->origin;

	if (r->is_counted)
		quota_done(&o->quota);
	if (r->transfer.easy && o->idle_count < HTTP_IDLE_HANDLES_MAX)
		o->idle[o->idle_count++] = r->transfer.easy;
	else if (r->transfer.easy)
		curl_easy_cleanup(r->transfer.easy);
	r->transfer.easy = NULL;
}

/* ---- the queue; all with the lock held ---- */

static void http_enqueue(struct http_origin *o, struct http_request *r)
{
	const struct http_exchange *x = r->transfer.exchange;
	struct http_lane *lane = x->uncounted ? &o->uncounted : &o->lanes[x->lane];

	*lane->end = r;
	lane->end = &r->next;
	if (x->deadline_ms > 0 && x->deadline_ms < o->soonest_deadline_ms)
		o->soonest_deadline_ms = x->deadline_ms;
}

static struct http_request *http_dequeue(struct http_lane *lane)
{
	struct http_request *r = lane->first;

	lane->first = r->next;
	if (!lane->first)
		lane->end = &lane->first;
	r->next = NULL;
	return r;
}

static void http_drop_late(struct http_origin *o, int64_t now_ms)
{
	if (now_ms < o->soonest_deadline_ms)
		return;
	o->soonest_deadline_ms = INT64_MAX;
	for (size_t i = 0; i < LANE_COUNT; i++) {
		struct http_request *all = o->lanes[i].first;

		o->lanes[i] = (struct http_lane){ NULL, &o->lanes[i].first };
		while (all) {
			struct http_request *r = all;
			int64_t deadline_ms = r->transfer.exchange->deadline_ms;

			all = r->next;
			r->next = NULL;
			if (deadline_ms > 0 && deadline_ms <= now_ms)
				http_tell_error(r, ERR_RETRY_LATER,
						"no turn came before the deadline");
			else
				http_enqueue(o, r);
		}
	}
}

static void http_launch(struct http *h, struct http_request *r, int64_t now_ms)
{
	struct http_origin *o = r->origin;
	struct http_transfer *t = &r->transfer;

	t->easy = o->idle_count ? o->idle[--o->idle_count] : http_transfer_handle(o->is_plain);
	if (!t->easy || !http_transfer_start(t, o->text, now_ms) ||
	    curl_multi_add_handle(h->multi, t->easy) != CURLM_OK) {
		http_give_back(r);
		http_tell_error(r, ERR_OURS, "curl could not start a request");
		return;
	}
	r->next = h->running;
	r->link = &h->running;
	if (r->next)
		r->next->link = &r->next;
	h->running = r;
	metric_add(o->calls_metric, 1);
	if (r->is_counted)
		atomic_fetch_add(&o->calls, 1);
}

static struct quota_now http_now(void)
{
	return (struct quota_now){ .mono_ms = clock_mono_ms(), .wall_ms = clock_wall_ms() };
}

static void http_admit_uncounted(struct http *h, struct http_origin *o, const struct quota_now *now)
{
	bool is_shut = quota_is_shut(&o->quota, now);

	while (o->uncounted.first) {
		struct http_request *r = http_dequeue(&o->uncounted);

		if (is_shut)
			http_tell_error(r, ERR_QUOTA, "no more calls are made today");
		else
			http_launch(h, r, now->mono_ms);
	}
}

/* Starts what the budget allows; shortens *wait_ms to when the next may go. The end of a call wakes
 * this thread by itself. */
static void http_admit(struct http *h, struct http_origin *o, const struct quota_now *now,
		       int64_t *wait_ms)
{
	http_admit_uncounted(h, o, now);
	http_drop_late(o, now->mono_ms);
	if (o->soonest_deadline_ms - now->mono_ms < *wait_ms)
		*wait_ms = o->soonest_deadline_ms - now->mono_ms;
	for (size_t i = 0; i < LANE_COUNT; i++) {
		while (o->lanes[i].first) {
			int64_t turn_ms = 0;
			enum quota_hold hold = quota_take(&o->quota, (enum lane)i, now, &turn_ms);

			if (hold != HOLD_NONE && hold < HOLD_DAY) {
				if (turn_ms < *wait_ms)
					*wait_ms = turn_ms;
				return;
			}
			if (hold == HOLD_NONE)
				http_launch(h, http_dequeue(&o->lanes[i]), now->mono_ms);
			else
				http_tell_error(http_dequeue(&o->lanes[i]), ERR_QUOTA,
						"no more calls are made today");
		}
	}
}

/* ---- the I/O thread ---- */

static void http_finish(struct http *h, struct http_request *r, CURLcode code)
{
	struct http_exchange *x = r->transfer.exchange;

	http_transfer_end(&r->transfer, code);
	(void)curl_multi_remove_handle(h->multi, r->transfer.easy);
	*r->link = r->next;
	if (r->next)
		r->next->link = r->link;
	if (x->kind != ERR_NONE || x->status >= 400)
		metric_add(r->origin->errors_metric, 1);
	http_give_back(r);
}

static bool http_collect(struct http *h)
{
	bool any = false;
	CURLMsg *m;
	int left;

	(void)pthread_mutex_lock(&h->lock);
	while ((m = curl_multi_info_read(h->multi, &left))) {
		struct http_transfer *t = NULL;
		struct http_request *r;

		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		r = (struct http_request *)t; /* its first member */
		http_finish(h, r, m->data.result);
		http_tell(r);
		any = true;
	}
	(void)pthread_mutex_unlock(&h->lock);
	return any;
}

static void http_stop_all(struct http *h)
{
	for (struct http_origin *o = h->origins; o; o = o->next) {
		while (o->uncounted.first)
			http_tell_error(http_dequeue(&o->uncounted), ERR_STOPPED,
					"the program is ending");
		for (size_t i = 0; i < LANE_COUNT; i++) {
			while (o->lanes[i].first)
				http_tell_error(http_dequeue(&o->lanes[i]), ERR_STOPPED,
						"the program is ending");
		}
	}
	while (h->running) {
		struct http_request *r = h->running;
		struct http_exchange *x = r->transfer.exchange;

		http_finish(h, r, CURLE_ABORTED_BY_CALLBACK);
		x->kind = err_set(&x->err, ERR_STOPPED, "the program is ending");
		http_tell(r);
	}
}

static void *http_main(void *context)
{
	struct http *h = context;
	int active;

	while (true) {
		int64_t wait_ms = HTTP_SLEEP_MS;
		struct quota_now now;
		bool is_ending;

		(void)pthread_mutex_lock(&h->lock);
		now = http_now(); /* not before the lock was waited for */
		if (h->is_cancelled)
			http_stop_all(h);
		for (struct http_origin *o = h->origins; o; o = o->next)
			http_admit(h, o, &now, &wait_ms);
		is_ending = h->is_ending;
		(void)pthread_mutex_unlock(&h->lock);
		if (is_ending)
			return NULL;
		(void)curl_multi_perform(h->multi, &active);
		if (http_collect(h))
			continue; /* room was made: look at the queues before sleeping */
		(void)curl_multi_poll(h->multi, NULL, 0, (int)(wait_ms < 0 ? 0 : wait_ms), NULL);
	}
}

/* ---- interface ---- */

static void http_start_curl(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void http_condition(pthread_cond_t *c)
{
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(c, &attr);
	(void)pthread_condattr_destroy(&attr);
}

struct http *http_new(struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http *h;

	(void)pthread_once(&once, http_start_curl);
	h = mem_alloc(sizeof(*h));
	h->multi = curl_multi_init();
	(void)pthread_mutex_init(&h->lock, NULL);
	http_condition(&h->cancel);
	if (h->multi && pthread_create(&h->thread, NULL, http_main, h) == 0)
		return h;
	(void)err_set(err, ERR_OURS, "the thread for HTTP could not be started");
	(void)curl_multi_cleanup(h->multi);
	(void)pthread_cond_destroy(&h->cancel);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
	return NULL;
}

void http_cancel_all(struct http *h)
{
	(void)pthread_mutex_lock(&h->lock);
	h->is_cancelled = true;
	(void)pthread_cond_broadcast(&h->cancel);
	(void)pthread_mutex_unlock(&h->lock);
	(void)curl_multi_wakeup(h->multi);
}

/* Origins are freed before: they hold handles and a place in the list. */
void http_free(struct http *h)
{
	if (!h)
		return;
	(void)pthread_mutex_lock(&h->lock);
	h->is_ending = true;
	(void)pthread_mutex_unlock(&h->lock);
	http_cancel_all(h);
	(void)pthread_join(h->thread, NULL);
	(void)curl_multi_cleanup(h->multi);
	(void)pthread_cond_destroy(&h->cancel);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
}

bool http_origin_wait_ms(struct http_origin *o, int64_t ms)
{
	struct http *h = o->http;
	int64_t until_ms = clock_mono_ms() + (ms > 0 ? ms : 0);
	struct timespec until = { (time_t)(until_ms / 1000), (long)(until_ms % 1000) * 1000000 };
	bool is_cancelled;
	int late = 0;

	(void)pthread_mutex_lock(&h->lock);
	while (!h->is_cancelled && !late)
		late = pthread_cond_timedwait(&h->cancel, &h->lock, &until);
	is_cancelled = h->is_cancelled;
	(void)pthread_mutex_unlock(&h->lock);
	return !is_cancelled;
}

struct http_origin *http_origin_new(struct http *h, const char *url,
				    const struct quota_limits *limits, enum metric calls,
				    enum metric call_errors, struct err *err)
{
	bool is_plain = false, is_loopback = false;
	char *text = http_address_origin(url, &is_plain, &is_loopback);
	struct http_origin *o;

	if (!text) {
		(void)err_set(err, ERR_CONFIG,
			      "an address must look like https://host, without a user name in it");
		return NULL;
	}
	if (is_plain && !is_loopback) {
		(void)err_set(err, ERR_CONFIG,
			      "%.200s: plain http is for loopback addresses only; use https", text);
		free(text);
		return NULL;
	}
	o = mem_alloc(sizeof(*o));
	o->http = h;
	o->text = text;
	o->is_plain = is_plain;
	o->soonest_deadline_ms = INT64_MAX;
	o->calls_metric = calls;
	o->errors_metric = call_errors;
	quota_init(&o->quota, limits);
	o->uncounted.end = &o->uncounted.first;
	for (size_t i = 0; i < LANE_COUNT; i++)
		o->lanes[i].end = &o->lanes[i].first;
	(void)pthread_mutex_lock(&h->lock);
	o->next = h->origins;
	h->origins = o;
	(void)pthread_mutex_unlock(&h->lock);
	return o;
}

void http_origin_free(struct http_origin *o)
{
	struct http *h = o ? o->http : NULL;

	if (!o)
		return;
	(void)pthread_mutex_lock(&h->lock);
	for (struct http_origin **p = &h->origins; *p; p = &(*p)->next) {
		if (*p == o) {
			*p = o->next;
			break;
		}
	}
	while (o->idle_count)
		curl_easy_cleanup(o->idle[--o->idle_count]);
	(void)pthread_mutex_unlock(&h->lock);
	quota_release(&o->quota);
	free(o->text);
	free(o);
}

const char *http_origin_text(const struct http_origin *o)
{
	return o->text;
}

uint64_t http_origin_calls(const struct http_origin *o)
{
	return atomic_load(&o->calls);
}

void http_origin_close(struct http_origin *o, int64_t wait_ms)
{
	(void)pthread_mutex_lock(&o->http->lock);
	quota_close(&o->quota, clock_mono_ms() + wait_ms);
	(void)pthread_mutex_unlock(&o->http->lock);
}

/* What waits for its turn is told: the I/O thread does that. */
void http_origin_shut(struct http_origin *o, int64_t until_wall_ms)
{
	(void)pthread_mutex_lock(&o->http->lock);
	quota_shut(&o->quota, until_wall_ms);
	(void)pthread_mutex_unlock(&o->http->lock);
	(void)curl_multi_wakeup(o->http->multi);
}

void http_origin_reopen(struct http_origin *o)
{
	(void)pthread_mutex_lock(&o->http->lock);
	quota_reopen(&o->quota);
	(void)pthread_mutex_unlock(&o->http->lock);
}

void http_origin_note_usage(struct http_origin *o, int64_t day, uint64_t all, uint64_t ours)
{
	struct quota_now now = http_now();

	(void)pthread_mutex_lock(&o->http->lock);
	quota_note_usage(&o->quota, &now, day, all, ours);
	(void)pthread_mutex_unlock(&o->http->lock);
}

void http_origin_look(struct http_origin *o, struct budget *ret)
{
	struct quota_now now = http_now();

	(void)pthread_mutex_lock(&o->http->lock);
	quota_look(&o->quota, &now, ret);
	(void)pthread_mutex_unlock(&o->http->lock);
}

void http_origin_set_concurrency(struct http_origin *o, uint32_t concurrent)
{
	(void)pthread_mutex_lock(&o->http->lock);
	o->quota.limits.concurrent = concurrent;
	(void)pthread_mutex_unlock(&o->http->lock);
	(void)curl_multi_wakeup(o->http->multi);
}

/* Outcomes that need no I/O thread; true when the exchange has one. */
static bool http_refuse(struct http_origin *o, struct http_exchange *x)
{
	if (o->http->is_cancelled)
		x->kind = err_set(&x->err, ERR_STOPPED, "the program is ending");
	else if (x->path[0] != '/' && !http_origin_owns(o, str_of(x->path)))
		x->kind = err_set(&x->err, ERR_RUBBISH, "an address outside %s was to be called",
				  o->text);
	else
		return false;
	return true;
}

void http_run(struct http_origin *o, struct http_exchange *exchanges, size_t count)
{
	struct http *h = o->http;
	struct http_batch batch = { 0 };

	http_condition(&batch.done);
	(void)pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < count; i++) {
		struct http_exchange *x = &exchanges[i];
		struct http_request *r;

		x->retry_after_ms = -1;
		x->status = 0;
		x->was_sent = false;
		x->started_ms = x->took_ms = 0;
		if (http_refuse(o, x))
			continue;
		r = mem_alloc(sizeof(*r));
		r->transfer.exchange = x;
		r->origin = o;
		r->batch = &batch;
		r->is_counted = !x->uncounted;
		x->internal = r;
		batch.open++;
		http_enqueue(o, r);
	}
	(void)pthread_mutex_unlock(&h->lock);
	if (batch.open)
		(void)curl_multi_wakeup(h->multi);
	(void)pthread_mutex_lock(&h->lock);
	while (batch.open)
		(void)pthread_cond_wait(&batch.done, &h->lock);
	(void)pthread_mutex_unlock(&h->lock);
	(void)pthread_cond_destroy(&batch.done);
}

void http_exchange_release(struct http_exchange *x)
{
	buf_release(&x->body_in);
}

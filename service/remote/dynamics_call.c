/* Sending to Dataverse; see dynamics_call.h. Must not know tables, columns or values. */
#include "remote/dynamics_call.h"

#include "base/clock.h"
#include "base/mem.h"
#include "core/fingerprint.h"
#include "core/retry.h"
#include "remote/json.h"
#include "remote/wait.h"

enum {
	TRIES_OFTEN = 5,
	TRIES_FEW = 3,
	PAUSE_BASE_MS = 1000,
	PAUSE_MAX_MS = 16 * 1000,
	TIMEOUT_MS = 150 * 1000,     /* the server itself gives up after about two minutes */
	THROTTLE_WAIT_MS = 5 * 1000, /* when no Retry-After came along */
	THROTTLE_PATIENCE_MS = 10 * 60 * 1000,
	SLOW_MS = 300 * 1000, /* the window of service protection */
};

/* The setting, the server's hint, and half of it while slow. With the lock held. */
static uint32_t parallel_allowed(const struct dynamics *d, int64_t now_ms)
{
	uint32_t n = d->parallel_max;

	if (d->hint > 0 && (uint32_t)d->hint < n)
		n = (uint32_t)d->hint;
	return now_ms < d->slow_until_ms && n > 1 ? n / 2 : n;
}

uint32_t dynamics_parallel(struct dynamics *d)
{
	uint32_t n;

	(void)pthread_mutex_lock(&d->lock);
	n = load_now(&d->load, parallel_allowed(d, clock_mono_ms()));
	(void)pthread_mutex_unlock(&d->lock);
	return n;
}

/* Takes in what an answer advises and how long it took, so that service protection has no reason
 * to speak; notices when a slow time is over. */
static void note_answer(struct dynamics *d, const struct http_exchange *x)
{
	int64_t now_ms = clock_mono_ms();
	uint32_t parallel;
	bool is_new;

	(void)pthread_mutex_lock(&d->lock);
	if (x->dop_hint > 0)
		d->hint = x->dop_hint;
	load_add(&d->load, x->started_ms, x->took_ms);
	parallel = load_concurrency(&d->load, now_ms, parallel_allowed(d, now_ms));
	is_new = parallel != d->parallel;
	d->parallel = parallel;
	(void)pthread_mutex_unlock(&d->lock);
	if (is_new)
		http_origin_set_concurrency(d->origin, parallel);
}

/* Fewer at once is the answer to too much work and to too many at once, not to too many requests
 * ("Microsoft Learn: Service protection API limits"). */
void dynamics_throttled(struct dynamics *d, const char *code, int64_t retry_after_ms)
{
	uint32_t parallel;

	http_origin_close(d->origin, retry_after_ms >= 0 ? retry_after_ms : THROTTLE_WAIT_MS);
	if (strcmp(code, "0x80072321") != 0 && strcmp(code, "0x80072326") != 0)
		return;
	(void)pthread_mutex_lock(&d->lock);
	d->slow_until_ms = clock_mono_ms() + SLOW_MS;
	parallel = load_now(&d->load, parallel_allowed(d, clock_mono_ms()));
	d->parallel = parallel;
	(void)pthread_mutex_unlock(&d->lock);
	http_origin_set_concurrency(d->origin, parallel);
}

enum err_kind dynamics_pause(struct dynamics *d, const struct call *call, unsigned attempt,
			     struct err *err)
{
	uint32_t chance;
	int64_t wait_ms;

	fingerprint_random(&chance, sizeof(chance));
	wait_ms = retry_delay_ms(attempt, PAUSE_BASE_MS, PAUSE_MAX_MS, -1, chance);
	if (call->deadline_ms && clock_mono_ms() + wait_ms >= call->deadline_ms)
		return err_set(err, ERR_RETRY_LATER,
			       "Dynamics did not recover before the deadline");
	if (!http_origin_wait_ms(d->origin, wait_ms))
		return err_set(err, ERR_STOPPED, "the program is ending");
	return ERR_NONE;
}

/* ---- one request ---- */

static void prepare(struct dynamics_request *r, const struct call *call, const char *authorization,
		    struct http_exchange *ret)
{
	size_t n = 0;
	bool is_get = !r->method || strcmp(r->method, "GET") == 0;

	r->headers[n++] = authorization;
	r->headers[n++] = "Accept: application/json";
	r->headers[n++] = "OData-MaxVersion: 4.0";
	r->headers[n++] = "OData-Version: 4.0";
	if (is_get)
		r->headers[n++] = "If-None-Match: null";
	if (r->is_strong)
		r->headers[n++] = "Consistency: Strong";
	if (r->prefer || r->wants_labels) {
		snprintf(r->prefer_line, sizeof(r->prefer_line), "Prefer: %s%s%s",
			 r->prefer ? r->prefer : "", r->prefer && r->wants_labels ? "," : "",
			 r->wants_labels ? DYNAMICS_LABELS : "");
		r->headers[n++] = r->prefer_line;
	}
	if (r->content_type) {
		snprintf(r->type_line, sizeof(r->type_line), "Content-Type: %s", r->content_type);
		r->headers[n++] = r->type_line;
	}
	r->headers[n] = NULL;
	*ret = (struct http_exchange){
		.method = r->method ? r->method : "GET",
		.path = r->path,
		.headers = r->headers,
		.body = r->body,
		.lane = call->lane,
		.timeout_ms = TIMEOUT_MS,
		.deadline_ms = call->deadline_ms,
	};
}

static void finish(struct dynamics_request *r, enum err_kind kind)
{
	r->kind = kind;
	r->err.kind = kind;
	r->is_done = true;
}

static bool is_multipart(const struct http_exchange *x)
{
	return str_starts(str_of(x->content_type), STR("multipart/mixed"));
}

/* What is asked by writing is for its maker to know. */
static enum err_kind kind_of_request(const struct dynamics_request *r)
{
	return r->is_batch || r->is_bulk ? r->kind
					 : dynamics_err_of_reading(r->kind, r->answer.status);
}

/* Answers whether a pause is due before the next round. */
static bool settle_error(struct dynamics *d, const struct call *call, struct dynamics_request *r,
			 uint64_t serial)
{
	int64_t now_ms = clock_mono_ms(), wait_ms = r->err.retry_after_ms;
	unsigned tries_max = r->repeat == REPEAT_TWICE ? TRIES_FEW : TRIES_OFTEN;

	switch (r->repeat) {
	case REPEAT_NEVER:
		finish(r, kind_of_request(r));
		return false;
	case REPEAT_NEW_TOKEN:
		dynamics_token_reject(d->token, serial);
		if (r->is_renewed)
			finish(r, r->kind);
		r->is_renewed = true;
		return false;
	case REPEAT_WHEN_TOLD:
		dynamics_throttled(d, r->err.code, wait_ms);
		wait_ms = wait_ms >= 0 ? wait_ms : THROTTLE_WAIT_MS;
		if (!r->throttled_since_ms)
			r->throttled_since_ms = now_ms;
		if (now_ms - r->throttled_since_ms > THROTTLE_PATIENCE_MS ||
		    (call->deadline_ms && now_ms + wait_ms >= call->deadline_ms))
			finish(r, ERR_THROTTLED);
		return false;
	case REPEAT_SMALLER: /* a batch is cut by its maker; a reading that took too long is tried
				again as it is */
	case REPEAT_TWICE:
	case REPEAT_OFTEN:
		if (r->is_bulk)
			finish(r, r->kind);
		else if (r->repeat == REPEAT_SMALLER && (r->is_batch || r->kind == ERR_REFUSED))
			finish(r, kind_of_request(r));
		else if (++r->tries >= tries_max)
			finish(r, kind_of_request(r));
		return !r->is_done;
	}
	return false;
}

static bool settle(struct dynamics *d, const struct call *call, struct dynamics_request *r,
		   uint64_t serial)
{
	struct http_exchange *x = &r->answer;
	struct dynamics_answer answer = {
		.status = x->status,
		.retry_after_ms = x->retry_after_ms,
		.body = buf_str(&x->body_in),
	};

	if (x->was_sent)
		note_answer(d, x);
	if (x->kind != ERR_NONE) {
		r->err = x->err;
		r->kind = x->kind;
		r->repeat = x->kind == ERR_RETRY_LATER ? REPEAT_OFTEN : REPEAT_NEVER;
		return settle_error(d, call, r, serial);
	}
	if ((x->status >= 200 && x->status < 300) || (r->is_batch && is_multipart(x))) {
		finish(r, ERR_NONE);
		return false;
	}
	r->kind = dynamics_err_judge(&answer, &r->repeat, &r->err);
	return settle_error(d, call, r, serial);
}

/* ---- rounds ---- */

static size_t count_open(const struct dynamics_request *requests, size_t count)
{
	size_t open = 0;

	for (size_t i = 0; i < count; i++)
		open += !requests[i].is_done;
	return open;
}

static void finish_all(struct dynamics_request *requests, size_t count, enum err_kind kind,
		       const struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (requests[i].is_done)
			continue;
		requests[i].err = *err;
		requests[i].repeat = REPEAT_NEVER;
		finish(&requests[i], kind);
	}
}

/* No time is left for another try: what the last one answered says most. */
static void give_up(struct dynamics_request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!requests[i].is_done)
			finish(&requests[i], ERR_RETRY_LATER);
}

static void forget(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_release(b);
}

/* Sends what has no outcome yet, once. Answers whether a pause is due before the next round. */
static bool send_round(struct dynamics *d, const struct call *call,
		       struct dynamics_request *requests, size_t count)
{
	size_t open = count_open(requests, count), at = 0;
	struct http_exchange *exchanges = mem_array(open, sizeof(*exchanges));
	struct buf authorization = { 0 };
	struct err err = { .retry_after_ms = -1 };
	uint64_t serial = 0;
	bool must_pause = false;
	enum err_kind kind = dynamics_token_get(d->token, call, &authorization, &serial, &err);

	if (kind != ERR_NONE) {
		finish_all(requests, count, kind, &err);
		free(exchanges);
		return false;
	}
	for (size_t i = 0; i < count; i++)
		if (!requests[i].is_done)
			prepare(&requests[i], call, buf_cstr(&authorization), &exchanges[at++]);
	http_run(d->origin, exchanges, open);
	forget(&authorization);
	at = 0;
	for (size_t i = 0; i < count; i++) {
		if (requests[i].is_done)
			continue;
		http_exchange_release(&requests[i].answer);
		requests[i].answer = exchanges[at++];
		requests[i].answer.headers = NULL;
		must_pause = settle(d, call, &requests[i], serial) || must_pause;
	}
	free(exchanges);
	return must_pause;
}

enum err_kind dynamics_send(struct dynamics *d, const struct call *call,
			    struct dynamics_request *requests, size_t count, struct err *err)
{
	unsigned attempt = 0;

	for (size_t i = 0; i < count; i++)
		requests[i].err.retry_after_ms = -1;
	while (count_open(requests, count)) {
		struct err pause_err = { .retry_after_ms = -1 };
		enum err_kind kind;

		if (!send_round(d, call, requests, count))
			continue;
		kind = dynamics_pause(d, call, ++attempt, &pause_err);
		if (kind == ERR_RETRY_LATER)
			give_up(requests, count);
		else if (kind != ERR_NONE)
			finish_all(requests, count, kind, &pause_err);
	}
	for (size_t i = 0; i < count; i++) {
		if (requests[i].kind == ERR_NONE)
			continue;
		if (err)
			*err = requests[i].err;
		return requests[i].kind;
	}
	return ERR_NONE;
}

void dynamics_request_release(struct dynamics_request *r)
{
	http_exchange_release(&r->answer);
}

/* ---- small answers ---- */

enum err_kind dynamics_tree(struct str body, struct json_object **ret, struct err *err)
{
	struct json_object *all = json_tree(body);

	if (!all)
		return err_set(err, ERR_RUBBISH,
			       "Dynamics answered with something that is not JSON");
	*ret = all;
	return ERR_NONE;
}

enum err_kind dynamics_get(struct dynamics *d, const struct call *call, const char *path,
			   struct json_object **ret, struct err *err)
{
	struct dynamics_request r = { .path = path };
	enum err_kind kind = dynamics_send(d, call, &r, 1, err);

	if (kind == ERR_NONE)
		kind = dynamics_tree(buf_str(&r.answer.body_in), ret, err);
	dynamics_request_release(&r);
	return kind;
}

enum err_kind dynamics_identify(struct dynamics *d, const struct call *call,
				struct guid *ret_organisation, struct err *err)
{
	struct json_object *answer = NULL;
	struct guid user, organisation;
	struct str user_text, organisation_text;
	enum err_kind kind = dynamics_get(d, call, DYNAMICS_ROOT "WhoAmI", &answer, err);

	if (kind != ERR_NONE)
		return kind;
	if (!json_get_string(answer, "UserId", &user_text) || !guid_parse(user_text, &user) ||
	    !json_get_string(answer, "OrganizationId", &organisation_text) ||
	    !guid_parse(organisation_text, &organisation)) {
		kind = err_set(err, ERR_RUBBISH, "WhoAmI answered without user and organisation");
	} else {
		(void)pthread_mutex_lock(&d->lock);
		d->user_id = user;
		d->has_user = true;
		(void)pthread_mutex_unlock(&d->lock);
		*ret_organisation = organisation;
	}
	json_object_put(answer);
	return kind;
}

enum err_kind dynamics_user(struct dynamics *d, const struct call *call, struct guid *ret,
			    struct err *err)
{
	struct guid organisation;
	enum err_kind kind = ERR_NONE;
	bool has_user;

	(void)pthread_mutex_lock(&d->lock);
	has_user = d->has_user;
	(void)pthread_mutex_unlock(&d->lock);
	if (!has_user)
		kind = dynamics_identify(d, call, &organisation, err);
	if (kind != ERR_NONE)
		return kind;
	(void)pthread_mutex_lock(&d->lock);
	*ret = d->user_id;
	(void)pthread_mutex_unlock(&d->lock);
	return ERR_NONE;
}

char *dynamics_user_path(struct arena *a, const struct guid *user, const char *function)
{
	char id[GUID_TEXT];

	guid_print(user, id);
	return arena_fmt(a, DYNAMICS_ROOT "systemusers(%s)/Microsoft.Dynamics.CRM.%s()", id,
			 function);
}

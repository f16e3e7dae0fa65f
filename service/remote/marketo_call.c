/* Calls to Marketo: the token, the repeats, the pauses; see marketo_call.h. Reactions follow
 * "Adobe: Error Codes". Must not know what is read or written. */
#include "remote/marketo_call.h"

#include <stdio.h>

#include "base/clock.h"
#include "core/fingerprint.h"
#include "core/forecast.h"
#include "core/retry.h"
#include "remote/wait.h"

enum {
	CALL_TRIES_MAX = 5,
	CALL_BASE_MS = 1000, /* of the growing pause */
	CALL_BASE_REALTIME_MS = 200,
	CALL_MAX_MS = 60 * 1000,
	CALL_PAUSE_MS = 5000,          /* the first pause after too many calls in the window */
	CALL_PAUSE_MAX_MS = 20 * 1000, /* the window is empty after so long */
	CALL_PAUSES_TOTAL_MS = 60 * 1000,
	CALL_HEADERS_MAX = 6,
	CALL_SHORT_PAUSE_MS = 2000, /* after too many calls at once: half of it or more */
};

const char marketo_json[] = "Content-Type: application/json";
const char marketo_form[] = "Content-Type: application/x-www-form-urlencoded";

/* How far one request has come in a run. */
struct call_progress {
	struct marketo_request *request;
	enum { CALL_PENDING, CALL_DONE } state;
	enum marketo_reaction reaction;
	unsigned tries; /* failures that were worth a repeat */
	unsigned pauses;
	int64_t paused_ms;
	bool was_renewed;
	int64_t wait_ms; /* before the next try */
	uint64_t token_serial;
};

void marketo_request_release(struct marketo_request *r)
{
	marketo_answer_release(&r->answer);
	buf_release(&r->file);
}

bool marketo_has_next(const struct marketo_request *r)
{
	return r->answer.next_page_token.len > 0 &&
	       (!r->answer.has_more_result || r->answer.more_result);
}

static uint32_t call_chance(void)
{
	uint32_t chance;

	fingerprint_random(&chance, sizeof(chance));
	return chance;
}

/* ---- reading outcomes ---- */

/* Errors of calls for a file come as JSON. A file begins with the names of its columns, so the
 * whole of it never begins like JSON; a part may. */
static bool call_is_file(const struct marketo_request *r, const struct http_exchange *x)
{
	return r->is_file && (x->status == 206 ||
			      (x->status == 200 && !str_starts(buf_str(&x->body_in), STR("{"))));
}

/* Content-Range "bytes 0-9999/98213" (RFC 9110, 14.4). An answer with the whole file has none. */
static enum err_kind call_read_file(struct marketo_request *r, struct http_exchange *x)
{
	struct str range = str_of(x->content_range), last;

	r->is_whole_file = x->status == 200;
	r->file_at = 0;
	r->file_bytes = r->is_whole_file ? (int64_t)x->body_in.len : -1;
	if (!r->is_whole_file) {
		(void)str_cut(&range, ' ');
		last = str_cut(&range, '/');
		if (!str_int64(str_cut(&last, '-'), 0, INT64_MAX, &r->file_at))
			return err_set(&r->err, ERR_RUBBISH,
				       "a part of a file does not say where it stands");
		(void)!str_int64(range, 0, INT64_MAX, &r->file_bytes);
	}
	buf_release(&r->file);
	r->file = x->body_in;
	x->body_in = (struct buf){ .max = x->answer_max };
	return ERR_NONE;
}

/* "Adobe: Bulk Extract": nothing there means that the file is not there (any more). */
static enum err_kind call_read_status(struct call_progress *p, int status)
{
	struct marketo_request *r = p->request;

	if (!r->is_file || (status != 404 && status != 416))
		return marketo_status_read(status, &p->reaction, &r->err);
	p->reaction = MARKETO_FAIL;
	r->err.http_status = status;
	return err_set(&r->err, ERR_EXPIRED, "HTTP %d: Marketo does not have the file", status);
}

static void call_read(struct call_progress *p, struct http_exchange *x)
{
	struct marketo_request *r = p->request;
	bool is_denied;

	r->err = (struct err){ .kind = ERR_NONE, .retry_after_ms = -1 };
	r->must_split = r->is_unknown = false;
	if (x->kind != ERR_NONE) {
		p->reaction = x->kind == ERR_RETRY_LATER ? MARKETO_BACK_OFF : MARKETO_FAIL;
		r->kind = x->kind;
		r->err = x->err;
		r->is_unknown = x->was_sent;
		return;
	}
	if (call_is_file(r, x)) {
		p->reaction = MARKETO_FAIL;
		r->kind = call_read_file(r, x);
	} else if (x->status >= 200 && x->status < 300) {
		r->kind = marketo_answer_read(buf_str(&x->body_in), r->sink, &r->answer,
					      &p->reaction, &r->err);
		/* Where nothing is done at once, Marketo says that it did not begin. */
		r->is_unknown = r->kind == ERR_RUBBISH ||
				(r->kind == ERR_RETRY_LATER && p->reaction != MARKETO_FAIL);
	} else {
		r->kind = call_read_status(p, x->status);
		r->is_unknown = x->status >= 500 || x->status == 408;
	}
	is_denied = strcmp(r->err.code, "603") == 0 || r->err.http_status == 403;
	if (r->kind != ERR_NONE && x->retry_after_ms >= 0)
		r->err.retry_after_ms = x->retry_after_ms;
	if (is_denied && r->permission)
		(void)snprintf(
			r->err.text, sizeof(r->err.text),
			"access denied: give the role of the API user the permission \"%s\", and look at the address allow-list",
			r->permission);
}

/* ---- what to do next ---- */

static void call_renew(struct marketo *m, struct call_progress *p)
{
	/* Nothing was executed, so the repeat is safe for every call. A token that is refused twice
	 * is no accident. */
	marketo_token_drop(m->token, p->token_serial);
	p->state = p->was_renewed ? CALL_DONE : CALL_PENDING;
	p->was_renewed = true;
}

/* The whole side waits (INV-BUDGET); the repeat itself waits for its turn like every other call. */
static void call_pause(struct marketo *m, struct call_progress *p)
{
	bool is_short = p->reaction == MARKETO_SHORT_PAUSE;
	int64_t base_ms = is_short ? CALL_SHORT_PAUSE_MS : CALL_PAUSE_MS;
	int64_t hint_ms = p->request->err.http_status == 429 ? p->request->err.retry_after_ms : -1;
	int64_t wait_ms = retry_delay_ms(is_short ? 1 : ++p->pauses, base_ms, CALL_PAUSE_MAX_MS,
					 hint_ms, call_chance());

	p->paused_ms += wait_ms;
	http_origin_close(m->origin, wait_ms);
	p->state = p->paused_ms > CALL_PAUSES_TOTAL_MS ? CALL_DONE : CALL_PENDING;
}

/* No probe in between: Marketo says when its day ends, and nothing opens the quota before. An
 * operator may (marketo_reopen). */
static void call_shut(struct marketo *m, struct call_progress *p)
{
	http_origin_shut(m->origin, forecast_reset(clock_wall_ms() / 1000) * 1000);
	p->state = CALL_DONE;
}

static void call_back_off(const struct call *call, struct call_progress *p)
{
	struct marketo_request *r = p->request;
	int64_t base_ms = call->lane == LANE_REALTIME ? CALL_BASE_REALTIME_MS : CALL_BASE_MS;

	p->state = CALL_DONE;
	r->must_split = p->reaction == MARKETO_BACK_OFF_SPLIT;
	if ((r->is_once && r->is_unknown) || (r->is_part && r->must_split))
		return;
	if (++p->tries >=
	    (p->reaction == MARKETO_BACK_OFF_SPLIT ? CALL_TRIES_MAX - 2 : CALL_TRIES_MAX))
		return;
	p->wait_ms = retry_delay_ms(p->tries, base_ms, CALL_MAX_MS, r->err.retry_after_ms,
				    call_chance());
	if (call->deadline_ms > 0 && clock_mono_ms() + p->wait_ms >= call->deadline_ms)
		return;
	p->state = CALL_PENDING;
}

static void call_react(struct marketo *m, const struct call *call, struct call_progress *p)
{
	p->wait_ms = 0;
	switch (p->reaction) {
	case MARKETO_RENEW:
		call_renew(m, p);
		return;
	case MARKETO_PAUSE:
	case MARKETO_SHORT_PAUSE:
		call_pause(m, p);
		return;
	case MARKETO_SHUT:
		call_shut(m, p);
		return;
	case MARKETO_BACK_OFF:
	case MARKETO_BACK_OFF_SPLIT:
		call_back_off(call, p);
		return;
	case MARKETO_SPLIT:
		p->request->must_split = true;
		p->state = CALL_DONE;
		return;
	case MARKETO_FAIL:
	case MARKETO_EMPTY:
		p->state = CALL_DONE;
		return;
	}
}

/* ---- one round: everything pending goes out once ---- */

static void call_fail_pending(struct call_progress *all, size_t count, enum err_kind kind,
			      const struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (all[i].state != CALL_PENDING)
			continue;
		all[i].state = CALL_DONE;
		all[i].request->kind = kind;
		all[i].request->err = *err;
	}
}

/* Behind the token. The bytes of a file are counted and checked as they are stored, so they come
 * unpacked. */
static void call_headers(const struct marketo_request *r, const char **ret)
{
	size_t n = 1;

	ret[n++] = r->is_file ? "Accept: */*" : "Accept: application/json";
	if (r->is_file)
		ret[n++] = "Accept-Encoding: identity";
	if (r->range)
		ret[n++] = r->range;
	ret[n] = r->content_type;
}

static void call_round(struct marketo *m, const struct call *call, struct call_progress *all,
		       size_t count)
{
	char bearer[MARKETO_HEADER_MAX];
	const char *headers[MARKETO_PARALLEL][CALL_HEADERS_MAX] = { { NULL } };
	struct http_exchange x[MARKETO_PARALLEL] = { { 0 } };
	struct call_progress *sent[MARKETO_PARALLEL];
	struct err err = { .kind = ERR_NONE };
	uint64_t serial = 0;
	size_t n = 0;
	enum err_kind kind = marketo_token_get(m->token, call, bearer, &serial, &err);

	if (kind != ERR_NONE) {
		call_fail_pending(all, count, kind, &err);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct marketo_request *r = all[i].request;

		if (all[i].state != CALL_PENDING)
			continue;
		headers[n][0] = bearer;
		call_headers(r, headers[n]);
		x[n] = (struct http_exchange){ .method = r->content_type ? "POST" : "GET",
					       .path = r->path,
					       .headers = headers[n],
					       .body = r->body,
					       .lane = call->lane,
					       .timeout_ms = r->timeout_ms,
					       .deadline_ms = call->deadline_ms };
		all[i].token_serial = serial;
		sent[n++] = &all[i];
	}
	http_run(m->origin, x, n);
	for (size_t i = 0; i < n; i++) {
		call_read(sent[i], &x[i]);
		http_exchange_release(&x[i]);
		call_react(m, call, sent[i]);
	}
}

/* Whether Marketo refused for today or we did: until when, and why. */
static void call_explain(struct marketo *m, struct marketo_request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct remote_budget budget;
		struct err *err = &requests[i].err;

		if (requests[i].kind != ERR_QUOTA)
			continue;
		marketo_budget(m, &budget);
		if (!budget.reason[0])
			continue; /* the day has ended meanwhile */
		(void)snprintf(err->text, sizeof(err->text), "%s", budget.reason);
		err->retry_after_ms = budget.now.held_until_ms - clock_wall_ms();
	}
}

static void call_rounds(struct marketo *m, const struct call *call,
			struct marketo_request *requests, size_t count)
{
	struct call_progress all[MARKETO_PARALLEL] = { { 0 } };
	size_t pending = count;

	for (size_t i = 0; i < count; i++)
		all[i].request = &requests[i];
	while (pending) {
		int64_t wait_ms = 0;

		call_round(m, call, all, count);
		pending = 0;
		for (size_t i = 0; i < count; i++) {
			if (all[i].state != CALL_PENDING)
				continue;
			pending++;
			wait_ms = all[i].wait_ms > wait_ms ? all[i].wait_ms : wait_ms;
		}
		if (pending && wait_ms && !http_origin_wait_ms(m->origin, wait_ms)) {
			struct err err;

			call_fail_pending(all, count,
					  err_set(&err, ERR_STOPPED, "the program is ending"),
					  &err);
			return;
		}
	}
}

void marketo_run(struct marketo *m, const struct call *call, struct marketo_request *requests,
		 size_t count)
{
	call_rounds(m, call, requests, count);
	call_explain(m, requests, count);
}

enum err_kind marketo_ask(struct marketo *m, const struct call *call, struct marketo_request *r,
			  struct err *err)
{
	marketo_run(m, call, r, 1);
	if (r->kind != ERR_NONE && err) {
		*err = r->err;
		err->kind = r->kind;
	}
	return r->kind;
}

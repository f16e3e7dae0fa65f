/* Sending writes: what bulk requests (dynamics_bulk.c) do not do is cut into batches, several at
 * once, what was not executed again; see dynamics_write.h. */
#include "remote/dynamics_write.h"

#include "base/clock.h"
#include "base/mem.h"

enum {
	PARTS_MAX = 100,
	BATCH_BYTES_MAX = 4 * 1024 * 1024,
	TRIES_OFTEN = 5,
	TRIES_FEW = 3,
	MISSING_MAX = 2,
	THROTTLE_PATIENCE_MS = 10 * 60 * 1000,
	THROTTLE_WAIT_MS = 5 * 1000,
};

struct item {
	bool is_open;
	unsigned tries, missing;
};

struct writing {
	struct dynamics *d;
	const struct call *call;
	const struct mapping *mapping;
	const struct write *writes;
	struct write_result *results;
	struct item *items;
	size_t count;
	size_t parts_max; /* shrinks when Dataverse finds a batch too large */
	bool must_pause;  /* before the next round */
	int64_t throttled_since_ms;
};

struct batch {
	struct buf body; /* owned */
	size_t *index;   /* of the writes in it; owned */
	size_t count;
	struct dynamics_request request;
};

static void settle(struct writing *w, size_t i, enum err_kind kind, const struct err *err)
{
	w->items[i].is_open = false;
	w->results[i].kind = kind;
	w->results[i].err = *err;
	w->results[i].err.kind = kind;
}

/* ---- building ---- */

static void batch_release(struct batch *b)
{
	buf_release(&b->body);
	free(b->index);
	dynamics_request_release(&b->request);
}

/* Takes open writes from *at on; what cannot be put into words is settled at once. */
static void batch_build(struct writing *w, size_t *at, struct batch *b)
{
	*b = (struct batch){ .index = mem_array(w->parts_max, sizeof(*b->index)) };
	for (; *at < w->count && b->count < w->parts_max && b->body.len < BATCH_BYTES_MAX; ++*at) {
		struct err err = { .retry_after_ms = -1 };
		enum err_kind kind;

		if (!w->items[*at].is_open)
			continue;
		kind = dynamics_part_write(w->mapping, &w->writes[*at], w->d->obeys_rules, &b->body,
					   &err);
		if (kind == ERR_NONE)
			b->index[b->count++] = *at;
		else
			settle(w, *at, kind, &err);
	}
	buf_text(&b->body, DYNAMICS_PARTS_END);
	b->request = (struct dynamics_request){
		.method = "POST",
		.path = DYNAMICS_ROOT "$batch",
		.prefer = "odata.continue-on-error",
		.content_type = DYNAMICS_BATCH_TYPE,
		.body = buf_str(&b->body),
		.is_batch = true,
	};
}

/* ---- taking the answer in ---- */

static bool may_wait(struct writing *w, int64_t wait_ms)
{
	int64_t now_ms = clock_mono_ms();

	if (!w->throttled_since_ms)
		w->throttled_since_ms = now_ms;
	if (now_ms - w->throttled_since_ms > THROTTLE_PATIENCE_MS)
		return false;
	return !w->call->deadline_ms || now_ms + wait_ms < w->call->deadline_ms;
}

static void take_part(struct writing *w, size_t i, const struct multipart_part *part)
{
	struct write_result *result = &w->results[i];
	struct item *item = &w->items[i];
	enum dynamics_repeat repeat;
	enum err_kind kind = dynamics_part_read(w->mapping, &w->writes[i], part, &repeat, result);
	int64_t wait_ms = result->err.retry_after_ms;

	item->is_open = false;
	switch (repeat) {
	case REPEAT_NEVER:
	case REPEAT_NEW_TOKEN: /* the batch around it had the token accepted: this is about the user
				*/
		break;
	case REPEAT_WHEN_TOLD:
		dynamics_throttled(w->d, result->err.code, wait_ms);
		item->is_open = may_wait(w, wait_ms >= 0 ? wait_ms : THROTTLE_WAIT_MS);
		break;
	case REPEAT_SMALLER:
	case REPEAT_TWICE:
	case REPEAT_OFTEN: /* the others are through and shall not wait long for this one */
		item->is_open = ++item->tries < TRIES_FEW;
		w->must_pause = w->must_pause || item->is_open;
		break;
	}
	if (!item->is_open)
		result->kind = result->err.kind = kind;
}

/* Fewer parts than requests: the others were not executed, or the answer was cut. Both may be sent
 * again, because an update names its version and a create its id. */
static void miss_part(struct writing *w, size_t i)
{
	struct err err = { .retry_after_ms = -1 };

	if (++w->items[i].missing < MISSING_MAX)
		return;
	(void)err_set(&err, ERR_RETRY_LATER, "Dynamics left this record out of its answer");
	settle(w, i, ERR_RETRY_LATER, &err);
}

static void take_parts(struct writing *w, struct batch *b)
{
	const struct http_exchange *x = &b->request.answer;
	struct multipart m;
	struct multipart_part part;
	size_t n = 0;

	if (!multipart_start(&m, str_of(x->content_type), buf_str(&x->body_in))) {
		struct err err;

		(void)err_set(&err, ERR_RUBBISH,
			      "a batch was answered with something else than parts");
		err.http_status = x->status;
		for (; n < b->count; n++)
			settle(w, b->index[n], ERR_RUBBISH, &err);
		return;
	}
	while (n < b->count && multipart_next(&m, &part))
		take_part(w, b->index[n++], &part);
	for (; n < b->count; n++)
		miss_part(w, b->index[n]);
}

/* The batch as a whole was too much: the next ones are half as large, until a single record is too
 * much alone. */
static void take_too_large(struct writing *w, struct batch *b)
{
	w->must_pause = w->must_pause || b->request.kind == ERR_RETRY_LATER;
	if (b->count > 1) {
		size_t half = (b->count + 1) / 2;

		w->parts_max = half < w->parts_max ? half : w->parts_max;
		return;
	}
	if (b->request.kind == ERR_RETRY_LATER && ++w->items[b->index[0]].tries < TRIES_OFTEN)
		return;
	settle(w, b->index[0], b->request.kind, &b->request.err);
}

/* A batch refused as a whole tells nothing of its records: each of them may be sent alone to find
 * the bad one. */
static enum err_kind take_batch(struct writing *w, struct batch *b, struct err *err)
{
	enum err_kind kind = b->request.kind;

	if (kind == ERR_NONE) {
		take_parts(w, b);
		return ERR_NONE;
	}
	if (b->request.repeat == REPEAT_SMALLER || kind == ERR_REFUSED || kind == ERR_GONE ||
	    kind == ERR_CONFLICT) {
		take_too_large(w, b);
		return ERR_NONE;
	}
	for (size_t i = 0; i < b->count; i++)
		settle(w, b->index[i], kind, &b->request.err);
	if (err)
		*err = b->request.err;
	return kind;
}

/* ---- rounds ---- */

/* Everything that is open, once: groups of batches side by side, one group after the other
 * (INV-BOUNDED). */
static enum err_kind write_round(struct writing *w, struct err *err)
{
	enum err_kind kind = ERR_NONE;
	size_t at = 0;

	w->must_pause = false;
	while (kind == ERR_NONE && at < w->count) {
		size_t parallel = dynamics_parallel(w->d), n = 0;
		struct batch *batches = mem_array(parallel, sizeof(*batches));
		struct dynamics_request *requests = mem_array(parallel, sizeof(*requests));

		while (n < parallel && at < w->count) {
			batch_build(w, &at, &batches[n]);
			requests[n] = batches[n].request;
			if (batches[n].count)
				n++;
			else
				batch_release(&batches[n]);
		}
		(void)dynamics_send(w->d, w->call, requests, n, NULL);
		for (size_t i = 0; i < n; i++) {
			struct err own = { .retry_after_ms = -1 };
			enum err_kind one;

			batches[i].request = requests[i];
			one = take_batch(w, &batches[i], &own);
			if (kind == ERR_NONE && one != ERR_NONE && err)
				*err = own;
			kind = kind == ERR_NONE ? one : kind;
			batch_release(&batches[i]);
		}
		free(requests);
		free(batches);
	}
	return kind;
}

static bool is_any_open(const struct writing *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->items[i].is_open)
			return true;
	return false;
}

static void close_all(struct writing *w, enum err_kind kind, const struct err *err)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->items[i].is_open)
			settle(w, i, kind, err);
}

/* The version of what was made in bulk is not told: 0. */
static enum err_kind write_bulk(struct writing *w, struct err *err)
{
	bool *is_done = mem_array(w->count + 1, sizeof(*is_done));
	enum err_kind kind =
		dynamics_bulk_create(w->d, w->call, w->mapping, w->writes, w->count, is_done, err);

	for (size_t i = 0; i < w->count; i++)
		w->items[i].is_open = !is_done[i];
	free(is_done);
	return kind;
}

enum err_kind dynamics_write(struct dynamics *d, const struct call *call, const struct mapping *m,
			     const struct write *writes, size_t count, struct write_result *results,
			     struct err *err)
{
	struct writing w = { .d = d,
			     .call = call,
			     .mapping = m,
			     .writes = writes,
			     .results = results,
			     .count = count,
			     .parts_max = PARTS_MAX,
			     .items = mem_array(count + 1, sizeof(*w.items)) };
	struct err own = { .retry_after_ms = -1 };
	enum err_kind kind = ERR_NONE;
	unsigned attempt = 0;

	for (size_t i = 0; i < count; i++)
		results[i] =
			(struct write_result){ .kind = ERR_NONE, .err = { .retry_after_ms = -1 } };
	kind = write_bulk(&w, &own);
	while (kind == ERR_NONE && is_any_open(&w)) {
		kind = write_round(&w, &own);
		if (kind == ERR_NONE && w.must_pause && is_any_open(&w))
			kind = dynamics_pause(d, call, ++attempt, &own);
	}
	if (kind != ERR_NONE) {
		close_all(&w, kind, &own);
		if (err)
			*err = own;
	}
	free(w.items);
	return kind;
}

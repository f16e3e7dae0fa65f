/* Sending queries several at a time; see dynamics_query.h. Must not know tables or columns. */
#include "remote/dynamics_query.h"

#include "base/mem.h"
#include "remote/dynamics_write.h"

enum {
	PARTS_MAX = 100,
	ROUNDS_MAX = 3, /* in batches, while service protection refuses parts of them */
};

struct asking {
	struct dynamics *d;
	const struct call *call;
	struct dynamics_query *queries;
	size_t count;
	dynamics_take *take;
	void *context;
	bool is_throttled; /* parts of this round were */
};

/* One request: of one query, or of several as parts. */
struct batch {
	struct buf body; /* owned */
	size_t numbers[PARTS_MAX];
	size_t count;
};

/* ---- asking ---- */

void dynamics_query_write(const struct dynamics_query *q, struct buf *out)
{
	buf_fmt(out, DYNAMICS_PART_START "GET %s HTTP/1.1\r\nAccept: application/json\r\n",
		q->path);
	if (q->wants_labels)
		buf_text(out, "Prefer: " DYNAMICS_LABELS "\r\n");
	buf_text(out, "\r\n\r\n");
}

/* Takes queries without an answer from *at on. */
static void batch_build(const struct asking *q, size_t parts_max, size_t *at, struct batch *b,
			struct dynamics_request *ret)
{
	for (; *at < q->count && b->count < parts_max; ++*at)
		if (!q->queries[*at].is_answered)
			b->numbers[b->count++] = *at;
	if (b->count == 1) {
		const struct dynamics_query *only = &q->queries[b->numbers[0]];

		*ret = (struct dynamics_request){ .path = only->path,
						  .wants_labels = only->wants_labels };
	}
	if (b->count < 2)
		return;
	for (size_t i = 0; i < b->count; i++)
		dynamics_query_write(&q->queries[b->numbers[i]], &b->body);
	buf_text(&b->body, DYNAMICS_PARTS_END);
	*ret = (struct dynamics_request){
		.method = "POST",
		.path = DYNAMICS_ROOT "$batch",
		.prefer = "odata.continue-on-error",
		.content_type = DYNAMICS_BATCH_TYPE,
		.body = buf_str(&b->body),
		.is_batch = true,
	};
}

/* ---- taking answers in ---- */

static void note_failure(const struct multipart_part *part, struct err *throttled)
{
	struct dynamics_answer answer = { .status = part->status,
					  .retry_after_ms = part->retry_after_ms,
					  .body = part->body };
	struct err err = { .retry_after_ms = -1 };
	enum dynamics_repeat repeat;

	(void)dynamics_err_judge(&answer, &repeat, &err);
	if (repeat == REPEAT_WHEN_TOLD)
		*throttled = err;
}

enum err_kind dynamics_query_take(struct str content_type, struct str body,
				  struct dynamics_query *queries, const size_t *numbers,
				  size_t count, dynamics_take *take, void *context,
				  struct err *throttled, struct err *err)
{
	struct multipart m;
	struct multipart_part part;
	enum err_kind kind = ERR_NONE;

	if (!multipart_start(&m, content_type, body))
		return ERR_NONE;
	for (size_t n = 0; kind == ERR_NONE && n < count && multipart_next(&m, &part); n++) {
		if (part.status < 200 || part.status >= 300) {
			note_failure(&part, throttled);
			continue;
		}
		queries[numbers[n]].is_answered = true;
		kind = take(context, numbers[n], part.body, err);
	}
	return kind;
}

/* Does the failure tell of this batch only, and nothing of its queries? */
static bool is_of_batch(const struct dynamics_request *r)
{
	return r->repeat == REPEAT_SMALLER || r->kind == ERR_REFUSED || r->kind == ERR_GONE ||
	       r->kind == ERR_CONFLICT || r->kind == ERR_RUBBISH;
}

static enum err_kind take_batch(struct asking *q, const struct batch *b,
				const struct dynamics_request *r, struct err *err)
{
	struct err throttled = { .kind = ERR_NONE };
	enum err_kind kind = r->kind;

	if (kind == ERR_NONE && !r->is_batch) {
		q->queries[b->numbers[0]].is_answered = true;
		return q->take(q->context, b->numbers[0], buf_str(&r->answer.body_in), err);
	}
	if (kind != ERR_NONE && r->is_batch && is_of_batch(r))
		return ERR_NONE;
	if (kind != ERR_NONE) {
		if (err)
			*err = r->err;
		return kind;
	}
	kind = dynamics_query_take(str_of(r->answer.content_type), buf_str(&r->answer.body_in),
				   q->queries, b->numbers, b->count, q->take, q->context,
				   &throttled, err);
	if (throttled.kind != ERR_NONE) {
		dynamics_throttled(q->d, throttled.code, throttled.retry_after_ms);
		q->is_throttled = true;
	}
	return kind;
}

/* ---- rounds ---- */

/* Everything without an answer, once. */
static enum err_kind ask_round(struct asking *q, size_t parts_max, struct err *err)
{
	enum err_kind kind = ERR_NONE;
	size_t at = 0;

	q->is_throttled = false;
	while (kind == ERR_NONE && at < q->count) {
		size_t parallel = dynamics_parallel(q->d), n = 0;
		struct batch *batches = mem_array(parallel, sizeof(*batches));
		struct dynamics_request *requests = mem_array(parallel, sizeof(*requests));

		while (n < parallel && at < q->count) {
			batch_build(q, parts_max, &at, &batches[n], &requests[n]);
			n += batches[n].count > 0;
		}
		(void)dynamics_send(q->d, q->call, requests, n, NULL);
		for (size_t i = 0; i < n; i++) {
			if (kind == ERR_NONE)
				kind = take_batch(q, &batches[i], &requests[i], err);
			dynamics_request_release(&requests[i]);
			buf_release(&batches[i].body);
		}
		free(requests);
		free(batches);
	}
	return kind;
}

static bool is_any_open(const struct asking *q)
{
	for (size_t i = 0; i < q->count; i++)
		if (!q->queries[i].is_answered)
			return true;
	return false;
}

enum err_kind dynamics_ask(struct dynamics *d, const struct call *call,
			   struct dynamics_query *queries, size_t count, dynamics_take *take,
			   void *context, struct err *err)
{
	struct asking q = { .d = d,
			    .call = call,
			    .queries = queries,
			    .count = count,
			    .take = take,
			    .context = context };
	enum err_kind kind = ERR_NONE;

	for (unsigned round = 0; kind == ERR_NONE && is_any_open(&q); round++) {
		bool is_batched = !round || (q.is_throttled && round < ROUNDS_MAX);

		kind = ask_round(&q, is_batched ? PARTS_MAX : 1, err);
	}
	return kind;
}

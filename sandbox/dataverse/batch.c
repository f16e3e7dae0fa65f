/* $batch: many requests in one multipart body, change sets among them (Microsoft Learn: Execute
 * batch operations using the Web API). Each part is answered as if it had come alone; a change set
 * is one transaction. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/part.h"
#include "dataverse/dataverse.h"

#define OPERATIONS_MAX 1000
#define HEADERS_MAX 32

struct part_header {
	const char *name, *value;
};

/* One request of the batch; a change set holds several. */
struct part {
	struct part_header outer[HEADERS_MAX], inner[HEADERS_MAX];
	size_t outer_count, inner_count;
	char *method, *path, *query, *body;
	size_t body_len;
	struct part *set; /* of a change set */
	size_t set_count;
};

struct batch {
	struct call *call;
	struct part *parts;
	size_t count;
	size_t operations, in_set; /* in all, in the change set being read */
	struct text out;
	char boundary[80];
	int failed_status; /* of the first part that failed; 0: none */
};

static bool malformed(struct batch *b, const char *why)
{
	return call_refuse(b->call, 400, ODATA_ERROR, "The batch request is malformed: %s", why);
}

static const char *header_in(const struct part_header *headers, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(headers[i].name, name) == 0)
			return headers[i].value;
	return NULL;
}

static const char *part_request_header(const struct web_request *r, const char *name)
{
	const struct part *p = r->header_data;

	return header_in(p->inner, p->inner_count, name);
}

/* Cuts a line off, without its line end; NULL when there is no CRLF. */
static char *take_line(char **at)
{
	char *line = *at;
	char *end = strstr(line, "\r\n");

	if (!end)
		return NULL;
	*end = '\0';
	*at = end + 2;
	return line;
}

/* Lines up to an empty one. */
static bool take_headers(char **at, struct part_header *headers, size_t *ret_count)
{
	char *line;

	*ret_count = 0;
	while ((line = take_line(at)) && *line) {
		char *colon = strchr(line, ':');

		if (!colon || *ret_count == HEADERS_MAX)
			return false;
		*colon = '\0';
		colon += 1 + strspn(colon + 1, " ");
		headers[(*ret_count)++] = (struct part_header){ line, colon };
	}
	return line != NULL;
}

static bool read_boundary(const char *type, char *ret, size_t size)
{
	const char *at = type ? strcasestr(type, "boundary=") : NULL;
	size_t len;

	if (!at || !strcasestr(type, "multipart/mixed"))
		return false;
	at += strlen("boundary=");
	if (*at == '"')
		at++;
	len = strcspn(at, "\"; ");
	if (!len || len > 70 || len >= size)
		return false;
	snprintf(ret, size, "%.*s", (int)len, at);
	return true;
}

/* METHOD address HTTP/1.1, headers, an empty line, the body. */
static bool read_request(struct batch *b, struct part *p, char *at, char *end)
{
	char *line = take_line(&at);
	char *target = line ? strchr(line, ' ') : NULL;
	char *version = target ? strchr(target + 1, ' ') : NULL;

	if (!version || strncmp(version, " HTTP/", 6) != 0)
		return malformed(b, "a part does not start with a request line.");
	*target++ = '\0';
	*version = '\0';
	p->method = line;
	if (strncasecmp(target, "http://", 7) == 0 || strncasecmp(target, "https://", 8) == 0)
		target = strchr(strstr(target, "://") + 3, '/');
	p->path = target ? target : version;
	p->query = strchr(p->path, '?');
	if (p->query)
		*p->query++ = '\0';
	else
		p->query = version;
	if (!take_headers(&at, p->inner, &p->inner_count))
		return malformed(b, "a part's headers do not end with an empty line.");
	p->body = at;
	p->body_len = end > at ? (size_t)(end - at) : 0;
	while (p->body_len && (at[p->body_len - 1] == '\n' || at[p->body_len - 1] == '\r'))
		p->body_len--;
	at[p->body_len] = '\0';
	return true;
}

/* One more request; a change set says itself when it is the one that is too long. */
static bool count_request(struct batch *b, bool in_set)
{
	b->in_set = in_set ? b->in_set + 1 : 0;
	if (b->in_set > OPERATIONS_MAX)
		return call_refuse(
			b->call, 400, ODATA_ERROR,
			"The current change set contains too many operations. A maximum number of '%d' operations are "
			"allowed in a change set.",
			OPERATIONS_MAX);
	return ++b->operations <= OPERATIONS_MAX ||
	       call_refuse(
		       b->call, 400, ODATA_ERROR,
		       "The current batch message contains too many parts. Only batch messages with a maximum number of '%d' "
		       "query operations, including changeset operations, are allowed.",
		       OPERATIONS_MAX);
}

static struct part *part_new(struct part **parts, size_t *count)
{
	*parts = realloc(*parts, (*count + 1) * sizeof(**parts));
	if (!*parts)
		abort();
	(*parts)[*count] = (struct part){ 0 };
	return &(*parts)[(*count)++];
}

/* The next stretch between two delimiters; false when the body does not end as it should. */
static bool next_stretch(char **at, const char *delimiter, char **ret_start, char **ret_end,
			 bool *ret_last)
{
	size_t len = strlen(delimiter);
	char *next;

	*at += len;
	*ret_last = strncmp(*at, "--", 2) == 0;
	if (*ret_last)
		return true;
	*at += strspn(*at, " \t");
	if (strncmp(*at, "\r\n", 2) != 0)
		return false;
	*ret_start = *at + 2;
	for (next = *ret_start; (next = strstr(next, delimiter)); next++)
		if (next - *at >= 2 && next[-1] == '\n' && next[-2] == '\r')
			break;
	if (!next)
		return false;
	*ret_end = next - 2;
	*at = next;
	return true;
}

static bool read_parts(struct batch *b, char *body, const char *boundary, struct part **parts,
		       size_t *count, bool in_set);

static bool read_part(struct batch *b, struct part *p, char *start, char *end, bool in_set)
{
	const char *type;
	char boundary[80];

	/* The line end before the delimiter may be the empty line that ends the headers too: that
	 * is how Dataverse reads a request without a body, and clients rely on it. */
	end[2] = '\0';
	if (!take_headers(&start, p->outer, &p->outer_count) || start > end)
		return malformed(b, "the headers of a part do not end with an empty line.");
	type = header_in(p->outer, p->outer_count, "Content-Type");
	if (type && strncasecmp(type, "application/http", 16) == 0) {
		if (!read_request(b, p, start, end) || !count_request(b, in_set))
			return false;
		if (in_set && !header_in(p->outer, p->outer_count, "Content-ID"))
			return call_refuse(
				b->call, 400, ODATA_ERROR,
				"A request of a change set must have a Content-ID header.");
		return !in_set || strcmp(p->method, "GET") != 0 ||
		       malformed(b, "a change set holds a GET.");
	}
	b->in_set = 0;
	if (in_set || !read_boundary(type, boundary, sizeof(boundary)))
		return malformed(b, "a part is neither application/http nor multipart/mixed.");
	return read_parts(b, start, boundary, &p->set, &p->set_count, true);
}

static bool read_parts(struct batch *b, char *body, const char *boundary, struct part **parts,
		       size_t *count, bool in_set)
{
	char delimiter[96];
	char *at, *start = NULL, *end = NULL;
	bool last;

	snprintf(delimiter, sizeof(delimiter), "--%s", boundary);
	at = strstr(body, delimiter);
	if (!at || (at != body && at[-1] != '\n'))
		return malformed(b, "the delimiter is missing.");
	for (;;) {
		if (!next_stretch(&at, delimiter, &start, &end, &last))
			return malformed(
				b,
				"a delimiter is missing or not at the start of a line ended by CRLF.");
		if (last)
			return *count > 0 || malformed(b, "there is no part.");
		if (!read_part(b, part_new(parts, count), start, end, in_set))
			return false;
	}
}

static void parts_free(struct part *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(parts[i].set);
	free(parts);
}

/* --- answering --- */

static const char *reason_phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} phrases[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 204, "No Content" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 412, "Precondition Failed" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 429, "Too Many Requests" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Error";
}

static void new_id(char id[GUID_TEXT])
{
	struct guid g = guid_random();

	guid_print(&g, id);
}

/* The address of a row stands twice in a part: as OData-EntityId and as Location. */
static void write_location(struct text *out, const struct text *headers)
{
	const char *at = headers->len ? strstr(headers->data, "OData-EntityId: ") : NULL;

	if (!at)
		return;
	at += strlen("OData-EntityId: ");
	text_puts(out, "Location: ");
	text_add(out, at, strcspn(at, "\r"));
	text_puts(out, "\r\n");
}

static void write_answer(struct text *out, const char *boundary, const char *content_id,
			 const struct web_response *answer)
{
	char id[GUID_TEXT];

	text_printf(
		out,
		"--%s\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n",
		boundary);
	if (content_id)
		text_printf(out, "Content-ID: %s\r\n", content_id);
	text_printf(out, "\r\nHTTP/1.1 %d %s\r\n", answer->status, reason_phrase(answer->status));
	if (answer->status >= 400) {
		new_id(id);
		text_printf(out, "REQ_ID: %s\r\n", id);
	}
	write_location(out, &answer->headers);
	if (answer->headers.len)
		text_add(out, answer->headers.data, answer->headers.len);
	text_puts(out, "\r\n");
	if (answer->body.len)
		text_add(out, answer->body.data, answer->body.len);
	text_puts(out, "\r\n");
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* An address that starts with $<Content-ID> stands for the row made before under that id. */
static bool resolve_path(struct call *c, const struct part *p, struct text *path)
{
	const char *at = *p->path == '/' ? p->path + 1 : p->path;
	size_t len = strcspn(at, "/?");

	if (*at != '$' || strncmp(at, "$batch", 6) == 0 || strncmp(at, "$metadata", 9) == 0) {
		/* relative to the address of the batch (OData 4.0 Part 1: Batch Requests) */
		text_printf(path, "%s%s", *p->path == '/' ? "" : "/api/data/v9.2/", p->path);
		return true;
	}
	for (size_t i = 0; c->references && i < c->references->count; i++) {
		const struct reference *made = &c->references->items[i];

		if (strlen(made->content_id) != len - 1 ||
		    strncmp(made->content_id, at + 1, len - 1) != 0)
			continue;
		text_printf(path, "/api/data/v9.2/%s%s", made->target.data, at + len);
		return true;
	}
	return call_refuse(c, 400, ODATA_ERROR,
			   "Content-ID Reference: '%.*s' does not exist in the batch context.",
			   (int)len, at);
}

static void note_reference(struct call *c, const char *content_id)
{
	struct references *made = c->references;
	struct reference *last;
	char id[GUID_TEXT];

	if (!made || !content_id || !c->written_table)
		return;
	made->items = realloc(made->items, (made->count + 1) * sizeof(*made->items));
	if (!made->items)
		abort();
	last = &made->items[made->count++];
	*last = (struct reference){ 0 };
	snprintf(last->content_id, sizeof(last->content_id), "%s", content_id);
	guid_print(&c->written, id);
	text_printf(&last->target, "%s(%s)", c->written_table->def->set_name, id);
}

/* Answers one request; the lock is held. */
static void run(struct batch *b, const struct part *p, struct references *made,
		struct web_response *answer)
{
	struct text path = { 0 };
	struct web_request request = { .method = p->method,
				       .query = p->query,
				       .host = b->call->request->host,
				       .body = p->body,
				       .body_len = p->body_len,
				       .header = part_request_header,
				       .header_data = p };
	struct call c = { .dataverse = b->call->dataverse,
			  .user = b->call->user,
			  .request = &request,
			  .response = answer,
			  .in_batch = true,
			  .address_max = 2 * (size_t)ADDRESS_MAX,
			  .references = made };
	bool resolved = resolve_path(&c, p, &path);

	request.path = resolved ? path.data : p->path;
	call_begin(&c);
	if (!resolved)
		call_write_failure(&c);
	else if (!part_judged(&request, answer))
		route_answer(&c);
	if (answer->status < 300)
		note_reference(&c, header_in(p->outer, p->outer_count, "Content-ID"));
	call_end(&c);
	text_free(&path);
}

static void note_status(struct batch *b, int status)
{
	if (status >= 400 && !b->failed_status)
		b->failed_status = status;
}

static void run_single(struct batch *b, const struct part *p)
{
	struct dataverse *d = b->call->dataverse;
	struct web_response answer = { 0 };
	int64_t start = now_us();

	pthread_mutex_lock(&d->lock);
	run(b, p, NULL, &answer);
	pthread_mutex_unlock(&d->lock);
	limiter_operation(d->limiter, (int)b->call->user->id, now_us() - start);
	write_answer(&b->out, b->boundary, header_in(p->outer, p->outer_count, "Content-ID"),
		     &answer);
	note_status(b, answer.status);
	web_response_free(&answer);
}

static void references_free(struct references *made)
{
	for (size_t i = 0; i < made->count; i++)
		text_free(&made->items[i].target);
	free(made->items);
}

/* All or nothing; a failed set answers with its failing request alone, as the vendor has been seen
 * to do. */
static void run_set(struct batch *b, const struct part *p)
{
	struct dataverse *d = b->call->dataverse;
	struct references made = { 0 };
	struct text inside = { 0 };
	char id[GUID_TEXT], boundary[80];
	int64_t start = now_us();
	int failed = 0;

	new_id(id);
	snprintf(boundary, sizeof(boundary), "changesetresponse_%s", id);
	pthread_mutex_lock(&d->lock);
	store_begin(&d->store); /* opens one: none can be open when a part starts */
	for (size_t i = 0; i < p->set_count && !failed; i++) {
		struct web_response answer = { 0 };

		run(b, &p->set[i], &made, &answer);
		failed = answer.status >= 400 ? answer.status : 0;
		if (failed)
			text_clear(&inside);
		write_answer(&inside, boundary,
			     header_in(p->set[i].outer, p->set[i].outer_count, "Content-ID"),
			     &answer);
		web_response_free(&answer);
	}
	if (failed)
		store_rollback(&d->store);
	else
		store_commit(&d->store);
	pthread_mutex_unlock(&d->lock);
	limiter_operation(d->limiter, (int)b->call->user->id, now_us() - start);
	text_printf(&b->out, "--%s\r\nContent-Type: multipart/mixed; boundary=%s\r\n\r\n",
		    b->boundary, boundary);
	text_add(&b->out, inside.data, inside.len);
	text_printf(&b->out, "--%s--\r\n", boundary);
	note_status(b, failed);
	references_free(&made);
	text_free(&inside);
}

/* Execution time may run out in the middle: the part then answers 429 by itself. */
static bool throttled(struct batch *b)
{
	struct web_response answer = { 0 };
	struct web_request none = { .method = "",
				    .path = "",
				    .query = "",
				    .host = "",
				    .body = "",
				    .header = part_request_header };
	struct part empty = { 0 };
	struct call c = { .dataverse = b->call->dataverse,
			  .user = b->call->user,
			  .request = &none,
			  .response = &answer };
	int wait = 0;

	if (limiter_may_go_on(c.dataverse->limiter, (int)c.user->id, &c.failure, &wait))
		return false;
	none.header_data = &empty;
	call_begin(&c);
	call_write_failure(&c);
	web_header(&answer, "Retry-After", "%d", wait);
	write_answer(&b->out, b->boundary, NULL, &answer);
	note_status(b, answer.status);
	call_end(&c);
	web_response_free(&answer);
	return true;
}

static void run_all(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		const struct part *p = &b->parts[i];

		if (!throttled(b)) {
			if (p->set_count)
				run_set(b, p);
			else
				run_single(b, p);
		}
		if (b->failed_status && !b->call->prefer.continue_on_error)
			break;
	}
	text_printf(&b->out, "--%s--\r\n", b->boundary);
}

void batch_answer(struct call *c)
{
	struct batch b = { .call = c };
	char boundary[80], id[GUID_TEXT];
	char *body = NULL;
	bool good;

	if (strcmp(c->request->method, "POST") != 0)
		good = call_refuse(c, 405, ODATA_ERROR, "A batch is sent with POST.");
	else if (!read_boundary(call_header(c, "Content-Type"), boundary, sizeof(boundary)))
		good = malformed(
			&b,
			"the Content-Type is not multipart/mixed with a boundary of at most 70 characters.");
	else if (!(body = malloc(c->request->body_len + 1)))
		abort();
	else
		good = read_parts(&b, memcpy(body, c->request->body, c->request->body_len + 1),
				  boundary, &b.parts, &b.count, false);
	if (!good) {
		call_write_failure(c);
	} else {
		new_id(id);
		snprintf(b.boundary, sizeof(b.boundary), "batchresponse_%s", id);
		run_all(&b);
		c->response->status =
			b.failed_status && !c->prefer.continue_on_error ? b.failed_status : 200;
		web_header(c->response, "OData-Version", "4.0");
		web_header(c->response, "Content-Type", "multipart/mixed; boundary=%s", b.boundary);
		c->response->body = b.out;
	}
	parts_free(b.parts, b.count);
	free(body);
}

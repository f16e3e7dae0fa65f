/* Reading persons: by id, by e-mail, by stamp; 300 values a call, several calls at once ("Adobe:
 * Leads"). Must not know why anybody wants to read. */
#include <stdlib.h>

#include "base/mem.h"
#include "remote/marketo_parts.h"
#include "remote/marketo_value.h"

enum {
	READ_VALUES_MAX = MARKETO_BATCH,
	/* So many parts failing with nothing read in between: the trouble is not in the values. */
	READ_PART_FAILURES_MAX = 12,
};

/* A slice of the values asked for, one page of which is read at a time. */
struct read_job {
	size_t first, count;
	struct str token; /* of the next page; empty: the first */
	bool is_part;
	bool is_done;
};

struct read_list {
	struct record **records;
	size_t count, cap;
};

struct reading {
	struct marketo *marketo;
	const struct call *call;
	const struct mapping *mapping;
	const char *filter; /* filterType */
	const struct str *values;
	struct arena *arena;
	struct buf fields;     /* owned; percent-encoded */
	struct read_job *jobs; /* owned; grows when one is split */
	size_t job_count, job_cap;
	struct read_list found; /* arena */
	bool any_success;
	unsigned part_failures;
	struct str *crowded; /* arena; room for every value; NULL: too many are an error */
	size_t crowded_count;
};

/* What the try of one page has brought so far. */
struct read_page {
	struct reading *reading;
	struct read_list list;
};

static void read_list_add(struct read_list *l, struct record *r, struct arena *a)
{
	if (l->count == l->cap) {
		struct record **old = l->records;

		l->cap = l->cap ? l->cap * 2 : 64;
		l->records = arena_array(a, l->cap, sizeof(struct record *));
		if (l->count)
			memcpy(l->records, old, l->count * sizeof(struct record *));
	}
	l->records[l->count++] = r;
}

static enum err_kind read_element(void *context, struct json_object *element, struct err *err)
{
	struct read_page *p = context;
	struct record *r = NULL;
	enum err_kind kind =
		marketo_person_read(element, p->reading->mapping, p->reading->arena, &r, err);

	if (kind == ERR_NONE)
		read_list_add(&p->list, r, p->reading->arena);
	return kind;
}

static void read_restart(void *context)
{
	struct read_page *p = context;

	p->list.count = 0;
}

static void read_add_job(struct reading *r, size_t first, size_t count, bool is_part)
{
	if (r->job_count == r->job_cap) {
		r->job_cap = r->job_cap ? r->job_cap * 2 : 16;
		r->jobs = mem_grow(r->jobs, r->job_cap, sizeof(*r->jobs));
	}
	r->jobs[r->job_count++] =
		(struct read_job){ .first = first, .count = count, .is_part = is_part };
}

/* Always in a body: 300 GUIDs do not fit into an address of 8 KB. */
static void read_body(const struct reading *r, const struct read_job *job, struct buf *out)
{
	buf_fmt(out, "filterType=%s&filterValues=", r->filter);
	for (size_t i = 0; i < job->count; i++) {
		buf_text(out, i ? "%2C" : "");
		buf_url(out, r->values[job->first + i]);
	}
	buf_text(out, "&fields=");
	buf_add(out, buf_str(&r->fields));
	buf_fmt(out, "&batchSize=%d", MARKETO_BATCH);
	if (job->token.n) {
		buf_text(out, "&nextPageToken=");
		buf_url(out, job->token);
	}
}

static enum err_kind read_settle(struct reading *r, size_t job_index,
				 struct marketo_request *request, struct read_page *page,
				 struct err *err)
{
	struct read_job *job = &r->jobs[job_index];
	struct str token;
	bool is_hopeless = request->kind != ERR_NONE && job->is_part && !r->any_success &&
			   ++r->part_failures >= READ_PART_FAILURES_MAX;

	if (request->kind != ERR_NONE && request->must_split && job->count > 1 && !is_hopeless) {
		size_t half = job->count / 2, first = job->first, rest = job->count - half;

		/* What pages read before have brought comes again; doubles are taken out at the
		 * end. */
		job->is_done = true;
		read_add_job(r, first, half, true);
		read_add_job(r, first + half, rest, true);
		return ERR_NONE;
	}
	/* Nobody looks for one of a thousand: the value is told apart, the others are read. */
	if (request->kind == ERR_REFUSED && strcmp(request->err.code, "1003") == 0 && r->crowded) {
		job->is_done = true;
		r->crowded[r->crowded_count++] = r->values[job->first];
		return ERR_NONE;
	}
	if (request->kind != ERR_NONE) {
		if (err)
			*err = request->err;
		return request->kind;
	}
	r->any_success = true;
	for (size_t i = 0; i < page->list.count; i++)
		read_list_add(&r->found, page->list.records[i], r->arena);
	token = buf_str(&request->answer.next_page_token);
	/* By id nothing can be left when everything was found; and a token that leads to itself
	 * leads nowhere. */
	job->is_done = !marketo_has_next(request) || str_equal(token, job->token) ||
		       (strcmp(r->filter, "id") == 0 && page->list.count >= job->count);
	if (!job->is_done)
		job->token = arena_str(r->arena, token);
	return ERR_NONE;
}

/* One page of up to MARKETO_PARALLEL jobs. */
static enum err_kind read_round(struct reading *r, const size_t *jobs, size_t count,
				struct err *err)
{
	struct marketo_request requests[MARKETO_PARALLEL] = { { 0 } };
	struct marketo_sink sinks[MARKETO_PARALLEL];
	struct read_page pages[MARKETO_PARALLEL];
	struct buf bodies[MARKETO_PARALLEL] = { { 0 } };
	enum err_kind kind = ERR_NONE;

	for (size_t i = 0; i < count; i++) {
		pages[i] = (struct read_page){ .reading = r };
		sinks[i] = (struct marketo_sink){ read_element, read_restart, &pages[i] };
		read_body(r, &r->jobs[jobs[i]], &bodies[i]);
		requests[i] = (struct marketo_request){ .path = "/rest/v1/leads.json?_method=GET",
							.content_type = marketo_form,
							.body = buf_str(&bodies[i]),
							.timeout_ms = MARKETO_READ_MS,
							.is_part = r->jobs[jobs[i]].is_part,
							.permission = "Read-Only Lead",
							.sink = &sinks[i] };
	}
	marketo_run(r->marketo, r->call, requests, count);
	for (size_t i = 0; i < count; i++) {
		if (kind == ERR_NONE)
			kind = read_settle(r, jobs[i], &requests[i], &pages[i], err);
		marketo_request_release(&requests[i]);
		buf_release(&bodies[i]);
	}
	return kind;
}

static enum err_kind read_all(struct reading *r, size_t value_count, struct err *err)
{
	enum err_kind kind = ERR_NONE;
	struct buf names = { 0 };
	size_t begin = 0;

	marketo_person_fields(r->mapping, &names);
	buf_url(&r->fields, buf_str(&names));
	buf_release(&names);
	for (size_t i = 0; i < value_count; i += READ_VALUES_MAX)
		read_add_job(r, i,
			     value_count - i < READ_VALUES_MAX ? value_count - i : READ_VALUES_MAX,
			     false);
	while (kind == ERR_NONE) {
		size_t jobs[MARKETO_PARALLEL];
		size_t n = 0;

		while (begin < r->job_count && r->jobs[begin].is_done)
			begin++;
		for (size_t i = begin; i < r->job_count && n < MARKETO_PARALLEL; i++) {
			if (!r->jobs[i].is_done)
				jobs[n++] = i;
		}
		if (!n)
			break;
		kind = read_round(r, jobs, n, err);
	}
	free(r->jobs);
	buf_release(&r->fields);
	return kind;
}

static int read_by_id(const void *left, const void *right)
{
	const struct record *a = *(struct record *const *)left, *b = *(struct record *const *)right;

	return (a->person_id > b->person_id) - (a->person_id < b->person_id);
}

static struct record *read_pick(const struct read_list *found, int64_t person_id)
{
	size_t low = 0, high = found->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (found->records[middle]->person_id < person_id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < found->count && found->records[low]->person_id == person_id)
		return found->records[low];
	return NULL;
}

enum err_kind marketo_read(void *self, const struct call *call, const struct mapping *mapping,
			   enum table table, const int64_t *person_ids,
			   const struct guid *record_ids, size_t count, struct arena *a,
			   struct record **ret, struct err *err)
{
	struct reading r = {
		.marketo = self, .call = call, .mapping = mapping, .filter = "id", .arena = a
	};
	struct arena scratch = { NULL, 0 };
	struct str *values;
	enum err_kind kind;

	(void)record_ids;
	if (table != TABLE_PERSON || (count && !person_ids))
		return err_set(err, ERR_OURS, "Marketo reads persons by their ids");
	values = arena_array(&scratch, count + 1, sizeof(*values));
	for (size_t i = 0; i < count; i++)
		values[i] = str_of(arena_fmt(&scratch, "%lld", (long long)person_ids[i]));
	r.values = values;
	kind = read_all(&r, count, err);
	arena_release(&scratch);
	if (kind != ERR_NONE)
		return kind;
	if (r.found.count)
		qsort(r.found.records, r.found.count, sizeof(struct record *), read_by_id);
	for (size_t i = 0; i < count; i++)
		ret[i] = read_pick(&r.found, person_ids[i]);
	return ERR_NONE;
}

/* Marketo's lists of values are cut at commas, and its e-mail fields hold ASCII only: what cannot
 * be there is not asked for. */
static bool read_can_ask(enum lookup lookup, struct str value)
{
	if (!value.n || memchr(value.p, ',', value.n))
		return false;
	for (size_t i = 0; lookup == LOOKUP_EMAIL && i < value.n; i++) {
		if ((unsigned char)value.p[i] >= 0x80)
			return false;
	}
	return true;
}

static void read_keep_unique(struct read_list *found, struct arena *a, struct record_list *ret)
{
	*ret = (struct record_list){ .records = arena_array(a, found->count + 1,
							    sizeof(*ret->records)) };
	if (found->count)
		qsort(found->records, found->count, sizeof(struct record *), read_by_id);
	for (size_t i = 0; i < found->count; i++) {
		if (!i || found->records[i]->person_id != found->records[i - 1]->person_id)
			ret->records[ret->count++] = *found->records[i];
	}
}

enum err_kind marketo_find(void *self, const struct call *call, const struct mapping *mapping,
			   enum table table, enum lookup lookup, const struct str *values,
			   size_t count, struct arena *a, struct record_list *ret, struct err *err)
{
	static const char *const filters[] = {
		[LOOKUP_ID] = "id", [LOOKUP_EMAIL] = "email", [LOOKUP_STAMP] = NULL
	};
	struct reading r = { .marketo = self, .call = call, .mapping = mapping, .arena = a };
	struct str *asked;
	size_t n = 0;
	enum err_kind kind;

	if (table != TABLE_PERSON)
		return err_set(err, ERR_OURS, "Marketo finds persons only");
	if (lookup == LOOKUP_EMAIL)
		r.crowded = arena_array(a, count + 1, sizeof(*r.crowded));
	r.filter = lookup == LOOKUP_STAMP ? stamp_fields[STAMP_ID].name : filters[lookup];
	asked = mem_array(count + 1, sizeof(*asked));
	for (size_t i = 0; i < count; i++) {
		if (read_can_ask(lookup, values[i]))
			asked[n++] = values[i];
	}
	r.values = asked;
	kind = read_all(&r, n, err);
	free(asked);
	if (kind == ERR_NONE)
		read_keep_unique(&r.found, a, ret);
	ret->crowded = r.crowded;
	ret->crowded_count = r.crowded_count;
	return kind;
}

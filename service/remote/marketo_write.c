/* Writing persons with Sync Leads ("Adobe: Leads"): 300 records and less than 1 MB a call, never
 * the same key twice in one call, and a record that makes a call fail is searched by halves until
 * it stands alone (INV-NO-HOSTAGE). Must not know why anything is written. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "remote/marketo_parts.h"
#include "remote/marketo_value.h"
#include "remote/wait.h"

enum {
	WRITE_BYTES_MAX = 900 * 1000,
	/* So many parts failing with nothing working in between: the trouble is not in the records.
	 */
	WRITE_PART_FAILURES_MAX = 12,
	WRITE_INDEX_LAG_MS = 2000, /* a fresh record is found by its key a moment later */
};

/* Indices of the writes of one call. */
struct write_job {
	size_t *indices; /* part of the owner's list */
	size_t count;
	bool is_part;
};

struct writing {
	struct marketo *marketo;
	const struct call *call;
	const struct mapping *mapping;
	const struct write *writes;
	struct write_result *results;
	enum write_operation operation;
	struct write_job *stack; /* owned; the next job is on top */
	size_t stack_count, stack_cap;
	bool any_success;
	unsigned part_failures;
	size_t *alone; /* owned; records that made a call fail all by themselves */
	size_t alone_count, alone_cap;
};

/* ---- jobs ---- */

static void write_push(struct writing *w, size_t *indices, size_t count, bool is_part)
{
	if (!count)
		return;
	if (w->stack_count == w->stack_cap) {
		w->stack_cap = w->stack_cap ? w->stack_cap * 2 : 16;
		w->stack = mem_grow(w->stack, w->stack_cap, sizeof(*w->stack));
	}
	w->stack[w->stack_count++] = (struct write_job){ indices, count, is_part };
}

static void write_split(struct writing *w, const struct write_job *job, bool is_part)
{
	size_t half = job->count / 2;

	write_push(w, job->indices + half, job->count - half, is_part);
	write_push(w, job->indices, half, is_part);
}

static void write_fill(struct writing *w, const struct write_job *job, enum err_kind kind,
		       const struct err *err)
{
	for (size_t i = 0; i < job->count; i++) {
		struct write_result *result = &w->results[job->indices[i]];

		result->kind = kind;
		result->err = *err;
		result->err.kind = kind;
	}
}

static void write_body(const struct writing *w, const struct write_job *job, struct buf *out)
{
	if (w->operation == WRITE_CREATE)
		buf_fmt(out, "{\"action\":\"createOrUpdate\",\"lookupField\":\"%s\",\"input\":[",
			stamp_fields[STAMP_ID].name);
	else
		buf_text(out, "{\"action\":\"updateOnly\",\"lookupField\":\"id\",\"input\":[");
	for (size_t i = 0; i < job->count; i++) {
		buf_text(out, i ? "," : "");
		marketo_person_print(&w->writes[job->indices[i]], w->mapping, out);
	}
	buf_text(out, "]}");
}

/* The next job that fits into a call, with its body; false when there is none left. */
static bool write_next(struct writing *w, struct write_job *ret, struct buf *body)
{
	while (w->stack_count) {
		*ret = w->stack[--w->stack_count];
		buf_clear(body);
		write_body(w, ret, body);
		if (ret->count == 1 || body->len <= WRITE_BYTES_MAX)
			return true;
		write_split(w, ret, ret->is_part);
	}
	return false;
}

/* ---- answers ---- */

struct write_answer {
	struct writing *writing;
	const struct write_job *job;
	size_t next; /* results come in the order of the records and carry nothing else to tell them
			by */
};

/* Which of the company's fields was meant makes no difference: it would be the next one's turn. */
static void write_note_company(struct write_result *result)
{
	struct err cause = result->err;

	result->is_company = strcmp(cause.code, "1021") == 0;
	if (!result->is_company)
		return;
	result->kind = err_set(&result->err, ERR_REFUSED,
			       "the person belongs to a company in Marketo, and the fields of the "
			       "company cannot be set through the person");
	(void)snprintf(result->err.code, sizeof(result->err.code), "%s", cause.code);
	(void)snprintf(result->err.field, sizeof(result->err.field), "%s", cause.field);
	result->err.advice = cause.advice;
}

static enum err_kind write_element(void *context, struct json_object *element, struct err *err)
{
	struct write_answer *a = context;
	struct writing *w = a->writing;
	struct write_result *result;

	if (a->next >= a->job->count)
		return err_set(err, ERR_RUBBISH,
			       "Marketo answered for more records than were sent");
	result = &w->results[a->job->indices[a->next++]];
	*result = (struct write_result){ .kind = ERR_NONE };
	result->kind = marketo_record_read(element, &result->person_id, &result->was_created,
					   &result->err);
	if (result->kind == ERR_REFUSED)
		write_note_company(result);
	if (result->kind == ERR_NONE && w->operation == WRITE_CREATE && !result->person_id)
		result->kind = err_set(&result->err, ERR_RUBBISH,
				       "Marketo created a person and does not say its id");
	return ERR_NONE;
}

static void write_restart(void *context)
{
	struct write_answer *a = context;
	struct err err;

	a->next = 0;
	write_fill(a->writing, a->job,
		   err_set(&err, ERR_RUBBISH, "Marketo did not answer for this record"), &err);
}

/* ---- when a whole call fails ---- */

/* Creates whose call ended in the dark: those that carry our stamp now have been made. What is left
 * may be sent again. */
static enum err_kind write_look_after(struct writing *w, const struct write_job *job,
				      size_t *ret_left, struct err *err)
{
	struct arena scratch = { NULL, 0 };
	struct str *keys = arena_array(&scratch, job->count, sizeof(*keys));
	struct record_list found = { .count = 0 };
	size_t left = 0;
	enum err_kind kind;

	if (!http_origin_wait_ms(w->marketo->origin, WRITE_INDEX_LAG_MS))
		return err_set(err, ERR_STOPPED, "the program is ending");
	for (size_t i = 0; i < job->count; i++) {
		char text[GUID_TEXT];

		guid_print(&w->writes[job->indices[i]].record_id, text);
		keys[i] = arena_str(&scratch, str_of(text));
	}
	kind = marketo_find(w->marketo, w->call, w->mapping, TABLE_PERSON, LOOKUP_STAMP, keys,
			    job->count, &scratch, &found, err);
	for (size_t i = 0; kind == ERR_NONE && i < job->count; i++) {
		size_t index = job->indices[i];
		const struct record *r = NULL;

		for (size_t k = 0; k < found.count && !r; k++) {
			if (guid_equal(&found.records[k].record_id, &w->writes[index].record_id))
				r = &found.records[k];
		}
		if (r)
			w->results[index] = (struct write_result){ .person_id = r->person_id,
								   .was_created = true };
		else
			job->indices[left++] = index;
	}
	arena_release(&scratch);
	*ret_left = left;
	return kind;
}

static void write_note_alone(struct writing *w, size_t index)
{
	if (w->alone_count == w->alone_cap) {
		w->alone_cap = w->alone_cap ? w->alone_cap * 2 : 4;
		w->alone = mem_grow(w->alone, w->alone_cap, sizeof(*w->alone));
	}
	w->alone[w->alone_count++] = index;
}

/* A record that fails alone while others work is at fault itself. While nothing works, nobody
 * knows: it stays as it is. */
static void write_judge_alone(struct writing *w)
{
	for (size_t i = 0; w->any_success && i < w->alone_count; i++) {
		struct err *err = &w->results[w->alone[i]].err;
		struct err cause = *err;

		w->results[w->alone[i]].kind = err_set(
			err, ERR_REFUSED, "Marketo fails on this record: %.200s", cause.text);
		(void)snprintf(err->code, sizeof(err->code), "%s", cause.code);
	}
}

/* ERR_NONE: the rest of the writes goes on. Otherwise nothing more can be sent now. */
static enum err_kind write_failed(struct writing *w, struct write_job *job,
				  const struct marketo_request *r, struct err *err)
{
	size_t count = job->count;
	enum err_kind kind;

	*err = r->err;
	err->kind = r->kind;
	write_fill(w, job, r->kind, err);
	if (r->kind == ERR_REFUSED && job->count == 1)
		return ERR_NONE;
	if (!r->must_split)
		return r->kind;
	if (job->is_part && !w->any_success && ++w->part_failures >= WRITE_PART_FAILURES_MAX)
		return r->kind;
	if (w->operation == WRITE_CREATE && r->is_unknown) {
		kind = write_look_after(w, job, &job->count, err);
		if (kind != ERR_NONE)
			return kind;
	}
	if (count == 1 && job->count == 1)
		write_note_alone(w, job->indices[0]);
	else
		write_split(w, job, true);
	return ERR_NONE;
}

/* ---- sending ---- */

static enum err_kind write_round(struct writing *w, struct write_job *jobs, struct buf *bodies,
				 size_t count, struct err *err)
{
	struct marketo_request r[MARKETO_PARALLEL] = { { 0 } };
	struct write_answer answers[MARKETO_PARALLEL];
	struct marketo_sink sinks[MARKETO_PARALLEL];
	enum err_kind kind = ERR_NONE;

	for (size_t i = 0; i < count; i++) {
		answers[i] = (struct write_answer){ w, &jobs[i], 0 };
		sinks[i] = (struct marketo_sink){ write_element, write_restart, &answers[i] };
		r[i] = (struct marketo_request){ .path = "/rest/v1/leads.json",
						 .content_type = marketo_json,
						 .body = buf_str(&bodies[i]),
						 .timeout_ms = MARKETO_WRITE_MS,
						 .is_once = w->operation == WRITE_CREATE,
						 .is_part = jobs[i].is_part,
						 .permission = "Read-Write Lead",
						 .sink = &sinks[i] };
	}
	marketo_run(w->marketo, w->call, r, count);
	for (size_t i = 0; i < count; i++) {
		struct err failed;
		enum err_kind outcome = r[i].kind;

		if (outcome == ERR_NONE)
			w->any_success = true;
		else
			outcome = write_failed(w, &jobs[i], &r[i], &failed);
		if (outcome != ERR_NONE && kind == ERR_NONE) {
			kind = outcome;
			*err = failed;
		}
		marketo_request_release(&r[i]);
	}
	return kind;
}

/* Everything on the stack; what is left when the way is barred gets the same error. */
static enum err_kind write_all(struct writing *w, struct err *err)
{
	size_t parallel = w->operation == WRITE_CREATE ? 1 : MARKETO_PARALLEL;
	struct buf bodies[MARKETO_PARALLEL] = { { 0 } };
	enum err_kind kind = ERR_NONE;

	while (kind == ERR_NONE && w->stack_count) {
		struct write_job jobs[MARKETO_PARALLEL];
		size_t n = 0;

		while (n < parallel && write_next(w, &jobs[n], &bodies[n]))
			n++;
		kind = write_round(w, jobs, bodies, n, err);
	}
	while (w->stack_count)
		write_fill(w, &w->stack[--w->stack_count], kind, err);
	for (size_t i = 0; i < MARKETO_PARALLEL; i++)
		buf_release(&bodies[i]);
	return kind;
}

/* ---- sorting into calls ---- */

/* A write's place among those of the same operation and key: how many came before it. */
struct write_place {
	const struct write *write;
	size_t index, round;
};

static int write_by_key(const void *left, const void *right)
{
	const struct write_place *a = left, *b = right;
	int order;

	if (a->write->operation != b->write->operation)
		return a->write->operation < b->write->operation ? -1 : 1;
	if (a->write->operation == WRITE_CREATE) {
		order = guid_compare(&a->write->record_id, &b->write->record_id);
		if (order)
			return order;
	} else if (a->write->person_id != b->write->person_id) {
		return a->write->person_id < b->write->person_id ? -1 : 1;
	}
	return (a->index > b->index) - (a->index < b->index);
}

static bool write_same_key(const struct write *a, const struct write *b)
{
	if (a->operation != b->operation)
		return false;
	return a->operation == WRITE_CREATE ? guid_equal(&a->record_id, &b->record_id)
					    : a->person_id == b->person_id;
}

static int write_by_turn(const void *left, const void *right)
{
	const struct write_place *a = left, *b = right;

	if (a->write->operation != b->write->operation)
		return a->write->operation < b->write->operation ? -1 : 1;
	if (a->round != b->round)
		return a->round < b->round ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

/* What nothing can be made of never leaves the house. */
static bool write_is_sound(const struct write *w, const struct mapping *m)
{
	if (w->table != TABLE_PERSON)
		return false;
	if (w->operation == WRITE_CREATE ? guid_is_zero(&w->record_id) : w->person_id <= 0)
		return false;
	for (size_t i = 0; i < w->field_count; i++) {
		if (w->fields[i].index >= m->count ||
		    !m->fields[w->fields[i].index].column[TABLE_PERSON] ||
		    w->fields[i].value.kind == VALUE_UNSEEN)
			return false;
	}
	return true;
}

/* Creates first, then updates; a later write of the same key in a later round, so never in one call
 * with the first. */
static size_t write_sort(const struct write *writes, size_t count, const struct mapping *m,
			 struct write_result *results, struct write_place *places)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		results[i] = (struct write_result){ .kind = ERR_NONE };
		if (write_is_sound(&writes[i], m))
			places[n++] = (struct write_place){ &writes[i], i, 0 };
		else
			results[i].kind =
				err_set(&results[i].err, ERR_OURS,
					"a write to Marketo lacks its key or names no column");
	}
	qsort(places, n, sizeof(*places), write_by_key);
	for (size_t i = 1; i < n; i++) {
		if (write_same_key(places[i].write, places[i - 1].write))
			places[i].round = places[i - 1].round + 1;
	}
	qsort(places, n, sizeof(*places), write_by_turn);
	return n;
}

/* One round of one operation: none of its keys comes twice. */
static enum err_kind write_turn(struct writing *w, size_t *indices, size_t count, struct err *err)
{
	enum err_kind kind;

	/* The stack gives back the last first. */
	for (size_t end = count; end > 0;) {
		size_t size = end % MARKETO_BATCH ? end % MARKETO_BATCH : MARKETO_BATCH;

		end -= size;
		write_push(w, indices + end, size, false);
	}
	if (w->operation == WRITE_CREATE)
		(void)pthread_mutex_lock(&w->marketo->create_lock);
	kind = write_all(w, err);
	if (w->operation == WRITE_CREATE)
		(void)pthread_mutex_unlock(&w->marketo->create_lock);
	return kind;
}

enum err_kind marketo_write(void *self, const struct call *call, const struct mapping *mapping,
			    const struct write *writes, size_t count, struct write_result *results,
			    struct err *err)
{
	struct writing w = { .marketo = self,
			     .call = call,
			     .mapping = mapping,
			     .writes = writes,
			     .results = results };
	struct write_place *places = mem_array(count + 1, sizeof(*places));
	size_t n = write_sort(writes, count, mapping, results, places);
	size_t *indices = mem_array(n + 1, sizeof(*indices));
	struct err failed = { .kind = ERR_NONE };
	enum err_kind kind = ERR_NONE;

	for (size_t i = 0; i < n; i++)
		indices[i] = places[i].index;
	for (size_t from = 0, to; from < n; from = to) {
		const struct write_place *first = &places[from];

		for (to = from + 1; to < n && places[to].round == first->round &&
				    places[to].write->operation == first->write->operation;)
			to++;
		w.operation = first->write->operation;
		if (kind == ERR_NONE)
			kind = write_turn(&w, indices + from, to - from, &failed);
		else
			write_fill(&w, &(struct write_job){ indices + from, to - from, false },
				   kind, &failed);
	}
	write_judge_alone(&w);
	if (kind != ERR_NONE && err)
		*err = failed;
	free(w.alone);
	free(w.stack);
	free(indices);
	free(places);
	return kind;
}

/* Bulk extract jobs: their states by the clock, the calls that make, queue, show and end them.
 * Adobe: Bulk Extract. What a job is asked for and what it writes are in the files beside. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "marketo/bulk.h"

/* Adobe: Bulk Extract, limits: 2 jobs at work, 10 in the queue with those; a status is renewed once
 * a minute; files are kept for 7 days, states for 30. */
enum { AT_WORK_MAX = 2, QUEUE_MAX = 10, RENEWED_MS = 60000 };
#define DAY_MS ((int64_t)86400 * 1000)

static const char *const state_names[] = {
	[JOB_CREATED] = "Created",     [JOB_QUEUED] = "Queued", [JOB_PROCESSING] = "Processing",
	[JOB_COMPLETED] = "Completed", [JOB_FAILED] = "Failed", [JOB_CANCELLED] = "Cancelled",
};

static void job_free(struct job *job)
{
	for (size_t i = 0; i < job->column_count; i++)
		free(job->headers[i]);
	json_object_put(job->primary);
	text_free(&job->file);
	free(job);
}

void bulk_free(struct marketo *m)
{
	if (!m->bulk)
		return;
	for (size_t i = 0; i < m->bulk->count; i++)
		job_free(m->bulk->jobs[i]);
	free(m->bulk->jobs);
	free(m->bulk);
	m->bulk = NULL;
}

/* ---- the passing of time ---- */

static size_t count_in(const struct bulk *b, enum job_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < b->count; i++)
		count += b->jobs[i]->state == state;
	return count;
}

static int64_t job_end_ms(const struct marketo *m, const struct job *job)
{
	return job->started_ms + m->limits.export_s * 1000;
}

/* Jobs begin in the order they were queued in. */
static void jobs_start(struct bulk *b, int64_t at_ms)
{
	while (count_in(b, JOB_PROCESSING) < AT_WORK_MAX) {
		struct job *first = NULL;

		for (size_t i = 0; i < b->count; i++)
			if (b->jobs[i]->state == JOB_QUEUED &&
			    (!first || b->jobs[i]->queued_ms < first->queued_ms))
				first = b->jobs[i];
		if (!first)
			return;
		first->state = JOB_PROCESSING;
		first->started_ms = at_ms > first->queued_ms ? at_ms : first->queued_ms;
	}
}

static void job_finish(struct marketo *m, struct job *job)
{
	int64_t day;

	job->finished_ms = job_end_ms(m, job);
	if (m->limits.export_fails) {
		job->state = JOB_FAILED;
		return;
	}
	job->state = JOB_COMPLETED;
	job_write(m, job);
	job->file_gone = m->limits.export_loses_file;
	day = central_day(job->finished_ms / 1000);
	if (day != m->bulk->day)
		m->bulk->day_bytes = 0;
	m->bulk->day = day;
	m->bulk->day_bytes += (int64_t)job->size;
}

static void jobs_forget(struct bulk *b, int64_t now_ms)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->count; i++) {
		struct job *job = b->jobs[i];

		if (job->finished_ms && now_ms - job->finished_ms >= 7 * DAY_MS) {
			text_free(&job->file);
			job->file_gone = true;
		}
		if (now_ms - job->created_ms >= 30 * DAY_MS)
			job_free(job);
		else
			b->jobs[kept++] = job;
	}
	b->count = kept;
}

void bulk_settle(struct marketo *m)
{
	struct bulk *b = m->bulk;
	int64_t now_ms;

	if (!b || !b->count)
		return;
	now_ms = sandbox_now_ms();
	for (;;) {
		struct job *next = NULL;

		for (size_t i = 0; i < b->count; i++)
			if (b->jobs[i]->state == JOB_PROCESSING &&
			    (!next || job_end_ms(m, b->jobs[i]) < job_end_ms(m, next)))
				next = b->jobs[i];
		if (!next || job_end_ms(m, next) > now_ms)
			break;
		job_finish(m, next);
		jobs_start(b, next->finished_ms);
	}
	jobs_forget(b, now_ms);
}

/* What the status tells: as things stood when it was last renewed. */
static enum job_state state_shown(const struct job *job)
{
	int64_t now_ms = sandbox_now_ms();
	int64_t renewed_ms;

	if (job->state == JOB_CREATED || job->state == JOB_CANCELLED)
		return job->state;
	renewed_ms = now_ms - (now_ms - job->queued_ms) % RENEWED_MS;
	if (job->finished_ms && job->finished_ms <= renewed_ms)
		return job->state;
	return job->started_ms && job->started_ms < renewed_ms ? JOB_PROCESSING : JOB_QUEUED;
}

/* ---- showing ---- */

static void add_time(struct text *out, const char *name, int64_t ms)
{
	if (!ms)
		return;
	text_printf(out, ",\"%s\":\"", name);
	clock_print(out, ms / 1000);
	text_puts(out, "\"");
}

static void job_json(struct call *call, const struct job *job)
{
	enum job_state state = state_shown(job);
	struct text *out = call->out;

	text_printf(out, "%s{\"exportId\":\"%s\",\"format\":\"%s\",\"status\":\"%s\"",
		    call->records++ ? "," : "", job->id, job->format, state_names[state]);
	add_time(out, "createdAt", job->created_ms);
	add_time(out, "queuedAt", job->queued_ms);
	if (state != JOB_QUEUED)
		add_time(out, "startedAt", job->started_ms);
	if (state == JOB_COMPLETED || state == JOB_FAILED)
		add_time(out, "finishedAt", job->finished_ms);
	if (state == JOB_COMPLETED)
		text_printf(out,
			    ",\"numberOfRecords\":%" PRId64
			    ",\"fileSize\":%zu,\"fileChecksum\":\"sha256:%s\"",
			    job->records, job->size, job->checksum);
	if (state == JOB_FAILED)
		text_puts(out, ",\"errorMsg\":\"Internal error while writing the file\"");
	text_puts(out, "}");
}

static void job_answer(struct call *call, const struct job *job)
{
	text_puts(call->out, ",\"result\":[");
	job_json(call, job);
	text_puts(call->out, "]");
}

/* ---- making and finding ---- */

static void id_make(char ret[JOB_ID_SIZE])
{
	uint8_t r[16];

	if (getrandom(r, sizeof(r), 0) != (ssize_t)sizeof(r))
		abort();
	r[6] = (uint8_t)((r[6] & 0x0f) | 0x40);
	r[8] = (uint8_t)((r[8] & 0x3f) | 0x80);
	snprintf(ret, JOB_ID_SIZE,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0], r[1],
		 r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14],
		 r[15]);
}

/* False after having failed the call. */
static bool quota_left(struct call *call)
{
	const struct bulk *b = call->m->bulk;

	if (!b || b->day != central_day(sandbox_now_s()) ||
	    b->day_bytes < call->m->limits.export_bytes_per_day)
		return true;
	call_fail(call, 1029, "Export daily quota exceeded");
	return false;
}

static void job_keep(struct marketo *m, struct job *job)
{
	if (!m->bulk)
		m->bulk = calloc(1, sizeof(*m->bulk));
	if (!m->bulk)
		abort();
	m->bulk->jobs = realloc(m->bulk->jobs, (m->bulk->count + 1) * sizeof(struct job *));
	if (!m->bulk->jobs)
		abort();
	m->bulk->jobs[m->bulk->count++] = job;
}

static void job_create(struct call *call, enum job_kind kind)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		abort();
	job->kind = kind;
	job->user = call->user;
	job->created_ms = sandbox_now_ms();
	id_make(job->id);
	if (!quota_left(call) || !job_read(call, job)) {
		job_free(job);
		return;
	}
	job_keep(call->m, job);
	job_answer(call, job);
}

/* A job is seen by the user who made it only; NULL after having failed the call. */
static struct job *job_named(struct call *call, enum job_kind kind)
{
	const struct bulk *b = call->m->bulk;

	for (size_t i = 0; b && i < b->count; i++)
		if (b->jobs[i]->kind == kind && b->jobs[i]->user == call->user &&
		    strcmp(b->jobs[i]->id, call->word.data) == 0)
			return b->jobs[i];
	call_fail(call, 1013, "Export job '%s' not found", call->word.data);
	return NULL;
}

/* ---- the other calls ---- */

static void job_enqueue(struct call *call, enum job_kind kind)
{
	struct job *job = job_named(call, kind);
	struct bulk *b = call->m->bulk;

	if (!job || !quota_left(call))
		return;
	if (job->state != JOB_CREATED) {
		call_fail(call, 1029, "Export job is already %s", state_names[job->state]);
		return;
	}
	if (count_in(b, JOB_QUEUED) + count_in(b, JOB_PROCESSING) +
		    (size_t)call->m->limits.other_exports >=
	    QUEUE_MAX) {
		call_fail(call, 1029, "Too many jobs in queue");
		return;
	}
	job->state = JOB_QUEUED;
	job->queued_ms = sandbox_now_ms();
	job_answer(call, job);
	jobs_start(b, job->queued_ms);
}

static void job_status(struct call *call, enum job_kind kind)
{
	const struct job *job = job_named(call, kind);

	if (job)
		job_answer(call, job);
}

static void job_cancel(struct call *call, enum job_kind kind)
{
	struct job *job = job_named(call, kind);

	if (!job)
		return;
	if (job->state != JOB_CREATED && job->state != JOB_QUEUED && job->state != JOB_PROCESSING) {
		call_fail(call, 1003, "Export job is %s and cannot be cancelled",
			  state_names[job->state]);
		return;
	}
	job->state = JOB_CANCELLED;
	job_answer(call, job);
	jobs_start(call->m->bulk, sandbox_now_ms());
}

static void job_file(struct call *call, enum job_kind kind)
{
	const struct job *job = job_named(call, kind);

	if (job && job->state == JOB_COMPLETED && !job->file_gone) {
		file_answer(call, job->file.data, job->file.len, "text/csv");
		return;
	}
	call->plain = true;
	call->response->status = 404;
	text_clear(call->out);
	web_header(call->response, "Content-Type", "text/plain");
	text_puts(call->out, "The file of this export is not there");
}

struct state_search {
	enum job_state state;
	size_t values;
	bool met;
};

static void state_visit(void *context, const char *value, size_t len)
{
	struct state_search *s = context;
	const char *name = state_names[s->state];

	s->values++;
	s->met = s->met || (strlen(name) == len && strncasecmp(name, value, len) == 0) ||
		 (s->state == JOB_CANCELLED && len == 8 && strncasecmp(value, "Canceled", 8) == 0);
}

static bool job_listed(const struct call *call, const struct job *job, enum job_kind kind)
{
	struct state_search s = { .state = state_shown(job) };

	if (job->kind != kind || job->user != call->user ||
	    sandbox_now_ms() - job->created_ms >= 7 * DAY_MS)
		return false;
	call_each_value(call, "status", state_visit, &s);
	return !s.values || s.met;
}

static void jobs_list(struct call *call, enum job_kind kind)
{
	const struct bulk *b = call->m->bulk;
	size_t batch = call_batch_size(call), count = b ? b->count : 0, at;

	if (!batch || !call_page_start(call, PAGE_EXPORTS, &at))
		return;
	text_puts(call->out, ",\"result\":[");
	for (; at < count && (size_t)call->records < batch; at++)
		if (job_listed(call, b->jobs[at], kind))
			job_json(call, b->jobs[at]);
	text_puts(call->out, "]");
	if (at < count)
		call_page_next(call, PAGE_EXPORTS, at);
}

#define HANDLERS(of, kind)                                                                         \
	void of##_export_create(struct call *call)                                                 \
	{                                                                                          \
		job_create(call, kind);                                                            \
	}                                                                                          \
	void of##_export_enqueue(struct call *call)                                                \
	{                                                                                          \
		job_enqueue(call, kind);                                                           \
	}                                                                                          \
	void of##_export_status(struct call *call)                                                 \
	{                                                                                          \
		job_status(call, kind);                                                            \
	}                                                                                          \
	void of##_export_cancel(struct call *call)                                                 \
	{                                                                                          \
		job_cancel(call, kind);                                                            \
	}                                                                                          \
	void of##_export_file(struct call *call)                                                   \
	{                                                                                          \
		job_file(call, kind);                                                              \
	}                                                                                          \
	void of##_exports_get(struct call *call)                                                   \
	{                                                                                          \
		jobs_list(call, kind);                                                             \
	}

HANDLERS(leads, JOB_LEADS)
HANDLERS(activities, JOB_ACTIVITIES)

/* Bulk extract jobs: made, queued, looked at, cancelled ("Adobe: Bulk Extract", "Adobe: Bulk Lead
 * Extract"). Their files are in marketo_file.c. Must not know why anybody wants so many persons. */
#include <stdio.h>
#include <strings.h>

#include "base/clock.h"
#include "core/forecast.h"
#include "remote/marketo_parts.h"
#include "remote/marketo_value.h"

enum { EXPORT_JOB_MAX = 64 };

static const char export_permission[] = "Read-Only Lead";

/* ---- calls ---- */

enum err_kind marketo_bulk_ask(struct marketo *m, const struct call *call,
			       struct marketo_request *r, struct err *err)
{
	struct err failed = { .kind = ERR_NONE };
	enum err_kind kind = marketo_ask(m, call, r, &failed);

	if (kind == ERR_NONE)
		return ERR_NONE;
	kind = marketo_bulk_judge(&failed);
	if (kind == ERR_THROTTLED && r->answer.names_quota && strcmp(failed.code, "1029") == 0) {
		kind = err_set(&failed, ERR_THROTTLED,
			       "the bytes that may be extracted in a day are used up");
		(void)snprintf(failed.code, sizeof(failed.code), "1029");
		/* They come back with the day that the calls are counted by. */
		failed.retry_after_ms =
			(forecast_day_end(clock_wall_ms() / 1000) * 1000) - clock_wall_ms();
	}
	if (err)
		*err = failed;
	return kind;
}

bool marketo_export_path(struct str job, const char *what, struct buf *out)
{
	for (size_t i = 0; i < job.n; i++) {
		char c = job.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      c == '-'))
			return false;
	}
	buf_text(out, "/bulk/v1/leads/export/");
	buf_add(out, job);
	buf_fmt(out, "/%s.json", what);
	return job.n > 0 && job.n <= EXPORT_JOB_MAX;
}

/* ---- what a job says ---- */

static bool export_state(struct str name, enum extract_state *ret)
{
	static const struct {
		const char *name;
		enum extract_state state;
	} rows[] = {
		{ "Created", EXTRACT_WAITING },    { "Queued", EXTRACT_WAITING },
		{ "Processing", EXTRACT_WAITING }, { "Completed", EXTRACT_READY },
		{ "Failed", EXTRACT_FAILED },      { "Cancelled", EXTRACT_GONE },
		{ "Canceled", EXTRACT_GONE }, /* both spellings occur */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (str_equal_fold(name, str_of(rows[i].name))) {
			*ret = rows[i].state;
			return true;
		}
	}
	return false;
}

static enum err_kind export_element(void *context, struct json_object *element, struct err *err)
{
	struct marketo_export *e = context;
	struct str job = { NULL, 0 }, status = { NULL, 0 }, checksum = { NULL, 0 };
	CLEANUP(buf_release) struct buf path = { 0 };

	*e = (struct marketo_export){ .rows = -1, .bytes = -1 };
	(void)json_get_string(element, "exportId", &job);
	(void)json_get_string(element, "status", &status);
	if (!marketo_export_path(job, "status", &path) || !export_state(status, &e->state))
		return err_set(err, ERR_RUBBISH,
			       "Marketo answered about a job without an id or a known state");
	(void)snprintf(e->job, sizeof(e->job), STR_FMT, STR_ARG(job));
	(void)json_get_int64(element, "numberOfRecords", &e->rows);
	(void)json_get_int64(element, "fileSize", &e->bytes);
	if (json_get_string(element, "fileChecksum", &checksum) && checksum.n < sizeof(e->checksum))
		(void)snprintf(e->checksum, sizeof(e->checksum), STR_FMT, STR_ARG(checksum));
	return ERR_NONE;
}

static void export_restart(void *context)
{
	*(struct marketo_export *)context = (struct marketo_export){ .rows = -1, .bytes = -1 };
}

/* One call whose answer is the job. */
static enum err_kind export_ask(struct marketo *m, const struct call *call,
				struct marketo_request *r, struct marketo_export *ret,
				bool *ret_is_repeat, struct err *err)
{
	struct marketo_sink sink = { export_element, export_restart, ret };
	enum err_kind kind;

	export_restart(ret);
	r->sink = &sink;
	r->timeout_ms = MARKETO_OTHER_MS;
	r->permission = export_permission;
	kind = marketo_bulk_ask(m, call, r, err);
	if (ret_is_repeat)
		*ret_is_repeat = kind == ERR_THROTTLED && r->answer.names_repeat;
	marketo_request_release(r);
	if (kind == ERR_NONE && !ret->job[0])
		return err_set(err, ERR_RUBBISH, "Marketo answered about a job without naming it");
	return kind;
}

/* The same for a job that exists: something is done with it, or (content type NULL) it is looked
 * at. */
static enum err_kind export_do(struct marketo *m, const struct call *call, struct str job,
			       const char *what, const char *content_type,
			       struct marketo_export *ret, bool *ret_is_repeat, struct err *err)
{
	CLEANUP(buf_release) struct buf path = { 0 };
	struct marketo_request r = { .content_type = content_type };

	if (!marketo_export_path(job, what, &path))
		return err_set(err, ERR_OURS, "that is no id of an extract");
	r.path = buf_cstr(&path);
	return export_ask(m, call, &r, ret, ret_is_repeat, err);
}

enum err_kind marketo_export_look(struct marketo *m, const struct call *call, struct str job,
				  struct marketo_export *ret, struct err *err)
{
	return export_do(m, call, job, "status", NULL, ret, NULL, err);
}

/* ---- the operations ---- */

/* Without fractions, and both ends belong to it ("Adobe: Bulk Lead Extract"). */
static void export_body(const struct mapping *m, enum extract_filter filter, int64_t from_s,
			int64_t to_s, struct buf *out)
{
	char from[CLOCK_TEXT], to[CLOCK_TEXT];
	CLEANUP(buf_release) struct buf names = { 0 };
	struct str rest;

	marketo_person_fields(m, &names);
	rest = buf_str(&names);
	clock_print(from_s, from);
	clock_print(to_s, to);
	buf_text(out, "{\"format\":\"CSV\",\"fields\":[");
	for (const char *comma = ""; rest.n; comma = ",") {
		buf_text(out, comma);
		buf_json(out, str_cut(&rest, ','));
	}
	buf_fmt(out, "],\"filter\":{\"%s\":{\"startAt\":\"%s\",\"endAt\":\"%s\"}}}",
		filter == EXTRACT_CREATED ? "createdAt" : "updatedAt", from, to);
}

/* A job that nobody waits for shall not stand about. Where even that fails, it was never queued and
 * takes nobody's place. */
static void export_give_up(struct marketo *m, const struct call *call, struct str job)
{
	(void)marketo_extract_cancel(m, call, job, NULL);
}

enum err_kind marketo_extract_start(void *self, const struct call *call,
				    const struct mapping *mapping, enum extract_filter filter,
				    int64_t from_s, int64_t to_s, struct arena *a,
				    struct str *ret_job, struct err *err)
{
	struct marketo *m = self;
	CLEANUP(buf_release) struct buf body = { 0 };
	struct marketo_request r = { .path = "/bulk/v1/leads/export/create.json",
				     .content_type = marketo_json };
	struct marketo_export made, queued;
	bool is_repeat = false;
	struct str job;
	enum err_kind kind;

	if (to_s < from_s || to_s - from_s > REMOTE_EXTRACT_MAX_S)
		return err_set(err, ERR_OURS, "an extract covers 31 days at most");
	export_body(mapping, filter, from_s, to_s, &body);
	r.body = buf_str(&body);
	/* May be repeated: a job that was made without our hearing of it is never queued. */
	kind = export_ask(m, call, &r, &made, NULL, err);
	if (kind != ERR_NONE)
		return kind;
	job = arena_str(a, str_of(made.job));
	kind = export_do(m, call, job, "enqueue", marketo_json, &queued, &is_repeat, err);
	if (kind != ERR_NONE && !is_repeat) {
		export_give_up(m, call, job);
		return kind;
	}
	*ret_job = job;
	return ERR_NONE;
}

enum err_kind marketo_extract_poll(void *self, const struct call *call, struct str job,
				   struct extract_status *ret, struct err *err)
{
	struct marketo_export e;
	struct err failed = { .kind = ERR_NONE };
	enum err_kind kind = marketo_export_look(self, call, job, &e, &failed);

	*ret = (struct extract_status){ .state = EXTRACT_GONE };
	if (kind == ERR_GONE)
		return ERR_NONE;
	if (kind != ERR_NONE) {
		if (err)
			*err = failed;
		return kind;
	}
	ret->state = e.state;
	ret->rows = e.rows > 0 ? (uint64_t)e.rows : 0;
	ret->bytes = e.bytes > 0 ? (uint64_t)e.bytes : 0;
	if (e.state == EXTRACT_FAILED)
		(void)err_set(&ret->err, ERR_RETRY_LATER,
			      "Marketo could not finish the extract: a new one may work");
	return ERR_NONE;
}

enum err_kind marketo_extract_cancel(void *self, const struct call *call, struct str job,
				     struct err *err)
{
	struct marketo_export e;
	struct err failed = { .kind = ERR_NONE };
	enum err_kind kind = export_do(self, call, job, "cancel", marketo_json, &e, NULL, &failed);

	marketo_file_forget(self, job);
	/* Refused: it is at its end. */
	if (kind == ERR_GONE || kind == ERR_REFUSED)
		return ERR_NONE;
	if (kind != ERR_NONE && err)
		*err = failed;
	return kind;
}

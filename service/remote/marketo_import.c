/* Bulk import of stamps ("Adobe: Bulk Lead Import"): one file instead of hundreds of calls. Must
 * not know why persons are stamped. */
#include <stdio.h>

#include "core/fingerprint.h"
#include "remote/marketo_parts.h"
#include "remote/marketo_row.h"

enum { IMPORT_BYTES_MAX = 9900 * 1000 /* Marketo takes less than 10 MB */ };

static const char import_permission[] = "Read-Write Lead";

struct import_answer {
	int64_t job;
	struct import_status status;
};

static bool import_state(struct str name, enum import_state *ret)
{
	static const struct {
		const char *name;
		enum import_state state;
	} rows[] = {
		{ "Queued", IMPORT_WAITING },
		{ "Importing", IMPORT_WAITING },
		{ "Complete", IMPORT_DONE },
		{ "Failed", IMPORT_FAILED },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (str_equal_fold(name, str_of(rows[i].name))) {
			*ret = rows[i].state;
			return true;
		}
	}
	return false;
}

static uint64_t import_number(struct json_object *element, const char *name)
{
	int64_t n = 0;

	(void)json_get_int64(element, name, &n);
	return n > 0 ? (uint64_t)n : 0;
}

static enum err_kind import_element(void *context, struct json_object *element, struct err *err)
{
	struct import_answer *answer = context;
	struct import_status *s = &answer->status;
	struct str name = { NULL, 0 };

	(void)json_get_int64(element, "batchId", &answer->job);
	(void)json_get_string(element, "status", &name);
	if (answer->job <= 0 || !import_state(name, &s->state))
		return err_set(err, ERR_RUBBISH,
			       "Marketo answered about an import without an id or a known state");
	s->processed = import_number(element, "numOfLeadsProcessed");
	s->failed = import_number(element, "numOfRowsFailed");
	s->warnings = import_number(element, "numOfRowsWithWarning");
	return ERR_NONE;
}

static void import_restart(void *context)
{
	*(struct import_answer *)context = (struct import_answer){ .job = 0 };
}

static enum err_kind import_ask(struct marketo *m, const struct call *call,
				struct marketo_request *r, struct import_answer *ret,
				struct err *err)
{
	struct marketo_sink sink = { import_element, import_restart, ret };
	enum err_kind kind;

	import_restart(ret);
	r->sink = &sink;
	r->permission = import_permission;
	kind = marketo_bulk_ask(m, call, r, err);
	marketo_request_release(r);
	if (kind == ERR_NONE && !ret->job)
		return err_set(err, ERR_RUBBISH,
			       "Marketo took a file and does not name the import");
	return kind;
}

/* ---- sending ---- */

/* The boundary is random, so nothing in the file can look like it. */
static bool import_body(const struct write *writes, size_t count, const char *boundary,
			struct buf *out)
{
	buf_fmt(out,
		"--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"stamps.csv\"\r\n"
		"Content-Type: text/csv\r\n\r\n",
		boundary);
	if (!marketo_stamps_print(writes, count, out))
		return false;
	buf_fmt(out, "\r\n--%s--\r\n", boundary);
	return out->len <= IMPORT_BYTES_MAX;
}

enum err_kind marketo_import_start(void *self, const struct call *call, const struct write *writes,
				   size_t count, struct arena *a, struct str *ret_job,
				   struct err *err)
{
	struct marketo *m = self;
	CLEANUP(buf_release) struct buf body = { 0 };
	char boundary[GUID_TEXT], content_type[100];
	struct guid chance = fingerprint_random_guid();
	struct marketo_request r = { .path = "/bulk/v1/leads.json?format=csv&lookupField=id",
				     .content_type = content_type,
				     .timeout_ms = MARKETO_FILE_MS,
				     /* A repeat would take a second place in a queue that people
				      * share. */
				     .is_once = true };
	struct import_answer answer;
	enum err_kind kind;

	guid_print(&chance, boundary);
	(void)snprintf(content_type, sizeof(content_type),
		       "Content-Type: multipart/form-data; boundary=%s", boundary);
	if (count > REMOTE_IMPORT_MAX || !import_body(writes, count, boundary, &body))
		return err_set(err, ERR_OURS,
			       "an import takes up to %d stamps, of the same fields and not empty",
			       (int)REMOTE_IMPORT_MAX);
	r.body = buf_str(&body);
	kind = import_ask(m, call, &r, &answer, err);
	if (kind == ERR_NONE)
		*ret_job = str_of(arena_fmt(a, "%lld", (long long)answer.job));
	return kind;
}

/* ---- what became of it ---- */

static bool import_path(struct str job, const char *what, char *ret, size_t size)
{
	int64_t id;

	if (!str_int64(job, 1, INT64_MAX, &id))
		return false;
	(void)snprintf(ret, size, "/bulk/v1/leads/batch/%lld%s.json", (long long)id, what);
	return true;
}

enum err_kind marketo_import_poll(void *self, const struct call *call, struct str job,
				  struct import_status *ret, struct err *err)
{
	char path[80];
	struct marketo_request r = { .path = path, .timeout_ms = MARKETO_OTHER_MS };
	struct err failed = { .kind = ERR_NONE };
	struct import_answer answer;
	enum err_kind kind;

	if (!import_path(job, "", path, sizeof(path)))
		return err_set(err, ERR_OURS, "that is no id of an import");
	kind = import_ask(self, call, &r, &answer, &failed);
	*ret = answer.status;
	if (kind == ERR_GONE) {
		*ret = (struct import_status){ .state = IMPORT_GONE };
		return ERR_NONE;
	}
	if (kind != ERR_NONE && err)
		*err = failed;
	if (kind == ERR_NONE && ret->state == IMPORT_FAILED)
		(void)err_set(&ret->err, ERR_REFUSED, "Marketo could not import the file");
	return kind;
}

static enum err_kind import_file(struct marketo *m, const struct call *call, struct str job,
				 bool is_warning, struct arena *a, struct import_failure_list *ret,
				 struct err *err)
{
	char path[80];
	struct marketo_request r = { .path = path,
				     .timeout_ms = MARKETO_FILE_MS,
				     .permission = import_permission,
				     .is_file = true };
	enum err_kind kind;

	if (!import_path(job, is_warning ? "/warnings" : "/failures", path, sizeof(path)))
		return err_set(err, ERR_OURS, "that is no id of an import");
	kind = marketo_bulk_ask(m, call, &r, err);
	if (kind == ERR_NONE)
		kind = marketo_failures_read(buf_str(&r.file), is_warning, a, ret, err);
	marketo_request_release(&r);
	return kind;
}

enum err_kind marketo_import_failures(void *self, const struct call *call, struct str job,
				      const struct import_status *status, struct arena *a,
				      struct import_failure_list *ret, struct err *err)
{
	enum err_kind kind = ERR_NONE;

	*ret = (struct import_failure_list){ .count = 0 };
	if (status->failed)
		kind = import_file(self, call, job, false, a, ret, err);
	if (kind == ERR_NONE && ret->count < status->failed)
		kind = err_set(err, ERR_RUBBISH,
			       "Marketo tells of more rows that failed than it lists");
	if (kind == ERR_NONE && status->warnings)
		kind = import_file(self, call, job, true, a, ret, err);
	return kind;
}

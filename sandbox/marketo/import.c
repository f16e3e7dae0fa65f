/* Bulk lead imports: their states by the clock and the calls about them. Adobe: Bulk Lead Import. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marketo/bulk.h"
#include "marketo/import.h"

/* Adobe: Bulk Lead Import, limits: 2 at work, 10 in the queue with those; known for 7 days. */
enum { AT_WORK_MAX = 2, QUEUE_MAX = 10, FIRST_IMPORT_ID = 7001 };
#define KNOWN_MS ((int64_t)7 * 86400 * 1000)

static void import_free(struct import *import)
{
	text_free(&import->file);
	text_free(&import->failures);
	text_free(&import->warnings);
	free(import);
}

void imports_free(struct marketo *m)
{
	if (!m->imports)
		return;
	for (size_t i = 0; i < m->imports->count; i++)
		import_free(m->imports->list[i]);
	free(m->imports->list);
	free(m->imports);
	m->imports = NULL;
}

/* ---- the passing of time ---- */

static size_t count_in(const struct imports *all, enum import_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < all->count; i++)
		count += all->list[i]->state == state;
	return count;
}

/* In the order of upload, which is the order of the list. */
static void imports_start(struct imports *all, int64_t at_ms)
{
	for (size_t i = 0; i < all->count && count_in(all, IMPORT_RUNNING) < AT_WORK_MAX; i++) {
		struct import *import = all->list[i];

		if (import->state != IMPORT_QUEUED)
			continue;
		import->state = IMPORT_RUNNING;
		import->started_ms = at_ms > import->queued_ms ? at_ms : import->queued_ms;
	}
}

static void imports_forget(struct imports *all, int64_t now_ms)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++) {
		if (now_ms - all->list[i]->queued_ms >= KNOWN_MS)
			import_free(all->list[i]);
		else
			all->list[kept++] = all->list[i];
	}
	all->count = kept;
}

void imports_settle(struct marketo *m)
{
	struct imports *all = m->imports;
	int64_t span_ms = m->limits.import_s * 1000;
	int64_t now_ms;

	if (!all || !all->count)
		return;
	now_ms = sandbox_now_ms();
	for (;;) {
		struct import *next = NULL;

		for (size_t i = 0; i < all->count; i++)
			if (all->list[i]->state == IMPORT_RUNNING &&
			    (!next || all->list[i]->started_ms < next->started_ms))
				next = all->list[i];
		if (!next || next->started_ms + span_ms > now_ms)
			break;
		next->finished_ms = next->started_ms + span_ms;
		next->state = IMPORT_COMPLETE;
		import_apply(m, next);
		imports_start(all, next->finished_ms);
	}
	imports_forget(all, now_ms);
}

/* ---- uploading ---- */

static bool format_read(struct call *call, struct import *import)
{
	struct text word = { 0 };

	if (!call_param(call, "format", 0, &word) || !word.len)
		call_fail(call, 701, "format cannot be blank");
	else if (strcasecmp(word.data, "csv") == 0)
		import->delimiter = ',';
	else if (strcasecmp(word.data, "tsv") == 0)
		import->delimiter = '\t';
	else if (strcasecmp(word.data, "ssv") == 0)
		import->delimiter = ';';
	else
		call_fail(call, 1003, "Invalid value for format '%s'", word.data);
	text_free(&word);
	return !call->error_code;
}

static bool options_read(struct call *call, struct import *import)
{
	struct text word = { 0 };

	import->lookup = COLUMN_EMAIL;
	import->partition = 1;
	if (call_param(call, "lookupField", 0, &word)) {
		import->lookup = field_find(call->m, word.data, word.len);
		if (import->lookup < 0)
			call_fail(call, 1006, "Lookup field '%s' not found", word.data);
		else if (import->lookup == COLUMN_PARTITION ||
			 !field_can_filter(&call->m->fields.list[import->lookup], import->lookup))
			call_fail(call, 1011, "Field '%s' is not supported as lookup field",
				  word.data);
	}
	if (!call->error_code && call_param(call, "listId", 0, &word)) {
		import->list = strtoll(word.data, NULL, 10);
		if (!list_by_id(call->m, import->list))
			call_fail(call, 1013, "List '%s' not found", word.data);
	}
	if (!call->error_code && call_param(call, "partitionName", 0, &word)) {
		import->partition = partition_named(word.data);
		if (!import->partition)
			call_fail(call, 1013, "Partition '%s' not found", word.data);
	}
	text_free(&word);
	return !call->error_code;
}

static bool file_read(struct call *call, struct import *import)
{
	const char *bytes;
	size_t len;

	if (!multipart_find(call->request, "file", &bytes, &len)) {
		call_fail(call, 613, "Invalid multipart request");
		return false;
	}
	text_add(&import->file, bytes, len);
	return import_check(call, import);
}

static void import_keep(struct marketo *m, struct import *import)
{
	struct imports *all = m->imports;

	all->list = realloc(all->list, (all->count + 1) * sizeof(struct import *));
	if (!all->list)
		abort();
	all->list[all->count++] = import;
	import->id = FIRST_IMPORT_ID + all->last_id++;
	import->queued_ms = sandbox_now_ms();
}

void import_post(struct call *call)
{
	struct import *import = calloc(1, sizeof(*import));

	if (!call->m->imports)
		call->m->imports = calloc(1, sizeof(*call->m->imports));
	if (!import || !call->m->imports)
		abort();
	import->user = call->user;
	if (count_in(call->m->imports, IMPORT_QUEUED) + count_in(call->m->imports, IMPORT_RUNNING) +
		    (size_t)call->m->limits.other_imports >=
	    QUEUE_MAX)
		call_fail(call, 1016, "Too many imports queued");
	if (call->error_code || !format_read(call, import) || !options_read(call, import) ||
	    !file_read(call, import)) {
		import_free(import);
		return;
	}
	import_keep(call->m, import);
	text_printf(call->out,
		    ",\"result\":[{\"batchId\":%u,\"importId\":\"%u\",\"status\":\"Queued\"}]",
		    import->id, import->id);
	imports_start(call->m->imports, import->queued_ms);
}

/* ---- what became of it ---- */

/* NULL after having failed the call. */
static struct import *import_named(struct call *call)
{
	const struct imports *all = call->m->imports;
	long long id = strtoll(call->word.data, NULL, 10);

	for (size_t i = 0; all && i < all->count; i++)
		if (all->list[i]->id == id)
			return all->list[i];
	call_fail(call, 1013, "Import '%s' not found", call->word.data);
	return NULL;
}

void import_get(struct call *call)
{
	static const char *const names[] = {
		[IMPORT_QUEUED] = "Queued", [IMPORT_RUNNING] = "Importing", [IMPORT_COMPLETE] = "Complete"
	};
	const struct import *import = import_named(call);
	struct text *out = call->out;

	if (!import)
		return;
	text_printf(out, ",\"result\":[{\"batchId\":%u,\"importId\":\"%u\",\"status\":\"%s\"",
		    import->id, import->id, names[import->state]);
	if (import->state == IMPORT_COMPLETE) {
		text_printf(out,
			    ",\"numOfLeadsProcessed\":%" PRId64 ",\"numOfRowsFailed\":%" PRId64
			    ",\"numOfRowsWithWarning\":%" PRId64,
			    import->imported, import->failed, import->warned);
		text_printf(out,
			    ",\"message\":\"Import %s, %" PRId64 " records imported (%" PRId64
			    " members), %" PRId64 " failed\"",
			    import->failed ? "completed with errors" : "succeeded",
			    import->imported, import->imported, import->failed);
	}
	text_puts(out, "}]");
	call->records = 1;
}

static void reasons_answer(struct call *call, bool failures)
{
	const struct import *import = import_named(call);
	const struct text *file;

	if (!import)
		return;
	if (import->state != IMPORT_COMPLETE) {
		call_fail(call, 1003, "Import '%s' is not complete", call->word.data);
		return;
	}
	file = failures ? &import->failures : &import->warnings;
	file_answer(call, file->data, file->len, "text/csv");
}

void import_failures_get(struct call *call)
{
	reasons_answer(call, true);
}

void import_warnings_get(struct call *call)
{
	reasons_answer(call, false);
}

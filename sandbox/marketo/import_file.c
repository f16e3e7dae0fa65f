/* The file of a bulk import: taking it out of the upload, and making people of its rows. Adobe: Bulk
 * Lead Import. A row that cannot be done goes to the failures, a cell that cannot to the warnings.
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "marketo/bulk.h"
#include "marketo/import.h"

/* ---- multipart ---- */

static bool boundary_read(const struct web_request *request, struct text *ret)
{
	const char *type = request->header(request, "Content-Type");
	const char *at = type ? strcasestr(type, "boundary=") : NULL;
	size_t len;

	if (!at)
		return false;
	at += strlen("boundary=");
	len = *at == '"' ? strcspn(++at, "\"") : strcspn(at, "; ");
	text_puts(ret, "--");
	text_add(ret, at, len);
	return len > 0;
}

/* Whether a part's head gives it the name. */
static bool part_is(const char *head, size_t len, const char *name)
{
	struct text wanted = { 0 };
	bool is;

	text_printf(&wanted, "; name=\"%s\"", name);
	is = memmem(head, len, wanted.data, wanted.len);
	text_free(&wanted);
	return is;
}

bool multipart_find(const struct web_request *request, const char *name, const char **ret_bytes,
		    size_t *ret_len)
{
	const char *end = request->body + request->body_len;
	struct text boundary = { 0 };
	const char *part = NULL;
	bool found = false;

	if (boundary_read(request, &boundary))
		part = memmem(request->body, request->body_len, boundary.data, boundary.len);
	while (part && !found) {
		const char *head = part + boundary.len;
		const char *bytes = memmem(head, (size_t)(end - head), "\r\n\r\n", 4);

		part = memmem(head, (size_t)(end - head), boundary.data, boundary.len);
		if (!bytes || !part || part < bytes + 6)
			continue;
		bytes += 4;
		if (!part_is(head, (size_t)(bytes - head), name))
			continue;
		*ret_bytes = bytes;
		*ret_len = (size_t)(part - 2 - bytes); /* a line break before the boundary */
		found = true;
	}
	text_free(&boundary);
	return found;
}

/* ---- rows ---- */

struct rows {
	const char *at, *end;
	char delimiter;
	const char *line; /* the current row as it stands in the file */
	size_t line_len;
	struct text cells[FIELDS_MAX];
	size_t count;
};

static void rows_free(struct rows *r)
{
	for (size_t i = 0; i < FIELDS_MAX; i++)
		text_free(&r->cells[i]);
}

/* One cell; leaves the place on what ends it. */
static void cell_read(struct rows *r, struct text *cell)
{
	bool quoted = r->at < r->end && *r->at == '"';

	text_clear(cell);
	text_puts(cell, "");
	r->at += quoted;
	for (; r->at < r->end; r->at++) {
		char c = *r->at;

		if (quoted && c == '"' && (r->at + 1 == r->end || r->at[1] != '"')) {
			quoted = false;
			continue;
		}
		if (quoted && c == '"')
			r->at++;
		if (!quoted && (c == r->delimiter || c == '\n' || c == '\r'))
			return;
		text_add(cell, &c, 1);
	}
}

/* False at the end of the file. Empty lines are passed over. */
static bool row_read(struct rows *r)
{
	while (r->at < r->end && (*r->at == '\n' || *r->at == '\r'))
		r->at++;
	if (r->at == r->end)
		return false;
	r->line = r->at;
	for (r->count = 0; r->count < FIELDS_MAX;) {
		cell_read(r, &r->cells[r->count++]);
		if (r->at == r->end || *r->at != r->delimiter)
			break;
		r->at++;
	}
	r->line_len = (size_t)(r->at - r->line);
	return true;
}

static struct rows rows_begin(const struct import *import)
{
	struct rows r = { .at = import->file.data,
			  .end = import->file.data + import->file.len,
			  .delimiter = import->delimiter };

	if (import->file.len >= 3 && memcmp(r.at, "\xef\xbb\xbf", 3) == 0)
		r.at += 3;
	return r;
}

bool import_check(struct call *call, const struct import *import)
{
	struct rows r = { 0 };
	const char *lookup = call->m->fields.list[import->lookup].name;
	bool has_lookup = false;

	if (!text_is_utf8(import->file.data, import->file.len)) {
		call_fail(call, 1003, "The file is not UTF-8");
		return false;
	}
	if (import->file.len)
		r = rows_begin(import);
	if (!import->file.len || !row_read(&r))
		call_fail(call, 1003, "The file is empty");
	for (size_t i = 0; i < r.count && !call->error_code; i++) {
		const struct text *name = &r.cells[i];

		if (field_find(call->m, name->data, name->len) < 0)
			call_fail(call, 1006, "Field '%s' not found", name->data);
		has_lookup = has_lookup || strcmp(name->data, lookup) == 0;
	}
	if (!call->error_code && !has_lookup)
		call_fail(call, 1003, "Value for lookup field '%s' not found", lookup);
	rows_free(&r);
	return !call->error_code;
}

/* ---- into people ---- */

struct run {
	struct marketo *m;
	struct import *import;
	struct rows rows;
	const char *header;
	size_t header_len;
	int columns[FIELDS_MAX];
	size_t count;
	struct draft *draft;
	struct text value, warning, error; /* of the current row */
};

static void reason_add(struct run *run, struct text *file, const char *title,
		       const struct text *reason)
{
	char delimiter = run->import->delimiter;

	if (!file->len) {
		text_add(file, run->header, run->header_len);
		text_add(file, &delimiter, 1);
		text_puts(file, title);
		text_puts(file, "\n");
	}
	text_add(file, run->rows.line, run->rows.line_len);
	text_add(file, &delimiter, 1);
	file_cell(file, delimiter, reason->data, reason->len);
	text_puts(file, "\n");
}

/* The cells that hold something, those of the wrong kind left out with a warning. */
static struct json_object *record_make(struct run *run)
{
	struct json_object *record = json_object_new_object();

	text_clear(&run->warning);
	for (size_t i = 0; i < run->count && i < run->rows.count; i++) {
		const struct text *cell = &run->rows.cells[i];
		const struct field *field = &run->m->fields.list[run->columns[i]];

		if (!cell->len)
			continue;
		if (run->columns[i] != run->import->lookup &&
		    !value_from_text(field->type, cell->data, cell->len, &run->value)) {
			text_printf(&run->warning, "%sInvalid value for field '%s'",
				    run->warning.len ? "; " : "", field->name);
			continue;
		}
		json_object_object_add(record, field->name,
				       json_object_new_string_len(cell->data, (int)cell->len));
	}
	return record;
}

/* How many people the row is for; -1 with the reason in error. */
static int row_matches(struct run *run, struct json_object *record, uint32_t *ret)
{
	const struct field *field = &run->m->fields.list[run->import->lookup];
	struct json_object *value;
	uint32_t found[2];
	size_t matches;

	if (!json_object_object_get_ex(record, field->name, &value)) {
		text_printf(&run->error, "Value for lookup field '%s' not found", field->name);
		return -1;
	}
	if (!value_from_json(field, value, &run->value)) {
		text_printf(&run->error, "Invalid value for lookup field '%s'", field->name);
		return -1;
	}
	matches = people_look_up(run->m, run->import->lookup, run->value.data, run->value.len,
				 found, 2);
	if (matches > 1)
		text_puts(&run->error, "Multiple lead match lookup criteria");
	if (!matches && run->import->lookup == COLUMN_ID)
		text_puts(&run->error, "Lead not found");
	*ret = matches ? found[0] : 0;
	return run->error.len ? -1 : (int)matches;
}

static void row_apply(struct run *run)
{
	struct json_object *record = record_make(run);
	struct import *import = run->import;
	uint32_t position;
	int matches;

	text_clear(&run->error);
	matches = row_matches(run, record, &position);
	if (matches >= 0 &&
	    (draft_read(run->m, run->draft, record, import->lookup == COLUMN_ID, &run->error) ||
	     draft_company_check(run->m, run->draft, matches ? &position : NULL, &run->error)))
		matches = -1;
	json_object_put(record);
	if (matches < 0) {
		import->failed++;
		reason_add(run, &import->failures, "Import Failure Reason", &run->error);
		return;
	}
	if (matches)
		draft_update(run->m, run->draft, position, import->user);
	else
		position = draft_create(run->m, run->draft, import->partition, import->user);
	if (import->list)
		list_add(list_by_id(run->m, import->list), position);
	import->imported++;
	if (!run->warning.len)
		return;
	import->warned++;
	reason_add(run, &import->warnings, "Import Warning Reason", &run->warning);
}

void import_apply(struct marketo *m, struct import *import)
{
	struct run *run = calloc(1, sizeof(*run));

	if (!run)
		abort();
	run->m = m;
	run->import = import;
	run->rows = rows_begin(import);
	run->draft = draft_new();
	if (row_read(&run->rows)) {
		run->header = run->rows.line;
		run->header_len = run->rows.line_len;
		run->count = run->rows.count;
		for (size_t i = 0; i < run->count; i++)
			run->columns[i] =
				field_find(m, run->rows.cells[i].data, run->rows.cells[i].len);
		/* A field may have been hidden since the upload: then nothing is imported. */
		for (size_t i = 0; i < run->count; i++)
			if (run->columns[i] < 0)
				run->rows.at = run->rows.end;
	}
	log_origin_set(&m->log, "List import", "List import", 0);
	while (row_read(&run->rows))
		row_apply(run);
	m->log.origin = 0;
	rows_free(&run->rows);
	draft_free(run->draft);
	text_free(&run->value);
	text_free(&run->warning);
	text_free(&run->error);
	free(run);
	text_free(&import->file);
}

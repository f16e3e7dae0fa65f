/* Persons as rows of Marketo's files; see marketo_row.h. Must not know calls, jobs or pieces. */
#include "remote/marketo_row.h"

#include "base/clock.h"
#include "base/csv.h"
#include "remote/marketo_value.h"
#include "remote/marketo_wire.h"

enum { ROW_CELLS_MAX = 1000 };

static const char *const row_id = "id";

/* Which cell of a row holds what. */
struct row_columns {
	size_t count;
	size_t id;
	size_t stamp[STAMP_FIELD_COUNT]; /* those of marketo_person_fields */
	size_t *values;                  /* per field of the mapping */
};

/* ---- the first row ---- */

static enum err_kind row_bad(struct err *err)
{
	return err_set(err, ERR_RUBBISH, "a file of Marketo's is no table of commas and quotes");
}

enum err_kind marketo_header_read(struct str text, bool is_all, size_t *ret_bytes, struct err *err)
{
	struct arena scratch = { NULL, 0 };
	struct csv_cell *cells = arena_array(&scratch, ROW_CELLS_MAX, sizeof(*cells));
	struct str rest = text;
	size_t count;
	enum csv_next next = csv_read(&rest, is_all, &scratch, cells, ROW_CELLS_MAX, &count);

	arena_release(&scratch);
	*ret_bytes = 0;
	if (next == CSV_BAD)
		return row_bad(err);
	if (next == CSV_END)
		return err_set(err, ERR_RUBBISH, "a file of Marketo's does not name its columns");
	if (next == CSV_ROW)
		*ret_bytes = text.n - rest.n;
	return ERR_NONE;
}

static enum err_kind row_find(const struct csv_cell *cells, size_t count, struct str name,
			      size_t *ret, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (str_equal(str_trim(cells[i].text), name)) {
			*ret = i;
			return ERR_NONE;
		}
	}
	(void)err_set(err, ERR_RUBBISH, "a file of Marketo's lacks the column " STR_FMT,
		      STR_ARG(name));
	if (err)
		(void)snprintf(err->field, sizeof(err->field), STR_FMT, STR_ARG(name));
	return ERR_RUBBISH;
}

/* A mark of the byte order is no part of the first name. */
static struct str row_unmark(struct str text)
{
	return str_starts(text, STR("\xef\xbb\xbf")) ? (struct str){ text.p + 3, text.n - 3 }
						     : text;
}

static size_t row_names(struct str header, struct arena *a, struct csv_cell *cells)
{
	size_t count = 0;

	header = row_unmark(header);
	return csv_read(&header, true, a, cells, ROW_CELLS_MAX, &count) == CSV_ROW ? count : 0;
}

static enum err_kind row_columns(struct str header, const struct mapping *m, struct arena *a,
				 struct row_columns *ret, struct err *err)
{
	static const enum stamp_field stamp[] = { STAMP_ID, STAMP_TYPE, STAMP_IS_DELETED };
	struct csv_cell *names = arena_array(a, ROW_CELLS_MAX, sizeof(*names));
	size_t count = row_names(header, a, names);
	enum err_kind kind = row_find(names, count, str_of(row_id), &ret->id, err);

	for (size_t i = 0; kind == ERR_NONE && i < ARRAY_LEN(stamp); i++)
		kind = row_find(names, count, str_of(stamp_fields[stamp[i]].name),
				&ret->stamp[stamp[i]], err);
	ret->values = arena_array(a, m->count + 1, sizeof(*ret->values));
	for (size_t i = 0; kind == ERR_NONE && i < m->count; i++) {
		const struct column *c = m->fields[i].column[TABLE_PERSON];

		if (c)
			kind = row_find(names, count, c->name, &ret->values[i], err);
	}
	ret->count = count;
	return kind;
}

/* ---- persons ---- */

/* "Adobe: Bulk Lead Extract": nothing is the word null, which a text can be as well. In quotes it
 * is the text. */
static bool row_is_null(const struct csv_cell *cell)
{
	return !cell->is_quoted && str_equal(cell->text, STR("null"));
}

static struct str row_text(const struct csv_cell *cell)
{
	return row_is_null(cell) ? (struct str){ NULL, 0 } : cell->text;
}

static enum err_kind row_person(const struct row_columns *c, const struct csv_cell *cells,
				size_t count, const struct mapping *m, struct arena *a,
				struct record *ret, struct err *err)
{
	struct value is_deleted = { .kind = VALUE_EMPTY };

	if (count != c->count)
		return err_set(err, ERR_RUBBISH,
			       "a row of Marketo's file has %zu cells below %zu names", count,
			       c->count);
	*ret = (struct record){ .table = TABLE_PERSON };
	if (!str_int64(str_trim(cells[c->id].text), 1, INT64_MAX, &ret->person_id))
		return err_set(err, ERR_RUBBISH, "a row of Marketo's file has no id");
	(void)value_parse(a, VALUE_BOOLEAN, row_text(&cells[c->stamp[STAMP_IS_DELETED]]), -1,
			  &is_deleted, NULL);
	marketo_stamp_set(ret, row_text(&cells[c->stamp[STAMP_ID]]),
			  row_text(&cells[c->stamp[STAMP_TYPE]]), is_deleted.boolean);
	ret->values = arena_array(a, m->count + 1, sizeof(*ret->values));
	for (size_t i = 0; i < m->count; i++) {
		const struct csv_cell *cell = &cells[c->values[i]];

		if (m->fields[i].column[TABLE_PERSON])
			ret->values[i] = marketo_text_value(row_is_null(cell) ? NULL : &cell->text,
							    &m->fields[i], a);
	}
	return ERR_NONE;
}

static enum err_kind rows_read(const struct row_columns *columns, struct str *rest, bool is_all,
			       const struct mapping *m, struct arena *scratch, struct arena *a,
			       struct record_list *ret, struct err *err)
{
	struct csv_cell *cells = arena_array(scratch, columns->count + 1, sizeof(*cells));
	size_t cap = 0, count;
	enum csv_next next;

	while ((next = csv_read(rest, is_all, scratch, cells, columns->count + 1, &count)) ==
	       CSV_ROW) {
		enum err_kind kind;

		ret->records = arena_more(a, ret->records, ret->count, &cap, sizeof(*ret->records));
		kind = row_person(columns, cells, count, m, a, &ret->records[ret->count], err);
		if (kind != ERR_NONE)
			return kind;
		ret->count++;
	}
	return next == CSV_BAD ? row_bad(err) : ERR_NONE;
}

enum err_kind marketo_rows_read(struct str header, struct str text, bool is_all,
				const struct mapping *m, struct arena *a, struct record_list *ret,
				size_t *ret_taken, struct err *err)
{
	struct arena scratch = { NULL, 0 };
	struct row_columns columns = { .count = 0 };
	struct str rest = text;
	enum err_kind kind = row_columns(header, m, &scratch, &columns, err);

	*ret = (struct record_list){ .count = 0 };
	if (kind == ERR_NONE)
		kind = rows_read(&columns, &rest, is_all, m, &scratch, a, ret, err);
	arena_release(&scratch);
	*ret_taken = text.n - rest.n;
	return kind;
}

/* ---- stamps to import ---- */

static bool row_is_stamp(const struct write *w, unsigned fields)
{
	const struct stamp *s = w->stamp;

	return w->table == TABLE_PERSON && w->operation == WRITE_UPDATE && w->person_id > 0 &&
	       !w->field_count && s && s->fields == fields &&
	       !(fields & 1u << STAMP_ID && guid_is_zero(&s->record_id)) &&
	       !(fields & 1u << STAMP_STATUS && !(s->status && s->status[0])) &&
	       !(fields & 1u << STAMP_TYPE && s->table == TABLE_PERSON);
}

static void row_stamp_print(const struct stamp *s, enum stamp_field field, struct buf *out)
{
	char guid[GUID_TEXT], time[CLOCK_TEXT];

	switch (field) {
	case STAMP_ID:
		guid_print(&s->record_id, guid);
		buf_text(out, guid);
		return;
	case STAMP_TYPE:
		buf_text(out, s->table == TABLE_CONTACT ? "Contact" : "Lead");
		return;
	case STAMP_IS_DELETED:
		buf_text(out, s->is_deleted ? "true" : "false");
		return;
	case STAMP_STATUS:
		csv_print(out, str_of(s->status));
		return;
	case STAMP_SYNCED_AT:
		clock_print(s->synced_at_s, time);
		buf_text(out, time);
		return;
	case STAMP_FIELD_COUNT:
		return;
	}
}

bool marketo_stamps_print(const struct write *writes, size_t count, struct buf *out)
{
	unsigned fields = count && writes[0].stamp ? writes[0].stamp->fields : 0;

	if (!fields || fields >> STAMP_FIELD_COUNT)
		return false;
	buf_text(out, row_id);
	for (unsigned f = 0; f < STAMP_FIELD_COUNT; f++) {
		if (fields & 1u << f)
			buf_fmt(out, ",%s", stamp_fields[f].name);
	}
	buf_char(out, '\n');
	for (size_t i = 0; i < count; i++) {
		if (!row_is_stamp(&writes[i], fields))
			return false;
		buf_fmt(out, "%lld", (long long)writes[i].person_id);
		for (unsigned f = 0; f < STAMP_FIELD_COUNT; f++) {
			if (!(fields & 1u << f))
				continue;
			buf_char(out, ',');
			row_stamp_print(writes[i].stamp, (enum stamp_field)f, out);
		}
		buf_char(out, '\n');
	}
	return true;
}

/* ---- what an import did not take ---- */

enum err_kind marketo_failures_read(struct str text, bool is_warning, struct arena *a,
				    struct import_failure_list *ret, struct err *err)
{
	struct arena scratch = { NULL, 0 };
	struct csv_cell *cells = arena_array(&scratch, ROW_CELLS_MAX, sizeof(*cells));
	size_t count = 0, id = 0, cap = ret->count;
	struct str rest = row_unmark(text);
	enum csv_next next = csv_read(&rest, true, &scratch, cells, ROW_CELLS_MAX, &count);
	enum err_kind kind = ERR_NONE;

	if (next == CSV_ROW)
		kind = row_find(cells, count, str_of(row_id), &id, err);
	while (kind == ERR_NONE && next == CSV_ROW &&
	       (next = csv_read(&rest, true, &scratch, cells, ROW_CELLS_MAX, &count)) == CSV_ROW) {
		struct import_failure f = { .is_warning = is_warning };

		if (id < count)
			(void)!str_int64(str_trim(cells[id].text), 1, INT64_MAX, &f.person_id);
		(void)marketo_reason_read(cells[count - 1].text, &f.err);
		ret->failures =
			arena_more(a, ret->failures, ret->count, &cap, sizeof(*ret->failures));
		ret->failures[ret->count++] = f;
	}
	arena_release(&scratch);
	return kind == ERR_NONE && next == CSV_BAD ? row_bad(err) : kind;
}

/* JSON and CSV output; see print.h. Knows nothing of HTTP. */
#include "api/print.h"

#include <inttypes.h>

#include "base/clock.h"

static void print_name(struct buf *out, const char *name)
{
	char last = out->len ? out->data[out->len - 1] : '{';

	if (last != '{' && last != '[')
		buf_char(out, ',');
	if (!name)
		return;
	buf_json(out, str_of(name));
	buf_char(out, ':');
}

void print_open(struct buf *out, const char *name, char bracket)
{
	print_name(out, name);
	buf_char(out, bracket);
}

void print_close(struct buf *out, char bracket)
{
	buf_char(out, bracket);
}

void print_null(struct buf *out, const char *name)
{
	print_name(out, name);
	buf_text(out, "null");
}

void print_text(struct buf *out, const char *name, struct str text)
{
	if (!text.p) {
		print_null(out, name);
		return;
	}
	print_name(out, name);
	buf_json(out, text);
}

void print_text_or_null(struct buf *out, const char *name, struct str text)
{
	print_text(out, name, text.n ? text : (struct str){ NULL, 0 });
}

void print_number(struct buf *out, const char *name, int64_t number)
{
	print_name(out, name);
	buf_fmt(out, "%" PRId64, number);
}

void print_count(struct buf *out, const char *name, uint64_t count)
{
	print_name(out, name);
	buf_fmt(out, "%" PRIu64, count);
}

void print_boolean(struct buf *out, const char *name, bool value)
{
	print_name(out, name);
	buf_text(out, value ? "true" : "false");
}

void print_time_ms(struct buf *out, const char *name, int64_t ms)
{
	char text[CLOCK_TEXT];

	if (!ms) {
		print_null(out, name);
		return;
	}
	clock_print_ms(ms, text);
	print_text(out, name, str_of(text));
}

/* Stores write a boolean as PostgreSQL does ("t") or in full. */
static bool print_cell_is_true(struct str cell)
{
	return cell.n && (cell.p[0] == 't' || cell.p[0] == '1');
}

static void print_cell(struct buf *out, const char *name, enum cell_type type, struct str cell)
{
	if (!cell.p) {
		print_null(out, name);
		return;
	}
	switch (type) {
	case CELL_NUMBER:
		print_name(out, name);
		buf_add(out, cell);
		return;
	case CELL_BOOLEAN:
		print_boolean(out, name, print_cell_is_true(cell));
		return;
	case CELL_TEXT:
	case CELL_TIME:
		print_text(out, name, cell);
		return;
	}
}

void print_row(struct buf *out, const char *name, const struct rowset *rows, size_t row)
{
	print_open(out, name, '{');
	for (size_t i = 0; i < rows->columns; i++)
		print_cell(out, rows->names[i], rows->types[i],
			   rows->cells[row * rows->columns + i]);
	print_close(out, '}');
}

void print_rows(struct buf *out, const char *name, const struct rowset *rows)
{
	print_open(out, name, '[');
	for (size_t i = 0; i < rows->rows; i++)
		print_row(out, NULL, rows, i);
	print_close(out, ']');
}

/* Spreadsheets run what begins like this ("OWASP: CSV Injection"). */
static bool csv_is_formula(struct str text)
{
	return text.n && strchr("=+-@\t\r", text.p[0]) != NULL && text.p[0] != '\0';
}

static void csv_text(struct buf *out, struct str text)
{
	bool must_quote = false;
	struct str rest = text;

	for (size_t i = 0; i < text.n && !must_quote; i++)
		must_quote = text.p[i] == '"' || text.p[i] == ',' || text.p[i] == '\r' ||
			     text.p[i] == '\n';
	if (must_quote)
		buf_char(out, '"');
	if (csv_is_formula(text))
		buf_char(out, '\'');
	while (rest.n) {
		struct str part = str_cut(&rest, '"');
		bool had_quote = part.p + part.n < text.p + text.n;

		buf_add(out, part);
		if (had_quote)
			buf_text(out, "\"\"");
	}
	if (must_quote)
		buf_char(out, '"');
}

static void csv_cell(struct buf *out, enum cell_type type, struct str cell)
{
	if (!cell.p)
		return;
	if (type == CELL_TEXT)
		csv_text(out, cell);
	else if (type == CELL_BOOLEAN)
		buf_text(out, print_cell_is_true(cell) ? "true" : "false");
	else
		buf_add(out, cell);
}

void print_csv(struct buf *out, const struct rowset *rows)
{
	for (size_t i = 0; i < rows->columns; i++) {
		buf_text(out, i ? "," : "");
		buf_text(out, rows->names[i]);
	}
	buf_text(out, "\r\n");
	for (size_t row = 0; row < rows->rows; row++) {
		for (size_t i = 0; i < rows->columns; i++) {
			buf_text(out, i ? "," : "");
			csv_cell(out, rows->types[i], rows->cells[row * rows->columns + i]);
		}
		buf_text(out, "\r\n");
	}
}

/* Rows and cells; see csv.h. A lone CR is part of a cell: only LF and CRLF end a row. */
#include "base/csv.h"

/* Position behind the cell that begins at *at: on a comma, a line end, or the end of the text. */
static enum csv_next csv_plain(struct str s, bool is_all, size_t *at, struct csv_cell *ret)
{
	size_t end = *at;

	while (end < s.n && s.p[end] != ',' && s.p[end] != '\n')
		end++;
	if (end == s.n && !is_all)
		return CSV_CUT;
	*ret = (struct csv_cell){ .text = { s.p + *at, end - *at } };
	if ((end == s.n || s.p[end] == '\n') && str_ends(ret->text, STR("\r")))
		ret->text.n--;
	*at = end;
	return CSV_ROW;
}

static struct str csv_undouble(struct arena *a, struct str s, size_t doubled)
{
	char *out = doubled ? arena_alloc(a, s.n) : NULL;
	size_t n = 0;

	if (!doubled)
		return s;
	for (size_t i = 0; i < s.n; i++) {
		out[n++] = s.p[i];
		i += s.p[i] == '"'; /* the second of the two */
	}
	return (struct str){ out, n };
}

static enum csv_next csv_quoted(struct str s, bool is_all, struct arena *a, size_t *at,
				struct csv_cell *ret)
{
	size_t begin = *at + 1, end = begin, doubled = 0;

	for (;; end += 2, doubled++) {
		const char *quote = end < s.n ? memchr(s.p + end, '"', s.n - end) : NULL;

		if (!quote)
			return is_all ? CSV_BAD : CSV_CUT;
		end = (size_t)(quote - s.p);
		if (end + 1 == s.n && !is_all)
			return CSV_CUT; /* perhaps half of a doubled one */
		if (end + 1 == s.n || s.p[end + 1] != '"')
			break;
	}
	*at = end + 1;
	if (*at < s.n && s.p[*at] == '\r') {
		if (*at + 1 == s.n && !is_all)
			return CSV_CUT;
		++*at;
		if (*at < s.n && s.p[*at] != '\n')
			return CSV_BAD;
	}
	if (*at < s.n && s.p[*at] != ',' && s.p[*at] != '\n')
		return CSV_BAD;
	*ret = (struct csv_cell){
		csv_undouble(a, (struct str){ s.p + begin, end - begin }, doubled), true
	};
	return CSV_ROW;
}

static enum csv_next csv_row(struct str *rest, bool is_all, struct arena *a, struct csv_cell *cells,
			     size_t room, size_t *ret_count)
{
	struct str s = *rest;
	size_t at = 0, count = 0;

	for (;; at++) {
		enum csv_next next;

		if (count == room)
			return CSV_BAD;
		next = at < s.n && s.p[at] == '"' ? csv_quoted(s, is_all, a, &at, &cells[count])
						  : csv_plain(s, is_all, &at, &cells[count]);
		if (next != CSV_ROW)
			return next;
		count++;
		if (at == s.n || s.p[at] == '\n')
			break;
	}
	at += at < s.n;
	*rest = (struct str){ s.p + at, s.n - at };
	*ret_count = count;
	return CSV_ROW;
}

enum csv_next csv_read(struct str *rest, bool is_all, struct arena *a, struct csv_cell *cells,
		       size_t room, size_t *ret_count)
{
	while (rest->n) {
		enum csv_next next = csv_row(rest, is_all, a, cells, room, ret_count);

		if (next != CSV_ROW || *ret_count > 1 || cells[0].is_quoted || cells[0].text.n)
			return next;
	}
	return is_all ? CSV_END : CSV_CUT;
}

void csv_print(struct buf *out, struct str cell)
{
	bool needs_quotes = cell.n == 0;

	for (size_t i = 0; i < cell.n && !needs_quotes; i++)
		needs_quotes = strchr(",\"\r\n", cell.p[i]) && cell.p[i];
	if (!needs_quotes) {
		buf_add(out, cell);
		return;
	}
	buf_char(out, '"');
	for (size_t i = 0; i < cell.n; i++) {
		buf_text(out, cell.p[i] == '"' ? "\"" : "");
		buf_char(out, cell.p[i]);
	}
	buf_char(out, '"');
}

/* Tables as text: rows of cells between commas (RFC 4180). A cell in quotes may hold commas, quotes
 * (doubled) and line breaks; a row ends with LF or CRLF. Pure; must not know what a cell means. */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include "base/arena.h"
#include "base/buf.h"

struct csv_cell {
	struct str text; /* a view into the table, or, where quotes were doubled, in the arena */
	bool is_quoted;
};

enum csv_next {
	CSV_ROW,
	CSV_END, /* nothing is left */
	CSV_CUT, /* the text ends before the row does; nothing of the row was taken */
	CSV_BAD  /* no table: a quote that nothing closes or that stands before text, or more cells
		    than there is room for */
};

/* Takes the next row off *rest, and empty lines before it. is_all: nothing follows the text, so its
 * last row needs no line end. */
enum csv_next csv_read(struct str *rest, bool is_all, struct arena *a, struct csv_cell *cells,
		       size_t room, size_t *ret_count);

/* One cell, in quotes when it needs them. Commas and line ends are the caller's. */
void csv_print(struct buf *out, struct str cell);

#endif

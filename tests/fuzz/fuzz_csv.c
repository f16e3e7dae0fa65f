/* Any bytes as a table: the reader ends, its cells lie in the text or in the arena, a table that
 * comes in pieces has the rows of the whole one, and printed cells are read back as they were. */
#include <stdlib.h>

#include "base/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CELLS = 8 };

static void add_row(struct buf *out, const struct csv_cell *cells, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_char(out, i ? ',' : '\n');
		csv_print(out, cells[i].text);
	}
}

static enum csv_next read_whole(struct str text, struct buf *out)
{
	struct arena a = { NULL, 0 };
	struct csv_cell cells[CELLS];
	enum csv_next next;
	size_t count;

	while ((next = csv_read(&text, true, &a, cells, CELLS, &count)) == CSV_ROW)
		add_row(out, cells, count);
	arena_release(&a);
	return next;
}

/* Takes ever larger pieces from where the last whole row ended. */
static enum csv_next read_pieces(struct str text, size_t piece, struct buf *out)
{
	enum csv_next next = CSV_CUT;
	size_t size = piece;

	while (next == CSV_CUT) {
		struct arena a = { NULL, 0 };
		struct csv_cell cells[CELLS];
		bool is_all = size >= text.n;
		struct str rest = { text.p, is_all ? text.n : size };
		size_t before = rest.n, count;

		while ((next = csv_read(&rest, is_all, &a, cells, CELLS, &count)) == CSV_ROW)
			add_row(out, cells, count);
		arena_release(&a);
		size = before == rest.n ? size * 2 : piece;
		text = (struct str){ text.p + (before - rest.n), text.n - (before - rest.n) };
	}
	return next;
}

/* The first byte is the size of a piece. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = { 0 }, pieces = { 0 }, again = { 0 };
	struct str text;
	enum csv_next next;

	if (!size)
		return 0;
	text = (struct str){ (const char *)data + 1, size - 1 };
	next = read_whole(text, &whole);
	if (next != CSV_END && next != CSV_BAD)
		abort();
	if (read_pieces(text, (size_t)data[0] + 1, &pieces) != next ||
	    !str_equal(buf_str(&whole), buf_str(&pieces)))
		abort();
	if (read_whole(buf_str(&whole), &again) != CSV_END ||
	    !str_equal(buf_str(&whole), buf_str(&again)))
		abort();
	buf_release(&whole);
	buf_release(&pieces);
	buf_release(&again);
	return 0;
}

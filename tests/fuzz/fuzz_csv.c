/* Any text as a table, and as the files Marketo hands out: rows come out of it one after the other,
 * and what is printed of a cell is read as the same cell. Reading piece by piece takes whole rows
 * only. */
#include <stdlib.h>

#include "base/csv.h"
#include "remote/marketo_row.h"
#include "tests/replay/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CELLS_MAX = 32 };

static void must_come_back(struct arena *a, struct str cell)
{
	CLEANUP(buf_release) struct buf line = { 0 };
	struct csv_cell cells[CELLS_MAX];
	struct str rest;
	size_t count;

	csv_print(&line, cell);
	buf_text(&line, ",x\r\n");
	rest = buf_str(&line);
	if (csv_read(&rest, true, a, cells, CELLS_MAX, &count) != CSV_ROW || count != 2 ||
	    !str_equal(cells[0].text, cell) || rest.n)
		abort();
}

static void as_table(struct str text, bool is_all)
{
	CLEANUP(arena_release) struct arena a = { 0 };
	struct csv_cell cells[CELLS_MAX];
	struct str rest = text;
	size_t count, before;
	enum csv_next next;

	do {
		before = rest.n;
		next = csv_read(&rest, is_all, &a, cells, CELLS_MAX, &count);
		if (next != CSV_ROW)
			continue;
		if (rest.n >= before || !count || count > CELLS_MAX)
			abort();
		for (size_t i = 0; i < count; i++)
			must_come_back(&a, cells[i].text);
	} while (next == CSV_ROW);
	if (is_all && next == CSV_CUT)
		abort();
}

static void as_persons(const struct mapping *m, struct str text, bool is_all)
{
	CLEANUP(arena_release) struct arena a = { 0 };
	struct record_list persons = { .count = 0 };
	size_t head = 0, taken = 0;
	struct str rows;

	if (marketo_header_read(text, is_all, &head, NULL) != ERR_NONE || !head)
		return;
	rows = (struct str){ text.p + head, text.n - head };
	if (marketo_rows_read((struct str){ text.p, head }, rows, is_all, m, &a, &persons, &taken,
			      NULL) != ERR_NONE)
		return;
	if (taken > rows.n)
		abort();
	for (size_t i = 0; i < persons.count; i++)
		if (persons.records[i].person_id <= 0)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mapping *mapping;
	CLEANUP(arena_release) struct arena a = { 0 };
	struct str text = { (const char *)data, size };
	struct import_failure_list failures = { .count = 0 };

	if (!mapping)
		mapping = world_mapping();
	for (int is_all = 0; is_all < 2; is_all++) {
		as_table(text, is_all);
		as_persons(mapping, text, is_all);
	}
	for (int is_warning = 0; is_warning < 2; is_warning++)
		(void)marketo_failures_read(text, is_warning, &a, &failures, NULL);
	return 0;
}

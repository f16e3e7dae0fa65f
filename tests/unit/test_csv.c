/* Rows and cells of text: what RFC 4180 says, what occurs beside it, and texts that end anywhere. */
#include "base/csv.h"
#include "tests/unit/unit.h"

enum { CELLS = 4 };

/* All rows: cells joined by '|', quoted ones in <>, rows ended by '/'. */
static enum csv_next read_all(struct str text, struct buf *out)
{
	struct arena a = { NULL, 0 };
	struct csv_cell cells[CELLS];
	enum csv_next next;
	size_t count;

	buf_clear(out);
	while ((next = csv_read(&text, true, &a, cells, CELLS, &count)) == CSV_ROW) {
		for (size_t i = 0; i < count; i++) {
			buf_text(out, i ? "|" : "");
			buf_text(out, cells[i].is_quoted ? "<" : "");
			buf_add(out, cells[i].text);
			buf_text(out, cells[i].is_quoted ? ">" : "");
		}
		buf_char(out, '/');
	}
	arena_release(&a);
	return next;
}

static void rows_and_cells(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ "", "" },
		{ "a,b\n1,2\n", "a|b/1|2/" },
		{ "a,b\r\n1,2\r\n", "a|b/1|2/" },
		{ "a,b\n1,2", "a|b/1|2/" },
		{ "a,b\r", "a|b/" },
		{ "a,\n,b\n,\n", "a|/|b/|/" },
		{ "a,", "a|/" },
		{ "\"a\",\"b,c\"\n", "<a>|<b,c>/" },
		{ "\"say \"\"ho\"\"\",x\n", "<say \"ho\">|x/" },
		{ "\"\"\"\",\"\"\n", "<\">|<>/" },
		{ "\"two\nlines\",\"three\r\nlines\"\r\nx,y",
		  "<two\nlines>|<three\r\nlines>/x|y/" },
		{ "a\rb,c\n", "a\rb|c/" },
		{ "a\"b,c\"\n", "a\"b|c\"/" },
		{ "\n\r\n\na,b\n\n\nc,d\n\n", "a|b/c|d/" },
		{ "\"\"\n", "<>/" },
		{ "null,\"null\"\n", "null|<null>/" },
		{ "\"a\"", "<a>/" },
		{ "\"a\"\r", "<a>/" },
		{ "J\xc3\xbcrgen,\xe2\x82\xac\n", "J\xc3\xbcrgen|\xe2\x82\xac/" },
	};
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(read_all(str_of(rows[i].text), &out), CSV_END);
		assert_string_equal(buf_cstr(&out), rows[i].expected);
	}
	buf_release(&out);
}

static void what_is_no_table(void **state)
{
	static const char *const texts[] = { "\"a",        "\"a\"\"", "\"a\"b,c\n",  "\"a\" ,c\n",
					     "\"a\"\rb\n", "a,\"b",   "1,2,3,4,5\n", "x\n\"" };
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(read_all(str_of(texts[i]), &out), CSV_BAD);
	buf_release(&out);
}

/* A text that may go on gives the rows that are whole for certain, and keeps what is left. */
static void a_cut_row_is_left_where_it_is(void **state)
{
	static const char whole[] = "a,\"b \"\"c\"\"\nd\"\r\n\n1,2\r\n\"x\",\"\"\"\"\n";
	static const size_t ends[] = { 15, 21, 30 }; /* behind each row */

	(void)state;
	assert_int_equal(sizeof(whole) - 1, ends[2]);
	for (size_t n = 0; n <= ends[2]; n++) {
		struct arena a = { NULL, 0 };
		struct str rest = { whole, n };
		struct csv_cell cells[CELLS];
		size_t count, rows = 0;
		enum csv_next next;

		while ((next = csv_read(&rest, false, &a, cells, CELLS, &count)) == CSV_ROW)
			assert_ptr_equal(rest.p, whole + ends[rows++]);
		assert_int_equal(next, CSV_CUT);
		assert_int_equal(rows, (n >= ends[0]) + (n >= ends[1]) + (n >= ends[2]));
		arena_release(&a);
	}
}

static void printed_cells_are_read_back(void **state)
{
	static const char *const cells[] = { "plain",      "with, comma", "say \"ho\"",
					     "two\nlines", "cr\rhere",    "",
					     " blanks ",   "\"" };
	struct arena a = { NULL, 0 };
	struct buf text = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cells); i++) {
		struct csv_cell back[2];
		struct str rest;
		size_t count = 0;

		buf_clear(&text);
		csv_print(&text, str_of(cells[i]));
		buf_char(&text, '\n');
		rest = buf_str(&text);
		assert_int_equal(csv_read(&rest, false, &a, back, 2, &count), CSV_ROW);
		assert_int_equal(count, 1);
		assert_str(back[0].text, cells[i]);
	}
	buf_clear(&text);
	csv_print(&text, STR("plain"));
	assert_string_equal(buf_cstr(&text), "plain");
	arena_release(&a);
	buf_release(&text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_and_cells),
		cmocka_unit_test(what_is_no_table),
		cmocka_unit_test(a_cut_row_is_left_where_it_is),
		cmocka_unit_test(printed_cells_are_read_back),
	};

	return RUN(tests);
}

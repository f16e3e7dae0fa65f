/* Persons as rows of files: the same values as from JSON, whatever the pieces; stamps to import,
 * and what an import did not take. */
#include "remote/marketo_row.h"

#include "remote/marketo_value.h"
#include "remote/marketo_wire.h"
#include "tests/unit/unit.h"

/* ---- a mapping with a field of every kind, and Marketo text against every kind ---- */

enum { FIELD_COUNT = 10 };

static const struct {
	const char *name;
	enum column_type person, record;
	int scale;
} fields[FIELD_COUNT] = {
	{ "lastName", COLUMN_TEXT, COLUMN_TEXT, -1 },
	{ "flag", COLUMN_BOOLEAN, COLUMN_BOOLEAN, -1 },
	{ "score", COLUMN_INTEGER, COLUMN_INTEGER, -1 },
	{ "revenue", COLUMN_DECIMAL, COLUMN_DECIMAL, 2 },
	{ "born", COLUMN_DATE, COLUMN_DATE, -1 },
	{ "seenAt", COLUMN_TIME, COLUMN_TIME, -1 },
	{ "textFlag", COLUMN_TEXT, COLUMN_BOOLEAN, -1 },
	{ "textNumber", COLUMN_TEXT, COLUMN_DECIMAL, 2 },
	{ "textDate", COLUMN_TEXT, COLUMN_DATE, -1 },
	{ "whole", COLUMN_INTEGER, COLUMN_DECIMAL, -1 },
};

static struct mapping *new_mapping(void)
{
	static struct field set[FIELD_COUNT];
	static struct column person[FIELD_COUNT], record[FIELD_COUNT];
	static uint16_t slots[FIELD_COUNT];
	const struct schema schemas[TABLE_COUNT] = { { TABLE_PERSON, person, FIELD_COUNT },
						     { TABLE_LEAD, record, FIELD_COUNT },
						     { TABLE_CONTACT, record, FIELD_COUNT } };
	struct mapping *m;

	for (uint16_t i = 0; i < FIELD_COUNT; i++) {
		const char *name = fields[i].name;

		set[i] = (struct field){ .name = name, .column = { name, name, name } };
		slots[i] = i;
		person[i] = (struct column){ .name = str_of(name),
					     .type = fields[i].person,
					     .scale = -1,
					     .can_read = true };
		record[i] = person[i];
		record[i].type = fields[i].record;
		record[i].scale = fields[i].scale;
	}
	m = mapping_new(&(struct field_set){ .fields = set, .count = FIELD_COUNT }, slots, schemas);
	for (size_t i = 0; i < FIELD_COUNT; i++)
		assert_non_null(m->fields[i].column[TABLE_PERSON]);
	return m;
}

static const char header[] =
	"unknown,textDate,id,microsoftId,microsoftType,lastName,flag,score,revenue,born,"
	"seenAt,textFlag,textNumber,microsoftIsDeleted,whole\n";

/* ---- the same from JSON and from a file ---- */

static void assert_same(const struct record *a, const struct record *b)
{
	assert_true(a->table == b->table && a->person_id == b->person_id);
	assert_memory_equal(&a->record_id, &b->record_id, sizeof(a->record_id));
	assert_true(a->stamp_table == b->stamp_table);
	assert_true(a->stamp_is_deleted == b->stamp_is_deleted);
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		assert_int_equal(a->values[i].kind, b->values[i].kind);
		assert_true(value_equal(&a->values[i], &b->values[i]));
	}
}

/* What leads.json and the file say of one person. */
static const struct {
	const char *json, *row;
} persons[] = {
	{ "{\"id\":7,\"microsoftId\":\"0D9F5A10-6C1B-4F0E-8F3A-2A5B7C9D1E44\",\"microsoftType\":\"Contact\","
	  "\"microsoftIsDeleted\":false,\"lastName\":\"O\\\"Hara, \\u00dcber\\nx\",\"flag\":true,\"score\":-12,"
	  "\"revenue\":12.50,\"born\":\"1981-02-28\",\"seenAt\":\"2026-08-30T14:05:09Z\",\"textFlag\":\"true\","
	  "\"textNumber\":\" 1,5\",\"textDate\":\"2026-01-31\",\"whole\":3}",
	  "x,2026-01-31,7,0D9F5A10-6C1B-4F0E-8F3A-2A5B7C9D1E44,Contact,\"O\"\"Hara, \xc3\x9c"
	  "ber\r\nx\",true,-12,12.5,1981-02-28,2026-08-30T14:05:09Z,true,\" 1,5\",false,3\n" },
	{ "{\"id\":8,\"microsoftId\":null,\"flag\":null,\"lastName\":null,\"score\":null}",
	  "null,null,8,null,null,null,null,null,null,null,null,null,null,null,null\n" },
	{ "{\"id\":9,\"microsoftId\":\"no guid\",\"microsoftType\":\"LEAD\",\"microsoftIsDeleted\":true,"
	  "\"lastName\":\"Null\",\"flag\":false,\"seenAt\":\"2026-08-30T06:05:09-08:00\",\"textFlag\":\"No\","
	  "\"score\":\"7\",\"revenue\":1.0e2,\"textNumber\":\"1.005\",\"born\":\"31 Jan\",\"whole\":\"4.0\"}",
	  ",\"\",9,no guid,LEAD,Null,0,7,100.00,31 Jan,2026-08-30 14:05:09,No,1.005,1,4\r\n" },
};

static void a_row_and_json_give_the_same_person(void **state)
{
	struct mapping *m = new_mapping();
	struct arena a = { NULL, 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(persons); i++) {
		struct json_object *json = json_tokener_parse(persons[i].json);
		struct record_list list;
		struct record *r = NULL;
		size_t taken = 0;

		assert_int_equal(marketo_person_read(json, m, &a, &r, NULL), ERR_NONE);
		assert_int_equal(marketo_rows_read(str_of(header), str_of(persons[i].row), true, m,
						   &a, &list, &taken, NULL),
				 ERR_NONE);
		assert_int_equal(list.count, 1);
		assert_int_equal(taken, strlen(persons[i].row));
		assert_same(r, &list.records[0]);
		json_object_put(json);
	}
	arena_release(&a);
	mapping_free(m);
}

static void null_in_quotes_is_a_text(void **state)
{
	struct mapping *m = new_mapping();
	struct arena a = { NULL, 0 };
	struct record_list list;
	size_t taken;

	(void)state;
	assert_int_equal(
		marketo_rows_read(str_of(header),
				  STR("x,null,8,null,null,\"null\",1,1,1,null,null,NULL,1,0,1"),
				  true, m, &a, &list, &taken, NULL),
		ERR_NONE);
	assert_str(list.records[0].values[0].text, "null");
	assert_str(list.records[0].values[6].text, "NULL");
	arena_release(&a);
	mapping_free(m);
}

/* ---- pieces ---- */

/* Reads a file in pieces of so many bytes, larger where no whole row fits. */
static struct record_list read_pieces(struct str file, size_t piece, const struct mapping *m,
				      struct arena *a)
{
	struct record_list all = { .count = 0 };
	size_t cap = 0, at = 0, names = 0, size = piece;

	while (at < file.n) {
		bool is_all = file.n - at <= size;
		struct str text = { file.p + at, is_all ? file.n - at : size };
		struct record_list list;
		size_t taken = 0;

		if (!names) {
			assert_int_equal(marketo_header_read(text, is_all, &names, NULL), ERR_NONE);
			taken = names;
		} else {
			assert_int_equal(marketo_rows_read((struct str){ file.p, names }, text,
							   is_all, m, a, &list, &taken, NULL),
					 ERR_NONE);
			for (size_t i = 0; i < list.count; i++) {
				all.records = arena_more(a, all.records, all.count, &cap,
							 sizeof(*all.records));
				all.records[all.count++] = list.records[i];
			}
		}
		at += taken;
		size = taken ? piece : size + 1;
	}
	return all;
}

static void a_file_may_be_cut_anywhere(void **state)
{
	struct mapping *m = new_mapping();
	struct buf file = { 0 };
	struct arena a = { NULL, 0 };
	struct record_list whole;

	(void)state;
	buf_text(&file, "\xef\xbb\xbf");
	buf_text(&file, header);
	for (size_t i = 0; i < ARRAY_LEN(persons); i++)
		buf_text(&file, persons[i].row);
	whole = read_pieces(buf_str(&file), file.len, m, &a);
	assert_int_equal(whole.count, ARRAY_LEN(persons));
	for (size_t piece = 1; piece < file.len; piece++) {
		struct arena scratch = { NULL, 0 };
		struct record_list list = read_pieces(buf_str(&file), piece, m, &scratch);

		assert_int_equal(list.count, whole.count);
		for (size_t i = 0; i < list.count; i++)
			assert_same(&list.records[i], &whole.records[i]);
		arena_release(&scratch);
	}
	arena_release(&a);
	buf_release(&file);
	mapping_free(m);
}

static void files_that_are_none(void **state)
{
	static const struct {
		const char *header, *rows, *field;
	} rows[] = {
		{ "id,lastName\n", "1,x\n", "microsoftId" },
		{ "microsoftId,microsoftType\n", "1,x\n", "id" },
		{ header, "1,2,3\n", "" },                           /* cells */
		{ header, "x,x,3,x,x,x,x,x,x,x,x,x,x,x,x,x\n", "" }, /* too many */
		{ header, "x,,0,,,,,,,,,,,,\n", "" },                /* no id */
		{ header, "x,,null,,,,,,,,,,,,\n", "" },
		{ header, "\"x\n", "" } /* no end */
	};
	struct mapping *m = new_mapping();
	struct arena a = { NULL, 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { .kind = ERR_NONE };
		struct record_list list;
		size_t taken;

		assert_int_equal(marketo_rows_read(str_of(rows[i].header), str_of(rows[i].rows),
						   true, m, &a, &list, &taken, &err),
				 ERR_RUBBISH);
		assert_string_equal(err.field, rows[i].field);
	}
	for (size_t i = 0; i < 2; i++) {
		size_t bytes = 7;

		assert_int_equal(marketo_header_read(i ? STR("\"x") : STR(""), true, &bytes, NULL),
				 ERR_RUBBISH);
		assert_int_equal(bytes, 0);
	}
	arena_release(&a);
	mapping_free(m);
}

/* ---- imports ---- */

static const struct stamp stamp = { .fields = (1u << STAMP_FIELD_COUNT) - 1,
				    .record_id = { { 0x0d, 0x9f } },
				    .table = TABLE_CONTACT,
				    .status = "linked, \"new\"",
				    .synced_at_s = 1788098709 };

static void stamps_are_printed(void **state)
{
	struct stamp some = stamp;
	struct write writes[] = {
		{ .operation = WRITE_UPDATE,
		  .table = TABLE_PERSON,
		  .person_id = 7,
		  .stamp = &stamp },
		{ .operation = WRITE_UPDATE,
		  .table = TABLE_PERSON,
		  .person_id = 8,
		  .stamp = &stamp },
	};
	struct buf out = { 0 };

	(void)state;
	assert_true(marketo_stamps_print(writes, 2, &out));
	assert_string_equal(
		buf_cstr(&out),
		"id,microsoftId,microsoftType,microsoftIsDeleted,microsoftSyncStatus,microsoftSyncedAt\n"
		"7,0d9f0000-0000-0000-0000-000000000000,Contact,false,\"linked, \"\"new\"\"\",2026-08-30T14:05:09Z\n"
		"8,0d9f0000-0000-0000-0000-000000000000,Contact,false,\"linked, \"\"new\"\"\",2026-08-30T14:05:09Z\n");
	buf_clear(&out);
	some.fields = 1u << STAMP_IS_DELETED;
	some.is_deleted = true;
	writes[0].stamp = &some;
	assert_true(marketo_stamps_print(writes, 1, &out));
	assert_string_equal(buf_cstr(&out), "id,microsoftIsDeleted\n7,true\n");
	buf_release(&out);
}

static void only_whole_stamps_are_printed(void **state)
{
	static const struct field_write field = { .index = 0 };
	struct stamp other = stamp, no_status = stamp, no_id = stamp, none = stamp;
	const struct write good = {
		.operation = WRITE_UPDATE, .table = TABLE_PERSON, .person_id = 7, .stamp = &stamp
	};
	struct write bad[9];
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		bad[i] = good;
	other.fields = 1u << STAMP_STATUS;
	no_status.status = "";
	no_id.record_id = (struct guid){ { 0 } };
	none.table = TABLE_PERSON;
	bad[0].stamp = NULL;
	bad[1].stamp = &other; /* beside one with other fields */
	bad[2].stamp = &no_status;
	bad[3].stamp = &no_id;
	bad[4].stamp = &none;
	bad[5].operation = WRITE_CREATE;
	bad[6].person_id = 0;
	bad[7].table = TABLE_LEAD;
	bad[8].fields = &field;
	bad[8].field_count = 1;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct write both[] = { good, bad[i] };

		buf_clear(&out);
		assert_false(marketo_stamps_print(both, 2, &out));
	}
	assert_false(marketo_stamps_print(NULL, 0, &out));
	buf_release(&out);
}

static void failures_are_judged_without_their_words(void **state)
{
	static const char file[] = "id,microsoftId,Import Failure Reason\n"
				   "7,x,Lead not found\n"
				   "8,x,\"Invalid value for field 'microsoftId', value 'secret'\"\n"
				   "9,x,Multiple lead match lookup criteria\n"
				   "ten,x,Value for lookup field 'id' not found\n"
				   "11,x,Field 'microsoftId' not found\n"
				   "12,x,Person has 3 secret heads\n";
	static const struct {
		int64_t id;
		enum err_kind kind;
		const char *code, *field;
	} expected[] = {
		{ 7, ERR_GONE, "1004", "" },
		{ 8, ERR_REFUSED, "1003", "microsoftId" },
		{ 9, ERR_REFUSED, "1007", "" },
		{ 0, ERR_REFUSED, "1002", "id" },
		{ 11, ERR_BROKEN, "1006", "microsoftId" },
		{ 12, ERR_REFUSED, "", "" },
	};
	struct import_failure_list list = { .count = 0 };
	struct arena a = { NULL, 0 };

	(void)state;
	assert_int_equal(marketo_failures_read(STR(""), false, &a, &list, NULL), ERR_NONE);
	assert_int_equal(list.count, 0);
	assert_int_equal(marketo_failures_read(str_of(file), false, &a, &list, NULL), ERR_NONE);
	assert_int_equal(list.count, ARRAY_LEN(expected));
	assert_int_equal(marketo_failures_read(str_of(file), true, &a, &list, NULL), ERR_NONE);
	assert_int_equal(list.count, 2 * ARRAY_LEN(expected));
	for (size_t i = 0; i < list.count; i++) {
		const struct import_failure *f = &list.failures[i];
		size_t row = i % ARRAY_LEN(expected);

		assert_true(f->is_warning == (i >= ARRAY_LEN(expected)));
		assert_int_equal(f->person_id, expected[row].id);
		assert_int_equal(f->err.kind, expected[row].kind);
		assert_string_equal(f->err.code, expected[row].code);
		assert_string_equal(f->err.field, expected[row].field);
		assert_null(strstr(f->err.text, "secret"));
	}
	assert_int_equal(marketo_failures_read(STR("name,reason\n1,x\n"), false, &a, &list, NULL),
			 ERR_RUBBISH);
	assert_int_equal(marketo_failures_read(STR("id,reason\n1,\"x"), false, &a, &list, NULL),
			 ERR_RUBBISH);
	arena_release(&a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_and_json_give_the_same_person),
		cmocka_unit_test(null_in_quotes_is_a_text),
		cmocka_unit_test(a_file_may_be_cut_anywhere),
		cmocka_unit_test(files_that_are_none),
		cmocka_unit_test(stamps_are_printed),
		cmocka_unit_test(only_whole_stamps_are_printed),
		cmocka_unit_test(failures_are_judged_without_their_words),
	};

	return RUN(tests);
}

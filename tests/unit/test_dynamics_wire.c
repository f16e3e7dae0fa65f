/* Rows, values, pages, filters and cursors of Dataverse. */
#include "remote/dynamics_wire.h"

#include <stdio.h>
#include <stdlib.h>

#include "remote/dynamics_call.h"
#include "remote/dynamics_read.h"
#include "tests/unit/dynamics_fixture.h"
#include "tests/unit/unit.h"

#define CONTACT "5e8f1f3a-1111-4c2e-9a77-2d6f0b7f9c01"
#define OTHER "c0a1b2c3-3333-4d5e-8f90-1a2b3c4d5e6f"

static const struct {
	enum dynamics_field field;
	const char *json;
	const char *expected; /* NULL: UNSEEN; "": EMPTY */
} readings[] = {
	{ FIELD_TITLE, "\"  CTO\\r\\nEMEA \"", "CTO\nEMEA" },
	{ FIELD_TITLE, "\"\"", "" },
	{ FIELD_TITLE, "null", "" },
	{ FIELD_TITLE, "7", NULL },
	{ FIELD_TITLE, "{\"a\":1}", NULL },
	{ FIELD_MUTE, "true", "true" },
	{ FIELD_MUTE, "null", "false" },
	{ FIELD_MUTE, "1", NULL },
	{ FIELD_CHILDREN, "3", "3" },
	{ FIELD_CHILDREN, "3.5", NULL },
	{ FIELD_CHILDREN, "null", "" },
	{ FIELD_INCOME, "125000.0000", "125000" },
	{ FIELD_INCOME, "0.1000", "0.1" },
	{ FIELD_INCOME, "-12", "-12" },
	{ FIELD_INCOME, "123456789012345.6700", "123456789012345.67" },
	{ FIELD_INCOME, "\"12\"", NULL },
	{ FIELD_BIRTH, "\"1990-05-17\"", "1990-05-17" },
	{ FIELD_BIRTH, "\"1990-05-17T00:00:00Z\"", NULL },
	{ FIELD_MOMENT, "\"2026-03-02T09:14:07Z\"", "2026-03-02T09:14:07Z" },
	{ FIELD_MOMENT, "\"yesterday\"", NULL },
	{ FIELD_METHOD, "2", "E-mail" },
	{ FIELD_METHOD, "-7", "Fax" },
	{ FIELD_METHOD, "99", NULL },
	{ FIELD_METHOD, "99999999999", NULL },
	{ FIELD_METHOD, "null", "" },
	{ FIELD_TOPICS, "\"2,1\"", "Any;E-mail" },
	{ FIELD_TOPICS, "\"1,99\"", NULL },
	{ FIELD_TOPICS, "\"1,x\"", NULL },
	{ FIELD_TOPICS, "null", "" },
};

static void values_are_read(void **state)
{
	CLEANUP(arena_release) struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(readings); i++) {
		struct json_object *json = json_tokener_parse(readings[i].json);
		struct mapped_field *field = &dynamics_fields[readings[i].field];
		struct value v = dynamics_value_read(&a, field, field->column[TABLE_CONTACT], json);

		if (!readings[i].expected)
			assert_int_equal(v.kind, VALUE_UNSEEN);
		else if (!readings[i].expected[0])
			assert_int_equal(v.kind, VALUE_EMPTY);
		else
			assert_int_equal(v.kind, field->kind);
		if (readings[i].expected)
			assert_str(value_print(&a, &v), readings[i].expected);
		json_object_put(json);
	}
}

/* A number that the schema does not have yet: the row says so, and the field is left alone. */
static void an_unknown_option_is_told(void **state)
{
	static const struct {
		const char *row;
		bool is_unknown;
	} rows[] = {
		{ "{\"contactid\":\"0d9f5a10-6c1b-4f0e-8f3a-2a5b7c9d1e44\","
		  "\"preferredcontactmethodcode\":2}",
		  false },
		{ "{\"contactid\":\"0d9f5a10-6c1b-4f0e-8f3a-2a5b7c9d1e44\","
		  "\"preferredcontactmethodcode\":99}",
		  true },
		{ "{\"contactid\":\"0d9f5a10-6c1b-4f0e-8f3a-2a5b7c9d1e44\"}", false },
	};
	CLEANUP(arena_release) struct arena a = { 0 };
	struct mapping mapping = { .fields = dynamics_fields, .count = FIELD_COUNT };
	struct dynamics_projection p;

	(void)state;
	dynamics_project(&mapping, TABLE_CONTACT, false, &a, &p);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct json_object *json = json_tokener_parse(rows[i].row);
		struct record r;

		assert_int_equal(dynamics_row_read(&p, json, &a, &r, NULL), ERR_NONE);
		assert_int_equal(r.has_unknown_option, rows[i].is_unknown);
		json_object_put(json);
	}
}

static struct value of(enum value_kind kind, const char *text, int64_t number)
{
	return (struct value){
		.kind = kind, .text = str_of(text), .number = number, .boolean = number != 0
	};
}

static void values_are_written(void **state)
{
	const struct {
		enum dynamics_field field;
		struct value value;
		const char *json; /* NULL: refused */
	} rows[] = {
		{ FIELD_TITLE, of(VALUE_TEXT, "a \"b\"\n\xc3\xa4", 0),
		  "\"a \\\"b\\\"\\n\xc3\xa4\"" },
		{ FIELD_TITLE, of(VALUE_INTEGER, NULL, 12), "\"12\"" },
		{ FIELD_TITLE, of(VALUE_EMPTY, NULL, 0), "null" },
		{ FIELD_MUTE, of(VALUE_BOOLEAN, NULL, 1), "true" },
		{ FIELD_MUTE, of(VALUE_EMPTY, NULL, 0), "false" },
		{ FIELD_CHILDREN, of(VALUE_INTEGER, NULL, -3), "-3" },
		{ FIELD_CHILDREN, of(VALUE_TEXT, "12", 0), "12" },
		{ FIELD_CHILDREN, of(VALUE_TEXT, "many", 0), NULL },
		{ FIELD_INCOME, of(VALUE_DECIMAL, "0.1", 0), "0.1" },
		{ FIELD_BIRTH, of(VALUE_DATE, NULL, 7441), "\"1990-05-17\"" },
		{ FIELD_BIRTH, of(VALUE_TIME, NULL, -1), "\"1969-12-31\"" },
		{ FIELD_BIRTH, of(VALUE_TIME, NULL, -86400), "\"1969-12-31\"" },
		{ FIELD_MOMENT, of(VALUE_TIME, NULL, 0), "\"1970-01-01T00:00:00Z\"" },
		{ FIELD_MOMENT, of(VALUE_DATE, NULL, 1), "\"1970-01-02T00:00:00Z\"" },
		{ FIELD_METHOD, of(VALUE_TEXT, "e-MAIL", 0), "2" },
		{ FIELD_METHOD, of(VALUE_TEXT, "Pigeon", 0), NULL },
		{ FIELD_TOPICS, of(VALUE_TEXT, "Any;Fax", 0), "\"1,-7\"" },
		{ FIELD_TOPICS, of(VALUE_TEXT, "Any;Pigeon", 0), NULL },
	};
	CLEANUP(arena_release) struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_release) struct buf out = { 0 };
		const struct column *c = &dynamics_columns[rows[i].field];
		struct err err = { .kind = ERR_NONE };
		enum err_kind kind = dynamics_value_write(&a, c, &rows[i].value, &out, &err);

		assert_int_equal(kind, rows[i].json ? ERR_NONE : ERR_REFUSED);
		if (rows[i].json)
			assert_string_equal(buf_cstr(&out), rows[i].json);
		else
			assert_str(c->name, err.field);
	}
}

static void unseen_values_are_never_written(void **state)
{
	CLEANUP(arena_release) struct arena a = { 0 };
	CLEANUP(buf_release) struct buf out = { 0 };
	struct value v = { .kind = VALUE_UNSEEN };

	(void)state;
	assert_int_equal(dynamics_value_write(&a, &dynamics_columns[FIELD_TITLE], &v, &out, NULL),
			 ERR_OURS);
}

static void versions_are_read_from_etags(void **state)
{
	(void)state;
	assert_int_equal(dynamics_version(STR("W/\"7718123\"")), 7718123);
	assert_int_equal(dynamics_version(STR("7718123")), 7718123);
	assert_int_equal(dynamics_version(STR("W/\"\"")), 0);
	assert_int_equal(dynamics_version(STR("W/\"-3\"")), 0);
	assert_int_equal(dynamics_version(STR("")), 0);
}

static void projections_name_columns_once(void **state)
{
	CLEANUP(arena_release) struct arena a = { 0 };
	struct dynamics_projection p;

	(void)state;
	dynamics_project(&dynamics_mapping, TABLE_CONTACT, true, &a, &p);
	assert_string_equal(
		p.select,
		"emailaddress1,jobtitle,donotphone,numberofchildren,annualincome,birthdate,createdon,"
		"preferredcontactmethodcode,new_topics,versionnumber,statecode,merged,"
		"_masterid_value,_originatingleadid_value");
	assert_null(p.names[FIELD_LEAD_ONLY]);
	dynamics_project(&dynamics_mapping, TABLE_LEAD, false, &a, &p);
	assert_string_equal(p.names[FIELD_LEAD_ONLY], "companyname");
	assert_null(strstr(p.select, "_originatingleadid_value"));
	assert_true(p.selection == dynamics_mapping.selection[TABLE_LEAD]);
}

static const char page[] =
	"{\"@odata.context\":\"https://org.example/api/data/v9.2/$metadata#contacts(emailaddress1)/$delta\",\"value\":["
	"{\"@odata.etag\":\"W/\\\"7718500\\\"\",\"emailaddress1\":\"ann@fabrikam.example\",\"jobtitle\":null,"
	"\"annualincome\":125000.0000,\"_transactioncurrencyid_value\":null,\"versionnumber\":7718500,\"statecode\":1,"
	"\"merged\":true,\"_masterid_value\":\"" OTHER
	"\",\"_originatingleadid_value\":null,\"contactid\":\"" CONTACT "\"},"
	"{\"@odata.context\":\"https://org.example/api/data/v9.2/$metadata#contacts/$deletedEntity\",\"id\":\"" OTHER
	"\",\"reason\":\"deleted\"}],"
	"\"@odata.deltaLink\":\"https://org.example/api/data/v9.2/contacts?$deltatoken=7718622%2103%2f02\"}";

static enum err_kind read_page(struct str body, struct arena *a, struct dynamics_page *ret)
{
	struct dynamics_projection p;

	dynamics_project(&dynamics_mapping, TABLE_CONTACT, true, a, &p);
	return dynamics_page_read(&p, body, a, ret, NULL);
}

static void pages_are_read(void **state)
{
	CLEANUP(arena_release) struct arena a = { 0 };
	struct dynamics_page got;
	const struct record *r;
	struct guid contact, other;

	(void)state;
	assert_true(guid_parse(STR(CONTACT), &contact) && guid_parse(STR(OTHER), &other));
	assert_int_equal(read_page(str_of(page), &a, &got), ERR_NONE);
	assert_int_equal(got.count, 2);
	assert_str(got.delta,
		   "https://org.example/api/data/v9.2/contacts?$deltatoken=7718622%2103%2f02");
	assert_int_equal(got.next.n, 0);
	assert_int_equal(got.changes[0].kind, CHANGE_EDITED);
	assert_true(guid_equal(&got.changes[0].record_id, &contact));
	r = got.changes[0].record;
	assert_int_equal(r->version, 7718500);
	assert_int_equal(r->state, 1);
	assert_true(r->is_merged && guid_equal(&r->master_id, &other) &&
		    guid_is_zero(&r->origin_id));
	assert_str(r->values[FIELD_EMAIL].text, "ann@fabrikam.example");
	assert_int_equal(r->values[FIELD_TITLE].kind, VALUE_EMPTY);
	assert_str(r->values[FIELD_INCOME].text, "125000");
	assert_int_equal(r->values[FIELD_BIRTH].kind,
			 VALUE_UNSEEN); /* not in the row: not seen, not empty */
	assert_int_equal(r->values[FIELD_LEAD_ONLY].kind, VALUE_UNSEEN);
	assert_int_equal(got.changes[1].kind, CHANGE_DELETED);
	assert_true(guid_equal(&got.changes[1].record_id, &other));
}

/* Every cut is an error: a page that lost its end must not pass for a short one. */
static void cut_pages_are_rubbish(void **state)
{
	CLEANUP(arena_release) struct arena a = { 0 };
	struct dynamics_page got;

	(void)state;
	for (size_t n = 0; n < sizeof(page) - 1; n++) {
		char *copy = strndup(page, n);

		assert_int_equal(read_page((struct str){ copy, n }, &a, &got), ERR_RUBBISH);
		free(copy);
	}
}

static void odd_pages_are_rubbish(void **state)
{
	static const char *const bodies[] = {
		"<html>502</html>",
		"[]",
		"{\"value\":[7]}",
		"{\"value\":[{\"jobtitle\":\"CTO\"}]}",
		"{\"value\":[{\"contactid\":\"not a guid\"}]}",
		"{\"value\":[{\"@odata.context\":\"x/$deletedEntity\"}]}",
		"{\"value\":[],\"@odata.nextLink\":7}",
		"{\"value\":[],\"@odata.deltaLink\":\"\"}",
	};
	CLEANUP(arena_release) struct arena a = { 0 };
	struct dynamics_page got;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		assert_int_equal(read_page(str_of(bodies[i]), &a, &got), ERR_RUBBISH);
}

static void the_sync_filter_is_read(void **state)
{
	static const struct {
		const char *member;
		enum filter_mark mark;
	} rows[] = {
		{ "\"new_synctomkto\":true,", FILTER_YES },
		{ "\"new_synctomkto\":false,", FILTER_NO },
		{ "\"new_synctomkto\":null,", FILTER_NULL },
		{ "", FILTER_NULL },
		{ "\"new_synctomkto\":1,", FILTER_NULL },
	};
	static const struct column column = { DYNAMICS_COLUMN("new_synctomkto", COLUMN_BOOLEAN) };
	CLEANUP(arena_release) struct arena a = { 0 };
	struct mapping m = dynamics_mapping;

	(void)state;
	m.filter[TABLE_CONTACT] = &column;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (int has_filter = 0; has_filter < 2; has_filter++) {
			const struct mapping *used = has_filter ? &m : &dynamics_mapping;
			struct dynamics_projection p;
			struct dynamics_page got;
			char body[300];

			dynamics_project(used, TABLE_CONTACT, false, &a, &p);
			assert_int_equal(strstr(p.select, "new_topics,new_synctomkto,version") !=
						 NULL,
					 has_filter);
			(void)snprintf(body, sizeof(body),
				       "{\"value\":[{%s\"versionnumber\":1,\"contactid\":\"" CONTACT
				       "\"}],\"@odata.deltaLink\":\"https://x/?d\"}",
				       rows[i].member);
			assert_int_equal(dynamics_page_read(&p, str_of(body), &a, &got, NULL),
					 ERR_NONE);
			assert_int_equal(got.changes[0].record->filter,
					 has_filter ? rows[i].mark : FILTER_ABSENT);
		}
	}
	/* The lead has no such column here. */
	struct dynamics_projection lead;

	dynamics_project(&m, TABLE_LEAD, false, &a, &lead);
	assert_null(lead.filter);
	assert_null(strstr(lead.select, "new_synctomkto"));
}

static void filters_are_encoded(void **state)
{
	CLEANUP(buf_release) struct buf out = { 0 };
	struct str values[] = { STR("a+b@x.example"), STR("o'neil@x.example") };

	(void)state;
	dynamics_filter_in(&out, "emailaddress1", values, ARRAY_LEN(values));
	assert_string_equal(
		buf_cstr(&out),
		"Microsoft.Dynamics.CRM.In%28PropertyName%3D%27emailaddress1%27%2CPropertyValues%3D%5B"
		"%22a%2Bb%40x.example%22%2C%22o%5Cu0027neil%40x.example%22%5D%29");
}

static void cursors_survive(void **state)
{
	static const struct {
		struct dynamics_cursor c;
		const char *text;
	} rows[] = {
		{ { 255, false, false, 0, 0, { "https://x", 9 } }, "00000000000000ff https://x" },
		{ { 0x0123456789abcdef, true, false, 0, 0, { "https://x/?a=1 2", 16 } },
		  "0123456789abcdef+ https://x/?a=1 2" },
		{ { 1, true, false, 7718, 0, { "/x", 2 } }, "0000000000000001+@7718 /x" },
		{ { 1, false, false, 7718, 0, { "/x", 2 } }, "0000000000000001@7718 /x" },
		{ { 1, true, true, 7718, 7720, { "/x", 2 } }, "0000000000000001+!7718-7720 /x" },
		{ { 1, false, true, 7718, 7718, { "/x", 2 } }, "0000000000000001!7718-7718 /x" },
	};
	static const char *const bad[] = { "",
					   "0123456789abcdef",
					   "0123456789abcdef ",
					   "0123456789ABCDEF https://x",
					   "0123456789abcde https://x",
					   "0123456789abcdef- https://x",
					   "0123456789abcdef0 https://x",
					   "0123456789abcdef@ https://x",
					   "0123456789abcdef@0 https://x",
					   "0123456789abcdef@-7 https://x",
					   "0123456789abcdef@7-8 https://x",
					   "0123456789abcdef!7 https://x",
					   "0123456789abcdef!8-7 https://x",
					   "0123456789abcdef!7-8-9 https://x",
					   "0123456789abcdef@7+ https://x" };
	CLEANUP(arena_release) struct arena a = { 0 };
	struct dynamics_cursor back;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct dynamics_cursor *c = &rows[i].c;
		struct str text = dynamics_cursor_print(&a, c);

		assert_str(text, rows[i].text);
		assert_true(dynamics_cursor_read(text, &back));
		assert_true(back.selection == c->selection && str_equal(back.url, c->url));
		assert_int_equal(back.is_full_scan, c->is_full_scan);
		assert_int_equal(back.is_guarding, c->is_guarding);
		assert_int_equal(back.guard, c->guard);
		assert_int_equal(back.guard_end, c->guard_end);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(dynamics_cursor_read(str_of(bad[i]), &back));
}

static void counts_are_read(void **state)
{
#define COUNTS(text) "{\"EntityRecordCountCollection\":{\"Count\":2,\"IsReadOnly\":false," text "}}"
	static const struct {
		const char *answer;
		uint64_t leads, contacts;
	} rows[] = {
		{ COUNTS("\"Keys\":[\"contact\",\"lead\"],\"Values\":[1200345,7]"), 7, 1200345 },
		{ COUNTS("\"Keys\":[\"account\",\"person\",\"lead\"],\"Values\":[1,2,3]"), 3, 0 },
		{ COUNTS("\"Keys\":[\"contact\",\"lead\"],\"Values\":[5]"), 0, 5 },
		{ COUNTS("\"Keys\":[\"contact\",null,7],\"Values\":[-5,1,2]"), 0, 0 },
		{ COUNTS("\"Keys\":[\"contact\"]"), 0, 0 },
		{ "{}", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct json_object *answer = json_tokener_parse(rows[i].answer);
		uint64_t counts[TABLE_COUNT] = { 9, 9, 9 };

		dynamics_count_read(answer, counts);
		assert_int_equal(counts[TABLE_PERSON], 0);
		assert_int_equal(counts[TABLE_LEAD], rows[i].leads);
		assert_int_equal(counts[TABLE_CONTACT], rows[i].contacts);
		json_object_put(answer);
	}
#undef COUNTS
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(an_unknown_option_is_told),
		cmocka_unit_test(values_are_written),
		cmocka_unit_test(unseen_values_are_never_written),
		cmocka_unit_test(versions_are_read_from_etags),
		cmocka_unit_test(projections_name_columns_once),
		cmocka_unit_test(pages_are_read),
		cmocka_unit_test(cut_pages_are_rubbish),
		cmocka_unit_test(odd_pages_are_rubbish),
		cmocka_unit_test(the_sync_filter_is_read),
		cmocka_unit_test(filters_are_encoded),
		cmocka_unit_test(cursors_survive),
		cmocka_unit_test(counts_are_read),
	};

	return RUN(tests);
}

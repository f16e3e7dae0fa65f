/* What Marketo's answers mean: envelopes of every shape seen or to be feared, codes, persons,
 * columns. */
#include "remote/marketo_wire.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/field.h"
#include "remote/marketo_token.h"
#include "remote/marketo_value.h"
#include "tests/unit/unit.h"

/* ---- envelopes ---- */

static enum err_kind count_element(void *context, struct json_object *element, struct err *err)
{
	(void)element;
	(void)err;
	++*(int *)context;
	return ERR_NONE;
}

static void forget_count(void *context)
{
	*(int *)context = 0;
}

struct expected {
	const char *body;
	enum err_kind kind;
	enum marketo_reaction reaction;
	int elements;
	const char *code, *field;
};

static void envelopes(void **state)
{
	static const struct expected rows[] = {
		{ "{\"requestId\":\"b7c1#19\",\"success\":true,\"result\":[{},{}]}", ERR_NONE,
		  MARKETO_FAIL, 2, "", "" },
		{ "{\"result\":[{}],\"success\":true,\"unknown\":{\"deep\":[1]}}", ERR_NONE,
		  MARKETO_FAIL, 1, "", "" },
		{ "{\"success\":true}", ERR_NONE, MARKETO_FAIL, 0, "", "" },
		{ "{\"success\":true,\"errors\":[],\"warnings\":[\"text\"],\"result\":[]}",
		  ERR_NONE, MARKETO_FAIL, 0, "", "" },
		{ "{\"success\":false,\"errors\":[{\"code\":\"601\",\"message\":\"Access token invalid\"}]}",
		  ERR_BROKEN, MARKETO_RENEW, 0, "601", "" },
		{ "{\"errors\":[{\"code\":\"602\",\"message\":\"Access token expired\"}],\"success\":false}",
		  ERR_BROKEN, MARKETO_RENEW, 0, "602", "" },
		{ "{\"success\":false,\"errors\":[{\"code\":603,\"message\":\"Access denied\"}]}",
		  ERR_RIGHTS, MARKETO_FAIL, 0, "603", "" },
		{ "{\"success\":false,\"errors\":[{\"code\":\"606\"}]}", ERR_THROTTLED,
		  MARKETO_PAUSE, 0, "606", "" },
		{ "{\"success\":false,\"errors\":[{\"code\":\"607\"}]}", ERR_QUOTA, MARKETO_SHUT, 0,
		  "607", "" },
		{ "{\"success\":false,\"errors\":[{\"code\":\"611\"}]}", ERR_RETRY_LATER,
		  MARKETO_BACK_OFF_SPLIT, 0, "611", "" },
		{ "{\"success\":false,\"errors\":[{\"code\":\"615\"}]}", ERR_THROTTLED,
		  MARKETO_SHORT_PAUSE, 0, "615", "" },
		{ "{\"success\":false,\"errors\":[{\"code\":\"702\"}]}", ERR_NONE, MARKETO_EMPTY, 0,
		  "702", "" },
		{ "{\"success\":false,\"errors\":[{\"code\":\"1003\",\"message\":\"Too many results match the filter\"}]}",
		  ERR_REFUSED, MARKETO_SPLIT, 0, "1003", "" },
		{ "{\"success\":false,\"errors\":[{\"code\":\"1006\",\"message\":\"Field 'jobRole' not found\"}]}",
		  ERR_BROKEN, MARKETO_FAIL, 0, "1006", "jobRole" },
		{ "{\"success\":false,\"errors\":[{\"code\":\"1003\",\"message\":\"Invalid paging token\"}]}",
		  ERR_EXPIRED, MARKETO_FAIL, 0, "1003", "" },
		{ "{\"success\":false,\"errors\":[{\"code\":\"4711\",\"message\":\"?\"}]}",
		  ERR_RUBBISH, MARKETO_SPLIT, 0, "4711", "" },
		{ "{\"success\":false}", ERR_RUBBISH, MARKETO_SPLIT, 0, "", "" },
		{ "{\"success\":false,\"errors\":[null,7,{}]}", ERR_RUBBISH, MARKETO_SPLIT, 0, "",
		  "" },
		{ "{\"success\":\"true\",\"result\":[]}", ERR_RUBBISH, MARKETO_FAIL, 0, "", "" },
		{ "{\"result\":[{}]}", ERR_RUBBISH, MARKETO_FAIL, 1, "", "" },
		{ "{\"success\":true,\"result\":[{}", ERR_RUBBISH, MARKETO_FAIL, 0, "", "" },
		{ "<html><body>Service Unavailable</body></html>", ERR_RUBBISH, MARKETO_FAIL, 0, "",
		  "" },
		{ "", ERR_RUBBISH, MARKETO_FAIL, 0, "", "" },
		{ "[]", ERR_RUBBISH, MARKETO_FAIL, 0, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int elements = 77; /* of a try before: must be forgotten */
		struct marketo_sink sink = { count_element, forget_count, &elements };
		struct marketo_answer answer = { 0 };
		enum marketo_reaction reaction = MARKETO_SPLIT;
		struct err err = { .kind = ERR_NONE };

		assert_int_equal(marketo_answer_read(str_of(rows[i].body), &sink, &answer,
						     &reaction, &err),
				 rows[i].kind);
		assert_int_equal(err.kind, rows[i].kind);
		assert_int_equal(reaction, rows[i].reaction);
		assert_int_equal(elements, rows[i].elements);
		assert_string_equal(answer.code, rows[i].code);
		assert_string_equal(err.field, rows[i].field);
		marketo_answer_release(&answer);
	}
}

static void pages(void **state)
{
	struct marketo_answer answer = { 0 };
	enum marketo_reaction reaction;

	(void)state;
	assert_int_equal(
		marketo_answer_read(
			STR("{\"success\":true,\"moreResult\":true,\"nextPageToken\":\"WQ\\u0056===\"}"),
			NULL, &answer, &reaction, NULL),
		ERR_NONE);
	assert_true(answer.has_more_result && answer.more_result);
	assert_string_equal(buf_cstr(&answer.next_page_token), "WQV===");
	assert_int_equal(
		marketo_answer_read(
			STR("{\"success\":true,\"moreResult\":\"yes\",\"nextPageToken\":null}"),
			NULL, &answer, &reaction, NULL),
		ERR_NONE);
	assert_false(answer.has_more_result);
	assert_int_equal(answer.next_page_token.len, 0);
	marketo_answer_release(&answer);
}

/* The same codes mean something else where jobs are concerned. */
static void bulk_errors(void **state)
{
	static const struct {
		const char *code, *message;
		enum err_kind kind;
		int64_t hint_ms;
		bool names_quota, names_repeat;
	} rows[] = {
		{ "1029", "Too many jobs in queue", ERR_THROTTLED, 60000, false, false },
		{ "1029", "Export daily quota exceeded", ERR_THROTTLED, 60000, true, false },
		{ "1029", "Export job is already Queued", ERR_THROTTLED, 60000, false, true },
		{ "1016", "Too many imports", ERR_THROTTLED, 30000, false, false },
		{ "1035", "Unsupported filter type", ERR_RIGHTS, -1, false, false },
		{ "1013", "Export job not found", ERR_GONE, -1, false, false },
		{ "1003", "Export job is Completed", ERR_REFUSED, -1, false, false },
		{ "603", "Access denied", ERR_RIGHTS, -1, false, false },
		{ "607", "Daily quota", ERR_QUOTA, -1, true, false },
		{ "4711", "?", ERR_RUBBISH, -1, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct marketo_answer answer = { 0 };
		enum marketo_reaction reaction;
		struct err err = { .kind = ERR_NONE, .retry_after_ms = -1 };
		char body[200];

		(void)snprintf(
			body, sizeof(body),
			"{\"success\":false,\"errors\":[{\"code\":\"%s\",\"message\":\"%s\"}]}",
			rows[i].code, rows[i].message);
		assert_int_not_equal(marketo_answer_read(str_of(body), NULL, &answer, &reaction,
							 &err),
				     ERR_NONE);
		assert_int_equal(marketo_bulk_judge(&err), rows[i].kind);
		assert_int_equal(err.kind, rows[i].kind);
		assert_int_equal(err.retry_after_ms, rows[i].hint_ms);
		assert_string_equal(err.code, rows[i].code);
		assert_true(answer.names_quota == rows[i].names_quota);
		assert_true(answer.names_repeat == rows[i].names_repeat);
		marketo_answer_release(&answer);
	}
}

static void statuses(void **state)
{
	static const struct {
		int status;
		enum err_kind kind;
		enum marketo_reaction reaction;
	} rows[] = {
		{ 302, ERR_BROKEN, MARKETO_FAIL },
		{ 401, ERR_BROKEN, MARKETO_RENEW },
		{ 404, ERR_BROKEN, MARKETO_FAIL },
		{ 413, ERR_REFUSED, MARKETO_SPLIT },
		{ 414, ERR_OURS, MARKETO_FAIL },
		{ 429, ERR_THROTTLED, MARKETO_PAUSE },
		{ 500, ERR_RETRY_LATER, MARKETO_BACK_OFF_SPLIT },
		{ 503, ERR_RETRY_LATER, MARKETO_BACK_OFF_SPLIT },
		{ 418, ERR_RUBBISH, MARKETO_FAIL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum marketo_reaction reaction = MARKETO_EMPTY;
		struct err err;

		assert_int_equal(marketo_status_read(rows[i].status, &reaction, &err),
				 rows[i].kind);
		assert_int_equal(reaction, rows[i].reaction);
		assert_int_equal(err.http_status, rows[i].status);
	}
}

/* ---- records of a write ---- */

static enum err_kind record_read(const char *text, int64_t *id, bool *was_created, struct err *err)
{
	struct json_object *o = json_tokener_parse(text);
	enum err_kind kind = marketo_record_read(o, id, was_created, err);

	json_object_put(o);
	return kind;
}

static void records(void **state)
{
	int64_t id = 0;
	bool was_created = false;
	struct err err;

	(void)state;
	assert_int_equal(record_read("{\"id\":90211,\"status\":\"created\"}", &id, &was_created,
				     &err),
			 ERR_NONE);
	assert_true(id == 90211 && was_created);
	assert_int_equal(record_read("{\"id\":90212,\"status\":\"updated\"}", &id, &was_created,
				     &err),
			 ERR_NONE);
	assert_true(id == 90212 && !was_created);
	assert_int_equal(
		record_read(
			"{\"status\":\"skipped\",\"reasons\":[{\"code\":\"1004\",\"message\":\"Lead not found\"}]}",
			&id, &was_created, &err),
		ERR_GONE);
	assert_string_equal(err.code, "1004");
	assert_int_equal(record_read("{\"status\":\"skipped\",\"errors\":[{\"code\":\"1049\"}]}",
				     &id, &was_created, &err),
			 ERR_REFUSED);
	assert_int_equal(record_read("{\"status\":\"skipped\",\"reasons\":[{\"code\":\"1999\"}]}",
				     &id, &was_created, &err),
			 ERR_REFUSED);
	assert_int_equal(record_read("{\"status\":\"skipped\"}", &id, &was_created, &err),
			 ERR_REFUSED);
	assert_int_equal(record_read("{\"status\":\"skipped\",\"reasons\":\"no\"}", &id,
				     &was_created, &err),
			 ERR_REFUSED);
	assert_int_equal(record_read("{\"id\":1}", &id, &was_created, &err), ERR_RUBBISH);
	assert_int_equal(record_read("{\"id\":1,\"status\":7}", &id, &was_created, &err),
			 ERR_RUBBISH);
	assert_int_equal(record_read("null", &id, &was_created, &err), ERR_RUBBISH);
}

static void the_blamed_field_but_not_the_value(void **state)
{
	int64_t id;
	bool was_created;
	struct err err;

	(void)state;
	assert_int_equal(
		record_read(
			"{\"status\":\"skipped\",\"reasons\":[{\"code\":\"1003\",\"message\":"
			"\"Invalid value for field 'numberOfEmployees' and value 'Nadia Okafor, 14.1'\"}]}",
			&id, &was_created, &err),
		ERR_REFUSED);
	assert_string_equal(err.field, "numberOfEmployees");
	assert_null(strstr(err.text, "Okafor"));
	/* A name that is none is not taken over: it may be a value. */
	assert_int_equal(
		record_read(
			"{\"status\":\"skipped\",\"reasons\":[{\"code\":\"1003\",\"message\":\"field 'Nadia Okafor' bad\"}]}",
			&id, &was_created, &err),
		ERR_REFUSED);
	assert_string_equal(err.field, "");
	assert_null(strstr(err.text, "Okafor"));
}

/* ---- persons ---- */

static struct column columns[] = {
	{ .name = { "email", 5 }, .type = COLUMN_TEXT },
	{ .name = { "doNotCall", 9 }, .type = COLUMN_BOOLEAN },
	{ .name = { "leadScore", 9 }, .type = COLUMN_INTEGER },
	{ .name = { "annualRevenue", 13 }, .type = COLUMN_DECIMAL },
	{ .name = { "dateOfBirth", 11 }, .type = COLUMN_DATE },
	{ .name = { "microsoftCreatedDate", 20 }, .type = COLUMN_TIME },
	{ .name = { "firstName", 9 }, .type = COLUMN_TEXT },
};
enum { EMAIL, DO_NOT_CALL, SCORE, REVENUE, BIRTH, CREATED, FIRST_NAME, FIELD_COUNT };
static const enum value_kind kinds[FIELD_COUNT] = { VALUE_TEXT,    VALUE_BOOLEAN, VALUE_INTEGER,
						    VALUE_DECIMAL, VALUE_DATE,    VALUE_TIME,
						    VALUE_TEXT };

static struct mapped_field mapped[FIELD_COUNT];

static struct mapping make_mapping(void)
{
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		mapped[i] = (struct mapped_field){ .kind = kinds[i], .scale = -1 };
		mapped[i].column[TABLE_PERSON] = &columns[i];
	}
	mapped[FIRST_NAME].column[TABLE_PERSON] = NULL; /* paused */
	return (struct mapping){ .fields = mapped, .count = FIELD_COUNT };
}

static struct record *person(const char *text, struct arena *a)
{
	struct mapping m = make_mapping();
	struct json_object *o = json_tokener_parse(text);
	struct record *r = NULL;

	assert_int_equal(marketo_person_read(o, &m, a, &r, NULL), ERR_NONE);
	json_object_put(o);
	return r;
}

static void persons_read(void **state)
{
	struct arena a = { NULL, 0 };
	struct record *r = person(
		"{\"id\":90211,\"email\":\" nadia@example.org \",\"doNotCall\":true,\"leadScore\":12,"
		"\"annualRevenue\":12345678901234567.10,\"dateOfBirth\":\"1980-02-29\",\"microsoftCreatedDate\":"
		"\"2026-08-30T14:05:09Z\",\"firstName\":\"Nadia\",\"microsoftId\":\"0D9F5A10-6c1b-4f0e-8f3a-2a5b7c9d1e44\","
		"\"microsoftType\":\"Contact\",\"microsoftIsDeleted\":true,\"other\":[1]}",
		&a);
	char guid[GUID_TEXT];

	(void)state;
	assert_int_equal(r->person_id, 90211);
	guid_print(&r->record_id, guid);
	assert_string_equal(guid, "0d9f5a10-6c1b-4f0e-8f3a-2a5b7c9d1e44");
	assert_int_equal(r->stamp_table, TABLE_CONTACT);
	assert_true(r->stamp_is_deleted);
	assert_true(str_equal(r->values[EMAIL].text, STR("nadia@example.org")));
	assert_true(r->values[DO_NOT_CALL].boolean);
	assert_int_equal(r->values[SCORE].number, 12);
	/* No double on the way: its 17 digits would not hold this. */
	assert_true(str_equal(r->values[REVENUE].text, STR("12345678901234567.1")));
	assert_int_equal(r->values[BIRTH].kind, VALUE_DATE);
	assert_int_equal(r->values[CREATED].kind, VALUE_TIME);
	assert_int_equal(r->values[FIRST_NAME].kind, VALUE_UNSEEN);
	arena_release(&a);
}

static void missing_and_odd_values(void **state)
{
	struct arena a = { NULL, 0 };
	struct record *r = person(
		"{\"id\":\"7\",\"email\":null,\"microsoftId\":\"none\",\"microsoftType\":5}", &a);

	(void)state;
	assert_int_equal(r->person_id, 7);
	assert_true(guid_is_zero(&r->record_id));
	assert_int_equal(r->stamp_table, TABLE_PERSON);
	assert_false(r->stamp_is_deleted);
	assert_int_equal(r->values[EMAIL].kind, VALUE_EMPTY);
	assert_int_equal(r->values[DO_NOT_CALL].kind, VALUE_BOOLEAN);
	assert_false(r->values[DO_NOT_CALL].boolean);
	assert_int_equal(r->values[SCORE].kind, VALUE_EMPTY);
	r = person(
		"{\"id\":7,\"email\":{},\"doNotCall\":\"maybe\",\"leadScore\":\"x\",\"annualRevenue\":\"99.90\",\"dateOfBirth\":true,"
		"\"microsoftCreatedDate\":\"yesterday\"}",
		&a);
	assert_int_equal(r->values[EMAIL].kind, VALUE_UNSEEN);
	/* What is of another kind is shown as text, for the other side to refuse. */
	assert_str(r->values[DO_NOT_CALL].text, "maybe");
	assert_str(r->values[SCORE].text, "x");
	assert_true(str_equal(r->values[REVENUE].text, STR("99.9")));
	assert_str(r->values[BIRTH].text, "true");
	assert_str(r->values[CREATED].text, "yesterday");
	for (int i = DO_NOT_CALL; i < FIRST_NAME; i++)
		assert_int_equal(r->values[i].kind, i == REVENUE ? VALUE_DECIMAL : VALUE_TEXT);
	arena_release(&a);
}

static void not_a_person(void **state)
{
	static const char *const bad[] = {
		"{}", "{\"id\":0}", "{\"id\":-4}", "{\"id\":null}", "{\"id\":\"x\"}",
		"[]", "7",          "null"
	};
	struct mapping m = make_mapping();
	struct arena a = { NULL, 0 };
	struct record *r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct json_object *o = json_tokener_parse(bad[i]);

		assert_int_equal(marketo_person_read(o, &m, &a, &r, NULL), ERR_RUBBISH);
		json_object_put(o);
	}
	arena_release(&a);
}

static void expect_print(const struct write *w, const char *wanted)
{
	struct mapping m = make_mapping();
	struct buf out = { 0 };

	marketo_person_print(w, &m, &out);
	assert_string_equal(buf_cstr(&out), wanted);
	buf_release(&out);
}

static void persons_written(void **state)
{
	const struct field_write fields[] = {
		{ EMAIL, { .kind = VALUE_TEXT, .text = STR("a\"b\\@example.org") } },
		{ DO_NOT_CALL, { .kind = VALUE_BOOLEAN, .boolean = true } },
		{ SCORE, { .kind = VALUE_INTEGER, .number = -3 } },
		{ REVENUE, { .kind = VALUE_DECIMAL, .text = STR("1234.5") } },
		{ BIRTH, { .kind = VALUE_DATE, .number = 0 } },
		{ CREATED, { .kind = VALUE_TIME, .number = 1 } },
	};
	const struct field_write empty = { EMAIL, { .kind = VALUE_EMPTY } };
	const struct field_write wrong = { SCORE, { .kind = VALUE_TEXT, .text = STR("many") } };
	struct guid guid;
	struct stamp stamp = {
		.table = TABLE_CONTACT, .is_deleted = true, .status = "synced", .synced_at_s = 86400
	};

	(void)state;
	assert_true(guid_parse(STR("0d9f5a10-6c1b-4f0e-8f3a-2a5b7c9d1e44"), &guid));
	stamp.record_id = guid;
	expect_print(
		&(struct write){ .operation = WRITE_UPDATE,
				 .person_id = 5,
				 .fields = fields,
				 .field_count = ARRAY_LEN(fields) },
		"{\"id\":5,\"email\":\"a\\\"b\\\\@example.org\",\"doNotCall\":true,\"leadScore\":-3,\"annualRevenue\":1234.5,"
		"\"dateOfBirth\":\"1970-01-01\",\"microsoftCreatedDate\":\"1970-01-01T00:00:01Z\"}");
	expect_print(&(struct write){ .operation = WRITE_UPDATE,
				      .person_id = 5,
				      .fields = &empty,
				      .field_count = 1 },
		     "{\"id\":5,\"email\":null}");
	expect_print(&(struct write){ .operation = WRITE_UPDATE,
				      .person_id = 5,
				      .fields = &wrong,
				      .field_count = 1 },
		     "{\"id\":5,\"leadScore\":\"many\"}");
	stamp.fields = 1u << STAMP_ID | 1u << STAMP_TYPE;
	expect_print(
		&(struct write){ .operation = WRITE_UPDATE, .person_id = 5, .stamp = &stamp },
		"{\"id\":5,\"microsoftId\":\"0d9f5a10-6c1b-4f0e-8f3a-2a5b7c9d1e44\",\"microsoftType\":\"Contact\"}");
	stamp.fields = 31;
	expect_print(
		&(struct write){ .operation = WRITE_CREATE, .record_id = guid, .stamp = &stamp },
		"{\"microsoftId\":\"0d9f5a10-6c1b-4f0e-8f3a-2a5b7c9d1e44\",\"microsoftType\":\"Contact\",\"microsoftIsDeleted\":true,"
		"\"microsoftSyncStatus\":\"synced\",\"microsoftSyncedAt\":\"1970-01-02T00:00:00Z\"}");
}

static void names_asked_for(void **state)
{
	struct mapping m = make_mapping(), none = { .count = 0 };
	struct buf out = { 0 };

	(void)state;
	marketo_change_fields(&m, &out);
	assert_string_equal(
		buf_cstr(&out),
		"email,doNotCall,leadScore,annualRevenue,dateOfBirth,microsoftCreatedDate");
	buf_clear(&out);
	marketo_change_fields(&none, &out);
	assert_string_equal(buf_cstr(&out), "id");
	buf_clear(&out);
	marketo_person_fields(&m, &out);
	assert_non_null(strstr(buf_cstr(&out), ",id,microsoftId,microsoftType,microsoftIsDeleted"));
	buf_release(&out);
}

/* ---- describe ---- */

static bool column_of(const char *text, struct arena *a, struct column *ret)
{
	struct json_object *o = json_tokener_parse(text);
	bool ok = marketo_column_read(o, a, ret);

	json_object_put(o);
	return ok;
}

static void described_columns(void **state)
{
	struct arena a = { NULL, 0 };
	struct column c;

	(void)state;
	assert_true(column_of(
		"{\"id\":51,\"dataType\":\"email\",\"length\":255,\"rest\":{\"name\":\"email\",\"readOnly\":false}}",
		&a, &c));
	assert_true(c.type == COLUMN_TEXT && c.is_ascii && c.length_max == 255 &&
		    c.vendor_id == 51 && c.can_update && c.can_create);
	assert_true(column_of(
		"{\"dataType\":\"text\",\"length\":65535,\"rest\":{\"name\":\"address\"}}", &a,
		&c));
	assert_true(c.length_max == 30000 && c.length_unit == LENGTH_BYTES);
	assert_true(column_of(
		"{\"dataType\":\"score\",\"rest\":{\"name\":\"leadScore\",\"readOnly\":true}}", &a,
		&c));
	assert_true(c.type == COLUMN_INTEGER && c.has_range && c.max > 2147483646.0 && c.can_read &&
		    !c.can_update && !c.can_create);
	assert_true(column_of("{\"dataType\":\"currency\",\"rest\":{\"name\":\"annualRevenue\"}}",
			      &a, &c));
	assert_true(c.type == COLUMN_DECIMAL && c.scale == -1);
	assert_true(
		column_of("{\"dataType\":\"lead_function\",\"rest\":{\"name\":\"f\"}}", &a, &c) &&
		c.type == COLUMN_OTHER);
	assert_true(column_of("{\"rest\":{\"name\":\"f\"}}", &a, &c) && c.type == COLUMN_OTHER);
	assert_true(
		column_of("{\"dataType\":\"integer\",\"rest\":{\"name\":\"id\",\"readOnly\":false}}",
			  &a, &c) &&
		!c.can_update);
	assert_false(column_of("{\"dataType\":\"string\",\"soap\":{\"name\":\"X\"}}", &a, &c));
	assert_false(column_of("{\"dataType\":\"string\",\"rest\":{\"name\":\"\"}}", &a, &c));
	assert_false(
		column_of("{\"dataType\":\"string\",\"rest\":{\"name\":\"a\\u0000b\"}}", &a, &c));
	assert_false(column_of("[]", &a, &c));
	arena_release(&a);
}

/* ---- tokens ---- */

static void identity_answers(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
	} rows[] = {
		{ 200,
		  "{\"access_token\":\"5b1d:sj\",\"token_type\":\"bearer\",\"expires_in\":2871,\"scope\":\"x@example.org\"}",
		  ERR_NONE },
		{ 200, "{\"access_token\":\"5b1d:sj\",\"expires_in\":0}", ERR_NONE },
		{ 200, "{\"access_token\":\"5b1d:sj\"}", ERR_RUBBISH },
		{ 200, "{\"expires_in\":2871}", ERR_RUBBISH },
		{ 200, "{\"access_token\":\"a\\r\\nX-Evil: 1\",\"expires_in\":2871}", ERR_RUBBISH },
		{ 200, "{\"access_token\":\"\",\"expires_in\":2871}", ERR_RUBBISH },
		{ 200, "<html></html>", ERR_RUBBISH },
		{ 401, "{\"error\":\"invalid_client\",\"error_description\":\"...\"}", ERR_BROKEN },
		{ 404, "", ERR_BROKEN },
		{ 302, "", ERR_BROKEN },
		{ 429, "", ERR_RETRY_LATER },
		{ 503, "<html></html>", ERR_RETRY_LATER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char token[MARKETO_TOKEN_MAX] = "", login[MARKETO_LOGIN_MAX] = "";
		int64_t expires_s = -1;
		struct err err = { .kind = ERR_NONE };

		assert_int_equal(marketo_token_read(rows[i].status, str_of(rows[i].body), token,
						    login, &expires_s, &err),
				 rows[i].kind);
		assert_int_equal(err.kind, rows[i].kind);
		if (rows[i].kind == ERR_NONE)
			assert_string_equal(token, "5b1d:sj");
		assert_string_equal(login, strstr(rows[i].body, "scope") ? "x@example.org" : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(envelopes),
		cmocka_unit_test(pages),
		cmocka_unit_test(bulk_errors),
		cmocka_unit_test(statuses),
		cmocka_unit_test(records),
		cmocka_unit_test(the_blamed_field_but_not_the_value),
		cmocka_unit_test(persons_read),
		cmocka_unit_test(missing_and_odd_values),
		cmocka_unit_test(not_a_person),
		cmocka_unit_test(persons_written),
		cmocka_unit_test(names_asked_for),
		cmocka_unit_test(described_columns),
		cmocka_unit_test(identity_answers),
	};

	return RUN(tests);
}

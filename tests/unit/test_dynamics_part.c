/* One write in a batch: the request as it is sent, and every outcome its part of the answer can
 * have. */
#include "remote/dynamics_write.h"

#include "tests/unit/dynamics_fixture.h"
#include "tests/unit/unit.h"

#define CONTACT "5e8f1f3a-1111-4c2e-9a77-2d6f0b7f9c01"
#define OTHER "c0a1b2c3-3333-4d5e-8f90-1a2b3c4d5e6f"
#define HEAD                                                                                       \
	"--batch_tandem\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
#define TAIL                                                                                       \
	"Prefer: return=representation\r\nAccept: application/json\r\nContent-Type: application/json\r\n\r\n"

static struct field_write fields[] = {
	{ FIELD_TITLE, { .kind = VALUE_TEXT, .text = { "Head of \"Ops\"", 13 } } },
	{ FIELD_MUTE, { .kind = VALUE_BOOLEAN, .boolean = true } },
	{ FIELD_BIRTH, { .kind = VALUE_EMPTY } },
};

static struct write write_of(enum write_operation operation)
{
	struct write w = { .operation = operation,
			   .table = TABLE_CONTACT,
			   .version = 7718123,
			   .fields = fields,
			   .field_count = ARRAY_LEN(fields) };

	assert_true(guid_parse(STR(CONTACT), &w.record_id));
	return w;
}

static void requests_are_exact(void **state)
{
	CLEANUP(buf_release) struct buf out = { 0 };
	struct write w = write_of(WRITE_UPDATE);
	struct guid owner;

	(void)state;
	assert_int_equal(dynamics_part_write(&dynamics_mapping, &w, false, &out, NULL), ERR_NONE);
	assert_string_equal(
		buf_cstr(&out), HEAD
		"PATCH /api/data/v9.2/contacts(" CONTACT ")?$select=versionnumber HTTP/1.1\r\n"
		"If-Match: W/\"7718123\"\r\n" TAIL
		"{\"jobtitle\":\"Head of \\\"Ops\\\"\",\"donotphone\":true,\"birthdate\":null}\r\n");
	buf_clear(&out);
	w.version = 0;
	w.field_count = 1;
	assert_int_equal(dynamics_part_write(&dynamics_mapping, &w, false, &out, NULL), ERR_NONE);
	assert_non_null(strstr(buf_cstr(&out), "If-Match: *\r\n"));
	buf_clear(&out);
	assert_true(guid_parse(STR(OTHER), &owner));
	w = write_of(WRITE_CREATE);
	w.owner = &owner;
	w.field_count = 1;
	assert_int_equal(dynamics_part_write(&dynamics_mapping, &w, false, &out, NULL), ERR_NONE);
	assert_string_equal(buf_cstr(&out), HEAD
			    "POST /api/data/v9.2/contacts?$select=versionnumber HTTP/1.1\r\n" TAIL
			    "{\"contactid\":\"" CONTACT
			    "\",\"ownerid@odata.bind\":\"/systemusers(" OTHER ")\","
			    "\"jobtitle\":\"Head of \\\"Ops\\\"\"}\r\n");
}

static void duplicate_rules_are_obeyed_when_asked(void **state)
{
	static const enum write_operation operations[] = { WRITE_CREATE, WRITE_UPDATE };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
		for (int is_obeying = 0; is_obeying < 2; is_obeying++) {
			CLEANUP(buf_release) struct buf out = { 0 };
			struct write w = write_of(operations[i]);

			assert_int_equal(dynamics_part_write(&dynamics_mapping, &w, is_obeying,
							     &out, NULL),
					 ERR_NONE);
			assert_int_equal(
				strstr(buf_cstr(&out),
				       "\r\nMSCRM.SuppressDuplicateDetection: false\r\n") != NULL,
				is_obeying);
		}
	}
}

static void rows_of_a_bulk_request_are_exact(void **state)
{
	CLEANUP(buf_release) struct buf out = { 0 };
	struct write w = write_of(WRITE_CREATE);
	struct guid owner;

	(void)state;
	assert_true(guid_parse(STR(OTHER), &owner));
	w.owner = &owner;
	assert_int_equal(dynamics_part_target(&dynamics_mapping, &w, &out, NULL), ERR_NONE);
	assert_string_equal(
		buf_cstr(&out),
		"{\"@odata.type\":\"Microsoft.Dynamics.CRM.contact\",\"contactid\":\"" CONTACT
		"\",\"ownerid@odata.bind\":\"/systemusers(" OTHER ")\","
		"\"jobtitle\":\"Head of \\\"Ops\\\"\",\"donotphone\":true,\"birthdate\":null}");
}

/* Only when all of our ids come back, each in its place, is everything there. */
static void answers_to_bulk_requests_are_believed_when_exact(void **state)
{
	static const struct {
		const char *body;
		bool is_made;
	} rows[] = {
		{ "{\"@odata.context\":\"x\",\"Ids\":[\"" CONTACT "\",\"" OTHER "\"]}", true },
		{ "{\"Ids\":[\"" OTHER "\",\"" CONTACT "\"]}", false },
		{ "{\"Ids\":[\"" CONTACT "\"]}", false },
		{ "{\"Ids\":[\"" CONTACT "\",\"" OTHER "\",\"" OTHER "\"]}", false },
		{ "{\"Ids\":[\"" CONTACT "\",null]}", false },
		{ "{\"Ids\":[\"" CONTACT "\",\"c0a1\"]}", false },
		{ "{\"Ids\":{}}", false },
		{ "{}", false },
		{ "", false },
		{ "{\"Ids\":[\"" CONTACT "\",", false },
	};
	struct write writes[3] = { write_of(WRITE_CREATE), write_of(WRITE_UPDATE),
				   write_of(WRITE_CREATE) };
	const size_t index[] = { 0, 2 };

	(void)state;
	assert_true(guid_parse(STR(OTHER), &writes[2].record_id));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(dynamics_bulk_made(str_of(rows[i].body), writes, index, 2),
				 rows[i].is_made);
}

static void what_cannot_be_written_adds_nothing(void **state)
{
	CLEANUP(buf_release) struct buf out = { 0 };
	struct field_write bad = { FIELD_METHOD, { .kind = VALUE_TEXT, .text = { "Pigeon", 6 } } };
	struct write w = write_of(WRITE_UPDATE);
	struct err err;

	(void)state;
	w.fields = &bad;
	w.field_count = 1;
	assert_int_equal(dynamics_part_write(&dynamics_mapping, &w, false, &out, &err),
			 ERR_REFUSED);
	assert_string_equal(err.field, "preferredcontactmethodcode");
	assert_int_equal(out.len, 0);
	bad.index = FIELD_LEAD_ONLY;
	assert_int_equal(dynamics_part_write(&dynamics_mapping, &w, false, &out, &err), ERR_OURS);
	bad.index = FIELD_COUNT;
	assert_int_equal(dynamics_part_write(&dynamics_mapping, &w, false, &out, &err), ERR_OURS);
	assert_int_equal(out.len, 0);
}

static void new_records_pass_the_sync_filter(void **state)
{
	static const struct column open = { DYNAMICS_COLUMN("new_synctomkto", COLUMN_BOOLEAN) };
	static const struct column barred = { .name = { "new_synctomkto", 14 },
					      .type = COLUMN_BOOLEAN,
					      .can_read = true };
	static const struct {
		enum write_operation operation;
		const struct column *column;
		bool is_set_on_create, is_written;
	} rows[] = {
		{ WRITE_CREATE, &open, true, true },    { WRITE_CREATE, &open, false, false },
		{ WRITE_CREATE, &barred, true, false }, { WRITE_CREATE, NULL, true, false },
		{ WRITE_UPDATE, &open, true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_release) struct buf out = { 0 };
		struct write w = write_of(rows[i].operation);
		struct mapping m = dynamics_mapping;

		m.filter[TABLE_CONTACT] = rows[i].column;
		m.filter_rule.is_set_on_create = rows[i].is_set_on_create;
		w.field_count = 1;
		assert_int_equal(dynamics_part_write(&m, &w, false, &out, NULL), ERR_NONE);
		assert_int_equal(
			strstr(buf_cstr(&out),
			       "\"jobtitle\":\"Head of \\\"Ops\\\"\",\"new_synctomkto\":true}") !=
				NULL,
			rows[i].is_written);
		assert_int_equal(strstr(buf_cstr(&out), "new_synctomkto") != NULL,
				 rows[i].is_written);
	}
}

#define ERROR(code, message) "{\"error\":{\"code\":\"" code "\",\"message\":\"" message "\"}}"

static const struct {
	enum write_operation operation;
	bool has_owner;
	int status;
	const char *etag, *body;
	enum err_kind kind;
	const char *field;
	int64_t version;
} outcomes[] = {
	{ WRITE_UPDATE, false, 204, "", "", ERR_NONE, "", 0 },
	{ WRITE_UPDATE, false, 200, "W/\"7718150\"", "{}", ERR_NONE, "", 7718150 },
	{ WRITE_CREATE, false, 201, "", "{\"versionnumber\":7718151,\"more\":[]}", ERR_NONE, "",
	  7718151 },
	{ WRITE_CREATE, false, 201, "", "{\"@odata.etag\":\"W/\\\"7718152\\\"\"}", ERR_NONE, "",
	  7718152 },
	{ WRITE_UPDATE, false, 200, "", "{\"versionnumber\":\"x", ERR_NONE, "", 0 },
	{ WRITE_UPDATE, false, 412, "", ERROR("0x80060882", "The version doesn't match"),
	  ERR_CONFLICT, "", 0 },
	{ WRITE_UPDATE, false, 404, "",
	  ERROR("0x80040217", "contact With Id = " CONTACT " Does Not Exist"), ERR_GONE, "", 0 },
	{ WRITE_UPDATE, false, 404, "", ERROR("0x80040217", "it does not exist"), ERR_GONE, "", 0 },
	{ WRITE_UPDATE, false, 404, "",
	  ERROR("0x80040217", "account With Id = " OTHER " Does Not Exist"), ERR_REFUSED, "", 0 },
	{ WRITE_CREATE, true, 404, "",
	  ERROR("0x80040217", "systemuser With Id = " OTHER " Does Not Exist"), ERR_REFUSED,
	  "ownerid", 0 },
	{ WRITE_CREATE, true, 403, "", ERROR("0x80042f09", "no roles"), ERR_REFUSED, "ownerid", 0 },
	{ WRITE_CREATE, false, 403, "", ERROR("0x80042f09", "no roles"), ERR_BROKEN, "", 0 },
	{ WRITE_CREATE, false, 412, "", ERROR("0x80040237", "exists"), ERR_DUPLICATE, "", 0 },
	{ WRITE_CREATE, false, 412, "", ERROR("0x80060892", "Entity Key violated"), ERR_REFUSED, "",
	  0 },
	{ WRITE_UPDATE, false, 400, "",
	  ERROR("0x80044331", "The length of the 'jobtitle' attribute exceeded"), ERR_REFUSED,
	  "jobtitle", 0 },
	{ WRITE_UPDATE, false, 400, "",
	  ERROR("0x80044331", "The length of the 'fax' attribute exceeded"), ERR_REFUSED, "", 0 },
	{ WRITE_UPDATE, false, 403, "",
	  ERROR("0x8004f507",
		"Caller user with Id x does not have update permissions to a Job Title secured field on entity contact."),
	  ERR_RIGHTS, "jobtitle", 0 },
	{ WRITE_UPDATE, false, 0, "", "", ERR_RUBBISH, "", 0 },
};

static void outcomes_are_told_apart(void **state)
{
	static const struct guid owner = { { 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
		struct multipart_part part = { .status = outcomes[i].status,
					       .etag = str_of(outcomes[i].etag),
					       .body = str_of(outcomes[i].body),
					       .retry_after_ms = -1 };
		struct write w = write_of(outcomes[i].operation);
		enum dynamics_repeat repeat;
		struct write_result result;

		w.owner = outcomes[i].has_owner ? &owner : NULL;
		assert_int_equal(dynamics_part_read(&dynamics_mapping, &w, &part, &repeat, &result),
				 outcomes[i].kind);
		assert_int_equal(result.kind, outcomes[i].kind);
		assert_int_equal(result.err.kind, outcomes[i].kind);
		assert_string_equal(result.err.field, outcomes[i].field);
		assert_int_equal(result.version, outcomes[i].version);
		assert_int_equal(repeat, REPEAT_NEVER);
	}
}

/* INV-PRIVATE */
static void values_stay_out_of_errors(void **state)
{
	struct multipart_part part = {
		.status = 400,
		.retry_after_ms = -1,
		.body = STR(
			ERROR("0x80040265", "Nobody is Head of \\\"Ops\\\" at 'jobtitle' here")),
	};
	struct write w = write_of(WRITE_UPDATE);
	enum dynamics_repeat repeat;
	struct write_result result;

	(void)state;
	assert_int_equal(dynamics_part_read(&dynamics_mapping, &w, &part, &repeat, &result),
			 ERR_REFUSED);
	assert_string_equal(result.err.text, "Nobody is * at 'jobtitle' here");
	assert_string_equal(result.err.field, "jobtitle");
}

static void passing_failures_may_be_repeated(void **state)
{
	const struct {
		int status;
		const char *body;
		enum dynamics_repeat repeat;
	} rows[] = {
		{ 429, ERROR("0x80072322", "limit"), REPEAT_WHEN_TOLD },
		{ 500, ERROR("0x80044150", "deadlock"), REPEAT_OFTEN },
		{ 400, ERROR("0x80040224", "plug-in"), REPEAT_TWICE },
	};
	struct write w = write_of(WRITE_UPDATE);
	enum dynamics_repeat repeat;
	struct write_result result;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct multipart_part part = { .status = rows[i].status,
					       .body = str_of(rows[i].body),
					       .retry_after_ms = 7000 };

		assert_int_not_equal(dynamics_part_read(&dynamics_mapping, &w, &part, &repeat,
							&result),
				     ERR_NONE);
		assert_int_equal(repeat, rows[i].repeat);
		assert_int_equal(result.err.retry_after_ms, 7000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_exact),
		cmocka_unit_test(duplicate_rules_are_obeyed_when_asked),
		cmocka_unit_test(rows_of_a_bulk_request_are_exact),
		cmocka_unit_test(answers_to_bulk_requests_are_believed_when_exact),
		cmocka_unit_test(what_cannot_be_written_adds_nothing),
		cmocka_unit_test(new_records_pass_the_sync_filter),
		cmocka_unit_test(outcomes_are_told_apart),
		cmocka_unit_test(values_stay_out_of_errors),
		cmocka_unit_test(passing_failures_may_be_repeated),
	};

	return RUN(tests);
}

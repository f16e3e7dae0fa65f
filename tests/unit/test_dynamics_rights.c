/* Which columns are secured and what the sync user may do with them: the question as it is sent,
 * and every shape its answer can have. */
#include "remote/dynamics_rights.h"

#include "tests/unit/unit.h"

#define ID(n) "024a2ee3-0000-4000-8000-00000000000" n
#define USER "4d2a9b10-8b3d-4e11-9965-000d3ab1c2d3"

#define PART(status, body)                                                                         \
	"--b1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"      \
	"HTTP/1.1 " status "\r\nContent-Type: application/json\r\n\r\n" body "\r\n"
#define END "--b1--\r\n"
#define RIGHT(n, read, create, update)                                                             \
	"{\"AttributeId\":\"" ID(n) "\",\"CanRead\":" read ",\"CanCreate\":" create                \
				    ",\"CanUpdate\":" update "}"
#define RIGHTS(rows) PART("200 OK", "{\"AttributePrivileges\":[" rows "]}")
#define SECURED(name) "{\"LogicalName\":\"" name "\",\"IsSecured\":true}"
#define LIST(rows) PART("200 OK", "{\"value\":[" rows "]}")

enum { TITLE, PHONE, STATUS, COLUMN_COUNT };

struct world {
	struct dynamics d;
	struct column lead[COLUMN_COUNT], contact[COLUMN_COUNT];
	struct schema schemas[2];
	bool has_changed;
	struct err err;
};

static struct column column_of(const char *name, const char *id, bool can_write)
{
	struct column c = { .name = str_of(name),
			    .type = COLUMN_TEXT,
			    .can_read = true,
			    .can_create = can_write,
			    .can_update = can_write };

	assert_true(guid_parse(str_of(id), &c.metadata_id));
	return c;
}

static void world_begin(struct world *w)
{
	*w = (struct world){
		.d = { .lock = PTHREAD_MUTEX_INITIALIZER },
		.lead = { column_of("jobtitle", ID("1"), true), column_of("phone", ID("2"), true),
			  column_of("statuscode", ID("3"), false) },
		.contact = { column_of("jobtitle", ID("4"), true),
			     column_of("phone", ID("5"), true),
			     column_of("statuscode", ID("6"), false) },
	};
	w->schemas[0] = (struct schema){ TABLE_LEAD, w->lead, COLUMN_COUNT };
	w->schemas[1] = (struct schema){ TABLE_CONTACT, w->contact, COLUMN_COUNT };
	dynamics_rights_remember(&w->d, &w->schemas[0]);
	dynamics_rights_remember(&w->d, &w->schemas[1]);
}

static void world_end(struct world *w)
{
	free(w->d.columns[TABLE_LEAD]);
	free(w->d.columns[TABLE_CONTACT]);
}

static enum err_kind take(struct world *w, const char *body)
{
	w->has_changed = false;
	w->err = (struct err){ .retry_after_ms = -1 };
	return dynamics_rights_take(&w->d, STR("multipart/mixed; boundary=b1"), str_of(body),
				    w->schemas, 2, &w->has_changed, &w->err);
}

static void assert_allowed(const struct column *c, bool is_secured, bool can_read, bool can_create,
			   bool can_update)
{
	assert_int_equal(c->is_secured, is_secured);
	assert_int_equal(c->can_read, can_read);
	assert_int_equal(c->can_create, can_create);
	assert_int_equal(c->can_update, can_update);
}

static void the_question_is_exact(void **state)
{
	static const char part[] = "--batch_tandem\r\nContent-Type: application/http\r\n"
				   "Content-Transfer-Encoding: binary\r\n\r\nGET /api/data/v9.2/";
	static const char rest[] = " HTTP/1.1\r\nAccept: application/json\r\n"
				   "Consistency: Strong\r\n\r\n\r\n";
	static const char columns[] = "/Attributes?$select=LogicalName,IsSecured"
				      "&$filter=IsSecured%20eq%20true";
	static const struct schema schemas[] = { { .table = TABLE_LEAD },
						 { .table = TABLE_CONTACT } };
	CLEANUP(buf_release) struct buf out = { 0 }, expected = { 0 };
	struct guid user;

	(void)state;
	assert_true(guid_parse(STR(USER), &user));
	dynamics_rights_ask(&user, schemas, 2, &out);
	buf_fmt(&expected, "%ssystemusers(%s)/Microsoft.Dynamics.CRM.%s()%s", part, USER,
		"RetrievePrincipalAttributePrivileges", rest);
	buf_fmt(&expected, "%sEntityDefinitions(LogicalName='lead')%s%s", part, columns, rest);
	buf_fmt(&expected, "%sEntityDefinitions(LogicalName='contact')%s%s", part, columns, rest);
	buf_text(&expected, "--batch_tandem--\r\n");
	assert_string_equal(buf_cstr(&out), buf_cstr(&expected));
}

static void nothing_secured_changes_nothing(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	assert_int_equal(take(&w, RIGHTS("") LIST("") LIST("") END), ERR_NONE);
	assert_false(w.has_changed);
	assert_allowed(&w.contact[TITLE], false, true, true, true);
	assert_allowed(&w.contact[STATUS], false, true, false, false);
	world_end(&w);
}

/* No row of rights at all: that is how a column without any profile looks. */
static void a_column_secured_meanwhile_is_closed_and_opens_again(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	assert_int_equal(take(&w, RIGHTS("") LIST("") LIST(SECURED("jobtitle")) END), ERR_NONE);
	assert_true(w.has_changed);
	assert_allowed(&w.contact[TITLE], true, false, false, false);
	assert_allowed(&w.contact[PHONE], false, true, true, true);
	assert_allowed(&w.lead[TITLE], false, true, true, true);
	assert_int_equal(take(&w, RIGHTS("") LIST("") LIST(SECURED("jobtitle")) END), ERR_NONE);
	assert_false(w.has_changed);
	assert_int_equal(take(&w, RIGHTS("") LIST("") LIST("") END), ERR_NONE);
	assert_true(w.has_changed);
	assert_allowed(&w.contact[TITLE], false, true, true, true);
	world_end(&w);
}

static void each_right_counts_for_itself(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	assert_int_equal(take(&w, RIGHTS(RIGHT("4", "4", "4", "0") "," RIGHT("1", "4", "4", "4"))
					  LIST(SECURED("jobtitle")) LIST(SECURED("jobtitle")) END),
			 ERR_NONE);
	assert_true(w.has_changed);
	assert_allowed(&w.contact[TITLE], true, true, true, false);
	assert_allowed(&w.lead[TITLE], true, true, true, true);
	assert_int_equal(take(&w, RIGHTS(RIGHT("4", "0", "4", "4")) LIST("")
					  LIST(SECURED("jobtitle")) END),
			 ERR_NONE);
	assert_allowed(&w.contact[TITLE], true, false, true, true);
	/* More than the table allows is never given. */
	assert_int_equal(take(&w, RIGHTS(RIGHT("6", "4", "4", "4")) LIST("")
					  LIST(SECURED("statuscode")) END),
			 ERR_NONE);
	assert_allowed(&w.contact[STATUS], true, true, false, false);
	world_end(&w);
}

/* Rights may know of a column what a cache of definitions does not know yet. */
static void a_row_of_rights_makes_a_column_secured(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	assert_int_equal(take(&w, RIGHTS(RIGHT("4", "0", "0", "0")) LIST("") LIST("") END),
			 ERR_NONE);
	assert_allowed(&w.contact[TITLE], true, false, false, false);
	world_end(&w);
}

static void odd_rights_allow_nothing(void **state)
{
	static const char *const rows[] = {
		"7",
		"null",
		"{\"AttributeId\":\"no id\",\"CanRead\":4,\"CanCreate\":4,\"CanUpdate\":4}",
		"{\"AttributeId\":\"" ID("4") "\"}",
		RIGHT("4", "1", "true", "\"x\""),
		RIGHT("4", "null", "[4]", "5"),
		RIGHT("1", "4", "4", "4"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_release) struct buf body = { 0 };
		struct world w;

		world_begin(&w);
		buf_fmt(&body, PART("200 OK", "{\"AttributePrivileges\":[%s]}"), rows[i]);
		buf_text(&body, LIST("") LIST(SECURED("jobtitle")) END);
		assert_int_equal(take(&w, buf_cstr(&body)), ERR_NONE);
		assert_allowed(&w.contact[TITLE], true, false, false, false);
		world_end(&w);
	}
}

static void unknown_and_open_columns_in_the_list_are_passed_over(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	assert_int_equal(take(&w, RIGHTS("") LIST(SECURED("new_since"))
					  LIST("{\"LogicalName\":\"jobtitle\",\"IsSecured\":false,"
					       "\"MetadataId\":\"" ID("4") "\"}") END),
			 ERR_NONE);
	assert_false(w.has_changed);
	assert_allowed(&w.contact[TITLE], false, true, true, true);
	world_end(&w);
}

#define GOOD RIGHTS("") LIST("") LIST(SECURED("jobtitle"))
#define FAILED(status, code) PART(status, "{\"error\":{\"code\":\"" code "\",\"message\":\"m\"}}")

static const struct {
	const char *body;
	enum err_kind kind;
} failures[] = {
	{ "", ERR_RUBBISH },
	{ END, ERR_RUBBISH },
	{ RIGHTS("") END, ERR_RUBBISH },
	{ RIGHTS("") LIST(SECURED("jobtitle")) END, ERR_RUBBISH },
	{ GOOD "--b1", ERR_RUBBISH }, /* the last part was cut off */
	{ PART("200 OK", "") LIST("") LIST("") END, ERR_RUBBISH },
	{ PART("200 OK", "{}") LIST("") LIST("") END, ERR_RUBBISH },
	{ PART("200 OK", "[]") LIST("") LIST("") END, ERR_RUBBISH },
	{ PART("200 OK", "{\"AttributePrivileges\":{}}") LIST("") LIST("") END, ERR_RUBBISH },
	{ RIGHTS("") LIST("") PART("200 OK", "{}") END, ERR_RUBBISH },
	{ RIGHTS("") LIST("") PART("200 OK", "{\"value\":null}") END, ERR_RUBBISH },
	{ RIGHTS("") LIST("") LIST("7") END, ERR_RUBBISH },
	{ RIGHTS("") LIST("") LIST("{\"IsSecured\":true}") END, ERR_RUBBISH },
	{ RIGHTS("") LIST("") LIST("{\"LogicalName\":\"\",\"IsSecured\":true}") END, ERR_RUBBISH },
	{ RIGHTS("") LIST("") LIST("{\"LogicalName\":\"jobtitle\"}") END, ERR_RUBBISH },
	{ RIGHTS("") LIST("") LIST("{\"LogicalName\":\"jobtitle\",\"IsSecured\":1}") END,
	  ERR_RUBBISH },
	{ RIGHTS("") PART("200 OK", "{\"value\":[],\"@odata.nextLink\":\"https://x\"}") LIST("")
		  END,
	  ERR_RUBBISH },
	{ "--b1\r\nContent-Type: application/http\r\n\r\nnothing\r\n" LIST("") LIST("") END,
	  ERR_RUBBISH },
	{ PART("302 Found", "") LIST("") LIST("") END, ERR_BROKEN },
	{ FAILED("403 Forbidden", "0x80040220") END, ERR_RIGHTS },
	{ RIGHTS("") LIST("") FAILED("403 Forbidden", "0x80040220") END, ERR_RIGHTS },
	{ RIGHTS("") FAILED("400 Bad Request", "0x80040203") END, ERR_RUBBISH },
	{ RIGHTS("") FAILED("500 Internal Server Error", "0x80044150") END, ERR_RETRY_LATER },
	{ RIGHTS("") FAILED("503 Service Unavailable", "") END, ERR_RETRY_LATER },
};

static void a_failing_part_fails_all_and_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		struct world w;

		world_begin(&w);
		w.contact[PHONE].can_read = false;
		assert_int_equal(take(&w, failures[i].body), failures[i].kind);
		assert_int_equal(w.err.kind, failures[i].kind);
		assert_true(w.err.text[0]);
		assert_false(w.has_changed);
		assert_allowed(&w.contact[TITLE], false, true, true, true);
		assert_allowed(&w.contact[PHONE], false, false, true, true);
		world_end(&w);
	}
}

static void a_throttled_part_says_how_long(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	assert_int_equal(
		take(&w,
		     RIGHTS("") "--b1\r\nContent-Type: application/http\r\n\r\n"
				"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n\r\n"
				"{\"error\":{\"code\":\"0x80072321\",\"message\":\"m\"}}\r\n" END),
		ERR_THROTTLED);
	assert_int_equal(w.err.retry_after_ms, 7000);
	assert_string_equal(w.err.code, "0x80072321");
	world_end(&w);
}

static void anything_but_parts_is_rubbish(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	assert_int_equal(dynamics_rights_take(&w.d, STR("application/json"), STR("{\"value\":[]}"),
					      w.schemas, 2, &w.has_changed, &w.err),
			 ERR_RUBBISH);
	assert_int_equal(dynamics_rights_take(&w.d, STR(""), STR(""), w.schemas, 2, &w.has_changed,
					      NULL),
			 ERR_RUBBISH);
	world_end(&w);
}

/* A schema this object has not described: rights can only be taken from it. */
static void what_was_not_described_is_never_widened(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	assert_true(guid_parse(STR(ID("9")), &w.contact[PHONE].metadata_id));
	w.contact[PHONE].can_update = false;
	assert_int_equal(take(&w, RIGHTS(RIGHT("9", "4", "4", "4")) LIST("") LIST(SECURED("phone"))
					  END),
			 ERR_NONE);
	assert_allowed(&w.contact[PHONE], true, true, true, false);
	assert_int_equal(take(&w, RIGHTS("") LIST("") LIST("") END), ERR_NONE);
	assert_allowed(&w.contact[PHONE], false, true, true, false);
	world_end(&w);
}

static void describing_goes_by_the_definition(void **state)
{
	struct json_object *rights =
		json_tokener_parse("{\"AttributePrivileges\":[" RIGHT("5", "4", "0", "0") "]}");
	struct world w;

	(void)state;
	world_begin(&w);
	assert_int_equal(dynamics_rights_check(rights, NULL), ERR_NONE);
	w.contact[TITLE].is_secured = true;
	dynamics_rights_apply(&w.d, rights, &w.schemas[1]);
	assert_allowed(&w.contact[TITLE], true, false, false, false);
	assert_allowed(&w.contact[PHONE], true, true, false, false);
	json_object_put(rights);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_question_is_exact),
		cmocka_unit_test(nothing_secured_changes_nothing),
		cmocka_unit_test(a_column_secured_meanwhile_is_closed_and_opens_again),
		cmocka_unit_test(each_right_counts_for_itself),
		cmocka_unit_test(a_row_of_rights_makes_a_column_secured),
		cmocka_unit_test(odd_rights_allow_nothing),
		cmocka_unit_test(unknown_and_open_columns_in_the_list_are_passed_over),
		cmocka_unit_test(a_failing_part_fails_all_and_changes_nothing),
		cmocka_unit_test(a_throttled_part_says_how_long),
		cmocka_unit_test(anything_but_parts_is_rubbish),
		cmocka_unit_test(what_was_not_described_is_never_widened),
		cmocka_unit_test(describing_goes_by_the_definition),
	};

	return RUN(tests);
}

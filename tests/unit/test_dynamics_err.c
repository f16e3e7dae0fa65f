/* What answers of Dataverse and of the sign-in service mean. */
#include "remote/dynamics_err.h"

#include "remote/dynamics_token.h"
#include "tests/unit/unit.h"

#define ERROR(code, message) "{\"error\":{\"code\":\"" code "\",\"message\":\"" message "\"}}"

static const struct {
	int status;
	int64_t retry_after_ms;
	const char *body;
	enum err_kind kind;
	enum dynamics_repeat repeat;
	const char *code;
} answers[] = {
	/* the shapes of an error */
	{ 400, -1, ERROR("0x80044331", "too long"), ERR_REFUSED, REPEAT_NEVER, "0x80044331" },
	{ 400, -1, ERROR("0X80044331", "too long"), ERR_REFUSED, REPEAT_NEVER, "0X80044331" },
	{ 401, -1, "HTTP Error 401 - Unauthorized: Access is denied", ERR_BROKEN, REPEAT_NEW_TOKEN,
	  "" },
	{ 401, -1, ERROR("0x80044331", "odd"), ERR_BROKEN, REPEAT_NEW_TOKEN, "0x80044331" },
	{ 502, -1, "<html><body>Bad Gateway</body></html>", ERR_RETRY_LATER, REPEAT_OFTEN, "" },
	{ 404, -1, "<html>not here</html>", ERR_BROKEN, REPEAT_NEVER, "" },
	{ 404, -1, ERROR("", "no such row"), ERR_GONE, REPEAT_NEVER, "" },
	{ 404, -1, ERROR("0x80060888", "no such segment"), ERR_BROKEN, REPEAT_NEVER, "0x80060888" },
	{ 412, -1, ERROR("0x0", ""), ERR_CONFLICT, REPEAT_NEVER, "0x0" },
	{ 500, -1, "{\"error\":{\"code\":\"0x80040217\",\"mess", ERR_RETRY_LATER, REPEAT_OFTEN,
	  "" },
	{ 500, -1, "{\"error\":{\"code\":7,\"message\":null,\"more\":[]}}", ERR_RETRY_LATER,
	  REPEAT_OFTEN, "" },
	{ 400, -1, "[]", ERR_REFUSED, REPEAT_NEVER, "" },
	{ 302, -1, "", ERR_BROKEN, REPEAT_NEVER, "" },
	{ 103, -1, "", ERR_RUBBISH, REPEAT_NEVER, "" },
	/* waiting and repeating */
	{ 429, 27000, ERROR("0x80072322", "Number of requests exceeded"), ERR_THROTTLED,
	  REPEAT_WHEN_TOLD, "0x80072322" },
	{ 429, -1, "", ERR_THROTTLED, REPEAT_WHEN_TOLD, "" },
	{ 503, 5000, "", ERR_THROTTLED, REPEAT_WHEN_TOLD, "" },
	{ 503, -1, "", ERR_RETRY_LATER, REPEAT_OFTEN, "" },
	{ 500, -1, ERROR("0x80044150", "deadlock"), ERR_RETRY_LATER, REPEAT_OFTEN, "0x80044150" },
	{ 500, -1, ERROR("0x80044151", "timeout"), ERR_RETRY_LATER, REPEAT_SMALLER, "0x80044151" },
	{ 500, -1, ERROR("0x80040216", "unexpected"), ERR_REFUSED, REPEAT_TWICE, "0x80040216" },
	{ 413, -1, "", ERR_REFUSED, REPEAT_SMALLER, "" },
	{ 400, -1, ERROR("", "The current batch message contains too many parts."), ERR_REFUSED,
	  REPEAT_SMALLER, "" },
	/* what there is already: only our own id counts as that */
	{ 412, -1, ERROR("0x80040237", "exists"), ERR_DUPLICATE, REPEAT_NEVER, "0x80040237" },
	{ 412, -1, ERROR("0x80060892", "key violated"), ERR_REFUSED, REPEAT_NEVER, "0x80060892" },
	{ 500, -1, ERROR("0x80040333", "duplicate rule"), ERR_REFUSED, REPEAT_NEVER, "0x80040333" },
	{ 412, -1, ERROR("0x80060882", "version"), ERR_CONFLICT, REPEAT_NEVER, "0x80060882" },
	{ 400, -1, ERROR("0x80044352", "expired"), ERR_EXPIRED, REPEAT_NEVER, "0x80044352" },
	/* rights and the whole side */
	{ 403, -1, ERROR("0x80072560", "not a member"), ERR_BROKEN, REPEAT_NEVER, "0x80072560" },
	{ 403, -1, ERROR("0x8004f507", "secured"), ERR_RIGHTS, REPEAT_NEVER, "0x8004f507" },
	{ 403, -1, ERROR("0x80048306", "this row"), ERR_REFUSED, REPEAT_NEVER, "0x80048306" },
	{ 400, -1, ERROR("0x80072491", "off"), ERR_BROKEN, REPEAT_NEVER, "0x80072491" },
};

static void answers_have_a_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct dynamics_answer answer = { answers[i].status, answers[i].retry_after_ms,
						  str_of(answers[i].body) };
		enum dynamics_repeat repeat = REPEAT_NEVER;
		struct err err;

		assert_int_equal(dynamics_err_judge(&answer, &repeat, &err), answers[i].kind);
		assert_int_equal(err.kind, answers[i].kind);
		assert_int_equal(repeat, answers[i].repeat);
		assert_string_equal(err.code, answers[i].code);
		assert_int_equal(err.http_status, answers[i].status);
		assert_true(err.retry_after_ms == answers[i].retry_after_ms);
		assert_true(strlen(err.text) > 0);
		assert_int_equal(dynamics_err_judge(&answer, &repeat, NULL), answers[i].kind);
	}
}

static struct err judge(int status, const char *body)
{
	struct dynamics_answer answer = { status, -1, str_of(body) };
	enum dynamics_repeat repeat;
	struct err err;

	(void)dynamics_err_judge(&answer, &repeat, &err);
	return err;
}

static void texts_say_what_to_do(void **state)
{
	struct err err =
		judge(403, ERROR("0x80040220",
				 "Principal user (Id=4d2a9b10, type=8, roleCount=1), is missing "
				 "prvWriteContact privilege (Id=1) on OTC=2"));

	(void)state;
	assert_int_equal(err.kind, ERR_RIGHTS);
	assert_non_null(strstr(err.text, "prvWriteContact"));
	err = judge(400, ERROR("0x80040265", "Accounts on hold are not to be touched"));
	assert_string_equal(err.text, "Accounts on hold are not to be touched");
	assert_non_null(strstr(dynamics_err_advice(err.code), "business rule"));
	assert_string_equal(dynamics_err_advice("0x12345678"), "");
	err = judge(400, "");
	assert_string_equal(err.text, "Dynamics answered HTTP 400 without a reason");
}

static void texts_are_bounded(void **state)
{
	char body[4096] = "{\"error\":{\"code\":\"0x80040265\",\"message\":\"";
	struct err err;

	(void)state;
	for (size_t n = strlen(body), i = 0; i < 500; i++, n += 3)
		memcpy(body + n, "\xe2\x82\xac", 4);
	memcpy(body + strlen(body), "\"}}", 4);
	err = judge(400, body);
	assert_int_equal(strlen(err.text), 300);
}

/* INV-PRIVATE */
static void values_are_taken_out(void **state)
{
	struct str values[] = { STR("Okoro"), STR("ab"), STR("100 %"), STR("") };
	struct err err = judge(400, ERROR("0x80040265",
					  "ann.okoro+1@fabrikam.example <bo@x.example> is taken"));

	(void)state;
	assert_string_equal(err.text, "* <*> is taken");
	(void)err_set(&err, ERR_REFUSED, "%s", "okoro of Okorostadt pays 100 % to ab, Okoro");
	dynamics_err_scrub(&err, values, ARRAY_LEN(values));
	assert_string_equal(err.text, "* of Okorostadt pays * to ab, *");
	(void)err_set(&err, ERR_REFUSED, "@@ @ a@");
	dynamics_err_scrub(&err, NULL, 0);
	assert_null(strchr(err.text, '@'));
}

static void columns_are_blamed(void **state)
{
	struct str columns[] = { STR("jobtitle"), STR("lastname"), STR("name") };

	(void)state;
	assert_int_equal(
		dynamics_err_blames(
			STR("The length of the 'lastname' attribute of the 'contact' entity"),
			columns, 3),
		1);
	assert_int_equal(dynamics_err_blames(STR("Invalid property 'nickname' was found in entity"),
					     columns, 3),
			 -1);
	assert_int_equal(
		dynamics_err_blames(
			STR("Caller user with Id x does not have update permissions to a Job Title "
			    "secured field on entity contact."),
			columns, 3),
		0);
	assert_int_equal(
		dynamics_err_blames(STR("does not have update permissions to a  secured field"),
				    columns, 3),
		-1);
	assert_int_equal(dynamics_err_blames(STR("permissions secured field"), columns, 3), -1);
	assert_int_equal(dynamics_err_blames(STR(""), columns, 3), -1);
}

static const struct {
	int status;
	const char *body;
	enum err_kind kind;
	bool may_repeat;
	const char *code, *word;
} sign_ins[] = {
	{ 401,
	  "{\"error\":\"invalid_client\",\"error_codes\":[7000215],\"error_description\":\"AADSTS7000215\"}",
	  ERR_BROKEN, false, "AADSTS7000215", "DYNAMICS_CLIENT_SECRET" },
	{ 401, "{\"error\":\"invalid_client\",\"error_codes\":[700024]}", ERR_BROKEN, false,
	  "AADSTS700024", "clock" },
	{ 401, "{\"error\":\"invalid_client\",\"error_codes\":[700027]}", ERR_BROKEN, false,
	  "AADSTS700027", "the certificate is not known" },
	{ 401, "{\"error\":\"invalid_client\",\"error_codes\":[50012]}", ERR_BROKEN, false,
	  "AADSTS50012", "the certificate is not known" },
	{ 401, "{\"error\":\"invalid_client\",\"error_codes\":[700021]}", ERR_BROKEN, false,
	  "AADSTS700021", "DYNAMICS_CLIENT_ID" },
	{ 401, "{\"error\":\"invalid_client\",\"error_codes\":[700023]}", ERR_BROKEN, false,
	  "AADSTS700023", "DYNAMICS_AUTHORITY" },
	{ 401, "{\"error\":\"invalid_client\",\"error_codes\":[50027]}", ERR_BROKEN, false,
	  "AADSTS50027", "DYNAMICS_CLIENT_CERTIFICATE" },
	{ 400, "{\"error\":\"invalid_request\",\"error_codes\":[90002]}", ERR_BROKEN, false,
	  "AADSTS90002", "DYNAMICS_TENANT_ID" },
	{ 400, "{\"error\":\"unauthorized_client\"}", ERR_BROKEN, false, "unauthorized_client",
	  "DYNAMICS_CLIENT_ID" },
	{ 400, "{\"error\":\"something_new\",\"error_codes\":[]}", ERR_BROKEN, false,
	  "something_new", "DYNAMICS_AUTHORITY" },
	{ 400, "{\"error\":\"temporarily_unavailable\",\"error_codes\":[90033]}", ERR_RETRY_LATER,
	  true, "AADSTS90033", "busy" },
	{ 503, "<html></html>", ERR_RETRY_LATER, true, "", "not available" },
	{ 429, "", ERR_RETRY_LATER, true, "", "not available" },
	{ 404, "not here", ERR_BROKEN, false, "", "DYNAMICS_AUTHORITY" },
	{ 400, "{\"error\":{\"deep\":1},\"error_codes\":[\"x\"]}", ERR_BROKEN, false, "",
	  "DYNAMICS_AUTHORITY" },
};

static void sign_ins_are_explained(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sign_ins); i++) {
		bool may_repeat;
		struct err err;

		assert_int_equal(dynamics_token_judge(sign_ins[i].status, str_of(sign_ins[i].body),
						      &may_repeat, &err),
				 sign_ins[i].kind);
		assert_int_equal(may_repeat, sign_ins[i].may_repeat);
		assert_string_equal(err.code, sign_ins[i].code);
		assert_non_null(strstr(err.text, sign_ins[i].word));
		assert_null(strstr(err.text, "AADSTS"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_have_a_kind), cmocka_unit_test(texts_say_what_to_do),
		cmocka_unit_test(texts_are_bounded),   cmocka_unit_test(values_are_taken_out),
		cmocka_unit_test(columns_are_blamed),  cmocka_unit_test(sign_ins_are_explained),
	};

	return RUN(tests);
}

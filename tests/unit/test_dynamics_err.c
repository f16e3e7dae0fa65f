/* What answers of Dataverse and of the sign-in service mean. */
#include "remote/dynamics_err.h"

#include <stdio.h>

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

/* Every code that a sync has to know ("Microsoft Learn: Web service error codes"), by what it means
 * for a write. */
static const struct {
	enum err_kind kind;
	enum dynamics_repeat repeat;
	const char *codes;
} classes[] = {
	/* this record */
	{ ERR_REFUSED, REPEAT_NEVER,
	  "0x80040200 0x80040203 0x80040227 0x8004022b 0x8004022e 0x80040230 0x80040231 0x80040233 "
	  "0x80040239 0x80040256 0x80040265 0x80040317 0x80040353 0x8004203e 0x8004431a 0x8004432f "
	  "0x80044330 0x80044331 0x80045300 0x80045301 0x80045302 0x80045303 0x80045304 0x80045305 "
	  "0x80045316 0x80045317 0x80048306 0x80048405 0x80048408 0x80048cfb 0x8006089d 0x80081018" },
	/* one of its columns, of which the others are to be written */
	{ ERR_REFUSED, REPEAT_NEVER, "0x80041a01 0x80041a02 0x80044354 0x80048d19" },
	/* another record in the way */
	{ ERR_REFUSED, REPEAT_NEVER, "0x80040333 0x80060892 0x80073002" },
	{ ERR_DUPLICATE, REPEAT_NEVER, "0x80040237" },
	{ ERR_GONE, REPEAT_NEVER, "0x80040217 0x80060891" },
	{ ERR_CONFLICT, REPEAT_NEVER, "0x80060882" },
	/* the customer's own code */
	{ ERR_REFUSED, REPEAT_TWICE,
	  "0x80040216 0x80040224 0x80044171 0x80044172 0x80044173 0x80050201 0x80050202 0x80050203 "
	  "0x80050204 0x80050205 0x80050206 0x80050207" },
	/* passing */
	{ ERR_RETRY_LATER, REPEAT_OFTEN,
	  "0x80044150 0x80044339 0x8004418d 0x8004418e 0x8004a001 0x8004ed47 0x80072323 0x80072324" },
	{ ERR_RETRY_LATER, REPEAT_TWICE, "0x8004c001" },
	{ ERR_RETRY_LATER, REPEAT_SMALLER, "0x80044151" },
	{ ERR_REFUSED, REPEAT_SMALLER, "0x8004418a" },
	{ ERR_THROTTLED, REPEAT_WHEN_TOLD, "0x80072321 0x80072322 0x80072326" },
	{ ERR_EXPIRED, REPEAT_NEVER, "0x80044352" },
	/* the sync user, the environment */
	{ ERR_BROKEN, REPEAT_NEW_TOKEN,
	  "0x80040204 0x80040277 0x80044300 0x80044302 0x8004a100 0x8004a101 0x8004a102 0x8004a103 "
	  "0x8004a105 0x80072559" },
	{ ERR_BROKEN, REPEAT_NEVER,
	  "0x80040225 0x80042f09 0x8004a104 0x8004a110 0x8004a112 0x8004a113 0x8004d24b 0x80072325 "
	  "0x80072560 0x80072561" },
	{ ERR_RIGHTS, REPEAT_NEVER,
	  "0x80040220 0x80040276 0x8004f502 0x8004f504 0x8004f506 0x8004f507" },
	/* tables and columns that are not as they were */
	{ ERR_BROKEN, REPEAT_NEVER,
	  "0x80041102 0x80041103 0x80060888 0x8006088d 0x8006088f 0x80060890 0x80072491" },
	/* mistakes of ours */
	{ ERR_OURS, REPEAT_NEVER, "0x8004430c 0x8004430d 0x80060883" },
	/* as the status says, 409 here */
	{ ERR_REFUSED, REPEAT_NEVER, "0x8006088a" },
};

static void every_code_has_its_class_and_an_advice(void **state)
{
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		struct str codes = str_of(classes[i].codes);

		for (; codes.n; count++) {
			struct str code = str_cut(&codes, ' ');
			bool has_advice = !str_equal(code, STR("0x8006088a"));
			struct dynamics_answer answer = { .status = 409, .retry_after_ms = -1 };
			enum dynamics_repeat repeat;
			char body[80];
			struct err err;

			(void)snprintf(body, sizeof(body), ERROR(STR_FMT, "why"), STR_ARG(code));
			answer.body = str_of(body);
			(void)dynamics_err_judge(&answer, &repeat, &err);
			if (err.kind != classes[i].kind || repeat != classes[i].repeat)
				fail_msg(STR_FMT " is %s, %d", STR_ARG(code),
					 err_kind_name(err.kind), repeat);
			if (has_advice != (err.advice && strlen(err.advice) > 20))
				fail_msg(STR_FMT ": %s", STR_ARG(code), err.advice);
		}
	}
	assert_int_equal(count, 107);
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
	assert_non_null(strstr(err.advice, "business rule"));
	assert_null(judge(400, ERROR("0x12345678", "odd")).advice);
	/* without a code of its own the status says it */
	assert_string_equal(judge(503, ERROR("0x8006088a", "x")).advice, judge(503, "").advice);
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
		cmocka_unit_test(every_code_has_its_class_and_an_advice),
		cmocka_unit_test(answers_have_a_kind),
		cmocka_unit_test(texts_say_what_to_do),
		cmocka_unit_test(texts_are_bounded),
		cmocka_unit_test(values_are_taken_out),
		cmocka_unit_test(columns_are_blamed),
		cmocka_unit_test(sign_ins_are_explained),
	};

	return RUN(tests);
}

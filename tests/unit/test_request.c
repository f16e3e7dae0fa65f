/* Bodies and query parameters of callers: what is taken, and how what is wrong is named. */
#include "api/request.h"

#include <stdarg.h>
#include <stdio.h>
/* cmocka wants these in front of it. */
#include <setjmp.h>

#include <cmocka.h>

#include "api/query.h"
#include "api/route.h"

static bool take(const char *body, size_t n, struct arena *a, struct request *r, struct problem *p)
{
	return request_sync_person("application/json", (struct str){ body, n }, a, r, p);
}

static void test_smallest_body(void **state)
{
	struct arena a = { 0 };
	struct request r;
	struct problem p;
	const char *body = "{\"personId\":1042}";

	(void)state;
	assert_true(take(body, strlen(body), &a, &r, &p));
	assert_int_equal(r.person_id, 1042);
	assert_int_equal(r.sync_as, TABLE_LEAD);
	assert_int_equal(r.door, DOOR_REST);
	assert_true(r.is_trigger);
	assert_int_equal(r.owner.n, 0);
	assert_int_equal(r.campaign_id.n, 0);
	arena_release(&a);
}

static void test_full_body(void **state)
{
	struct arena a = { 0 };
	struct request r;
	struct problem p;
	const char *body =
		" {\"personId\": 9007199254740991, \"syncAs\": \"contact\", \"owner\": \" ada@example.org\","
		"\"campaign\": {\"id\": 7, \"name\": \"Fr\\u00fchling \\\"x\\\"\", \"type\": \"batch\"}}\r\n";

	(void)state;
	assert_true(take(body, strlen(body), &a, &r, &p));
	assert_true(r.person_id == 9007199254740991);
	assert_int_equal(r.sync_as, TABLE_CONTACT);
	assert_true(str_equal(r.owner, STR("ada@example.org")));
	assert_true(str_equal(r.campaign_id, STR("7")));
	assert_true(str_equal(r.campaign_name, STR("Fr\xc3\xbchling \"x\"")));
	assert_false(r.is_trigger);
	arena_release(&a);
}

static void test_nulls(void **state)
{
	struct arena a = { 0 };
	struct request r;
	struct problem p;
	const char *body = "{\"personId\":1,\"owner\":null,\"campaign\":null}";

	(void)state;
	assert_true(take(body, strlen(body), &a, &r, &p));
	assert_int_equal(r.owner.n, 0);
	assert_true(r.is_trigger);
	arena_release(&a);
}

#define BODY(text) text, sizeof(text) - 1

static const struct bad_body {
	const char *body;
	size_t n;
	enum problem_kind kind;
	const char *field;
} bad_bodies[] = {
	/* not JSON */
	{ BODY(""), PROBLEM_BAD_REQUEST, "" },
	{ BODY("  \r\n"), PROBLEM_BAD_REQUEST, "" },
	{ BODY("{"), PROBLEM_BAD_REQUEST, "" },
	{ BODY("{\"personId\":1"), PROBLEM_BAD_REQUEST, "" },
	{ BODY("{\"personId\":1}x"), PROBLEM_BAD_REQUEST, "" },
	{ BODY("{\"personId\":1}{}"), PROBLEM_BAD_REQUEST, "" },
	{ BODY("{\"personId\":1}\0{}"), PROBLEM_BAD_REQUEST, "" },
	{ BODY("{\"personId\":1,}"), PROBLEM_BAD_REQUEST, "" },
	{ BODY("{'personId':1}"), PROBLEM_BAD_REQUEST, "" },
	{ BODY("{personId:1}"), PROBLEM_BAD_REQUEST, "" },
	{ BODY("{\"personId\":01}"), PROBLEM_BAD_REQUEST, "" },
	{ BODY("{\"personId\":+1}"), PROBLEM_BAD_REQUEST, "" },
	{ BODY("{\"personId\":NaN}"), PROBLEM_BAD_REQUEST, "" },
	{ BODY("{\"personId\":Infinity}"), PROBLEM_BAD_REQUEST, "" },
	{ BODY("{/**/\"personId\":1}"), PROBLEM_BAD_REQUEST, "" },
	{ BODY("{\"personId\":1,\"owner\":\"\xff\"}"), PROBLEM_BAD_REQUEST, "" },
	{ BODY("{\"personId\":1,\"owner\":\"a\nb\"}"), PROBLEM_BAD_REQUEST, "" },
	{ BODY("personId=1"), PROBLEM_BAD_REQUEST, "" },
	{ BODY("[[[[[[[[[[[[1]]]]]]]]]]]]"), PROBLEM_BAD_REQUEST, "" },
	{ BODY("{\"personId\":1,\"personId\":2}"), PROBLEM_BAD_REQUEST, "/personId" },
	{ BODY("{\"personId\":1,\"person\\u0049d\":2}"), PROBLEM_BAD_REQUEST, "/personId" },
	{ BODY("{\"personId\":1,\"campaign\":{\"id\":1,\"id\":2}}"), PROBLEM_BAD_REQUEST,
	  "/campaign/id" },
	{ BODY("{\"personId\":1,\"campaign\":{\"x\":1,\"y\":2,\"z\":[{\"a\":1}]},\"campaign\":null}"),
	  PROBLEM_BAD_REQUEST, "/campaign" },
	/* not the right content */
	{ BODY("null"), PROBLEM_CONTENT, "" },
	{ BODY("7"), PROBLEM_CONTENT, "" },
	{ BODY("[]"), PROBLEM_CONTENT, "" },
	{ BODY("\"personId\""), PROBLEM_CONTENT, "" },
	{ BODY("{}"), PROBLEM_CONTENT, "/personId" },
	{ BODY("{\"syncAs\":\"lead\"}"), PROBLEM_CONTENT, "/personId" },
	{ BODY("{\"personId\":null}"), PROBLEM_CONTENT, "/personId" },
	{ BODY("{\"personId\":\"1\"}"), PROBLEM_CONTENT, "/personId" },
	{ BODY("{\"personId\":true}"), PROBLEM_CONTENT, "/personId" },
	{ BODY("{\"personId\":1.0}"), PROBLEM_CONTENT, "/personId" },
	{ BODY("{\"personId\":1e3}"), PROBLEM_CONTENT, "/personId" },
	{ BODY("{\"personId\":0}"), PROBLEM_CONTENT, "/personId" },
	{ BODY("{\"personId\":-5}"), PROBLEM_CONTENT, "/personId" },
	{ BODY("{\"personId\":9007199254740992}"), PROBLEM_CONTENT, "/personId" },
	{ BODY("{\"personId\":9223372036854775808}"), PROBLEM_CONTENT, "/personId" },
	{ BODY("{\"personId\":18446744073709551617}"), PROBLEM_CONTENT, "/personId" },
	{ BODY("{\"personId\":[1]}"), PROBLEM_CONTENT, "/personId" },
	{ BODY("{\"personId\":1,\"personID\":1}"), PROBLEM_CONTENT, "/personID" },
	{ BODY("{\"personId\":1,\"a/b~c\":1}"), PROBLEM_CONTENT, "/a~1b~0c" },
	{ BODY("{\"personId\":1,\"syncAs\":\"Lead\"}"), PROBLEM_CONTENT, "/syncAs" },
	{ BODY("{\"personId\":1,\"syncAs\":\"person\"}"), PROBLEM_CONTENT, "/syncAs" },
	{ BODY("{\"personId\":1,\"syncAs\":null}"), PROBLEM_CONTENT, "/syncAs" },
	{ BODY("{\"personId\":1,\"syncAs\":\"lead\\u0000\"}"), PROBLEM_CONTENT, "/syncAs" },
	{ BODY("{\"personId\":1,\"owner\":5}"), PROBLEM_CONTENT, "/owner" },
	{ BODY("{\"personId\":1,\"owner\":\"\"}"), PROBLEM_CONTENT, "/owner" },
	{ BODY("{\"personId\":1,\"owner\":\"a\\u0000b\"}"), PROBLEM_CONTENT, "/owner" },
	{ BODY("{\"personId\":1,\"owner\":\"a\\nb\"}"), PROBLEM_CONTENT, "/owner" },
	{ BODY("{\"personId\":1,\"campaign\":7}"), PROBLEM_CONTENT, "/campaign" },
	{ BODY("{\"personId\":1,\"campaign\":[]}"), PROBLEM_CONTENT, "/campaign" },
	{ BODY("{\"personId\":1,\"campaign\":{\"id\":\"7\"}}"), PROBLEM_CONTENT, "/campaign/id" },
	{ BODY("{\"personId\":1,\"campaign\":{\"name\":7}}"), PROBLEM_CONTENT, "/campaign/name" },
	{ BODY("{\"personId\":1,\"campaign\":{\"type\":\"now\"}}"), PROBLEM_CONTENT,
	  "/campaign/type" },
	{ BODY("{\"personId\":1,\"campaign\":{\"type\":null}}"), PROBLEM_CONTENT,
	  "/campaign/type" },
	{ BODY("{\"personId\":1,\"campaign\":{\"kind\":1}}"), PROBLEM_CONTENT, "/campaign/kind" },
};

static void test_bad_bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_bodies); i++) {
		const struct bad_body *b = &bad_bodies[i];
		struct arena a = { 0 };
		struct request r = { .person_id = -77 };
		struct problem p = { 0 };

		if (take(b->body, b->n, &a, &r, &p))
			fail_msg("taken although wrong: %s", b->body);
		if (p.kind != b->kind || strcmp(p.field, b->field) != 0)
			fail_msg("%s: status %u, field \"%s\", %s", b->body, problem_status(p.kind),
				 p.field, p.detail);
		assert_true(p.detail[0] != '\0');
		assert_int_equal(r.person_id, -77);
		arena_release(&a);
	}
}

/* Many equal names are found at once: no time that grows with their square, no memory that grows. */
static void test_many_twins(void **state)
{
	struct buf body = { 0 };
	struct arena a = { 0 };
	struct request r;
	struct problem p;

	(void)state;
	buf_text(&body, "{\"personId\":1,\"campaign\":{");
	for (int i = 0; i < 5000; i++)
		buf_fmt(&body, "%s\"k%d\":1", i ? "," : "", i);
	buf_text(&body, "},\"campaign\":null}");
	assert_false(take(body.data, body.len, &a, &r, &p));
	assert_int_equal(p.kind, PROBLEM_BAD_REQUEST);
	buf_release(&body);
	arena_release(&a);
}

static void test_length_is_counted_in_characters(void **state)
{
	struct arena a = { 0 };
	struct request r;
	struct problem p;

	(void)state;
	for (int n = 255; n <= 256; n++) {
		struct buf body = { 0 };

		buf_text(&body, "{\"personId\":1,\"campaign\":{\"name\":\"");
		for (int i = 0; i < n; i++)
			buf_text(&body, "\xe2\x82\xac");
		buf_text(&body, "\"}}");
		assert_int_equal(take(body.data, body.len, &a, &r, &p), n == 255);
		buf_release(&body);
	}
	assert_string_equal(p.field, "/campaign/name");
	arena_release(&a);
}

static void test_content_type(void **state)
{
	static const struct {
		const char *type;
		bool is_good;
	} cases[] = {
		{ "application/json", true },
		{ "Application/JSON; charset=UTF-8", true },
		{ "application/json;charset=\"utf-8\"", true },
		{ "application/json; charset=iso-8859-1", false },
		{ "application/jsonx", false },
		{ "text/plain", false },
		{ "application/x-www-form-urlencoded", false },
		{ "", false },
		{ NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena a = { 0 };
		struct request r;
		struct problem p = { 0 };

		assert_int_equal(request_sync_person(cases[i].type, STR("{\"personId\":1}"), &a, &r,
						     &p),
				 cases[i].is_good);
		if (!cases[i].is_good)
			assert_int_equal(p.kind, PROBLEM_MEDIA_TYPE);
		arena_release(&a);
	}
}

static void test_empty_body_of_a_verb(void **state)
{
	struct problem p;

	(void)state;
	assert_true(request_empty(STR(""), &p));
	assert_true(request_empty(STR(" \n"), &p));
	assert_true(request_empty(STR("{ }"), &p));
	assert_false(request_empty(STR("{"), &p));
	assert_false(request_empty(STR("{\"a\":1}"), &p));
	assert_false(request_empty(STR("x"), &p));
	assert_int_equal(p.kind, PROBLEM_BAD_REQUEST);
}

enum { PARAMS_ALL = 0xff };

static void test_query_all(void **state)
{
	struct arena a = { 0 };
	struct list_query q;
	struct problem p;

	(void)state;
	assert_true(query_list(STR(""), PARAMS_ALL, &a, &q, &p));
	assert_int_equal(q.limit, 100);
	assert_true(query_list(
		STR("limit=7&cursor=YWJj%3D&personId=12&recordId=%7BABCDEF00-1111-2222-3333-444455556666%7D"
		    "&field=first%4eame&state=all&since=2026-08-30T14:05:09Z&until=2026-08-30T16:05:10+02:00"),
		PARAMS_ALL, &a, &q, &p));
	assert_int_equal(q.limit, 7);
	assert_true(str_equal(q.cursor, STR("YWJj=")));
	assert_int_equal(q.person_id, 12);
	assert_true(str_equal(q.record_id, STR("abcdef00-1111-2222-3333-444455556666")));
	assert_true(str_equal(q.field, STR("firstName")));
	assert_true(str_equal(q.state, STR("all")));
	assert_true(q.until_s == q.since_s + 1);
	arena_release(&a);
}

static void test_query_wrong(void **state)
{
	static const struct {
		const char *query, *field;
	} cases[] = {
		{ "limit=0", "limit" },
		{ "limit=1001", "limit" },
		{ "limit=", "limit" },
		{ "limit", "limit" },
		{ "limit=5x", "limit" },
		{ "limit=5&limit=5", "limit" },
		{ "limit=%3", "limit" },
		{ "limit=%zz", "limit" },
		{ "personId=0", "personId" },
		{ "personId=99999999999999999999", "personId" },
		{ "recordId=abc", "recordId" },
		{ "field=", "field" },
		{ "field=a%00b", "field" },
		{ "field=%C3%28", "field" },
		{ "cursor=a%20b", "cursor" },
		{ "state=closed", "state" },
		{ "since=yesterday", "since" },
		{ "since=2026-02-30T00:00:00Z", "since" },
		{ "since=2026-02-02T00:00:00Z&until=2026-02-01T00:00:00Z", "until" },
		{ "sort=id", "sort" },
		{ "Limit=5", "Limit" },
		{ "%00=5", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena a = { 0 };
		struct list_query q;
		struct problem p = { 0 };

		if (query_list(str_of(cases[i].query), PARAMS_ALL, &a, &q, &p))
			fail_msg("taken although wrong: %s", cases[i].query);
		assert_int_equal(p.kind, PROBLEM_BAD_REQUEST);
		assert_string_equal(p.field, cases[i].field);
		arena_release(&a);
	}
}

static void test_query_of_another_address(void **state)
{
	struct arena a = { 0 };
	struct list_query q;
	struct problem p;

	(void)state;
	assert_false(query_list(STR("state=open"), PARAM_LIMIT, &a, &q, &p));
	assert_string_equal(p.field, "state");
	assert_false(query_list(STR("limit=5"), 0, &a, &q, &p));
	assert_true(query_list(STR("whatever&=&&%"), PARAM_ANY, &a, &q, &p));
	arena_release(&a);
}

static void test_accept(void **state)
{
	(void)state;
	assert_false(query_prefers_csv(NULL));
	assert_false(query_prefers_csv("*/*"));
	assert_false(query_prefers_csv("application/json"));
	assert_true(query_prefers_csv("text/csv"));
	assert_true(query_prefers_csv("TEXT/CSV; header=present"));
	assert_true(query_prefers_csv("application/json;q=0.5, text/csv"));
	assert_false(query_prefers_csv("application/json, text/csv;q=0.9"));
	assert_false(query_prefers_csv("text/csv;q=0"));
	assert_false(query_prefers_csv("text/csv;q=x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smallest_body),
		cmocka_unit_test(test_full_body),
		cmocka_unit_test(test_nulls),
		cmocka_unit_test(test_bad_bodies),
		cmocka_unit_test(test_many_twins),
		cmocka_unit_test(test_length_is_counted_in_characters),
		cmocka_unit_test(test_content_type),
		cmocka_unit_test(test_empty_body_of_a_verb),
		cmocka_unit_test(test_query_all),
		cmocka_unit_test(test_query_wrong),
		cmocka_unit_test(test_query_of_another_address),
		cmocka_unit_test(test_accept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

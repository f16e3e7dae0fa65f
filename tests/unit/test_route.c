/* Addresses as callers see them: the table, keys and roles, parameters, and the form of every
 * answer. */
#include <stdarg.h>
#include <stdio.h>
/* cmocka wants these in front of it. */
#include <setjmp.h>

#include <cmocka.h>

#include "api/route.h"
#include "tests/unit/api_world.h"

static void test_table(void **state)
{
	static const struct {
		const char *method, *path;
		enum problem_kind kind; /* PROBLEM_KIND_COUNT: found */
		int64_t id;
	} cases[] = {
		{ "GET", "/v1/status", PROBLEM_KIND_COUNT, 0 },
		{ "HEAD", "/v1/status", PROBLEM_KIND_COUNT, 0 },
		{ "GET", "/v1/persons/1042", PROBLEM_KIND_COUNT, 1042 },
		{ "POST", "/v1/errors/9223372036854775807/retry", PROBLEM_KIND_COUNT, INT64_MAX },
		{ "POST", "/v1/errors/9223372036854775808/retry", PROBLEM_BAD_REQUEST, 0 },
		{ "GET", "/v1/persons/0", PROBLEM_BAD_REQUEST, 0 },
		{ "GET", "/v1/persons/me", PROBLEM_BAD_REQUEST, 0 },
		{ "GET", "/v1/persons/", PROBLEM_NOT_FOUND, 0 },
		{ "GET", "/v1/persons", PROBLEM_NOT_FOUND, 0 },
		{ "GET", "/v1/status/", PROBLEM_NOT_FOUND, 0 },
		{ "GET", "/v1//status", PROBLEM_NOT_FOUND, 0 },
		{ "GET", "v1/status", PROBLEM_NOT_FOUND, 0 },
		{ "GET", "/", PROBLEM_NOT_FOUND, 0 },
		{ "GET", "", PROBLEM_NOT_FOUND, 0 },
		{ "POST", "/v1/status", PROBLEM_METHOD, 0 },
		{ "HEAD", "/v1/pause", PROBLEM_METHOD, 0 },
		{ "get", "/v1/status", PROBLEM_METHOD, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct route_match m;
		struct problem p = { 0 };
		bool is_found = route_find(str_of(cases[i].method), str_of(cases[i].path), &m, &p);

		if (is_found != (cases[i].kind == PROBLEM_KIND_COUNT) ||
		    (!is_found && p.kind != cases[i].kind))
			fail_msg("%s %s", cases[i].method, cases[i].path);
		if (is_found)
			assert_true(m.id == cases[i].id);
	}
}

static void test_every_address_asks_for_its_role(void **state)
{
	static const char *const headers[] = { "", KEY_CAMPAIGN, KEY_READ, KEY_ADMIN };
	struct world *w = *state;

	for (size_t i = 0; i < route_count; i++) {
		for (size_t role = ROLE_NONE; role <= ROLE_ADMIN; role++) {
			const struct route *r = &routes[i];
			bool may = r->role == ROLE_NONE || role == r->role || role == ROLE_ADMIN;
			const char *id = strchr(r->path, '{');
			const char *answer;
			char line[128];
			int n = id ? (int)(id - r->path) : (int)strlen(r->path);

			(void)snprintf(line, sizeof(line), "%s %.*s%s%s", r->method, n, r->path,
				       id ? "5" : "", id && strchr(id, '/') ? strchr(id, '/') : "");
			answer = ask(w, line, headers[role], r->body_max ? "" : NULL);
			if ((status_of(answer) == 401 || status_of(answer) == 403) == may)
				fail_msg("%s with key %zu: %s", line, role, answer);
		}
	}
}

static void test_keys(void **state)
{
	struct world *w = *state;
	const char *answer = ask(w, "GET /v1/status", "", NULL);

	expect(answer, 401, "WWW-Authenticate: Bearer");
	expect(answer, 401, "\"status\":401,");
	expect(ask(w, "GET /v1/status", "Authorization: Bearer wrong\r\n", NULL), 401, "not known");
	expect(ask(w, "GET /v1/status", "Authorization: Bearer \r\n", NULL), 401,
	       "a key is needed");
	expect(ask(w, "GET /v1/status", "Authorization: Basic cmVhZC1rZXk6\r\n", NULL), 401,
	       "a key is needed");
	expect(ask(w, "GET /v1/status", KEY_CAMPAIGN, NULL), 403, "the role read or admin");
	expect(ask(w, "POST /v1/pause", KEY_READ, NULL), 403, "the role admin;");
	expect(ask(w, "GET /v1/status", "X-Api-Key: read-key\r\n", NULL), 200, "\"idle\"");
}

static void test_no_keys(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, 0);
	expect(ask(&w, "GET /v1/status", KEY_ADMIN, NULL), 401, "TANDEM_API_KEYS");
	expect(ask(&w, "GET /livez", "", NULL), 200, "{\"alive\":true}");
	api_server_free(w.server);
}

static void test_wrong_addresses(void **state)
{
	struct world *w = *state;

	expect(ask(w, "GET /v2/status", KEY_ADMIN, NULL), 404, "no such address");
	expect(ask(w, "GET /v1/%73tatus", KEY_ADMIN, NULL), 200, "\"idle\"");
	expect(ask(w, "GET /v1/%zz", KEY_ADMIN, NULL), 400, "percent");
	expect(ask(w, "DELETE /v1/status", KEY_ADMIN, NULL), 405, "Allow: GET, HEAD\r\n");
	expect(ask(w, "GET /v1/sync-person", KEY_ADMIN, NULL), 405, "Allow: POST\r\n");
	expect(ask(w, "GET /v1/persons/x", KEY_ADMIN, NULL), 400, "\"field\":\"personId\"");
}

static void test_head_has_no_body(void **state)
{
	struct world *w = *state;
	const char *answer = ask(w, "HEAD /livez", "", NULL);

	expect(answer, 200, "Content-Length: 14\r\n");
	assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}

static void test_request_id(void **state)
{
	struct world *w = *state;

	expect(ask(w, "GET /livez", "X-Request-Id: abc-1.2_3\r\n", NULL), 200,
	       "X-Request-Id: abc-1.2_3\r\n");
	expect(ask(w, "GET /nowhere", "X-Request-Id: abc\r\n", NULL), 404, "\"requestId\":\"abc\"");
	assert_null(
		strstr(ask(w, "GET /livez", "X-Request-Id: a b\r\n", NULL), "X-Request-Id: a b"));
	assert_null(strstr(ask(w, "GET /livez", "X-Request-Id: <x>\r\n", NULL), "<x>"));
}

/* ---- the lists ---- */

static void test_lists(void **state)
{
	struct world *w = *state;

	expect(ask(w, "GET /v1/errors?limit=5&field=lastName&personId=3", KEY_READ, NULL), 200,
	       "{\"items\":[{\"id\":7,\"field\":\"=1+1\",\"isBig\":true,\"value\":\"a\\\"b,c\"},"
	       "{\"id\":7,\"field\":\"=1+1\",\"isBig\":true,\"value\":null}],\"next\":\"more\"}");
	assert_int_equal(w->engine.query.kind, LIST_ERRORS);
	assert_int_equal(w->engine.query.limit, 5);
	assert_int_equal(w->engine.query.person_id, 3);
	assert_string_equal(w->engine.query_field, "lastName");
	w->engine.rows = 0;
	expect(ask(w, "GET /v1/cycles", KEY_READ, NULL), 200, "{\"items\":[],\"next\":null}");
	assert_int_equal(w->engine.query.limit, 100);
	expect(ask(w, "GET /v1/cycles?personId=3", KEY_READ, NULL), 400, "\"field\":\"personId\"");
	w->engine.failure = ERR_INPUT;
	expect(ask(w, "GET /v1/cycles?cursor=x", KEY_READ, NULL), 400, "\"field\":\"cursor\"");
	w->engine.failure = ERR_STORE;
	expect(ask(w, "GET /v1/cycles", KEY_READ, NULL), 503, "Retry-After: 5\r\n");
	w->engine.failure = ERR_NONE;
	w->engine.rows = 2;
}

static void test_csv(void **state)
{
	struct world *w = *state;
	const char *answer = ask(w, "GET /v1/collisions", KEY_READ "Accept: text/csv\r\n", NULL);

	expect(answer, 200, "Content-Type: text/csv");
	expect(answer, 200, "X-Next-Cursor: more\r\n");
	expect(answer, 200,
	       "\r\n\r\nid,field,isBig,value\r\n7,'=1+1,true,\"a\"\"b,c\"\r\n7,'=1+1,true,\r\n");
}

static void test_person(void **state)
{
	struct world *w = *state;

	expect(ask(w, "GET /v1/persons/9", KEY_READ, NULL), 200,
	       "{\"personId\":9,\"link\":null,\"fields\":[{\"id\":7");
	expect(ask(w, "GET /v1/persons/8", KEY_READ, NULL), 404, "unknown-person");
	expect(ask(w, "GET /v1/persons/9?x=1", KEY_READ, NULL), 400, "\"field\":\"x\"");
	expect(ask(w, "GET /v1/status?limit=1", KEY_READ, NULL), 400, "\"field\":\"limit\"");
}

static void test_status(void **state)
{
	struct world *w = *state;
	const char *answer = ask(w, "GET /v1/status", KEY_READ, NULL);

	expect(answer, 200,
	       "{\"sync\":{\"state\":\"idle\",\"reason\":null,\"cycle\":12,"
	       "\"startedAt\":\"1970-01-01T00:00:01.000Z\",\"finishedAt\":\"1970-01-01T00:00:02.500Z\","
	       "\"result\":\"ok\",");
	expect(answer, 200, "\"openErrors\":2");
	expect(answer, 200,
	       "\"quota\":[{\"side\":\"marketo\",\"usedToday\":31,\"instanceToday\":null,"
	       "\"limitPerDay\":40000,\"stopAt\":40000,\"inWindow\":2,\"limitPerWindow\":50,"
	       "\"windowSeconds\":20,\"exhaustedAt\":\"1970-01-01T00:00:07.000Z\","
	       "\"closedUntil\":\"1970-01-01T00:00:09.250Z\",\"reason\":\"why\"},"
	       "{\"side\":\"dynamics\",\"usedToday\":0,\"instanceToday\":0,\"limitPerDay\":null,");
	expect(answer, 200, "\"links\":{\"lead\":0,\"contact\":7}");
	expect(answer, 200, "\"read\":{\"person\":0,\"lead\":41,\"contact\":0}");
}

static void test_verbs(void **state)
{
	struct world *w = *state;

	expect(ask(w, "POST /v1/pause", KEY_ADMIN, NULL), 200, "{\"state\":\"paused\"}");
	assert_string_equal(w->engine.paused_by, "chief");
	expect(ask(w, "POST /v1/resume", KEY_ADMIN, "{}"), 200, "{\"state\":\"idle\"}");
	expect(ask(w, "POST /v1/pause", KEY_ADMIN, "{\"now\":true}"), 400, "takes no body");
	expect(ask(w, "POST /v1/pause?now=1", KEY_ADMIN, NULL), 400, "\"field\":\"now\"");
	assert_int_equal(w->engine.state, SYNC_IDLE);
	expect(ask(w, "POST /v1/errors/5/retry", KEY_ADMIN, NULL), 200,
	       "{\"id\":5,\"retried\":true}");
	expect(ask(w, "POST /v1/errors/6/retry", KEY_ADMIN, NULL), 404, "unknown-error");
}

static void test_health(void **state)
{
	struct world *w = *state;

	expect(ask(w, "GET /readyz?x=1", "", NULL), 200,
	       "{\"ready\":true,\"checks\":[{\"name\":\"database\",\"ok\":true");
	w->engine.failure = ERR_STORE;
	expect(ask(w, "GET /readyz", "", NULL), 503, "{\"ready\":false");
	w->engine.failure = ERR_NONE;
	expect(ask(w, "GET /metrics", "", NULL), 200, "text/plain; version=0.0.4");
	expect(ask(w, "GET /metrics", "", NULL), 200, "\n# TYPE tandem_requests_waiting gauge\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_every_address_asks_for_its_role),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_no_keys),
		cmocka_unit_test(test_wrong_addresses),
		cmocka_unit_test(test_head_has_no_body),
		cmocka_unit_test(test_request_id),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_person),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_verbs),
		cmocka_unit_test(test_health),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

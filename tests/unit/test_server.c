/* The server under callers: sync-person, limits of bodies, waiting without a thread, stopping,
 * broken callers. */
#include <stdarg.h>
#include <stdio.h>
/* cmocka wants these in front of it. */
#include <setjmp.h>

#include <cmocka.h>

#include "tests/unit/api_world.h"

static void test_sync_person(void **state)
{
	static const struct {
		enum outcome outcome;
		unsigned status;
	} cases[] = {
		{ OUTCOME_LINKED, 200 },    { OUTCOME_EXISTS, 200 },   { OUTCOME_QUEUED, 202 },
		{ OUTCOME_AMBIGUOUS, 200 }, { OUTCOME_REJECTED, 200 }, { OUTCOME_FAILED, 202 },
	};
	struct world *w = *state;

	expect(ask(w, "POST /v1/sync-person", KEY_CAMPAIGN JSON,
		   "{\"personId\":1042,\"syncAs\":\"contact\"}"),
	       200,
	       "{\"outcome\":\"created\",\"personId\":1042,\"entity\":\"contact\","
	       "\"recordId\":\"abababab-abab-abab-abab-abababababab\",\"reason\":null,\"requestId\":\"");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char want[128];

		w->engine.outcome = cases[i].outcome;
		(void)snprintf(
			want, sizeof(want),
			"{\"outcome\":\"%s\",\"personId\":5,\"entity\":null,\"recordId\":null,"
			"\"reason\":\"why\"",
			outcome_name(cases[i].outcome));
		expect(ask(w, "POST /v1/sync-person", KEY_ADMIN JSON, "{\"personId\":5}"),
		       cases[i].status, want);
	}
	w->engine.outcome = OUTCOME_CREATED;
}

static void test_sync_person_refused(void **state)
{
	struct world *w = *state;

	expect(ask(w, "POST /v1/sync-person", KEY_CAMPAIGN JSON, ""), 400, "empty");
	expect(ask(w, "POST /v1/sync-person", KEY_CAMPAIGN JSON, "{\"personId\":\"5\"}"), 422,
	       "\"field\":\"/personId\"");
	expect(ask(w, "POST /v1/sync-person", KEY_CAMPAIGN, "{\"personId\":5}"), 415,
	       "application/json");
	w->engine.failure = ERR_GONE;
	expect(ask(w, "POST /v1/sync-person", KEY_CAMPAIGN JSON, "{\"personId\":5}"), 404,
	       "\"field\":\"/personId\"");
	w->engine.failure = ERR_STORE;
	expect(ask(w, "POST /v1/sync-person", KEY_CAMPAIGN JSON, "{\"personId\":5}"), 503,
	       "Retry-After: ");
	w->engine.failure = ERR_NONE;
}

static void test_body_limit(void **state)
{
	struct world *w = *state;
	struct buf body = { 0 };

	buf_text(&body, "{\"personId\":5}");
	while (body.len < 64 * 1024)
		buf_char(&body, ' ');
	expect(ask(w, "POST /v1/sync-person", KEY_CAMPAIGN JSON, body.data), 200, "created");
	buf_char(&body, ' ');
	expect(ask(w, "POST /v1/sync-person", KEY_CAMPAIGN JSON, body.data), 413, "65536 bytes");
	expect(ask(w, "POST /v1/sync-person", JSON, body.data), 401, "a key is needed");
	expect(ask(w, "GET /v1/status", KEY_READ, "x"), 413, "takes no body");
	expect(ask(w, "POST /v1/sync-person", KEY_CAMPAIGN JSON "Content-Length: 99999999\r\n",
		   NULL),
	       413, "65536");
	expect(ask(w, "POST /v1/sync-person",
		   KEY_CAMPAIGN JSON "Expect: 100-continue\r\nContent-Length: 70000\r\n", NULL),
	       413, "65536");
	buf_release(&body);
}

/* Without a length in front the limit holds as well. */
static void test_chunked_body(void **state)
{
	struct world *w = *state;
	struct buf answer = { 0 }, chunk = { 0 };
	const char *head =
		"POST /v1/sync-person HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" KEY_CAMPAIGN JSON
		"Transfer-Encoding: chunked\r\n\r\n";
	int fd = dial(w);

	buf_text(&chunk, "1000\r\n");
	for (int i = 0; i < 0x1000; i++)
		buf_char(&chunk, ' ');
	buf_text(&chunk, "\r\n");
	say(fd, head, strlen(head));
	for (int i = 0; i < 20; i++)
		say(fd, chunk.data, chunk.len);
	say(fd, "0\r\n\r\n", 5);
	hear(fd, &answer);
	expect(buf_cstr(&answer), 413, "65536 bytes");
	buf_release(&answer);
	buf_release(&chunk);
}

/* Waiting callers hold no thread: more of them than the server has, answered from another thread;
 * one went away. */
static void test_waiting(void **state)
{
	enum { CALLERS = 40 };
	struct world *w = *state;
	struct buf answer = { 0 };
	int fd[CALLERS];

	w->engine.mode = SUBMIT_HELD;
	for (int i = 0; i < CALLERS; i++) {
		fd[i] = dial(w);
		send_request(fd[i], "POST /v1/sync-person", KEY_CAMPAIGN JSON, "{\"personId\":5}");
	}
	(void)close(fd[0]);
	expect(ask(w, "GET /livez", "", NULL), 200, "alive");
	for (size_t waiting = 0; waiting < CALLERS;) {
		pthread_mutex_lock(&w->engine.lock);
		waiting = w->engine.held_count;
		pthread_mutex_unlock(&w->engine.lock);
	}
	(void)answer_later(&w->engine);
	for (int i = 1; i < CALLERS; i++) {
		buf_clear(&answer);
		hear(fd[i], &answer);
		expect(buf_cstr(&answer), 200, "created");
	}
	w->engine.mode = SUBMIT_AT_ONCE;
	buf_release(&answer);
}

/* A callback from another thread that races with the end of the handler, many times, on one
 * connection. */
static void test_callback_races(void **state)
{
	struct world *w = *state;
	struct buf answer = { 0 }, out = { 0 };
	int fd = dial(w), answers = 0;

	w->engine.mode = SUBMIT_LATER;
	for (int i = 0; i < 30; i++)
		buf_fmt(&out,
			"POST /v1/sync-person HTTP/1.1\r\nHost: x\r\n%s" KEY_CAMPAIGN JSON
			"Content-Length: 14\r\n\r\n{\"personId\":5}",
			i == 29 ? "Connection: close\r\n" : "");
	say(fd, out.data, out.len);
	hear(fd, &answer);
	for (const char *at = buf_cstr(&answer); (at = strstr(at, "HTTP/1.1 200")); at++)
		answers++;
	assert_int_equal(answers, 30);
	w->engine.mode = SUBMIT_AT_ONCE;
	buf_release(&answer);
	buf_release(&out);
}

/* Stopping answers those who wait, and turns new callers away. */
static void test_stop_while_waiting(void **state)
{
	struct buf answer = { 0 };
	pthread_t thread;
	struct world w;
	int fd, idle;

	(void)state;
	world_start(&w, ARRAY_LEN(world_keys));
	w.engine.mode = SUBMIT_HELD;
	w.engine.outcome = OUTCOME_QUEUED;
	idle = dial(&w);
	fd = dial(&w);
	send_request(fd, "POST /v1/sync-person", KEY_CAMPAIGN JSON, "{\"personId\":5}");
	for (size_t waiting = 0; !waiting;) {
		pthread_mutex_lock(&w.engine.lock);
		waiting = w.engine.held_count;
		pthread_mutex_unlock(&w.engine.lock);
	}
	api_server_quiesce(w.server);
	assert_int_equal(dial(&w), -1);
	send_request(idle, "GET /livez", "", NULL);
	hear(idle, &answer);
	expect(buf_cstr(&answer), 200, "alive");
	assert_int_equal(pthread_create(&thread, NULL, answer_later, &w.engine), 0);
	api_server_free(w.server);
	(void)pthread_join(thread, NULL);
	(void)close(fd);
	buf_release(&answer);
}

/* Asks on one connection for as long as it is answered. */
static void *busy_caller(void *context)
{
	static const char request[] = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
	const int *fd = context;
	char part[1024];

	do
		say(*fd, request, sizeof(request) - 1);
	while (recv(*fd, part, sizeof(part), 0) > 0);
	(void)close(*fd);
	return NULL;
}

/* Ending in the middle of traffic, many times: connections are cut, the program is not. */
static void test_stop_while_busy(void **state)
{
	const struct timespec moment = { 0, 2 * 1000 * 1000 };

	(void)state;
	for (int round = 0; round < 60; round++) {
		pthread_t thread[4];
		struct world w;
		int fd[4];

		world_start(&w, ARRAY_LEN(world_keys));
		for (size_t i = 0; i < ARRAY_LEN(fd); i++) {
			fd[i] = dial(&w);
			assert_int_equal(pthread_create(&thread[i], NULL, busy_caller, &fd[i]), 0);
		}
		(void)nanosleep(&moment, NULL);
		api_server_quiesce(w.server);
		assert_int_equal(dial(&w), -1);
		(void)nanosleep(&moment, NULL);
		api_server_free(w.server);
		for (size_t i = 0; i < ARRAY_LEN(fd); i++)
			(void)pthread_join(thread[i], NULL);
	}
}

static void test_broken_callers(void **state)
{
	static const char *const parts[] = {
		"",
		"GET",
		"GET /livez",
		"GET /livez HTTP/1.1\r\n",
		"POST /v1/sync-person HTTP/1.1\r\nHost: x\r\n",
		"POST /v1/sync-person HTTP/1.1\r\nHost: x\r\n" KEY_CAMPAIGN JSON
		"Content-Length: 14\r\n\r\n{\"per",
		"\x16\x03\x01\x02",
		"GET /livez HTTP/9.9\r\n\r\n",
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		int fd = dial(w);

		say(fd, parts[i], strlen(parts[i]));
		(void)close(fd);
	}
	expect(ask(w, "GET /livez", "", NULL), 200, "alive");
}

static void test_listen_mistakes(void **state)
{
	static const char *const wrong[] = {
		"",       "8080",           "127.0.0.1",      "127.0.0.1:", "127.0.0.1:65536",
		"[::1:5", "localhost:http", "example.org:80", "::1:80",     "127.0.0.1:80:80"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		const struct api_settings settings = { wrong[i], NULL, 0, "0" };
		struct err err = { 0 };

		assert_null(api_server_new(&settings, NULL, &err));
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_non_null(strstr(err.text, "TANDEM_LISTEN"));
	}
}

static void test_listen_everywhere(void **state)
{
	const struct api_settings settings = { ":0", NULL, 0, "0" };
	struct world w = { .server = api_server_new(&settings, NULL, NULL) };

	(void)state;
	assert_non_null(w.server);
	assert_true(api_server_port(w.server) != 0);
	expect(ask(&w, "GET /livez", "", NULL), 200, "alive");
	api_server_free(w.server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sync_person),
		cmocka_unit_test(test_sync_person_refused),
		cmocka_unit_test(test_body_limit),
		cmocka_unit_test(test_chunked_body),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_callback_races),
		cmocka_unit_test(test_stop_while_waiting),
		cmocka_unit_test(test_stop_while_busy),
		cmocka_unit_test(test_broken_callers),
		cmocka_unit_test(test_listen_mistakes),
		cmocka_unit_test(test_listen_everywhere),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

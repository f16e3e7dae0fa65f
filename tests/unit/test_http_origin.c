/* INV-ORIGIN: which addresses belong to a configured one. INV-BUDGET: nothing leaves for one whose
 * quota is used up. */
#include "remote/http.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit.h"

static struct http *http;

static struct http_origin *origin_of(const char *url)
{
	static const struct quota_limits limits = { .concurrent = 1 };
	struct err err;

	return http_origin_new(http, url, &limits, METRIC_CALLS_MARKETO, METRIC_CALL_ERRORS_MARKETO,
			       &err);
}

static void only_its_own_addresses_belong_to_an_origin(void **state)
{
	static const struct {
		const char *url;
		bool is_owned;
	} rows[] = {
		{ "https://org.crm4.dynamics.example/api/data/v9.2/contacts?$skiptoken=1", true },
		{ "HTTPS://ORG.CRM4.dynamics.example:443/x", true },
		{ "https://org.crm4.dynamics.example", true },
		{ "http://org.crm4.dynamics.example/x", false },
		{ "https://org.crm4.dynamics.example:8443/x", false },
		{ "https://org.crm4.dynamics.example.evil.example/x", false },
		{ "https://evil.example/https://org.crm4.dynamics.example/x", false },
		{ "https://org.crm4.dynamics.example@evil.example/x", false },
		{ "https://user:secret@org.crm4.dynamics.example/x", false },
		{ "https://crm4.dynamics.example/x", false },
		{ "//org.crm4.dynamics.example/x", false },
		{ "/api/data/v9.2/contacts", false },
		{ "file:///etc/passwd", false },
		{ "", false },
	};
	struct http_origin *o = origin_of("https://org.crm4.dynamics.example/");

	(void)state;
	assert_non_null(o);
	assert_string_equal(http_origin_text(o), "https://org.crm4.dynamics.example");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (http_origin_owns(o, str_of(rows[i].url)) != rows[i].is_owned)
			fail_msg("%s", rows[i].url);
	}
	assert_false(
		http_origin_owns(o, (struct str){ "https://org.crm4.dynamics.example\0x", 35 }));
	http_origin_free(o);
}

static void plain_http_is_for_loopback_only(void **state)
{
	static const char *const good[] = { "http://127.0.0.1:8101", "http://localhost:1",
					    "http://[::1]:8101", "http://127.8.9.1" };
	static const char *const bad[] = { "http://marketo.example",
					   "http://127.0.0.1.evil.example", "http://[2001:db8::1]",
					   "ftp://127.0.0.1", "nonsense" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct http_origin *o = origin_of(good[i]);

		if (!o)
			fail_msg("%s", good[i]);
		http_origin_free(o);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (origin_of(bad[i]))
			fail_msg("%s", bad[i]);
	}
}

/* A loopback port where nobody listens: what is sent there fails at once. */
static struct http_origin *nobody(int *ret_socket)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	char url[64];

	*ret_socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*ret_socket, (struct sockaddr *)&at, size), 0);
	assert_int_equal(getsockname(*ret_socket, (struct sockaddr *)&at, &size), 0);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", ntohs(at.sin_port));
	return origin_of(url);
}

static enum err_kind send_one(struct http_origin *o, bool is_uncounted)
{
	struct http_exchange x = { .method = "GET", .path = "/", .uncounted = is_uncounted };

	http_run(o, &x, 1);
	http_exchange_release(&x);
	return x.kind;
}

static void *send_in_thread(void *o)
{
	return send_one(o, false) == ERR_QUOTA ? o : NULL;
}

static void nothing_leaves_for_a_shut_origin(void **state)
{
	int held;
	struct http_origin *o = nobody(&held);
	struct budget b;
	pthread_t waiting;
	void *was_told = NULL;

	(void)state;
	assert_int_equal(send_one(o, false), ERR_RETRY_LATER);
	http_origin_close(o, 3600 * 1000);
	assert_int_equal(pthread_create(&waiting, NULL, send_in_thread, o), 0);
	http_origin_shut(o, clock_wall_ms() + 3600 * 1000);
	assert_int_equal(pthread_join(waiting, &was_told), 0);
	assert_ptr_equal(was_told, o); /* who waits for a turn is told */
	assert_int_equal(send_one(o, false), ERR_QUOTA);
	assert_int_equal(send_one(o, true), ERR_QUOTA); /* a token is of no use either */
	http_origin_look(o, &b);
	assert_int_equal(b.hold, HOLD_SHUT);
	assert_int_equal(http_origin_calls(o), 1);
	http_origin_reopen(o);
	assert_int_equal(send_one(o, true), ERR_RETRY_LATER);
	http_origin_look(o, &b);
	assert_int_equal(b.hold, HOLD_TOLD);
	http_origin_free(o);
	(void)close(held);
}

static int start(void **state)
{
	struct err err;

	(void)state;
	http = http_new(&err);
	return http ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	http_free(http);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_its_own_addresses_belong_to_an_origin),
		cmocka_unit_test(plain_http_is_for_loopback_only),
		cmocka_unit_test(nothing_leaves_for_a_shut_origin),
	};

	return cmocka_run_group_tests_name(__FILE__, tests, start, stop);
}

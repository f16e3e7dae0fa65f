/* INV-ORIGIN: which addresses belong to a configured one. */
#include "remote/http.h"
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
	};

	return cmocka_run_group_tests_name(__FILE__, tests, start, stop);
}

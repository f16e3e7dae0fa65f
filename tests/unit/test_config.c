/* Settings: what is taken, that every mistake is told in one line, and that no line holds a secret.
 */
#include "config/config.h"

#include <stdarg.h>
#include <stdio.h>
/* cmocka wants these in front of it. */
#include <setjmp.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#define NEED_ALL (CONFIG_NEED_DATABASE | CONFIG_NEED_REMOTES | CONFIG_NEED_API)

struct variable {
	const char *name, *value;
};

enum { VARIABLES_MAX = 40 };

struct environment {
	struct variable variables[VARIABLES_MAX];
	size_t count;
};

static const struct variable complete[] = {
	{ "DATABASE_URL", "postgresql://tandem:hidden@db.example.org/tandem" },
	{ "MARKETO_URL", "https://123-ABC-456.mktorest.com" },
	{ "MARKETO_CLIENT_ID", "marketo-id" },
	{ "MARKETO_CLIENT_SECRET", "marketo-hidden" },
	{ "DYNAMICS_URL", "https://example.crm4.dynamics.com/" },
	{ "DYNAMICS_TENANT_ID", "tenant" },
	{ "DYNAMICS_CLIENT_ID", "dynamics-id" },
	{ "DYNAMICS_CLIENT_SECRET", "dynamics-hidden" },
	{ "TANDEM_API_KEYS", "flows:campaign:hidden-campaign,chief:admin:hidden:admin" },
};

static const char *look_up(void *context, const char *name)
{
	const struct environment *e = context;

	for (size_t i = 0; i < e->count; i++) {
		if (strcmp(e->variables[i].name, name) == 0)
			return e->variables[i].value;
	}
	return NULL;
}

static void set(struct environment *e, const char *name, const char *value)
{
	for (size_t i = 0; i < e->count; i++) {
		if (strcmp(e->variables[i].name, name) == 0) {
			e->variables[i].value = value;
			return;
		}
	}
	assert_true(e->count < VARIABLES_MAX);
	e->variables[e->count++] = (struct variable){ name, value };
}

static struct environment complete_environment(void)
{
	struct environment e = { .count = 0 };

	for (size_t i = 0; i < ARRAY_LEN(complete); i++)
		set(&e, complete[i].name, complete[i].value);
	return e;
}

static size_t lines_of(const struct buf *text)
{
	size_t lines = 0;

	for (size_t i = 0; i < text->len; i++)
		lines += text->data[i] == '\n';
	return lines;
}

static void test_complete(void **state)
{
	struct environment e = complete_environment();
	struct buf problems = { 0 };
	struct config c;

	(void)state;
	if (config_load(look_up, &e, NEED_ALL, &c, &problems) != ERR_NONE)
		fail_msg("%s", buf_cstr(&problems));
	assert_int_equal(problems.len, 0);
	assert_string_equal(c.database_url, "postgresql://tandem:hidden@db.example.org/tandem");
	assert_string_equal(c.marketo_url, "https://123-ABC-456.mktorest.com");
	assert_string_equal(c.dynamics_url, "https://example.crm4.dynamics.com");
	assert_string_equal(c.dynamics_authority, "https://login.microsoftonline.com");
	assert_string_equal(c.marketo_client_secret, "marketo-hidden");
	assert_string_equal(c.listen, "127.0.0.1:8080");
	assert_null(c.fields);
	assert_int_equal(c.sync_interval_ms, 300000);
	assert_true(c.match_by_email);
	assert_true(c.ignores_rules);
	assert_int_equal(c.retention_days, 30);
	assert_int_equal(c.max_deletes, 1000);
	assert_int_equal(c.verify_ms, 30LL * 24 * 3600 * 1000);
	assert_int_equal(c.log_level, LOG_INFO);
	assert_int_equal(c.marketo_calls_per_day, 40000);
	assert_int_equal(c.marketo_calls_per_20s, 50);
	assert_int_equal(c.marketo_concurrent, 5);
	assert_int_equal(c.dynamics_calls_per_5min, 5000);
	assert_int_equal(c.dynamics_concurrent, 4);
	assert_int_equal(c.dynamics_seconds_per_5min, 1200);
	assert_int_equal(c.realtime_share_percent, 20);
	assert_int_equal(c.key_count, 2);
	assert_string_equal(c.keys[0].name, "flows");
	assert_int_equal(c.keys[0].role, CONFIG_ROLE_CAMPAIGN);
	assert_string_equal(c.keys[1].key, "hidden:admin");
	assert_int_equal(c.keys[1].role, CONFIG_ROLE_ADMIN);
	config_release(&c);
	config_release(&c);
}

static void test_others_than_the_defaults(void **state)
{
	struct environment e = complete_environment();
	struct buf problems = { 0 };
	struct config c;

	(void)state;
	set(&e, "TANDEM_LISTEN", "[::1]:0");
	set(&e, "TANDEM_SYNC_INTERVAL", "0.25");
	set(&e, "TANDEM_MATCH", "id");
	set(&e, "TANDEM_DUPLICATE_RULES", "obey");
	set(&e, "TANDEM_MAX_DELETES", "0");
	set(&e, "TANDEM_LOG_LEVEL", "debug");
	set(&e, "TANDEM_FIELDS", "/etc/tandem/fields.json");
	set(&e, "MARKETO_URL", "http://127.0.0.1:4711");
	set(&e, "DYNAMICS_URL", "http://[::1]:4712");
	set(&e, "DYNAMICS_AUTHORITY", "http://localhost:4713/");
	if (config_load(look_up, &e, NEED_ALL, &c, &problems) != ERR_NONE)
		fail_msg("%s", buf_cstr(&problems));
	assert_string_equal(c.listen, "[::1]:0");
	assert_string_equal(c.fields, "/etc/tandem/fields.json");
	assert_int_equal(c.sync_interval_ms, 250);
	assert_false(c.match_by_email);
	assert_false(c.ignores_rules);
	assert_int_equal(c.max_deletes, 0);
	assert_int_equal(c.log_level, LOG_DEBUG);
	assert_string_equal(c.dynamics_authority, "http://localhost:4713");
	config_release(&c);
}

static void test_nothing_set(void **state)
{
	struct environment e = { .count = 0 };
	struct buf problems = { 0 };
	struct config c;

	(void)state;
	assert_int_equal(config_load(look_up, &e, 0, &c, &problems), ERR_NONE);
	assert_null(c.database_url);
	config_release(&c);
	assert_int_equal(config_load(look_up, &e, CONFIG_NEED_DATABASE, &c, &problems), ERR_CONFIG);
	assert_int_equal(lines_of(&problems), 1);
	assert_non_null(strstr(problems.data, "DATABASE_URL: must be set"));
	config_release(&c);
	buf_clear(&problems);
	assert_int_equal(config_load(look_up, &e, NEED_ALL, &c, &problems), ERR_CONFIG);
	assert_int_equal(lines_of(&problems), 8);
	config_release(&c);
	buf_release(&problems);
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *name, *value, *rule;
	} cases[] = {
		{ "DATABASE_URL", "db.example.org", "PostgreSQL address" },
		{ "DATABASE_URL", "postgresql://hidden@x/y\n", "control characters" },
		{ "MARKETO_URL", "123-ABC-456.mktorest.com", "must begin with https://" },
		{ "MARKETO_URL", "ftp://123-ABC-456.mktorest.com", "must begin with https://" },
		{ "MARKETO_URL", "http://123-ABC-456.mktorest.com", "loopback" },
		{ "MARKETO_URL", "http://127.0.0.1.example.org", "loopback" },
		{ "MARKETO_URL", "http://127.0.0.1@example.org", "host and port only" },
		{ "MARKETO_URL", "http://localhost.example.org", "loopback" },
		{ "MARKETO_URL", "https://123-ABC-456.mktorest.com/rest", "no path" },
		{ "MARKETO_URL", "https://hidden:hidden@example.org", "no user" },
		{ "MARKETO_URL", "https://example.org?x=hidden", "no query" },
		{ "MARKETO_URL", "https://example.org:99999", "host and port only" },
		{ "MARKETO_URL", "https://example.org:", "host and port only" },
		{ "MARKETO_URL", "https://", "host and port only" },
		{ "MARKETO_URL", "https://[::1", "host and port only" },
		{ "DYNAMICS_AUTHORITY", "http://login.example.org", "loopback" },
		{ "DYNAMICS_CLIENT_SECRET", " hidden", "white space" },
		{ "TANDEM_LISTEN", "8080", "ADDRESS:PORT" },
		{ "TANDEM_LISTEN", "127.0.0.1:65536", "ADDRESS:PORT" },
		{ "TANDEM_LISTEN", "[::1]", "ADDRESS:PORT" },
		{ "TANDEM_SYNC_INTERVAL", "0", "seconds from 0.01 to 86400" },
		{ "TANDEM_SYNC_INTERVAL", "-5", "seconds from" },
		{ "TANDEM_SYNC_INTERVAL", "5m", "seconds from" },
		{ "TANDEM_SYNC_INTERVAL", "1.2345x", "seconds from" },
		{ "TANDEM_SYNC_INTERVAL", "100000", "seconds from" },
		{ "TANDEM_FIELDS", "/etc/tandem/fields.json\n", "control characters" },
		{ "TANDEM_MATCH", "name", "must be email or id" },
		{ "TANDEM_DUPLICATE_RULES", "yes", "must be ignore or obey" },
		{ "TANDEM_DYNAMICS_SECONDS_PER_5MIN", "0", "whole number from 1 to " },
		{ "TANDEM_RETENTION_DAYS", "0", "whole number from 1 to 3650" },
		{ "TANDEM_MAX_DELETES", "many", "whole number from 0" },
		{ "TANDEM_LOG_LEVEL", "loud", "must be debug, info, warn or error" },
		{ "TANDEM_MARKETO_CALLS_PER_20S", "0", "whole number from 1 to " },
		{ "TANDEM_MARKETO_CONCURRENT", "11", "from 1 to 10" },
		{ "TANDEM_REALTIME_SHARE_PERCENT", "100", "from 0 to 90" },
		{ "TANDEM_API_KEYS", "hidden-key-alone", "entry 1 must be name:role:key" },
		{ "TANDEM_API_KEYS", "a:read:hidden-key,b:boss:hidden-two", "entry 2 has a role" },
		{ "TANDEM_API_KEYS", "a:read:hidden1", "8 to 256 printable" },
		{ "TANDEM_API_KEYS", "a:read:hidden key", "8 to 256 printable" },
		{ "TANDEM_API_KEYS", "a:read:hidden-key,a:read:hidden-two",
		  "entry 2 has a name that was given" },
		{ "TANDEM_API_KEYS", "a:read:hidden-key,b:read:hidden-key",
		  "entry 2 has a key that was given" },
		{ "TANDEM_API_KEYS", "a:read:hidden-key,,b:read:hidden-two", "entry 2 must be" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct environment e = complete_environment();
		struct buf problems = { 0 };
		struct config c;

		set(&e, cases[i].name, cases[i].value);
		if (config_load(look_up, &e, NEED_ALL, &c, &problems) != ERR_CONFIG)
			fail_msg("%s=%s was taken", cases[i].name, cases[i].value);
		if (lines_of(&problems) != 1 ||
		    strncmp(problems.data, cases[i].name, strlen(cases[i].name)) != 0 ||
		    !strstr(problems.data, cases[i].rule) || strstr(problems.data, "hidden"))
			fail_msg("%s=%s: %s", cases[i].name, cases[i].value, problems.data);
		config_release(&c);
		buf_release(&problems);
	}
}

static void test_all_mistakes_at_once(void **state)
{
	struct environment e = complete_environment();
	struct buf problems = { 0 };
	struct config c;

	(void)state;
	set(&e, "DATABASE_URL", "");
	set(&e, "MARKETO_URL", "http://example.org");
	set(&e, "TANDEM_MATCH", "x");
	set(&e, "TANDEM_API_KEYS", "a,b:read:hidden-key,c");
	assert_int_equal(config_load(look_up, &e, NEED_ALL, &c, &problems), ERR_CONFIG);
	assert_int_equal(lines_of(&problems), 5);
	assert_null(strstr(problems.data, "hidden"));
	config_release(&c);
	buf_release(&problems);
}

static void write_file(const char *path, const char *text, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void test_files(void **state)
{
	struct environment e = complete_environment();
	char path[] = "/tmp/tandem_config_XXXXXX";
	struct buf problems = { 0 };
	struct config c;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	write_file(path, "from-file\r\n", 11);
	set(&e, "MARKETO_CLIENT_SECRET", NULL);
	set(&e, "MARKETO_CLIENT_SECRET_FILE", path);
	if (config_load(look_up, &e, NEED_ALL, &c, &problems) != ERR_NONE)
		fail_msg("%s", buf_cstr(&problems));
	assert_string_equal(c.marketo_client_secret, "from-file");
	config_release(&c);

	write_file(path, "a:read:hidden-key\n", 18);
	set(&e, "MARKETO_CLIENT_SECRET", "hidden");
	set(&e, "TANDEM_API_KEYS", NULL);
	set(&e, "TANDEM_API_KEYS_FILE", path);
	set(&e, "DYNAMICS_CLIENT_SECRET", NULL);
	set(&e, "DYNAMICS_CLIENT_SECRET_FILE", "/nowhere/hidden");
	assert_int_equal(config_load(look_up, &e, NEED_ALL, &c, &problems), ERR_CONFIG);
	assert_int_equal(lines_of(&problems), 2);
	assert_non_null(
		strstr(problems.data,
		       "MARKETO_CLIENT_SECRET: set either this or MARKETO_CLIENT_SECRET_FILE"));
	assert_non_null(strstr(problems.data,
			       "DYNAMICS_CLIENT_SECRET_FILE: cannot read the file: No such file"));
	assert_null(strstr(problems.data, "hidden"));
	assert_int_equal(c.key_count, 1);
	assert_string_equal(c.keys[0].key, "hidden-key");
	config_release(&c);
	buf_release(&problems);
	(void)unlink(path);
}

/* Each case: what is set of secret, certificate and the certificate's file; the line, or NULL. */
static void test_secret_or_certificate(void **state)
{
	static const struct {
		const char *secret, *certificate, *file, *line;
	} cases[] = {
		{ "hidden", NULL, NULL, NULL },
		{ NULL, "-- hidden\nlines\r\n\t--\n", NULL, NULL },
		{ "", "hidden", "", NULL },
		{ NULL, NULL, "/nowhere/hidden",
		  "DYNAMICS_CLIENT_CERTIFICATE_FILE: cannot read the file: No such file" },
		{ NULL, NULL, NULL,
		  "DYNAMICS_CLIENT_SECRET: must be set, or DYNAMICS_CLIENT_CERTIFICATE: " },
		{ "hidden", "hidden", NULL,
		  "DYNAMICS_CLIENT_SECRET: set either this or DYNAMICS_CLIENT_CERTIFICATE, not both" },
		{ NULL, "hidden", "/nowhere/hidden",
		  "DYNAMICS_CLIENT_CERTIFICATE: set either this or DYNAMICS_CLIENT_CERTIFICATE_FILE" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct environment e = complete_environment();
		struct buf problems = { 0 };
		struct config c;
		enum err_kind kind;

		set(&e, "DYNAMICS_CLIENT_SECRET", cases[i].secret);
		set(&e, "DYNAMICS_CLIENT_CERTIFICATE", cases[i].certificate);
		set(&e, "DYNAMICS_CLIENT_CERTIFICATE_FILE", cases[i].file);
		kind = config_load(look_up, &e, NEED_ALL, &c, &problems);
		if (kind != (cases[i].line ? ERR_CONFIG : ERR_NONE) ||
		    lines_of(&problems) != (cases[i].line ? 1 : 0) ||
		    !strstr(buf_cstr(&problems), cases[i].line ? cases[i].line : "") ||
		    strstr(buf_cstr(&problems), "hidden"))
			fail_msg("case %zu: %s", i, buf_cstr(&problems));
		if (!cases[i].line && cases[i].certificate)
			assert_string_equal(c.dynamics_client_certificate, cases[i].certificate);
		config_release(&c);
		buf_release(&problems);
	}
}

static void test_bad_files(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		const char *rule;
	} cases[] = { { "", 0, "it is empty" },
		      { "\n", 1, "it is empty" },
		      { "a\0b", 3, "it is not a text" } };
	char path[] = "/tmp/tandem_config_XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	for (size_t i = 0; i <= ARRAY_LEN(cases); i++) {
		struct environment e = complete_environment();
		struct buf problems = { 0 };
		struct config c;
		bool is_folder = i == ARRAY_LEN(cases);

		if (!is_folder)
			write_file(path, cases[i].text, cases[i].n);
		set(&e, "DATABASE_URL", "");
		set(&e, "DATABASE_URL_FILE", is_folder ? "/tmp" : path);
		assert_int_equal(config_load(look_up, &e, NEED_ALL, &c, &problems), ERR_CONFIG);
		assert_int_equal(lines_of(&problems), 1);
		assert_non_null(
			strstr(problems.data, is_folder ? "Is a directory" : cases[i].rule));
		config_release(&c);
		buf_release(&problems);
	}
	(void)unlink(path);
}

static void test_help_lists_every_option(void **state)
{
	struct buf text = { 0 }, markdown = { 0 };

	(void)state;
	config_help(&text);
	config_help_markdown(&markdown);
	for (size_t i = 0; i < ARRAY_LEN(complete); i++) {
		assert_non_null(strstr(text.data, complete[i].name));
		assert_non_null(strstr(markdown.data, complete[i].name));
	}
	assert_non_null(strstr(markdown.data,
			       "| `TANDEM_API_KEYS` or `TANDEM_API_KEYS_FILE` | not set | "));
	assert_non_null(strstr(markdown.data, "| `TANDEM_SYNC_INTERVAL` | `300` | "));
	buf_release(&text);
	buf_release(&markdown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_others_than_the_defaults),
		cmocka_unit_test(test_nothing_set),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_all_mistakes_at_once),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_secret_or_certificate),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_help_lists_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

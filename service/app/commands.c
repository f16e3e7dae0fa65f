/* The commands that do one thing and end: setup, check, migrate, compare. */
#include <inttypes.h>
#include <stdio.h>

#include "app/app.h"
#include "sync/compare.h"

static void command_say(void *context, const char *line)
{
	(void)context;
	puts(line);
	(void)fflush(stdout);
}

enum exit_code app_setup(void)
{
	const struct call call = { .lane = LANE_REALTIME };
	struct app a = { .engine = NULL };
	struct remote *marketo = &a.remote[SIDE_MARKETO];
	enum exit_code code = app_configure(&a, CONFIG_NEED_REMOTES);
	struct err err;

	if (code == EXIT_OK)
		code = app_open(&a, CONFIG_NEED_REMOTES, &err);
	if (code == EXIT_OK &&
	    marketo->ops->setup(marketo->self, &call, a.fields.set.fields, a.fields.set.count,
				command_say, NULL, &err) != ERR_NONE)
		code = app_failed("setup", &err);
	app_close(&a);
	return code;
}

enum { CHECK_SETTINGS, CHECK_DATABASE, CHECK_SIDES, CHECK_PARTS = CHECK_SIDES + SIDE_COUNT };

static const char *check_part_name(int part)
{
	if (part < CHECK_SIDES)
		return part == CHECK_SETTINGS ? "settings" : "database";
	return side_name((enum side)(part - CHECK_SIDES));
}

static void check_print_json(const struct check_line *line, const char *part, bool is_first)
{
	struct buf json = { .data = NULL };

	buf_fmt(&json, "%s{\"side\":\"%s\",\"check\":", is_first ? "" : ",", part);
	buf_json(&json, str_of(line->name));
	buf_fmt(&json, ",\"ok\":%s,\"advice\":", line->is_ok ? "true" : "false");
	buf_json(&json, str_of(line->advice));
	printf("%s}", buf_cstr(&json));
	buf_release(&json);
}

/* Whether all is well. */
static bool check_print(const struct check_list lists[CHECK_PARTS], bool is_json)
{
	bool is_first = true, is_ok = true;

	if (is_json)
		printf("{\"checks\":[");
	for (int part = 0; part < CHECK_PARTS; part++) {
		for (size_t i = 0; i < lists[part].count; i++) {
			const struct check_line *line = &lists[part].lines[i];

			if (is_json)
				check_print_json(line, check_part_name(part), is_first);
			else
				printf("%-4s %-9s %s%s%s\n", line->is_ok ? "ok" : "FAIL",
				       check_part_name(part), line->name,
				       line->advice[0] ? ": " : "", line->advice);
			is_first = false;
			is_ok &= line->is_ok;
		}
	}
	if (is_json)
		printf("],\"ok\":%s}\n", is_ok ? "true" : "false");
	return is_ok;
}

static void check_fields(const struct app *a, struct check_list *list)
{
	const struct field_file *f = &a->fields;
	char advice[320];
	struct err err;

	if (f->mistakes) {
		(void)err_set(&err, ERR_CONFIG, "%zu in %.200s, each told with its line",
			      f->mistakes, a->config.fields);
		check_add(list, "fields", &err, "correct the mistakes, docs/fields.md helps");
		return;
	}
	(void)snprintf(advice, sizeof(advice), "%zu from %.200s%s", f->set.count,
		       a->config.fields ? a->config.fields : "the built-in set",
		       f->warnings ? "; look at the warnings, each told with its line" : "");
	check_add(list, "fields", NULL, advice);
}

static void check_database(struct app *a, struct check_list *list)
{
	struct err err;
	bool is_ready = a->store.ops->schema_ready(a->store.self, &err) == ERR_NONE;

	check_add(list, "connection and schema", is_ready ? NULL : &err,
		  is_ready ? ""
			   : "start PostgreSQL, look at DATABASE_URL, then run `tandem migrate`");
}

enum exit_code app_check(bool is_json)
{
	const struct call call = { .lane = LANE_REALTIME };
	const unsigned needs = CONFIG_NEED_DATABASE | CONFIG_NEED_REMOTES | CONFIG_NEED_API;
	struct check_list lists[CHECK_PARTS] = { { .count = 0 } };
	struct app a = { .engine = NULL };
	enum exit_code code = app_configure(&a, needs);
	struct err err;

	if (code == EXIT_OK)
		code = app_open(&a, needs, &err);
	if (code == EXIT_OK) {
		check_add(&lists[CHECK_SETTINGS], "complete", NULL, "");
		check_fields(&a, &lists[CHECK_SETTINGS]);
		check_database(&a, &lists[CHECK_DATABASE]);
		for (int side = 0; side < SIDE_COUNT; side++)
			a.remote[side].ops->check(a.remote[side].self, &call,
						  &lists[CHECK_SIDES + side]);
		code = check_print(lists, is_json) ? EXIT_OK : EXIT_FAILED;
	} else if (a.fields.mistakes) {
		check_fields(&a, &lists[CHECK_SETTINGS]);
		(void)check_print(lists, is_json);
	}
	app_close(&a);
	return code;
}

enum exit_code app_check_ready(void)
{
	const struct quota_limits limits = { .window_calls = 0 };
	struct http_exchange x = { .method = "GET", .path = "/readyz", .timeout_ms = 3000 };
	struct app a = { .engine = NULL };
	enum exit_code code = app_configure(&a, 0);
	struct http_origin *origin = NULL;
	char url[128];
	struct err err;

	if (code != EXIT_OK)
		return code;
	/* A service in a container listens on all addresses; the check runs beside it. */
	(void)snprintf(url, sizeof(url), "http://127.0.0.1%s",
		       strrchr(a.config.listen, ':') ? strrchr(a.config.listen, ':') : "");
	a.http = http_new(&err);
	if (a.http)
		origin = http_origin_new(a.http, url, &limits, METRIC_COUNT, METRIC_COUNT, &err);
	if (!origin) {
		code = app_failed("check", &err);
	} else {
		http_run(origin, &x, 1);
		if (x.kind != ERR_NONE)
			code = app_failed("the service does not answer", &x.err);
		else if (x.status != 200)
			code = EXIT_FAILED;
		if (x.kind == ERR_NONE)
			printf("%s\n", buf_cstr(&x.body_in));
		http_exchange_release(&x);
	}
	http_origin_free(origin);
	app_close(&a);
	return code;
}

enum exit_code app_migrate(void)
{
	struct app a = { .engine = NULL };
	enum exit_code code = app_configure(&a, CONFIG_NEED_DATABASE);
	unsigned applied = 0;
	struct err err;

	if (code == EXIT_OK)
		code = app_open(&a, CONFIG_NEED_DATABASE, &err);
	if (code == EXIT_OK) {
		if (a.store.ops->migrate(a.store.self, &applied, &err) != ERR_NONE)
			code = app_failed("migrate", &err);
		else
			printf("%u migration%s applied\n", applied, applied == 1 ? "" : "s");
	}
	app_close(&a);
	return code;
}

static void compare_print(const struct compare_result *r)
{
	for (int t = TABLE_LEAD; t < TABLE_COUNT; t++)
		printf("%-8s %" PRIu64 " rows in Dynamics, %" PRIu64 " linked to a person, %" PRIu64
		       " left out for a known reason, %" PRIu64 " missing\n",
		       table_name((enum table)t), r->rows[t], r->linked[t], r->left_out[t],
		       r->missing[t]);
	printf("fields   %" PRIu64 " equal, %" PRIu64 " different, %" PRIu64
	       " parked after a refusal, %" PRIu64 " one-way\n",
	       r->equal, r->different, r->parked, r->one_way);
	puts(compare_agrees(r) ? "Both sides agree." : "The sides do NOT agree.");
}

enum exit_code app_compare(void)
{
	const unsigned needs = CONFIG_NEED_DATABASE | CONFIG_NEED_REMOTES;
	struct app a = { .engine = NULL };
	enum exit_code code = app_configure(&a, needs);
	struct compare_result result;
	struct err err;

	if (code == EXIT_OK)
		code = app_open(&a, needs, &err);
	if (code == EXIT_OK) {
		if (compare_run(a.engine, &result, command_say, NULL, &err) != ERR_NONE) {
			code = app_failed("compare", &err);
		} else {
			compare_print(&result);
			code = compare_agrees(&result) ? EXIT_OK : EXIT_FAILED;
		}
	}
	app_close(&a);
	return code;
}

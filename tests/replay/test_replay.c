/* Answers of the two remotes as they come over the wire, served over a real socket to the real
 * drivers: what comes out is what the file beside each says. One test per pair of files; see
 * README.md. */
#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "act.h"
#include "remote/dynamics.h"
#include "remote/marketo.h"
#include "remote/wait.h"
#include "server.h"
#include "tests/unit/unit.h"
#include "world.h"

enum { SCENES_MAX = 1000 };

static const char folder[] = "tests/replay";
static struct http *http;

/* ---- pauses are counted instead of waited for ---- */

static atomic_uint pauses, closings;

bool __wrap_http_origin_wait_ms(struct http_origin *o, int64_t ms);
void __wrap_http_origin_close(struct http_origin *o, int64_t wait_ms);
int64_t __wrap_clock_wall_ms(void);

/* The answers are of 2026-08-30 at 14:05:31. */
int64_t __wrap_clock_wall_ms(void)
{
	return 1788098731000;
}

bool __wrap_http_origin_wait_ms(struct http_origin *o, int64_t ms)
{
	(void)o;
	(void)ms;
	pauses++;
	return true;
}

void __wrap_http_origin_close(struct http_origin *o, int64_t wait_ms)
{
	(void)o;
	(void)wait_ms;
	closings++;
}

/* ---- one scene ---- */

static enum err_kind connect_to(const struct scene *s, const char *url, struct remote *ret,
				struct err *err)
{
	const struct marketo_settings marketo = {
		.url = url, .client_id = "id", .client_secret = "hush", .overlap_ms = 120 * 1000
	};
	const struct dynamics_settings dynamics = { .url = url,
						    .authority = url,
						    .tenant_id = "contoso.example",
						    .client_id = "id",
						    .client_secret = "hush",
						    .parallel_max = 1 };

	if (str_starts(str_of(s->name), STR("marketo/")))
		return marketo_new(http, &marketo, ret, err);
	return dynamics_new(http, &dynamics, ret, err);
}

static void play(const struct scene *s, struct stage *g)
{
	struct server *server = server_start(s);
	struct err err;
	unsigned requests;

	pauses = closings = 0;
	*g = (struct stage){ .scene = s, .mapping = world_mapping(), .url = server_url(server) };
	assert_int_equal(connect_to(s, g->url, &g->remote, &err), ERR_NONE);
	act(g);
	g->remote.ops->free(g->remote.self);
	requests = server_stop(server);
	buf_fmt(&g->out, "%u requests", requests);
	if (pauses)
		buf_fmt(&g->out, ", %u pauses", pauses);
	if (closings)
		buf_fmt(&g->out, ", side closed %u times", closings);
	buf_char(&g->out, '\n');
}

static bool is_said(const struct stage *g, struct str word)
{
	return g->said.len && memmem(g->said.data, g->said.len, word.p, word.n);
}

/* Failures leave a test on the spot: what is left behind is put away afterwards. */
static struct scene scene;
static struct stage stage;

static int put_away(void **state)
{
	(void)state;
	mapping_free(stage.mapping);
	buf_release(&stage.out);
	buf_release(&stage.said);
	arena_release(&stage.memory);
	scene_release(&scene);
	stage = (struct stage){ 0 };
	return 0;
}

/* REPLAY_SHOW=1 shows what came out, to write an expectation by (and to be thought about). */
static void scene_comes_out_as_expected(void **state)
{
	struct str out;

	scene_load(&scene, folder, *state);
	play(&scene, &stage);
	if (getenv("REPLAY_SHOW"))
		(void)fprintf(stderr, "==== %s\n%s%s", scene.name, buf_cstr(&stage.out),
			      buf_cstr(&stage.said));
	out = buf_str(&stage.out);
	if (!str_equal(str_trim(out), str_trim(scene.outcome)))
		fail_msg("%s\n--- expected\n" STR_FMT "--- came out\n" STR_FMT "--- said\n%s",
			 scene.name, STR_ARG(scene.outcome), STR_ARG(out), buf_cstr(&stage.said));
	for (size_t i = 0; i < scene.never_count; i++)
		if (is_said(&stage, scene.never[i]))
			fail_msg("%s: an error says \"" STR_FMT "\"", scene.name,
				 STR_ARG(scene.never[i]));
}

/* ---- all of them ---- */

static char *names[SCENES_MAX];
static size_t name_count;

static void add_scenes(const char *side)
{
	char path[64];
	struct dirent *entry;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, side);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)) && name_count < SCENES_MAX) {
		struct str name = str_of(entry->d_name), end = STR(".expect");

		if (!str_ends(name, end))
			continue;
		if (asprintf(&names[name_count], "%s/%.*s", side, (int)(name.n - end.n), name.p) >
		    0)
			name_count++;
	}
	(void)closedir(dir);
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static int start(void **state)
{
	struct err err;

	(void)state;
	if (fingerprint_start(&err) != ERR_NONE)
		return -1;
	http = http_new(&err);
	return http ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	http_free(http);
	return 0;
}

int main(void)
{
	struct CMUnitTest tests[SCENES_MAX] = { { 0 } };
	int failed;

	add_scenes("marketo");
	add_scenes("dynamics");
	qsort(names, name_count, sizeof(char *), compare_names);
	for (size_t i = 0; i < name_count; i++)
		tests[i] = (struct CMUnitTest){ .name = names[i],
						.test_func = scene_comes_out_as_expected,
						.teardown_func = put_away,
						.initial_state = names[i] };
	failed = _cmocka_run_group_tests(folder, tests, name_count, start, end);
	for (size_t i = 0; i < name_count; i++)
		free(names[i]);
	return failed || !name_count;
}

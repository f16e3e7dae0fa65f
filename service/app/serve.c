/* `tandem serve`: everything started in order, stopped in reverse. */
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/server.h"
#include "app/app.h"
#include "app/progress.h"
#include "base/clock.h"
#include "base/mem.h"
#include "remote/dynamics.h"

enum {
	SERVE_TICK_MS = 250,
	SERVE_GRACE_MS = 10 * 1000, /* for remote calls in hand when told to end */
};

/* Ends what does not end by itself: after the grace time remote calls are cut, and a second signal
 * ends the program. */
struct grace {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct http *http;
	bool is_over;
};

static void *grace_main(void *arg)
{
	struct grace *g = arg;
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += SERVE_GRACE_MS / 1000;
	(void)pthread_mutex_lock(&g->lock);
	while (!g->is_over && pthread_cond_timedwait(&g->changed, &g->lock, &until) == 0)
		;
	if (!g->is_over)
		http_cancel_all(g->http);
	(void)pthread_mutex_unlock(&g->lock);
	return NULL;
}

static void serve_second_signal(int number)
{
	(void)number;
	_exit(EXIT_FAILED);
}

static void serve_stop(struct app *a, struct api_server *server)
{
	struct grace grace = { .http = a->http };
	struct sigaction again = { .sa_handler = serve_second_signal };
	sigset_t signals;
	bool has_thread;

	(void)sigaction(SIGINT, &again, NULL);
	(void)sigaction(SIGTERM, &again, NULL);
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	(void)pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
	(void)pthread_mutex_init(&grace.lock, NULL);
	(void)pthread_cond_init(&grace.changed, NULL);
	has_thread = pthread_create(&grace.thread, NULL, grace_main, &grace) == 0;
	log_info("stopping");
	api_server_quiesce(server);
	stop_request(a->stop);
	engine_stop(a->engine);
	api_server_free(server);
	(void)pthread_mutex_lock(&grace.lock);
	grace.is_over = true;
	(void)pthread_cond_broadcast(&grace.changed);
	(void)pthread_mutex_unlock(&grace.lock);
	if (has_thread)
		(void)pthread_join(grace.thread, NULL);
	(void)pthread_cond_destroy(&grace.changed);
	(void)pthread_mutex_destroy(&grace.lock);
	log_info("stopped");
}

/* Signals are taken by this thread alone; every other thread inherits the mask. */
static void serve_block_signals(sigset_t *ret)
{
	(void)sigemptyset(ret);
	(void)sigaddset(ret, SIGINT);
	(void)sigaddset(ret, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, ret, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

/* Two thousand connections and those to remotes and database need more files than a shell usually
 * grants. */
static void serve_raise_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		log_warn("file_limit_not_raised", LOG_NUMBER("limit", files.rlim_cur));
}

static bool serve_is_done(struct app *a, const struct serve_options *options,
			  struct progress *progress)
{
	struct operator_status status;

	if (!options->cycles && !options->has_progress)
		return false;
	if (options->has_progress && operator_status(a->engine, &status, NULL) == ERR_NONE)
		progress_show(progress, &status);
	return options->cycles && engine_finished_cycles(a->engine) >= options->cycles;
}

static void serve_until_told(struct app *a, const struct serve_options *options,
			     const sigset_t *signals)
{
	const struct timespec tick = { .tv_nsec = SERVE_TICK_MS * 1000000L };
	struct progress progress;

	progress_begin(&progress);
	while (!serve_is_done(a, options, &progress)) {
		if (sigtimedwait(signals, NULL, &tick) > 0)
			return;
	}
}

static struct api_server *serve_api(struct app *a, struct err *err)
{
	static const enum api_role roles[] = { [CONFIG_ROLE_CAMPAIGN] = ROLE_CAMPAIGN,
					       [CONFIG_ROLE_READ] = ROLE_READ,
					       [CONFIG_ROLE_ADMIN] = ROLE_ADMIN };
	struct api_key *keys = mem_array(a->config.key_count, sizeof(*keys));
	struct api_settings settings = { .listen = a->config.listen,
					 .keys = keys,
					 .key_count = a->config.key_count,
					 .version = TANDEM_VERSION };
	struct api_server *server;

	for (size_t i = 0; i < a->config.key_count; i++)
		keys[i] = (struct api_key){ .name = a->config.keys[i].name,
					    .role = roles[a->config.keys[i].role],
					    .key = a->config.keys[i].key };
	server = api_server_new(&settings, a->engine, err);
	mem_freep(&keys);
	return server;
}

static enum exit_code serve_run(struct app *a, const struct serve_options *options,
				const sigset_t *signals)
{
	struct api_server *server;
	unsigned applied = 0;
	struct err err;

	if (a->store.ops->migrate(a->store.self, &applied, &err) != ERR_NONE)
		return app_failed("the database", &err);
	server = engine_start(a->engine, &err) == ERR_NONE ? serve_api(a, &err) : NULL;
	if (!server) {
		stop_request(a->stop);
		return app_failed("cannot serve", &err);
	}
	log_info("started", LOG_TEXT("version", TANDEM_VERSION),
		 LOG_NUMBER("port", api_server_port(server)), LOG_NUMBER("migrations", applied));
	printf("listening http://127.0.0.1:%u\n", api_server_port(server));
	(void)fflush(stdout);
	serve_until_told(a, options, signals);
	serve_stop(a, server);
	return EXIT_OK;
}

/* One that has expired would be refused again and again. */
static enum err_kind serve_check_certificate(const struct app *a, struct err *err)
{
	int64_t now_s = clock_wall_ms() / 1000, end_s;
	enum err_kind kind = dynamics_certificate(&a->remote[SIDE_DYNAMICS], now_s, &end_s, err);
	char end[CLOCK_TEXT];

	if (kind != ERR_NONE || !end_s || end_s - now_s >= DYNAMICS_CERTIFICATE_WARN_S)
		return kind;
	clock_print(end_s, end);
	log_warn("certificate_expires_soon", LOG_TEXT("setting", "DYNAMICS_CLIENT_CERTIFICATE"),
		 LOG_TEXT("at", end), LOG_NUMBER("days", (end_s - now_s) / (24 * 3600)));
	return ERR_NONE;
}

enum exit_code app_serve(const struct serve_options *options)
{
	const unsigned needs = CONFIG_NEED_DATABASE | CONFIG_NEED_REMOTES | CONFIG_NEED_API;
	struct app a = { .cycles_max = options->cycles };
	enum exit_code code = app_configure(&a, needs);
	sigset_t signals;
	struct err err;

	/* Few heaps, and large blocks given back at once: pages of a feed come and go. */
	(void)mallopt(M_ARENA_MAX, 2);
	(void)mallopt(M_MMAP_THRESHOLD, 256 * 1024);
	(void)mallopt(M_TRIM_THRESHOLD, 512 * 1024);
	serve_block_signals(&signals);
	serve_raise_files();
	if (code == EXIT_OK)
		code = app_open(&a, needs, &err);
	if (code == EXIT_OK && serve_check_certificate(&a, &err) != ERR_NONE)
		code = app_failed("cannot start", &err);
	if (code == EXIT_OK)
		code = serve_run(&a, options, &signals);
	app_close(&a);
	return code;
}

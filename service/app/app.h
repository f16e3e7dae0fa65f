/* The program's parts put together from its settings, and its commands. */
#ifndef APP_APP_H
#define APP_APP_H

#include "config/config.h"
#include "config/field_file.h"
#include "remote/http.h"
#include "sync/engine.h"

/* Exit codes of every command (a contract). */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_CONFIGURATION = 3,
	EXIT_UNREACHABLE = 4
};

struct app {
	struct config config;
	struct field_file fields; /* the selected fields; outlives the engine, which uses them */
	int64_t cycles_max;       /* set before app_open: see struct engine_settings */
	struct stop *stop;
	struct http *http;
	struct engine *engine;            /* owns the remotes and the store */
	struct remote remote[SIDE_COUNT]; /* foreign once there is an engine */
	struct store store;
};

/* Loads the settings, and the field file for those who need the remotes; prints every mistake, one
 * line each, on standard error. */
enum exit_code app_configure(struct app *a, unsigned needs);
/* Makes what the needs say: store, remotes, engine. */
enum exit_code app_open(struct app *a, unsigned needs, struct err *err);
void app_close(struct app *a);

/* Prints "tandem: text" on standard error and gives the exit code that belongs to the kind of
 * error. */
enum exit_code app_failed(const char *what, const struct err *err);

struct serve_options {
	int64_t cycles;    /* end after so many good cycles; 0: serve until told to end */
	bool has_progress; /* show progress on standard output */
};
enum exit_code app_serve(const struct serve_options *options);
enum exit_code app_setup(void);
enum exit_code app_check(bool is_json);
enum exit_code app_check_ready(
	void); /* asks the service that listens on TANDEM_LISTEN: for health checks of containers */
enum exit_code app_migrate(void);
enum exit_code app_compare(void);

#endif

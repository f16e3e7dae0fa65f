/* Making and unmaking the parts in order. */
#include "app/app.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/fingerprint.h"
#include "remote/dynamics.h"
#include "remote/marketo.h"
#include "store/postgres.h"

enum {
	APP_DATABASE_CONNECTIONS = 8,
	APP_FEED_OVERLAP_MS = 120 * 1000,
	APP_MARKETO_GUARD_MS = 400, /* one call on a new connection, the next on an open one */
};

static const char *app_variable(void *context, const char *name)
{
	(void)context;
	return getenv(name);
}

enum exit_code app_configure(struct app *a, unsigned needs)
{
	struct buf problems = { .data = NULL };
	enum err_kind kind = config_load(app_variable, NULL, needs, &a->config, &problems);
	const char *fields = (needs & CONFIG_NEED_REMOTES) ? a->config.fields : NULL;

	a->fields.set = field_set_default;
	if (fields && field_file_load(fields, &a->fields, &problems) != ERR_NONE)
		kind = ERR_CONFIG;
	fputs(buf_cstr(&problems), stderr); /* warnings too */
	buf_release(&problems);
	if (kind != ERR_NONE)
		return EXIT_CONFIGURATION;
	log_set_level(a->config.log_level);
	return EXIT_OK;
}

enum exit_code app_failed(const char *what, const struct err *err)
{
	static const enum exit_code codes[ERR_KIND_COUNT] = {
		[ERR_CONFIG] = EXIT_CONFIGURATION,  [ERR_RETRY_LATER] = EXIT_UNREACHABLE,
		[ERR_THROTTLED] = EXIT_UNREACHABLE, [ERR_QUOTA] = EXIT_UNREACHABLE,
		[ERR_STORE] = EXIT_UNREACHABLE,
	};

	fprintf(stderr, "tandem: %s: %s\n", what, err->text);
	return codes[err->kind] ? codes[err->kind] : EXIT_FAILED;
}

/* Of the subscription's calls a day, those that leave room for real-time calls. */
static int64_t app_quota_stop(const struct config *c)
{
	int64_t stop = c->marketo_quota * c->marketo_quota_stop_percent / 100;

	return stop > 0 ? stop : 1;
}

static enum err_kind app_open_remotes(struct app *a, struct err *err)
{
	const struct config *c = &a->config;
	const struct marketo_settings marketo = {
		.url = c->marketo_url,
		.client_id = c->marketo_client_id,
		.client_secret = c->marketo_client_secret,
		.limits = { .window_calls = (uint32_t)c->marketo_calls_per_20s,
			    .window_ms = 20 * 1000,
			    .guard_ms = APP_MARKETO_GUARD_MS,
			    .concurrent = (uint32_t)c->marketo_concurrent,
			    .day_calls = (uint32_t)c->marketo_calls_per_day,
			    .shared_stop = (uint32_t)app_quota_stop(c),
			    .realtime_percent = (uint32_t)c->realtime_share_percent },
		.overlap_ms = APP_FEED_OVERLAP_MS,
	};
	const struct dynamics_settings dynamics = {
		.url = c->dynamics_url,
		.authority = c->dynamics_authority,
		.tenant_id = c->dynamics_tenant_id,
		.client_id = c->dynamics_client_id,
		.client_secret = c->dynamics_client_secret,
		.certificate = c->dynamics_client_certificate,
		.limits = { .window_calls = (uint32_t)c->dynamics_calls_per_5min,
			    .window_ms = 300 * 1000,
			    .concurrent = (uint32_t)c->dynamics_concurrent + 1,
			    .realtime_percent = (uint32_t)c->realtime_share_percent },
		.parallel_max = (uint32_t)c->dynamics_concurrent,
		.granted_ms = c->dynamics_seconds_per_5min * 1000,
		.obeys_rules = !c->ignores_rules,
	};
	enum err_kind kind;

	a->http = http_new(err);
	if (!a->http)
		return err->kind;
	kind = marketo_new(a->http, &marketo, &a->remote[SIDE_MARKETO], err);
	if (kind == ERR_NONE)
		kind = dynamics_new(a->http, &dynamics, &a->remote[SIDE_DYNAMICS], err);
	return kind;
}

static enum err_kind app_open_store(struct app *a, struct err *err)
{
	const struct postgres_settings settings = { .url = a->config.database_url,
						    .connections_max = APP_DATABASE_CONNECTIONS };

	return postgres_new(&settings, &a->store, err);
}

static void app_open_engine(struct app *a)
{
	const struct engine_settings settings = {
		.interval_ms = a->config.sync_interval_ms,
		.match_by_email = a->config.match_by_email,
		.retention_days = a->config.retention_days,
		.max_deletes = (uint64_t)a->config.max_deletes,
		.activity_settle_ms = a->config.activity_settle_ms,
		.cycles_max = a->cycles_max,
		.verify_ms = a->config.verify_ms,
		.sweep_ms = a->config.sweep_ms,
		.bulk_rows = (uint64_t)a->config.bulk_rows,
		.slice_ms = a->config.slice_ms,
		.instance = a->config.marketo_url,
		.set = &a->fields.set,
	};

	a->stop = stop_new();
	a->engine = engine_new(&settings, a->remote, &a->store, a->stop);
}

enum exit_code app_open(struct app *a, unsigned needs, struct err *err)
{
	enum err_kind kind = fingerprint_start(err);

	if (kind == ERR_NONE && (needs & CONFIG_NEED_DATABASE))
		kind = app_open_store(a, err);
	if (kind == ERR_NONE && (needs & CONFIG_NEED_REMOTES))
		kind = app_open_remotes(a, err);
	if (kind != ERR_NONE)
		return app_failed("cannot start", err);
	if ((needs & CONFIG_NEED_DATABASE) && (needs & CONFIG_NEED_REMOTES))
		app_open_engine(a);
	return EXIT_OK;
}

void app_close(struct app *a)
{
	if (a->engine) {
		engine_free(a->engine);
	} else {
		for (int side = 0; side < SIDE_COUNT; side++) {
			if (a->remote[side].self)
				a->remote[side].ops->free(a->remote[side].self);
		}
		if (a->store.self)
			a->store.ops->free(a->store.self);
	}
	http_free(a->http);
	stop_free(a->stop);
	field_file_release(&a->fields);
	config_release(&a->config);
	*a = (struct app){ .engine = NULL };
}

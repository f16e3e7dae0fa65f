/* The Marketo side of remote.h: what belongs together, and the table of functions. */
#include "remote/marketo.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/fingerprint.h"
#include "remote/marketo_parts.h"

/* The usage figures need no permission: an answer proves address and token, and nothing else can be
 * wrong. */
static enum err_kind marketo_identify(void *self, const struct call *call,
				      struct guid *ret_organisation, struct err *err)
{
	struct marketo *m = self;
	enum err_kind kind = marketo_usage_ask(m, call, err);

	if (kind == ERR_NONE)
		*ret_organisation = m->organisation;
	return kind;
}

static uint64_t marketo_calls(void *self)
{
	struct marketo *m = self;

	return http_origin_calls(m->origin);
}

static void marketo_free(void *self)
{
	struct marketo *m = self;

	if (!m)
		return;
	marketo_token_free(m->token);
	http_origin_free(m->origin);
	(void)pthread_mutex_destroy(&m->create_lock);
	(void)pthread_mutex_destroy(&m->activity_lock);
	marketo_files_free(m);
	(void)pthread_mutex_destroy(&m->file_lock);
	free(m);
}

/* Rights on single fields do not exist in Marketo, and owners are not looked up here: those two
 * stay NULL. */
static const struct remote_ops marketo_ops = {
	.identify = marketo_identify,
	.describe = marketo_describe,
	.start_cursor = marketo_start_cursor,
	.changes = marketo_changes,
	.read = marketo_read,
	.find = marketo_find,
	.write = marketo_write,
	.add_activities = marketo_add_activities,
	.find_activities = marketo_find_activities,
	.extract_start = marketo_extract_start,
	.extract_poll = marketo_extract_poll,
	.extract_read = marketo_extract_read,
	.extract_cancel = marketo_extract_cancel,
	.import_start = marketo_import_start,
	.import_poll = marketo_import_poll,
	.import_failures = marketo_import_failures,
	.oldest = marketo_oldest,
	.setup = marketo_setup,
	.check = marketo_check,
	.calls = marketo_calls,
	.budget = marketo_budget,
	.refresh_budget = marketo_refresh_budget,
	.reopen = marketo_reopen,
	.free = marketo_free,
};

enum err_kind marketo_new(struct http *http, const struct marketo_settings *settings,
			  struct remote *ret, struct err *err)
{
	struct http_origin *origin;
	struct marketo *m;

	if (!settings->client_id || !settings->client_id[0] || !settings->client_secret ||
	    !settings->client_secret[0])
		return err_set(err, ERR_CONFIG, "Marketo needs a client id and a client secret");
	/* Only the origin counts: whether the address was given with /rest, as Marketo's own page
	 * shows it, makes no difference. */
	origin = http_origin_new(http, settings->url, &settings->limits, METRIC_CALLS_MARKETO,
				 METRIC_CALL_ERRORS_MARKETO, err);
	if (!origin)
		return ERR_CONFIG;
	m = mem_alloc(sizeof(*m));
	m->origin = origin;
	m->token = marketo_token_new(origin, settings->client_id, settings->client_secret);
	m->overlap_s = settings->overlap_ms > 0 ? (settings->overlap_ms + 999) / 1000 : 0;
	m->organisation = fingerprint_record_id(str_of(http_origin_text(origin)), 0, 0);
	(void)pthread_mutex_init(&m->create_lock, NULL);
	(void)pthread_mutex_init(&m->activity_lock, NULL);
	(void)pthread_mutex_init(&m->file_lock, NULL);
	*ret = (struct remote){ &marketo_ops, m };
	return ERR_NONE;
}

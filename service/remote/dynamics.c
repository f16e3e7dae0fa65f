/* The Dynamics side: makes it, ends it, and is the table of functions the sync sees. What the
 * functions do is in the other dynamics_* files; here is only which of them stands for what. */
#include "remote/dynamics.h"

#include "base/mem.h"
#include "remote/dynamics_call.h"
#include "remote/dynamics_check.h"
#include "remote/dynamics_read.h"
#include "remote/dynamics_rights.h"
#include "remote/dynamics_schema.h"
#include "remote/dynamics_write.h"

enum { PARALLEL_DEFAULT = 4, PARALLEL_MAX = 64 };

static enum err_kind check_table(enum table t, struct err *err)
{
	if (table_side(t) != SIDE_DYNAMICS)
		return err_set(err, ERR_OURS, "Dynamics has no table for persons");
	return ERR_NONE;
}

static enum err_kind identify(void *self, const struct call *call, struct guid *ret_organisation,
			      struct err *err)
{
	return dynamics_identify(self, call, ret_organisation, err);
}

static enum err_kind describe(void *self, const struct call *call, enum table t, struct arena *a,
			      struct schema *ret, struct err *err)
{
	enum err_kind kind = check_table(t, err);

	return kind != ERR_NONE ? kind : dynamics_describe(self, call, t, a, ret, err);
}

static enum err_kind refresh_rights(void *self, const struct call *call, struct schema *schemas,
				    size_t count, bool *ret_changed, struct err *err)
{
	return dynamics_refresh_rights(self, call, schemas, count, ret_changed, err);
}

static enum err_kind changes(void *self, const struct call *call, const struct mapping *m,
			     enum table t, struct str cursor, struct arena *a,
			     struct change_page *ret, struct err *err)
{
	enum err_kind kind = check_table(t, err);

	return kind != ERR_NONE ? kind : dynamics_changes(self, call, m, t, cursor, a, ret, err);
}

static uint32_t feed_days(void *self)
{
	struct dynamics *d = self;
	uint32_t days;

	(void)pthread_mutex_lock(&d->lock);
	days = d->feed_days;
	(void)pthread_mutex_unlock(&d->lock);
	return days;
}

static enum err_kind count(void *self, const struct call *call, uint64_t ret[TABLE_COUNT],
			   struct err *err)
{
	return dynamics_count(self, call, ret, err);
}

static enum err_kind read_records(void *self, const struct call *call, const struct mapping *m,
				  enum table t, const int64_t *person_ids,
				  const struct guid *record_ids, size_t count, struct arena *a,
				  struct record **ret, struct err *err)
{
	enum err_kind kind = check_table(t, err);

	(void)person_ids;
	return kind != ERR_NONE ? kind
				: dynamics_read(self, call, m, t, record_ids, count, a, ret, err);
}

static enum err_kind find(void *self, const struct call *call, const struct mapping *m,
			  enum table t, enum lookup lookup, const struct str *values, size_t count,
			  struct arena *a, struct record_list *ret, struct err *err)
{
	enum err_kind kind = check_table(t, err);

	return kind != ERR_NONE
		       ? kind
		       : dynamics_find(self, call, m, t, lookup, values, count, a, ret, err);
}

static enum err_kind write_records(void *self, const struct call *call, const struct mapping *m,
				   const struct write *writes, size_t count,
				   struct write_result *results, struct err *err)
{
	enum err_kind kind = ERR_NONE;

	for (size_t i = 0; kind == ERR_NONE && i < count; i++)
		kind = check_table(writes[i].table, err);
	return kind != ERR_NONE ? kind : dynamics_write(self, call, m, writes, count, results, err);
}

static enum err_kind find_owner(void *self, const struct call *call, struct str name,
				struct guid *ret, struct err *err)
{
	return dynamics_find_owner(self, call, name, ret, err);
}

static void check(void *self, const struct call *call, struct check_list *ret)
{
	dynamics_check(self, call, ret);
}

static uint64_t calls(void *self)
{
	struct dynamics *d = self;

	return http_origin_calls(d->origin);
}

static void budget(void *self, struct remote_budget *ret)
{
	struct dynamics *d = self;

	http_origin_look(d->origin, &ret->now);
	remote_explain_budget(ret, "Dynamics");
}

static void free_self(void *self)
{
	struct dynamics *d = self;

	if (!d)
		return;
	dynamics_token_free(d->token);
	dynamics_certificate_free(d->certificate);
	http_origin_free(d->authority);
	http_origin_free(d->origin);
	for (size_t i = 0; i < TABLE_COUNT; i++)
		free(d->columns[i]);
	(void)pthread_mutex_destroy(&d->lock);
	free(d);
}

static const struct remote_ops ops = {
	.identify = identify,
	.describe = describe,
	.refresh_rights = refresh_rights,
	.changes = changes,
	.feed_days = feed_days,
	.count = count,
	.read = read_records,
	.find = find,
	.write = write_records,
	.find_owner = find_owner,
	.check = check,
	.calls = calls,
	.budget = budget,
	.free = free_self,
};

static bool is_missing(const char *text)
{
	return !text || !text[0];
}

static enum err_kind check_settings(const struct dynamics_settings *s, struct err *err)
{
	const struct {
		const char *value, *name;
	} rows[] = {
		{ s->url, "DYNAMICS_URL" },
		{ s->authority, "DYNAMICS_AUTHORITY" },
		{ s->tenant_id, "DYNAMICS_TENANT_ID" },
		{ s->client_id, "DYNAMICS_CLIENT_ID" },
		{ s->certificate ? s->certificate : s->client_secret, "DYNAMICS_CLIENT_SECRET" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (is_missing(rows[i].value))
			return err_set(err, ERR_CONFIG, "%s is not set", rows[i].name);
	return ERR_NONE;
}

enum err_kind dynamics_new(struct http *http, const struct dynamics_settings *settings,
			   struct remote *ret, struct err *err)
{
	const struct quota_limits unlimited = { 0 };
	struct err own = { .kind = ERR_NONE, .retry_after_ms = -1 };
	struct dynamics *d;
	enum err_kind kind = check_settings(settings, err);

	if (kind != ERR_NONE)
		return kind;
	d = mem_alloc(sizeof(*d));
	(void)pthread_mutex_init(&d->lock, NULL);
	d->parallel_max = settings->parallel_max ? settings->parallel_max : PARALLEL_DEFAULT;
	if (d->parallel_max > PARALLEL_MAX)
		d->parallel_max = PARALLEL_MAX;
	if (settings->limits.concurrent && d->parallel_max > settings->limits.concurrent)
		d->parallel_max = settings->limits.concurrent;
	d->origin = http_origin_new(http, settings->url, &settings->limits, METRIC_CALLS_DYNAMICS,
				    METRIC_CALL_ERRORS_DYNAMICS, &own);
	if (d->origin)
		d->authority = http_origin_new(http, settings->authority, &unlimited,
					       METRIC_CALLS_DYNAMICS, METRIC_CALL_ERRORS_DYNAMICS,
					       &own);
	if (d->authority && settings->certificate)
		d->certificate = dynamics_certificate_read(settings->certificate, &own);
	if (!d->authority || (settings->certificate && !d->certificate)) {
		free_self(d);
		if (err)
			*err = own;
		return own.kind;
	}
	if (d->certificate)
		metric_set(METRIC_CERTIFICATE_END, dynamics_certificate_end_s(d->certificate));
	d->load.granted_ms = settings->granted_ms;
	d->obeys_rules = settings->obeys_rules;
	d->parallel = d->parallel_max;
	http_origin_set_concurrency(d->origin, d->parallel_max);
	d->token = dynamics_token_new(d->authority, d->origin, settings->tenant_id,
				      settings->client_id, settings->client_secret, d->certificate);
	*ret = (struct remote){ .ops = &ops, .self = d };
	return ERR_NONE;
}

enum err_kind dynamics_certificate(const struct remote *r, int64_t now_s, int64_t *ret_end_s,
				   struct err *err)
{
	const struct dynamics *d = r->self;

	*ret_end_s = d->certificate ? dynamics_certificate_end_s(d->certificate) : 0;
	return d->certificate ? dynamics_certificate_holds(d->certificate, now_s, err) : ERR_NONE;
}

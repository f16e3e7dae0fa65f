/* Settings: one table of options (name, type, bounds, default, help, secret) read from the
 * environment; NAME_FILE reads a secret from a file. Every mistake is reported, one clear line
 * each. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

enum config_role { CONFIG_ROLE_CAMPAIGN, CONFIG_ROLE_READ, CONFIG_ROLE_ADMIN };

struct config_key {
	char *name, *key;
	enum config_role role;
};

struct config {
	char *database_url;
	char *marketo_url, *marketo_client_id, *marketo_client_secret;
	char *dynamics_url, *dynamics_tenant_id, *dynamics_client_id, *dynamics_client_secret,
		*dynamics_client_certificate, *dynamics_authority;
	char *listen;
	char *fields;            /* path of the field file; NULL: the built-in set */
	struct config_key *keys; /* from TANDEM_API_KEYS */
	size_t key_count;
	int64_t sync_interval_ms;
	bool match_by_email; /* TANDEM_MATCH=email|id */
	bool ignores_rules;  /* TANDEM_DUPLICATE_RULES=ignore|obey */
	int64_t retention_days, max_deletes;
	int64_t verify_ms, sweep_ms, slice_ms, bulk_rows;
	int64_t activity_settle_ms;
	enum log_level log_level;
	/* quota shares */
	int64_t marketo_calls_per_day, marketo_calls_per_20s, marketo_concurrent;
	int64_t marketo_quota, marketo_quota_stop_percent;
	int64_t dynamics_calls_per_5min, dynamics_seconds_per_5min, dynamics_concurrent;
	int64_t realtime_share_percent;
};

/* What a command needs: settings outside its needs may be missing. */
enum config_need { CONFIG_NEED_DATABASE = 1, CONFIG_NEED_REMOTES = 2, CONFIG_NEED_API = 4 };

/* lookup gives the value of a variable or NULL (getenv, or a test's table). Fills *ret
 * (config_release frees it, also after an error); returns ERR_CONFIG after adding one line a
 * mistake to problems ("DATABASE_URL: must be set ..."). */
enum err_kind config_load(const char *(*lookup)(void *context, const char *name), void *context,
			  unsigned needs, struct config *ret, struct buf *problems);
void config_release(struct config *c);
void config_help(struct buf *out);          /* the table as text for `tandem help settings` */
void config_help_markdown(struct buf *out); /* the same as a Markdown table for README */

#endif

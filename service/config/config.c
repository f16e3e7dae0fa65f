/* The table of options and its reader. Knows what a setting looks like, not what it is for; says
 * every mistake, never a secret. How one value is checked is in check.c. */
#include "config/config.h"

#include <errno.h>

#include "base/mem.h"
#include "config/check.h"

enum { CONFIG_FILE_MAX = 64 * 1024 };

static const char *const config_matches[] = { "email", "id", NULL };
static const char *const config_rules[] = { "ignore", "obey", NULL };
static const char *const config_levels[] = { "debug", "info", "warn", "error", NULL };

#define TO(member) offsetof(struct config, member)

/* An empty variable counts as not set. fallback NULL: none. needs: the commands that cannot do
 * without it. */
static const struct option options[] = {
	{ "DATABASE_URL", CONFIG_DATABASE, TO(database_url), .needs = CONFIG_NEED_DATABASE,
	  .is_secret = true,
	  .help = "PostgreSQL 15 or newer, such as postgresql://tandem@db.example.org/tandem" },
	{ "MARKETO_URL", CONFIG_URL, TO(marketo_url), .needs = CONFIG_NEED_REMOTES,
	  .help = "the instance's address without a path, such as https://123-ABC-456.mktorest.com" },
	{ "MARKETO_CLIENT_ID", CONFIG_TEXT, TO(marketo_client_id), .needs = CONFIG_NEED_REMOTES,
	  .help = "client id of the custom service (LaunchPoint)" },
	{ "MARKETO_CLIENT_SECRET", CONFIG_TEXT, TO(marketo_client_secret),
	  .needs = CONFIG_NEED_REMOTES, .is_secret = true, .help = "its client secret" },
	{ "DYNAMICS_URL", CONFIG_URL, TO(dynamics_url), .needs = CONFIG_NEED_REMOTES,
	  .help = "the environment's address without a path, such as https://example.crm4.dynamics.com" },
	{ "DYNAMICS_TENANT_ID", CONFIG_TEXT, TO(dynamics_tenant_id), .needs = CONFIG_NEED_REMOTES,
	  .help = "directory (tenant) id of the app registration" },
	{ "DYNAMICS_CLIENT_ID", CONFIG_TEXT, TO(dynamics_client_id), .needs = CONFIG_NEED_REMOTES,
	  .help = "application (client) id of the app registration" },
	{ "DYNAMICS_CLIENT_SECRET", CONFIG_TEXT, TO(dynamics_client_secret),
	  .needs = CONFIG_NEED_REMOTES, .instead = "DYNAMICS_CLIENT_CERTIFICATE", .is_secret = true,
	  .help = "its client secret, when it signs in with one" },
	{ "DYNAMICS_CLIENT_CERTIFICATE", CONFIG_PEM, TO(dynamics_client_certificate),
	  .is_secret = true,
	  .help = "a certificate of it and the private key (RSA, not encrypted), both in PEM, to sign in "
		  "without a secret" },
	{ "DYNAMICS_AUTHORITY", CONFIG_URL, TO(dynamics_authority),
	  "https://login.microsoftonline.com",
	  .help = "where tokens for Dynamics come from; national clouds have their own" },
	{ "TANDEM_LISTEN", CONFIG_LISTEN, TO(listen), "127.0.0.1:8080",
	  .help = "address and port of the HTTP interface; :8080 is all addresses, port 0 picks a free one" },
	{ "TANDEM_API_KEYS", CONFIG_KEYS, 0, .is_secret = true,
	  .help = "keys of callers as name:role:key, comma-separated; roles: campaign (sync-person), read "
		  "(everything that is read), admin (everything). Empty: nobody may call" },
	{ "TANDEM_SYNC_INTERVAL", CONFIG_SECONDS, TO(sync_interval_ms), "300", 10, 24 * 3600 * 1000,
	  .help = "seconds of pause between the end of a cycle and the start of the next; fractions allowed" },
	{ "TANDEM_FIELDS", CONFIG_TEXT, TO(fields),
	  .help = "path of a field file (docs/fields.md): which fields travel, and how. Unset: the built-in "
		  "mapping, which `tandem help fields` prints as such a file" },
	{ "TANDEM_MATCH", CONFIG_CHOICE, TO(match_by_email), "email", .choices = config_matches,
	  .help = "how an unlinked counterpart is found before one is created: email, or id (not at all)" },
	{ "TANDEM_DUPLICATE_RULES", CONFIG_CHOICE, TO(ignores_rules), "ignore",
	  .choices = config_rules,
	  .help = "whether duplicate detection rules of Dynamics may refuse what is written: ignore, or obey" },
	{ "TANDEM_RETENTION_DAYS", CONFIG_NUMBER, TO(retention_days), "30", 1, 3650,
	  .help = "days that collisions, closed errors and finished requests are kept, values included" },
	{ "TANDEM_MAX_DELETES", CONFIG_NUMBER, TO(max_deletes), "1000", 0, 1000000000,
	  .help = "more deletes than this in one cycle stop it and ask; 0: no limit" },
	{ "TANDEM_VERIFY_DAYS", CONFIG_DAYS, TO(verify_ms), "30", 1000, 3650LL * 24 * 3600 * 1000,
	  .help = "days within which every link is read on both sides and proven equal again; fractions allowed" },
	{ "TANDEM_SWEEP_INTERVAL", CONFIG_SECONDS, TO(sweep_ms), "86400", 10, 24 * 3600 * 1000,
	  .help = "seconds between sweeps, each of which proves a part of the links and looks for what the "
		  "feeds may have missed; the feed of Marketo is looked back at 24 times as often" },
	{ "TANDEM_BULK_ROWS", CONFIG_NUMBER, TO(bulk_rows), "100000", 0, 1000000000,
	  .help = "a first load of at least so many rows is prepared with bulk extract files of Marketo's "
		  "persons, where that takes fewer calls; so many stamps, or 20,000, go by bulk import. 0: never" },
	{ "TANDEM_BACKFILL_SLICE", CONFIG_SECONDS, TO(slice_ms), "60", 10, 24 * 3600 * 1000,
	  .help = "seconds that reading everything (a first load, a sweep) may take of a cycle before live "
		  "changes get their turn again" },
	{ "TANDEM_ACTIVITY_SETTLE", CONFIG_SECONDS, TO(activity_settle_ms), "120", 1000,
	  24 * 3600 * 1000,
	  .help = "seconds after which an Activity Log line whose answer was lost is looked for in Marketo and, "
		  "when it is not there, sent again; Marketo shows new lines late" },
	{ "TANDEM_LOG_LEVEL", CONFIG_LEVEL, TO(log_level), "info", .choices = config_levels,
	  .help = "least level of log lines: debug, info, warn or error" },
	{ "TANDEM_MARKETO_CALLS_PER_DAY", CONFIG_NUMBER, TO(marketo_calls_per_day), "40000", 1,
	  100000000, .help = "share of the daily quota of the Marketo instance" },
	{ "TANDEM_MARKETO_QUOTA", CONFIG_NUMBER, TO(marketo_quota), "50000", 1, 100000000,
	  .help = "daily quota of the Marketo subscription, for all integrations together (Admin > Web Services)" },
	{ "TANDEM_MARKETO_QUOTA_STOP_PERCENT", CONFIG_NUMBER, TO(marketo_quota_stop_percent), "80",
	  1, 100,
	  .help = "when all integrations together have used this part of it, cycles wait for the next day; "
		  "real-time calls go on" },
	{ "TANDEM_MARKETO_CALLS_PER_20S", CONFIG_NUMBER, TO(marketo_calls_per_20s), "50", 1, 8000,
	  .help = "calls in any 20 seconds; Marketo allows 100 for all integrations together" },
	{ "TANDEM_MARKETO_CONCURRENT", CONFIG_NUMBER, TO(marketo_concurrent), "5", 1, 10,
	  .help = "share of Marketo's 10 calls at once" },
	{ "TANDEM_DYNAMICS_CALLS_PER_5MIN", CONFIG_NUMBER, TO(dynamics_calls_per_5min), "5000", 1,
	  8192,
	  .help = "share of Dynamics' calls in 5 minutes, which are 6,000 a user and web server" },
	{ "TANDEM_DYNAMICS_SECONDS_PER_5MIN", CONFIG_NUMBER, TO(dynamics_seconds_per_5min), "1200",
	  1, 100000,
	  .help = "share of the time Dynamics grants all requests together in 5 minutes, which is 1,200 "
		  "seconds a user and web server; above 70 % of it fewer run at once" },
	{ "TANDEM_DYNAMICS_CONCURRENT", CONFIG_NUMBER, TO(dynamics_concurrent), "4", 1, 52,
	  .help = "share of Dynamics' 52 calls at once" },
	{ "TANDEM_REALTIME_SHARE_PERCENT", CONFIG_NUMBER, TO(realtime_share_percent), "20", 0, 90,
	  .help = "part of those shares that only real-time calls may use" },
};

struct config_reader {
	const char *(*lookup)(void *context, const char *name);
	void *context;
	unsigned needs;
	struct config *config;
	struct buf *problems;
	size_t mistakes;
};

static void config_mistake(struct config_reader *r, const char *name, const char *rule)
{
	r->mistakes++;
	buf_fmt(r->problems, "%s: %s\n", name, rule);
}

static const char *config_lookup(const struct config_reader *r, const char *name)
{
	const char *value = r->lookup(r->context, name);

	return value && value[0] ? value : NULL;
}

/* The content of a secret's file without the line end editors put there. NULL: *ret_rule says why. */
static char *config_read_file(const char *path, const char **ret_rule)
{
	char *text = mem_alloc(CONFIG_FILE_MAX + 1);
	FILE *file = fopen(path, "re");
	size_t n = file ? fread(text, 1, CONFIG_FILE_MAX, file) : 0;
	int reason = errno;

	*ret_rule = NULL;
	if (!file || ferror(file))
		*ret_rule = strerrordesc_np(reason);
	else if (n == CONFIG_FILE_MAX)
		*ret_rule = "it is larger than a secret can be";
	else if (strlen(text) != n)
		*ret_rule = "it is not a text";
	if (file)
		(void)fclose(file);
	if (n && text[n - 1] == '\n')
		text[--n] = '\0';
	if (n && text[n - 1] == '\r')
		text[--n] = '\0';
	if (!*ret_rule && !n)
		*ret_rule = "it is empty";
	if (*ret_rule != NULL) {
		config_wipe(text);
		return NULL;
	}
	return text;
}

/* Whether another option, or its file, is set. */
static bool config_is_given(const struct config_reader *r, const char *name)
{
	char file_name[64];

	(void)snprintf(file_name, sizeof(file_name), "%s_FILE", name);
	return config_lookup(r, name) || config_lookup(r, file_name);
}

/* The value of an option, owned; NULL when it is not set or a mistake was noted (then
 * *ret_is_wrong). */
static char *config_value(struct config_reader *r, const struct option *o, bool *ret_is_wrong)
{
	const char *value = config_lookup(r, o->name);
	char file_name[64];
	const char *path, *rule;
	char *text;

	*ret_is_wrong = false;
	if (!o->is_secret)
		return mem_text(value);
	(void)snprintf(file_name, sizeof(file_name), "%s_FILE", o->name);
	path = config_lookup(r, file_name);
	if (!path)
		return mem_text(value);
	*ret_is_wrong = true;
	if (value) {
		buf_fmt(r->problems, "%s: set either this or %s, not both\n", o->name, file_name);
		r->mistakes++;
		return NULL;
	}
	text = config_read_file(path, &rule);
	*ret_is_wrong = text == NULL;
	if (!text) {
		buf_fmt(r->problems, "%s: cannot read the file: %s\n", file_name,
			rule ? rule : "?");
		r->mistakes++;
	}
	return text;
}

static void config_take(struct config_reader *r, const struct option *o)
{
	char rule[CONFIG_RULE];
	bool is_wrong;
	char *value = config_value(r, o, &is_wrong);
	bool is_replaced = o->instead && config_is_given(r, o->instead);

	if (is_wrong)
		return;
	if (value && is_replaced) {
		(void)snprintf(rule, sizeof(rule), "set either this or %s, not both", o->instead);
		config_mistake(r, o->name, rule);
		config_wipe(value);
		return;
	}
	if (!value && !is_replaced && (o->needs & r->needs)) {
		(void)snprintf(rule, sizeof(rule), "must be set%s%s: %s", o->instead ? ", or " : "",
			       o->instead ? o->instead : "", o->help);
		config_mistake(r, o->name, rule);
		return;
	}
	if (!value)
		value = mem_text(o->fallback);
	if (!value)
		return;
	if (o->kind == CONFIG_KEYS)
		r->mistakes += config_take_keys(o, value, r->config, r->problems);
	else if (!config_take_value(o, value, r->config, rule))
		config_mistake(r, o->name, rule);
	config_wipe(value);
}

enum err_kind config_load(const char *(*lookup)(void *context, const char *name), void *context,
			  unsigned needs, struct config *ret, struct buf *problems)
{
	struct config_reader r = { lookup, context, needs, ret, problems, 0 };

	*ret = (struct config){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		config_take(&r, &options[i]);
	return r.mistakes ? ERR_CONFIG : ERR_NONE;
}

void config_release(struct config *c)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (config_is_text(&options[i]))
			config_wipe(*config_text(c, &options[i]));
	}
	for (size_t i = 0; i < c->key_count; i++) {
		config_wipe(c->keys[i].name);
		config_wipe(c->keys[i].key);
	}
	free(c->keys);
	*c = (struct config){ 0 };
}

static const char *config_fallback(const struct option *o)
{
	if (o->fallback)
		return o->fallback;
	if (o->instead)
		return "this or the next must be set";
	return o->needs ? "must be set" : "not set";
}

void config_help(struct buf *out)
{
	buf_text(out,
		 "Settings are read from the environment. An empty one counts as not set.\n\n");
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const struct option *o = &options[i];

		buf_fmt(out, "%s (%s)\n    %s\n", o->name, config_fallback(o), o->help);
		if (o->is_secret)
			buf_fmt(out, "    or %s_FILE: the name of a file that holds it\n", o->name);
	}
}

void config_help_markdown(struct buf *out)
{
	buf_text(out, "| Setting | Default | Meaning |\n|---|---|---|\n");
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const struct option *o = &options[i];

		buf_fmt(out, "| `%s`", o->name);
		if (o->is_secret)
			buf_fmt(out, " or `%s_FILE`", o->name);
		if (o->fallback)
			buf_fmt(out, " | `%s` | %s |\n", o->fallback, o->help);
		else
			buf_fmt(out, " | %s | %s |\n", config_fallback(o), o->help);
	}
}

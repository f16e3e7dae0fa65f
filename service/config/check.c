/* What the value of an option has to look like; see check.h. A rule is told, the value never: it
 * may be a secret. */
#include "config/check.h"

#include "base/mem.h"

enum { CONFIG_KEY_MIN = 8, CONFIG_KEY_MAX = 256, CONFIG_NAME_MAX = 64 };

bool config_is_text(const struct option *o)
{
	return o->kind == CONFIG_TEXT || o->kind == CONFIG_PEM || o->kind == CONFIG_DATABASE ||
	       o->kind == CONFIG_URL || o->kind == CONFIG_LISTEN;
}

static void *config_member(struct config *c, const struct option *o)
{
	return (char *)c + o->offset;
}

char **config_text(struct config *c, const struct option *o)
{
	return config_member(c, o);
}

void config_wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static bool config_rule(char rule[CONFIG_RULE], const char *text)
{
	(void)snprintf(rule, CONFIG_RULE, "%s", text);
	return false;
}

/* Neither control characters nor white space at the ends: both come from copying and neither is
 * ever meant. */
static bool config_is_clean(struct str value)
{
	for (size_t i = 0; i < value.n; i++) {
		if ((unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f)
			return false;
	}
	return str_trim(value).n == value.n;
}

static bool config_check_database(struct str value, char rule[CONFIG_RULE])
{
	if (str_starts(value, STR("postgresql://")) || str_starts(value, STR("postgres://")) ||
	    memchr(value.p, '=', value.n))
		return true;
	return config_rule(
		rule,
		"must be a PostgreSQL address such as postgresql://tandem@db.example.org/tandem");
}

static bool config_is_loopback(struct str host)
{
	static const char digits_and_dots[] = "0123456789.";

	if (str_equal_fold(host, STR("localhost")) || str_equal(host, STR("[::1]")))
		return true;
	for (size_t i = 0; i < host.n; i++) {
		if (!strchr(digits_and_dots, host.p[i]))
			return false;
	}
	return str_starts(host, STR("127."));
}

/* Splits "host:port"; a host in brackets keeps them. False when the port is none or a character
 * cannot be in a host. */
static bool config_host(struct str authority, struct str *ret_host)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
	struct str port = authority, host;
	int64_t number = 1;

	if (authority.n && authority.p[0] == '[') {
		host = str_cut(&port, ']');
		if (!port.p)
			return false; /* the bracket is not closed */
		host.n++;
		if (port.n && port.p[0] != ':')
			return false;
		*ret_host = host;
		return !port.n ||
		       str_int64((struct str){ port.p + 1, port.n - 1 }, 1, 65535, &number);
	}
	host = str_cut(&port, ':');
	for (size_t i = 0; i < host.n; i++) {
		if (!strchr(allowed, host.p[i]))
			return false;
	}
	*ret_host = host;
	return host.n && (!port.p || str_int64(port, 1, 65535, &number));
}

static bool config_check_url(struct str value, char rule[CONFIG_RULE])
{
	struct str rest = value, host;
	bool is_https = str_starts(value, STR("https://"));

	if (!is_https && !str_starts(value, STR("http://")))
		return config_rule(rule,
				   "must begin with https:// (or http:// for a loopback address)");
	rest.p += is_https ? 8 : 7;
	rest.n -= is_https ? 8 : 7;
	if (!config_host(rest, &host))
		return config_rule(
			rule,
			"must be scheme, host and port only, such as https://host.example.org: "
			"no path, no user, no query");
	if (!is_https && !config_is_loopback(host))
		return config_rule(
			rule,
			"must be https://; plain http:// is allowed to a loopback address only");
	return true;
}

static bool config_check_listen(struct str value, char rule[CONFIG_RULE])
{
	struct str port = value;
	int64_t number;

	if (value.n && value.p[0] == '[') {
		(void)str_cut(&port, ']');
		if (port.n && port.p[0] == ':' &&
		    str_int64((struct str){ port.p + 1, port.n - 1 }, 0, 65535, &number))
			return true;
	} else {
		(void)str_cut(&port, ':');
		if (port.p && str_int64(port, 0, 65535, &number))
			return true;
	}
	return config_rule(rule, "must be ADDRESS:PORT, such as 127.0.0.1:8080, [::1]:0 or :8080");
}

static bool config_take_text(const struct option *o, struct str value, struct config *c,
			     char rule[CONFIG_RULE])
{
	if (o->kind == CONFIG_URL) {
		if (str_ends(value, STR("/")) && !str_ends(value, STR("//")))
			value.n--; /* as addresses are often copied */
		if (!config_check_url(value, rule))
			return false;
	}
	if (o->kind == CONFIG_DATABASE && !config_check_database(value, rule))
		return false;
	if (o->kind == CONFIG_LISTEN && !config_check_listen(value, rule))
		return false;
	*config_text(c, o) = mem_array(value.n + 1, 1);
	memcpy(*config_text(c, o), value.p, value.n);
	return true;
}

static bool config_take_number(const struct option *o, struct str value, struct config *c,
			       char rule[CONFIG_RULE])
{
	int64_t number;

	if (str_int64(value, o->min, o->max, &number)) {
		*(int64_t *)config_member(c, o) = number;
		return true;
	}
	(void)snprintf(rule, CONFIG_RULE, "must be a whole number from %lld to %lld",
		       (long long)o->min, (long long)o->max);
	return false;
}

static bool config_take_seconds(const struct option *o, struct str value, struct config *c,
				char rule[CONFIG_RULE])
{
	bool is_good = value.n > 0;
	int64_t ms;

	for (size_t i = 0; i < value.n; i++)
		is_good = is_good && strchr("0123456789.", value.p[i]);
	if (is_good && str_decimal_ms(value, &ms) && ms >= o->min && ms <= o->max) {
		*(int64_t *)config_member(c, o) = ms;
		return true;
	}
	(void)snprintf(rule, CONFIG_RULE, "must be seconds from %g to %g, such as 300 or 0.5",
		       (double)o->min / 1000, (double)o->max / 1000);
	return false;
}

static bool config_take_days(const struct option *o, struct str value, struct config *c,
			     char rule[CONFIG_RULE])
{
	bool is_good = value.n > 0 && value.n < 16;
	double ms;
	char *end;

	for (size_t i = 0; i < value.n; i++)
		is_good = is_good && strchr("0123456789.", value.p[i]);
	ms = is_good ? strtod(value.p, &end) * 24 * 3600 * 1000 : 0;
	if (is_good && !*end && ms >= (double)o->min && ms <= (double)o->max) {
		*(int64_t *)config_member(c, o) = (int64_t)ms;
		return true;
	}
	(void)snprintf(rule, CONFIG_RULE, "must be days up to %g, such as 30 or 0.5",
		       (double)o->max / (24.0 * 3600 * 1000));
	return false;
}

/* Index of the word; -1 and the rule when it is none of them. */
static int config_choice(const struct option *o, struct str value, char rule[CONFIG_RULE])
{
	size_t used = (size_t)snprintf(rule, CONFIG_RULE, "must be ");

	for (int i = 0; o->choices[i]; i++) {
		if (str_equal(value, str_of(o->choices[i])))
			return i;
		if (used < CONFIG_RULE)
			used += (size_t)snprintf(rule + used, CONFIG_RULE - used, "%s%s",
						 i == 0              ? ""
						 : o->choices[i + 1] ? ", "
								     : " or ",
						 o->choices[i]);
	}
	return -1;
}

bool config_take_value(const struct option *o, const char *value, struct config *c,
		       char rule[CONFIG_RULE])
{
	struct str text = str_of(value);
	int choice;

	if (o->kind != CONFIG_PEM && !config_is_clean(text))
		return config_rule(rule,
				   "must not hold control characters, nor white space at its ends");
	switch (o->kind) {
	case CONFIG_TEXT:
	case CONFIG_PEM:
	case CONFIG_DATABASE:
	case CONFIG_URL:
	case CONFIG_LISTEN:
		return config_take_text(o, text, c, rule);
	case CONFIG_NUMBER:
		return config_take_number(o, text, c, rule);
	case CONFIG_SECONDS:
		return config_take_seconds(o, text, c, rule);
	case CONFIG_DAYS:
		return config_take_days(o, text, c, rule);
	case CONFIG_CHOICE:
		choice = config_choice(o, text, rule);
		*(bool *)config_member(c, o) = choice == 0;
		return choice >= 0;
	case CONFIG_LEVEL:
		if (config_choice(o, text, rule) < 0)
			return false;
		return log_level_parse(text, config_member(c, o)) ||
		       config_rule(rule, "is not a log level");
	case CONFIG_KEYS:
		break;
	}
	return config_rule(rule, "is not read here");
}

static bool config_key_role(struct str name, enum config_role *ret)
{
	static const struct {
		const char *name;
		enum config_role role;
	} roles[] = {
		{ "campaign", CONFIG_ROLE_CAMPAIGN },
		{ "read", CONFIG_ROLE_READ },
		{ "admin", CONFIG_ROLE_ADMIN },
	};

	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		if (str_equal(name, str_of(roles[i].name))) {
			*ret = roles[i].role;
			return true;
		}
	}
	return false;
}

static bool config_is_key_name(struct str name)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";

	for (size_t i = 0; i < name.n; i++) {
		if (!strchr(allowed, name.p[i]))
			return false;
	}
	return name.n && name.n <= CONFIG_NAME_MAX;
}

/* It travels in a header: printable ASCII without spaces. */
static bool config_is_key(struct str key)
{
	for (size_t i = 0; i < key.n; i++) {
		if (key.p[i] <= ' ' || key.p[i] > '~')
			return false;
	}
	return key.n >= CONFIG_KEY_MIN && key.n <= CONFIG_KEY_MAX;
}

/* NULL: good. An entry may be a key put down without its name: nothing of it is ever told. */
static const char *config_key_rule(struct str entry, const struct config *c, struct config_key *ret)
{
	struct str key = entry;
	struct str name = str_trim(str_cut(&key, ':'));
	struct str role = str_cut(&key, ':');

	if (!config_is_key_name(name) || !role.p || !key.p)
		return "must be name:role:key, the name of letters, digits, - . _";
	if (!config_key_role(role, &ret->role))
		return "has a role that is not campaign, read or admin";
	key = str_trim(key);
	if (!config_is_key(key))
		return "has a key that is not 8 to 256 printable characters without spaces";
	for (size_t i = 0; i < c->key_count; i++) {
		if (str_equal(name, str_of(c->keys[i].name)))
			return "has a name that was given before";
		if (str_equal(key, str_of(c->keys[i].key)))
			return "has a key that was given before";
	}
	ret->name = mem_array(name.n + 1, 1);
	memcpy(ret->name, name.p, name.n);
	ret->key = mem_array(key.n + 1, 1);
	memcpy(ret->key, key.p, key.n);
	return NULL;
}

size_t config_take_keys(const struct option *o, const char *value, struct config *c,
			struct buf *problems)
{
	struct str rest = str_of(value);
	size_t mistakes = 0;

	for (size_t number = 1; rest.n; number++) {
		struct config_key key = { 0 };
		const char *rule = config_key_rule(str_cut(&rest, ','), c, &key);

		if (rule) {
			buf_fmt(problems, "%s: entry %zu %s\n", o->name, number, rule);
			mistakes++;
			continue;
		}
		c->keys = mem_grow(c->keys, c->key_count + 1, sizeof(*c->keys));
		c->keys[c->key_count++] = key;
	}
	return mistakes;
}

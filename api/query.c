/* Query parameters; see query.h. A parameter that is unknown, given twice or out of its range is a
 * mistake of the caller and is named. */
#include "api/query.h"

#include "api/route.h"
#include "base/clock.h"
#include "base/guid.h"

enum { QUERY_LIMIT_DEFAULT = 100, QUERY_LIMIT_MAX = 1000, QUERY_TEXT_MAX = 512 };

static bool query_take_limit(struct str value, struct arena *a, struct list_query *ret)
{
	int64_t limit;

	(void)a;
	if (!str_int64(value, 1, QUERY_LIMIT_MAX, &limit))
		return false;
	ret->limit = (unsigned)limit;
	return true;
}

/* Printable ASCII only: it goes to the database, and no name or cursor needs more. */
static bool query_is_plain(struct str value)
{
	if (!value.n || value.n > QUERY_TEXT_MAX)
		return false;
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] <= ' ' || value.p[i] > '~')
			return false;
	}
	return true;
}

static bool query_take_cursor(struct str value, struct arena *a, struct list_query *ret)
{
	(void)a;
	ret->cursor = value;
	return query_is_plain(value);
}

static bool query_take_person_id(struct str value, struct arena *a, struct list_query *ret)
{
	(void)a;
	return str_int64(value, 1, INT64_MAX, &ret->person_id);
}

static bool query_take_record_id(struct str value, struct arena *a, struct list_query *ret)
{
	struct guid id;
	char text[GUID_TEXT];

	if (!guid_parse(value, &id))
		return false;
	guid_print(&id, text);
	ret->record_id = arena_str(a, str_of(text));
	return true;
}

static bool query_take_field(struct str value, struct arena *a, struct list_query *ret)
{
	(void)a;
	ret->field = value;
	return query_is_plain(value);
}

static bool query_take_state(struct str value, struct arena *a, struct list_query *ret)
{
	(void)a;
	ret->state = value;
	return str_equal(value, STR("open")) || str_equal(value, STR("resolved")) ||
	       str_equal(value, STR("all"));
}

static bool query_take_since(struct str value, struct arena *a, struct list_query *ret)
{
	(void)a;
	return clock_parse(value, &ret->since_s);
}

static bool query_take_until(struct str value, struct arena *a, struct list_query *ret)
{
	(void)a;
	return clock_parse(value, &ret->until_s);
}

static const struct query_rule {
	enum route_param bit;
	const char *name;
	bool (*take)(struct str value, struct arena *a, struct list_query *ret);
	const char *rule;
} query_rules[] = {
	{ PARAM_LIMIT, "limit", query_take_limit, "must be a whole number from 1 to 1000" },
	{ PARAM_CURSOR, "cursor", query_take_cursor,
	  "must be the next of an earlier answer, unchanged" },
	{ PARAM_PERSON_ID, "personId", query_take_person_id, "must be a whole number from 1 up" },
	{ PARAM_RECORD_ID, "recordId", query_take_record_id, "must be a GUID" },
	{ PARAM_FIELD, "field", query_take_field, "must be the name of a field" },
	{ PARAM_STATE, "state", query_take_state, "must be open, resolved or all" },
	{ PARAM_SINCE, "since", query_take_since, "must be a time such as 2026-08-30T14:05:09Z" },
	{ PARAM_UNTIL, "until", query_take_until, "must be a time such as 2026-08-30T14:05:09Z" },
};

static int query_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool query_decode(struct str raw, struct arena *a, struct str *ret)
{
	char *text = arena_alloc(a, raw.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < raw.n; i++) {
		int c = (unsigned char)raw.p[i];

		if (c == '%') {
			int high = i + 2 < raw.n ? query_hex(raw.p[i + 1]) : -1;
			int low = i + 2 < raw.n ? query_hex(raw.p[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = high * 16 + low;
			i += 2;
		}
		if (c < ' ' || c == 0x7f)
			return false;
		text[n++] = (char)c;
	}
	*ret = (struct str){ text, n };
	return true;
}

static const struct query_rule *query_rule_find(struct str name, unsigned allowed)
{
	for (size_t i = 0; i < ARRAY_LEN(query_rules); i++) {
		if ((query_rules[i].bit & allowed) && str_equal(name, str_of(query_rules[i].name)))
			return &query_rules[i];
	}
	return NULL;
}

static bool query_unknown(struct str name, unsigned allowed, struct problem *problem)
{
	char known[PROBLEM_DETAIL] = "", field[PROBLEM_FIELD];
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_LEN(query_rules); i++) {
		if (query_rules[i].bit & allowed && used < sizeof(known))
			used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
						 used ? ", " : "", query_rules[i].name);
	}
	(void)snprintf(field, sizeof(field), "%.100s", name.n ? name.p : "");
	return problem_set(problem, PROBLEM_BAD_REQUEST, field,
			   "no such parameter here; this address knows %s", used ? known : "none");
}

static bool query_take(struct str part, unsigned allowed, unsigned *seen, struct arena *a,
		       struct list_query *ret, struct problem *problem)
{
	struct str value = part;
	struct str name = str_cut(&value, '=');
	const struct query_rule *rule;

	if (!query_decode(name, a, &name))
		return problem_set(problem, PROBLEM_BAD_REQUEST, NULL,
				   "the name of a query parameter is not properly percent-encoded");
	rule = query_rule_find(name, allowed);
	if (!rule)
		return query_unknown(name, allowed, problem);
	if (*seen & rule->bit)
		return problem_set(problem, PROBLEM_BAD_REQUEST, rule->name, "%s is given twice",
				   rule->name);
	*seen |= rule->bit;
	if (!query_decode(value, a, &value) || !rule->take(value, a, ret))
		return problem_set(problem, PROBLEM_BAD_REQUEST, rule->name, "%s %s", rule->name,
				   rule->rule);
	return true;
}

bool query_list(struct str raw, unsigned allowed, struct arena *a, struct list_query *ret,
		struct problem *problem)
{
	unsigned seen = 0;

	*ret = (struct list_query){ .limit = QUERY_LIMIT_DEFAULT };
	if (allowed & PARAM_ANY)
		return true;
	while (raw.n) {
		struct str part = str_cut(&raw, '&');

		if (part.n && !query_take(part, allowed, &seen, a, ret, problem))
			return false;
	}
	if (ret->since_s && ret->until_s && ret->since_s > ret->until_s)
		return problem_set(problem, PROBLEM_BAD_REQUEST, "until",
				   "until lies before since");
	return true;
}

/* The q of a media range in thousandths ("RFC 9110: Accept"); 1000 without one, 0 for a broken one.
 */
static int64_t query_quality(struct str parameters)
{
	while (parameters.n) {
		struct str value = str_cut(&parameters, ';');
		struct str name = str_trim(str_cut(&value, '='));
		int64_t quality;

		if (!str_equal_fold(name, STR("q")))
			continue;
		return str_decimal_ms(str_trim(value), &quality) && quality <= 1000 ? quality : 0;
	}
	return 1000;
}

bool query_prefers_csv(const char *accept)
{
	struct str rest = str_of(accept);
	int64_t csv = 0, json = 0;

	while (rest.n) {
		struct str parameters = str_cut(&rest, ',');
		struct str range = str_trim(str_cut(&parameters, ';'));
		int64_t quality = query_quality(parameters);

		if (str_equal_fold(range, STR("text/csv")))
			csv = quality;
		else if (str_equal_fold(range, STR("application/json")))
			json = quality;
	}
	return csv > 0 && csv >= json;
}

/* Reading people: one by id, many by the values of a field. Adobe: Lead Database, Leads. */
#include <stdlib.h>
#include <string.h>

#include "marketo/marketo.h"

enum { VALUES_MAX = 300, MATCHES_MAX = 1000 };

static void selection_add(struct selection *s, int column)
{
	if (s->chosen[column])
		return;
	s->chosen[column] = true;
	s->columns[s->count++] = column;
}

static void selection_visit(void *context, const char *name, size_t len)
{
	struct selection *s = context;
	int column = field_find(s->call->m, name, len);

	if (column >= 0) {
		selection_add(s, column);
	} else if ((len == 7 && memcmp(name, "cookies", 7) == 0) ||
		   (len == 5 && memcmp(name, "ecids", 5) == 0)) {
		s->wrong = true;
		call_unsupported(s->call, "the sandbox does not track web visits");
	} else if (!s->wrong) {
		s->wrong = true;
		call_fail(s->call, 1006, "Field '%.*s' not found", (int)(len < 200 ? len : 200),
			  name);
	}
}

bool selection_read(struct call *call, struct selection *s)
{
	static const int defaults[] = { COLUMN_ID,    COLUMN_FIRST_NAME, COLUMN_LAST_NAME,
					COLUMN_EMAIL, COLUMN_UPDATED_AT, COLUMN_CREATED_AT };

	*s = (struct selection){ .call = call };
	call_each_value(call, "fields", selection_visit, s);
	if (s->wrong)
		return false;
	if (!s->count)
		for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
			selection_add(s, defaults[i]);
	else
		selection_add(s, COLUMN_ID);
	return true;
}

void lead_json(struct call *call, const struct selection *s, uint32_t position)
{
	const char *before = "{";

	for (size_t i = 0; i < s->count; i++) {
		if (call->m->limits.leave_out_empty &&
		    !person_has(call->m, position, s->columns[i]))
			continue;
		text_puts(call->out, before);
		text_json_key(call->out, call->m->fields.list[s->columns[i]].name);
		person_field_json(call->m, position, s->columns[i], call->out);
		before = ",";
	}
	text_add(call->out, "}", 1);
	call->records++;
}

void lead_get(struct call *call)
{
	struct selection s;
	char *end;
	long long id = strtoll(call->word.data, &end, 10);
	uint32_t position;
	bool known = !*end && person_find(call->m, id, &position);

	if (*end) {
		call_fail(call, 1001, "Invalid value '%s'. Required of type 'Integer'",
			  call->word.data);
		return;
	}
	if (!selection_read(call, &s))
		return;
	if (!known && !call->m->limits.unknown_is_empty) {
		call_fail(call, 1004, "Lead '%lld' not found", id);
		return;
	}
	text_puts(call->out, ",\"result\":[");
	if (known)
		lead_json(call, &s, position);
	text_puts(call->out, "]");
}

/* ---- by the values of a field ---- */

struct match {
	struct call *call;
	int column;
	size_t values, count;
	uint32_t found[MATCHES_MAX + 1];
	struct text value; /* for work */
};

static void match_visit(void *context, const char *value, size_t len)
{
	struct match *s = context;
	enum field_type type = s->call->m->fields.list[s->column].type;

	s->values++;
	if (s->values > VALUES_MAX)
		return;
	text_clear(&s->value);
	if (field_types[type].words)
		text_add(&s->value, value,
			 len); /* as it is: loaded people may hold what is refused now */
	else if (!value_from_text(type, value, len, &s->value))
		return; /* what no person can hold matches nobody */
	s->count += people_look_up(s->call->m, s->column, s->value.data, s->value.len,
				   s->found + s->count, MATCHES_MAX + 1 - s->count);
}

static int newest_first(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left < right) - (left > right);
}

static void match_unique(struct match *s)
{
	size_t kept = 0;

	qsort(s->found, s->count, sizeof(s->found[0]), newest_first);
	for (size_t i = 0; i < s->count; i++)
		if (!kept || s->found[kept - 1] != s->found[i])
			s->found[kept++] = s->found[i];
	s->count = kept;
}

/* Adobe: Leads, Get Leads by Filter Type: what else it takes. */
static bool filter_is_lacking(const char *name)
{
	static const char *const names[] = { "cookies", "facebookId", "linkedinId", "twitterId" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return strncmp(name, "sfdc", 4) == 0;
}

/* The column of filterType; -1 after having failed the call. */
static int filter_column(struct call *call)
{
	struct text name = { 0 };
	int column = -1;

	if (!call_param(call, "filterType", 0, &name) || !name.len) {
		call_fail(call, 701, "filterType cannot be blank");
	} else if (filter_is_lacking(name.data)) {
		call_unsupported(call, "the sandbox does not look leads up by cookies, social or "
				       "Salesforce ids");
	} else {
		column = field_find(call->m, name.data, name.len);
		if (column < 0)
			call_fail(call, 1006, "Field '%s' not found", name.data);
		else if (!field_can_filter(&call->m->fields.list[column], column)) {
			call_fail(call, 1011, "Field '%s' is not supported as filterType",
				  name.data);
			column = -1;
		}
	}
	text_free(&name);
	return column;
}

/* False after having failed the call. */
static bool match_read(struct call *call, struct match *s)
{
	call_each_value(call, "filterValues", match_visit, s);
	text_free(&s->value);
	if (!s->values)
		call_fail(call, 701, "filterValues cannot be blank");
	else if (s->values > VALUES_MAX)
		call_fail(call, 1003, "Number of filterValues exceeds the limit %d", VALUES_MAX);
	else if (s->count > MATCHES_MAX)
		call_fail(call, 1003, "Too many results match the filter");
	match_unique(s);
	return !call->error_code;
}

void leads_get(struct call *call)
{
	struct match s = { .call = call, .column = filter_column(call) };
	struct selection chosen;
	size_t batch, start, end;

	if (s.column < 0 || !selection_read(call, &chosen) ||
	    !call_page_start(call, PAGE_LEADS, &start))
		return;
	batch = call_batch_size(call);
	if (!batch || !match_read(call, &s))
		return;
	start = start < s.count ? start : s.count;
	end = start + batch < s.count ? start + batch : s.count;
	text_puts(call->out, ",\"result\":[");
	for (size_t i = start; i < end; i++) {
		text_puts(call->out, i > start ? "," : "");
		lead_json(call, &chosen, s.found[i]);
	}
	text_puts(call->out, "]");
	if (end < s.count)
		call_page_next(call, PAGE_LEADS, end);
}

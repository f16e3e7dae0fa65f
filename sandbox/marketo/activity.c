/* Reading the change log: activities, lead changes, deleted leads, the tokens they are paged by,
 * the types. Adobe: Lead Database, Activities. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "marketo/caller.h"

/* Adobe: Activities: at most 10 types and 30 leads a call; no list of 10,000 members or more. */
enum { TYPES_MAX = 10, LEADS_MAX = 30, LIST_MEMBERS_MAX = 10000, DAY = 86400 };

/* What a page is made of. */
struct page {
	struct call *call;
	uint32_t types[TYPES_MAX];
	size_t type_count;
	uint32_t leads[LEADS_MAX]; /* none: all */
	size_t lead_count;
	const struct static_list *list; /* NULL: all */
	bool columns[FIELDS_MAX];       /* lead changes: of which 13 is told */
	bool as_changes;                /* lead changes: the other shape */
	struct text before, after;
};

/* Adobe: Activities Data Retention Policy. Days; what is not here stays. */
static const struct {
	uint32_t type;
	int64_t days;
} kept_days[] = { { ACTIVITY_CHANGE_VALUE, 90 },
		  { ACTIVITY_CHANGE_SCORE, 90 },
		  { ACTIVITY_DELETE, 14 },
		  { ACTIVITY_MERGE, 760 },
		  { ACTIVITY_CHANGE_PARTITION, 760 },
		  { ACTIVITY_CALL_WEBHOOK, 760 } };

bool activity_kept(const struct event *e, int64_t now)
{
	int64_t days = e->type >= ACTIVITY_CUSTOM_FROM ? 760 : 0;

	for (size_t i = 0; i < sizeof(kept_days) / sizeof(kept_days[0]); i++)
		if (kept_days[i].type == e->type)
			days = kept_days[i].days;
	return !days || now - e->date < days * DAY;
}

static bool contains(const uint32_t *list, size_t count, uint32_t wanted)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == wanted)
			return true;
	return false;
}

static bool event_wanted(const struct page *p, const struct event *e)
{
	if (!contains(p->types, p->type_count, e->type))
		return false;
	if (p->as_changes && e->type == ACTIVITY_CHANGE_VALUE && !p->columns[e->column])
		return false;
	if (p->lead_count && !contains(p->leads, p->lead_count, e->lead))
		return false;
	return !p->list || list_has(p->list, e->lead - FIRST_PERSON_ID);
}

/* ---- showing an entry ---- */

static void attribute(struct text *out, const char *name, const char *bytes, size_t len)
{
	if (!len)
		return; /* an empty attribute is left out */
	text_puts(out, out->data[out->len - 1] == '[' ? "{\"name\":" : ",{\"name\":");
	text_json_string(out, name, strlen(name));
	text_puts(out, ",\"value\":");
	text_json_string(out, bytes, len);
	text_puts(out, "}");
}

static void attribute_words(struct text *out, const char *name, const char *words)
{
	attribute(out, name, words, strlen(words));
}

/* Only what came through the API has them. */
static void api_attributes(struct text *out, const struct event *e)
{
	if (e->origin || e->user < 0)
		return;
	attribute_words(out, "API Method Name", "Sync Leads");
	attribute_words(out, "Modifying User", marketo_users[e->user].login);
}

static void named_event_json(struct page *p, const struct event *e, struct text *out)
{
	text_printf(out, ",\"primaryAttributeValueId\":%u,\"primaryAttributeValue\":", e->lead);
	text_json_string(out, log_payload(&p->call->m->log, e), e->payload_len);
	if (e->type == ACTIVITY_NEW_LEAD && p->as_changes)
		text_puts(out, ",\"fields\":[]");
	text_puts(out, ",\"attributes\":[");
	if (e->type == ACTIVITY_NEW_LEAD) {
		struct text date = { 0 };

		clock_print(&date, e->date);
		attribute(out, "Created Date", date.data, 10);
		text_free(&date);
		attribute_words(out, "Source Type", log_origin_of(&p->call->m->log, e)->source);
		api_attributes(out, e);
	}
	text_puts(out, "]");
}

static void value_event_json(struct page *p, const struct event *e, struct text *out)
{
	const struct field *field = &p->call->m->fields.list[e->column];
	const struct origin *origin = log_origin_of(&p->call->m->log, e);
	struct text step = { 0 };

	log_split_values(&p->call->m->log, e, &p->before, &p->after);
	text_printf(out, ",\"primaryAttributeValueId\":%u,\"primaryAttributeValue\":", field->id);
	text_json_string(out, field->display, strlen(field->display));
	text_puts(out, ",\"attributes\":[");
	if (e->type == ACTIVITY_CHANGE_SCORE) {
		text_printf(&step, "%+ld",
			    strtol(p->after.data, NULL, 10) - strtol(p->before.data, NULL, 10));
		attribute(out, "Change Value", step.data, step.len);
	}
	attribute(out, "New Value", p->after.data, p->after.len);
	attribute(out, "Old Value", p->before.data, p->before.len);
	attribute_words(out, "Reason", origin->reason);
	if (e->type == ACTIVITY_CHANGE_VALUE) {
		attribute_words(out, "Source", origin->source);
		api_attributes(out, e);
	}
	text_puts(out, "]");
	text_free(&step);
}

static void change_event_json(struct page *p, const struct event *e, struct text *out)
{
	const struct field *field = &p->call->m->fields.list[e->column];
	const struct origin *origin = log_origin_of(&p->call->m->log, e);

	log_split_values(&p->call->m->log, e, &p->before, &p->after);
	text_printf(out, ",\"fields\":[{\"id\":%u,\"name\":\"%s\"", field->id, field->name);
	if (p->before.len) {
		text_puts(out, ",\"oldValue\":");
		text_json_string(out, p->before.data, p->before.len);
	}
	if (p->after.len) {
		text_puts(out, ",\"newValue\":");
		text_json_string(out, p->after.data, p->after.len);
	}
	text_puts(out, "}],\"attributes\":[");
	attribute_words(out, "Source", origin->source);
	attribute_words(out, "Reason", origin->reason);
	text_printf(out, "%s{\"name\":\"Lead ID\",\"value\":%u}]",
		    *origin->source || *origin->reason ? "," : "", e->lead);
}

void activity_ids_json(const struct marketo *m, uint32_t id, struct text *out)
{
	enum { GUID_MAX = 128 };

	if (m->limits.ids_repeat)
		text_printf(out, "\"id\":%u,", id / 2);
	else if (!m->limits.ids_missing)
		text_printf(out, "\"id\":%u,", id);
	if (m->limits.long_guids)
		text_printf(out, "\"marketoGUID\":\"%0*u\"", GUID_MAX, id);
	else
		text_printf(out, "\"marketoGUID\":\"%u\"", id);
}

static void event_json(struct page *p, const struct event *e)
{
	struct text *out = p->call->out;

	text_puts(out, "{");
	activity_ids_json(p->call->m, e->id, out);
	text_printf(out, ",\"leadId\":%u,\"activityDate\":\"", e->lead);
	clock_print(out, e->date);
	text_printf(out, "\",\"activityTypeId\":%u", e->type);
	if (log_origin_of(&p->call->m->log, e)->campaign)
		text_printf(out, ",\"campaignId\":%u",
			    log_origin_of(&p->call->m->log, e)->campaign);
	if (e->type == ACTIVITY_NEW_LEAD || e->type == ACTIVITY_DELETE)
		named_event_json(p, e, out);
	else if (e->type == ACTIVITY_CHANGE_VALUE && p->as_changes)
		change_event_json(p, e, out);
	else if (e->type == ACTIVITY_CHANGE_VALUE || e->type == ACTIVITY_CHANGE_SCORE)
		value_event_json(p, e, out);
	else
		text_add(out, log_payload(&p->call->m->log, e), e->payload_len);
	text_puts(out, "}");
	p->call->records++;
}

void activity_json(struct marketo *m, const struct event *e, struct text *out)
{
	struct call call = { .m = m, .out = out };
	struct page p = { .call = &call };

	event_json(&p, e);
	text_free(&p.before);
	text_free(&p.after);
}

/* ---- a page ---- */

/* False after having failed the call. */
static bool mark_read(struct call *call, struct page_mark *ret)
{
	struct text token = { 0 };
	bool given = call_param(call, "nextPageToken", 0, &token) && token.len;
	bool good = given && page_mark_read(call->m, token.data, ret);

	text_free(&token);
	if (!given) {
		call_fail(call, 701, "nextPageToken cannot be blank");
		return false;
	}
	if (good && ret->kind == PAGE_INSTANT) {
		ret->kind = PAGE_LOG;
		ret->since = (uint32_t)ret->at;
		ret->at = log_first_since(&call->m->log, ret->since);
	}
	if (good && ret->kind == PAGE_LOG && ret->at <= call->m->log.count)
		return true;
	call_fail(call, 1003, "Invalid value for nextPageToken");
	return false;
}

/* What of a stretch of the log the page shows, by position; the mark moves on behind it. */
static size_t page_select(const struct page *p, struct page_mark *mark, size_t batch, size_t *ret)
{
	const struct log *log = &p->call->m->log;
	size_t last = mark->at + (size_t)p->call->m->limits.scan_events;
	int64_t now = sandbox_now_s();
	size_t count = 0;

	last = last < log->count ? last : log->count;
	for (; mark->at < last && count < batch; mark->at++) {
		const struct event *e = &log->events[mark->at];

		if (e->date >= mark->since && event_wanted(p, e) && activity_kept(e, now))
			ret[count++] = mark->at;
	}
	return count;
}

/* Turns round every run of the same second. */
static void ties_reverse(const struct log *log, size_t *at, size_t count)
{
	for (size_t from = 0, to; from < count; from = to) {
		to = from + 1;
		while (to < count && log->events[at[to]].date == log->events[at[from]].date)
			to++;
		for (size_t i = from, k = to - 1; i < k; i++, k--) {
			size_t kept = at[i];

			at[i] = at[k];
			at[k] = kept;
		}
	}
}

/* Looks through a stretch of the log only: a page may be empty and yet not the last. */
static void page_answer(struct page *p)
{
	struct call *call = p->call;
	const struct log *log = &call->m->log;
	const struct limits *limits = &call->m->limits;
	size_t batch = call_batch_size(call), count;
	size_t at[BATCH_MAX];
	struct page_mark mark;
	bool more;

	log_settle(call->m);
	if (!batch || !mark_read(call, &mark))
		return;
	count = page_select(p, &mark, batch, at);
	more = mark.at < log->count;
	if (limits->repeats_last && count > 1)
		mark.at = at[count - 1];
	if (limits->ties_reversed)
		ties_reverse(log, at, count);
	text_puts(call->out, ",\"result\":[");
	for (size_t i = 0; i < count; i++) {
		text_puts(call->out, i ? "," : "");
		event_json(p, &log->events[at[i]]);
	}
	text_puts(call->out, "],\"nextPageToken\":\"");
	page_mark_print(call->m, &mark, call->out);
	text_printf(call->out, "\",\"moreResult\":%s", more ? "true" : "false");
	text_free(&p->before);
	text_free(&p->after);
}

void paging_token_get(struct call *call)
{
	struct text since = { 0 };
	int64_t instant;

	if (!call_param(call, "sinceDatetime", 0, &since) || !since.len) {
		call_fail(call, 701, "sinceDatetime cannot be blank");
	} else if (!time_from_text(since.data, since.len, &instant) || instant < 0 ||
		   instant > UINT32_MAX) {
		call_fail(call, 704, "Invalid date format '%s'", since.data);
	} else {
		text_puts(call->out, ",\"nextPageToken\":\"");
		page_mark_print(call->m,
				&(struct page_mark){ .kind = PAGE_INSTANT,
						     .at = (uint64_t)instant },
				call->out);
		text_puts(call->out, "\"");
	}
	text_free(&since);
}

static void number_visit(struct page *p, uint32_t *list, size_t *count, size_t most,
			 const char *value, const char *name)
{
	char *end;
	unsigned long number = strtoul(value, &end, 10);

	if (end == value || (*end && *end != ',') || number > UINT32_MAX)
		call_fail(p->call, 1003, "Invalid value for %s", name);
	else if (*count == most)
		call_fail(p->call, 1003, "At most %zu %s are allowed", most, name);
	else
		list[(*count)++] = (uint32_t)number;
}

static void type_visit(void *context, const char *value, size_t len)
{
	struct page *p = context;

	(void)len;
	number_visit(p, p->types, &p->type_count, TYPES_MAX, value, "activityTypeIds");
}

static void lead_visit(void *context, const char *value, size_t len)
{
	struct page *p = context;

	(void)len;
	number_visit(p, p->leads, &p->lead_count, LEADS_MAX, value, "leadIds");
}

static void column_visit(void *context, const char *name, size_t len)
{
	struct page *p = context;
	int column = field_find(p->call->m, name, len);

	if (column < 0)
		call_fail(p->call, 1006, "Field '%.*s' not found", (int)(len < 200 ? len : 200),
			  name);
	else
		p->columns[column] = true;
}

/* listId: only people of the list. False after having failed the call. */
static bool list_read(struct page *p)
{
	struct call *call = p->call;
	struct text word = { 0 };

	if (call_param(call, "listId", 0, &word) && word.len) {
		p->list = list_by_id(call->m, strtoll(word.data, NULL, 10));
		if (!p->list)
			call_fail(call, 1013, "List '%s' not found", word.data);
		else if (p->list->count >= LIST_MEMBERS_MAX)
			call_fail(call, 1003, "List '%s' has %d members or more", word.data,
				  LIST_MEMBERS_MAX);
	}
	text_free(&word);
	return !call->error_code;
}

/* assetIds goes with one type only, and none of the types here has assets. False after having
 * refused the call. */
static bool assets_read(struct page *p)
{
	struct text word = { 0 };
	bool given = call_param(p->call, "assetIds", 0, &word);

	text_free(&word);
	if (given && p->type_count > 1)
		call_fail(p->call, 1003, "assetIds is allowed with one activityTypeId only");
	else if (given)
		call_unsupported(p->call, "the sandbox does not look activities up by asset");
	return !given;
}

void activities_get(struct call *call)
{
	struct page p = { .call = call };

	call_each_value(call, "activityTypeIds", type_visit, &p);
	call_each_value(call, "leadIds", lead_visit, &p);
	if (!call->error_code && !p.type_count)
		call_fail(call, 701, "activityTypeIds cannot be blank");
	if (!call->error_code && assets_read(&p) && list_read(&p))
		page_answer(&p);
}

void lead_changes_get(struct call *call)
{
	struct page p = { .call = call,
			  .types = { ACTIVITY_NEW_LEAD, ACTIVITY_CHANGE_VALUE },
			  .type_count = 2,
			  .as_changes = true };
	struct text fields = { 0 };

	if (!call_param(call, "fields", 0, &fields) || !fields.len)
		call_fail(call, 701, "fields cannot be blank");
	text_free(&fields);
	call_each_value(call, "fields", column_visit, &p);
	call_each_value(call, "leadIds", lead_visit, &p);
	if (!call->error_code && list_read(&p))
		page_answer(&p);
}

void deleted_leads_get(struct call *call)
{
	struct page p = { .call = call, .types = { ACTIVITY_DELETE }, .type_count = 1 };

	page_answer(&p);
}

/* ---- types ---- */

struct listed {
	const char *name, *type;
};

static const struct {
	uint32_t id;
	const char *name, *description;
	struct listed primary;
	struct listed attributes[8]; /* up to the first without a name */
} standard_types[] = {
	{ ACTIVITY_NEW_LEAD,
	  "New Lead",
	  "New person/record added to the database",
	  { "Lead ID", "integer" },
	  { { "API Method Name", "string" },
	    { "Created Date", "date" },
	    { "Modifying User", "string" },
	    { "Source Type", "string" } } },
	{ ACTIVITY_CHANGE_VALUE,
	  "Change Data Value",
	  "Changed attribute value for a person record",
	  { "Attribute Name", "string" },
	  { { "API Method Name", "string" },
	    { "Modifying User", "string" },
	    { "New Value", "string" },
	    { "Old Value", "string" },
	    { "Reason", "string" },
	    { "Source", "string" } } },
	{ ACTIVITY_CHANGE_SCORE,
	  "Change Score",
	  "Changed the score of a person record",
	  { "Score Name", "string" },
	  { { "Change Value", "score" },
	    { "New Value", "integer" },
	    { "Old Value", "integer" },
	    { "Reason", "string" } } },
	{ ACTIVITY_MERGE,
	  "Merge Leads",
	  "Person record was merged with other records",
	  { "Lead ID", "integer" },
	  { { "Master Updated", "boolean" },
	    { "Merge IDs", "string" },
	    { "Merge Source", "string" },
	    { "Merged in Sales", "boolean" } } },
	{ ACTIVITY_DELETE,
	  "Delete Lead",
	  "Person record was deleted",
	  { "Lead ID", "integer" },
	  { { 0 } } },
	{ ACTIVITY_CHANGE_PARTITION,
	  "Change Lead Partition",
	  "Person record was moved to another partition",
	  { "New Partition ID", "integer" },
	  { { "Old Partition ID", "integer" }, { "Reason", "string" } } },
	{ ACTIVITY_CALL_WEBHOOK,
	  "Call Webhook",
	  "Called a webhook for a person record",
	  { "Webhook", "string" },
	  { { "Error Type", "string" }, { "Response", "string" } } },
};

static void listed_json(struct text *out, const struct listed *attribute)
{
	text_printf(out, "{\"name\":\"%s\",\"dataType\":\"%s\"}", attribute->name, attribute->type);
}

void activity_types_get(struct call *call)
{
	text_puts(call->out, ",\"result\":[");
	for (size_t i = 0; i < sizeof(standard_types) / sizeof(standard_types[0]); i++) {
		const struct listed *attributes = standard_types[i].attributes;

		text_printf(call->out, "%s{\"id\":%u,\"name\":\"%s\",\"description\":\"%s\"",
			    i ? "," : "", standard_types[i].id, standard_types[i].name,
			    standard_types[i].description);
		text_puts(call->out, ",\"primaryAttribute\":");
		listed_json(call->out, &standard_types[i].primary);
		text_puts(call->out, ",\"attributes\":[");
		for (size_t k = 0; attributes[k].name; k++) {
			text_puts(call->out, k ? "," : "");
			listed_json(call->out, &attributes[k]);
		}
		text_puts(call->out, "]}");
	}
	custom_types_add_json(call->m, call->out);
	services_add_types(call->m, call->out);
	text_puts(call->out, "]");
}

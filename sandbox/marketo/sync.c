/* Writing people: sync, delete, merge, partitions. Adobe: Lead Database, Leads. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marketo/marketo.h"

enum { MERGE_MAX = 25 };

enum action {
	ACTION_CREATE_OR_UPDATE,
	ACTION_CREATE_ONLY,
	ACTION_UPDATE_ONLY,
	ACTION_CREATE_DUPLICATE
};

static const char *const action_names[] = {
	[ACTION_CREATE_OR_UPDATE] = "createOrUpdate",
	[ACTION_CREATE_ONLY] = "createOnly",
	[ACTION_UPDATE_ONLY] = "updateOnly",
	[ACTION_CREATE_DUPLICATE] = "createDuplicate",
};

struct sync {
	struct call *call;
	enum action action;
	int lookup;        /* column */
	uint8_t partition; /* id; 0: not named */
	struct draft *draft;
	struct text error;
};

/* Whom a record is for, found before any record of the call is applied: the same new key twice
 * makes two people. */
struct target {
	size_t matches; /* 2 stands for several */
	uint32_t position;
	int code; /* not 0: the look-up value itself is refused */
};

/* False after having failed the call. */
static bool action_read(struct sync *s)
{
	struct json_object *value;
	const char *name = json_member_text(s->call->json, "action");

	if (!json_object_object_get_ex(s->call->json, "action", &value) || !value)
		return true;
	for (size_t i = 0; name && i < sizeof(action_names) / sizeof(action_names[0]); i++) {
		if (strcmp(name, action_names[i]) != 0)
			continue;
		s->action = (enum action)i;
		return true;
	}
	call_fail(s->call, 1003, "Invalid value for action '%s'", json_object_get_string(value));
	return false;
}

static bool lookup_read(struct sync *s)
{
	struct json_object *value;
	const char *name = json_member_text(s->call->json, "lookupField");
	struct marketo *m = s->call->m;

	s->lookup = COLUMN_EMAIL;
	if (!json_object_object_get_ex(s->call->json, "lookupField", &value) || !value)
		return true;
	s->lookup = name ? field_find(m, name, strlen(name)) : -1;
	if (s->lookup < 0)
		call_fail(s->call, 1006, "Lookup field '%s' not found",
			  json_object_get_string(value));
	else if (!field_can_filter(&m->fields.list[s->lookup], s->lookup) ||
		 s->lookup == COLUMN_PARTITION)
		call_fail(s->call, 1011, "Field '%s' is not supported as lookup field", name);
	else if (s->lookup == COLUMN_ID && s->action != ACTION_UPDATE_ONLY)
		call_fail(s->call, 1003,
			  "Lookup field 'id' is allowed with action 'updateOnly' only");
	return !s->call->error_code;
}

uint8_t partition_named(const char *name)
{
	for (int i = 0; name && i < PARTITION_COUNT; i++)
		if (strcmp(marketo_partitions[i], name) == 0)
			return (uint8_t)(i + 1);
	return 0;
}

static bool partition_read(struct sync *s)
{
	struct json_object *value;

	if (!json_object_object_get_ex(s->call->json, "partitionName", &value) || !value)
		return true;
	s->partition = partition_named(json_member_text(s->call->json, "partitionName"));
	if (!s->partition)
		call_fail(s->call, 1013, "Partition '%s' not found", json_object_get_string(value));
	else if (s->action != ACTION_CREATE_ONLY && s->action != ACTION_CREATE_OR_UPDATE)
		call_fail(s->call, 1003,
			  "partitionName is allowed with createOnly and createOrUpdate only");
	return !s->call->error_code;
}

static struct target target_find(struct sync *s, struct json_object *record)
{
	struct marketo *m = s->call->m;
	const struct field *field = &m->fields.list[s->lookup];
	struct target t = { 0 };
	struct json_object *value;
	struct text key = { 0 };
	uint32_t found[2];

	if (!json_object_is_type(record, json_type_object) || s->action == ACTION_CREATE_DUPLICATE)
		return t;
	if (!json_object_object_get_ex(record, field->name, &value) || !value) {
		t.code = s->action == ACTION_CREATE_ONLY ? 0 : 1002;
		return t;
	}
	if (!value_from_json(field, value, &key))
		t.code = 1003;
	else if (!key.len && s->action != ACTION_CREATE_ONLY)
		t.code = 1002;
	else
		t.matches = people_look_up(m, s->lookup, key.data, key.len, found, 2);
	if (t.matches)
		t.position = found[0];
	text_free(&key);
	return t;
}

/* Says why the record cannot be done as asked; false when it can. */
static bool target_refuse(const struct sync *s, const struct target *t)
{
	struct text *out = s->call->out;
	const char *lookup = s->call->m->fields.list[s->lookup].name;

	if (t->code == 1002)
		skip_record(out, "reasons", 1003, "Value for lookup field '%s' not found", lookup);
	else if (t->code)
		skip_record(out, "reasons", 1003, "Invalid value for lookup field '%s'", lookup);
	else if (t->matches > 1)
		skip_record(out, "reasons", 1007, "Multiple lead match lookup criteria");
	else if (t->matches && s->action == ACTION_CREATE_ONLY)
		skip_record(out, "reasons", 1005, "Lead already exists");
	else if (!t->matches && s->action == ACTION_UPDATE_ONLY)
		skip_record(out, "reasons", 1004, "Lead not found");
	else if (t->matches && s->partition &&
		 s->call->m->people.list[t->position].partition != s->partition)
		skip_record(out, "reasons", 1010, "Lead is in another partition");
	else
		return false;
	return true;
}

static void record_apply(struct sync *s, struct json_object *record, const struct target *t)
{
	struct marketo *m = s->call->m;
	bool updates = s->action == ACTION_UPDATE_ONLY;
	uint32_t position = t->position;
	int code;

	text_clear(&s->error);
	if (!json_object_is_type(record, json_type_object)) {
		skip_record(s->call->out, "reasons", 1003, "A record must be an object");
		return;
	}
	code = draft_read(m, s->draft, record, updates, &s->error);
	if (code) {
		skip_record(s->call->out, "reasons", code, "%s", s->error.data);
		return;
	}
	if (target_refuse(s, t))
		return;
	code = draft_company_check(m, s->draft, t->matches ? &position : NULL, &s->error);
	if (code) {
		skip_record(s->call->out, "reasons", code, "%s", s->error.data);
		return;
	}
	if (t->matches)
		draft_update(m, s->draft, position, s->call->user);
	else
		position =
			draft_create(m, s->draft, s->partition ? s->partition : 1, s->call->user);
	text_printf(s->call->out, "{\"id\":%u,\"status\":\"%s\"}", person_id(position),
		    t->matches ? "updated" : "created");
}

/* Lets others in between look-up and write, so that two upserts of one new key make two people.
 * False after having failed the call, when the instance is not the same any more. */
static bool race_pause(struct call *call, struct target *targets, size_t count)
{
	struct marketo *m = call->m;
	uint32_t world = m->world;

	if (!m->limits.upsert_race_ms)
		return true;
	call_wait(m, m->limits.upsert_race_ms);
	if (m->world != world) {
		call_fail(call, 611, "System error");
		return false;
	}
	for (size_t i = 0; i < count; i++)
		if (targets[i].matches == 1 && m->people.list[targets[i].position].gone)
			targets[i].matches = 0;
	return true;
}

void leads_sync(struct call *call)
{
	struct sync s = { .call = call };
	struct json_object *input = call_input(call), *async;
	struct target *targets;
	size_t count;

	if (!input || !action_read(&s) || !lookup_read(&s) || !partition_read(&s))
		return;
	if (json_object_object_get_ex(call->json, "asyncProcessing", &async) &&
	    json_object_get_boolean(async)) {
		call_unsupported(call, "the sandbox does not process leads asynchronously");
		return;
	}
	count = json_object_array_length(input);
	targets = calloc(count, sizeof(*targets));
	if (!targets)
		abort();
	s.draft = draft_new();
	for (size_t i = 0; i < count; i++)
		targets[i] = target_find(&s, json_object_array_get_idx(input, i));
	if (!race_pause(call, targets, count))
		count = 0;
	text_puts(call->out, count ? ",\"result\":[" : "");
	for (size_t i = 0; i < count; i++, call->records++) {
		struct json_object *record = json_object_array_get_idx(input, i);

		text_puts(call->out, i ? "," : "");
		if (!record_ordered(call, "reasons", record))
			record_apply(&s, record, &targets[i]);
	}
	text_puts(call->out, count ? "]" : "");
	draft_free(s.draft);
	text_free(&s.error);
	free(targets);
}

/* ---- delete ---- */

static void lead_delete(struct call *call, int64_t id)
{
	struct text name = { 0 };
	uint32_t position;

	text_puts(call->out, call->records++ ? "," : "");
	if (!person_find(call->m, id, &position)) {
		skip_record(call->out, "reasons", 1004, "Lead not found");
		return;
	}
	person_full_name(call->m, position, &name);
	person_remove(call->m, position);
	log_other(call->m, person_id(position), ACTIVITY_DELETE, sandbox_now_s(), call->user,
		  &name);
	text_printf(call->out, "{\"id\":%u,\"status\":\"deleted\"}", person_id(position));
	text_free(&name);
}

static int64_t record_id(struct json_object *record)
{
	struct json_object *id;

	return json_object_object_get_ex(record, "id", &id) ? json_object_get_int64(id) : -1;
}

static void delete_visit(void *context, const char *value, size_t len)
{
	(void)len;
	lead_delete(context, strtoll(value, NULL, 10));
}

static void count_visit(void *context, const char *value, size_t len)
{
	(void)value;
	(void)len;
	++*(size_t *)context;
}

void leads_delete(struct call *call)
{
	struct json_object *input = NULL;
	size_t count = 0;

	if (call->json) {
		input = call_input(call);
		if (!input)
			return;
	}
	call_each_value(call, "id", count_visit, &count);
	if (!input && count > BATCH_MAX) {
		call_fail(call, 1003, "Number of ids %zu exceeds the limit %d", count, BATCH_MAX);
		return;
	}
	text_puts(call->out, ",\"result\":[");
	for (size_t i = 0; input && i < json_object_array_length(input); i++) {
		struct json_object *record = json_object_array_get_idx(input, i);

		lead_delete(call,
			    json_object_is_type(record, json_type_object) ? record_id(record) : -1);
	}
	if (!input)
		call_each_value(call, "id", delete_visit, call);
	text_puts(call->out, "]");
	if (!call->records)
		call_fail(call, 701, "input cannot be blank");
}

/* ---- merge ---- */

struct merge {
	struct marketo *m;
	uint32_t winner, losers[MERGE_MAX];
	size_t count;
	int code;
};

static void merge_visit(void *context, const char *value, size_t len)
{
	struct merge *s = context;
	uint32_t position;

	(void)len;
	if (s->count == MERGE_MAX)
		s->code = 1080;
	else if (!person_find(s->m, strtoll(value, NULL, 10), &position) || position == s->winner)
		s->code = s->code ? s->code : 1004;
	else
		s->losers[s->count++] = position;
}

struct fill {
	struct marketo *m;
	uint32_t winner;
	bool standard;
};

/* The winner's empty fields take the loser's values; that leaves no entries of their own in the
 * change log. */
static void fill_visit(void *context, uint16_t column, const char *bytes, size_t len)
{
	struct fill *f = context;
	size_t have;

	if (person_get(f->m, f->winner, column, &have))
		return;
	person_set(f->m, f->winner, column, bytes, len);
	f->standard = f->standard || !(f->m->fields.list[column].flags & FIELD_CUSTOM);
}

static void merge_log(const struct merge *s, int user)
{
	struct text payload = { 0 }, name = { 0 };

	person_full_name(s->m, s->winner, &name);
	text_printf(&payload, ",\"primaryAttributeValueId\":%u,\"primaryAttributeValue\":",
		    person_id(s->winner));
	text_json_string(&payload, name.data ? name.data : "", name.len);
	text_puts(&payload, ",\"attributes\":[{\"name\":\"Merge IDs\",\"value\":\"[");
	for (size_t i = 0; i < s->count; i++)
		text_printf(&payload, "%s%u", i ? ", " : "", person_id(s->losers[i]));
	text_puts(&payload,
		  "]\"},{\"name\":\"Master Updated\",\"value\":false},{\"name\":\"Merge Source\","
		  "\"value\":\"leaddb\"},{\"name\":\"Merged in Sales\",\"value\":false}]");
	log_other(s->m, person_id(s->winner), ACTIVITY_MERGE, sandbox_now_s(), user, &payload);
	text_free(&payload);
	text_free(&name);
}

static void merge_apply(struct merge *s, int user)
{
	struct fill f = { .m = s->m, .winner = s->winner };

	for (size_t i = 0; i < s->count; i++) {
		uint32_t loser = s->losers[i];

		if (s->m->people.list[loser].gone)
			continue; /* named twice */
		row_each(s->m->people.list[loser].row, fill_visit, &f);
		lists_merge(s->m, s->winner, loser);
		log_merge(&s->m->log, person_id(s->winner), person_id(loser));
		person_remove(s->m, loser);
	}
	s->m->people.list[s->winner].touched = (uint32_t)sandbox_now_s();
	if (f.standard)
		s->m->people.list[s->winner].updated = (uint32_t)sandbox_now_s();
	merge_log(s, user);
}

void lead_merge(struct call *call)
{
	struct merge s = { .m = call->m };
	struct text word = { 0 };
	bool in_crm = call_param(call, "mergeInCRM", 0, &word) && strcmp(word.data, "true") == 0;

	text_free(&word);
	if (in_crm) {
		call_unsupported(call, "the sandbox has no native CRM sync to merge in");
		return;
	}
	if (!person_find(call->m, strtoll(call->word.data, NULL, 10), &s.winner)) {
		call_fail(call, 1004, "Lead '%s' not found", call->word.data);
		return;
	}
	call_each_value(call, "leadId", merge_visit, &s);
	call_each_value(call, "leadIds", merge_visit, &s);
	if (s.code == 1080)
		call_fail(call, 1080, "At most %d leads can be merged at once", MERGE_MAX);
	else if (s.code)
		call_fail(call, 1004, "Lead not found");
	else if (!s.count)
		call_fail(call, 701, "leadId cannot be blank");
	else
		merge_apply(&s, call->user);
	call->records = (int64_t)s.count;
}

/* ---- partitions ---- */

void partitions_get(struct call *call)
{
	text_puts(call->out, ",\"result\":[");
	for (int i = 0; i < PARTITION_COUNT; i++, call->records++)
		text_printf(call->out, "%s{\"id\":%d,\"name\":\"%s\",\"description\":\"\"}",
			    i ? "," : "", i + 1, marketo_partitions[i]);
	text_puts(call->out, "]");
}

static void partition_change(struct call *call, uint32_t position, uint8_t to)
{
	struct person *p = &call->m->people.list[position];
	const struct event now = { .origin = call->m->log.origin };
	const char *reason = log_origin_of(&call->m->log, &now)->reason;
	struct text payload = { 0 };

	text_printf(&payload, ",\"primaryAttributeValueId\":%d,\"primaryAttributeValue\":\"%s\"",
		    to, marketo_partitions[to - 1]);
	text_printf(&payload, ",\"attributes\":[{\"name\":\"Old Partition ID\",\"value\":%d}",
		    p->partition);
	text_puts(&payload, ",{\"name\":\"Reason\",\"value\":");
	text_json_string(&payload, reason, strlen(reason));
	text_puts(&payload, "}]");
	log_other(call->m, person_id(position), ACTIVITY_CHANGE_PARTITION, sandbox_now_s(),
		  call->user, &payload);
	p->partition = to;
	text_free(&payload);
}

static void partition_move(struct call *call, struct json_object *record)
{
	const char *name = json_member_text(record, "partitionName");
	uint8_t to = partition_named(name);
	uint32_t position;

	if (!to) {
		skip_record(call->out, "reasons", 1013, "Partition '%s' not found",
			    name ? name : "");
		return;
	}
	if (!person_find(call->m, record_id(record), &position)) {
		skip_record(call->out, "reasons", 1004, "Lead not found");
		return;
	}
	if (call->m->people.list[position].partition != to)
		partition_change(call, position, to);
	text_printf(call->out, "{\"id\":%u,\"status\":\"updated\"}", person_id(position));
}

void partitions_post(struct call *call)
{
	call_each_record(call, partition_move);
}

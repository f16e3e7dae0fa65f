/* Static lists and who is on them. Adobe: Lead Database, Static Lists and List Membership.
 * A list is made through the control address, as a marketer would make it by hand. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "marketo/marketo.h"

enum { FIRST_LIST_ID = 1021 };

void lists_free(struct marketo *m)
{
	for (size_t i = 0; i < m->lists.count; i++) {
		struct static_list *list = &m->lists.list[i];

		free(list->name);
		free(list->program);
		free(list->workspace);
		free(list->members);
	}
	free(m->lists.list);
	m->lists = (struct lists){ 0 };
}

struct static_list *list_by_id(struct marketo *m, int64_t id)
{
	if (id < FIRST_LIST_ID || (uint64_t)(id - FIRST_LIST_ID) >= m->lists.count)
		return NULL;
	return &m->lists.list[id - FIRST_LIST_ID];
}

struct static_list *list_by_name(struct marketo *m, const char *name)
{
	for (size_t i = 0; i < m->lists.count; i++)
		if (strcmp(m->lists.list[i].name, name) == 0)
			return &m->lists.list[i];
	return NULL;
}

/* Where the person stands among the members, or would. */
static size_t member_place(const struct static_list *list, uint32_t position)
{
	size_t low = 0, high = list->count;

	if (high && list->members[high - 1] < position)
		return high; /* most are added in the order of their ids */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->members[middle] < position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool list_has(const struct static_list *list, uint32_t position)
{
	size_t at = member_place(list, position);

	return at < list->count && list->members[at] == position;
}

void list_add(struct static_list *list, uint32_t position)
{
	size_t at = member_place(list, position);

	if (at < list->count && list->members[at] == position)
		return;
	if (list->count == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 64;
		list->members = realloc(list->members, list->cap * sizeof(*list->members));
		if (!list->members)
			abort();
	}
	memmove(list->members + at + 1, list->members + at,
		(list->count - at) * sizeof(*list->members));
	list->members[at] = position;
	list->count++;
}

static bool list_remove(struct static_list *list, uint32_t position)
{
	size_t at = member_place(list, position);

	if (at == list->count || list->members[at] != position)
		return false;
	list->count--;
	memmove(list->members + at, list->members + at + 1,
		(list->count - at) * sizeof(*list->members));
	return true;
}

void lists_merge(struct marketo *m, uint32_t winner, uint32_t loser)
{
	for (size_t i = 0; i < m->lists.count; i++)
		if (list_has(&m->lists.list[i], loser))
			list_add(&m->lists.list[i], winner);
}

void lists_forget(struct marketo *m, uint32_t position)
{
	for (size_t i = 0; i < m->lists.count; i++)
		list_remove(&m->lists.list[i], position);
}

/* ---- the lists ---- */

uint32_t list_id(const struct marketo *m, const struct static_list *list)
{
	return (uint32_t)(FIRST_LIST_ID + (list - m->lists.list));
}

static void add_member(struct text *out, const char *name, const char *value)
{
	text_puts(out, ",");
	text_json_key(out, name);
	text_json_string(out, value, strlen(value));
}

static void list_json(struct call *call, const struct static_list *list)
{
	struct text *out = call->out;

	text_printf(out, "%s{\"id\":%u", call->records++ ? "," : "", list_id(call->m, list));
	add_member(out, "name", list->name);
	if (*list->program)
		add_member(out, "programName", list->program);
	add_member(out, "workspaceName", list->workspace);
	text_puts(out, ",\"createdAt\":\"");
	clock_print(out, list->created);
	text_puts(out, "\",\"updatedAt\":\"");
	clock_print(out, list->created);
	text_puts(out, "\"}");
}

static bool list_passes(const struct call *call, const struct static_list *list)
{
	struct text id = { 0 };
	bool passes;

	text_printf(&id, "%u", list_id(call->m, list));
	passes = call_filter_passes(call, "id", id.data) &&
		 call_filter_passes(call, "name", list->name) &&
		 call_filter_passes(call, "programName", list->program) &&
		 call_filter_passes(call, "workspaceName", list->workspace);
	text_free(&id);
	return passes;
}

void lists_get(struct call *call)
{
	size_t batch = call_batch_size(call);
	size_t at;

	if (!batch || !call_page_start(call, PAGE_LISTS, &at))
		return;
	text_puts(call->out, ",\"result\":[");
	for (; at < call->m->lists.count && (size_t)call->records < batch; at++)
		if (list_passes(call, &call->m->lists.list[at]))
			list_json(call, &call->m->lists.list[at]);
	text_puts(call->out, "]");
	if (at < call->m->lists.count)
		call_page_next(call, PAGE_LISTS, at);
}

/* The list the path names; NULL after having failed the call. */
static struct static_list *list_named(struct call *call)
{
	char *end;
	long long id = strtoll(call->word.data, &end, 10);
	struct static_list *list = *end ? NULL : list_by_id(call->m, id);

	if (*end)
		call_fail(call, 1001, "Invalid value '%s'. Required of type 'Integer'",
			  call->word.data);
	else if (!list)
		call_fail(call, 1013, "List '%lld' not found", id);
	return list;
}

void list_get(struct call *call)
{
	struct static_list *list = list_named(call);

	if (!list)
		return;
	text_puts(call->out, ",\"result\":[");
	list_json(call, list);
	text_puts(call->out, "]");
}

void list_make(struct marketo *m, struct json_object *body, struct text *out, struct text *error)
{
	const char *name = json_member_text(body, "name");
	const char *workspace = json_member_text(body, "workspaceName");
	struct static_list *grown;

	if (!name || !*name || list_by_name(m, name)) {
		text_puts(error, "name must be the name of a list that does not exist yet");
		return;
	}
	grown = realloc(m->lists.list, (m->lists.count + 1) * sizeof(*grown));
	if (!grown)
		abort();
	m->lists.list = grown;
	grown[m->lists.count] = (struct static_list){
		.name = word_copy(name),
		.program = word_copy(json_member_text(body, "programName")),
		.workspace = word_copy(workspace ? workspace : "Default"),
		.created = sandbox_now_s(),
	};
	text_printf(out, "{\"id\":%zu}", FIRST_LIST_ID + m->lists.count++);
}

/* ---- members ---- */

enum member_verb { MEMBER_ADD, MEMBER_REMOVE, MEMBER_ASK };

struct member_call {
	struct call *call;
	struct static_list *list;
	enum member_verb verb;
};

static void member_skip(struct call *call, int64_t id, int code, const char *message)
{
	text_printf(call->out,
		    "{\"id\":%lld,\"status\":\"skipped\",\"reasons\":[{\"code\":\"%d\","
		    "\"message\":\"%s\"}]}",
		    (long long)id, code, message);
}

static void member_do(const struct member_call *c, int64_t id)
{
	struct call *call = c->call;
	const char *status = NULL;
	uint32_t position;

	text_puts(call->out, call->records++ ? "," : "");
	if (!person_find(call->m, id, &position)) {
		member_skip(call, id, 1004, "Lead not found");
		return;
	}
	switch (c->verb) {
	case MEMBER_ADD:
		list_add(c->list, position);
		status = "added";
		break;
	case MEMBER_REMOVE:
		status = list_remove(c->list, position) ? "removed" : NULL;
		break;
	case MEMBER_ASK:
		status = list_has(c->list, position) ? "memberof" : "notmemberof";
		break;
	}
	if (status)
		text_printf(call->out, "{\"id\":%lld,\"status\":\"%s\"}", (long long)id, status);
	else
		member_skip(call, id, 1015, "Lead not in list");
}

static void count_visit(void *context, const char *value, size_t len)
{
	(void)value;
	(void)len;
	++*(size_t *)context;
}

static void member_visit(void *context, const char *value, size_t len)
{
	(void)len;
	member_do(context, strtoll(value, NULL, 10));
}

static void members_do(struct call *call, enum member_verb verb)
{
	struct member_call c = { .call = call, .list = list_named(call), .verb = verb };
	struct json_object *input = NULL;
	size_t count = 0;

	if (!c.list)
		return;
	if (call->json) {
		input = call_input(call);
		if (!input)
			return;
	}
	call_each_value(call, "id", count_visit, &count);
	if (!input && !count) {
		call_fail(call, 701, "id cannot be blank");
		return;
	}
	if (!input && count > BATCH_MAX) {
		call_fail(call, 1003, "Number of ids %zu exceeds the limit %d", count, BATCH_MAX);
		return;
	}
	text_puts(call->out, ",\"result\":[");
	for (size_t i = 0; input && i < json_object_array_length(input); i++) {
		struct json_object *id;

		member_do(&c,
			  json_object_object_get_ex(json_object_array_get_idx(input, i), "id", &id)
				  ? json_object_get_int64(id)
				  : 0);
	}
	if (!input)
		call_each_value(call, "id", member_visit, &c);
	text_puts(call->out, "]");
}

void list_leads_post(struct call *call)
{
	members_do(call, MEMBER_ADD);
}

void list_leads_delete(struct call *call)
{
	members_do(call, MEMBER_REMOVE);
}

void list_member_get(struct call *call)
{
	members_do(call, MEMBER_ASK);
}

/* Paged by the member's position, so that additions and removals between pages shift nothing. */
void list_leads_get(struct call *call)
{
	struct static_list *list = list_named(call);
	struct selection chosen;
	size_t batch, at;

	if (!list || !selection_read(call, &chosen) || !call_page_start(call, PAGE_MEMBERS, &at))
		return;
	batch = call_batch_size(call);
	if (!batch)
		return;
	at = member_place(list, (uint32_t)at);
	text_puts(call->out, ",\"result\":[");
	for (; at < list->count && (size_t)call->records < batch; at++) {
		text_puts(call->out, call->records ? "," : "");
		lead_json(call, &chosen, list->members[at]);
	}
	text_puts(call->out, "]");
	if (at < list->count)
		call_page_next(call, PAGE_MEMBERS, list->members[at]);
}

void lead_lists_get(struct call *call)
{
	size_t batch = call_batch_size(call);
	size_t at;
	uint32_t position;

	if (!batch || !call_page_start(call, PAGE_LISTS, &at))
		return;
	if (!person_find(call->m, strtoll(call->word.data, NULL, 10), &position)) {
		call_fail(call, 1004, "Lead '%s' not found", call->word.data);
		return;
	}
	text_puts(call->out, ",\"result\":[");
	for (; at < call->m->lists.count && (size_t)call->records < batch; at++)
		if (list_has(&call->m->lists.list[at], position))
			list_json(call, &call->m->lists.list[at]);
	text_puts(call->out, "]");
	if (at < call->m->lists.count)
		call_page_next(call, PAGE_LISTS, at);
}

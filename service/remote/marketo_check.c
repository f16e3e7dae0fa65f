/* The set-up validation of the Marketo side, line by line. It changes nothing, so what only a write
 * could prove is not claimed. Must not know how the lines are shown. */
#include <string.h>

#include "remote/marketo_parts.h"

/* ---- a native CRM sync ---- */

struct check_native {
	bool is_active;
};

/* A field that a CRM owns exists only where a native sync runs ("Adobe: Leads", describe2). */
static enum err_kind check_native_element(void *context, struct json_object *element,
					  struct err *err)
{
	struct json_object *fields = json_get_array(element, "fields");
	size_t count = fields ? json_object_array_length(fields) : 0;
	struct check_native *n = context;

	(void)err;
	for (size_t i = 0; i < count; i++) {
		bool is_managed = false;

		(void)json_get_bool(json_object_array_get_idx(fields, i), "crmManaged",
				    &is_managed);
		n->is_active |= is_managed;
	}
	return ERR_NONE;
}

static void check_native_sync(struct marketo *m, const struct call *call, struct check_list *list)
{
	struct check_native native = { false };
	struct marketo_sink sink = { .element = check_native_element, .context = &native };
	struct marketo_request r = { .path = "/rest/v1/leads/describe2.json",
				     .timeout_ms = MARKETO_OTHER_MS,
				     .permission = "Read-Only Lead",
				     .sink = &sink };
	struct err err = { .kind = ERR_NONE };
	enum err_kind kind = marketo_ask(m, call, &r, &err);

	marketo_request_release(&r);
	if (kind == ERR_NONE && native.is_active) {
		(void)err_set(&err, ERR_BROKEN,
			      "a native CRM sync is active: Tandem needs an instance without one");
		err.kind = ERR_BROKEN;
	}
	check_add(list, "no native CRM sync", &err, NULL);
}

/* ---- fields ---- */

static void check_stamp(const struct schema *schema, struct check_list *list)
{
	struct err err = { .kind = ERR_NONE };

	for (size_t i = 0; i < STAMP_FIELD_COUNT && err.kind == ERR_NONE; i++) {
		const struct column *c = schema_find(schema, str_of(stamp_fields[i].name));

		if (!c)
			(void)err_set(&err, ERR_CONFIG, "field %s is missing: run tandem setup",
				      stamp_fields[i].name);
		else if (!c->can_update)
			(void)err_set(&err, ERR_RIGHTS, "field %s is read-only",
				      stamp_fields[i].name);
	}
	check_add(list, "stamp fields", &err, NULL);
}

static bool check_schema(struct marketo *m, const struct call *call, struct check_list *list)
{
	struct err err = { .kind = ERR_NONE };
	struct arena a = { NULL, 0 };
	struct schema schema;
	enum err_kind kind = marketo_describe(m, call, TABLE_PERSON, &a, &schema, &err);

	check_add(list, "person: read fields", &err, NULL);
	if (kind == ERR_NONE)
		check_stamp(&schema, list);
	arena_release(&a);
	return kind == ERR_NONE;
}

/* ---- feed and activity type ---- */

static void check_feed(struct marketo *m, const struct call *call, struct check_list *list)
{
	const struct mapping none = { .count = 0 };
	struct err err = { .kind = ERR_NONE };
	struct arena a = { NULL, 0 };
	struct change_page page;
	struct str cursor;

	if (marketo_start_cursor(m, call, 0, &a, &cursor, &err) == ERR_NONE)
		(void)marketo_changes(m, call, &none, TABLE_PERSON, cursor, &a, &page, &err);
	check_add(list, "person: read changes", &err, NULL);
	arena_release(&a);
}

static void check_activity(struct marketo *m, const struct call *call, struct check_list *list)
{
	struct marketo_activity_state state = { 0 };
	struct err err = { .kind = ERR_NONE };

	if (marketo_activity_look(m, call, &state, &err) == ERR_NONE && !state.is_approved)
		(void)err_set(&err, ERR_CONFIG, "activity type %s is %s: run tandem setup",
			      marketo_activity_api_name, state.is_there ? "a draft" : "missing");
	check_add(list, "activity type", &err, NULL);
}

void marketo_check(void *self, const struct call *call, struct check_list *ret)
{
	struct marketo *m = self;
	char header[MARKETO_HEADER_MAX];
	struct err err = { .kind = ERR_NONE };
	uint64_t serial;

	(void)marketo_token_get(m->token, call, header, &serial, &err);
	explicit_bzero(header, sizeof(header));
	check_add(ret, "address", err.kind == ERR_RETRY_LATER ? &err : NULL,
		  err.kind == ERR_RETRY_LATER
			  ? "Marketo cannot be reached: check MARKETO_URL and the network"
			  : NULL);
	check_add(ret, "credentials", &err, NULL);
	if (err.kind != ERR_NONE || !check_schema(m, call, ret))
		return;
	check_feed(m, call, ret);
	check_activity(m, call, ret);
	check_native_sync(m, call, ret);
}

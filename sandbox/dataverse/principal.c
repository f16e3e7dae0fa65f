/* What a user may do, as functions bound to the user's row tell it (Microsoft Learn:
 * RetrieveUserPrivileges and its narrower kin, RetrievePrincipalAccess,
 * RetrievePrincipalAttributePrivileges). */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "dataverse/dataverse.h"

static const struct user *user_of_record(const struct table *t, uint32_t record)
{
	for (size_t i = 0; i < USER_COUNT; i++) {
		struct guid id = user_system_id(&dataverse_users[i]);

		if (dataverse_users[i].member && guid_equal(&id, &t->records[record].id))
			return &dataverse_users[i];
	}
	return NULL;
}

/* A function being answered; user NULL: a person, whose roles are not imitated. */
struct asked {
	struct call *call;
	const struct user *user;
	const char *name, *arguments;
};

static void begin(const struct asked *a, const char *member)
{
	call_json(a->call, 200);
	call_context(a->call, "Microsoft.Dynamics.CRM.%sResponse", a->name);
	text_printf(&a->call->response->body, ",\"%s\":", member);
}

/* --- privileges --- */

struct wanted {
	struct json_object *list; /* of names or identifiers; NULL: all */
};

static bool is_wanted(void *context, const char *name, const char *id)
{
	const struct wanted *wanted = context;

	for (size_t i = 0; wanted->list && i < json_object_array_length(wanted->list); i++) {
		const char *item =
			json_object_get_string(json_object_array_get_idx(wanted->list, i));

		if (item && (strcasecmp(item, name) == 0 || strcasecmp(item, id) == 0))
			return true;
	}
	return !wanted->list;
}

static bool write_privileges(const struct asked *a, struct json_object *list)
{
	struct wanted wanted = { .list = list };
	struct text *out = &a->call->response->body;

	begin(a, "RolePrivileges");
	text_puts(out, "[");
	if (a->user)
		user_privileges_json(a->user, &a->call->dataverse->store, is_wanted, &wanted, out);
	text_puts(out, "]}");
	return true;
}

static bool all_privileges(const struct asked *a)
{
	return write_privileges(a, NULL);
}

static bool one_privilege(const struct asked *a, const char *parameter)
{
	struct text value = { 0 };
	struct json_object *list;
	bool good = argument_text(a->call, a->arguments, parameter, &value);

	if (good) {
		list = json_object_new_array();
		json_object_array_add(list, json_object_new_string_len(value.len ? value.data : "",
								       (int)value.len));
		write_privileges(a, list);
		json_object_put(list);
	}
	text_free(&value);
	return good;
}

static bool privilege_by_name(const struct asked *a)
{
	return one_privilege(a, "PrivilegeName");
}

static bool privilege_by_id(const struct asked *a)
{
	return one_privilege(a, "PrivilegeId");
}

static bool set_of_privileges(const struct asked *a, const char *parameter)
{
	struct json_object *list = argument_json(a->call, a->arguments, parameter, json_type_array);
	bool good = list && write_privileges(a, list);

	json_object_put(list);
	return good;
}

static bool privileges_by_names(const struct asked *a)
{
	return set_of_privileges(a, "PrivilegeNames");
}

static bool privileges_by_ids(const struct asked *a)
{
	return set_of_privileges(a, "PrivilegeIds");
}

/* --- a row --- */

static void write_rights(const struct asked *a, const struct table *t, uint32_t record)
{
	static const struct {
		enum right right;
		const char *name;
	} rights[] = { { RIGHT_READ, "ReadAccess" },     { RIGHT_WRITE, "WriteAccess" },
		       { RIGHT_APPEND, "AppendAccess" }, { RIGHT_APPEND_TO, "AppendToAccess" },
		       { RIGHT_CREATE, "CreateAccess" }, { RIGHT_DELETE, "DeleteAccess" },
		       { RIGHT_SHARE, "ShareAccess" },   { RIGHT_ASSIGN, "AssignAccess" } };
	struct text *out = &a->call->response->body;
	struct failure none;
	bool first = true;

	for (size_t i = 0; a->user && i < sizeof(rights) / sizeof(rights[0]); i++) {
		if (!user_may_row(a->user, t, record, rights[i].right, &none))
			continue;
		text_printf(out, "%s%s", first ? "" : ", ", rights[i].name);
		first = false;
	}
	if (first)
		text_puts(out, "None");
}

static bool principal_access(const struct asked *a)
{
	struct call *c = a->call;
	struct json_object *target = argument_json(c, a->arguments, "Target", json_type_object);
	struct json_object *address = NULL;
	struct table *t = NULL;
	struct key key = { 0 };
	uint32_t record = NO_RECORD;

	if (!target)
		return false;
	if (!json_object_object_get_ex(target, "@odata.id", &address) ||
	    !json_object_is_type(address, json_type_string))
		call_refuse(c, 400, PAYLOAD_ERROR, "The parameter Target has no @odata.id.");
	else if (key_parse_address(c, json_object_get_string(address), &t, &key))
		record = key_find(c, t, &key);
	key_free(&key);
	json_object_put(target);
	if (record == NO_RECORD)
		return false;
	begin(a, "AccessRights");
	text_puts(&c->response->body, "\"");
	write_rights(a, t, record);
	text_puts(&c->response->body, "\"}");
	return true;
}

/* --- secured columns --- */

static void write_attribute(const struct asked *a, const struct table *t, uint16_t column,
			    bool first)
{
	const struct settings *s = &a->call->dataverse->settings;
	uint8_t bit = (uint8_t)(1u << a->user->id);
	int read = s->denied[t->table][column] & bit ? 0 : 4;
	int write = s->read_only[t->table][column] & bit ? 0 : read;
	char name[128], id[GUID_TEXT];
	struct guid g;

	snprintf(name, sizeof(name), "%s.%s", t->def->logical_name, t->columns[column].def->name);
	g = guid_of_name("attribute", name);
	guid_print(&g, id);
	text_printf(&a->call->response->body,
		    "%s{\"AttributeId\":\"%s\",\"CanCreate\":%d,\"CanRead\":%d,\"CanUpdate\":%d}",
		    first ? "" : ",", id, write, read, write);
}

/* Secured columns and what the user may do with each. One the user has no profile for is not in the
 * list at all. */
static bool attribute_privileges(const struct asked *a)
{
	const struct store *s = &a->call->dataverse->store;
	bool first = true;

	begin(a, "AttributePrivileges");
	text_puts(&a->call->response->body, "[");
	for (size_t i = 0; a->user && a->user->reads_secured && i < TABLE_COUNT; i++) {
		for (uint16_t k = 0; k < s->tables[i].column_count; k++) {
			if (!s->tables[i].columns[k].secured)
				continue;
			write_attribute(a, &s->tables[i], k, first);
			first = false;
		}
	}
	text_puts(&a->call->response->body, "]}");
	return true;
}

bool function_of_user(struct call *c, const struct key *key, const char *name)
{
	static const struct {
		const char *name;
		bool (*answer)(const struct asked *a);
	} functions[] = {
		{ "RetrieveUserPrivileges", all_privileges },
		{ "RetrieveUserPrivilegeByPrivilegeName", privilege_by_name },
		{ "RetrieveUserPrivilegeByPrivilegeId", privilege_by_id },
		{ "RetrieveUserSetOfPrivilegesByNames", privileges_by_names },
		{ "RetrieveUserSetOfPrivilegesByIds", privileges_by_ids },
		{ "RetrievePrincipalAccess", principal_access },
		{ "RetrievePrincipalAttributePrivileges", attribute_privileges },
	};
	const struct table *t = &c->dataverse->store.tables[TABLE_SYSTEMUSER];
	uint32_t record = key_find(c, t, key);
	size_t len = strcspn(name, "(");
	struct asked asked = { .call = c, .arguments = name + len };

	if (record == NO_RECORD)
		return false;
	asked.user = user_of_record(t, record);
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		asked.name = functions[i].name;
		if (strlen(asked.name) == len && strncmp(asked.name, name, len) == 0)
			return functions[i].answer(&asked);
	}
	return call_refuse(c, 404, ODATA_ERROR,
			   "Resource not found for the segment 'Microsoft.Dynamics.CRM.%.80s'.",
			   name);
}

/* Which answer an address of the API has. A batch sends each of its requests through here; a batch
 * itself does not come this way. */
#include <string.h>

#include "dataverse/dataverse.h"

static bool wrong_method(struct call *c)
{
	return call_refuse(c, 405, ODATA_ERROR,
			   "The http method '%s' is not supported on the resource.",
			   c->request->method);
}

static bool is_method(const struct call *c, const char *method)
{
	return strcmp(c->request->method, method) == 0;
}

static const char *custom_name(const char *rest)
{
	static const char space[] = "/Microsoft.Dynamics.CRM.";

	return strncmp(rest, space, sizeof(space) - 1) == 0 ? rest + sizeof(space) - 1 : NULL;
}

static bool answer_row(struct call *c, struct table *t, const struct key *key, const char *rest)
{
	const char *custom = custom_name(rest);

	if (custom && t->table == TABLE_SYSTEMUSER)
		return is_method(c, "GET") ? options_none(c) && function_of_user(c, key, custom)
					   : wrong_method(c);
	if (custom && t->table == TABLE_LEAD && strcmp(custom, "QualifyLead") == 0)
		return is_method(c, "POST") ? options_none(c) && action_qualify(c, t, key)
					    : wrong_method(c);
	if (custom)
		return call_refuse(c, 404, ODATA_ERROR,
				   "Resource not found for the segment '%.100s'.", rest + 1);
	if (*rest == '/' && rest[1])
		return property_answer(c, t, key, rest + 1);
	if (is_method(c, "GET"))
		return row_retrieve(c, t, key);
	if (is_method(c, "PATCH"))
		return row_patch(c, t, key);
	return is_method(c, "DELETE") ? options_none(c) && row_delete(c, t, key) : wrong_method(c);
}

static bool answer_set(struct call *c, struct table *t, const char *rest)
{
	const char *custom = custom_name(rest);

	if (custom)
		return is_method(c, "POST") ? options_none(c) && action_bulk(c, t, custom)
					    : wrong_method(c);
	if (strcmp(rest, "/$count") == 0)
		return is_method(c, "GET") ? query_count(c, t) : wrong_method(c);
	if (*rest)
		return call_refuse(c, 404, ODATA_ERROR,
				   "Resource not found for the segment '%.100s'.", rest + 1);
	if (is_method(c, "GET"))
		return query_collection(c, t);
	return is_method(c, "POST") ? row_create(c, t) : wrong_method(c);
}

/* The parenthesis that closes a key: those inside quotes do not count. */
static const char *key_end(const char *s)
{
	bool quoted = false;

	for (; *s && (quoted || *s != ')'); s++)
		quoted ^= *s == '\'';
	return *s ? s : NULL;
}

static bool answer_table(struct call *c, const char *path)
{
	size_t len = strcspn(path, "(/");
	struct table *t = store_table_of_set(&c->dataverse->store, path, len);
	const char *end;
	struct key key;
	bool good;

	if (!t)
		return key_no_table(c, path, len);
	if (path[len] != '(')
		return answer_set(c, t, path + len);
	end = key_end(path + len + 1);
	if (!end)
		return call_refuse(c, 400, ODATA_ERROR, "Syntax error in '%.100s'.", path);
	good = key_parse(c, t, path + len + 1, (size_t)(end - path - (ptrdiff_t)len - 1), &key) &&
	       answer_row(c, t, &key, end + 1);
	key_free(&key);
	return good;
}

/* Operations and definitions of the service that are not imitated (Microsoft Learn: Web API action
 * and function reference). SetState is none of them, but is asked for. */
static const char *operation_not_offered(const char *path)
{
	static const char *const names[] = { "BulkDelete",
					     "GlobalOptionSetDefinitions",
					     "ManagedPropertyDefinitions",
					     "RelationshipDefinitions",
					     "RetrieveMetadataChanges",
					     "RetrieveMultiple",
					     "SetState" };
	size_t len = strcspn(path, "(/");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == len && strncmp(names[i], path, len) == 0)
			return names[i];
	return NULL;
}

static bool answer(struct call *c)
{
	static const char definitions[] = "EntityDefinitions";
	const char *path = c->path.data;

	if (strncmp(path, definitions, sizeof(definitions) - 1) == 0)
		return metadata_answer(c, path + sizeof(definitions) - 1);
	if (operation_not_offered(path))
		return call_refuse(c, 501, ODATA_ERROR, "'%s' is not offered here.",
				   operation_not_offered(path));
	if (!*path)
		return is_method(c, "GET") ? options_none(c) && service_document(c)
					   : wrong_method(c);
	if (strcmp(path, "$metadata") == 0)
		return is_method(c, "GET") ? metadata_document(c) : wrong_method(c);
	if (strcmp(path, BATCH_PATH) == 0)
		return call_refuse(c, 400, ODATA_ERROR, "A batch cannot hold a batch.");
	if (strcmp(path, "Merge") == 0)
		return is_method(c, "POST") ? options_none(c) && action_merge(c) : wrong_method(c);
	if (strncmp(path, "WhoAmI", 6) == 0 || strncmp(path, "Retrieve", 8) == 0)
		return is_method(c, "GET") ? options_none(c) && function_answer(c, path)
					   : wrong_method(c);
	return answer_table(c, path);
}

bool route_admits(struct call *c)
{
	enum user_state state = c->dataverse->settings.user_states[c->user->id];

	if (!c->user->member)
		return call_refuse(c, 403, "0x80072560",
				   "The user is not a member of the organization.");
	if (state == USER_DISABLED)
		return call_refuse(c, 403, "0x80040225", "The specified user is disabled.");
	return state != USER_ROLELESS ||
	       call_refuse(c, 403, "0x80042f09", "The user has not been assigned any roles.");
}

void route_answer(struct call *c)
{
	size_t root_len;
	const struct user *caller = c->user;
	bool good;

	plugin_run_due(c->dataverse);
	if (!call_rest_of(c->request->path, &root_len))
		good = call_refuse(c, 404, ODATA_ERROR,
				   "Resource not found for the segment '%.100s'.",
				   c->request->path);
	else if (c->address_max &&
		 strlen(c->request->path) + strlen(c->request->query) > c->address_max)
		good = call_refuse(c, 414, ODATA_ERROR,
				   "The address is longer than %zu characters.", c->address_max);
	else if (!text_is_utf8(c->path.data, c->path.len))
		good = call_refuse(c, 400, ODATA_ERROR, "The address is not valid UTF-8.");
	else
		good = route_admits(c) && impersonate(c) && headers_read(c) && answer(c);
	if (!good)
		call_write_failure(c);
	c->user = caller;
}

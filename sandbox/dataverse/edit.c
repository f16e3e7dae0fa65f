/* A body becomes edits: which members count, lookups, related rows (Microsoft Learn: Create a table
 * row). Writes no row but related ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataverse/dataverse.h"

void edits_free(struct edits *e)
{
	free(e->items);
	text_free(&e->bytes);
	*e = (struct edits){ 0 };
}

static struct edit *edit_new(struct edits *e, uint16_t column)
{
	if (e->count == e->cap) {
		e->cap = e->cap ? e->cap * 2 : 32;
		e->items = realloc(e->items, e->cap * sizeof(*e->items));
		if (!e->items)
			abort();
	}
	e->items[e->count] = (struct edit){ .column = column, .null = true, .at = e->bytes.len };
	return &e->items[e->count++];
}

void edits_add(struct edits *e, uint16_t column, const char *bytes, size_t len)
{
	struct edit *edit;

	if (column == NO_COLUMN) /* a table without it, or it was dropped */
		return;
	edit = edit_new(e, column);
	edit->null = !bytes;
	edit->len = len;
	text_add(&e->bytes, bytes, bytes ? len : 0);
}

void edits_drop(struct edits *e, uint16_t column)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->count; i++)
		if (e->items[i].column != column)
			e->items[kept++] = e->items[i];
	e->count = kept;
}

/* The last one counts, as in JSON. */
const struct edit *edits_find(const struct edits *e, uint16_t column)
{
	for (size_t i = e->count; i > 0; i--)
		if (e->items[i - 1].column == column)
			return &e->items[i - 1];
	return NULL;
}

/* --- reading a body --- */

struct reading {
	struct call *call;
	struct table *table;
	bool creating;
	struct edits *edits;
};

static bool payload_error(struct reading *r, const char *text)
{
	return call_refuse(
		r->call, 400, PAYLOAD_ERROR,
		"Error identified in Payload provided by the user for Entity :'%s', For more information on this error "
		"please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ----> InnerException : "
		"%s",
		r->table->def->set_name, text);
}

static bool invalid_property(struct reading *r, const char *name)
{
	return call_refuse(
		r->call, 400, PAYLOAD_ERROR,
		"Error identified in Payload provided by the user for Entity :'%s', For more information on this error "
		"please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ----> InnerException : "
		"Microsoft.Crm.CrmException: Invalid property '%.100s' was found in entity "
		"'Microsoft.Dynamics.CRM.%s'. ---> Microsoft.OData.ODataException: Does not support untyped value in "
		"non-open type.",
		r->table->def->set_name, name, r->table->def->logical_name);
}

static uint16_t navigation_column(const struct table *t, const char *name, size_t len)
{
	for (uint16_t i = 0; i < t->column_count; i++)
		if (!t->columns[i].dropped && lookup_navigation(t->columns[i].def, name, len) >= 0)
			return i;
	return NO_COLUMN;
}

/* Which target of the lookup a table is; -1 when it is none. */
static int target_index(const struct column_def *def, const char *logical_name)
{
	const char *at = def->targets;
	size_t len = strlen(logical_name);

	for (int i = 0; *at; i++) {
		size_t part = strcspn(at, ",");

		if (part == len && strncmp(at, logical_name, len) == 0)
			return i;
		at += part + (at[part] == ',');
	}
	return -1;
}

static bool writable(const struct reading *r, uint16_t column)
{
	return r->table->columns[column].def->valid & (r->creating ? CAN_CREATE : CAN_UPDATE);
}

/* A secured column needs its own permission (Microsoft Learn: Column-level security). */
static bool permitted(struct reading *r, uint16_t column)
{
	const struct column_def *def = r->table->columns[column].def;
	struct guid self = user_system_id(r->call->user);
	char id[GUID_TEXT];

	if (value_changeable(r->call, r->table, column))
		return true;
	guid_print(&self, id);
	return call_refuse(
		r->call, 403, r->creating ? "0x8004f502" : "0x8004f507",
		"Caller user with Id %s does not have %s permissions to a %s secured field on entity %s. The requested "
		"operation could not be completed.",
		id, r->creating ? "create" : "update", def->label, r->table->def->logical_name);
}

static bool owner_enabled(struct reading *r, const struct table *target, uint32_t record)
{
	size_t len;
	const char *disabled;

	if (target->table != TABLE_SYSTEMUSER)
		return true;
	disabled = row_get(target->records[record].row,
			   table_column(target, "isdisabled", strlen("isdisabled")), &len);
	if (disabled && *disabled == '1')
		return call_refuse(r->call, 400, "0x8004022b",
				   "Cannot assign to the owner: the user is disabled.");
	if (record < USER_STRANGER && /* an application user */
	    r->call->dataverse->settings.user_states[record] == USER_ROLELESS)
		return call_refuse(r->call, 400, "0x80042f09",
				   "The user has not been assigned any roles.");
	return true;
}

static bool bind_target(struct reading *r, uint16_t column, int navigation, const char *address)
{
	const struct column *c = &r->table->columns[column];
	struct table *target = NULL;
	struct key key;
	char value[GUID_TEXT + 1];
	uint32_t record;
	int which;

	if (!key_parse_address(r->call, address, &target, &key))
		return false;
	record = key_find(r->call, target, &key);
	key_free(&key);
	if (record == NO_RECORD)
		return false;
	which = target_index(c->def, target->def->logical_name);
	if (which < 0 || (strchr(c->def->navigation, ',') && which != navigation))
		return payload_error(
			r,
			"Microsoft.OData.ODataException: The row is of a table the property cannot hold.");
	if (!user_may(r->call->user, r->table, c->home == HOME_OWNER ? RIGHT_ASSIGN : RIGHT_APPEND,
		      &r->call->failure) ||
	    (c->home != HOME_OWNER &&
	     !user_may(r->call->user, target, RIGHT_APPEND_TO, &r->call->failure)))
		return false;
	if (c->home == HOME_OWNER && !owner_enabled(r, target, record))
		return false;
	value[0] = (char)('0' + which);
	guid_print(&target->records[record].id, value + 1);
	edits_add(r->edits, column, value, GUID_TEXT);
	return true;
}

static bool not_nullable(struct reading *r, uint16_t column)
{
	return call_refuse(r->call, 400, "0x8004203e", "Attribute '%s' cannot be set to NULL.",
			   r->table->columns[column].def->name);
}

static bool read_bind(struct reading *r, const char *name, size_t len, struct json_object *value)
{
	uint16_t column = navigation_column(r->table, name, len);
	char text[256];

	if (column == NO_COLUMN) {
		snprintf(
			text, sizeof(text),
			"Microsoft.OData.ODataException: An undeclared property '%.*s' which only has property annotations in "
			"the payload but no property value was found in the payload.",
			(int)(len < 80 ? len : 80), name);
		return payload_error(r, text);
	}
	if (!writable(r, column))
		return true;
	if (!permitted(r, column))
		return false;
	if (!value && r->table->columns[column].def->required == REQUIRED_SYSTEM)
		return not_nullable(r, column);
	if (!value) {
		edits_add(r->edits, column, NULL, 0);
		return true;
	}
	if (!json_object_is_type(value, json_type_string))
		return payload_error(
			r,
			"Microsoft.OData.ODataException: The value of 'odata.bind' is not a text.");
	return bind_target(r, column, lookup_navigation(r->table->columns[column].def, name, len),
			   json_object_get_string(value));
}

/* A navigation property without @odata.bind: null clears it, an object is a row to create. */
static bool read_navigation(struct reading *r, const char *name, struct json_object *value)
{
	if (!value)
		return read_bind(r, name, strlen(name), NULL);
	if (!json_object_is_type(value, json_type_object))
		return payload_error(
			r,
			"Microsoft.OData.ODataException: A 'PrimitiveValue' node with non-null value was found when "
			"trying to read the value of a navigation property.");
	if (!r->creating)
		return call_refuse(r->call, 400, ODATA_ERROR,
				   "Deep update of navigation properties is not allowed.");
	return deep_create_target(r->call, r->table, name, value, r->edits);
}

static bool read_collection(struct reading *r, const char *name, struct json_object *value)
{
	if (!r->creating)
		return call_refuse(r->call, 400, ODATA_ERROR,
				   "Deep update of navigation properties is not allowed.");
	return json_object_is_type(value, json_type_array) || invalid_property(r, name);
}

static bool read_primary_key(struct reading *r, struct json_object *value)
{
	if (!r->creating)
		return true;
	if (!json_object_is_type(value, json_type_string) ||
	    !guid_parse(json_object_get_string(value), (size_t)json_object_get_string_len(value),
			&r->edits->id))
		return payload_error(
			r,
			"Microsoft.OData.ODataException: Cannot convert the literal to the expected type "
			"'Edm.Guid'.");
	r->edits->has_id = true;
	return true;
}

static bool read_value(struct reading *r, uint16_t column, struct json_object *value)
{
	const struct column *c = &r->table->columns[column];
	size_t at = r->edits->bytes.len;
	struct edit *edit;
	bool null;

	/* A state on create is kept for its own refusal; other columns that cannot be written are
	 * ignored. */
	if (!writable(r, column) && !(c->home == HOME_STATE && r->creating))
		return true;
	if (!permitted(r, column) ||
	    !value_read(r->table, c, value, &r->edits->bytes, &null, &r->call->failure))
		return false;
	if (null && (c->def->required == REQUIRED_SYSTEM || c->home == HOME_STATUS))
		return not_nullable(r, column);
	edit = edit_new(r->edits, column);
	*edit = (struct edit){
		.column = column, .null = null, .at = at, .len = r->edits->bytes.len - at
	};
	return true;
}

static bool read_member(struct reading *r, const char *name, struct json_object *value)
{
	const char *at = strchr(name, '@');
	uint16_t column;

	if (at && at != name && strcmp(at, "@odata.bind") == 0)
		return read_bind(r, name, (size_t)(at - name), value);
	if (at)
		return true; /* an annotation */
	column = table_column(r->table, name, strlen(name));
	if (column != NO_COLUMN && column == r->table->id_column)
		return read_primary_key(r, value);
	if (column != NO_COLUMN && !value_is_lookup(&r->table->columns[column]))
		return read_value(r, column, value);
	if (navigation_column(r->table, name, strlen(name)) != NO_COLUMN)
		return read_navigation(r, name, value);
	if (table_column_of_wire(r->table, name, strlen(name)) != NO_COLUMN)
		return true; /* _x_value is there to be read only */
	if (relation_named(name, strlen(name), r->table))
		return read_collection(r, name, value);
	return invalid_property(r, name);
}

bool edits_read(struct call *c, struct table *t, struct json_object *body, bool creating,
		struct edits *ret)
{
	struct reading r = { .call = c, .table = t, .creating = creating, .edits = ret };

	ret->body = creating ? body : NULL;
	json_object_object_foreach (body, name, value)
		if (!read_member(&r, name, value))
			return false;
	return true;
}

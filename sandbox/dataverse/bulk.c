/* CreateMultiple, UpdateMultiple, UpsertMultiple: many rows in one request, all or nothing
 * (Microsoft Learn: Use bulk operation messages). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataverse/dataverse.h"

struct bulk {
	struct call *call;
	struct table *table;
	struct json_object *targets;
	struct guid *seen; /* rows named so far: none may come twice */
	size_t seen_count;
	struct text ids;
};

static const char *text_member(struct json_object *target, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(target, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

static bool typed(struct bulk *b, struct json_object *target)
{
	static const char space[] = "Microsoft.Dynamics.CRM.";
	const char *type = json_object_is_type(target, json_type_object)
				   ? text_member(target, "@odata.type")
				   : NULL;

	if (type && *type == '#')
		type++;
	if (type && strncmp(type, space, sizeof(space) - 1) == 0 &&
	    strcmp(type + sizeof(space) - 1, b->table->def->logical_name) == 0)
		return true;
	return call_refuse(
		b->call, 400, PAYLOAD_ERROR,
		"Every item of Targets must be an object with the @odata.type Microsoft.Dynamics.CRM.%s.",
		b->table->def->logical_name);
}

static bool once(struct bulk *b, const struct guid *id)
{
	for (size_t i = 0; i < b->seen_count; i++)
		if (guid_equal(&b->seen[i], id))
			return call_refuse(b->call, 412, "0x80040237",
					   "Cannot insert duplicate key.");
	b->seen[b->seen_count++] = *id;
	return true;
}

static bool create_one(struct bulk *b, struct json_object *target)
{
	struct edits edits = { 0 };
	uint32_t record;
	char id[GUID_TEXT];
	bool good = edits_read(b->call, b->table, target, true, &edits) &&
		    write_create(b->call, b->table, &edits, NULL, &record);

	edits_free(&edits);
	if (!good)
		return false;
	guid_print(&b->table->records[record].id, id);
	text_printf(&b->ids, "%s\"%s\"", b->ids.len ? "," : "", id);
	return true;
}

/* The row a target means: its primary key, or its @odata.id. */
static bool target_key(struct bulk *b, struct json_object *target, struct key *ret)
{
	const char *id = text_member(target, b->table->def->id_column);
	const char *address = text_member(target, "@odata.id");
	struct table *named = NULL;
	bool good;

	*ret = (struct key){ 0 };
	if (id && guid_parse(id, strlen(id), &ret->id))
		return true;
	if (!address)
		return call_refuse(b->call, 400, PAYLOAD_ERROR,
				   "An item of Targets names no row: %s or @odata.id is missing.",
				   b->table->def->id_column);
	good = key_parse_address(b->call, address, &named, ret);
	if (good && named != b->table)
		good = call_refuse(b->call, 400, PAYLOAD_ERROR,
				   "An item of Targets names a row of another table.");
	if (!good)
		key_free(ret);
	return good;
}

static bool update_record(struct bulk *b, struct json_object *target, uint32_t record)
{
	struct edits edits = { 0 };
	bool good = once(b, &b->table->records[record].id) &&
		    edits_read(b->call, b->table, target, false, &edits) &&
		    write_update(b->call, b->table, record, &edits);

	edits_free(&edits);
	return good;
}

static bool update_one(struct bulk *b, struct json_object *target)
{
	struct key key;
	uint32_t record;
	char id[GUID_TEXT];

	if (!target_key(b, target, &key))
		return false;
	record = key_find_quietly(b->table, &key);
	guid_print(&key.id, id);
	key_free(&key);
	if (record == NO_RECORD)
		return call_refuse(b->call, 404, "0x80040217", "%s With Ids = %s Do Not Exist",
				   b->table->def->schema_name, id);
	return update_record(b, target, record);
}

static bool insert_keyed(struct bulk *b, struct json_object *target, const struct key *key)
{
	struct edits edits = { 0 };
	uint32_t record;
	bool good = edits_read(b->call, b->table, target, true, &edits);

	if (good && key->alternate)
		edits_add(&edits, b->table->key_column, key->value.data, key->value.len);
	good = good &&
	       write_create(b->call, b->table, &edits, key->alternate ? NULL : &key->id, &record) &&
	       once(b, &b->table->records[record].id);
	edits_free(&edits);
	return good;
}

static bool upsert_one(struct bulk *b, struct json_object *target)
{
	struct key key;
	uint32_t record;
	bool good;

	if (!target_key(b, target, &key))
		return false;
	record = key_find_quietly(b->table, &key);
	if (key.alternate &&
	    json_object_object_get_ex(target, b->table->columns[b->table->key_column].def->name,
				      NULL))
		good = call_refuse(b->call, 400, PAYLOAD_ERROR,
				   "The columns of the key must not stand among the values.");
	else if (record == NO_RECORD)
		good = insert_keyed(b, target, &key);
	else
		good = update_record(b, target, record);
	key_free(&key);
	return good;
}

static bool run(struct bulk *b, bool (*one)(struct bulk *, struct json_object *))
{
	size_t count = json_object_array_length(b->targets);
	bool good = true, opened;

	b->seen = calloc(count + 1, sizeof(*b->seen));
	if (!b->seen)
		abort();
	opened = store_begin(&b->call->dataverse->store);
	for (size_t i = 0; good && i < count; i++) {
		struct json_object *target = json_object_array_get_idx(b->targets, i);

		good = typed(b, target) && one(b, target);
	}
	if (opened && good)
		store_commit(&b->call->dataverse->store);
	else if (opened)
		store_rollback(&b->call->dataverse->store);
	free(b->seen);
	return good;
}

static void answer(struct bulk *b, bool with_ids)
{
	if (!with_ids) {
		call_no_content(b->call);
		return;
	}
	call_json(b->call, 200);
	call_context(b->call, "Microsoft.Dynamics.CRM.CreateMultipleResponse");
	text_printf(&b->call->response->body, ",\"Ids\":[%s]}", b->ids.len ? b->ids.data : "");
}

bool action_bulk(struct call *c, struct table *t, const char *name)
{
	static const char *const known[] = { "Targets", NULL };
	static const struct {
		const char *name;
		bool (*one)(struct bulk *, struct json_object *);
		bool with_ids;
	} actions[] = { { "CreateMultiple", create_one, true },
			{ "UpdateMultiple", update_one, false },
			{ "UpsertMultiple", upsert_one, false } };
	struct bulk b = { .call = c, .table = t };
	struct json_object *body;
	bool good = false;

	if (strcmp(name, "DeleteMultiple") == 0)
		return call_refuse(c, 400, "0x80040203",
				   "DeleteMultiple has not yet been implemented.");
	body = call_body(c);
	if (!body)
		return false;
	if (!parameters_known(c, body, name, known)) {
		good = false;
	} else if (!json_object_object_get_ex(body, "Targets", &b.targets) ||
		   !json_object_is_type(b.targets, json_type_array)) {
		call_refuse(c, 400, PAYLOAD_ERROR, "The body has no list Targets.");
	} else {
		call_refuse(c, 404, ODATA_ERROR,
			    "Resource not found for the segment 'Microsoft.Dynamics.CRM.%.60s'.",
			    name);
		for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
			if (strcmp(actions[i].name, name) != 0)
				continue;
			good = run(&b, actions[i].one);
			if (good)
				answer(&b, actions[i].with_ids);
		}
	}
	json_object_put(body);
	text_free(&b.ids);
	return good;
}

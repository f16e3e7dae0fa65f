/* Related rows created along with a row, in one transaction (Microsoft Learn: Create a table row,
 * "Create related table rows in one operation"). */
#include <stdio.h>
#include <string.h>

#include "dataverse/join.h"

bool deep_create_target(struct call *c, const struct table *t, const char *navigation,
			struct json_object *body, struct edits *into)
{
	struct edits edits = { 0 };
	struct join join;
	char value[GUID_TEXT + 1];
	uint32_t record;
	bool good;

	if (!join_find(c, t, navigation, strlen(navigation), &join))
		return false;
	good = edits_read(c, join.table, body, true, &edits) &&
	       write_create(c, join.table, &edits, NULL, &record);
	edits_free(&edits);
	if (!good)
		return false;
	value[0] = join.target;
	guid_print(&join.table->records[record].id, value + 1);
	edits_add(into, join.column, value, GUID_TEXT);
	return true;
}

static bool create_child(struct call *c, const struct relation *relation, struct json_object *item,
			 const struct guid *parent)
{
	struct table *many = &c->dataverse->store.tables[relation->many];
	struct edits edits = { 0 };
	struct join join;
	char value[GUID_TEXT + 1];
	uint32_t record;
	bool good = json_object_is_type(item, json_type_object) ||
		    call_refuse(c, 400, PAYLOAD_ERROR, "An item of '%s' is not an object.",
				relation->name);

	good = good &&
	       join_find(c, many, relation->navigation, strlen(relation->navigation), &join) &&
	       edits_read(c, many, item, true, &edits);
	if (good) {
		value[0] = join.target;
		guid_print(parent, value + 1);
		edits_add(&edits, join.column, value, GUID_TEXT);
		good = write_create(c, many, &edits, NULL, &record);
	}
	edits_free(&edits);
	return good;
}

bool deep_create_children(struct call *c, const struct table *t, const struct guid *parent,
			  struct json_object *body)
{
	if (!body)
		return true;
	json_object_object_foreach (body, name, list) {
		const struct relation *relation = relation_named(name, strlen(name), t);

		if (!relation || !json_object_is_type(list, json_type_array))
			continue;
		for (size_t i = 0; i < json_object_array_length(list); i++)
			if (!create_child(c, relation, json_object_array_get_idx(list, i), parent))
				return false;
	}
	return true;
}

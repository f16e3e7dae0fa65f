/* EntityDefinitions: which table definitions, attributes and keys are asked for, and which of their
 * properties. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataverse/attribute.h"
#include "dataverse/dataverse.h"
#include "dataverse/shape.h"

/* --- lists --- */

static bool is_of_class(struct json_object *attribute, const char *cast)
{
	struct json_object *type;

	return !cast || (json_object_object_get_ex(attribute, "@odata.type", &type) &&
			 strcmp(json_object_get_string(type) + 1, cast) == 0);
}

static struct json_object *attributes_of(const struct table *t, const char *cast)
{
	struct json_object *list = json_object_new_array();

	for (uint16_t i = 0; i < t->column_count; i++) {
		struct json_object *both[2] = { NULL, NULL };

		if (!t->columns[i].dropped) {
			both[0] = metadata_attribute(t, i);
			both[1] = metadata_companion(t, i);
		}
		for (size_t k = 0; k < 2; k++) {
			if (both[k] && is_of_class(both[k], cast))
				json_object_array_add(list, both[k]);
			else
				json_object_put(both[k]);
		}
	}
	return list;
}

/* Adds OptionSet and GlobalOptionSet to a selected attribute, when expanded. */
static bool expand_options(struct call *c, const struct table *t, const char *name,
			   const char *expand, struct json_object *to)
{
	static const struct shape shape = { .type = "OptionSetMetadata" };
	uint16_t column = table_column(t, name, strlen(name));
	struct options options;
	bool good = true;

	if (column != NO_COLUMN && t->columns[column].def->options &&
	    expanded(expand, "OptionSet", &options)) {
		struct json_object *set =
			shape_pick(c, metadata_option_set(t, column), options.select, &shape);

		good = set != NULL;
		if (good)
			json_object_object_add(to, "OptionSet", set);
		options_free(&options);
	}
	if (good && expanded(expand, "GlobalOptionSet", &options)) {
		json_object_object_add(to, "GlobalOptionSet", NULL);
		options_free(&options);
	}
	return good;
}

/* Takes the list, gives the selected attributes. */
static struct json_object *pick_attributes(struct call *c, const struct table *t,
					   struct json_object *list, const struct options *options,
					   bool cast)
{
	struct shape shape = { .type = "AttributeMetadata",
			       .base_only = !cast,
			       .shows_type = !cast };
	struct json_object *picked;

	list = shape_matching(c, list, options->filter, shape.type);
	picked = list ? json_object_new_array() : NULL;
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *full = json_object_array_get_idx(list, i);
		const char *name = json_object_get_string(shape_property(full, "LogicalName"));
		struct json_object *one =
			shape_pick(c, json_object_get(full), options->select, &shape);

		if (!one ||
		    (options->expand && !expand_options(c, t, name, options->expand, one))) {
			json_object_put(one);
			json_object_put(picked);
			picked = NULL;
			break;
		}
		json_object_array_add(picked, one);
	}
	json_object_put(list);
	return picked;
}

static const struct shape key_shape = { .type = "EntityKeyMetadata" };
static const struct shape relationship_shape = { .type = "OneToManyRelationshipMetadata" };
static const struct shape entity_shape = { .type = "EntityMetadata" };

static bool expand_entity(struct call *c, const struct table *t, const char *expand,
			  struct json_object *to)
{
	struct options options;
	struct json_object *list = NULL;
	bool good = true;

	if (expanded(expand, "Attributes", &options)) {
		list = pick_attributes(c, t, attributes_of(t, NULL), &options, false);
		good = list && json_object_object_add(to, "Attributes", list) == 0;
		options_free(&options);
	}
	if (good && expanded(expand, "Keys", &options)) {
		list = shape_list(c, metadata_keys(t), &options, &key_shape);
		good = list && json_object_object_add(to, "Keys", list) == 0;
		options_free(&options);
	}
	if (good && expanded(expand, "ManyToOneRelationships", &options)) {
		list = shape_list(c, metadata_relationships(t), &options, &relationship_shape);
		good = list && json_object_object_add(to, "ManyToOneRelationships", list) == 0;
		options_free(&options);
	}
	return good;
}

/* --- answers --- */

static void write_members(struct call *c, struct json_object *o)
{
	json_object_object_foreach (o, name, value) {
		text_puts(&c->response->body, ",");
		text_json_key(&c->response->body, name);
		text_puts(&c->response->body,
			  json_object_to_json_string_ext(
				  value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	}
	text_puts(&c->response->body, "}");
}

/* Takes the list; NULL means that it was refused. */
static bool answer_list(struct call *c, const char *context, const struct options *options,
			struct json_object *list)
{
	struct json_object *o;

	if (!list)
		return false;
	o = json_object_new_object();
	json_object_object_add(o, "value", list);
	call_json(c, 200);
	if (options->select)
		call_context(c, "%s(%s)", context, options->select);
	else
		call_context(c, "%s", context);
	write_members(c, o);
	json_object_put(o);
	return true;
}

static bool answer_one(struct call *c, const char *context, struct json_object *o)
{
	if (!o)
		return false;
	call_json(c, 200);
	call_context(c, "%s/$entity", context);
	write_members(c, o);
	json_object_put(o);
	return true;
}

static bool answer_entities(struct call *c, const struct options *options)
{
	static const char *const none[] = { NULL };
	struct json_object *list;
	struct json_object *picked;

	if (!expand_offered(c, options->expand, none))
		return false;
	list = json_object_new_array();
	for (size_t i = 0; i < TABLE_COUNT; i++)
		json_object_array_add(list, metadata_entity(&c->dataverse->store.tables[i]));
	picked = shape_list(c, list, options, &entity_shape);
	return answer_list(c, "EntityDefinitions", options, picked);
}

static bool answer_entity(struct call *c, const struct table *t, const struct options *options)
{
	static const char *const offered[] = { "Attributes", "Keys", "ManyToOneRelationships",
					       NULL };
	struct json_object *o;

	if (!expand_offered(c, options->expand, offered))
		return false;
	o = shape_pick(c, metadata_entity(t), options->select, &entity_shape);

	if (o && options->expand && !expand_entity(c, t, options->expand, o)) {
		json_object_put(o);
		o = NULL;
	}
	return answer_one(c, "EntityDefinitions", o);
}

/* (LogicalName='name') */
static bool logical_name(const char *s, size_t len, const char **ret, size_t *ret_len)
{
	static const char head[] = "(LogicalName='";

	if (len < sizeof(head) + 1 || strncmp(s, head, sizeof(head) - 1) != 0 ||
	    strncmp(s + len - 2, "')", 2) != 0)
		return false;
	*ret = s + sizeof(head) - 1;
	*ret_len = len - sizeof(head) - 1;
	return true;
}

static bool not_found(struct call *c, const char *path)
{
	return call_refuse(c, 404, ODATA_ERROR, "Resource not found for the segment '%.200s'.",
			   path);
}

static bool answer_attribute(struct call *c, const struct table *t, const char *path,
			     const struct options *options)
{
	size_t len = strcspn(path, "/"), name_len;
	const char *name, *cast = path[len] ? path + len + 1 : NULL;
	struct json_object *list, *picked, *one;
	uint16_t column;

	if (!logical_name(path, len, &name, &name_len))
		return not_found(c, path);
	column = table_column(t, name, name_len);
	if (column == NO_COLUMN)
		return call_refuse(c, 404, "0x80060888",
				   "Could not find an attribute with the name '%.*s'.",
				   (int)name_len, name);
	list = json_object_new_array();
	json_object_array_add(list, metadata_attribute(t, column));
	if (!is_of_class(json_object_array_get_idx(list, 0), cast)) {
		json_object_put(list);
		return not_found(c, path);
	}
	picked = pick_attributes(c, t, list, options, cast != NULL);
	one = picked ? json_object_get(json_object_array_get_idx(picked, 0)) : NULL;
	json_object_put(picked);
	return answer_one(c, "EntityDefinitions/Attributes", one);
}

static bool answer_attributes(struct call *c, const struct table *t, const char *path,
			      const struct options *options)
{
	static const char *const offered[] = { "OptionSet", "GlobalOptionSet", NULL };
	const char *cast = *path == '/' ? path + 1 : NULL;
	char context[256];

	if (!expand_offered(c, options->expand, offered))
		return false;
	if (*path == '(')
		return answer_attribute(c, t, path, options);
	if (cast && !metadata_is_cast(cast))
		return not_found(c, cast);
	snprintf(context, sizeof(context), "EntityDefinitions('%s')/Attributes%s%s",
		 t->def->logical_name, cast ? "/" : "", cast ? cast : "");
	return answer_list(c, context, options,
			   pick_attributes(c, t, attributes_of(t, cast), options, cast != NULL));
}

static bool answer_below(struct call *c, const struct table *t, const char *rest,
			 const struct options *options)
{
	static const char *const none[] = { NULL };
	static const char *const others[] = { "/OneToManyRelationships", "/ManyToManyRelationships",
					      "/Privileges", "/Settings" };
	char context[128];
	bool keys = strcmp(rest, "/Keys") == 0;

	if (!*rest)
		return answer_entity(c, t, options);
	if (strncmp(rest, "/Attributes", 11) == 0)
		return answer_attributes(c, t, rest + 11, options);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strncmp(rest, others[i], strlen(others[i])) == 0)
			return call_refuse(c, 501, ODATA_ERROR, "'%s' is not offered here.",
					   others[i] + 1);
	if (!keys && strcmp(rest, "/ManyToOneRelationships") != 0)
		return not_found(c, rest + 1);
	if (!expand_offered(c, options->expand, none))
		return false;
	snprintf(context, sizeof(context), "EntityDefinitions('%s')%s", t->def->logical_name, rest);
	return answer_list(c, context, options,
			   keys ? shape_list(c, metadata_keys(t), options, &key_shape)
				: shape_list(c, metadata_relationships(t), options,
					     &relationship_shape));
}

/* (LogicalName='name') or (<MetadataId>) */
static const struct table *table_meant(struct call *c, const char *path, size_t len)
{
	struct store *s = &c->dataverse->store;
	const char *name = path + 1;
	size_t name_len = len > 2 ? len - 2 : 0;
	const struct table *t = NULL;
	struct guid id;

	if (guid_parse(name, name_len, &id)) {
		for (size_t i = 0; !t && i < TABLE_COUNT; i++) {
			struct guid own = guid_of_name("entity", table_defs[i].logical_name);

			t = guid_equal(&own, &id) ? &s->tables[i] : NULL;
		}
	} else if (logical_name(path, len, &name, &name_len)) {
		t = store_table_of_name(s, name, name_len);
	} else {
		not_found(c, path);
		return NULL;
	}
	if (!t)
		call_refuse(c, 404, ODATA_ERROR, "Could not find an entity with name %.*s.",
			    (int)name_len, name);
	return t;
}

bool metadata_answer(struct call *c, const char *path)
{
	static const char *const offered[] = { "$select", "$filter", "$expand", NULL };
	size_t len = strcspn(path, "/");
	const struct table *t = NULL;
	struct options options;
	bool good;

	if (strcmp(c->request->method, "GET") != 0)
		return call_refuse(c, 501, ODATA_ERROR,
				   "Changing definitions with %s is not offered here.",
				   c->request->method);
	if (*path && !(t = table_meant(c, path, len)))
		return false;
	if (!options_offered(c, offered))
		return false;
	request_options(c, &options);
	good = t ? answer_below(c, t, path + len, &options) : answer_entities(c, &options);
	options_free(&options);
	return good;
}

/* EntityDefinitions: which table definitions, attributes and keys are asked for, and which of their
 * properties. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataverse/attribute.h"
#include "dataverse/dataverse.h"
#include "dataverse/filter.h"
#include "dataverse/join.h"

#define SPACE "Microsoft.Dynamics.CRM."

/* $select, $filter and $expand of the request itself, or of one expanded property. NULL: not given.
 */
struct options {
	char *select, *filter, *expand;
};

static void options_free(struct options *o)
{
	free(o->select);
	free(o->filter);
	free(o->expand);
	*o = (struct options){ 0 };
}

static char *param(struct call *c, const char *name)
{
	struct text value = { 0 };

	if (!call_option(c, name, &value)) {
		text_free(&value);
		return NULL;
	}
	text_add(&value, "", 0);
	return value.data;
}

static void request_options(struct call *c, struct options *ret)
{
	*ret = (struct options){ .select = param(c, "$select"),
				 .filter = param(c, "$filter"),
				 .expand = param(c, "$expand") };
}

/* Name($select=…;$filter=…) of an $expand; false when the name is not expanded. */
static bool expanded(const char *expand, const char *name, struct options *ret)
{
	size_t name_len = strlen(name);

	*ret = (struct options){ 0 };
	for (const char *at = expand; at && *at;) {
		size_t len = option_length(at, ',');

		if (strncmp(at, name, name_len) == 0 && (len == name_len || at[name_len] == '(')) {
			const char *end = at + len - 1;

			for (const char *o = at + name_len + 1; o < end;) {
				size_t option = option_length(o, ';');

				if (o + option > end)
					option = (size_t)(end - o);
				if (!ret->select && strncmp(o, "$select=", 8) == 0)
					ret->select = strndup(o + 8, option - 8);
				if (!ret->filter && strncmp(o, "$filter=", 8) == 0)
					ret->filter = strndup(o + 8, option - 8);
				o += option + 1;
			}
			return true;
		}
		at += len + (at[len] == ',');
	}
	return false;
}

/* --- choosing properties --- */

/* Properties every attribute has: only these can be asked for without a cast. */
static bool is_base_property(const char *name, size_t len)
{
	static const char *const base[] = { "LogicalName",           "SchemaName",
					    "EntityLogicalName",     "AttributeType",
					    "AttributeTypeName",     "MetadataId",
					    "IsValidForCreate",      "IsValidForUpdate",
					    "IsValidForRead",        "IsSecured",
					    "CanBeSecuredForRead",   "CanBeSecuredForCreate",
					    "CanBeSecuredForUpdate", "IsLogical",
					    "AttributeOf",           "RequiredLevel",
					    "DisplayName",           "IsPrimaryId",
					    "IsPrimaryName",         "IsCustomAttribute" };

	for (size_t i = 0; i < sizeof(base) / sizeof(base[0]); i++)
		if (strlen(base[i]) == len && strncmp(base[i], name, len) == 0)
			return true;
	return false;
}

struct shape {
	const char *type; /* for refusals */
	bool base_only;   /* an attribute without a cast */
	bool shows_type;  /* keep @odata.type */
};

static bool copy_property(struct call *c, struct json_object *from, struct json_object *to,
			  const char *name, size_t len, const struct shape *shape)
{
	char property[128];
	struct json_object *value;

	snprintf(property, sizeof(property), "%.*s", (int)len, name);
	if (!json_object_object_get_ex(from, property, &value) ||
	    (shape->base_only && !is_base_property(name, len)))
		return call_refuse(c, 400, ODATA_ERROR,
				   "Could not find a property named '%s' on type '" SPACE "%s'.",
				   property, shape->type);
	json_object_object_add(to, property, json_object_get(value));
	return true;
}

/* Takes the full object, gives the selected one; NULL when a property is unknown. */
static struct json_object *pick(struct call *c, struct json_object *full, const char *select,
				const struct shape *shape)
{
	struct json_object *o = json_object_new_object();
	struct json_object *value;
	bool good = true;

	if (shape->shows_type && json_object_object_get_ex(full, "@odata.type", &value))
		json_object_object_add(o, "@odata.type", json_object_get(value));
	if (!select) {
		json_object_object_foreach (full, name, member)
			if (strcmp(name, "@odata.type") != 0)
				json_object_object_add(o, name, json_object_get(member));
	}
	for (const char *at = select; good && at && *at;) {
		size_t len;

		at += strspn(at, ", ");
		len = strcspn(at, ", ");
		good = !len || copy_property(c, full, o, at, len, shape);
		at += len;
	}
	if (json_object_object_get_ex(full, "MetadataId", &value))
		json_object_object_add(o, "MetadataId", json_object_get(value));
	json_object_put(full);
	if (good)
		return o;
	json_object_put(o);
	return NULL;
}

/* --- $filter over objects --- */

struct filtering {
	struct call *call;
	struct json_object *object; /* the one asked about; while binding, any of the list */
	const char *type;
};

static struct json_object *property_at(struct json_object *o, const char *path)
{
	while (o && *path) {
		size_t len = strcspn(path, "/");
		char name[128];
		struct json_object *next = NULL;

		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		if (!json_object_is_type(o, json_type_object) ||
		    !json_object_object_get_ex(o, name, &next))
			return NULL;
		o = next;
		path += len + (path[len] == '/');
	}
	return o;
}

static bool alias(void *context, const char *name, struct text *ret)
{
	struct filtering *f = context;

	return call_option(f->call, name, ret) && ret->len;
}

static bool bind(void *context, struct filter *leaf, struct failure *failure)
{
	struct filtering *f = context;
	struct json_object *value = property_at(f->object, leaf->name);
	bool is_text = strcmp(leaf->name, "AttributeOf") == 0;

	leaf->class = CLASS_TEXT;
	if (json_object_is_type(value, json_type_boolean))
		leaf->class = CLASS_BOOLEAN;
	else if (json_object_is_type(value, json_type_int))
		leaf->class = CLASS_NUMBER;
	else if (strcmp(leaf->name, "MetadataId") == 0)
		leaf->class = CLASS_GUID;
	if (value || is_text)
		return true;
	return failure_set(failure, 400, ODATA_ERROR,
			   "Could not find a property named '%.200s' on type '" SPACE "%s'.",
			   leaf->name, f->type);
}

static struct filter_value value_of(void *context, const struct filter *leaf)
{
	struct filtering *f = context;
	struct json_object *value = property_at(f->object, leaf->name);

	if (!value)
		return (struct filter_value){ 0 };
	if (json_object_is_type(value, json_type_boolean))
		return (struct filter_value){ json_object_get_boolean(value) ? "1" : "0", 1 };
	return (struct filter_value){ json_object_get_string(value),
				      strlen(json_object_get_string(value)) };
}

/* Takes the list, gives the objects that match; NULL when the filter is wrong. */
static struct json_object *keep_matching(struct call *c, struct json_object *list,
					 const char *filter_text, const char *type)
{
	struct filtering f = { .call = c,
			       .object = json_object_array_get_idx(list, 0),
			       .type = type };
	struct filter_names names = { .alias = alias, .bind = bind, .context = &f };
	struct json_object *kept;
	struct filter *filter;

	if (!filter_text || !f.object)
		return list;
	filter = filter_parse(filter_text, &names, &c->failure);
	kept = filter ? json_object_new_array() : NULL;
	for (size_t i = 0; filter && i < json_object_array_length(list); i++) {
		f.object = json_object_array_get_idx(list, i);
		if (filter_matches(filter, value_of, &f))
			json_object_array_add(kept, json_object_get(f.object));
	}
	filter_free(filter);
	json_object_put(list);
	return kept;
}

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
			pick(c, metadata_option_set(t, column), options.select, &shape);

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

	list = keep_matching(c, list, options->filter, shape.type);
	picked = list ? json_object_new_array() : NULL;
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *full = json_object_array_get_idx(list, i);
		const char *name = json_object_get_string(property_at(full, "LogicalName"));
		struct json_object *one = pick(c, json_object_get(full), options->select, &shape);

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

static struct json_object *pick_list(struct call *c, struct json_object *list,
				     const struct options *options, const struct shape *shape)
{
	struct json_object *picked;

	list = keep_matching(c, list, options->filter, shape->type);
	picked = list ? json_object_new_array() : NULL;
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *one = pick(c,
					       json_object_get(json_object_array_get_idx(list, i)),
					       options->select, shape);

		if (!one) {
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
		list = pick_list(c, metadata_keys(t), &options, &key_shape);
		good = list && json_object_object_add(to, "Keys", list) == 0;
		options_free(&options);
	}
	if (good && expanded(expand, "ManyToOneRelationships", &options)) {
		list = pick_list(c, metadata_relationships(t), &options, &relationship_shape);
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
	struct json_object *list = json_object_new_array();
	struct json_object *picked;

	for (size_t i = 0; i < TABLE_COUNT; i++)
		json_object_array_add(list, metadata_entity(&c->dataverse->store.tables[i]));
	picked = pick_list(c, list, options, &entity_shape);
	return answer_list(c, "EntityDefinitions", options, picked);
}

static bool answer_entity(struct call *c, const struct table *t, const struct options *options)
{
	struct json_object *o = pick(c, metadata_entity(t), options->select, &entity_shape);

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
	const char *cast = *path == '/' ? path + 1 : NULL;
	char context[256];

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
	char context[128];

	if (!*rest)
		return answer_entity(c, t, options);
	if (strncmp(rest, "/Attributes", 11) == 0)
		return answer_attributes(c, t, rest + 11, options);
	if (strcmp(rest, "/Keys") != 0)
		return not_found(c, rest + 1);
	snprintf(context, sizeof(context), "EntityDefinitions('%s')/Keys", t->def->logical_name);
	return answer_list(c, context, options,
			   pick_list(c, metadata_keys(t), options, &key_shape));
}

bool metadata_answer(struct call *c, const char *path)
{
	struct options options;
	const char *name = NULL;
	size_t name_len = 0, len = strcspn(path, "/");
	const struct table *t = NULL;
	bool good;

	if (strcmp(c->request->method, "GET") != 0)
		return call_refuse(c, 405, ODATA_ERROR,
				   "The method %s is not offered for definitions.",
				   c->request->method);
	if (*path && !logical_name(path, len, &name, &name_len))
		return not_found(c, path);
	if (*path)
		t = store_table_of_name(&c->dataverse->store, name, name_len);
	if (*path && !t)
		return call_refuse(c, 404, ODATA_ERROR, "Could not find an entity with name %.*s.",
				   (int)name_len, name);
	request_options(c, &options);
	good = t ? answer_below(c, t, path + len, &options) : answer_entities(c, &options);
	options_free(&options);
	return good;
}

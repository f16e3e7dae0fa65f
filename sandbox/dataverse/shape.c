/* $select, $filter and $expand over JSON objects. */
#include "dataverse/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataverse/filter.h"
#include "dataverse/join.h"

#define SPACE "Microsoft.Dynamics.CRM."

void options_free(struct options *o)
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

void request_options(struct call *c, struct options *ret)
{
	*ret = (struct options){ .select = param(c, "$select"),
				 .filter = param(c, "$filter"),
				 .expand = param(c, "$expand") };
}

bool expanded(const char *expand, const char *name, struct options *ret)
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

bool expand_offered(struct call *c, const char *expand, const char *const *offered)
{
	for (const char *at = expand; at && *at;) {
		size_t len = option_length(at, ','), name_len = strcspn(at, "(,");
		bool known = false;

		for (const char *const *name = offered; *name; name++)
			known |= strlen(*name) == name_len && strncmp(*name, at, name_len) == 0;
		if (!known)
			return call_refuse(c, 501, ODATA_ERROR,
					   "Expanding '%.*s' is not offered here.",
					   (int)(name_len < 100 ? name_len : 100), at);
		at += len + (at[len] == ',');
	}
	return true;
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

struct json_object *shape_pick(struct call *c, struct json_object *full, const char *select,
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

struct json_object *shape_property(struct json_object *o, const char *path)
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
	struct json_object *value = shape_property(f->object, leaf->name);
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
	struct json_object *value = shape_property(f->object, leaf->name);

	if (!value)
		return (struct filter_value){ 0 };
	if (json_object_is_type(value, json_type_boolean))
		return (struct filter_value){ json_object_get_boolean(value) ? "1" : "0", 1 };
	return (struct filter_value){ json_object_get_string(value),
				      strlen(json_object_get_string(value)) };
}

struct json_object *shape_matching(struct call *c, struct json_object *list,
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

struct json_object *shape_list(struct call *c, struct json_object *list,
			       const struct options *options, const struct shape *shape)
{
	struct json_object *picked;

	list = shape_matching(c, list, options->filter, shape->type);
	picked = list ? json_object_new_array() : NULL;
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *one =
			shape_pick(c, json_object_get(json_object_array_get_idx(list, i)),
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

/* Columns, options, keys and relationships as metadata shows them, each as a JSON object with all
 * its properties (Microsoft Learn: Query table definitions using the Web API). Knows no requests. */
#include "dataverse/attribute.h"

#include <stdio.h>
#include <string.h>

#define SPACE "Microsoft.Dynamics.CRM."

static void put_text(struct json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, value ? json_object_new_string(value) : NULL);
}

static void put_flag(struct json_object *o, const char *name, bool value)
{
	json_object_object_add(o, name, json_object_new_boolean(value));
}

static void put_id(struct json_object *o, const char *kind, const char *name)
{
	struct guid g = guid_of_name(kind, name);
	char id[GUID_TEXT];

	guid_print(&g, id);
	put_text(o, "MetadataId", id);
}

static struct json_object *localized(const char *label)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "Label", label);
	json_object_object_add(o, "LanguageCode", json_object_new_int(1033));
	put_flag(o, "IsManaged", true);
	put_id(o, "label", label);
	json_object_object_add(o, "HasChanged", NULL);
	return o;
}

struct json_object *metadata_label(const char *label)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();

	if (*label)
		json_object_array_add(list, localized(label));
	json_object_object_add(o, "LocalizedLabels", list);
	json_object_object_add(o, "UserLocalizedLabel", *label ? localized(label) : NULL);
	return o;
}

static struct json_object *managed(const char *value, const char *property)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "Value", value);
	put_flag(o, "CanBeChanged", true);
	put_text(o, "ManagedPropertyLogicalName", property);
	return o;
}

static struct json_object *only_value(const char *value)
{
	struct json_object *o = json_object_new_object();

	put_text(o, "Value", value);
	return o;
}

static const struct type_names {
	const char *type, *type_name, *class;
} names_of[COLUMN_TYPE_COUNT] = {
	[COLUMN_STRING] = { "String", "StringType", "String" },
	[COLUMN_MEMO] = { "Memo", "MemoType", "Memo" },
	[COLUMN_INTEGER] = { "Integer", "IntegerType", "Integer" },
	[COLUMN_BIGINT] = { "BigInt", "BigIntType", "BigInt" },
	[COLUMN_DECIMAL] = { "Decimal", "DecimalType", "Decimal" },
	[COLUMN_DOUBLE] = { "Double", "DoubleType", "Double" },
	[COLUMN_MONEY] = { "Money", "MoneyType", "Money" },
	[COLUMN_DATETIME] = { "DateTime", "DateTimeType", "DateTime" },
	[COLUMN_BOOLEAN] = { "Boolean", "BooleanType", "Boolean" },
	[COLUMN_PICKLIST] = { "Picklist", "PicklistType", "Picklist" },
	[COLUMN_MULTISELECT] = { "Virtual", "MultiSelectPicklistType", "MultiSelectPicklist" },
	[COLUMN_STATE] = { "State", "StateType", "State" },
	[COLUMN_STATUS] = { "Status", "StatusType", "Status" },
	[COLUMN_LOOKUP] = { "Lookup", "LookupType", "Lookup" },
	[COLUMN_CUSTOMER] = { "Customer", "CustomerType", "Lookup" },
	[COLUMN_OWNER] = { "Owner", "OwnerType", "Lookup" },
	[COLUMN_UNIQUEIDENTIFIER] = { "Uniqueidentifier", "UniqueidentifierType",
				      "UniqueIdentifier" },
	[COLUMN_IMAGE] = { "Virtual", "ImageType", "Image" },
};

bool metadata_is_cast(const char *name)
{
	char cast[128];

	for (size_t i = 0; i < COLUMN_TYPE_COUNT; i++) {
		snprintf(cast, sizeof(cast), SPACE "%sAttributeMetadata", names_of[i].class);
		if (strcmp(cast, name) == 0)
			return true;
	}
	return false;
}

static const char *const required_names[] = {
	[REQUIRED_NONE] = "None",
	[REQUIRED_RECOMMENDED] = "Recommended",
	[REQUIRED_APPLICATION] = "ApplicationRequired",
	[REQUIRED_SYSTEM] = "SystemRequired",
};

static void put_names(struct json_object *o, const struct table *t, const char *name,
		      const char *schema_name, const struct type_names *names)
{
	char text[128];

	snprintf(text, sizeof(text), "#" SPACE "%sAttributeMetadata", names->class);
	put_text(o, "@odata.type", text);
	put_text(o, "LogicalName", name);
	put_text(o, "SchemaName", schema_name);
	put_text(o, "EntityLogicalName", t->def->logical_name);
	put_text(o, "AttributeType", names->type);
	json_object_object_add(o, "AttributeTypeName", only_value(names->type_name));
	snprintf(text, sizeof(text), "%s.%s", t->def->logical_name, name);
	put_id(o, "attribute", text);
}

static void put_flags(struct json_object *o, uint8_t valid, bool secured, bool securable,
		      bool logical, const char *of)
{
	put_flag(o, "IsValidForCreate", valid & CAN_CREATE);
	put_flag(o, "IsValidForUpdate", valid & CAN_UPDATE);
	put_flag(o, "IsValidForRead", valid & CAN_READ);
	put_flag(o, "IsSecured", secured);
	put_flag(o, "CanBeSecuredForRead", securable);
	put_flag(o, "CanBeSecuredForCreate", securable);
	put_flag(o, "CanBeSecuredForUpdate", securable);
	put_flag(o, "IsLogical", logical);
	put_text(o, "AttributeOf", of);
}

static void put_number_limits(struct json_object *o, const struct column_def *def)
{
	bool whole = def->type == COLUMN_INTEGER || def->type == COLUMN_BIGINT;

	if (def->type == COLUMN_BIGINT) {
		json_object_object_add(o, "MinValue", json_object_new_int64(INT64_MIN));
		json_object_object_add(o, "MaxValue", json_object_new_int64(INT64_MAX));
		return;
	}
	json_object_object_add(o, "MinValue",
			       whole ? json_object_new_int64((int64_t)def->min)
				     : json_object_new_double(def->min));
	json_object_object_add(o, "MaxValue",
			       whole ? json_object_new_int64((int64_t)def->max)
				     : json_object_new_double(def->max));
	if (def->type == COLUMN_INTEGER)
		put_text(o, "Format", def->format);
	else
		json_object_object_add(o, "Precision", json_object_new_int(def->precision));
	if (def->type == COLUMN_MONEY) {
		size_t len = strlen(def->name);

		json_object_object_add(o, "PrecisionSource", json_object_new_int(2));
		put_flag(o, "IsBaseCurrency", len > 5 && strcmp(def->name + len - 5, "_base") == 0);
	}
}

static void put_targets(struct json_object *o, const struct column_def *def)
{
	struct json_object *list = json_object_new_array();

	for (const char *at = def->targets; *at;) {
		size_t len = strcspn(at, ",");

		json_object_array_add(list, json_object_new_string_len(at, (int)len));
		at += len + (at[len] == ',');
	}
	json_object_object_add(o, "Targets", list);
}

static void put_type(struct json_object *o, const struct column *c)
{
	const struct column_def *def = c->def;

	switch (def->type) {
	case COLUMN_STRING:
		json_object_object_add(o, "FormatName", only_value(def->format));
		put_text(o, "Format", def->format);
		json_object_object_add(o, "MaxLength", json_object_new_int((int)c->max_length));
		json_object_object_add(o, "DatabaseLength",
				       json_object_new_int((int)c->max_length * 2));
		return;
	case COLUMN_MEMO:
		json_object_object_add(o, "MaxLength", json_object_new_int((int)c->max_length));
		put_text(o, "Format", def->format);
		return;
	case COLUMN_INTEGER:
	case COLUMN_BIGINT:
	case COLUMN_DECIMAL:
	case COLUMN_DOUBLE:
	case COLUMN_MONEY:
		put_number_limits(o, def);
		return;
	case COLUMN_DATETIME:
		put_text(o, "Format", def->format);
		json_object_object_add(o, "DateTimeBehavior", only_value(def->behavior));
		return;
	case COLUMN_BOOLEAN:
		if (def->added_later)
			json_object_object_add(o, "DefaultValue", NULL);
		else
			put_flag(o, "DefaultValue", strcmp(def->name, "followemail") == 0);
		return;
	case COLUMN_PICKLIST:
	case COLUMN_MULTISELECT:
	case COLUMN_STATE:
	case COLUMN_STATUS:
		json_object_object_add(o, "DefaultFormValue", NULL);
		return;
	case COLUMN_LOOKUP:
	case COLUMN_CUSTOMER:
	case COLUMN_OWNER:
		put_targets(o, def);
		return;
	case COLUMN_UNIQUEIDENTIFIER:
	case COLUMN_IMAGE:
	case COLUMN_TYPE_COUNT:
		return;
	}
}

struct json_object *metadata_attribute(const struct table *t, uint16_t column)
{
	const struct column *c = &t->columns[column];
	const struct column_def *def = c->def;
	struct json_object *o = json_object_new_object();

	put_names(o, t, def->name, def->schema_name, &names_of[def->type]);
	put_flags(o, def->valid, c->secured, (def->valid & CAN_UPDATE) != 0,
		  c->home == HOME_COMPOSITE, NULL);
	json_object_object_add(o, "RequiredLevel",
			       managed(required_names[def->required],
				       "canmodifyrequirementlevelsettings"));
	json_object_object_add(o, "DisplayName", metadata_label(def->label ? def->label : ""));
	put_flag(o, "IsPrimaryId", column == t->id_column);
	put_flag(o, "IsPrimaryName", strcmp(def->name, t->def->name_column) == 0);
	put_flag(o, "IsCustomAttribute",
		 strchr(def->name, '_') && strncmp(def->name, "address", 7) != 0);
	put_type(o, c);
	return o;
}

struct json_object *metadata_companion(const struct table *t, uint16_t column)
{
	const struct column_def *def = t->columns[column].def;
	struct json_object *o;
	char name[128], schema_name[128];

	if (!value_is_lookup(&t->columns[column]))
		return NULL;
	o = json_object_new_object();
	snprintf(name, sizeof(name), "%sname", def->name);
	snprintf(schema_name, sizeof(schema_name), "%sName", def->schema_name);
	put_names(o, t, name, schema_name, &names_of[COLUMN_STRING]);
	put_flags(o, CAN_READ, false, false, true, def->name);
	json_object_object_add(o, "RequiredLevel",
			       managed("None", "canmodifyrequirementlevelsettings"));
	json_object_object_add(o, "DisplayName", metadata_label(""));
	put_flag(o, "IsPrimaryId", false);
	put_flag(o, "IsPrimaryName", false);
	put_flag(o, "IsCustomAttribute", false);
	json_object_object_add(o, "FormatName", only_value("Text"));
	put_text(o, "Format", "Text");
	json_object_object_add(o, "MaxLength", json_object_new_int(160));
	json_object_object_add(o, "DatabaseLength", json_object_new_int(320));
	return o;
}

static struct json_object *option_json(const struct column_def *def,
				       const struct column_option *option)
{
	struct json_object *o = json_object_new_object();

	if (def->type == COLUMN_STATUS) {
		put_text(o, "@odata.type", "#" SPACE "StatusOptionMetadata");
		json_object_object_add(o, "State", json_object_new_int(option->related));
		json_object_object_add(o, "TransitionData", NULL);
	}
	if (def->type == COLUMN_STATE) {
		put_text(o, "@odata.type", "#" SPACE "StateOptionMetadata");
		json_object_object_add(o, "DefaultStatus", json_object_new_int(option->related));
		put_text(o, "InvariantName", option->label);
	}
	json_object_object_add(o, "Value", json_object_new_int(option->value));
	json_object_object_add(o, "Label", metadata_label(option->label));
	json_object_object_add(o, "Description", metadata_label(""));
	json_object_object_add(o, "Color", NULL);
	put_flag(o, "IsManaged", true);
	json_object_object_add(o, "MetadataId", NULL);
	json_object_object_add(o, "HasChanged", NULL);
	return o;
}

struct json_object *metadata_option_set(const struct table *t, uint16_t column)
{
	const struct column_def *def = t->columns[column].def;
	struct json_object *o = json_object_new_object();
	struct json_object *list;
	char name[128];

	snprintf(name, sizeof(name), "%s_%s", t->def->logical_name, def->name);
	put_id(o, "optionset", name);
	put_text(o, "Name", name);
	put_flag(o, "IsGlobal", false);
	put_text(o, "OptionSetType",
		 def->type == COLUMN_MULTISELECT ? "Picklist" : names_of[def->type].type);
	json_object_object_add(o, "DisplayName", metadata_label(def->label));
	if (def->type == COLUMN_BOOLEAN) {
		for (const struct column_option *option = def->options; option && option->label;
		     option++)
			json_object_object_add(o, option->value ? "TrueOption" : "FalseOption",
					       option_json(def, option));
		return o;
	}
	list = json_object_new_array();
	for (const struct column_option *option = def->options; option && option->label; option++)
		json_object_array_add(list, option_json(def, option));
	json_object_object_add(o, "Options", list);
	return o;
}

struct json_object *metadata_keys(const struct table *t)
{
	struct json_object *list = json_object_new_array();
	struct json_object *o, *attributes;
	char name[128];

	if (t->key_column == NO_COLUMN || t->columns[t->key_column].dropped)
		return list;
	snprintf(name, sizeof(name), "%s_key", t->columns[t->key_column].def->name);
	o = json_object_new_object();
	attributes = json_object_new_array();
	json_object_array_add(attributes,
			      json_object_new_string(t->columns[t->key_column].def->name));
	put_text(o, "LogicalName", name);
	put_text(o, "SchemaName", name);
	put_text(o, "EntityLogicalName", t->def->logical_name);
	json_object_object_add(o, "DisplayName",
			       metadata_label(t->columns[t->key_column].def->label));
	json_object_object_add(o, "KeyAttributes", attributes);
	put_text(o, "EntityKeyIndexStatus", "Active");
	put_id(o, "key", t->def->logical_name);
	json_object_array_add(list, o);
	return list;
}

static struct json_object *relationship(const struct table *t, const struct column_def *def,
					const char *target, size_t len, const char *navigation,
					size_t navigation_len)
{
	struct json_object *o = json_object_new_object();
	char name[256], key[128];

	snprintf(name, sizeof(name), "%s_%s_%.*s", t->def->logical_name, def->name, (int)len,
		 target);
	snprintf(key, sizeof(key), "%.*sid", (int)len, target);
	put_text(o, "SchemaName", name);
	put_text(o, "ReferencingEntity", t->def->logical_name);
	put_text(o, "ReferencingAttribute", def->name);
	json_object_object_add(o, "ReferencedEntity", json_object_new_string_len(target, (int)len));
	put_text(o, "ReferencedAttribute", key);
	json_object_object_add(o, "ReferencingEntityNavigationPropertyName",
			       json_object_new_string_len(navigation, (int)navigation_len));
	put_id(o, "relationship", name);
	return o;
}

struct json_object *metadata_relationships(const struct table *t)
{
	struct json_object *list = json_object_new_array();

	for (uint16_t i = 0; i < t->column_count; i++) {
		const struct column_def *def = t->columns[i].def;
		const char *target = def->targets, *navigation = def->navigation;

		if (t->columns[i].dropped || !navigation)
			continue;
		while (*target && *navigation) {
			size_t len = strcspn(target, ","),
			       navigation_len = strcspn(navigation, ",");

			json_object_array_add(list, relationship(t, def, target, len, navigation,
								 navigation_len));
			target += len + (target[len] == ',');
			if (navigation[navigation_len])
				navigation += navigation_len + 1;
		}
	}
	return list;
}

struct json_object *metadata_entity(const struct table *t)
{
	struct json_object *o = json_object_new_object();
	struct text privileges = { 0 };

	put_text(o, "LogicalName", t->def->logical_name);
	put_text(o, "SchemaName", t->def->schema_name);
	put_text(o, "EntitySetName", t->def->set_name);
	put_text(o, "LogicalCollectionName", t->def->set_name);
	put_text(o, "PrimaryIdAttribute", t->def->id_column);
	put_text(o, "PrimaryNameAttribute", t->def->name_column);
	json_object_object_add(o, "ObjectTypeCode", json_object_new_int(t->def->type_code));
	put_flag(o, "ChangeTrackingEnabled", t->def->change_tracking);
	put_flag(o, "IsOptimisticConcurrencyEnabled", t->def->optimistic_concurrency);
	put_flag(o, "IsCustomEntity", false);
	put_text(o, "OwnershipType", t->def->change_tracking ? "UserOwned" : "None");
	json_object_object_add(o, "DisplayName", metadata_label(t->def->label));
	json_object_object_add(o, "DisplayCollectionName", metadata_label(t->def->plural_label));
	text_puts(&privileges, "[");
	user_table_privileges_json(t, &privileges);
	text_puts(&privileges, "]");
	json_object_object_add(o, "Privileges", json_tokener_parse(privileges.data));
	text_free(&privileges);
	put_id(o, "entity", t->def->logical_name);
	return o;
}

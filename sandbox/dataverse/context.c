/* The body of a webhook: RemoteExecutionContext as JSON (Microsoft Learn: Use webhooks to create
 * external handlers for server events). Knows no addresses. */
#include <stdio.h>
#include <string.h>

#include "dataverse/hook.h"

#define CONTRACTS "http://schemas.microsoft.com/xrm/2011/Contracts"

static void write_guid(struct text *out, const char *name, const struct guid *id)
{
	char text[GUID_TEXT];

	guid_print(id, text);
	text_printf(out, "\"%s\":\"%s\"", name, text);
}

static void write_reference(struct text *out, const struct guid *id, const char *table)
{
	text_puts(out, "{\"__type\":\"EntityReference:" CONTRACTS "\",");
	write_guid(out, "Id", id);
	text_printf(
		out,
		",\"KeyAttributes\":[],\"LogicalName\":\"%s\",\"Name\":null,\"RowVersion\":null}",
		table);
}

static void write_time(struct text *out, const char *bytes, size_t len)
{
	char whole[32];
	int64_t seconds = 0;

	snprintf(whole, sizeof(whole), "%.*s%s", (int)len, bytes,
		 len == DATE_TEXT - 1 ? "T00:00:00Z" : "");
	time_parse(whole, strlen(whole), &seconds);
	text_printf(out, "\"/Date(%lld)/\"", (long long)seconds * 1000);
}

static void write_typed(struct text *out, const char *type, const char *bytes, size_t len)
{
	text_printf(out, "{\"__type\":\"%s:" CONTRACTS "\",\"Value\":%.*s}", type, (int)len, bytes);
}

static void write_value(struct text *out, const struct column *c, struct value v)
{
	char target[64], navigation[64];
	struct guid id;

	if (!v.bytes) {
		text_puts(out, "null");
		return;
	}
	switch (c->def->type) {
	case COLUMN_PICKLIST:
	case COLUMN_STATE:
	case COLUMN_STATUS:
		write_typed(out, "OptionSetValue", v.bytes, v.len);
		return;
	case COLUMN_MONEY:
		write_typed(out, "Money", v.bytes, v.len);
		return;
	case COLUMN_DATETIME:
		write_time(out, v.bytes, v.len);
		return;
	case COLUMN_LOOKUP:
	case COLUMN_CUSTOMER:
	case COLUMN_OWNER:
		value_lookup(c, v, target, navigation, sizeof(target), &id);
		write_reference(out, &id, target);
		return;
	case COLUMN_STRING:
	case COLUMN_MEMO:
	case COLUMN_INTEGER:
	case COLUMN_BIGINT:
	case COLUMN_DECIMAL:
	case COLUMN_DOUBLE:
	case COLUMN_BOOLEAN:
	case COLUMN_MULTISELECT:
	case COLUMN_UNIQUEIDENTIFIER:
	case COLUMN_IMAGE:
	case COLUMN_TYPE_COUNT:
		value_write(out, c, v);
		return;
	}
}

static void write_attribute(const struct hook_event *e, uint16_t column, struct text *out)
{
	struct scratch scratch;
	struct value v;

	if (column == NO_COLUMN)
		return;
	v = record_value(&e->call->dataverse->store, e->table, e->row, column, &scratch);
	text_printf(out, "%s{\"key\":\"%s\",\"value\":", out->data[out->len - 1] == '[' ? "" : ",",
		    e->table->columns[column].def->name);
	write_value(out, &e->table->columns[column], v);
	text_puts(out, "}");
}

static uint16_t named(const struct table *t, const char *name)
{
	return table_column(t, name, strlen(name));
}

/* An entity with the columns written, or with its name only. */
static void write_entity(const struct hook_event *e, bool written, struct text *out)
{
	const struct table *t = e->table;

	text_puts(out, "{\"__type\":\"Entity:" CONTRACTS "\",\"Attributes\":[");
	for (size_t i = 0; written && i < e->edits->count; i++)
		if (&e->edits->items[i] == edits_find(e->edits, e->edits->items[i].column))
			write_attribute(e, e->edits->items[i].column, out);
	if (written && strcmp(e->message, "Create") == 0)
		write_attribute(e, named(t, "createdon"), out);
	write_attribute(e, written ? named(t, "modifiedon") : named(t, t->def->name_column), out);
	write_attribute(e, t->id_column, out);
	text_puts(out, "],\"EntityState\":null,\"FormattedValues\":[],");
	write_guid(out, "Id", &e->row->id);
	text_printf(out,
		    ",\"KeyAttributes\":[],\"LogicalName\":\"%s\",\"RelatedEntities\":[],"
		    "\"RowVersion\":\"%llu\"}",
		    t->def->logical_name, (unsigned long long)e->version);
}

static void write_parameters(const struct hook_event *e, struct text *out)
{
	text_puts(out, ",\"InputParameters\":[{\"key\":\"Target\",\"value\":");
	if (e->edits)
		write_entity(e, true, out);
	else
		write_reference(out, &e->row->id, e->table->def->logical_name);
	text_puts(out, "}],\"ParentContext\":null,\"PreEntityImages\":[],\"PostEntityImages\":[");
	if (e->edits) {
		text_puts(out, "{\"key\":\"AsynchronousStepPrimaryName\",\"value\":");
		write_entity(e, false, out);
		text_puts(out, "}");
	}
	text_puts(out, "]");
}

static void write_shared(const struct hook_event *e, struct text *out)
{
	struct text tag = { 0 };

	text_puts(out, ",\"SharedVariables\":[");
	if (call_option(e->call, "tag", &tag) && tag.len) {
		text_puts(out, "{\"key\":\"tag\",\"value\":");
		text_json_string(out, tag.data, tag.len);
		text_puts(out, "}");
	}
	text_free(&tag);
	text_puts(out, "]");
}

static void write_ids(const struct hook_event *e, struct text *out)
{
	struct guid organization = guid_of_name("organization", "root");
	struct guid user = user_system_id(e->call->user), operation = guid_random();
	char name[GUID_TEXT];

	text_puts(out, "{");
	write_guid(out, "BusinessUnitId", &e->call->dataverse->store.business_unit);
	text_puts(out, ",");
	write_guid(out, "CorrelationId", &e->call->id);
	text_puts(out, ",\"Depth\":1,");
	write_guid(out, "InitiatingUserId", &user);
	text_puts(out, ",");
	write_guid(out, "UserId", &user);
	text_puts(out, ",");
	write_guid(out, "OperationId", &operation);
	text_puts(out, ",");
	write_guid(out, "OrganizationId", &organization);
	text_puts(out, ",");
	write_guid(out, "RequestId", &e->call->id);
	guid_print(&organization, name);
	text_printf(out, ",\"OrganizationName\":\"unq%.8s\"", name);
}

void context_write(const struct hook_event *e, const struct record *step, bool stripped,
		   struct text *out)
{
	const struct table *steps = &e->call->dataverse->store.tables[TABLE_STEP];
	size_t len = 0;
	const char *name = row_get(step->row, named(steps, "name"), &len);

	write_ids(e, out);
	if (!stripped)
		write_parameters(e, out);
	text_printf(
		out,
		",\"IsExecutingOffline\":false,\"IsInTransaction\":false,\"IsOfflinePlayback\":false,"
		"\"IsolationMode\":1,\"MessageName\":\"%s\",\"Mode\":1,\"OperationCreatedOn\":"
		"\"/Date(%lld)/\",\"OutputParameters\":[",
		e->message, (long long)sandbox_now_ms());
	if (strcmp(e->message, "Create") == 0) {
		text_puts(out, "{\"key\":\"id\",");
		write_guid(out, "value", &e->row->id);
		text_puts(out, "}");
	}
	text_puts(out, "],\"OwningExtension\":{");
	write_guid(out, "Id", &step->id);
	text_puts(out,
		  ",\"KeyAttributes\":[],\"LogicalName\":\"sdkmessageprocessingstep\",\"Name\":");
	text_json_string(out, name, len);
	text_puts(out, ",\"RowVersion\":null},");
	write_guid(out, "PrimaryEntityId", &e->row->id);
	text_printf(out, ",\"PrimaryEntityName\":\"%s\",\"SecondaryEntityName\":\"none\"",
		    e->table->def->logical_name);
	write_shared(e, out);
	text_puts(out, ",\"Stage\":40}");
}

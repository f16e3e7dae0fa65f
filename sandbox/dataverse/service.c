/* The service document and the CSDL document of the imitated tables. */
#include <string.h>

#include "dataverse/dataverse.h"

bool service_document(struct call *c)
{
	struct text *out = &c->response->body;

	call_json(c, 200);
	text_printf(out, "{\"@odata.context\":\"%s$metadata\",\"value\":[", c->root.data);
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		const char *name = table_defs[i].set_name;

		text_printf(out, "%s{\"name\":\"%s\",\"kind\":\"EntitySet\",\"url\":\"%s\"}",
			    i ? "," : "", name, name);
	}
	text_puts(out, "]}");
	return true;
}

static const char *edm_type(const struct column_def *def)
{
	static const char *const types[COLUMN_TYPE_COUNT] = {
		[COLUMN_STRING] = "Edm.String",         [COLUMN_MEMO] = "Edm.String",
		[COLUMN_INTEGER] = "Edm.Int32",         [COLUMN_BIGINT] = "Edm.Int64",
		[COLUMN_DECIMAL] = "Edm.Decimal",       [COLUMN_DOUBLE] = "Edm.Double",
		[COLUMN_MONEY] = "Edm.Decimal",         [COLUMN_DATETIME] = "Edm.DateTimeOffset",
		[COLUMN_BOOLEAN] = "Edm.Boolean",       [COLUMN_PICKLIST] = "Edm.Int32",
		[COLUMN_MULTISELECT] = "Edm.String",    [COLUMN_STATE] = "Edm.Int32",
		[COLUMN_STATUS] = "Edm.Int32",          [COLUMN_LOOKUP] = "Edm.Guid",
		[COLUMN_CUSTOMER] = "Edm.Guid",         [COLUMN_OWNER] = "Edm.Guid",
		[COLUMN_UNIQUEIDENTIFIER] = "Edm.Guid", [COLUMN_IMAGE] = "Edm.Binary",
	};

	if (def->type == COLUMN_DATETIME && strcmp(def->behavior, "DateOnly") == 0)
		return "Edm.Date";
	return types[def->type];
}

static const struct table_def *table_named(const char *name, size_t len)
{
	for (size_t i = 0; i < TABLE_COUNT; i++)
		if (strlen(table_defs[i].logical_name) == len &&
		    strncmp(table_defs[i].logical_name, name, len) == 0)
			return &table_defs[i];
	return NULL;
}

/* Only towards tables of this document, so that it holds together. */
static void write_navigation(const struct column *c, struct text *out)
{
	const char *target = c->def->targets, *navigation = c->def->navigation;

	while (navigation && *target && *navigation) {
		size_t len = strcspn(target, ","), navigation_len = strcspn(navigation, ",");
		const struct table_def *def = table_named(target, len);

		if (def)
			text_printf(
				out,
				"<NavigationProperty Name=\"%.*s\" Type=\"mscrm.%s\" Nullable=\"true\">"
				"<ReferentialConstraint Property=\"%s\" ReferencedProperty=\"%s\"/></NavigationProperty>\n",
				(int)navigation_len, navigation, def->logical_name, c->wire,
				def->id_column);
		target += len + (target[len] == ',');
		if (!navigation[navigation_len])
			return; /* one name for all targets: the first stands for them */
		navigation += navigation_len + 1;
	}
}

static void write_type(const struct table *t, struct text *out)
{
	text_printf(
		out,
		"<EntityType Name=\"%s\" BaseType=\"mscrm.crmbaseentity\"><Key><PropertyRef Name=\"%s\"/></Key>\n",
		t->def->logical_name, t->def->id_column);
	for (uint16_t i = 0; i < t->column_count; i++) {
		const struct column *c = &t->columns[i];

		if (!c->dropped && (c->def->valid & CAN_READ))
			text_printf(out, "<Property Name=\"%s\" Type=\"%s\"/>\n", c->wire,
				    edm_type(c->def));
	}
	for (uint16_t i = 0; i < t->column_count; i++)
		if (!t->columns[i].dropped)
			write_navigation(&t->columns[i], out);
	text_puts(out, "</EntityType>\n");
}

bool metadata_document(struct call *c)
{
	struct text *out = &c->response->body;
	struct text wanted = { 0 };
	bool annotations = call_option(c, "annotations", &wanted) && wanted.len &&
			   strcmp(wanted.data, "true") == 0;

	text_free(&wanted);
	c->response->status = 200;
	web_header(c->response, "OData-Version", "4.0");
	web_header(c->response, "Content-Type", "application/xml");
	text_puts(
		out,
		"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
		"<edmx:Edmx Version=\"4.0\" xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\"><edmx:DataServices>\n"
		"<Schema Namespace=\"Microsoft.Dynamics.CRM\" Alias=\"mscrm\" "
		"xmlns=\"http://docs.oasis-open.org/odata/ns/edm\">\n"
		"<EntityType Name=\"crmbaseentity\" Abstract=\"true\"/>\n");
	for (size_t i = 0; i < TABLE_COUNT; i++)
		write_type(&c->dataverse->store.tables[i], out);
	text_puts(out, "<EntityContainer Name=\"System\">\n");
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		const struct table_def *def = &table_defs[i];

		text_printf(out, "<EntitySet Name=\"%s\" EntityType=\"Microsoft.Dynamics.CRM.%s\">",
			    def->set_name, def->logical_name);
		if (annotations && def->change_tracking)
			text_puts(
				out,
				"<Annotation Term=\"Org.OData.Capabilities.V1.ChangeTracking\"><Record><PropertyValue "
				"Property=\"Supported\" Bool=\"true\"/></Record></Annotation>");
		text_puts(out, "</EntitySet>\n");
	}
	text_puts(out, "</EntityContainer>\n</Schema></edmx:DataServices></edmx:Edmx>\n");
	return true;
}

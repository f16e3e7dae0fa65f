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

/* Columns nobody can write (Microsoft Learn: Web API service documents, annotations). */
static void write_property(const struct column *c, bool annotations, struct text *out)
{
	bool computed = annotations && !(c->def->valid & (CAN_CREATE | CAN_UPDATE));

	text_printf(out, "<Property Name=\"%s\" Type=\"%s\"", c->wire, value_edm_type(c));
	text_puts(out, computed ? "><Annotation Term=\"Org.OData.Core.V1.Computed\" Bool=\"true\"/>"
				  "<Annotation Term=\"Org.OData.Core.V1.Permissions\"><EnumMember>"
				  "Org.OData.Core.V1.PermissionType/Read</EnumMember></Annotation>"
				  "</Property>\n"
				: "/>\n");
}

static void write_type(const struct table *t, bool annotations, struct text *out)
{
	text_printf(
		out,
		"<EntityType Name=\"%s\" BaseType=\"mscrm.crmbaseentity\"><Key><PropertyRef Name=\"%s\"/></Key>\n",
		t->def->logical_name, t->def->id_column);
	for (uint16_t i = 0; i < t->column_count; i++) {
		const struct column *c = &t->columns[i];

		if (!c->dropped && (c->def->valid & CAN_READ))
			write_property(c, annotations, out);
	}
	for (uint16_t i = 0; i < t->column_count; i++)
		if (!t->columns[i].dropped)
			write_navigation(&t->columns[i], out);
	relations_write(t, out);
	text_puts(out, "</EntityType>\n");
}

bool metadata_document(struct call *c)
{
	static const char *const offered[] = { "annotations", NULL };
	struct text *out = &c->response->body;
	struct text wanted = { 0 };
	bool annotations = call_option(c, "annotations", &wanted) && wanted.len &&
			   strcmp(wanted.data, "true") == 0;

	text_free(&wanted);
	if (!options_offered(c, offered))
		return false;
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
		write_type(&c->dataverse->store.tables[i], annotations, out);
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

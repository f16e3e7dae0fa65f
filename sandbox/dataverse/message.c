/* The messages an environment offers and the tables each is offered for, as a client asks before it
 * sends CreateMultiple or registers a step (Microsoft Learn: Use bulk operation messages). */
#include <stdio.h>
#include <string.h>

#include "dataverse/dataverse.h"

static const struct {
	const char *name;
	bool leads_only;
} messages[] = {
	{ "Assign", false },         { "Create", false },
	{ "CreateMultiple", false }, { "Delete", false },
	{ "Merge", false },          { "QualifyLead", true },
	{ "Retrieve", false },       { "RetrieveMultiple", false },
	{ "SetState", false },       { "Update", false },
	{ "UpdateMultiple", false }, { "UpsertMultiple", false },
};

static struct row *set_text(const struct table *t, struct row *row, const char *column,
			    const char *value)
{
	return row_set(row, table_column(t, column, strlen(column)), value, strlen(value));
}

static void seed_filter(struct store *s, const char *message, const struct guid *message_id,
			enum table_id table)
{
	struct table *t = &s->tables[TABLE_SDKMESSAGEFILTER];
	const char *entity = table_defs[table].logical_name;
	char name[128], lookup[GUID_TEXT + 1] = "0";
	struct record r = { 0 };

	snprintf(name, sizeof(name), "%s %s", message, entity);
	r.id = guid_of_name("sdkmessagefilter", name);
	guid_print(message_id, lookup + 1);
	r.row = set_text(t, NULL, "primaryobjecttypecode", entity);
	r.row = set_text(t, r.row, "secondaryobjecttypecode", "none");
	r.row = set_text(t, r.row, "iscustomprocessingstepallowed", "1");
	r.row = set_text(t, r.row, "sdkmessageid", lookup);
	table_put(s, t, r);
}

void message_seed(struct store *s)
{
	static const enum table_id tables[] = { TABLE_ACCOUNT, TABLE_CONTACT, TABLE_LEAD };
	struct table *t = &s->tables[TABLE_SDKMESSAGE];

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		struct record r = { .id = guid_of_name("sdkmessage", messages[i].name) };

		r.row = set_text(t, NULL, "name", messages[i].name);
		table_put(s, t, r);
		for (size_t k = 0; k < sizeof(tables) / sizeof(tables[0]); k++)
			if (!messages[i].leads_only || tables[k] == TABLE_LEAD)
				seed_filter(s, messages[i].name, &r.id, tables[k]);
	}
}

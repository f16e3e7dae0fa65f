/* Calls on behalf of another user: CallerObjectId names the person in the directory, MSCRMCallerID
 * the user row (Microsoft Learn: Impersonate another user using the Web API). What the caller may
 * then do is what both may. */
#include <stdio.h>
#include <string.h>

#include "dataverse/dataverse.h"

/* The row whose column has the value; users are few. */
static uint32_t find_user(const struct table *t, const char *column, const char *value)
{
	uint16_t number = table_column(t, column, strlen(column));

	for (uint32_t i = 0; i < t->count; i++) {
		size_t len;
		const char *bytes = row_get(t->records[i].row, number, &len);

		if (bytes && fold_compare(bytes, len, value, strlen(value)) == 0)
			return i;
	}
	return NO_RECORD;
}

static bool enabled(struct call *c, const struct table *t, uint32_t record)
{
	size_t len;
	const char *disabled = row_get(t->records[record].row,
				       table_column(t, "isdisabled", strlen("isdisabled")), &len);

	return !disabled || *disabled != '1' ||
	       call_refuse(c, 403, "0x80040225", "The specified user is disabled.");
}

/* The other user with no more rights than the caller has. */
static void become(struct call *c, const struct table *t, uint32_t record)
{
	struct user *u = &c->acting;
	size_t len = 0;
	const char *domain_name = row_get(
		t->records[record].row, table_column(t, "domainname", strlen("domainname")), &len);
	const char *at = domain_name ? memchr(domain_name, '@', len) : NULL;

	snprintf(c->acting_name, sizeof(c->acting_name), "%.*s", at ? (int)(at - domain_name) : 0,
		 at ? domain_name : "");
	*u = *c->user;
	if (record < USER_STRANGER) { /* an application user: has rights of its own */
		const struct user *other = &dataverse_users[record];

		u->reads_secured = u->reads_secured && other->reads_secured;
		u->accounts = u->accounts && other->accounts;
		u->bypasses = u->bypasses && other->bypasses;
		for (size_t i = 0; i < RIGHT_COUNT; i++)
			if (other->depth[i] < u->depth[i])
				u->depth[i] = other->depth[i];
	}
	u->id = (enum user_id)record;
	u->name = c->acting_name;
	c->on_behalf = c->user;
	c->user = u;
}

bool impersonate(struct call *c)
{
	const struct table *t = &c->dataverse->store.tables[TABLE_SYSTEMUSER];
	const char *object = call_header(c, "CallerObjectId");
	const char *caller = call_header(c, "MSCRMCallerID");
	uint32_t record = NO_RECORD;
	struct guid id;

	if (!object && !caller)
		return true;
	if (!c->user->delegates)
		return call_refuse(
			c, 403, "0x8004a110",
			"User does not have the privilege to act on behalf another user.");
	if (object)
		record = find_user(t, "azureactivedirectoryobjectid", object);
	else if (guid_parse(caller, strlen(caller), &id))
		record = table_find(t, &id, false);
	if (record == NO_RECORD)
		return call_refuse(c, 403, "0x80072560",
				   "The user is not a member of the organization.");
	if (!enabled(c, t, record))
		return false;
	become(c, t, record);
	return true;
}

/* The columns that name the application behind the user; empty for a call in its own name. */
void impersonate_note(const struct call *c, const struct table *t, struct record *r, bool creating)
{
	uint16_t modified = table_column(t, "modifiedonbehalfby", strlen("modifiedonbehalfby"));
	uint16_t created = table_column(t, "createdonbehalfby", strlen("createdonbehalfby"));
	char value[GUID_TEXT + 1] = "0";
	struct guid id;

	if (c->on_behalf) {
		id = user_system_id(c->on_behalf);
		guid_print(&id, value + 1);
	}
	if (modified != NO_COLUMN)
		r->row = row_set(r->row, modified, c->on_behalf ? value : NULL, GUID_TEXT);
	if (created != NO_COLUMN && creating && c->on_behalf)
		r->row = row_set(r->row, created, value, GUID_TEXT);
}

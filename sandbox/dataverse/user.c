/* Who there is and what each may do. Knows no HTTP. */
#include "dataverse/user.h"

#include <stdio.h>
#include <string.h>

#define ALL_GLOBAL                                                                                 \
	{                                                                                          \
		DEPTH_GLOBAL, DEPTH_GLOBAL, DEPTH_GLOBAL, DEPTH_GLOBAL, DEPTH_GLOBAL,              \
			DEPTH_GLOBAL, DEPTH_GLOBAL, DEPTH_GLOBAL                                   \
	}

const struct user dataverse_users[USER_COUNT] = {
	[USER_TANDEM] = {
		.id = USER_TANDEM, .name = "tandem", .client_id = "6f0d2b7e-51c3-4f6e-8a53-0c6f5d0e1a21",
		.client_secret = "tandem-secret~+/=", .first_name = "Tandem", .last_name = "Service",
		.rights = "everything, organization-wide", .member = true, .reads_secured = true,
		.delegates = true, .bypasses = true, .accounts = true, .depth = ALL_GLOBAL,
	},
	[USER_SELLER] = {
		.id = USER_SELLER, .name = "seller", .client_id = "2c9e4d10-7b1f-4f0a-9d35-5a8e6f7b8c02",
		.client_secret = "seller-secret~+/=", .first_name = "Selma", .last_name = "Lerner",
		.rights = "everything, organization-wide", .member = true, .reads_secured = true,
		.delegates = true, .bypasses = true, .accounts = true, .depth = ALL_GLOBAL,
	},
	[USER_CLERK] = {
		.id = USER_CLERK, .name = "clerk", .client_id = "91d3a5b7-0e2c-4c8d-b6f4-1b2c3d4e5f03",
		.client_secret = "clerk-secret~+/=", .first_name = "Clark", .last_name = "Erkin",
		.rights = "create, read, write own contacts and leads (depth Basic)", .member = true,
		.reads_secured = true,
		.depth = {DEPTH_BASIC, DEPTH_BASIC, DEPTH_BASIC, DEPTH_NONE, DEPTH_BASIC, DEPTH_BASIC,
			  DEPTH_NONE, DEPTH_NONE},
	},
	[USER_READER] = {
		.id = USER_READER, .name = "reader", .client_id = "a4b6c8d0-1f3e-4a5b-8c7d-9e0f1a2b3c04",
		.client_secret = "reader-secret~+/=", .first_name = "Rhea", .last_name = "Dern",
		.rights = "read everything, organization-wide; no write", .member = true, .reads_secured = true,
		.accounts = true, .depth = {[RIGHT_READ] = DEPTH_GLOBAL},
	},
	[USER_NARROW] = {
		.id = USER_NARROW, .name = "narrow", .client_id = "c7e9f1a3-2b4d-4e6f-a8b0-3c5d7e9f1a05",
		.client_secret = "narrow-secret~+/=", .first_name = "Nara", .last_name = "Rowe",
		.rights = "everything but secured columns", .member = true, .accounts = true,
		.depth = ALL_GLOBAL,
	},
	[USER_STRANGER] = {
		.id = USER_STRANGER, .name = "stranger", .client_id = "e8f0a2b4-3c5d-4f7a-b9c1-4d6e8f0a2b06",
		.client_secret = "stranger-secret~+/=", .first_name = "", .last_name = "",
		.rights = "a token, but no application user",
	},
};

static const char *const right_names[RIGHT_COUNT] = {
	[RIGHT_CREATE] = "Create", [RIGHT_READ] = "Read",     [RIGHT_WRITE] = "Write",
	[RIGHT_DELETE] = "Delete", [RIGHT_APPEND] = "Append", [RIGHT_APPEND_TO] = "AppendTo",
	[RIGHT_ASSIGN] = "Assign", [RIGHT_SHARE] = "Share",
};

static const char *const depth_names[] = {
	[DEPTH_NONE] = "", [DEPTH_BASIC] = "Basic", [DEPTH_GLOBAL] = "Global"
};

const struct user *user_by_client_id(const char *client_id)
{
	for (size_t i = 0; i < USER_COUNT; i++)
		if (strcasecmp(dataverse_users[i].client_id, client_id) == 0)
			return &dataverse_users[i];
	return NULL;
}

struct guid user_system_id(const struct user *u)
{
	return guid_of_name("systemuser", u->name);
}

static struct row *set_text(const struct table *t, struct row *row, const char *column,
			    const char *value)
{
	return row_set(row, table_column(t, column, strlen(column)), value, strlen(value));
}

static void seed_user(struct store *s, int64_t now_s, const char *name, const char *first,
		      const char *last, const char *client_id, bool disabled)
{
	struct table *t = &s->tables[TABLE_SYSTEMUSER];
	struct record r = { .id = guid_of_name("systemuser", name),
			    .created_on = now_s,
			    .modified_on = now_s };
	char full_name[128], email[128], object_id[GUID_TEXT];
	struct guid object = guid_of_name("directory", name);

	snprintf(full_name, sizeof(full_name), "%s %s", first, last);
	snprintf(email, sizeof(email), "%s@sales.example.org", name);
	guid_print(&object, object_id);
	r.row = set_text(t, r.row, "firstname", first);
	r.row = set_text(t, r.row, "lastname", last);
	r.row = set_text(t, r.row, "fullname", full_name);
	r.row = set_text(t, r.row, "domainname", email);
	r.row = set_text(t, r.row, "internalemailaddress", email);
	r.row = set_text(t, r.row, "isdisabled", disabled ? "1" : "0");
	r.row = set_text(t, r.row, "accessmode", client_id ? "4" : "0");
	r.row = set_text(t, r.row, "azureactivedirectoryobjectid", object_id);
	if (client_id)
		r.row = set_text(t, r.row, "applicationid", client_id);
	table_put(s, t, r);
}

static void seed_named(struct store *s, enum table_id table, const char *id_name, int64_t now_s,
		       const char *column, const char *name)
{
	struct table *t = &s->tables[table];
	struct record r = { .id = guid_of_name(t->def->logical_name, id_name),
			    .created_on = now_s,
			    .modified_on = now_s };

	r.row = set_text(t, NULL, column, name);
	if (table == TABLE_TRANSACTIONCURRENCY)
		r.row = set_text(t, r.row, "isocurrencycode", "USD");
	if (table == TABLE_TEAM)
		r.row = set_text(t, r.row, "teamtype", "0");
	table_put(s, t, r);
}

void user_set_tracking_days(struct store *s, int tracking_days)
{
	struct table *t = &s->tables[TABLE_ORGANIZATION];
	struct record r = { .id = guid_of_name("organization", "root") };
	struct guid currency = guid_of_name("transactioncurrency", "USD");
	char days[16], lookup[GUID_TEXT + 1] = "0";

	snprintf(days, sizeof(days), "%d", tracking_days);
	guid_print(&currency, lookup + 1);
	r.row = set_text(t, NULL, "name", "Sandbox");
	r.row = set_text(t, r.row, "languagecode", "1033");
	r.row = set_text(t, r.row, "basecurrencyid", lookup);
	r.row = set_text(t, r.row, "expirechangetrackingindays", days);
	table_put(s, t, r);
}

void user_seed(struct store *s, int64_t now_s, int tracking_days)
{
	seed_named(s, TABLE_BUSINESSUNIT, "root", now_s, "name", "Sandbox");
	for (size_t i = 0; i < USER_COUNT; i++) {
		const struct user *u = &dataverse_users[i];

		if (u->member)
			seed_user(s, now_s, u->name, u->first_name, u->last_name, u->client_id,
				  false);
	}
	seed_user(s, now_s, "erin.vale", "Erin", "Vale", NULL, false);
	seed_user(s, now_s, "otto.berg", "Otto", "Berg", NULL, false);
	seed_user(s, now_s, "gone.away", "Gone", "Away", NULL, true);
	seed_named(s, TABLE_TEAM, "north", now_s, "name", "North");
	seed_named(s, TABLE_TEAM, "south", now_s, "name", "South");
	seed_named(s, TABLE_TRANSACTIONCURRENCY, "USD", now_s, "currencyname", "US Dollar");
	user_set_tracking_days(s, tracking_days);
}

static bool is_person_table(const struct table *t)
{
	return t->table == TABLE_CONTACT || t->table == TABLE_LEAD || t->table == TABLE_ACCOUNT;
}

enum depth user_depth(const struct user *u, const struct table *t, enum right right)
{
	if (t->table == TABLE_SERVICEENDPOINT || t->table == TABLE_STEP) /* for administrators */
		return right == RIGHT_READ || u->depth[right] == DEPTH_GLOBAL ? DEPTH_GLOBAL
									      : DEPTH_NONE;
	if (!is_person_table(t))
		return right == RIGHT_READ || right == RIGHT_APPEND_TO ? DEPTH_GLOBAL : DEPTH_NONE;
	if (t->table == TABLE_ACCOUNT && !u->accounts)
		return DEPTH_NONE;
	return u->depth[right];
}

/* prvReadContact; users are named User in privileges. */
static void privilege_name(const struct table *t, enum right right, char *name, size_t size)
{
	const char *subject = t->table == TABLE_SYSTEMUSER ? "User" : t->def->schema_name;

	snprintf(name, size, "prv%s%s", right_names[right], subject);
}

static void privilege_id(const char *name, char id[GUID_TEXT])
{
	struct guid g = guid_of_name("privilege", name);

	guid_print(&g, id);
}

/* tail: what the privilege is about. */
static bool lacks(const struct user *u, const char *name, const char *tail, struct failure *failure)
{
	struct guid self = user_system_id(u);
	char id[GUID_TEXT], self_text[GUID_TEXT];

	privilege_id(name, id);
	guid_print(&self, self_text);
	return failure_set(
		failure, 403, "0x80040220",
		"Principal user (Id=%s, type=8, roleCount=1, privilegeCount=211, accessMode='4 Non-interactive'), is "
		"missing %s privilege (Id=%s)%s. context.Caller=%s",
		self_text, name, id, tail, self_text);
}

bool user_may(const struct user *u, const struct table *t, enum right right,
	      struct failure *failure)
{
	char name[64], tail[256];

	if (user_depth(u, t, right) != DEPTH_NONE)
		return true;
	privilege_name(t, right, name, sizeof(name));
	snprintf(tail, sizeof(tail), " on OTC=%d for entity '%s' (LocalizedName='%s')",
		 t->def->type_code, t->def->logical_name, t->def->label);
	return lacks(u, name, tail, failure);
}

bool user_may_bypass(const struct user *u, const char *privilege, struct failure *failure)
{
	return u->bypasses || lacks(u, privilege, "", failure);
}

bool user_may_row(const struct user *u, const struct table *t, uint32_t record, enum right right,
		  struct failure *failure)
{
	struct guid self = user_system_id(u);
	char id[GUID_TEXT], self_text[GUID_TEXT];

	if (!user_may(u, t, right, failure))
		return false;
	if (user_depth(u, t, right) == DEPTH_GLOBAL || t->records[record].owner == u->id)
		return true;
	guid_print(&self, self_text);
	guid_print(&t->records[record].id, id);
	return failure_set(
		failure, 403, "0x80048306",
		"Principal with id %s does not have %sAccess right(s) for record with id %s of entity %s",
		self_text, right_names[right], id, t->def->logical_name);
}

void user_set_disabled(struct store *s, const struct user *u, bool disabled)
{
	struct table *t = &s->tables[TABLE_SYSTEMUSER];
	struct guid id = user_system_id(u);
	uint32_t record = table_find(t, &id, false);
	struct record r;

	if (record == NO_RECORD)
		return;
	r = t->records[record];
	r.row = set_text(t, row_copy(r.row), "isdisabled", disabled ? "1" : "0");
	table_put(s, t, r);
}

bool user_may_track(const struct user *u, const struct store *s, const struct table *t,
		    struct failure *failure)
{
	struct guid self = user_system_id(u);
	char name[64], id[GUID_TEXT], self_text[GUID_TEXT], unit[GUID_TEXT];

	if (!user_may(u, t, RIGHT_READ, failure))
		return false;
	if (user_depth(u, t, RIGHT_READ) == DEPTH_GLOBAL)
		return true;
	privilege_name(t, RIGHT_READ, name, sizeof(name));
	privilege_id(name, id);
	guid_print(&self, self_text);
	guid_print(&s->business_unit, unit);
	return failure_set(
		failure, 403, "0x80040220",
		"SecLib::CheckPrivilege failed. User: %s, PrivilegeName: %s, PrivilegeId: %s, Required Depth: "
		"Global, BusinessUnitId: %s",
		self_text, name, id, unit);
}

struct listing {
	const struct store *store;
	bool (*wanted)(void *context, const char *name, const char *id);
	void *context;
	struct text *out;
	bool any;
};

static void list_privilege(struct listing *l, const char *name, enum depth depth)
{
	char id[GUID_TEXT], unit[GUID_TEXT];

	privilege_id(name, id);
	if (depth == DEPTH_NONE || !l->wanted(l->context, name, id))
		return;
	guid_print(&l->store->business_unit, unit);
	text_printf(
		l->out,
		"%s{\"Depth\":\"%s\",\"PrivilegeId\":\"%s\",\"BusinessUnitId\":\"%s\",\"PrivilegeName\":\"%s\","
		"\"RecordFilterId\":\"00000000-0000-0000-0000-000000000000\",\"RecordFilterUniqueName\":null}",
		l->any ? "," : "", depth_names[depth], id, unit, name);
	l->any = true;
}

void user_privileges_json(const struct user *u, const struct store *s,
			  bool (*wanted)(void *context, const char *name, const char *id),
			  void *context, struct text *out)
{
	struct listing l = { .store = s, .wanted = wanted, .context = context, .out = out };
	char name[64];

	for (size_t i = 0; i < TABLE_COUNT; i++)
		for (size_t right = 0; right < RIGHT_COUNT; right++) {
			privilege_name(&s->tables[i], (enum right)right, name, sizeof(name));
			list_privilege(&l, name, user_depth(u, &s->tables[i], (enum right)right));
		}
	if (u->delegates)
		list_privilege(&l, "prvActOnBehalfOfAnotherUser", DEPTH_GLOBAL);
	if (u->bypasses) {
		list_privilege(&l, "prvBypassCustomBusinessLogic", DEPTH_GLOBAL);
		list_privilege(&l, "prvBypassCustomPlugins", DEPTH_GLOBAL);
	}
}

void user_table_privileges_json(const struct table *t, struct text *out)
{
	char name[64], id[GUID_TEXT];

	for (size_t right = 0; right < RIGHT_COUNT; right++) {
		privilege_name(t, (enum right)right, name, sizeof(name));
		privilege_id(name, id);
		text_printf(
			out,
			"%s{\"CanBeBasic\":true,\"CanBeLocal\":true,\"CanBeDeep\":true,\"CanBeGlobal\":true,"
			"\"Name\":\"%s\",\"PrivilegeId\":\"%s\",\"PrivilegeType\":\"%s\"}",
			right ? "," : "", name, id, right_names[right]);
	}
}

/* QualifyLead, Merge, and the functions a service asks about itself: WhoAmI, privileges, counts
 * (Microsoft Learn: Web API actions and functions). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataverse/dataverse.h"

static uint16_t column_named(const struct table *t, const char *name)
{
	return table_column(t, name, strlen(name));
}

/* Ends a transaction this action opened. */
static bool finish(struct store *s, bool opened, bool good)
{
	if (opened && good)
		store_commit(s);
	else if (opened)
		store_rollback(s);
	return good;
}

/* --- QualifyLead --- */

/* Columns that do not travel although both tables have them. */
static bool stays_behind(const char *name)
{
	static const char *const names[] = {
		"new_marketoid",        "statecode", "statuscode",
		"overriddencreatedon",  "masterid",  "leadsourcecode",
		"importsequencenumber", "processid", "stageid",
		"traversedpath",        "slaid",     "lastusedincampaign",
		"transactioncurrencyid"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return strncmp(name, "mkt_", 4) == 0 || strstr(name, "addressid") != NULL;
}

/* A value of the lead under the name it has in the new row, cut to what fits. */
static void carry(const struct table *lead, const struct record *r, const char *from,
		  const struct table *to, const char *name, struct edits *e)
{
	uint16_t source = column_named(lead, from), target = column_named(to, name);
	const struct column *c;
	size_t len = 0;
	const char *bytes;

	if (source == NO_COLUMN || target == NO_COLUMN ||
	    lead->columns[source].def->type != to->columns[target].def->type)
		return;
	c = &to->columns[target];
	if (c->home != HOME_ROW || !(c->def->valid & CAN_CREATE) || value_is_lookup(c))
		return;
	bytes = row_get(r->row, source, &len);
	if (!bytes)
		return;
	if (c->def->type == COLUMN_STRING || c->def->type == COLUMN_MEMO)
		len = utf16_head(bytes, len, c->max_length);
	edits_add(e, target, bytes, len);
}

static void carry_same_names(const struct table *lead, const struct record *r,
			     const struct table *to, struct edits *e)
{
	for (uint16_t i = 0; i < lead->column_count; i++)
		if (!stays_behind(lead->columns[i].def->name))
			carry(lead, r, lead->columns[i].def->name, to, lead->columns[i].def->name,
			      e);
}

static void add_lookup(const struct table *t, const char *column, char target,
		       const struct guid *id, struct edits *e)
{
	char value[GUID_TEXT + 1];

	value[0] = target;
	guid_print(id, value + 1);
	edits_add(e, column_named(t, column), value, GUID_TEXT);
}

struct qualify {
	struct call *call;
	struct table *leads, *contacts, *accounts;
	uint32_t lead;
	bool account, contact;
	int status;
	uint32_t new_account, new_contact;
};

static bool create_account(struct qualify *q)
{
	const struct record *lead = &q->leads->records[q->lead];
	struct edits e = { 0 };
	bool good;

	carry_same_names(q->leads, lead, q->accounts, &e);
	carry(q->leads, lead, "companyname", q->accounts, "name", &e);
	add_lookup(q->accounts, "originatingleadid", '0', &lead->id, &e);
	good = write_create(q->call, q->accounts, &e, NULL, &q->new_account);
	edits_free(&e);
	return good;
}

static bool create_contact(struct qualify *q)
{
	const struct record *lead = &q->leads->records[q->lead];
	struct edits e = { 0 };
	bool good;

	carry_same_names(q->leads, lead, q->contacts, &e);
	add_lookup(q->contacts, "originatingleadid", '0', &lead->id, &e);
	if (q->account)
		add_lookup(q->contacts, "parentcustomerid", '0',
			   &q->accounts->records[q->new_account].id, &e);
	good = write_create(q->call, q->contacts, &e, NULL, &q->new_contact);
	edits_free(&e);
	return good;
}

static bool close_lead(struct qualify *q)
{
	char state[] = "1", status[16];
	struct edits e = { 0 };
	bool good;

	snprintf(status, sizeof(status), "%d", q->status);
	edits_add(&e, column_named(q->leads, "statecode"), state, 1);
	edits_add(&e, column_named(q->leads, "statuscode"), status, strlen(status));
	good = write_update(q->call, q->leads, q->lead, &e);
	edits_free(&e);
	return good;
}

static bool flag(struct json_object *body, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(body, name, &value) && json_object_get_boolean(value);
}

static void write_made(struct call *c, const struct table *t, uint32_t record, bool first)
{
	char id[GUID_TEXT];

	guid_print(&t->records[record].id, id);
	text_printf(&c->response->body,
		    "%s{\"@odata.type\":\"#Microsoft.Dynamics.CRM.%s\",\"%s\":\"%s\"}",
		    first ? "" : ",", t->def->logical_name, t->def->id_column, id);
}

static bool qualify(struct qualify *q)
{
	struct call *c = q->call;
	struct store *s = &c->dataverse->store;
	bool opened = store_begin(s);
	bool good = (!q->account || create_account(q)) && (!q->contact || create_contact(q)) &&
		    close_lead(q);

	if (!finish(s, opened, good))
		return false;
	call_json(c, 200);
	call_context(c, "crmbaseentity");
	text_puts(&c->response->body, ",\"value\":[");
	if (q->account)
		write_made(c, q->accounts, q->new_account, true);
	if (q->contact)
		write_made(c, q->contacts, q->new_contact, !q->account);
	text_puts(&c->response->body, "]}");
	return true;
}

bool action_qualify(struct call *c, struct table *t, const struct key *key)
{
	struct table *tables = c->dataverse->store.tables;
	struct qualify q = { .call = c,
			     .leads = t,
			     .contacts = &tables[TABLE_CONTACT],
			     .accounts = &tables[TABLE_ACCOUNT] };
	struct json_object *body, *status;

	q.lead = key_find(c, t, key);
	if (q.lead == NO_RECORD || !user_may_row(c->user, t, q.lead, RIGHT_WRITE, &c->failure))
		return false;
	body = call_body(c);
	if (!body)
		return false;
	q.account = flag(body, "CreateAccount");
	q.contact = flag(body, "CreateContact");
	q.status = json_object_object_get_ex(body, "Status", &status) ? json_object_get_int(status)
								      : -1;
	if (flag(body, "CreateOpportunity"))
		call_refuse(c, 501, ODATA_ERROR, "Opportunities are not offered here.");
	else if (t->records[q.lead].state == 1)
		call_refuse(c, 400, "0x80081018", "The lead is already closed.");
	else if (q.status != -1 && q.status != 3)
		call_refuse(
			c, 400, "0x80048408",
			"%d is not a valid status code for state code LeadState.Qualified on lead.",
			q.status);
	json_object_put(body);
	q.status = 3;
	return !c->failure.status && qualify(&q);
}

/* --- Merge --- */

struct merge {
	struct call *call;
	struct table *table;
	uint32_t winner, loser;
	struct json_object *content;
};

static bool merge_side(struct merge *m, struct json_object *body, const char *name,
		       uint32_t *ret_record)
{
	struct call *c = m->call;
	struct json_object *side, *type, *id;
	const char *logical_name;
	struct table *t;
	struct key key = { 0 };

	if (!json_object_object_get_ex(body, name, &side) ||
	    !json_object_is_type(side, json_type_object) ||
	    !json_object_object_get_ex(side, "@odata.type", &type))
		return call_refuse(c, 400, PAYLOAD_ERROR,
				   "The parameter %s is missing or has no @odata.type.", name);
	logical_name = strrchr(json_object_get_string(type), '.');
	logical_name = logical_name ? logical_name + 1 : json_object_get_string(type);
	t = store_table_of_name(&c->dataverse->store, logical_name, strlen(logical_name));
	if (!t || !t->def->change_tracking || (m->table && t != m->table))
		return call_refuse(c, 400, "0x80045300", "Rows of this table cannot be merged.");
	m->table = t;
	if (!json_object_object_get_ex(side, t->def->id_column, &id) ||
	    !json_object_is_type(id, json_type_string) ||
	    !guid_parse(json_object_get_string(id), (size_t)json_object_get_string_len(id),
			&key.id))
		return call_refuse(c, 400, PAYLOAD_ERROR, "The parameter %s has no %s.", name,
				   t->def->id_column);
	*ret_record = key_find(c, t, &key);
	return *ret_record != NO_RECORD &&
	       user_may_row(c->user, t, *ret_record, RIGHT_WRITE, &c->failure);
}

/* The loser stays, inactive, and points to the winner (Microsoft Learn: Merge table rows). */
static bool close_loser(struct merge *m)
{
	struct store *s = &m->call->dataverse->store;
	struct table *t = m->table;
	struct record r = t->records[m->loser];
	char value[GUID_TEXT + 1] = "0";
	bool lead = t->table == TABLE_LEAD;
	uint16_t master = column_named(t, "masterid");

	guid_print(&t->records[m->winner].id, value + 1);
	r.row = row_copy(r.row);
	if (master != NO_COLUMN)
		r.row = row_set(r.row, master, value, GUID_TEXT);
	r.merged = true;
	r.state = lead ? 2 : 1;
	r.status = lead ? 7 : 2;
	r.modified_on = sandbox_now_s();
	r.modified_by = (uint16_t)m->call->user->id;
	table_put(s, t, r);
	return true;
}

static bool merge(struct merge *m)
{
	struct store *s = &m->call->dataverse->store;
	bool opened = store_begin(s), good;
	struct edits e = { 0 };

	good = !m->content || edits_read(m->call, m->table, m->content, false, &e);
	good = good && write_update(m->call, m->table, m->winner, &e) && close_loser(m);
	edits_free(&e);
	return finish(s, opened, good);
}

bool action_merge(struct call *c)
{
	struct merge m = { .call = c };
	struct json_object *body = call_body(c);
	bool good;

	if (!body)
		return false;
	good = merge_side(&m, body, "Target", &m.winner) &&
	       merge_side(&m, body, "Subordinate", &m.loser);
	if (good && (m.winner == m.loser || m.table->records[m.loser].merged ||
		     m.table->records[m.winner].merged))
		good = call_refuse(
			c, 400, "0x80045300",
			"A row cannot be merged with itself or with one that was merged.");
	if (good && json_object_object_get_ex(body, "UpdateContent", &m.content) && m.content &&
	    !json_object_is_type(m.content, json_type_object))
		good = call_refuse(c, 400, PAYLOAD_ERROR,
				   "The parameter UpdateContent is not an object.");
	good = good && merge(&m);
	json_object_put(body);
	if (good)
		call_no_content(c);
	return good;
}

/* --- functions --- */

static bool who_am_i(struct call *c)
{
	struct guid unit = c->dataverse->store.business_unit, user = user_system_id(c->user);
	struct guid organization = guid_of_name("organization", "root");
	char unit_id[GUID_TEXT], user_id[GUID_TEXT], organization_id[GUID_TEXT];

	guid_print(&unit, unit_id);
	guid_print(&user, user_id);
	guid_print(&organization, organization_id);
	call_json(c, 200);
	call_context(c, "Microsoft.Dynamics.CRM.WhoAmIResponse");
	text_printf(&c->response->body,
		    ",\"BusinessUnitId\":\"%s\",\"UserId\":\"%s\",\"OrganizationId\":\"%s\"}",
		    unit_id, user_id, organization_id);
	return true;
}

/* EntityNames=['contact','lead'], in the address or as a parameter alias */
static bool total_record_count(struct call *c, const char *arguments)
{
	struct text list = { 0 }, keys = { 0 }, counts = { 0 };
	const char *alias = strchr(arguments, '@');
	const char *at;
	int count = 0;

	if (!alias || !call_option(c, "@p1", &list))
		text_puts(&list, arguments);
	for (at = strchr(list.data, '['); at && (at = strpbrk(at, "'\""));) {
		size_t len = strcspn(at + 1, "'\"");
		const struct table *t = store_table_of_name(&c->dataverse->store, at + 1, len);
		uint32_t live = 0;

		for (uint32_t i = 0; t && i < t->count; i++)
			live += !t->records[i].gone;
		if (t) {
			text_printf(&keys, "%s\"%s\"", keys.len ? "," : "", t->def->logical_name);
			text_printf(&counts, "%s%u", counts.len ? "," : "", live);
			count++;
		}
		at += len + 1 + (at[len + 1] != '\0');
	}
	call_json(c, 200);
	call_context(c, "Microsoft.Dynamics.CRM.RetrieveTotalRecordCountResponse");
	text_printf(
		&c->response->body,
		",\"EntityRecordCountCollection\":{\"Count\":%d,\"IsReadOnly\":false,\"Keys\":[%s],"
		"\"Values\":[%s]}}",
		count, keys.len ? keys.data : "", counts.len ? counts.data : "");
	text_free(&list);
	text_free(&keys);
	text_free(&counts);
	return true;
}

bool function_answer(struct call *c, const char *name)
{
	if (strcmp(name, "WhoAmI") == 0 || strcmp(name, "WhoAmI()") == 0)
		return who_am_i(c);
	if (strncmp(name, "RetrieveTotalRecordCount(", 25) == 0)
		return total_record_count(c, name + 25);
	if (strncmp(name, "RetrieveDuplicates(", 19) == 0)
		return duplicate_retrieve(c, name + 19);
	return call_refuse(c, 404, ODATA_ERROR, "Resource not found for the segment '%.100s'.",
			   name);
}

static const struct user *user_of_record(const struct table *t, uint32_t record)
{
	for (size_t i = 0; i < USER_COUNT; i++) {
		struct guid id = user_system_id(&dataverse_users[i]);

		if (dataverse_users[i].member && guid_equal(&id, &t->records[record].id))
			return &dataverse_users[i];
	}
	return NULL;
}

/* Secured columns and what the user may do with each. One the user has no profile for is not in the
 * list at all. */
static void attribute_privileges(struct call *c, const struct user *u)
{
	struct text *out = &c->response->body;
	bool first = true;

	for (size_t i = 0; i < TABLE_COUNT; i++) {
		const struct table *t = &c->dataverse->store.tables[i];

		for (uint16_t k = 0; k < t->column_count; k++) {
			int level = c->dataverse->settings.denied[i][k] & 1u << u->id ? 0 : 4;
			char name[128], id[GUID_TEXT];
			struct guid g;

			if (!t->columns[k].secured || !u->reads_secured)
				continue;
			snprintf(name, sizeof(name), "%s.%s", t->def->logical_name,
				 t->columns[k].def->name);
			g = guid_of_name("attribute", name);
			guid_print(&g, id);
			text_printf(
				out,
				"%s{\"AttributeId\":\"%s\",\"CanCreate\":%d,\"CanRead\":%d,\"CanUpdate\":%d}",
				first ? "" : ",", id, level, level, level);
			first = false;
		}
	}
}

bool function_of_user(struct call *c, const struct key *key, const char *name)
{
	const struct table *t = &c->dataverse->store.tables[TABLE_SYSTEMUSER];
	uint32_t record = key_find(c, t, key);
	const struct user *u;

	if (record == NO_RECORD)
		return false;
	u = user_of_record(t, record);
	if (strncmp(name, "RetrieveUserPrivileges", 22) == 0) {
		call_json(c, 200);
		call_context(c, "Microsoft.Dynamics.CRM.RetrieveUserPrivilegesResponse");
		text_puts(&c->response->body, ",\"RolePrivileges\":[");
		if (u)
			user_privileges_json(u, &c->dataverse->store, &c->response->body);
		text_puts(&c->response->body, "]}");
		return true;
	}
	if (strncmp(name, "RetrievePrincipalAttributePrivileges", 36) == 0) {
		call_json(c, 200);
		call_context(c,
			     "Microsoft.Dynamics.CRM.RetrievePrincipalAttributePrivilegesResponse");
		text_puts(&c->response->body, ",\"AttributePrivileges\":[");
		if (u)
			attribute_privileges(c, u);
		text_puts(&c->response->body, "]}");
		return true;
	}
	return call_refuse(c, 404, ODATA_ERROR,
			   "Resource not found for the segment 'Microsoft.Dynamics.CRM.%.80s'.",
			   name);
}

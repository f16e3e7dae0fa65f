/* QualifyLead, Merge, and the functions that belong to no row: WhoAmI, counts (Microsoft Learn: Use
 * Web API actions; Use Web API functions). */
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

bool parameters_known(struct call *c, struct json_object *body, const char *action,
		      const char *const *known)
{
	json_object_object_foreach (body, name, value) {
		const char *const *at = known;

		(void)value;
		while (*at && strcmp(*at, name) != 0)
			at++;
		if (!*at && *name != '@')
			return call_refuse(
				c, 400, PAYLOAD_ERROR,
				"The parameter '%.100s' in the request payload is not a valid parameter "
				"for the operation '%s'.",
				name, action);
	}
	return true;
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

/* What would have an effect here that is not imitated. */
static bool parameters_offered(struct call *c, struct json_object *body)
{
	static const char *const others[] = { "SourceCampaignId", "ProcessInstanceId" };
	struct json_object *value;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (json_object_object_get_ex(body, others[i], &value) && value)
			return call_refuse(c, 501, ODATA_ERROR,
					   "The parameter %s is not offered here.", others[i]);
	return !flag(body, "CreateOpportunity") ||
	       call_refuse(c, 501, ODATA_ERROR, "Opportunities are not offered here.");
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
	/* those of the opportunity alone have no meaning without one */
	static const char *const known[] = { "CreateAccount",
					     "CreateContact",
					     "CreateOpportunity",
					     "OpportunityCurrencyId",
					     "OpportunityCustomerId",
					     "SourceCampaignId",
					     "Status",
					     "ProcessInstanceId",
					     NULL };
	struct table *tables = c->dataverse->store.tables;
	struct qualify q = { .call = c,
			     .leads = t,
			     .contacts = &tables[TABLE_CONTACT],
			     .accounts = &tables[TABLE_ACCOUNT] };
	struct json_object *body, *status;
	bool good = true;

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
	if (!parameters_known(c, body, "QualifyLead", known) || !parameters_offered(c, body))
		good = false;
	else if (t->records[q.lead].state == 1)
		call_refuse(c, 400, "0x80081018", "The lead is already closed.");
	else if (q.status != -1 && q.status != 3)
		call_refuse(
			c, 400, "0x80048408",
			"%d is not a valid status code for state code LeadState.Qualified on lead.",
			q.status);
	json_object_put(body);
	q.status = 3;
	return good && !c->failure.status && qualify(&q);
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

/* Rows below different parents are not merged when that is asked (Microsoft Learn: Merge Action). */
static bool parents_agree(struct merge *m, struct json_object *body)
{
	const char *name = m->table->table == TABLE_CONTACT ? "parentcustomerid"
							    : "parentaccountid";
	uint16_t column = column_named(m->table, name);
	size_t left_len = 0, right_len = 0;
	const char *left, *right;

	if (!flag(body, "PerformParentingChecks") || column == NO_COLUMN)
		return true;
	left = row_get(m->table->records[m->winner].row, column, &left_len);
	right = row_get(m->table->records[m->loser].row, column, &right_len);
	if (!left || !right || (left_len == right_len && memcmp(left, right, left_len) == 0))
		return true;
	return call_refuse(m->call, 400, "0x80045300",
			   "Merge warning: sub-entity will be differently parented.");
}

bool action_merge(struct call *c)
{
	static const char *const known[] = { "Target", "Subordinate", "UpdateContent",
					     "PerformParentingChecks", NULL };
	struct merge m = { .call = c };
	struct json_object *body = call_body(c);
	bool good;

	if (!body)
		return false;
	good = parameters_known(c, body, "Merge", known) &&
	       merge_side(&m, body, "Target", &m.winner) &&
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
	good = good && parents_agree(&m, body) && merge(&m);
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

struct counted {
	struct text keys, counts;
	int count;
};

static bool count_table(struct call *c, const char *name, struct counted *ret)
{
	const struct table *t = store_table_of_name(&c->dataverse->store, name, strlen(name));
	uint32_t live = 0;

	if (!t)
		return call_refuse(c, 400, "0x80041102",
				   "The entity with a name = '%.100s' was not found.", name);
	for (uint32_t i = 0; i < t->count; i++)
		live += !t->records[i].gone;
	text_printf(&ret->keys, "%s\"%s\"", ret->count ? "," : "", t->def->logical_name);
	text_printf(&ret->counts, "%s%u", ret->count ? "," : "", live);
	ret->count++;
	return true;
}

/* EntityNames=['contact','lead'] */
static bool total_record_count(struct call *c, const char *arguments)
{
	struct json_object *names = argument_json(c, arguments, "EntityNames", json_type_array);
	struct counted counted = { 0 };
	bool good = names != NULL;

	for (size_t i = 0; good && i < json_object_array_length(names); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(names, i));

		good = count_table(c, name ? name : "", &counted);
	}
	if (good) {
		call_json(c, 200);
		call_context(c, "Microsoft.Dynamics.CRM.RetrieveTotalRecordCountResponse");
		text_printf(
			&c->response->body,
			",\"EntityRecordCountCollection\":{\"Count\":%d,\"IsReadOnly\":false,\"Keys\":[%s],"
			"\"Values\":[%s]}}",
			counted.count, counted.count ? counted.keys.data : "",
			counted.count ? counted.counts.data : "");
	}
	json_object_put(names);
	text_free(&counted.keys);
	text_free(&counted.counts);
	return good;
}

bool function_answer(struct call *c, const char *name)
{
	if (strcmp(name, "WhoAmI") == 0 || strcmp(name, "WhoAmI()") == 0)
		return who_am_i(c);
	if (strncmp(name, "RetrieveTotalRecordCount(", 25) == 0)
		return total_record_count(c, name + 24);
	if (strncmp(name, "RetrieveDuplicates(", 19) == 0)
		return duplicate_retrieve(c, name + 18);
	return call_refuse(c, 404, ODATA_ERROR, "Resource not found for the segment '%.100s'.",
			   name);
}

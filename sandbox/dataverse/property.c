/* One property of a row: its value, its raw text, setting and clearing it, and the link of a
 * lookup. */
#include <stdio.h>
#include <string.h>

#include "dataverse/join.h"

static bool write_member(struct call *c, struct table *t, uint32_t record, const char *name,
			 struct json_object *value)
{
	struct json_object *body = json_object_new_object();
	struct edits edits = { 0 };
	bool good;

	json_object_object_add(body, name, json_object_get(value));
	good = edits_read(c, t, body, false, &edits) && write_update(c, t, record, &edits);
	edits_free(&edits);
	json_object_put(body);
	if (good)
		call_no_content(c);
	return good;
}

static bool retrieve(struct call *c, const struct table *t, uint32_t record, uint16_t column,
		     bool raw)
{
	const struct column *there = &t->columns[column];
	struct scratch scratch;
	struct value v =
		record_value(&c->dataverse->store, t, &t->records[record], column, &scratch);
	char id[GUID_TEXT];

	if (!user_may_row(c->user, t, record, RIGHT_READ, &c->failure))
		return false;
	if (!value_readable(c, t, column) || !v.bytes) {
		call_no_content(c);
		return true;
	}
	if (raw) {
		c->response->status = 200;
		web_header(c->response, "OData-Version", "4.0");
		web_header(c->response, "Content-Type", "text/plain");
		if (there->def->type == COLUMN_BOOLEAN)
			text_puts(&c->response->body, *v.bytes == '1' ? "true" : "false");
		else
			text_add(&c->response->body, v.bytes + value_is_lookup(there),
				 v.len - value_is_lookup(there));
		return true;
	}
	guid_print(&t->records[record].id, id);
	call_json(c, 200);
	call_context(c, "%s(%s)/%s", t->def->set_name, id, there->wire);
	text_puts(&c->response->body, ",\"value\":");
	value_write(&c->response->body, there, v);
	text_puts(&c->response->body, "}");
	return true;
}

static bool put_value(struct call *c, struct table *t, uint32_t record, const char *name,
		      const char *member, const char *written_as)
{
	struct json_object *body = call_body(c);
	struct json_object *value = NULL;
	bool good;

	if (!body)
		return false;
	if (!json_object_object_get_ex(body, member, &value))
		good = call_refuse(c, 400, PAYLOAD_ERROR,
				   "The body has no member '%s' for the property '%s'.", member,
				   name);
	else
		good = write_member(c, t, record, written_as, value);
	json_object_put(body);
	return good;
}

/* <navigation>/$ref */
static bool link_answer(struct call *c, struct table *t, uint32_t record, const char *name)
{
	char bind[128];

	snprintf(bind, sizeof(bind), "%s@odata.bind", name);
	if (strcmp(c->request->method, "PUT") == 0)
		return put_value(c, t, record, name, "@odata.id", bind);
	if (strcmp(c->request->method, "DELETE") == 0)
		return write_member(c, t, record, bind, NULL);
	if (strcmp(c->request->method, "GET") == 0)
		return call_refuse(c, 501, ODATA_ERROR,
				   "Reading the link '%s' is not offered here.", name);
	return call_refuse(c, 405, ODATA_ERROR, "The method %s is not offered for a link.",
			   c->request->method);
}

/* The row at the other end: in the body, between parentheses, or as $id. */
static uint32_t other_end(struct call *c, const struct relation *relation, const char *address)
{
	struct table *named = NULL;
	struct key key;
	uint32_t record = NO_RECORD;

	if (!key_parse_address(c, address, &named, &key))
		return NO_RECORD;
	if (named->table != relation->many)
		call_refuse(c, 400, PAYLOAD_ERROR, "The collection '%s' cannot hold the row.",
			    relation->name);
	else
		record = key_find(c, named, &key);
	key_free(&key);
	return record;
}

static bool linked_address(struct call *c, const struct relation *relation, const char *inner,
			   struct text *ret)
{
	struct json_object *body, *id = NULL;

	if (*inner == '(') {
		text_printf(ret, "%s%.*s", table_defs[relation->many].set_name,
			    (int)strcspn(inner, "/"), inner);
		return true;
	}
	if (strcmp(c->request->method, "DELETE") == 0)
		return (call_option(c, "$id", ret) && ret->len) ||
		       call_refuse(c, 400, ODATA_ERROR, "The option $id is missing.");
	body = call_body(c);
	if (!body)
		return false;
	if (json_object_object_get_ex(body, "@odata.id", &id) &&
	    json_object_is_type(id, json_type_string))
		text_puts(ret, json_object_get_string(id));
	json_object_put(body);
	return ret->len || call_refuse(c, 400, PAYLOAD_ERROR, "The body has no @odata.id.");
}

/* Only what is linked here can be taken off. */
static bool linked(struct call *c, const struct table *t, uint32_t record,
		   const struct relation *relation, uint32_t other)
{
	const struct table *many = &c->dataverse->store.tables[relation->many];
	struct join join;
	char id[GUID_TEXT];

	if (!join_find(c, many, relation->navigation, strlen(relation->navigation), &join))
		return false;
	guid_print(&many->records[other].id, id);
	return (join.table == t && join_follow(c, many, &many->records[other], &join) == record) ||
	       call_refuse(c, 404, "0x80040217", "%s With Id = %s Does Not Exist",
			   many->def->logical_name, id);
}

/* <collection>/$ref and <collection>(<key>)/$ref: the lookup of the row at the other end. */
static bool collection_answer(struct call *c, const struct table *t, uint32_t record,
			      const struct relation *relation, const char *inner)
{
	static const char *const offered[] = { "$id", NULL };
	struct table *many = &c->dataverse->store.tables[relation->many];
	bool adding = strcmp(c->request->method, "POST") == 0 && *inner == '/';
	struct json_object *value = NULL;
	struct text address = { 0 };
	char bind[128], self[128], id[GUID_TEXT];
	uint32_t other = NO_RECORD;
	bool good;

	if (strcmp(c->request->method, "GET") == 0 && (!*inner || strcmp(inner, "/$count") == 0))
		return user_may_row(c->user, t, record, RIGHT_READ, &c->failure) &&
		       query_related(c, relation, record, *inner == '/');
	if (!strstr(inner, "/$ref") || (!adding && strcmp(c->request->method, "DELETE") != 0))
		return call_refuse(c, 501, ODATA_ERROR,
				   "Only $count and $ref of the collection '%s' are offered here.",
				   relation->name);
	if (!options_offered(c, offered))
		return false;
	if (linked_address(c, relation, inner, &address))
		other = other_end(c, relation, address.data);
	text_free(&address);
	if (other == NO_RECORD || (!adding && !linked(c, t, record, relation, other)))
		return false;
	guid_print(&t->records[record].id, id);
	snprintf(self, sizeof(self), "/%s(%s)", t->def->set_name, id);
	snprintf(bind, sizeof(bind), "%s@odata.bind", relation->navigation);
	if (adding)
		value = json_object_new_string(self);
	good = write_member(c, many, other, bind, value);
	json_object_put(value);
	return good;
}

/* GET <navigation>: the row the lookup points to; nothing when it is empty. */
static bool target_answer(struct call *c, const struct table *t, uint32_t record, const char *name)
{
	struct join join;
	uint32_t target;

	if (!user_may_row(c->user, t, record, RIGHT_READ, &c->failure) ||
	    !join_find(c, t, name, strlen(name), &join))
		return false;
	target = join_follow(c, t, &t->records[record], &join);
	if (target != NO_RECORD)
		return row_show(c, join.table, target);
	call_no_content(c);
	return true;
}

static bool is_navigation(const struct table *t, const char *name)
{
	for (uint16_t i = 0; i < t->column_count; i++)
		if (!t->columns[i].dropped &&
		    lookup_navigation(t->columns[i].def, name, strlen(name)) >= 0)
			return true;
	return false;
}

bool property_answer(struct call *c, struct table *t, const struct key *key, const char *name)
{
	size_t len = strcspn(name, "/");
	const char *rest = name + len;
	uint16_t column = table_column_of_wire(t, name, len);
	uint32_t record = key_find(c, t, key);
	bool reading = strcmp(c->request->method, "GET") == 0;
	const struct relation *relation;
	char only[64];

	if (record == NO_RECORD)
		return false;
	relation = relation_named(name, strcspn(name, "(/"), t);
	if (relation)
		return collection_answer(c, t, record, relation, name + strcspn(name, "(/"));
	snprintf(only, sizeof(only), "%.*s", (int)len, name);
	if (reading && !*rest && column == NO_COLUMN && is_navigation(t, only))
		return target_answer(c, t, record, only);
	if (!options_none(c) || (!reading && !row_conditions_met(c, t, record)))
		return false;
	if (strcmp(rest, "/$ref") == 0)
		return link_answer(c, t, record, only);
	if (column == NO_COLUMN || (*rest && strcmp(rest, "/$value") != 0))
		return call_refuse(c, 404, ODATA_ERROR, "Resource not found for the segment '%s'.",
				   only);
	if (reading)
		return retrieve(c, t, record, column, *rest != '\0');
	if (*rest == '\0' && strcmp(c->request->method, "PUT") == 0)
		return put_value(c, t, record, only, "value", only);
	if (*rest == '\0' && strcmp(c->request->method, "DELETE") == 0)
		return write_member(c, t, record, only, NULL);
	return call_refuse(c, 405, ODATA_ERROR, "The method %s is not offered for a property.",
			   c->request->method);
}

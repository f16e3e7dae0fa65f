/* One row: create, retrieve, update or insert, delete, with the conditions of their headers
 * (Microsoft Learn: Perform conditional operations using the Web API). */
#include <stdlib.h>
#include <string.h>

#include "dataverse/dataverse.h"

/* What shapes an answer with one row. */
static const char *const shown_options[] = { "$select", "$expand", NULL };

enum condition { CONDITION_NONE, CONDITION_ANY, CONDITION_VERSION };

struct conditions {
	enum condition match, none_match;
	uint64_t match_version, none_match_version;
};

/* The literal null is a customary header value that means nothing. */
static enum condition read_condition(const char *header, uint64_t *ret_version)
{
	if (!header || strcmp(header, "null") == 0)
		return CONDITION_NONE;
	if (strcmp(header, "*") == 0)
		return CONDITION_ANY;
	if (strncmp(header, "W/", 2) == 0)
		header += 2;
	header += *header == '"';
	*ret_version = strtoull(header, NULL, 10);
	return CONDITION_VERSION;
}

static struct conditions read_conditions(const struct call *c)
{
	struct conditions conditions = { 0 };

	conditions.match = read_condition(call_header(c, "If-Match"), &conditions.match_version);
	conditions.none_match =
		read_condition(call_header(c, "If-None-Match"), &conditions.none_match_version);
	return conditions;
}

/* Of If-None-Match a write knows * only. */
static bool conditions_offered(struct call *c, const struct conditions *conditions)
{
	return conditions->none_match != CONDITION_VERSION ||
	       call_refuse(c, 501, ODATA_ERROR,
			   "If-None-Match with a version is offered here for reading only.");
}

static bool version_matches(struct call *c, const struct table *t, uint32_t record,
			    const struct conditions *conditions)
{
	if (conditions->match == CONDITION_VERSION && !t->def->optimistic_concurrency)
		return call_refuse(c, 400, "0x8006088d",
				   "Optimistic concurrency isn't enabled for entity type %s.",
				   t->def->logical_name);
	if (conditions->match != CONDITION_VERSION ||
	    conditions->match_version == t->records[record].version)
		return true;
	return call_refuse(
		c, 412, "0x80060882",
		"The version of the existing record doesn't match the RowVersion property provided.");
}

/* The address of the row just written: the one asked with, when that was an alternate key. */
static void answer_written(struct call *c, const struct table *t, uint32_t record,
			   const struct key *key, const struct projection *p, int status_with_row)
{
	char id[GUID_TEXT];

	if (c->prefer.representation) {
		select_answer(c, t, record, p, status_with_row);
		return;
	}
	call_no_content(c);
	guid_print(&t->records[record].id, id);
	if (key && key->alternate)
		web_header(c->response, "OData-EntityId", "http://%s%s", c->request->host,
			   c->request->path);
	else
		web_header(c->response, "OData-EntityId", "%s%s(%s)", c->root.data,
			   t->def->set_name, id);
}

/* With the related rows in the body, all or nothing. */
static bool create(struct call *c, struct table *t, const struct key *key, struct json_object *body,
		   uint32_t *ret_record)
{
	struct store *s = &c->dataverse->store;
	struct edits edits = { 0 };
	bool opened = store_begin(s);
	bool good = edits_read(c, t, body, true, &edits);

	if (good && key && key->alternate && !edits_find(&edits, t->key_column))
		edits_add(&edits, t->key_column, key->value.data, key->value.len);
	good = good &&
	       write_create(c, t, &edits, key && !key->alternate ? &key->id : NULL, ret_record);
	edits_free(&edits);
	if (good) { /* the related ones came after it */
		c->written_table = t;
		c->written = t->records[*ret_record].id;
	}
	if (opened && good)
		store_commit(s);
	else if (opened)
		store_rollback(s);
	return good;
}

bool row_conditions_met(struct call *c, const struct table *t, uint32_t record)
{
	struct conditions conditions = read_conditions(c);

	return conditions_offered(c, &conditions) && version_matches(c, t, record, &conditions);
}

bool row_create(struct call *c, struct table *t)
{
	struct projection p;
	struct json_object *body;
	uint32_t record;
	bool good;

	if (!options_offered(c, shown_options) ||
	    !user_may(c->user, t, RIGHT_CREATE, &c->failure) || !select_parse(c, t, &p))
		return false;
	body = call_body(c);
	good = body && create(c, t, NULL, body, &record);
	json_object_put(body);
	if (good)
		answer_written(c, t, record, NULL, &p, 201);
	select_free(&p);
	return good;
}

bool row_show(struct call *c, const struct table *t, uint32_t record)
{
	struct conditions conditions = read_conditions(c);
	struct projection p;
	bool good;

	if (!options_offered(c, shown_options) || !select_parse(c, t, &p))
		return false;
	good = user_may_row(c->user, t, record, RIGHT_READ, &c->failure);
	if (good && conditions.none_match == CONDITION_VERSION && !p.expansion_count &&
	    !call_wants_any_annotation(c) &&
	    conditions.none_match_version == t->records[record].version) {
		call_no_content(c);
		c->response->status = 304;
	} else if (good) {
		select_answer(c, t, record, &p, 200);
	}
	select_free(&p);
	return good;
}

bool row_retrieve(struct call *c, struct table *t, const struct key *key)
{
	uint32_t record;

	if (!user_may(c->user, t, RIGHT_READ, &c->failure))
		return false;
	record = key_find(c, t, key);
	return record != NO_RECORD && row_show(c, t, record);
}

static bool patch_present(struct call *c, struct table *t, const struct key *key, uint32_t record,
			  const struct conditions *conditions, struct json_object *body,
			  const struct projection *p)
{
	struct edits edits = { 0 };
	bool good;

	if (conditions->none_match == CONDITION_ANY)
		return call_refuse(c, 412, "0x80040237",
				   "A record with matching key values already exists.");
	if (!user_may_row(c->user, t, record, RIGHT_WRITE, &c->failure) ||
	    !version_matches(c, t, record, conditions))
		return false;
	good = edits_read(c, t, body, false, &edits);
	if (good && key->alternate)
		edits_drop(&edits, t->key_column);
	good = good && write_update(c, t, record, &edits);
	edits_free(&edits);
	if (good)
		answer_written(c, t, record, key, p, 200);
	return good;
}

/* A key that names no row makes one, unless a header asks for an existing row. */
static bool patch_absent(struct call *c, struct table *t, const struct key *key,
			 const struct conditions *conditions, struct json_object *body,
			 const struct projection *p)
{
	uint32_t record;
	bool good;

	if (conditions->match != CONDITION_NONE) {
		key_find(c, t, key); /* says which key found nothing */
		return false;
	}
	if (!user_may(c->user, t, RIGHT_CREATE, &c->failure))
		return false;
	good = create(c, t, key, body, &record);
	if (good)
		answer_written(c, t, record, key, p, 201);
	return good;
}

bool row_patch(struct call *c, struct table *t, const struct key *key)
{
	struct conditions conditions = read_conditions(c);
	uint32_t record = key_find_quietly(t, key);
	struct projection p;
	struct json_object *body;
	bool good;

	if (!options_offered(c, shown_options) || !conditions_offered(c, &conditions) ||
	    !select_parse(c, t, &p))
		return false;
	body = call_body(c);
	if (!body)
		good = false;
	else if (record == NO_RECORD)
		good = patch_absent(c, t, key, &conditions, body, &p);
	else
		good = patch_present(c, t, key, record, &conditions, body, &p);
	json_object_put(body);
	select_free(&p);
	return good;
}

bool row_delete(struct call *c, struct table *t, const struct key *key)
{
	struct conditions conditions = read_conditions(c);
	uint32_t record = key_find(c, t, key);

	if (record == NO_RECORD || !conditions_offered(c, &conditions) ||
	    !version_matches(c, t, record, &conditions) || !write_delete(c, t, record))
		return false;
	call_no_content(c);
	return true;
}

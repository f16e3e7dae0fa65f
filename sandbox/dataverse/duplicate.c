/* Duplicate detection: the rules for rows with the same e-mail address, asked for by a header or by
 * RetrieveDuplicates (Microsoft Learn: Detect duplicate data using the Web API). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dataverse/dataverse.h"

struct search {
	uint32_t self;
	uint32_t *found;
	size_t count;
};

static bool note(void *context, uint32_t record)
{
	struct search *search = context;

	if (record == search->self)
		return true;
	search->found = realloc(search->found, (search->count + 1) * sizeof(*search->found));
	if (!search->found)
		abort();
	search->found[search->count++] = record;
	return true;
}

static bool published(const struct call *c, const struct table *t)
{
	return c->dataverse->settings.duplicate_rules[t->table] && t->email_column != NO_COLUMN;
}

bool duplicate_none(struct call *c, const struct table *t, const struct edits *e, uint32_t self)
{
	const char *suppress = call_header(c, "MSCRM.SuppressDuplicateDetection");
	const struct edit *edit = published(c, t) ? edits_find(e, t->email_column) : NULL;
	struct search search = { .self = self };

	if (!suppress || strcasecmp(suppress, "false") != 0 || !edit || edit->null)
		return true;
	table_find_text(t, t->email_column, e->bytes.data + edit->at, edit->len, note, &search);
	free(search.found);
	return !search.count ||
	       call_refuse(
		       c, 412, "0x80040333",
		       "A record was not created or updated because a duplicate of the current record already exists.");
}

/* --- RetrieveDuplicates --- */

static const char *text_member(struct json_object *o, const char *name, size_t *ret_len)
{
	struct json_object *value;

	if (!json_object_object_get_ex(o, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	*ret_len = (size_t)json_object_get_string_len(value);
	return json_object_get_string(value);
}

static long number_member(struct json_object *o, const char *name, long otherwise)
{
	struct json_object *value;

	if (!json_object_object_get_ex(o, name, &value) ||
	    !json_object_is_type(value, json_type_int))
		return otherwise;
	return (long)json_object_get_int(value);
}

/* The address of the row: as given, else as stored. */
static void find_alike(const struct table *t, struct json_object *row, struct search *search)
{
	size_t len, email_len = 0;
	const char *id = text_member(row, t->def->id_column, &len);
	const char *email = text_member(row, "emailaddress1", &email_len);
	struct guid guid;

	search->self = NO_RECORD;
	if (id && guid_parse(id, len, &guid))
		search->self = table_find(t, &guid, false);
	if (!email && search->self != NO_RECORD)
		email = row_get(t->records[search->self].row, t->email_column, &email_len);
	if (email)
		table_find_text(t, t->email_column, email, email_len, note, search);
}

static void write_found(struct call *c, const struct table *t, const struct search *search,
			struct json_object *paging)
{
	struct text *out = &c->response->body;
	long size = number_member(paging, "Count", 50),
	     page = number_member(paging, "PageNumber", 1);
	struct projection all;
	bool first = true;

	select_parse_list(c, t, NULL, &all);
	call_json(c, 200);
	call_context(c, "crmbaseentity");
	text_puts(out, ",\"value\":[");
	for (size_t i = 0; i < search->count; i++) {
		struct text row = { 0 };

		if (size <= 0 || (long)i / size != page - 1)
			continue;
		select_write(c, t, search->found[i], &all, &row);
		text_printf(out, "%s{\"@odata.type\":\"#Microsoft.Dynamics.CRM.%s\",%s",
			    first ? "" : ",", t->def->logical_name, row.data + 1);
		text_free(&row);
		first = false;
	}
	text_puts(out, "]}");
}

static struct table *table_of_row(struct call *c, struct json_object *row)
{
	size_t len = 0;
	const char *type = text_member(row, "@odata.type", &len);
	const char *name = type ? strrchr(type, '.') : NULL;

	if (!name)
		return NULL;
	return store_table_of_name(&c->dataverse->store, name + 1, strlen(name + 1));
}

static bool answer(struct call *c, struct json_object *row, const char *matching,
		   struct json_object *paging)
{
	size_t len = strlen(matching);
	struct table *base = table_of_row(c, row);
	struct table *t = len > 1 && *matching == '\''
				  ? store_table_of_name(&c->dataverse->store, matching + 1, len - 2)
				  : NULL;
	struct search search = { .self = NO_RECORD };

	if (!base)
		return call_refuse(c, 400, PAYLOAD_ERROR,
				   "The parameter BusinessEntity has no @odata.type of a table.");
	if (!t)
		return call_refuse(c, 400, "0x80041102",
				   "The entity with a name = %.100s was not found.", matching);
	if (!user_may(c->user, t, RIGHT_READ, &c->failure))
		return false;
	if (t == base && published(c, t)) /* the rules that come published match within a table */
		find_alike(t, row, &search);
	write_found(c, t, &search, paging);
	free(search.found);
	return true;
}

bool duplicate_retrieve(struct call *c, const char *arguments)
{
	struct json_object *row = argument_json(c, arguments, "BusinessEntity", json_type_object);
	struct json_object *paging =
		row ? argument_json(c, arguments, "PagingInfo", json_type_object) : NULL;
	struct text matching = { 0 };
	bool good = paging && argument(c, arguments, "MatchingEntityName", &matching) &&
		    answer(c, row, matching.data, paging);

	text_free(&matching);
	json_object_put(row);
	json_object_put(paging);
	return good;
}

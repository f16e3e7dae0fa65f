/* Companies and sales persons: records with a key of the client's own that people point to. Adobe:
 * Lead Database, Companies and Sales Persons. Their fields are columns of people too, so that a
 * linked person shows its company's values. The calls are in object_call.c. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "marketo/object.h"

#define COMPANY_FIELDS                                                                             \
	"company", "site", "website", "mainPhone", "annualRevenue", "numberOfEmployees",           \
		"industry", "sicCode", "billingStreet", "billingCity", "billingState",             \
		"billingCountry", "billingPostalCode", "mktoCompanyNotes"

const struct object_info object_infos[OBJECT_KIND_COUNT] = {
	[OBJECT_COMPANY] = { .name = "Company",
			     .key = COLUMN_EXTERNAL_COMPANY,
			     .key_length = 100,
			     .first_id = 3001,
			     .search = "company",
			     .fields = { COMPANY_FIELDS, "externalSalesPersonId" } },
	[OBJECT_SALES_PERSON] = { .name = "Sales Person",
				  .key = COLUMN_EXTERNAL_SALES_PERSON,
				  .key_length = 255,
				  .first_id = 101,
				  .search = "email",
				  .fields = { "email", "firstName", "lastName", "phone",
					      "mobilePhone", "fax", "title" } },
};

void objects_free(struct marketo *m)
{
	for (int kind = 0; kind < OBJECT_KIND_COUNT; kind++) {
		struct objects *all = &m->objects[kind];

		for (size_t i = 0; i < all->count; i++)
			row_free(all->list[i].row);
		free(all->list);
		index_free(&all->by_key);
		*all = (struct objects){ 0 };
	}
}

struct key_search {
	const struct objects *all;
	int key;
	const char *bytes;
	size_t len;
	uint32_t found;
	bool met;
};

static bool key_visit(void *context, uint32_t position)
{
	struct key_search *s = context;
	size_t len;
	const char *bytes = row_get(s->all->list[position].row, (uint16_t)s->key, &len);

	if (s->all->list[position].gone || !bytes || len != s->len ||
	    memcmp(bytes, s->bytes, len) != 0)
		return true;
	s->found = position;
	s->met = true;
	return false;
}

struct object *object_by_key(const struct marketo *m, enum object_kind kind, const char *bytes,
			     size_t len)
{
	struct key_search s = {
		.all = &m->objects[kind], .key = object_infos[kind].key, .bytes = bytes, .len = len
	};

	if (len)
		index_find(&s.all->by_key, index_hash(bytes, len, false), key_visit, &s);
	return s.met ? &s.all->list[s.found] : NULL;
}

struct object *object_by_id(const struct marketo *m, enum object_kind kind, int64_t id)
{
	const struct objects *all = &m->objects[kind];
	int64_t position = id - object_infos[kind].first_id;

	if (position < 0 || (uint64_t)position >= all->count || all->list[position].gone)
		return NULL;
	return &all->list[position];
}

uint32_t object_id(const struct marketo *m, enum object_kind kind, const struct object *object)
{
	return object_infos[kind].first_id + (uint32_t)(object - m->objects[kind].list);
}

struct object *object_add(struct marketo *m, enum object_kind kind, const char *key, size_t len)
{
	struct objects *all = &m->objects[kind];
	struct object *made;

	if (all->count == all->cap) {
		all->cap = all->cap ? all->cap * 2 : 64;
		all->list = realloc(all->list, all->cap * sizeof(*all->list));
		if (!all->list)
			abort();
	}
	made = &all->list[all->count];
	*made = (struct object){ .created = sandbox_now_s(), .updated = sandbox_now_s() };
	made->row = row_set(NULL, (uint16_t)object_infos[kind].key, key, len);
	index_add(&all->by_key, index_hash(key, len, false), (uint32_t)all->count++);
	return made;
}

void object_remove(struct marketo *m, enum object_kind kind, struct object *object)
{
	struct objects *all = &m->objects[kind];
	size_t len;
	const char *key = row_get(object->row, (uint16_t)object_infos[kind].key, &len);

	index_remove(&all->by_key, index_hash(key, len, false), (uint32_t)(object - all->list));
	row_free(object->row);
	object->row = NULL;
	object->gone = true;
}

/* Whether people, or companies, point to it. */
bool object_in_use(struct marketo *m, enum object_kind kind, const struct object *object)
{
	int column = object_infos[kind].key;
	size_t len, other_len;
	const char *key = row_get(object->row, (uint16_t)column, &len);
	const struct objects *companies = &m->objects[OBJECT_COMPANY];
	uint32_t found;

	if (people_find(m, column, key, len, &found, 1))
		return true;
	for (size_t i = 0; kind == OBJECT_SALES_PERSON && i < companies->count; i++) {
		const char *other = row_get(companies->list[i].row, (uint16_t)column, &other_len);

		if (other && other_len == len && memcmp(other, key, len) == 0)
			return true;
	}
	return false;
}

const struct row *company_row(const struct marketo *m, const struct row *person)
{
	size_t len;
	const char *key;
	const struct object *company;

	if (!m->objects[OBJECT_COMPANY].count)
		return NULL;
	key = row_get(person, COLUMN_EXTERNAL_COMPANY, &len);
	company = key ? object_by_key(m, OBJECT_COMPANY, key, len) : NULL;
	return company ? company->row : NULL;
}

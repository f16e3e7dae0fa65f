/* The people: storage by sequential id, look-up by value, the durable unsubscribes, loading.
 * A value set here has no consequence: change.c is where an edit is more than a stored
 * value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "marketo/marketo.h"

#define LOADED_AGE_SECONDS (400 * 86400) /* loaded people have been there since before */

/* Past this many people under one value an index of the field is no use: a scan finds enough of
 * them at once. */
enum { SAME_VALUE_MAX = 2000 };

const char *const marketo_partitions[PARTITION_COUNT] = { "Default", "EMEA" };

void people_free(struct marketo *m)
{
	struct people *p = &m->people;

	for (size_t i = 0; i < p->count; i++)
		row_free(p->list[i].row);
	for (size_t i = 0; i < p->opted_out_count; i++)
		free(p->opted_out_list[i]);
	free(p->list);
	free(p->opted_out_list);
	index_free(&p->opted_out);
	*p = (struct people){ 0 };
}

uint32_t person_id(size_t position)
{
	return (uint32_t)(FIRST_PERSON_ID + position);
}

bool person_find(const struct marketo *m, int64_t id, uint32_t *ret)
{
	if (id < FIRST_PERSON_ID || (uint64_t)(id - FIRST_PERSON_ID) >= m->people.count)
		return false;
	*ret = (uint32_t)(id - FIRST_PERSON_ID);
	return !m->people.list[*ret].gone;
}

uint32_t person_add(struct marketo *m)
{
	struct people *p = &m->people;
	uint32_t now = (uint32_t)sandbox_now_s();

	if (p->count == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 1024;
		p->list = realloc(p->list, p->cap * sizeof(*p->list));
		if (!p->list) {
			fputs("tandem-sandbox: out of memory\n", stderr);
			abort();
		}
	}
	p->list[p->count] =
		(struct person){ .created = now, .updated = now, .touched = now, .partition = 1 };
	return (uint32_t)p->count++;
}

const char *person_get(const struct marketo *m, uint32_t position, int column, size_t *ret_len)
{
	const struct row *row = m->people.list[position].row;
	const struct row *company =
		m->fields.list[column].flags & FIELD_COMPANY ? company_row(m, row) : NULL;
	const char *bytes = row_get(company ? company : row, (uint16_t)column, ret_len);

	if (!bytes)
		*ret_len = 0;
	return bytes;
}

/* ---- look-up ---- */

struct value_search {
	const struct marketo *m;
	int column;
	bool fold_case;
	const char *bytes;
	size_t len;
	uint32_t *found;
	size_t count, max;
	uint32_t before; /* made then or later: not found */
};

static bool folds_case(int column)
{
	return column == COLUMN_EMAIL;
}

static bool same_value(const char *a, size_t a_len, const char *b, size_t b_len, bool fold_case)
{
	if (!a || a_len != b_len)
		return false;
	return fold_case ? strncasecmp(a, b, a_len) == 0 : memcmp(a, b, a_len) == 0;
}

static bool value_visit(void *context, uint32_t position)
{
	struct value_search *s = context;
	size_t len;
	const char *bytes = person_get(s->m, position, s->column, &len);

	if (s->m->people.list[position].gone || s->m->people.list[position].created >= s->before ||
	    !same_value(bytes, len, s->bytes, s->len, s->fold_case))
		return true;
	s->found[s->count++] = position;
	return s->count < s->max;
}

static bool count_visit(void *context, uint32_t position)
{
	(void)position;
	return ++*(size_t *)context < SAME_VALUE_MAX;
}

static void field_index_add(struct marketo *m, int column, uint32_t position, const char *bytes,
			    size_t len)
{
	struct field *field = &m->fields.list[column];
	uint32_t hash = index_hash(bytes, len, folds_case(column));
	size_t same = 0;

	if (field->index_state != FIELD_INDEXED || !len)
		return;
	index_find(&field->index, hash, count_visit, &same);
	if (same >= SAME_VALUE_MAX) {
		index_free(&field->index);
		field->index_state = FIELD_INDEX_USELESS;
		return;
	}
	index_add(&field->index, hash, position);
}

/* An index is built when its field is first looked up by, and kept from then on. */
static void field_index_build(struct marketo *m, int column)
{
	struct field *field = &m->fields.list[column];

	field->index_state = FIELD_INDEXED;
	for (uint32_t i = 0; i < m->people.count && field->index_state == FIELD_INDEXED; i++) {
		size_t len;
		const char *bytes = person_get(m, i, column, &len);

		if (!m->people.list[i].gone)
			field_index_add(m, column, i, bytes, len);
	}
}

static bool partition_matches(const struct person *p, const char *bytes, size_t len)
{
	char word[8];

	return same_value(word, (size_t)snprintf(word, sizeof(word), "%d", p->partition), bytes,
			  len, false);
}

static void people_scan(struct value_search *s)
{
	for (uint32_t i = 0; i < s->m->people.count && s->count < s->max; i++) {
		const struct person *p = &s->m->people.list[i];

		if (s->column != COLUMN_PARTITION)
			value_visit(s, i);
		else if (!p->gone && p->created < s->before &&
			 partition_matches(p, s->bytes, s->len))
			s->found[s->count++] = i;
	}
}

static size_t people_search(struct marketo *m, int column, const char *bytes, size_t len,
			    uint32_t *ret, size_t max, uint32_t before)
{
	struct value_search s = { .m = m,
				  .column = column,
				  .fold_case = folds_case(column),
				  .bytes = bytes,
				  .len = len,
				  .found = ret,
				  .max = max,
				  .before = before };
	struct field *field = &m->fields.list[column];

	if (!len || !max)
		return 0;
	if (column == COLUMN_ID)
		return person_find(m, strtoll(bytes, NULL, 10), ret) ? 1 : 0;
	if (!(field->flags & FIELD_DERIVED) && field->index_state == FIELD_NOT_INDEXED)
		field_index_build(m, column);
	if (field->index_state == FIELD_INDEXED)
		index_find(&field->index, index_hash(bytes, len, s.fold_case), value_visit, &s);
	else
		people_scan(&s);
	return s.count;
}

size_t people_find(struct marketo *m, int column, const char *bytes, size_t len, uint32_t *ret,
		   size_t max)
{
	return people_search(m, column, bytes, len, ret, max, UINT32_MAX);
}

size_t people_look_up(struct marketo *m, int column, const char *bytes, size_t len, uint32_t *ret,
		      size_t max)
{
	int64_t lag = m->limits.lookup_lag_s;

	return people_search(m, column, bytes, len, ret, max,
			     lag ? (uint32_t)(sandbox_now_s() - lag + 1) : UINT32_MAX);
}

uint32_t *people_all(struct marketo *m, int column, const char *bytes, size_t len,
		     size_t *ret_count)
{
	size_t most = 250;
	uint32_t *found = NULL;

	do {
		most *= 4;
		found = realloc(found, most * sizeof(*found));
		if (!found)
			abort();
		*ret_count = people_find(m, column, bytes, len, found, most);
	} while (*ret_count == most);
	return found;
}

static void field_index_remove(struct marketo *m, int column, uint32_t position)
{
	struct field *field = &m->fields.list[column];
	size_t len;
	const char *bytes = person_get(m, position, column, &len);

	if (field->index_state == FIELD_INDEXED && len)
		index_remove(&field->index, index_hash(bytes, len, folds_case(column)), position);
}

void person_set(struct marketo *m, uint32_t position, int column, const char *bytes, size_t len)
{
	struct person *p = &m->people.list[position];

	field_index_remove(m, column, position);
	p->row = row_set(p->row, (uint16_t)column, len ? bytes : NULL, len);
	field_index_add(m, column, position, bytes, len);
}

void person_remove(struct marketo *m, uint32_t position)
{
	struct person *p = &m->people.list[position];

	for (size_t i = 0; i < m->fields.count; i++)
		field_index_remove(m, (int)i, position);
	lists_forget(m, position);
	row_free(p->row);
	p->row = NULL;
	p->gone = true;
}

/* ---- showing ---- */

bool person_has(const struct marketo *m, uint32_t position, int column)
{
	const struct field *field = &m->fields.list[column];
	struct text name = { 0 };
	size_t len;

	if (field->type == TYPE_BOOLEAN)
		return true;
	if (!(field->flags & FIELD_DERIVED)) {
		person_get(m, position, column, &len);
		return len;
	}
	if (column != COLUMN_FULL_NAME)
		return true;
	person_full_name(m, position, &name);
	len = name.len;
	text_free(&name);
	return len;
}

void person_full_name(const struct marketo *m, uint32_t position, struct text *out)
{
	size_t first_len, last_len, email_len;
	const char *first = person_get(m, position, COLUMN_FIRST_NAME, &first_len);
	const char *last = person_get(m, position, COLUMN_LAST_NAME, &last_len);
	const char *email = person_get(m, position, COLUMN_EMAIL, &email_len);

	text_add(out, first, first_len);
	text_puts(out, first_len && last_len ? " " : "");
	text_add(out, last, last_len);
	if (!first_len && !last_len)
		text_add(out, email, email_len);
}

static void derived_json(const struct marketo *m, uint32_t position, int column, struct text *out)
{
	const struct person *p = &m->people.list[position];
	struct text name = { 0 };

	switch (column) {
	case COLUMN_ID:
		text_printf(out, "%u", person_id(position));
		return;
	case COLUMN_PARTITION:
		text_printf(out, "%d", p->partition);
		return;
	case COLUMN_CREATED_AT:
	case COLUMN_UPDATED_AT:
		text_puts(out, "\"");
		clock_print(out, column == COLUMN_CREATED_AT ? p->created : p->updated);
		text_puts(out, "\"");
		return;
	case COLUMN_FULL_NAME:
		person_full_name(m, position, &name);
		text_json_string(out, name.len ? name.data : NULL, name.len);
		text_free(&name);
		return;
	}
}

void person_field_json(const struct marketo *m, uint32_t position, int column, struct text *out)
{
	const struct field *field = &m->fields.list[column];
	const char *bytes;
	size_t len;

	if (field->flags & FIELD_DERIVED) {
		derived_json(m, position, column, out);
		return;
	}
	bytes = person_get(m, position, column, &len);
	value_json(field->type, bytes, len, out);
}

/* ---- durable unsubscribes ---- */

struct address_search {
	const struct people *people;
	const char *email;
	size_t len;
	uint32_t found;
	bool any;
};

static bool address_visit(void *context, uint32_t entry)
{
	struct address_search *s = context;
	const char *known = s->people->opted_out_list[entry];

	if (!same_value(known, strlen(known), s->email, s->len, true))
		return true;
	s->found = entry;
	s->any = true;
	return false;
}

static struct address_search address_find(const struct marketo *m, const char *email, size_t len)
{
	struct address_search s = { .people = &m->people, .email = email, .len = len };

	if (len)
		index_find(&m->people.opted_out, index_hash(email, len, true), address_visit, &s);
	return s;
}

bool opted_out(const struct marketo *m, const char *email, size_t len)
{
	return address_find(m, email, len).any;
}

void opted_out_set(struct marketo *m, const char *email, size_t len, bool out)
{
	struct address_search s = address_find(m, email, len);
	struct people *p = &m->people;
	uint32_t hash = index_hash(email, len, true);

	if (!len || s.any == out)
		return;
	if (!out) {
		index_remove(
			&p->opted_out, hash,
			s.found); /* its text stays until the reset: entries keep their number */
		return;
	}
	if (p->opted_out_count == p->opted_out_cap) {
		p->opted_out_cap = p->opted_out_cap ? p->opted_out_cap * 2 : 256;
		p->opted_out_list =
			realloc(p->opted_out_list, p->opted_out_cap * sizeof(*p->opted_out_list));
		if (!p->opted_out_list)
			abort();
	}
	p->opted_out_list[p->opted_out_count] = strndup(email, len);
	if (!p->opted_out_list[p->opted_out_count])
		abort();
	index_add(&p->opted_out, hash, (uint32_t)p->opted_out_count++);
}

/* ---- loading ---- */

static void load_text(struct marketo *m, uint32_t position, const char *name, const char *value)
{
	int column = field_find(m, name, strlen(name));

	if (column >= 0 && *value)
		person_set(m, position, column, value, strlen(value));
}

/* Loaded people keep to the rule of durable unsubscribes, as if it had always been at work. */
static void load_unsubscribed(struct marketo *m, uint32_t position, const char *email,
			      bool unsubscribed)
{
	uint32_t same[SAME_VALUE_MAX];
	size_t count = people_find(m, COLUMN_EMAIL, email, strlen(email), same, SAME_VALUE_MAX);

	if (!unsubscribed && !opted_out(m, email, strlen(email)))
		return;
	opted_out_set(m, email, strlen(email), true);
	person_set(m, position, COLUMN_UNSUBSCRIBED, "true", 4);
	for (size_t i = 0; i < count; i++)
		person_set(m, same[i], COLUMN_UNSUBSCRIBED, "true", 4);
}

void people_load(struct marketo *m, const struct person_row *from)
{
	uint32_t position = person_add(m);
	struct person *p = &m->people.list[position];
	const char *const values[][2] = {
		{ "email", from->email },
		{ "firstName", from->first_name },
		{ "lastName", from->last_name },
		{ "salutation", from->salutation },
		{ "title", from->title },
		{ "leadSource", from->lead_source },
		{ "phone", from->phone },
		{ "mobilePhone", from->mobile_phone },
		{ "address", from->address },
		{ "city", from->city },
		{ "state", from->state },
		{ "postalCode", from->postal_code },
		{ "country", from->country },
		{ "mktoPersonNotes", from->notes },
		{ "doNotCall", from->do_not_call ? "true" : "" },
		{ "company", from->company },
		{ "website", from->website },
	};

	p->created -= LOADED_AGE_SECONDS - position % 86400;
	p->updated = p->created;
	p->touched = p->created;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		load_text(m, position, values[i][0], values[i][1]);
	load_unsubscribed(m, position, from->email, from->unsubscribed);
}

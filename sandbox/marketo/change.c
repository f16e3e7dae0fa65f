/* Edits and what follows from them: entries of the change log, updatedAt, durable unsubscribes.
 * Knows nothing of calls: sync.c decides whom an edit is for. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marketo/marketo.h"

struct item {
	int column;
	size_t start, len; /* in bytes; len 0 clears */
};

struct draft {
	struct item items[FIELDS_MAX];
	size_t count;
	struct text bytes;
	struct text value; /* for work */
};

struct draft *draft_new(void)
{
	struct draft *d = calloc(1, sizeof(*d));

	if (!d)
		abort();
	return d;
}

void draft_free(struct draft *d)
{
	text_free(&d->bytes);
	text_free(&d->value);
	free(d);
}

static const struct item *draft_item(const struct draft *d, int column)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->items[i].column == column)
			return &d->items[i];
	return NULL;
}

static void draft_put(struct draft *d, int column, const char *bytes, size_t len)
{
	d->items[d->count++] = (struct item){ column, d->bytes.len, len };
	text_add(&d->bytes, bytes, len);
}

/* 0 or the code of the refusal. */
static int member_read(const struct marketo *m, struct draft *d, const char *name,
		       struct json_object *value, struct text *error)
{
	int column = field_find(m, name, strlen(name));
	const struct field *field;

	if (column < 0) {
		text_printf(error, "Field '%s' not found", name);
		return 1006;
	}
	field = &m->fields.list[column];
	if (field->flags & FIELD_READ_ONLY) {
		text_printf(error, "Field '%s' is read-only", name);
		return 1003;
	}
	if (!value_from_json(field, value, &d->value) && m->limits.wrong_type_1001) {
		text_printf(error, "Invalid value '%s'. Required of type '%s'",
			    json_object_get_string(value), field_types[field->type].name);
		return 1001;
	}
	if (!value_from_json(field, value, &d->value)) {
		text_printf(error, "Invalid value for field '%s' and value '%s'", name,
			    json_object_get_string(value));
		return 1003;
	}
	if (column == COLUMN_EXTERNAL_COMPANY && d->value.len &&
	    !object_by_key(m, OBJECT_COMPANY, d->value.data, d->value.len)) {
		text_puts(error, "Company not found");
		return 1013;
	}
	if (column == COLUMN_EXTERNAL_SALES_PERSON && d->value.len &&
	    !object_by_key(m, OBJECT_SALES_PERSON, d->value.data, d->value.len)) {
		text_puts(error, "ExternalSalesPersonID not found");
		return 718;
	}
	draft_put(d, column, d->value.data, d->value.len);
	return 0;
}

int draft_read(const struct marketo *m, struct draft *d, struct json_object *record, bool updating,
	       struct text *error)
{
	d->count = 0;
	text_clear(&d->bytes);
	json_object_object_foreach (record, name, value) {
		int code;

		if (strcmp(name, "id") == 0) {
			if (updating)
				continue;
			text_puts(error, "Field 'id' is allowed with action 'updateOnly' only");
			return 1003;
		}
		code = member_read(m, d, name, value, error);
		if (code)
			return code;
	}
	return 0;
}

int draft_company_check(const struct marketo *m, const struct draft *d, const uint32_t *position,
			struct text *error)
{
	const struct item *link = draft_item(d, COLUMN_EXTERNAL_COMPANY);
	size_t len = 0;
	bool linked = position && person_get(m, *position, COLUMN_EXTERNAL_COMPANY, &len);

	if (linked && link && !link->len) {
		text_puts(error, "A lead cannot be unlinked from its company");
		return 1003;
	}
	for (size_t i = 0; (linked || (link && link->len)) && i < d->count; i++) {
		if (!(m->fields.list[d->items[i].column].flags & FIELD_COMPANY))
			continue;
		text_printf(error, "Company update not allowed: field '%s'",
			    m->fields.list[d->items[i].column].name);
		return 1021;
	}
	return 0;
}

/* Stores and logs when the value is another one; true when it was. */
static bool change_value(struct marketo *m, uint32_t position, int column, const char *bytes,
			 size_t len, int user)
{
	enum field_type type = m->fields.list[column].type;
	struct text before = { 0 }, after = { 0 };
	size_t old_len;
	const char *old = person_get(m, position, column, &old_len);

	if (old_len == len && (!len || memcmp(old, bytes, len) == 0))
		return false;
	value_display(type, old, old_len, &before);
	value_display(type, bytes, len, &after);
	log_value_change(m, person_id(position), column, user, &before, &after);
	text_free(&before);
	text_free(&after);
	person_set(m, position, column, bytes, len);
	m->people.list[position].touched = (uint32_t)sandbox_now_s();
	if (!(m->fields.list[column].flags & FIELD_CUSTOM))
		m->people.list[position].updated = (uint32_t)sandbox_now_s();
	return true;
}

/* Everybody with the address follows, whatever partition they are in. Adobe: Understanding
 * Unsubscribe (durable). */
static void spread_unsubscribed(struct marketo *m, const char *email, size_t len, bool out,
				int user)
{
	size_t count;
	uint32_t *same = people_all(m, COLUMN_EMAIL, email, len, &count);

	for (size_t i = 0; i < count; i++)
		change_value(m, same[i], COLUMN_UNSUBSCRIBED, "true", out ? 4 : 0, user);
	free(same);
}

/* After an edit of the address or of the flag itself. */
static void settle_unsubscribed(struct marketo *m, const struct draft *d, uint32_t position,
				bool was_out, int user)
{
	const struct item *flag = draft_item(d, COLUMN_UNSUBSCRIBED);
	size_t email_len;
	const char *stored = person_get(m, position, COLUMN_EMAIL, &email_len);
	char *email;

	if (!email_len || (!flag && !draft_item(d, COLUMN_EMAIL)))
		return;
	email = strndup(stored, email_len);
	if (!email)
		abort();
	if (flag) {
		opted_out_set(m, email, email_len, flag->len);
		spread_unsubscribed(m, email, email_len, flag->len, user);
	} else if (opted_out(m, email, email_len)) {
		change_value(m, position, COLUMN_UNSUBSCRIBED, "true", 4, user);
	} else if (was_out) {
		change_value(m, position, COLUMN_UNSUBSCRIBED, "", 0, user);
	}
	free(email);
}

void draft_update(struct marketo *m, const struct draft *d, uint32_t position, int user)
{
	size_t email_len;
	const char *email = person_get(m, position, COLUMN_EMAIL, &email_len);
	bool was_out = opted_out(m, email, email_len);

	for (size_t i = 0; i < d->count; i++)
		if (!m->limits.blocked[d->items[i].column])
			change_value(m, position, d->items[i].column,
				     d->bytes.data + d->items[i].start, d->items[i].len, user);
	settle_unsubscribed(m, d, position, was_out, user);
}

uint32_t draft_create(struct marketo *m, const struct draft *d, uint8_t partition, int user)
{
	uint32_t position = person_add(m);
	struct text name = { 0 };
	size_t email_len, flag_len;
	const char *email;

	m->people.list[position].partition = partition;
	for (size_t i = 0; i < d->count; i++)
		person_set(m, position, d->items[i].column, d->bytes.data + d->items[i].start,
			   d->items[i].len);
	email = person_get(m, position, COLUMN_EMAIL, &email_len);
	if (opted_out(m, email, email_len))
		person_set(m, position, COLUMN_UNSUBSCRIBED, "true", 4);
	person_full_name(m, position, &name);
	log_other(m, person_id(position), ACTIVITY_NEW_LEAD, sandbox_now_s(), user, &name);
	text_free(&name);
	email = person_get(m, position, COLUMN_EMAIL, &email_len);
	person_get(m, position, COLUMN_UNSUBSCRIBED, &flag_len);
	if (email_len && flag_len && !opted_out(m, email, email_len)) {
		struct text address = { 0 };

		text_add(&address, email, email_len);
		opted_out_set(m, address.data, address.len, true);
		spread_unsubscribed(m, address.data, address.len, true, user);
		text_free(&address);
	}
	return position;
}

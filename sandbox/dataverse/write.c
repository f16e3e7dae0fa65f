/* The rules of writing a row: states, keys, plug-ins, versions (Microsoft Learn: Create a table
 * row; Update and delete table rows). Knows no addresses of requests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataverse/dataverse.h"

static const char *edit_bytes(const struct edits *e, const struct edit *edit)
{
	return edit->null ? NULL : e->bytes.data + edit->at;
}

struct clash {
	uint32_t self;
	bool found;
};

static bool note_clash(void *context, uint32_t record)
{
	struct clash *clash = context;

	clash->found = clash->found || record != clash->self;
	return !clash->found;
}

/* <DuplicateAttributes><column>value</column></DuplicateAttributes> */
static void note_duplicate(struct call *c, const char *column, const char *bytes, size_t len)
{
	struct text xml = { 0 };

	text_printf(&xml, "<DuplicateAttributes><%s>", column);
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '<')
			text_puts(&xml, "&lt;");
		else if (bytes[i] == '&')
			text_puts(&xml, "&amp;");
		else
			text_add(&xml, bytes + i, 1);
	}
	text_printf(&xml, "</%s></DuplicateAttributes>", column);
	snprintf(c->failure.duplicates, sizeof(c->failure.duplicates), "%s", xml.data);
	text_free(&xml);
}

static bool key_unique(struct call *c, const struct table *t, const struct edits *e, uint32_t self)
{
	const struct edit *edit = t->key_column == NO_COLUMN ? NULL : edits_find(e, t->key_column);
	struct clash clash = { .self = self };

	if (!edit || edit->null)
		return true;
	table_find_text(t, t->key_column, edit_bytes(e, edit), edit->len, note_clash, &clash);
	if (!clash.found)
		return true;
	note_duplicate(c, t->columns[t->key_column].def->name, edit_bytes(e, edit), edit->len);
	return call_refuse(
		c, 412, "0x80060892",
		"Entity Key %s violated. A record with the same value for %s already exists. A duplicate record cannot "
		"be created. Select one or more unique values and try again.",
		t->columns[t->key_column].def->label, t->columns[t->key_column].def->label);
}

static const struct column_option *option_with(const struct column_def *def, int value)
{
	for (const struct column_option *o = def->options; o && o->label; o++)
		if (o->value == value)
			return o;
	return NULL;
}

static uint16_t column_at_home(const struct table *t, enum column_home home)
{
	for (uint16_t i = 0; i < t->column_count; i++)
		if (t->columns[i].home == home)
			return i;
	return NO_COLUMN;
}

static bool bad_status(struct call *c, const struct table *t, const struct record *r, int status,
		       const char *state)
{
	char id[GUID_TEXT];

	guid_print(&r->id, id);
	return call_refuse(
		c, 400, "0x80048408",
		"%d is not a valid status code for state code %sState.%s on %s with Id %s.", status,
		t->def->schema_name, state, t->def->logical_name, id);
}

static int edited_number(const struct edits *e, uint16_t column, int otherwise)
{
	const struct edit *edit = column == NO_COLUMN ? NULL : edits_find(e, column);

	return edit && !edit->null ? (int)value_number(edit_bytes(e, edit), edit->len) : otherwise;
}

/* State and status reason belong together; a state alone brings its default reason. */
static bool apply_state(struct call *c, const struct table *t, struct record *r,
			const struct edits *e, bool creating)
{
	uint16_t state_column = column_at_home(t, HOME_STATE),
		 status_column = column_at_home(t, HOME_STATUS);
	const struct column_def *state_def, *status_def;
	const struct column_option *state, *status;
	int wanted, reason;

	if (state_column == NO_COLUMN || status_column == NO_COLUMN)
		return true;
	state_def = t->columns[state_column].def;
	status_def = t->columns[status_column].def;
	wanted = edited_number(e, state_column, r->state);
	state = option_with(state_def, wanted);
	reason = edited_number(e, status_column,
			       creating || wanted != r->state ? state->related : r->status);
	status = option_with(status_def, reason);
	if (creating && wanted != 0 && !(state_def->valid & CAN_CREATE))
		return bad_status(c, t, r, reason, state_def->options[0].label);
	if (status->related != wanted)
		return bad_status(c, t, r, reason, state->label);
	r->state = (uint8_t)wanted;
	r->status = (uint8_t)reason;
	return true;
}

static void apply_owner(struct call *c, struct record *r, const char *value, size_t len)
{
	bool team = *value == '1';
	struct guid id;

	if (!guid_parse(value + 1, len - 1, &id))
		return;
	r->owner = (uint16_t)(table_find(&c->dataverse->store
						  .tables[team ? TABLE_TEAM : TABLE_SYSTEMUSER],
					 &id, true) |
			      (team ? PRINCIPAL_TEAM : 0));
}

/* Money brings the organization's currency along. */
static void apply_currency(const struct table *t, struct record *r, bool money)
{
	struct guid currency = guid_of_name("transactioncurrency", "USD");
	char value[GUID_TEXT + 1] = "0";
	size_t len;

	if (!money || t->currency_column == NO_COLUMN || row_get(r->row, t->currency_column, &len))
		return;
	guid_print(&currency, value + 1);
	r->row = row_set(r->row, t->currency_column, value, GUID_TEXT);
}

static void apply_values(struct call *c, const struct table *t, struct record *r,
			 const struct edits *e)
{
	bool money = false;

	for (size_t i = 0; i < e->count; i++) {
		const struct edit *edit = &e->items[i];
		const struct column *column = &t->columns[edit->column];

		if (column->home == HOME_OWNER && !edit->null)
			apply_owner(c, r, edit_bytes(e, edit), edit->len);
		if (column->home != HOME_ROW)
			continue;
		r->row = row_set(r->row, edit->column, edit_bytes(e, edit), edit->len);
		money |= column->def->type == COLUMN_MONEY && !edit->null;
	}
	apply_currency(t, r, money);
}

enum step { STEP_OWNER, STEP_STATE, STEP_PLAIN, STEP_COUNT };

static enum step step_of(const struct table *t, const struct edit *edit)
{
	enum column_home home = t->columns[edit->column].home;

	if (home == HOME_OWNER)
		return STEP_OWNER;
	return home == HOME_STATE || home == HOME_STATUS ? STEP_STATE : STEP_PLAIN;
}

static bool one_step(const struct table *t, const struct edits *e)
{
	for (size_t i = 1; i < e->count; i++)
		if (step_of(t, &e->items[i]) != step_of(t, &e->items[0]))
			return false;
	return true;
}

/* The edits of one step; they share the bytes. The caller frees the items. */
static struct edits edits_of_step(const struct table *t, const struct edits *e, enum step step)
{
	struct edits some = { .bytes = e->bytes };

	some.items = calloc(e->count + 1, sizeof(*some.items));
	if (!some.items)
		abort();
	for (size_t i = 0; i < e->count; i++)
		if (step_of(t, &e->items[i]) == step)
			some.items[some.count++] = e->items[i];
	return some;
}

static void apply_created_on(const struct table *t, struct record *r)
{
	size_t len;
	uint16_t column = table_column(t, "overriddencreatedon", strlen("overriddencreatedon"));
	const char *time = column == NO_COLUMN ? NULL : row_get(r->row, column, &len);

	if (time)
		time_parse(time, len, &r->created_on);
}

static void note_written(struct call *c, const struct table *t, const struct guid *id)
{
	c->written_table = t;
	c->written = *id;
	plugin_note_written(c, t, id);
}

/* Columns the platform itself needs and has no default for (Microsoft Learn: Web service error
 * codes, RequiredFieldMissing). */
static bool nothing_missing(struct call *c, const struct table *t, const struct edits *e)
{
	for (uint16_t i = 0; i < t->column_count; i++) {
		const struct column *column = &t->columns[i];
		bool needed = column->def->required == REQUIRED_SYSTEM &&
			      column->home == HOME_ROW && (column->def->valid & CAN_CREATE) &&
			      (column->def->type == COLUMN_STRING || value_is_lookup(column));
		const struct edit *edit = needed ? edits_find(e, i) : NULL;

		if (needed && (!edit || edit->null))
			return call_refuse(c, 400, "0x80040200", "Required field '%s' is missing",
					   column->def->name);
	}
	return true;
}

bool write_create(struct call *c, struct table *t, const struct edits *e, const struct guid *id,
		  uint32_t *ret_record)
{
	struct store *s = &c->dataverse->store;
	struct record r = { .id = id ? *id : e->has_id ? e->id : guid_random() };
	int64_t now = sandbox_now_s();

	if (!user_may(c->user, t, RIGHT_CREATE, &c->failure))
		return false;
	if (table_find(t, &r.id, false) != NO_RECORD)
		return call_refuse(c, 412, "0x80040237",
				   "A record with matching key values already exists.");
	if (!nothing_missing(c, t, e) || !key_unique(c, t, e, NO_RECORD) ||
	    !duplicate_none(c, t, e, NO_RECORD) || !plugin_agrees(c, t, e) ||
	    !apply_state(c, t, &r, e, true))
		return false;
	r.created_on = r.modified_on = now;
	r.created_by = r.modified_by = r.owner = (uint16_t)c->user->id;
	apply_values(c, t, &r, e);
	plugin_rewrite(c, t, e, &r);
	if (!hook_row_allowed(c, t, &r)) {
		row_free(r.row);
		return false;
	}
	apply_created_on(t, &r);
	impersonate_note(c, t, &r, true);
	note_written(c, t, &r.id);
	*ret_record = table_put(s, t, r);
	hook_written(c, t, &t->records[*ret_record], e, "Create");
	return deep_create_children(c, t, &r.id, e->body);
}

/* One step of an update: a version of its own, and what it sets off. */
static bool put_step(struct call *c, struct table *t, uint32_t record, const struct edits *e)
{
	struct record r = t->records[record];

	if (!apply_state(c, t, &r, e, false))
		return false;
	r.row = row_copy(r.row);
	r.modified_on = sandbox_now_s();
	r.modified_by = (uint16_t)c->user->id;
	apply_values(c, t, &r, e);
	plugin_rewrite(c, t, e, &r);
	if (!hook_row_allowed(c, t, &r)) {
		row_free(r.row);
		return false;
	}
	impersonate_note(c, t, &r, false);
	note_written(c, t, &r.id);
	table_put(&c->dataverse->store, t, r);
	hook_written(c, t, &t->records[record], e, "Update");
	return true;
}

static bool status_fits(struct call *c, const struct table *t, uint32_t record,
			const struct edits *e)
{
	struct record r = t->records[record];

	return apply_state(c, t, &r, e, false);
}

/* Owner and state beside other columns are written in steps, as the vendor does it (Microsoft
 * Learn: Update and delete table rows): assign, set the state, update. */
static bool put_steps(struct call *c, struct table *t, uint32_t record, const struct edits *e)
{
	struct store *s = &c->dataverse->store;
	bool opened = store_begin(s), good = true;

	for (int step = 0; good && step < STEP_COUNT; step++) {
		struct edits some = edits_of_step(t, e, (enum step)step);

		good = !some.count || put_step(c, t, record, &some);
		free(some.items);
	}
	if (opened && good)
		store_commit(s);
	else if (opened)
		store_rollback(s);
	return good;
}

bool write_update(struct call *c, struct table *t, uint32_t record, const struct edits *e)
{
	if (!user_may_row(c->user, t, record, RIGHT_WRITE, &c->failure) ||
	    !key_unique(c, t, e, record) || !duplicate_none(c, t, e, record) ||
	    !plugin_agrees(c, t, e) || !status_fits(c, t, record, e))
		return false;
	return one_step(t, e) ? put_step(c, t, record, e) : put_steps(c, t, record, e);
}

bool write_delete(struct call *c, struct table *t, uint32_t record)
{
	struct record was = { .id = t->records[record].id };

	if (!user_may_row(c->user, t, record, RIGHT_DELETE, &c->failure))
		return false;
	table_remove(&c->dataverse->store, t, record);
	hook_written(c, t, &was, NULL, "Delete");
	return true;
}

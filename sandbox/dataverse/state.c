/* The environment in a state file: rows with their versions, gone ones among them, the logs that
 * change tracking reads, and what an administrator did: columns, rules, plug-ins, users and their
 * certificates. Limits and what a test asks of the token endpoint start anew. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/state.h"
#include "dataverse/dataverse.h"

static void put_guid(struct state_writer *w, const struct guid *id)
{
	state_put_bytes(w, (const char *)id->bytes, sizeof(id->bytes));
}

static void take_guid(struct state_reader *r, struct guid *ret)
{
	size_t len;
	const char *bytes = state_take_bytes(r, &len);

	if (len == sizeof(ret->bytes))
		memcpy(ret->bytes, bytes, len);
	else
		state_broken(r);
}

/* ---- columns ---- */

static void columns_save(const struct dataverse *d, const struct table *t, struct state_writer *w)
{
	state_put_number(w, t->column_count);
	for (uint16_t i = 0; i < t->column_count; i++) {
		const struct column *c = &t->columns[i];

		state_put_text(w, c->def->name);
		state_put_number(w, c->max_length);
		state_put_number(w, c->secured);
		state_put_number(w, c->dropped);
		state_put_number(w, d->settings.denied[t->table][i]);
		state_put_number(w, d->settings.read_only[t->table][i]);
	}
}

/* Those that are not there now are found too. */
static uint16_t column_named(const struct table *t, const char *name)
{
	for (uint16_t i = 0; i < t->column_count; i++)
		if (strcmp(t->columns[i].def->name, name) == 0)
			return i;
	return NO_COLUMN;
}

static size_t columns_restore(struct dataverse *d, struct table *t, struct state_reader *r,
			      uint16_t *columns)
{
	size_t count = state_take_number(r, t->column_count);

	for (size_t i = 0; i < count; i++) {
		char *name = state_take_text(r);
		uint16_t column = name ? column_named(t, name) : NO_COLUMN;
		struct column *c;

		free(name);
		if (column == NO_COLUMN) {
			state_broken(r);
			return 0;
		}
		columns[i] = column;
		c = &t->columns[column];
		c->max_length = (uint32_t)state_take_number(r, UINT32_MAX);
		c->secured = state_take_number(r, 1);
		c->dropped = state_take_number(r, 1);
		d->settings.denied[t->table][column] = (uint8_t)state_take_number(r, UINT8_MAX);
		d->settings.read_only[t->table][column] = (uint8_t)state_take_number(r, UINT8_MAX);
	}
	return count;
}

/* ---- rows ---- */

static void record_save(const struct record *record, struct state_writer *w)
{
	put_guid(w, &record->id);
	state_put_number(w, record->version);
	state_put_number(w, record->gone);
	if (record->gone)
		return;
	state_put_signed(w, record->created_on);
	state_put_signed(w, record->modified_on);
	state_put_number(w, record->created_by);
	state_put_number(w, record->modified_by);
	state_put_number(w, record->owner);
	state_put_number(w, record->state);
	state_put_number(w, record->status);
	state_put_number(w, record->merged);
	state_put_row(w, record->row);
}

static struct record record_take(struct state_reader *r, const uint16_t *columns, size_t count)
{
	struct record record = { 0 };

	take_guid(r, &record.id);
	record.version = state_take_number(r, UINT64_MAX);
	record.gone = state_take_number(r, 1);
	if (r->broken || record.gone)
		return record;
	record.created_on = state_take_signed(r);
	record.modified_on = state_take_signed(r);
	record.created_by = (uint16_t)state_take_number(r, UINT16_MAX);
	record.modified_by = (uint16_t)state_take_number(r, UINT16_MAX);
	record.owner = (uint16_t)state_take_number(r, UINT16_MAX);
	record.state = (uint8_t)state_take_number(r, UINT8_MAX);
	record.status = (uint8_t)state_take_number(r, UINT8_MAX);
	record.merged = state_take_number(r, 1);
	record.row = state_take_row(r, columns, count);
	return record;
}

static void table_save(const struct dataverse *d, const struct table *t, struct state_writer *w)
{
	uint64_t before = 0;

	state_put_text(w, t->def->logical_name);
	columns_save(d, t, w);
	state_put_number(w, t->count);
	for (uint32_t i = 0; i < t->count; i++)
		record_save(&t->records[i], w);
	state_put_number(w, t->log_len);
	for (size_t i = 0; i < t->log_len; i++) {
		state_put_number(w, t->log[i].version - before);
		state_put_number(w, t->log[i].record);
		before = t->log[i].version;
	}
}

static void table_restore(struct dataverse *d, struct table *t, struct state_reader *r)
{
	uint16_t columns[256] = { 0 };
	char *name = state_take_text(r);
	size_t column_count;
	uint64_t count, version = 0;

	if (!name || strcmp(name, t->def->logical_name) != 0)
		state_broken(r);
	free(name);
	if (t->column_count > sizeof(columns) / sizeof(columns[0]))
		state_broken(r);
	column_count = r->broken ? 0 : columns_restore(d, t, r, columns);
	for (count = state_take_number(r, NO_RECORD - 1); count && !r->broken; count--)
		table_add_as_was(t, record_take(r, columns, column_count));
	for (count = state_take_number(r, UINT32_MAX); count && !r->broken; count--) {
		version += state_take_number(r, UINT64_MAX);
		if (t->count)
			table_log_as_was(t, version, (uint32_t)state_take_number(r, t->count - 1));
		else
			state_broken(r);
	}
}

static bool principal_exists(const struct store *s, uint16_t principal)
{
	const struct table *t =
		&s->tables[principal & PRINCIPAL_TEAM ? TABLE_TEAM : TABLE_SYSTEMUSER];

	return (principal & ~PRINCIPAL_TEAM) < t->count;
}

/* Rows name users and teams by their place, which must be there. */
static bool principals_exist(const struct store *s)
{
	for (size_t i = 0; i < TABLE_COUNT; i++)
		for (uint32_t k = 0; k < s->tables[i].count; k++) {
			const struct record *record = &s->tables[i].records[k];

			if (!record->gone && (!principal_exists(s, record->owner) ||
					      !principal_exists(s, record->created_by) ||
					      !principal_exists(s, record->modified_by)))
				return false;
		}
	return true;
}

/* ---- plug-ins ---- */

static void take_into(struct state_reader *r, char *to, size_t size)
{
	char *text = state_take_text(r);

	snprintf(to, size, "%s", text ? text : "");
	free(text);
}

static void plugins_save(const struct settings *s, struct state_writer *w)
{
	state_put_number(w, s->plugin.rejects);
	state_put_number(w, (uint64_t)s->plugin.status);
	state_put_text(w, s->plugin.code);
	state_put_text(w, s->plugin.table);
	state_put_text(w, s->plugin.column);
	state_put_text(w, s->plugin.equals);
	state_put_text(w, s->plugin.message);
	state_put_text(w, plugin_change_name(&s->rewrite));
	state_put_text(w, s->rewrite.table);
	state_put_text(w, s->rewrite.column);
	state_put_number(w, s->edit.on);
	state_put_signed(w, s->edit.after_s);
	state_put_text(w, s->edit.table);
	state_put_text(w, s->edit.column);
	state_put_text(w, s->edit.value);
}

static void plugins_restore(struct settings *s, struct state_reader *r)
{
	char *change;

	s->plugin.rejects = state_take_number(r, 1);
	s->plugin.status = (int)state_take_number(r, 599);
	take_into(r, s->plugin.code, sizeof(s->plugin.code));
	take_into(r, s->plugin.table, sizeof(s->plugin.table));
	take_into(r, s->plugin.column, sizeof(s->plugin.column));
	take_into(r, s->plugin.equals, sizeof(s->plugin.equals));
	take_into(r, s->plugin.message, sizeof(s->plugin.message));
	change = state_take_text(r);
	if (change && !plugin_change_named(change, &s->rewrite))
		state_broken(r);
	free(change);
	take_into(r, s->rewrite.table, sizeof(s->rewrite.table));
	take_into(r, s->rewrite.column, sizeof(s->rewrite.column));
	s->edit.on = state_take_number(r, 1);
	s->edit.after_s = state_take_signed(r);
	take_into(r, s->edit.table, sizeof(s->edit.table));
	take_into(r, s->edit.column, sizeof(s->edit.column));
	take_into(r, s->edit.value, sizeof(s->edit.value));
}

/* Edits of the plug-in in the background that are not due yet. */
static void waiting_save(const struct waiting_edits *waiting, struct state_writer *w)
{
	state_put_number(w, waiting->count);
	for (size_t i = 0; i < waiting->count; i++) {
		const struct waiting_edit *edit = &waiting->items[i];

		state_put_number(w, edit->table);
		put_guid(w, &edit->id);
		state_put_number(w, edit->version);
		state_put_number(w, edit->user);
		state_put_signed(w, edit->due_s);
	}
}

static void waiting_restore(struct dataverse *d, struct state_reader *r)
{
	for (uint64_t count = state_take_number(r, UINT32_MAX); count && !r->broken; count--) {
		struct waiting_edit edit = { 0 };

		edit.table = (enum table_id)state_take_number(r, TABLE_COUNT - 1);
		take_guid(r, &edit.id);
		edit.version = state_take_number(r, UINT64_MAX);
		edit.user = (uint16_t)state_take_number(r, UINT16_MAX);
		edit.due_s = state_take_signed(r);
		if (edit.user >= d->store.tables[TABLE_SYSTEMUSER].count)
			state_broken(r);
		else
			plugin_wait(d, &edit);
	}
}

static void rules_save(const struct settings *s, struct state_writer *w)
{
	state_put_number(w, s->filter_column);
	state_put_number(w, s->delta_token_last);
	for (size_t i = 0; i < TABLE_COUNT; i++)
		state_put_number(w, s->duplicate_rules[i]);
	for (size_t i = 0; i < USER_COUNT; i++)
		state_put_number(w, s->user_states[i]);
}

static void rules_restore(struct settings *s, struct state_reader *r)
{
	s->filter_column = state_take_number(r, 1);
	s->delta_token_last = state_take_number(r, 1);
	for (size_t i = 0; i < TABLE_COUNT; i++)
		s->duplicate_rules[i] = state_take_number(r, 1);
	for (size_t i = 0; i < USER_COUNT; i++)
		s->user_states[i] = (enum user_state)state_take_number(r, USER_ROLELESS);
}

/* ---- the side ---- */

void dataverse_save(void *self, struct state_writer *w)
{
	struct dataverse *d = self;

	pthread_mutex_lock(&d->lock);
	state_put_number(w, d->store.version);
	state_put_number(w, d->metadata_version);
	state_put_number(w, (uint64_t)d->settings.tracking_days);
	state_put_number(w, TABLE_COUNT);
	for (size_t i = 0; i < TABLE_COUNT; i++)
		table_save(d, &d->store.tables[i], w);
	rules_save(&d->settings, w);
	plugins_save(&d->settings, w);
	waiting_save(&d->waiting, w);
	certificates_save(&d->certificates, w);
	pthread_mutex_unlock(&d->lock);
}

bool dataverse_restore(void *self, struct state_reader *r)
{
	struct dataverse *d = self;
	bool good;

	pthread_mutex_lock(&d->lock);
	store_free(&d->store);
	store_init(&d->store);
	d->store.version = state_take_number(r, UINT64_MAX);
	d->metadata_version = state_take_number(r, UINT64_MAX);
	d->settings.tracking_days = (int)state_take_number(r, INT32_MAX);
	if (state_take_number(r, TABLE_COUNT) != TABLE_COUNT)
		state_broken(r);
	for (size_t i = 0; i < TABLE_COUNT && !r->broken; i++)
		table_restore(d, &d->store.tables[i], r);
	rules_restore(&d->settings, r);
	plugins_restore(&d->settings, r);
	waiting_restore(d, r);
	certificates_restore(&d->certificates, r, USER_COUNT);
	good = !r->broken && principals_exist(&d->store);
	pthread_mutex_unlock(&d->lock);
	return good;
}

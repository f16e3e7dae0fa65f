/* The environment in a state file: rows with their versions, gone ones among them, the logs that
 * change tracking reads, and what was done to columns. Limits and the plug-in start anew. */
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
	}
}

static size_t columns_restore(struct dataverse *d, struct table *t, struct state_reader *r,
			      uint16_t *columns)
{
	size_t count = state_take_number(r, t->column_count);

	for (size_t i = 0; i < count; i++) {
		char *name = state_take_text(r);
		uint16_t column = name ? table_column(t, name, strlen(name)) : NO_COLUMN;
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
	good = !r->broken && principals_exist(&d->store);
	pthread_mutex_unlock(&d->lock);
	return good;
}

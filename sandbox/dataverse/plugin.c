/* Custom plug-ins, as a customer may have them: one that rejects a value, one that rewrites a value
 * while it is saved, one that edits the row in the background under the name of who wrote it
 * (Microsoft Learn: Event framework). Told by POST /_sandbox/limits, "plugin". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataverse/dataverse.h"

static uint16_t column_meant(const struct table *t, const char *table, const char *column)
{
	if (strcmp(table, t->def->logical_name) != 0)
		return NO_COLUMN;
	return table_column(t, column, strlen(column));
}

bool plugin_agrees(struct call *c, const struct table *t, const struct edits *e)
{
	const struct plugin *p = &c->dataverse->settings.plugin;
	const struct edit *edit;

	if (!p->rejects || c->bypass.sync || strcmp(p->table, t->def->logical_name) != 0)
		return true;
	edit = edits_find(e, table_column(t, p->column, strlen(p->column)));
	if (!edit || edit->null || edit->len != strlen(p->equals) ||
	    memcmp(e->bytes.data + edit->at, p->equals, edit->len) != 0)
		return true;
	snprintf(c->failure.trace, sizeof(c->failure.trace), "\r\n[Sandbox.Plugin]\r\n%s",
		 p->column);
	return call_refuse(c, p->status, p->code, "%s", p->message);
}

static void upper_text(struct text *out, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = bytes[i];

		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		text_add(out, &c, 1);
	}
}

static void trim_text(struct text *out, const char *bytes, size_t len)
{
	while (len && *bytes == ' ') {
		bytes++;
		len--;
	}
	while (len && bytes[len - 1] == ' ')
		len--;
	text_add(out, bytes, len);
}

void plugin_rewrite(struct call *c, const struct table *t, const struct edits *e, struct record *r)
{
	const struct plugin_rewrite *p = &c->dataverse->settings.rewrite;
	uint16_t column = column_meant(t, p->table, p->column);
	struct text changed = { 0 };
	size_t len;
	const char *bytes;

	if (!p->change || c->bypass.sync || column == NO_COLUMN || !edits_find(e, column))
		return;
	bytes = row_get(r->row, column, &len);
	if (!bytes)
		return;
	p->change(&changed, bytes, len);
	r->row = row_set(r->row, column, changed.len ? changed.data : NULL, changed.len);
	text_free(&changed);
}

static const struct {
	const char *name;
	void (*change)(struct text *, const char *, size_t);
} changes[] = { { "lower", fold_text }, { "trim", trim_text }, { "upper", upper_text } };

bool plugin_change_named(const char *name, struct plugin_rewrite *ret)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		if (strcmp(changes[i].name, name) != 0)
			continue;
		ret->change = changes[i].change;
		return true;
	}
	return false;
}

const char *plugin_change_name(const struct plugin_rewrite *p)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		if (p->change == changes[i].change)
			return changes[i].name;
	return NULL;
}

/* --- in the background --- */

void plugin_wait(struct dataverse *d, const struct waiting_edit *edit)
{
	struct waiting_edits *w = &d->waiting;

	if (w->count == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 16;
		w->items = realloc(w->items, w->cap * sizeof(*w->items));
		if (!w->items)
			abort();
	}
	w->items[w->count++] = *edit;
}

void plugin_note_written(struct call *c, const struct table *t, const struct guid *id)
{
	const struct plugin_edit *p = &c->dataverse->settings.edit;
	struct waiting_edit edit = { .table = t->table,
				     .id = *id,
				     .version = c->dataverse->store.version + 1,
				     .user = (uint16_t)c->user->id,
				     .due_s = sandbox_now_s() + p->after_s };

	if (p->on && !c->bypass.async && column_meant(t, p->table, p->column) != NO_COLUMN)
		plugin_wait(c->dataverse, &edit);
}

/* Nothing the plug-in writes makes it run again. */
static void run_edit(struct dataverse *d, const struct waiting_edit *edit)
{
	const struct plugin_edit *p = &d->settings.edit;
	struct table *t = &d->store.tables[edit->table];
	uint16_t column = column_meant(t, p->table, p->column);
	uint32_t record = table_find(t, &edit->id, false);
	struct record r;

	if (!p->on || column == NO_COLUMN || record == NO_RECORD || !table_wrote(t, edit->version))
		return; /* switched off, rolled back or deleted meanwhile */
	r = t->records[record];
	r.row = row_set(row_copy(r.row), column, p->value, strlen(p->value));
	r.modified_on = sandbox_now_s();
	r.modified_by = edit->user;
	table_put(&d->store, t, r);
}

void plugin_run_due(struct dataverse *d)
{
	struct waiting_edits *w = &d->waiting;
	size_t kept = 0;

	if (!w->count || d->store.in_transaction)
		return;
	for (size_t i = 0; i < w->count; i++) {
		if (w->items[i].due_s > sandbox_now_s())
			w->items[kept++] = w->items[i];
		else
			run_edit(d, &w->items[i]);
	}
	w->count = kept;
}

void plugin_forget(struct dataverse *d)
{
	free(d->waiting.items);
	d->waiting = (struct waiting_edits){ 0 };
}

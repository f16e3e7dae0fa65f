/* Change tracking: a baseline of all rows, then what changed since a token (Microsoft Learn: Use
 * change tracking to synchronize data with external systems). A token names the database version at
 * the first page of the answer it came with, so nothing that changes while pages are read is lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataverse/dataverse.h"

#define SECONDS_A_DAY 86400

struct delta {
	struct call *call;
	struct table *table;
	struct projection projection;
	struct page_position position;
	bool since;     /* a delta, not a baseline */
	uint64_t token; /* version asked for */
	int written, limit;
};

static bool options_allowed(struct call *c)
{
	static const char *const refused[] = { "$filter", "$orderby", "$expand", "$top" };
	static const char *const offered[] = { "$select", "$skiptoken", "$deltatoken", NULL };
	struct text value = { 0 };
	bool good = true;

	for (size_t i = 0; good && i < sizeof(refused) / sizeof(refused[0]); i++)
		if (call_option(c, refused[i], &value))
			good = call_refuse(
				c, 400, ODATA_ERROR,
				"The \"%s\" query parameter isn't supported when Change Tracking is enabled.",
				refused[i]);
	text_free(&value);
	return good && options_offered(c, offered);
}

/* <version>!<MM/dd/yyyy HH:mm:ss> */
static bool token_read(struct delta *d, const char *text)
{
	struct call *c = d->call;
	unsigned long long version;
	int year, month, day, hour, minute, second, used = 0;
	int64_t issued;

	if (sscanf(text, "%llu!%2d/%2d/%4d %2d:%2d:%2d%n", &version, &month, &day, &year, &hour,
		   &minute, &second, &used) != 7 ||
	    text[used])
		return call_refuse(c, 400, ODATA_ERROR, "The delta token could not be read.");
	issued =
		days_of_date(year, month, day) * SECONDS_A_DAY + hour * 3600 + minute * 60 + second;
	d->token = version;
	if (sandbox_now_s() - issued <=
		    (int64_t)c->dataverse->settings.tracking_days * SECONDS_A_DAY &&
	    version <= c->dataverse->store.version)
		return true;
	return call_refuse(
		c, 400, "0x80044352",
		"Version stamp associated with the client has expired. Please perform a full sync.");
}

static bool delta_read(struct delta *d)
{
	struct call *c = d->call;
	const struct table *t = d->table;
	struct text token = { 0 };
	bool good;

	if (!options_allowed(c))
		return false;
	if (!t->def->change_tracking)
		return call_refuse(c, 400, "0x80072491",
				   "Entity: %s isn't enabled for change tracking.",
				   t->def->logical_name);
	if (!user_may_track(c->user, &c->dataverse->store, t, &c->failure) ||
	    !page_read(c, &d->position) || !select_parse(c, t, &d->projection))
		return false;
	d->position.tracking = true;
	d->since = call_option(c, "$deltatoken", &token);
	good = !d->since || token_read(d, token.len ? token.data : "");
	text_free(&token);
	return good;
}

static void add_link(struct delta *d, const char *name, const struct text *link)
{
	struct text *out = &d->call->response->body;

	text_printf(out, ",\"%s\":", name);
	text_json_string(out, link->data, link->len);
}

static void add_next_link(struct delta *d, uint64_t at, bool deleted)
{
	struct page_position next = d->position;
	struct text link = { 0 };

	next.page++;
	next.at = at;
	next.deleted = deleted;
	page_link(d->call, &next, &link);
	add_link(d, "@odata.nextLink", &link);
	text_free(&link);
}

/* It is not documented whether the token of several pages names the version at the first page or at
 * the last: the second loses what changed in between on rows already handed out. */
static uint64_t version_of_token(const struct delta *d)
{
	const struct dataverse *v = d->call->dataverse;

	return v->settings.delta_token_last ? v->store.version : d->position.version;
}

/* Asking for annotations makes the delta link vanish, as users of the vendor
 * have reported: whoever combines the two should notice here. */
static void add_delta_link(struct delta *d)
{
	struct call *c = d->call;
	struct text link = { 0 };
	int64_t now = sandbox_now_s(),
		of_day = ((now % SECONDS_A_DAY) + SECONDS_A_DAY) % SECONDS_A_DAY;
	int year, month, day;

	if (call_wants_any_annotation(c))
		return;
	date_of_seconds(now, &year, &month, &day);
	text_printf(&link, "%s%s?", c->root.data, d->table->def->set_name);
	for (size_t i = 0; !d->projection.all && i < d->projection.named; i++)
		text_printf(&link, "%s%s",
			    i ? "," : "$select=", d->table->columns[d->projection.columns[i]].wire);
	text_puts(&link, d->projection.all ? "" : "&");
	text_printf(&link, "$deltatoken=%llu%%21%02d%%2f%02d%%2f%04d%%20%02d%%3a%02d%%3a%02d",
		    (unsigned long long)version_of_token(d), month, day, year, (int)(of_day / 3600),
		    (int)(of_day / 60 % 60), (int)(of_day % 60));
	add_link(d, "@odata.deltaLink", &link);
	text_free(&link);
}

/* Room for one more entry on this page? Writes the comma before it. */
static bool entry_begin(struct delta *d)
{
	if (d->written == d->limit)
		return false;
	if (d->written++)
		text_add(&d->call->response->body, ",", 1);
	return true;
}

static void write_baseline(struct delta *d)
{
	const struct table *t = d->table;
	struct text *out = &d->call->response->body;
	uint32_t record = (uint32_t)(d->position.page > 1 ? d->position.at : 0);

	for (; record < t->count; record++) {
		if (t->records[record].gone)
			continue;
		if (!entry_begin(d)) {
			text_puts(out, "]");
			add_next_link(d, record, false);
			return;
		}
		select_write(d->call, t, record, &d->projection, out);
	}
	text_puts(out, "]");
	add_delta_link(d);
}

static void write_deleted(struct delta *d, uint32_t record)
{
	char id[GUID_TEXT];

	guid_print(&d->table->records[record].id, id);
	text_printf(
		&d->call->response->body,
		"{\"@odata.context\":\"%s$metadata#%s/$deletedEntity\",\"id\":\"%s\",\"reason\":\"deleted\"}",
		d->call->root.data, d->table->def->set_name, id);
}

/* Was the row on an earlier page of this answer? */
static bool handed_out(const struct delta *d, uint32_t record, bool deleted)
{
	const struct table *t = d->table;
	uint64_t until = deleted                ? d->position.version
			 : d->position.page > 1 ? d->position.at
						: d->token;

	for (size_t i = table_log_after(t, d->token); i < t->log_len && t->log[i].version <= until;
	     i++)
		if (t->log[i].record == record)
			return true;
	return false;
}

/* Walks the log after the token up to the version of the first page: present rows first, then
 * deleted ones, each row only at its latest entry. A row changed meanwhile comes with the next
 * token. */
static bool write_changes(struct delta *d, bool deleted, uint64_t after)
{
	const struct table *t = d->table;
	struct text *out = &d->call->response->body;

	for (size_t i = table_log_after(t, after); i < t->log_len; i++) {
		const struct change *change = &t->log[i];
		const struct record *r = &t->records[change->record];

		if (change->version > version_of_token(d))
			break;
		if (r->version != change->version || r->gone != deleted)
			continue;
		if (change->version > d->position.version && handed_out(d, change->record, deleted))
			continue;
		if (!entry_begin(d)) {
			text_puts(out, "]");
			add_next_link(d, change->version - 1, deleted);
			return false;
		}
		if (deleted)
			write_deleted(d, change->record);
		else
			select_write(d->call, t, change->record, &d->projection, out);
	}
	return true;
}

static void write_delta(struct delta *d)
{
	uint64_t start = d->position.page > 1 ? d->position.at : d->token;

	if (!d->position.deleted) {
		if (!write_changes(d, false, start))
			return;
		start = d->token;
	}
	if (!write_changes(d, true, start))
		return;
	text_puts(&d->call->response->body, "]");
	add_delta_link(d);
}

bool delta_collection(struct call *c, struct table *t)
{
	struct delta d = { .call = c, .table = t, .limit = page_size(c) };
	struct text *out = &c->response->body;

	if (!delta_read(&d))
		return false;
	call_json(c, 200);
	call_preferences_applied(c, true);
	text_printf(out, "{\"@odata.context\":\"%s$metadata#%s", c->root.data, t->def->set_name);
	select_context(&d.projection, t, out);
	text_printf(out, "%s\",\"value\":[", d.since ? "/$delta" : "");
	if (d.since)
		write_delta(&d);
	else
		write_baseline(&d);
	text_puts(out, "}");
	return true;
}

bool delta_count(struct call *c, struct table *t)
{
	struct delta d = { .call = c, .table = t };
	size_t count = 0;

	if (!delta_read(&d))
		return false;
	for (size_t i = table_log_after(t, d.token); i < t->log_len; i++)
		count += t->records[t->log[i].record].version == t->log[i].version;
	c->response->status = 200;
	web_header(c->response, "OData-Version", "4.0");
	web_header(c->response, "Content-Type", "text/plain");
	text_printf(&c->response->body, "\xef\xbb\xbf%zu", count);
	return true;
}

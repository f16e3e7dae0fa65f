/* Which steps a write sets off, and what may be registered. Posts wait until the write stands: what
 * is taken back is never posted. Only asynchronous steps after the operation, and only addresses of
 * this machine, are imitated. */
#include "dataverse/hook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/post.h"

static uint16_t named(const struct table *t, const char *name)
{
	return table_column(t, name, strlen(name));
}

static bool text_of(const struct table *t, const struct record *r, const char *column, char *ret,
		    size_t size)
{
	size_t len = 0;
	const char *bytes = row_get(r->row, named(t, column), &len);

	snprintf(ret, size, "%.*s", (int)len, bytes ? bytes : "");
	return bytes && len < size;
}

static long number_of(const struct table *t, const struct record *r, const char *column,
		      long otherwise)
{
	char text[32];

	return text_of(t, r, column, text, sizeof(text)) ? strtol(text, NULL, 10) : otherwise;
}

/* The row a lookup points to; the digit says which of its targets that must be. */
static const struct record *pointed(const struct store *s, const struct table *t,
				    const struct record *r, const char *column, char digit,
				    enum table_id target)
{
	char text[GUID_TEXT + 1];
	struct guid id;
	uint32_t record;

	if (!text_of(t, r, column, text, sizeof(text)) || *text != digit ||
	    !guid_parse(text + 1, strlen(text + 1), &id))
		return NULL;
	record = table_find(&s->tables[target], &id, false);
	return record == NO_RECORD ? NULL : &s->tables[target].records[record];
}

/* --- registering --- */

/* Only addresses of this machine are taken. */
static bool url_read(const char *url, struct delivery *ret)
{
	struct post_address address;
	bool good = post_address_read(url, &address);

	if (good) {
		memcpy(ret->host, address.host, sizeof(ret->host));
		memcpy(ret->port, address.port, sizeof(ret->port));
		text_add(&ret->path, address.path.data, address.path.len);
	}
	post_address_free(&address);
	return good;
}

static bool endpoint_allowed(struct call *c, const struct table *t, const struct record *r)
{
	struct delivery parts = { 0 };
	long authentication = number_of(t, r, "authtype", 0);
	char url[2049];
	bool local = text_of(t, r, "url", url, sizeof(url)) && url_read(url, &parts);

	text_free(&parts.path);
	if (!local)
		return call_refuse(c, 501, ODATA_ERROR,
				   "Webhooks go to http addresses of this machine only.");
	if (number_of(t, r, "contract", 0) != 8 || number_of(t, r, "messageformat", 2) != 2 ||
	    authentication < 4 || authentication > 6)
		return call_refuse(
			c, 501, ODATA_ERROR,
			"Only webhooks are offered here: contract 8, messageformat 2, authtype 4, 5 or 6.");
	return true;
}

static bool step_allowed(struct call *c, const struct table *t, const struct record *r)
{
	static const char *const offered[] = { "Create", "Update", "Delete" };
	const struct store *s = &c->dataverse->store;
	const struct record *message = pointed(s, t, r, "sdkmessageid", '0', TABLE_SDKMESSAGE);
	char name[64] = "";
	bool known = false;

	if (number_of(t, r, "mode", 0) != 1 || number_of(t, r, "stage", 0) != 40)
		return call_refuse(
			c, 501, ODATA_ERROR,
			"Only asynchronous steps after the operation are offered here: mode 1, stage 40.");
	if (!pointed(s, t, r, "eventhandler", '1', TABLE_SERVICEENDPOINT) ||
	    !pointed(s, t, r, "sdkmessagefilterid", '0', TABLE_SDKMESSAGEFILTER))
		return call_refuse(
			c, 501, ODATA_ERROR,
			"Only steps with a service endpoint and a message filter are offered here.");
	if (message)
		text_of(&s->tables[TABLE_SDKMESSAGE], message, "name", name, sizeof(name));
	for (size_t i = 0; i < sizeof(offered) / sizeof(offered[0]); i++)
		known |= strcmp(offered[i], name) == 0;
	return known || call_refuse(c, 501, ODATA_ERROR,
				    "Steps are offered here for Create, Update and Delete.");
}

bool hook_row_allowed(struct call *c, const struct table *t, const struct record *r)
{
	if (t->table == TABLE_SERVICEENDPOINT)
		return endpoint_allowed(c, t, r);
	return t->table != TABLE_STEP || step_allowed(c, t, r);
}

/* --- what a write sets off --- */

static bool wants_columns(const struct hook_event *e, const struct table *steps,
			  const struct record *step)
{
	size_t len = 0;
	const char *list = row_get(step->row, named(steps, "filteringattributes"), &len);
	const char *end;

	if (!list || strcmp(e->message, "Update") != 0)
		return true;
	end = list + len;
	while (list < end) {
		const char *comma = memchr(list, ',', (size_t)(end - list));
		size_t part = (size_t)((comma ? comma : end) - list);
		uint16_t column;

		for (; part && *list == ' '; part--)
			list++;
		column = table_column(e->table, list, part);
		if (column != NO_COLUMN && edits_find(e->edits, column))
			return true;
		list += part + 1;
	}
	return false;
}

static bool sets_off(const struct hook_event *e, const struct table *steps,
		     const struct record *step)
{
	const struct store *s = &e->call->dataverse->store;
	const struct record *message =
		pointed(s, steps, step, "sdkmessageid", '0', TABLE_SDKMESSAGE);
	const struct record *filter =
		pointed(s, steps, step, "sdkmessagefilterid", '0', TABLE_SDKMESSAGEFILTER);
	char name[64], table[64];

	return !step->gone && step->state == 0 && message && filter && !e->call->bypass.async &&
	       !header_bypasses(e->call, &step->id) &&
	       text_of(&s->tables[TABLE_SDKMESSAGE], message, "name", name, sizeof(name)) &&
	       text_of(&s->tables[TABLE_SDKMESSAGEFILTER], filter, "primaryobjecttypecode", table,
		       sizeof(table)) &&
	       strcmp(name, e->message) == 0 && strcmp(table, e->table->def->logical_name) == 0 &&
	       wants_columns(e, steps, step);
}

static void decode_entities(struct text *out, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len;) {
		char c = bytes[i];
		size_t used = text_xml_entity(bytes + i, len - i, &c);

		if (c != '\r' && c != '\n')
			text_add(out, &c, 1);
		i += used ? used : 1;
	}
}

static bool xml_attribute(const char *element, const char *name, struct text *ret)
{
	const char *end = strchr(element, '>'), *at = strstr(element, name), *close;

	if (!end || !at || at > end)
		return false;
	at += strlen(name);
	close = strchr(at, '"');
	text_clear(ret);
	if (close)
		decode_entities(ret, at, (size_t)(close - at));
	return close && ret->len;
}

static void add_query(struct delivery *d, const struct text *name, const struct text *value)
{
	text_puts(&d->path, strchr(d->path.data, '?') ? "&" : "?");
	text_url_encode(&d->path, name->data, name->len);
	text_puts(&d->path, "=");
	text_url_encode(&d->path, value->data, value->len);
}

/* authtype 4: a key in the query; 5: headers, 6: query values, both as
 * <settings><setting name="" value=""/></settings> */
static void authenticate(struct delivery *d, long kind, const char *given)
{
	struct text name = { 0 }, value = { 0 };

	if (kind == 4) {
		text_puts(&name, "code");
		text_puts(&value, given);
		add_query(d, &name, &value);
	}
	for (const char *at = given; kind != 4 && (at = strstr(at, "<setting ")); at++) {
		if (!xml_attribute(at, " name=\"", &name) ||
		    !xml_attribute(at, " value=\"", &value))
			continue;
		if (kind == 6)
			add_query(d, &name, &value);
		else
			text_printf(&d->headers, "%s: %s\r\n", name.data, value.data);
	}
	text_free(&name);
	text_free(&value);
}

static void write_headers(const struct hook_event *e, bool stripped, struct delivery *d)
{
	char id[GUID_TEXT];

	guid_print(&e->call->id, id);
	text_printf(&d->headers,
		    "x-ms-dynamics-organization: %s\r\nx-ms-dynamics-entity-name: %s\r\n"
		    "x-ms-dynamics-request-name: %s\r\nx-ms-correlation-request-id: %s\r\n",
		    e->call->request->host, e->table->def->logical_name, e->message, id);
	if (stripped)
		text_puts(&d->headers, "x-ms-dynamics-msg-size-exceeded: true\r\n");
}

static void prepare(const struct hook_event *e, const struct table *steps,
		    const struct record *step)
{
	struct dataverse *v = e->call->dataverse;
	const struct table *endpoints = &v->store.tables[TABLE_SERVICEENDPOINT];
	const struct record *endpoint =
		pointed(&v->store, steps, step, "eventhandler", '1', TABLE_SERVICEENDPOINT);
	struct delivery *d = calloc(1, sizeof(*d));
	char url[2049], key[2049];
	bool stripped;

	if (!d)
		abort();
	if (!endpoint || !text_of(endpoints, endpoint, "url", url, sizeof(url)) ||
	    !url_read(url, d)) { /* the endpoint was deleted */
		delivery_free(d);
		return;
	}
	d->dataverse = v;
	d->generation = v->generation;
	d->table = e->table->table;
	d->version = e->version;
	d->step = step->id;
	d->timeout_ms = v->settings.webhook_ms;
	d->keep_success = !number_of(steps, step, "asyncautodelete", 0);
	text_of(steps, step, "name", d->step_name, sizeof(d->step_name));
	context_write(e, step, false, &d->body);
	stripped = d->body.len > HOOK_BODY_MAX;
	if (stripped) {
		text_clear(&d->body);
		context_write(e, step, true, &d->body);
	}
	write_headers(e, stripped, d);
	text_of(endpoints, endpoint, "authvalue", key, sizeof(key));
	authenticate(d, number_of(endpoints, endpoint, "authtype", 4), key);
	d->next = v->held;
	v->held = d;
}

void hook_written(struct call *c, const struct table *t, const struct record *r,
		  const struct edits *edits, const char *message)
{
	const struct table *steps = &c->dataverse->store.tables[TABLE_STEP];
	struct hook_event e = { .call = c,
				.table = t,
				.row = r,
				.edits = edits,
				.message = message,
				.version = c->dataverse->store.version };

	for (uint32_t i = 0; i < steps->count; i++)
		if (sets_off(&e, steps, &steps->records[i]))
			prepare(&e, steps, &steps->records[i]);
}

void hook_flush(struct dataverse *v)
{
	struct delivery *ordered = NULL, *d;

	while ((d = v->held)) { /* the last one stands first */
		v->held = d->next;
		d->next = ordered;
		ordered = d;
	}
	while ((d = ordered)) {
		ordered = d->next;
		if (d->generation == v->generation &&
		    table_wrote(&v->store.tables[d->table], d->version))
			deliver(d);
		else
			delivery_free(d);
	}
}

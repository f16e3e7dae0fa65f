/* The imitated Dynamics side: who calls, what is asked, who answers; loading people; what the
 * control needs. */
#include "dataverse/dataverse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECONDS_A_DAY 86400
#define AFFINITY "5d1c0e7a4f9b4c2d8e6f3a1b7c5d9e0f" /* there is one server only */

static struct dataverse *dataverse_of(void *self)
{
	return self;
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void service_headers(struct call *c)
{
	char id[GUID_TEXT];
	int hint;

	guid_print(&c->id, id);
	pthread_mutex_lock(&c->dataverse->lock);
	hint = c->dataverse->settings.dop_hint;
	pthread_mutex_unlock(&c->dataverse->lock);
	web_header(c->response, "x-ms-service-request-id", "%s", id);
	web_header(c->response, "Set-Cookie", "ARRAffinity=%s; path=/; HttpOnly; SameSite=None",
		   AFFINITY);
	web_header(c->response, "x-ms-dop-hint", "%d", hint);
	limiter_headers(c->dataverse->limiter, (int)c->user->id, c->response);
}

static void answer_one(struct call *c)
{
	struct dataverse *d = c->dataverse;
	int64_t start = now_us();

	pthread_mutex_lock(&d->lock);
	route_answer(c);
	pthread_mutex_unlock(&d->lock);
	limiter_operation(d->limiter, (int)c->user->id, now_us() - start);
}

/* A batch is refused as a whole before its parts are looked at. */
static bool admitted(struct call *c)
{
	bool good;

	pthread_mutex_lock(&c->dataverse->lock);
	good = route_admits(c);
	pthread_mutex_unlock(&c->dataverse->lock);
	return good;
}

static void answer_call(struct dataverse *d, const struct user *u, const struct web_request *r,
			struct web_response *response)
{
	struct call c = { .dataverse = d,
			  .user = u,
			  .request = r,
			  .response = response,
			  .address_max = ADDRESS_MAX };
	int wait = 0;

	call_begin(&c);
	if (!limiter_begin(d->limiter, (int)u->id, &c.failure, &wait)) {
		call_write_failure(&c);
		web_header(response, "Retry-After", "%d", wait);
	} else {
		if (strcmp(c.path.data, BATCH_PATH) == 0 && admitted(&c))
			batch_answer(&c);
		else
			answer_one(&c);
		pthread_mutex_lock(&d->lock);
		hook_flush(d);
		pthread_mutex_unlock(&d->lock);
		limiter_end(d->limiter, (int)u->id);
	}
	service_headers(&c);
	call_end(&c);
}

static void handle(void *self, const struct web_request *r, struct web_response *response)
{
	const struct user *u;
	size_t root_len;

	if (!call_rest_of(r->path, &root_len) && strstr(r->path, "/oauth2/v2.0/token")) {
		grant_answer(dataverse_of(self), r, response);
		return;
	}
	if (!call_rest_of(r->path, &root_len)) {
		response->status = 404;
		web_header(response, "Content-Type", "application/json; odata.metadata=minimal");
		text_puts(&response->body,
			  "{\"error\":{\"code\":\"" ODATA_ERROR
			  "\",\"message\":\"Resource not found for the segment.\"}}");
		return;
	}
	u = token_user(r);
	if (u)
		answer_call(dataverse_of(self), u, r, response);
	else
		token_unauthorized(r, response);
}

/* --- what the control needs --- */

static const char *user_of(void *self, const struct web_request *r)
{
	(void)self;
	return grant_user_name(r);
}

struct loading {
	struct table *table;
	struct row *row;
};

/* What the column cannot hold is cut: history may come from anywhere. */
static void load_value(struct loading *l, const char *column, const char *value)
{
	uint16_t number = table_column(l->table, column, strlen(column));
	size_t len = strlen(value);

	if (!len || number == NO_COLUMN)
		return;
	len = utf16_head(value, len, l->table->columns[number].max_length);
	l->row = row_set(l->row, number, value, len);
}

static void load_flag(struct loading *l, const char *column, bool value)
{
	uint16_t number = table_column(l->table, column, strlen(column));

	if (value && number != NO_COLUMN)
		l->row = row_set(l->row, number, "1", 1);
}

static void load_label(struct loading *l, const char *column, const char *label)
{
	uint16_t number = table_column(l->table, column, strlen(column));
	char value[16];

	if (number == NO_COLUMN)
		return;
	for (const struct column_option *o = l->table->columns[number].def->options; o && o->label;
	     o++) {
		if (strcmp(o->label, label) != 0)
			continue;
		snprintf(value, sizeof(value), "%d", o->value);
		l->row = row_set(l->row, number, value, strlen(value));
	}
}

static void load_row(struct loading *l, const struct person_row *p)
{
	const struct {
		const char *column, *value;
	} texts[] = {
		{ "address1_city", p->city },
		{ "address1_country", p->country },
		{ "address1_line1", p->address },
		{ "address1_postalcode", p->postal_code },
		{ "address1_stateorprovince", p->state },
		{ "companyname", p->company },
		{ "description", p->notes },
		{ "emailaddress1", p->email },
		{ "firstname", p->first_name },
		{ "jobtitle", p->title },
		{ "lastname", p->last_name },
		{ "mobilephone", p->mobile_phone },
		{ "salutation", p->salutation },
		{ "telephone1", p->phone },
		{ "websiteurl", p->website },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		load_value(l, texts[i].column, texts[i].value);
	load_flag(l, "donotphone", p->do_not_call);
	load_flag(l, "donotbulkemail", p->unsubscribed);
	if (l->table->table == TABLE_LEAD)
		load_label(l, "leadsourcecode", p->lead_source);
}

/* People who have been there since before were entered by the sales people. */
static void load(void *self, const struct person_row *p)
{
	struct dataverse *d = self;
	bool lead = strcmp(p->where, "dynamics-lead") == 0 || strcmp(p->where, "both-lead") == 0;
	bool contact = strcmp(p->where, "dynamics-contact") == 0 ||
		       strcmp(p->where, "both-contact") == 0;
	struct loading l = { 0 };
	struct record r = { .id = guid_random(), .state = 0, .status = 1 };

	if (!lead && !contact)
		return;
	pthread_mutex_lock(&d->lock);
	l.table = &d->store.tables[lead ? TABLE_LEAD : TABLE_CONTACT];
	load_row(&l, p);
	r.row = l.row;
	r.created_on = sandbox_now_s() - (int64_t)(30 + l.table->count % 300) * SECONDS_A_DAY;
	r.modified_on = r.created_on + SECONDS_A_DAY;
	r.owner = r.created_by = r.modified_by =
		(uint16_t)(USER_STRANGER + l.table->count % 2); /* past the members: people */
	table_put(&d->store, l.table, r);
	pthread_mutex_unlock(&d->lock);
}

static void start_empty(struct dataverse *d)
{
	store_init(&d->store);
	settings_reset(d);
	user_seed(&d->store, sandbox_now_s() - (int64_t)400 * SECONDS_A_DAY,
		  d->settings.tracking_days);
	message_seed(&d->store);
}

static void reset(void *self)
{
	struct dataverse *d = self;

	pthread_mutex_lock(&d->lock);
	store_free(&d->store);
	plugin_forget(d);
	certificates_free(&d->certificates);
	d->generation++;
	start_empty(d);
	pthread_mutex_unlock(&d->lock);
}

static void users_json(void *self, struct text *out)
{
	struct dataverse *d = self;

	pthread_mutex_lock(&d->lock);
	text_puts(out, "[");
	for (size_t i = 0; i < USER_COUNT; i++) {
		const struct user *u = &dataverse_users[i];

		text_printf(out,
			    "%s{\"name\":\"%s\",\"tenantId\":\"" TENANT_ID
			    "\",\"clientId\":\"%s\",\"clientSecret\":\"%s\","
			    "\"rights\":\"%s\",\"certificates\":",
			    i ? "," : "", u->name, u->client_id, u->client_secret, u->rights);
		certificates_json(&d->certificates, (int)u->id, out);
		text_puts(out, "}");
	}
	text_puts(out, "]");
	pthread_mutex_unlock(&d->lock);
}

/* POST {"user", "pem"}: a certificate the user may sign assertions with. */
static void certificate_register(struct dataverse *d, const char *body, struct text *error)
{
	struct json_object *o = json_tokener_parse(body), *user = NULL, *pem = NULL;
	const char *name = NULL, *text = NULL;

	if (json_object_is_type(o, json_type_object)) {
		json_object_object_get_ex(o, "user", &user);
		json_object_object_get_ex(o, "pem", &pem);
		name = json_object_get_string(user);
		text = json_object_get_string(pem);
	}
	for (size_t i = 0; name && text && i < USER_COUNT; i++) {
		if (strcmp(dataverse_users[i].name, name) != 0)
			continue;
		pthread_mutex_lock(&d->lock);
		certificate_add(&d->certificates, (int)i, text, error);
		pthread_mutex_unlock(&d->lock);
		json_object_put(o);
		return;
	}
	text_puts(error, "user must be the name of a user of dynamics and pem a certificate");
	json_object_put(o);
}

static bool control(void *self, const struct web_request *r, struct web_response *response)
{
	struct text error = { 0 };

	if (strcmp(r->path, "/_sandbox/certificates") != 0 || strcmp(r->method, "POST") != 0)
		return false;
	certificate_register(self, r->body, &error);
	response->status = error.len ? 400 : 200;
	text_puts(&response->body, error.len ? "{\"error\":" : "{\"ok\":true");
	if (error.len)
		text_json_string(&response->body, error.data, error.len);
	text_puts(&response->body, "}");
	text_free(&error);
	return true;
}

static bool limits(void *self, const char *json, struct text *error)
{
	struct dataverse *d = self;
	bool good;

	pthread_mutex_lock(&d->lock);
	good = settings_read(d, json, error);
	pthread_mutex_unlock(&d->lock);
	return good;
}

/* --- counting --- */

struct name {
	char *text;
	struct name *next;
};

/* Names live as long as the program: there are few, because unknown ones share one. */
static const char *intern(const char *text)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct name *names;
	struct name *n;

	pthread_mutex_lock(&lock);
	for (n = names; n && strcmp(n->text, text) != 0; n = n->next)
		;
	if (!n) {
		n = malloc(sizeof(*n));
		if (!n || !(n->text = strdup(text)))
			abort();
		n->next = names;
		names = n;
	}
	pthread_mutex_unlock(&lock);
	return n->text;
}

static bool known_first_segment(const char *rest, size_t len)
{
	static const char *const others[] = { "",
					      "$metadata",
					      BATCH_PATH,
					      "Merge",
					      "WhoAmI",
					      "WhoAmI()",
					      "EntityDefinitions",
					      "RetrieveTotalRecordCount",
					      "RetrieveDuplicates" };

	for (size_t i = 0; i < TABLE_COUNT; i++)
		if (strlen(table_defs[i].set_name) == len &&
		    strncmp(table_defs[i].set_name, rest, len) == 0)
			return true;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strlen(others[i]) == len && strncmp(others[i], rest, len) == 0)
			return true;
	return false;
}

/* METHOD and path, keys replaced: PATCH /api/data/v9.2/contacts({key}). Only the shape of a
 * property is kept. */
static const char *endpoint_of(const struct web_request *r)
{
	static const char *const methods[] = { "GET", "POST", "PATCH", "DELETE", "PUT" };
	const char *method = "OTHER";
	size_t root_len, len;
	const char *rest = call_rest_of(r->path, &root_len);
	char text[256];
	const char *dot;

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(r->method, methods[i]) == 0)
			method = methods[i];
	if (!rest) {
		snprintf(text, sizeof(text), "%s %s", method,
			 strstr(r->path, "/oauth2/v2.0/token") ? "/{tenant}/oauth2/v2.0/token"
							       : "(unknown)");
		return intern(text);
	}
	len = strcspn(rest, "(/");
	dot = strstr(rest, "Microsoft.Dynamics.CRM.");
	if (!known_first_segment(rest, len) && strcmp(rest, "%24batch") != 0)
		snprintf(text, sizeof(text), "%s (unknown)", method);
	else if (dot && strlen(dot) < 100 && strncmp(rest, "EntityDefinitions", 17) != 0)
		snprintf(text, sizeof(text), "%s %.*s/%.*s%s/%.*s", method, (int)root_len, r->path,
			 (int)len, rest, rest[len] == '(' ? "({key})" : "",
			 (int)strcspn(dot, "(/?"), dot);
	else
		snprintf(text, sizeof(text), "%s %.*s/%.*s%s%s", method, (int)root_len, r->path,
			 (int)len, rest, rest[len] == '(' ? "({key})" : "",
			 strstr(rest, "/Attributes") ? "/Attributes"
			 : strstr(rest, "/$count")   ? "/$count"
						     : "");
	return intern(text);
}

static int64_t count_of(const struct text *t, const char *needle)
{
	int64_t count = 0;

	for (const char *at = t->len ? t->data : NULL; at && (at = strstr(at, needle));
	     at += strlen(needle))
		count++;
	return count;
}

/* Rows an answer carries, or a body brings. */
static int64_t records_of(const struct web_request *r, const struct web_response *response)
{
	struct text body = { .data = (char *)(uintptr_t)r->body, .len = r->body_len };
	int64_t rows;

	if (strstr(r->path, "/oauth2/") || strstr(r->path, "EntityDefinitions"))
		return 0;
	if (strstr(r->path, "batch"))
		return count_of(&response->body, "\r\nHTTP/1.1 ");
	if (response->status >= 400)
		return 0;
	rows = count_of(&response->body, "\"@odata.etag\"") -
	       count_of(&response->body, ":{\"@odata.etag\"") + /* expanded rows */
	       count_of(&response->body, "/$deletedEntity\"");
	if (strstr(r->path, "Multiple"))
		rows = count_of(&body, "\"@odata.type\"");
	return rows || strcmp(r->method, "GET") == 0 ? rows : 1;
}

static const struct side_ops operations = {
	.name = "dynamics",
	.handle = handle,
	.user_of = user_of,
	.load = load,
	.reset = reset,
	.users_json = users_json,
	.limits = limits,
	.save = dataverse_save,
	.restore = dataverse_restore,
	.control = control,
	.endpoint_of = endpoint_of,
	.records_of = records_of,
};

struct side dataverse_side_new(void)
{
	struct dataverse *d = calloc(1, sizeof(*d));

	if (!d)
		abort();
	pthread_mutex_init(&d->lock, NULL);
	d->limiter = limiter_new();
	start_empty(d);
	return (struct side){ .ops = &operations, .self = d };
}

/* The imitated Dynamics side: who calls, what is asked, who answers; loading people; what the
 * control needs. */
#include "dataverse/dataverse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECONDS_A_DAY 86400
#define BATCH "$batch"

static struct dataverse *dataverse_of(void *self)
{
	return self;
}

/* --- routing --- */

static bool wrong_method(struct call *c)
{
	return call_refuse(c, 405, ODATA_ERROR,
			   "The http method '%s' is not supported on the resource.",
			   c->request->method);
}

static bool is_method(const struct call *c, const char *method)
{
	return strcmp(c->request->method, method) == 0;
}

static const char *custom_name(const char *rest)
{
	static const char space[] = "/Microsoft.Dynamics.CRM.";

	return strncmp(rest, space, sizeof(space) - 1) == 0 ? rest + sizeof(space) - 1 : NULL;
}

static bool answer_row(struct call *c, struct table *t, const struct key *key, const char *rest)
{
	const char *custom = custom_name(rest);

	if (custom && t->table == TABLE_SYSTEMUSER)
		return is_method(c, "GET") ? function_of_user(c, key, custom) : wrong_method(c);
	if (custom && t->table == TABLE_LEAD && strcmp(custom, "QualifyLead") == 0)
		return is_method(c, "POST") ? action_qualify(c, t, key) : wrong_method(c);
	if (custom)
		return call_refuse(c, 404, ODATA_ERROR,
				   "Resource not found for the segment '%.100s'.", rest + 1);
	if (*rest == '/' && rest[1])
		return property_answer(c, t, key, rest + 1);
	if (is_method(c, "GET"))
		return row_retrieve(c, t, key);
	if (is_method(c, "PATCH"))
		return row_patch(c, t, key);
	return is_method(c, "DELETE") ? row_delete(c, t, key) : wrong_method(c);
}

static bool answer_set(struct call *c, struct table *t, const char *rest)
{
	const char *custom = custom_name(rest);

	if (custom)
		return is_method(c, "POST") ? action_bulk(c, t, custom) : wrong_method(c);
	if (strcmp(rest, "/$count") == 0)
		return is_method(c, "GET") ? query_count(c, t) : wrong_method(c);
	if (*rest)
		return call_refuse(c, 404, ODATA_ERROR,
				   "Resource not found for the segment '%.100s'.", rest + 1);
	if (is_method(c, "GET"))
		return query_collection(c, t);
	return is_method(c, "POST") ? row_create(c, t) : wrong_method(c);
}

/* The parenthesis that closes a key: those inside quotes do not count. */
static const char *key_end(const char *s)
{
	bool quoted = false;

	for (; *s && (quoted || *s != ')'); s++)
		quoted ^= *s == '\'';
	return *s ? s : NULL;
}

static bool answer_table(struct call *c, const char *path)
{
	size_t len = strcspn(path, "(/");
	struct table *t = store_table_of_set(&c->dataverse->store, path, len);
	const char *end;
	struct key key;
	bool good;

	if (!t)
		return call_refuse(c, 404, ODATA_ERROR,
				   "Resource not found for the segment '%.*s'.",
				   (int)(len < 100 ? len : 100), path);
	if (path[len] != '(')
		return answer_set(c, t, path + len);
	end = key_end(path + len + 1);
	if (!end)
		return call_refuse(c, 400, ODATA_ERROR, "Syntax error in '%.100s'.", path);
	good = key_parse(c, t, path + len + 1, (size_t)(end - path - (ptrdiff_t)len - 1), &key) &&
	       answer_row(c, t, &key, end + 1);
	key_free(&key);
	return good;
}

static bool answer(struct call *c)
{
	static const char definitions[] = "EntityDefinitions";
	const char *path = c->path.data;

	if (strncmp(path, definitions, sizeof(definitions) - 1) == 0)
		return metadata_answer(c, path + sizeof(definitions) - 1);
	if (!*path)
		return is_method(c, "GET") ? service_document(c) : wrong_method(c);
	if (strcmp(path, "$metadata") == 0)
		return is_method(c, "GET") ? metadata_document(c) : wrong_method(c);
	if (strcmp(path, BATCH) == 0)
		return call_refuse(c, 400, ODATA_ERROR, "A batch cannot hold a batch.");
	if (strcmp(path, "Merge") == 0)
		return is_method(c, "POST") ? action_merge(c) : wrong_method(c);
	if (strncmp(path, "WhoAmI", 6) == 0 || strncmp(path, "Retrieve", 8) == 0)
		return is_method(c, "GET") ? function_answer(c, path) : wrong_method(c);
	return answer_table(c, path);
}

void dataverse_dispatch(struct call *c)
{
	size_t root_len;
	const struct user *caller = c->user;
	bool good;

	plugin_run_due(c->dataverse);
	if (!call_rest_of(c->request->path, &root_len))
		good = call_refuse(c, 404, ODATA_ERROR,
				   "Resource not found for the segment '%.100s'.",
				   c->request->path);
	else if (c->address_max &&
		 strlen(c->request->path) + strlen(c->request->query) > c->address_max)
		good = call_refuse(c, 414, ODATA_ERROR,
				   "The address is longer than %zu characters.", c->address_max);
	else if (!text_is_utf8(c->path.data, c->path.len))
		good = call_refuse(c, 400, ODATA_ERROR, "The address is not valid UTF-8.");
	else if (!c->user->member)
		good = call_refuse(c, 403, "0x80072560",
				   "The user is not a member of the organization.");
	else
		good = impersonate(c) && answer(c);
	if (!good)
		call_write_failure(c);
	c->user = caller;
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
	web_header(c->response, "x-ms-dop-hint", "%d", hint);
	limiter_headers(c->dataverse->limiter, (int)c->user->id, c->response);
}

static void answer_one(struct call *c)
{
	struct dataverse *d = c->dataverse;
	int64_t start = now_us();

	pthread_mutex_lock(&d->lock);
	dataverse_dispatch(c);
	pthread_mutex_unlock(&d->lock);
	limiter_operation(d->limiter, (int)c->user->id, now_us() - start);
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
		if (strcmp(c.path.data, BATCH) == 0 && u->member)
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
		token_answer(dataverse_of(self), r, response);
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
	return token_user_name(r);
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
	d->generation++;
	start_empty(d);
	pthread_mutex_unlock(&d->lock);
}

static void users_json(void *self, struct text *out)
{
	(void)self;
	text_puts(out, "[");
	for (size_t i = 0; i < USER_COUNT; i++) {
		const struct user *u = &dataverse_users[i];

		text_printf(out,
			    "%s{\"name\":\"%s\",\"tenantId\":\"" TENANT_ID
			    "\",\"clientId\":\"%s\",\"clientSecret\":\"%s\","
			    "\"rights\":\"%s\"}",
			    i ? "," : "", u->name, u->client_id, u->client_secret, u->rights);
	}
	text_puts(out, "]");
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
					      BATCH,
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

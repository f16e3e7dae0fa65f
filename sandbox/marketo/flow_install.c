/* Installing the service of a flow step, as an administrator does: its document, definition, status
 * and picklists are fetched and held against the contract. Adobe: Self-Service Flow Steps,
 * Installation. What is legal is in flow_check.c. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "marketo/caller.h"

struct install {
	struct marketo *m;
	struct json_object *asked; /* the body of the control call */
	struct json_object *document, *service, *report, *violations;
	struct service_access *access;
	int64_t timeout_ms;
	uint32_t world;
};

static struct json_object *definition_of(struct json_object *service)
{
	return json_at(service, "definition");
}

static void put(struct json_object *object, const char *name, struct json_object *value)
{
	json_object_object_add(object, name, value);
}

static void put_words(struct json_object *object, const char *name, const char *words)
{
	put(object, name, json_object_new_string(words));
}

/* ---- fetching ---- */

/* Whether there is an answer of 200; tells what there is otherwise. */
static bool answered(struct install *s, const char *what, enum post_result result,
		     const struct post_answer *answer)
{
	if (result == POST_TIMED_OUT)
		flow_violation(s->violations, "%s: no answer in time", what);
	else if (result == POST_FAILED)
		flow_violation(s->violations, "%s: the address does not answer", what);
	else if (answer->status != 200)
		flow_violation(s->violations, "%s: the answer is %d, not 200", what,
			       answer->status);
	return result == POST_ANSWERED && answer->status == 200;
}

static struct json_object *object_read(struct install *s, const char *what,
				       const struct post_answer *answer)
{
	struct json_object *made = answer->body.data ? json_tokener_parse(answer->body.data) : NULL;

	if (json_object_is_type(made, json_type_object))
		return made;
	flow_violation(s->violations, "%s: the answer is not a JSON object", what);
	json_object_put(made);
	return NULL;
}

/* NULL after having told why not. */
static struct json_object *object_fetch(struct install *s, const char *method, const char *path,
					const struct text *body)
{
	struct post_answer answer;
	struct json_object *made = NULL;
	enum post_result result =
		access_call(s->access, method, path, body, true, s->timeout_ms, &answer);

	if (answered(s, path, result, &answer))
		made = object_read(s, path, &answer);
	post_answer_free(&answer);
	return made;
}

static bool document_fetch(struct install *s, struct text *error)
{
	struct post_address address;
	struct post_answer answer = { 0 };
	enum post_result result;

	if (!post_address_read(json_words(s->asked, "url"), &address)) {
		text_puts(error, "url must be an http address of this machine");
		post_address_free(&address);
		return false;
	}
	result = post_send(&(struct post_request){ .method = "GET",
						   .host = address.host,
						   .port = address.port,
						   .path = address.path.data,
						   .timeout_ms = s->timeout_ms },
			   &answer);
	if (answered(s, "the document", result, &answer)) {
		s->document = object_read(s, "the document (the sandbox reads no YAML)", &answer);
		if (s->document)
			flow_document_check(s->document, s->violations);
	}
	post_answer_free(&answer);
	post_address_free(&address);
	return s->document != NULL;
}

/* ---- what the document says ---- */

/* servers[0].url, or what precedes the name of the document. */
static void base_read(struct install *s)
{
	struct json_object *servers = json_at(s->document, "servers");
	const char *url = json_words(s->asked, "url"), *server = "", *path, *end;
	struct text base = { 0 };

	if (json_object_is_type(servers, json_type_array))
		server = json_words(json_object_array_get_idx(servers, 0), "url");
	path = strchr(url + strlen("http://"), '/');
	path = path ? path : url + strlen(url);
	end = path + strcspn(path, "?");
	while (end > path && end[-1] != '/')
		end--;
	if (!strstr(server, "://")) {
		text_add(&base, url, (size_t)((*server == '/' ? path : end) - url));
		text_puts(&base,
			  base.len && base.data[base.len - 1] != '/' && *server != '/' ? "/" : "");
	}
	text_puts(&base, server);
	put_words(s->service, "base", base.data);
	put_words(s->report, "base", base.data);
	text_free(&base);
}

/* The first of the schemes under "security"; the others are not looked at. */
static void scheme_read(struct install *s)
{
	struct json_object *security = json_at(s->document, "security");
	struct json_object *schemes =
		json_at(json_at(s->document, "components"), "securitySchemes");
	struct json_object *first = json_object_is_type(security, json_type_array)
					    ? json_object_array_get_idx(security, 0)
					    : NULL;
	struct json_object *scheme = NULL;

	if (json_object_is_type(first, json_type_object)) {
		json_object_object_foreach (first, name, scopes) {
			(void)scopes;
			scheme = json_at(schemes, name);
			break;
		}
	}
	if (!scheme)
		flow_violation(s->violations,
			       "security must name a scheme of components.securitySchemes");
	put(s->service, "scheme", json_object_get(scheme));
	put_words(s->report, "scheme", json_words(scheme, "type"));
}

static void access_make(struct install *s)
{
	struct text error = { 0 };

	if (!json_at(s->service, "scheme"))
		return;
	s->access = access_new(s->service, &error);
	if (s->access && !access_sign_in(s->access, s->timeout_ms, &error)) {
		access_free(s->access);
		s->access = NULL;
	}
	if (error.len)
		flow_violation(s->violations, "%s", error.data);
	text_free(&error);
}

static void document_read(struct install *s)
{
	struct json_object *info = json_at(s->document, "info");

	put_words(s->service, "url", json_words(s->asked, "url"));
	put_words(s->service, "name", json_words(info, "title"));
	put(s->service, "credentials", json_object_get(json_at(s->asked, "credentials")));
	put_words(s->report, "name", json_words(info, "title"));
	put_words(s->report, "provider", json_words(info, "x-providerName"));
	put_words(s->report, "version", json_words(info, "version"));
	base_read(s);
	scheme_read(s);
	access_make(s);
}

/* ---- fields ---- */

/* Adobe: a suggested field is taken when both its name and its type fit. */
static bool suggestion_fits(const struct marketo *m, struct json_object *field, int column)
{
	const char *type = json_words(field, "dataType");

	return column >= 0 &&
	       (strcmp(field_types[m->fields.list[column].type].name, type) == 0 ||
		(m->fields.list[column].flags & FIELD_SCORE && strcmp(type, "score") == 0));
}

/* One field of the definition: to the field of a person asked for, or to the one suggested. */
static void field_map(struct install *s, struct json_object *field, struct json_object *asked,
		      bool writes, struct json_object *mapped)
{
	const char *attribute = json_words(field, "serviceAttribute");
	const char *name = json_words(asked, attribute);
	const char *suggested = json_words(field, "suggestedMarketoAttribute");
	int column = field_find(s->m, *name ? name : suggested, strlen(*name ? name : suggested));
	bool usable = *name ? column >= 0 : suggestion_fits(s->m, field, column);

	usable = usable && !(writes && (s->m->fields.list[column].flags & FIELD_READ_ONLY ||
					column == COLUMN_ID));
	if (usable)
		put_words(mapped, attribute, s->m->fields.list[column].name);
	else if (*name)
		flow_violation(s->violations, "mappings: '%s' cannot be mapped to '%s'", attribute,
			       name);
	else if (json_object_get_boolean(json_at(field, "required")))
		flow_violation(s->violations, "the field '%s' is required and not mapped",
			       attribute);
}

/* With user-driven mapping the fields of the definition are ignored; the administrator names the
 * fields, and they go by their own names. */
static void fields_map(struct install *s, const char *payload, const char *direction)
{
	struct json_object *definition = json_at(definition_of(s->service), payload);
	struct json_object *fields = json_at(definition, "fields");
	struct json_object *asked = json_at(json_at(s->asked, "mappings"), direction);
	struct json_object *mapped = json_object_new_object();
	bool writes = strcmp(direction, "callback") == 0;
	bool own = json_object_get_boolean(json_at(definition, "userDrivenMapping"));
	size_t count = !own && json_object_is_type(fields, json_type_array)
			       ? json_object_array_length(fields)
			       : 0;

	for (size_t i = 0; i < count; i++)
		field_map(s, json_object_array_get_idx(fields, i), asked, writes, mapped);
	if (own && json_object_is_type(asked, json_type_object)) {
		json_object_object_foreach (asked, name, field) {
			struct json_object *one = json_object_new_object();

			(void)field;
			put_words(one, "serviceAttribute", name);
			field_map(s, one, asked, writes, mapped);
			json_object_put(one);
		}
	}
	put(s->service, direction, mapped);
	put(s->report, direction, json_object_get(mapped));
}

/* ---- picklists ---- */

/* [{"marketoAttribute", "serviceAttribute"}] */
static struct json_object *mapping_told(struct json_object *mapped)
{
	struct json_object *list = json_object_new_array();

	json_object_object_foreach (mapped, attribute, field) {
		struct json_object *one = json_object_new_object();

		put(one, "marketoAttribute", json_object_get(field));
		put_words(one, "serviceAttribute", attribute);
		json_object_array_add(list, one);
	}
	return list;
}

static struct json_object *picklist_fetch(struct install *s, const char *name, const char *type)
{
	struct json_object *body = json_object_new_object(), *context = json_object_new_object();
	struct json_object *answer;
	struct text words = { 0 };

	put_words(body, "name", name);
	put_words(body, "type", type);
	put(context, "invocation", mapping_told(json_at(s->service, "invocation")));
	put(context, "callback", mapping_told(json_at(s->service, "callback")));
	put(body, "fieldMappingContext", context);
	text_puts(&words, json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN));
	answer = object_fetch(s, "POST", "/getPicklist", &words);
	text_free(&words);
	json_object_put(body);
	return answer;
}

static void picklist_take(struct install *s, const char *name, const char *type,
			  struct json_object *kept)
{
	struct json_object *answer = picklist_fetch(s, name, type);
	struct json_object *choices = json_at(answer, "choices"), *values = json_object_new_array();

	if (answer)
		flow_choices_check(answer, name, s->violations);
	for (size_t i = 0;
	     json_object_is_type(choices, json_type_array) && i < json_object_array_length(choices);
	     i++)
		json_object_array_add(values,
				      json_object_get(json_at(json_object_array_get_idx(choices, i),
							      "submittedValue")));
	put(kept, name, values);
	json_object_put(answer);
}

static void picklists_take(struct install *s, const char *list, const char *type)
{
	struct json_object *attributes =
		json_at(json_at(definition_of(s->service), "invocationPayloadDef"), list);
	struct json_object *kept = json_object_new_object();
	size_t count = json_object_is_type(attributes, json_type_array)
			       ? json_object_array_length(attributes)
			       : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *one = json_object_array_get_idx(attributes, i);

		if (json_object_get_boolean(json_at(one, "hasPicklist")) &&
		    json_at(json_at(s->document, "paths"), "/getPicklist"))
			picklist_take(s, json_words(one, "apiName"), type, kept);
	}
	put(json_at(s->service, "picklists"), type, kept);
}

/* ---- the other calls ---- */

/* Icons are fetched without credentials. */
static void page_take(struct install *s, const char *path, const char *type, bool signed_in)
{
	struct post_answer answer;
	struct text found = { 0 };
	enum post_result result;

	if (!json_at(json_at(s->document, "paths"), path))
		return;
	result = access_call(s->access, "GET", path, NULL, signed_in, s->timeout_ms, &answer);
	if (answered(s, path, result, &answer)) {
		post_answer_header(&answer, "Content-Type", &found);
		if (!found.len || strncasecmp(found.data, type, strlen(type)) != 0)
			flow_violation(s->violations, "%s: the Content-Type is '%s', not %s", path,
				       found.len ? found.data : "", type);
		else if (!answer.body.len)
			flow_violation(s->violations, "%s: the answer is empty", path);
		put_words(s->report, path + 1, found.len ? found.data : "");
	}
	text_free(&found);
	post_answer_free(&answer);
}

static void status_take(struct install *s)
{
	struct json_object *status = object_fetch(s, "GET", "/status", NULL);
	const char *date = json_words(status, "deprecationDate");
	int64_t instant;

	if (status)
		flow_status_check(status, s->violations);
	put(s->report, "deprecated",
	    json_object_new_boolean(*date && time_from_text(date, strlen(date), &instant) &&
				    instant <= sandbox_now_s()));
	put(s->report, "status", status);
}

static void definition_take(struct install *s)
{
	struct json_object *definition = object_fetch(s, "GET", "/getServiceDefinition", NULL);
	struct json_object *invocation = json_at(definition, "invocationPayloadDef");
	struct json_object *headers = json_at(invocation, "headers");
	struct text error = { 0 };

	if (definition)
		flow_definition_check(definition,
				      json_at(json_at(s->document, "paths"), "/getPicklist"),
				      s->violations);
	if (headers && json_object_is_type(headers, json_type_array) &&
	    json_object_array_length(headers))
		flow_violation(s->violations, "headers are not imitated by the sandbox");
	put(s->service, "definition", definition);
	put(s->report, "definition", json_object_get(definition));
	if (!definition)
		return;
	pthread_mutex_lock(&s->m->lock);
	fields_map(s, "invocationPayloadDef", "invocation");
	fields_map(s, "callbackPayloadDef", "callback");
	pthread_mutex_unlock(&s->m->lock);
	picklists_take(s, "flowAttributes", "flow");
	picklists_take(s, "globalAttributes", "global");
	put(s->report, "picklists", json_object_get(json_at(s->service, "picklists")));
	if (!flow_given_check(json_at(invocation, "globalAttributes"),
			      json_at(json_at(s->service, "picklists"), "global"),
			      json_at(s->asked, "global"), &error))
		flow_violation(s->violations, "global: %s", error.data);
	put(s->service, "global", json_object_get(json_at(s->asked, "global")));
	text_free(&error);
}

/* ---- keeping it ---- */

static bool name_is_taken(const struct marketo *m, const char *name)
{
	for (size_t i = 0; i < m->callers->service_count; i++)
		if (strcmp(json_words(m->callers->services[i], "apiName"), name) == 0)
			return true;
	for (int i = 0; i < m->custom.count; i++)
		if (strcmp(m->custom.list[i].api_name, name) == 0)
			return true;
	return false;
}

/* With the lock held. The definition's apiName, or the one the administrator gives instead. */
static void name_check(struct install *s)
{
	const char *asked = json_words(s->asked, "apiName");
	const char *name = *asked ? asked : json_words(definition_of(s->service), "apiName");

	if (name_is_taken(s->m, name))
		flow_violation(s->violations, "the apiName '%s' is taken: give another", name);
	put_words(s->service, "apiName", name);
	put_words(s->report, "apiName", name);
}

static void service_keep(struct install *s)
{
	struct callers *callers = s->m->callers;
	struct json_object **grown =
		realloc(callers->services, (callers->service_count + 1) * sizeof(*grown));

	if (!grown)
		abort();
	callers->services = grown;
	grown[callers->service_count++] = json_object_get(s->service);
	put(s->report, "id", json_object_new_int64((int64_t)callers->service_count));
	put(s->report, "activityTypeId",
	    json_object_new_int64(ACTIVITY_SERVICE_FROM + (int64_t)callers->service_count - 1));
}

static void install_end(struct install *s, struct control_call *c)
{
	pthread_mutex_lock(&s->m->lock);
	if (s->document)
		name_check(s);
	if (s->world != s->m->world)
		flow_violation(s->violations, "the sandbox was reset meanwhile");
	if (!json_object_array_length(s->violations))
		service_keep(s);
	else if (!c->error.len)
		text_puts(&c->error, "the service is refused");
	put(s->report, "violations", json_object_get(s->violations));
	if (c->error.len)
		text_printf(&c->extra, ",\"violations\":%s,\"found\":%s",
			    json_object_to_json_string_ext(s->violations, JSON_C_TO_STRING_PLAIN),
			    json_object_to_json_string_ext(s->report, JSON_C_TO_STRING_PLAIN));
	else
		text_puts(c->out,
			  json_object_to_json_string_ext(s->report, JSON_C_TO_STRING_PLAIN));
	json_object_put(s->report);
	json_object_put(s->service);
	json_object_put(s->document);
	json_object_put(s->violations);
	pthread_mutex_unlock(&s->m->lock);
	access_free(s->access);
}

void service_install(struct control_call *c)
{
	static const char *const members[] = { "url",      "credentials", "apiName",
					       "mappings", "global",      NULL };
	struct install s = { .m = c->m, .asked = c->body };

	if (!members_known(c->body, members, "a service", &c->error))
		return;
	s.service = json_object_new_object();
	s.report = json_object_new_object();
	s.violations = json_object_new_array();
	put(s.service, "picklists", json_object_new_object());
	pthread_mutex_lock(&s.m->lock);
	s.timeout_ms = s.m->limits.webhook_s * 1000;
	s.world = s.m->world;
	pthread_mutex_unlock(&s.m->lock);
	if (document_fetch(&s, &c->error)) {
		document_read(&s);
		if (s.access) {
			definition_take(&s);
			status_take(&s);
			page_take(&s, "/brandIcon", "image/", false);
			page_take(&s, "/serviceIcon", "image/", false);
			page_take(&s, "/providerInstructions", "text/html", true);
		}
	}
	install_end(&s, c);
}

/* What a provider of flow steps publishes, held against the contract: the OpenAPI document against
 * what the published schema.yaml enforces, the definition, status and picklists against
 * CFA-Swagger.yaml (Adobe: Marketo-SSFS-Service-Provider-Interface). Every violation is told. */
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "marketo/caller.h"

enum { CHOICES_MAX = 1000 };

void flow_violation(struct json_object *violations, const char *fmt, ...)
{
	char words[600];
	va_list args;

	va_start(args, fmt);
	vsnprintf(words, sizeof(words), fmt, args);
	va_end(args);
	json_object_array_add(violations, json_object_new_string(words));
}

static bool is_object(struct json_object *value)
{
	return json_object_is_type(value, json_type_object);
}

static bool is_list(struct json_object *value)
{
	return json_object_is_type(value, json_type_array);
}

static size_t length(struct json_object *list)
{
	return is_list(list) ? json_object_array_length(list) : 0;
}

static bool is_text(struct json_object *value)
{
	return json_object_is_type(value, json_type_string);
}

/* ---- the document ---- */

/* Calls the document describes. The schema asks for these words exactly. */
static const struct {
	const char *path, *method, *media, *ref; /* ref NULL: not looked at */
	bool needed;
} described[] = {
	{ "/getServiceDefinition", "get", "application/json",
	  "#/components/schemas/serviceDefinition", true },
	{ "/status", "get", "application/json", "#/components/schemas/serviceStatus", true },
	{ "/getPicklist", "post", "application/json", "#/components/schemas/picklistObject",
	  false },
	{ "/brandIcon", "get", "image/*", NULL, false },
	{ "/serviceIcon", "get", "image/*", NULL, false },
	{ "/providerInstructions", "get", "text/html", NULL, false },
};

static void info_check(struct json_object *info, struct json_object *violations)
{
	static const char *const needed[] = { "title", "version", "x-providerName",
					      "x-schemaVersion", "x-supportContact" };

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!is_text(json_at(info, needed[i])))
			flow_violation(violations, "info.%s must be a text", needed[i]);
}

static void answer_check(struct json_object *paths, size_t at, struct json_object *violations)
{
	const char *path = described[at].path, *method = described[at].method;
	struct json_object *call = json_at(json_at(paths, path), method);
	struct json_object *content =
		json_at(json_at(json_at(call, "responses"), "200"), "content");
	struct json_object *media = json_at(content, described[at].media);

	if (!call)
		flow_violation(violations, "paths.%s must have '%s'", path, method);
	else if (!content || !json_at(content, described[at].media))
		flow_violation(violations, "paths.%s.%s.responses.200.content must have '%s'", path,
			       method, described[at].media);
	else if (described[at].ref &&
		 strcmp(json_words(json_at(media, "schema"), "$ref"), described[at].ref) != 0)
		flow_violation(violations,
			       "paths.%s.%s.responses.200.content.%s.schema.$ref must be '%s'",
			       path, method, described[at].media, described[at].ref);
}

static void paths_check(struct json_object *paths, struct json_object *violations)
{
	struct json_object *action = json_at(paths, "/submitAsyncAction");
	struct json_object *post = json_at(action, "post");

	if (!action)
		flow_violation(violations, "paths must have '/submitAsyncAction'");
	else if (!post)
		flow_violation(violations, "paths./submitAsyncAction must have 'post'");
	for (size_t i = 0; post && i < 2; i++)
		if (!json_at(post, i ? "callbacks" : "requestBody"))
			flow_violation(violations, "paths./submitAsyncAction.post must have '%s'",
				       i ? "callbacks" : "requestBody");
	for (size_t i = 0; i < sizeof(described) / sizeof(described[0]); i++) {
		if (json_at(paths, described[i].path))
			answer_check(paths, i, violations);
		else if (described[i].needed)
			flow_violation(violations, "paths must have '%s'", described[i].path);
	}
}

void flow_document_check(struct json_object *document, struct json_object *violations)
{
	static const char *const needed[] = { "info", "security", "paths", "components" };

	if (strncmp(json_words(document, "openapi"), "3.", 2) != 0)
		flow_violation(violations, "openapi must be 3.x");
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!json_at(document, needed[i]))
			flow_violation(violations, "the document must have '%s'", needed[i]);
	if (json_at(document, "info"))
		info_check(json_at(document, "info"), violations);
	if (json_at(document, "paths"))
		paths_check(json_at(document, "paths"), violations);
}

/* ---- the definition ---- */

/* Texts by language: en_US is needed, other keys are like fr_CA. */
static void languages_check(struct json_object *texts, const char *what, bool objects,
			    struct json_object *violations)
{
	struct json_object *english = json_at(texts, "en_US");

	if (objects ? !is_text(json_at(english, "name")) : !is_text(english))
		flow_violation(violations, "%s must have en_US%s", what,
			       objects ? " with a name" : "");
	if (!is_object(texts))
		return;
	json_object_object_foreach (texts, key, value) {
		bool legal = strlen(key) == 5 && key[2] == '_' && key[0] >= 'a' && key[0] <= 'z' &&
			     key[1] >= 'a' && key[1] <= 'z' && key[3] >= 'A' && key[3] <= 'Z' &&
			     key[4] >= 'A' && key[4] <= 'Z';

		if (!legal)
			flow_violation(violations, "%s: '%s' is not a language like fr_CA", what,
				       key);
		if (objects ? !is_object(value) : !is_text(value))
			flow_violation(violations, "%s.%s must be %s", what, key,
				       objects ? "an object" : "a text");
	}
}

static void attribute_check(struct json_object *attribute, const char *list, size_t at,
			    struct json_object *violations)
{
	static const char *const reserved[] = { "success", "reason", "errorCode" };
	const char *name = json_words(attribute, "apiName");
	char what[200];

	snprintf(what, sizeof(what), "%s[%zu]", list, at);
	if (!*name)
		flow_violation(violations, "%s must have an apiName", what);
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strcmp(reserved[i], name) == 0)
			flow_violation(violations, "%s: the name '%s' is reserved", what, name);
	if (!flow_type_known(json_words(attribute, "dataType")))
		flow_violation(violations, "%s: '%s' is not a dataType", what,
			       json_words(attribute, "dataType"));
	snprintf(what, sizeof(what), "%s[%zu].i18n", list, at);
	languages_check(json_at(attribute, "i18n"), what, true, violations);
}

static void attributes_check(struct json_object *attributes, const char *list,
			     struct json_object *violations)
{
	if (attributes && !is_list(attributes))
		flow_violation(violations, "%s must be a list", list);
	for (size_t i = 0; i < length(attributes); i++) {
		struct json_object *one = json_object_array_get_idx(attributes, i);
		const char *name = json_words(one, "apiName");

		attribute_check(one, list, i, violations);
		if (*name && flow_attribute(attributes, name) != one)
			flow_violation(violations, "%s: '%s' is declared twice", list, name);
	}
}

/* Names of one list that are in another, too. */
static void overlap_check(struct json_object *given, const char *given_name,
			  struct json_object *returned, struct json_object *violations)
{
	for (size_t i = 0; i < length(given); i++) {
		const char *name = json_words(json_object_array_get_idx(given, i), "apiName");

		if (*name && flow_attribute(returned, name))
			flow_violation(violations, "'%s' is in %s and in the callback's attributes",
				       name, given_name);
	}
}

static void fields_check(struct json_object *fields, const char *list,
			 struct json_object *violations)
{
	if (fields && !is_list(fields))
		flow_violation(violations, "%s must be a list", list);
	for (size_t i = 0; i < length(fields); i++) {
		struct json_object *field = json_object_array_get_idx(fields, i);
		const char *name = json_words(field, "serviceAttribute");
		char what[200];

		snprintf(what, sizeof(what), "%s[%zu]", list, i);
		if (!*name)
			flow_violation(violations, "%s must have a serviceAttribute", what);
		if (strcmp(name, "id") == 0)
			flow_violation(violations, "%s: the name 'id' is reserved", what);
		if (!flow_type_known(json_words(field, "dataType")))
			flow_violation(violations, "%s: '%s' is not a dataType", what,
				       json_words(field, "dataType"));
		snprintf(what, sizeof(what), "%s[%zu].description", list, i);
		languages_check(json_at(field, "description"), what, false, violations);
	}
}

static void flags_check(struct json_object *invocation, struct json_object *callback,
			struct json_object *violations)
{
	static const char *const flags[] = { "userDrivenMapping",    "programContext",
					     "campaignContext",      "triggerContext",
					     "programMemberContext", "subscriptionContext" };
	struct json_object *tokens = json_at(invocation, "myTokenContext");

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (json_at(invocation, flags[i]) &&
		    !json_object_is_type(json_at(invocation, flags[i]), json_type_boolean))
			flow_violation(violations, "invocationPayloadDef.%s must be true or false",
				       flags[i]);
	if (json_at(callback, flags[0]) &&
	    !json_object_is_type(json_at(callback, flags[0]), json_type_boolean))
		flow_violation(violations, "callbackPayloadDef.%s must be true or false", flags[0]);
	if (tokens && !is_list(tokens))
		flow_violation(violations, "invocationPayloadDef.myTokenContext must be a list");
	for (size_t i = 0; i < length(tokens); i++)
		if (!is_text(json_object_array_get_idx(tokens, i)))
			flow_violation(violations,
				       "invocationPayloadDef.myTokenContext[%zu] must be a text",
				       i);
}

static void picklists_check(struct json_object *attributes, const char *list, bool offered,
			    struct json_object *violations)
{
	for (size_t i = 0; !offered && i < length(attributes); i++) {
		struct json_object *one = json_object_array_get_idx(attributes, i);

		if (json_object_get_boolean(json_at(one, "hasPicklist")))
			flow_violation(violations,
				       "%s[%zu] has a picklist, and the document no /getPicklist",
				       list, i);
	}
}

void flow_definition_check(struct json_object *definition, bool picklists,
			   struct json_object *violations)
{
	static const char *const needed[] = { "invocationPayloadDef", "callbackPayloadDef" };
	struct json_object *invocation = json_at(definition, needed[0]),
			   *callback = json_at(definition, needed[1]);
	struct json_object *flow = json_at(invocation, "flowAttributes"),
			   *global = json_at(invocation, "globalAttributes"),
			   *returned = json_at(callback, "attributes");
	const char *primary = json_words(definition, "primaryAttribute");

	if (!*json_words(definition, "apiName"))
		flow_violation(violations, "the definition must have an apiName");
	languages_check(json_at(definition, "i18n"), "i18n", true, violations);
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!is_object(json_at(definition, needed[i])))
			flow_violation(violations, "%s must be an object", needed[i]);
	attributes_check(flow, "invocationPayloadDef.flowAttributes", violations);
	attributes_check(global, "invocationPayloadDef.globalAttributes", violations);
	attributes_check(returned, "callbackPayloadDef.attributes", violations);
	overlap_check(flow, "flowAttributes", returned, violations);
	overlap_check(global, "globalAttributes", returned, violations);
	fields_check(json_at(invocation, "fields"), "invocationPayloadDef.fields", violations);
	fields_check(json_at(callback, "fields"), "callbackPayloadDef.fields", violations);
	flags_check(invocation, callback, violations);
	picklists_check(flow, "invocationPayloadDef.flowAttributes", picklists, violations);
	picklists_check(global, "invocationPayloadDef.globalAttributes", picklists, violations);
	if (!*primary || !flow_attribute(flow, primary))
		flow_violation(violations, "primaryAttribute '%s' is not a flow attribute",
			       primary);
	if (*primary && flow_attribute(returned, primary))
		flow_violation(violations, "primaryAttribute '%s' is a callback attribute",
			       primary);
}

/* ---- status and picklists ---- */

void flow_status_check(struct json_object *status, struct json_object *violations)
{
	static const char *const lists[] = { "info", "warnings", "errors" };
	struct json_object *date = json_at(status, "deprecationDate"),
			   *message = json_at(status, "deprecationMessage");
	int64_t instant;

	if (!is_object(status))
		flow_violation(violations, "the status must be an object");
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct json_object *list = json_at(status, lists[i]);

		if (list && !is_list(list))
			flow_violation(violations, "status.%s must be a list", lists[i]);
		for (size_t k = 0; k < length(list); k++)
			if (!is_text(json_object_array_get_idx(list, k)))
				flow_violation(violations, "status.%s[%zu] must be a text",
					       lists[i], k);
	}
	if (message && !is_text(message))
		flow_violation(violations, "status.deprecationMessage must be a text");
	if (date &&
	    (!is_text(date) || !time_from_text(json_object_get_string(date),
					       strlen(json_object_get_string(date)), &instant)))
		flow_violation(violations, "status.deprecationDate must be a time");
}

void flow_choices_check(struct json_object *answer, const char *name,
			struct json_object *violations)
{
	struct json_object *choices = json_at(answer, "choices");

	if (!is_list(choices))
		flow_violation(violations, "the picklist of '%s' must have choices", name);
	if (length(choices) > CHOICES_MAX)
		flow_violation(violations, "the picklist of '%s' has %zu choices, more than %d",
			       name, length(choices), CHOICES_MAX);
	for (size_t i = 0; i < length(choices) && i < CHOICES_MAX; i++) {
		struct json_object *choice = json_object_array_get_idx(choices, i);
		struct json_object *value = json_at(choice, "submittedValue");
		char what[200];

		if (!value || is_object(value) || is_list(value))
			flow_violation(
				violations,
				"the picklist of '%s': choice %zu must have a submittedValue", name,
				i);
		snprintf(what, sizeof(what), "the picklist of '%.100s': displayValue of choice %zu",
			 name, i);
		languages_check(json_at(choice, "displayValue"), what, false, violations);
	}
}

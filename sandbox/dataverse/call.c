/* The frame of a call: its address, preferences, body, headers and refusal. Knows no tables. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dataverse/dataverse.h"

const char *call_rest_of(const char *path, size_t *ret_root_len)
{
	static const char *const roots[] = { "/api/data/v9.2", "/api/data/v9.1", "/api/data/v9.0" };

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		size_t len = strlen(roots[i]);

		if (strncmp(path, roots[i], len) != 0 || (path[len] && path[len] != '/'))
			continue;
		*ret_root_len = len;
		return path[len] ? path + len + 1 : path + len;
	}
	return NULL;
}

const char *call_header(const struct call *c, const char *name)
{
	return c->request->header(c->request, name);
}

bool call_refuse(struct call *c, int status, const char *code, const char *fmt, ...)
{
	char message[sizeof(c->failure.message)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	return failure_set(&c->failure, status, code, "%s", message);
}

/* One preference, from its name to the comma outside quotes. */
static void read_preference(struct prefer *p, const char *s, size_t len)
{
	static const char annotations[] = "odata.include-annotations=";
	static const char page_size_is[] = "odata.maxpagesize=";

	if (len >= sizeof(annotations) &&
	    strncasecmp(s, annotations, sizeof(annotations) - 1) == 0) {
		s += sizeof(annotations) - 1;
		len -= sizeof(annotations) - 1;
		if (len >= 2 && *s == '"') {
			s++;
			len -= 2;
		}
		snprintf(p->annotations, sizeof(p->annotations), "%.*s", (int)len, s);
	} else if (len >= sizeof(page_size_is) &&
		   strncasecmp(s, page_size_is, sizeof(page_size_is) - 1) == 0) {
		p->page_size = atoi(s + sizeof(page_size_is) - 1);
	} else if (len == 21 && strncasecmp(s, "return=representation", len) == 0) {
		p->representation = true;
	} else if (len == 19 && strncasecmp(s, "odata.track-changes", len) == 0) {
		p->track_changes = true;
	} else if (len == 23 && strncasecmp(s, "odata.continue-on-error", len) == 0) {
		p->continue_on_error = true;
	}
}

static void read_preferences(struct prefer *p, const char *header)
{
	while (header && *header) {
		const char *end;
		size_t len;
		bool quoted = false;

		header += strspn(header, " ,");
		for (end = header; *end && (quoted || *end != ','); end++)
			quoted ^= *end == '"';
		len = (size_t)(end - header);
		while (len && header[len - 1] == ' ')
			len--;
		read_preference(p, header, len);
		header = end;
	}
}

void call_begin(struct call *c)
{
	size_t root_len = 0;
	const char *rest = call_rest_of(c->request->path, &root_len);

	c->id = guid_random();
	text_printf(&c->root, "http://%s%.*s/", c->request->host, (int)root_len, c->request->path);
	text_url_decode(&c->path, rest ? rest : "", rest ? strlen(rest) : 0, false);
	read_preferences(&c->prefer, call_header(c, "Prefer"));
}

void call_end(struct call *c)
{
	text_free(&c->root);
	text_free(&c->path);
}

bool call_option(const struct call *c, const char *name, struct text *ret)
{
	return web_param(c->request->query, name, 0, ret);
}

/* A pattern ends in * or is the whole name. */
static bool pattern_matches(const char *pattern, size_t len, const char *name)
{
	if (len && pattern[len - 1] == '*')
		return strncasecmp(pattern, name, len - 1) == 0;
	return strlen(name) == len && strncasecmp(pattern, name, len) == 0;
}

bool call_wants_any_annotation(const struct call *c)
{
	return c->prefer.annotations[0] != '\0';
}

bool call_wants_annotation(const struct call *c, const char *name)
{
	const char *s = c->prefer.annotations;

	while (*s) {
		size_t len = strcspn(s, ",");
		size_t skip = strspn(s, " ");

		if (len > skip && pattern_matches(s + skip, len - skip, name))
			return true;
		s += len + (s[len] == ',');
	}
	return false;
}

static void common_headers(struct call *c)
{
	web_header(c->response, "OData-Version", "4.0");
}

void call_json(struct call *c, int status)
{
	c->response->status = status;
	common_headers(c);
	web_header(c->response, "Content-Type", "application/json; odata.metadata=minimal%s",
		   c->in_batch && status == 200 ? "; odata.streaming=true" : "");
}

void call_no_content(struct call *c)
{
	c->response->status = 204;
	common_headers(c);
}

void call_context(struct call *c, const char *fmt, ...)
{
	struct text context = { 0 };
	char *tail = NULL;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&tail, fmt, args);
	va_end(args);
	if (len < 0)
		abort();
	text_printf(&context, "%s$metadata#%s", c->root.data, tail);
	text_puts(&c->response->body, "{\"@odata.context\":");
	text_json_string(&c->response->body, context.data, context.len);
	text_free(&context);
	free(tail);
}

static void add_preference(struct text *t, const char *s)
{
	if (t->len)
		text_puts(t, ", ");
	text_puts(t, s);
}

void call_preferences_applied(struct call *c, bool of_collection)
{
	const struct prefer *p = &c->prefer;
	struct text t = { 0 };

	if (p->track_changes && of_collection)
		add_preference(&t, "odata.track-changes");
	if (p->page_size && of_collection) {
		add_preference(&t, "odata.maxpagesize=");
		text_printf(&t, "%d", p->page_size);
	}
	if (p->representation && strcmp(c->request->method, "GET") != 0)
		add_preference(&t, "return=representation");
	if (p->annotations[0]) {
		add_preference(&t, "odata.include-annotations=");
		text_printf(&t, "\"%s\"", p->annotations);
	}
	if (t.len)
		web_header(c->response, "Preference-Applied", "%s", t.data);
	text_free(&t);
}

static void add_annotation(struct call *c, const char *name, const char *value)
{
	if (!call_wants_annotation(c, name))
		return;
	text_printf(&c->response->body, ",\"@%s\":", name);
	text_json_string(&c->response->body, value, strlen(value));
}

void call_write_failure(struct call *c)
{
	const struct failure *f = &c->failure;
	struct text *out = &c->response->body;
	struct text message = { 0 };

	text_add_utf8(&message, f->message, strlen(f->message)); /* it may quote what was sent */
	text_clear(out);
	call_json(c, f->status);
	text_printf(out, "{\"error\":{\"code\":\"%s\",\"message\":", f->code);
	text_json_string(out, message.len ? message.data : "", message.len);
	if (f->duplicates[0])
		add_annotation(c, "Microsoft.PowerApps.CDS.ErrorDetails.DuplicateAttributes",
			       f->duplicates);
	if (call_wants_annotation(c, "Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus"))
		text_puts(out, ",\"@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus\":\"0\""
			       ",\"@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode\":\"0\"");
	if (call_wants_annotation(c, "Microsoft.PowerApps.CDS.HelpLink"))
		text_printf(
			out,
			",\"@Microsoft.PowerApps.CDS.HelpLink\":\"http://go.microsoft.com/fwlink/?LinkID=398563&error=%s\"",
			f->code);
	if (f->trace[0])
		add_annotation(c, "Microsoft.PowerApps.CDS.TraceText", f->trace);
	add_annotation(c, "Microsoft.PowerApps.CDS.InnerError.Message",
		       message.len ? message.data : "");
	text_puts(out, "}}");
	text_free(&message);
}

struct json_object *call_body(struct call *c)
{
	const char *type = call_header(c, "Content-Type");
	struct json_tokener *tokener;
	struct json_object *body = NULL;

	if (!type || !strcasestr(type, "json")) {
		call_refuse(c, 415, ODATA_ERROR, "A body must be of the type application/json.");
		return NULL;
	}
	tokener = json_tokener_new();
	if (!tokener)
		abort();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	body = json_tokener_parse_ex(tokener, c->request->body, (int)c->request->body_len);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    !json_object_is_type(body, json_type_object)) {
		json_object_put(body);
		body = NULL;
		call_refuse(
			c, 400, PAYLOAD_ERROR,
			"Error identified in Payload provided by the user for Entity :'', For more information on this error "
			"please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ----> "
			"InnerException : Microsoft.OData.ODataException: The body is not valid JSON.");
	}
	json_tokener_free(tokener);
	return body;
}

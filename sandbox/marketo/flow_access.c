/* Calls of the service behind a flow step: its address and the credentials an administrator gave,
 * by the first security scheme of its document. No lock is held while a call is out. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "marketo/caller.h"

enum access_kind { ACCESS_HEADER, ACCESS_QUERY, ACCESS_BEARER };

struct service_access {
	struct post_address base;
	enum access_kind kind;
	char *name;        /* of the header or of the member of the query */
	struct text value; /* what goes there */
	struct post_address token;
	struct text token_form; /* empty: no token to be fetched */
};

void access_free(struct service_access *access)
{
	if (!access)
		return;
	post_address_free(&access->base);
	post_address_free(&access->token);
	free(access->name);
	text_free(&access->value);
	text_free(&access->token_form);
	free(access);
}

static void base64_add(struct text *out, const char *bytes, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		uint32_t group = (uint32_t)(unsigned char)bytes[i] << 16;
		char word[4];

		if (i + 1 < len)
			group |= (uint32_t)(unsigned char)bytes[i + 1] << 8;
		if (i + 2 < len)
			group |= (unsigned char)bytes[i + 2];
		for (int k = 0; k < 4; k++)
			word[k] = digits[group >> (18 - 6 * k) & 63];
		if (i + 1 >= len)
			word[2] = '=';
		if (i + 2 >= len)
			word[3] = '=';
		text_add(out, word, sizeof(word));
	}
}

/* ---- the schemes ---- */

static void key_read(struct service_access *access, struct json_object *scheme,
		     struct json_object *credentials, struct text *error)
{
	const char *in = json_words(scheme, "in"), *key = json_words(credentials, "apiKey");

	access->kind = strcmp(in, "query") == 0 ? ACCESS_QUERY : ACCESS_HEADER;
	access->name = word_copy(json_words(scheme, "name"));
	text_puts(&access->value, key);
	if (strcmp(in, "query") != 0 && strcmp(in, "header") != 0)
		text_puts(error, "an apiKey goes in a header or in the query");
	else if (!*access->name || strpbrk(access->name, " \r\n:"))
		text_puts(error, "the apiKey has no name");
	else if (!*key || strpbrk(key, "\r\n"))
		text_puts(error, "credentials must be {\"apiKey\"}");
}

static void basic_read(struct service_access *access, struct json_object *scheme,
		       struct json_object *credentials, struct text *error)
{
	struct text pair = { 0 };

	if (strcmp(json_words(scheme, "scheme"), "basic") != 0)
		text_puts(error, "the http scheme must be basic");
	else if (!*json_words(credentials, "username"))
		text_puts(error, "credentials must be {\"username\", \"password\"}");
	access->kind = ACCESS_HEADER;
	access->name = word_copy("Authorization");
	text_printf(&pair, "%s:%s", json_words(credentials, "username"),
		    json_words(credentials, "password"));
	text_puts(&access->value, "Basic ");
	base64_add(&access->value, pair.data, pair.len);
	text_free(&pair);
}

static void form_add(struct text *form, const char *name, const char *value)
{
	text_puts(form, form->len ? "&" : "");
	text_url_encode(form, name, strlen(name));
	text_puts(form, "=");
	text_url_encode(form, value, strlen(value));
}

/* Members of the flow may rename those of the request for a token. */
static const char *renamed(struct json_object *flow, const char *member, const char *otherwise)
{
	const char *name = json_words(flow, member);

	return *name ? name : otherwise;
}

static void oauth_read(struct service_access *access, struct json_object *scheme,
		       struct json_object *credentials, struct text *error)
{
	struct json_object *flow = json_at(json_at(scheme, "flows"), "clientCredentials");

	access->kind = ACCESS_BEARER;
	if (!flow)
		text_puts(error, "of oauth2 the sandbox plays the flow clientCredentials only");
	else if (!post_address_read(json_words(flow, "tokenUrl"), &access->token))
		text_puts(error, "tokenUrl must be an http address of this machine");
	else if (!*json_words(credentials, "clientId"))
		text_puts(error, "credentials must be {\"clientId\", \"clientSecret\"}");
	form_add(&access->token_form, renamed(flow, "x-grantTypeName", "grant_type"),
		 "client_credentials");
	form_add(&access->token_form, renamed(flow, "x-clientIdName", "client_id"),
		 json_words(credentials, "clientId"));
	form_add(&access->token_form, renamed(flow, "x-clientSecretName", "client_secret"),
		 json_words(credentials, "clientSecret"));
}

static const struct {
	const char *type;
	void (*read)(struct service_access *, struct json_object *scheme,
		     struct json_object *credentials, struct text *error);
} schemes[] = { { "apiKey", key_read }, { "http", basic_read }, { "oauth2", oauth_read } };

struct service_access *access_new(struct json_object *service, struct text *error)
{
	struct service_access *access = calloc(1, sizeof(*access));
	struct json_object *scheme = json_at(service, "scheme");
	const char *type = json_words(scheme, "type");
	bool known = false;

	if (!access)
		abort();
	if (!post_address_read(json_words(service, "base"), &access->base))
		text_puts(error,
			  "the address of the service must be an http address of this machine");
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]) && !error->len; i++) {
		if (strcmp(schemes[i].type, type) != 0)
			continue;
		schemes[i].read(access, scheme, json_at(service, "credentials"), error);
		known = true;
	}
	if (!known && !error->len)
		text_puts(error, "the first security scheme must be apiKey, http basic or oauth2");
	if (!error->len)
		return access;
	access_free(access);
	return NULL;
}

bool access_sign_in(struct service_access *access, int64_t timeout_ms, struct text *error)
{
	struct post_answer answer;
	struct json_object *body = NULL;
	enum post_result result;

	if (access->kind != ACCESS_BEARER)
		return true;
	result = post_send(
		&(struct post_request){
			.method = "POST",
			.host = access->token.host,
			.port = access->token.port,
			.path = access->token.path.data,
			.headers = "Content-Type: application/x-www-form-urlencoded\r\n",
			.body = access->token_form.data,
			.body_len = access->token_form.len,
			.timeout_ms = timeout_ms },
		&answer);
	if (result == POST_ANSWERED && answer.status == 200 && answer.body.data)
		body = json_tokener_parse(answer.body.data);
	text_clear(&access->value);
	text_puts(&access->value, json_words(body, "access_token"));
	if (!access->value.len || strpbrk(access->value.data, "\r\n"))
		text_printf(error, "tokenUrl gave no access_token (status %d)", answer.status);
	json_object_put(body);
	post_answer_free(&answer);
	return !error->len;
}

enum post_result access_call(const struct service_access *access, const char *method,
			     const char *path, const struct text *body, bool signed_in,
			     int64_t timeout_ms, struct post_answer *ret)
{
	struct text target = { 0 }, headers = { 0 };
	enum post_result result;

	text_puts(&target, access->base.path.data);
	while (target.len && target.data[target.len - 1] == '/')
		target.data[--target.len] = '\0';
	text_puts(&target, path);
	if (signed_in && access->kind == ACCESS_QUERY) {
		text_puts(&target, "?");
		form_add(&headers, access->name, access->value.data);
		text_add(&target, headers.data, headers.len);
		text_clear(&headers);
	}
	if (signed_in && access->kind == ACCESS_HEADER)
		text_printf(&headers, "%s: %s\r\n", access->name, access->value.data);
	if (signed_in && access->kind == ACCESS_BEARER)
		text_printf(&headers, "Authorization: Bearer %s\r\n", access->value.data);
	if (body)
		text_puts(&headers, "Content-Type: application/json\r\n");
	result = post_send(&(struct post_request){ .method = method,
						   .host = access->base.host,
						   .port = access->base.port,
						   .path = target.data,
						   .headers = headers.data,
						   .body = body ? body->data : NULL,
						   .body_len = body ? body->len : 0,
						   .timeout_ms = timeout_ms },
			   ret);
	text_free(&target);
	text_free(&headers);
	return result;
}

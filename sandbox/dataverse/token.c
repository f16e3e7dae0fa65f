/* Microsoft Entra's token endpoint, and the tokens it gives (Microsoft Learn: OAuth 2.0 client
 * credentials flow). A token carries its own facts, signed with a salt of this process, so checking
 * one needs no state. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dataverse/dataverse.h"

#define CLAIMS_HEAD                                                                                \
	640 /* letters of a token's claims that are ever looked at: the filler stands behind them */
#define TOKEN_BULK                                                                                 \
	900 /* real tokens are long: a header buffer that is too small should show here */

static struct guid salt;
static pthread_once_t salt_once = PTHREAD_ONCE_INIT;

static void make_salt(void)
{
	salt = guid_random();
}

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void base64url(struct text *out, const char *bytes, size_t len)
{
	uint32_t bits = 0;
	int count = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | (unsigned char)bytes[i];
		for (count += 8; count >= 6; count -= 6)
			text_add(out, &letters[bits >> (count - 6) & 63], 1);
	}
	if (count)
		text_add(out, &letters[bits << (6 - count) & 63], 1);
}

static int letter_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-' || c == '+')
		return 62;
	return c == '_' || c == '/' ? 63 : -1;
}

/* Both alphabets, padding or not. */
static void base64_decode(struct text *out, const char *bytes, size_t len)
{
	char chunk[256];
	size_t used = 0;
	uint32_t bits = 0;
	int count = 0;

	for (size_t i = 0; i < len && bytes[i] != '='; i++) {
		int six = letter_value(bytes[i]);

		if (six < 0)
			break;
		bits = bits << 6 | (uint32_t)six;
		count += 6;
		if (count < 8)
			continue;
		count -= 8;
		chunk[used++] = (char)(bits >> count);
		if (used < sizeof(chunk))
			continue;
		text_add(out, chunk, used);
		used = 0;
	}
	text_add(out, chunk, used);
}

/* Enough to refuse a token that was not given here; no secret worth more depends on it. */
static void sign(struct text *out, const char *bytes, size_t len)
{
	uint32_t hash = index_hash(bytes, len, false);

	pthread_once(&salt_once, make_salt);
	for (size_t part = 0; part < 4; part++) {
		uint32_t mixed[2] = { hash,
				      index_hash((const char *)salt.bytes + part * 4, 4, false) };

		text_printf(out, "%08x", index_hash((const char *)mixed, sizeof(mixed), false));
	}
}

static void make_token(struct text *out, const struct user *u, const char *audience, int seconds)
{
	int64_t now = sandbox_now_s();
	struct text claims = { 0 };
	struct guid unique = guid_random();
	char id[GUID_TEXT];
	size_t start = out->len;

	guid_print(&unique, id);
	text_printf(&claims,
		    "{\"aud\":\"%s\",\"iss\":\"https://sts.windows.net/" TENANT_ID
		    "/\",\"exp\":%lld,\"appid\":\"%s\",",
		    audience, (long long)now + seconds, u->client_id);
	text_printf(&claims,
		    "\"iat\":%lld,\"nbf\":%lld,\"tid\":\"" TENANT_ID
		    "\",\"uti\":\"%s\",\"filler\":\"",
		    (long long)now, (long long)now, id);
	for (size_t i = 0; i < TOKEN_BULK; i++)
		text_add(&claims, &letters[i % 64], 1);
	text_puts(&claims, "\"}");
	text_puts(out, "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.");
	base64url(out, claims.data, claims.len);
	text_clear(&claims);
	sign(&claims, out->data + start, out->len - start);
	text_puts(out, ".");
	text_add(out, claims.data, claims.len);
	text_free(&claims);
}

/* The value of a claim in the token's own text; NULL when it is not there. */
static const char *claim(const struct text *claims, const char *name)
{
	const char *at = strstr(claims->data, name);

	return at ? at + strlen(name) : NULL;
}

static bool signature_good(const char *token, const char *dot)
{
	struct text expected = { 0 };
	bool good;

	if (dot - token < 8)
		return false;
	sign(&expected, token, (size_t)(dot - token));
	good = strcmp(expected.data, dot + 1) == 0;
	text_free(&expected);
	return good;
}

/* A token is good for the environment it was asked for, until it expires. */
static const struct user *claims_user(const struct text *claims, const char *host)
{
	const char *audience = claim(claims, "\"aud\":\"");
	const char *expiry = claim(claims, "\"exp\":");
	const char *client = claim(claims, "\"appid\":\"");
	char client_id[GUID_TEXT];
	size_t host_len = strlen(host);

	if (!audience || !expiry || !client || strtoll(expiry, NULL, 10) <= sandbox_now_s())
		return NULL;
	audience = strstr(audience, "://");
	if (!audience || strncmp(audience + 3, host, host_len) != 0 ||
	    audience[3 + host_len] != '"')
		return NULL;
	memcpy(client_id, client, GUID_LENGTH);
	client_id[GUID_LENGTH] = '\0';
	return user_by_client_id(client_id);
}

const struct user *token_user(const struct web_request *r)
{
	const char *token = r->header(r, "Authorization");
	const char *first, *last;
	struct text claims = { 0 };
	const struct user *u;
	size_t len;

	if (!token || strncasecmp(token, "Bearer ", 7) != 0)
		return NULL;
	token += 7;
	first = strchr(token, '.');
	last = strrchr(token, '.');
	if (!first || last == first || !signature_good(token, last))
		return NULL;
	len = (size_t)(last - first - 1);
	base64_decode(&claims, first + 1, len < CLAIMS_HEAD ? len : CLAIMS_HEAD);
	u = claims_user(&claims, r->host);
	text_free(&claims);
	return u;
}

void token_unauthorized(const struct web_request *r, struct web_response *response)
{
	response->status = 401;
	web_header(response, "Content-Type", "text/plain; charset=utf-8");
	web_header(response, "WWW-Authenticate",
		   "Bearer authorization_uri=http://%s/" TENANT_ID
		   "/oauth2/authorize, resource_id=http://%s/",
		   r->host, r->host);
	text_puts(&response->body, "HTTP Error 401 - Unauthorized: Access is denied");
}

/* --- the endpoint --- */

struct grant {
	struct text client_id, client_secret, scope, type;
};

static void grant_free(struct grant *g)
{
	text_free(&g->client_id);
	text_free(&g->client_secret);
	text_free(&g->scope);
	text_free(&g->type);
}

/* Basic <id>:<secret>, each percent-encoded or plain. */
static void read_basic(const struct web_request *r, struct grant *g)
{
	const char *header = r->header(r, "Authorization");
	struct text plain = { 0 };
	const char *colon;

	if (!header || strncasecmp(header, "Basic ", 6) != 0)
		return;
	base64_decode(&plain, header + 6, strlen(header + 6));
	colon = strchr(plain.data, ':');
	if (colon) {
		text_url_decode(&g->client_id, plain.data, (size_t)(colon - plain.data), false);
		text_url_decode(&g->client_secret, colon + 1, strlen(colon + 1), false);
	}
	text_free(&plain);
}

static bool read_grant(const struct web_request *r, struct grant *g)
{
	const char *type = r->header(r, "Content-Type");

	if (!type || !strcasestr(type, "x-www-form-urlencoded"))
		return false;
	web_param(r->body, "grant_type", 0, &g->type);
	web_param(r->body, "scope", 0, &g->scope);
	web_param(r->body, "client_id", 0, &g->client_id);
	web_param(r->body, "client_secret", 0, &g->client_secret);
	if (!g->client_secret.len) {
		text_clear(&g->client_id);
		read_basic(r, g);
		if (!g->client_id.len)
			web_param(r->body, "client_id", 0, &g->client_id);
	}
	return true;
}

static void token_error(struct web_response *response, int status, const char *error, int code,
			const char *text)
{
	struct guid trace = guid_random(), correlation = guid_random();
	char trace_id[GUID_TEXT], correlation_id[GUID_TEXT], now[TIME_TEXT];
	struct text description = { 0 };

	guid_print(&trace, trace_id);
	guid_print(&correlation, correlation_id);
	time_print(sandbox_now_s(), now);
	now[10] = ' ';
	response->status = status;
	web_header(response, "Content-Type", "application/json; charset=utf-8");
	web_header(response, "Cache-Control", "no-store, no-cache");
	text_printf(&description, "AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s",
		    code, text, trace_id, correlation_id, now);
	text_printf(&response->body, "{\"error\":\"%s\",\"error_description\":", error);
	text_json_string(&response->body, description.data, description.len);
	text_printf(
		&response->body,
		",\"error_codes\":[%d],\"timestamp\":\"%s\",\"trace_id\":\"%s\",\"correlation_id\":\"%s\","
		"\"error_uri\":\"https://login.microsoftonline.com/error?code=%d\"}",
		code, now, trace_id, correlation_id, code);
	text_free(&description);
}

static bool is(const struct text *t, const char *s)
{
	return t->len && strcmp(t->data, s) == 0;
}

/* <origin>/.default of this very environment. */
static bool scope_good(const struct web_request *r, const struct grant *g,
		       struct web_response *response)
{
	static const char tail[] = "/.default";
	const char *host = strstr(g->scope.data, "://");
	size_t len = g->scope.len, host_len = strlen(r->host);

	if (!host || len < sizeof(tail) ||
	    strcmp(g->scope.data + len - (sizeof(tail) - 1), tail) != 0 ||
	    strchr(g->scope.data, ' ')) {
		token_error(
			response, 400, "invalid_scope", 70011,
			"The provided request must include a 'scope' input parameter that ends with /.default.");
		return false;
	}
	host += 3;
	if (strncmp(host, r->host, host_len) == 0 && strcmp(host + host_len, tail) == 0)
		return true;
	token_error(response, 400, "invalid_resource", 500011,
		    "The resource principal named in the scope was not found in the tenant.");
	return false;
}

/* NULL when the answer was given. */
static const struct user *grant_user(const struct web_request *r, const struct grant *g,
				     struct web_response *response)
{
	const struct user *u;

	if (!g->type.len) {
		token_error(response, 400, "invalid_request", 900144,
			    "The request body must contain the following parameter: 'grant_type'.");
	} else if (!is(&g->type, "client_credentials")) {
		token_error(response, 400, "unsupported_grant_type", 70003,
			    "The app requested an unsupported grant type.");
	} else if (!g->client_id.len) {
		token_error(response, 400, "invalid_request", 900144,
			    "The request body must contain the following parameter: 'client_id'.");
	} else if (!(u = user_by_client_id(g->client_id.data))) {
		token_error(response, 400, "unauthorized_client", 700016,
			    "Application with this identifier was not found in the directory.");
	} else if (!g->client_secret.len) {
		token_error(
			response, 401, "invalid_client", 7000218,
			"The request body must contain the following parameter: 'client_assertion' or "
			"'client_secret'.");
	} else if (!is(&g->client_secret, u->client_secret)) {
		token_error(response, 401, "invalid_client", 7000215,
			    "Invalid client secret provided.");
	} else if (!g->scope.len) {
		token_error(response, 400, "invalid_request", 900144,
			    "The request body must contain the following parameter: 'scope'.");
	} else {
		return scope_good(r, g, response) ? u : NULL;
	}
	return NULL;
}

static bool tenant_known(const char *path)
{
	size_t len = strlen(TENANT_ID);

	return strncasecmp(path + 1, TENANT_ID, len) == 0 && path[1 + len] == '/';
}

void token_answer(struct dataverse *d, const struct web_request *r, struct web_response *response)
{
	struct grant g = { 0 };
	const struct user *u = NULL;
	int seconds;

	pthread_mutex_lock(&d->lock);
	seconds = d->settings.token_seconds;
	pthread_mutex_unlock(&d->lock);
	if (strcmp(r->method, "POST") != 0 || !read_grant(r, &g))
		token_error(response, 400, "invalid_request", 900144,
			    "The request body must contain the following parameter: 'grant_type'.");
	else if (!tenant_known(r->path))
		token_error(response, 400, "invalid_request", 90002, "Tenant not found.");
	else
		u = grant_user(r, &g, response);
	if (u) {
		g.scope.data[g.scope.len - strlen("/.default")] = '\0';
		response->status = 200;
		web_header(response, "Content-Type", "application/json; charset=utf-8");
		web_header(response, "Cache-Control", "no-store, no-cache");
		text_printf(
			&response->body,
			"{\"token_type\":\"Bearer\",\"expires_in\":%d,\"ext_expires_in\":%d,\"access_token\":\"",
			seconds, seconds);
		make_token(&response->body, u, g.scope.data, seconds);
		text_puts(&response->body, "\"}");
	}
	grant_free(&g);
}

const char *token_user_name(const struct web_request *r)
{
	const struct user *u = token_user(r);
	struct grant g = { 0 };

	if (!u && strstr(r->path, "/oauth2/")) {
		read_grant(r, &g);
		u = g.client_id.len ? user_by_client_id(g.client_id.data) : NULL;
		grant_free(&g);
	}
	return u ? u->name : "";
}

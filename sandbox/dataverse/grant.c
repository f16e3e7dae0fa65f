/* Microsoft Entra's token endpoint: who asks, with what credentials, for what, and every refusal
 * (Microsoft Learn: OAuth 2.0 client credentials flow; Certificate credentials; Microsoft Entra
 * authentication and authorization error codes). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dataverse/base64.h"
#include "dataverse/dataverse.h"

#define BUSY_SECONDS 10 /* what a busy directory asks to wait */

/* --- refusals --- */

struct refusal {
	int code, status;
	const char *error, *text;
};

#define CLIENT(number, words)                                                                      \
	{                                                                                          \
		number, 401, "invalid_client", words                                               \
	}
#define REQUEST(number, words)                                                                     \
	{                                                                                          \
		number, 400, "invalid_request", words                                              \
	}
#define GRANT(number, words)                                                                       \
	{                                                                                          \
		number, 400, "invalid_grant", words                                                \
	}
#define BUSY(number, answered, words)                                                              \
	{                                                                                          \
		number, answered, "temporarily_unavailable", words                                 \
	}

static const struct refusal refusals[] = {
	CLIENT(7000215, "Invalid client secret provided."),
	CLIENT(7000222, "The provided client secret keys for the app are expired."),
	CLIENT(7000218, "The request body must contain the following parameter: "
			"'client_assertion' or 'client_secret'."),
	CLIENT(700027, "Client assertion contains an invalid signature."),
	CLIENT(50012, "Authentication failed."),
	CLIENT(50027, "JWT token is invalid or malformed."),
	CLIENT(700021,
	       "Client assertion application identifier doesn't match 'client_id' parameter."),
	CLIENT(700023, "Client assertion audience claim does not match Realm issuer."),
	CLIENT(700024, "Client assertion is not within its valid time range."),
	{ 700016, 400, "unauthorized_client",
	  "Application with this identifier was not found in the directory." },
	{ 700025, 400, "unauthorized_client",
	  "Client is public so neither 'client_assertion' nor 'client_secret' should be presented." },
	{ 7000112, 400, "unauthorized_client", "The application is disabled." },
	REQUEST(90002, "Tenant not found. Check to make sure you have the correct tenant ID."),
	REQUEST(900144, "The request body must contain the following parameter."),
	REQUEST(50034, "The user account does not exist in the directory."),
	GRANT(50126, "Error validating credentials due to invalid username or password."),
	GRANT(50055, "The password is expired."),
	GRANT(50053, "The account is locked."),
	GRANT(50057, "The user account is disabled."),
	GRANT(65001, "The user or administrator has not consented to use the application."),
	GRANT(53003, "Access has been blocked by Conditional Access policies."),
	{ 50076, 400, "interaction_required", "You must use multi-factor authentication." },
	{ 50079, 400, "interaction_required", "You must enroll in multi-factor authentication." },
	{ 70011, 400, "invalid_scope",
	  "The provided request must include a 'scope' input parameter that ends with /.default." },
	{ 500011, 400, "invalid_resource",
	  "The resource principal named in the scope was not found in the tenant." },
	{ 50001, 400, "invalid_resource", "The resource is disabled or does not exist." },
	{ 70003, 400, "unsupported_grant_type", "The app requested an unsupported grant type." },
	BUSY(90033, 503, "A transient error has occurred. Please try again."),
	BUSY(50196, 429, "The server terminated an operation because it encountered a loop."),
	BUSY(50087, 503, "A transient error has occurred during sign-in. Please try again."),
	BUSY(90055, 429, "The server terminated an operation because of throttling."),
};

static const struct refusal *refusal_of(int code)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (refusals[i].code == code)
			return &refusals[i];
	return NULL;
}

bool grant_code_known(int code)
{
	return refusal_of(code) != NULL;
}

/* words NULL: those of the code. */
static void refuse_with(struct web_response *response, int code, const char *words)
{
	const struct refusal *refusal = refusal_of(code);
	struct guid trace = guid_random(), correlation = guid_random();
	char trace_id[GUID_TEXT], correlation_id[GUID_TEXT], now[TIME_TEXT];
	struct text description = { 0 };

	guid_print(&trace, trace_id);
	guid_print(&correlation, correlation_id);
	time_print(sandbox_now_s(), now);
	now[10] = ' ';
	response->status = refusal->status;
	web_header(response, "Content-Type", "application/json; charset=utf-8");
	web_header(response, "Cache-Control", "no-store, no-cache");
	if (refusal->status == 429 || refusal->status == 503)
		web_header(response, "Retry-After", "%d", BUSY_SECONDS);
	text_printf(&description, "AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s",
		    code, words ? words : refusal->text, trace_id, correlation_id, now);
	text_printf(&response->body, "{\"error\":\"%s\",\"error_description\":", refusal->error);
	text_json_string(&response->body, description.data, description.len);
	text_printf(
		&response->body,
		",\"error_codes\":[%d],\"timestamp\":\"%s\",\"trace_id\":\"%s\",\"correlation_id\":\"%s\","
		"\"error_uri\":\"https://login.microsoftonline.com/error?code=%d\"}",
		code, now, trace_id, correlation_id, code);
	text_free(&description);
}

static void refuse(struct web_response *response, int code)
{
	refuse_with(response, code, NULL);
}

static void refuse_missing(struct web_response *response, const char *parameter)
{
	struct text words = { 0 };

	text_printf(&words, "The request body must contain the following parameter: '%s'.",
		    parameter);
	refuse_with(response, 900144, words.data);
	text_free(&words);
}

/* What the real place knows and this one does not. */
static void refuse_not_offered(struct web_response *response, const char *what)
{
	response->status = 501;
	web_header(response, "Content-Type", "application/json; charset=utf-8");
	text_printf(&response->body,
		    "{\"error\":\"unsupported_grant_type\",\"error_description\":"
		    "\"The grant type %s is not offered here.\"}",
		    what);
}

/* --- what is asked --- */

enum field {
	FIELD_TYPE,
	FIELD_SCOPE,
	FIELD_CLIENT_ID,
	FIELD_SECRET,
	FIELD_ASSERTION,
	FIELD_ASSERTION_TYPE,
	FIELD_COUNT
};

static const char *const field_names[FIELD_COUNT] = { "grant_type",       "scope",
						      "client_id",        "client_secret",
						      "client_assertion", "client_assertion_type" };

struct grant {
	const struct web_request *request;
	struct web_response *response;
	struct text fields[FIELD_COUNT];
};

static void grant_free(struct grant *g)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		text_free(&g->fields[i]);
}

/* Basic <id>:<secret>, each percent-encoded or plain; it stands for both fields. */
static void read_basic(struct grant *g)
{
	const char *header = g->request->header(g->request, "Authorization");
	struct text plain = { 0 };
	const char *colon;

	if (!header || strncasecmp(header, "Basic ", 6) != 0)
		return;
	base64_decode(&plain, header + 6, strlen(header + 6));
	colon = plain.len ? strchr(plain.data, ':') : NULL;
	if (colon) {
		text_clear(&g->fields[FIELD_CLIENT_ID]);
		text_url_decode(&g->fields[FIELD_CLIENT_ID], plain.data,
				(size_t)(colon - plain.data), false);
		text_url_decode(&g->fields[FIELD_SECRET], colon + 1, strlen(colon + 1), false);
	}
	text_free(&plain);
}

static bool grant_read(struct grant *g)
{
	const char *type = g->request->header(g->request, "Content-Type");

	if (!type || !strcasestr(type, "x-www-form-urlencoded"))
		return false;
	for (size_t i = 0; i < FIELD_COUNT; i++)
		web_param(g->request->body, field_names[i], 0, &g->fields[i]);
	if (!g->fields[FIELD_SECRET].len && !g->fields[FIELD_ASSERTION].len)
		read_basic(g);
	return true;
}

static bool is(const struct text *t, const char *s)
{
	return t->len && strcmp(t->data, s) == 0;
}

/* --- judging it --- */

static bool type_good(struct grant *g)
{
	static const char *const others[] = { "password", "refresh_token", "authorization_code",
					      "urn:ietf:params:oauth:grant-type:jwt-bearer",
					      "urn:ietf:params:oauth:grant-type:device_code" };
	const struct text *type = &g->fields[FIELD_TYPE];

	if (is(type, "client_credentials"))
		return true;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (!is(type, others[i]))
			continue;
		refuse_not_offered(g->response, others[i]);
		return false;
	}
	if (type->len)
		refuse(g->response, 70003);
	else
		refuse_missing(g->response, field_names[FIELD_TYPE]);
	return false;
}

static bool assertion_good(struct grant *g, const struct certificates *certificates,
			   const struct user *u)
{
	struct text audience = { 0 }, words = { 0 };
	struct assertion_wanted wanted = { .user = (int)u->id,
					   .client_id = u->client_id,
					   .now_s = sandbox_now_s() };
	int code;

	if (!is(&g->fields[FIELD_ASSERTION_TYPE],
		"urn:ietf:params:oauth:client-assertion-type:jwt-bearer")) {
		refuse_missing(g->response, field_names[FIELD_ASSERTION_TYPE]);
		return false;
	}
	text_printf(&audience, "http://%s%s", g->request->host, g->request->path);
	wanted.audience = audience.data;
	code = assertion_check(certificates, g->fields[FIELD_ASSERTION].data, &wanted, &words);
	if (code)
		refuse_with(g->response, code, words.data);
	text_free(&audience);
	text_free(&words);
	return !code;
}

static bool credentials_good(struct grant *g, const struct dataverse *d, const struct user *u)
{
	if (d->settings.token_refusal[u->id])
		refuse(g->response, d->settings.token_refusal[u->id]);
	else if (g->fields[FIELD_ASSERTION].len)
		return assertion_good(g, &d->certificates, u);
	else if (!g->fields[FIELD_SECRET].len)
		refuse(g->response, 7000218);
	else if (!is(&g->fields[FIELD_SECRET], u->client_secret))
		refuse(g->response, 7000215);
	else
		return true;
	return false;
}

/* <origin>/.default of this very environment; cuts the scope to the origin. */
static bool scope_good(struct grant *g)
{
	static const char tail[] = "/.default";
	struct text *scope = &g->fields[FIELD_SCOPE];
	const char *host = scope->len ? strstr(scope->data, "://") : NULL;
	size_t host_len = strlen(g->request->host);

	if (!scope->len) {
		refuse_missing(g->response, field_names[FIELD_SCOPE]);
		return false;
	}
	if (!host || scope->len < sizeof(tail) ||
	    strcmp(scope->data + scope->len - (sizeof(tail) - 1), tail) != 0 ||
	    strchr(scope->data, ' ')) {
		refuse(g->response, 70011);
		return false;
	}
	host += 3;
	if (strncmp(host, g->request->host, host_len) == 0 && strcmp(host + host_len, tail) == 0) {
		scope->data[scope->len - strlen(tail)] = '\0';
		return true;
	}
	refuse(g->response, 500011);
	return false;
}

/* By identifier or by verified domain. */
static bool tenant_known(const char *path)
{
	static const char *const names[] = { TENANT_ID, TENANT_DOMAIN };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i]);

		if (strncasecmp(path + 1, names[i], len) == 0 && path[1 + len] == '/')
			return true;
	}
	return false;
}

/* NULL when the refusal was written. */
static const struct user *grant_user(struct grant *g, const struct dataverse *d)
{
	const struct text *client_id = &g->fields[FIELD_CLIENT_ID];
	const struct user *u = client_id->len ? user_by_client_id(client_id->data) : NULL;

	if (!type_good(g))
		return NULL;
	if (!client_id->len)
		refuse_missing(g->response, field_names[FIELD_CLIENT_ID]);
	else if (!u)
		refuse(g->response, 700016);
	else if (credentials_good(g, d, u) && scope_good(g))
		return u;
	return NULL;
}

static void write_token(struct grant *g, const struct user *u, int seconds)
{
	struct web_response *response = g->response;

	response->status = 200;
	web_header(response, "Content-Type", "application/json; charset=utf-8");
	web_header(response, "Cache-Control", "no-store, no-cache");
	text_printf(
		&response->body,
		"{\"token_type\":\"Bearer\",\"expires_in\":%d,\"ext_expires_in\":%d,\"access_token\":\"",
		seconds, seconds);
	token_make(&response->body, u, g->fields[FIELD_SCOPE].data, seconds);
	text_puts(&response->body, "\"}");
}

void grant_answer(struct dataverse *d, const struct web_request *r, struct web_response *response)
{
	struct grant g = { .request = r, .response = response };
	const struct user *u;

	if (strcmp(r->method, "POST") != 0 || !grant_read(&g)) {
		refuse_missing(response, field_names[FIELD_TYPE]);
	} else if (!tenant_known(r->path)) {
		refuse(response, 90002);
	} else {
		pthread_mutex_lock(&d->lock);
		u = grant_user(&g, d);
		if (u)
			write_token(&g, u, d->settings.token_seconds);
		pthread_mutex_unlock(&d->lock);
	}
	grant_free(&g);
}

const char *grant_user_name(const struct web_request *r)
{
	struct grant g = { .request = r };
	const struct user *u = token_user(r);

	if (!u && strstr(r->path, "/oauth2/")) {
		grant_read(&g);
		if (g.fields[FIELD_CLIENT_ID].len)
			u = user_by_client_id(g.fields[FIELD_CLIENT_ID].data);
		grant_free(&g);
	}
	return u ? u->name : "";
}

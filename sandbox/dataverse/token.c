/* The tokens: a token carries its own facts, signed with a salt of this process, so checking one
 * needs no state. Knows nothing of how one is asked for. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dataverse/base64.h"
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

void token_make(struct text *out, const struct user *u, const char *audience, int seconds)
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
		text_puts(&claims, i % 2 ? "x" : "0");
	text_puts(&claims, "\"}");
	text_puts(out, "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.");
	base64url_encode(out, claims.data, claims.len);
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

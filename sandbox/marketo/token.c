/* API users, their tokens and the identity address. Adobe: REST API, Authentication.
 * Knows nothing of what a token is used for. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "marketo/marketo.h"

enum {
	RIGHTS_ALL = RIGHT_READ_LEAD | RIGHT_WRITE_LEAD | RIGHT_READ_ACTIVITY |
		     RIGHT_WRITE_ACTIVITY | RIGHT_READ_METADATA | RIGHT_WRITE_METADATA |
		     RIGHT_READ_SCHEMA | RIGHT_WRITE_SCHEMA | RIGHT_READ_COMPANY |
		     RIGHT_WRITE_COMPANY | RIGHT_READ_SALES_PERSON | RIGHT_WRITE_SALES_PERSON |
		     RIGHT_READ_CAMPAIGN | RIGHT_RUN_CAMPAIGN | RIGHT_READ_ASSETS,
	RIGHTS_READ = RIGHT_READ_LEAD | RIGHT_READ_ACTIVITY | RIGHT_READ_METADATA |
		      RIGHT_READ_SCHEMA | RIGHT_READ_COMPANY | RIGHT_READ_SALES_PERSON |
		      RIGHT_READ_CAMPAIGN | RIGHT_READ_ASSETS,
};

#define USER(name, rights)                                                                         \
	{                                                                                          \
		name, name "@api.example.org", name "-client", name "-secret", rights              \
	}

const struct user marketo_users[USER_COUNT] = {
	USER("tandem", RIGHTS_ALL),
	USER("marketer", RIGHTS_ALL),
	USER("other", RIGHTS_ALL),
	USER("reader", RIGHTS_READ),
	USER("noschema", RIGHTS_ALL & ~(RIGHT_WRITE_SCHEMA | RIGHT_WRITE_METADATA)),
};

static const struct {
	enum right right;
	const char *name;
} right_names[] = {
	{ RIGHT_READ_LEAD, "Read-Only Lead" },
	{ RIGHT_WRITE_LEAD, "Read-Write Lead" },
	{ RIGHT_READ_ACTIVITY, "Read-Only Activity" },
	{ RIGHT_WRITE_ACTIVITY, "Read-Write Activity" },
	{ RIGHT_READ_METADATA, "Read-Only Activity Metadata" },
	{ RIGHT_WRITE_METADATA, "Read-Write Activity Metadata" },
	{ RIGHT_READ_SCHEMA, "Read-Only Schema Standard Field" },
	{ RIGHT_READ_SCHEMA, "Read-Only Schema Custom Field" },
	{ RIGHT_WRITE_SCHEMA, "Read-Write Schema Standard Field" },
	{ RIGHT_WRITE_SCHEMA, "Read-Write Schema Custom Field" },
	{ RIGHT_READ_COMPANY, "Read-Only Company" },
	{ RIGHT_WRITE_COMPANY, "Read-Write Company" },
	{ RIGHT_READ_SALES_PERSON, "Read-Only Sales Person" },
	{ RIGHT_WRITE_SALES_PERSON, "Read-Write Sales Person" },
	{ RIGHT_READ_CAMPAIGN, "Read-Only Campaign" },
	{ RIGHT_RUN_CAMPAIGN, "Execute Campaign" },
	{ RIGHT_READ_ASSETS, "Read-Only Assets" },
};

void users_json(struct text *out)
{
	text_puts(out, "[");
	for (int i = 0; i < USER_COUNT; i++) {
		const struct user *u = &marketo_users[i];
		const char *comma = "";

		text_printf(out, "%s{\"name\":\"%s\",\"clientId\":\"%s\"", i ? "," : "", u->name,
			    u->client_id);
		text_printf(out, ",\"clientSecret\":\"%s\",\"rights\":[", u->client_secret);
		for (size_t k = 0; k < sizeof(right_names) / sizeof(right_names[0]); k++) {
			if (!(u->rights & right_names[k].right))
				continue;
			text_printf(out, "%s\"%s\"", comma, right_names[k].name);
			comma = ",";
		}
		text_puts(out, "]}");
	}
	text_puts(out, "]");
}

/* The three parameters travel in the query, with POST too; a form body is taken as well. */
static bool token_param(const struct web_request *request, const char *name, struct text *ret)
{
	return web_param(request->query, name, 0, ret) || web_param(request->body, name, 0, ret);
}

int tokens_client(const struct web_request *request)
{
	struct text id = { 0 };
	int user = USER_NONE;

	if (token_param(request, "client_id", &id))
		for (int i = 0; i < USER_COUNT; i++)
			if (strcmp(id.data, marketo_users[i].client_id) == 0)
				user = i;
	text_free(&id);
	return user;
}

static struct token *token_issue(struct marketo *m, int user, int64_t now_ms)
{
	struct token *token = &m->tokens.kept[m->tokens.next];
	uint8_t r[16];

	if (getrandom(r, sizeof(r), 0) != (ssize_t)sizeof(r))
		abort();
	*token = (struct token){ .user = user, .expires_ms = now_ms + m->limits.token_s * 1000 };
	snprintf(token->text, sizeof(token->text),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x:sj", r[0],
		 r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13],
		 r[14], r[15]);
	m->tokens.current[user] = (int)m->tokens.next + 1;
	m->tokens.next = (m->tokens.next + 1) % TOKENS_KEPT;
	return token;
}

/* The same token until it has expired: asking early neither extends nor renews it. */
static struct token *token_of(struct marketo *m, int user, int64_t now_ms)
{
	int current = m->tokens.current[user];

	if (current) {
		struct token *token = &m->tokens.kept[current - 1];

		if (token->user == user && token->expires_ms > now_ms)
			return token;
	}
	return token_issue(m, user, now_ms);
}

static void token_refuse(struct web_response *response, const char *error, const char *description)
{
	response->status = 401;
	text_printf(&response->body, "{\"error\":\"%s\",\"error_description\":\"%s\"}", error,
		    description);
}

void tokens_answer(struct marketo *m, const struct web_request *request,
		   struct web_response *response)
{
	struct text secret = { 0 }, grant = { 0 };
	int user = tokens_client(request);
	bool known = token_param(request, "client_secret", &secret) && user != USER_NONE &&
		     strcmp(secret.data, marketo_users[user].client_secret) == 0;
	bool grants = token_param(request, "grant_type", &grant) &&
		      strcmp(grant.data, "client_credentials") == 0;
	int64_t now_ms = sandbox_now_ms();
	const struct token *token;

	web_header(response, "Content-Type", "application/json;charset=UTF-8");
	response->status = 200;
	if (!grants) {
		token_refuse(response, "invalid_request", "Unsupported or missing grant type");
		response->status = 400;
	} else if (!known) {
		token_refuse(response, user == USER_NONE ? "invalid_client" : "unauthorized",
			     user == USER_NONE ? "Client is not registered"
					       : "Bad client credentials");
	} else {
		token = token_of(m, user, now_ms);
		text_printf(
			&response->body,
			"{\"access_token\":\"%s\",\"token_type\":\"bearer\",\"expires_in\":%" PRId64
			",\"scope\":\"%s\"}",
			token->text, (token->expires_ms - now_ms - 1) / 1000,
			marketo_users[user].login);
	}
	text_free(&secret);
	text_free(&grant);
}

static const char *bearer_of(const struct web_request *request)
{
	const char *header = request->header(request, "Authorization");

	if (!header || strncasecmp(header, "Bearer ", 7) != 0)
		return NULL;
	header += 7;
	return header + strspn(header, " ");
}

static int token_position(const struct marketo *m, const char *text)
{
	for (int i = 0; i < TOKENS_KEPT; i++)
		if (*text && strcmp(m->tokens.kept[i].text, text) == 0)
			return i;
	return -1;
}

int tokens_user(const struct marketo *m, const struct web_request *request)
{
	const char *bearer = bearer_of(request);
	int position = bearer ? token_position(m, bearer) : -1;

	return position < 0 ? USER_NONE : m->tokens.kept[position].user;
}

/* 603 without a token; 602 when an expired one is used the first time, 601 after that and for any
 * other text. */
int tokens_check(struct marketo *m, const struct web_request *request, int *ret_user)
{
	const char *bearer = bearer_of(request);
	struct text from_query = { 0 };
	struct token *token;
	int position;

	if (!bearer &&
	    !(m->limits.query_token && web_param(request->query, "access_token", 0, &from_query))) {
		text_free(&from_query);
		return 603;
	}
	position = token_position(m, bearer ? bearer : from_query.data);
	text_free(&from_query);
	if (position < 0)
		return 601;
	token = &m->tokens.kept[position];
	*ret_user = token->user;
	if (token->expires_ms > sandbox_now_ms())
		return 0;
	if (token->told)
		return 601;
	token->told = true;
	return 602;
}

void tokens_shorten(struct marketo *m)
{
	int64_t latest = sandbox_now_ms() + m->limits.token_s * 1000;

	for (int i = 0; i < TOKENS_KEPT; i++)
		if (m->tokens.kept[i].expires_ms > latest)
			m->tokens.kept[i].expires_ms = latest;
}

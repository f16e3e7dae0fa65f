/* The access token; see marketo_token.h. The address of the identity endpoint holds the secret, so
 * it appears in no error (INV-PRIVATE). Must not know any other call. */
#include "remote/marketo_token.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/fingerprint.h"
#include "core/retry.h"
#include "remote/json.h"
#include "remote/wait.h"

enum {
	TOKEN_TRIES_MAX = 4,
	TOKEN_TIMEOUT_MS = 30 * 1000,
	TOKEN_SPARE_S = 60, /* a token is renewed this long before its end, if Marketo gives a new
			       one by then */
};

struct marketo_token {
	struct http_origin *origin;
	char *path; /* with the secret */
	pthread_mutex_t lock;
	pthread_cond_t fetched;
	bool is_fetching;
	uint64_t serial;  /* of the token held; 0: none yet */
	uint64_t flights; /* fetches that ended */
	int64_t good_until_ms;
	char token[MARKETO_TOKEN_MAX];
	char login[MARKETO_LOGIN_MAX];
	struct err err; /* of the last fetch, when it failed */
};

struct marketo_token *marketo_token_new(struct http_origin *origin, const char *client_id,
					const char *client_secret)
{
	struct marketo_token *t = mem_alloc(sizeof(*t));
	struct buf path = { 0 };

	buf_text(&path, "/identity/oauth/token?grant_type=client_credentials&client_id=");
	buf_url(&path, str_of(client_id));
	buf_text(&path, "&client_secret=");
	buf_url(&path, str_of(client_secret));
	t->path = TAKE(path.data);
	t->origin = origin;
	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_cond_init(&t->fetched, NULL);
	return t;
}

void marketo_token_free(struct marketo_token *t)
{
	if (!t)
		return;
	(void)pthread_cond_destroy(&t->fetched);
	(void)pthread_mutex_destroy(&t->lock);
	explicit_bzero(t->path, strlen(t->path));
	free(t->path);
	explicit_bzero(t, sizeof(*t));
	free(t);
}

/* ---- the answer ---- */

struct token_answer {
	char *token, *login;
	int64_t expires_s;
	bool has_token;
};

static enum err_kind token_visit(void *context, const char *array, const char *member,
				 struct json_object *value, struct err *err)
{
	struct token_answer *a = context;
	struct str token;

	(void)err;
	if (array)
		return ERR_NONE;
	if (strcmp(member, "scope") == 0 && json_object_is_type(value, json_type_string))
		(void)snprintf(a->login, MARKETO_LOGIN_MAX, "%s", json_object_get_string(value));
	if (strcmp(member, "expires_in") == 0 && json_object_is_type(value, json_type_int))
		a->expires_s = json_object_get_int64(value);
	if (strcmp(member, "access_token") != 0 || !json_object_is_type(value, json_type_string))
		return ERR_NONE;
	token = (struct str){ json_object_get_string(value),
			      (size_t)json_object_get_string_len(value) };
	/* It becomes part of a header line: only what may stand in one. */
	a->has_token = token.n > 0 && token.n < MARKETO_TOKEN_MAX;
	for (size_t i = 0; a->has_token && i < token.n; i++) {
		a->has_token = token.p[i] > ' ' && token.p[i] <= '~';
		a->token[i] = token.p[i];
		a->token[i + 1] = '\0';
	}
	return ERR_NONE;
}

enum err_kind marketo_token_read(int status, struct str body, char ret_token[MARKETO_TOKEN_MAX],
				 char ret_login[MARKETO_LOGIN_MAX], int64_t *ret_expires_s,
				 struct err *err)
{
	struct token_answer a = { .token = ret_token, .login = ret_login, .expires_s = -1 };
	enum err_kind kind = ERR_NONE;

	if (status == 400 || status == 401 || status == 403)
		kind = err_set(
			err, ERR_BROKEN,
			"Marketo refuses the credentials: check client id and secret of the custom service");
	else if (status == 429 || status >= 500)
		kind = err_set(err, ERR_RETRY_LATER, "HTTP %d from Marketo's identity endpoint",
			       status);
	else if (status != 200)
		kind = err_set(
			err, ERR_BROKEN,
			"HTTP %d from Marketo's identity endpoint: check the address of the instance",
			status);
	if (kind != ERR_NONE && err)
		err->http_status = status;
	if (kind != ERR_NONE)
		return kind;
	if (json_walk(body, token_visit, &a, err) != ERR_NONE)
		return ERR_RUBBISH;
	if (!a.has_token || a.expires_s < 0)
		return err_set(err, ERR_RUBBISH,
			       "Marketo's identity endpoint answered without a token");
	*ret_expires_s = a.expires_s;
	return ERR_NONE;
}

/* ---- fetching ---- */

static enum err_kind token_ask(struct marketo_token *t, const struct call *call,
			       char ret[MARKETO_TOKEN_MAX], char ret_login[MARKETO_LOGIN_MAX],
			       int64_t *ret_expires_s, struct err *err)
{
	static const char *const headers[] = { "Accept: application/json", NULL };
	struct http_exchange x = {
		.method = "GET",
		.path = t->path,
		.headers = headers,
		.lane = call->lane,
		.timeout_ms = TOKEN_TIMEOUT_MS,
		.answer_max = 64 * 1024,
		.uncounted = true,
	};
	enum err_kind kind;

	http_run(t->origin, &x, 1);
	kind = x.kind;
	if (kind == ERR_NONE)
		kind = marketo_token_read(x.status, buf_str(&x.body_in), ret, ret_login,
					  ret_expires_s, err);
	else if (err)
		*err = x.err;
	if (x.body_in.data)
		explicit_bzero(x.body_in.data, x.body_in.cap);
	http_exchange_release(&x);
	return kind;
}

/* Trouble on the way is tried again. A token in its last second says that it lives for 0 s: the
 * next one comes after it. */
static enum err_kind token_fetch(struct marketo_token *t, const struct call *call,
				 char ret[MARKETO_TOKEN_MAX], char ret_login[MARKETO_LOGIN_MAX],
				 int64_t *ret_expires_s, struct err *err)
{
	enum err_kind kind = ERR_NONE;

	for (unsigned attempt = 1;; attempt++) {
		int64_t wait_ms = 1000;
		uint32_t chance;

		kind = token_ask(t, call, ret, ret_login, ret_expires_s, err);
		if ((kind == ERR_NONE && *ret_expires_s > 0) ||
		    (kind != ERR_NONE && kind != ERR_RETRY_LATER))
			return kind;
		if (attempt == TOKEN_TRIES_MAX)
			break;
		fingerprint_random(&chance, sizeof(chance));
		if (kind != ERR_NONE)
			wait_ms = retry_delay_ms(attempt, 500, 8000, -1, chance);
		if (call->deadline_ms > 0 && clock_mono_ms() + wait_ms >= call->deadline_ms)
			break;
		if (!http_origin_wait_ms(t->origin, wait_ms))
			return err_set(err, ERR_STOPPED, "the program is ending");
	}
	return kind != ERR_NONE ? kind
				: err_set(err, ERR_RETRY_LATER,
					  "Marketo hands out a token that has just expired");
}

static void token_keep(struct marketo_token *t, const char *token, int64_t expires_s)
{
	/* The same token comes back until it dies, with the seconds that are left. So near its end
	 * there is no point in asking ahead: it is used up to the end, and only then the next one
	 * is asked for. */
	int64_t good_s = expires_s > TOKEN_SPARE_S ? expires_s - TOKEN_SPARE_S : expires_s;

	t->good_until_ms = clock_mono_ms() + good_s * 1000;
	(void)snprintf(t->token, sizeof(t->token), "%s", token);
	t->serial++;
}

/* With the lock held, which is let go while the answer is under way. */
static void token_fly(struct marketo_token *t, const struct call *call)
{
	char token[MARKETO_TOKEN_MAX] = "", login[MARKETO_LOGIN_MAX] = "";
	struct err err = { .kind = ERR_NONE };
	int64_t expires_s = 0;
	enum err_kind kind;

	t->is_fetching = true;
	(void)pthread_mutex_unlock(&t->lock);
	kind = token_fetch(t, call, token, login, &expires_s, &err);
	(void)pthread_mutex_lock(&t->lock);
	t->err = err;
	t->err.kind = kind;
	if (kind == ERR_NONE) {
		token_keep(t, token, expires_s);
		memcpy(t->login, login, sizeof(t->login));
	}
	explicit_bzero(token, sizeof(token));
	t->flights++;
	t->is_fetching = false;
	(void)pthread_cond_broadcast(&t->fetched);
}

enum err_kind marketo_token_get(struct marketo_token *t, const struct call *call,
				char ret_header[MARKETO_HEADER_MAX], uint64_t *ret_serial,
				struct err *err)
{
	enum err_kind kind = ERR_NONE;

	(void)pthread_mutex_lock(&t->lock);
	if (clock_mono_ms() >= t->good_until_ms) {
		uint64_t before = t->flights;

		if (!t->is_fetching)
			token_fly(t, call);
		while (t->flights == before)
			(void)pthread_cond_wait(&t->fetched, &t->lock);
		kind = t->err.kind;
	}
	if (kind == ERR_NONE) {
		(void)snprintf(ret_header, MARKETO_HEADER_MAX, "Authorization: Bearer %s",
			       t->token);
		*ret_serial = t->serial;
	} else if (err) {
		*err = t->err;
	}
	(void)pthread_mutex_unlock(&t->lock);
	return kind;
}

void marketo_token_login(struct marketo_token *t, char ret[MARKETO_LOGIN_MAX])
{
	(void)pthread_mutex_lock(&t->lock);
	memcpy(ret, t->login, sizeof(t->login));
	(void)pthread_mutex_unlock(&t->lock);
}

void marketo_token_drop(struct marketo_token *t, uint64_t serial)
{
	(void)pthread_mutex_lock(&t->lock);
	if (t->serial == serial)
		t->good_until_ms = 0;
	(void)pthread_mutex_unlock(&t->lock);
}

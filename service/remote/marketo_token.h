/* The access token: asked for once, shared by all calls, renewed when it ends ("Adobe:
 * Authentication"). */
#ifndef REMOTE_MARKETO_TOKEN_H
#define REMOTE_MARKETO_TOKEN_H

#include "remote/http.h"
#include "remote/remote.h"

enum {
	MARKETO_TOKEN_MAX = 512,
	MARKETO_HEADER_MAX = MARKETO_TOKEN_MAX + 32,
	MARKETO_LOGIN_MAX = 256,
};

struct marketo_token;

struct marketo_token *marketo_token_new(struct http_origin *origin, const char *client_id,
					const char *client_secret);
void marketo_token_free(struct marketo_token *t);

/* The header line with a token that should do; *ret_serial names it. One thread asks, the others
 * wait for its answer. */
enum err_kind marketo_token_get(struct marketo_token *t, const struct call *call,
				char ret_header[MARKETO_HEADER_MAX], uint64_t *ret_serial,
				struct err *err);
/* Forgets the token that failed, unless another thread has renewed it already. */
void marketo_token_drop(struct marketo_token *t, uint64_t serial);

/* The API user the token is for, as Marketo's usage names it; "" unknown. A person may be behind
 * it: it goes into no log and no error. */
void marketo_token_login(struct marketo_token *t, char ret[MARKETO_LOGIN_MAX]);

/* The answer of the identity endpoint. */
enum err_kind marketo_token_read(int status, struct str body, char ret_token[MARKETO_TOKEN_MAX],
				 char ret_login[MARKETO_LOGIN_MAX], int64_t *ret_expires_s,
				 struct err *err);

#endif

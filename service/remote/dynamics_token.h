/* The access token for Dataverse: asked for with the client's secret or certificate, kept until
 * shortly before its end, asked for by one thread at a time ("Microsoft Learn: OAuth 2.0 client
 * credentials flow"). */
#ifndef REMOTE_DYNAMICS_TOKEN_H
#define REMOTE_DYNAMICS_TOKEN_H

#include "remote/dynamics_assertion.h"
#include "remote/http.h"
#include "remote/remote.h"

struct dynamics_token;

/* authority, origin and certificate are foreign and must outlive the token; the texts are copied.
 * certificate NULL: the secret is shown. */
struct dynamics_token *dynamics_token_new(struct http_origin *authority, struct http_origin *origin,
					  const char *tenant_id, const char *client_id,
					  const char *client_secret,
					  const struct dynamics_certificate *certificate);
void dynamics_token_free(struct dynamics_token *t);

/* Adds "Authorization: Bearer ..." to header; *ret_serial names the token for
 * dynamics_token_reject. */
enum err_kind dynamics_token_get(struct dynamics_token *t, const struct call *call,
				 struct buf *header, uint64_t *ret_serial, struct err *err);

/* Dataverse refused this token: it is dropped unless another has taken its place already. */
void dynamics_token_reject(struct dynamics_token *t, uint64_t serial);

/* The answer of the token end point: adds the token. */
enum err_kind dynamics_token_take(struct str body, struct buf *ret_token, int64_t *ret_lifetime_s,
				  struct err *err);

/* Turns an answer of the token end point that is no success into an error. ret_may_repeat: it was
 * only busy. */
enum err_kind dynamics_token_judge(int status, struct str body, bool *ret_may_repeat,
				   struct err *err);

#endif

/* Signing in with a certificate instead of a secret: its reading, and the assertion that is shown
 * in place of the secret ("Microsoft Learn: Microsoft identity platform application authentication
 * certificate credentials"). Private to the dynamics_* files. */
#ifndef REMOTE_DYNAMICS_ASSERTION_H
#define REMOTE_DYNAMICS_ASSERTION_H

#include "base/buf.h"
#include "base/err.h"

struct dynamics_certificate;

/* Takes a certificate and its private key, not encrypted, from a text in PEM, in any order; of
 * several certificates (a chain) the one the key belongs to. NULL: err is ERR_CONFIG and names the
 * setting. Whether it holds today is asked apart. */
struct dynamics_certificate *dynamics_certificate_read(const char *pem, struct err *err);
/* Wipes the key. NULL is fine. */
void dynamics_certificate_free(struct dynamics_certificate *c);

/* Its end, seconds since 1970. */
int64_t dynamics_certificate_end_s(const struct dynamics_certificate *c);
/* ERR_CONFIG when it has ended by then, or has not begun. */
enum err_kind dynamics_certificate_holds(const struct dynamics_certificate *c, int64_t now_s,
					 struct err *err);

/* Adds a new assertion, good for minutes and for one request: a secret as long as it holds.
 * audience is the address the token is asked from. */
enum err_kind dynamics_assertion_add(const struct dynamics_certificate *c, const char *audience,
				     const char *client_id, int64_t now_s, struct buf *out,
				     struct err *err);

#endif

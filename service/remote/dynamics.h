/* The Dynamics side of remote.h ("Microsoft Learn: Dataverse Web API"). */
#ifndef REMOTE_DYNAMICS_H
#define REMOTE_DYNAMICS_H

#include "remote/http.h"
#include "remote/remote.h"

enum { DYNAMICS_CERTIFICATE_WARN_S = 30 * 24 * 3600 }; /* less left: say so */

struct dynamics_settings {
	const char *url;       /* https://org.crm4.dynamics.com */
	const char *authority; /* https://login.microsoftonline.com */
	const char *tenant_id, *client_id;
	const char *client_secret, *certificate; /* one of both; the certificate in PEM, with key */
	struct quota_limits limits;
	uint32_t parallel_max; /* writes under way at once; the server's hint may lower it */
	int64_t granted_ms;    /* combined time of requests in 300 s; 0: not limited */
	bool obeys_rules; /* a duplicate detection rule of the organisation may refuse a write */
};

enum err_kind dynamics_new(struct http *http, const struct dynamics_settings *settings,
			   struct remote *ret, struct err *err);

/* Whether the certificate of the sign-in holds at this time: ERR_CONFIG when not. *ret_end_s is its
 * end, seconds since 1970; 0 with a secret, whose end only Microsoft Entra knows. */
enum err_kind dynamics_certificate(const struct remote *r, int64_t now_s, int64_t *ret_end_s,
				   struct err *err);

#endif

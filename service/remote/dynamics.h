/* The Dynamics side of remote.h ("Microsoft Learn: Dataverse Web API"). */
#ifndef REMOTE_DYNAMICS_H
#define REMOTE_DYNAMICS_H

#include "remote/http.h"
#include "remote/remote.h"

struct dynamics_settings {
	const char *url;       /* https://org.crm4.dynamics.com */
	const char *authority; /* https://login.microsoftonline.com */
	const char *tenant_id, *client_id, *client_secret;
	struct quota_limits limits;
	uint32_t parallel_max; /* writes under way at once; the server's hint may lower it */
};

enum err_kind dynamics_new(struct http *http, const struct dynamics_settings *settings,
			   struct remote *ret, struct err *err);

#endif

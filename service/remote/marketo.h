/* The Marketo side of remote.h ("Adobe: Marketo Engage REST API"). */
#ifndef REMOTE_MARKETO_H
#define REMOTE_MARKETO_H

#include "remote/http.h"
#include "remote/remote.h"

struct marketo_settings {
	const char *
		url; /* https://123-XYZ-789.mktorest.com ; a trailing /rest or slash is taken off */
	const char *client_id, *client_secret;
	struct quota_limits limits;
	int64_t overlap_ms; /* how far the change feed looks back, 120 s */
};

enum err_kind marketo_new(struct http *http, const struct marketo_settings *settings,
			  struct remote *ret, struct err *err);

#endif

/* The HTTP interface: starts and stops the listener. openapi.yaml is the manual of what it serves. */
#ifndef API_SERVER_H
#define API_SERVER_H

#include "sync/engine.h"

struct api_key {
	const char *name;
	enum api_role { ROLE_NONE, ROLE_CAMPAIGN, ROLE_READ, ROLE_ADMIN } role;
	const char *key; /* secret */
};

struct api_settings {
	const char *listen; /* "127.0.0.1:8080", "[::1]:0", ":8080" */
	const struct api_key *keys;
	size_t key_count;
	const char *version;
};

struct api_server;
struct api_server *api_server_new(const struct api_settings *settings, struct engine *engine,
				  struct err *err);
uint16_t api_server_port(const struct api_server *s);
void api_server_quiesce(struct api_server *s); /* accepts no new connection; those open go on */
void api_server_free(struct api_server *s);    /* answers or drops what is open, stops */

#endif

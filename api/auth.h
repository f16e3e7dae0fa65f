/* Who is calling: API keys and their roles. Keys are compared in constant time, all of them, every
 * time. */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "api/problem.h"
#include "api/server.h"

struct auth_keys {
	struct api_key *keys; /* owned copies */
	size_t count;
};

void auth_keys_init(struct auth_keys *a, const struct api_key *keys, size_t count);
void auth_keys_release(struct auth_keys *a); /* wipes the secrets */

const char *auth_role_name(enum api_role role);

/* May the bearer of these headers (NULL: not sent) call what needs the role? On success *ret_caller
 * names the key. */
bool auth_check(const struct auth_keys *a, enum api_role needed, const char *authorization,
		const char *api_key, const char **ret_caller, struct problem *problem);

#endif

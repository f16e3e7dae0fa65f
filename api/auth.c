/* API keys; see auth.h. The error texts never repeat what was sent. */
#include "api/auth.h"

#include "base/mem.h"
#include "core/fingerprint.h"

static const char *const auth_role_names[] = {
	[ROLE_NONE] = "none",
	[ROLE_CAMPAIGN] = "campaign",
	[ROLE_READ] = "read",
	[ROLE_ADMIN] = "admin",
};

void auth_keys_init(struct auth_keys *a, const struct api_key *keys, size_t count)
{
	a->keys = mem_array(count, sizeof(*a->keys));
	a->count = count;
	for (size_t i = 0; i < count; i++)
		a->keys[i] = (struct api_key){ mem_text(keys[i].name), keys[i].role,
					       mem_text(keys[i].key) };
}

void auth_keys_release(struct auth_keys *a)
{
	for (size_t i = 0; i < a->count; i++) {
		char *name = (char *)(uintptr_t)a->keys[i].name;
		char *key = (char *)(uintptr_t)a->keys[i].key;

		if (key)
			explicit_bzero(key, strlen(key));
		free(name);
		free(key);
	}
	free(a->keys);
	*a = (struct auth_keys){ 0 };
}

const char *auth_role_name(enum api_role role)
{
	return auth_role_names[role];
}

/* "Bearer KEY" or the key alone in its own header; empty when neither is there. */
static struct str auth_sent_key(const char *authorization, const char *api_key)
{
	struct str rest = str_trim(str_of(authorization));
	struct str scheme = str_cut(&rest, ' ');

	if (str_equal_fold(scheme, STR("Bearer")))
		return str_trim(rest);
	return str_trim(str_of(api_key));
}

/* No early exit: the time tells nothing about which key is nearly right. */
static const struct api_key *auth_find(const struct auth_keys *a, struct str sent)
{
	const struct api_key *found = NULL;

	for (size_t i = 0; i < a->count; i++) {
		if (fingerprint_secret_equal(str_of(a->keys[i].key), sent))
			found = &a->keys[i];
	}
	return found;
}

bool auth_check(const struct auth_keys *a, enum api_role needed, const char *authorization,
		const char *api_key, const char **ret_caller, struct problem *problem)
{
	struct str sent = auth_sent_key(authorization, api_key);
	const struct api_key *found;

	if (needed == ROLE_NONE)
		return true;
	if (!a->count)
		return problem_set(
			problem, PROBLEM_UNAUTHORIZED, NULL,
			"no key can work: the setting TANDEM_API_KEYS of this service is empty");
	if (!sent.n)
		return problem_set(
			problem, PROBLEM_UNAUTHORIZED, NULL,
			"a key is needed: send it as Authorization: Bearer KEY or as X-Api-Key: KEY");
	found = auth_find(a, sent);
	if (!found)
		return problem_set(problem, PROBLEM_UNAUTHORIZED, NULL,
				   "the key is not known to this service");
	if (found->role != needed && found->role != ROLE_ADMIN)
		return problem_set(
			problem, PROBLEM_FORBIDDEN, NULL,
			"this needs a key with the role %s%s; the one sent has the role %s",
			auth_role_name(needed), needed == ROLE_ADMIN ? "" : " or admin",
			auth_role_name(found->role));
	*ret_caller = found->name;
	return true;
}

/* The identities of the imitated environment: application users with their rights, a few sales
 * people, two teams. */
#ifndef SANDBOX_DATAVERSE_USER_H
#define SANDBOX_DATAVERSE_USER_H

#include <stdbool.h>

#include "base/text.h"
#include "dataverse/failure.h"
#include "dataverse/table.h"

#define TENANT_ID "8b2f7c1e-4d5a-4e0b-9c3f-2a1d6e7f8091"
#define TENANT_DOMAIN "sales.example.org" /* its verified domain */

enum user_id {
	USER_TANDEM,
	USER_SELLER,
	USER_CLERK,
	USER_READER,
	USER_NARROW,
	USER_STRANGER,
	USER_COUNT,
};

enum depth { DEPTH_NONE, DEPTH_BASIC, DEPTH_GLOBAL };

enum right {
	RIGHT_CREATE,
	RIGHT_READ,
	RIGHT_WRITE,
	RIGHT_DELETE,
	RIGHT_APPEND,
	RIGHT_APPEND_TO,
	RIGHT_ASSIGN,
	RIGHT_SHARE,
	RIGHT_COUNT,
};

/* A user's record number in the systemuser table is its position in the list of users. */
struct user {
	enum user_id id;
	const char *name, *client_id, *client_secret, *first_name, *last_name;
	const char *rights; /* for people */
	bool member;        /* has a row in systemuser */
	bool reads_secured; /* has the profile for secured columns */
	bool delegates;     /* may act on behalf of another user */
	bool bypasses;      /* may pass custom logic by */
	bool accounts;      /* its rights reach accounts too */
	enum depth depth[RIGHT_COUNT];
};

extern const struct user dataverse_users[USER_COUNT];

/* NULL when there is none. */
const struct user *user_by_client_id(const char *client_id);
struct guid user_system_id(const struct user *u);

/* The rows every organization has: users, teams, the organization itself. */
void user_seed(struct store *s, int64_t now_s, int tracking_days);
/* The organization's row says how long change tracking keeps. */
void user_set_tracking_days(struct store *s, int tracking_days);

/* The user's row says whether it is disabled. */
void user_set_disabled(struct store *s, const struct user *u, bool disabled);

enum depth user_depth(const struct user *u, const struct table *t, enum right right);
/* Refuses when the user lacks the right on the table altogether. */
bool user_may(const struct user *u, const struct table *t, enum right right,
	      struct failure *failure);
/* Refuses when the user's right does not reach this row. */
bool user_may_row(const struct user *u, const struct table *t, uint32_t record, enum right right,
		  struct failure *failure);
/* Change tracking wants organization-wide read (Microsoft Learn: Use change tracking). */
bool user_may_track(const struct user *u, const struct store *s, const struct table *t,
		    struct failure *failure);

/* Refuses when the user may not pass custom logic by; the privilege is for the text. */
bool user_may_bypass(const struct user *u, const char *privilege, struct failure *failure);

/* {"Depth":…} objects, comma-separated, of the privileges that are wanted. */
void user_privileges_json(const struct user *u, const struct store *s,
			  bool (*wanted)(void *context, const char *name, const char *id),
			  void *context, struct text *out);
/* The privileges of a table as its metadata shows them. */
void user_table_privileges_json(const struct table *t, struct text *out);

#endif

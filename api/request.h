/* Bodies of callers, strictly read: what is not exactly as the manual says is refused with the
 * place and the rule. The only file that parses JSON in this folder. Knows no HTTP library. */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "api/problem.h"
#include "base/arena.h"
#include "core/request.h"

/* The body of POST /v1/sync-person. Fills person_id, sync_as, owner, campaign_id, campaign_name,
 * is_trigger and door; texts live in the arena. content_type NULL: not sent. */
bool request_sync_person(const char *content_type, struct str body, struct arena *a,
			 struct request *ret, struct problem *problem);

/* Operator verbs need no body: nothing or an empty JSON object. */
bool request_empty(struct str body, struct problem *problem);

#endif

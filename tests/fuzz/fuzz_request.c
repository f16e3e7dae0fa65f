/* Any bytes as a caller's body, of every content type, and as what stands behind a list's path:
 * accepted within its rules, or refused with a place and a rule. */
#include <stdlib.h>

#include "api/query.h"
#include "api/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_sync_person(const char *content_type, struct str body)
{
	CLEANUP(arena_release) struct arena memory = { 0 };
	struct request request = { .person_id = 0 };
	struct problem problem = { 0 };

	if (!request_sync_person(content_type, body, &memory, &request, &problem))
		return;
	if (request.person_id < 1)
		abort();
	if (request.sync_as != TABLE_LEAD && request.sync_as != TABLE_CONTACT)
		abort();
}

static void as_query(struct str raw)
{
	CLEANUP(arena_release) struct arena memory = { 0 };
	struct list_query query = { .limit = 0 };
	struct problem problem = { 0 };

	(void)query_list(raw, ~0u, &memory, &query, &problem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = { NULL, "application/json",
					     "application/x-www-form-urlencoded", "text/plain" };
	struct str body = { (const char *)data, size };
	struct problem problem = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		as_sync_person(types[i], body);
	(void)request_empty(body, &problem);
	as_query(body);
	return 0;
}

/* Any bytes as a caller's body: accepted within its rules, or refused with a place and a rule. */
#include <stdlib.h>

#include "api/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str body = { (const char *)data, size };
	struct arena memory = { .chunks = NULL };
	struct request request = { .person_id = 0 };
	struct problem problem = { 0 };

	if (request_sync_person("application/json", body, &memory, &request, &problem)) {
		if (request.person_id < 1)
			abort();
		if (request.sync_as != TABLE_LEAD && request.sync_as != TABLE_CONTACT)
			abort();
	}
	arena_release(&memory);
	return 0;
}

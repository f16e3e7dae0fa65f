/* Any bytes as the answer to a batch, the first line being its content type: of writes, and of the
 * rights on columns, which change nothing unless all of them could be read. */
#include <stdlib.h>

#include "remote/dynamics_rights.h"
#include "remote/dynamics_write.h"
#include "tests/replay/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mapping *mapping;

static void as_writes(struct str type, struct str body)
{
	struct field_write field = { 0, { .kind = VALUE_TEXT, .text = STR("Okoro") } };
	struct write w = { .operation = WRITE_UPDATE,
			   .table = TABLE_CONTACT,
			   .record_id = { { 1 } },
			   .version = 1,
			   .fields = &field,
			   .field_count = 1 };
	struct multipart m;
	struct multipart_part part;

	if (!multipart_start(&m, type, body))
		return;
	while (multipart_next(&m, &part)) {
		struct write_result result;
		enum dynamics_repeat repeat;

		if (dynamics_part_read(mapping, &w, &part, &repeat, &result) != result.kind ||
		    result.version < 0)
			abort();
		if (result.kind != ERR_NONE &&
		    memmem(result.err.text, strlen(result.err.text), " Okoro ", 7))
			abort();
	}
}

static void as_rights(struct str type, struct str body)
{
	CLEANUP(arena_release) struct arena a = { 0 };
	struct dynamics d = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct schema s = world_schema(TABLE_CONTACT, &a), before = world_schema(TABLE_CONTACT, &a);
	bool has_changed = false;

	if (dynamics_rights_take(&d, type, body, &s, 1, &has_changed, NULL) == ERR_NONE)
		return;
	for (size_t i = 0; i < s.column_count; i++)
		if (s.columns[i].can_read != before.columns[i].can_read ||
		    s.columns[i].is_secured != before.columns[i].is_secured)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str body = { (const char *)data, size }, type = str_trim(str_cut(&body, '\n'));

	if (!mapping)
		mapping = world_mapping();
	as_writes(type, body);
	as_rights(type, body);
	return 0;
}

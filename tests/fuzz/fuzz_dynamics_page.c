/* Any bytes as a page of the change feed, of leads and of contacts: every entry is whole, or the
 * page is none. */
#include <stdlib.h>

#include "remote/dynamics_read.h"
#include "tests/replay/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_whole(const struct change *c, size_t field_count)
{
	if (c->kind == CHANGE_DELETED && !c->record)
		return;
	if (c->kind != CHANGE_EDITED || !c->record ||
	    !guid_equal(&c->record->record_id, &c->record_id) || c->record->version < 0)
		abort();
	for (size_t i = 0; i < field_count; i++)
		if (c->record->values[i].kind >= VALUE_KIND_COUNT)
			abort();
}

static void as_page(const struct mapping *m, enum table t, struct str text)
{
	CLEANUP(arena_release) struct arena a = { 0 };
	struct dynamics_projection projection;
	struct dynamics_page page;

	dynamics_project(m, t, t == TABLE_CONTACT, &a, &projection);
	if (dynamics_page_read(&projection, text, &a, &page, NULL) != ERR_NONE)
		return;
	for (size_t i = 0; i < page.count; i++)
		must_be_whole(&page.changes[i], m->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mapping *mapping;
	struct str text = { (const char *)data, size };

	if (!mapping)
		mapping = world_mapping();
	as_page(mapping, TABLE_LEAD, text);
	as_page(mapping, TABLE_CONTACT, text);
	return 0;
}

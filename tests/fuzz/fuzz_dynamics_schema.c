/* Any bytes as a table's definition: as its columns, and as each of the answers that tell more
 * about columns of one type. */
#include <stdlib.h>

#include "remote/dynamics_schema.h"
#include "remote/json.h"
#include "tests/replay/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_sound(const struct schema *s)
{
	for (size_t i = 0; i < s->column_count; i++) {
		const struct column *c = &s->columns[i];

		if (!c->name.n || (c->option_count && !c->options))
			abort();
		for (size_t k = 0; k < c->option_count; k++)
			if (!c->options[k].label.n)
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_release) struct arena a = { 0 };
	struct json_object *tree = json_tree((struct str){ (const char *)data, size });
	struct schema fresh = { .table = TABLE_CONTACT }, known = world_schema(TABLE_CONTACT, &a);

	if (!tree)
		return 0;
	if (dynamics_schema_base(tree, &a, &fresh, NULL) == ERR_NONE)
		must_be_sound(&fresh);
	for (size_t i = 0; i < dynamics_cast_count; i++)
		(void)dynamics_schema_cast(dynamics_cast_at(i), tree, 1033, &a, &known, NULL);
	must_be_sound(&known);
	(void)dynamics_privilege(tree, "Read", TABLE_CONTACT);
	json_object_put(tree);
	return 0;
}

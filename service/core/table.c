/* Names of sides and tables. Knows nothing of what they hold. */
#include "core/table.h"

static const char *const side_names[SIDE_COUNT] = {
	[SIDE_MARKETO] = "marketo",
	[SIDE_DYNAMICS] = "dynamics",
};

static const char *const table_names[TABLE_COUNT] = {
	[TABLE_PERSON] = "person",
	[TABLE_LEAD] = "lead",
	[TABLE_CONTACT] = "contact",
};

const char *side_name(enum side s)
{
	return s < SIDE_COUNT ? side_names[s] : "unknown";
}

const char *table_name(enum table t)
{
	return t < TABLE_COUNT ? table_names[t] : "unknown";
}

bool table_parse(struct str name, enum table *ret)
{
	static const enum table record_tables[] = { TABLE_LEAD, TABLE_CONTACT };

	for (size_t i = 0; i < ARRAY_LEN(record_tables); i++) {
		if (str_equal_fold(name, str_of(table_names[record_tables[i]]))) {
			*ret = record_tables[i];
			return true;
		}
	}
	return false;
}

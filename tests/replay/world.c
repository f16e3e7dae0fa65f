/* Fields and tables of the scenes; see world.h. */
#include "world.h"

static const struct field fields[] = {
	{ .name = "email", .column = { "email", "emailaddress1", "emailaddress1" } },
	{ .name = "firstName", .column = { "firstName", "firstname", "firstname" } },
	{ .name = "lastName", .column = { "lastName", "lastname", "lastname" } },
	{ .name = "title", .column = { "title", "jobtitle", "jobtitle" } },
	{ .name = "phone", .column = { "phone", "telephone1", "telephone1" } },
	{ .name = "company",
	  .column = { "company", "companyname", "parentcustomerid" },
	  .direction = DIRECTION_TO_MARKETO },
	{ .name = "doNotCall",
	  .column = { "doNotCall", "donotphone", "donotphone" },
	  .is_consent = true },
	{ .name = "leadScore", .column = { "leadScore", "new_score", "new_score" } },
	{ .name = "annualRevenue", .column = { "annualRevenue", "revenue", "annualincome" } },
	{ .name = "weight", .column = { "weight", "new_weight", "new_weight" } },
	{ .name = "dateOfBirth", .column = { "dateOfBirth", NULL, "birthdate" } },
	{ .name = "visitedAt", .column = { "visitedAt", "new_visitedat", "new_visitedat" } },
	{ .name = "leadSource", .column = { "leadSource", "leadsourcecode", "leadsourcecode" } },
	{ .name = "interests", .column = { "interests", "new_interests", "new_interests" } },
	{ .name = "notes", .column = { "notes", "description", "description" } },
};

static const uint16_t slots[ARRAY_LEN(fields)] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
};

static struct option sources[] = { { 1, { "Advertisement", 13 } }, { 8, { "Web", 3 } } };
static struct option interests[] = { { 1, { "Coffee", 6 } },
				     { 3, { "Tea", 3 } },
				     { 7, { "Water", 5 } } };

#define OPEN .scale = -1, .can_read = true, .can_create = true, .can_update = true
#define COLUMN(text, kind, ...)                                                                    \
	{                                                                                          \
		.name = { text, sizeof(text) - 1 }, .type = (kind), OPEN, ##__VA_ARGS__            \
	}
/* MetadataId as the scenes write it: the number is its last two digits. */
#define RECORD(text, kind, number, ...)                                                            \
	COLUMN(text, kind,                                                                         \
	       .metadata_id = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (number) } },       \
	       ##__VA_ARGS__)

static const struct column person_columns[] = {
	COLUMN("email", COLUMN_TEXT, .length_max = 255, .is_ascii = true),
	COLUMN("firstName", COLUMN_TEXT, .length_max = 255),
	COLUMN("lastName", COLUMN_TEXT, .length_max = 255),
	COLUMN("title", COLUMN_TEXT, .length_max = 255),
	COLUMN("phone", COLUMN_TEXT, .length_max = 255),
	COLUMN("company", COLUMN_TEXT, .length_max = 255),
	COLUMN("doNotCall", COLUMN_BOOLEAN),
	COLUMN("leadScore", COLUMN_INTEGER),
	COLUMN("annualRevenue", COLUMN_DECIMAL),
	COLUMN("weight", COLUMN_DECIMAL),
	COLUMN("dateOfBirth", COLUMN_DATE),
	COLUMN("visitedAt", COLUMN_TIME),
	COLUMN("leadSource", COLUMN_TEXT, .length_max = 255),
	COLUMN("interests", COLUMN_TEXT, .length_max = 255),
	COLUMN("notes", COLUMN_TEXT, .length_max = 30000, .length_unit = LENGTH_BYTES),
};

#define OF_BOTH                                                                                    \
	RECORD("emailaddress1", COLUMN_TEXT, 0x01, .length_max = 100),                             \
		RECORD("firstname", COLUMN_TEXT, 0x02, .length_max = 50),                          \
		RECORD("lastname", COLUMN_TEXT, 0x03, .length_max = 50),                           \
		RECORD("jobtitle", COLUMN_TEXT, 0x04, .length_max = 100),                          \
		RECORD("telephone1", COLUMN_TEXT, 0x05, .length_max = 50),                         \
		RECORD("donotphone", COLUMN_BOOLEAN, 0x06),                                        \
		RECORD("new_score", COLUMN_INTEGER, 0x07),                                         \
		RECORD("new_weight", COLUMN_DECIMAL, 0x08),                                        \
		RECORD("new_visitedat", COLUMN_TIME, 0x09),                                        \
		RECORD("leadsourcecode", COLUMN_CHOICE, 0x0a, .options = sources,                  \
		       .option_count = ARRAY_LEN(sources)),                                        \
		RECORD("new_interests", COLUMN_MULTI_CHOICE, 0x0b, .options = interests,           \
		       .option_count = ARRAY_LEN(interests)),                                      \
		RECORD("description", COLUMN_TEXT, 0x0c, .length_max = 2000)

static const struct column lead_columns[] = {
	OF_BOTH,
	RECORD("companyname", COLUMN_TEXT, 0x10, .length_max = 100),
	RECORD("revenue", COLUMN_DECIMAL, 0x11),
};

static const struct column contact_columns[] = {
	OF_BOTH,
	RECORD("parentcustomerid", COLUMN_LOOKUP, 0x20),
	RECORD("annualincome", COLUMN_DECIMAL, 0x21),
	RECORD("birthdate", COLUMN_DATE, 0x22),
};

static const struct {
	const struct column *columns;
	size_t count;
} tables[TABLE_COUNT] = {
	[TABLE_PERSON] = { person_columns, ARRAY_LEN(person_columns) },
	[TABLE_LEAD] = { lead_columns, ARRAY_LEN(lead_columns) },
	[TABLE_CONTACT] = { contact_columns, ARRAY_LEN(contact_columns) },
};

struct schema world_schema(enum table t, struct arena *a)
{
	struct schema s = { t, arena_array(a, tables[t].count, sizeof(struct column)),
			    tables[t].count };

	memcpy(s.columns, tables[t].columns, tables[t].count * sizeof(struct column));
	return s;
}

struct mapping *world_mapping(void)
{
	CLEANUP(arena_release) struct arena a = { 0 };
	const struct field_set set = { .fields = fields, .count = ARRAY_LEN(fields) };
	struct schema schemas[TABLE_COUNT];

	for (int t = 0; t < TABLE_COUNT; t++)
		schemas[t] = world_schema((enum table)t, &a);
	return mapping_new(&set, slots, schemas);
}

/* A small world for tests of mapping and decide: three schemas, six fields, a key, records with
 * values. */
#ifndef TESTS_UNIT_FIXTURE_H
#define TESTS_UNIT_FIXTURE_H

#include "core/decide.h"

enum fixture_field {
	FIXTURE_NAME,   /* text, both ways, 10 characters */
	FIXTURE_SOURCE, /* choice in Dynamics, text in Marketo; leads only */
	FIXTURE_PHONES, /* consent, both ways */
	FIXTURE_FLAG,   /* boolean without consent */
	FIXTURE_STATUS, /* to Marketo only */
	FIXTURE_TOPIC,  /* to Dynamics only */
	FIXTURE_COUNT
};

static const struct field fixture_fields[FIXTURE_COUNT] = {
	{ .name = "lastName", .column = { "lastName", "lastname", "lastname" } },
	{ .name = "leadSource", .column = { "leadSource", "leadsourcecode", NULL } },
	{ .name = "doNotCall",
	  .column = { "doNotCall", "donotphone", "donotphone" },
	  .is_consent = true },
	{ .name = "flag", .column = { "flag", "new_flag", "new_flag" } },
	{ .name = "status",
	  .column = { "status", "statecode", "statecode" },
	  .direction = DIRECTION_TO_MARKETO },
	{ .name = "topic",
	  .column = { "topic", "subject", "subject" },
	  .direction = DIRECTION_TO_DYNAMICS },
};

static const uint16_t fixture_slots[FIXTURE_COUNT] = { 3, 0, 1, 2, 7, 4 };

static struct option fixture_sources[] = {
	{ 1, { "Web", 3 } },
	{ 2, { "Word of Mouth", 13 } },
};

#define FIXTURE_OPEN .can_read = true, .can_create = true, .can_update = true, .scale = -1
#define FIXTURE_TEXT(text, max)                                                                    \
	{                                                                                          \
		.name = { text, sizeof(text) - 1 }, .type = COLUMN_TEXT, .length_max = (max),      \
		FIXTURE_OPEN                                                                       \
	}
#define FIXTURE_BOOLEAN(text)                                                                      \
	{                                                                                          \
		.name = { text, sizeof(text) - 1 }, .type = COLUMN_BOOLEAN, FIXTURE_OPEN           \
	}

static struct column fixture_person[] = {
	FIXTURE_TEXT("lastName", 255), FIXTURE_TEXT("leadSource", 255),
	FIXTURE_BOOLEAN("doNotCall"),  FIXTURE_BOOLEAN("flag"),
	FIXTURE_TEXT("status", 255),   FIXTURE_TEXT("topic", 255),
};

static struct column fixture_lead[] = {
	FIXTURE_TEXT("lastname", 10),
	{ .name = { "leadsourcecode", 14 },
	  .type = COLUMN_CHOICE,
	  .options = fixture_sources,
	  .option_count = ARRAY_LEN(fixture_sources),
	  FIXTURE_OPEN },
	FIXTURE_BOOLEAN("donotphone"),
	FIXTURE_BOOLEAN("new_flag"),
	FIXTURE_TEXT("statecode", 0),
	FIXTURE_TEXT("subject", 300),
};

static struct column fixture_contact[] = {
	FIXTURE_TEXT("lastname", 10), FIXTURE_BOOLEAN("donotphone"), FIXTURE_BOOLEAN("new_flag"),
	FIXTURE_TEXT("statecode", 0), FIXTURE_TEXT("subject", 300),
};

static const struct schema fixture_schemas[TABLE_COUNT] = {
	{ TABLE_PERSON, fixture_person, ARRAY_LEN(fixture_person) },
	{ TABLE_LEAD, fixture_lead, ARRAY_LEN(fixture_lead) },
	{ TABLE_CONTACT, fixture_contact, ARRAY_LEN(fixture_contact) },
};

static const struct fingerprint_key fixture_key = { { 42 } };

static inline struct mapping *fixture_mapping(void)
{
	return mapping_new(&(struct field_set){ .fields = fixture_fields, .count = FIXTURE_COUNT },
			   fixture_slots, fixture_schemas);
}

/* A value from short text: NULL unseen, "" empty, "+" true, "-" false, else text. */
static inline struct value fixture_value(const char *text)
{
	if (!text)
		return (struct value){ .kind = VALUE_UNSEEN };
	if (!*text)
		return (struct value){ .kind = VALUE_EMPTY };
	if (!strcmp(text, "+") || !strcmp(text, "-"))
		return value_boolean(*text == '+');
	return (struct value){ .kind = VALUE_TEXT, .text = str_of(text) };
}

static inline uint64_t fixture_fingerprint(const char *text)
{
	struct value v = fixture_value(text);

	return fingerprint_of(&fixture_key, &v);
}

#endif

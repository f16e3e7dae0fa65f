/* A mapping for tests of the Dynamics side: one field for every type of column. */
#ifndef TESTS_UNIT_DYNAMICS_FIXTURE_H
#define TESTS_UNIT_DYNAMICS_FIXTURE_H

#include "core/mapping.h"

enum dynamics_field {
	FIELD_EMAIL,
	FIELD_TITLE,
	FIELD_MUTE,
	FIELD_CHILDREN,
	FIELD_INCOME,
	FIELD_BIRTH,
	FIELD_MOMENT,
	FIELD_METHOD,
	FIELD_TOPICS,
	FIELD_LEAD_ONLY,
	FIELD_COUNT
};

static struct option dynamics_methods[] = { { 1, { "Any", 3 } },
					    { 2, { "E-mail", 6 } },
					    { -7, { "Fax", 3 } } };

#define DYNAMICS_COLUMN(text, kind)                                                                \
	.name = { text, sizeof(text) - 1 }, .type = (kind), .scale = -1, .can_read = true,         \
	.can_create = true, .can_update = true

static const struct column dynamics_columns[FIELD_COUNT] = {
	[FIELD_EMAIL] = { DYNAMICS_COLUMN("emailaddress1", COLUMN_TEXT) },
	[FIELD_TITLE] = { DYNAMICS_COLUMN("jobtitle", COLUMN_TEXT) },
	[FIELD_MUTE] = { DYNAMICS_COLUMN("donotphone", COLUMN_BOOLEAN) },
	[FIELD_CHILDREN] = { DYNAMICS_COLUMN("numberofchildren", COLUMN_INTEGER) },
	[FIELD_INCOME] = { DYNAMICS_COLUMN("annualincome", COLUMN_DECIMAL) },
	[FIELD_BIRTH] = { DYNAMICS_COLUMN("birthdate", COLUMN_DATE) },
	[FIELD_MOMENT] = { DYNAMICS_COLUMN("createdon", COLUMN_TIME) },
	[FIELD_METHOD] = { DYNAMICS_COLUMN("preferredcontactmethodcode", COLUMN_CHOICE),
			   .options = dynamics_methods,
			   .option_count = ARRAY_LEN(dynamics_methods) },
	[FIELD_TOPICS] = { DYNAMICS_COLUMN("new_topics", COLUMN_MULTI_CHOICE),
			   .options = dynamics_methods,
			   .option_count = ARRAY_LEN(dynamics_methods) },
	[FIELD_LEAD_ONLY] = { DYNAMICS_COLUMN("companyname", COLUMN_TEXT) },
};

static const struct field dynamics_field;

#define DYNAMICS_FIELD(index, kind_, scale_)                                                       \
	[index] = { .field = &dynamics_field,                                                      \
		    .kind = (kind_),                                                               \
		    .scale = (scale_),                                                             \
		    .column = { NULL, &dynamics_columns[index], &dynamics_columns[index] } }

static struct mapped_field dynamics_fields[FIELD_COUNT] = {
	DYNAMICS_FIELD(FIELD_EMAIL, VALUE_TEXT, -1),
	DYNAMICS_FIELD(FIELD_TITLE, VALUE_TEXT, -1),
	DYNAMICS_FIELD(FIELD_MUTE, VALUE_BOOLEAN, -1),
	DYNAMICS_FIELD(FIELD_CHILDREN, VALUE_INTEGER, -1),
	DYNAMICS_FIELD(FIELD_INCOME, VALUE_DECIMAL, 2),
	DYNAMICS_FIELD(FIELD_BIRTH, VALUE_DATE, -1),
	DYNAMICS_FIELD(FIELD_MOMENT, VALUE_TIME, -1),
	DYNAMICS_FIELD(FIELD_METHOD, VALUE_TEXT, -1),
	DYNAMICS_FIELD(FIELD_TOPICS, VALUE_TEXT, -1),
	[FIELD_LEAD_ONLY] = { .field = &dynamics_field,
			      .kind = VALUE_TEXT,
			      .scale = -1,
			      .column = { NULL, &dynamics_columns[FIELD_LEAD_ONLY], NULL } },
};

static const struct mapping dynamics_mapping = {
	.fields = dynamics_fields,
	.count = FIELD_COUNT,
	.email = FIELD_EMAIL,
	.selection = { 1, 0x0123456789abcdef, 0xfedcba9876543210 },
};

#endif

/* What the imitated tables look like before anybody changes them: columns, types, lengths, options.
 */
#ifndef SANDBOX_DATAVERSE_COLUMNS_H
#define SANDBOX_DATAVERSE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum column_type {
	COLUMN_STRING,
	COLUMN_MEMO,
	COLUMN_INTEGER,
	COLUMN_BIGINT,
	COLUMN_DECIMAL,
	COLUMN_DOUBLE,
	COLUMN_MONEY,
	COLUMN_DATETIME,
	COLUMN_BOOLEAN,
	COLUMN_PICKLIST,
	COLUMN_MULTISELECT,
	COLUMN_STATE,
	COLUMN_STATUS,
	COLUMN_LOOKUP,
	COLUMN_CUSTOMER,
	COLUMN_OWNER,
	COLUMN_UNIQUEIDENTIFIER,
	COLUMN_IMAGE,
	COLUMN_TYPE_COUNT,
};

enum column_required { REQUIRED_NONE, REQUIRED_RECOMMENDED, REQUIRED_APPLICATION, REQUIRED_SYSTEM };

enum { CAN_CREATE = 1, CAN_UPDATE = 2, CAN_READ = 4 };

/* related: for a state its default status, for a status its state */
struct column_option {
	int value;
	const char *label; /* NULL ends a list */
	int related;
};

struct column_def {
	const char *name, *schema_name, *label;
	enum column_type type;
	enum column_required required;
	uint8_t valid;          /* CAN_… bits */
	uint8_t precision;      /* decimals of a number */
	uint32_t max_length;    /* of a text, in UTF-16 units */
	double min, max;        /* of a number */
	const char *format;     /* "" when the type has none */
	const char *behavior;   /* of a time: UserLocal, DateOnly, TimeZoneIndependent */
	const char *targets;    /* of a lookup: logical names of tables, comma-separated */
	const char *navigation; /* of a lookup: names to write through, one per target; "" not
				   writable */
	const struct column_option *options;
	bool added_later; /* there only once an administrator made it; rows begin without a value */
};

enum table_id {
	TABLE_CONTACT,
	TABLE_LEAD,
	TABLE_ACCOUNT,
	TABLE_SYSTEMUSER,
	TABLE_TEAM,
	TABLE_ORGANIZATION,
	TABLE_BUSINESSUNIT,
	TABLE_TRANSACTIONCURRENCY,
	TABLE_SDKMESSAGE,
	TABLE_SDKMESSAGEFILTER,
	TABLE_SERVICEENDPOINT,
	TABLE_STEP,
	TABLE_ASYNCOPERATION,
	TABLE_COUNT,
};

struct table_def {
	const char *logical_name, *schema_name, *set_name, *label, *plural_label;
	int type_code;
	const char *id_column, *name_column;
	bool change_tracking, optimistic_concurrency;
	const struct column_def *columns; /* in the order of names */
	size_t column_count;
};

extern const struct table_def table_defs[TABLE_COUNT];

#endif

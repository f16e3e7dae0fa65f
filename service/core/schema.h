/* What a remote says about one of its tables, reduced to what the sync needs. Filled by the remote
 * layer, read by mapping. */
#ifndef CORE_SCHEMA_H
#define CORE_SCHEMA_H

#include "core/table.h"
#include "core/value.h"

enum column_type {
	COLUMN_TEXT,
	COLUMN_BOOLEAN,
	COLUMN_INTEGER,
	COLUMN_DECIMAL,
	COLUMN_DATE,
	COLUMN_TIME,
	COLUMN_CHOICE,       /* a number with a label */
	COLUMN_MULTI_CHOICE, /* several of them */
	COLUMN_LOOKUP,       /* another row, by its name; only ever read */
	COLUMN_OTHER         /* images, formulas, files: never mapped */
};

enum length_unit { LENGTH_CHARACTERS, LENGTH_UTF16, LENGTH_BYTES };

struct option {
	int32_t value;
	struct str label; /* base language of the organisation, canonical text */
};

struct column {
	struct str name;
	struct str display_name; /* what people see, where it was told; else empty */
	enum column_type type;
	uint32_t length_max; /* 0: no limit known */
	enum length_unit length_unit;
	bool is_ascii; /* Marketo's e-mail fields take ASCII only */
	int scale;     /* digits behind the point for COLUMN_DECIMAL; -1: not limited */
	bool has_range;
	double min, max; /* when has_range */
	bool can_read, can_create,
		can_update;      /* by the table's metadata and the sync user's rights together */
	int64_t vendor_id;       /* Marketo: describe's numeric field id; else 0 */
	struct guid metadata_id; /* Dataverse: MetadataId, to which column rights refer */
	bool is_secured;         /* Dataverse: rights per column apply */
	bool is_company;         /* Marketo: of a person with a company, the company's */
	struct option *options;
	size_t option_count;
};

struct schema {
	enum table table;
	struct column *columns;
	size_t column_count;
};

const struct column *schema_find(const struct schema *s, struct str name);

/* The canonical kind of a column's values. */
enum value_kind column_kind(const struct column *c);

/* Can this column hold the value as it is? ERR_NONE, or ERR_REFUSED with err->field and a text that
 * names the rule (too long, not an option, out of range, wrong kind). */
enum err_kind column_holds(const struct column *c, const struct value *v, struct err *err);

const struct option *column_option_by_label(const struct column *c,
					    struct str label); /* without case */
const struct option *column_option_by_value(const struct column *c, int32_t value);

#endif

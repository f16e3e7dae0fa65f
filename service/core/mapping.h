/* The active fields: selected, present on both sides, and accessible to the sync user
 * (INV-SELECTED). Built from the field table and the schemas of the three tables; immutable once
 * built, so threads may share it. */
#ifndef CORE_MAPPING_H
#define CORE_MAPPING_H

#include "core/field.h"
#include "core/schema.h"

enum { MAPPING_FIELDS_MAX = 200 };

struct mapped_field {
	const struct field *field;
	uint16_t slot; /* place in every link's fingerprints; given by the store once per field
			  name, never reused */
	enum value_kind kind; /* canonical kind on both sides */
	int scale;            /* for decimals: the coarser of the two sides; -1 none */
	/* NULL where the table lacks the column or the right to read it: the field is paused there,
	 * nothing is nulled. */
	const struct column *column[TABLE_COUNT];
};

struct mapping {
	struct arena memory; /* owns everything below */
	struct mapped_field *fields;
	size_t count;
	size_t slot_count; /* highest slot + 1 */
	int email;         /* index of the field on Marketo's email, -1 if not active */
	/* Changes with the list of columns read of a table, and with the rights to write them and
	 * their counterparts: then the table is read from the start. */
	uint64_t selection[TABLE_COUNT];
	/* The filter column of the record tables: read with every row, never mapped. NULL: the
	 * table has none, or none that can be read. */
	const struct column *filter[TABLE_COUNT];
	struct filter_rule filter_rule;
	struct paused_field {
		const char *name;
		enum table table;
		char reason[160];
	} * paused;
	size_t paused_count;
};

/* slots[i] belongs to set->fields[i]. The set is foreign; the schemas are copied: they may go after
 * the call. */
struct mapping *mapping_new(const struct field_set *set, const uint16_t *slots,
			    const struct schema schemas[TABLE_COUNT]);
void mapping_free(struct mapping *m); /* NULL is fine */

/* Does this field travel between a person and a record of the table, at all, and into the given
 * side? */
bool mapping_active(const struct mapping *m, size_t index, enum table record_table);
bool mapping_writable(const struct mapping *m, size_t index, enum table record_table,
		      enum side target, bool is_create);
int mapping_find(const struct mapping *m, struct str name); /* by field name; -1 */

#endif

/* From the field table and what the remotes say about their columns to the active fields
 * (INV-SELECTED). Knows nothing of links, records or remotes. */
#include "core/mapping.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

static const enum table mapping_record_tables[] = { TABLE_LEAD, TABLE_CONTACT };

static const char *const mapping_kind_words[VALUE_KIND_COUNT] = {
	[VALUE_UNSEEN] = "of a type that is not synchronised",
	[VALUE_EMPTY] = "empty",
	[VALUE_BOOLEAN] = "true or false",
	[VALUE_INTEGER] = "a whole number",
	[VALUE_DECIMAL] = "a number",
	[VALUE_DATE] = "a date",
	[VALUE_TIME] = "a time",
	[VALUE_TEXT] = "text",
};

static void mapping_pause(struct mapping *m, const struct field *f, enum table table,
			  const char *reason)
{
	struct paused_field *paused = &m->paused[m->paused_count++];

	paused->name = f->name;
	paused->table = table;
	(void)snprintf(paused->reason, sizeof(paused->reason), "%s", reason);
}

static const struct column *mapping_copy_column(struct arena *a, const struct column *c)
{
	struct column *copy = arena_alloc(a, sizeof(*copy));

	*copy = *c;
	copy->name = arena_str(a, c->name);
	copy->display_name = arena_str(a, c->display_name);
	copy->options = arena_array(a, c->option_count, sizeof(*copy->options));
	for (size_t i = 0; i < c->option_count; i++) {
		copy->options[i] = c->options[i];
		copy->options[i].label = arena_str(a, c->options[i].label);
	}
	return copy;
}

/* The column of a field on a table if it can be read; else pauses the field there. A field that
 * names no column for the table does not belong there, which is no reason to report anything. */
static const struct column *mapping_column(struct mapping *m, const struct field *f,
					   const struct schema *s, enum table table)
{
	const struct column *c;
	char reason[160];

	if (!f->column[table])
		return NULL;
	c = schema_find(s, str_of(f->column[table]));
	if (!c)
		(void)snprintf(reason, sizeof(reason), "there is no column %.60s",
			       f->column[table]);
	else if (!c->can_read)
		(void)snprintf(reason, sizeof(reason),
			       "the sync user may not read the column %.60s", f->column[table]);
	else if (c->type == COLUMN_OTHER)
		(void)snprintf(reason, sizeof(reason), "the column %.60s is %s", f->column[table],
			       mapping_kind_words[VALUE_UNSEEN]);
	else
		return c;
	mapping_pause(m, f, table, reason);
	return NULL;
}

static bool mapping_is_number(enum value_kind kind)
{
	return kind == VALUE_INTEGER || kind == VALUE_DECIMAL;
}

/* Marketo text stands against anything, since anything can be printed and read back; a typed
 * Marketo field against text cannot, because most text is no number. */
static bool mapping_fits(enum value_kind person, enum value_kind record)
{
	return person == record || person == VALUE_TEXT ||
	       (mapping_is_number(person) && mapping_is_number(record));
}

static int mapping_scale(const struct column *c)
{
	if (c->type == COLUMN_INTEGER)
		return 0;
	return c->type == COLUMN_DECIMAL ? c->scale : -1;
}

static int mapping_coarser(int a, int b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

static void mapping_add_record(struct mapping *m, struct mapped_field *mf,
			       const struct column *person, const struct schema *schemas,
			       enum table table)
{
	const struct column *c = mapping_column(m, mf->field, &schemas[table], table);
	enum value_kind kind;
	char reason[160];

	if (!c)
		return;
	kind = column_kind(c);
	if (!mapping_fits(column_kind(person), kind)) {
		(void)snprintf(reason, sizeof(reason),
			       "the Marketo field is %s, the column %.60s is %s",
			       mapping_kind_words[column_kind(person)], mf->field->column[table],
			       mapping_kind_words[kind]);
		mapping_pause(m, mf->field, table, reason);
		return;
	}
	if (mf->column[TABLE_LEAD] && kind != mf->kind) {
		(void)snprintf(reason, sizeof(reason),
			       "the column %.60s is %s, the one on lead is %s",
			       mf->field->column[table], mapping_kind_words[kind],
			       mapping_kind_words[mf->kind]);
		mapping_pause(m, mf->field, table, reason);
		return;
	}
	mf->kind = kind;
	mf->scale = mapping_coarser(mf->scale, mapping_scale(c));
	mf->column[table] = mapping_copy_column(&m->memory, c);
}

static void mapping_add(struct mapping *m, struct mapped_field *mf, const struct schema *schemas)
{
	const struct column *person =
		mapping_column(m, mf->field, &schemas[TABLE_PERSON], TABLE_PERSON);

	mf->scale = -1;
	if (!person)
		return;
	mf->scale = mapping_scale(person);
	for (size_t i = 0; i < ARRAY_LEN(mapping_record_tables); i++)
		mapping_add_record(m, mf, person, schemas, mapping_record_tables[i]);
	if (mf->column[TABLE_LEAD] || mf->column[TABLE_CONTACT])
		mf->column[TABLE_PERSON] = mapping_copy_column(&m->memory, person);
	if (mf->kind != VALUE_DECIMAL)
		mf->scale = -1;
}

/* FNV-1a, then the finaliser of SplitMix64, so that sums of hashes do not cancel out. Stored: may
 * not change. */
static uint64_t mapping_hash(struct str name)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (unsigned char)name.p[i]) * 0x100000001b3;
	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9;
	h = (h ^ h >> 27) * 0x94d049bb133111eb;
	return h ^ h >> 31;
}

/* What may be written: a right that comes back lets values travel that waited for it, so it counts
 * as another selection. */
static uint64_t mapping_rights(const struct mapped_field *mf, enum table table)
{
	const struct column *both[] = { mf->column[table], mf->column[TABLE_PERSON] };
	uint64_t rights = 0;

	for (size_t i = 0; i < ARRAY_LEN(both); i++)
		rights = rights << 2 |
			 (both[i] ? both[i]->can_update * 2U + both[i]->can_create : 0U);
	return rights * (mapping_hash(mf->column[table]->name) | 1);
}

static void mapping_add_filter(struct mapping *m, const struct schema *schemas, enum table table)
{
	const struct column *c = schema_find(&schemas[table], str_of(m->filter_rule.column));

	if (!c || !c->can_read || c->type != COLUMN_BOOLEAN)
		return;
	m->filter[table] = mapping_copy_column(&m->memory, c);
	m->selection[table] += mapping_hash(c->name);
}

struct mapping *mapping_new(const struct field_set *set, const uint16_t *slots,
			    const struct schema schemas[TABLE_COUNT])
{
	struct mapping *m = mem_alloc(sizeof(*m));
	size_t count = set->count;

	assert(count <= MAPPING_FIELDS_MAX);
	m->email = -1;
	m->count = count;
	m->fields = arena_array(&m->memory, count, sizeof(*m->fields));
	m->paused = arena_array(&m->memory, count * TABLE_COUNT, sizeof(*m->paused));
	for (size_t i = 0; i < count; i++) {
		struct mapped_field *mf = &m->fields[i];

		mf->field = &set->fields[i];
		mf->slot = slots[i];
		if (mf->slot >= m->slot_count)
			m->slot_count = (size_t)mf->slot + 1;
		mapping_add(m, mf, schemas);
		for (int t = 0; t < TABLE_COUNT; t++) {
			if (mf->column[t])
				m->selection[t] += mapping_hash(mf->column[t]->name) +
						   mapping_rights(mf, (enum table)t);
		}
		if (mf->column[TABLE_PERSON] &&
		    str_equal(mf->column[TABLE_PERSON]->name, STR("email")))
			m->email = (int)i;
	}
	m->filter_rule = set->filter;
	for (size_t i = 0; set->filter.column && i < ARRAY_LEN(mapping_record_tables); i++)
		mapping_add_filter(m, schemas, mapping_record_tables[i]);
	return m;
}

void mapping_free(struct mapping *m)
{
	struct arena memory;

	if (!m)
		return;
	memory = m->memory;
	arena_release(&memory);
	free(m);
}

bool mapping_active(const struct mapping *m, size_t index, enum table record_table)
{
	const struct mapped_field *mf = &m->fields[index];

	return mf->column[TABLE_PERSON] && mf->column[record_table];
}

bool mapping_writable(const struct mapping *m, size_t index, enum table record_table,
		      enum side target, bool is_create)
{
	static const enum direction against[SIDE_COUNT] = {
		[SIDE_MARKETO] = DIRECTION_TO_DYNAMICS,
		[SIDE_DYNAMICS] = DIRECTION_TO_MARKETO,
	};
	const struct mapped_field *mf = &m->fields[index];
	const struct column *c;

	if (!mapping_active(m, index, record_table) || mf->field->direction == against[target])
		return false;
	c = mf->column[target == SIDE_MARKETO ? TABLE_PERSON : record_table];
	return is_create ? c->can_create : c->can_update;
}

int mapping_find(const struct mapping *m, struct str name)
{
	for (size_t i = 0; i < m->count; i++) {
		if (str_equal(str_of(m->fields[i].field->name), name))
			return (int)i;
	}
	return -1;
}

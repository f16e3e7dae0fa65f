/* Tables, rows, versions and transactions. Knows no JSON, no HTTP and no rights. */
#include "dataverse/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The counter starts where a database that has been in use for a while would be. */
#define FIRST_VERSION 7000000u

static void *grown(void *array, size_t count, size_t size)
{
	void *bigger = realloc(array, count * size);

	if (!bigger) {
		fputs("tandem-sandbox: out of memory\n", stderr);
		abort();
	}
	return bigger;
}

static const struct {
	const char *name;
	enum column_home home;
} homes[] = {
	{ "versionnumber", HOME_VERSION },
	{ "createdon", HOME_CREATED_ON },
	{ "modifiedon", HOME_MODIFIED_ON },
	{ "createdby", HOME_CREATED_BY },
	{ "modifiedby", HOME_MODIFIED_BY },
	{ "ownerid", HOME_OWNER },
	{ "owninguser", HOME_OWNING_USER },
	{ "owningteam", HOME_OWNING_TEAM },
	{ "owningbusinessunit", HOME_BUSINESS_UNIT },
	{ "statecode", HOME_STATE },
	{ "statuscode", HOME_STATUS },
	{ "merged", HOME_MERGED },
	{ "exchangerate", HOME_EXCHANGE_RATE },
};

static bool ends_with(const char *s, const char *tail)
{
	size_t len = strlen(s), tail_len = strlen(tail);

	return len > tail_len && strcmp(s + len - tail_len, tail) == 0;
}

static enum column_home home_of(const struct table *t, const struct column_def *def)
{
	if (strcmp(def->name, t->def->id_column) == 0)
		return HOME_ID;
	for (size_t i = 0; i < sizeof(homes) / sizeof(homes[0]); i++)
		if (strcmp(def->name, homes[i].name) == 0)
			return homes[i].home;
	if (t->table != TABLE_CONTACT && t->table != TABLE_LEAD && t->table != TABLE_ACCOUNT)
		return strcmp(def->name, "businessunitid") == 0 ? HOME_BUSINESS_UNIT : HOME_ROW;
	if (strcmp(def->name, "fullname") == 0)
		return HOME_FULL_NAME;
	if (ends_with(def->name, "_composite"))
		return HOME_COMPOSITE;
	return def->type == COLUMN_MONEY && ends_with(def->name, "_base") ? HOME_BASE : HOME_ROW;
}

static uint16_t partner_named(const struct table *t, const char *head, size_t head_len,
			      const char *tail)
{
	char name[128];

	snprintf(name, sizeof(name), "%.*s%s", (int)head_len, head, tail);
	return table_column(t, name, strlen(name));
}

static void find_partners(const struct table *t, struct column *c)
{
	static const char *const parts[PARTNERS_MAX] = {
		"_line1", "_line2", "_line3", "_city", "_stateorprovince", "_postalcode", "_country"
	};
	const char *name = c->def->name;

	if (c->home == HOME_FULL_NAME) {
		c->partners[0] = table_column(t, "firstname", strlen("firstname"));
		c->partners[1] = table_column(t, "lastname", strlen("lastname"));
	}
	if (c->home == HOME_BASE)
		c->partners[0] = partner_named(t, name, strlen(name) - strlen("_base"), "");
	if (c->home == HOME_COMPOSITE)
		for (size_t i = 0; i < PARTNERS_MAX; i++)
			c->partners[i] = partner_named(t, name, strlen(name) - strlen("_composite"),
						       parts[i]);
}

static bool is_lookup(enum column_type type)
{
	return type == COLUMN_LOOKUP || type == COLUMN_CUSTOMER || type == COLUMN_OWNER;
}

static void column_init(struct column *c, const struct column_def *def)
{
	int len;

	c->def = def;
	c->max_length = def->max_length;
	c->dropped = def->added_later;
	if (asprintf(&c->wire, is_lookup(def->type) ? "_%s_value" : "%s", def->name) < 0)
		abort();
	len = asprintf(&c->key, "\"%s\":", c->wire);
	if (len < 0)
		abort();
	c->key_len = (size_t)len;
}

static void table_init(struct table *t, enum table_id table)
{
	const struct table_def *def = &table_defs[table];

	*t = (struct table){ .def = def,
			     .table = table,
			     .column_count = (uint16_t)def->column_count };
	t->columns = calloc(def->column_count, sizeof(*t->columns));
	if (!t->columns)
		abort();
	for (uint16_t i = 0; i < t->column_count; i++)
		column_init(&t->columns[i], &def->columns[i]);
	for (uint16_t i = 0; i < t->column_count; i++) {
		t->columns[i].home = home_of(t, t->columns[i].def);
		find_partners(t, &t->columns[i]);
	}
	t->id_column = table_column(t, def->id_column, strlen(def->id_column));
	t->email_column = table_column(t, "emailaddress1", strlen("emailaddress1"));
	t->key_column = table_column(t, "new_marketoid", strlen("new_marketoid"));
	t->currency_column =
		table_column(t, "transactioncurrencyid", strlen("transactioncurrencyid"));
	if (table == TABLE_TRANSACTIONCURRENCY)
		t->currency_column = NO_COLUMN;
}

void store_init(struct store *s)
{
	*s = (struct store){ .version = FIRST_VERSION };
	for (size_t i = 0; i < TABLE_COUNT; i++)
		table_init(&s->tables[i], (enum table_id)i);
	s->business_unit = guid_of_name("businessunit", "root");
}

static void table_free(struct table *t)
{
	for (uint32_t i = 0; i < t->count; i++)
		row_free(t->records[i].row);
	for (uint16_t i = 0; i < t->column_count; i++) {
		free(t->columns[i].wire);
		free(t->columns[i].key);
	}
	free(t->columns);
	free(t->records);
	free(t->log);
	index_free(&t->by_id);
	index_free(&t->by_email);
	index_free(&t->by_key);
}

void store_free(struct store *s)
{
	if (s->in_transaction)
		store_commit(s);
	for (size_t i = 0; i < TABLE_COUNT; i++)
		table_free(&s->tables[i]);
	free(s->undo);
	*s = (struct store){ 0 };
}

static bool same(const char *name, const char *bytes, size_t len)
{
	return strncmp(name, bytes, len) == 0 && name[len] == '\0';
}

struct table *store_table_of_set(struct store *s, const char *set_name, size_t len)
{
	for (size_t i = 0; i < TABLE_COUNT; i++)
		if (same(s->tables[i].def->set_name, set_name, len))
			return &s->tables[i];
	return NULL;
}

struct table *store_table_of_name(struct store *s, const char *logical_name, size_t len)
{
	for (size_t i = 0; i < TABLE_COUNT; i++)
		if (same(s->tables[i].def->logical_name, logical_name, len))
			return &s->tables[i];
	return NULL;
}

/* Columns stand in the order of their names. */
uint16_t table_column(const struct table *t, const char *name, size_t len)
{
	size_t low = 0, high = t->column_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const char *there = t->columns[middle].def->name;
		int order = strncmp(there, name, len);

		if (!order && there[len])
			order = 1;
		if (!order)
			return t->columns[middle].dropped ? NO_COLUMN : (uint16_t)middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NO_COLUMN;
}

uint16_t table_column_of_wire(const struct table *t, const char *wire, size_t len)
{
	bool lookup = len > 7 && wire[0] == '_' && memcmp(wire + len - 6, "_value", 6) == 0;
	uint16_t column = lookup ? table_column(t, wire + 1, len - 7) : table_column(t, wire, len);

	if (column == NO_COLUMN || !(t->columns[column].def->valid & CAN_READ))
		return NO_COLUMN;
	return is_lookup(t->columns[column].def->type) == lookup ? column : NO_COLUMN;
}

static struct value lookup_value(struct scratch *scratch, char target, const struct guid *id)
{
	scratch->bytes[0] = target;
	guid_print(id, scratch->bytes + 1);
	return (struct value){ scratch->bytes, GUID_TEXT };
}

static struct value principal_value(const struct store *s, struct scratch *scratch,
				    uint16_t principal)
{
	bool team = principal & PRINCIPAL_TEAM;
	const struct table *t = &s->tables[team ? TABLE_TEAM : TABLE_SYSTEMUSER];

	return lookup_value(scratch, team ? '1' : '0', &t->records[principal & ~PRINCIPAL_TEAM].id);
}

static struct value number_value(struct scratch *scratch, uint64_t n)
{
	char *end = scratch->bytes + 32;
	char *at = end;

	do {
		*--at = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	return (struct value){ at, (size_t)(end - at) };
}

static struct value time_value(struct scratch *scratch, int64_t s)
{
	time_print(s, scratch->bytes);
	return (struct value){ scratch->bytes, TIME_TEXT - 1 };
}

static void append(struct scratch *scratch, size_t *len, const struct record *r, uint16_t column,
		   const char *before)
{
	size_t value_len;
	const char *bytes = column == NO_COLUMN ? NULL : row_get(r->row, column, &value_len);
	size_t gap = *len ? strlen(before) : 0;

	if (!bytes || *len + gap + value_len > sizeof(scratch->bytes))
		return;
	memcpy(scratch->bytes + *len, before, gap);
	memcpy(scratch->bytes + *len + gap, bytes, value_len);
	*len += gap + value_len;
}

/* Full name and composite address as a new organization forms them (first last; street, city, state
 * zip, country). */
static struct value joined_value(const struct column *c, const struct record *r,
				 struct scratch *scratch)
{
	static const char *const gaps[PARTNERS_MAX] = { "",   "\r\n", "\r\n", "\r\n",
							", ", " ",    "\r\n" };
	size_t len = 0;

	if (c->home == HOME_FULL_NAME) {
		append(scratch, &len, r, c->partners[0], "");
		append(scratch, &len, r, c->partners[1], " ");
	} else {
		for (size_t i = 0; i < PARTNERS_MAX; i++)
			append(scratch, &len, r, c->partners[i], gaps[i]);
	}
	return (struct value){ len ? scratch->bytes : NULL, len };
}

static struct value stored_value(const struct table *t, const struct record *r, uint16_t column)
{
	const struct column_def *def = t->columns[column].def;
	struct value v = { 0 };

	v.bytes = row_get(r->row, column, &v.len);
	if (!v.bytes && def->type == COLUMN_BOOLEAN && !def->added_later)
		return (struct value){ strcmp(def->name, "followemail") == 0 ? "1" : "0", 1 };
	return v;
}

struct value record_value(const struct store *s, const struct table *t, const struct record *r,
			  uint16_t column, struct scratch *scratch)
{
	const struct column *c = &t->columns[column];

	switch (c->home) {
	case HOME_ROW:
		return stored_value(t, r, column);
	case HOME_ID:
		guid_print(&r->id, scratch->bytes);
		return (struct value){ scratch->bytes, GUID_LENGTH };
	case HOME_VERSION:
		return number_value(scratch, r->version);
	case HOME_CREATED_ON:
		return time_value(scratch, r->created_on);
	case HOME_MODIFIED_ON:
		return time_value(scratch, r->modified_on);
	case HOME_CREATED_BY:
		return principal_value(s, scratch, r->created_by);
	case HOME_MODIFIED_BY:
		return principal_value(s, scratch, r->modified_by);
	case HOME_OWNER:
		return principal_value(s, scratch, r->owner);
	case HOME_OWNING_USER:
	case HOME_OWNING_TEAM:
		if ((c->home == HOME_OWNING_TEAM) != !!(r->owner & PRINCIPAL_TEAM))
			return (struct value){ 0 };
		return lookup_value(
			scratch, '0',
			&s->tables[c->home == HOME_OWNING_TEAM ? TABLE_TEAM : TABLE_SYSTEMUSER]
				 .records[r->owner & ~PRINCIPAL_TEAM]
				 .id);
	case HOME_BUSINESS_UNIT:
		return lookup_value(scratch, '0', &s->business_unit);
	case HOME_STATE:
		return number_value(scratch, r->state);
	case HOME_STATUS:
		return number_value(scratch, r->status);
	case HOME_MERGED:
		return (struct value){ r->merged ? "1" : "0", 1 };
	case HOME_FULL_NAME:
	case HOME_COMPOSITE:
		return joined_value(c, r, scratch);
	case HOME_BASE:
		return c->partners[0] == NO_COLUMN ? (struct value){ 0 }
						   : stored_value(t, r, c->partners[0]);
	case HOME_EXCHANGE_RATE:
		if (!stored_value(t, r, t->currency_column).bytes)
			return (struct value){ 0 };
		return (struct value){ "1.0000000000", strlen("1.0000000000") };
	}
	return (struct value){ 0 };
}

struct search {
	const struct table *table;
	const struct guid *id;
	uint16_t column;
	const char *bytes;
	size_t len;
	bool (*visit)(void *, uint32_t record);
	void *context;
	uint32_t found;
};

static uint32_t hash_id(const struct guid *id)
{
	return index_hash((const char *)id->bytes, sizeof(id->bytes), false);
}

static bool visit_id(void *context, uint32_t record)
{
	struct search *search = context;

	if (!guid_equal(&search->table->records[record].id, search->id))
		return true;
	search->found = record;
	return false;
}

uint32_t table_find(const struct table *t, const struct guid *id, bool even_gone)
{
	struct search search = { .table = t, .id = id, .found = NO_RECORD };

	index_find(&t->by_id, hash_id(id), visit_id, &search);
	if (search.found != NO_RECORD && t->records[search.found].gone && !even_gone)
		return NO_RECORD;
	return search.found;
}

static bool visit_text(void *context, uint32_t record)
{
	struct search *search = context;
	size_t len;
	const char *bytes = row_get(search->table->records[record].row, search->column, &len);

	if (!bytes || fold_compare(bytes, len, search->bytes, search->len) != 0)
		return true;
	return search->visit(search->context, record);
}

void table_find_text(const struct table *t, uint16_t column, const char *bytes, size_t len,
		     bool (*visit)(void *, uint32_t record), void *context)
{
	struct search search = { .table = t,
				 .column = column,
				 .bytes = bytes,
				 .len = len,
				 .visit = visit,
				 .context = context };

	index_find(column == t->key_column ? &t->by_key : &t->by_email, fold_hash(bytes, len),
		   visit_text, &search);
}

static void copy_item(void *context, uint16_t column, const char *bytes, size_t len)
{
	struct row **copy = context;

	*copy = row_set(*copy, column, bytes, len);
}

struct row *row_copy(const struct row *r)
{
	struct row *copy = NULL;

	row_each(r, copy_item, &copy);
	return copy;
}

static void reindex(struct index *x, uint16_t column, const struct record *before,
		    const struct record *after, uint32_t record)
{
	size_t old_len = 0, new_len = 0;
	const char *old =
		column == NO_COLUMN || before->gone ? NULL : row_get(before->row, column, &old_len);
	const char *new =
		column == NO_COLUMN || after->gone ? NULL : row_get(after->row, column, &new_len);

	if (old && new &&old_len == new_len && memcmp(old, new, new_len) == 0)
		return;
	if (old)
		index_remove(x, fold_hash(old, old_len), record);
	if (new)
		index_add(x, fold_hash(new, new_len), record);
}

/* Puts a row in its place, remembering the one before it while a transaction is open. */
static void place(struct store *s, struct table *t, uint32_t record, struct record after,
		  bool undoing)
{
	struct record *at = &t->records[record];

	reindex(&t->by_email, t->email_column, at, &after, record);
	reindex(&t->by_key, t->key_column, at, &after, record);
	if (s->in_transaction && !undoing) {
		if (s->undo_len == s->undo_cap) {
			s->undo_cap = s->undo_cap ? s->undo_cap * 2 : 64;
			s->undo = grown(s->undo, s->undo_cap, sizeof(*s->undo));
		}
		s->undo[s->undo_len++] = (struct undo){ t, record, *at };
	} else {
		row_free(at->row);
	}
	*at = after;
}

void table_log_as_was(struct table *t, uint64_t version, uint32_t record)
{
	if (t->log_len == t->log_cap) {
		t->log_cap = t->log_cap ? t->log_cap * 2 : 1024;
		t->log = grown(t->log, t->log_cap, sizeof(*t->log));
	}
	t->log[t->log_len++] = (struct change){ version, record };
}

static void log_change(struct store *s, struct table *t, uint32_t record)
{
	table_log_as_was(t, s->version, record);
}

static uint32_t table_slot(struct table *t, const struct guid *id)
{
	uint32_t record = table_find(t, id, true);

	if (record != NO_RECORD)
		return record;
	if (t->count == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 64;
		t->records = grown(t->records, t->cap, sizeof(*t->records));
	}
	record = t->count++;
	t->records[record] = (struct record){ .id = *id, .gone = true };
	index_add(&t->by_id, hash_id(id), record);
	return record;
}

uint32_t table_put(struct store *s, struct table *t, struct record after)
{
	uint32_t record = table_slot(t, &after.id);

	after.version = ++s->version;
	after.gone = false;
	place(s, t, record, after, false);
	log_change(s, t, record);
	return record;
}

void table_add_as_was(struct table *t, struct record was)
{
	uint32_t record = table_slot(t, &was.id);

	reindex(&t->by_email, t->email_column, &t->records[record], &was, record);
	reindex(&t->by_key, t->key_column, &t->records[record], &was, record);
	row_free(t->records[record].row);
	t->records[record] = was;
}

void table_remove(struct store *s, struct table *t, uint32_t record)
{
	struct record gone = { .id = t->records[record].id, .version = ++s->version, .gone = true };

	place(s, t, record, gone, false);
	log_change(s, t, record);
}

size_t table_log_after(const struct table *t, uint64_t version)
{
	size_t low = 0, high = t->log_len;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (t->log[middle].version <= version)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool table_wrote(const struct table *t, uint64_t version)
{
	size_t entry = table_log_after(t, version - 1);

	return entry < t->log_len && t->log[entry].version == version;
}

bool store_begin(struct store *s)
{
	if (s->in_transaction)
		return false;
	s->in_transaction = true;
	for (size_t i = 0; i < TABLE_COUNT; i++)
		s->log_marks[i] = s->tables[i].log_len;
	return true;
}

void store_commit(struct store *s)
{
	for (size_t i = 0; i < s->undo_len; i++)
		row_free(s->undo[i].before.row);
	s->undo_len = 0;
	s->in_transaction = false;
}

void store_rollback(struct store *s)
{
	while (s->undo_len) {
		struct undo *last = &s->undo[--s->undo_len];

		place(s, last->table, last->record, last->before, true);
	}
	for (size_t i = 0; i < TABLE_COUNT; i++)
		s->tables[i].log_len = s->log_marks[i];
	s->in_transaction = false;
}

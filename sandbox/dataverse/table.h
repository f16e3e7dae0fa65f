/* Tables, rows and versions: what the imitated service stores.
 * Every write gets the next number of one database-wide version counter and an entry in its table's
 * log, so that "what changed since" is a walk over the log's tail (Microsoft Learn: Use change
 * tracking to synchronize data). */
#ifndef SANDBOX_DATAVERSE_TABLE_H
#define SANDBOX_DATAVERSE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/index.h"
#include "base/row.h"
#include "dataverse/columns.h"
#include "dataverse/text.h"

#define NO_COLUMN UINT16_MAX
#define NO_RECORD UINT32_MAX
#define PRINCIPAL_TEAM 0x8000u /* an owner with this bit is a team, the rest is its record number */
#define PARTNERS_MAX 7

/* Where the value of a column comes from. */
enum column_home {
	HOME_ROW,
	HOME_ID,
	HOME_VERSION,
	HOME_CREATED_ON,
	HOME_MODIFIED_ON,
	HOME_CREATED_BY,
	HOME_MODIFIED_BY,
	HOME_OWNER,
	HOME_OWNING_USER,
	HOME_OWNING_TEAM,
	HOME_BUSINESS_UNIT,
	HOME_STATE,
	HOME_STATUS,
	HOME_MERGED,
	HOME_FULL_NAME,
	HOME_COMPOSITE,
	HOME_BASE,
	HOME_EXCHANGE_RATE,
};

/* A column as it is now: limits requests may have narrowed, secured or dropped it. */
struct column {
	const struct column_def *def;
	enum column_home home;
	uint32_t max_length;
	bool secured, dropped;
	uint16_t partners[PARTNERS_MAX]; /* columns a computed one is made of */
	char *wire;                      /* name in JSON: the name, or _name_value of a lookup */
	char *key;                       /* the same as "wire": */
	size_t key_len;
};

struct record {
	struct row *row; /* values of HOME_ROW columns */
	struct guid id;
	uint64_t version;
	int64_t created_on, modified_on;
	uint16_t created_by, modified_by, owner;
	uint8_t state, status;
	bool merged, gone;
};

struct change {
	uint64_t version;
	uint32_t record;
};

struct table {
	const struct table_def *def;
	enum table_id table;
	struct column *columns;
	uint16_t column_count;
	uint16_t id_column, email_column, key_column, currency_column;
	struct record *records;
	uint32_t count, cap; /* gone ones included */
	struct index by_id, by_email, by_key;
	struct change *log;
	size_t log_len, log_cap;
};

/* A row as it was before a transaction touched it. */
struct undo {
	struct table *table;
	uint32_t record;
	struct record before;
};

struct store {
	struct table tables[TABLE_COUNT];
	uint64_t version;
	struct guid business_unit;
	bool in_transaction;
	size_t log_marks[TABLE_COUNT];
	struct undo *undo;
	size_t undo_len, undo_cap;
};

/* Room for a value that is computed. */
struct scratch {
	char bytes[4096];
};

/* bytes NULL: empty. A lookup is one digit (which of its targets) and an identifier. */
struct value {
	const char *bytes;
	size_t len;
};

void store_init(struct store *s);
void store_free(struct store *s);

/* NULL when there is none. By entity set or by logical name. */
struct table *store_table_of_set(struct store *s, const char *set_name, size_t len);
struct table *store_table_of_name(struct store *s, const char *logical_name, size_t len);

/* NO_COLUMN when there is none, when it was dropped. table_column_of_wire takes the name used in
 * JSON and URLs and finds readable columns only. */
uint16_t table_column(const struct table *t, const char *name, size_t len);
uint16_t table_column_of_wire(const struct table *t, const char *wire, size_t len);

struct value record_value(const struct store *s, const struct table *t, const struct record *r,
			  uint16_t column, struct scratch *scratch);
/* The row of an identifier; NO_RECORD when there is none. A gone row is found only when asked for. */
uint32_t table_find(const struct table *t, const struct guid *id, bool even_gone);
/* Calls visit for every present row whose indexed column (e-mail, key) has this text, case aside. */
void table_find_text(const struct table *t, uint16_t column, const char *bytes, size_t len,
		     bool (*visit)(void *, uint32_t record), void *context);

/* A copy of the stored values, to be changed and handed to table_put. */
struct row *row_copy(const struct row *r);

/* Puts a row: a new one, or in place of the one with the same identifier. Takes after.row, gives it
 * the next version and returns its record number. */
uint32_t table_put(struct store *s, struct table *t, struct record after);
void table_remove(struct store *s, struct table *t, uint32_t record);
/* Is there a write with this version? Not when it was taken back. */
bool table_wrote(const struct table *t, uint64_t version);
/* Rows and log entries as they were, in the order they were in. */
void table_add_as_was(struct table *t, struct record was);
void table_log_as_was(struct table *t, uint64_t version, uint32_t record);
/* Index of the first log entry above a version. */
size_t table_log_after(const struct table *t, uint64_t version);

/* All writes between begin and commit can be taken back. begin returns false when a transaction is
 * open already: the one who opened it ends it. */
bool store_begin(struct store *s);
void store_commit(struct store *s);
void store_rollback(struct store *s);

#endif

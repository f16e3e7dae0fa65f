/* A fresh, migrated database for every test, and short ways to make rows. DATABASE_URL names the
 * server. */
#ifndef TEST_STORE_FIXTURE_H
#define TEST_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/postgres.h"

struct fixture {
	char *url; /* of the database of this test; owned */
	struct store store;
	struct arena memory;
	struct err err;
};

int fixture_empty(void **state); /* a database without tables */
int fixture_migrated(void **state);
int fixture_end(void **state);

struct store fixture_open(const struct fixture *f); /* another service on the same database */
void fixture_sql(const struct fixture *f, const char *sql);
int64_t fixture_number(const struct fixture *f,
		       const char *sql); /* the one number a query answers */

struct guid guid_number(uint64_t n);
/* A live link with slot_count fingerprints, the same on both sides. */
struct link *make_link(struct fixture *f, uint64_t n, int64_t person_id, size_t slot_count);
struct link *load_record(struct fixture *f, enum table table, uint64_t n); /* NULL: none */
struct link *load_person(struct fixture *f, int64_t person_id);
void check_same_link(const struct link *a, const struct link *b);

/* Lists: limit 0 asks for 100 rows. */
struct rowset fixture_list(const struct fixture *f, struct list_query query);
struct str cell(const struct rowset *r, size_t row, const char *name);
void check_cell(const struct rowset *r, size_t row, const char *name, const char *expected);
void check_count(const struct fixture *f, struct list_query query, size_t expected);

#define ok(call) check_worked((call), #call, __FILE__, __LINE__)
void check_worked(enum err_kind kind, const char *call, const char *file, int line);
extern struct err last_err; /* give it to calls inside ok() to see why one failed */

#endif

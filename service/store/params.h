/* Parameters and answers of statements in PostgreSQL's binary form ("PostgreSQL: libpq, Command
 * Execution Functions"): nothing is quoted, a unit with thousands of rows is one array a column.
 * Visible in this folder only. */
#ifndef STORE_PARAMS_H
#define STORE_PARAMS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/guid.h"

enum { PARAMS_MAX = 32 };

/* One element type of an array, in the order of the table in params.c. */
enum element {
	ELEMENT_BOOL,
	ELEMENT_BYTES,
	ELEMENT_INT64,
	ELEMENT_INT32,
	ELEMENT_TEXT,
	ELEMENT_TIME,
	ELEMENT_GUID,
	ELEMENT_COUNT
};

struct params {
	struct buf value[PARAMS_MAX]; /* owned */
	bool is_null[PARAMS_MAX];
	unsigned count;
};

void params_release(struct params *p);
bool params_full(const struct params *p); /* something did not fit: the statement must not run */

/* Scalars, in the order of the statement's numbers. Times are milliseconds since 1970; 0 is null. */
void params_bool(struct params *p, bool b);
void params_int64(struct params *p, int64_t n);
void params_text(struct params *p,
		 struct str s); /* broken UTF-8 and NUL, which PostgreSQL refuses, become U+FFFD */
void params_guid(struct params *p, const struct guid *g);
void params_bytes(struct params *p, struct str bytes);
void params_time(struct params *p, int64_t ms);

/* Starts an array of exactly count elements, to be added one by one with the functions below. */
struct buf *params_array(struct params *p, enum element e, size_t count);
void array_bool(struct buf *a, bool b);
void array_bytes(struct buf *a, struct str bytes);
void array_null(struct buf *a);
void array_int64(struct buf *a, int64_t n);
void array_int32(struct buf *a, int64_t n);
void array_text(struct buf *a, struct str s);
void array_time(struct buf *a, int64_t ms);
void array_guid(struct buf *a, const struct guid *g);

struct pg_result;
struct answer {
	struct pg_result *result; /* owned; NULL before it was asked */
};

void answer_release(struct answer *a);
size_t answer_rows(const struct answer *a);
size_t answer_changed(const struct answer *a); /* rows written by a statement that returns none */
bool answer_null(const struct answer *a, size_t row, int column);
bool answer_bool(const struct answer *a, size_t row, int column);
int64_t answer_int(const struct answer *a, size_t row, int column); /* of any width; null is 0 */
int64_t answer_ms(const struct answer *a, size_t row, int column);  /* null is 0 */
struct guid answer_guid(const struct answer *a, size_t row, int column); /* null is zero */
struct str answer_bytes(const struct answer *a, size_t row,
			int column); /* text too; view into the answer */

/* A cell as text for people, and its kind, whatever the column's type. */
enum answer_kind { ANSWER_TEXT, ANSWER_NUMBER, ANSWER_BOOLEAN, ANSWER_TIME };
enum answer_kind answer_kind(const struct answer *a, int column);
struct str answer_print(const struct answer *a, size_t row, int column, struct arena *memory);
int answer_columns(const struct answer *a);
const char *answer_name(const struct answer *a, int column);

#endif

/* Dataverse rows and values in JSON, and the canonical values of core: both ways, pure. Names of
 * tables and columns, column lists, filters. Knows nothing of sending ("Microsoft Learn: Web API
 * types and operations", "Use change tracking"). */
#ifndef REMOTE_DYNAMICS_WIRE_H
#define REMOTE_DYNAMICS_WIRE_H

#include <json-c/json.h>

#include "base/buf.h"
#include "remote/remote.h"

const char *dynamics_set_name(enum table t);  /* "contacts" */
const char *dynamics_id_column(enum table t); /* "contactid" */

/* ---- values ---- */

/* The canonical value of a column as a mapped field shows it. What cannot be read as the column's
 * type is UNSEEN: taken as unchanged, never as empty. NULL is the null of JSON. */
struct value dynamics_value_read(struct arena *a, const struct mapped_field *field,
				 const struct column *column, struct json_object *json);

/* Adds the JSON of a value as the column takes it. ERR_REFUSED with err->field when the column
 * cannot hold it. */
enum err_kind dynamics_value_write(struct arena *a, const struct column *column,
				   const struct value *v, struct buf *out, struct err *err);

/* "W/\"7718123\"" -> 7718123; 0 when it is no such text. */
int64_t dynamics_version(struct str etag);

/* ---- rows ---- */

/* What is read of a table for one mapping, in the order of its fields. */
struct dynamics_projection {
	const struct mapping *mapping;
	enum table table;
	const char **names; /* per mapped field; NULL: not read */
	bool has_labels;    /* some are names of other rows, which come as annotations only */
	const char *filter; /* name of the sync filter's column; NULL: the table has none */
	char *select;       /* "a,b,c" with what is always read */
	uint64_t selection; /* tells one list of columns from another */
};

/* has_origin: the table tells which lead a row was qualified from; only Dynamics 365 Sales adds
 * that. */
void dynamics_project(const struct mapping *m, enum table t, bool has_origin, struct arena *a,
		      struct dynamics_projection *ret);

/* ERR_RUBBISH when the row has no id. */
enum err_kind dynamics_row_read(const struct dynamics_projection *p, struct json_object *row,
				struct arena *a, struct record *ret, struct err *err);

/* Entry of a change feed that tells of a deletion; false when it is none. */
bool dynamics_row_is_deleted(struct json_object *row);

/* ---- texts ---- */

/* Adds Microsoft.Dynamics.CRM.In(PropertyName='...',PropertyValues=["..."]), percent-encoded. */
void dynamics_filter_in(struct buf *out, const char *column, const struct str *values,
			size_t count);

/* A place in a change feed: the columns it was started with, whether it is the middle of a full
 * scan, the address. A reading of several pages carries along from which version on rows of its
 * pages may have changed since; when its pages are read, these rows are read again (is_guarding),
 * and the address is the one to go on from afterwards. */
struct dynamics_cursor {
	uint64_t selection;
	bool is_full_scan;
	bool is_guarding;
	int64_t guard;     /* rows with a higher version; 0: none is known */
	int64_t guard_end; /* is_guarding: up to this one */
	struct str url;
};

MUST_CHECK bool dynamics_cursor_read(struct str text, struct dynamics_cursor *ret);
struct str dynamics_cursor_print(struct arena *a, const struct dynamics_cursor *c);

#endif

/* Persons between Marketo's JSON and canonical values, and describe's columns. Pure. */
#ifndef REMOTE_MARKETO_VALUE_H
#define REMOTE_MARKETO_VALUE_H

#include "base/buf.h"
#include "core/record.h"
#include "remote/json.h"
#include "remote/remote.h"

/* Names to ask for, comma-separated. Of a person: id, the mapped columns, the stamp. Of the change
 * feed: the mapped columns (id when there is none, for the list may not be empty). */
void marketo_person_fields(const struct mapping *m, struct buf *out);
void marketo_change_fields(const struct mapping *m, struct buf *out);

/* One element of "result". ERR_RUBBISH when it is no person at all; a single odd value is
 * VALUE_UNSEEN. */
enum err_kind marketo_person_read(struct json_object *element, const struct mapping *m,
				  struct arena *a, struct record **ret, struct err *err);

/* A value in the text it came as; NULL: none. What is not of the field's kind is seen as the text
 * it is, so that the other side's column can refuse it by name. */
struct value marketo_text_value(const struct str *text, const struct mapped_field *f,
				struct arena *a);
/* What a person's stamp says; empty texts: nothing. */
void marketo_stamp_set(struct record *r, struct str record_id, struct str type, bool is_deleted);

/* One member of "fields" of a change-log entry: fills index, was and now when the field is mapped
 * and the log's display texts can be told apart by value; false when they cannot. Adobe:
 * Activities, Get Lead Changes. */
bool marketo_field_change_read(struct json_object *element, const struct mapping *m,
			       struct arena *a, struct change *ret);

/* The object for Sync Leads, with its key: "id" of an update, the stamp's GUID of a create. */
void marketo_person_print(const struct write *w, const struct mapping *m, struct buf *out);

/* One element of describe. False: it is not reachable by REST. */
bool marketo_column_read(struct json_object *element, struct arena *a, struct column *ret);

#endif

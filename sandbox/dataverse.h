/* What the files of the imitated Dataverse share: its state, one call being answered, and who
 * answers what. Everything here is used under the state's lock unless it says otherwise. */
#ifndef SANDBOX_DATAVERSE_H
#define SANDBOX_DATAVERSE_H

#include <json-c/json.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataverse_failure.h"
#include "dataverse_limit.h"
#include "dataverse_table.h"
#include "dataverse_user.h"
#include "side.h"
#include "text.h"
#include "web.h"

#define ODATA_ERROR "0x80060888"   /* addresses and queries that make no sense */
#define ADDRESS_MAX 32768          /* letters; twice as many in a part of a batch */
#define PAYLOAD_ERROR "0x80048d19" /* bodies that make no sense */

/* A custom plug-in that rejects a value, as a customer's may (Microsoft Learn: Web service error
 * codes, IsvAborted). */
struct plugin {
	bool rejects;
	char table[64], column[64], equals[256], message[512];
};

struct settings {
	int token_seconds, dop_hint, tracking_days;
	struct plugin plugin;
	uint8_t denied[TABLE_COUNT]
		      [256]; /* by column: bits of users the secured column is closed to */
};

struct dataverse {
	pthread_mutex_t lock;
	struct store store;
	struct settings settings;
	struct limiter *limiter; /* has a lock of its own */
	uint64_t metadata_version;
};

struct prefer {
	bool representation, track_changes, continue_on_error;
	int page_size; /* 0: not asked */
	char annotations[512];
};

/* What a change set has made so far, by Content-ID. */
struct reference {
	char content_id[40];
	struct text target; /* contacts(<id>) */
};

struct references {
	struct reference *items;
	size_t count;
};

struct call {
	struct dataverse *dataverse;
	const struct user *user;
	const struct web_request *request;
	struct web_response *response;
	struct text root; /* http://host/api/data/v9.2/ */
	struct text path; /* below the root, decoded */
	struct prefer prefer;
	struct failure failure;
	size_t address_max;            /* longest path and query; 0: not checked */
	struct references *references; /* NULL outside a change set */
	const struct table
		*written_table; /* the row this call wrote, for a change set's references */
	struct guid written;
};

/* --- dataverse_call.c: the frame of a call --- */
/* The version segment of an API path and what follows; NULL when the path is not below the API
 * root. */
const char *call_rest_of(const char *path, size_t *ret_root_len);
void call_begin(struct call *c);
void call_end(struct call *c);
bool call_refuse(struct call *c, int status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Writes the failure as the answer. */
void call_write_failure(struct call *c);
bool call_option(const struct call *c, const char *name, struct text *ret);
bool call_wants_annotation(const struct call *c, const char *name);
bool call_wants_any_annotation(const struct call *c);
const char *call_header(const struct call *c, const char *name);
/* Status and headers of an answer with JSON. */
void call_json(struct call *c, int status);
void call_no_content(struct call *c);
/* {"@odata.context":"<root>$metadata#<fmt>" : the caller goes on with a comma or closes. */
void call_context(struct call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void call_preferences_applied(struct call *c);
/* The body as an object; NULL with the failure filled. The caller puts it. */
struct json_object *call_body(struct call *c);

/* --- dataverse_value.c: values in and out --- */
bool value_is_lookup(const struct column *c);
/* JSON into the stored form (empty text: clear). The set name is for the text of a refusal. */
bool value_read(const struct table *t, const struct column *c, struct json_object *json,
		struct text *ret, bool *ret_null, struct failure *failure);
void value_write(struct text *out, const struct column *c, struct value v);
/* The logical name of the table a stored lookup points to, its navigation name and its identifier. */
void value_lookup(const struct column *c, struct value v, char *target, char *navigation,
		  size_t size, struct guid *id);
/* The label or text a person would see; false when there is none. */
bool value_formatted(const struct store *s, const struct column *c, struct value v,
		     struct text *out);
/* Stored numbers stand without a NUL at their end. */
double value_number(const char *bytes, size_t len);
/* May the user see and change the secured column? */
bool value_readable(const struct call *c, const struct table *t, uint16_t column);

/* --- dataverse_select.c: which columns an answer shows, and a row as JSON --- */
struct projection {
	uint16_t columns[256];
	size_t count; /* all to write */
	size_t named; /* those of $select, for the context */
	bool all;     /* no $select */
	bool has_id;
};
bool select_parse(struct call *c, const struct table *t, struct projection *ret);
void select_context(const struct projection *p, const struct table *t,
		    struct text *out); /* (a,b) or nothing */
void select_write(struct call *c, const struct table *t, uint32_t record,
		  const struct projection *p, struct text *out);
/* One row as the whole answer. */
void select_answer(struct call *c, const struct table *t, uint32_t record,
		   const struct projection *p, int status);

/* --- dataverse_key.c: addressing a row --- */
struct key {
	bool alternate;
	struct guid id;
	struct text value; /* of the alternate key */
};
/* contacts(…): the part between the parentheses. */
bool key_parse(struct call *c, const struct table *t, const char *s, size_t len, struct key *ret);
/* NO_RECORD with the failure filled when there is none. */
uint32_t key_find(struct call *c, const struct table *t, const struct key *key);
uint32_t key_find_quietly(const struct table *t, const struct key *key);
void key_free(struct key *key);
/* A reference as in @odata.bind: relative or absolute address, or $<Content-ID>. */
bool key_parse_address(struct call *c, const char *address, struct table **ret_table,
		       struct key *ret);

/* --- dataverse_write.c: the rules of writing a row --- */
struct edit {
	uint16_t column;
	bool null;
	size_t at, len; /* in the text of the edits */
};
struct edits {
	struct edit *items;
	size_t count, cap;
	struct text bytes;
	bool has_id;
	struct guid id;
};
/* A JSON object into validated edits. */
bool edits_read(struct call *c, struct table *t, struct json_object *body, bool creating,
		struct edits *ret);
void edits_free(struct edits *e);
void edits_add(struct edits *e, uint16_t column, const char *bytes, size_t len);
void edits_drop(struct edits *e, uint16_t column);
const struct edit *edits_find(const struct edits *e, uint16_t column);
bool write_create(struct call *c, struct table *t, const struct edits *e, const struct guid *id,
		  uint32_t *ret_record);
bool write_update(struct call *c, struct table *t, uint32_t record, const struct edits *e);
bool write_delete(struct call *c, struct table *t, uint32_t record);

/* --- the answers; each returns false with the failure filled --- */
bool row_create(struct call *c, struct table *t); /* dataverse_row.c */
bool row_retrieve(struct call *c, struct table *t, const struct key *key);
bool row_patch(struct call *c, struct table *t, const struct key *key);
bool row_delete(struct call *c, struct table *t, const struct key *key);
bool property_answer(struct call *c, struct table *t, const struct key *key,
		     const char *name);                 /* dataverse_property.c */
bool query_collection(struct call *c, struct table *t); /* dataverse_query.c */
bool query_count(struct call *c, struct table *t);
bool delta_collection(struct call *c, struct table *t); /* dataverse_delta.c */
bool delta_count(struct call *c, struct table *t);
bool metadata_answer(struct call *c, const char *path); /* dataverse_metadata.c */
bool metadata_document(struct call *c);                 /* dataverse_service.c */
bool service_document(struct call *c);
bool action_bulk(struct call *c, struct table *t, const char *name); /* dataverse_bulk.c */
bool action_qualify(struct call *c, struct table *t,
		    const struct key *key); /* dataverse_action.c */
bool action_merge(struct call *c);
bool function_answer(struct call *c, const char *name);
bool function_of_user(struct call *c, const struct key *key, const char *name);

/* --- dataverse_page.c: paging --- */
struct page_position {
	unsigned int page;
	bool tracking;
	uint64_t version; /* of the database when the first page was asked */
	uint64_t at;      /* where the page starts: the meaning belongs to the query */
	bool deleted;     /* a delta's second part */
};
bool page_read(struct call *c, struct page_position *ret);
void page_link(struct call *c, const struct table *t, const struct page_position *next,
	       struct text *out);
int page_size(const struct call *c);

/* --- not under the lock --- */
void dataverse_dispatch(struct call *c); /* routes and answers a call; the caller holds the lock */
void batch_answer(struct call *c);       /* dataverse_batch.c; takes the lock part by part */
void token_answer(struct dataverse *d, const struct web_request *r, struct web_response *response);
const struct user *token_user(const struct web_request *r); /* NULL: no valid bearer */
void token_unauthorized(const struct web_request *r, struct web_response *response);
/* The name of the user a call comes from, by bearer or by client id; "" when unknown. */
const char *token_user_name(const struct web_request *r);

/* dataverse_settings.c */
void settings_reset(struct dataverse *d);
bool settings_read(struct dataverse *d, const char *json, struct text *error);

#endif

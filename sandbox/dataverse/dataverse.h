/* What the files of the imitated Dataverse share: its state, one call being answered, and who
 * answers what. Everything here is used under the state's lock unless it says otherwise. */
#ifndef SANDBOX_DATAVERSE_H
#define SANDBOX_DATAVERSE_H

#include <json-c/json.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/side.h"
#include "base/text.h"
#include "base/web.h"
#include "dataverse/certificate.h"
#include "dataverse/failure.h"
#include "dataverse/limit.h"
#include "dataverse/table.h"
#include "dataverse/user.h"

#define ODATA_ERROR "0x80060888"   /* addresses and queries that make no sense */
#define ADDRESS_MAX 32768          /* letters; twice as many in a part of a batch */
#define PAYLOAD_ERROR "0x80048d19" /* bodies that make no sense */
#define METADATA_VERSION "Microsoft.Dynamics.CRM.globalmetadataversion"
#define BATCH_PATH "$batch" /* below the API root */

/* A custom plug-in that rejects a value, as a customer's may (Microsoft Learn: Web service error
 * codes, IsvAborted). */
struct plugin {
	bool rejects;
	int status;
	char code[12], table[64], column[64], equals[256], message[512];
};

/* One that changes the text of a column while it is saved. */
struct plugin_rewrite {
	void (*change)(struct text *out, const char *bytes, size_t len); /* NULL: off */
	char table[64], column[64];
};

/* One that edits a written row later, as the user who wrote it. */
struct plugin_edit {
	bool on;
	int64_t after_s;
	char table[64], column[64], value[256];
};

struct waiting_edit {
	enum table_id table;
	struct guid id;
	uint64_t version; /* of the write */
	uint16_t user;
	int64_t due_s;
};

struct waiting_edits {
	struct waiting_edit *items;
	size_t count, cap;
};

/* What an administrator did to an application user. */
enum user_state { USER_ENABLED, USER_DISABLED, USER_ROLELESS };

struct settings {
	int token_seconds, dop_hint, tracking_days;
	int page_rows;         /* most rows of a page */
	int webhook_ms;        /* how long a webhook may take */
	bool filter_column;    /* an administrator made the column new_synctomkto */
	bool delta_token_last; /* a delta link names the version at the last page, not the first */
	bool duplicate_rules[TABLE_COUNT]; /* published: same e-mail address */
	struct plugin plugin;
	struct plugin_rewrite rewrite;
	struct plugin_edit edit;
	enum user_state user_states[USER_COUNT];
	int token_refusal[USER_COUNT]; /* the number after AADSTS; 0: none */
	uint8_t denied[TABLE_COUNT]
		      [256]; /* by column: bits of users the secured column is closed to */
	uint8_t read_only[TABLE_COUNT][256]; /* and of those who may only read it */
};

struct dataverse {
	pthread_mutex_t lock;
	struct store store;
	struct settings settings;
	struct limiter *limiter; /* has a lock of its own */
	uint64_t metadata_version;
	struct certificates certificates;
	struct waiting_edits waiting;
	struct delivery *held;   /* posts of writes that may yet be taken back, the last first */
	unsigned int generation; /* counts resets */
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

/* Custom logic the call passes by. */
struct bypass {
	bool sync, async;
	const char *steps; /* identifiers of steps; NULL: none. The request's */
};

struct call {
	struct dataverse *dataverse;
	const struct user *user;
	const struct web_request *request;
	struct web_response *response;
	struct guid id;               /* of the request */
	const struct user *on_behalf; /* who called, when user is impersonated; else NULL */
	struct user acting;
	char acting_name[64];
	struct text root; /* http://host/api/data/v9.2/ */
	struct text path; /* below the root, decoded */
	struct prefer prefer;
	struct bypass bypass;
	struct failure failure;
	bool in_batch;
	size_t address_max;            /* longest path and query; 0: not checked */
	struct references *references; /* NULL outside a change set */
	const struct table
		*written_table; /* the row this call wrote, for a change set's references */
	struct guid written;
};

/* --- call.c: the frame of a call --- */
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
/* Those that an answer of this kind obeys. */
void call_preferences_applied(struct call *c, bool of_collection);
/* The body as an object; NULL with the failure filled. The caller puts it. */
struct json_object *call_body(struct call *c);

/* --- option.c: query options --- */
/* Refuses every option but these, parameter aliases and the tag. The list ends with NULL. */
bool options_offered(struct call *c, const char *const *offered);
bool options_none(struct call *c);

/* --- argument.c: arguments of functions --- */
/* arguments: from the parenthesis on. Each refuses when there is none or it is of another type. */
bool argument(struct call *c, const char *arguments, const char *name, struct text *ret);
bool argument_text(struct call *c, const char *arguments, const char *name, struct text *ret);
struct json_object *argument_json(struct call *c, const char *arguments, const char *name,
				  enum json_type type); /* the caller puts it */

/* --- header.c: optional headers --- */
bool headers_read(struct call *c);
/* Does the call pass this step by? */
bool header_bypasses(const struct call *c, const struct guid *step);

/* --- value.c: values in and out --- */
bool value_is_lookup(const struct column *c);
const char *value_edm_type(const struct column *c);
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
/* May the user see, may the user change the secured column? */
bool value_readable(const struct call *c, const struct table *t, uint16_t column);
bool value_changeable(const struct call *c, const struct table *t, uint16_t column);

/* Which of a lookup's navigation names this is, compared with case; -1 when none. */
int lookup_navigation(const struct column_def *def, const char *name, size_t len);

/* --- relation.c: the collections at the other end of lookups --- */
struct relation {
	const char *name;
	enum table_id one, many;
	const char *navigation; /* of the many, towards the one */
};
/* NULL when the table has no such collection. */
const struct relation *relation_named(const char *name, size_t len, const struct table *t);

/* Those of a table as navigation properties of the CSDL document. */
void relations_write(const struct table *t, struct text *out);

/* --- select.c: which columns an answer shows, and a row as JSON --- */
struct projection {
	uint16_t columns[256];
	size_t count;                 /* all to write */
	size_t named;                 /* those of $select, for the context */
	bool all;                     /* no $select */
	struct expansion *expansions; /* rows shown inside, by $expand */
	size_t expansion_count;
};
/* $select and $expand of the call; the caller frees what it got. */
bool select_parse(struct call *c, const struct table *t, struct projection *ret);
void select_free(struct projection *p);
/* A list of columns; NULL or empty: all. */
bool select_parse_list(struct call *c, const struct table *t, const char *list,
		       struct projection *ret);
void select_context(const struct projection *p, const struct table *t,
		    struct text *out); /* (a,b) or nothing */
void select_write(struct call *c, const struct table *t, uint32_t record,
		  const struct projection *p, struct text *out);
/* One row as the whole answer. */
void select_answer(struct call *c, const struct table *t, uint32_t record,
		   const struct projection *p, int status);

/* --- join.c: rows shown inside another --- */
/* left: how many more the query may have. */
bool expand_parse(struct call *c, const struct table *t, const char *list, struct projection *p,
		  int *left);
void expand_free(struct projection *p);
void expand_context(const struct projection *p, bool comma, struct text *out);
void expand_write(struct call *c, const struct table *t, const struct record *r,
		  const struct projection *p, struct text *out);

/* --- key.c: addressing a row --- */
struct key {
	bool alternate;
	struct guid id;
	struct text value; /* of the alternate key */
};
/* contacts(…): the part between the parentheses. */
bool key_parse(struct call *c, const struct table *t, const char *s, size_t len, struct key *ret);
/* Refuses the name of an entity set there is not. */
bool key_no_table(struct call *c, const char *name, size_t len);
/* NO_RECORD with the failure filled when there is none. */
uint32_t key_find(struct call *c, const struct table *t, const struct key *key);
uint32_t key_find_quietly(const struct table *t, const struct key *key);
void key_free(struct key *key);
/* A reference as in @odata.bind: relative or absolute address, or $<Content-ID>. */
bool key_parse_address(struct call *c, const char *address, struct table **ret_table,
		       struct key *ret);

/* --- write.c: the rules of writing a row --- */
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
	struct json_object *body; /* where they come from, for related rows; not owned */
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

/* --- duplicate.c --- */
/* Refuses when the caller asked for duplicate detection and a rule finds another row. */
bool duplicate_none(struct call *c, const struct table *t, const struct edits *e, uint32_t self);
bool duplicate_retrieve(struct call *c, const char *arguments);

/* --- plugin.c --- */
bool plugin_agrees(struct call *c, const struct table *t, const struct edits *e);
void plugin_rewrite(struct call *c, const struct table *t, const struct edits *e, struct record *r);
/* "trim", "upper" or "lower"; false when it is none. */
bool plugin_change_named(const char *name, struct plugin_rewrite *ret);
/* NULL: none. */
const char *plugin_change_name(const struct plugin_rewrite *p);
/* The background has to do this edit when it is due. */
void plugin_wait(struct dataverse *d, const struct waiting_edit *edit);
/* A row is about to be written by a caller: the plug-in in the background will see it. */
void plugin_note_written(struct call *c, const struct table *t, const struct guid *id);
/* What the background has to do by now. */
void plugin_run_due(struct dataverse *d);
void plugin_forget(struct dataverse *d);

/* --- hook.c --- */
/* Refuses service endpoints and steps that are not imitated. */
bool hook_row_allowed(struct call *c, const struct table *t, const struct record *r);
/* A row was just written: prepares the posts it sets off. edits NULL: deleted, r as it was. */
void hook_written(struct call *c, const struct table *t, const struct record *r,
		  const struct edits *edits, const char *message);
/* No transaction is open: posts what stands. */
void hook_flush(struct dataverse *d);

/* --- deep.c --- */
/* The row a navigation property holds, created; the lookup is added to the edits. */
bool deep_create_target(struct call *c, const struct table *t, const char *navigation,
			struct json_object *body, struct edits *into);
/* The rows the collections of a body hold, created as the parent's. */
bool deep_create_children(struct call *c, const struct table *t, const struct guid *parent,
			  struct json_object *body);

/* --- impersonate.c --- */
/* Makes c->user the one the headers name. */
bool impersonate(struct call *c);
void impersonate_note(const struct call *c, const struct table *t, struct record *r, bool creating);

/* --- message.c --- */
void message_seed(struct store *s);

/* --- the answers; each returns false with the failure filled --- */
bool row_create(struct call *c, struct table *t); /* row.c */
bool row_retrieve(struct call *c, struct table *t, const struct key *key);
/* The row of a navigation property, as if it had been asked for by its own address. */
bool row_show(struct call *c, const struct table *t, uint32_t record);
/* If-Match and If-None-Match of a call that writes a present row. */
bool row_conditions_met(struct call *c, const struct table *t, uint32_t record);
bool row_patch(struct call *c, struct table *t, const struct key *key);
bool row_delete(struct call *c, struct table *t, const struct key *key);
bool property_answer(struct call *c, struct table *t, const struct key *key,
		     const char *name);                 /* property.c */
bool query_collection(struct call *c, struct table *t); /* query.c */
bool query_count(struct call *c, struct table *t);
/* The rows of many whose lookup points to a row; counting: only how many. */
bool query_related(struct call *c, const struct relation *relation, uint32_t one, bool counting);
bool delta_collection(struct call *c, struct table *t); /* delta.c */
bool delta_count(struct call *c, struct table *t);
bool metadata_answer(struct call *c, const char *path); /* metadata.c */
bool metadata_document(struct call *c);                 /* service.c */
bool service_document(struct call *c);
bool action_bulk(struct call *c, struct table *t, const char *name); /* bulk.c */
/* Refuses a body with other members than the action has; the list ends with NULL. */
bool parameters_known(struct call *c, struct json_object *body, const char *action,
		      const char *const *known);
bool action_qualify(struct call *c, struct table *t, const struct key *key); /* action.c */
bool action_merge(struct call *c);
bool function_answer(struct call *c, const char *name);
bool function_of_user(struct call *c, const struct key *key, const char *name); /* principal.c */

/* --- page.c: paging --- */
struct page_position {
	unsigned int page;
	bool tracking;
	uint64_t version; /* of the database when the first page was asked */
	uint64_t at;      /* where the page starts: the meaning belongs to the query */
	bool deleted;     /* a delta's second part */
};
bool page_read(struct call *c, struct page_position *ret);
void page_link(struct call *c, const struct page_position *next, struct text *out);
int page_size(const struct call *c);

/* --- not under the lock --- */
/* Refuses callers without a working user. */
bool route_admits(struct call *c);
void route_answer(struct call *c); /* route.c: any call but a batch; the caller holds the lock */
void batch_answer(struct call *c); /* batch.c; takes the lock part by part */
/* token.c */
void token_make(struct text *out, const struct user *u, const char *audience, int seconds);
const struct user *token_user(const struct web_request *r); /* NULL: no valid bearer */
void token_unauthorized(const struct web_request *r, struct web_response *response);
/* grant.c: the token endpoint */
void grant_answer(struct dataverse *d, const struct web_request *r, struct web_response *response);
/* The name of the user a call comes from, by bearer or by client id; "" when unknown. */
const char *grant_user_name(const struct web_request *r);
/* Is there a refusal with this number after AADSTS? */
bool grant_code_known(int code);

/* state.c */
void dataverse_save(void *self, struct state_writer *);
bool dataverse_restore(void *self, struct state_reader *);

/* settings.c */
void settings_reset(struct dataverse *d);
bool settings_read(struct dataverse *d, const char *json, struct text *error);

#endif

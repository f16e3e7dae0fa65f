/* The imitated Marketo instance: what its files share. One lock (in struct marketo) guards
 * everything here; the handlers of marketo_lead.c and its like run with it held. */
#ifndef SANDBOX_MARKETO_H
#define SANDBOX_MARKETO_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "index.h"
#include "row.h"
#include "side.h"
#include "text.h"
#include "web.h"

struct json_object;

/* ---- users and tokens (marketo_token.c) ---- */

enum right {
	RIGHT_READ_LEAD = 1 << 0,
	RIGHT_WRITE_LEAD = 1 << 1,
	RIGHT_READ_ACTIVITY = 1 << 2,
	RIGHT_WRITE_ACTIVITY = 1 << 3,
	RIGHT_READ_METADATA = 1 << 4, /* custom activity types */
	RIGHT_WRITE_METADATA = 1 << 5,
	RIGHT_READ_SCHEMA = 1 << 6, /* fields */
	RIGHT_WRITE_SCHEMA = 1 << 7,
	RIGHT_READ_COMPANY = 1 << 8,
	RIGHT_WRITE_COMPANY = 1 << 9,
	RIGHT_READ_SALES_PERSON = 1 << 10,
	RIGHT_WRITE_SALES_PERSON = 1 << 11,
	RIGHT_READ_CAMPAIGN = 1 << 12,
	RIGHT_RUN_CAMPAIGN = 1 << 13,
};

struct user {
	const char *name, *login, *client_id, *client_secret;
	unsigned int rights;
};

enum { USER_COUNT = 5, USER_NONE = -1 };
extern const struct user marketo_users[USER_COUNT];

struct token {
	char text[48];
	int64_t expires_ms;
	int user;
	bool told; /* 602 was said once; from then on 601 */
};

enum { TOKENS_KEPT = 256 };

struct tokens {
	struct token kept[TOKENS_KEPT]; /* the newest and their forerunners, a ring */
	size_t next;
	int current[USER_COUNT]; /* position in kept plus one; 0: none */
};

/* ---- limits and usage (marketo_quota.c) ---- */

struct limits {
	bool enforce;
	bool query_token;      /* take the token from the query too, as before the switch-off */
	bool unknown_is_empty; /* an unknown lead id gives an empty result instead of 1004 */
	int64_t per_day, per_window, window_s, concurrent;
	int64_t token_s;
	int64_t late_commit_s; /* every entry of the change log appears so much later */
	int64_t latency_ms;    /* every call takes so long */
	int64_t scan_events;   /* entries of the change log looked at for one page */
	int64_t export_s;      /* a bulk extract is at work for so long */
	int64_t import_s;      /* a bulk import is at work for so long */
	int64_t export_bytes_per_day;
	bool export_updated;    /* the filters that small subscriptions lack */
	bool export_fails;      /* every bulk extract does */
	bool export_loses_file; /* completed, and yet the file is not there */
	int64_t other_calls;    /* calls of other consumers, part of today's count */
};

enum { WINDOW_MAX = 10000, ERROR_KINDS_MAX = 64, USAGE_DAYS = 7 };

struct usage_day {
	int64_t day; /* days since 1970, US Central */
	int64_t by_user[USER_COUNT];
	int64_t others; /* of a day gone by: otherCalls as it was */
	struct {
		int code;
		int64_t count;
	} errors[ERROR_KINDS_MAX];
};

struct usage {
	struct usage_day days[USAGE_DAYS]; /* today and those before it */
	int64_t window[WINDOW_MAX];        /* times of the last counted calls, a ring */
	size_t window_next;
	int in_flight;
};

/* ---- fields (marketo_field.c) ---- */

enum field_type {
	TYPE_STRING,
	TYPE_TEXT,
	TYPE_EMAIL,
	TYPE_PHONE,
	TYPE_URL,
	TYPE_INTEGER,
	TYPE_FLOAT,
	TYPE_BOOLEAN,
	TYPE_DATE,
	TYPE_DATETIME,
	TYPE_CURRENCY,
	TYPE_PERCENT,
	TYPE_SCORE,
	TYPE_REFERENCE,
};
enum { TYPE_COUNT = TYPE_REFERENCE + 1 };

struct field_type_info {
	const char *name;
	int length;     /* told by describe; 0: none */
	bool creatable; /* through the API */
	bool words;     /* the JSON form is a string */
	bool lookup;    /* a custom field of it can be looked up by */
};
extern const struct field_type_info field_types[TYPE_COUNT];

/* Columns the code itself names; the table of standard fields begins with them. */
enum {
	COLUMN_ID,
	COLUMN_EMAIL,
	COLUMN_FIRST_NAME,
	COLUMN_LAST_NAME,
	COLUMN_CREATED_AT,
	COLUMN_UPDATED_AT,
	COLUMN_PARTITION,
	COLUMN_FULL_NAME,
	COLUMN_UNSUBSCRIBED,
	COLUMN_LEAD_SCORE,
	COLUMN_EXTERNAL_COMPANY,
	COLUMN_EXTERNAL_SALES_PERSON,
};

enum field_flag {
	FIELD_READ_ONLY = 1 << 0,
	FIELD_SCORE = 1 << 1,   /* a change is told twice, as 22 and 13 */
	FIELD_DERIVED = 1 << 2, /* not stored in the row */
	FIELD_CUSTOM = 1 << 3,
	FIELD_HIDDEN = 1 << 4,
	FIELD_COMPANY = 1 << 5, /* of a linked person: the company's value */
};

enum field_index { FIELD_NOT_INDEXED, FIELD_INDEXED, FIELD_INDEX_USELESS };

struct field {
	const char *name, *display, *soap; /* of custom fields: allocated */
	char *description;
	enum field_type type;
	unsigned int flags;
	uint32_t id; /* what the change log calls it */
	enum field_index index_state;
	struct index index;
};

enum { STANDARD_IDS_FROM = 1, CUSTOM_IDS_FROM = 2001, CUSTOM_FIELDS_MAX = 100, FIELDS_MAX = 256 };

struct fields {
	struct field list[FIELDS_MAX]; /* a field's position is its column */
	size_t count, custom;
	struct index by_name;
};

/* ---- people (marketo_people.c) ---- */

enum { FIRST_PERSON_ID = 1001, PARTITION_COUNT = 2 };
extern const char *const marketo_partitions[PARTITION_COUNT]; /* ids from 1 */
uint8_t partition_named(const char *name);                    /* its id, 0 if there is none */

struct person {
	struct row *row;
	uint32_t created, updated; /* seconds since 1970 */
	uint32_t touched;          /* the latest edit of any field, custom ones too */
	uint8_t partition;         /* id */
	bool gone;                 /* deleted or merged into another */
};

struct people {
	struct person *list; /* in the order of ids */
	size_t count, cap;
	struct index opted_out; /* addresses with a durable unsubscribe */
	char **opted_out_list;
	size_t opted_out_count, opted_out_cap;
};

/* ---- change log (marketo_log.c) ---- */

enum activity_type {
	ACTIVITY_NEW_LEAD = 12,
	ACTIVITY_CHANGE_VALUE = 13,
	ACTIVITY_CHANGE_SCORE = 22,
	ACTIVITY_MERGE = 32,
	ACTIVITY_DELETE = 37,
	ACTIVITY_CHANGE_PARTITION = 100,
	ACTIVITY_CUSTOM_FROM = 100001,
};

struct event {
	uint64_t payload; /* where its bytes are */
	uint32_t payload_len;
	uint32_t id, lead, date, type;
	uint16_t column;
	int8_t user;
};

struct late_event {
	int64_t visible_ms;
	struct event event;
};

struct log {
	struct event *events; /* in the order they became visible: ids need not rise */
	size_t count, cap;
	uint32_t last_id;
	char **blocks; /* of payload */
	size_t block_count, block_used;
	uint32_t *date_peaks; /* newest date up to the end of each stretch of events */
	size_t peak_count;
	struct late_event *late; /* by visible_ms */
	size_t late_count, late_cap;
};

/* ---- custom activity types (marketo_custom.c) ---- */

enum { CUSTOM_TYPES_MAX = 10, CUSTOM_ATTRIBUTES_MAX = 20 };

struct custom_attribute {
	char *api_name, *name, *description, *type;
};

/* One version of a type, draft or approved. */
struct custom_version {
	char *name, *description, *trigger, *filter;
	struct custom_attribute primary;
	struct custom_attribute attributes[CUSTOM_ATTRIBUTES_MAX];
	int count;
};

struct custom_type {
	char *api_name;
	uint32_t id;
	bool has_draft, has_approved;
	struct custom_version draft, approved;
	int64_t created, updated;
};

struct custom_types {
	struct custom_type list[CUSTOM_TYPES_MAX];
	int count;
};

/* ---- static lists (marketo_list.c) ---- */

struct static_list {
	char *name, *program, *workspace;
	int64_t created;
	uint32_t *members; /* positions, rising */
	size_t count, cap;
};

struct lists {
	struct static_list *list; /* in the order of ids */
	size_t count;
};

/* ---- companies and sales persons (marketo_object.c) ---- */

enum object_kind { OBJECT_COMPANY, OBJECT_SALES_PERSON };
enum { OBJECT_KIND_COUNT = OBJECT_SALES_PERSON + 1 };

struct object {
	struct row *row; /* under the columns of people */
	int64_t created, updated;
	bool gone;
};

struct objects {
	struct object *list; /* in the order of ids */
	size_t count, cap;
	struct index by_key;
};

/* ---- campaigns (marketo_campaign.c) ---- */

struct campaign {
	char *name, *program, *workspace;
	bool batch, active, requestable;
	int64_t created;
	struct text requests; /* JSON objects with commas between */
};

struct campaigns {
	struct campaign *list; /* in the order of ids */
	size_t count;
};

/* ---- the instance ---- */

struct marketo {
	pthread_mutex_t lock;
	struct tokens tokens;
	struct limits limits;
	struct usage usage;
	struct fields fields;
	struct people people;
	struct log log;
	struct custom_types custom;
	struct lists lists;
	struct campaigns campaigns;
	struct objects objects[OBJECT_KIND_COUNT];
	struct imports *imports; /* marketo_import.h; NULL: none */
	struct bulk *bulk;       /* marketo_bulk.h; NULL: no jobs */
	uint32_t world; /* grows with every reset: paging tokens of an older one are void */
	uint64_t requests;
};

/* One REST call while it is answered. */
struct call {
	struct marketo *m;
	const struct web_request *request;
	struct text *out; /* the answer's body, the envelope begun */
	struct web_response *response;
	bool plain;               /* out is the whole body: a file, not to be put in the envelope */
	struct json_object *json; /* the body, where the call has a JSON one */
	const char *form;         /* the body, where it carries the query */
	int user;
	int64_t records;
	int error_code;   /* 0: none so far */
	struct text word; /* the part of the path in braces */
};

typedef void call_handler(struct call *);

/* ---- routes (marketo_route.c) ---- */

enum body_kind { BODY_NONE, BODY_OPTIONAL, BODY_JSON, BODY_MULTIPART };

struct route {
	const char *method, *path;
	call_handler *serve;
	unsigned int right; /* 0: any user */
	enum body_kind body;
	const char *name; /* the endpoint's, which its calls are counted under */
};

/* A route whose path has no free word goes before one that has. known: the path exists, with
 * another method perhaps. */
const struct route *route_find(const struct web_request *, struct text *word, bool *ret_known);

enum { BATCH_MAX = 300 }; /* records of a call */

/* Gives up the call: success false with one error. */
void call_fail(struct call *, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Refuses what the sandbox does not have, in words, as no real service would. */
void call_unsupported(struct call *, const char *what);
/* A parameter from the form or the query. */
bool call_param(const struct call *, const char *name, int nth, struct text *ret);
/* The members of a parameter that may be repeated and may hold a comma list: visit gets each, in
 * order. */
void call_each_value(const struct call *, const char *name,
		     void (*visit)(void *, const char *value, size_t len), void *context);
/* Whether the value is among those of the parameter, or nothing is asked of it. */
bool call_filter_passes(const struct call *, const char *name, const char *value);
/* batchSize: 1 to 300, 300 by default; 0 after having failed the call. */
size_t call_batch_size(struct call *);
/* The "input" list of the body, 1 to 300 members; NULL after having failed the call. */
struct json_object *call_input(struct call *);
/* A copy the caller frees; of NULL an empty one. */
char *word_copy(const char *);
/* A member's text, NULL if absent or not a string. */
const char *json_member_text(struct json_object *, const char *name);
/* Adds {"status":"skipped","<list>":[{"code","message"}]}. */
void skip_record(struct text *out, const char *list, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* marketo_token.c */
void tokens_answer(struct marketo *, const struct web_request *, struct web_response *);
int tokens_user(const struct marketo *,
		const struct web_request *);   /* USER_NONE if the token is not one of ours */
int tokens_client(const struct web_request *); /* whose credentials a token call names */
/* 0, or the code of the refusal. */
int tokens_check(struct marketo *, const struct web_request *, int *ret_user);
void tokens_shorten(struct marketo *);
void users_json(struct text *out);

/* marketo_quota.c */
void limits_default(struct limits *);
bool limits_read(struct marketo *, const char *json, struct text *error);
/* Counts a call as begun: 0, or the code of the refusal. What was refused counts too. */
int quota_begin(struct marketo *, int user);
void quota_end(struct marketo *, int error_code);
int64_t central_day(int64_t seconds); /* days since 1970, US Central */
call_handler usage_get, usage_errors_get, usage_week_get, usage_errors_week_get;

/* marketo_field.c */
void fields_init(struct marketo *);
void fields_free(struct marketo *);
/* Without anything but its name, which it keeps. */
struct field *field_add(struct fields *, const char *name);
/* By REST name, hidden ones not; -1 if there is none. */
int field_find(const struct marketo *, const char *name, size_t len);
bool field_can_filter(const struct field *, int column);
call_handler describe_get, describe2_get, schema_fields_get, schema_fields_post, schema_field_get,
	schema_field_post;

/* marketo_value.c: values are kept as text in one form only, so that equal means equal bytes. An
 * empty text is no value. */
bool value_from_json(const struct field *, struct json_object *, struct text *ret);
bool value_from_text(enum field_type, const char *bytes, size_t len, struct text *ret);
void value_json(enum field_type, const char *bytes, size_t len,
		struct text *out); /* bytes NULL: no value */
void value_display(enum field_type, const char *bytes, size_t len,
		   struct text *out); /* as the change log shows it */
bool time_from_text(const char *bytes, size_t len, int64_t *ret);

/* marketo_people.c */
void people_free(struct marketo *);
void people_load(struct marketo *, const struct person_row *);
uint32_t person_id(size_t position);
/* The position of a living person; false if there is none. */
bool person_find(const struct marketo *, int64_t id, uint32_t *ret);
/* Positions of the living people whose column holds the canonical value; at most max, in no
 * promised order. */
size_t people_find(struct marketo *, int column, const char *bytes, size_t len, uint32_t *ret,
		   size_t max);
uint32_t person_add(struct marketo *);
/* Stores without any consequence but the index; len 0 clears. */
void person_set(struct marketo *, uint32_t position, int column, const char *bytes, size_t len);
const char *person_get(const struct marketo *, uint32_t position, int column, size_t *ret_len);
void person_remove(struct marketo *, uint32_t position);
void person_full_name(const struct marketo *, uint32_t position, struct text *out);
void person_field_json(const struct marketo *, uint32_t position, int column, struct text *out);
bool opted_out(const struct marketo *, const char *email, size_t len);
void opted_out_set(struct marketo *, const char *email, size_t len, bool out);

/* marketo_change.c: edits with their consequences: change log, updatedAt, spreading of
 * unsubscribes. */
struct draft; /* validated values of one record, not applied yet */
struct draft *draft_new(void);
void draft_free(struct draft *);
/* Reads a record's members. 0, or the code of the refusal with its text in error. */
int draft_read(const struct marketo *, struct draft *, struct json_object *record, bool updating,
	       struct text *error);
/* Whether the edit is one that a person linked to a company may not have: 0, or the code with its
 * text in error. position NULL: a new person. */
int draft_company_check(const struct marketo *, const struct draft *, const uint32_t *position,
			struct text *error);
void draft_update(struct marketo *, const struct draft *, uint32_t position, int user);
uint32_t draft_create(struct marketo *, const struct draft *, uint8_t partition, int user);

/* marketo_log.c */
void log_free(struct log *);
void log_value_change(struct marketo *, uint32_t lead, int column, int user,
		      const struct text *before, const struct text *after);
/* Gives the entry's id. payload: for 12, 37 the person's name; for 32, 100 and custom types the
 * JSON members after activityTypeId. */
uint32_t log_other(struct marketo *, uint32_t lead, uint32_t type, int64_t date, int user,
		   const struct text *payload);
/* An entry as it was; visible_ms 0: visible already. */
void log_restore(struct log *, struct event, const char *payload, size_t len, int64_t visible_ms);
void log_settle(struct marketo *); /* lets late events in that are due */
const char *log_payload(const struct log *, const struct event *);
void log_split_values(const struct log *, const struct event *, struct text *before,
		      struct text *after);
size_t log_first_since(const struct log *, int64_t instant);

/* marketo_activity.c */
bool activity_kept(const struct event *, int64_t now);
void activity_json(struct marketo *, const struct event *, struct text *out);
call_handler paging_token_get, activities_get, lead_changes_get, deleted_leads_get,
	activity_types_get;

/* marketo_page.c: opaque paging tokens */
enum page_kind {
	PAGE_INSTANT,
	PAGE_LOG,
	PAGE_LEADS,
	PAGE_FIELDS,
	PAGE_LISTS,
	PAGE_MEMBERS,
	PAGE_EXPORTS,
	PAGE_RECORDS,
	PAGE_CAMPAIGNS,
};
enum { PAGE_KIND_LAST = PAGE_CAMPAIGNS };
struct page_mark {
	enum page_kind kind;
	uint64_t at;    /* an instant, a position of the log, of a list */
	uint32_t since; /* log: entries dated before it are not shown */
};
void page_mark_print(const struct marketo *, const struct page_mark *, struct text *out);
bool page_mark_read(const struct marketo *, const char *token, struct page_mark *ret);

/* Where the page asked for begins; false after having failed the call. */
bool call_page_start(struct call *, enum page_kind, size_t *ret);
/* Says that there is more, from there on. */
void call_page_next(struct call *, enum page_kind, size_t at);

/* marketo_list.c */
void lists_free(struct marketo *);
struct static_list *list_by_id(struct marketo *, int64_t id);
struct static_list *list_by_name(struct marketo *, const char *name);
uint32_t list_id(const struct marketo *, const struct static_list *);
bool list_has(const struct static_list *, uint32_t position);
void list_add(struct static_list *, uint32_t position);
void lists_merge(struct marketo *, uint32_t winner, uint32_t loser);
void lists_forget(struct marketo *, uint32_t position);
void list_make(struct marketo *, struct json_object *body, struct text *out, struct text *error);
call_handler lists_get, list_get, list_leads_get, list_leads_post, list_leads_delete,
	list_member_get, lead_lists_get;

/* marketo_state.c, marketo_custom_state.c, marketo_object_state.c */
void marketo_save(void *self, struct state_writer *);
bool marketo_restore(void *self, struct state_reader *);
void custom_save(const struct marketo *, struct state_writer *);
void custom_restore(struct marketo *, struct state_reader *);
void objects_save(const struct marketo *, struct state_writer *);
/* columns: what the file's column numbers are now. */
void objects_restore(struct marketo *, struct state_reader *, const uint16_t *columns,
		     size_t column_count);

/* marketo_bulk.c */
void bulk_free(struct marketo *);
void bulk_settle(struct marketo *); /* does what is due by the clock */
call_handler leads_export_create, leads_export_enqueue, leads_export_status, leads_export_cancel,
	leads_export_file, leads_exports_get;
call_handler activities_export_create, activities_export_enqueue, activities_export_status,
	activities_export_cancel, activities_export_file, activities_exports_get;

/* marketo_import.c */
void imports_free(struct marketo *);
void imports_settle(struct marketo *);
call_handler import_post, import_get, import_failures_get, import_warnings_get;

/* marketo_object.c, marketo_object_call.c */
void objects_free(struct marketo *);
/* NULL when there is none. */
struct object *object_by_key(const struct marketo *, enum object_kind, const char *bytes,
			     size_t len);
const struct row *company_row(const struct marketo *, const struct row *person);
call_handler companies_describe_get, companies_get, companies_sync, companies_delete;
call_handler sales_persons_describe_get, sales_persons_get, sales_persons_sync,
	sales_persons_delete;

/* marketo_campaign.c */
void campaigns_free(struct marketo *);
void campaign_make(struct marketo *, struct json_object *body, struct text *out,
		   struct text *error);
void campaigns_show(struct marketo *, struct json_object *body, struct text *out,
		    struct text *error);
call_handler campaigns_get, campaign_get, campaign_trigger, campaign_schedule;

/* marketo_control.c */
bool marketo_control(void *self, const struct web_request *, struct web_response *);

/* The fields a read asks for. */
struct selection {
	struct call *call;
	int columns[FIELDS_MAX];
	size_t count;
	bool chosen[FIELDS_MAX];
	bool wrong;
};
/* The fields asked for in their order, the id always among them. False after having failed the
 * call. */
bool selection_read(struct call *, struct selection *);
void lead_json(struct call *, const struct selection *, uint32_t position);

/* marketo_lead.c, marketo_sync.c */
call_handler lead_get, leads_get, leads_sync, leads_delete, lead_merge, partitions_get,
	partitions_post;

/* marketo_custom.c, marketo_custom_activity.c */
void custom_free(struct marketo *);
const struct custom_type *custom_by_id(const struct marketo *, uint32_t id);
void custom_types_add_json(const struct marketo *,
			   struct text *out); /* for the list of all activity types */
call_handler custom_types_get, custom_type_post, custom_attributes_post, custom_approve_post,
	custom_describe_get, custom_activities_post;

#endif

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
	int64_t other_calls;   /* calls of other consumers, part of today's count */
};

enum { WINDOW_MAX = 10000, ERROR_KINDS_MAX = 64 };

struct usage {
	int64_t day; /* days since 1970, US Central */
	int64_t by_user[USER_COUNT];
	struct {
		int code;
		int64_t count;
	} errors[ERROR_KINDS_MAX];
	int64_t window[WINDOW_MAX]; /* times of the last counted calls, a ring */
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

struct person {
	struct row *row;
	uint32_t created, updated; /* seconds since 1970 */
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
	uint32_t world; /* grows with every reset: paging tokens of an older one are void */
	uint64_t requests;
};

/* One REST call while it is answered. */
struct call {
	struct marketo *m;
	const struct web_request *request;
	struct text *out;         /* the answer's body, the envelope begun */
	struct json_object *json; /* the body, where the call has a JSON one */
	const char *form;         /* the body, where it carries the query */
	int user;
	int64_t records;
	int error_code;   /* 0: none so far */
	struct text word; /* the part of the path in braces */
};

typedef void call_handler(struct call *);

/* Gives up the call: success false with one error. */
void call_fail(struct call *, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A parameter from the form or the query. */
bool call_param(const struct call *, const char *name, int nth, struct text *ret);
/* The members of a parameter that may be repeated and may hold a comma list: visit gets each, in
 * order. */
void call_each_value(const struct call *, const char *name,
		     void (*visit)(void *, const char *value, size_t len), void *context);
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
call_handler usage_get, usage_errors_get;

/* marketo_field.c */
void fields_init(struct marketo *);
void fields_free(struct marketo *);
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
void log_settle(struct marketo *); /* lets late events in that are due */
const char *log_payload(const struct log *, const struct event *);
void log_split_values(const struct log *, const struct event *, struct text *before,
		      struct text *after);
size_t log_first_since(const struct log *, int64_t instant);

/* marketo_activity.c */
call_handler paging_token_get, activities_get, lead_changes_get, deleted_leads_get,
	activity_types_get;

/* marketo_page.c: opaque paging tokens */
enum page_kind { PAGE_INSTANT, PAGE_LOG, PAGE_LEADS, PAGE_FIELDS };
struct page_mark {
	enum page_kind kind;
	uint64_t at;    /* an instant, a position of the log, of a list */
	uint32_t since; /* log: entries dated before it are not shown */
};
void page_mark_print(const struct marketo *, const struct page_mark *, struct text *out);
bool page_mark_read(const struct marketo *, const char *token, struct page_mark *ret);

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

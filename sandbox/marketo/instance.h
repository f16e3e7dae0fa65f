/* The imitated Marketo instance: all that it keeps. One lock (in struct marketo) guards
 * everything here. */
#ifndef SANDBOX_MARKETO_INSTANCE_H
#define SANDBOX_MARKETO_INSTANCE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/index.h"
#include "base/row.h"
#include "base/side.h"
#include "base/text.h"
#include "base/web.h"

struct json_object;

/* ---- users and tokens (token.c) ---- */

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
	RIGHT_READ_ASSETS = 1 << 14,
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

/* ---- limits and usage (quota.c) ---- */

enum { STANDARD_IDS_FROM = 1, CUSTOM_IDS_FROM = 2001, CUSTOM_FIELDS_MAX = 100, FIELDS_MAX = 256 };

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
	int64_t webhook_s;      /* how long a webhook, and a service, may take to answer */
	int64_t flow_s;         /* how long a run waits for callbacks */
	int64_t other_calls;    /* calls of other consumers, part of today's count */
	int64_t lookup_lag_s;   /* a new person is found by its id only for so long */
	int64_t upsert_race_ms; /* between looking a person up and writing it */
	bool leave_out_empty;   /* fields without a value are not shown */
	bool unknown_members;   /* in every object of an answer */
	bool wrong_type_1001;   /* instead of 1003 */
	bool crm_managed;       /* a native CRM sync is on */
	bool company_logged;    /* a company's change is one of everybody linked to it */
	bool soap_only;         /* describe shows a field that the API cannot reach */
	int64_t other_exports, other_imports;     /* places of the bulk queues taken by others */
	int64_t page_token_s;                     /* how long a paging token is good; 0: for ever */
	bool ids_missing, ids_repeat, long_guids; /* of activities */
	bool ties_reversed;       /* activities of the same second come in another order */
	bool repeats_last;        /* a page of activities begins with the last of the one before */
	bool blocked[FIELDS_MAX]; /* columns whose updates are dropped in silence */
	uint16_t origins[USER_COUNT]; /* what the change log tells of whom; 0: the API */
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

/* ---- fields (field.c) ---- */

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

struct fields {
	struct field list[FIELDS_MAX]; /* a field's position is its column */
	size_t count, custom;
	struct index by_name;
};

/* ---- people (people.c) ---- */

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

/* ---- change log (log.c) ---- */

enum activity_type {
	ACTIVITY_NEW_LEAD = 12,
	ACTIVITY_CHANGE_VALUE = 13,
	ACTIVITY_CHANGE_SCORE = 22,
	ACTIVITY_MERGE = 32,
	ACTIVITY_DELETE = 37,
	ACTIVITY_CHANGE_PARTITION = 100,
	ACTIVITY_CALL_WEBHOOK = 110,
	ACTIVITY_CUSTOM_FROM = 100001,
};

struct event {
	uint64_t payload; /* where its bytes are */
	uint32_t payload_len;
	uint32_t id, lead, date, type;
	uint8_t column;
	int8_t user;
	uint16_t origin; /* position among the origins */
};

/* What the log says of who made a change. The first is the API. */
struct origin {
	char *source, *reason;
	uint32_t campaign; /* 0: none */
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
	struct origin *origins; /* the first, of the API, is not among them */
	size_t origin_count;
	uint16_t origin; /* of what is written now; 0: the API */
};

/* ---- custom activity types (custom.c) ---- */

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
	bool gone; /* just deleted, to be told so */
	struct custom_version draft, approved;
	int64_t created, updated;
};

struct custom_types {
	struct custom_type list[CUSTOM_TYPES_MAX];
	int count;
	uint32_t made; /* ever: ids are not given twice */
};

/* ---- static lists (list.c) ---- */

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

/* ---- companies and sales persons (object.c) ---- */

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

/* ---- campaigns (campaign.c) ---- */

struct campaign {
	char *name, *program, *workspace;
	bool batch, active, requestable;
	int64_t created;
	struct text requests;           /* JSON objects with commas between */
	struct json_object *definition; /* as it was given; NULL: none */
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
	struct callers *callers; /* caller.h */
	struct objects objects[OBJECT_KIND_COUNT];
	struct imports *imports; /* import.h; NULL: none */
	struct bulk *bulk;       /* bulk.h; NULL: no jobs */
	uint32_t world; /* grows with every reset: paging tokens of an older one are void */
	uint64_t requests;
};

#endif

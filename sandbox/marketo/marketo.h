/* What the files of the imitated Marketo instance offer each other. Its lock is held while a
 * handler runs. */
#ifndef SANDBOX_MARKETO_H
#define SANDBOX_MARKETO_H

#include "marketo/instance.h"

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

/* ---- routes (route.c) ---- */

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
/* Says that the real service has the address and the sandbox has not; NULL when neither has it. */
const char *route_lacking(const struct web_request *);

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
/* The result of a call in which each record of the input is served by itself. */
void call_each_record(struct call *, void (*serve)(struct call *, struct json_object *record));
/* A copy the caller frees; of NULL an empty one. */
char *word_copy(const char *);
/* A member's text, NULL if absent or not a string. */
const char *json_member_text(struct json_object *, const char *name);
/* Lets go of the lock for a while: what was looked at before may have changed after. */
void call_wait(struct marketo *, int64_t ms);
/* True when a fault has answered for this record of the call, in skip_record's words (ordered.c). */
bool record_ordered(struct call *, const char *list, struct json_object *record);
/* Adds {"status":"skipped","<list>":[{"code","message"}]}. */
void skip_record(struct text *out, const char *list, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* token.c */
void tokens_answer(struct marketo *, const struct web_request *, struct web_response *);
int tokens_user(const struct marketo *,
		const struct web_request *);   /* USER_NONE if the token is not one of ours */
int tokens_client(const struct web_request *); /* whose credentials a token call names */
/* 0, or the code of the refusal. */
int tokens_check(struct marketo *, const struct web_request *, int *ret_user);
void tokens_shorten(struct marketo *);
void users_json(struct text *out);

/* quota.c */
void limits_default(struct limits *);
bool limits_read(struct marketo *, const char *json, struct text *error);
/* Counts a call as begun: 0, or the code of the refusal. What was refused counts too. */
int quota_begin(struct marketo *, int user);
void quota_end(struct marketo *, int error_code);
/* The same for a call that was answered with this error on order; counted: it was a call already. */
void quota_refused(struct marketo *, int user, int code, bool counted);
int64_t central_day(int64_t seconds); /* days since 1970, US Central */
call_handler usage_get, usage_errors_get, usage_week_get, usage_errors_week_get;

/* field.c */
void fields_init(struct marketo *);
void fields_free(struct marketo *);
/* Without anything but its name, which it keeps. */
struct field *field_add(struct fields *, const char *name);
/* By REST name, hidden ones not; -1 if there is none. */
int field_find(const struct marketo *, const char *name, size_t len);
bool field_can_filter(const struct field *, int column);
/* As the calls about the schema show it. */
void field_schema_json(struct text *out, const struct field *);
call_handler describe_get, describe2_get, schema_fields_get, schema_fields_post, schema_field_get,
	schema_field_post;

/* value.c: values are kept as text in one form only, so that equal means equal bytes. An
 * empty text is no value. */
bool value_from_json(const struct field *, struct json_object *, struct text *ret);
bool value_from_text(enum field_type, const char *bytes, size_t len, struct text *ret);
void value_json(enum field_type, const char *bytes, size_t len,
		struct text *out); /* bytes NULL: no value */
void value_display(enum field_type, const char *bytes, size_t len,
		   struct text *out); /* as the change log shows it */
bool time_from_text(const char *bytes, size_t len, int64_t *ret);

/* people.c */
void people_free(struct marketo *);
void people_load(struct marketo *, const struct person_row *);
uint32_t person_id(size_t position);
/* The position of a living person; false if there is none. */
bool person_find(const struct marketo *, int64_t id, uint32_t *ret);
/* Positions of the living people whose column holds the canonical value; at most max, in no
 * promised order. */
size_t people_find(struct marketo *, int column, const char *bytes, size_t len, uint32_t *ret,
		   size_t max);
/* The same as a client finds them: people too new for the search are left out, unless asked for by
 * id. */
size_t people_look_up(struct marketo *, int column, const char *bytes, size_t len, uint32_t *ret,
		      size_t max);
/* All of them: a list the caller frees. */
uint32_t *people_all(struct marketo *, int column, const char *bytes, size_t len,
		     size_t *ret_count);
uint32_t person_add(struct marketo *);
/* Stores without any consequence but the index; len 0 clears. */
void person_set(struct marketo *, uint32_t position, int column, const char *bytes, size_t len);
const char *person_get(const struct marketo *, uint32_t position, int column, size_t *ret_len);
/* Whether a read shows a value there. */
bool person_has(const struct marketo *, uint32_t position, int column);
void person_remove(struct marketo *, uint32_t position);
void person_full_name(const struct marketo *, uint32_t position, struct text *out);
void person_field_json(const struct marketo *, uint32_t position, int column, struct text *out);
bool opted_out(const struct marketo *, const char *email, size_t len);
void opted_out_set(struct marketo *, const char *email, size_t len, bool out);

/* change.c: edits with their consequences: change log, updatedAt, spreading of
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

/* log.c */
void log_free(struct log *);
/* What entries tell of their origin from now on, until 0 is put back in log.origin: to be done
 * before the lock is let go. campaign 0: none. */
void log_origin_set(struct log *, const char *source, const char *reason, uint32_t campaign);
/* The number to put into log.origin; the same one for the same words. */
uint16_t log_origin(struct log *, const char *source, const char *reason, uint32_t campaign);
const struct origin *log_origin_of(const struct log *, const struct event *);
void log_value_change(struct marketo *, uint32_t lead, int column, int user,
		      const struct text *before, const struct text *after);
/* Gives the entry's id. payload: for 12, 37 the person's name; for 32, 100 and custom types the
 * JSON members after activityTypeId. */
uint32_t log_other(struct marketo *, uint32_t lead, uint32_t type, int64_t date, int user,
		   const struct text *payload);
/* An entry as it was; visible_ms 0: visible already. */
void log_restore(struct log *, struct event, const char *payload, size_t len, int64_t visible_ms);
/* The loser's entries become the winner's. */
void log_merge(struct log *, uint32_t winner, uint32_t loser);
void log_settle(struct marketo *); /* lets late events in that are due */
const char *log_payload(const struct log *, const struct event *);
void log_split_values(const struct log *, const struct event *, struct text *before,
		      struct text *after);
size_t log_first_since(const struct log *, int64_t instant);

/* activity.c */
bool activity_kept(const struct event *, int64_t now);
void activity_json(struct marketo *, const struct event *, struct text *out);
/* The members "id" and "marketoGUID". */
void activity_ids_json(const struct marketo *, uint32_t id, struct text *out);
call_handler paging_token_get, activities_get, lead_changes_get, deleted_leads_get,
	activity_types_get;

/* page.c: opaque paging tokens */
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

/* list.c */
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

/* state.c, custom_state.c, object_state.c */
void marketo_save(void *self, struct state_writer *);
bool marketo_restore(void *self, struct state_reader *);
void custom_save(const struct marketo *, struct state_writer *);
void custom_restore(struct marketo *, struct state_reader *);
void objects_save(const struct marketo *, struct state_writer *);
/* columns: what the file's column numbers are now. */
void objects_restore(struct marketo *, struct state_reader *, const uint16_t *columns,
		     size_t column_count);

/* bulk.c */
void bulk_free(struct marketo *);
void bulk_settle(struct marketo *); /* does what is due by the clock */
call_handler leads_export_create, leads_export_enqueue, leads_export_status, leads_export_cancel,
	leads_export_file, leads_exports_get;
call_handler activities_export_create, activities_export_enqueue, activities_export_status,
	activities_export_cancel, activities_export_file, activities_exports_get;

/* import.c */
void imports_free(struct marketo *);
void imports_settle(struct marketo *);
call_handler import_post, import_get, import_failures_get, import_warnings_get;

/* object.c, object_call.c */
void objects_free(struct marketo *);
/* NULL when there is none. */
struct object *object_by_key(const struct marketo *, enum object_kind, const char *bytes,
			     size_t len);
const struct row *company_row(const struct marketo *, const struct row *person);
call_handler companies_schema_fields_get, companies_schema_field_get;
call_handler companies_describe_get, companies_get, companies_sync, companies_delete;
call_handler sales_persons_describe_get, sales_persons_get, sales_persons_sync,
	sales_persons_delete;

/* campaign.c; what a campaign does is in caller.h */
void campaigns_free(struct marketo *);
call_handler campaigns_get, campaign_get, campaign_trigger, campaign_schedule;

/* control.c */
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

/* lead.c, sync.c */
call_handler lead_get, leads_get, leads_sync, leads_delete, lead_merge, partitions_get,
	partitions_post;

/* custom.c, custom_activity.c */
void custom_free(struct marketo *);
const struct custom_type *custom_by_id(const struct marketo *, uint32_t id);
void custom_types_add_json(const struct marketo *,
			   struct text *out); /* for the list of all activity types */
call_handler custom_types_get, custom_type_post, custom_attributes_post, custom_approve_post,
	custom_describe_get, custom_activities_post;
call_handler custom_update_post, custom_attributes_update_post, custom_attributes_delete_post,
	custom_discard_post, custom_delete_post;

#endif

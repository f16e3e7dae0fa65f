/* What Marketo sends of its own accord while a campaign runs: webhooks and self-service flow steps.
 * The lock of the instance guards all of this; it is let go while a call is out. */
#ifndef SANDBOX_MARKETO_CALLER_H
#define SANDBOX_MARKETO_CALLER_H

#include "base/post.h"
#include "marketo/marketo.h"

/* What a control address is asked for. The lock is held unless the address takes it itself. */
struct control_call {
	struct marketo *m;
	const struct web_request *request;
	struct json_object *body;
	int64_t ids[2]; /* the numbers in the path */
	struct text *out;
	struct text error; /* given back as 400 when it is not empty */
	struct text extra; /* members added to such an answer */
};
typedef void control_handler(struct control_call *);

/* ---- runs (campaign_run.c) ---- */

enum call_kind { CALL_WEBHOOK, CALL_FLOW };
enum { CALL_KIND_COUNT = CALL_FLOW + 1, UUID_TEXT = 37 };

/* How it stands with one person of a run. */
enum outcome {
	OUTCOME_WAITING,
	OUTCOME_SUCCEEDED,
	OUTCOME_FAILED,
	OUTCOME_REFUSED,     /* flow step: the service did not take the chunk */
	OUTCOME_LEFT_OUT,    /* flow step: the callback does not name the person */
	OUTCOME_NO_CALLBACK, /* flow step: none came in time */
	OUTCOME_SKIPPED,
	OUTCOME_UNKNOWN, /* no such person */
};
enum { OUTCOME_COUNT = OUTCOME_UNKNOWN + 1 };

struct run_person {
	uint32_t id;
	enum outcome outcome;
	int http;   /* 0: no answer */
	int64_t us; /* from sending to the outcome; negative: not sent */
	char *body, *error_code, *reason;
	struct text fields;   /* JSON members with commas between: what was written */
	struct text problems; /* JSON texts with commas between */
};

struct chunk {
	char token[UUID_TEXT];
	struct text answers; /* JSON objects with commas between */
	struct text problems;
	int64_t sent_us, answered_us; /* 0: not yet */
	bool accepted, refused;
	bool used; /* the callback came */
};

struct run {
	struct marketo *m;
	int refs;
	uint32_t world; /* another one now: the run is void */
	size_t number, campaign;
	enum call_kind kind;
	struct json_object *definition, *service;
	struct service_access *access;
	char *host; /* what callbacks are to be sent to */
	char *trigger_name, *trigger_kind;
	char batch_id[UUID_TEXT];
	size_t chunk_size;
	int64_t resend;
	bool twice;
	struct run_person *people;
	size_t count;
	struct chunk *chunks;
	size_t pieces; /* people, or chunks of them */
	size_t next, sent, settled;
	int open, most_open;
	int64_t started_us, sent_us, ended_us;
};

struct chunk_place {
	struct run *run;
	size_t chunk;
};

struct callers {
	pthread_cond_t changed; /* anything here */
	int open[CALL_KIND_COUNT];
	bool stopping;
	struct run **runs; /* in the order of numbers */
	size_t run_count;
	struct chunk_place *places;
	size_t place_count, place_cap;
	struct index by_token;
	struct json_object **services; /* in the order of ids */
	size_t service_count;
};

void callers_init(struct marketo *);
void callers_reset(struct marketo *);
void callers_stop(void *self);
control_handler campaign_run_post, campaign_run_get;
/* Starts what a request of the API asks for, when the campaign has something to send. input: its
 * leads and tokens, found good. */
void campaign_run_requested(struct call *, size_t campaign, struct json_object *input);
/* Waits for a free connection; false when the run has become void. */
bool call_open(struct run *);
/* After the call; false when the run has become void. */
bool call_close(struct run *);
void piece_settled(struct run *); /* nothing more is expected of it */
bool run_is_over(const struct run *);
void uuid_make(char ret[UUID_TEXT]);

/* ---- words and members (campaign_report.c) ---- */

void run_report(const struct run *, struct text *out);
/* NULL when there is none, or no object. */
struct json_object *json_at(struct json_object *, const char *name);
/* The text of a member, or "". */
const char *json_words(struct json_object *, const char *name);
/* A JSON text after those that are there. */
void problem_add(struct text *list, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Names of members up to NULL. False after having said which one is not among them. */
bool members_known(struct json_object *, const char *const *names, const char *what,
		   struct text *error);
/* Writes a value of an answer into a field as the run's campaign; tells what was written, or why
 * not. */
void caller_write(struct run *, struct run_person *, const char *source, const char *reason,
		  const char *field_name, struct json_object *value);

/* ---- definitions (campaign.c, campaign_state.c) ---- */

enum { FIRST_CAMPAIGN_ID = 2401 };
control_handler campaign_make, campaigns_show;
void campaigns_save(const struct marketo *, struct state_writer *);
void campaigns_restore(struct marketo *, struct state_reader *);

/* ---- webhooks (webhook.c, webhook_text.c, webhook_path.c) ---- */

bool webhook_check(struct marketo *, struct json_object *definition, struct text *error);
void webhook_send(struct run *, size_t person);

enum token_encoding { ENCODING_NONE, ENCODING_JSON, ENCODING_FORM };

/* Whom and what tokens are about. */
struct token_scope {
	struct marketo *m;
	struct json_object *definition; /* of the campaign */
	const struct run *run;          /* NULL: names are checked only */
	uint32_t position;
	enum token_encoding encoding;
	const char *empty; /* JSON: what stands for no value */
};
/* False after having said which token there is not. */
bool tokens_expand(const struct token_scope *, const char *words, struct text *out,
		   struct text *error);
/* Resolves the backslashes of a template; false when one is not legal. */
bool template_parse(const char *words, struct text *out);

bool path_is_legal(const char *path);
/* NULL when there is none; what is found belongs to root. */
struct json_object *path_in_json(struct json_object *root, const char *path);
/* The text of the element; false when there is none. ret_sound: whether the document is XML. */
/* webhook_xml.c: {"name", "text", "children": [...]} of the root element; NULL when it is no XML. */
struct json_object *xml_parse(const char *xml);
bool path_in_xml(const char *xml, const char *path, struct text *ret, bool *ret_sound);

/* ---- self-service flow steps ---- */

enum { ACTIVITY_SERVICE_FROM = 100501 };
#define MARKETO_MUNCHKIN_ID "123-SBX-456"
#define MARKETO_CALLBACK_KEY "sandbox-ssfs"
#define MARKETO_CALLBACK_PATH "/ssfs/submit"

/* flow_check.c: violations are JSON texts in an array */
void flow_violation(struct json_object *violations, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void flow_document_check(struct json_object *document, struct json_object *violations);
void flow_definition_check(struct json_object *definition, bool picklists,
			   struct json_object *violations);
void flow_status_check(struct json_object *status, struct json_object *violations);
void flow_choices_check(struct json_object *answer, const char *name,
			struct json_object *violations);

/* flow_value.c: values by the declared types */
bool flow_type_known(const char *type);
/* What is wrong with it, or NULL. ret_cut: the bytes a text is to be cut to, 0 if it is not. */
const char *flow_value_wrong(const char *type, struct json_object *value, size_t *ret_cut);
/* Whether a campaign or an administrator may give it for the attribute. False after having said
 * why not. */
bool flow_given_check(struct json_object *attributes, struct json_object *choices,
		      struct json_object *given, struct text *error);
/* The attribute with the name, NULL if there is none. */
struct json_object *flow_attribute(struct json_object *attributes, const char *name);
const char *flow_display(struct json_object *attribute); /* its name in English */

/* flow_access.c: calls of a service, made without the lock */
struct service_access;
/* NULL after having said why not. */
struct service_access *access_new(struct json_object *service, struct text *error);
void access_free(struct service_access *);
/* Fetches a bearer token where one is needed. */
bool access_sign_in(struct service_access *, int64_t timeout_ms, struct text *error);
enum post_result access_call(const struct service_access *, const char *method, const char *path,
			     const struct text *body, bool signed_in, int64_t timeout_ms,
			     struct post_answer *ret);

/* flow_install.c */
control_handler service_install, services_show;
void services_add_types(const struct marketo *, struct text *out);
void services_free(struct marketo *);
struct json_object *service_by_id(const struct marketo *, int64_t id);
bool flow_step_check(struct marketo *, struct json_object *definition, struct text *error);

/* flow_send.c, flow_callback.c */
void flow_send(struct run *, size_t chunk);
size_t chunk_people(const struct run *, size_t chunk, size_t *ret_first);
void flow_callback(struct marketo *, const struct web_request *, struct web_response *);

#endif

/* What Marketo's answers mean: the envelope around every answer, and the codes of whole calls and
 * of single records. Pure. */
#ifndef REMOTE_MARKETO_WIRE_H
#define REMOTE_MARKETO_WIRE_H

#include "base/buf.h"
#include "remote/json.h"

/* What is done about a call that failed, apart from telling its error. */
enum marketo_reaction {
	MARKETO_FAIL,  /* nothing: a repeat would fail the same way */
	MARKETO_RENEW, /* renew the token, repeat once; nothing was executed */
	MARKETO_PAUSE, /* too many calls in the window: the whole side waits for it to drain */
	MARKETO_SHUT,  /* the daily quota is used up: nothing is sent before it starts anew */
	MARKETO_SHORT_PAUSE,    /* too many calls at once: a moment */
	MARKETO_BACK_OFF,       /* repeat after a growing pause */
	MARKETO_BACK_OFF_SPLIT, /* the same; what still fails is tried in halves, down to the single
				   record */
	MARKETO_SPLIT,          /* tried in halves at once */
	MARKETO_EMPTY           /* not an error: no data */
};

/* Takes the elements of "result" one by one. A call may be repeated: restart forgets what the try
 * before brought. */
struct marketo_sink {
	enum err_kind (*element)(void *context, struct json_object *element, struct err *err);
	void (*restart)(void *context); /* may be NULL */
	void *context;
};

struct marketo_answer {
	bool has_success, is_success;
	bool has_more_result, more_result;
	struct buf next_page_token; /* owned; empty: none */
	char code[24];              /* of the first error, "" none */
	char field[80];             /* the field its message names, "" none */
	bool names_paging_token;    /* the message is about the paging token */
	bool names_quota;           /* the message is about a quota */
	bool names_repeat;          /* the message says that it has been done already */
};

void marketo_answer_release(struct marketo_answer *a);

/* Reads the body of an HTTP 200. ERR_NONE with MARKETO_FAIL or MARKETO_EMPTY: it worked; otherwise
 * the error of the call. */
enum err_kind marketo_answer_read(struct str body, const struct marketo_sink *sink,
				  struct marketo_answer *ret, enum marketo_reaction *ret_reaction,
				  struct err *err);
/* The same for an HTTP status that is not 2xx. */
enum err_kind marketo_status_read(int status, enum marketo_reaction *ret_reaction, struct err *err);

/* The codes that mean something else in calls about bulk jobs: judges such an error anew and
 * returns its kind. ERR_THROTTLED: no free place. ERR_RIGHTS with code 1035: the subscription does
 * not have the filter. ERR_GONE: no such job. */
enum err_kind marketo_bulk_judge(struct err *err);

/* The reason a bulk import gives for a row: words, not a code. Judged like the outcome of a record;
 * the words are not taken over (INV-PRIVATE). */
enum err_kind marketo_reason_read(struct str reason, struct err *err);

/* The outcome of one record of a write, as its element of "result" says: ERR_NONE with its id (0
 * unknown), or why not. The remote's own words are not taken over: they quote the person's value
 * (INV-PRIVATE). */
enum err_kind marketo_record_read(struct json_object *element, int64_t *ret_id,
				  bool *ret_was_created, struct err *err);

#endif

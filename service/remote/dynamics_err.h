/* What Dataverse answers instead of success, turned into the kinds of err.h by one table of codes
 * ("Microsoft Learn: Web service error codes"). Pure: sends nothing, waits for nothing. */
#ifndef REMOTE_DYNAMICS_ERR_H
#define REMOTE_DYNAMICS_ERR_H

#include "base/err.h"
#include "base/str.h"

/* May the same request be sent again, and when? */
enum dynamics_repeat {
	REPEAT_NEVER,
	REPEAT_TWICE,     /* odd failure: two more tries, then it counts */
	REPEAT_OFTEN,     /* passing failure: back off, five tries in all */
	REPEAT_WHEN_TOLD, /* service protection: the whole environment waits */
	REPEAT_NEW_TOKEN, /* once, with a new token */
	REPEAT_SMALLER    /* too much in one request: in halves */
};

struct dynamics_answer {
	int status;
	int64_t retry_after_ms; /* -1 none */
	struct str body;
};

/* Judges an answer that is not a success. Fills err (code, status, text, advice for a marketer or a
 * sales person, retry_after_ms) and returns its kind. */
enum err_kind dynamics_err_judge(const struct dynamics_answer *answer,
				 enum dynamics_repeat *ret_repeat, struct err *err);

/* The kind for a request that only reads. A refusal is about one record; a reading has none, so it
 * is about rights or makes no sense. */
enum err_kind dynamics_err_of_reading(enum err_kind kind, int status);

/* The service's own words in an error body; empty when there are none. ret must be released. */
struct json_object;
struct json_object *dynamics_err_body(struct str body, struct str *ret_code,
				      struct str *ret_message);

/* Which of the columns does the message blame? -1: none of them. */
int dynamics_err_blames(struct str message, const struct str *columns, size_t count);

/* Takes values out of err->text before anybody can log it (INV-PRIVATE): e-mail addresses, and the
 * values given. */
void dynamics_err_scrub(struct err *err, const struct str *values, size_t count);

#endif

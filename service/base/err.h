/* The one error type. A function that can fail returns its kind (ERR_NONE on success) and fills
 * struct err when it is not NULL; on success it leaves struct err alone. The kind decides what
 * happens next, the rest explains. base, core, remote and store return errors; sync, api and app
 * log them, once. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/defs.h"

/* kind, name in logs and answers, what the caller does */
#define ERR_KINDS(X)                                                                               \
	X(NONE, "none", "nothing: it worked")                                                      \
	X(RETRY_NOW, "retry_now", "try again at once, once")                                       \
	X(RETRY_LATER, "retry_later", "try again after a pause; the outcome may be unknown")       \
	X(THROTTLED, "throttled", "the whole side waits as long as it was told")                   \
	X(QUOTA, "quota", "the whole side waits for the next day of the remote")                   \
	X(REFUSED, "refused", "this record or field is parked")                                    \
	X(GONE, "gone", "the record is not there any more")                                        \
	X(CONFLICT, "conflict", "somebody else wrote first: read again, decide again")             \
	X(DUPLICATE, "duplicate", "it is there already")                                           \
	X(RIGHTS, "rights", "this field or table pauses")                                          \
	X(EXPIRED, "expired", "the cursor is too old: read everything again")                      \
	X(BROKEN, "broken", "credentials or schema: the side halts and probes")                    \
	X(RUBBISH, "rubbish", "the remote answered what it never should: an error on that call")   \
	X(STORE, "store", "the database failed; nothing was committed")                            \
	X(NOT_LEADER, "not_leader", "another service runs the cycle now")                          \
	X(CONFIG, "configuration", "a setting is wrong")                                           \
	X(INPUT, "input", "the caller sent something wrong")                                       \
	X(STOPPED, "stopped", "the program is ending")                                             \
	X(OURS, "ours", "a bug: loud")

#define ERR_ENUM(kind, name, text) ERR_##kind,
enum err_kind { ERR_KINDS(ERR_ENUM) ERR_KIND_COUNT };
#undef ERR_ENUM

struct err {
	enum err_kind kind;
	int http_status;        /* 0: no HTTP answer */
	char code[24];          /* the remote's code or SQLSTATE, "" if none */
	char field[80];         /* the column that can be blamed, "" if none */
	int64_t retry_after_ms; /* -1: no hint */
	char text[320];     /* for people and logs; never parsed, no secret, no person's value */
	const char *advice; /* what a person can do about it, static; NULL: nothing special */
};

const char *err_kind_name(enum err_kind kind);

/* Fills err (which may be NULL) and returns kind, so that a function can end with `return
 * err_set(...)`. */
enum err_kind err_set(struct err *err, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif

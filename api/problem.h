/* What a caller is told when it did not work: RFC 9457 problem documents. One table of kinds; a
 * kind fixes status, type and title, the rest says what exactly is wrong. */
#ifndef API_PROBLEM_H
#define API_PROBLEM_H

#include "base/buf.h"
#include "base/err.h"

/* kind, status, type, title */
#define PROBLEMS(X)                                                                                \
	X(BAD_REQUEST, 400, "about:blank", "Bad Request")                                          \
	X(UNAUTHORIZED, 401, "about:blank", "Unauthorized")                                        \
	X(FORBIDDEN, 403, "about:blank", "Forbidden")                                              \
	X(NOT_FOUND, 404, "about:blank", "Not Found")                                              \
	X(UNKNOWN_PERSON, 404, "/problems/unknown-person", "Unknown person")                       \
	X(UNKNOWN_ERROR, 404, "/problems/unknown-error", "Unknown error row")                      \
	X(METHOD, 405, "about:blank", "Method Not Allowed")                                        \
	X(TOO_LARGE, 413, "about:blank", "Content Too Large")                                      \
	X(MEDIA_TYPE, 415, "about:blank", "Unsupported Media Type")                                \
	X(CONTENT, 422, "/problems/invalid-content", "Invalid content")                            \
	X(OURS, 500, "about:blank", "Internal Server Error")                                       \
	X(REMOTE, 502, "about:blank", "Bad Gateway")                                               \
	X(UNAVAILABLE, 503, "about:blank", "Service Unavailable")

#define PROBLEM_ENUM(kind, status, type, title) PROBLEM_##kind,
enum problem_kind { PROBLEMS(PROBLEM_ENUM) PROBLEM_KIND_COUNT };
#undef PROBLEM_ENUM

enum { PROBLEM_FIELD = 160, PROBLEM_DETAIL = 400 };

struct problem {
	enum problem_kind kind;
	char field[PROBLEM_FIELD]; /* JSON pointer into the body, or a parameter's name; "" none */
	char detail[PROBLEM_DETAIL]; /* names the rule; never quotes what was sent */
	int64_t retry_after_s;       /* 0: says nothing about it */
};

unsigned problem_status(enum problem_kind kind);

/* Returns false always, so that a check can end with `return problem_set(...)`. field may be NULL. */
bool problem_set(struct problem *p, enum problem_kind kind, const char *field, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* The same from an error of the layers below. */
bool problem_of_err(struct problem *p, const struct err *err);

void problem_print(const struct problem *p, const char *request_id, struct buf *out);

#endif

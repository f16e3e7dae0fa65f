/* HTTP as a client: one request to an address of this machine over a plain socket, its answer read
 * whole. What is sent and why is the caller's affair. */
#ifndef SANDBOX_BASE_POST_H
#define SANDBOX_BASE_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct post_address {
	char host[64], port[8];
	struct text path; /* with the query */
};

/* http://127.0.0.1:8080/path or http://localhost/path; false for any other: what the sandbox sends
 * never leaves the machine. */
bool post_address_read(const char *url, struct post_address *ret);
void post_address_free(struct post_address *);

struct post_request {
	const char *method, *host, *port, *path;
	const char *headers; /* "Name: value\r\n" lines; NULL: none */
	const char *body;    /* NULL: none */
	size_t body_len;
	int64_t timeout_ms; /* for all of it */
};

struct post_answer {
	int status;
	struct text head, body;
};

enum post_result { POST_ANSWERED, POST_TIMED_OUT, POST_FAILED };
enum post_result post_send(const struct post_request *, struct post_answer *ret);
void post_answer_free(struct post_answer *);
/* The value of a header; names compare without case. False when there is none. */
bool post_answer_header(const struct post_answer *, const char *name, struct text *ret);
/* The words after the status. */
void post_answer_reason(const struct post_answer *, struct text *ret);

#endif

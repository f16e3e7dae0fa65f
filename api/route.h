/* The table of addresses: which handler answers, who may call it, how large a body may be, which
 * parameters exist. */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/problem.h"
#include "api/server.h"
#include "core/rowset.h"

struct exchange;

/* Query parameters, as bits; the names are in query.c. */
enum route_param {
	PARAM_LIMIT = 1 << 0,
	PARAM_CURSOR = 1 << 1,
	PARAM_PERSON_ID = 1 << 2,
	PARAM_RECORD_ID = 1 << 3,
	PARAM_FIELD = 1 << 4,
	PARAM_STATE = 1 << 5,
	PARAM_SINCE = 1 << 6,
	PARAM_UNTIL = 1 << 7,
	PARAM_ANY = 1 << 8 /* whatever comes is ignored: probes append what they like */
};

struct route {
	const char *method; /* GET serves HEAD as well */
	const char *path;   /* a segment in braces stands for a whole number from 1 up */
	void (*handle)(struct exchange *x);
	enum api_role role; /* NONE: no key is asked for; ADMIN may call everything */
	size_t body_max;
	unsigned params;     /* bits of route_param */
	enum list_kind list; /* of list addresses */
};

extern const struct route routes[];
extern const size_t route_count;

struct route_match {
	const struct route *route; /* NULL: the problem tells why */
	int64_t id;
	char allow[64]; /* the methods the address knows */
};

/* False when no route answers: unknown address, known address with another method, or a bad number
 * in it. */
bool route_find(struct str method, struct str path, struct route_match *ret,
		struct problem *problem);

void handle_sync_person(struct exchange *x);
void handle_status(struct exchange *x);
void handle_list(struct exchange *x);
void handle_person(struct exchange *x);
void handle_pause(struct exchange *x);
void handle_resume(struct exchange *x);
void handle_retry(struct exchange *x);
void handle_live(struct exchange *x);
void handle_ready(struct exchange *x);
void handle_metrics(struct exchange *x);

#endif

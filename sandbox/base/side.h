/* What the control addresses need of an imitated service, and what a service needs of the control.
 * main.c makes two of these; neither side knows the other. */
#ifndef SANDBOX_BASE_SIDE_H
#define SANDBOX_BASE_SIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "base/web.h"

/* One invented or loaded person, from a CSV line or the seed generator. Empty text is "". */
struct person_row {
	const char *where; /* marketo, dynamics-lead, dynamics-contact, both-lead, both-contact */
	const char *salutation, *first_name, *last_name, *email, *phone, *mobile_phone, *title,
		*company;
	const char *address, *city, *state, *postal_code, *country, *website, *lead_source, *notes;
	bool do_not_call, unsubscribed;
};

struct state_reader;
struct state_writer;

struct side_ops {
	const char *name;    /* "marketo" or "dynamics": what a fault rule's "side" names */
	web_handler *handle; /* everything but /_sandbox/ */
	const char *(*user_of)(
		void *self,
		const struct web_request *); /* name of the API user, "" if unknown; static text */
	void (*load)(void *self,
		     const struct person_row *); /* a person who has been there since before */
	void (*reset)(void *self);               /* as just started, without people */
	void (*users_json)(void *self,
			   struct text *); /* the side's array for GET /_sandbox/users */
	bool (*limits)(void *self, const char *json,
		       struct text *error); /* POST /_sandbox/limits, this side's part */
	void (*save)(void *self, struct state_writer *);    /* all but limits and tokens */
	bool (*restore)(void *self, struct state_reader *); /* into a side just started */
	/* A control address of this side's own; false: it is not. May be NULL. */
	bool (*control)(void *self, const struct web_request *, struct web_response *);
	/* The call was answered with this error on order, in the place of its effect or after it:
	 * for those who count calls and errors. May be NULL. */
	void (*refused)(void *self, const struct web_request *, const char *code,
			bool after_effect);
	void (*stop)(void *self); /* lets what waits in it give up; may be NULL */
	const char *(*endpoint_of)(
		const struct web_request *); /* stable name for counting: path with ids replaced;
						static or interned */
	int64_t (*records_of)(const struct web_request *,
			      const struct web_response *); /* records a call carried, for /calls */
};

struct side {
	const struct side_ops *ops;
	void *self;
};

/* Wall clock of the sandbox: real time plus what POST /_sandbox/clock advanced. Seconds and
 * milliseconds since 1970. */
int64_t sandbox_now_s(void);
int64_t sandbox_now_ms(void);

/* Makers of the two sides; each owns its state and lock. */
struct side marketo_side_new(void);
struct side dataverse_side_new(void);

#endif

/* Faults on order: which call goes wrong, and how. */
#ifndef SANDBOX_CONTROL_FAULT_H
#define SANDBOX_CONTROL_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "base/web.h"

enum fault_drop {
	FAULT_DROP_NONE,
	FAULT_DROP_BEFORE,
	FAULT_DROP_AFTER
}; /* before or after the effect of the call */

struct fault_effect {
	int64_t status;                             /* 0: not given */
	char *code, *message, *body, *content_type; /* NULL: not given */
	int64_t retry_after;                        /* seconds; negative: not given */
	int64_t delay_ms;                           /* before the effect */
	int64_t delay_after_ms;                     /* after it, before the answer */
	int64_t late_commit_s;
	enum fault_drop drop;
	bool cut_body;
	bool after_effect; /* the error is answered after the call took effect */
};

/* Replaces the rules by a JSON list. False with the reason in error when the list is not one of
 * ours; nothing changes. */
bool fault_set(const char *json, struct text *error);
void fault_clear(void);
void fault_json(struct text *out);

/* A call as rules see it; part: it is one request inside a batch. */
struct fault_call {
	const char *side, *method, *user;
	bool part;
	const struct web_request *request;
};

/* Counts the call against every rule; true when one fires, *ret is then a copy the caller frees. */
bool fault_find(const struct fault_call *, struct fault_effect *ret);
void fault_effect_free(struct fault_effect *);

/* True when the effect takes the place of the call's answer: an error, not a delay or a spoilt
 * answer. */
bool fault_answers(const struct fault_effect *);
void fault_answer(const struct fault_effect *, const char *side, struct web_response *response);

#endif

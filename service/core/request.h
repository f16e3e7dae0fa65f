/* Real-time requests and the report of a cycle: plain data shared by the layers. */
#ifndef CORE_REQUEST_H
#define CORE_REQUEST_H

#include "core/table.h"

/* outcome, name, finished for good */
#define OUTCOMES(X)                                                                                \
	X(NONE, "", false)                                                                         \
	X(CREATED, "created", true)     /* the record was created */                               \
	X(LINKED, "linked", true)       /* an existing unlinked record was found by e-mail */      \
	X(EXISTS, "exists", true)       /* nothing to do, not an error */                          \
	X(QUEUED, "queued", false)      /* durable; the next cycle does it */                      \
	X(AMBIGUOUS, "ambiguous", true) /* several candidates; nothing written */                  \
	X(REJECTED, "rejected", true)   /* refused for good; in the person's Activity Log */       \
	X(FAILED, "failed", false)      /* retryable, stays queued */

#define OUTCOME_ENUM(id, name, is_final) OUTCOME_##id,
enum outcome { OUTCOMES(OUTCOME_ENUM) OUTCOME_COUNT };
#undef OUTCOME_ENUM

const char *outcome_name(enum outcome o);
bool outcome_is_final(enum outcome o);

enum door { DOOR_REST, DOOR_WEBHOOK, DOOR_FLOW, DOOR_COUNT };
const char *door_name(enum door d); /* rest, webhook, flow */

/* Texts live as long as the request does, in its arena or with its owner. */
struct request {
	struct guid id;
	int64_t person_id;
	enum table sync_as; /* lead or contact */
	struct str owner;   /* GUID, domain name or e-mail of a Dynamics user; empty: none */
	struct str campaign_id, campaign_name;
	bool is_trigger; /* trigger campaign: wanted now; batch: the next cycle is soon enough */
	enum door door;
	enum outcome outcome;  /* NONE or QUEUED while open */
	enum table entity;     /* of the record, when there is one; else TABLE_PERSON */
	struct guid record_id; /* zero: none */
	struct str reason;     /* plain words; empty: none */
	unsigned attempts;
	int64_t created_ms, finished_ms; /* since 1970; finished 0 while open */
};

enum cycle_result { CYCLE_RUNNING, CYCLE_OK, CYCLE_PARTIAL, CYCLE_FAILED, CYCLE_RESULT_COUNT };
const char *cycle_result_name(enum cycle_result r); /* running, ok, partial, failed */

struct cycle_report {
	int64_t number;
	int64_t started_ms, finished_ms;
	enum cycle_result result;
	char reason[320]; /* why it is not ok; "" */
	bool is_full_scan;
	/* Not stored: long work made way for live changes, and the next cycle goes on at once; or
	 * it waits for something that takes a while. */
	bool is_unfinished, is_waiting;
	uint64_t read[TABLE_COUNT];    /* records a remote showed */
	uint64_t created[TABLE_COUNT]; /* written by this cycle */
	uint64_t updated[TABLE_COUNT];
	uint64_t equal[TABLE_COUNT];  /* looked at, nothing to do */
	uint64_t failed[TABLE_COUNT]; /* not written: will be tried again, or parked */
	uint64_t linked, collided, refused, deleted;
	uint64_t verified, drifted; /* links proven equal, and those that had not been */
	uint64_t late;              /* events of Marketo's feed that only a look back showed */
	uint64_t calls[SIDE_COUNT];
};

#endif

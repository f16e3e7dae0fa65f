/* The inside of requests: one batch of them while it is worked on. For requests.c and candidates.c
 * only. */
#ifndef SYNC_REQUESTS_P_H
#define SYNC_REQUESTS_P_H

#include "sync/pairs.h"
#include "sync/requests.h"

struct work {
	struct request *request;
	struct record *person; /* NULL until read */
	struct link *link;     /* from the store, later the one being made */
	struct record *found;  /* the unlinked record with the same e-mail, or the stamped one */
	unsigned candidates;   /* such records */
	struct guid owner;
	bool has_owner;
	bool is_made; /* found is the record an earlier try of this request created */
	bool is_done;
	bool *is_gone;
};

struct batch {
	struct step s;
	struct ledger ledger;
	struct work *works;
	size_t count;
};

void work_finish(struct batch *b, struct work *w, enum outcome outcome, const char *reason);
/* Something went wrong that is nobody's fault: the request stays, the next cycle takes it up. */
void work_postpone(struct batch *b, struct work *w, const struct err *err);
/* The request ends without a record: the claim of an earlier try goes with it. */
void work_drop_claim(struct batch *b, struct work *w);

/* candidates.c: the records that persons without one may be linked to. Fills found and candidates
 * of every work; those with several are finished as ambiguous. */
enum err_kind candidates_find(struct batch *b, struct err *err);

#endif

/* Webhooks out: steps registered for a message and a table make the sandbox post what was written
 * (Microsoft Learn: Use webhooks to create external handlers for server events). */
#ifndef SANDBOX_DATAVERSE_HOOK_H
#define SANDBOX_DATAVERSE_HOOK_H

#include "dataverse/dataverse.h"

#define HOOK_BODY_MAX ((size_t)256 * 1024)

/* Something a caller wrote. */
struct hook_event {
	struct call *call;
	const struct table *table;
	const struct record *row;  /* as it is now; as it was, for a delete */
	const struct edits *edits; /* NULL for a delete */
	const char *message;       /* Create, Update, Delete */
	uint64_t version;          /* of the write */
};

/* One post to make. Owned by whoever holds it. */
struct delivery {
	struct delivery *next;
	struct dataverse *dataverse;
	unsigned int generation; /* of the environment: a reset makes it void */
	enum table_id table;
	uint64_t version;
	struct guid step;
	bool keep_success; /* a row tells of a success too */
	int timeout_ms;
	char step_name[257], host[64], port[8];
	struct text path, headers, body;
};

/* --- context.c: what is posted --- */
/* RemoteExecutionContext as JSON; stripped: without the members that are left out when it is too
 * big. */
void context_write(const struct hook_event *e, const struct record *step, bool stripped,
		   struct text *out);

/* --- deliver.c: threads of their own --- */
void deliver(struct delivery *d);
void delivery_free(struct delivery *d);

#endif

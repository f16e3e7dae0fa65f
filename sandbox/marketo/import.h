/* Bulk lead import: an uploaded file that becomes people some time later. Adobe: Bulk Lead Import.
 */
#ifndef SANDBOX_MARKETO_IMPORT_H
#define SANDBOX_MARKETO_IMPORT_H

#include "marketo/marketo.h"

enum import_state { IMPORT_QUEUED, IMPORT_RUNNING, IMPORT_COMPLETE };

struct import {
	uint32_t id;
	int user;
	enum import_state state;
	int64_t queued_ms, started_ms, finished_ms; /* 0: not yet */
	char delimiter;
	int lookup;   /* column */
	int64_t list; /* id; 0: none */
	uint8_t partition;
	struct text file; /* emptied when it was imported */
	int64_t imported, failed, warned;
	struct text failures, warnings; /* files */
};

struct imports {
	struct import **list;
	size_t count;
	uint32_t last_id;
};

/* import_file.c */
/* The part of a multipart body with the name; false when there is none. */
bool multipart_find(const struct web_request *, const char *name, const char **ret_bytes,
		    size_t *ret_len);
/* Checks the header row; false after having failed the call. */
bool import_check(struct call *, const struct import *);
void import_apply(struct marketo *, struct import *);

#endif

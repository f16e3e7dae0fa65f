/* Calls to Marketo: the token, the repeats, the pauses. What the files of this driver share. */
#ifndef REMOTE_MARKETO_CALL_H
#define REMOTE_MARKETO_CALL_H

#include <pthread.h>

#include "remote/marketo.h"
#include "remote/marketo_token.h"
#include "remote/marketo_wire.h"

enum {
	MARKETO_BATCH = 300,   /* records, values or ids in one call */
	MARKETO_FILES_MAX = 2, /* so many extracts can be at work at once */
	MARKETO_PARALLEL = 3,  /* calls under way for one of ours */
	/* Marketo gives up after so long ("Adobe: REST API"); we wait a little longer than it does.
	 */
	MARKETO_READ_MS = 75 * 1000,
	MARKETO_WRITE_MS = 105 * 1000,
	MARKETO_PAGING_MS = 315 * 1000,
	MARKETO_OTHER_MS = 45 * 1000,
	MARKETO_FILE_MS = 180 * 1000, /* a piece of a file, either way */
};

struct marketo_file;

struct marketo {
	struct http_origin *origin;
	struct marketo_token *token;
	int64_t overlap_s;
	struct guid organisation;
	pthread_mutex_t
		create_lock; /* one create at a time: two with the same new key would both insert */
	pthread_mutex_t activity_lock; /* guards activity_type */
	int64_t activity_type;     /* numeric id of the custom activity type; 0 not looked up yet */
	pthread_mutex_t file_lock; /* guards files */
	struct marketo_file *files[MARKETO_FILES_MAX]; /* owned; read halfway, oldest first */
	/* when the usage was asked for last, and how many calls there were by then */
	_Atomic int64_t usage_asked_ms;
	_Atomic uint64_t usage_asked_calls;
};

struct marketo_request {
	/* the request; everything is foreign and must live until the run is over */
	const char *path;
	const char *content_type; /* NULL: a GET; else a POST */
	struct str body;
	int64_t timeout_ms;
	bool is_once; /* not repeated unless it surely was not executed */
	bool is_part; /* a half of something that failed: its caller splits on, nothing is repeated
			 here */
	const char *permission; /* named when the right to it is missing */
	const struct marketo_sink *sink;
	bool is_file;      /* the answer is a file or a part of one, not JSON */
	const char *range; /* with is_file, "Range: bytes=0-99"; NULL: all of it */
	/* the answer; owned, see marketo_request_release */
	enum err_kind kind;
	struct err err;
	bool must_split; /* failed, but may work in halves */
	bool is_unknown; /* failed, but may have been executed */
	struct marketo_answer answer;
	struct buf file;    /* of is_file */
	int64_t file_at;    /* where its first byte stands in the whole file */
	int64_t file_bytes; /* of the whole file; -1 unknown */
	bool is_whole_file; /* nothing is missing, whatever part was asked for */
};

extern const char marketo_json[]; /* content types */
extern const char marketo_form[];

/* At most MARKETO_PARALLEL requests; returns when every one has its outcome. */
void marketo_run(struct marketo *m, const struct call *call, struct marketo_request *requests,
		 size_t count);
void marketo_request_release(struct marketo_request *r);
/* One request: runs it and leaves its error in err. */
enum err_kind marketo_ask(struct marketo *m, const struct call *call, struct marketo_request *r,
			  struct err *err);

/* What is left of the budget, from memory. */
void marketo_budget(void *self, struct remote_budget *ret);

/* True when the page just read has a successor. */
bool marketo_has_next(const struct marketo_request *r);

#endif

/* The Dynamics side's own state, and the one way a request gets to Dataverse: with its token and
 * headers, repeated as the error table allows, waiting where Dataverse says wait (INV-BUDGET).
 * Private to the dynamics_* files. */
#ifndef REMOTE_DYNAMICS_CALL_H
#define REMOTE_DYNAMICS_CALL_H

#include <pthread.h>

#include <json-c/json.h>

#include "core/load.h"
#include "remote/dynamics.h"
#include "remote/dynamics_err.h"
#include "remote/dynamics_token.h"

#define DYNAMICS_ROOT "/api/data/v9.2/"
/* Preferred when names of the rows that look-ups point to are wanted. */
#define DYNAMICS_LABELS "odata.include-annotations=\"OData.Community.Display.V1.FormattedValue\""

/* What the table alone says of a column; rights per column come on top and may change any minute. */
struct dynamics_column {
	struct guid metadata_id;
	bool can_read, can_create, can_update;
};

/* Creating many rows of a table in one request. */
struct dynamics_bulk {
	enum { BULK_UNKNOWN, BULK_OFFERED, BULK_NOT_OFFERED } state;
	size_t rows; /* in one request; 0: none was sent yet */
};

struct dynamics {
	struct http_origin *origin, *authority;   /* owned */
	struct dynamics_certificate *certificate; /* owned; NULL: the sign-in is by secret */
	struct dynamics_token *token;             /* owned */
	uint32_t parallel_max;                    /* from 1 */
	bool obeys_rules;                         /* of duplicate detection */
	pthread_mutex_t lock;
	/* guarded by lock */
	bool has_user;
	struct guid user_id;
	uint32_t parallel; /* what the origin was told last */
	struct load load;
	int hint;              /* parallel requests Dataverse advises, 0 none yet */
	int64_t slow_until_ms; /* half of it until then */
	struct dynamics_bulk bulk[TABLE_COUNT];
	struct dynamics_column *columns[TABLE_COUNT]; /* owned; all of a table, by metadata_id */
	size_t column_count[TABLE_COUNT];
	uint32_t feed_days;           /* how long a cursor stays good; 0 not known */
	bool has_origin[TABLE_COUNT]; /* the table has the column originatingleadid */
};

struct dynamics_request {
	/* the request; foreign */
	const char *method; /* NULL: GET */
	const char *path;
	const char *prefer, *content_type; /* NULL: none */
	struct str body;
	bool wants_labels; /* names of the rows that look-ups point to */
	bool is_strong;    /* metadata and rights as they are, not as a cache knows them */
	bool is_batch;     /* an answer in parts is an answer, whatever its status */
	bool is_bulk;      /* many writes, all or nothing: sent once, its maker has another way */
	/* the outcome */
	struct http_exchange answer; /* owned */
	struct err err;
	enum err_kind kind;
	enum dynamics_repeat repeat; /* with an error: what else could be done */
	/* while under way */
	bool is_done, is_renewed;
	unsigned tries;
	int64_t throttled_since_ms;
	char prefer_line[160], type_line[160];
	const char *headers[12];
};

/* Sends all of them, as many at once as the budget allows. Every request has its outcome then;
 * returned is the first failure among them. */
enum err_kind dynamics_send(struct dynamics *d, const struct call *call,
			    struct dynamics_request *requests, size_t count, struct err *err);
void dynamics_request_release(struct dynamics_request *r);

/* A GET whose answer is small enough for a tree: *ret must be put back. */
enum err_kind dynamics_get(struct dynamics *d, const struct call *call, const char *path,
			   struct json_object **ret, struct err *err);
/* The tree of an answer; ERR_RUBBISH when it is not one JSON object. */
enum err_kind dynamics_tree(struct str body, struct json_object **ret, struct err *err);

/* Asks WhoAmI unless the sync user is known already. */
enum err_kind dynamics_user(struct dynamics *d, const struct call *call, struct guid *ret,
			    struct err *err);
/* Path of a function on the sync user, in the arena. */
char *dynamics_user_path(struct arena *a, const struct guid *user, const char *function);
/* Asks WhoAmI. */
enum err_kind dynamics_identify(struct dynamics *d, const struct call *call,
				struct guid *ret_organisation, struct err *err);

/* How many requests are sent side by side now: the setting, the server's hint, half of it after
 * service protection, and fewer where the time they take nears what is granted. */
uint32_t dynamics_parallel(struct dynamics *d);
/* Service protection spoke, in an answer or in a part of one: nobody sends before it is over. */
void dynamics_throttled(struct dynamics *d, const char *code, int64_t retry_after_ms);
/* Pause before a repeat; ERR_STOPPED when the program ends meanwhile, ERR_RETRY_LATER when it would
 * pass the deadline. */
enum err_kind dynamics_pause(struct dynamics *d, const struct call *call, unsigned attempt,
			     struct err *err);

#endif

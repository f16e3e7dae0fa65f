/* One side as the sync sees it: a small table of functions. Marketo and Dynamics stand behind it;
 * in-memory twins do in simulations. Every call may block until its deadline; every call may be
 * made from any thread. Errors: the returned kind says what it means for the caller (err.h); the
 * remote layer has already retried what may be retried, waited where a remote said wait
 * (INV-BUDGET), renewed tokens, and split batches that had to be split. */
#ifndef REMOTE_REMOTE_H
#define REMOTE_REMOTE_H

#include "core/decide.h"
#include "core/quota.h"

/* Whose call it is: precedence and patience. */
struct call {
	enum lane lane;
	int64_t deadline_ms; /* clock_mono_ms() by which to give up; 0: the remote's limits only */
};

enum change_kind {
	CHANGE_EDITED, /* created or changed; Dynamics brings the record along, Marketo only the id */
	CHANGE_DELETED,
	CHANGE_MERGED /* Marketo: winner_id took over person_id */
};

struct change {
	enum change_kind kind;
	int64_t person_id;     /* Marketo */
	int64_t winner_id;     /* CHANGE_MERGED */
	struct guid record_id; /* Dynamics */
	struct record *record; /* Dynamics, CHANGE_EDITED; in the arena of the call */
	/* Marketo, CHANGE_EDITED of one field: its index in the mapping, what the log says it
	 * showed before and after. kind UNSEEN: the log tells no field, or not that value. */
	uint16_t index;
	struct value was, now;
	bool is_told;   /* Marketo, without a field: the fields that follow are all that changed */
	uint64_t event; /* Marketo: the same whenever it is shown again; 0: it has no name */
};

struct change_page {
	struct change
		*changes; /* in the order the side committed them; an id may come several times */
	size_t count;
	struct str cursor; /* where to go on: after this page, or in the next cycle when is_last */
	bool is_last;
	bool is_scan_start; /* the first page of such a reading */
	bool is_full_scan;  /* part of a first reading of everything (no cursor was given, or it was
			       the middle of one) */
};

enum lookup { LOOKUP_ID, LOOKUP_EMAIL, LOOKUP_STAMP };

struct record_list {
	struct record *records;
	size_t count;
	/* Marketo, LOOKUP_EMAIL: values that more persons show than can be listed */
	struct str *crowded;
	size_t crowded_count;
};

enum write_operation { WRITE_CREATE, WRITE_UPDATE };

/* What to set of a person's stamp. */
struct stamp {
	unsigned fields; /* bit per enum stamp_field: which to write */
	struct guid record_id;
	enum table table;
	bool is_deleted;
	const char *status; /* outcome in a word, for microsoftSyncStatus */
	int64_t synced_at_s;
};

struct write {
	enum write_operation operation;
	enum table table;
	int64_t person_id;     /* update of a person */
	struct guid record_id; /* of a record; create: the id it shall get. Create of a person: the
				  stamp it is keyed on */
	int64_t version; /* update of a record: If-Match this version; 0: must exist, any version */
	const struct field_write *fields;
	size_t field_count;
	const struct stamp *stamp; /* persons; NULL: none */
	const struct guid *owner;  /* create of a record: the systemuser; NULL: the sync user */
};

struct write_result {
	enum err_kind kind; /* ERR_NONE: done. DUPLICATE on create: the id was there already.
			       CONFLICT: version. GONE: no such record */
	struct err err;     /* err.field names the blamed column when the remote does */
	int64_t person_id;  /* create of a person: its id */
	bool was_created;   /* create of a person: false when the upsert found it by its stamp */
	int64_t version;    /* records: the version after the write, 0 unknown: the next write has
			       to look at the record first */
	bool is_unknown;    /* activities: not known to be done, yet it may have been */
	bool is_company;    /* refused: the person belongs to a company; all but the columns with
			       is_company may be written */
};

/* A line in a person's Activity Log (custom activity type `Microsoft Sync`). */
struct activity {
	int64_t person_id;
	int64_t at_s;
	const char *outcome;       /* primary attribute, short: "refused", "created", ... */
	const char *direction;     /* "Marketo to Dynamics", "Dynamics to Marketo" */
	const char *entity;        /* "lead", "contact" */
	char record_id[GUID_TEXT]; /* "" none */
	const char *field;         /* "" none */
	const char *code;
	const char *message;   /* plain words */
	const char *reference; /* our id of what it reports, so that a repeat can be recognised */
};

/* ---- files of many persons (Marketo) ---- */

enum extract_filter { EXTRACT_CREATED, EXTRACT_UPDATED };

enum extract_state { EXTRACT_WAITING, EXTRACT_READY, EXTRACT_FAILED, EXTRACT_GONE };

struct extract_status {
	enum extract_state state;
	uint64_t rows, bytes; /* EXTRACT_READY */
	struct err err;       /* EXTRACT_FAILED */
};

/* Both ends of an extract belong to it, so 31 days of seconds are one less apart. */
enum { REMOTE_EXTRACT_MAX_S = 31 * 86400 - 1, REMOTE_IMPORT_MAX = 50000 };

enum import_state { IMPORT_WAITING, IMPORT_DONE, IMPORT_FAILED, IMPORT_GONE };

struct import_status {
	enum import_state state;
	uint64_t processed, failed, warnings; /* rows, when IMPORT_DONE */
	struct err err;                       /* IMPORT_FAILED */
};

/* A person whose row was not taken, or with a warning: taken without the value err.field names. */
struct import_failure {
	int64_t person_id; /* 0: the row does not tell */
	bool is_warning;
	struct err err;
};
struct import_failure_list {
	struct import_failure *failures;
	size_t count;
};

/* One line of `tandem check`. */
struct check_line {
	const char *name; /* static: "token", "sync user", "lead: read" ... */
	bool is_ok;
	char advice[320]; /* "" when ok, else what to do */
};
struct check_list {
	struct check_line lines[48];
	size_t count;
};
void check_add(struct check_list *list, const char *name, const struct err *err_or_null,
	       const char *advice);

/* How far the budget of calls of a side is used up, and what it waits for. */
struct remote_budget {
	struct budget now;
	char reason[240]; /* why calls wait and until when, for people; "" they do not */
};
void remote_explain_budget(struct remote_budget *b, const char *side); /* fills reason from now */

struct remote_ops {
	/* Who this side is: Dynamics: OrganizationId; Marketo: a GUID made of its address. Also
	 * proves token and access. */
	enum err_kind (*identify)(void *self, const struct call *, struct guid *ret_organisation,
				  struct err *);
	/* Schema of one of this side's tables with the sync user's rights applied. Memory: arena. */
	enum err_kind (*describe)(void *self, const struct call *, enum table, struct arena *,
				  struct schema *ret, struct err *);
	/* Only the part of the rights that may change any minute (Dynamics: column rights), applied
	 * to a schema read before; *ret_changed tells whether anything differs. At most one call.
	 * Marketo: none. */
	enum err_kind (*refresh_rights)(void *self, const struct call *, struct schema *schemas,
					size_t count, bool *ret_changed, struct err *);
	/* A cursor for what comes after a date, for a side that is not scanned fully at first
	 * (Marketo); 0: from now on. */
	enum err_kind (*start_cursor)(void *self, const struct call *, int64_t since_s,
				      struct arena *, struct str *ret_cursor, struct err *);
	/* One page of the change feed of a table. Empty cursor: a full scan (Dynamics).
	 * ERR_EXPIRED: start over with none. */
	enum err_kind (*changes)(void *self, const struct call *, const struct mapping *,
				 enum table, struct str cursor, struct arena *,
				 struct change_page *ret, struct err *);
	/* How many days a cursor of changes stays good, as far as describe has seen; 0: not known.
	 * Dynamics; else NULL. */
	uint32_t (*feed_days)(void *self);
	/* About how many records each table of this side has: a number that may be a day old, for
	 * saying how far a full scan is; 0: not known, for whatever reason. ERR_STOPPED is the only
	 * error. Dynamics; else NULL. */
	enum err_kind (*count)(void *self, const struct call *, uint64_t ret[TABLE_COUNT],
			       struct err *err);
	/* Records by id (persons: person_ids, records: record_ids), any number; ret[i] is NULL when
	 * i is not there. */
	enum err_kind (*read)(void *self, const struct call *, const struct mapping *, enum table,
			      const int64_t *person_ids, const struct guid *record_ids,
			      size_t count, struct arena *, struct record **ret, struct err *);
	/* Records whose e-mail (LOOKUP_EMAIL, without case) or stamp (LOOKUP_STAMP, persons; values
	 * are GUIDs as text) is one of the values; any number of values; no order promised. Only
	 * active records for e-mail. */
	enum err_kind (*find)(void *self, const struct call *, const struct mapping *, enum table,
			      enum lookup, const struct str *values, size_t count, struct arena *,
			      struct record_list *ret, struct err *);
	/* Writes of one table, any number; results[i] belongs to writes[i]. INV-NO-HOSTAGE: a bad
	 * one harms no other. Returns other than ERR_NONE only when nothing is known of the rest
	 * (results say which were done). */
	enum err_kind (*write)(void *self, const struct call *, const struct mapping *,
			       const struct write *writes, size_t count,
			       struct write_result *results, struct err *);
	/* Owner of a new record: GUID, domain name or e-mail of a user -> its id. ERR_REFUSED when
	 * there is none. Dynamics. */
	enum err_kind (*find_owner)(void *self, const struct call *, struct str name,
				    struct guid *ret, struct err *);
	/* Adds lines to Activity Logs; results by index. Marketo. */
	enum err_kind (*add_activities)(void *self, const struct call *, const struct activity *,
					size_t count, struct write_result *results, struct err *);
	/* Which of the lines, known by their references, an earlier try has added since then. It
	 * may take minutes until a line is found. Marketo. */
	enum err_kind (*find_activities)(void *self, const struct call *, int64_t since_s,
					 const struct activity *, size_t count, bool *ret_found,
					 struct err *);
	/* Bulk extract; NULL where there is none. A job is named by a text, so that it survives a
	 * restart. Made and queued here: persons created or updated in [from_s, to_s], at most
	 * REMOTE_EXTRACT_MAX_S apart; persons may come twice. ERR_RIGHTS: not for this user, or
	 * (code 1035) not in this subscription, which is worth remembering. ERR_THROTTLED with a
	 * hint: no free place, or the bytes of the day are used up. */
	enum err_kind (*extract_start)(void *self, const struct call *, const struct mapping *,
				       enum extract_filter, int64_t from_s, int64_t to_s,
				       struct arena *, struct str *ret_job, struct err *);
	/* The state is renewed once a minute: asking more often is a waste, and the caller's to
	 * prevent. A job that was cancelled or that nobody knows is EXTRACT_GONE. */
	enum err_kind (*extract_poll)(void *self, const struct call *, struct str job,
				      struct extract_status *ret, struct err *);
	/* A piece of a ready job's file: whole rows from byte *at (0 first), which moves on.
	 * Persons as read gives them, with one exception: a text that says "null" looks empty here,
	 * so read a person before one of its values is emptied elsewhere. *ret_is_last: that was
	 * the end, and the file was whole and right; only then is it certain of the pieces before,
	 * too. After a restart, or when several files are read in turns, a piece from the middle
	 * comes from the beginning again, and *at falls back. The mapping is the one of
	 * extract_start. ERR_EXPIRED: the file is gone or damaged: start a new job. ERR_RUBBISH
	 * with err.field: a column is missing. */
	enum err_kind (*extract_read)(void *self, const struct call *, const struct mapping *,
				      struct str job, uint64_t *at, struct arena *,
				      struct record_list *ret, bool *ret_is_last, struct err *);
	/* A job that is at its end already, or gone, is no error. */
	enum err_kind (*extract_cancel)(void *self, const struct call *, struct str job,
					struct err *);
	/* Bulk import of stamps; NULL where there is none. Updates of persons with a stamp and
	 * without fields, at most REMOTE_IMPORT_MAX; all set the same fields of the stamp, none of
	 * them to nothing. A row for a person that is gone fails; none is created. ERR_THROTTLED
	 * with a hint: no free place. ERR_RETRY_LATER: perhaps queued; the same again does no harm.
	 */
	enum err_kind (*import_start)(void *self, const struct call *, const struct write *writes,
				      size_t count, struct arena *, struct str *ret_job,
				      struct err *);
	/* Asking more often than every 5 to 30 seconds is a waste, and the caller's to prevent. */
	enum err_kind (*import_poll)(void *self, const struct call *, struct str job,
				     struct import_status *ret, struct err *);
	/* What became of the rows that status (IMPORT_DONE) counts as failed or with a warning. */
	enum err_kind (*import_failures)(void *self, const struct call *, struct str job,
					 const struct import_status *status, struct arena *,
					 struct import_failure_list *ret, struct err *);
	/* When the oldest person was created, in 1 to 22 calls. *ret_is_sure false: nobody was
	 * found among the lowest ids, and *ret_s is an estimate from samples; there may be older
	 * ones. Nobody found at all: the day before which there was no Marketo. NULL where there is
	 * no bulk extract. */
	enum err_kind (*oldest)(void *self, const struct call *, int64_t *ret_s, bool *ret_is_sure,
				struct err *);
	/* Creates what is missing on this side (fields, activity type); says what it did, line by
	 * line. Marketo; else NULL. */
	enum err_kind (*setup)(void *self, const struct call *, const struct field *fields,
			       size_t count, void (*say)(void *context, const char *line),
			       void *context, struct err *);
	/* Set-up validation, one line a check; never fails itself. */
	void (*check)(void *self, const struct call *, struct check_list *ret);
	/* Calls made since the start, for the cycle's report. */
	uint64_t (*calls)(void *self);
	/* What is left of the budget; from memory, at once. May be NULL. */
	void (*budget)(void *self, struct remote_budget *ret);
	/* Asks the side what it has counted itself, when that is due; at most one call. Within a
	 * cycle it is due after many calls only, so that a quiet cycle never pays for it. May be
	 * NULL; Marketo. */
	enum err_kind (*refresh_budget)(void *self, const struct call *, bool is_in_cycle,
					struct err *);
	/* An operator wants a side tried that said its quota was used up. May be NULL; Marketo. */
	void (*reopen)(void *self);
	void (*free)(void *self);
};

struct remote {
	const struct remote_ops *ops;
	void *self;
};

#endif

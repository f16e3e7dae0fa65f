/* Bulk extract: jobs that write people or the change log to a file. Adobe: Bulk Extract, Bulk Lead
 * Extract, Bulk Activity Extract. A job's life is reckoned from the clock whenever a call comes:
 * nothing runs in the background. */
#ifndef SANDBOX_MARKETO_BULK_H
#define SANDBOX_MARKETO_BULK_H

#include "base/sha256.h"
#include "marketo/marketo.h"

enum job_kind { JOB_LEADS, JOB_ACTIVITIES };

enum job_state {
	JOB_CREATED,
	JOB_QUEUED,
	JOB_PROCESSING,
	JOB_COMPLETED,
	JOB_FAILED,
	JOB_CANCELLED,
};

enum job_filter { JOB_BY_CREATED, JOB_BY_UPDATED, JOB_BY_LIST };

/* Columns of an activity file. */
enum activity_column {
	ACTIVITY_GUID,
	ACTIVITY_LEAD,
	ACTIVITY_DATE,
	ACTIVITY_TYPE,
	ACTIVITY_CAMPAIGN,
	ACTIVITY_PRIMARY_ID,
	ACTIVITY_PRIMARY,
	ACTIVITY_ATTRIBUTES,
	ACTIVITY_RESULT,
};
enum { ACTIVITY_COLUMN_COUNT = ACTIVITY_RESULT + 1 };
extern const char *const activity_columns[ACTIVITY_COLUMN_COUNT];

enum { JOB_ID_SIZE = 37, JOB_VALUES_MAX = 50 };

struct job {
	char id[JOB_ID_SIZE];
	enum job_kind kind;
	int user;
	enum job_state state;
	int64_t created_ms, queued_ms, started_ms, finished_ms; /* 0: not yet */
	const char *format;
	char delimiter;
	enum job_filter filter;
	int64_t from, to; /* seconds, both inclusive */
	int64_t list;     /* id */
	uint32_t types[JOB_VALUES_MAX];
	size_t type_count;           /* 0: all */
	struct json_object *primary; /* the values wanted; NULL: all */
	bool primary_ids;            /* they are ids */
	int columns[FIELDS_MAX];     /* of fields, or of enum activity_column */
	char *headers[FIELDS_MAX];
	size_t column_count;
	struct text file;
	bool file_gone;
	int64_t records;
	size_t size;
	char checksum[SHA256_DIGITS + 1];
};

struct bulk {
	struct job **jobs; /* in the order of making */
	size_t count;
	int64_t day, day_bytes; /* files finished on that day, US Central */
};

/* bulk_body.c: false after having failed the call. */
bool job_read(struct call *, struct job *);

/* bulk_file.c */
void job_write(struct marketo *, struct job *);
/* Answers with the file or the part of it that is asked for. */
void file_answer(struct call *, const char *bytes, size_t len, const char *type);
void file_cell(struct text *out, char delimiter, const char *bytes, size_t len);

#endif

/* The functions behind remote.h, one file each, as marketo.c joins them. */
#ifndef REMOTE_MARKETO_PARTS_H
#define REMOTE_MARKETO_PARTS_H

#include "remote/marketo_call.h"

/* marketo_usage.c */
enum err_kind marketo_usage_ask(struct marketo *m, const struct call *call, struct err *err);
enum err_kind marketo_refresh_budget(void *self, const struct call *, bool is_in_cycle,
				     struct err *);
void marketo_reopen(void *self);
/* marketo_schema.c */
enum err_kind marketo_describe(void *self, const struct call *, enum table, struct arena *,
			       struct schema *ret, struct err *);
/* marketo_feed.c */
enum err_kind marketo_start_cursor(void *self, const struct call *, int64_t since_s, struct arena *,
				   struct str *ret_cursor, struct err *);
enum err_kind marketo_changes(void *self, const struct call *, const struct mapping *, enum table,
			      struct str cursor, struct arena *, struct change_page *ret,
			      struct err *);
/* The paging token from which the logs tell what has happened since then. */
enum err_kind marketo_date_token(struct marketo *m, const struct call *, int64_t since_s,
				 struct arena *, struct str *ret, struct err *);
/* marketo_read.c */
enum err_kind marketo_read(void *self, const struct call *, const struct mapping *, enum table,
			   const int64_t *person_ids, const struct guid *record_ids, size_t count,
			   struct arena *, struct record **ret, struct err *);
enum err_kind marketo_find(void *self, const struct call *, const struct mapping *, enum table,
			   enum lookup, const struct str *values, size_t count, struct arena *,
			   struct record_list *ret, struct err *);
/* marketo_write.c */
enum err_kind marketo_write(void *self, const struct call *, const struct mapping *,
			    const struct write *writes, size_t count, struct write_result *results,
			    struct err *);
/* marketo_activity.c */
enum { MARKETO_REFERENCE = 6, MARKETO_ATTRIBUTE_COUNT };
extern const char marketo_activity_api_name[];
struct marketo_attribute {
	const char *api_name, *name, *type;
};
extern const struct marketo_attribute marketo_attributes[MARKETO_ATTRIBUTE_COUNT];

/* What the instance has of our activity type. */
struct marketo_activity_state {
	bool is_there;
	int64_t id;       /* numeric, differs per instance; a draft may have none */
	bool is_approved; /* it takes records */
};
enum err_kind marketo_activity_look(struct marketo *m, const struct call *,
				    struct marketo_activity_state *ret, struct err *);
enum err_kind marketo_add_activities(void *self, const struct call *, const struct activity *,
				     size_t count, struct write_result *results, struct err *);
enum err_kind marketo_find_activities(void *self, const struct call *, int64_t since_s,
				      const struct activity *, size_t count, bool *ret_found,
				      struct err *);
/* marketo_export.c */
enum err_kind marketo_extract_start(void *self, const struct call *, const struct mapping *,
				    enum extract_filter, int64_t from_s, int64_t to_s,
				    struct arena *, struct str *ret_job, struct err *);
enum err_kind marketo_extract_poll(void *self, const struct call *, struct str job,
				   struct extract_status *ret, struct err *);
enum err_kind marketo_extract_cancel(void *self, const struct call *, struct str job, struct err *);

/* What a job says of itself. */
struct marketo_export {
	char job[72]; /* its id */
	enum extract_state state;
	int64_t rows, bytes; /* -1: not told */
	char checksum[80];   /* as it was told, "" not told */
};
enum err_kind marketo_export_look(struct marketo *m, const struct call *, struct str job,
				  struct marketo_export *ret, struct err *);
/* False when the text cannot be the id of a job. What is done with it: "status", "file", ... */
MUST_CHECK bool marketo_export_path(struct str job, const char *what, struct buf *out);
/* A call about bulk jobs, with its own reading of error codes. */
enum err_kind marketo_bulk_ask(struct marketo *m, const struct call *, struct marketo_request *r,
			       struct err *err);
/* marketo_file.c */
enum err_kind marketo_extract_read(void *self, const struct call *, const struct mapping *,
				   struct str job, uint64_t *at, struct arena *,
				   struct record_list *ret, bool *ret_is_last, struct err *);
void marketo_file_forget(struct marketo *m, struct str job);
void marketo_files_free(struct marketo *m);
/* marketo_import.c */
enum err_kind marketo_import_start(void *self, const struct call *, const struct write *writes,
				   size_t count, struct arena *, struct str *ret_job, struct err *);
enum err_kind marketo_import_poll(void *self, const struct call *, struct str job,
				  struct import_status *ret, struct err *);
enum err_kind marketo_import_failures(void *self, const struct call *, struct str job,
				      const struct import_status *status, struct arena *,
				      struct import_failure_list *ret, struct err *);
/* marketo_oldest.c */
enum err_kind marketo_oldest(void *self, const struct call *, int64_t *ret_s, bool *ret_is_sure,
			     struct err *);
/* marketo_setup.c */
enum err_kind marketo_setup(void *self, const struct call *, const struct field *fields,
			    size_t count, void (*say)(void *context, const char *line),
			    void *context, struct err *);
/* marketo_check.c */
void marketo_check(void *self, const struct call *, struct check_list *ret);

#endif

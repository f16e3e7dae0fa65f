/* Reading records: the change feed, by id, by e-mail, and the owner of new ones. Private to the
 * dynamics_* files. */
#ifndef REMOTE_DYNAMICS_READ_H
#define REMOTE_DYNAMICS_READ_H

#include "remote/dynamics_call.h"
#include "remote/dynamics_wire.h"

enum err_kind dynamics_changes(struct dynamics *d, const struct call *call, const struct mapping *m,
			       enum table t, struct str cursor, struct arena *a,
			       struct change_page *ret, struct err *err);
enum err_kind dynamics_read(struct dynamics *d, const struct call *call, const struct mapping *m,
			    enum table t, const struct guid *ids, size_t count, struct arena *a,
			    struct record **ret, struct err *err);
enum err_kind dynamics_find(struct dynamics *d, const struct call *call, const struct mapping *m,
			    enum table t, enum lookup lookup, const struct str *values,
			    size_t count, struct arena *a, struct record_list *ret,
			    struct err *err);
enum err_kind dynamics_find_owner(struct dynamics *d, const struct call *call, struct str name,
				  struct guid *ret, struct err *err);

enum err_kind dynamics_count(struct dynamics *d, const struct call *call, uint64_t ret[TABLE_COUNT],
			     struct err *err);
/* Takes the numbers of an answer to RetrieveTotalRecordCount; what it does not tell is 0. */
void dynamics_count_read(struct json_object *answer, uint64_t ret[TABLE_COUNT]);

/* What is read of a table, as far as the table was described. */
void dynamics_projection_of(struct dynamics *d, const struct mapping *m, enum table t,
			    struct arena *a, struct dynamics_projection *ret);

/* The page of a change feed without its cursor: is_last and links as the page tells. */
struct dynamics_page {
	struct change *changes; /* in the arena */
	size_t count;
	struct str next, delta; /* in the arena; empty if the page has none */
};

/* Decodes a page row by row, without a tree of it. */
enum err_kind dynamics_page_read(const struct dynamics_projection *p, struct str body,
				 struct arena *a, struct dynamics_page *ret, struct err *err);

#endif

/* Whose fault a write is that failed; see blame.h. */
#include "sync/blame.h"

static bool blame_is_schema(const struct write_result *r)
{
	return r->kind == ERR_RIGHTS || (r->kind == ERR_BROKEN && r->err.field[0]);
}

static enum err_kind blame_schema(struct engine *e, enum err_kind kind)
{
	if (e->is_schema_fresh)
		return kind == ERR_RIGHTS ? ERR_RIGHTS : ERR_REFUSED;
	e->is_schema_stale = true;
	return ERR_RETRY_LATER;
}

enum err_kind blame_call(struct engine *e, bool is_cycle, enum err_kind kind,
			 struct write_result *results, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		struct write_result *r = &results[i];

		if (kind != ERR_NONE && r->kind == kind) {
			r->kind = ERR_RETRY_LATER;
		} else if (is_cycle && blame_is_schema(r)) {
			r->kind = r->err.kind = blame_schema(e, r->kind);
		} else if (kind == ERR_NONE && r->kind == ERR_BROKEN) {
			kind = ERR_BROKEN;
			*err = r->err;
		}
	}
	return kind;
}

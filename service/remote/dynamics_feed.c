/* The change feed of a table by change tracking ("Microsoft Learn: Use change tracking to
 * synchronize data with external systems"). Links are opaque: sent as they came, and only to our
 * own origin (INV-ORIGIN). */
#include "base/mem.h"
#include "remote/dynamics_read.h"
#include "remote/json.h"

#define PREFER_BASELINE "odata.track-changes,odata.maxpagesize=5000"
#define PREFER_DELTA "odata.maxpagesize=5000"

/* ---- one page ---- */

struct page_reader {
	const struct dynamics_projection *projection;
	struct arena *arena;
	struct change *changes; /* owned while growing */
	size_t count, cap;
	struct dynamics_page *page;
};

static enum err_kind take_link(struct page_reader *r, struct json_object *value, struct str *ret,
			       struct err *err)
{
	if (!json_object_is_type(value, json_type_string) || !json_object_get_string_len(value))
		return err_set(err, ERR_RUBBISH, "a link of the change feed is not a text");
	*ret = arena_str(r->arena, (struct str){ json_object_get_string(value),
						 (size_t)json_object_get_string_len(value) });
	return ERR_NONE;
}

static enum err_kind take_deletion(struct json_object *row, struct change *ret, struct err *err)
{
	struct str id;

	ret->kind = CHANGE_DELETED;
	if (!json_get_string(row, "id", &id) || !guid_parse(id, &ret->record_id))
		return err_set(err, ERR_RUBBISH,
			       "a deletion in the change feed came without its id");
	return ERR_NONE;
}

static enum err_kind take_edit(struct page_reader *r, struct json_object *row, struct change *ret,
			       struct err *err)
{
	enum err_kind kind;

	ret->kind = CHANGE_EDITED;
	ret->record = arena_alloc(r->arena, sizeof(*ret->record));
	kind = dynamics_row_read(r->projection, row, r->arena, ret->record, err);
	ret->record_id = ret->record->record_id;
	return kind;
}

static enum err_kind visit(void *context, const char *array, const char *member,
			   struct json_object *value, struct err *err)
{
	struct page_reader *r = context;
	struct change *change;

	if (!array && strcmp(member, "@odata.nextLink") == 0)
		return take_link(r, value, &r->page->next, err);
	if (!array && strcmp(member, "@odata.deltaLink") == 0)
		return take_link(r, value, &r->page->delta, err);
	if (!array || strcmp(array, "value") != 0)
		return ERR_NONE;
	if (r->count == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 64;
		r->changes = mem_grow(r->changes, r->cap, sizeof(*r->changes));
	}
	change = &r->changes[r->count++];
	*change = (struct change){ .record = NULL };
	return dynamics_row_is_deleted(value) ? take_deletion(value, change, err)
					      : take_edit(r, value, change, err);
}

enum err_kind dynamics_page_read(const struct dynamics_projection *p, struct str body,
				 struct arena *a, struct dynamics_page *ret, struct err *err)
{
	struct page_reader r = { .projection = p, .arena = a, .page = ret };
	enum err_kind kind;

	*ret = (struct dynamics_page){ .changes = NULL };
	kind = json_walk(body, visit, &r, err);
	if (kind == ERR_NONE) {
		ret->changes = arena_array(a, r.count ? r.count : 1, sizeof(*r.changes));
		if (r.count)
			memcpy(ret->changes, r.changes, r.count * sizeof(*r.changes));
		ret->count = r.count;
	}
	free(r.changes);
	return kind;
}

/* ---- the feed ---- */

/* A cursor for other columns or for another address is no use any more: the feed starts over, as a
 * full scan: true. */
static bool choose_start(struct dynamics *d, const struct dynamics_projection *p, struct str cursor,
			 struct arena *a, struct dynamics_cursor *ret)
{
	if (dynamics_cursor_read(cursor, ret) && ret->selection == p->selection &&
	    http_origin_owns(d->origin, ret->url))
		return false;
	ret->selection = p->selection;
	ret->is_full_scan = true;
	ret->url = str_of(arena_fmt(a, DYNAMICS_ROOT "%s?$select=%s", dynamics_set_name(p->table),
				    p->select));
	return true;
}

static enum err_kind turn_page(struct dynamics *d, const struct dynamics_cursor *at,
			       const struct dynamics_page *page, struct arena *a,
			       struct change_page *ret, struct err *err)
{
	struct dynamics_cursor next = { .selection = at->selection };

	if (page->next.n && page->delta.n)
		return err_set(err, ERR_RUBBISH,
			       "a page of the change feed has both a next and a last link");
	next.url = page->next.n ? page->next : page->delta;
	next.is_full_scan = at->is_full_scan && page->next.n;
	if (!next.url.n)
		return err_set(err, ERR_RUBBISH,
			       "the change feed ended without a link to go on from");
	if (!http_origin_owns(d->origin, next.url))
		return err_set(err, ERR_RUBBISH,
			       "a link of the change feed leads to another address");
	*ret = (struct change_page){
		.changes = page->changes,
		.count = page->count,
		.cursor = dynamics_cursor_print(a, &next),
		.is_last = !page->next.n,
		.is_full_scan = at->is_full_scan,
	};
	return ERR_NONE;
}

/* Names of the rows that look-ups point to are asked for apart: together with change tracking the
 * link to go on from has been seen to vanish. What a row shows by then is good enough, or it has
 * gone, which the feed will tell. */
static enum err_kind add_labels(struct dynamics *d, const struct call *call,
				const struct mapping *m, enum table t, struct change_page *page,
				struct arena *a, struct err *err)
{
	struct guid *ids = arena_array(a, page->count, sizeof(*ids));
	struct record **rows = arena_array(a, page->count, sizeof(struct record *));
	struct record **now = arena_array(a, page->count, sizeof(struct record *));
	enum err_kind kind;
	size_t n = 0;

	for (size_t i = 0; i < page->count; i++) {
		if (page->changes[i].kind != CHANGE_EDITED)
			continue;
		ids[n] = page->changes[i].record_id;
		rows[n++] = page->changes[i].record;
	}
	kind = dynamics_read(d, call, m, t, ids, n, a, now, err);
	for (size_t i = 0; kind == ERR_NONE && i < n; i++) {
		for (size_t f = 0; f < m->count; f++) {
			const struct column *c = m->fields[f].column[t];

			if (c && c->type == COLUMN_LOOKUP)
				rows[i]->values[f] =
					now[i] ? now[i]->values[f]
					       : (struct value){ .kind = VALUE_UNSEEN };
		}
	}
	return kind;
}

enum err_kind dynamics_changes(struct dynamics *d, const struct call *call, const struct mapping *m,
			       enum table t, struct str cursor, struct arena *a,
			       struct change_page *ret, struct err *err)
{
	struct dynamics_projection projection;
	struct dynamics_cursor at = { .is_full_scan = false };
	struct dynamics_page page;
	struct dynamics_request r = { .method = "GET" };
	enum err_kind kind;
	bool is_start;

	dynamics_projection_of(d, m, t, a, &projection);
	is_start = choose_start(d, &projection, cursor, a, &at);
	r.path = arena_text(a, at.url);
	r.prefer = at.is_full_scan ? PREFER_BASELINE : PREFER_DELTA;
	kind = dynamics_send(d, call, &r, 1, err);
	if (kind == ERR_NONE)
		kind = dynamics_page_read(&projection, buf_str(&r.answer.body_in), a, &page, err);
	dynamics_request_release(&r);
	if (kind == ERR_NONE)
		kind = turn_page(d, &at, &page, a, ret, err);
	if (kind == ERR_NONE && projection.has_labels)
		kind = add_labels(d, call, m, t, ret, a, err);
	if (kind == ERR_NONE)
		ret->is_scan_start = is_start;
	return kind;
}

/* The change feed of a table by change tracking ("Microsoft Learn: Use change tracking to
 * synchronize data with external systems"). Links are opaque: sent as they came, and only to our
 * own origin (INV-ORIGIN).
 *
 * The page does not say whether the link behind a reading of several pages goes on from the first
 * of them or from the last. If from the last, a row of an early page that changes while later ones
 * are read would never be told. So a reading of several pages is guarded: the highest version there
 * was at its first page is kept with the cursor, and behind the last page come, as further pages of
 * the same reading, all rows that have a higher one by then. What changes after that moment is told
 * by the link. A row that was read and then deleted has no version to be found by: such a record is
 * found missing when it is looked at the next time. */
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
	*ret = (struct dynamics_cursor){ .selection = p->selection, .is_full_scan = true };
	ret->url = str_of(arena_fmt(a, DYNAMICS_ROOT "%s?$select=%s", dynamics_set_name(p->table),
				    p->select));
	return true;
}

static enum err_kind check_links(struct dynamics *d, const struct dynamics_page *page,
				 struct err *err)
{
	struct str link = page->next.n ? page->next : page->delta;

	if (page->next.n && page->delta.n)
		return err_set(err, ERR_RUBBISH,
			       "a page of the change feed has both a next and a last link");
	if (!link.n)
		return err_set(err, ERR_RUBBISH,
			       "the change feed ended without a link to go on from");
	if (!http_origin_owns(d->origin, link))
		return err_set(err, ERR_RUBBISH,
			       "a link of the change feed leads to another address");
	return ERR_NONE;
}

static int64_t highest_version(const struct dynamics_page *page)
{
	int64_t highest = 0;

	for (size_t i = 0; i < page->count; i++) {
		const struct change *c = &page->changes[i];

		if (c->kind == CHANGE_EDITED && c->record->version > highest)
			highest = c->record->version;
	}
	return highest;
}

/* The highest version of any row of the table now; 0 when it has none. */
static enum err_kind ask_highest_version(struct dynamics *d, const struct call *call, enum table t,
					 int64_t *ret, struct err *err)
{
	CLEANUP(arena_release) struct arena a = { 0 };
	const char *path = arena_fmt(&a,
				     DYNAMICS_ROOT "%s?$select=versionnumber"
						   "&$orderby=versionnumber%%20desc&$top=1",
				     dynamics_set_name(t));
	struct json_object *answer = NULL, *rows;
	enum err_kind kind = dynamics_get(d, call, path, &answer, err);

	if (kind != ERR_NONE)
		return kind;
	rows = json_get_array(answer, "value");
	*ret = 0;
	if (!rows || (json_object_array_length(rows) &&
		      !json_get_int64(json_object_array_get_idx(rows, 0), "versionnumber", ret)))
		kind = err_set(err, ERR_RUBBISH, "the newest row of %s came without its version",
			       dynamics_set_name(t));
	json_object_put(answer);
	return kind;
}

static enum err_kind get_page(struct dynamics *d, const struct call *call,
			      struct dynamics_request *r, const struct dynamics_projection *p,
			      struct arena *a, struct dynamics_page *ret, struct err *err)
{
	enum err_kind kind = dynamics_send(d, call, r, 1, err);

	if (kind == ERR_NONE)
		kind = dynamics_page_read(p, buf_str(&r->answer.body_in), a, ret, err);
	dynamics_request_release(r);
	return kind;
}

static void hand_out(const struct dynamics_page *page, const struct dynamics_cursor *at,
		     const struct dynamics_cursor *next, bool is_last, struct arena *a,
		     struct change_page *ret)
{
	*ret = (struct change_page){
		.changes = page->changes,
		.count = page->count,
		.cursor = dynamics_cursor_print(a, next),
		.is_last = is_last,
		.is_full_scan = at->is_full_scan,
	};
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

/* ---- behind several pages ---- */

/* Where a reading goes on behind its last page: with what changed meanwhile, if anything did. */
static enum err_kind begin_guard(struct dynamics *d, const struct call *call, enum table t,
				 const struct dynamics_cursor *at, struct dynamics_cursor *next,
				 struct err *err)
{
	int64_t highest = 0;
	enum err_kind kind = ask_highest_version(d, call, t, &highest, err);

	if (kind != ERR_NONE || highest <= at->guard)
		return kind;
	next->is_guarding = true;
	next->is_full_scan = at->is_full_scan;
	next->guard = at->guard;
	next->guard_end = highest;
	return ERR_NONE;
}

/* An ordinary query, lowest version first, each page from the version the one before ended with.
 * What gets a version beyond the end meanwhile, our own writes included, is left to the link: the
 * pass comes to an end whatever happens to the table. */
static enum err_kind guard_page(struct dynamics *d, const struct call *call,
				const struct dynamics_projection *p,
				const struct dynamics_cursor *at, struct arena *a,
				struct change_page *ret, struct err *err)
{
	struct dynamics_cursor next = *at;
	struct dynamics_page page;
	struct dynamics_request r = { .prefer = PREFER_DELTA, .wants_labels = p->has_labels };
	enum err_kind kind;

	r.path = arena_fmt(a,
			   DYNAMICS_ROOT "%s?$select=%s&$filter=versionnumber%%20gt%%20%lld%%20and"
					 "%%20versionnumber%%20le%%20%lld&$orderby="
					 "versionnumber%%20asc",
			   dynamics_set_name(p->table), p->select, (long long)at->guard,
			   (long long)at->guard_end);
	kind = get_page(d, call, &r, p, a, &page, err);
	if (kind != ERR_NONE)
		return kind;
	next.guard = highest_version(&page);
	if (page.next.n && next.guard <= at->guard)
		return err_set(err, ERR_RUBBISH, "rows asked for by version do not come by it");
	if (!page.next.n)
		next = (struct dynamics_cursor){ .selection = at->selection, .url = at->url };
	hand_out(&page, at, &next, !page.next.n, a, ret);
	return ERR_NONE;
}

/* ---- the pages themselves ---- */

static enum err_kind feed_page(struct dynamics *d, const struct call *call, const struct mapping *m,
			       const struct dynamics_projection *p,
			       const struct dynamics_cursor *at, bool is_start, struct arena *a,
			       struct change_page *ret, struct err *err)
{
	struct dynamics_cursor next = { .selection = at->selection };
	struct dynamics_page page;
	struct dynamics_request r = { .path = arena_text(a, at->url),
				      .prefer = at->is_full_scan ? PREFER_BASELINE : PREFER_DELTA };
	enum err_kind kind = get_page(d, call, &r, p, a, &page, err);

	if (kind == ERR_NONE)
		kind = check_links(d, &page, err);
	if (kind != ERR_NONE)
		return kind;
	if (page.next.n) {
		next.url = page.next;
		next.is_full_scan = at->is_full_scan;
		next.guard = at->guard ? at->guard : highest_version(&page);
	} else {
		next.url = page.delta;
	}
	if (!page.next.n && at->guard && !is_start)
		kind = begin_guard(d, call, p->table, at, &next, err);
	if (kind != ERR_NONE)
		return kind;
	hand_out(&page, at, &next, !page.next.n && !next.is_guarding, a, ret);
	return p->has_labels ? add_labels(d, call, m, p->table, ret, a, err) : ERR_NONE;
}

enum err_kind dynamics_changes(struct dynamics *d, const struct call *call, const struct mapping *m,
			       enum table t, struct str cursor, struct arena *a,
			       struct change_page *ret, struct err *err)
{
	struct dynamics_projection projection;
	struct dynamics_cursor at = { .is_full_scan = false };
	enum err_kind kind = ERR_NONE;
	bool is_start;

	dynamics_projection_of(d, m, t, a, &projection);
	is_start = choose_start(d, &projection, cursor, a, &at);
	if (at.is_guarding)
		return guard_page(d, call, &projection, &at, a, ret, err);
	if (is_start)
		kind = ask_highest_version(d, call, t, &at.guard, err);
	if (kind == ERR_NONE)
		kind = feed_page(d, call, m, &projection, &at, is_start, a, ret, err);
	if (kind == ERR_NONE)
		ret->is_scan_start = is_start;
	return kind;
}

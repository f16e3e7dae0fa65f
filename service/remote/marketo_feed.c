/* Marketo's change feed: lead changes, merges and deletions since a cursor ("Adobe: Activities").
 * It yields ids only: the values in the log are display texts and are never used, and updatedAt
 * misses custom fields. Must not know what is done about a change. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "remote/marketo_cursor.h"
#include "remote/marketo_parts.h"
#include "remote/marketo_value.h"

enum { ACTIVITY_MERGE = 32 };

struct feed_change {
	struct change change;
	int64_t at_s;
	size_t order; /* of arrival, stream by stream: edits, merges, deletions */
};

/* What one page of one stream brought. */
struct feed_page {
	const struct marketo_cursor *cursor;
	const struct mapping *mapping;
	enum marketo_stream stream;
	struct arena *arena;
	struct feed_change *changes;
	size_t count, cap;
	struct marketo_event *events; /* new ones only */
	size_t event_count, event_cap;
	uint64_t event; /* of the element being read; 0: it has no name */
};

/* ---- elements ---- */

static void feed_add(struct feed_page *p, enum change_kind kind, int64_t person_id,
		     int64_t winner_id, int64_t at_s)
{
	if (p->count == p->cap) {
		struct feed_change *old = p->changes;

		p->cap = p->cap ? p->cap * 2 : 64;
		p->changes = arena_array(p->arena, p->cap, sizeof(*p->changes));
		if (p->count)
			memcpy(p->changes, old, p->count * sizeof(*old));
	}
	p->changes[p->count++] = (struct feed_change){
		.change = { .kind = kind,
			    .person_id = person_id,
			    .winner_id = winner_id,
			    .event = p->event },
		.at_s = at_s,
	};
}

static void feed_note(struct feed_page *p, uint64_t hash, int64_t at_s)
{
	if (p->event_count == p->event_cap) {
		struct marketo_event *old = p->events;

		p->event_cap = p->event_cap ? p->event_cap * 2 : 64;
		p->events = arena_array(p->arena, p->event_cap, sizeof(*p->events));
		if (p->event_count)
			memcpy(p->events, old, p->event_count * sizeof(*old));
	}
	p->events[p->event_count++] = (struct marketo_event){ at_s, hash };
}

/* "Merge IDs" comes as an array, as a string that holds one, or as a list with commas: the numbers
 * in it are the losers. */
static void feed_losers(struct feed_page *p, struct json_object *ids, int64_t winner_id,
			int64_t at_s)
{
	struct str text = str_of(json_object_get_string(ids));
	size_t i = 0;

	while (i < text.n) {
		struct str digits = { text.p + i, 0 };
		int64_t loser_id;

		while (i + digits.n < text.n && text.p[i + digits.n] >= '0' &&
		       text.p[i + digits.n] <= '9')
			digits.n++;
		if (str_int64(digits, 1, INT64_MAX, &loser_id) && loser_id != winner_id)
			feed_add(p, CHANGE_MERGED, loser_id, winner_id, at_s);
		i += digits.n + 1;
	}
}

static void feed_merge(struct feed_page *p, struct json_object *element, int64_t winner_id,
		       int64_t at_s)
{
	struct json_object *attributes = json_get_array(element, "attributes");
	size_t count = attributes ? json_object_array_length(attributes) : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *attribute = json_object_array_get_idx(attributes, i);
		struct json_object *value = NULL;
		struct str name;

		if (json_get_string(attribute, "name", &name) &&
		    str_equal_fold(name, STR("Merge IDs")) &&
		    json_object_object_get_ex(attribute, "value", &value) && value)
			feed_losers(p, value, winner_id, at_s);
	}
	/* What the winner took over may not be logged field by field. */
	feed_add(p, CHANGE_EDITED, winner_id, 0, at_s);
}

/* True when the event was seen before, in a look back or twice in this page. */
static bool feed_is_known(struct feed_page *p, struct json_object *element, int64_t at_s)
{
	struct str guid = { NULL, 0 };
	uint64_t hash;

	/* Without its key an event cannot be recognised; reading a person once too often is
	 * harmless. */
	p->event = 0;
	if (!json_get_string(element, "marketoGUID", &guid) || !guid.n)
		return false;
	hash = p->event = marketo_event_hash(guid);
	if (marketo_cursor_knows(p->cursor, hash))
		return true;
	for (size_t i = 0; i < p->event_count; i++) {
		if (p->events[i].hash == hash)
			return true;
	}
	feed_note(p, hash, at_s);
	return false;
}

/* An entry of the change log: the person, and what it tells of each field. */
static void feed_edit(struct feed_page *p, struct json_object *element, int64_t person_id,
		      int64_t at_s)
{
	struct json_object *fields = NULL;
	size_t count = 0, told_count = 0, marker = p->count;

	if (json_object_object_get_ex(element, "fields", &fields) &&
	    json_object_is_type(fields, json_type_array))
		count = json_object_array_length(fields);
	feed_add(p, CHANGE_EDITED, person_id, 0, at_s);
	for (size_t i = 0; i < count; i++) {
		struct change told = { .kind = CHANGE_EDITED };

		if (!marketo_field_change_read(json_object_array_get_idx(fields, i), p->mapping,
					       p->arena, &told))
			continue;
		feed_add(p, CHANGE_EDITED, person_id, 0, at_s);
		p->changes[p->count - 1].change.index = told.index;
		p->changes[p->count - 1].change.was = told.was;
		p->changes[p->count - 1].change.now = told.now;
		told_count += told.now.kind != VALUE_UNSEEN;
	}
	p->changes[marker].change.is_told = count > 0 && told_count == count;
}

static enum err_kind feed_element(void *context, struct json_object *element, struct err *err)
{
	struct feed_page *p = context;
	struct str date = { NULL, 0 };
	int64_t person_id = 0, at_s = 0;

	if (!json_get_int64(element, "leadId", &person_id) || person_id <= 0)
		return err_set(err, ERR_RUBBISH, "an event of the change feed names no person");
	if (!json_get_string(element, "activityDate", &date) || !clock_parse(date, &at_s))
		return err_set(err, ERR_RUBBISH,
			       "an event of the change feed has no readable date");
	if (feed_is_known(p, element, at_s))
		return ERR_NONE;
	switch (p->stream) {
	case STREAM_CHANGES:
		feed_edit(p, element, person_id, at_s);
		return ERR_NONE;
	case STREAM_MERGES:
		feed_merge(p, element, person_id, at_s);
		return ERR_NONE;
	case STREAM_DELETIONS:
		feed_add(p, CHANGE_DELETED, person_id, 0, at_s);
		return ERR_NONE;
	case STREAM_COUNT:
		break;
	}
	return err_set(err, ERR_OURS, "no such stream");
}

static void feed_restart(void *context)
{
	struct feed_page *p = context;

	p->count = p->event_count = 0;
}

/* ---- calls ---- */

enum err_kind marketo_date_token(struct marketo *m, const struct call *call, int64_t since_s,
				 struct arena *a, struct str *ret, struct err *err)
{
	struct marketo_request r = { .timeout_ms = MARKETO_PAGING_MS,
				     .permission = "Read-Only Activity" };
	char date[CLOCK_TEXT];
	struct buf path = { 0 };
	enum err_kind kind;

	clock_print(since_s, date);
	buf_text(&path, "/rest/v1/activities/pagingtoken.json?sinceDatetime=");
	buf_url(&path, str_of(date));
	r.path = buf_cstr(&path);
	kind = marketo_ask(m, call, &r, err);
	if (kind == ERR_NONE && !r.answer.next_page_token.len)
		kind = err_set(err, ERR_RUBBISH, "Marketo answered without a paging token");
	if (kind == ERR_NONE)
		*ret = arena_str(a, buf_str(&r.answer.next_page_token));
	marketo_request_release(&r);
	buf_release(&path);
	return kind;
}

static void feed_body(enum marketo_stream stream, const struct mapping *mapping, struct str token,
		      struct buf *out)
{
	struct buf fields = { 0 };

	buf_text(out, "nextPageToken=");
	buf_url(out, token);
	buf_fmt(out, "&batchSize=%d", MARKETO_BATCH);
	if (stream == STREAM_MERGES)
		buf_fmt(out, "&activityTypeIds=%d", ACTIVITY_MERGE);
	if (stream == STREAM_CHANGES) {
		marketo_change_fields(mapping, &fields);
		buf_text(out, "&fields=");
		buf_url(out, buf_str(&fields));
	}
	buf_release(&fields);
}

static bool feed_next_token(const struct marketo_request *r, struct arena *a, struct str *token)
{
	if (r->answer.next_page_token.len)
		*token = arena_str(a, buf_str(&r->answer.next_page_token));
	/* An empty page may have a successor; a page without a token has none, whatever it says. */
	return r->answer.more_result && r->answer.next_page_token.len;
}

/* One page of every stream that has more. */
static enum err_kind feed_read(struct marketo *m, const struct call *call,
			       const struct mapping *mapping, struct marketo_cursor *c,
			       struct arena *a, struct feed_page pages[STREAM_COUNT],
			       struct err *err)
{
	static const char *const paths[STREAM_COUNT] = {
		[STREAM_CHANGES] = "/rest/v1/activities/leadchanges.json?_method=GET",
		[STREAM_MERGES] = "/rest/v1/activities.json?_method=GET",
		[STREAM_DELETIONS] = "/rest/v1/activities/deletedleads.json?_method=GET",
	};
	struct marketo_request r[STREAM_COUNT] = { { 0 } };
	struct marketo_sink sinks[STREAM_COUNT];
	struct buf bodies[STREAM_COUNT] = { { 0 } };
	enum marketo_stream streams[STREAM_COUNT];
	enum err_kind kind = ERR_NONE;
	size_t n = 0;

	for (size_t i = 0; i < STREAM_COUNT; i++) {
		pages[i] = (struct feed_page){ .cursor = c,
					       .mapping = mapping,
					       .stream = (enum marketo_stream)i,
					       .arena = a };
		if (!c->more[i])
			continue;
		sinks[n] = (struct marketo_sink){ feed_element, feed_restart, &pages[i] };
		feed_body((enum marketo_stream)i, mapping, c->tokens[i], &bodies[n]);
		streams[n] = (enum marketo_stream)i;
		r[n] = (struct marketo_request){ .path = paths[i],
						 .content_type = marketo_form,
						 .body = buf_str(&bodies[n]),
						 .timeout_ms = MARKETO_OTHER_MS,
						 .permission = "Read-Only Activity",
						 .sink = &sinks[n] };
		n++;
	}
	marketo_run(m, call, r, n);
	for (size_t i = 0; i < n; i++) {
		if (r[i].kind != ERR_NONE && kind == ERR_NONE) {
			kind = r[i].kind;
			if (err)
				*err = r[i].err;
		}
		if (kind == ERR_NONE)
			c->more[streams[i]] = feed_next_token(&r[i], a, &c->tokens[streams[i]]);
		marketo_request_release(&r[i]);
		buf_release(&bodies[i]);
	}
	return kind;
}

/* ---- joining the streams ---- */

static int feed_by_date(const void *left, const void *right)
{
	const struct feed_change *a = left, *b = right;

	if (a->at_s != b->at_s)
		return a->at_s < b->at_s ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

static void feed_join(const struct feed_page pages[STREAM_COUNT], struct arena *a,
		      struct change_page *ret)
{
	size_t count = 0, n = 0;
	struct feed_change *all;

	for (size_t i = 0; i < STREAM_COUNT; i++)
		count += pages[i].count;
	all = arena_array(a, count + 1, sizeof(*all));
	for (size_t i = 0; i < STREAM_COUNT; i++) {
		for (size_t k = 0; k < pages[i].count; k++) {
			all[n] = pages[i].changes[k];
			all[n].order = n;
			n++;
		}
	}
	qsort(all, count, sizeof(*all), feed_by_date);
	ret->count = count;
	ret->changes = arena_array(a, ret->count + 1, sizeof(*ret->changes));
	for (size_t i = 0; i < ret->count; i++)
		ret->changes[i] = all[i].change;
}

static void feed_advance(struct marketo *m, struct marketo_cursor *c,
			 const struct feed_page pages[STREAM_COUNT], struct arena *a)
{
	for (size_t i = 0; i < STREAM_COUNT; i++)
		marketo_cursor_add(c, pages[i].events, pages[i].event_count, clock_wall_ms() / 1000,
				   a);
	marketo_cursor_settle(c, m->overlap_s);
}

/* ---- interface ---- */

enum err_kind marketo_start_cursor(void *self, const struct call *call, int64_t since_s,
				   struct arena *a, struct str *ret_cursor, struct err *err)
{
	struct marketo *m = self;
	int64_t now_s = clock_wall_ms() / 1000;
	struct marketo_cursor c;
	struct str token;
	enum err_kind kind;

	/* What is being committed right now may show up with a date just passed: begin a little
	 * before. */
	since_s = (since_s ? since_s : now_s) - m->overlap_s;
	kind = marketo_date_token(m, call, since_s, a, &token, err);
	if (kind != ERR_NONE)
		return kind;
	marketo_cursor_start(&c, token, since_s, now_s);
	*ret_cursor = marketo_cursor_print(&c, a);
	return ERR_NONE;
}

static enum err_kind feed_begin(struct marketo *m, const struct call *call,
				struct marketo_cursor *c, struct arena *a, struct err *err)
{
	struct str token;
	int64_t since_s;
	enum err_kind kind;

	if (!marketo_cursor_begin(c, m->overlap_s, clock_wall_ms() / 1000, &since_s))
		return ERR_NONE;
	kind = marketo_date_token(m, call, since_s, a, &token, err);
	if (kind == ERR_NONE)
		marketo_cursor_begin_from(c, token, since_s);
	return kind;
}

/* How long a paging token lives is not published. When one is not taken any more, the date the poll
 * began from is good for another; what has been read since then is recognised, or read once more. */
static enum err_kind feed_resume(struct marketo *m, const struct call *call,
				 struct marketo_cursor *c, struct arena *a, struct err *err)
{
	struct str token;
	enum err_kind kind = marketo_date_token(m, call, c->since_s, a, &token, err);

	if (kind == ERR_NONE)
		marketo_cursor_begin_from(c, token, c->since_s);
	return kind;
}

enum err_kind marketo_changes(void *self, const struct call *call, const struct mapping *mapping,
			      enum table table, struct str cursor, struct arena *a,
			      struct change_page *ret, struct err *err)
{
	struct marketo *m = self;
	struct feed_page pages[STREAM_COUNT];
	struct marketo_cursor c;
	enum err_kind kind = ERR_NONE;

	if (table != TABLE_PERSON || !cursor.n)
		return err_set(err, ERR_OURS,
			       "Marketo's change feed needs a cursor and is about persons");
	if (!marketo_cursor_read(cursor, a, &c))
		return err_set(err, ERR_EXPIRED,
			       "the cursor of Marketo's change feed cannot be read");
	if (!marketo_cursor_is_polling(&c))
		kind = feed_begin(m, call, &c, a, err);
	if (kind == ERR_NONE)
		kind = feed_read(m, call, mapping, &c, a, pages, err);
	if (kind == ERR_EXPIRED) {
		kind = feed_resume(m, call, &c, a, err);
		if (kind == ERR_NONE)
			kind = feed_read(m, call, mapping, &c, a, pages, err);
		if (kind == ERR_EXPIRED)
			kind = err_set(err, ERR_RUBBISH,
				       "Marketo does not take a paging token it has just given");
	}
	if (kind != ERR_NONE)
		return kind;
	*ret = (struct change_page){ .is_full_scan = false };
	feed_join(pages, a, ret);
	feed_advance(m, &c, pages, a);
	ret->is_last = !marketo_cursor_is_polling(&c);
	ret->cursor = marketo_cursor_print(&c, a);
	return ERR_NONE;
}

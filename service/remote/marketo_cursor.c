/* Where Marketo's change feed was left; see marketo_cursor.h. Must not know calls or what an event
 * means. */
#include "remote/marketo_cursor.h"

#include <stdlib.h>

#include "remote/json.h"

enum {
	CURSOR_VERSION = 1,
	/* A poll reads up to a few seconds before its own beginning at most: what is just being
	   committed may be missing. */
	CURSOR_MARGIN_S = 5,
};

/* ---- text ---- */

struct str marketo_cursor_print(const struct marketo_cursor *c, struct arena *a)
{
	struct buf out = { 0 };
	struct str text;

	buf_fmt(&out, "{\"v\":%d,\"tokens\":[", CURSOR_VERSION);
	for (size_t i = 0; i < STREAM_COUNT; i++) {
		buf_text(&out, i ? "," : "");
		buf_json(&out, c->tokens[i]);
	}
	buf_text(&out, "],\"more\":[");
	for (size_t i = 0; i < STREAM_COUNT; i++)
		buf_fmt(&out, "%s%s", i ? "," : "", c->more[i] ? "true" : "false");
	buf_fmt(&out, "],\"since\":%lld,\"started\":%lld,\"watermark\":%lld,\"covered\":%lld",
		(long long)c->since_s, (long long)c->started_s, (long long)c->watermark_s,
		(long long)c->covered_s);
	if (c->has_lag)
		buf_fmt(&out, ",\"lag\":%lld", (long long)c->lag_s);
	buf_text(&out, ",\"recent\":[");
	for (size_t i = 0; i < c->recent_count; i++)
		buf_fmt(&out, "%s\"%016llx %lld\"", i ? "," : "",
			(unsigned long long)c->recent[i].hash, (long long)c->recent[i].at_s);
	buf_text(&out, "]}");
	text = arena_str(a, buf_str(&out));
	buf_release(&out);
	return text;
}

static bool cursor_hex(struct str s, uint64_t *ret)
{
	uint64_t n = 0;

	if (s.n != 16)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
						   : -1;

		if (digit < 0)
			return false;
		n = n << 4 | (uint64_t)digit;
	}
	*ret = n;
	return true;
}

static bool cursor_read_recent(struct json_object *list, struct arena *a, struct marketo_cursor *c)
{
	size_t count = list ? json_object_array_length(list) : 0;

	c->recent = arena_array(a, count + 1, sizeof(*c->recent));
	for (size_t i = 0; i < count; i++) {
		struct json_object *element = json_object_array_get_idx(list, i);
		struct str rest = { NULL, 0 };

		if (json_object_is_type(element, json_type_string))
			rest = str_of(json_object_get_string(element));
		if (!cursor_hex(str_cut(&rest, ' '), &c->recent[i].hash) ||
		    !str_int64(rest, INT64_MIN, INT64_MAX, &c->recent[i].at_s))
			return false;
	}
	c->recent_count = count;
	return list != NULL;
}

static bool cursor_read_streams(struct json_object *o, struct arena *a, struct marketo_cursor *c)
{
	struct json_object *tokens = json_get_array(o, "tokens"), *more = json_get_array(o, "more");

	if (!tokens || !more || json_object_array_length(tokens) != STREAM_COUNT ||
	    json_object_array_length(more) != STREAM_COUNT)
		return false;
	for (size_t i = 0; i < STREAM_COUNT; i++) {
		struct json_object *token = json_object_array_get_idx(tokens, i);
		struct json_object *flag = json_object_array_get_idx(more, i);

		if (!json_object_is_type(token, json_type_string) ||
		    !json_object_is_type(flag, json_type_boolean))
			return false;
		c->tokens[i] = arena_str(a, str_of(json_object_get_string(token)));
		c->more[i] = json_object_get_boolean(flag);
	}
	return true;
}

bool marketo_cursor_read(struct str text, struct arena *a, struct marketo_cursor *ret)
{
	struct marketo_cursor c = { .since_s = 0 };
	struct json_object *o = text.n ? json_tokener_parse(arena_text(a, text)) : NULL;
	int64_t version = 0;
	bool ok;

	ok = json_get_int64(o, "v", &version) && version == CURSOR_VERSION &&
	     cursor_read_streams(o, a, &c) && json_get_int64(o, "since", &c.since_s) &&
	     json_get_int64(o, "started", &c.started_s) &&
	     json_get_int64(o, "watermark", &c.watermark_s) &&
	     json_get_int64(o, "covered", &c.covered_s) &&
	     cursor_read_recent(json_get_array(o, "recent"), a, &c);
	c.has_lag = json_get_int64(o, "lag", &c.lag_s);
	json_object_put(o);
	if (ok)
		*ret = c;
	return ok;
}

/* ---- polls ---- */

void marketo_cursor_begin_from(struct marketo_cursor *c, struct str token, int64_t since_s)
{
	for (size_t i = 0; i < STREAM_COUNT; i++) {
		c->tokens[i] = token;
		c->more[i] = true;
	}
	c->since_s = since_s;
}

void marketo_cursor_start(struct marketo_cursor *c, struct str token, int64_t since_s,
			  int64_t now_s)
{
	*c = (struct marketo_cursor){ .started_s = now_s,
				      .watermark_s = since_s,
				      .covered_s = since_s };
	marketo_cursor_begin_from(c, token, since_s);
}

bool marketo_cursor_is_polling(const struct marketo_cursor *c)
{
	for (size_t i = 0; i < STREAM_COUNT; i++) {
		if (c->more[i])
			return true;
	}
	return false;
}

static int64_t cursor_later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

bool marketo_cursor_begin(struct marketo_cursor *c, int64_t overlap_s, int64_t now_s,
			  int64_t *ret_since_s)
{
	c->started_s = now_s;
	*ret_since_s = cursor_later(c->watermark_s - overlap_s, c->covered_s);
	if (*ret_since_s <= c->watermark_s)
		return true;
	for (size_t i = 0; i < STREAM_COUNT; i++)
		c->more[i] = true;
	c->since_s = c->watermark_s;
	return false;
}

/* ---- events ---- */

/* FNV-1a: there is no opponent here, and 250 events meet by chance once in 10^14 polls. */
uint64_t marketo_event_hash(struct str guid)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < guid.n; i++)
		hash = (hash ^ (unsigned char)guid.p[i]) * 0x100000001b3ull;
	return hash;
}

bool marketo_cursor_knows(const struct marketo_cursor *c, uint64_t hash)
{
	for (size_t i = 0; i < c->recent_count; i++) {
		if (c->recent[i].hash == hash)
			return true;
	}
	return false;
}

static int cursor_newest_first(const void *left, const void *right)
{
	const struct marketo_event *a = left, *b = right;

	return (a->at_s < b->at_s) - (a->at_s > b->at_s);
}

void marketo_cursor_add(struct marketo_cursor *c, const struct marketo_event *events, size_t count,
			int64_t now_s, struct arena *a)
{
	struct marketo_event *all = arena_array(a, c->recent_count + count + 1, sizeof(*all));

	if (c->recent_count)
		memcpy(all, c->recent, c->recent_count * sizeof(*all));
	if (count)
		memcpy(all + c->recent_count, events, count * sizeof(*all));
	c->recent = all;
	c->recent_count += count;
	for (size_t i = 0; i < count; i++) {
		int64_t lag_s = now_s - events[i].at_s;

		c->watermark_s = cursor_later(c->watermark_s, events[i].at_s);
		if (!c->has_lag || lag_s < c->lag_s)
			c->lag_s = lag_s;
		c->has_lag = true;
	}
}

/* Whole seconds go, the oldest first, until the rest fits; what went is not looked back at any
 * more. */
static void cursor_shrink(struct marketo_cursor *c)
{
	size_t keep = MARKETO_RECENT_MAX;
	int64_t dropped_s;

	if (c->recent_count <= keep)
		return;
	dropped_s = c->recent[keep].at_s;
	while (keep && c->recent[keep - 1].at_s == dropped_s)
		keep--;
	c->recent_count = keep;
	c->covered_s = cursor_later(c->covered_s, dropped_s + 1);
}

void marketo_cursor_settle(struct marketo_cursor *c, int64_t overlap_s)
{
	int64_t from_s;

	/* Marketo's clock now is at least ours minus the lag, so a quiet instance moves on as well,
	 * and its log is not read from an ever older date. */
	if (!marketo_cursor_is_polling(c) && c->has_lag)
		c->watermark_s =
			cursor_later(c->watermark_s, c->started_s - c->lag_s - CURSOR_MARGIN_S);
	qsort(c->recent, c->recent_count, sizeof(*c->recent), cursor_newest_first);
	cursor_shrink(c);
	from_s = cursor_later(c->watermark_s - overlap_s, c->covered_s);
	while (c->recent_count && c->recent[c->recent_count - 1].at_s < from_s)
		c->recent_count--;
}

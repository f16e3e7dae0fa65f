/* Where Marketo's change feed was left. Three streams are read: lead changes, merges (activities),
 * deletions; each has a paging token that can be stored. Events turn up late, with a date that has
 * been passed already, so every poll looks back from the newest date seen; what is seen again is
 * recognised by its marketoGUID ("Adobe: Activities"). Pure. */
#ifndef REMOTE_MARKETO_CURSOR_H
#define REMOTE_MARKETO_CURSOR_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum marketo_stream { STREAM_CHANGES, STREAM_MERGES, STREAM_DELETIONS, STREAM_COUNT };

/* How many events a look back may show again: with one page of 300, most of it stays free for what
 * is new. */
enum { MARKETO_RECENT_MAX = 250 };

struct marketo_event {
	int64_t at_s;
	uint64_t hash; /* of the marketoGUID */
};

struct marketo_cursor {
	struct str tokens[STREAM_COUNT];
	bool more[STREAM_COUNT]; /* a poll is under way and this stream has more to give */
	int64_t since_s;         /* the date this poll began from */
	int64_t started_s;       /* when it began, by our clock */
	int64_t watermark_s;     /* newest date seen, or known to be passed */
	int64_t covered_s;       /* every event seen with this date or a later one is in recent */
	bool has_lag;
	int64_t lag_s; /* our clock minus Marketo's is at most this: the least age of any event when
			  it was seen */
	struct marketo_event *recent; /* memory of the arena */
	size_t recent_count;
};

/* Before anything was read: polls begin with the token of that date. */
void marketo_cursor_start(struct marketo_cursor *c, struct str token, int64_t since_s,
			  int64_t now_s);
MUST_CHECK bool marketo_cursor_read(struct str text, struct arena *a, struct marketo_cursor *ret);
struct str marketo_cursor_print(const struct marketo_cursor *c, struct arena *a);

bool marketo_cursor_is_polling(const struct marketo_cursor *c);
/* A new poll. True: ask for a token of the date *ret_since_s, then marketo_cursor_begin_from.
 * False: so much happened in the last second that looking back would not fit a page; the stored
 * tokens go on. */
bool marketo_cursor_begin(struct marketo_cursor *c, int64_t overlap_s, int64_t now_s,
			  int64_t *ret_since_s);
void marketo_cursor_begin_from(struct marketo_cursor *c, struct str token, int64_t since_s);

uint64_t marketo_event_hash(struct str guid);
bool marketo_cursor_knows(const struct marketo_cursor *c, uint64_t hash);
/* Notes the new events of a page, all streams of it together, seen at now_s. */
void marketo_cursor_add(struct marketo_cursor *c, const struct marketo_event *events, size_t count,
			int64_t now_s, struct arena *a);
/* After a page: forgets what no look back can show again; when no stream has more, moves the
 * watermark up. */
void marketo_cursor_settle(struct marketo_cursor *c, int64_t overlap_s);

#endif

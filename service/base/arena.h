/* Memory by lifetime: everything that lives exactly as long as a page, a batch or a request goes
 * into its arena and is never freed singly. Not shared between threads. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena_chunk;
struct arena {
	struct arena_chunk *chunks; /* owned */
	size_t used_bytes;          /* handed out since the last release */
};

void *arena_alloc(struct arena *a, size_t size); /* zeroed, aligned for any type; never NULL */
void *arena_array(struct arena *a, size_t count, size_t size);
struct str arena_str(struct arena *a, struct str s); /* copy with a NUL behind it */
char *arena_text(struct arena *a, struct str s);     /* the same as a C string */
/* The same with ASCII letters in lower case: how addresses are compared. */
struct str arena_fold(struct arena *a, struct str s);
char *arena_fmt(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Room for one more item behind count items of a growing array: gives back the array, moved when it
 * was full. */
void *arena_more(struct arena *a, void *items, size_t count, size_t *cap, size_t size);
void arena_release(struct arena *a); /* frees everything; the arena can be used again */

#endif

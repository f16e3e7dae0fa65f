/* Chunked bump allocation; see arena.h. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

enum { ARENA_CHUNK_BYTES = 64 * 1024 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	alignas(max_align_t) unsigned char data[];
};

static struct arena_chunk *arena_add_chunk(struct arena *a, size_t need)
{
	size_t size = need > ARENA_CHUNK_BYTES ? need : ARENA_CHUNK_BYTES;
	struct arena_chunk *chunk = mem_alloc(sizeof(*chunk) + size);

	chunk->size = size;
	/* A large block goes behind the current chunk, so that the rest of that one stays in use. */
	if (a->chunks && need > ARENA_CHUNK_BYTES / 4) {
		chunk->next = a->chunks->next;
		a->chunks->next = chunk;
	} else {
		chunk->next = a->chunks;
		a->chunks = chunk;
	}
	return chunk;
}

void *arena_alloc(struct arena *a, size_t size)
{
	const size_t align = alignof(max_align_t);
	size_t need = size ? (size + align - 1) / align * align : align;
	struct arena_chunk *chunk = a->chunks;
	void *p;

	if (need < size)
		return mem_array(SIZE_MAX,
				 2); /* overflow: ends the program like any impossible size */
	if (!chunk || chunk->size - chunk->used < need)
		chunk = arena_add_chunk(a, need);
	p = chunk->data + chunk->used;
	chunk->used += need;
	a->used_bytes += need;
	return p;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		total = SIZE_MAX;
	return arena_alloc(a, total);
}

struct str arena_str(struct arena *a, struct str s)
{
	return (struct str){ arena_text(a, s), s.n };
}

char *arena_text(struct arena *a, struct str s)
{
	char *copy = arena_alloc(a, s.n + 1);

	if (s.n)
		memcpy(copy, s.p, s.n);
	return copy;
}

struct str arena_fold(struct arena *a, struct str s)
{
	char *copy = arena_text(a, s);

	for (size_t i = 0; i < s.n; i++) {
		if (copy[i] >= 'A' && copy[i] <= 'Z')
			copy[i] = (char)(copy[i] - 'A' + 'a');
	}
	return (struct str){ copy, s.n };
}

char *arena_fmt(struct arena *a, const char *fmt, ...)
{
	va_list args, again;
	char *text;
	int n;

	va_start(args, fmt);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	text = arena_alloc(a, (size_t)(n > 0 ? n : 0) + 1);
	if (n > 0)
		(void)vsnprintf(text, (size_t)n + 1, fmt, again);
	va_end(again);
	return text;
}

void *arena_more(struct arena *a, void *items, size_t count, size_t *cap, size_t size)
{
	size_t wider = *cap ? *cap * 2 : 16;
	void *moved;

	if (count < *cap)
		return items;
	moved = arena_array(a, wider, size);
	if (count)
		memcpy(moved, items, count * size);
	*cap = wider;
	return moved;
}

void arena_release(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
	a->used_bytes = 0;
}

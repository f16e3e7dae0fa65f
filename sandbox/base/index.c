/* Open addressing with linear steps; removal moves later entries back, so there are no graves to
 * step over. Knows only hashes and record numbers. */
#include "base/index.h"

#include <stdio.h>
#include <stdlib.h>

uint32_t index_hash(const char *bytes, size_t len, bool fold_case)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (fold_case && c >= 'A' && c <= 'Z')
			c = (unsigned char)(c + ('a' - 'A'));
		hash = (hash ^ c) * 16777619u;
	}
	hash ^= hash >> 16;
	hash *= 0x85ebca6bu;
	hash ^= hash >> 13;
	hash *= 0xc2b2ae35u;
	hash ^= hash >> 16;
	return hash;
}

static uint64_t slot_of(uint32_t hash, uint32_t record)
{
	return (uint64_t)hash << 32 | ((uint64_t)record + 1);
}

static size_t slot_home(const struct index *x, uint64_t slot)
{
	return (size_t)(slot >> 32) & (x->cap - 1);
}

static void slot_place(struct index *x, uint64_t slot)
{
	size_t at = slot_home(x, slot);

	while (x->slots[at])
		at = (at + 1) & (x->cap - 1);
	x->slots[at] = slot;
}

static void index_grow(struct index *x)
{
	uint64_t *old = x->slots;
	size_t old_cap = x->cap;

	x->cap = old_cap ? old_cap * 2 : 64;
	x->slots = calloc(x->cap, sizeof(*x->slots));
	if (!x->slots) {
		fputs("tandem-sandbox: out of memory\n", stderr);
		abort();
	}
	for (size_t i = 0; i < old_cap; i++)
		if (old[i])
			slot_place(x, old[i]);
	free(old);
}

void index_add(struct index *x, uint32_t hash, uint32_t record)
{
	if ((x->used + 1) * 4 > x->cap * 3)
		index_grow(x);
	slot_place(x, slot_of(hash, record));
	x->used++;
}

/* Fills the hole with the next entry that may stand there, until a free slot ends the run. */
static void close_hole(struct index *x, size_t hole)
{
	size_t mask = x->cap - 1;

	for (size_t at = (hole + 1) & mask; x->slots[at]; at = (at + 1) & mask) {
		size_t home = slot_home(x, x->slots[at]);

		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		x->slots[hole] = x->slots[at];
		hole = at;
	}
	x->slots[hole] = 0;
}

void index_remove(struct index *x, uint32_t hash, uint32_t record)
{
	uint64_t slot = slot_of(hash, record);

	if (!x->cap)
		return;
	for (size_t at = slot_home(x, slot); x->slots[at]; at = (at + 1) & (x->cap - 1)) {
		if (x->slots[at] != slot)
			continue;
		close_hole(x, at);
		x->used--;
		return;
	}
}

void index_find(const struct index *x, uint32_t hash, bool (*visit)(void *, uint32_t record),
		void *context)
{
	if (!x->cap)
		return;
	for (size_t at = slot_home(x, slot_of(hash, 0)); x->slots[at];
	     at = (at + 1) & (x->cap - 1)) {
		if (x->slots[at] >> 32 != hash)
			continue;
		if (!visit(context, (uint32_t)(x->slots[at] - 1)))
			return;
	}
}

void index_free(struct index *x)
{
	free(x->slots);
	*x = (struct index){ 0 };
}

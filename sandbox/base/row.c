/* One stored record in one block: a length, then for each value its column, its length and its
 * bytes, in the order of columns. Knows nothing of what the columns mean. */
#include "base/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
	uint32_t size; /* bytes used in items */
	char items[];
};

struct item {
	uint16_t column;
	size_t start, bytes, end; /* offsets of the item, of its bytes and past it */
};

/* Lengths are written seven bits a byte, low part first: one byte for nearly every value. */
static size_t length_read(const char *at, size_t *ret_used)
{
	size_t len = 0;
	size_t used = 0;
	unsigned char c;

	do {
		c = (unsigned char)at[used];
		len |= (size_t)(c & 0x7f) << (7 * used);
		used++;
	} while (c & 0x80);
	*ret_used = used;
	return len;
}

static size_t length_write(char *at, size_t len)
{
	size_t used = 0;

	while (len > 0x7f) {
		at[used++] = (char)(0x80 | (len & 0x7f));
		len >>= 7;
	}
	at[used++] = (char)len;
	return used;
}

static struct item item_at(const struct row *r, size_t offset)
{
	struct item it = { .start = offset };
	size_t used;
	size_t len;

	memcpy(&it.column, r->items + offset, sizeof(it.column));
	len = length_read(r->items + offset + sizeof(it.column), &used);
	it.bytes = offset + sizeof(it.column) + used;
	it.end = it.bytes + len;
	return it;
}

const char *row_get(const struct row *r, uint16_t column, size_t *ret_len)
{
	size_t offset = 0;

	while (r && offset < r->size) {
		struct item it = item_at(r, offset);

		if (it.column > column)
			return NULL;
		if (it.column == column) {
			*ret_len = it.end - it.bytes;
			return r->items + it.bytes;
		}
		offset = it.end;
	}
	return NULL;
}

static struct row *row_resize(struct row *r, size_t size)
{
	struct row *grown;

	if (!size) {
		free(r);
		return NULL;
	}
	grown = realloc(r, sizeof(*r) + size);
	if (!grown || size > UINT32_MAX) {
		fputs("tandem-sandbox: out of memory\n", stderr);
		abort();
	}
	return grown;
}

/* Makes the bytes [start, end) of the items a gap of another size; the rest moves. */
static struct row *row_splice(struct row *r, size_t start, size_t end, size_t gap)
{
	size_t old = r ? r->size : 0;
	size_t size = old - (end - start) + gap;

	if (size > old)
		r = row_resize(r, size);
	if (r && old > end)
		memmove(r->items + start + gap, r->items + end, old - end);
	if (size < old)
		r = row_resize(r, size);
	if (r)
		r->size = (uint32_t)size;
	return r;
}

struct row *row_set(struct row *r, uint16_t column, const char *bytes, size_t len)
{
	size_t start = 0, end = 0, used;
	char head[sizeof(column) + 10];

	while (r && start < r->size) {
		struct item it = item_at(r, start);

		end = it.column == column ? it.end : start;
		if (it.column >= column)
			break;
		start = it.end;
		end = it.end;
	}
	if (!bytes)
		return row_splice(r, start, end, 0);
	memcpy(head, &column, sizeof(column));
	used = sizeof(column) + length_write(head + sizeof(column), len);
	r = row_splice(r, start, end, used + len);
	memcpy(r->items + start, head, used);
	if (len)
		memcpy(r->items + start + used, bytes, len);
	return r;
}

void row_each(const struct row *r,
	      void (*visit)(void *, uint16_t column, const char *bytes, size_t len), void *context)
{
	size_t offset = 0;

	while (r && offset < r->size) {
		struct item it = item_at(r, offset);

		visit(context, it.column, r->items + it.bytes, it.end - it.bytes);
		offset = it.end;
	}
}

void row_free(struct row *r)
{
	free(r);
}

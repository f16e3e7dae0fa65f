/* The pieces a state file is made of. Knows nothing of what they mean, nor of files. */
#include "base/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/state_stream.h"

/* FNV-1a over words of eight bytes: an accident shows, and a million people pass in a moment. */
uint64_t state_sum(uint64_t sum, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	for (; len >= 8; at += 8, len -= 8) {
		uint64_t word = 0;

		for (int i = 0; i < 8; i++)
			word |= (uint64_t)at[i] << (8 * i);
		sum = (sum ^ word) * 1099511628211u;
		sum ^= sum >> 29;
	}
	for (; len; at++, len--)
		sum = (sum ^ *at) * 1099511628211u;
	return sum;
}

void state_flush(struct state_writer *w)
{
	w->sum = state_sum(w->sum, w->waiting, w->used);
	w->failed = w->failed || fwrite(w->waiting, 1, w->used, w->file) != w->used;
	w->used = 0;
}

static void put_raw(struct state_writer *w, const void *bytes, size_t len)
{
	while (len) {
		size_t room = sizeof(w->waiting) - w->used;
		size_t now = len < room ? len : room;

		memcpy(w->waiting + w->used, bytes, now);
		w->used += now;
		bytes = (const char *)bytes + now;
		len -= now;
		if (w->used == sizeof(w->waiting))
			state_flush(w);
	}
}

void state_put_number(struct state_writer *w, uint64_t n)
{
	unsigned char bytes[10];
	size_t used = 0;

	for (; n > 0x7f; n >>= 7)
		bytes[used++] = (unsigned char)(0x80 | (n & 0x7f));
	bytes[used++] = (unsigned char)n;
	put_raw(w, bytes, used);
}

/* The sign stands in the lowest bit. */
void state_put_signed(struct state_writer *w, int64_t n)
{
	uint64_t twice = (uint64_t)n << 1;

	state_put_number(w, n < 0 ? ~twice : twice);
}

void state_put_bytes(struct state_writer *w, const char *bytes, size_t len)
{
	state_put_number(w, len);
	put_raw(w, bytes, len);
}

void state_put_text(struct state_writer *w, const char *s)
{
	state_put_number(w, s ? 1 : 0);
	if (s)
		state_put_bytes(w, s, strlen(s));
}

static void count_value(void *context, uint16_t column, const char *bytes, size_t len)
{
	(void)column;
	(void)bytes;
	(void)len;
	++*(uint64_t *)context;
}

static void put_value(void *context, uint16_t column, const char *bytes, size_t len)
{
	struct state_writer *w = context;

	state_put_number(w, column);
	state_put_bytes(w, bytes, len);
}

void state_put_row(struct state_writer *w, const struct row *r)
{
	uint64_t count = 0;

	row_each(r, count_value, &count);
	state_put_number(w, count);
	row_each(r, put_value, w);
}

bool state_broken(struct state_reader *r)
{
	r->broken = true;
	r->at = r->end;
	return false;
}

uint64_t state_take_number(struct state_reader *r, uint64_t max)
{
	uint64_t n = 0;

	for (unsigned int shift = 0; shift < 64 && r->at < r->end; shift += 7) {
		unsigned char c = *r->at++;

		n |= (uint64_t)(c & 0x7f) << shift;
		if (c & 0x80)
			continue;
		if (n <= max)
			return n;
		break;
	}
	state_broken(r);
	return 0;
}

int64_t state_take_signed(struct state_reader *r)
{
	uint64_t n = state_take_number(r, UINT64_MAX);

	return (int64_t)(n & 1 ? ~(n >> 1) : n >> 1);
}

const char *state_take_bytes(struct state_reader *r, size_t *ret_len)
{
	const unsigned char *bytes;

	*ret_len = state_take_number(r, (uint64_t)(r->end - r->at));
	if (*ret_len > (size_t)(r->end - r->at)) {
		state_broken(r);
		*ret_len = 0;
	}
	bytes = r->at;
	r->at += *ret_len;
	return (const char *)bytes;
}

char *state_take_text(struct state_reader *r)
{
	const char *bytes;
	char *copy;
	size_t len;

	if (!state_take_number(r, 1))
		return NULL;
	bytes = state_take_bytes(r, &len);
	copy = strndup(bytes, len);
	if (!copy)
		abort();
	return copy;
}

struct row *state_take_row(struct state_reader *r, const uint16_t *columns, size_t count)
{
	uint64_t values = state_take_number(r, UINT16_MAX);
	struct row *row = NULL;

	for (; values && !r->broken; values--) {
		size_t column = state_take_number(r, count ? count - 1 : 0);
		size_t len;
		const char *bytes = state_take_bytes(r, &len);

		if (!r->broken)
			row = row_set(row, columns[column], bytes, len);
	}
	return row;
}

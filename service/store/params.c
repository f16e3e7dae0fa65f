/* Binary parameters and answers; see params.h. Knows PostgreSQL's representation of values, no
 * statement and no table. */
#include "store/params.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>

#include "base/clock.h"

/* "PostgreSQL: System Catalogs, pg_type": built-in types have fixed numbers. */
enum {
	TYPE_BOOL = 16,
	TYPE_BYTES = 17,
	TYPE_INT64 = 20,
	TYPE_INT16 = 21,
	TYPE_INT32 = 23,
	TYPE_TEXT = 25,
	TYPE_TIME = 1184,
	TYPE_GUID = 2950
};

static const uint32_t element_types[ELEMENT_COUNT] = {
	[ELEMENT_BOOL] = TYPE_BOOL,   [ELEMENT_BYTES] = TYPE_BYTES, [ELEMENT_INT64] = TYPE_INT64,
	[ELEMENT_INT32] = TYPE_INT32, [ELEMENT_TEXT] = TYPE_TEXT,   [ELEMENT_TIME] = TYPE_TIME,
	[ELEMENT_GUID] = TYPE_GUID,
};

/* PostgreSQL counts microseconds from 2000-01-01. */
static const int64_t epoch_ms = INT64_C(946684800000);

static void put_big_endian(struct buf *b, uint64_t n, unsigned bytes)
{
	char raw[8];

	for (unsigned i = 0; i < bytes; i++)
		raw[i] = (char)(unsigned char)(n >> (8 * (bytes - 1 - i)));
	buf_add(b, (struct str){ raw, bytes });
}

static uint64_t get_big_endian(const char *p, size_t bytes)
{
	uint64_t n = 0;

	for (size_t i = 0; i < bytes; i++)
		n = n << 8 | (unsigned char)p[i];
	return n;
}

/* Length of the sequence at p when PostgreSQL takes it: UTF-8 without NUL, surrogates and overlong
 * forms (RFC 3629). */
static size_t text_sequence(const unsigned char *p, size_t n)
{
	static const unsigned char limits[][3] = {
		/* first byte, least and greatest second byte */
		{ 0xe0, 0xa0, 0xbf },
		{ 0xed, 0x80, 0x9f },
		{ 0xf0, 0x90, 0xbf },
		{ 0xf4, 0x80, 0x8f },
	};
	size_t length = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (p[0] == 0 || (p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4 || length > n)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		if (p[0] == limits[i][0] && (p[1] < limits[i][1] || p[1] > limits[i][2]))
			return 0;
	}
	return length;
}

static void put_text(struct buf *b, struct str s)
{
	size_t start = 0, i = 0;

	if (!s.n)
		return;
	while (i < s.n) {
		size_t length = text_sequence((const unsigned char *)s.p + i, s.n - i);

		i += length;
		if (length)
			continue;
		buf_add(b, (struct str){ s.p + start, i - start });
		buf_text(b, "\xef\xbf\xbd");
		start = ++i;
	}
	buf_add(b, (struct str){ s.p + start, s.n - start });
}

void params_release(struct params *p)
{
	for (unsigned i = 0; i < p->count; i++)
		buf_release(&p->value[i]);
	p->count = 0;
}

bool params_full(const struct params *p)
{
	for (unsigned i = 0; i < p->count; i++) {
		if (p->value[i].full)
			return true;
	}
	return p->count > PARAMS_MAX;
}

static struct buf *params_next(struct params *p)
{
	static const struct buf empty;

	/* A statement with more is a mistake of ours that params_full shows; the last place takes
	 * the overflow. */
	if (p->count >= PARAMS_MAX) {
		p->value[PARAMS_MAX - 1].full = true;
		return &p->value[PARAMS_MAX - 1];
	}
	p->value[p->count] = empty;
	p->is_null[p->count] = false;
	return &p->value[p->count++];
}

void params_bool(struct params *p, bool b)
{
	buf_char(params_next(p), b ? 1 : 0);
}

void params_int64(struct params *p, int64_t n)
{
	put_big_endian(params_next(p), (uint64_t)n, 8);
}

void params_text(struct params *p, struct str s)
{
	put_text(params_next(p), s);
}

void params_guid(struct params *p, const struct guid *g)
{
	params_bytes(p, (struct str){ (const char *)g->byte, sizeof(g->byte) });
}

void params_bytes(struct params *p, struct str bytes)
{
	buf_add(params_next(p), bytes);
}

void params_time(struct params *p, int64_t ms)
{
	struct buf *b = params_next(p);

	if (ms)
		put_big_endian(b, (uint64_t)((ms - epoch_ms) * 1000), 8);
	else
		p->is_null[p->count - 1] = true;
}

struct buf *params_array(struct params *p, enum element e, size_t count)
{
	struct buf *b = params_next(p);

	put_big_endian(b, count ? 1 : 0, 4); /* dimensions */
	put_big_endian(b, 1, 4);             /* may hold nulls */
	put_big_endian(b, element_types[e], 4);
	if (count) {
		put_big_endian(b, count, 4);
		put_big_endian(b, 1, 4); /* first index */
	}
	return b;
}

void array_bool(struct buf *a, bool b)
{
	put_big_endian(a, 1, 4);
	buf_char(a, b ? 1 : 0);
}

void array_bytes(struct buf *a, struct str bytes)
{
	put_big_endian(a, bytes.n, 4);
	buf_add(a, bytes);
}

void array_null(struct buf *a)
{
	put_big_endian(a, UINT32_MAX, 4);
}

void array_int64(struct buf *a, int64_t n)
{
	put_big_endian(a, 8, 4);
	put_big_endian(a, (uint64_t)n, 8);
}

void array_int32(struct buf *a, int64_t n)
{
	put_big_endian(a, 4, 4);
	put_big_endian(a, (uint64_t)n, 4);
}

void array_text(struct buf *a, struct str s)
{
	size_t at = a->len, length;

	put_big_endian(a, 0, 4);
	put_text(a, s);
	length = a->len - at - 4;
	for (unsigned i = 0; i < 4 && !a->full; i++)
		a->data[at + i] = (char)(unsigned char)(length >> (24 - 8 * i));
}

void array_time(struct buf *a, int64_t ms)
{
	if (ms)
		array_int64(a, (ms - epoch_ms) * 1000);
	else
		array_null(a);
}

void array_guid(struct buf *a, const struct guid *g)
{
	array_bytes(a, (struct str){ (const char *)g->byte, sizeof(g->byte) });
}

void answer_release(struct answer *a)
{
	PQclear(a->result);
	a->result = NULL;
}

size_t answer_rows(const struct answer *a)
{
	return (size_t)PQntuples(a->result);
}

size_t answer_changed(const struct answer *a)
{
	int64_t n = 0;

	if (!str_int64(str_of(PQcmdTuples(a->result)), 0, INT64_MAX, &n))
		return 0;
	return (size_t)n;
}

bool answer_null(const struct answer *a, size_t row, int column)
{
	return PQgetisnull(a->result, (int)row, column);
}

bool answer_bool(const struct answer *a, size_t row, int column)
{
	return answer_int(a, row, column) != 0;
}

int64_t answer_int(const struct answer *a, size_t row, int column)
{
	struct str raw = answer_bytes(a, row, column);
	uint64_t n = get_big_endian(raw.p, raw.n);

	switch (raw.n) {
	case 1:
		return (int64_t)n;
	case 2:
		return (int16_t)(uint16_t)n;
	case 4:
		return (int32_t)(uint32_t)n;
	}
	return (int64_t)n;
}

int64_t answer_ms(const struct answer *a, size_t row, int column)
{
	if (answer_null(a, row, column))
		return 0;
	return answer_int(a, row, column) / 1000 + epoch_ms;
}

struct guid answer_guid(const struct answer *a, size_t row, int column)
{
	struct str raw = answer_bytes(a, row, column);
	struct guid g = { { 0 } };

	if (raw.n == sizeof(g.byte))
		memcpy(g.byte, raw.p, sizeof(g.byte));
	return g;
}

struct str answer_bytes(const struct answer *a, size_t row, int column)
{
	return (struct str){ PQgetvalue(a->result, (int)row, column),
			     (size_t)PQgetlength(a->result, (int)row, column) };
}

enum answer_kind answer_kind(const struct answer *a, int column)
{
	switch (PQftype(a->result, column)) {
	case TYPE_BOOL:
		return ANSWER_BOOLEAN;
	case TYPE_INT64:
	case TYPE_INT32:
	case TYPE_INT16:
		return ANSWER_NUMBER;
	case TYPE_TIME:
		return ANSWER_TIME;
	}
	return ANSWER_TEXT;
}

struct str answer_print(const struct answer *a, size_t row, int column, struct arena *memory)
{
	char text[CLOCK_TEXT] = "";

	if (answer_null(a, row, column))
		return (struct str){ NULL, 0 };
	switch (answer_kind(a, column)) {
	case ANSWER_BOOLEAN:
		return answer_bool(a, row, column) ? STR("true") : STR("false");
	case ANSWER_NUMBER:
		return str_of(arena_fmt(memory, "%" PRId64, answer_int(a, row, column)));
	case ANSWER_TIME:
		clock_print_ms(answer_ms(a, row, column), text);
		return arena_str(memory, str_of(text));
	case ANSWER_TEXT:
		break;
	}
	if (PQftype(a->result, column) == TYPE_GUID) {
		struct guid g = answer_guid(a, row, column);
		char guid[GUID_TEXT];

		guid_print(&g, guid);
		return arena_str(memory, str_of(guid));
	}
	return arena_str(memory, answer_bytes(a, row, column));
}

int answer_columns(const struct answer *a)
{
	return PQnfields(a->result);
}

const char *answer_name(const struct answer *a, int column)
{
	return PQfname(a->result, column);
}

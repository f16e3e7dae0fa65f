/* Packing: repetitions found by a table of the last place of every four bytes, told in the code
 * RFC 1951 fixes, so that nothing but this file is needed for it. Knows nothing of HTTP. */
#include "base/gzip.h"

#include <stdlib.h>
#include <string.h>

enum {
	WINDOW = 32768,
	MATCH_MIN = 4,
	MATCH_MAX = 258,
	TABLE_BITS = 15,
	END_OF_BLOCK = 256,
	FIRST_LENGTH = 257,
	LENGTH_CODES = 29,
	SYMBOLS = FIRST_LENGTH + LENGTH_CODES,
	DISTANCE_CODES = 30,
};

static const uint16_t length_base[LENGTH_CODES] = {
	3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23,  27,
	31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
};
static const uint8_t length_extra[LENGTH_CODES] = {
	0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
};
static const uint16_t distance_base[DISTANCE_CODES] = {
	1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
	193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
};
static const uint8_t distance_extra[DISTANCE_CODES] = {
	0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
	6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
};

/* What is on its way out, and the fixed code as it is written: lowest bit first. */
struct packer {
	struct text *out;
	uint64_t held; /* the next bit is the lowest */
	unsigned int count;
	uint16_t code[SYMBOLS];
	uint8_t bits[SYMBOLS];
	uint8_t length_code[MATCH_MAX + 1];
	size_t used;
	char waiting[4096];
};

static void put(struct packer *p, uint32_t value, unsigned int count)
{
	p->held |= (uint64_t)value << p->count;
	p->count += count;
	if (p->count < 32)
		return;
	if (p->used == sizeof(p->waiting)) {
		text_add(p->out, p->waiting, p->used);
		p->used = 0;
	}
	for (int i = 0; i < 4; i++)
		p->waiting[p->used++] = (char)(p->held >> (8 * i));
	p->held >>= 32;
	p->count -= 32;
}

static void put_rest(struct packer *p)
{
	text_add(p->out, p->waiting, p->used);
	for (; p->count; p->count -= p->count < 8 ? p->count : 8, p->held >>= 8)
		text_add(p->out, &(char){ (char)p->held }, 1);
}

/* Codes are written highest bit first. */
static uint32_t turned(uint32_t code, unsigned int bits)
{
	uint32_t made = 0;

	for (unsigned int i = 0; i < bits; i++)
		made |= (code >> i & 1) << (bits - 1 - i);
	return made;
}

/* A literal byte, the end of the block or a length: RFC 1951, 3.2.6. */
static uint32_t fixed_code(uint32_t symbol, uint8_t *ret_bits)
{
	*ret_bits = symbol < 144 ? 8 : symbol < END_OF_BLOCK ? 9 : symbol < 280 ? 7 : 8;
	if (symbol < 144)
		return 0x30 + symbol;
	if (symbol < END_OF_BLOCK)
		return 0x190 + symbol - 144;
	return symbol < 280 ? symbol - END_OF_BLOCK : 0xc0 + symbol - 280;
}

static struct packer *packer_new(struct text *out)
{
	struct packer *p = calloc(1, sizeof(*p));
	uint8_t code = 0;

	if (!p)
		abort();
	p->out = out;
	for (uint32_t symbol = 0; symbol < SYMBOLS; symbol++) {
		uint32_t fixed = fixed_code(symbol, &p->bits[symbol]);

		p->code[symbol] = (uint16_t)turned(fixed, p->bits[symbol]);
	}
	for (uint32_t length = length_base[0]; length <= MATCH_MAX; length++) {
		while (code + 1 < LENGTH_CODES && length_base[code + 1] <= length)
			code++;
		p->length_code[length] = code;
	}
	return p;
}

static void put_symbol(struct packer *p, uint32_t symbol)
{
	put(p, p->code[symbol], p->bits[symbol]);
}

/* Two codes for every power of two: the highest bit and the one below it tell which. */
static uint32_t distance_code(uint32_t distance)
{
	uint32_t less = distance - 1, high;

	if (less < 4)
		return less;
	high = 31 - (uint32_t)__builtin_clz(less);
	return 2 * high + (less >> (high - 1) & 1);
}

static void put_match(struct packer *p, uint32_t length, uint32_t distance)
{
	uint32_t code = p->length_code[length];

	put_symbol(p, FIRST_LENGTH + code);
	put(p, length - length_base[code], length_extra[code]);
	code = distance_code(distance);
	put(p, turned(code, 5), 5);
	put(p, distance - distance_base[code], distance_extra[code]);
}

static uint32_t slot_of(const char *at)
{
	uint32_t four;

	memcpy(&four, at, sizeof(four));
	return (four * 2654435761u) >> (32 - TABLE_BITS);
}

/* How many bytes from at on are the same as from earlier on. */
static uint32_t match_length(const char *earlier, const char *at, const char *end)
{
	uint32_t most = end - at < MATCH_MAX ? (uint32_t)(end - at) : MATCH_MAX;
	uint32_t length = 0;

	while (length + 8 <= most && memcmp(earlier + length, at + length, 8) == 0)
		length += 8;
	while (length < most && earlier[length] == at[length])
		length++;
	return length;
}

static void deflate_add(struct text *out, const char *bytes, size_t len)
{
	uint32_t *seen = calloc((size_t)1 << TABLE_BITS, sizeof(*seen)); /* place plus one */
	struct packer *p = packer_new(out);

	if (!seen)
		abort();
	put(p, 1, 1); /* the last block, */
	put(p, 1, 2); /* in the fixed code */
	for (size_t i = 0; i < len;) {
		uint32_t length = 0, earlier = 0, slot;

		if (len - i >= MATCH_MIN) {
			slot = slot_of(bytes + i);
			earlier = seen[slot];
			seen[slot] = (uint32_t)i + 1;
			if (earlier && i - (earlier - 1) <= WINDOW)
				length = match_length(bytes + earlier - 1, bytes + i, bytes + len);
		}
		if (length < MATCH_MIN) {
			put_symbol(p, (unsigned char)bytes[i++]);
			continue;
		}
		put_match(p, length, (uint32_t)(i - (earlier - 1)));
		for (size_t end = i + length; ++i < end;)
			if (len - i >= MATCH_MIN)
				seen[slot_of(bytes + i)] = (uint32_t)i + 1;
	}
	put_symbol(p, END_OF_BLOCK);
	put_rest(p);
	free(p);
	free(seen);
}

static uint32_t crc_of(const char *bytes, size_t len)
{
	uint32_t table[256], crc = 0xffffffffu;

	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320u : 0);
	}
	for (size_t i = 0; i < len; i++)
		crc = crc >> 8 ^ table[(crc ^ (unsigned char)bytes[i]) & 0xff];
	return ~crc;
}

static void add_number(struct text *out, uint32_t number)
{
	for (int i = 0; i < 4; i++)
		text_add(out, &(char){ (char)(number >> (8 * i)) }, 1);
}

void gzip_add(struct text *out, const char *bytes, size_t len)
{
	static const char head[] = "\x1f\x8b\x08\0\0\0\0\0\0\xff";

	text_add(out, head, sizeof(head) - 1);
	deflate_add(out, bytes, len);
	add_number(out, crc_of(bytes, len));
	add_number(out, (uint32_t)len);
}

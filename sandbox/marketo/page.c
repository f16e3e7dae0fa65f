/* Paging tokens: base 32 text, opaque outside, that stands for an instant or a position.
 * Adobe: Lead Database, Activities (paging tokens). */
#include <string.h>

#include "marketo/marketo.h"

enum { MARK_BYTES = 20, MARK_DIGITS = MARK_BYTES * 8 / 5 };

static const char base32_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static void put_number(uint8_t *at, uint64_t number, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(number >> (8 * (bytes - 1 - i)));
}

static uint64_t get_number(const uint8_t *at, int bytes)
{
	uint64_t number = 0;

	for (int i = 0; i < bytes; i++)
		number = number << 8 | at[i];
	return number;
}

/* Nothing secret: it only keeps a client from reading meaning into the text. The first byte seeds
 * the rest. */
static void scramble(uint8_t *bytes)
{
	uint32_t state = bytes[0] * 2654435761u + 97;

	for (int i = 1; i < MARK_BYTES; i++) {
		state = state * 1664525u + 1013904223u;
		bytes[i] ^= (uint8_t)(state >> 24);
	}
}

static uint8_t checksum(const uint8_t *bytes)
{
	return (uint8_t)index_hash((const char *)bytes + 1, MARK_BYTES - 1, false);
}

/* Bytes: checksum, kind, world (2), at (8), since (4), when it was given (4). */
void page_mark_print(const struct marketo *m, const struct page_mark *mark, struct text *out)
{
	uint8_t bytes[MARK_BYTES] = { 0 };
	char digits[MARK_DIGITS + 6];

	bytes[1] = (uint8_t)mark->kind;
	put_number(bytes + 2, m->world, 2);
	put_number(bytes + 4, mark->at, 8);
	put_number(bytes + 12, mark->since, 4);
	put_number(bytes + 16, (uint64_t)sandbox_now_s(), 4);
	bytes[0] = checksum(bytes);
	scramble(bytes);
	for (int i = 0; i < MARK_DIGITS; i++) {
		int bit = i * 5;
		unsigned int pair = (unsigned int)bytes[bit / 8] << 8 |
				    (bit / 8 + 1 < MARK_BYTES ? bytes[bit / 8 + 1] : 0);

		digits[i] = base32_digits[pair >> (11 - bit % 8) & 31];
	}
	memcpy(digits + MARK_DIGITS, "======", 6);
	text_add(out, digits, sizeof(digits));
}

bool page_mark_read(const struct marketo *m, const char *token, struct page_mark *ret)
{
	uint8_t bytes[MARK_BYTES + 1] = { 0 };

	if (strlen(token) != MARK_DIGITS + 6 || strcmp(token + MARK_DIGITS, "======") != 0)
		return false;
	for (int i = 0; i < MARK_DIGITS; i++) {
		const char *digit = strchr(base32_digits, token[i]);
		int bit = i * 5;
		unsigned int pair;

		if (!digit)
			return false;
		pair = (unsigned int)(digit - base32_digits) << (11 - bit % 8);
		bytes[bit / 8] |= (uint8_t)(pair >> 8);
		bytes[bit / 8 + 1] |= (uint8_t)pair;
	}
	scramble(bytes);
	if (checksum(bytes) != bytes[0] || get_number(bytes + 2, 2) != (m->world & 0xffff) ||
	    bytes[1] > PAGE_KIND_LAST)
		return false;
	if (m->limits.page_token_s &&
	    sandbox_now_s() - (int64_t)get_number(bytes + 16, 4) >= m->limits.page_token_s)
		return false;
	ret->kind = (enum page_kind)bytes[1];
	ret->at = get_number(bytes + 4, 8);
	ret->since = (uint32_t)get_number(bytes + 12, 4);
	return true;
}

bool call_page_start(struct call *call, enum page_kind kind, size_t *ret)
{
	struct page_mark mark = { .kind = kind };
	struct text token = { 0 };
	bool good = !call_param(call, "nextPageToken", 0, &token) || !token.len ||
		    page_mark_read(call->m, token.data, &mark);

	text_free(&token);
	*ret = (size_t)mark.at;
	if (good && mark.kind == kind)
		return true;
	call_fail(call, 1003, "Invalid value for nextPageToken");
	return false;
}

void call_page_next(struct call *call, enum page_kind kind, size_t at)
{
	text_puts(call->out, ",\"nextPageToken\":\"");
	page_mark_print(call->m, &(struct page_mark){ .kind = kind, .at = at }, call->out);
	text_puts(call->out, "\",\"moreResult\":true");
}

/* Six bits a letter. */
#include "dataverse/base64.h"

#include <stdint.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_encode(struct text *out, const char *bytes, size_t len)
{
	uint32_t bits = 0;
	int count = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | (unsigned char)bytes[i];
		for (count += 8; count >= 6; count -= 6)
			text_add(out, &letters[bits >> (count - 6) & 63], 1);
	}
	if (count)
		text_add(out, &letters[bits << (6 - count) & 63], 1);
}

static int letter_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-' || c == '+')
		return 62;
	return c == '_' || c == '/' ? 63 : -1;
}

void base64_decode(struct text *out, const char *bytes, size_t len)
{
	char chunk[256];
	size_t used = 0;
	uint32_t bits = 0;
	int count = 0;

	for (size_t i = 0; i < len && bytes[i] != '='; i++) {
		int six = letter_value(bytes[i]);

		if (six < 0)
			break;
		bits = bits << 6 | (uint32_t)six;
		count += 6;
		if (count < 8)
			continue;
		count -= 8;
		chunk[used++] = (char)(bits >> count);
		if (used < sizeof(chunk))
			continue;
		text_add(out, chunk, used);
		used = 0;
	}
	text_add(out, chunk, used);
}

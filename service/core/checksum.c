/* SHA-256 in pieces; see checksum.h. Knows nothing of what the bytes are. */
#include "core/checksum.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/mem.h"

struct checksum {
	crypto_hash_sha256_state state;
};

struct checksum *checksum_new(void)
{
	struct checksum *c = mem_alloc(sizeof(*c));

	(void)crypto_hash_sha256_init(&c->state);
	return c;
}

void checksum_free(struct checksum *c)
{
	free(c);
}

void checksum_add(struct checksum *c, struct str bytes)
{
	if (bytes.n)
		(void)crypto_hash_sha256_update(&c->state, (const unsigned char *)bytes.p, bytes.n);
}

void checksum_print(struct checksum *c, char ret[CHECKSUM_TEXT])
{
	unsigned char digest[crypto_hash_sha256_BYTES];

	(void)crypto_hash_sha256_final(&c->state, digest);
	(void)sodium_bin2hex(ret, CHECKSUM_TEXT, digest, sizeof(digest));
}

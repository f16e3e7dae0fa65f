/* Keyed hashes and derived identities. libsodium is seen here and in checksum.c only. Knows
 * values, not where they come from. */
#include "core/fingerprint.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#include "base/mem.h"

static_assert(sizeof(((struct fingerprint_key *)0)->byte) == crypto_shorthash_KEYBYTES,
	      "SipHash key length");
static_assert(crypto_shorthash_BYTES == sizeof(uint64_t), "SipHash result length");

/* What is hashed in front of a value. Fingerprints are stored: a letter here may never change. */
static const unsigned char fingerprint_tags[VALUE_KIND_COUNT] = {
	[VALUE_UNSEEN] = 'U',  [VALUE_EMPTY] = 'E', [VALUE_BOOLEAN] = 'B', [VALUE_INTEGER] = 'I',
	[VALUE_DECIMAL] = 'N', [VALUE_DATE] = 'D',  [VALUE_TIME] = 'T',    [VALUE_TEXT] = 'S',
};
enum { FINGERPRINT_TAG_PLAIN = 'P', FINGERPRINT_STACK_BYTES = 1024 };

enum err_kind fingerprint_start(struct err *err)
{
	if (sodium_init() < 0)
		return err_set(err, ERR_OURS,
			       "libsodium cannot start: the system gives no random numbers");
	return ERR_NONE;
}

void fingerprint_random(void *bytes, size_t n)
{
	randombytes_buf(bytes, n);
}

static void fingerprint_put(unsigned char *to, uint64_t n)
{
	for (int i = 0; i < 8; i++)
		to[i] = (unsigned char)(n >> (8 * i));
}

static uint64_t fingerprint_get(const unsigned char *from)
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n |= (uint64_t)from[i] << (8 * i);
	return n;
}

static uint64_t fingerprint_hash(const struct fingerprint_key *key, unsigned char tag,
				 struct str bytes)
{
	unsigned char on_stack[FINGERPRINT_STACK_BYTES], hash[crypto_shorthash_BYTES];
	bool fits = bytes.n < sizeof(on_stack);
	unsigned char *in = fits ? on_stack : mem_alloc(bytes.n + 1);
	uint64_t n;

	in[0] = tag;
	if (bytes.n)
		memcpy(in + 1, bytes.p, bytes.n);
	(void)crypto_shorthash(hash, in, bytes.n + 1, key->byte); /* always 0 */
	if (!fits)
		free(in);
	n = fingerprint_get(hash);
	return n ? n : 1;
}

uint64_t fingerprint_of(const struct fingerprint_key *key, const struct value *v)
{
	unsigned char number[8];
	struct str bytes = { (const char *)number, sizeof(number) };

	switch (v->kind) {
	case VALUE_UNSEEN:
	case VALUE_EMPTY:
	case VALUE_KIND_COUNT:
		bytes.n = 0;
		break;
	case VALUE_BOOLEAN:
		fingerprint_put(number, v->boolean);
		break;
	case VALUE_INTEGER:
	case VALUE_DATE:
	case VALUE_TIME:
		fingerprint_put(number, (uint64_t)v->number);
		break;
	case VALUE_DECIMAL:
	case VALUE_TEXT:
		bytes = v->text;
		break;
	}
	return fingerprint_hash(key, fingerprint_tags[v->kind], bytes);
}

uint64_t fingerprint_text(const struct fingerprint_key *key, struct str text)
{
	return fingerprint_hash(key, FINGERPRINT_TAG_PLAIN, text);
}

/* Version and variant bits of a UUID (RFC 9562, section 4). */
static void fingerprint_mark(struct guid *g, unsigned version)
{
	g->byte[6] = (uint8_t)((g->byte[6] & 0x0f) | version << 4);
	g->byte[8] = (uint8_t)((g->byte[8] & 0x3f) | 0x80);
}

struct guid fingerprint_record_id(struct str instance, int64_t person_id, uint32_t generation)
{
	static const char purpose[] = "tandem record";
	unsigned char number[8];
	crypto_generichash_state state;
	struct guid g;

	/* The instance stands last: it alone has no fixed length. None of these calls can fail for
	 * these lengths. */
	(void)crypto_generichash_init(&state, NULL, 0, sizeof(g.byte));
	(void)crypto_generichash_update(&state, (const unsigned char *)purpose, sizeof(purpose));
	fingerprint_put(number, (uint64_t)person_id);
	(void)crypto_generichash_update(&state, number, sizeof(number));
	fingerprint_put(number, generation);
	(void)crypto_generichash_update(&state, number, sizeof(number));
	(void)crypto_generichash_update(
		&state, (const unsigned char *)(instance.p ? instance.p : ""), instance.n);
	(void)crypto_generichash_final(&state, g.byte, sizeof(g.byte));
	fingerprint_mark(&g, 8);
	return g;
}

struct guid fingerprint_random_guid(void)
{
	struct guid g;

	randombytes_buf(g.byte, sizeof(g.byte));
	fingerprint_mark(&g, 4);
	return g;
}

bool fingerprint_secret_equal(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	return a.n == 0 || sodium_memcmp(a.p, b.p, a.n) == 0;
}

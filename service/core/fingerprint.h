/* Keyed 64-bit hashes of canonical values, the only trace of a value at rest (INV-PRIVATE), and the
 * other keyed or derived identities: SipHash-2-4 and BLAKE2b from libsodium, which is visible in
 * this folder only. */
#ifndef CORE_FINGERPRINT_H
#define CORE_FINGERPRINT_H

#include "core/table.h"
#include "core/value.h"

struct fingerprint_key {
	uint8_t byte[16];
};

/* Starts the library; call once before threads. */
enum err_kind fingerprint_start(struct err *err);
void fingerprint_random(void *bytes, size_t n);

/* Never 0: 0 means "no fingerprint". EMPTY has one. v must not be UNSEEN. */
uint64_t fingerprint_of(const struct fingerprint_key *key, const struct value *v);
uint64_t fingerprint_text(const struct fingerprint_key *key, struct str text);

/* The GUID a person's record is created with: the same for the same Marketo instance, person and
 * generation, so that a repeated create is recognised (INV-ONE-ROW). A version 8 UUID (RFC 9562). */
struct guid fingerprint_record_id(struct str instance, int64_t person_id, uint32_t generation);
struct guid fingerprint_random_guid(void);

/* Constant time for equal lengths. */
bool fingerprint_secret_equal(struct str a, struct str b);

#endif

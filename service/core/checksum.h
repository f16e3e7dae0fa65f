/* SHA-256 of bytes that come in pieces (FIPS 180-4). */
#ifndef CORE_CHECKSUM_H
#define CORE_CHECKSUM_H

#include "base/str.h"

enum { CHECKSUM_TEXT = 65 };

struct checksum;

struct checksum *checksum_new(void);
void checksum_free(struct checksum *c); /* NULL is fine */
void checksum_add(struct checksum *c, struct str bytes);
/* Of everything added, in small hex digits. Nothing may be added afterwards. */
void checksum_print(struct checksum *c, char ret[CHECKSUM_TEXT]);

#endif

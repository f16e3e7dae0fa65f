/* SHA-256 as FIPS 180-4 defines it, for the checksum of a file. */
#ifndef SANDBOX_BASE_SHA256_H
#define SANDBOX_BASE_SHA256_H

#include <stddef.h>

enum { SHA256_DIGITS = 64 };

/* Writes lower-case hexadecimal digits and a NUL. */
void sha256_hex(const char *bytes, size_t len, char ret[SHA256_DIGITS + 1]);

#endif

/* The gzip form of an answer, as RFC 1951 and RFC 1952 define it. */
#ifndef SANDBOX_BASE_GZIP_H
#define SANDBOX_BASE_GZIP_H

#include "base/text.h"

void gzip_add(struct text *out, const char *bytes, size_t len);

#endif

/* Base64 as tokens, assertions and credentials use it. Pure functions. */
#ifndef SANDBOX_DATAVERSE_BASE64_H
#define SANDBOX_DATAVERSE_BASE64_H

#include <stddef.h>

#include "base/text.h"

/* The alphabet that may stand in an address, without padding. */
void base64url_encode(struct text *out, const char *bytes, size_t len);
/* Both alphabets, padding or not; ends at the first letter that is none. */
void base64_decode(struct text *out, const char *bytes, size_t len);

#endif

/* The origin of an address (INV-ORIGIN). Pure. */
#ifndef REMOTE_HTTP_ADDRESS_H
#define REMOTE_HTTP_ADDRESS_H

#include "base/defs.h"

/* "scheme://host:port" in lower case, without the port its scheme has anyway, to be freed; NULL
 * when the address is none of ours. */
char *http_address_origin(const char *url, bool *ret_is_plain, bool *ret_is_loopback);

#endif

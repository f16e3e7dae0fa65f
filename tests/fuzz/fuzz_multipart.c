/* Any bytes into the reader of batch answers: it ends, and every part is a view into what it was
 * given. */
#include <stdlib.h>
#include <string.h>

#include "remote/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_lie_in(struct str part, struct str whole)
{
	if (part.n && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
		abort();
}

/* The first line is the content type, the rest the body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str all = { (const char *)data, size };
	const char *line_end = size ? memchr(data, '\n', size) : NULL;
	struct multipart reader;
	struct multipart_part part;
	struct str type, body;
	size_t parts = 0;

	if (!line_end)
		return 0;
	type = (struct str){ all.p, (size_t)(line_end - all.p) };
	body = (struct str){ line_end + 1, size - type.n - 1 };
	if (!multipart_start(&reader, type, body))
		return 0;
	while (multipart_next(&reader, &part)) {
		must_lie_in(part.body, all);
		must_lie_in(part.etag, all);
		must_lie_in(part.content_id, all);
		must_lie_in(part.content_type, all);
		if (++parts > size)
			abort(); /* every part takes some bytes: more parts than bytes never end */
	}
	return 0;
}

/* Any text as a stored cursor of either side: what can be read is printed and read as the same. */
#include <stdlib.h>

#include "remote/dynamics_wire.h"
#include "remote/marketo_cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_release) struct arena a = { 0 };
	struct str text = { (const char *)data, size };
	struct marketo_cursor marketo;
	struct dynamics_cursor dynamics;

	if (marketo_cursor_read(text, &a, &marketo)) {
		struct str printed = marketo_cursor_print(&marketo, &a);

		if (!marketo_cursor_read(printed, &a, &marketo) ||
		    !str_equal(marketo_cursor_print(&marketo, &a), printed))
			abort();
		marketo_cursor_settle(&marketo, 120);
	}
	if (dynamics_cursor_read(text, &dynamics) &&
	    !str_equal(dynamics_cursor_print(&a, &dynamics), text))
		abort();
	if (dynamics_version(text) < 0)
		abort();
	return 0;
}

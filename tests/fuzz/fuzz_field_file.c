/* Any bytes as a field file: a set, or lines that say why not. A set that was read is printed and
 * read again. */
#include <stdlib.h>

#include "config/field_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buf_release) struct buf problems = { 0 }, printed = { 0 }, again = { 0 };
	struct field_file file = { .mistakes = 0 }, second = { .mistakes = 0 };
	CLEANUP(arena_release) struct arena a = { 0 };
	struct str text = arena_str(&a, (struct str){ (const char *)data, size });
	enum err_kind kind = field_file_read("fields.json", text, &file, &problems);

	if (kind != ERR_NONE && kind != ERR_CONFIG)
		abort();
	if ((kind == ERR_CONFIG) != (file.mistakes > 0))
		abort();
	if (kind == ERR_CONFIG && !problems.len)
		abort();
	if (kind == ERR_NONE) {
		field_file_print(&file.set, &printed);
		if (field_file_read("again.json", buf_str(&printed), &second, &again) != ERR_NONE ||
		    second.set.count != file.set.count)
			abort();
		field_file_release(&second);
	}
	field_file_release(&file);
	return 0;
}

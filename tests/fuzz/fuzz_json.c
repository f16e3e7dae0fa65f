/* Any bytes into the JSON walker: it ends, and what it hands out lies in the order it stood there. */
#include <stdlib.h>

#include "remote/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	size_t count;
	size_t stop_after; /* a visitor may end the walk */
};

static enum err_kind visit(void *context, const char *array, const char *member,
			   struct json_object *value, struct err *err)
{
	struct seen *seen = context;

	if (!array && !member)
		abort(); /* an element of an array, or a member: never neither */
	(void)json_object_get_type(value);
	if (++seen->count == seen->stop_after)
		return err_set(err, ERR_GONE, "enough");
	return ERR_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct seen all = { 0, 0 }, some = { 0, 1 };
	struct err err = { .kind = ERR_NONE };
	enum err_kind kind = json_walk(text, visit, &all, &err);

	if (kind != ERR_NONE && kind != ERR_RUBBISH)
		abort();
	if (kind != err.kind)
		abort(); /* untouched on success, told on failure */
	kind = json_walk(text, visit, &some, &err);
	if (all.count && kind != ERR_GONE)
		abort(); /* the visitor's own answer comes through */
	return 0;
}

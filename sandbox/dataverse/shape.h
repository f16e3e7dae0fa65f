/* Which metadata objects an answer shows and which of their properties: $select, $filter and
 * $expand over JSON objects. Knows no tables. */
#ifndef SANDBOX_DATAVERSE_SHAPE_H
#define SANDBOX_DATAVERSE_SHAPE_H

#include "dataverse/dataverse.h"

/* Of the request itself, or of one expanded property. NULL: not given. */
struct options {
	char *select, *filter, *expand;
};
void request_options(struct call *c, struct options *ret);
void options_free(struct options *o);
/* Name($select=…;$filter=…) of an $expand; false when the name is not expanded. */
bool expanded(const char *expand, const char *name, struct options *ret);
/* Refuses an $expand of anything but these; the list ends with NULL. */
bool expand_offered(struct call *c, const char *expand, const char *const *offered);

struct shape {
	const char *type; /* for refusals */
	bool base_only;   /* an attribute without a cast */
	bool shows_type;  /* keep @odata.type */
};
/* Takes the full object, gives the selected one; NULL when a property is unknown. */
struct json_object *shape_pick(struct call *c, struct json_object *full, const char *select,
			       const struct shape *shape);
/* Takes the list, gives the objects that match; NULL when the filter is wrong. */
struct json_object *shape_matching(struct call *c, struct json_object *list,
				   const char *filter_text, const char *type);
/* Both over a list. */
struct json_object *shape_list(struct call *c, struct json_object *list,
			       const struct options *options, const struct shape *shape);
struct json_object *shape_property(struct json_object *o, const char *path);

#endif

/* JSON of large answers without a tree of the whole: the members of the outermost object are handed
 * out one by one, and the elements of its arrays one by one, each parsed on its own by json-c. A
 * page of 5,000 rows never exists as a tree. */
#ifndef REMOTE_JSON_H
#define REMOTE_JSON_H

#include <json-c/json.h>

#include "base/err.h"
#include "base/str.h"

/* Called for every element of every array member of the outermost object, in order (array is the
 * member's name), and for every other member with value (array NULL). The object is borrowed.
 * Returns other than ERR_NONE to stop with it. */
typedef enum err_kind json_visit(void *context, const char *array, const char *member,
				 struct json_object *value, struct err *err);

/* ERR_RUBBISH when the text is not one JSON object, is cut, or goes on behind it. */
enum err_kind json_walk(struct str text, json_visit *visit, void *context, struct err *err);

/* The tree of a small answer, to be put back: one JSON object and nothing else; NULL when it is
 * not. */
struct json_object *json_tree(struct str text);

/* Members with the type wanted; false (and *ret untouched) when missing, null or of another type. */
bool json_get_string(struct json_object *o, const char *name, struct str *ret);
bool json_get_int64(struct json_object *o, const char *name,
		    int64_t *ret); /* also a number in a string */
bool json_get_bool(struct json_object *o, const char *name, bool *ret);
struct json_object *json_get_object(struct json_object *o, const char *name);
struct json_object *json_get_array(struct json_object *o, const char *name);

#endif

/* A JSON text as a tree whose nodes know their line, for messages that say where. Must not know
 * what any member means. Private to this folder. */
#ifndef CONFIG_JSON_TREE_H
#define CONFIG_JSON_TREE_H

#include "base/arena.h"

enum json_kind { JSON_NULL, JSON_BOOLEAN, JSON_NUMBER, JSON_STRING, JSON_OBJECT, JSON_LIST };

struct json_node {
	enum json_kind kind;
	size_t line;     /* where it begins, from 1 */
	struct str text; /* a string's content, with a NUL behind it; of numbers and words as
			    written */
	struct json_node
		*items; /* of a list; or an object's values, in order, duplicates included */
	size_t count;
	struct str key; /* of an object's value: its name and where that stands */
	size_t key_line;
};

struct json_fault {
	size_t line;
	char rule[200]; /* what is wrong, as the end of a sentence about the file */
};

/* The tree belongs to the arena. False: the text is no JSON; *ret_fault says where it stops being
 * it. text must have a NUL behind it. */
MUST_CHECK bool json_tree_read(struct str text, struct arena *a, struct json_node *ret,
			       struct json_fault *ret_fault);

#endif

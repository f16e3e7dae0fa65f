/* Response mappings: where in an answer a value is. Adobe: Webhooks, response mappings. JSON paths
 * begin in the object, XML paths with the name of the root element. */
#include <ctype.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marketo/caller.h"

enum { NAME_MAX_BYTES = 200 };

/* One word of a path: a name, the places after it. */
struct word {
	char name[NAME_MAX_BYTES];
	size_t places[8], count;
};

static bool name_character(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == ':' || c == ' ';
}

/* Takes a word and the dot after it; NULL when the path is not legal. */
static const char *word_take(const char *path, struct word *ret)
{
	size_t len = 0;

	*ret = (struct word){ .count = 0 };
	while (name_character(path[len]))
		len++;
	if (len >= sizeof(ret->name))
		return NULL;
	memcpy(ret->name, path, len);
	for (path += len; *path == '['; path++) {
		char *end;

		if (!isdigit((unsigned char)path[1]) ||
		    ret->count == sizeof(ret->places) / sizeof(ret->places[0]))
			return NULL;
		ret->places[ret->count++] = strtoul(path + 1, &end, 10);
		path = end;
		if (*path != ']')
			return NULL;
	}
	if ((!len && !ret->count) || (*path && *path != '.') || (*path == '.' && !path[1]))
		return NULL;
	return *path ? path + 1 : path;
}

bool path_is_legal(const char *path)
{
	struct word word;
	bool first = true;

	do {
		path = word_take(path, &word);
		if (!path || (!first && !*word.name))
			return false;
		first = false;
	} while (*path);
	return true;
}

struct json_object *path_in_json(struct json_object *at, const char *path)
{
	struct word word;

	while (at && *path) {
		path = word_take(path, &word);
		if (!path)
			return NULL;
		if (*word.name)
			at = json_at(at, word.name);
		for (size_t i = 0; i < word.count && at; i++)
			at = json_object_is_type(at, json_type_array)
				     ? json_object_array_get_idx(at, word.places[i])
				     : NULL;
	}
	return at;
}

bool path_in_xml(const char *xml, const char *path, struct text *ret, bool *ret_sound)
{
	struct json_object *root = xml_parse(xml), *at = root, *top = NULL;
	struct word word;

	text_clear(ret);
	*ret_sound = root != NULL;
	if (root) { /* the root is looked for as the one child of the document */
		top = json_object_new_array();
		json_object_array_add(top, json_object_get(root));
	}
	for (struct json_object *children = top; at && *path; children = json_at(at, "children")) {
		size_t wanted, count = json_object_is_type(children, json_type_array)
					       ? json_object_array_length(children)
					       : 0;

		path = word_take(path, &word);
		if (!path)
			break;
		wanted = word.count ? word.places[0] : 0;
		at = NULL;
		for (size_t i = 0; i < count && !at; i++) {
			struct json_object *child = json_object_array_get_idx(children, i);

			if (strcmp(json_words(child, "name"), word.name) == 0 && !wanted--)
				at = child;
		}
	}
	if (at && path)
		text_puts(ret, json_words(at, "text"));
	json_object_put(top);
	json_object_put(root);
	return at && path;
}

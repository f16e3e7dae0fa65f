/* Walks large JSON answers without a tree of the whole; see json.h. A scanner finds where members
 * and elements begin and end, json-c parses each of them strictly on its own. Must not know what
 * any member means. */
#include "remote/json.h"

#include <string.h>

enum {
	JSON_DEPTH_MAX = 32, /* within one element; the remotes stay below 10 */
	JSON_NAME_MAX = 256, /* member names of the outermost object */
};

struct json_scan {
	const char *at, *end;
	struct json_tokener *tokener;
	struct err *err;
};

static enum err_kind json_bad(const struct json_scan *s, const char *what)
{
	return err_set(s->err, ERR_RUBBISH, "the answer is not valid JSON: %s", what);
}

static void json_space(struct json_scan *s)
{
	while (s->at < s->end &&
	       (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
		s->at++;
}

static bool json_take(struct json_scan *s, char c)
{
	json_space(s);
	if (s->at >= s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

/* From the opening quote to behind the closing one; false when the text ends before. */
static bool json_skip_string(struct json_scan *s)
{
	for (s->at++; s->at < s->end; s->at++) {
		if (*s->at == '"') {
			s->at++;
			return true;
		}
		if (*s->at == '\\' && ++s->at == s->end)
			break;
	}
	return false;
}

/* The extent of one value: up to the comma or bracket that ends it in what surrounds it. Brackets
 * are only counted here; whether they match is for json-c to say. */
static bool json_extent(struct json_scan *s, struct str *ret)
{
	size_t depth = 0;

	json_space(s);
	ret->p = s->at;
	while (s->at < s->end) {
		char c = *s->at;

		if (c == '"') {
			if (!json_skip_string(s))
				return false;
			continue;
		}
		if (depth == 0 && (c == ',' || c == ']' || c == '}'))
			break;
		if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		s->at++;
	}
	*ret = str_trim((struct str){ ret->p, (size_t)(s->at - ret->p) });
	return s->at < s->end && ret->n > 0;
}

/* One more byte than the value has is shown to json-c: a number ends only where something else
 * begins. That byte is there, because json_extent stopped at it or at white space. */
static enum err_kind json_parse(struct json_scan *s, struct str extent, struct json_object **ret)
{
	if (extent.n >= INT32_MAX)
		return json_bad(s, "a value is too large");
	json_tokener_reset(s->tokener);
	*ret = json_tokener_parse_ex(s->tokener, extent.p, (int)extent.n + 1);
	if (json_tokener_get_error(s->tokener) != json_tokener_success ||
	    json_tokener_get_parse_end(s->tokener) < extent.n) {
		json_object_put(*ret);
		*ret = NULL;
		return json_bad(s, "a value cannot be read");
	}
	return ERR_NONE;
}

static enum err_kind json_value(struct json_scan *s, const char *array, const char *member,
				json_visit *visit, void *context)
{
	struct json_object *value = NULL;
	struct str extent;
	enum err_kind kind;

	if (!json_extent(s, &extent))
		return json_bad(s, "it is cut");
	kind = json_parse(s, extent, &value);
	if (kind == ERR_NONE)
		kind = visit(context, array, member, value, s->err);
	json_object_put(value);
	return kind;
}

static enum err_kind json_elements(struct json_scan *s, const char *name, json_visit *visit,
				   void *context)
{
	enum err_kind kind;

	if (json_take(s, ']'))
		return ERR_NONE;
	do {
		kind = json_value(s, name, NULL, visit, context);
		if (kind != ERR_NONE)
			return kind;
	} while (json_take(s, ','));
	return json_take(s, ']') ? ERR_NONE : json_bad(s, "an array does not end");
}

/* Names with escapes are taken as they stand: no member that anybody asks for has one. */
static enum err_kind json_name(struct json_scan *s, char ret[JSON_NAME_MAX])
{
	const char *from;
	size_t n;

	json_space(s);
	from = s->at + 1;
	if (s->at >= s->end || *s->at != '"' || !json_skip_string(s))
		return json_bad(s, "a member has no name");
	n = (size_t)(s->at - 1 - from);
	if (n >= JSON_NAME_MAX)
		return json_bad(s, "the name of a member is too long");
	memcpy(ret, from, n);
	ret[n] = '\0';
	return json_take(s, ':') ? ERR_NONE : json_bad(s, "a member has no value");
}

static enum err_kind json_members(struct json_scan *s, json_visit *visit, void *context)
{
	char name[JSON_NAME_MAX];
	enum err_kind kind;

	if (!json_take(s, '{'))
		return json_bad(s, "it is not an object");
	if (json_take(s, '}'))
		return ERR_NONE;
	do {
		kind = json_name(s, name);
		if (kind == ERR_NONE)
			kind = json_take(s, '[') ? json_elements(s, name, visit, context)
						 : json_value(s, NULL, name, visit, context);
		if (kind != ERR_NONE)
			return kind;
	} while (json_take(s, ','));
	return json_take(s, '}') ? ERR_NONE : json_bad(s, "the object does not end");
}

/* Some answers begin with a byte order mark. */
static struct str json_begin(struct str text)
{
	static const struct str mark = STR("\xef\xbb\xbf");

	if (str_starts(text, mark))
		text = (struct str){ text.p + mark.n, text.n - mark.n };
	return text;
}

enum err_kind json_walk(struct str text, json_visit *visit, void *context, struct err *err)
{
	struct str all = json_begin(text);
	struct json_scan s = { .at = all.p, .end = all.p + all.n, .err = err };
	enum err_kind kind;

	if (!text.n)
		return err_set(err, ERR_RUBBISH, "the answer is empty");
	s.tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	if (!s.tokener)
		return err_set(err, ERR_OURS, "json-c gave no parser");
	json_tokener_set_flags(s.tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	kind = json_members(&s, visit, context);
	json_space(&s);
	if (kind == ERR_NONE && s.at != s.end)
		kind = json_bad(&s, "it goes on behind its end");
	json_tokener_free(s.tokener);
	return kind;
}

struct json_object *json_tree(struct str text)
{
	struct str all = str_trim(json_begin(text));
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	struct json_object *tree = NULL;

	if (tokener && all.n && all.n < INT32_MAX) {
		json_tokener_set_flags(tokener,
				       JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
		tree = json_tokener_parse_ex(tokener, all.p, (int)all.n);
		if (json_tokener_get_parse_end(tokener) < all.n ||
		    !json_object_is_type(tree, json_type_object)) {
			json_object_put(tree);
			tree = NULL;
		}
	}
	json_tokener_free(tokener);
	return tree;
}

/* ---- members by type ---- */

static struct json_object *json_member(struct json_object *o, const char *name, enum json_type type)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, name, &value) || !value)
		return NULL;
	return json_object_is_type(value, type) ? value : NULL;
}

bool json_get_string(struct json_object *o, const char *name, struct str *ret)
{
	struct json_object *value = json_member(o, name, json_type_string);

	if (!value)
		return false;
	*ret = (struct str){ json_object_get_string(value),
			     (size_t)json_object_get_string_len(value) };
	return true;
}

bool json_get_int64(struct json_object *o, const char *name, int64_t *ret)
{
	struct json_object *value = json_member(o, name, json_type_int);
	struct str text;

	if (json_get_string(o, name, &text))
		return str_int64(text, INT64_MIN, INT64_MAX, ret);
	if (!value)
		return false;
	*ret = json_object_get_int64(value);
	return true;
}

bool json_get_bool(struct json_object *o, const char *name, bool *ret)
{
	struct json_object *value = json_member(o, name, json_type_boolean);

	if (!value)
		return false;
	*ret = json_object_get_boolean(value);
	return true;
}

struct json_object *json_get_object(struct json_object *o, const char *name)
{
	return json_member(o, name, json_type_object);
}

struct json_object *json_get_array(struct json_object *o, const char *name)
{
	return json_member(o, name, json_type_array);
}

/* XML as answers of webhooks are written in: elements and their text. Attributes and namespaces are
 * passed over. Knows no campaign. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "marketo/caller.h"

enum { DEPTH_MAX = 64 };

struct xml {
	const char *at;
	bool broken;
	int depth;
};

static void skip_to(struct xml *x, const char *end)
{
	const char *at = strstr(x->at, end);

	x->broken = x->broken || !at;
	if (at)
		x->at = at + strlen(end);
}

static bool begins(const struct xml *x, const char *with)
{
	return strncmp(x->at, with, strlen(with)) == 0;
}

static void skip_space(struct xml *x)
{
	x->at += strspn(x->at, " \t\r\n");
}

static void code_point_put(struct text *out, unsigned long c)
{
	char bytes[4];
	size_t count = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = count; i-- > 0; c >>= 6)
		bytes[i] = (char)(i ? 0x80 | (c & 0x3f) : marks[count] | c);
	text_add(out, bytes, count);
}

static void entity_put(struct xml *x, struct text *out)
{
	char c;
	size_t used = text_xml_entity(x->at, strnlen(x->at, 8), &c);
	unsigned long code;
	char *end;

	if (used) {
		text_add(out, &c, 1);
		x->at += used;
		return;
	}
	x->broken = !begins(x, "&#");
	if (x->broken)
		return;
	code = x->at[2] == 'x' ? strtoul(x->at + 3, &end, 16) : strtoul(x->at + 2, &end, 10);
	x->broken = *end != ';' || !code || code > 0x10ffff || (code >= 0xd800 && code < 0xe000);
	if (x->broken)
		return;
	code_point_put(out, code);
	x->at = end + 1;
}

/* Passes the attributes of a tag; true when the element closes itself. */
static bool tag_end(struct xml *x)
{
	while (!x->broken) {
		skip_space(x);
		if (begins(x, "/>")) {
			x->at += 2;
			return true;
		}
		if (*x->at == '>') {
			x->at++;
			return false;
		}
		x->at += strcspn(x->at, "=<>/");
		x->broken = x->at[0] != '=' || (x->at[1] != '"' && x->at[1] != '\'');
		if (!x->broken) {
			x->at += 2;
			skip_to(x, x->at[-1] == '"' ? "\"" : "'");
		}
	}
	return true;
}

static void closing_tag(struct xml *x, const char *name, size_t len)
{
	x->at += 2;
	x->broken = strncmp(x->at, name, len) != 0;
	if (x->broken)
		return;
	x->at += len;
	skip_space(x);
	x->broken = *x->at != '>';
	x->at += !x->broken;
}

static struct json_object *element(struct xml *x);

/* Comments, instructions and literal text; false when something else stands there. */
static bool special(struct xml *x, struct text *words)
{
	const char *start = x->at;

	if (begins(x, "<!--")) {
		skip_to(x, "-->");
	} else if (begins(x, "<?")) {
		skip_to(x, "?>");
	} else if (begins(x, "<![CDATA[")) {
		skip_to(x, "]]>");
		if (!x->broken)
			text_add(words, start + 9, (size_t)(x->at - 3 - start - 9));
	} else {
		return false;
	}
	return true;
}

static void content(struct xml *x, const char *name, size_t len, struct text *words,
		    struct json_object *children)
{
	while (!x->broken && !begins(x, "</")) {
		if (!*x->at)
			x->broken = true;
		else if (*x->at == '&')
			entity_put(x, words);
		else if (*x->at != '<')
			text_add(words, x->at++, 1);
		else if (!special(x, words))
			json_object_array_add(children, element(x));
	}
	if (!x->broken)
		closing_tag(x, name, len);
}

static struct json_object *element(struct xml *x)
{
	struct json_object *made = json_object_new_object(), *children = json_object_new_array();
	const char *name = ++x->at;
	size_t len = strcspn(name, " \t\r\n/><");
	struct text words = { 0 };

	x->at += len;
	x->broken = x->broken || !len || ++x->depth > DEPTH_MAX;
	if (!x->broken && !tag_end(x))
		content(x, name, len, &words, children);
	x->depth--;
	json_object_object_add(made, "name", json_object_new_string_len(name, (int)len));
	json_object_object_add(made, "text", json_object_new_string(words.data ? words.data : ""));
	json_object_object_add(made, "children", children);
	text_free(&words);
	return made;
}

static void misc(struct xml *x)
{
	struct text none = { 0 };

	skip_space(x);
	while (!x->broken && !begins(x, "<![") && special(x, &none))
		skip_space(x);
	text_free(&none);
}

struct json_object *xml_parse(const char *xml)
{
	struct xml x = { .at = xml };
	struct json_object *root = NULL;

	if (begins(&x, "\xef\xbb\xbf"))
		x.at += 3;
	misc(&x);
	if (begins(&x, "<!DOCTYPE"))
		skip_to(&x, ">");
	misc(&x);
	x.broken = x.broken || *x.at != '<';
	if (!x.broken)
		root = element(&x);
	if (!x.broken)
		misc(&x);
	if (!x.broken && !*x.at)
		return root;
	json_object_put(root);
	return NULL;
}

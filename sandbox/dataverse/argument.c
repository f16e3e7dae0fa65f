/* Arguments of functions: a literal in the address or a parameter alias (Microsoft Learn: Use Web
 * API functions). Knows no function. */
#include <string.h>

#include "dataverse/dataverse.h"

/* Up to the comma or the parenthesis that ends it, which may not stand in quotes or brackets. */
static size_t literal_length(const char *s)
{
	size_t len = 0;
	int depth = 0;
	char quote = '\0';

	for (; s[len] && (quote || depth || (s[len] != ',' && s[len] != ')')); len++) {
		if (quote)
			quote = s[len] == quote ? '\0' : quote;
		else if (s[len] == '\'' || s[len] == '"')
			quote = s[len];
		else
			depth += (strchr("{[(", s[len]) != NULL) - (strchr("}])", s[len]) != NULL);
	}
	return len;
}

bool argument(struct call *c, const char *arguments, const char *name, struct text *ret)
{
	size_t name_len = strlen(name), len;
	const char *at = arguments;
	char alias[64];

	while ((at = strstr(at, name)) && (at[name_len] != '=' || strchr("(,", at[-1]) == NULL))
		at += name_len;
	if (!at)
		return call_refuse(c, 400, ODATA_ERROR, "The parameter %s is missing.", name);
	at += name_len + 1;
	len = literal_length(at);
	if (*at != '@') {
		text_add(ret, at, len);
		return true;
	}
	if (len >= sizeof(alias))
		return call_refuse(c, 400, ODATA_ERROR, "The parameter alias of %s is too long.",
				   name);
	memcpy(alias, at, len);
	alias[len] = '\0';
	return (call_option(c, alias, ret) && ret->len) ||
	       call_refuse(c, 400, ODATA_ERROR, "The parameter alias %s has no value.", alias);
}

bool argument_text(struct call *c, const char *arguments, const char *name, struct text *ret)
{
	struct text literal = { 0 };
	bool good = argument(c, arguments, name, &literal);
	bool quoted = good && literal.len >= 2 && literal.data[0] == '\'' &&
		      literal.data[literal.len - 1] == '\'';

	if (good)
		text_add(ret, literal.data + quoted, literal.len - 2 * (size_t)quoted);
	text_free(&literal);
	return good;
}

struct json_object *argument_json(struct call *c, const char *arguments, const char *name,
				  enum json_type type)
{
	struct text literal = { 0 };
	struct json_object *value = NULL;

	if (argument(c, arguments, name, &literal)) {
		value = json_tokener_parse(literal.len ? literal.data : "");
		if (!json_object_is_type(value, type)) {
			json_object_put(value);
			value = NULL;
			call_refuse(c, 400, PAYLOAD_ERROR, "The parameter %s is not %s.", name,
				    type == json_type_array ? "a list" : "an object");
		}
	}
	text_free(&literal);
	return value;
}

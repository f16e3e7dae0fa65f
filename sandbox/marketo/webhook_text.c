/* The texts of a webhook: tokens and what stands for them, the encodings, the backslashes of a
 * template. Adobe: Webhooks; Tokens for webhooks. Sends nothing. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "marketo/caller.h"

/* What stands for a token. */
struct token_value {
	struct text text;
	bool number; /* or a truth value: never quoted */
};

typedef bool token_reader(const struct token_scope *, const char *name, struct token_value *ret);

/* ---- the families of tokens ---- */

static int field_displayed(const struct marketo *m, const char *name, unsigned int flag)
{
	for (size_t i = 0; i < m->fields.count; i++)
		if (!(m->fields.list[i].flags & FIELD_HIDDEN) &&
		    (m->fields.list[i].flags & FIELD_COMPANY) == flag &&
		    strcasecmp(m->fields.list[i].display, name) == 0)
			return (int)i;
	return -1;
}

static void derived_value(const struct token_scope *s, int column, struct text *ret)
{
	struct text json = { 0 };
	struct json_object *value;

	person_field_json(s->m, s->position, column, &json);
	value = json_tokener_parse(json.data);
	if (value)
		text_puts(ret, json_object_get_string(value));
	json_object_put(value);
	text_free(&json);
}

static bool field_value(const struct token_scope *s, int column, struct token_value *ret)
{
	const struct field *field;
	const char *bytes;
	size_t len;

	if (column < 0)
		return false;
	field = &s->m->fields.list[column];
	ret->number = !field_types[field->type].words;
	if (!s->run)
		return true;
	if (field->flags & FIELD_DERIVED) {
		derived_value(s, column, &ret->text);
		return true;
	}
	bytes = person_get(s->m, s->position, column, &len);
	if (field->type == TYPE_BOOLEAN)
		text_puts(&ret->text, len ? "true" : "false");
	else if (field->type == TYPE_DATETIME)
		value_display(field->type, bytes, len, &ret->text);
	else
		text_add(&ret->text, bytes, len);
	return true;
}

static bool lead_token(const struct token_scope *s, const char *name, struct token_value *ret)
{
	return field_value(s, field_displayed(s->m, name, 0), ret);
}

static bool company_token(const struct token_scope *s, const char *name, struct token_value *ret)
{
	return field_value(s, field_displayed(s->m, name, FIELD_COMPANY), ret);
}

static bool campaign_token(const struct token_scope *s, const char *name, struct token_value *ret)
{
	ret->number = strcasecmp(name, "Id") == 0;
	if (!ret->number && strcasecmp(name, "Name") != 0)
		return false;
	if (s->run && ret->number)
		text_printf(&ret->text, "%zu", FIRST_CAMPAIGN_ID + s->run->campaign);
	else if (s->run)
		text_puts(&ret->text, json_words(s->definition, "name"));
	return true;
}

static bool program_token(const struct token_scope *s, const char *name, struct token_value *ret)
{
	text_puts(&ret->text, json_words(s->definition, "programName"));
	return strcasecmp(name, "Name") == 0;
}

static bool trigger_token(const struct token_scope *s, const char *name, struct token_value *ret)
{
	bool kind = strcasecmp(name, "Trigger Name") == 0;

	if (s->run)
		text_puts(&ret->text, kind ? s->run->trigger_kind : s->run->trigger_name);
	return kind || strcasecmp(name, "Name") == 0;
}

static bool my_token(const struct token_scope *s, const char *name, struct token_value *ret)
{
	struct json_object *value = json_at(json_at(s->definition, "tokens"), name);

	if (value)
		text_puts(&ret->text, json_object_get_string(value));
	return value != NULL;
}

/* The instance's own time, as the change log shows it. */
static bool system_token(const struct token_scope *s, const char *name, struct token_value *ret)
{
	static const struct {
		const char *name;
		size_t start, len;
	} parts[] = { { "dateTime", 0, 19 }, { "date", 0, 10 }, { "time", 11, 8 } };
	struct text utc = { 0 }, local = { 0 };
	bool found = false;

	(void)s;
	clock_print(&utc, sandbox_now_s());
	value_display(TYPE_DATETIME, utc.data, utc.len, &local);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strcasecmp(parts[i].name, name) != 0)
			continue;
		text_add(&ret->text, local.data + parts[i].start, parts[i].len);
		found = true;
	}
	text_free(&utc);
	text_free(&local);
	return found;
}

static const struct {
	const char *prefix;
	token_reader *read;
} families[] = {
	{ "lead.", lead_token },         { "company.", company_token },
	{ "campaign.", campaign_token }, { "program.", program_token },
	{ "trigger.", trigger_token },   { "my.", my_token },
	{ "system.", system_token },
};

/* ---- putting them in ---- */

static void value_put(const struct token_scope *s, const struct token_value *value,
		      struct text *out)
{
	const struct text *text = &value->text;

	if (s->encoding == ENCODING_FORM)
		text_url_encode(out, text->data, text->len);
	else if (s->encoding == ENCODING_JSON && !text->len)
		text_puts(out, s->empty);
	else if (s->encoding == ENCODING_JSON && !value->number)
		text_json_string(out, text->data, text->len);
	else
		text_add(out, text->data, text->len);
}

/* The name between the braces; what follows ":default=" stands in for an empty value. */
static bool token_put(const struct token_scope *s, char *name, struct text *out)
{
	char *otherwise = strstr(name, ":default=");
	struct token_value value = { 0 };
	bool known = false;

	if (otherwise) {
		*otherwise = '\0';
		otherwise += strlen(":default=");
	}
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]) && !known; i++)
		if (strncasecmp(name, families[i].prefix, strlen(families[i].prefix)) == 0)
			known = families[i].read(s, name + strlen(families[i].prefix), &value);
	if (otherwise && !value.text.len)
		text_puts(&value.text, otherwise);
	if (known)
		value_put(s, &value, out);
	text_free(&value.text);
	return known;
}

bool tokens_expand(const struct token_scope *s, const char *words, struct text *out,
		   struct text *error)
{
	for (;;) {
		const char *start = strstr(words, "{{");
		const char *end = start ? strstr(start, "}}") : NULL;
		char *name;
		bool known;

		if (!end) {
			text_puts(out, words);
			return true;
		}
		text_add(out, words, (size_t)(start - words));
		name = strndup(start + 2, (size_t)(end - start - 2));
		if (!name)
			abort();
		known = token_put(s, name, out);
		if (!known && error)
			text_printf(error, "there is no token {{%s}}", name);
		free(name);
		if (!known && error)
			return false;
		words = end + 2;
	}
}

/* Observed of the editor: a template is read once as if it were the inside of a string. */
bool template_parse(const char *words, struct text *out)
{
	static const char from[] = "btnfr\\\"'", to[] = "\b\t\n\f\r\\\"'";

	for (; *words; words++) {
		const char *at;

		if (*words != '\\') {
			text_add(out, words, 1);
			continue;
		}
		words++;
		at = *words ? strchr(from, *words) : NULL;
		if (!at)
			return false;
		text_add(out, &to[at - from], 1);
	}
	return true;
}

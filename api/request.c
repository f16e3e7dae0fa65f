/* Reading bodies; see request.h. json-c takes the last of two equal members without a word, so
 * those are looked for in the text itself, after everything else was found right. */
#include "api/request.h"

#include <inttypes.h>
#include <json-c/json.h>

#include "core/value.h"

enum {
	REQUEST_DEPTH_MAX = 8,
	REQUEST_OWNER_MAX = 320, /* the longest e-mail address */
	REQUEST_NAME_MAX = 255,
	REQUEST_MEMBERS_MAX = 16 /* more than a correct body can have */
};

/* Whole numbers beyond this do not survive every JSON library ("RFC 7493: I-JSON"). */
static const int64_t request_number_max = 9007199254740991;

struct request_reader {
	struct arena *memory;
	struct request *request;
	struct problem *problem;
};

struct request_member {
	const char *name, *pointer;
	bool is_required;
	bool (*take)(struct request_reader *r, const char *pointer, struct json_object *value);
};

static void json_freep(struct json_object **object)
{
	json_object_put(*object);
}

static void tokener_freep(struct json_tokener **tokener)
{
	if (*tokener)
		json_tokener_free(*tokener);
}

static bool request_wrong(struct request_reader *r, const char *pointer, const char *rule)
{
	return problem_set(r->problem, PROBLEM_CONTENT, pointer, "%s %s", pointer, rule);
}

static bool take_whole_number(struct request_reader *r, const char *pointer,
			      struct json_object *value, int64_t *ret)
{
	int64_t number;

	if (!json_object_is_type(value, json_type_int))
		return request_wrong(r, pointer, "must be a whole number, written without quotes");
	number = json_object_get_int64(value); /* larger ones come as the largest */
	if (number < 1 || number > request_number_max)
		return request_wrong(r, pointer, "must be from 1 to 9007199254740991");
	*ret = number;
	return true;
}

/* Trimmed, not empty, no control characters, at most max characters. */
static bool take_text(struct request_reader *r, const char *pointer, struct json_object *value,
		      size_t max, struct str *ret)
{
	struct str text;

	if (!json_object_is_type(value, json_type_string))
		return request_wrong(r, pointer, "must be a text");
	text = (struct str){ json_object_get_string(value),
			     (size_t)json_object_get_string_len(value) };
	text = str_trim(text);
	for (size_t i = 0; i < text.n; i++) {
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
			return request_wrong(r, pointer, "must not hold control characters");
	}
	if (!text.n)
		return request_wrong(r, pointer, "must not be empty");
	if (value_character_count(text) > max)
		return problem_set(r->problem, PROBLEM_CONTENT, pointer,
				   "%s must have at most %zu characters", pointer, max);
	*ret = arena_str(r->memory, text);
	return true;
}

static bool take_person_id(struct request_reader *r, const char *pointer, struct json_object *value)
{
	return take_whole_number(r, pointer, value, &r->request->person_id);
}

static bool take_sync_as(struct request_reader *r, const char *pointer, struct json_object *value)
{
	struct str text;

	if (!json_object_is_type(value, json_type_string))
		return request_wrong(r, pointer, "must be \"lead\" or \"contact\"");
	text = (struct str){ json_object_get_string(value),
			     (size_t)json_object_get_string_len(value) };
	if (str_equal(text, STR("lead")))
		r->request->sync_as = TABLE_LEAD;
	else if (str_equal(text, STR("contact")))
		r->request->sync_as = TABLE_CONTACT;
	else
		return request_wrong(r, pointer, "must be \"lead\" or \"contact\"");
	return true;
}

static bool take_owner(struct request_reader *r, const char *pointer, struct json_object *value)
{
	if (!value)
		return true;
	return take_text(r, pointer, value, REQUEST_OWNER_MAX, &r->request->owner);
}

static bool take_campaign_id(struct request_reader *r, const char *pointer,
			     struct json_object *value)
{
	int64_t id = 0;

	if (!take_whole_number(r, pointer, value, &id))
		return false;
	r->request->campaign_id = str_of(arena_fmt(r->memory, "%" PRId64, id));
	return true;
}

static bool take_campaign_name(struct request_reader *r, const char *pointer,
			       struct json_object *value)
{
	return take_text(r, pointer, value, REQUEST_NAME_MAX, &r->request->campaign_name);
}

static bool take_campaign_type(struct request_reader *r, const char *pointer,
			       struct json_object *value)
{
	const char *text =
		json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";

	r->request->is_trigger = strcmp(text, "trigger") == 0;
	if (!r->request->is_trigger && strcmp(text, "batch") != 0)
		return request_wrong(r, pointer, "must be \"trigger\" or \"batch\"");
	return true;
}

static bool take_campaign(struct request_reader *r, const char *pointer, struct json_object *value);

static const struct request_member campaign_members[] = {
	{ "id", "/campaign/id", false, take_campaign_id },
	{ "name", "/campaign/name", false, take_campaign_name },
	{ "type", "/campaign/type", false, take_campaign_type },
};

static const struct request_member body_members[] = {
	{ "personId", "/personId", true, take_person_id },
	{ "syncAs", "/syncAs", false, take_sync_as },
	{ "owner", "/owner", false, take_owner },
	{ "campaign", "/campaign", false, take_campaign },
};

/* The name as the last part of a JSON pointer ("RFC 6901"), cut when it is endless. */
static bool request_unknown_member(struct request_reader *r, const char *parent, const char *name)
{
	char pointer[PROBLEM_FIELD];
	size_t n = (size_t)snprintf(pointer, sizeof(pointer), "%s/", parent);

	for (; *name && n < 100; name++) {
		if (*name == '~' || *name == '/') {
			pointer[n++] = '~';
			pointer[n++] = *name == '~' ? '0' : '1';
		} else {
			pointer[n++] = *name;
		}
	}
	pointer[n] = '\0';
	return problem_set(r->problem, PROBLEM_CONTENT, pointer,
			   "there is no such member; openapi.yaml lists them");
}

static bool request_take_members(struct request_reader *r, const char *parent,
				 struct json_object *object, const struct request_member *members,
				 size_t count)
{
	json_object_object_foreach (object, name, ignored) {
		size_t i = 0;

		(void)ignored;
		while (i < count && strcmp(members[i].name, name) != 0)
			i++;
		if (i == count)
			return request_unknown_member(r, parent, name);
	}
	for (size_t i = 0; i < count; i++) {
		struct json_object *value;

		if (json_object_object_get_ex(object, members[i].name, &value)) {
			if (!members[i].take(r, members[i].pointer, value))
				return false;
		} else if (members[i].is_required) {
			return request_wrong(r, members[i].pointer, "is missing");
		}
	}
	return true;
}

static bool take_campaign(struct request_reader *r, const char *pointer, struct json_object *value)
{
	if (!value)
		return true;
	if (!json_object_is_type(value, json_type_object))
		return request_wrong(r, pointer, "must be an object or null");
	return request_take_members(r, pointer, value, campaign_members,
				    ARRAY_LEN(campaign_members));
}

/* Length of the quoted text that starts at s, quotes included. s is known to be well-formed JSON. */
static size_t request_quoted_length(struct str s)
{
	size_t i = 1;

	while (i < s.n && s.p[i] != '"')
		i += s.p[i] == '\\' ? 2 : 1;
	return i < s.n ? i + 1 : s.n;
}

static bool request_is_name(struct str rest)
{
	rest = str_trim(rest);
	return rest.n && rest.p[0] == ':';
}

/* The same name spelt with and without escapes is the same: compared decoded. */
static struct json_object *request_decoded(struct str quoted)
{
	CLEANUP(tokener_freep) struct json_tokener *tokener = json_tokener_new();

	return tokener ? json_tokener_parse_ex(tokener, quoted.p, (int)quoted.n) : NULL;
}

struct request_name {
	unsigned object; /* which object of the text it belongs to */
	struct json_object *decoded;
};

static bool request_name_is_new(struct request_name *names, size_t *count, unsigned object,
				struct str quoted, struct problem *problem)
{
	struct json_object *decoded = request_decoded(quoted);
	const char *name = json_object_get_string(decoded);
	bool is_new = *count < REQUEST_MEMBERS_MAX && name &&
		      strlen(name) == (size_t)json_object_get_string_len(decoded);
	char pointer[PROBLEM_FIELD] = "";

	for (size_t i = 0; i < *count && is_new; i++)
		is_new = names[i].object != object || !json_object_equal(names[i].decoded, decoded);
	if (is_new) {
		names[(*count)++] = (struct request_name){ object, decoded };
		return true;
	}
	/* The body itself is the first object; only the campaign can be another one. */
	if (name)
		(void)snprintf(pointer, sizeof(pointer), "%s/%.100s", object > 1 ? "/campaign" : "",
			       name);
	json_object_put(decoded);
	return problem_set(problem, PROBLEM_BAD_REQUEST, pointer, "this member is given twice");
}

/* No member may be given twice in one object. A body with more members than there are names has one
 * that is. */
static bool request_check_twins(struct str text, struct problem *problem)
{
	struct request_name names[REQUEST_MEMBERS_MAX];
	unsigned inside[REQUEST_DEPTH_MAX + 1] = { 0 }, objects = 0;
	size_t depth = 0, count = 0, i = 0;
	bool is_good = true;

	while (i < text.n && is_good) {
		struct str rest = { text.p + i, text.n - i };
		size_t step = rest.p[0] == '"' ? request_quoted_length(rest) : 1;

		if ((rest.p[0] == '{' || rest.p[0] == '[') && depth < REQUEST_DEPTH_MAX)
			inside[++depth] = ++objects;
		else if ((rest.p[0] == '}' || rest.p[0] == ']') && depth)
			depth--;
		else if (rest.p[0] == '"' &&
			 request_is_name((struct str){ rest.p + step, rest.n - step }))
			is_good = request_name_is_new(names, &count, inside[depth],
						      (struct str){ rest.p, step }, problem);
		i += step;
	}
	while (count)
		json_object_put(names[--count].decoded);
	return is_good;
}

/* "application/json", alone or with charset=utf-8. */
static bool request_is_json(const char *content_type)
{
	struct str rest = str_of(content_type);
	struct str type = str_trim(str_cut(&rest, ';'));

	if (!str_equal_fold(type, STR("application/json")))
		return false;
	while (rest.n) {
		struct str value = str_cut(&rest, ';');
		struct str name = str_trim(str_cut(&value, '='));

		value = str_trim(value);
		if (str_equal_fold(name, STR("charset")) && !str_equal_fold(value, STR("utf-8")) &&
		    !str_equal_fold(value, STR("\"utf-8\"")))
			return false;
	}
	return true;
}

/* json-c takes some things that are not JSON ("RFC 8259") even when it is strict: 'text', NaN, raw
 * control characters. None of their characters can stand where they stand in JSON. */
static bool request_is_strict(struct str text)
{
	static const char allowed[] = "{}[]:,0123456789+-.eE \t\r\ntrufalsn";
	size_t i = 0;

	while (i < text.n) {
		struct str rest = { text.p + i, text.n - i };
		size_t step = rest.p[0] == '"' ? request_quoted_length(rest) : 1;

		if (step == 1 && rest.p[0] != '"' && (!rest.p[0] || !strchr(allowed, rest.p[0])))
			return false;
		for (size_t k = 0; k < step && step > 1; k++) {
			if ((unsigned char)rest.p[k] < ' ')
				return false;
		}
		i += step;
	}
	return true;
}

/* *ret may become NULL: the JSON null. */
static bool request_parse(struct str body, struct arena *a, struct json_object **ret,
			  struct problem *problem)
{
	CLEANUP(tokener_freep)
	struct json_tokener *tokener = json_tokener_new_ex(REQUEST_DEPTH_MAX);
	const char *rule;

	if (!tokener)
		return problem_set(problem, PROBLEM_UNAVAILABLE, NULL,
				   "no memory to read the body");
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	/* With the NUL behind it, which ends a number or a word that nothing else ends. */
	*ret = json_tokener_parse_ex(tokener, arena_text(a, body), (int)body.n + 1);
	rule = json_tokener_error_desc(json_tokener_get_error(tokener));
	if (json_tokener_get_error(tokener) != json_tokener_success)
		return problem_set(problem, PROBLEM_BAD_REQUEST, NULL,
				   "the body is not JSON: %s, at byte %zu of %zu", rule,
				   json_tokener_get_parse_end(tokener), body.n);
	if (json_tokener_get_parse_end(tokener) < body.n)
		return problem_set(problem, PROBLEM_BAD_REQUEST, NULL,
				   "the body is not JSON: something follows the first value");
	if (!request_is_strict(body))
		return problem_set(problem, PROBLEM_BAD_REQUEST, NULL,
				   "the body is not JSON: a character stands where none may");
	return true;
}

bool request_sync_person(const char *content_type, struct str body, struct arena *a,
			 struct request *ret, struct problem *problem)
{
	struct request request = { .sync_as = TABLE_LEAD, .is_trigger = true, .door = DOOR_REST };
	struct request_reader reader = { a, &request, problem };
	CLEANUP(json_freep) struct json_object *object = NULL;

	if (!request_is_json(content_type))
		return problem_set(
			problem, PROBLEM_MEDIA_TYPE, NULL,
			"the body must be sent as Content-Type: application/json in UTF-8");
	body = str_trim(body);
	if (!body.n)
		return problem_set(problem, PROBLEM_BAD_REQUEST, NULL,
				   "the body is empty; a JSON object is needed");
	if (!request_parse(body, a, &object, problem))
		return false;
	if (!json_object_is_type(object, json_type_object))
		return problem_set(problem, PROBLEM_CONTENT, NULL,
				   "the body must be a JSON object");
	if (!request_take_members(&reader, "", object, body_members, ARRAY_LEN(body_members)))
		return false;
	if (!request_check_twins(body, problem))
		return false;
	*ret = request;
	return true;
}

bool request_empty(struct str body, struct problem *problem)
{
	body = str_trim(body);
	if (!body.n)
		return true;
	if (body.n >= 2 && body.p[0] == '{' && body.p[body.n - 1] == '}' &&
	    str_trim((struct str){ body.p + 1, body.n - 2 }).n == 0)
		return true;
	return problem_set(problem, PROBLEM_BAD_REQUEST, NULL, "this address takes no body");
}

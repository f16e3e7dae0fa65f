/* What Marketo's answers mean; see marketo_wire.h. The tables follow "Adobe: Error Codes".
 * Must not know HTTP, tokens, or what a record holds. */
#include "remote/marketo_wire.h"

#include <stdio.h>
#include <strings.h>

struct marketo_code {
	const char *code;
	enum err_kind kind;
	enum marketo_reaction reaction;
	int64_t retry_after_ms; /* -1 no hint */
	const char *text, *advice;
};

/* What several codes have in common. */
#define ADVICE_WAIT "Nothing has to be done: the sync tries again by itself."
#define ADVICE_OURS "This is a mistake in Tandem: report it, with the code."
#define ADVICE_SIGN_IN                                                                             \
	"Check client id and secret against the custom service in Marketo (LaunchPoint)."
#define ADVICE_FIELD                                                                               \
	"Was the field removed or renamed in Marketo? Put it back, or take it out of the mapping."
#define ADVICE_NATIVE "Switch Marketo's own CRM sync off, or do not use Tandem with this instance."
#define ADVICE_PARTITION                                                                           \
	"Ask the Marketo administrator to give the API user access to the person's partition."

/* Codes of a whole call. Where a single record may be to blame the call is tried in halves. */
static const struct marketo_code marketo_call_codes[] = {
	{ "500", ERR_RETRY_LATER, MARKETO_BACK_OFF, -1, "internal error of Marketo", ADVICE_WAIT },
	{ "502", ERR_RETRY_LATER, MARKETO_BACK_OFF_SPLIT, -1, "bad gateway", ADVICE_WAIT },
	{ "600", ERR_BROKEN, MARKETO_RENEW, -1, "the access token is missing", ADVICE_SIGN_IN },
	{ "601", ERR_BROKEN, MARKETO_RENEW, -1, "the access token is invalid", ADVICE_SIGN_IN },
	{ "602", ERR_BROKEN, MARKETO_RENEW, -1, "the access token has expired", ADVICE_SIGN_IN },
	{ "603", ERR_RIGHTS, MARKETO_FAIL, -1,
	  "access denied: the role of the API user lacks a permission, or an address allow-list excludes this service",
	  "Ask the Marketo administrator to add the permission, or this service's address to the list." },
	{ "604", ERR_RETRY_LATER, MARKETO_BACK_OFF_SPLIT, -1, "the request timed out",
	  ADVICE_WAIT },
	{ "605", ERR_OURS, MARKETO_FAIL, -1, "wrong HTTP method", ADVICE_OURS },
	{ "606", ERR_THROTTLED, MARKETO_PAUSE, 20000, "too many calls in 20 seconds", ADVICE_WAIT },
	{ "607", ERR_QUOTA, MARKETO_SHUT, -1, "the daily quota is used up",
	  "The sync goes on after midnight US Central; Adobe sells larger quotas." },
	{ "608", ERR_RETRY_LATER, MARKETO_FAIL, 30000, "the API is temporarily unavailable",
	  ADVICE_WAIT },
	{ "609", ERR_OURS, MARKETO_SPLIT, -1, "invalid JSON", ADVICE_OURS },
	{ "610", ERR_BROKEN, MARKETO_FAIL, -1,
	  "the resource was not found: check the address of the instance", "Check MARKETO_URL." },
	{ "611", ERR_RETRY_LATER, MARKETO_BACK_OFF_SPLIT, -1, "system error of Marketo",
	  ADVICE_WAIT },
	{ "612", ERR_OURS, MARKETO_FAIL, -1, "invalid content type", ADVICE_OURS },
	{ "613", ERR_OURS, MARKETO_FAIL, -1, "invalid multipart request", ADVICE_OURS },
	{ "614", ERR_RETRY_LATER, MARKETO_FAIL, 60000, "the subscription cannot be reached",
	  ADVICE_WAIT },
	{ "615", ERR_THROTTLED, MARKETO_SHORT_PAUSE, 2000, "too many calls at once", ADVICE_WAIT },
	{ "616", ERR_BROKEN, MARKETO_FAIL, -1, "wrong type of subscription",
	  "Ask Adobe which subscription this instance belongs to." },
	{ "701", ERR_OURS, MARKETO_SPLIT, -1, "a parameter is blank", ADVICE_OURS },
	{ "702", ERR_NONE, MARKETO_EMPTY, -1, "no data found", NULL },
	{ "703", ERR_RIGHTS, MARKETO_FAIL, -1, "the feature is not enabled for this subscription",
	  "Ask the Marketo administrator or Adobe to enable it." },
	{ "704", ERR_OURS, MARKETO_SPLIT, -1, "invalid date", ADVICE_OURS },
	{ "713", ERR_RETRY_LATER, MARKETO_BACK_OFF, -1, "transient error", ADVICE_WAIT },
	{ "719", ERR_RETRY_LATER, MARKETO_BACK_OFF, -1, "lock wait timeout", ADVICE_WAIT },
	{ "1003", ERR_REFUSED, MARKETO_SPLIT, -1, "more records match than one call may return",
	  "Merge the duplicates in Marketo." },
	{ "1006", ERR_BROKEN, MARKETO_FAIL, -1, "a field was not found: the schema has changed",
	  ADVICE_FIELD },
	{ "1011", ERR_BROKEN, MARKETO_FAIL, -1, "a field cannot be searched by", ADVICE_OURS },
	{ "1018", ERR_BROKEN, MARKETO_FAIL, -1,
	  "a native CRM sync is active in this instance: Tandem cannot work beside it",
	  ADVICE_NATIVE },
};

/* Codes of a call about bulk jobs, where they differ ("Adobe: Bulk Extract", "Adobe: Bulk Import").
 */
static const struct marketo_code marketo_bulk_codes[] = {
	{ "1003", ERR_REFUSED, MARKETO_FAIL, -1, "the job does not allow this", ADVICE_OURS },
	{ "1013", ERR_GONE, MARKETO_FAIL, -1, "the job is not there", ADVICE_WAIT },
	{ "1016", ERR_THROTTLED, MARKETO_FAIL, 30000, "no free place in the queue of imports",
	  ADVICE_WAIT },
	{ "1029", ERR_THROTTLED, MARKETO_FAIL, 60000, "no free place in the queue of extracts",
	  ADVICE_WAIT },
	{ "1035", ERR_RIGHTS, MARKETO_FAIL, -1, "this subscription does not have the filter",
	  "Ask the Marketo administrator or Adobe to enable it." },
};

/* Codes of one record in a call that worked. */
static const struct marketo_code marketo_record_codes[] = {
	{ "500", ERR_RETRY_LATER, MARKETO_FAIL, -1, "internal error of Marketo", ADVICE_WAIT },
	{ "502", ERR_RETRY_LATER, MARKETO_FAIL, -1, "bad gateway", ADVICE_WAIT },
	{ "604", ERR_RETRY_LATER, MARKETO_FAIL, -1, "the request timed out", ADVICE_WAIT },
	{ "611", ERR_RETRY_LATER, MARKETO_FAIL, -1, "system error of Marketo", ADVICE_WAIT },
	{ "713", ERR_RETRY_LATER, MARKETO_FAIL, -1, "transient error", ADVICE_WAIT },
	{ "719", ERR_RETRY_LATER, MARKETO_FAIL, -1, "lock wait timeout", ADVICE_WAIT },
	{ "1001", ERR_REFUSED, MARKETO_FAIL, -1, "the value does not fit the type of the field",
	  "Correct the value, or the type of the field it comes from." },
	{ "1002", ERR_REFUSED, MARKETO_FAIL, -1, "a value that Marketo requires is missing",
	  "Fill in the field in Dynamics." },
	{ "1003", ERR_REFUSED, MARKETO_FAIL, -1, "Marketo does not accept the value",
	  "Correct the value: it is not one that the field in Marketo takes." },
	{ "1004", ERR_GONE, MARKETO_FAIL, -1, "the person is not there",
	  "The person was deleted in Marketo: nothing has to be done." },
	{ "1005", ERR_DUPLICATE, MARKETO_FAIL, -1, "the person is there already",
	  "Merge the two people in Marketo." },
	{ "1006", ERR_BROKEN, MARKETO_FAIL, -1, "the field was not found: the schema has changed",
	  ADVICE_FIELD },
	{ "1007", ERR_REFUSED, MARKETO_FAIL, -1, "several people carry the same key",
	  "Merge the duplicates in Marketo." },
	{ "1008", ERR_RIGHTS, MARKETO_FAIL, -1, "no access to the person's partition",
	  ADVICE_PARTITION },
	{ "1009", ERR_RIGHTS, MARKETO_FAIL, -1, "Marketo wants a partition named",
	  ADVICE_PARTITION },
	{ "1010", ERR_RIGHTS, MARKETO_FAIL, -1, "the person is in another partition",
	  ADVICE_PARTITION },
	{ "1011", ERR_BROKEN, MARKETO_FAIL, -1, "the field cannot be searched by", ADVICE_OURS },
	{ "1018", ERR_BROKEN, MARKETO_FAIL, -1,
	  "a native CRM sync is active in this instance: Tandem cannot work beside it",
	  ADVICE_NATIVE },
	{ "1021", ERR_REFUSED, MARKETO_FAIL, -1,
	  "the field belongs to the company of this person and cannot be set here",
	  "Change it on the company in Marketo, or take the field out of the mapping." },
	{ "1036", ERR_OURS, MARKETO_FAIL, -1, "the same key twice in one call", ADVICE_OURS },
	{ "1049", ERR_REFUSED, MARKETO_FAIL, -1, "the attributes of the activity are too large",
	  ADVICE_OURS },
};

static const struct marketo_code *marketo_code_find(const struct marketo_code *table, size_t count,
						    const char *code)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(table[i].code, code) == 0)
			return &table[i];
	}
	return NULL;
}

void marketo_answer_release(struct marketo_answer *a)
{
	buf_release(&a->next_page_token);
}

/* ---- reading an error ---- */

/* Codes are strings of digits by the book; numbers occur. */
static void marketo_code_take(struct json_object *error, char *ret, size_t size)
{
	struct str text = { NULL, 0 };
	int64_t number;

	if (json_get_string(error, "code", &text) && text.n < size &&
	    !memchr(text.p, '\0', text.n)) {
		memcpy(ret, text.p, text.n);
		ret[text.n] = '\0';
	} else if (json_get_int64(error, "code", &number)) {
		(void)snprintf(ret, size, "%lld", (long long)number);
	}
}

static bool marketo_is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '_'))
			return false;
	}
	return s.n > 0;
}

/* "Invalid value for field 'doNotCall' and value '...'", "Field 'x' not found": the quoted name
 * after the word field. Nothing else is taken from a message, for it may quote a person's value. */
static void marketo_field_take(struct str message, char *ret, size_t size)
{
	for (size_t i = 0; i + 7 <= message.n; i++) {
		struct str rest = { message.p + i + 7, message.n - i - 7 };
		struct str name;

		if (strncasecmp(message.p + i, "field '", 7) != 0)
			continue;
		name = str_cut(&rest, '\'');
		if (name.n >= size || !marketo_is_name(name))
			return;
		memcpy(ret, name.p, name.n);
		ret[name.n] = '\0';
		return;
	}
}

static bool marketo_mentions(struct str message, struct str word)
{
	for (size_t i = 0; i + word.n <= message.n; i++) {
		if (strncasecmp(message.p + i, word.p, word.n) == 0)
			return true;
	}
	return false;
}

static void marketo_error_take(struct json_object *error, struct marketo_answer *a)
{
	struct str message = { NULL, 0 };

	if (a->code[0])
		return;
	marketo_code_take(error, a->code, sizeof(a->code));
	(void)json_get_string(error, "message", &message);
	marketo_field_take(message, a->field, sizeof(a->field));
	a->names_paging_token = marketo_mentions(message, STR("token")) &&
				(marketo_mentions(message, STR("pag")) ||
				 marketo_mentions(message, STR("position")));
	a->names_quota = marketo_mentions(message, STR("quota"));
	a->names_repeat = marketo_mentions(message, STR("already"));
}

/* ---- the envelope ---- */

struct marketo_reading {
	const struct marketo_sink *sink;
	struct marketo_answer *answer;
};

static enum err_kind marketo_visit(void *context, const char *array, const char *member,
				   struct json_object *value, struct err *err)
{
	struct marketo_reading *r = context;
	struct marketo_answer *a = r->answer;

	if (array && strcmp(array, "result") == 0)
		return r->sink && r->sink->element ? r->sink->element(r->sink->context, value, err)
						   : ERR_NONE;
	if (array && strcmp(array, "errors") == 0)
		marketo_error_take(value, a);
	if (!member)
		return ERR_NONE;
	if (strcmp(member, "success") == 0 && json_object_is_type(value, json_type_boolean)) {
		a->has_success = true;
		a->is_success = json_object_get_boolean(value);
	} else if (strcmp(member, "moreResult") == 0 &&
		   json_object_is_type(value, json_type_boolean)) {
		a->has_more_result = true;
		a->more_result = json_object_get_boolean(value);
	} else if (strcmp(member, "nextPageToken") == 0 &&
		   json_object_is_type(value, json_type_string)) {
		buf_clear(&a->next_page_token);
		buf_add(&a->next_page_token,
			(struct str){ json_object_get_string(value),
				      (size_t)json_object_get_string_len(value) });
	}
	return ERR_NONE;
}

static enum err_kind marketo_error_fill(const struct marketo_code *c, const char *code,
					const char *field, struct err *err)
{
	const char *what = field[0] ? "field" : "code";
	const char *name = field[0] ? field : c->code[0] ? "" : code; /* known codes have words */
	enum err_kind kind = name[0] ? err_set(err, c->kind, "%s (%s %s)", c->text, what, name)
				     : err_set(err, c->kind, "%s", c->text);

	if (err) {
		err->retry_after_ms = c->retry_after_ms;
		err->advice = c->advice;
		(void)snprintf(err->code, sizeof(err->code), "%s", code);
		(void)snprintf(err->field, sizeof(err->field), "%s", field);
	}
	return kind;
}

static enum err_kind marketo_failure(const struct marketo_answer *a,
				     enum marketo_reaction *ret_reaction, struct err *err)
{
	static const struct marketo_code unknown = {
		"",
		ERR_RUBBISH,
		MARKETO_SPLIT,
		-1,
		"Marketo refused the call with a code unknown here",
		NULL
	};
	static const struct marketo_code paging = {
		"",
		ERR_EXPIRED,
		MARKETO_FAIL,
		-1,
		"Marketo does not take the paging token any more",
		ADVICE_WAIT
	};
	const struct marketo_code *c;

	c = marketo_code_find(marketo_call_codes, ARRAY_LEN(marketo_call_codes), a->code);
	if (!c)
		c = &unknown;
	/* No code is published for a paging token that is not taken: what speaks of one is judged
	 * so, unless the code stands for trouble that has nothing to do with what was asked. */
	if (a->names_paging_token && (c->kind == ERR_RUBBISH || c->kind == ERR_OURS ||
				      c->kind == ERR_REFUSED || c->kind == ERR_RETRY_LATER))
		c = &paging;
	*ret_reaction = c->reaction;
	return c->kind == ERR_NONE ? ERR_NONE : marketo_error_fill(c, a->code, a->field, err);
}

enum err_kind marketo_answer_read(struct str body, const struct marketo_sink *sink,
				  struct marketo_answer *ret, enum marketo_reaction *ret_reaction,
				  struct err *err)
{
	struct marketo_reading r = { .sink = sink, .answer = ret };
	enum err_kind kind;

	*ret_reaction = MARKETO_FAIL;
	marketo_answer_release(ret);
	*ret = (struct marketo_answer){ 0 };
	if (sink && sink->restart)
		sink->restart(sink->context);
	kind = json_walk(body, marketo_visit, &r, err);
	if (kind != ERR_NONE)
		return kind;
	if (!ret->has_success)
		return err_set(err, ERR_RUBBISH,
			       "the answer does not say whether the call succeeded");
	return ret->is_success ? ERR_NONE : marketo_failure(ret, ret_reaction, err);
}

enum err_kind marketo_status_read(int status, enum marketo_reaction *ret_reaction, struct err *err)
{
	static const struct {
		int from, to;
		enum err_kind kind;
		enum marketo_reaction reaction;
		const char *text;
	} rows[] = {
		{ 300, 399, ERR_BROKEN, MARKETO_FAIL,
		  "a redirect: check the address of the instance" },
		{ 401, 401, ERR_BROKEN, MARKETO_RENEW, "the access token was refused" },
		{ 403, 403, ERR_RIGHTS, MARKETO_FAIL, "access denied" },
		{ 404, 404, ERR_BROKEN, MARKETO_FAIL,
		  "nothing there: check the address of the instance" },
		{ 408, 408, ERR_RETRY_LATER, MARKETO_BACK_OFF, "the request timed out" },
		{ 413, 413, ERR_REFUSED, MARKETO_SPLIT, "the request is too large" },
		{ 414, 414, ERR_OURS, MARKETO_FAIL, "the address is too long" },
		{ 429, 429, ERR_THROTTLED, MARKETO_PAUSE, "too many calls" },
		{ 500, 599, ERR_RETRY_LATER, MARKETO_BACK_OFF_SPLIT, "gateway trouble" },
	};

	*ret_reaction = MARKETO_FAIL;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (status < rows[i].from || status > rows[i].to)
			continue;
		*ret_reaction = rows[i].reaction;
		(void)err_set(err, rows[i].kind, "HTTP %d: %s", status, rows[i].text);
		if (err)
			err->http_status = status;
		return rows[i].kind;
	}
	(void)err_set(err, ERR_RUBBISH, "HTTP %d is not an answer of this API", status);
	if (err)
		err->http_status = status;
	return ERR_RUBBISH;
}

/* ---- one record of a write ---- */

static enum err_kind marketo_skipped(struct json_object *element, struct err *err)
{
	static const struct marketo_code unknown = {
		"", ERR_REFUSED, MARKETO_FAIL, -1, "Marketo refused the record", NULL
	};
	struct json_object *reasons = json_get_array(element, "reasons");
	struct marketo_answer first = { 0 };
	const struct marketo_code *c;

	/* Custom activities say "errors" where everything else says "reasons" ("Adobe:
	 * Activities"). */
	if (!reasons)
		reasons = json_get_array(element, "errors");
	if (reasons && json_object_array_length(reasons) > 0)
		marketo_error_take(json_object_array_get_idx(reasons, 0), &first);
	c = marketo_code_find(marketo_record_codes, ARRAY_LEN(marketo_record_codes), first.code);
	return marketo_error_fill(c ? c : &unknown, first.code, first.field, err);
}

enum err_kind marketo_bulk_judge(struct err *err)
{
	const struct marketo_code *c =
		marketo_code_find(marketo_bulk_codes, ARRAY_LEN(marketo_bulk_codes), err->code);
	struct err was = *err;

	return c ? marketo_error_fill(c, was.code, was.field, err) : err->kind;
}

enum err_kind marketo_reason_read(struct str reason, struct err *err)
{
	static const struct {
		const char *words, *code;
	} rows[] = {
		{ "multiple lead", "1007" },  { "lookup field", "1002" },
		{ "lead not found", "1004" }, { "invalid value", "1003" },
		{ "partition", "1008" },      { "not found", "1006" },
	};
	static const struct marketo_code unknown = {
		"", ERR_REFUSED, MARKETO_FAIL, -1, "Marketo refused the row", NULL
	};
	const struct marketo_code *c = NULL;
	const char *code = "";
	char field[sizeof(err->field)] = "";

	for (size_t i = 0; i < ARRAY_LEN(rows) && !code[0]; i++) {
		if (marketo_mentions(reason, str_of(rows[i].words)))
			code = rows[i].code;
	}
	marketo_field_take(reason, field, sizeof(field));
	c = marketo_code_find(marketo_record_codes, ARRAY_LEN(marketo_record_codes), code);
	return marketo_error_fill(c ? c : &unknown, code, field, err);
}

enum err_kind marketo_record_read(struct json_object *element, int64_t *ret_id,
				  bool *ret_was_created, struct err *err)
{
	struct str status = { NULL, 0 };
	int64_t id = 0;

	(void)json_get_string(element, "status", &status);
	if (str_equal(status, STR("skipped")))
		return marketo_skipped(element, err);
	if (!str_equal(status, STR("created")) && !str_equal(status, STR("updated")) &&
	    !str_equal(status, STR("added")))
		return err_set(
			err, ERR_RUBBISH,
			"the outcome of a record is none of created, updated, added and skipped");
	(void)json_get_int64(element, "id", &id);
	*ret_id = id > 0 ? id : 0;
	*ret_was_created = str_equal(status, STR("created"));
	return ERR_NONE;
}

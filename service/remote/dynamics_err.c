/* The error table of Dataverse; see dynamics_err.h. Knows nothing of requests, tokens or the
 * mapping. */
#include "remote/dynamics_err.h"

#include <ctype.h>
#include <strings.h>

#include "remote/json.h"

struct code_row {
	const char *code;
	enum err_kind kind; /* after the last try; ERR_NONE: as the status says */
	enum dynamics_repeat repeat;
	const char *advice;
};

/* Two of the three ways Dataverse says "there is one already" do not mean our own id, so they are
 * refusals. */
static const struct code_row code_rows[] = {
	{ "0x80040200", ERR_REFUSED, REPEAT_NEVER,
	  "Dynamics requires a value that is empty here: fill it in." },
	{ "0x80040203", ERR_REFUSED, REPEAT_NEVER,
	  "Dynamics does not accept one of the values: check the record." },
	{ "0x80040204", ERR_BROKEN, REPEAT_NEW_TOKEN,
	  "Dynamics does not accept the sign-in of the sync user." },
	{ "0x80040216", ERR_REFUSED, REPEAT_TWICE,
	  "Dynamics failed without a reason: ask its administrator, then retry." },
	{ "0x80040217", ERR_GONE, REPEAT_NEVER,
	  "The record, or one it refers to, is not in Dynamics any more." },
	{ "0x80040220", ERR_RIGHTS, REPEAT_NEVER,
	  "A privilege is missing: ask the Dynamics administrator to add it to the security role of the sync user." },
	{ "0x80040224", ERR_REFUSED, REPEAT_TWICE,
	  "A plug-in in Dynamics crashed on this record: ask the Dynamics administrator." },
	{ "0x80040225", ERR_BROKEN, REPEAT_NEVER,
	  "The sync user is disabled: enable it in Dynamics." },
	{ "0x80040227", ERR_REFUSED, REPEAT_NEVER,
	  "Other records depend on this one: ask the Dynamics administrator." },
	{ "0x8004022b", ERR_REFUSED, REPEAT_NEVER,
	  "The owner is a disabled user: choose another owner." },
	{ "0x8004022e", ERR_REFUSED, REPEAT_NEVER,
	  "The record is read-only in Dynamics: ask its administrator whether it has to be." },
	{ "0x80040230", ERR_REFUSED, REPEAT_NEVER,
	  "The record is inactive in Dynamics: reactivate it first." },
	{ "0x80040231", ERR_REFUSED, REPEAT_NEVER,
	  "The owner lacks rights in Dynamics: choose another owner or extend the owner's role." },
	{ "0x80040233", ERR_REFUSED, REPEAT_NEVER,
	  "The record is in a state that does not allow this change: look at its status in Dynamics." },
	{ "0x80040237", ERR_DUPLICATE, REPEAT_NEVER,
	  "A record with this id is in Dynamics already." },
	{ "0x80040239", ERR_REFUSED, REPEAT_NEVER,
	  "Dynamics holds no dates before 1753-01-01: correct the date." },
	{ "0x80040256", ERR_REFUSED, REPEAT_NEVER,
	  "The sync user may not change this record: ask the Dynamics administrator." },
	{ "0x80040265", ERR_REFUSED, REPEAT_NEVER,
	  "A business rule of your Dynamics refused this record: the message says why." },
	{ "0x80040276", ERR_RIGHTS, REPEAT_NEVER,
	  "Creating is switched off in this Dynamics: ask its administrator." },
	{ "0x80040277", ERR_BROKEN, REPEAT_NEW_TOKEN,
	  "Dynamics does not accept the sign-in of the sync user." },
	{ "0x80040317", ERR_REFUSED, REPEAT_NEVER,
	  "The amount is too large for Dynamics: correct it." },
	{ "0x80040333", ERR_REFUSED, REPEAT_NEVER,
	  "A duplicate rule of your Dynamics refused this record: link or merge the two." },
	{ "0x80040353", ERR_REFUSED, REPEAT_NEVER,
	  "A record this one refers to is not in Dynamics: make it there, or empty the field." },
	{ "0x80041102", ERR_BROKEN, REPEAT_NEVER,
	  "A table is not known in Dynamics: was it removed?" },
	{ "0x80041103", ERR_BROKEN, REPEAT_NEVER,
	  "A column is not known in Dynamics: was it removed?" },
	{ "0x80041a01", ERR_REFUSED, REPEAT_NEVER,
	  "A column cannot be set when a record is created: take its field out of the mapping." },
	{ "0x80041a02", ERR_REFUSED, REPEAT_NEVER,
	  "A column cannot be changed: take its field out of the mapping." },
	{ "0x8004203e", ERR_REFUSED, REPEAT_NEVER,
	  "Dynamics requires a value in this column: it cannot be emptied." },
	{ "0x80042f09", ERR_BROKEN, REPEAT_NEVER,
	  "The sync user has no security role: give it one in Dynamics." },
	{ "0x80044150", ERR_RETRY_LATER, REPEAT_OFTEN, "The Dynamics database was busy." },
	{ "0x80044151", ERR_RETRY_LATER, REPEAT_SMALLER, "The Dynamics database took too long." },
	{ "0x80044171", ERR_REFUSED, REPEAT_TWICE,
	  "A plug-in in Dynamics took too long on this record: ask the Dynamics administrator." },
	{ "0x80044172", ERR_REFUSED, REPEAT_TWICE,
	  "A plug-in in Dynamics took too long on this record: ask the Dynamics administrator." },
	{ "0x80044173", ERR_REFUSED, REPEAT_TWICE,
	  "A plug-in in Dynamics took too long on this record: ask the Dynamics administrator." },
	{ "0x8004418a", ERR_REFUSED, REPEAT_SMALLER, "The request was too long for Dynamics." },
	{ "0x8004418d", ERR_RETRY_LATER, REPEAT_OFTEN,
	  "The plug-in host of Dynamics is not available." },
	{ "0x8004418e", ERR_RETRY_LATER, REPEAT_OFTEN,
	  "The plug-in host of Dynamics is not available." },
	{ "0x80044300", ERR_BROKEN, REPEAT_NEW_TOKEN,
	  "Dynamics does not accept the sign-in of the sync user." },
	{ "0x80044302", ERR_BROKEN, REPEAT_NEW_TOKEN,
	  "Dynamics does not accept the sign-in of the sync user." },
	{ "0x8004430c", ERR_OURS, REPEAT_NEVER,
	  "This is a mistake in Tandem: report it, with the code." },
	{ "0x8004430d", ERR_OURS, REPEAT_NEVER,
	  "This is a mistake in Tandem: report it, with the code." },
	{ "0x8004431a", ERR_REFUSED, REPEAT_NEVER,
	  "The value is not one of the choices Dynamics offers: choose one of them or add it there." },
	{ "0x8004432f", ERR_REFUSED, REPEAT_NEVER,
	  "The number is outside the range Dynamics allows for this column: correct it." },
	{ "0x80044330", ERR_REFUSED, REPEAT_NEVER,
	  "The number is outside the range Dynamics allows for this column: correct it." },
	{ "0x80044331", ERR_REFUSED, REPEAT_NEVER,
	  "The text is too long for its column in Dynamics: shorten it." },
	{ "0x80044339", ERR_RETRY_LATER, REPEAT_OFTEN, "The Dynamics database was busy." },
	{ "0x80044352", ERR_EXPIRED, REPEAT_NEVER,
	  "The table is read from the start again: nothing has to be done." },
	{ "0x80044354", ERR_REFUSED, REPEAT_NEVER,
	  "The value is of another type than its column in Dynamics: check the field mapping." },
	{ "0x80045300", ERR_REFUSED, REPEAT_NEVER,
	  "These records cannot be merged as they are: merge them in Dynamics." },
	{ "0x80045301", ERR_REFUSED, REPEAT_NEVER,
	  "These records cannot be merged as they are: merge them in Dynamics." },
	{ "0x80045302", ERR_REFUSED, REPEAT_NEVER,
	  "These records cannot be merged as they are: merge them in Dynamics." },
	{ "0x80045303", ERR_REFUSED, REPEAT_NEVER,
	  "These records cannot be merged as they are: merge them in Dynamics." },
	{ "0x80045304", ERR_REFUSED, REPEAT_NEVER,
	  "These records cannot be merged as they are: merge them in Dynamics." },
	{ "0x80045305", ERR_REFUSED, REPEAT_NEVER,
	  "These records cannot be merged as they are: merge them in Dynamics." },
	{ "0x80045316", ERR_REFUSED, REPEAT_NEVER,
	  "These records cannot be merged as they are: merge them in Dynamics." },
	{ "0x80045317", ERR_REFUSED, REPEAT_NEVER,
	  "These records cannot be merged as they are: merge them in Dynamics." },
	{ "0x80048306", ERR_REFUSED, REPEAT_NEVER,
	  "The sync user may not change this record: ask the Dynamics administrator." },
	{ "0x80048405", ERR_REFUSED, REPEAT_NEVER,
	  "The sync user may not change this record: ask the Dynamics administrator." },
	{ "0x80048408", ERR_REFUSED, REPEAT_NEVER,
	  "The status reason does not belong to the record's state: choose another." },
	{ "0x80048cfb", ERR_REFUSED, REPEAT_NEVER,
	  "An amount needs a currency: set the record's currency in Dynamics." },
	{ "0x80048d19", ERR_REFUSED, REPEAT_NEVER,
	  "A column is not known in Dynamics or is of another type: check the field mapping." },
	{ "0x8004a001", ERR_RETRY_LATER, REPEAT_OFTEN, "The Dynamics database was busy." },
	{ "0x8004a100", ERR_BROKEN, REPEAT_NEW_TOKEN,
	  "Dynamics does not accept the sign-in of the sync user." },
	{ "0x8004a101", ERR_BROKEN, REPEAT_NEW_TOKEN,
	  "Dynamics does not accept the sign-in of the sync user." },
	{ "0x8004a102", ERR_BROKEN, REPEAT_NEW_TOKEN,
	  "Dynamics does not accept the sign-in of the sync user." },
	{ "0x8004a103", ERR_BROKEN, REPEAT_NEW_TOKEN,
	  "Dynamics does not accept the sign-in of the sync user." },
	{ "0x8004a104", ERR_BROKEN, REPEAT_NEVER,
	  "The Dynamics environment is disabled: ask its administrator." },
	{ "0x8004a105", ERR_BROKEN, REPEAT_NEW_TOKEN,
	  "Dynamics does not accept the sign-in of the sync user." },
	{ "0x8004a110", ERR_BROKEN, REPEAT_NEVER, "The sync user may not act for another user." },
	{ "0x8004a112", ERR_BROKEN, REPEAT_NEVER,
	  "The sync user is disabled: enable it in Dynamics." },
	{ "0x8004a113", ERR_BROKEN, REPEAT_NEVER,
	  "Dynamics is in administration mode: wait until it is switched off." },
	{ "0x8004c001", ERR_RETRY_LATER, REPEAT_TWICE, "The Dynamics database failed." },
	{ "0x8004d24b", ERR_BROKEN, REPEAT_NEVER,
	  "The sync user needs a licence: make it an application user." },
	{ "0x8004ed47", ERR_RETRY_LATER, REPEAT_OFTEN, "The Dynamics database was busy." },
	{ "0x8004f502", ERR_RIGHTS, REPEAT_NEVER,
	  "A secured column may not be set: give the sync user a column security profile." },
	{ "0x8004f504", ERR_RIGHTS, REPEAT_NEVER,
	  "A secured column may not be read: give the sync user a column security profile." },
	{ "0x8004f506", ERR_RIGHTS, REPEAT_NEVER,
	  "A secured column may not be searched: give the sync user a column security profile." },
	{ "0x8004f507", ERR_RIGHTS, REPEAT_NEVER,
	  "A secured column may not be changed: give the sync user a column security profile." },
	{ "0x80050201", ERR_REFUSED, REPEAT_TWICE,
	  "A webhook of your Dynamics did not take this record: ask the Dynamics administrator." },
	{ "0x80050202", ERR_REFUSED, REPEAT_TWICE,
	  "A webhook of your Dynamics did not take this record: ask the Dynamics administrator." },
	{ "0x80050203", ERR_REFUSED, REPEAT_TWICE,
	  "A webhook of your Dynamics did not take this record: ask the Dynamics administrator." },
	{ "0x80050204", ERR_REFUSED, REPEAT_TWICE,
	  "A webhook of your Dynamics did not take this record: ask the Dynamics administrator." },
	{ "0x80050205", ERR_REFUSED, REPEAT_TWICE,
	  "A webhook of your Dynamics did not take this record: ask the Dynamics administrator." },
	{ "0x80050206", ERR_REFUSED, REPEAT_TWICE,
	  "A webhook of your Dynamics did not take this record: ask the Dynamics administrator." },
	{ "0x80050207", ERR_REFUSED, REPEAT_TWICE,
	  "A webhook of your Dynamics did not take this record: ask the Dynamics administrator." },
	{ "0x80060882", ERR_CONFLICT, REPEAT_NEVER,
	  "Somebody changed the record at the same time." },
	{ "0x80060883", ERR_OURS, REPEAT_NEVER,
	  "This is a mistake in Tandem: report it, with the code." },
	{ "0x80060888", ERR_BROKEN, REPEAT_NEVER,
	  "A table or column is not known in Dynamics: was it removed?" },
	{ "0x8006088a", ERR_NONE, REPEAT_NEVER, "" },
	{ "0x8006088d", ERR_BROKEN, REPEAT_NEVER,
	  "The table does not support row versions: ask the Dynamics administrator." },
	{ "0x8006088f", ERR_BROKEN, REPEAT_NEVER, "An alternate key does not fit its table." },
	{ "0x80060890", ERR_BROKEN, REPEAT_NEVER,
	  "An alternate key is not defined or not active in Dynamics." },
	{ "0x80060891", ERR_GONE, REPEAT_NEVER, "The record is not in Dynamics any more." },
	{ "0x80060892", ERR_REFUSED, REPEAT_NEVER,
	  "Another record has the same value in a unique key of your Dynamics: link or merge the two." },
	{ "0x8006089d", ERR_REFUSED, REPEAT_NEVER,
	  "Several records have the same key in Dynamics: merge them." },
	{ "0x80072323", ERR_RETRY_LATER, REPEAT_OFTEN, "The Dynamics database was busy." },
	{ "0x80072324", ERR_RETRY_LATER, REPEAT_OFTEN, "The Dynamics database was busy." },
	{ "0x80072325", ERR_BROKEN, REPEAT_NEVER,
	  "The storage of Dynamics is full: ask its administrator." },
	{ "0x80072321", ERR_THROTTLED, REPEAT_WHEN_TOLD,
	  "Dynamics limits how much may be done: the sync waits." },
	{ "0x80072322", ERR_THROTTLED, REPEAT_WHEN_TOLD,
	  "Dynamics limits how many requests may be made: the sync waits." },
	{ "0x80072326", ERR_THROTTLED, REPEAT_WHEN_TOLD,
	  "Dynamics limits how many requests may run at once: the sync waits." },
	{ "0x80072491", ERR_BROKEN, REPEAT_NEVER,
	  "Change tracking is off for this table: switch on \"Track changes\" in Dynamics." },
	{ "0x80072559", ERR_BROKEN, REPEAT_NEW_TOKEN,
	  "Dynamics does not accept the sign-in of the sync user." },
	{ "0x80072560", ERR_BROKEN, REPEAT_NEVER,
	  "The application has no user in this environment: add it under Application users in the Power Platform admin centre." },
	{ "0x80072561", ERR_BROKEN, REPEAT_NEVER,
	  "A conditional access policy keeps the sync user out." },
	{ "0x80073002", ERR_REFUSED, REPEAT_NEVER,
	  "Another record has the same unique value in Dynamics: link or merge the two." },
	{ "0x80081018", ERR_REFUSED, REPEAT_NEVER,
	  "The lead is qualified already: change what it became." },
};

/* By status, for answers whose code is empty, 0x0 or not in the table. The first row that fits. */
static const struct {
	int from, to;
	bool must_be_json;
	enum err_kind kind;
	enum dynamics_repeat repeat;
	const char *advice;
} status_rows[] = {
	{ 300, 399, false, ERR_BROKEN, REPEAT_NEVER,
	  "The address answers with a redirect: check DYNAMICS_URL." },
	{ 401, 401, false, ERR_BROKEN, REPEAT_NEW_TOKEN,
	  "Dynamics does not accept the sign-in of the sync user." },
	{ 404, 404, true, ERR_GONE, REPEAT_NEVER, "The record is not in Dynamics any more." },
	{ 404, 404, false, ERR_BROKEN, REPEAT_NEVER,
	  "There is no Dataverse at this address: check DYNAMICS_URL." },
	{ 408, 408, false, ERR_RETRY_LATER, REPEAT_OFTEN, "Dynamics took too long." },
	{ 412, 412, false, ERR_CONFLICT, REPEAT_NEVER,
	  "Somebody changed the record at the same time." },
	{ 413, 413, false, ERR_REFUSED, REPEAT_SMALLER, "The request was too long for Dynamics." },
	{ 429, 429, false, ERR_THROTTLED, REPEAT_WHEN_TOLD,
	  "Dynamics limits the requests: the sync waits." },
	{ 400, 499, false, ERR_REFUSED, REPEAT_NEVER, "" },
	{ 501, 501, false, ERR_OURS, REPEAT_NEVER, "" },
	{ 500, 599, false, ERR_RETRY_LATER, REPEAT_OFTEN,
	  "Dynamics is not available at the moment." },
	{ 0, 999, false, ERR_RUBBISH, REPEAT_NEVER, "" },
};

static const struct code_row *find_code(struct str code)
{
	for (size_t i = 0; i < ARRAY_LEN(code_rows); i++)
		if (str_equal_fold(code, str_of(code_rows[i].code)))
			return &code_rows[i];
	return NULL;
}

struct json_object *dynamics_err_body(struct str body, struct str *ret_code,
				      struct str *ret_message)
{
	struct json_object *all = body.n < (1 << 20) ? json_tree(body) : NULL;
	struct json_object *error = NULL, *member = NULL;

	if (!json_object_object_get_ex(all, "error", &error) ||
	    !json_object_is_type(error, json_type_object)) {
		json_object_put(all);
		return NULL;
	}
	if (json_object_object_get_ex(error, "code", &member) &&
	    json_object_is_type(member, json_type_string))
		*ret_code = (struct str){ json_object_get_string(member),
					  (size_t)json_object_get_string_len(member) };
	if (json_object_object_get_ex(error, "message", &member) &&
	    json_object_is_type(member, json_type_string))
		*ret_message = (struct str){ json_object_get_string(member),
					     (size_t)json_object_get_string_len(member) };
	return all;
}

/* "prvWriteContact" out of the two texts that name a privilege; empty when there is none. */
static struct str privilege_in(struct str message)
{
	for (size_t i = 0; i + 4 < message.n; i++) {
		size_t end = i + 3;

		if (memcmp(message.p + i, "prv", 3) != 0 || !isupper((unsigned char)message.p[end]))
			continue;
		while (end < message.n && isalnum((unsigned char)message.p[end]))
			end++;
		return (struct str){ message.p + i, end - i };
	}
	return (struct str){ NULL, 0 };
}

/* Cut so that no UTF-8 sequence is left in halves. */
static struct str cut_text(struct str s, size_t max)
{
	if (s.n <= max)
		return s;
	while (max && ((unsigned char)s.p[max] & 0xc0) == 0x80)
		max--;
	return (struct str){ s.p, max };
}

/* Rows are explained by the service's words, what concerns everything by what to do. */
static void set_text(struct err *err, enum err_kind kind, int status, const char *advice,
		     struct str message)
{
	struct str privilege = privilege_in(message);
	struct str text = cut_text(message, 300);
	bool is_about_row = kind == ERR_REFUSED || kind == ERR_GONE || kind == ERR_CONFLICT ||
			    kind == ERR_DUPLICATE;

	if (is_about_row && text.n)
		(void)err_set(err, kind, STR_FMT, STR_ARG(text));
	else if (kind == ERR_RIGHTS && privilege.n)
		(void)err_set(
			err, kind,
			"the privilege " STR_FMT
			" is missing or too narrow: add it, organisation-wide, to the security role "
			"of the sync user in Dynamics",
			STR_ARG(privilege));
	else if (advice[0] && text.n)
		(void)err_set(err, kind, "%s (" STR_FMT ")", advice,
			      STR_ARG(cut_text(text, 300 - strlen(advice))));
	else if (advice[0])
		(void)err_set(err, kind, "%s (HTTP %d)", advice, status);
	else if (text.n)
		(void)err_set(err, kind, STR_FMT, STR_ARG(text));
	else
		(void)err_set(err, kind, "Dynamics answered HTTP %d without a reason", status);
}

static void judge_status(const struct dynamics_answer *answer, bool is_json,
			 enum err_kind *ret_kind, enum dynamics_repeat *ret_repeat,
			 const char **ret_advice)
{
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(status_rows) &&
	       (answer->status < status_rows[i].from || answer->status > status_rows[i].to ||
		(status_rows[i].must_be_json && !is_json)))
		i++;
	*ret_kind = status_rows[i].kind;
	*ret_repeat = status_rows[i].repeat;
	*ret_advice = status_rows[i].advice;
	if (answer->status == 503 && answer->retry_after_ms >= 0) {
		*ret_kind = ERR_THROTTLED;
		*ret_repeat = REPEAT_WHEN_TOLD;
	}
}

/* The order of looking is status, code, message ("Microsoft Learn: Compose HTTP requests and handle
 * errors"): a code may be empty, and 401 and 429 mean the same whatever the code is. */
enum err_kind dynamics_err_judge(const struct dynamics_answer *answer,
				 enum dynamics_repeat *ret_repeat, struct err *err)
{
	struct str code = STR(""), message = STR("");
	struct json_object *body = dynamics_err_body(answer->body, &code, &message);
	const struct code_row *row = find_code(code);
	bool is_by_status = !row || row->kind == ERR_NONE || answer->status == 401 ||
			    answer->status == 429;
	const char *advice;
	enum err_kind kind;
	struct err own;

	err = err ? err : &own;
	judge_status(answer, body != NULL, &kind, ret_repeat, &advice);
	if (!is_by_status) {
		kind = row->kind;
		*ret_repeat = row->repeat;
	}
	/* The limit on parts has been reported below the documented one. */
	if (memmem(message.p ? message.p : "", message.n, "contains too many", 17))
		*ret_repeat = REPEAT_SMALLER;
	if (row && row->kind != ERR_NONE)
		advice = row->advice;
	*err = (struct err){ .retry_after_ms = -1 };
	set_text(err, kind, answer->status, advice, message);
	err->advice = advice[0] ? advice : NULL;
	err->http_status = answer->status;
	err->retry_after_ms = answer->retry_after_ms;
	snprintf(err->code, sizeof(err->code), STR_FMT,
		 STR_ARG(cut_text(code, sizeof(err->code) - 1)));
	json_object_put(body);
	dynamics_err_scrub(err, NULL, 0);
	return kind;
}

enum err_kind dynamics_err_of_reading(enum err_kind kind, int status)
{
	if (kind != ERR_REFUSED)
		return kind;
	if (status >= 500)
		return ERR_RETRY_LATER;
	return status == 403 ? ERR_RIGHTS : ERR_RUBBISH;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Where word stands in text as a whole word, without case; -1: nowhere. */
static ptrdiff_t find_word(struct str text, size_t from, struct str word)
{
	for (size_t i = from; word.n && i + word.n <= text.n; i++) {
		bool starts = i == 0 || !is_word(text.p[i - 1]) || !is_word(word.p[0]);
		bool ends = i + word.n == text.n || !is_word(text.p[i + word.n]) ||
			    !is_word(word.p[word.n - 1]);

		if (starts && ends && strncasecmp(text.p + i, word.p, word.n) == 0)
			return (ptrdiff_t)i;
	}
	return -1;
}

/* Column security names the column by its label, which often is the name with spaces. */
static bool label_matches(struct str message, struct str column)
{
	static const struct str before = STR("permissions to a "), after = STR(" secured field");
	ptrdiff_t from = find_word(message, 0, STR("permissions")),
		  to = find_word(message, 0, STR("secured field"));
	size_t at = 0;

	if (from < 0 || to < from + (ptrdiff_t)(before.n + after.n - STR("secured field").n))
		return false;
	for (size_t i = (size_t)from + before.n; i < (size_t)to; i++) {
		unsigned char c = (unsigned char)message.p[i];

		if (!isalnum(c))
			continue;
		if (at >= column.n || tolower(c) != tolower((unsigned char)column.p[at]))
			return false;
		at++;
	}
	return at == column.n;
}

int dynamics_err_blames(struct str message, const struct str *columns, size_t count)
{
	size_t longest = 0;
	int found = -1;

	for (size_t i = 0; i < count; i++) {
		ptrdiff_t at = find_word(message, 0, columns[i]);
		bool is_quoted = at > 0 && message.p[at - 1] == '\'';

		if (is_quoted)
			return (int)i;
		if ((at >= 0 || label_matches(message, columns[i])) && columns[i].n > longest) {
			longest = columns[i].n;
			found = (int)i;
		}
	}
	return found;
}

static void blank(char *text, size_t from, size_t n)
{
	memmove(text + from + 1, text + from + n, strlen(text + from + n) + 1);
	text[from] = '*';
}

static void scrub_addresses(char *text)
{
	for (char *at = strchr(text, '@'); at; at = strchr(text, '@')) {
		char *from = at, *to = at + 1;

		while (from > text && !isspace((unsigned char)from[-1]) &&
		       !strchr("<>'\"(),;:=", from[-1]))
			from--;
		while (*to && !isspace((unsigned char)*to) && !strchr("<>'\"(),;:=@", *to))
			to++;
		blank(text, (size_t)(from - text), (size_t)(to - from));
	}
}

void dynamics_err_scrub(struct err *err, const struct str *values, size_t count)
{
	enum { SHORTEST = 4 }; /* shorter ones hide nothing and would hide half the sentence */

	scrub_addresses(err->text);
	for (size_t i = 0; i < count; i++) {
		ptrdiff_t at;

		if (values[i].n < SHORTEST)
			continue;
		while ((at = find_word(str_of(err->text), 0, values[i])) >= 0)
			blank(err->text, (size_t)at, values[i].n);
	}
}

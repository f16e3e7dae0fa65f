/* Single records of a call that a fault answers in their place. Knows neither the rules nor what a
 * record is about. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/part.h"
#include "marketo/marketo.h"

/* Shows the record as a call of its own would be: method and address of the call, its own body. */
static bool record_judged(const struct call *call, struct json_object *record,
			  struct web_response *answer)
{
	const char *body = json_object_to_json_string_ext(record, JSON_C_TO_STRING_PLAIN);
	struct web_request alone = *call->request;

	alone.body = body;
	alone.body_len = strlen(body);
	return part_judged(&alone, answer);
}

bool record_ordered(struct call *call, const char *list, struct json_object *record)
{
	struct web_response answer = { 0 };
	struct json_object *errors = NULL, *body, *first;
	bool is_judged = record_judged(call, record, &answer);

	if (!is_judged)
		return false;
	body = json_tokener_parse(answer.body.data ? answer.body.data : "");
	if (json_object_object_get_ex(body, "errors", &errors)) {
		first = json_object_array_get_idx(errors, 0);
		skip_record(call->out, list, atoi(json_member_text(first, "code")), "%s",
			    json_member_text(first, "message"));
	} else {
		text_puts(call->out, answer.body.data ? answer.body.data : "");
	}
	json_object_put(body);
	web_response_free(&answer);
	return true;
}

/* What only the Marketo side has among the control addresses: things a marketer makes by hand. */
#include <json-c/json.h>
#include <string.h>

#include "marketo/marketo.h"

static const struct {
	const char *method, *path;
	void (*serve)(struct marketo *, struct json_object *body, struct text *out,
		      struct text *error);
} addresses[] = {
	{ "POST", "/_sandbox/lists", list_make },
	{ "POST", "/_sandbox/campaigns", campaign_make },
	{ "GET", "/_sandbox/campaigns", campaigns_show },
};

bool marketo_control(void *self, const struct web_request *request, struct web_response *response)
{
	struct marketo *m = self;
	struct text error = { 0 };
	struct json_object *body;
	size_t at = 0;

	while (at < sizeof(addresses) / sizeof(addresses[0]) &&
	       (strcmp(addresses[at].path, request->path) != 0 ||
		strcmp(addresses[at].method, request->method) != 0))
		at++;
	if (at == sizeof(addresses) / sizeof(addresses[0]))
		return false;
	body = json_tokener_parse(request->body);
	pthread_mutex_lock(&m->lock);
	if (json_object_is_type(body, json_type_object) || strcmp(request->method, "GET") == 0)
		addresses[at].serve(m, body, &response->body, &error);
	else
		text_puts(&error, "the body must be a JSON object");
	pthread_mutex_unlock(&m->lock);
	json_object_put(body);
	if (error.len) {
		response->status = 400;
		text_clear(&response->body);
		text_puts(&response->body, "{\"error\":");
		text_json_string(&response->body, error.data, error.len);
		text_puts(&response->body, "}");
	}
	text_free(&error);
	return true;
}

/* What only the Marketo side has among the control addresses: things a marketer makes by hand. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "marketo/caller.h"

static void list_post(struct control_call *c)
{
	list_make(c->m, c->body, c->out, &c->error);
}

/* A number stands for {}. */
static const struct {
	const char *method, *path;
	control_handler *serve;
	bool without_lock;
} addresses[] = {
	{ "POST", "/_sandbox/lists", list_post, false },
	{ "POST", "/_sandbox/campaigns", campaign_make, false },
	{ "GET", "/_sandbox/campaigns", campaigns_show, false },
	{ "POST", "/_sandbox/campaigns/{}/run", campaign_run_post, true },
	{ "GET", "/_sandbox/campaigns/{}/run/{}", campaign_run_get, false },
	{ "POST", "/_sandbox/services", service_install, true },
	{ "GET", "/_sandbox/services", services_show, false },
};

static bool path_matches(const char *pattern, const char *path, int64_t ids[2])
{
	int count = 0;

	while (*pattern) {
		char *end;

		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		if (*path < '0' || *path > '9')
			return false;
		ids[count++] = strtoll(path, &end, 10);
		path = end;
		pattern += 2;
	}
	return !*path;
}

static void answer_error(struct control_call *c, struct web_response *response)
{
	response->status = 400;
	text_clear(c->out);
	text_puts(c->out, "{\"error\":");
	text_json_string(c->out, c->error.data, c->error.len);
	text_add(c->out, c->extra.data, c->extra.len);
	text_puts(c->out, "}");
}

static void serve(size_t at, struct control_call *c)
{
	bool get = strcmp(c->request->method, "GET") == 0;

	if (!get && !json_object_is_type(c->body, json_type_object)) {
		text_puts(&c->error, "the body must be a JSON object");
		return;
	}
	if (addresses[at].without_lock) {
		addresses[at].serve(c);
		return;
	}
	pthread_mutex_lock(&c->m->lock);
	addresses[at].serve(c);
	pthread_mutex_unlock(&c->m->lock);
}

bool marketo_control(void *self, const struct web_request *request, struct web_response *response)
{
	struct control_call c = { .m = self, .request = request, .out = &response->body };
	size_t at = 0, count = sizeof(addresses) / sizeof(addresses[0]);

	while (at < count && (!path_matches(addresses[at].path, request->path, c.ids) ||
			      strcmp(addresses[at].method, request->method) != 0))
		at++;
	if (at == count)
		return false;
	c.body = json_tokener_parse(request->body);
	serve(at, &c);
	if (c.error.len)
		answer_error(&c, response);
	/* A campaign may have kept the body; who else holds it is counted under the lock. */
	pthread_mutex_lock(&c.m->lock);
	json_object_put(c.body);
	pthread_mutex_unlock(&c.m->lock);
	text_free(&c.error);
	text_free(&c.extra);
	return true;
}

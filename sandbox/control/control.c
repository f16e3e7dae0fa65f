/* Control addresses. Knows the sides only through their operations. */
#include "control/control.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/state.h"
#include "control/calls.h"
#include "control/fault.h"
#include "control/people.h"

#define SEEDED_MAX 10000000

struct control {
	struct control_sides all;
	const struct web_request *request;
	struct web_response *response;
};

static void refuse(struct control *c, int status, const char *reason)
{
	c->response->status = status;
	text_clear(&c->response->body);
	text_puts(&c->response->body, "{\"error\":");
	text_json_string(&c->response->body, reason, strlen(reason));
	text_puts(&c->response->body, "}");
}

static void accept(struct control *c)
{
	text_puts(&c->response->body, "{\"ok\":true}");
}

static struct json_object *body_object(struct control *c)
{
	struct json_object *body = json_tokener_parse(c->request->body);

	if (json_object_is_type(body, json_type_object))
		return body;
	json_object_put(body);
	refuse(c, 400, "the body must be a JSON object");
	return NULL;
}

/* A whole number not below 0; false when it is something else. An absent one leaves *ret alone. */
static bool body_number(struct json_object *body, const char *name, int64_t *ret)
{
	struct json_object *value;

	if (!json_object_object_get_ex(body, name, &value))
		return true;
	*ret = json_object_get_int64(value);
	return json_object_is_type(value, json_type_int) && *ret >= 0;
}

void control_load(void *context, const struct person_row *person)
{
	const struct control_sides *all = context;

	for (int i = 0; i < all->count; i++)
		all->sides[i].ops->load(all->sides[i].self, person);
}

static void post_reset(struct control *c)
{
	fault_clear();
	clock_reset();
	for (int i = 0; i < c->all.count; i++)
		c->all.sides[i].ops->reset(c->all.sides[i].self);
	calls_reset();
	accept(c);
}

static void post_seed(struct control *c)
{
	static const char *const places[][2] = { { "persons", "marketo" },
						 { "contacts", "dynamics-contact" },
						 { "leads", "dynamics-lead" } };
	struct json_object *body = body_object(c);
	int64_t seed = 1, counts[3] = { 0 };
	bool good = true;

	if (!body)
		return;
	good = body_number(body, "seed", &seed);
	for (int i = 0; i < 3; i++)
		good = good && body_number(body, places[i][0], &counts[i]) &&
		       counts[i] <= SEEDED_MAX;
	json_object_put(body);
	if (!good) {
		refuse(c, 400,
		       "persons, contacts, leads and seed must be whole numbers not below 0");
		return;
	}
	for (int i = 0; i < 3; i++)
		people_invent(places[i][1], counts[i], (uint64_t)seed, control_load, &c->all);
	accept(c);
}

static void get_faults(struct control *c)
{
	fault_json(&c->response->body);
}

static void post_faults(struct control *c)
{
	struct text error = { 0 };

	if (fault_set(c->request->body, &error))
		accept(c);
	else
		refuse(c, 400, error.data);
	text_free(&error);
}

static const struct side *side_named(const struct control *c, const char *name)
{
	for (int i = 0; i < c->all.count; i++)
		if (strcmp(c->all.sides[i].ops->name, name) == 0)
			return &c->all.sides[i];
	return NULL;
}

static void post_limits(struct control *c)
{
	struct json_object *body = body_object(c);
	struct text error = { 0 };

	if (!body)
		return;
	json_object_object_foreach (body, name, value) {
		const struct side *side = side_named(c, name);

		if (!side)
			text_printf(&error, "there is no side '%s'", name);
		else if (!json_object_is_type(value, json_type_object))
			text_printf(&error, "the limits of '%s' must be an object", name);
		else if (!side->ops->limits(side->self, json_object_to_json_string(value),
					    &error) &&
			 !error.len)
			text_printf(&error, "the limits of '%s' are wrong", name);
		if (error.len)
			break;
	}
	json_object_put(body);
	if (error.len)
		refuse(c, 400, error.data);
	else
		accept(c);
	text_free(&error);
}

static void post_clock(struct control *c)
{
	struct json_object *body = body_object(c);
	int64_t seconds = -1;
	bool good;

	if (!body)
		return;
	good = body_number(body, "advanceSeconds", &seconds) && seconds >= 0;
	json_object_put(body);
	if (!good) {
		refuse(c, 400, "advanceSeconds must be a whole number not below 0");
		return;
	}
	clock_advance(seconds);
	text_puts(&c->response->body, "{\"now\":\"");
	clock_print(&c->response->body, sandbox_now_s());
	text_puts(&c->response->body, "\"}");
}

static void get_calls(struct control *c)
{
	calls_json(&c->response->body);
}

static void post_calls_reset(struct control *c)
{
	calls_reset();
	accept(c);
}

static void get_log(struct control *c)
{
	struct text limit = { 0 };
	uint64_t most = UINT64_MAX;

	if (web_param(c->request->query, "limit", 0, &limit))
		most = strtoull(limit.data, NULL, 10);
	text_free(&limit);
	calls_log_json(&c->response->body, most);
}

static void post_save(struct control *c)
{
	struct json_object *body = body_object(c), *file;
	struct text error = { 0 };

	if (!body)
		return;
	if (!json_object_object_get_ex(body, "file", &file) ||
	    !json_object_is_type(file, json_type_string))
		refuse(c, 400, "file must be a path below the current directory");
	else if (state_save(c->all.sides, c->all.count, json_object_get_string(file), &error))
		accept(c);
	else
		refuse(c, 400, error.data);
	json_object_put(body);
	text_free(&error);
}

static void get_users(struct control *c)
{
	struct text *out = &c->response->body;

	text_puts(out, "{");
	for (int i = 0; i < c->all.count; i++) {
		text_puts(out, i ? "," : "");
		text_json_key(out, c->all.sides[i].ops->name);
		c->all.sides[i].ops->users_json(c->all.sides[i].self, out);
	}
	text_puts(out, "}");
}

static const struct {
	const char *method, *path;
	void (*serve)(struct control *);
} addresses[] = {
	{ "POST", "/_sandbox/reset", post_reset },
	{ "POST", "/_sandbox/seed", post_seed },
	{ "GET", "/_sandbox/faults", get_faults },
	{ "POST", "/_sandbox/faults", post_faults },
	{ "POST", "/_sandbox/limits", post_limits },
	{ "POST", "/_sandbox/clock", post_clock },
	{ "GET", "/_sandbox/calls", get_calls },
	{ "POST", "/_sandbox/calls/reset", post_calls_reset },
	{ "GET", "/_sandbox/log", get_log },
	{ "POST", "/_sandbox/save", post_save },
	{ "GET", "/_sandbox/users", get_users },
};

void control_handle(const struct side *sides, int count, const struct web_request *request,
		    struct web_response *response)
{
	struct control c = { .all = { sides, count }, .request = request, .response = response };
	bool known = false;

	response->status = 200;
	web_header(response, "Content-Type", "application/json");
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		if (strcmp(addresses[i].path, request->path) != 0)
			continue;
		known = true;
		if (strcmp(addresses[i].method, request->method) != 0)
			continue;
		addresses[i].serve(&c);
		return;
	}
	for (int i = 0; i < count; i++)
		if (sides[i].ops->control &&
		    sides[i].ops->control(sides[i].self, request, response))
			return;
	refuse(&c, known ? 405 : 404, known ? "wrong method" : "unknown control address");
}

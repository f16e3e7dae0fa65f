/* Smart campaigns: defined through the control address, listed and requested through the API.
 * Adobe: Lead Database, Smart Campaigns. A request is kept, to be looked at; what a campaign does
 * is played by campaign_run.c. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "marketo/caller.h"

/* Adobe: Smart Campaigns: at most 100 leads and 100 tokens a request. */
enum { LEADS_MAX = 100, TOKENS_MAX = 100 };

void campaigns_free(struct marketo *m)
{
	for (size_t i = 0; i < m->campaigns.count; i++) {
		struct campaign *c = &m->campaigns.list[i];

		free(c->name);
		free(c->program);
		free(c->workspace);
		text_free(&c->requests);
		json_object_put(c->definition);
	}
	free(m->campaigns.list);
	m->campaigns = (struct campaigns){ 0 };
}

/* ---- the control address ---- */

static bool flag_read(struct json_object *body, const char *name, bool otherwise)
{
	struct json_object *value;

	return json_object_object_get_ex(body, name, &value) ? json_object_get_boolean(value)
							     : otherwise;
}

/* The tokens of the program: names without "my." and what stands for them. */
static bool tokens_are_words(struct json_object *tokens)
{
	if (!tokens)
		return true;
	if (!json_object_is_type(tokens, json_type_object))
		return false;
	json_object_object_foreach (tokens, name, value) {
		if (!*name || !json_object_is_type(value, json_type_string))
			return false;
	}
	return true;
}

/* Says what is wrong with a definition, or nothing. */
static void definition_check(struct marketo *m, struct json_object *body, struct text *error)
{
	static const char *const members[] = { "name",    "type",        "programName",
					       "active",  "requestable", "workspaceName",
					       "webhook", "flowStep",    "tokens",
					       NULL };
	const char *name = json_words(body, "name"), *type = json_words(body, "type");

	if (!members_known(body, members, "a campaign", error))
		return;
	if (!*name || (strcmp(type, "trigger") != 0 && strcmp(type, "batch") != 0))
		text_puts(error, "a campaign has a name and the type trigger or batch");
	else if (json_at(body, "webhook") && json_at(body, "flowStep"))
		text_puts(error, "a campaign has a webhook or a flowStep, not both");
	else if (!tokens_are_words(json_at(body, "tokens")))
		text_puts(error, "tokens must be an object of texts");
	else if (json_at(body, "webhook"))
		webhook_check(m, body, error);
	else if (json_at(body, "flowStep"))
		flow_step_check(m, body, error);
}

void campaign_make(struct control_call *c)
{
	struct campaigns *all = &c->m->campaigns;
	const char *workspace = json_member_text(c->body, "workspaceName");
	struct campaign *grown;

	definition_check(c->m, c->body, &c->error);
	if (c->error.len)
		return;
	grown = realloc(all->list, (all->count + 1) * sizeof(*grown));
	if (!grown)
		abort();
	all->list = grown;
	grown[all->count] = (struct campaign){
		.name = word_copy(json_words(c->body, "name")),
		.program = word_copy(json_member_text(c->body, "programName")),
		.workspace = word_copy(workspace ? workspace : "Default"),
		.batch = strcmp(json_words(c->body, "type"), "batch") == 0,
		.active = flag_read(c->body, "active", true),
		.requestable = flag_read(c->body, "requestable", true),
		.created = sandbox_now_s(),
		.definition = json_object_get(c->body),
	};
	text_printf(c->out, "{\"id\":%zu}", FIRST_CAMPAIGN_ID + all->count++);
}

void campaigns_show(struct control_call *c)
{
	struct marketo *m = c->m;

	text_puts(c->out, "[");
	for (size_t i = 0; i < m->campaigns.count; i++) {
		const struct campaign *campaign = &m->campaigns.list[i];
		const char *comma = "";

		text_printf(c->out, "%s{\"id\":%zu,\"name\":", i ? "," : "", FIRST_CAMPAIGN_ID + i);
		text_json_string(c->out, campaign->name, strlen(campaign->name));
		text_puts(c->out, ",\"requests\":[");
		text_add(c->out, campaign->requests.data, campaign->requests.len);
		text_puts(c->out, "],\"runs\":[");
		for (size_t k = 0; k < m->callers->run_count; k++) {
			if (m->callers->runs[k]->campaign != i)
				continue;
			text_printf(c->out, "%s%zu", comma, m->callers->runs[k]->number);
			comma = ",";
		}
		text_puts(c->out, "]}");
	}
	text_puts(c->out, "]");
}

/* ---- reading ---- */

static void add_member(struct text *out, const char *name, const char *value)
{
	text_puts(out, ",");
	text_json_key(out, name);
	text_json_string(out, value, strlen(value));
}

static void campaign_json(struct call *call, size_t at)
{
	const struct campaign *c = &call->m->campaigns.list[at];
	struct text *out = call->out;

	text_printf(out, "%s{\"id\":%zu", call->records++ ? "," : "", FIRST_CAMPAIGN_ID + at);
	add_member(out, "name", c->name);
	text_printf(out, ",\"type\":\"%s\",\"active\":%s", c->batch ? "batch" : "trigger",
		    c->active ? "true" : "false");
	if (*c->program)
		add_member(out, "programName", c->program);
	add_member(out, "workspaceName", c->workspace);
	text_puts(out, ",\"createdAt\":\"");
	clock_print(out, c->created);
	text_puts(out, "\",\"updatedAt\":\"");
	clock_print(out, c->created);
	text_puts(out, "\"}");
}

static bool campaign_passes(const struct call *call, size_t at, bool triggerable)
{
	const struct campaign *c = &call->m->campaigns.list[at];
	struct text id = { 0 };
	bool passes;

	text_printf(&id, "%zu", FIRST_CAMPAIGN_ID + at);
	passes = call_filter_passes(call, "id", id.data) &&
		 call_filter_passes(call, "name", c->name) &&
		 call_filter_passes(call, "programName", c->program) &&
		 call_filter_passes(call, "workspaceName", c->workspace) &&
		 (!triggerable || (!c->batch && c->active && c->requestable));
	text_free(&id);
	return passes;
}

void campaigns_get(struct call *call)
{
	size_t batch = call_batch_size(call);
	struct text word = { 0 };
	bool triggerable = call_param(call, "isTriggerable", 0, &word) &&
			   (strcmp(word.data, "true") == 0 || strcmp(word.data, "1") == 0);
	size_t at;

	text_free(&word);
	if (!batch || !call_page_start(call, PAGE_CAMPAIGNS, &at))
		return;
	text_puts(call->out, ",\"result\":[");
	for (; at < call->m->campaigns.count && (size_t)call->records < batch; at++)
		if (campaign_passes(call, at, triggerable))
			campaign_json(call, at);
	text_puts(call->out, "]");
	if (at < call->m->campaigns.count)
		call_page_next(call, PAGE_CAMPAIGNS, at);
}

/* False after having failed the call. */
static bool campaign_named(struct call *call, size_t *ret)
{
	char *end;
	long long id = strtoll(call->word.data, &end, 10);

	if (*end)
		call_fail(call, 1001, "Invalid value '%s'. Required of type 'Integer'",
			  call->word.data);
	else if (id < FIRST_CAMPAIGN_ID ||
		 (uint64_t)(id - FIRST_CAMPAIGN_ID) >= call->m->campaigns.count)
		call_fail(call, 1013, "Campaign '%lld' not found", id);
	else
		*ret = (size_t)(id - FIRST_CAMPAIGN_ID);
	return !call->error_code;
}

void campaign_get(struct call *call)
{
	size_t at;

	if (!campaign_named(call, &at))
		return;
	text_puts(call->out, ",\"result\":[");
	campaign_json(call, at);
	text_puts(call->out, "]");
}

/* ---- requesting ---- */

static bool leads_check(struct call *call, struct json_object *leads)
{
	size_t count = json_object_is_type(leads, json_type_array) ? json_object_array_length(leads)
								   : 0;

	if (!count)
		call_fail(call, 701, "leads cannot be blank");
	else if (count > LEADS_MAX)
		call_fail(call, 1003, "Number of leads %zu exceeds the limit %d", count, LEADS_MAX);
	for (size_t i = 0; i < count && !call->error_code; i++) {
		struct json_object *lead = json_object_array_get_idx(leads, i), *id = NULL;
		uint32_t position;

		if (json_object_is_type(lead, json_type_object))
			json_object_object_get_ex(lead, "id", &id);
		if (!person_find(call->m, id ? json_object_get_int64(id) : 0, &position))
			call_fail(call, 1004, "Lead '%s' not found",
				  id ? json_object_get_string(id) : "");
	}
	return !call->error_code;
}

static bool tokens_check_list(struct call *call, struct json_object *tokens)
{
	size_t count;

	if (!tokens)
		return true;
	if (!json_object_is_type(tokens, json_type_array)) {
		call_fail(call, 1003, "Invalid value for tokens");
		return false;
	}
	count = json_object_array_length(tokens);
	if (count > TOKENS_MAX)
		call_fail(call, 1003, "Number of tokens %zu exceeds the limit %d", count,
			  TOKENS_MAX);
	for (size_t i = 0; i < count && !call->error_code; i++) {
		const char *name = json_member_text(json_object_array_get_idx(tokens, i), "name");

		if (!name || strncmp(name, "{{my.", 5) != 0)
			call_fail(call, 1003, "Invalid value for token name '%s'",
				  name ? name : "");
	}
	return !call->error_code;
}

void campaign_trigger(struct call *call)
{
	struct json_object *input, *leads = NULL, *tokens = NULL;
	struct campaign *c;
	size_t at;

	if (!campaign_named(call, &at))
		return;
	c = &call->m->campaigns.list[at];
	if (c->batch || !c->active || !c->requestable) {
		call_fail(call, 1003, "Trigger campaign is required: '%s' %s", call->word.data,
			  c->batch    ? "is a batch campaign"
			  : c->active ? "is not requested by web service"
				      : "is not active");
		return;
	}
	if (!json_object_object_get_ex(call->json, "input", &input) ||
	    !json_object_is_type(input, json_type_object)) {
		call_fail(call, 701, "input cannot be blank");
		return;
	}
	json_object_object_get_ex(input, "leads", &leads);
	json_object_object_get_ex(input, "tokens", &tokens);
	if (!leads_check(call, leads) || !tokens_check_list(call, tokens))
		return;
	text_puts(&c->requests, c->requests.len ? "," : "");
	text_puts(&c->requests, json_object_to_json_string_ext(input, JSON_C_TO_STRING_PLAIN));
	campaign_run_requested(call, at, input);
	call->records = (int64_t)json_object_array_length(leads);
	text_printf(call->out, ",\"result\":[{\"id\":%zu}]", FIRST_CAMPAIGN_ID + at);
}

void campaign_schedule(struct call *call)
{
	call_unsupported(call, "the sandbox does not run batch campaigns");
}

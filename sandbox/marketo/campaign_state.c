/* Campaigns and the services of flow steps in a state file. Runs are not kept. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/state.h"
#include "marketo/caller.h"

static void object_save(struct json_object *object, struct state_writer *w)
{
	state_put_text(w, object ? json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN)
				 : NULL);
}

/* NULL where none was saved; a text that is no object makes the file a broken one. */
static struct json_object *object_restore(struct state_reader *r)
{
	char *words = state_take_text(r);
	struct json_object *object = words ? json_tokener_parse(words) : NULL;

	if (words && !json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		object = NULL;
		state_broken(r);
	}
	free(words);
	return object;
}

void campaigns_save(const struct marketo *m, struct state_writer *w)
{
	const struct campaigns *campaigns = &m->campaigns;

	state_put_number(w, m->callers->service_count);
	for (size_t i = 0; i < m->callers->service_count; i++)
		object_save(m->callers->services[i], w);
	state_put_number(w, campaigns->count);
	for (size_t i = 0; i < campaigns->count; i++) {
		const struct campaign *campaign = &campaigns->list[i];

		state_put_text(w, campaign->name);
		state_put_text(w, campaign->program);
		state_put_text(w, campaign->workspace);
		state_put_number(w, campaign->batch);
		state_put_number(w, campaign->active);
		state_put_number(w, campaign->requestable);
		state_put_signed(w, campaign->created);
		state_put_bytes(w, campaign->requests.data, campaign->requests.len);
		object_save(campaign->definition, w);
	}
}

/* A text that is never absent. */
static char *take_word(struct state_reader *r)
{
	char *word = state_take_text(r);

	if (!word)
		state_broken(r);
	return word ? word : word_copy("");
}

static void services_restore(struct callers *callers, struct state_reader *r)
{
	uint64_t count;

	for (count = state_take_number(r, UINT16_MAX); count && !r->broken; count--) {
		struct json_object *service = object_restore(r);
		struct json_object **grown;

		if (!service) {
			state_broken(r);
			return;
		}
		grown = realloc(callers->services, (callers->service_count + 1) * sizeof(*grown));
		if (!grown)
			abort();
		callers->services = grown;
		grown[callers->service_count++] = service;
	}
}

void campaigns_restore(struct marketo *m, struct state_reader *r)
{
	struct campaigns *campaigns = &m->campaigns;
	uint64_t count;

	services_restore(m->callers, r);
	for (count = state_take_number(r, UINT16_MAX); count && !r->broken; count--) {
		struct campaign *campaign =
			realloc(campaigns->list, (campaigns->count + 1) * sizeof(*campaign));
		const char *requests;
		size_t len;

		if (!campaign)
			abort();
		campaigns->list = campaign;
		campaign += campaigns->count++;
		*campaign = (struct campaign){ .name = take_word(r) };
		campaign->program = take_word(r);
		campaign->workspace = take_word(r);
		campaign->batch = state_take_number(r, 1);
		campaign->active = state_take_number(r, 1);
		campaign->requestable = state_take_number(r, 1);
		campaign->created = state_take_signed(r);
		requests = state_take_bytes(r, &len);
		text_add(&campaign->requests, requests, len);
		campaign->definition = object_restore(r);
	}
}

/* Runs of campaigns: which people, threads that send for them, how many connections stand at once,
 * and who waits for whom. What is sent is in webhook.c and flow_send.c. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "marketo/caller.h"

/* Observed of the real service: at most 20 webhook connections an instance, whatever they go to;
 * further steps wait. */
enum { CONNECTIONS_MAX = 20, CHUNK_DEFAULT = 100, CHUNK_MAX = 10000, RESEND_MAX = 100 };

void callers_init(struct marketo *m)
{
	pthread_condattr_t attributes;

	m->callers = calloc(1, sizeof(*m->callers));
	if (!m->callers)
		abort();
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&m->callers->changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void run_free(struct run *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free(r->people[i].body);
		free(r->people[i].error_code);
		free(r->people[i].reason);
		text_free(&r->people[i].fields);
		text_free(&r->people[i].problems);
	}
	for (size_t i = 0; r->chunks && i < r->pieces; i++) {
		text_free(&r->chunks[i].answers);
		text_free(&r->chunks[i].problems);
	}
	free(r->people);
	free(r->chunks);
	free(r->host);
	free(r->trigger_name);
	free(r->trigger_kind);
	access_free(r->access);
	json_object_put(r->definition);
	json_object_put(r->service);
	free(r);
}

/* With the lock held. */
static void run_release(struct run *r)
{
	if (--r->refs == 0)
		run_free(r);
}

/* Threads that still work for a run keep it, and see that the world is another one. */
void callers_reset(struct marketo *m)
{
	struct callers *callers = m->callers;

	for (size_t i = 0; i < callers->run_count; i++)
		run_release(callers->runs[i]);
	free(callers->runs);
	callers->runs = NULL;
	callers->run_count = 0;
	free(callers->places);
	callers->places = NULL;
	callers->place_count = callers->place_cap = 0;
	index_free(&callers->by_token);
	callers->by_token = (struct index){ 0 };
	services_free(m);
	pthread_cond_broadcast(&callers->changed);
}

void callers_stop(void *self)
{
	struct marketo *m = self;

	pthread_mutex_lock(&m->lock);
	m->callers->stopping = true;
	pthread_cond_broadcast(&m->callers->changed);
	pthread_mutex_unlock(&m->lock);
}

void uuid_make(char ret[UUID_TEXT])
{
	unsigned char b[16];

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		abort();
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(b); i++)
		ret += sprintf(ret, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			       (unsigned int)b[i]);
}

/* ---- connections ---- */

static bool run_void(const struct run *r)
{
	return r->world != r->m->world || r->m->callers->stopping;
}

bool call_open(struct run *r)
{
	struct callers *callers = r->m->callers;

	while (!run_void(r) && callers->open[r->kind] >= CONNECTIONS_MAX)
		pthread_cond_wait(&callers->changed, &r->m->lock);
	if (run_void(r))
		return false;
	callers->open[r->kind]++;
	if (++r->open > r->most_open)
		r->most_open = r->open;
	return true;
}

bool call_close(struct run *r)
{
	r->m->callers->open[r->kind]--;
	r->open--;
	pthread_cond_broadcast(&r->m->callers->changed);
	return !run_void(r);
}

void piece_settled(struct run *r)
{
	r->settled++;
	r->ended_us = clock_steady_us();
	pthread_cond_broadcast(&r->m->callers->changed);
}

static void *work(void *context)
{
	static void (*const send[CALL_KIND_COUNT])(struct run *, size_t) = {
		[CALL_WEBHOOK] = webhook_send,
		[CALL_FLOW] = flow_send,
	};
	struct run *r = context;
	struct marketo *m = r->m;

	pthread_mutex_lock(&m->lock);
	while (r->next < r->pieces && !run_void(r)) {
		send[r->kind](r, r->next++);
		r->sent++;
		r->sent_us = r->ended_us = clock_steady_us();
		pthread_cond_broadcast(&m->callers->changed);
	}
	run_release(r);
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

static void thread_start(void *(*serve)(void *), struct run *r)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attributes, serve, r) != 0) {
		fputs("tandem-sandbox: cannot start a thread\n", stderr);
		abort();
	}
	pthread_attr_destroy(&attributes);
}

static void run_start(struct run *r)
{
	size_t threads = r->pieces < CONNECTIONS_MAX ? r->pieces : CONNECTIONS_MAX;

	for (; threads; threads--) {
		r->refs++;
		thread_start(work, r);
	}
}

/* ---- what is asked ---- */

static void people_add(struct run *r, int64_t id, size_t *cap)
{
	struct run_person *grown;
	uint32_t position;
	bool known = person_find(r->m, id, &position);

	if (r->count == *cap) {
		*cap = *cap ? *cap * 2 : 64;
		grown = realloc(r->people, *cap * sizeof(*grown));
		if (!grown)
			abort();
		r->people = grown;
	}
	r->people[r->count++] = (struct run_person){
		.id = id < 0 || id > UINT32_MAX ? 0 : (uint32_t)id,
		.us = -1,
		.outcome = known ? OUTCOME_WAITING : OUTCOME_UNKNOWN,
	};
}

static void people_listed(struct run *r, struct json_object *list, struct text *error)
{
	size_t cap = 0;

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *id = json_object_array_get_idx(list, i);

		if (!json_object_is_type(id, json_type_int)) {
			text_puts(error, "people must be a list of ids");
			return;
		}
		people_add(r, json_object_get_int64(id), &cap);
	}
}

/* Field names and the values people must have in them; NULL: everybody. */
static void people_filtered(struct run *r, struct json_object *filter, struct text *error)
{
	struct {
		int column;
		struct text value;
	} wanted[FIELDS_MAX] = { 0 };
	size_t count = 0, cap = 0;

	if (filter) {
		json_object_object_foreach (filter, name, value) {
			int column = field_find(r->m, name, strlen(name));

			if (count == FIELDS_MAX || column < 0 ||
			    (r->m->fields.list[column].flags & FIELD_DERIVED) ||
			    !value_from_json(&r->m->fields.list[column], value,
					     &wanted[count].value)) {
				text_printf(error, "filter: '%s' cannot be looked for", name);
				break;
			}
			wanted[count++].column = column;
		}
	}
	for (uint32_t i = 0; i < r->m->people.count && !error->len; i++) {
		bool met = !r->m->people.list[i].gone;

		for (size_t k = 0; k < count && met; k++) {
			size_t len;
			const char *bytes = person_get(r->m, i, wanted[k].column, &len);

			met = len == wanted[k].value.len &&
			      (!len || memcmp(bytes, wanted[k].value.data, len) == 0);
		}
		if (met)
			people_add(r, person_id(i), &cap);
	}
	for (size_t k = 0; k < FIELDS_MAX; k++)
		text_free(&wanted[k].value);
}

static void people_read(struct run *r, struct json_object *body, struct text *error)
{
	struct json_object *people = json_at(body, "people"), *all = json_at(body, "all"),
			   *filter = json_at(body, "filter");

	if (!!people + !!all + !!filter != 1 ||
	    (people && !json_object_is_type(people, json_type_array)) ||
	    (all && !json_object_get_boolean(all)) ||
	    (filter && !json_object_is_type(filter, json_type_object)))
		text_puts(error, "whom to run it over: one of \"people\": [ids], \"all\": true, "
				 "\"filter\": {field: value}");
	else if (people)
		people_listed(r, people, error);
	else
		people_filtered(r, filter, error);
	if (!error->len && !r->count)
		text_puts(error, "there is nobody to run it over");
}

/* A whole number from least to most; otherwise where it is not given. */
static int64_t number_read(struct json_object *body, const char *name, int64_t least, int64_t most,
			   int64_t otherwise, struct text *error)
{
	struct json_object *value = json_at(body, name);
	int64_t number = value ? json_object_get_int64(value) : otherwise;

	if (value &&
	    (!json_object_is_type(value, json_type_int) || number < least || number > most)) {
		text_clear(error);
		text_printf(error, "%s must be a whole number from %lld to %lld", name,
			    (long long)least, (long long)most);
	}
	return number;
}

/* What set a trigger campaign off. */
static void trigger_read(struct run *r, struct json_object *trigger, struct text *error)
{
	static const char *const members[] = { "name", "triggerName", NULL };

	if (trigger && !members_known(trigger, members, "trigger", error))
		return;
	r->trigger_name = word_copy(trigger ? json_words(trigger, "name")
					    : r->m->campaigns.list[r->campaign].name);
	r->trigger_kind =
		word_copy(trigger ? json_words(trigger, "triggerName") : "Campaign is Requested");
}

static void run_read(struct run *r, struct json_object *body, struct text *error)
{
	static const char *const members[] = { "people",  "all",    "filter", "chunk", "wait",
					       "trigger", "resend", "twice",  NULL };
	struct json_object *wait = json_at(body, "wait"), *twice = json_at(body, "twice");

	if (!members_known(body, members, "a run", error))
		return;
	if ((wait && !json_object_is_type(wait, json_type_boolean)) ||
	    (twice && !json_object_is_type(twice, json_type_boolean)))
		text_puts(error, "wait and twice are true or false");
	else
		trigger_read(r, json_at(body, "trigger"), error);
	r->chunk_size = (size_t)number_read(body, "chunk", 1, CHUNK_MAX, CHUNK_DEFAULT, error);
	r->resend = number_read(body, "resend", 0, RESEND_MAX, 0, error);
	r->twice = json_object_get_boolean(twice);
	if (!error->len)
		people_read(r, body, error);
}

/* ---- making a run ---- */

static void chunk_register(struct run *r, size_t at)
{
	struct callers *callers = r->m->callers;

	uuid_make(r->chunks[at].token);
	if (callers->place_count == callers->place_cap) {
		callers->place_cap = callers->place_cap ? callers->place_cap * 2 : 64;
		callers->places =
			realloc(callers->places, callers->place_cap * sizeof(*callers->places));
		if (!callers->places)
			abort();
	}
	callers->places[callers->place_count] = (struct chunk_place){ r, at };
	index_add(&callers->by_token, index_hash(r->chunks[at].token, UUID_TEXT - 1, false),
		  (uint32_t)callers->place_count++);
}

static void run_register(struct run *r)
{
	struct callers *callers = r->m->callers;

	callers->runs = realloc(callers->runs, (callers->run_count + 1) * sizeof(*callers->runs));
	if (!callers->runs)
		abort();
	callers->runs[callers->run_count++] = r;
	r->refs++;
	r->number = callers->run_count;
	r->started_us = clock_steady_us();
	r->pieces = r->count;
	uuid_make(r->batch_id);
	if (r->kind == CALL_WEBHOOK)
		return;
	r->pieces = (r->count + r->chunk_size - 1) / r->chunk_size;
	r->chunks = calloc(r->pieces, sizeof(*r->chunks));
	if (!r->chunks)
		abort();
	for (size_t i = 0; i < r->pieces; i++)
		chunk_register(r, i);
}

/* The campaign the path names; false after having said that there is none that can be run. */
static bool campaign_find(struct control_call *c, size_t *ret)
{
	const struct campaigns *all = &c->m->campaigns;
	const struct campaign *campaign;
	struct json_object *definition;

	*ret = (size_t)(c->ids[0] - FIRST_CAMPAIGN_ID);
	if (c->ids[0] < FIRST_CAMPAIGN_ID || *ret >= all->count) {
		text_puts(&c->error, "there is no such campaign");
		return false;
	}
	campaign = &all->list[*ret];
	definition = campaign->definition;
	if (!json_at(definition, "webhook") && !json_at(definition, "flowStep"))
		text_puts(&c->error, "the campaign has no webhook and no flowStep");
	else if (!campaign->batch && !campaign->active)
		text_puts(&c->error, "the campaign is not active");
	return !c->error.len;
}

/* NULL after having said why not. */
static struct run *run_make(struct control_call *c)
{
	struct marketo *m = c->m;
	struct json_object *step;
	struct run *r;
	size_t at;

	if (!campaign_find(c, &at))
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		abort();
	*r = (struct run){ .m = m, .refs = 1, .world = m->world, .campaign = at };
	r->definition = json_object_get(m->campaigns.list[at].definition);
	r->host = word_copy(c->request->host);
	step = json_at(r->definition, "flowStep");
	r->kind = step ? CALL_FLOW : CALL_WEBHOOK;
	run_read(r, c->body, &c->error);
	if (step && !c->error.len) {
		r->service = json_object_get(
			service_by_id(m, json_object_get_int64(json_at(step, "service"))));
		r->access = access_new(r->service, &c->error);
	}
	if (!c->error.len)
		return r;
	run_release(r);
	return NULL;
}

static struct json_object *people_of(struct json_object *leads)
{
	struct json_object *ids = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(leads); i++) {
		struct json_object *lead = json_object_array_get_idx(leads, i);

		json_object_array_add(
			ids, json_object_new_int64(json_object_get_int64(json_at(lead, "id"))));
	}
	return ids;
}

/* The tokens of a request, {{my.name}}, stand before those of the campaign. */
static void tokens_override(struct run *r, struct json_object *given)
{
	struct json_object *definition = NULL, *tokens;

	if (!json_object_is_type(given, json_type_array))
		return;
	if (json_object_deep_copy(r->definition, &definition, NULL) != 0)
		abort();
	tokens = json_at(definition, "tokens");
	if (!tokens) {
		tokens = json_object_new_object();
		json_object_object_add(definition, "tokens", tokens);
	}
	for (size_t i = 0; i < json_object_array_length(given); i++) {
		struct json_object *one = json_object_array_get_idx(given, i);
		const char *name = json_words(one, "name") + strlen("{{my.");
		char *bare = strndup(name, strcspn(name, "}"));

		if (!bare)
			abort();
		json_object_object_add(tokens, bare,
				       json_object_new_string(json_words(one, "value")));
		free(bare);
	}
	json_object_put(r->definition);
	r->definition = definition;
}

/* ---- waiting ---- */

bool run_is_over(const struct run *r)
{
	return r->sent == r->pieces && r->settled == r->pieces;
}

/* Until everything is settled, or callbacks can no longer come in time. */
static void run_wait(struct run *r)
{
	struct marketo *m = r->m;
	int64_t deadline_us;

	while (!run_void(r) && !run_is_over(r)) {
		struct timespec until;

		if (r->sent < r->pieces) {
			pthread_cond_wait(&m->callers->changed, &m->lock);
			continue;
		}
		deadline_us = r->sent_us + m->limits.flow_s * 1000000;
		if (clock_steady_us() >= deadline_us)
			return;
		until = (struct timespec){ .tv_sec = deadline_us / 1000000,
					   .tv_nsec = (long)(deadline_us % 1000000) * 1000 };
		pthread_cond_timedwait(&m->callers->changed, &m->lock, &until);
	}
}

/* A bearer token is fetched once a run, without the lock. */
static void run_sign_in(struct run *r, struct text *error)
{
	int64_t timeout_ms = r->m->limits.webhook_s * 1000;

	if (!r->access)
		return;
	pthread_mutex_unlock(&r->m->lock);
	access_sign_in(r->access, timeout_ms, error);
	pthread_mutex_lock(&r->m->lock);
	if (run_void(r) && !error->len)
		text_puts(error, "the sandbox was reset meanwhile");
}

void campaign_run_post(struct control_call *c)
{
	struct marketo *m = c->m;
	struct json_object *wait = json_at(c->body, "wait");
	struct run *r;

	pthread_mutex_lock(&m->lock);
	r = run_make(c);
	if (r) {
		run_sign_in(r, &c->error);
		if (!c->error.len) {
			run_register(r);
			run_start(r);
			if (!wait || json_object_get_boolean(wait))
				run_wait(r);
			if (run_void(r))
				text_puts(&c->error, "the run was ended by a reset");
			else
				run_report(r, c->out);
		}
		run_release(r);
	}
	pthread_mutex_unlock(&m->lock);
}

/* Nobody waits for it: what cannot be sent is told on the standard error output. */
static void *run_in_background(void *context)
{
	struct run *r = context;
	struct marketo *m = r->m;
	struct text error = { 0 };

	pthread_mutex_lock(&m->lock);
	run_sign_in(r, &error);
	if (!run_void(r) && error.len) {
		fprintf(stderr, "tandem-sandbox: requested campaign: %s\n", error.data);
	} else if (!run_void(r)) {
		run_register(r);
		run_start(r);
	}
	run_release(r);
	pthread_mutex_unlock(&m->lock);
	text_free(&error);
	return NULL;
}

void campaign_run_requested(struct call *call, size_t campaign, struct json_object *input)
{
	struct control_call c = { .m = call->m,
				  .request = call->request,
				  .ids = { FIRST_CAMPAIGN_ID + (int64_t)campaign } };
	struct json_object *definition = call->m->campaigns.list[campaign].definition;
	struct run *r;

	if (!json_at(definition, "webhook") && !json_at(definition, "flowStep"))
		return;
	c.body = json_object_new_object();
	json_object_object_add(c.body, "people", people_of(json_at(input, "leads")));
	r = run_make(&c);
	if (r) {
		tokens_override(r, json_at(input, "tokens"));
		thread_start(run_in_background, r);
	} else {
		fprintf(stderr, "tandem-sandbox: requested campaign: %s\n", c.error.data);
	}
	json_object_put(c.body);
	text_free(&c.error);
}

void campaign_run_get(struct control_call *c)
{
	const struct callers *callers = c->m->callers;
	const struct run *r = c->ids[1] >= 1 && (size_t)c->ids[1] <= callers->run_count
				      ? callers->runs[c->ids[1] - 1]
				      : NULL;

	if (r && FIRST_CAMPAIGN_ID + (int64_t)r->campaign == c->ids[0])
		run_report(r, c->out);
	else
		text_puts(&c->error, "the campaign has no such run");
}

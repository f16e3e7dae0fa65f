/* Tokens of Microsoft Entra ID; see dynamics_token.h. Knows nothing of what the token is used for. */
#include "remote/dynamics_token.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/fingerprint.h"
#include "core/retry.h"
#include "remote/json.h"
#include "remote/wait.h"

enum {
	TOKEN_MARGIN_S = 300, /* renewed when less is left */
	TOKEN_TRIES = 5,
	TOKEN_TIMEOUT_MS = 30 * 1000,
	TOKEN_ANSWER_MAX = 256 * 1024,
};

struct dynamics_token {
	struct http_origin *authority, *origin;         /* foreign */
	const struct dynamics_certificate *certificate; /* foreign; NULL: the secret is shown */
	char *path, *client_id, *client_secret;         /* owned */
	pthread_mutex_t lock;
	pthread_cond_t renewed;
	/* guarded by lock */
	struct buf token;
	uint64_t serial;       /* of the token held */
	int64_t good_until_ms; /* 0: none held */
	bool is_renewing;
	uint64_t attempts; /* ended renewals */
	struct err last;   /* of the last renewal, ERR_NONE when it worked */
};

struct dynamics_token *dynamics_token_new(struct http_origin *authority, struct http_origin *origin,
					  const char *tenant_id, const char *client_id,
					  const char *client_secret,
					  const struct dynamics_certificate *certificate)
{
	struct dynamics_token *t = mem_alloc(sizeof(*t));
	CLEANUP(buf_release) struct buf path = { 0 };
	pthread_condattr_t attr;

	t->authority = authority;
	t->origin = origin;
	t->certificate = certificate;
	buf_char(&path, '/');
	buf_url(&path, str_of(tenant_id));
	buf_text(&path, "/oauth2/v2.0/token");
	t->path = mem_text(buf_cstr(&path));
	t->client_id = mem_text(client_id);
	t->client_secret = mem_text(client_secret);
	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&t->renewed, &attr);
	(void)pthread_condattr_destroy(&attr);
	return t;
}

static void forget(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_release(b);
}

void dynamics_token_free(struct dynamics_token *t)
{
	if (!t)
		return;
	forget(&t->token);
	if (t->client_secret)
		explicit_bzero(t->client_secret, strlen(t->client_secret));
	free(t->client_secret);
	free(t->client_id);
	free(t->path);
	(void)pthread_cond_destroy(&t->renewed);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

/* ---- errors ---- */

#define UNKNOWN_CERTIFICATE                                                                        \
	"the certificate is not known to the application, or has expired there: add it to the "    \
	"app registration, or set DYNAMICS_CLIENT_CERTIFICATE to one that is there"

/* "Microsoft Learn: Microsoft Entra authentication and authorization error codes". By number where
 * it tells more than the name does; a name may be the contract, but people need the cause. */
static const struct {
	int64_t number;
	const char *advice;
} number_rows[] = {
	{ 7000215,
	  "the client secret is wrong: set DYNAMICS_CLIENT_SECRET to the secret's value, not its id" },
	{ 7000222, "the client secret has expired: make a new one and set DYNAMICS_CLIENT_SECRET" },
	{ 7000218,
	  "the client secret is missing: set DYNAMICS_CLIENT_SECRET or DYNAMICS_CLIENT_CERTIFICATE" },
	{ 700027, UNKNOWN_CERTIFICATE },
	{ 50012, UNKNOWN_CERTIFICATE },
	{ 700021, "the certificate belongs to another application: check DYNAMICS_CLIENT_ID and "
		  "DYNAMICS_CLIENT_CERTIFICATE" },
	{ 700023,
	  "the sign-in by certificate was meant for another address: check DYNAMICS_AUTHORITY and "
	  "DYNAMICS_TENANT_ID" },
	{ 50027,
	  "the sign-in by certificate was not understood: check DYNAMICS_CLIENT_CERTIFICATE" },
	{ 700024, "the clocks differ: set this machine's clock right" },
	{ 700016,
	  "the application is not in this tenant: check DYNAMICS_CLIENT_ID and DYNAMICS_TENANT_ID" },
	{ 7000112, "the application is disabled: enable it in Microsoft Entra" },
	{ 700025, "the application is a public client: register a confidential one" },
	{ 90002, "the tenant does not exist: check DYNAMICS_TENANT_ID" },
	{ 500011,
	  "the environment is not in this tenant: check DYNAMICS_URL and DYNAMICS_TENANT_ID" },
	{ 50001,
	  "the environment is not in this tenant: check DYNAMICS_URL and DYNAMICS_TENANT_ID" },
	{ 70011, "the environment's address was not accepted: check DYNAMICS_URL" },
	{ 53003, "a conditional access policy keeps the application out" },
	{ 65001, "consent is missing: an administrator has to grant it to the application" },
};

static const struct {
	const char *name;
	bool may_repeat;
	const char *advice;
} name_rows[] = {
	{ "invalid_client", false,
	  "the client id, secret or certificate is wrong: check DYNAMICS_CLIENT_ID and what the app "
	  "registration has under Certificates & secrets" },
	{ "unauthorized_client", false,
	  "the application may not sign in here: check DYNAMICS_CLIENT_ID and DYNAMICS_TENANT_ID" },
	{ "invalid_request", false, "the sign-in was not understood: check DYNAMICS_TENANT_ID" },
	{ "invalid_grant", false,
	  "the sign-in was refused: ask the Microsoft Entra administrator" },
	{ "interaction_required", false,
	  "a policy asks for a person at the sign-in: exempt the application" },
	{ "invalid_scope", false,
	  "the environment's address was not accepted: check DYNAMICS_URL" },
	{ "invalid_resource", false,
	  "the environment is not in this tenant: check DYNAMICS_URL and DYNAMICS_TENANT_ID" },
	{ "unsupported_grant_type", false,
	  "the sign-in of applications is not supported here: check DYNAMICS_AUTHORITY" },
	{ "temporarily_unavailable", true, "the sign-in service is busy" },
};

static const char *advice_by_number(struct json_object *answer, int64_t *ret_number)
{
	struct json_object *numbers = json_get_array(answer, "error_codes");

	*ret_number = numbers && json_object_array_length(numbers)
			      ? json_object_get_int64(json_object_array_get_idx(numbers, 0))
			      : 0;
	for (size_t i = 0; i < ARRAY_LEN(number_rows); i++)
		if (number_rows[i].number == *ret_number)
			return number_rows[i].advice;
	return NULL;
}

enum err_kind dynamics_token_judge(int status, struct str body, bool *ret_may_repeat,
				   struct err *err)
{
	struct json_object *answer = json_tree(body);
	struct str name = STR("");
	const char *advice = NULL;
	enum err_kind kind = ERR_BROKEN;
	int64_t number = 0;
	struct err own;

	err = err ? err : &own;
	*err = (struct err){ .retry_after_ms = -1 };
	*ret_may_repeat = status == 429 || status >= 500;
	if (answer) {
		(void)json_get_string(answer, "error", &name);
		advice = advice_by_number(answer, &number);
	}
	for (size_t i = 0; i < ARRAY_LEN(name_rows); i++) {
		if (!str_equal(name, str_of(name_rows[i].name)))
			continue;
		*ret_may_repeat = *ret_may_repeat || name_rows[i].may_repeat;
		advice = advice ? advice : name_rows[i].advice;
	}
	if (*ret_may_repeat)
		kind = ERR_RETRY_LATER;
	if (!advice)
		advice =
			*ret_may_repeat
				? "the sign-in service is not available"
				: "the sign-in service answered what it never should: check DYNAMICS_AUTHORITY";
	(void)err_set(err, kind, "sign-in to Dynamics: %s", advice);
	err->http_status = status;
	if (number)
		snprintf(err->code, sizeof(err->code), "AADSTS%lld", (long long)number);
	else
		snprintf(err->code, sizeof(err->code), STR_FMT, STR_ARG(name));
	json_object_put(answer);
	return kind;
}

/* ---- asking ---- */

/* An assertion is for the very address it is sent to, and for this one request. */
static enum err_kind add_assertion(const struct dynamics_token *t, struct buf *body,
				   struct err *err)
{
	CLEANUP(buf_release) struct buf address = { 0 };

	buf_text(&address, http_origin_text(t->authority));
	buf_text(&address, t->path);
	buf_text(body, "&client_assertion_type=");
	buf_url(body, STR("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
	buf_text(body, "&client_assertion=");
	return dynamics_assertion_add(t->certificate, buf_cstr(&address), t->client_id,
				      clock_wall_ms() / 1000, body, err);
}

static enum err_kind build_body(const struct dynamics_token *t, struct buf *body, struct err *err)
{
	buf_text(body, "grant_type=client_credentials&client_id=");
	buf_url(body, str_of(t->client_id));
	buf_text(body, "&scope=");
	buf_url(body, str_of(http_origin_text(t->origin)));
	buf_text(body, "%2F.default");
	if (t->certificate)
		return add_assertion(t, body, err);
	buf_text(body, "&client_secret=");
	buf_url(body, str_of(t->client_secret));
	return ERR_NONE;
}

/* A token goes into a header line as it is: one with anything but its own alphabet would become
 * other headers. */
static bool is_token_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n > 0;
}

enum err_kind dynamics_token_take(struct str body, struct buf *ret_token, int64_t *ret_lifetime_s,
				  struct err *err)
{
	struct json_object *answer = json_tree(body);
	struct str token, type = STR("Bearer");
	enum err_kind kind = ERR_NONE;

	if (answer)
		(void)json_get_string(answer, "token_type", &type);
	if (!answer || !json_get_string(answer, "access_token", &token) || !is_token_text(token) ||
	    !json_get_int64(answer, "expires_in", ret_lifetime_s) || *ret_lifetime_s < 0 ||
	    !str_equal_fold(type, STR("Bearer")))
		kind = err_set(err, ERR_RUBBISH,
			       "the sign-in service answered without a usable token");
	else
		buf_add(ret_token, token);
	json_object_put(answer);
	return kind;
}

/* One request; *ret_wait_ms says when to try again, -1 never. */
static enum err_kind ask_once(struct dynamics_token *t, const struct call *call, unsigned attempt,
			      struct buf *ret_token, int64_t *ret_lifetime_s, int64_t *ret_wait_ms,
			      struct err *err)
{
	static const char *const headers[] = { "Content-Type: application/x-www-form-urlencoded",
					       "Accept: application/json", NULL };
	struct buf body = { 0 };
	struct http_exchange x = {
		.method = "POST",
		.path = t->path,
		.headers = headers,
		.lane = call->lane,
		.uncounted = true,
		.timeout_ms = TOKEN_TIMEOUT_MS,
		.deadline_ms = call->deadline_ms,
		.answer_max = TOKEN_ANSWER_MAX,
	};
	enum err_kind kind = build_body(t, &body, err);
	bool may_repeat;
	uint32_t chance;

	if (kind != ERR_NONE) {
		forget(&body);
		return kind;
	}
	x.body = buf_str(&body);
	http_run(t->authority, &x, 1);
	forget(&body);
	if (x.kind != ERR_NONE) {
		*err = x.err;
		kind = x.kind;
		may_repeat = kind == ERR_RETRY_LATER;
	} else if (x.status == 200) {
		kind = dynamics_token_take(buf_str(&x.body_in), ret_token, ret_lifetime_s, err);
		may_repeat = false;
	} else {
		kind = dynamics_token_judge(x.status, buf_str(&x.body_in), &may_repeat, err);
	}
	fingerprint_random(&chance, sizeof(chance));
	*ret_wait_ms = may_repeat
			       ? retry_delay_ms(attempt, 1000, 16 * 1000, x.retry_after_ms, chance)
			       : -1;
	if (x.body_in.data)
		explicit_bzero(x.body_in.data, x.body_in.cap);
	http_exchange_release(&x);
	return kind;
}

static enum err_kind ask(struct dynamics_token *t, const struct call *call, struct buf *ret_token,
			 int64_t *ret_lifetime_s, struct err *err)
{
	for (unsigned attempt = 1;; attempt++) {
		int64_t wait_ms = -1;
		enum err_kind kind =
			ask_once(t, call, attempt, ret_token, ret_lifetime_s, &wait_ms, err);

		if (kind == ERR_NONE || wait_ms < 0 || attempt >= TOKEN_TRIES)
			return kind;
		if (call->deadline_ms && clock_mono_ms() + wait_ms > call->deadline_ms)
			return kind;
		if (!http_origin_wait_ms(t->authority, wait_ms))
			return err_set(err, ERR_STOPPED, "the program is ending");
	}
}

/* With the lock held; lets go of it while asking. */
static void renew(struct dynamics_token *t, const struct call *call)
{
	struct buf token = { 0 };
	struct err err = { .retry_after_ms = -1 };
	int64_t lifetime_s = 0;
	enum err_kind kind;

	t->is_renewing = true;
	(void)pthread_mutex_unlock(&t->lock);
	kind = ask(t, call, &token, &lifetime_s, &err);
	(void)pthread_mutex_lock(&t->lock);
	t->is_renewing = false;
	t->attempts++;
	t->last = err;
	t->last.kind = kind;
	forget(&t->token);
	t->good_until_ms = 0;
	if (kind == ERR_NONE) {
		int64_t margin_s = lifetime_s / 2 < TOKEN_MARGIN_S ? lifetime_s / 2
								   : TOKEN_MARGIN_S;

		t->token = token;
		t->serial++;
		t->good_until_ms = clock_mono_ms() + (lifetime_s - margin_s) * 1000;
	}
	(void)pthread_cond_broadcast(&t->renewed);
}

/* With the lock held: until the renewal under way has ended; false when the deadline came first. */
static bool wait_for_renewal(struct dynamics_token *t, int64_t deadline_ms)
{
	uint64_t before = t->attempts;
	struct timespec until = { .tv_sec = deadline_ms / 1000,
				  .tv_nsec = deadline_ms % 1000 * 1000000 };

	while (t->attempts == before) {
		if (!deadline_ms)
			(void)pthread_cond_wait(&t->renewed, &t->lock);
		else if (pthread_cond_timedwait(&t->renewed, &t->lock, &until) != 0 &&
			 t->attempts == before)
			return false;
	}
	return true;
}

enum err_kind dynamics_token_get(struct dynamics_token *t, const struct call *call,
				 struct buf *header, uint64_t *ret_serial, struct err *err)
{
	enum err_kind kind = ERR_NONE;

	(void)pthread_mutex_lock(&t->lock);
	if (clock_mono_ms() >= t->good_until_ms) {
		bool in_time = true;

		if (t->is_renewing)
			in_time = wait_for_renewal(t, call->deadline_ms);
		else
			renew(t, call);
		if (!in_time)
			kind = err_set(err, ERR_RETRY_LATER,
				       "the sign-in to Dynamics did not end before the deadline");
		else if (t->last.kind != ERR_NONE)
			kind = t->last.kind;
		if (in_time && kind != ERR_NONE && err)
			*err = t->last;
	}
	if (kind == ERR_NONE) {
		buf_text(header, "Authorization: Bearer ");
		buf_add(header, buf_str(&t->token));
		*ret_serial = t->serial;
	}
	(void)pthread_mutex_unlock(&t->lock);
	return kind;
}

void dynamics_token_reject(struct dynamics_token *t, uint64_t serial)
{
	(void)pthread_mutex_lock(&t->lock);
	if (t->serial == serial && !t->is_renewing)
		t->good_until_ms = 0;
	(void)pthread_mutex_unlock(&t->lock);
}

/* Optional headers of a request: what custom logic it passes by (Microsoft Learn: Bypass custom
 * Dataverse logic; Bypass Power Automate flows), and those that are not imitated. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dataverse/dataverse.h"

#define STEPS_MAX 3 /* of one request, unless the organization allows more */

#define BYPASS_PRIVILEGE "prvBypassCustomBusinessLogic"

/* The next part of a comma-separated list without the spaces around it; NULL at the end. */
static const char *next_part(const char **list, size_t *ret_len)
{
	const char *at = *list + strspn(*list, ", ");

	*ret_len = strcspn(at, ",");
	*list = at + *ret_len;
	while (*ret_len && at[*ret_len - 1] == ' ')
		(*ret_len)--;
	return *ret_len ? at : NULL;
}

static bool wrong_value(struct call *c, const char *name, const char *value)
{
	return call_refuse(c, 400, "0x80040203", "Invalid value '%.100s' of the header %s.", value,
			   name);
}

/* CustomSync, CustomAsync or both */
static bool read_logic(struct call *c, const char *name, const char *value)
{
	const char *part, *list = value;
	size_t len;

	if (!user_may_bypass(c->user, BYPASS_PRIVILEGE, &c->failure))
		return false;
	while ((part = next_part(&list, &len))) {
		if (len == 10 && strncasecmp(part, "CustomSync", len) == 0)
			c->bypass.sync = true;
		else if (len == 11 && strncasecmp(part, "CustomAsync", len) == 0)
			c->bypass.async = true;
		else
			return wrong_value(c, name, value);
	}
	return true;
}

static bool read_steps(struct call *c, const char *name, const char *value)
{
	const char *part, *list = value;
	struct guid id;
	size_t len;
	int count = 0;

	if (!user_may_bypass(c->user, BYPASS_PRIVILEGE, &c->failure))
		return false;
	while ((part = next_part(&list, &len)))
		if (!guid_parse(part, len, &id) || ++count > STEPS_MAX)
			return wrong_value(c, name, value);
	c->bypass.steps = value;
	return true;
}

static bool read_flag(struct call *c, const char *name, const char *value, const char *privilege,
		      bool *ret)
{
	bool on = strcasecmp(value, "true") == 0;

	if (!on && strcasecmp(value, "false") != 0)
		return wrong_value(c, name, value);
	if (on && !user_may_bypass(c->user, privilege, &c->failure))
		return false;
	*ret = *ret || on;
	return true;
}

static bool read_plugins(struct call *c, const char *name, const char *value)
{
	return read_flag(c, name, value, "prvBypassCustomPlugins", &c->bypass.sync);
}

/* There are no flows here that could be started. */
static bool read_flows(struct call *c, const char *name, const char *value)
{
	bool nothing = false;

	return read_flag(c, name, value, BYPASS_PRIVILEGE, &nothing);
}

static bool read_duplicates(struct call *c, const char *name, const char *value)
{
	return strcasecmp(value, "true") == 0 || strcasecmp(value, "false") == 0 ||
	       wrong_value(c, name, value);
}

static bool not_offered(struct call *c, const char *name, const char *value)
{
	(void)value;
	return call_refuse(c, 501, ODATA_ERROR, "The header %s is not offered here.", name);
}

static const struct {
	const char *name;
	bool (*read)(struct call *c, const char *name, const char *value);
} headers[] = {
	{ "MSCRM.BypassBusinessLogicExecution", read_logic },
	{ "MSCRM.BypassBusinessLogicExecutionStepIds", read_steps },
	{ "MSCRM.BypassCustomPluginExecution", read_plugins },
	{ "MSCRM.SuppressCallbackRegistrationExpanderJob", read_flows },
	{ "MSCRM.SuppressDuplicateDetection", read_duplicates },
	{ "MSCRM.MergeLabels", not_offered },
	{ "MSCRM.SessionToken", not_offered },
	{ "MSCRM.SolutionUniqueName", not_offered },
};

/* Answers carry the metadata and the numbers a client gets that asks for nothing special. */
static bool accept_offered(struct call *c)
{
	static const char *const others[] = { "odata.metadata=full", "odata.metadata=none",
					      "IEEE754Compatible=true" };
	const char *accept = call_header(c, "Accept");

	for (size_t i = 0; accept && i < sizeof(others) / sizeof(others[0]); i++)
		if (strcasestr(accept, others[i]))
			return call_refuse(c, 501, ODATA_ERROR,
					   "The format parameter %s is not offered here.",
					   others[i]);
	return true;
}

/* If-Match is for PATCH, PUT and DELETE (Microsoft Learn: Perform conditional operations using the
 * Web API). The literal null is a customary value that means nothing. */
static bool condition_fits(struct call *c)
{
	const char *match = call_header(c, "If-Match"), *method = c->request->method;

	return !match || strcmp(match, "null") == 0 ||
	       (strcmp(method, "GET") != 0 && strcmp(method, "POST") != 0) ||
	       call_refuse(c, 501, ODATA_ERROR, "The header If-Match is not offered here for %s.",
			   method);
}

bool headers_read(struct call *c)
{
	c->bypass = (struct bypass){ 0 };
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		const char *value = call_header(c, headers[i].name);

		if (value && !headers[i].read(c, headers[i].name, value))
			return false;
	}
	return condition_fits(c) && accept_offered(c);
}

bool header_bypasses(const struct call *c, const struct guid *step)
{
	const char *part, *list = c->bypass.steps;
	struct guid id;
	size_t len;

	while (list && (part = next_part(&list, &len)))
		if (guid_parse(part, len, &id) && guid_equal(&id, step))
			return true;
	return false;
}

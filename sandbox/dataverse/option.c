/* Which query options a call may have. None is passed over: what the service has and the sandbox
 * has not is refused with 501, what no service knows with the text the vendor was seen to give. */
#include <string.h>

#include "dataverse/dataverse.h"

static bool is_one_of(const char *name, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

/* Options of the service that do not begin with $ (Microsoft Learn: Query data using the Web API;
 * Use optional parameters; Query table definitions using the Web API). */
static bool is_of_the_service(const char *name)
{
	static const char *const others[] = { "fetchXml",    "savedQuery",     "userQuery",
					      "partitionId", "LabelLanguages", NULL };

	return *name == '$' || is_one_of(name, others);
}

static bool option_good(struct call *c, const char *name, const char *const *offered)
{
	if (!*name || *name == '@' || strcmp(name, "tag") == 0 || is_one_of(name, offered))
		return true;
	if (is_of_the_service(name))
		return call_refuse(c, 501, ODATA_ERROR,
				   "The query option %.100s is not offered here.", name);
	return call_refuse(c, 400, "0x0", "The query parameter %.100s is not supported", name);
}

bool options_offered(struct call *c, const char *const *offered)
{
	const char *at = c->request->query;
	bool good = true;

	while (good && *at) {
		struct text name = { 0 };

		text_url_decode(&name, at, strcspn(at, "=&"), true);
		good = option_good(c, name.len ? name.data : "", offered);
		text_free(&name);
		at += strcspn(at, "&");
		at += *at == '&';
	}
	return good;
}

bool options_none(struct call *c)
{
	static const char *const none[] = { NULL };

	return options_offered(c, none);
}

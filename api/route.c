/* The route table and its search. Knows no HTTP library; see route.h. */
#include "api/route.h"

enum { BODY_MAX = 64 * 1024 };

enum {
	PARAMS_PAGE = PARAM_LIMIT | PARAM_CURSOR,
	PARAMS_CYCLES = PARAMS_PAGE | PARAM_SINCE | PARAM_UNTIL,
	PARAMS_COLLISIONS = PARAMS_CYCLES | PARAM_PERSON_ID | PARAM_RECORD_ID | PARAM_FIELD,
	PARAMS_ERRORS = PARAMS_COLLISIONS | PARAM_STATE,
	PARAMS_FIELDS = PARAMS_PAGE | PARAM_FIELD
};

/* clang-format off */
const struct route routes[] = {
	{ "POST", "/v1/sync-person",        handle_sync_person, ROLE_CAMPAIGN, BODY_MAX, 0, LIST_KIND_COUNT },
	{ "GET",  "/v1/status",             handle_status,      ROLE_READ,  0, 0, LIST_KIND_COUNT },
	{ "GET",  "/v1/cycles",             handle_list,        ROLE_READ,  0, PARAMS_CYCLES, LIST_CYCLES },
	{ "GET",  "/v1/errors",             handle_list,        ROLE_READ,  0, PARAMS_ERRORS, LIST_ERRORS },
	{ "GET",  "/v1/collisions",         handle_list,        ROLE_READ,  0, PARAMS_COLLISIONS, LIST_COLLISIONS },
	{ "GET",  "/v1/fields",             handle_list,        ROLE_READ,  0, PARAMS_FIELDS, LIST_FIELDS },
	{ "GET",  "/v1/persons/{personId}", handle_person,      ROLE_READ,  0, 0, LIST_KIND_COUNT },
	{ "POST", "/v1/pause",              handle_pause,       ROLE_ADMIN, BODY_MAX, 0, LIST_KIND_COUNT },
	{ "POST", "/v1/resume",             handle_resume,      ROLE_ADMIN, BODY_MAX, 0, LIST_KIND_COUNT },
	{ "POST", "/v1/errors/{id}/retry",  handle_retry,       ROLE_ADMIN, BODY_MAX, 0, LIST_KIND_COUNT },
	{ "GET",  "/livez",                 handle_live,        ROLE_NONE,  0, PARAM_ANY, LIST_KIND_COUNT },
	{ "GET",  "/readyz",                handle_ready,       ROLE_NONE,  0, PARAM_ANY, LIST_KIND_COUNT },
	{ "GET",  "/metrics",               handle_metrics,     ROLE_NONE,  0, PARAM_ANY, LIST_KIND_COUNT },
};
/* clang-format on */
const size_t route_count = ARRAY_LEN(routes);

/* Compares segment by segment; *ret_name and *ret_value are the segment in braces, if the pattern
 * has one. */
static bool route_path_equal(struct str pattern, struct str path, struct str *ret_name,
			     struct str *ret_value)
{
	struct str name = { NULL, 0 }, value = { NULL, 0 };

	while (pattern.n && path.n) {
		struct str want = str_cut(&pattern, '/');
		struct str have = str_cut(&path, '/');

		if (want.n && want.p[0] == '{') {
			if (!have.n)
				return false;
			name = (struct str){ want.p + 1, want.n - 2 };
			value = have;
		} else if (!str_equal(want, have)) {
			return false;
		}
		/* A slash at the end leaves nothing behind it; only the remainder's address tells. */
		if ((pattern.p == NULL) != (path.p == NULL))
			return false;
	}
	*ret_name = name;
	*ret_value = value;
	return pattern.n == 0 && path.n == 0;
}

static bool route_method_equal(const struct route *r, struct str method)
{
	return str_equal(method, str_of(r->method)) ||
	       (str_equal(method, STR("HEAD")) && str_equal(str_of(r->method), STR("GET")));
}

static void route_allow(struct route_match *m, const struct route *r)
{
	size_t used = strlen(m->allow);
	bool is_get = str_equal(str_of(r->method), STR("GET"));

	(void)snprintf(m->allow + used, sizeof(m->allow) - used, "%s%s%s", used ? ", " : "",
		       r->method, is_get ? ", HEAD" : "");
}

bool route_find(struct str method, struct str path, struct route_match *ret,
		struct problem *problem)
{
	*ret = (struct route_match){ 0 };
	for (size_t i = 0; i < route_count; i++) {
		struct str name, value;

		if (!route_path_equal(str_of(routes[i].path), path, &name, &value))
			continue;
		route_allow(ret, &routes[i]);
		if (!route_method_equal(&routes[i], method))
			continue;
		if (name.n && !str_int64(value, 1, INT64_MAX, &ret->id)) {
			char field[PROBLEM_FIELD];

			(void)snprintf(field, sizeof(field), STR_FMT, STR_ARG(name));
			return problem_set(problem, PROBLEM_BAD_REQUEST, field,
					   "%s in the address must be a whole number from 1 up",
					   field);
		}
		ret->route = &routes[i];
		return true;
	}
	if (ret->allow[0])
		return problem_set(problem, PROBLEM_METHOD, NULL, "this address answers %s",
				   ret->allow);
	return problem_set(problem, PROBLEM_NOT_FOUND, NULL,
			   "there is no such address; openapi.yaml lists them");
}

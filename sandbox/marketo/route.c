/* Which call an address and a method mean, and by what right. What a call does is in the files
 * named after its subject. */
#include "marketo/marketo.h"

#include <string.h>

/* One word of a path may be free: it stands as {…}. */
static const struct route routes[] = {
#define CALL(method, path, serve, right, body)                                                     \
	{                                                                                          \
		method, path, serve, right, body, method " " path                                  \
	}
#define ROUTE(method, path, serve, right, body) CALL(method, "/rest/v1/" path, serve, right, body)
#define BULK(method, path, serve, right, body) CALL(method, "/bulk/v1/" path, serve, right, body)
	ROUTE("GET", "leads.json", leads_get, RIGHT_READ_LEAD, BODY_NONE),
	ROUTE("POST", "leads.json", leads_sync, RIGHT_WRITE_LEAD, BODY_JSON),
	ROUTE("DELETE", "leads.json", leads_delete, RIGHT_WRITE_LEAD, BODY_OPTIONAL),
	ROUTE("GET", "lead/{id}.json", lead_get, RIGHT_READ_LEAD, BODY_NONE),
	ROUTE("POST", "leads/delete.json", leads_delete, RIGHT_WRITE_LEAD, BODY_OPTIONAL),
	ROUTE("DELETE", "leads/delete.json", leads_delete, RIGHT_WRITE_LEAD, BODY_OPTIONAL),
	ROUTE("POST", "leads/{id}/merge.json", lead_merge, RIGHT_WRITE_LEAD, BODY_OPTIONAL),
	ROUTE("GET", "leads/partitions.json", partitions_get, RIGHT_READ_LEAD, BODY_NONE),
	ROUTE("POST", "leads/partitions.json", partitions_post, RIGHT_WRITE_LEAD, BODY_JSON),
	ROUTE("GET", "leads/describe.json", describe_get, RIGHT_READ_LEAD, BODY_NONE),
	ROUTE("GET", "leads/describe2.json", describe2_get, RIGHT_READ_LEAD, BODY_NONE),
	ROUTE("GET", "leads/schema/fields.json", schema_fields_get, RIGHT_READ_SCHEMA, BODY_NONE),
	ROUTE("POST", "leads/schema/fields.json", schema_fields_post, RIGHT_WRITE_SCHEMA,
	      BODY_JSON),
	ROUTE("GET", "leads/schema/fields/{name}.json", schema_field_get, RIGHT_READ_SCHEMA,
	      BODY_NONE),
	ROUTE("POST", "leads/schema/fields/{name}.json", schema_field_post, RIGHT_WRITE_SCHEMA,
	      BODY_JSON),
	ROUTE("GET", "activities.json", activities_get, RIGHT_READ_ACTIVITY, BODY_NONE),
	ROUTE("GET", "activities/pagingtoken.json", paging_token_get, RIGHT_READ_ACTIVITY,
	      BODY_NONE),
	ROUTE("GET", "activities/leadchanges.json", lead_changes_get, RIGHT_READ_ACTIVITY,
	      BODY_NONE),
	ROUTE("GET", "activities/deletedleads.json", deleted_leads_get, RIGHT_READ_ACTIVITY,
	      BODY_NONE),
	ROUTE("GET", "activities/types.json", activity_types_get, RIGHT_READ_ACTIVITY, BODY_NONE),
	ROUTE("POST", "activities/external.json", custom_activities_post, RIGHT_WRITE_ACTIVITY,
	      BODY_JSON),
	ROUTE("GET", "activities/external/types.json", custom_types_get, RIGHT_READ_METADATA,
	      BODY_NONE),
	ROUTE("POST", "activities/external/type.json", custom_type_post, RIGHT_WRITE_METADATA,
	      BODY_JSON),
	ROUTE("POST", "activities/external/type/{apiName}/attributes/create.json",
	      custom_attributes_post, RIGHT_WRITE_METADATA, BODY_JSON),
	ROUTE("POST", "activities/external/type/{apiName}/approve.json", custom_approve_post,
	      RIGHT_WRITE_METADATA, BODY_OPTIONAL),
	ROUTE("GET", "activities/external/type/{apiName}/describe.json", custom_describe_get,
	      RIGHT_READ_METADATA, BODY_NONE),
	ROUTE("POST", "activities/external/type/{apiName}.json", custom_update_post,
	      RIGHT_WRITE_METADATA, BODY_JSON),
	ROUTE("POST", "activities/external/type/{apiName}/attributes/update.json",
	      custom_attributes_update_post, RIGHT_WRITE_METADATA, BODY_JSON),
	ROUTE("POST", "activities/external/type/{apiName}/attributes/delete.json",
	      custom_attributes_delete_post, RIGHT_WRITE_METADATA, BODY_JSON),
	ROUTE("POST", "activities/external/type/{apiName}/discardDraft.json", custom_discard_post,
	      RIGHT_WRITE_METADATA, BODY_OPTIONAL),
	ROUTE("POST", "activities/external/type/{apiName}/delete.json", custom_delete_post,
	      RIGHT_WRITE_METADATA, BODY_OPTIONAL),
	ROUTE("GET", "lists.json", lists_get, RIGHT_READ_LEAD, BODY_NONE),
	ROUTE("GET", "lists/{id}.json", list_get, RIGHT_READ_LEAD, BODY_NONE),
	ROUTE("GET", "lists/{id}/leads.json", list_leads_get, RIGHT_READ_LEAD, BODY_NONE),
	ROUTE("GET", "list/{id}/leads.json", list_leads_get, RIGHT_READ_LEAD, BODY_NONE),
	ROUTE("POST", "lists/{id}/leads.json", list_leads_post, RIGHT_WRITE_LEAD, BODY_OPTIONAL),
	ROUTE("DELETE", "lists/{id}/leads.json", list_leads_delete, RIGHT_WRITE_LEAD,
	      BODY_OPTIONAL),
	ROUTE("GET", "lists/{id}/leads/ismember.json", list_member_get, RIGHT_READ_LEAD, BODY_NONE),
	ROUTE("GET", "leads/{id}/listMembership.json", lead_lists_get, RIGHT_READ_ASSETS,
	      BODY_NONE),
	BULK("POST", "leads/export/create.json", leads_export_create, RIGHT_READ_LEAD, BODY_JSON),
	BULK("POST", "leads/export/{exportId}/enqueue.json", leads_export_enqueue, RIGHT_READ_LEAD,
	     BODY_OPTIONAL),
	BULK("POST", "leads/export/{exportId}/cancel.json", leads_export_cancel, RIGHT_READ_LEAD,
	     BODY_OPTIONAL),
	BULK("GET", "leads/export/{exportId}/status.json", leads_export_status, RIGHT_READ_LEAD,
	     BODY_NONE),
	BULK("GET", "leads/export/{exportId}/file.json", leads_export_file, RIGHT_READ_LEAD,
	     BODY_NONE),
	BULK("GET", "leads/export.json", leads_exports_get, RIGHT_READ_LEAD, BODY_NONE),
	BULK("POST", "activities/export/create.json", activities_export_create, RIGHT_READ_ACTIVITY,
	     BODY_JSON),
	BULK("POST", "activities/export/{exportId}/enqueue.json", activities_export_enqueue,
	     RIGHT_READ_ACTIVITY, BODY_OPTIONAL),
	BULK("POST", "activities/export/{exportId}/cancel.json", activities_export_cancel,
	     RIGHT_READ_ACTIVITY, BODY_OPTIONAL),
	BULK("GET", "activities/export/{exportId}/status.json", activities_export_status,
	     RIGHT_READ_ACTIVITY, BODY_NONE),
	BULK("GET", "activities/export/{exportId}/file.json", activities_export_file,
	     RIGHT_READ_ACTIVITY, BODY_NONE),
	BULK("GET", "activities/export.json", activities_exports_get, RIGHT_READ_ACTIVITY,
	     BODY_NONE),
	BULK("POST", "leads.json", import_post, RIGHT_WRITE_LEAD, BODY_MULTIPART),
	BULK("GET", "leads/batch/{batchId}.json", import_get, RIGHT_WRITE_LEAD, BODY_NONE),
	BULK("GET", "leads/batch/{batchId}/failures.json", import_failures_get, RIGHT_WRITE_LEAD,
	     BODY_NONE),
	BULK("GET", "leads/batch/{batchId}/warnings.json", import_warnings_get, RIGHT_WRITE_LEAD,
	     BODY_NONE),
	ROUTE("GET", "companies/describe.json", companies_describe_get, RIGHT_READ_COMPANY,
	      BODY_NONE),
	ROUTE("GET", "companies/schema/fields.json", companies_schema_fields_get, RIGHT_READ_SCHEMA,
	      BODY_NONE),
	ROUTE("GET", "companies/schema/fields/{name}.json", companies_schema_field_get,
	      RIGHT_READ_SCHEMA, BODY_NONE),
	ROUTE("GET", "companies.json", companies_get, RIGHT_READ_COMPANY, BODY_NONE),
	ROUTE("POST", "companies.json", companies_sync, RIGHT_WRITE_COMPANY, BODY_JSON),
	ROUTE("POST", "companies/delete.json", companies_delete, RIGHT_WRITE_COMPANY, BODY_JSON),
	ROUTE("GET", "salespersons/describe.json", sales_persons_describe_get,
	      RIGHT_READ_SALES_PERSON, BODY_NONE),
	ROUTE("GET", "salespersons.json", sales_persons_get, RIGHT_READ_SALES_PERSON, BODY_NONE),
	ROUTE("POST", "salespersons.json", sales_persons_sync, RIGHT_WRITE_SALES_PERSON, BODY_JSON),
	ROUTE("POST", "salespersons/delete.json", sales_persons_delete, RIGHT_WRITE_SALES_PERSON,
	      BODY_JSON),
	ROUTE("GET", "campaigns.json", campaigns_get, RIGHT_READ_CAMPAIGN, BODY_NONE),
	ROUTE("GET", "campaigns/{id}.json", campaign_get, RIGHT_READ_CAMPAIGN, BODY_NONE),
	ROUTE("POST", "campaigns/{id}/trigger.json", campaign_trigger, RIGHT_RUN_CAMPAIGN,
	      BODY_JSON),
	ROUTE("POST", "campaigns/{id}/schedule.json", campaign_schedule, RIGHT_RUN_CAMPAIGN,
	      BODY_OPTIONAL),
	ROUTE("GET", "stats/usage/last7days.json", usage_week_get, 0, BODY_NONE),
	ROUTE("GET", "stats/errors/last7days.json", usage_errors_week_get, 0, BODY_NONE),
	ROUTE("GET", "stats/usage.json", usage_get, 0, BODY_NONE),
	ROUTE("GET", "stats/errors.json", usage_errors_get, 0, BODY_NONE),
};

/* Adobe: REST API, endpoint reference. A star stands for any text; the first that fits tells. */
static const struct {
	const char *pattern, *words;
} lacking[] = {
	{ "/rest/asset/*", "the sandbox has no asset API" },
	{ "/userservice/*", "the sandbox has no user management API" },
	{ "/rest/v1/leads/push.json", "the sandbox does not push leads" },
	{ "/rest/v1/leads/submitForm.json", "the sandbox has no forms to submit" },
	{ "/rest/v1/leads/*/associate.json", "the sandbox does not track web visits" },
	{ "/rest/v1/leads/programs/*", "the sandbox has no programs" },
	{ "/rest/v1/leads/*/programMembership.json", "the sandbox has no programs" },
	{ "/rest/v1/leads/*/smartCampaignMembership.json",
	  "the sandbox does not keep who is in a campaign" },
	{ "/rest/v1/programs/*", "the sandbox has no programs" },
	{ "/rest/v1/program/*", "the sandbox has no programs" },
	{ "/rest/v1/opportunities.json", "the sandbox has no opportunities" },
	{ "/rest/v1/opportunities/*", "the sandbox has no opportunities" },
	{ "/rest/v1/customobjects.json", "the sandbox has no custom objects" },
	{ "/rest/v1/customobjects/*", "the sandbox has no custom objects" },
	{ "/rest/v1/namedaccounts.json", "the sandbox has no named accounts" },
	{ "/rest/v1/namedaccounts/*", "the sandbox has no named accounts" },
	{ "/rest/v1/namedAccountLists.json", "the sandbox has no named accounts" },
	{ "/rest/v1/namedAccountList/*", "the sandbox has no named accounts" },
	{ "/rest/v1/salespersons/schema/*", "the sandbox does not show that schema" },
	{ "/bulk/v1/customobjects/*", "the sandbox has no custom objects" },
	{ "/bulk/v1/program/members/*", "the sandbox has no programs" },
	{ "/bulk/v1/program/*", "the sandbox has no programs" },
};

enum { ROUTE_COUNT = sizeof(routes) / sizeof(routes[0]) };

/* GET and DELETE may come as POST with the real method in the query. Adobe: REST API, long
 * addresses. */
static const char *method_meant(const struct web_request *request)
{
	static const char *const meant[] = { "GET", "DELETE" };
	struct text word = { 0 };
	const char *method = request->method;

	if (strcmp(method, "POST") == 0 && web_param(request->query, "_method", 0, &word))
		for (size_t i = 0; i < sizeof(meant) / sizeof(meant[0]); i++)
			if (strcmp(word.data, meant[i]) == 0)
				method = meant[i];
	text_free(&word);
	return method;
}

/* Takes the free word where there is one. */
static bool path_matches(const char *pattern, const char *path, struct text *word)
{
	const char *brace = strchr(pattern, '{');
	const char *rest = brace ? strchr(brace, '}') + 1 : NULL;
	size_t head, len, path_len = strlen(path);

	if (!brace)
		return strcmp(pattern, path) == 0;
	head = (size_t)(brace - pattern);
	if (path_len <= head + strlen(rest) || strncmp(pattern, path, head) != 0 ||
	    strcmp(path + path_len - strlen(rest), rest) != 0)
		return false;
	len = path_len - head - strlen(rest);
	if (memchr(path + head, '/', len))
		return false;
	text_clear(word);
	text_url_decode(word, path + head, len, false);
	return true;
}

/* Folded as the server does before it looks. */
static const char *path_meant(const struct web_request *request)
{
	return strncmp(request->path, "/rest/../", 9) == 0 ? request->path + strlen("/rest/..")
							   : request->path;
}

const char *route_lacking(const struct web_request *request)
{
	const char *path = path_meant(request);
	size_t len = strlen(path);

	for (size_t i = 0; i < sizeof(lacking) / sizeof(lacking[0]); i++) {
		const char *star = strchr(lacking[i].pattern, '*');
		size_t head = strcspn(lacking[i].pattern, "*");
		size_t tail = star ? strlen(star + 1) : 0;

		if (strncmp(path, lacking[i].pattern, head) == 0 &&
		    (star ? len > head + tail && strcmp(path + len - tail, star + 1) == 0
			  : len == head))
			return lacking[i].words;
	}
	return NULL;
}

const struct route *route_find(const struct web_request *request, struct text *word,
			       bool *ret_known)
{
	const char *method = method_meant(request);
	const struct route *found = NULL;
	const char *path = path_meant(request);

	*ret_known = false;
	for (int i = 0; i < ROUTE_COUNT; i++) {
		bool exact = !strchr(routes[i].path, '{');

		if ((found && !exact) || !path_matches(routes[i].path, path, word))
			continue;
		*ret_known = true;
		if (strcmp(routes[i].method, method) == 0)
			found = &routes[i];
	}
	return found;
}

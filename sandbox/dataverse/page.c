/* Pages of a long answer: their size, and the link to the next one. The token in a link is opaque
 * to clients; decoded once it looks like the vendor's paging cookie. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataverse/dataverse.h"

int page_size(const struct call *c)
{
	int wanted = c->prefer.page_size, most = c->dataverse->settings.page_rows;

	return wanted > 0 && wanted < most ? wanted : most;
}

static bool cookie_read(const char *cookie, struct page_position *ret)
{
	unsigned long long at, version;
	char tracking[8];
	int deleted, used = 0;

	if (sscanf(cookie,
		   "<cookie pagenumber=\"%u\" pagingcookie=\"%16llx%16llx%1d\" istracking=\"%5[A-Za-z]\" />%n",
		   &ret->page, &at, &version, &deleted, tracking, &used) != 5 ||
	    !used || cookie[used])
		return false;
	ret->at = at;
	ret->version = version;
	ret->deleted = deleted;
	ret->tracking = strcmp(tracking, "True") == 0;
	return true;
}

bool page_read(struct call *c, struct page_position *ret)
{
	struct text cookie = { 0 };
	bool good = true;

	*ret = (struct page_position){ .page = 1, .version = c->dataverse->store.version };
	if (call_option(c, "$skiptoken", &cookie))
		good = cookie.len && cookie_read(cookie.data, ret);
	text_free(&cookie);
	return good || call_refuse(c, 400, ODATA_ERROR,
				   "Malformed skip token: the paging cookie could not be read.");
}

/* The query as it was asked, without its skip token. */
static void add_query(const char *query, struct text *out)
{
	while (*query) {
		size_t len = strcspn(query, "&");

		if (strncmp(query, "$skiptoken=", 11) != 0 &&
		    strncasecmp(query, "%24skiptoken=", 13) != 0) {
			text_add(out, query, len);
			text_puts(out, "&");
		}
		query += len + (query[len] == '&');
	}
}

void page_link(struct call *c, const struct page_position *next, struct text *out)
{
	text_printf(out, "http://%s%s?", c->request->host, c->request->path);
	add_query(c->request->query, out);
	text_printf(
		out,
		"$skiptoken=%%3Ccookie%%20pagenumber=%%22%u%%22%%20pagingcookie=%%22%016llx%016llx%d%%22%%20istracking="
		"%%22%s%%22%%20/%%3E",
		next->page, (unsigned long long)next->at, (unsigned long long)next->version,
		next->deleted, next->tracking ? "True" : "False");
}

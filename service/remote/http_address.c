/* The origin an address names; see http_address.h. Must not know what is sent there. */
#include "remote/http_address.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <strings.h>

#include "base/buf.h"

static bool http_is_loopback(const char *host)
{
	char bare[64] = "";
	size_t n = strlen(host);
	struct in6_addr six;
	struct in_addr four;

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (n > 2 && n < sizeof(bare) && host[0] == '[' && host[n - 1] == ']')
		memcpy(bare, host + 1, n - 2);
	if (bare[0])
		return inet_pton(AF_INET6, bare, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
	return inet_pton(AF_INET, host, &four) == 1 && (ntohl(four.s_addr) >> 24) == 127;
}

char *http_address_origin(const char *url, bool *ret_is_plain, bool *ret_is_loopback)
{
	CURLU *parts = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL, *user = NULL;
	struct buf text = { 0 };

	if (!parts || curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) ||
	    curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) ||
	    curl_url_get(parts, CURLUPART_HOST, &host, 0))
		goto done;
	(void)curl_url_get(parts, CURLUPART_USER, &user, 0);
	(void)curl_url_get(parts, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT);
	*ret_is_plain = strcasecmp(scheme, "http") == 0;
	*ret_is_loopback = http_is_loopback(host);
	if (user || (!*ret_is_plain && strcasecmp(scheme, "https") != 0))
		goto done;
	buf_fmt(&text, "%s://%s%s%s", scheme, host, port ? ":" : "", port ? port : "");
	for (size_t i = 0; i < text.len; i++)
		text.data[i] = (char)(text.data[i] >= 'A' && text.data[i] <= 'Z' ? text.data[i] + 32
										 : text.data[i]);
done:
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_free(user);
	curl_url_cleanup(parts);
	return text.data;
}

/* One exchange on one curl handle; see http_transfer.h.
 * Must not know threads, queues or budgets, nor what the bytes mean. */
#include "remote/http_transfer.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

#ifndef TANDEM_VERSION
#define TANDEM_VERSION "0.1.0"
#endif

enum {
	HTTP_TIMEOUT_MS = 60 * 1000,
	HTTP_CONNECT_MS = 10 * 1000,
	HTTP_IDLE_CONNECTION_S = 55, /* servers close idle connections after a minute or more */
};

static void http_keep_text(char *ret, size_t size, struct str value)
{
	/* A value that does not fit is of no use cut: then there is none. */
	size_t n = value.n < size ? value.n : 0;

	memcpy(ret, value.p, n);
	ret[n] = '\0';
}

/* Seconds or a date (RFC 9110, 10.2.3). */
static int64_t http_retry_after_ms(struct str value)
{
	char text[64];
	int64_t ms = -1;
	time_t at;

	if (str_decimal_ms(value, &ms))
		return ms;
	http_keep_text(text, sizeof(text), value);
	at = curl_getdate(text, NULL);
	if (at == -1)
		return -1;
	ms = (int64_t)at * 1000 - clock_wall_ms();
	return ms > 0 ? ms : 0;
}

static void http_header(struct http_exchange *x, struct str name, struct str value)
{
	const struct {
		struct str name;
		char *text;
		size_t size;
	} texts[] = {
		{ STR("Content-Type"), x->content_type, sizeof(x->content_type) },
		{ STR("Content-Range"), x->content_range, sizeof(x->content_range) },
		{ STR("ETag"), x->etag, sizeof(x->etag) },
		{ STR("Location"), x->location, sizeof(x->location) },
		{ STR("OData-EntityId"), x->entity_id, sizeof(x->entity_id) },
	};
	int64_t hint;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (str_equal_fold(name, texts[i].name))
			http_keep_text(texts[i].text, texts[i].size, value);
	}
	if (str_equal_fold(name, STR("Retry-After")))
		x->retry_after_ms = http_retry_after_ms(value);
	if (str_equal_fold(name, STR("x-ms-dop-hint")) && str_int64(value, 0, 10000, &hint))
		x->dop_hint = (int)hint;
}

static void http_answer_clear(struct http_exchange *x)
{
	x->content_type[0] = x->content_range[0] = x->etag[0] = x->location[0] = x->entity_id[0] =
		'\0';
	x->retry_after_ms = -1;
	x->dop_hint = 0;
}

static size_t http_on_header(char *data, size_t size, size_t count, void *context)
{
	struct http_transfer *t = context;
	struct str value = { data, size * count };
	struct str name;

	/* An interim answer (100) has headers of its own: every status line begins anew. */
	if (str_starts(value, STR("HTTP/"))) {
		http_answer_clear(t->exchange);
		return size * count;
	}
	name = str_cut(&value, ':');
	http_header(t->exchange, str_trim(name), str_trim(value));
	return size * count;
}

static size_t http_on_body(char *data, size_t size, size_t count, void *context)
{
	struct http_transfer *t = context;
	struct buf *in = &t->exchange->body_in;

	buf_add(in, (struct str){ data, size * count });
	return in->full ? 0 : size * count;
}

/* The body goes through a callback without a way back on purpose. When a kept connection turns out
 * to be dead, curl sends the request again by itself; with bytes of the body gone it cannot, and
 * whoever asked decides whether a repeat is safe. */
static size_t http_on_send(char *room, size_t size, size_t count, void *context)
{
	struct http_transfer *t = context;
	struct str body = t->exchange->body;
	size_t n = body.n - t->body_sent;

	if (n > size * count)
		n = size * count;
	memcpy(room, body.p + t->body_sent, n);
	t->body_sent += n;
	return n;
}

CURL *http_transfer_handle(bool is_plain)
{
	CURL *easy = curl_easy_init();

	if (!easy)
		return NULL;
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, is_plain ? "http" : "https");
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	(void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
	(void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "tandem/" TANDEM_VERSION);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS);
	(void)curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)HTTP_IDLE_CONNECTION_S);
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_on_header);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_on_body);
	(void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, http_on_send);
	/* A proxy from the environment may lead out of a company network; it has no place before a
	 * loopback address. */
	if (is_plain)
		(void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
	return easy;
}

static void http_transfer_method(struct http_transfer *t)
{
	const struct http_exchange *x = t->exchange;

	if (x->body.p && x->body.n) {
		(void)curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, NULL);
		(void)curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->body.n);
	} else if (x->body.p || strcmp(x->method, "POST") == 0) {
		(void)curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
		(void)curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, "");
	} else {
		(void)curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
	}
	(void)curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, x->method);
}

static bool http_transfer_headers(struct http_transfer *t)
{
	struct curl_slist *next = curl_slist_append(NULL, "Expect:");

	for (const char *const *h = t->exchange->headers; next && h && *h; h++) {
		t->headers = next;
		next = curl_slist_append(t->headers, *h);
	}
	if (!next)
		return false;
	t->headers = next;
	return curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK;
}

bool http_transfer_start(struct http_transfer *t, const char *origin, int64_t now_ms)
{
	struct http_exchange *x = t->exchange;
	int64_t timeout_ms = x->timeout_ms > 0 ? x->timeout_ms : HTTP_TIMEOUT_MS;
	struct buf url = { 0 };

	x->started_ms = now_ms;
	if (x->deadline_ms > 0 && x->deadline_ms - now_ms < timeout_ms)
		timeout_ms = x->deadline_ms - now_ms > 1 ? x->deadline_ms - now_ms : 1;
	/* The answer's ceiling is x->answer_max; buf takes 0 as its own default, which is the same
	 * 64 MiB. */
	buf_clear(&x->body_in);
	x->body_in.max = x->answer_max;
	if (x->path[0] == '/')
		buf_text(&url, origin);
	buf_text(&url, x->path);
	t->url = mem_text(buf_cstr(&url));
	buf_release(&url);
	http_transfer_method(t);
	(void)curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	(void)curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
	(void)curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	(void)curl_easy_setopt(t->easy, CURLOPT_READDATA, t);
	(void)curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	if (!http_transfer_headers(t) ||
	    curl_easy_setopt(t->easy, CURLOPT_URL, t->url) != CURLE_OK) {
		x->kind = err_set(&x->err, ERR_OURS, "curl refused a request to %s", origin);
		return false;
	}
	return true;
}

/* Trouble below HTTP: what it means and whether the server may have read the whole request all the
 * same. The address is not quoted: its query may hold a secret. */
static enum err_kind http_trouble(CURLcode code)
{
	switch ((int)code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
		return ERR_BROKEN;
	case CURLE_URL_MALFORMAT:
	case CURLE_BAD_FUNCTION_ARGUMENT:
		return ERR_OURS;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_UNSUPPORTED_PROTOCOL: /* an answer that is not HTTP at all */
		return ERR_RUBBISH;
	default: /* several dozen codes, all of them connection trouble */
		return ERR_RETRY_LATER;
	}
}

/* Whether the server may have the whole request. curl's own counters start anew when it changes to
 * another connection, so what it has fetched from us counts: a server that lacks a part of the body
 * cannot have acted on it. */
static bool http_was_sent(const struct http_transfer *t, CURLcode code)
{
	if (t->exchange->body.n)
		return t->body_sent >= t->exchange->body.n;
	return code != CURLE_COULDNT_CONNECT && code != CURLE_COULDNT_RESOLVE_HOST &&
	       code != CURLE_COULDNT_RESOLVE_PROXY && code != CURLE_SSL_CONNECT_ERROR &&
	       code != CURLE_PEER_FAILED_VERIFICATION;
}

void http_transfer_end(struct http_transfer *t, CURLcode code)
{
	struct http_exchange *x = t->exchange;
	curl_off_t took_us = 0;
	long status = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &took_us);
	x->took_ms = (int64_t)took_us / 1000;
	if (code == CURLE_OK) {
		x->status = (int)status;
		x->was_sent = true;
		x->kind = ERR_NONE;
		return;
	}
	x->was_sent = http_was_sent(t, code) || status > 0;
	if (x->body_in.full)
		x->kind = err_set(&x->err, ERR_RUBBISH, "the answer is larger than %zu bytes",
				  x->answer_max ? x->answer_max : (size_t)BUF_MAX_DEFAULT);
	else
		x->kind = err_set(&x->err, http_trouble(code), "%s",
				  code == CURLE_SEND_FAIL_REWIND
					  ? "the connection ended before an answer came"
					  : curl_easy_strerror(code));
	x->err.http_status = (int)status;
	buf_release(&x->body_in);
}

void http_transfer_release(struct http_transfer *t)
{
	curl_slist_free_all(t->headers);
	free(t->url);
	t->headers = NULL;
	t->url = NULL;
}

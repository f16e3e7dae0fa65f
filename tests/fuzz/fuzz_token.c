/* Any bytes as the answer of either sign-in: a token that may stand in a header line, or none. */
#include <stdlib.h>

#include "remote/dynamics_token.h"
#include "remote/marketo_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_fit_a_header(struct str token)
{
	if (!token.n)
		abort();
	for (size_t i = 0; i < token.n; i++)
		if (token.p[i] <= ' ' || token.p[i] > '~')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = { 400, 401, 429, 503 };
	CLEANUP(buf_release) struct buf token = { 0 };
	struct str text = { (const char *)data, size };
	char short_token[MARKETO_TOKEN_MAX], login[MARKETO_LOGIN_MAX];
	int64_t seconds = -1;

	if (marketo_token_read(200, text, short_token, login, &seconds, NULL) == ERR_NONE) {
		must_fit_a_header(str_of(short_token));
		if (seconds < 0)
			abort();
	}
	if (dynamics_token_take(text, &token, &seconds, NULL) == ERR_NONE) {
		must_fit_a_header(buf_str(&token));
		if (seconds < 0)
			abort();
	}
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		struct err err;
		bool may_repeat;

		if (dynamics_token_judge(statuses[i], text, &may_repeat, &err) == ERR_NONE ||
		    marketo_token_read(statuses[i], text, short_token, login, &seconds, NULL) ==
			    ERR_NONE)
			abort();
	}
	return 0;
}

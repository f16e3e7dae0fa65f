/* Any bytes as the body of a refusal, whatever its status: always an error, and never with an
 * e-mail address in it (INV-PRIVATE). */
#include <stdlib.h>

#include "remote/dynamics_err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = { 302, 400, 401, 403, 404, 405, 408, 412,
					413, 429, 500, 501, 503, 504, 999 };
	static const struct str columns[] = { STR("lastname"), STR("jobtitle"), STR("x") };
	struct str text = { (const char *)data, size };

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		struct dynamics_answer answer = { statuses[i], -1, text };
		enum dynamics_repeat repeat;
		struct err err;
		enum err_kind kind = dynamics_err_judge(&answer, &repeat, &err);

		if (kind == ERR_NONE || kind != err.kind || !err.text[0] || strchr(err.text, '@'))
			abort();
		dynamics_err_scrub(&err, columns, ARRAY_LEN(columns));
		(void)dynamics_err_of_reading(kind, statuses[i]);
	}
	if (dynamics_err_blames(text, columns, ARRAY_LEN(columns)) >= (int)ARRAY_LEN(columns))
		abort();
	return 0;
}

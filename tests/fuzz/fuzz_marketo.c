/* Any bytes as Marketo's answer: an outcome, never a crash; success only when the answer says so. */
#include <stdlib.h>

#include "remote/marketo_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err_kind element(void *context, struct json_object *value, struct err *err)
{
	struct err of_record = { .kind = ERR_NONE };
	bool was_created;
	int64_t id;

	(void)context;
	(void)err;
	(void)marketo_record_read(value, &id, &was_created, &of_record);
	return ERR_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct marketo_sink sink = { .element = element };
	struct marketo_answer answer = { .has_success = false };
	enum marketo_reaction reaction;
	struct err err = { .kind = ERR_NONE };
	enum err_kind kind = marketo_answer_read(text, &sink, &answer, &reaction, &err);

	if (kind == ERR_NONE && reaction != MARKETO_EMPTY && !answer.is_success)
		abort();
	marketo_answer_release(&answer);
	return 0;
}

/* One JSON object a line on standard error: time, level, event, then fields.
 * The only place that logs is called by sync, api and app; the layers below return errors (see
 * err.h). INV-PRIVATE: fields carry ids, counts, codes and names of fields, never a person's value,
 * a secret or a token. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVEL_COUNT };

struct log_field {
	const char *name; /* NULL ends a list */
	enum { LOG_FIELD_TEXT, LOG_FIELD_NUMBER, LOG_FIELD_ERR } kind;
	const char *text; /* NULL prints null */
	int64_t number;
	const struct err *err; /* prints error, code, status and text */
};

#define LOG_TEXT(field, value)                                                                     \
	{                                                                                          \
		.name = (field), .kind = LOG_FIELD_TEXT, .text = (value)                           \
	}
#define LOG_NUMBER(field, value)                                                                   \
	{                                                                                          \
		.name = (field), .kind = LOG_FIELD_NUMBER, .number = (int64_t)(value)              \
	}
#define LOG_ERR(value)                                                                             \
	{                                                                                          \
		.name = "error", .kind = LOG_FIELD_ERR, .err = (value)                             \
	}

void log_set_level(enum log_level level);
bool log_level_parse(struct str name, enum log_level *ret); /* debug, info, warn, error */
void log_write(enum log_level level, const char *event, const struct log_field *fields);

/* log_info("cycle_finished", LOG_NUMBER("cycle", 12), LOG_TEXT("result", "ok")); */
#define log_fields_(level, event, ...)                                                             \
	log_write(level, event,                                                                    \
		  (const struct log_field[]){ __VA_ARGS__ __VA_OPT__(, ){ .name = NULL } })
#define log_debug(event, ...) log_fields_(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_fields_(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) log_fields_(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_fields_(LOG_ERROR, event, __VA_ARGS__)

#endif

/* Names of error kinds, and the one way to fill struct err. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

#define ERR_NAME(kind, name, text) [ERR_##kind] = name,
static const char *const err_names[ERR_KIND_COUNT] = { ERR_KINDS(ERR_NAME) };
#undef ERR_NAME

const char *err_kind_name(enum err_kind kind)
{
	return kind < ERR_KIND_COUNT ? err_names[kind] : "unknown";
}

enum err_kind err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return kind;
	*err = (struct err){ .kind = kind, .retry_after_ms = -1 };
	va_start(args, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	return kind;
}

/* Structured log lines. */
#include "base/log.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

static const char *const log_level_names[LOG_LEVEL_COUNT] = { "debug", "info", "warn", "error" };
static atomic_int log_threshold = LOG_INFO;

void log_set_level(enum log_level level)
{
	atomic_store(&log_threshold, (int)level);
}

bool log_level_parse(struct str name, enum log_level *ret)
{
	for (int i = 0; i < LOG_LEVEL_COUNT; i++) {
		if (str_equal(name, str_of(log_level_names[i]))) {
			*ret = (enum log_level)i;
			return true;
		}
	}
	return false;
}

static void log_member(struct buf *line, const char *name, const char *value)
{
	buf_char(line, ',');
	buf_json(line, str_of(name));
	buf_char(line, ':');
	if (value)
		buf_json(line, str_of(value));
	else
		buf_text(line, "null");
}

static void log_number(struct buf *line, const char *name, int64_t number)
{
	buf_char(line, ',');
	buf_json(line, str_of(name));
	buf_fmt(line, ":%" PRId64, number);
}

static void log_error_members(struct buf *line, const struct err *err)
{
	log_member(line, "error", err_kind_name(err->kind));
	if (err->code[0])
		log_member(line, "code", err->code);
	if (err->http_status)
		log_number(line, "status", err->http_status);
	if (err->field[0])
		log_member(line, "field", err->field);
	if (err->retry_after_ms >= 0)
		log_number(line, "retryAfterMs", err->retry_after_ms);
	log_member(line, "detail", err->text);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
	CLEANUP(buf_release) struct buf line = { .max = 16 * 1024 };
	char now[CLOCK_TEXT];

	if ((int)level < atomic_load(&log_threshold))
		return;
	clock_print_ms(clock_wall_ms(), now);
	buf_fmt(&line, "{\"time\":\"%s\",\"level\":\"%s\"", now, log_level_names[level]);
	log_member(&line, "event", event);
	for (; fields->name; fields++) {
		if (fields->kind == LOG_FIELD_NUMBER)
			log_number(&line, fields->name, fields->number);
		else if (fields->kind == LOG_FIELD_ERR)
			log_error_members(&line, fields->err);
		else
			log_member(&line, fields->name, fields->text);
	}
	buf_text(&line, "}\n");
	/* One write a line keeps lines of several threads apart; a log that cannot be written is no
	 * reason to stop. */
	if (!line.full)
		(void)!write(STDERR_FILENO, line.data, line.len);
}

/* Reading of multipart/mixed; see multipart.h. */
#include "remote/multipart.h"

#include <stdio.h>

/* The part of s before the needle, *rest what is behind it; false and nothing changed when it is
 * not there. */
static bool split(struct str s, struct str needle, struct str *before, struct str *rest)
{
	const char *at = s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;

	if (!at)
		return false;
	*before = (struct str){ s.p, (size_t)(at - s.p) };
	*rest = (struct str){ at + needle.n, s.n - before->n - needle.n };
	return true;
}

/* Lines end in CRLF by the standard; a lone LF is taken too. */
static struct str take_line(struct str *rest)
{
	struct str line = str_cut(rest, '\n');

	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* The header lines up to the blank line; *rest becomes what is behind it. */
static struct str take_headers(struct str *rest)
{
	struct str block = *rest;

	while (rest->n) {
		const char *line_start = rest->p;

		if (!take_line(rest).n) {
			block.n = (size_t)(line_start - block.p);
			return block;
		}
	}
	return block;
}

struct str multipart_header(struct str block, struct str name)
{
	while (block.n) {
		struct str line = take_line(&block);
		struct str field = str_cut(&line, ':');

		if (str_equal_fold(str_trim(field), name))
			return str_trim(line);
	}
	return (struct str){ NULL, 0 };
}

static bool open_level(struct multipart_level *level, struct str content_type, struct str body)
{
	struct str parameters = content_type;
	struct str type = str_trim(str_cut(&parameters, ';'));

	if (!str_equal_fold(type, STR("multipart/mixed")))
		return false;
	while (parameters.n) {
		struct str value = str_cut(&parameters, ';');
		struct str name = str_trim(str_cut(&value, '='));

		value = str_trim(value);
		if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
			value = (struct str){ value.p + 1, value.n - 2 };
		if (!str_equal_fold(name, STR("boundary")) || !value.n ||
		    value.n > MULTIPART_BOUNDARY_MAX)
			continue;
		*level = (struct multipart_level){ .rest = body };
		snprintf(level->delimiter, sizeof(level->delimiter), "--" STR_FMT, STR_ARG(value));
		return true;
	}
	return false;
}

bool multipart_start(struct multipart *m, struct str content_type, struct str body)
{
	*m = (struct multipart){ .is_complete = false };
	return open_level(&m->outer, content_type, body);
}

/* Everything up to the next delimiter that stands at the start of a line and is not the start of a
 * longer word. *ret_is_last tells whether it was the closing one. */
static bool take_until_delimiter(struct multipart_level *level, struct str *ret, bool *ret_is_last)
{
	struct str delimiter = str_of(level->delimiter), rest = level->rest, before;
	const char *start = rest.p;

	while (split(rest, delimiter, &before, &rest)) {
		const char *at = rest.p - delimiter.n;
		bool is_last = str_starts(rest, STR("--"));

		if (at != start && at[-1] != '\n')
			continue;
		if (!is_last && (!rest.n || !strchr("\r\n \t", rest.p[0]) || !rest.p[0]))
			continue;
		*ret = (struct str){ start, (size_t)(at - start) };
		if (ret->n && ret->p[ret->n - 1] == '\n')
			ret->n--;
		if (ret->n && ret->p[ret->n - 1] == '\r')
			ret->n--;
		(void)take_line(&rest);
		level->rest = rest;
		*ret_is_last = is_last;
		return true;
	}
	return false;
}

/* The next raw part of a level; false at its end. */
static bool next_raw(struct multipart_level *level, struct str *ret, bool *ret_is_complete)
{
	bool is_last = false;

	if (!level->delimiter[0])
		return false;
	if (!level->is_open) {
		if (!take_until_delimiter(level, ret, &is_last))
			return false;
		level->is_open = !is_last;
	}
	if (!level->is_open || !take_until_delimiter(level, ret, &is_last)) {
		*ret_is_complete = is_last;
		level->delimiter[0] = '\0';
		return false;
	}
	if (is_last) {
		*ret_is_complete = true;
		level->delimiter[0] = '\0';
	}
	return true;
}

static int read_status(struct str line)
{
	int64_t status;

	if (!str_starts(line, STR("HTTP/")))
		return 0;
	(void)str_cut(&line, ' ');
	line = str_trim(line);
	return str_int64(str_cut(&line, ' '), 100, 999, &status) ? (int)status : 0;
}

static void read_part(struct str raw, struct multipart_part *ret)
{
	struct str headers = take_headers(&raw), inner, wait;

	*ret = (struct multipart_part){ .retry_after_ms = -1 };
	ret->content_id = multipart_header(headers, STR("content-id"));
	ret->status = read_status(take_line(&raw));
	inner = take_headers(&raw);
	ret->content_type = multipart_header(inner, STR("content-type"));
	ret->etag = multipart_header(inner, STR("etag"));
	wait = multipart_header(inner, STR("retry-after"));
	if (!str_decimal_ms(wait, &ret->retry_after_ms))
		ret->retry_after_ms = -1;
	ret->body = str_trim(raw);
}

bool multipart_next(struct multipart *m, struct multipart_part *ret)
{
	struct str raw = STR(""), rest, type;
	bool ignored;

	for (;;) {
		if (next_raw(&m->set, &raw, &ignored)) {
			read_part(raw, ret);
			ret->is_in_set = true;
			return true;
		}
		if (!next_raw(&m->outer, &raw, &m->is_complete))
			return false;
		rest = raw;
		type = multipart_header(take_headers(&rest), STR("content-type"));
		if (!open_level(&m->set, type, rest)) {
			read_part(raw, ret);
			return true;
		}
	}
}

/* Reading scenes; see scene.h. */
#include "scene.h"

#include <stdio.h>

#include "tests/unit/unit.h"

struct str scene_file(struct arena *a, const char *path)
{
	CLEANUP(buf_release) struct buf text = { 0 };
	FILE *file = fopen(path, "rb");
	char some[4096];
	size_t n;

	if (!file)
		fail_msg("%s cannot be read", path);
	while ((n = fread(some, 1, sizeof(some), file)) > 0)
		buf_add(&text, (struct str){ some, n });
	(void)fclose(file);
	return arena_str(a, buf_str(&text));
}

static struct str word(struct str *rest)
{
	struct str w = str_cut(rest, ' ');

	*rest = str_trim(*rest);
	return w;
}

static void add(struct scene *s, struct str *list, size_t *count, struct str item)
{
	if (*count == SCENE_LIST_MAX)
		fail_msg("%s: too many lines of a kind", s->name);
	list[(*count)++] = item;
}

static const char *file_of(struct scene *s, const char *folder, struct str name)
{
	const char *side_end = strchr(s->name, '/');

	return arena_fmt(&s->memory, "%s/%.*s/" STR_FMT, folder, (int)(side_end - s->name), s->name,
			 STR_ARG(name));
}

static void add_answer(struct scene *s, const char *folder, struct str name)
{
	if (s->answer_count == SCENE_LIST_MAX)
		fail_msg("%s: too many answers", s->name);
	s->answers[s->answer_count++] = file_of(s, folder, name);
}

static void add_other(struct scene *s, const char *folder, struct str rest)
{
	struct str text = word(&rest);

	if (s->other_count == SCENE_LIST_MAX)
		fail_msg("%s: too many answers", s->name);
	s->others[s->other_count++] = (struct scene_answer){ text, file_of(s, folder, rest) };
}

static void take_line(struct scene *s, const char *folder, struct str line)
{
	struct str rest = line, what = word(&rest);

	if (str_equal(what, STR("do"))) {
		s->act = word(&rest);
		s->arguments = rest;
	} else if (str_equal(what, STR("show"))) {
		s->show = rest;
	} else if (str_equal(what, STR("for"))) {
		s->own = rest;
	} else if (str_equal(what, STR("origin"))) {
		s->origin = rest;
	} else if (str_equal(what, STR("then"))) {
		add_answer(s, folder, rest);
	} else if (str_equal(what, STR("answer"))) {
		add_other(s, folder, rest);
	} else if (str_equal(what, STR("write"))) {
		add(s, s->writes, &s->write_count, rest);
	} else if (str_equal(what, STR("never"))) {
		add(s, s->never, &s->never_count, rest);
	} else if (!str_equal(what, STR("length")) || !str_int64(rest, 0, INT32_MAX, &s->length)) {
		fail_msg("%s: no such line: " STR_FMT, s->name, STR_ARG(line));
	}
}

static void take_lines(struct scene *s, const char *folder, struct str text)
{
	while (text.n) {
		struct str line = str_trim(str_cut(&text, '\n'));

		if (str_equal(line, STR("--"))) {
			s->outcome = text;
			return;
		}
		if (line.n && line.p[0] != '#')
			take_line(s, folder, line);
	}
}

void scene_load(struct scene *s, const char *folder, const char *name)
{
	struct arena *a = &s->memory;
	const char *short_name;

	*s = (struct scene){ .name = name,
			     .origin = STR("https://contoso.crm4.dynamics.example"),
			     .length = -1 };
	short_name = strchr(name, '/') + 1;
	add_answer(s, folder, str_of(arena_fmt(a, "%s.http", short_name)));
	take_lines(s, folder, scene_file(a, arena_fmt(a, "%s/%s.expect", folder, name)));
	s->first_usual = s->other_count;
	take_lines(s, folder, scene_file(a, file_of(s, folder, STR("usual/answers"))));
	if (!s->act.n)
		fail_msg("%s: nothing to do", name);
}

void scene_release(struct scene *s)
{
	arena_release(&s->memory);
}

/* An answer and what must come out of it: NAME.http, as it came over the wire, and
 * NAME.expect beside it. How both are written is told in README.md. Knows nothing of the remotes. */
#ifndef TESTS_REPLAY_SCENE_H
#define TESTS_REPLAY_SCENE_H

#include "base/arena.h"
#include "base/buf.h"

enum { SCENE_LIST_MAX = 32 };

/* Answered with that file when the text is part of the request line. */
struct scene_answer {
	struct str text;
	const char *file;
};

struct scene {
	struct arena memory; /* owns everything below */
	const char *name;    /* "marketo/read-two" */
	struct str act, arguments;
	struct str show;   /* names of fields or columns, separated by blanks */
	struct str own;    /* requests the own answers are for; empty: all that are left */
	struct str origin; /* the address the answers come from */
	int64_t length;    /* Content-Length of NAME.http, when it is not the true one; -1 */
	const char *answers[SCENE_LIST_MAX]; /* own answers, one after the other */
	size_t answer_count;
	struct scene_answer others[SCENE_LIST_MAX];
	size_t other_count, first_usual; /* the scene's own ones come before its `for` */
	struct str writes[SCENE_LIST_MAX];
	size_t write_count;
	struct str never[SCENE_LIST_MAX]; /* what no error may say */
	size_t never_count;
	struct str outcome;
};

/* Ends the test when a file is missing or a line of it is none. folder: where the scenes lie. */
void scene_load(struct scene *s, const char *folder, const char *name);
void scene_release(struct scene *s);

/* A whole file; ends the test when it cannot be read. */
struct str scene_file(struct arena *a, const char *path);

#endif

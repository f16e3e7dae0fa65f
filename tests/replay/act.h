/* What a scene does with a remote, and what came out of it in words. */
#ifndef TESTS_REPLAY_ACT_H
#define TESTS_REPLAY_ACT_H

#include "remote/remote.h"
#include "scene.h"

struct stage {
	const struct scene *scene; /* foreign */
	struct remote remote;
	struct mapping *mapping;
	const char *url; /* of our server, shown as the scene's origin */
	struct arena memory;
	struct buf out;  /* what came out; owned */
	struct buf said; /* the texts of all errors; owned */
};

/* Ends the test when the scene wants something that is not to be had. */
void act(struct stage *g);

#endif

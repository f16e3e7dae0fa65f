/* The program: reads its few options, starts the two listeners, loads people, serves until told to
 * stop. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/state.h"
#include "control/calls.h"
#include "control/control.h"
#include "control/front.h"
#include "control/people.h"

/* What Dynamics takes, as observed (Microsoft Learn: Compose HTTP requests and handle errors tells
 * the 413 only); Marketo's smaller limits are its side's own. */
#define BODY_MAX ((size_t)128 * 1024 * 1024)

enum exit_code { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct options {
	uint16_t marketo_port, dynamics_port;
	const char *people, *state;
	bool help;
};

static const char usage[] =
	"usage: tandem-sandbox [--marketo-port N] [--dynamics-port N] [--people FILE.csv | --state FILE]\n"
	"       tandem-sandbox help\n"
	"\n"
	"Imitates the Marketo Engage REST API and the Dataverse Web API, with the places that give\n"
	"their tokens, on 127.0.0.1. When ready, two lines on the standard output tell the addresses:\n"
	"  marketo http://127.0.0.1:40001\n"
	"  dynamics http://127.0.0.1:40002\n"
	"It serves until SIGINT or SIGTERM and keeps everything in memory.\n"
	"\n"
	"Options\n"
	"  --marketo-port N    listen there; 0, the default, picks a free port\n"
	"  --dynamics-port N   the same for the Dynamics side\n"
	"  --people FILE.csv   begin with these people; the column \"where\" says on which sides\n"
	"  --state FILE        begin with what POST /_sandbox/save has written\n"
	"\n"
	"Control, on both addresses; JSON in and out\n"
	"  POST /_sandbox/reset         as just started, without people\n"
	"  POST /_sandbox/seed          {\"persons\": n, \"contacts\": n, \"leads\": n, \"seed\": s}\n"
	"  GET, POST /_sandbox/faults   rules: which calls fail, and how\n"
	"  POST /_sandbox/limits        {\"marketo\": {...}, \"dynamics\": {...}}: limits and settings\n"
	"  POST /_sandbox/clock         {\"advanceSeconds\": n}\n"
	"  GET /_sandbox/calls          calls by user and endpoint\n"
	"  POST /_sandbox/calls/reset   forgets them and the log\n"
	"  GET /_sandbox/log?limit=n    the last calls in order\n"
	"  GET, POST /_sandbox/campaigns  {\"name\": ..., \"type\": \"trigger\" or \"batch\", \"webhook\" or\n"
	"                               \"flowStep\": {...}}: a campaign of Marketo and what it does\n"
	"  POST /_sandbox/campaigns/{id}/run  {\"people\": [ids]}: runs it and tells what came back\n"
	"  GET /_sandbox/campaigns/{id}/run/{n}  looks at a run again\n"
	"  GET, POST /_sandbox/services {\"url\": OpenAPI document, \"credentials\": {...}}: a flow step service\n"
	"  POST /_sandbox/lists         {\"name\": ...}: a static list of Marketo\n"
	"  POST /_sandbox/certificates  {\"user\": ..., \"pem\": ...}: a certificate of a user of Dynamics\n"
	"  POST /_sandbox/save          {\"file\": \"demo.state\"}, below the current directory\n"
	"  GET /_sandbox/users          the API users with their credentials and rights\n"
	"\n"
	"Examples\n"
	"  tandem-sandbox --marketo-port 8101 --dynamics-port 8102 --people people.csv\n"
	"  curl -s localhost:8101/_sandbox/users\n"
	"  curl -s localhost:8101/_sandbox/seed -d '{\"persons\": 1000, \"contacts\": 1000}'\n"
	"  curl -s localhost:8101/_sandbox/clock -d '{\"advanceSeconds\": 3600}'\n"
	"  curl -s localhost:8101/_sandbox/save -d '{\"file\": \"demo.state\"}'\n"
	"  tandem-sandbox --marketo-port 8101 --dynamics-port 8102 --state demo.state\n"
	"\n"
	"Exit codes: 0 ended as told, 1 failed, 2 wrong usage.\n";

static bool port_read(const char *word, uint16_t *ret)
{
	char *end;
	long port;

	errno = 0;
	port = strtol(word, &end, 10);
	if (errno || !*word || *end || port < 0 || port > 65535)
		return false;
	*ret = (uint16_t)port;
	return true;
}

static bool options_read(int argc, char **argv, struct options *o)
{
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (strcmp(argv[i], "help") == 0 || strcmp(argv[i], "--help") == 0) {
			o->help = true;
			continue;
		}
		if (!value)
			return false;
		if (strcmp(argv[i], "--marketo-port") == 0 && port_read(value, &o->marketo_port))
			i++;
		else if (strcmp(argv[i], "--dynamics-port") == 0 &&
			 port_read(value, &o->dynamics_port))
			i++;
		else if (strcmp(argv[i], "--people") == 0 && (o->people = value))
			i++;
		else if (strcmp(argv[i], "--state") == 0 && (o->state = value))
			i++;
		else
			return false;
	}
	return !o->people || !o->state;
}

static bool load(const struct options *o, const struct side *sides)
{
	struct control_sides all = { sides, FRONT_SIDES };
	struct text error = { 0 };

	if (o->people)
		return people_read_file(o->people, control_load, &all);
	if (!o->state || state_load(sides, FRONT_SIDES, o->state, &error))
		return true;
	fprintf(stderr, "tandem-sandbox: %s\n", error.data);
	text_free(&error);
	return false;
}

static void serve_until_told(const sigset_t *told, const struct web_server *marketo,
			     const struct web_server *dynamics)
{
	int which;

	printf("marketo http://127.0.0.1:%u\n", (unsigned int)web_port(marketo));
	printf("dynamics http://127.0.0.1:%u\n", (unsigned int)web_port(dynamics));
	fflush(stdout);
	sigwait(told, &which);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	static struct front fronts[FRONT_SIDES]; /* in use by the listeners to the end */
	struct web_server *marketo, *dynamics;
	enum exit_code result = EXIT_FAILED;
	sigset_t told;

	if (!options_read(argc, argv, &options)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (options.help) {
		fputs(usage, stdout);
		return EXIT_OK;
	}
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&told);
	sigaddset(&told, SIGINT);
	sigaddset(&told, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &told, NULL);

	fronts[0] =
		(struct front){ .sides = { marketo_side_new(), dataverse_side_new() }, .side = 0 };
	fronts[1] = fronts[0];
	fronts[1].side = 1;
	calls_init(fronts[0].sides[0].ops->name, fronts[0].sides[1].ops->name);
	if (!load(&options, fronts[0].sides))
		return EXIT_FAILED;
	marketo = web_start(options.marketo_port, BODY_MAX, front_handle, &fronts[0]);
	dynamics = marketo ? web_start(options.dynamics_port, BODY_MAX, front_handle, &fronts[1])
			   : NULL;
	if (dynamics) {
		serve_until_told(&told, marketo, dynamics);
		result = EXIT_OK;
	}
	front_stop();
	for (int i = 0; i < FRONT_SIDES; i++)
		if (fronts[0].sides[i].ops->stop)
			fronts[0].sides[i].ops->stop(fronts[0].sides[i].self);
	web_stop(marketo);
	web_stop(dynamics);
	return result;
}

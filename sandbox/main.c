/* The program: reads its few options, starts the two listeners, loads people, serves until told to
 * stop. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "control.h"
#include "front.h"
#include "people.h"

#define BODY_MAX                                                                                   \
	((size_t)64 * 1024 *                                                                       \
	 1024) /* above both services' own limits, which their sides answer themselves */

enum exit_code { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct options {
	uint16_t marketo_port, dynamics_port;
	const char *people;
	bool help;
};

static const char usage[] =
	"usage: tandem-sandbox [--marketo-port N] [--dynamics-port N] [--people FILE.csv] [help]\n"
	"\n"
	"Imitates the Marketo Engage REST API and the Dataverse Web API on 127.0.0.1.\n"
	"A port of 0, the default, picks a free one. When ready, two lines tell the addresses.\n"
	"Control: /_sandbox/{reset,seed,faults,limits,clock,calls,log,users} on both.\n";

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
		else
			return false;
	}
	return true;
}

static bool load_people(const char *path, const struct side *sides)
{
	struct control_sides all = { sides, FRONT_SIDES };

	return !path || people_read_file(path, control_load, &all);
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
	if (!load_people(options.people, fronts[0].sides))
		return EXIT_FAILED;
	marketo = web_start(options.marketo_port, BODY_MAX, front_handle, &fronts[0]);
	dynamics = marketo ? web_start(options.dynamics_port, BODY_MAX, front_handle, &fronts[1])
			   : NULL;
	if (dynamics) {
		serve_until_told(&told, marketo, dynamics);
		result = EXIT_OK;
	}
	front_stop();
	web_stop(marketo);
	web_stop(dynamics);
	return result;
}

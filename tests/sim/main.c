/* tandem-sim: draws histories, plays them, shrinks and tells the first that breaks an invariant. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "core/fingerprint.h"
#include "tests/sim/run.h"

enum { JOBS_MAX = 64 };

struct options {
	uint64_t runs, seed;
	unsigned jobs;
	bool is_story, is_tap, is_all;
};

/* What a job leaves for the one that started it. */
struct verdict {
	bool is_broken;
	uint64_t seed; /* of the first that is broken */
	struct figures figures;
};

static const char usage[] =
	"tandem-sim [--runs N] [--seed S] [--jobs N] [--story] [--all] [--tap]\n"
	"Plays N histories, from seed S on, against the real cycle. A history that breaks an\n"
	"invariant is shrunk and told; the same seed tells the same again.\n";

static bool parse_number(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = text ? strtoull(text, &end, 10) : 0;
	return text && *text && !*end && !errno;
}

static bool parse(int argc, char **argv, struct options *o)
{
	for (int i = 1; i < argc; i++) {
		uint64_t number = 0;

		if (!strcmp(argv[i], "--story")) {
			o->is_story = true;
			continue;
		}
		if (!strcmp(argv[i], "--all")) {
			o->is_all = true;
			continue;
		}
		if (!strcmp(argv[i], "--tap")) {
			o->is_tap = true;
			continue;
		}
		if (i + 1 == argc || !parse_number(argv[i + 1], &number))
			return false;
		if (!strcmp(argv[i], "--runs"))
			o->runs = number;
		else if (!strcmp(argv[i], "--seed"))
			o->seed = number;
		else if (!strcmp(argv[i], "--jobs") && number && number <= JOBS_MAX)
			o->jobs = (unsigned)number;
		else
			return false;
		i++;
	}
	return true;
}

/* ---- one job: every jobs-th history ---- */

static void job_run(const struct options *o, unsigned job, struct verdict *v)
{
	bool has_terminal = !o->is_tap && job == 0 && isatty(STDERR_FILENO);

	for (uint64_t i = job; i < o->runs && (o->is_all || !v->is_broken); i += o->jobs) {
		struct ending ending;

		if (!run_seed(o->seed + i, &v->figures, &ending)) {
			v->seed = v->is_broken ? v->seed : o->seed + i;
			v->is_broken = true;
			if (o->is_all)
				(void)printf("seed %llu: %s: %s\n",
					     (unsigned long long)(o->seed + i), ending.broken,
					     ending.how);
		}
		if (has_terminal && (i / o->jobs) % 500 == 0)
			(void)fprintf(stderr, "\r%llu of %llu histories", (unsigned long long)i,
				      (unsigned long long)o->runs);
	}
	if (has_terminal)
		(void)fprintf(stderr, "\r%*s\r", 40, "");
}

static bool write_all(int fd, const void *data, size_t n)
{
	const char *p = data;

	while (n) {
		ssize_t did = write(fd, p, n);

		if (did <= 0)
			return false;
		p += did;
		n -= (size_t)did;
	}
	return true;
}

static bool read_all(int fd, void *data, size_t n)
{
	char *p = data;

	while (n) {
		ssize_t did = read(fd, p, n);

		if (did <= 0)
			return false;
		p += did;
		n -= (size_t)did;
	}
	return true;
}

static void figures_add(struct figures *sum, const struct figures *f)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)f;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

/* A job that ends without a verdict has crashed for good: that is a failure too. */
static bool jobs_gather(const struct options *o, const int *pipes, const pid_t *pids,
			struct verdict *all)
{
	bool is_complete = true;

	for (unsigned j = 0; j < o->jobs; j++) {
		struct verdict v;
		int status;

		if (read_all(pipes[j], &v, sizeof(v))) {
			figures_add(&all->figures, &v.figures);
			if (v.is_broken && (!all->is_broken || v.seed < all->seed)) {
				all->is_broken = true;
				all->seed = v.seed;
			}
		} else {
			is_complete = false;
		}
		(void)close(pipes[j]);
		if (waitpid(pids[j], &status, 0) != pids[j] || status != 0)
			is_complete = false;
	}
	return is_complete;
}

static bool jobs_run(const struct options *o, struct verdict *all)
{
	int pipes[JOBS_MAX];
	pid_t pids[JOBS_MAX];

	if (o->jobs == 1) {
		job_run(o, 0, all);
		return true;
	}
	for (unsigned j = 0; j < o->jobs; j++) {
		int ends[2];

		if (pipe(ends) != 0)
			return false;
		pids[j] = fork();
		if (pids[j] == 0) {
			struct verdict v = { .is_broken = false };

			job_run(o, j, &v);
			_exit(write_all(ends[1], &v, sizeof(v)) ? 0 : 1);
		}
		(void)close(ends[1]);
		pipes[j] = ends[0];
		if (pids[j] < 0)
			return false;
	}
	return jobs_gather(o, pipes, pids, all);
}

/* ---- telling ---- */

static const char *comment(const struct options *o)
{
	return o->is_tap ? "# " : "";
}

static void tell_figures(const struct options *o, const struct figures *f, double seconds)
{
	const char *c = comment(o);

	(void)printf("%s%llu histories, %llu cycles (%llu not finished), %llu writes, %llu stamps, "
		     "%llu collisions, %llu errors, %llu fields held against the model, %llu laws, "
		     "%.1f s\n",
		     c, (unsigned long long)f->histories, (unsigned long long)f->cycles,
		     (unsigned long long)f->failed_cycles, (unsigned long long)f->writes,
		     (unsigned long long)f->stamps, (unsigned long long)f->collisions,
		     (unsigned long long)f->errors, (unsigned long long)f->checked_fields,
		     (unsigned long long)f->laws, seconds);
	(void)printf("%s", c);
	for (int k = 0; k < EVENT_KIND_COUNT; k++)
		(void)printf("%s%s %llu", k ? ", " : "", event_name((enum event_kind)k),
			     (unsigned long long)f->events[k]);
	(void)printf("\n%sanswers:", c);
	for (int k = 1; k < OUTCOME_COUNT; k++)
		(void)printf(" %s %llu", outcome_name((enum outcome)k),
			     (unsigned long long)f->requests[k]);
	(void)printf("\n");
}

/* In a long run everything must have happened: else it proves less than it says. */
static bool tell_missing(const struct options *o, const struct figures *f)
{
	bool is_complete = true;

	for (int k = 0; o->runs >= RUN_COMPLETE && k < EVENT_KIND_COUNT; k++) {
		if (f->events[k])
			continue;
		(void)printf("%sno history had: %s\n", comment(o), event_name((enum event_kind)k));
		is_complete = false;
	}
	return is_complete;
}

static void tell_story(const struct options *o, uint64_t seed)
{
	struct buf story = { .data = NULL };
	struct str rest, line;

	run_tell(seed, &story);
	rest = buf_str(&story);
	while (rest.n) {
		line = str_cut(&rest, '\n');
		(void)printf("%s" STR_FMT "\n", comment(o), STR_ARG(line));
	}
	buf_release(&story);
}

int main(int argc, char **argv)
{
	struct options o = { .runs = 1000, .seed = 1, .jobs = 1 };
	struct verdict all = { .is_broken = false };
	struct timespec from, to;
	struct err err;
	bool is_good;

	if (!parse(argc, argv, &o)) {
		(void)fputs(usage, stderr);
		return 2;
	}
	if (fingerprint_start(&err) != ERR_NONE) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	log_set_level(LOG_LEVEL_COUNT);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	is_good = jobs_run(&o, &all);
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	if ((all.is_broken && !o.is_all) || (o.is_story && o.runs == 1))
		tell_story(&o, all.is_broken ? all.seed : o.seed);
	tell_figures(&o, &all.figures,
		     (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
	is_good = is_good && !all.is_broken && tell_missing(&o, &all.figures);
	if (o.is_tap)
		(void)printf("%sok 1 - %llu histories keep every invariant\n1..1\n",
			     is_good ? "" : "not ", (unsigned long long)o.runs);
	return is_good ? 0 : 1;
}

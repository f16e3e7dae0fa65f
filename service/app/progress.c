/* Progress for people; see progress.h. */
#include "app/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

enum { PROGRESS_LINE_MS = 2000 };

void progress_begin(struct progress *p)
{
	*p = (struct progress){ .is_terminal = isatty(STDOUT_FILENO) == 1 };
}

static uint64_t progress_both(const uint64_t counts[TABLE_COUNT])
{
	return counts[TABLE_LEAD] + counts[TABLE_CONTACT];
}

static void progress_text(const struct cycle_report *r, char *ret, size_t size)
{
	(void)snprintf(ret, size,
		       "Marketo: %" PRIu64 " read, %" PRIu64 " created, %" PRIu64
		       " updated, %" PRIu64 " refused | Dynamics: %" PRIu64 " read, %" PRIu64
		       " created, %" PRIu64 " updated, %" PRIu64 " refused | %" PRIu64
		       " linked, %" PRIu64 " collided",
		       r->read[TABLE_PERSON], r->created[TABLE_PERSON], r->updated[TABLE_PERSON],
		       r->failed[TABLE_PERSON], progress_both(r->read), progress_both(r->created),
		       progress_both(r->updated), progress_both(r->failed), r->linked, r->collided);
}

/* "reading contacts: 40000 of 100000 (40 %), 1200 a second, 50 s left | "; empty when nothing is
 * read from the start. */
static void progress_backfill(const struct operator_status *s, char *ret, size_t size)
{
	size_t used = 0;

	ret[0] = '\0';
	for (int t = 0; t < TABLE_COUNT && used < size; t++) {
		const struct backfill_status *b = &s->backfill[t];
		char share[64] = "", left[48] = "";

		if (!b->is_open)
			continue;
		if (b->total)
			(void)snprintf(share, sizeof(share), " of %" PRIu64 " (%.0f %%)", b->total,
				       (double)b->done * 100 / (double)b->total);
		if (b->left_s >= 0)
			(void)snprintf(left, sizeof(left), ", %" PRId64 " s left", b->left_s);
		used += (size_t)snprintf(ret + used, size - used,
					 "reading %ss: %" PRIu64 "%s, %.0f a second%s | ",
					 table_name((enum table)t), b->done, share, b->per_second,
					 left);
	}
}

static void progress_finished(struct progress *p, const struct cycle_report *r, const char *counts)
{
	printf("%scycle %" PRId64 " %s in %.1f s: %s; calls: %" PRIu64 " Marketo, %" PRIu64
	       " Dynamics%s%s\n",
	       p->is_terminal ? "\r\033[K" : "", r->number, cycle_result_name(r->result),
	       (double)(r->finished_ms - r->started_ms) / 1000, counts, r->calls[SIDE_MARKETO],
	       r->calls[SIDE_DYNAMICS], r->reason[0] ? ": " : "", r->reason);
	(void)fflush(stdout);
	p->last_number = r->number;
}

/* A line that changes must not be longer than the terminal is wide: it could not be taken back. */
static int progress_width(void)
{
	struct winsize window;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col < 20)
		return 80;
	return window.ws_col - 1;
}

void progress_show(struct progress *p, const struct operator_status *status)
{
	const struct cycle_report *r = &status->cycle;
	int64_t now = clock_mono_ms();
	char counts[400], backfill[160], line[640];

	if (!r->number)
		return;
	progress_text(r, counts, sizeof(counts));
	if (r->result != CYCLE_RUNNING) {
		if (r->number > p->last_number)
			progress_finished(p, r, counts);
		return;
	}
	progress_backfill(status, backfill, sizeof(backfill));
	(void)snprintf(line, sizeof(line), "cycle %" PRId64 " running: %s%s", r->number, backfill,
		       counts);
	if (strcmp(line, p->last) == 0 || (!p->is_terminal && now - p->shown_ms < PROGRESS_LINE_MS))
		return;
	if (p->is_terminal)
		printf("\r\033[K%.*s", progress_width(), line);
	else
		puts(line);
	(void)fflush(stdout);
	(void)snprintf(p->last, sizeof(p->last), "%s", line);
	p->shown_ms = now;
}

/* The state file as a whole: a first line that names it, the clock, one part a side, a checksum at
 * the end. Knows the sides only through their operations. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/side.h"
#include "base/state.h"
#include "base/state_stream.h"

/* Another layout gets another number, and files of the old one are refused. */
static const char magic[] = "tandem-sandbox state 2\n";
static const char family[] = "tandem-sandbox state ";
#define MAGIC_LEN (sizeof(magic) - 1)
#define MAX_ADVANCE (1000000LL * 86400)

/* ---- where it may be ---- */

static bool reason(struct text *error, const char *what, const char *why)
{
	text_printf(error, "%s: %s", what, why);
	return false;
}

/* The folder of the file, step by step without following links; -1 with a reason. *ret_name is what
 * remains of the path. */
static int open_folder(const char *path, const char **ret_name, struct text *error)
{
	int folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (; folder >= 0; path += strcspn(path, "/") + 1) {
		size_t len = strcspn(path, "/");
		char step[256];
		int next;

		if (!len || len >= sizeof(step) - sizeof(".new") || strncmp(path, "..", len) == 0) {
			reason(error, "file", "must be a path below the current directory");
			close(folder);
			return -1;
		}
		*ret_name = path;
		if (!path[len])
			return folder;
		memcpy(step, path, len);
		step[len] = '\0';
		next = openat(folder, step, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(folder);
		folder = next;
	}
	reason(error, path, strerror(errno));
	return -1;
}

/* ---- writing ---- */

static void put_all(const struct side *sides, int count, struct state_writer *w)
{
	state_put_number(w, (uint64_t)clock_advanced_s());
	state_put_number(w, (uint64_t)count);
	for (int i = 0; i < count; i++) {
		state_put_text(w, sides[i].ops->name);
		sides[i].ops->save(sides[i].self, w);
	}
	state_flush(w);
}

static bool write_file(const struct side *sides, int count, FILE *file)
{
	struct state_writer *w = calloc(1, sizeof(*w));
	unsigned char end[STATE_SUM_BYTES];
	bool good;

	if (!w)
		abort();
	w->file = file;
	w->sum = STATE_SUM_START;
	w->failed = fwrite(magic, 1, MAGIC_LEN, file) != MAGIC_LEN;
	put_all(sides, count, w);
	for (int i = 0; i < STATE_SUM_BYTES; i++)
		end[i] = (unsigned char)(w->sum >> (8 * i));
	good = !w->failed && fwrite(end, 1, sizeof(end), file) == sizeof(end) &&
	       fflush(file) == 0 && fsync(fileno(file)) == 0;
	free(w);
	return good;
}

bool state_save(const struct side *sides, int count, const char *path, struct text *error)
{
	struct text aside = { 0 };
	const char *name = path;
	int folder = open_folder(path, &name, error);
	int fd;
	FILE *file;
	bool good = false;

	if (folder < 0)
		return false;
	text_printf(&aside, "%s.new", name);
	unlinkat(folder, aside.data, 0);
	fd = openat(folder, aside.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	file = fd < 0 ? NULL : fdopen(fd, "wb");
	if (file) {
		good = write_file(sides, count, file);
		good = fclose(file) == 0 && good && renameat(folder, aside.data, folder, name) == 0;
	}
	if (!good) {
		reason(error, path, strerror(errno));
		unlinkat(folder, aside.data, 0);
	}
	text_free(&aside);
	close(folder);
	return good;
}

/* ---- reading ---- */

static bool take_all(const struct side *sides, int count, struct state_reader *r)
{
	int64_t advanced = (int64_t)state_take_number(r, MAX_ADVANCE);

	/* First the clock: what a side restores may ask what time it is. */
	clock_advance(advanced);
	if (state_take_number(r, (uint64_t)count) != (uint64_t)count)
		return false;
	for (int i = 0; i < count; i++) {
		char *name = state_take_text(r);
		bool same = name && strcmp(name, sides[i].ops->name) == 0;

		free(name);
		if (!same || !sides[i].ops->restore(sides[i].self, r) || r->broken)
			return false;
	}
	return r->at == r->end;
}

static bool take_file(const struct side *sides, int count, const char *path,
		      const unsigned char *bytes, size_t len, struct text *error)
{
	struct state_reader r = { bytes + MAGIC_LEN, bytes + len - STATE_SUM_BYTES, false };
	uint64_t sum = 0;

	if (len < sizeof(family) - 1 || memcmp(bytes, family, sizeof(family) - 1) != 0)
		return reason(error, path, "is not a state file of the sandbox");
	if (len < MAGIC_LEN || memcmp(bytes, magic, MAGIC_LEN) != 0)
		return reason(error, path, "is a state file of another version of the sandbox");
	if (len < MAGIC_LEN + STATE_SUM_BYTES)
		return reason(error, path, "is broken: it ends early");
	for (int i = 0; i < STATE_SUM_BYTES; i++)
		sum |= (uint64_t)r.end[i] << (8 * i);
	if (state_sum(STATE_SUM_START, r.at, (size_t)(r.end - r.at)) != sum)
		return reason(error, path, "is broken: its checksum does not agree");
	if (!take_all(sides, count, &r))
		return reason(error, path, "holds what this version of the sandbox cannot hold");
	return true;
}

bool state_load(const struct side *sides, int count, const char *path, struct text *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat facts;
	unsigned char *bytes;
	bool good;

	if (fd < 0)
		return reason(error, path, strerror(errno));
	if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode) || !facts.st_size) {
		close(fd);
		return reason(error, path, "is not a state file of the sandbox");
	}
	bytes = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED)
		return reason(error, path, strerror(errno));
	good = take_file(sides, count, path, bytes, (size_t)facts.st_size, error);
	munmap(bytes, (size_t)facts.st_size);
	return good;
}

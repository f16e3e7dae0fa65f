/* What there is, written to a file and read back: numbers seven bits a byte, texts by length, rows
 * as they are kept. A file tells its version and a checksum, so a broken or foreign one is refused
 * before anything of it is believed. Limits, faults, counts of calls and tokens are not kept. */
#ifndef SANDBOX_BASE_STATE_H
#define SANDBOX_BASE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/row.h"
#include "base/text.h"

struct side;

/* ---- for the sides ---- */

struct state_writer;
void state_put_number(struct state_writer *, uint64_t);
void state_put_signed(struct state_writer *, int64_t);
void state_put_bytes(struct state_writer *, const char *bytes, size_t len);
void state_put_text(struct state_writer *, const char *); /* NULL is told from "" */
void state_put_row(struct state_writer *, const struct row *);

/* Once something does not fit, every taker gives nothing and the reader stays broken. */
struct state_reader {
	const unsigned char *at, *end;
	bool broken;
};
/* Marks the reader broken; false. */
bool state_broken(struct state_reader *);
/* A number of at most max. */
uint64_t state_take_number(struct state_reader *, uint64_t max);
int64_t state_take_signed(struct state_reader *);
/* Not NUL-terminated; belongs to the reader. */
const char *state_take_bytes(struct state_reader *, size_t *ret_len);
char *state_take_text(struct state_reader *); /* the caller frees it */
/* columns: what the file's column numbers are now. */
struct row *state_take_row(struct state_reader *, const uint16_t *columns, size_t count);

/* ---- for the program ---- */

/* Writes the file anew: whole or not at all. The path must stay below the current directory. False
 * with a reason. */
bool state_save(const struct side *sides, int count, const char *path, struct text *error);
/* Fills sides that are as just started, and puts the clock forward as it was. False with a
 * reason. */
bool state_load(const struct side *sides, int count, const char *path, struct text *error);

#endif

/* How the pieces of a state file reach the file: between state.c and state_file.c only. */
#ifndef SANDBOX_BASE_STATE_STREAM_H
#define SANDBOX_BASE_STATE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct state_writer {
	FILE *file;
	uint64_t sum; /* of what went to the file */
	bool failed;
	size_t used;
	unsigned char waiting[1 << 16]; /* whole words, so that the sum is that of one piece */
};

enum { STATE_SUM_BYTES = 8 };
#define STATE_SUM_START 14695981039346656037u

void state_flush(struct state_writer *);
/* Goes on from sum. A piece that is not the last must be whole words of eight bytes. */
uint64_t state_sum(uint64_t sum, const void *bytes, size_t len);

#endif

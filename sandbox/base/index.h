/* Hash index from a key (any bytes, compared without ASCII case when asked) to record numbers; a
 * key may have many. The index keeps 64-bit hashes and record numbers only; the caller confirms a
 * hit against the record. */
#ifndef SANDBOX_BASE_INDEX_H
#define SANDBOX_BASE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct index {
	uint64_t *slots; /* packed: 32 bits of hash, 32 bits of record number + 1; 0 empty */
	size_t cap, used;
};

uint32_t index_hash(const char *bytes, size_t len, bool fold_case);
void index_add(struct index *, uint32_t hash, uint32_t record);
void index_remove(struct index *, uint32_t hash, uint32_t record);
/* Calls visit for every record under the hash (others may share it); stops when visit returns
 * false. */
void index_find(const struct index *, uint32_t hash, bool (*visit)(void *, uint32_t record),
		void *context);
void index_free(struct index *);

#endif

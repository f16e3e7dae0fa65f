/* Memory that is there or the program is not.
 * Out of memory ends the program with one line: a service whose every step may be interrupted
 * (INV-INTERRUPT) is safer restarted than limping along half-informed. What remotes and callers
 * send is bounded before it gets here. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/defs.h"

void *mem_alloc(size_t size);               /* zeroed; free() releases it */
void *mem_array(size_t count, size_t size); /* zeroed; the product is checked */
void *mem_grow(void *old, size_t count,
	       size_t size);      /* like realloc of count * size, checked; new part not zeroed */
char *mem_text(const char *text); /* copy; NULL stays NULL */
void mem_freep(void *pointer_to_pointer); /* for CLEANUP: frees and forgets */

#endif

/* Checked allocation; see mem.h for why it never returns NULL. */
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *mem_must(void *p)
{
	if (!p) {
		fputs("{\"level\":\"error\",\"event\":\"out_of_memory\"}\n", stderr);
		abort();
	}
	return p;
}

void *mem_alloc(size_t size)
{
	return mem_must(calloc(1, size ? size : 1));
}

void *mem_array(size_t count, size_t size)
{
	return mem_must(calloc(count ? count : 1, size ? size : 1));
}

void *mem_grow(void *old, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		return mem_must(NULL);
	return mem_must(realloc(old, total ? total : 1));
}

char *mem_text(const char *text)
{
	return text ? mem_must(strdup(text)) : NULL;
}

void mem_freep(void *pointer_to_pointer)
{
	void **p = pointer_to_pointer;

	free(*p);
	*p = NULL;
}

/* What json-c alone needs to parse and print: nanoseconds a byte, over the rows on standard input.
 * The measure that the service's own processor time is compared with. Knows nothing of ours. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INPUT_MAX = 64 * 1024 * 1024, ROUNDS = 20 };

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Bytes read and written by one round; 0 when the input is not JSON. */
static size_t round_trip(const char *text, size_t len)
{
	struct json_object *tree = json_tokener_parse(text);
	size_t printed = tree ? strlen(json_object_to_json_string_ext(tree, JSON_C_TO_STRING_PLAIN))
			      : 0;

	json_object_put(tree);
	return printed ? len + printed : 0;
}

int main(void)
{
	char *text = malloc(INPUT_MAX + 1);
	size_t len = text ? fread(text, 1, INPUT_MAX, stdin) : 0;
	size_t bytes = 0;
	double start;

	if (!len || len == INPUT_MAX)
		return 1;
	text[len] = '\0';
	start = now_ns();
	for (int i = 0; i < ROUNDS; i++)
		bytes += round_trip(text, len);
	if (!bytes)
		return 1;
	printf("%.3f\n", (now_ns() - start) / (double)bytes);
	free(text);
	return 0;
}

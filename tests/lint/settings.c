/* Prints the table of settings as README.md shows it; the lint compares the two. */
#include <stdio.h>

#include "config/config.h"

int main(void)
{
	struct buf out = { .max = 0 };

	config_help_markdown(&out);
	fputs(buf_cstr(&out), stdout);
	buf_release(&out);
	return 0;
}

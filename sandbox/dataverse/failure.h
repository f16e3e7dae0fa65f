/* What a refused call answers: status, code and text (Microsoft Learn: Web service error codes). */
#ifndef SANDBOX_DATAVERSE_FAILURE_H
#define SANDBOX_DATAVERSE_FAILURE_H

#include <stdbool.h>

struct failure {
	int status;
	char code[12];
	char message[2048];
	/* for annotations: the columns and values that clash, as XML; what a plug-in traced */
	char duplicates[640], trace[128];
};

/* Fills the failure and returns false, so that a guard can say "return failure_set(…)". */
bool failure_set(struct failure *f, int status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif

/* Certificates of application users, and the assertions signed with their keys (Microsoft Learn:
 * Certificate credentials). The only file that sees OpenSSL. Knows no HTTP and no tables. */
#ifndef SANDBOX_DATAVERSE_CERTIFICATE_H
#define SANDBOX_DATAVERSE_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/state.h"
#include "base/text.h"

struct certificate;

/* Those of all users. */
struct certificates {
	struct certificate *items;
	size_t count;
};

/* One in PEM for a user; a second time does nothing. False with a reason. */
bool certificate_add(struct certificates *all, int user, const char *pem, struct text *error);
void certificates_free(struct certificates *all);
/* The thumbprints of a user's certificates as a JSON list of {"x5t", "x5t#S256"}. */
void certificates_json(const struct certificates *all, int user, struct text *out);
void certificates_save(const struct certificates *all, struct state_writer *w);
/* Users are numbers below user_count. */
bool certificates_restore(struct certificates *all, struct state_reader *r, int user_count);

/* What an assertion must say. */
struct assertion_wanted {
	int user;
	const char *client_id;
	const char *audience; /* the address of the token endpoint, as it was called */
	int64_t now_s;
};
/* 0 when it is good, else the number after AADSTS and a text. */
int assertion_check(const struct certificates *all, const char *assertion,
		    const struct assertion_wanted *wanted, struct text *ret_text);

#endif

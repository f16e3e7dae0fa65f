/* Identifiers, times and text without case, as the imitated service sees them. Pure functions. */
#ifndef SANDBOX_DATAVERSE_TEXT_H
#define SANDBOX_DATAVERSE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct guid {
	uint8_t bytes[16];
};

#define GUID_LENGTH 36
#define GUID_TEXT (GUID_LENGTH + 1)
#define TIME_TEXT 21 /* YYYY-MM-DDTHH:MM:SSZ */
#define DATE_TEXT 11 /* YYYY-MM-DD */

bool guid_parse(const char *s, size_t len, struct guid *ret);
void guid_print(const struct guid *g, char ret[GUID_TEXT]);
bool guid_equal(const struct guid *a, const struct guid *b);
struct guid guid_random(void);
/* The same names give the same identifier, for ever. */
struct guid guid_of_name(const char *kind, const char *name);

/* A point in time with or without an offset (without: UTC); fractions of a second are dropped. */
bool time_parse(const char *s, size_t len, int64_t *ret_s);
void time_print(int64_t s, char ret[TIME_TEXT]);
bool date_parse(const char *s, size_t len, char ret[DATE_TEXT]);
/* Seconds since 1970 of a day, and the day of them. */
int64_t days_of_date(int year, int month, int day);
void date_of_seconds(int64_t s, int *ret_year, int *ret_month, int *ret_day);

/* Appends the text in lower case: ASCII, Latin, Greek and Cyrillic letters. */
void fold_text(struct text *t, const char *bytes, size_t len);
int fold_compare(const char *a, size_t a_len, const char *b, size_t b_len);
uint32_t fold_hash(const char *bytes, size_t len);

/* Length as the vendor counts it, and the bytes of the longest head of at most that length. */
size_t utf16_length(const char *bytes, size_t len);
size_t utf16_head(const char *bytes, size_t len, size_t units);

#endif

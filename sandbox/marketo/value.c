/* Values of fields: what is accepted, the one form they are kept in, and how they are shown.
 * Knows nothing of people or calls. */
#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "marketo/marketo.h"

/* The instance's own time zone, which the change log shows datetimes in without saying so. */
#define INSTANCE_ZONE_SECONDS (-6 * 3600)

static size_t characters(const char *bytes, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += ((unsigned char)bytes[i] & 0xc0) != 0x80;
	return count;
}

/* Adobe: Lead Database, Sync Leads: addresses hold ASCII only. */
static bool email_is_legal(const char *bytes, size_t len)
{
	const char *at = memchr(bytes, '@', len);

	if (!at || at == bytes || at == bytes + len - 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c <= ' ' || c >= 0x7f || (c == '@' && bytes + i != at))
			return false;
	}
	return memchr(at, '.', (size_t)(bytes + len - at)) != NULL;
}

/* A fixed number of digits; -1 if there are others. */
static int digits(const char *bytes, size_t count)
{
	int number = 0;

	for (size_t i = 0; i < count; i++) {
		if (bytes[i] < '0' || bytes[i] > '9')
			return -1;
		number = number * 10 + (bytes[i] - '0');
	}
	return number;
}

static bool date_from_text(const char *bytes, size_t len, struct tm *ret)
{
	static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year, month, day, last;

	if (len < 10 || bytes[4] != '-' || bytes[7] != '-')
		return false;
	year = digits(bytes, 4);
	month = digits(bytes + 5, 2);
	day = digits(bytes + 8, 2);
	if (year < 1 || month < 1 || month > 12)
		return false;
	last = month_days[month - 1];
	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		last = 29;
	*ret = (struct tm){ .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };
	return day >= 1 && day <= last;
}

/* What follows the seconds: a fraction, then Z, an offset, or nothing, which means GMT. */
static bool zone_from_text(const char *bytes, size_t len, int *ret_seconds)
{
	int hours, minutes;

	*ret_seconds = 0;
	if (len && *bytes == '.') {
		do {
			bytes++;
			len--;
		} while (len && *bytes >= '0' && *bytes <= '9');
	}
	if (!len || (len == 1 && *bytes == 'Z'))
		return true;
	if ((*bytes != '+' && *bytes != '-') || (len != 5 && len != 6) ||
	    (len == 6 && bytes[3] != ':'))
		return false;
	hours = digits(bytes + 1, 2);
	minutes = digits(bytes + len - 2, 2);
	*ret_seconds = (hours * 3600 + minutes * 60) * (*bytes == '-' ? -1 : 1);
	return hours >= 0 && hours <= 14 && minutes >= 0 && minutes < 60;
}

bool time_from_text(const char *bytes, size_t len, int64_t *ret)
{
	struct tm tm;
	int zone = 0;

	if (!date_from_text(bytes, len, &tm))
		return false;
	if (len > 10) {
		if (len < 19 || (bytes[10] != 'T' && bytes[10] != ' ') || bytes[13] != ':' ||
		    bytes[16] != ':')
			return false;
		tm.tm_hour = digits(bytes + 11, 2);
		tm.tm_min = digits(bytes + 14, 2);
		tm.tm_sec = digits(bytes + 17, 2);
		if (tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 ||
		    tm.tm_sec < 0 || tm.tm_sec > 59 || !zone_from_text(bytes + 19, len - 19, &zone))
			return false;
	}
	*ret = (int64_t)timegm(&tm) - zone;
	return true;
}

static bool integer_keep(const char *word, struct text *ret)
{
	char *end;
	long long number = strtoll(word, &end, 10);

	if (end == word || *end || number < INT32_MIN || number > INT32_MAX)
		return false;
	text_printf(ret, "%lld", number);
	return true;
}

/* The shortest decimal that reads back the same. */
static bool decimal_keep(const char *word, struct text *ret)
{
	char buffer[40];
	char *end;
	double number = strtod(word, &end);

	if (end == word || *end || !isfinite(number) || strpbrk(word, "xXnN"))
		return false;
	for (int precision = 15; precision <= 17; precision++) {
		snprintf(buffer, sizeof(buffer), "%.*g", precision, number + 0.0);
		if (strtod(buffer, NULL) == number)
			break;
	}
	text_puts(ret, buffer);
	return true;
}

static bool boolean_keep(const char *word, struct text *ret)
{
	if (strcasecmp(word, "true") == 0 || strcmp(word, "1") == 0)
		text_puts(ret, "true"); /* false is kept as no value: an unset boolean reads back as
					   false */
	else if (strcasecmp(word, "false") != 0 && strcmp(word, "0") != 0)
		return false;
	return true;
}

static bool words_keep(enum field_type type, const char *bytes, size_t len, struct text *ret)
{
	size_t most = (size_t)field_types[type].length;

	if (type == TYPE_EMAIL && !email_is_legal(bytes, len))
		return false;
	if ((type == TYPE_TEXT ? len : characters(bytes, len)) > most)
		return false;
	text_add(ret, bytes, len);
	return true;
}

static bool date_keep(enum field_type type, const char *bytes, size_t len, struct text *ret)
{
	struct tm tm;
	int64_t seconds;

	if (type == TYPE_DATE) {
		if (len != 10 || !date_from_text(bytes, len, &tm))
			return false;
		text_add(ret, bytes, len);
		return true;
	}
	if (!time_from_text(bytes, len, &seconds))
		return false;
	clock_print(ret, seconds);
	return true;
}

bool value_from_text(enum field_type type, const char *bytes, size_t len, struct text *ret)
{
	char word[64];

	text_clear(ret);
	if (!len)
		return true;
	switch (type) {
	case TYPE_STRING:
	case TYPE_TEXT:
	case TYPE_EMAIL:
	case TYPE_PHONE:
	case TYPE_URL:
		return words_keep(type, bytes, len, ret);
	case TYPE_DATE:
	case TYPE_DATETIME:
		return date_keep(type, bytes, len, ret);
	case TYPE_INTEGER:
	case TYPE_PERCENT:
	case TYPE_SCORE:
	case TYPE_REFERENCE:
	case TYPE_FLOAT:
	case TYPE_CURRENCY:
	case TYPE_BOOLEAN:
		break;
	}
	if (len >= sizeof(word) || memchr(bytes, '\0', len))
		return false;
	memcpy(word, bytes, len);
	word[len] = '\0';
	if (type == TYPE_BOOLEAN)
		return boolean_keep(word, ret);
	return type == TYPE_FLOAT || type == TYPE_CURRENCY ? decimal_keep(word, ret)
							   : integer_keep(word, ret);
}

bool value_from_json(const struct field *field, struct json_object *value, struct text *ret)
{
	const char *bytes = json_object_get_string(value); /* of a number: as it was written */
	size_t len;

	text_clear(ret);
	switch (json_object_get_type(value)) {
	case json_type_null:
		return true;
	case json_type_object:
	case json_type_array:
		return false;
	case json_type_boolean:
		if (field->type != TYPE_BOOLEAN && !field_types[field->type].words)
			return false;
		break;
	case json_type_double:
	case json_type_int:
	case json_type_string:
		break;
	}
	len = json_object_is_type(value, json_type_string)
		      ? (size_t)json_object_get_string_len(value)
		      : strlen(bytes);
	return value_from_text(field->type, bytes, len, ret);
}

void value_json(enum field_type type, const char *bytes, size_t len, struct text *out)
{
	if (type == TYPE_BOOLEAN)
		text_puts(out, bytes ? "true" : "false");
	else if (!bytes)
		text_puts(out, "null");
	else if (field_types[type].words)
		text_json_string(out, bytes, len);
	else
		text_add(out, bytes, len);
}

void value_display(enum field_type type, const char *bytes, size_t len, struct text *out)
{
	int64_t seconds;
	size_t start = out->len;

	if (type == TYPE_BOOLEAN) {
		text_puts(out, bytes && len ? "True" : "False");
	} else if (type == TYPE_DATETIME && len && time_from_text(bytes, len, &seconds)) {
		clock_print(out, seconds + INSTANCE_ZONE_SECONDS);
		out->data[start + 10] = ' ';
		out->data[--out->len] = '\0'; /* the Z */
	} else if (len) {
		text_add(out, bytes, len);
	}
}

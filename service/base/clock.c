/* Clocks, and dates as numbers. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t clock_read_ns(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t); /* cannot fail for the ids used here */
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_wall_ms(void)
{
	return clock_read_ns(CLOCK_REALTIME) / 1000000;
}

int64_t clock_mono_ms(void)
{
	return clock_read_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t clock_mono_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

int64_t clock_cpu_ms(void)
{
	return clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) / 1000000;
}

/* Days of a proleptic Gregorian date; a year is taken to begin in March, so that the leap day comes
 * last. */
static int64_t clock_days(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static void clock_civil(int64_t days, int *year, int *month, int *day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int)(yoe + era * 400 + (*month <= 2));
}

static int64_t clock_floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

void clock_print_date(int64_t days, char ret[CLOCK_TEXT])
{
	int year, month, day;

	clock_civil(days, &year, &month, &day);
	(void)snprintf(ret, CLOCK_TEXT, "%04d-%02d-%02d", year, month, day);
}

void clock_print(int64_t seconds, char ret[CLOCK_TEXT])
{
	int64_t days = clock_floor_div(seconds, 86400);
	int rest = (int)(seconds - days * 86400);
	int year, month, day;

	clock_civil(days, &year, &month, &day);
	(void)snprintf(ret, CLOCK_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month, day,
		       rest / 3600, rest / 60 % 60, rest % 60);
}

void clock_print_ms(int64_t ms, char ret[CLOCK_TEXT])
{
	char seconds[CLOCK_TEXT];
	int64_t s = clock_floor_div(ms, 1000);

	clock_print(s, seconds);
	(void)snprintf(ret, CLOCK_TEXT, "%.19s.%03dZ", seconds, (int)(ms - s * 1000));
}

static bool clock_digits(struct str *s, size_t n, int64_t min, int64_t max, int64_t *ret)
{
	if (s->n < n || s->p[0] == '-' || !str_int64((struct str){ s->p, n }, min, max, ret))
		return false;
	s->p += n;
	s->n -= n;
	return true;
}

static bool clock_skip(struct str *s, char c)
{
	if (!s->n || s->p[0] != c)
		return false;
	s->p++;
	s->n--;
	return true;
}

static bool clock_take_date(struct str *s, int64_t *ret_days)
{
	static const int month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t year, month, day;
	bool is_leap;

	if (!clock_digits(s, 4, 0, 9999, &year) || !clock_skip(s, '-') ||
	    !clock_digits(s, 2, 1, 12, &month) || !clock_skip(s, '-') ||
	    !clock_digits(s, 2, 1, 31, &day))
		return false;
	is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (day > month_days[month - 1] || (month == 2 && day == 29 && !is_leap))
		return false;
	*ret_days = clock_days(year, month, day);
	return true;
}

static bool clock_take_zone(struct str *s, int64_t *ret_seconds)
{
	int64_t hours = 0, minutes = 0;
	int sign = 1;

	*ret_seconds = 0;
	(void)clock_skip(s, 'Z'); /* "Z+0000" occurs: the sign after it is read as well */
	if (!s->n)
		return true;
	if (clock_skip(s, '-'))
		sign = -1;
	else if (!clock_skip(s, '+'))
		return false;
	if (!clock_digits(s, 2, 0, 14, &hours))
		return false;
	(void)clock_skip(s, ':');
	if (!clock_digits(s, 2, 0, 59, &minutes))
		return false;
	*ret_seconds = sign * (hours * 3600 + minutes * 60);
	return s->n == 0;
}

bool clock_parse(struct str s, int64_t *ret_seconds)
{
	int64_t days, hour, minute, second, zone;

	if (!clock_take_date(&s, &days) || !(clock_skip(&s, 'T') || clock_skip(&s, ' ')) ||
	    !clock_digits(&s, 2, 0, 23, &hour) || !clock_skip(&s, ':') ||
	    !clock_digits(&s, 2, 0, 59, &minute) || !clock_skip(&s, ':') ||
	    !clock_digits(&s, 2, 0, 60, &second))
		return false;
	if (clock_skip(&s, '.')) {
		while (s.n && s.p[0] >= '0' && s.p[0] <= '9')
			(void)clock_skip(&s, s.p[0]);
	}
	if (!clock_take_zone(&s, &zone))
		return false;
	*ret_seconds = days * 86400 + hour * 3600 + minute * 60 + second - zone;
	return true;
}

bool clock_parse_date(struct str s, int64_t *ret_days)
{
	int64_t days;

	if (!clock_take_date(&s, &days) || s.n)
		return false;
	*ret_days = days;
	return true;
}

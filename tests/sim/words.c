/* Fields and words; see words.h. Must not know what becomes of them. */
#include "tests/sim/words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

const struct field word_fields[FIELD_COUNT] = {
	[FIELD_EMAIL] = { .name = "email",
			  .column = { "email", "emailaddress1", "emailaddress1" } },
	[FIELD_LAST] = { .name = "lastName", .column = { "lastName", "lastname", "lastname" } },
	[FIELD_UNSUB] = { .name = "unsubscribed",
			  .column = { "unsubscribed", "donotbulkemail", "donotbulkemail" },
			  .is_consent = true },
	[FIELD_AMOUNT] = { .name = "amount", .column = { "amount", "new_amount", "new_amount" } },
	[FIELD_SOURCE] = { .name = "leadSource",
			   .column = { "leadSource", "leadsourcecode", "leadsourcecode" },
			   .winner = WINNER_DYNAMICS },
	[FIELD_STATUS] = { .name = "status",
			   .column = { "status", "new_status", "new_status" },
			   .direction = DIRECTION_TO_MARKETO },
	[FIELD_TOPIC] = { .name = "topic", .column = { "topic", "subject", NULL } },
	[FIELD_NICK] = { .name = "nick",
			 .column = { "nick", "nickname", "nickname" },
			 .winner = WINNER_MARKETO,
			 .empty = EMPTY_STAYS },
	[FIELD_SECRET] = { .name = "secret", .column = { "secret", "new_secret", "new_secret" } },
};

static const char *const typed[FIELD_COUNT][SIDE_COUNT][WORDS_MAX] = {
	[FIELD_EMAIL] = { { "", "ann@example.org", "bob@example.org", "cid@example.org",
			    "Ann@example.org", "ann@example.org", "poison@example.org",
			    "bob@example.org" },
			  { "", "ann@example.org", "bob@example.org", "cid@example.org",
			    "Bob@example.org", "ann@example.org", "dan@example.org",
			    "bob@example.org" } },
	[FIELD_LAST] = { { "", "Ada", "Eva", " Ida ", "Kim", "Longer than ten", "Poison", "Ada" },
			 { "", "Ada", "Eva", " Uma", "Kim", "Lou", "Zoe", "Eva" } },
	[FIELD_UNSUB] = { { "false", "true", "false", "true", "false", "true", "false", "true" },
			  { "false", "true", "false", "true", "false", "true", "false", "true" } },
	[FIELD_AMOUNT] = { { "", "12.5", "12.50", "7", "1e1", "many", "0.25", "7" },
			   { "", "12.5", "10", "7", "3.25", "0.25", "12.5", "99" } },
	[FIELD_SOURCE] = { { "", "Web", "web", "Word of Mouth", "Radio", "Fair", "Web", "fair" },
			   { "", "Web", "Fair", "Word of Mouth", "Web", "Fair", "Fair", "Web" } },
	[FIELD_STATUS] = { { "", "Open", "Won", "Lost", "mine", "Open", "Won", "Lost" },
			   { "", "Open", "Won", "Lost", "Open", "Won", "Lost", "Won" } },
	[FIELD_TOPIC] = { { "", "t1", "t2", "t3", "t4", "t1", "t2", "t3" },
			  { "", "t1", "t2", "t5", "t6", "t1", "t2", "t5" } },
	[FIELD_NICK] = { { "", "nina", "nora", "nell", "", "nina", "nora", "nell" },
			 { "", "nina", "nora", "Nope", "", "nuri", "nora", "nell" } },
	[FIELD_SECRET] = { { "", "s1", "s2", "s3", "s4", "s1", "s2", "s3" },
			   { "", "s1", "s2", "s5", "s6", "s1", "s2", "s5" } },
};

enum { TABLE_SIZE = 1024 };

const char *word(const char *text)
{
	static const char *table[TABLE_SIZE];
	unsigned h = 5381;

	if (!text || !*text)
		return NULL;
	for (const char *p = text; *p; p++)
		h = h * 33 + (unsigned char)*p;
	for (unsigned i = 0; i < TABLE_SIZE; i++) {
		const char **at = &table[(h + i) % TABLE_SIZE];

		if (!*at)
			*at = mem_text(text); /* kept until the program ends */
		if (strcmp(*at, text) == 0)
			return *at;
	}
	(void)fprintf(stderr, "too many words\n");
	abort();
}

const char *word_typed(enum word_field f, enum side side, unsigned number)
{
	static const char *known[FIELD_COUNT][SIDE_COUNT][WORDS_MAX];
	const char **at = &known[f][side][number % WORDS_MAX];

	if (!*at)
		*at = word(typed[f][side][number % WORDS_MAX]);
	return *at;
}

unsigned word_email_number(const char *email)
{
	for (unsigned i = 1; email && i < WORDS_MAX; i++) {
		if (str_equal_fold(str_of(email), str_of(typed[FIELD_EMAIL][0][i])))
			return i;
	}
	return 0;
}

static const char *word_folded(const char *value, int (*fold)(int))
{
	char text[80];
	size_t n = 0;

	if (!value)
		return NULL;
	for (; value[n] && n + 1 < sizeof(text); n++)
		text[n] = (char)fold((unsigned char)value[n]);
	text[n] = '\0';
	return word(text);
}

const char *word_upper(const char *value)
{
	return word_folded(value, toupper);
}

const char *word_lower(const char *value)
{
	return word_folded(value, tolower);
}

static const char *word_trimmed(const char *value)
{
	char text[80];
	size_t n;

	while (*value == ' ')
		value++;
	n = strlen(value);
	while (n && value[n - 1] == ' ')
		n--;
	(void)snprintf(text, sizeof(text), "%.*s", (int)n, value);
	return word(text);
}

bool word_is_unreadable(enum word_field f, const char *value)
{
	char *end;

	if (f != FIELD_AMOUNT || !value)
		return false;
	(void)strtod(value, &end);
	return *end != '\0';
}

static const char *word_number(const char *value)
{
	char text[40];
	size_t n;

	(void)snprintf(text, sizeof(text), "%.2f", strtod(value, NULL));
	for (n = strlen(text); text[n - 1] == '0'; n--)
		text[n - 1] = '\0';
	if (text[n - 1] == '.')
		text[n - 1] = '\0';
	return word(text);
}

static const char *word_option(const char *value)
{
	static const char *const labels[] = { "Web", "Fair", "Word of Mouth" };

	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		if (str_equal_fold(str_of(value), str_of(labels[i])))
			return word(labels[i]);
	}
	return value;
}

const char *word_meaning(enum word_field f, const char *value)
{
	if (f == FIELD_UNSUB)
		return value ? value : word("false");
	if (!value || word_is_unreadable(f, value))
		return value;
	if (f == FIELD_AMOUNT)
		return word_number(value);
	return f == FIELD_SOURCE ? word_option(value) : word_trimmed(value);
}

bool word_is_blank(enum word_field f, const char *value)
{
	const char *meaning = word_meaning(f, value);

	return !meaning || (f == FIELD_UNSUB && meaning == word("false"));
}

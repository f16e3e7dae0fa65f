/* The table of the round trips. Sources: Adobe: Field Types; Adobe: Leads; Microsoft Learn: Column
 * data types in Dataverse; Microsoft Learn: Behavior and format of the date and time column. Must
 * not know how a value is made canonical. */
#include "tests/oracle/roundtrip.h"

#define OUT(text, json)                                                                            \
	{                                                                                          \
		.from = SIDE_MARKETO, .raw = (text), .sent = (json)                                \
	}
#define IN(text, json)                                                                             \
	{                                                                                          \
		.from = SIDE_DYNAMICS, .raw = (text), .sent = (json)                               \
	}
#define OUT_REFUSED(text, why)                                                                     \
	{                                                                                          \
		.from = SIDE_MARKETO, .raw = (text), .rule = (why)                                 \
	}
#define IN_REFUSED(text, why)                                                                      \
	{                                                                                          \
		.from = SIDE_DYNAMICS, .raw = (text), .rule = (why)                                \
	}
#define OUT_RESPELLED(text, json)                                                                  \
	{                                                                                          \
		.from = SIDE_MARKETO, .raw = (text), .sent = (json), .is_respelled = true          \
	}
#define END                                                                                        \
	{                                                                                          \
		.raw = NULL                                                                        \
	}

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define THOUSAND HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
#define TEN_THOUSAND                                                                               \
	THOUSAND THOUSAND THOUSAND THOUSAND THOUSAND THOUSAND THOUSAND THOUSAND THOUSAND THOUSAND
#define LABEL(number, text)                                                                        \
	"{\"Value\":" number ",\"Label\":{\"UserLocalizedLabel\":{\"Label\":\"" text               \
	"\",\"LanguageCode\":1033}}}"
#define OPTIONS                                                                                    \
	",\"OptionSet\":{\"Options\":[" LABEL("1", "Web") "," LABEL(                               \
		"2", "Word of mouth") "," LABEL("-3", "Z\xc3\xbcrich") "]}"

static const struct trip texts[] = {
	OUT("\"Ann\"", "\"Ann\""),
	IN("\"Ann\"", "\"Ann\""),
	OUT("\"  Ann\\t\"", "\"Ann\""),
	IN("\"\\u00a0Ann\\u2003\"", "\"Ann\""),
	OUT("\"\"", "nothing"),
	IN("\" \\r\\n \"", "nothing"),
	OUT("null", "nothing"),
	/* Composed form: e and a combining acute are one letter, Hangul syllables are composed. */
	OUT("\"e\\u0301\"", "\"\xc3\xa9\""),
	IN("\"\\u1112\\u1161\\u11ab\"", "\"\xed\x95\x9c\""),
	IN("\"q\\u0323\\u0307\"", "\"q\xcc\xa3\xcc\x87\""),
	OUT("\"q\\u0307\\u0323\"", "\"q\xcc\xa3\xcc\x87\""),
	/* Emoji are two UTF-16 units; a family is several emoji joined. */
	OUT("\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""),
	IN("\"\\ud83d\\udc68\\u200d\\ud83d\\udc67\"",
	   "\"\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa7\""),
	/* A surrogate that stands alone is no character. */
	OUT("\"a\\ud800b\"", "\"a\xef\xbf\xbd"
			     "b\""),
	OUT("\"\\ude00\"", "\"\xef\xbf\xbd\""),
	OUT("\"a\\u0000b\"", "\"a\xef\xbf\xbd"
			     "b\""),
	IN("\"quote \\\" back \\\\ slash \\/\"", "\"quote \\\" back \\\\ slash /\""),
	OUT("\"" TEN TEN "\"", "\"" TEN TEN "\""),
	OUT_REFUSED("\"" TEN TEN "x\"", "holds at most 20 characters, the value has 21"),
	/* Counted after composing, and in UTF-16 units, as Dataverse counts. */
	OUT("\"" TEN "012345678e\\u0301\"", "\"" TEN "012345678\xc3\xa9\""),
	OUT("\"" TEN "01234567\\ud83d\\ude00\"", "\"" TEN "01234567\xf0\x9f\x98\x80\""),
	OUT_REFUSED("\"" TEN "012345678\\ud83d\\ude00\"",
		    "holds at most 20 characters, the value has 21"),
	END,
};

static const struct trip long_texts[] = {
	OUT("\"one\\r\\ntwo\\rthree\\nfour\"", "\"one\\ntwo\\nthree\\nfour\""),
	IN("\"one\\r\\ntwo\"", "\"one\\ntwo\""),
	IN("\"\\r\\n one\\r\\n\\r\\n\"", "\"one\""),
	IN("\"tab\\tstays\"", "\"tab\\tstays\""),
	OUT("\"" HUNDRED HUNDRED "\"", "\"" HUNDRED HUNDRED "\""),
	OUT_REFUSED("\"" HUNDRED HUNDRED "x\"", "holds at most 200 characters, the value has 201"),
	END,
};

/* Marketo counts the bytes of its long texts. */
static const struct trip longest_texts[] = {
	IN("\"" TEN_THOUSAND TEN_THOUSAND TEN_THOUSAND "\"",
	   "\"" TEN_THOUSAND TEN_THOUSAND TEN_THOUSAND "\""),
	IN_REFUSED("\"" TEN_THOUSAND TEN_THOUSAND THOUSAND THOUSAND THOUSAND THOUSAND THOUSAND
			   THOUSAND THOUSAND THOUSAND THOUSAND HUNDRED HUNDRED HUNDRED HUNDRED
				   HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "\u00e9\"",
		   "holds at most 30000 bytes, the value has 30002"),
	END,
};

static const struct trip marketo_short[] = {
	IN("\"" TEN "\"", "\"" TEN "\""),
	IN_REFUSED("\"" TEN "x\"", "holds at most 10 characters, the value has 11"),
	IN("\"012345678\\ud83d\\ude00\"", "\"012345678\xf0\x9f\x98\x80\""),
	END,
};

static const struct trip emails[] = {
	OUT("\"ann@example.org\"", "\"ann@example.org\""),
	IN("\" Ann@Example.org \"", "\"Ann@Example.org\""),
	IN_REFUSED("\"b\\u00e4r@example.org\"", "takes ASCII characters only"),
	END,
};

static const struct trip plain_words[] = {
	OUT("\"+49 (0) 30 1234-5\"", "\"+49 (0) 30 1234-5\""),
	IN("\"https://example.org/?a=1&b=%20\"", "\"https://example.org/?a=1&b=%20\""),
	OUT("\"<a href='x'>\"", "\"<a href='x'>\""),
	END,
};

static const struct trip integers[] = {
	OUT("0", "0"),
	IN("-0", "0"),
	OUT("-7", "-7"),
	OUT("1e3", "1000"),
	OUT("2147483647", "2147483647"),
	IN("-2147483648", "-2147483648"),
	IN("2147483647", "2147483647"),
	OUT_REFUSED("2147483648", "holds values from -2147483648 to 2147483647 only"),
	OUT_REFUSED("9007199254740993", "holds values from -2147483648 to 2147483647 only"),
	END,
};

/* A score with digits behind the point against a whole number. */
static const struct trip float_integers[] = {
	OUT("2.0", "2"),
	IN("-7", "-7"),
	OUT_REFUSED("2.5", "numbers only"),
	END,
};

static const struct trip big_integers[] = {
	OUT("\"9007199254740993\"", "9007199254740993"),
	IN("9007199254740993", "\"9007199254740993\""),
	IN("-9223372036854775808", "\"-9223372036854775808\""),
	END,
};

static const struct trip text_integers[] = {
	OUT("\" 12 \"", "12"),
	OUT("\"12.0\"", "12"),
	IN("12", "\"12\""),
	OUT_REFUSED("\"twelve\"", "holds numbers only"),
	OUT_REFUSED("\"12.5\"", "numbers only"),
	OUT_REFUSED("\"101\"", "holds values from 0 to 100 only"),
	END,
};

static const struct trip decimals[] = {
	OUT("0.1", "0.1"),
	IN("0.1", "0.1"),
	OUT("-0.0", "0"),
	OUT("1.10", "1.1"),
	IN("123456789.0123456789", "123456789.0123456789"),
	OUT("1e-10", "0.0000000001"),
	OUT("100000000000", "100000000000"),
	OUT_REFUSED("100000000001", "holds values from -100000000000 to 100000000000 only"),
	OUT_REFUSED("1e300", "holds values from -100000000000 to 100000000000 only"),
	OUT_REFUSED("-1e300", "holds values from -100000000000 to 100000000000 only"),
	END,
};

static const struct trip moneys[] = {
	OUT("1234567.89", "1234567.89"),
	IN("1234567.8900", "1234567.89"),
	OUT("0.01", "0.01"),
	IN("9007199254740993", "9007199254740993"),
	OUT("\"12.50\"", "12.5"),
	/* Rounded to what the column holds, half away from zero; Marketo keeps its digits. */
	OUT("0.005", "0.01"),
	OUT("-2.674999", "-2.67"),
	OUT("1e-300", "0"),
	OUT_REFUSED("922337203685478", "holds values from"),
	END,
};

static const struct trip booleans[] = {
	OUT("true", "true"),
	IN("true", "true"),
	OUT("false", "nothing"),
	IN("false", "nothing"),
	OUT("null", "nothing"),
	IN("null", "nothing"),
	END,
};

static const struct trip text_booleans[] = {
	OUT("\"Yes\"", "true"),
	OUT("\"1\"", "true"),
	OUT("\"no\"", "nothing"),
	OUT("\"\"", "nothing"),
	IN("true", "\"true\""),
	OUT_REFUSED("\"perhaps\"", "holds true or false only"),
	END,
};

static const struct trip dates[] = {
	OUT("\"2026-02-28\"", "\"2026-02-28\""),
	IN("\"2024-02-29\"", "\"2024-02-29\""),
	OUT("\"1753-01-01\"", "\"1753-01-01\""),
	OUT("\"9999-12-31\"", "\"9999-12-31\""),
	OUT_REFUSED("\"1752-12-31\"", "holds values from 1753-01-01 to 9999-12-31 only"),
	END,
};

static const struct trip text_dates[] = {
	OUT("\"2026-02-28\"", "\"2026-02-28\""),
	IN("\"2026-02-28\"", "\"2026-02-28\""),
	OUT_REFUSED("\"28.2.2026\"", "holds dates only"),
	OUT_REFUSED("\"2025-02-29\"", "holds dates only"),
	END,
};

static const struct trip times[] = {
	OUT("\"2026-08-30T14:05:09Z\"", "\"2026-08-30T14:05:09Z\""),
	OUT("\"2026-08-30T14:05:09+0200\"", "\"2026-08-30T12:05:09Z\""),
	IN("\"2026-08-30T14:05:09.1234567Z\"", "\"2026-08-30T14:05:09Z\""),
	OUT("\"1969-12-31T23:59:59Z\"", "\"1969-12-31T23:59:59Z\""),
	OUT("\"1753-01-01T00:00:00Z\"", "\"1753-01-01T00:00:00Z\""),
	OUT("\"9999-12-31T23:59:59Z\"", "\"9999-12-31T23:59:59Z\""),
	OUT_REFUSED("\"1752-12-31T23:59:59Z\"", "holds values from 1753-01-01T00:00:00Z"),
	/* A leap second is the first of the next minute, as POSIX counts. */
	OUT("\"2016-12-31T23:59:60Z\"", "\"2017-01-01T00:00:00Z\""),
	END,
};

static const struct trip choices[] = {
	OUT("\"Web\"", "1"),
	IN("2", "\"Word of mouth\""),
	IN("-3", "\"Z\xc3\xbcrich\""),
	OUT("\"Zu\\u0308rich\"", "-3"),
	OUT_RESPELLED("\"WORD OF MOUTH\"", "2"),
	OUT_REFUSED("\"Fair\"", "has no option with the label of the value"),
	OUT_REFUSED("\"1\"", "has no option with the label of the value"),
	IN("null", "nothing"),
	END,
};

static const struct trip many_choices[] = {
	OUT("\"Web;Word of mouth\"", "\"1,2\""),
	IN("\"2,1\"", "\"Web;Word of mouth\""),
	IN("\"-3\"", "\"Z\xc3\xbcrich\""),
	OUT_RESPELLED("\"word of mouth; web\"", "\"1,2\""),
	OUT_RESPELLED("\"Web;Web;\"", "\"1\""),
	OUT_REFUSED("\"Web;Fair\"", "has no option with one of the labels of the value"),
	IN("null", "nothing"),
	END,
};

static const struct trip states[] = {
	IN("1", "\"Web\""),
	IN("2", "\"Word of mouth\""),
	END,
};

/* The name of the row it leads to; a name alone leads nowhere. */
static const struct trip lookups[] = {
	IN("\"Example & Sons\"", "\"Example & Sons\""),
	IN("null", "nothing"),
	END,
};

static const struct trip guids[] = {
	IN("\"5f0f7a0c-0000-4000-8000-00000000000a\"", "\"5f0f7a0c-0000-4000-8000-00000000000a\""),
	END,
};

#define TWENTY ",\"MaxLength\":20"
#define MONEY ",\"MinValue\":-922337203685477.0,\"MaxValue\":922337203685477.0,\"Precision\":2"
#define DECIMAL ",\"MinValue\":-100000000000.0,\"MaxValue\":100000000000.0,\"Precision\":10"
#define INTEGER ",\"MinValue\":-2147483648,\"MaxValue\":2147483647"
#define DAY ",\"Format\":\"DateOnly\",\"DateTimeBehavior\":{\"Value\":\"DateOnly\"}"
#define TIME ",\"Format\":\"DateAndTime\",\"DateTimeBehavior\":{\"Value\":\"UserLocal\"}"

const struct type_pair type_pairs[] = {
	{ "string", "", "String", TWENTY, NULL, texts, false },
	{ "string", "", "Memo", ",\"MaxLength\":200", NULL, long_texts, false },
	{ "text", "", "Memo", ",\"MaxLength\":200", NULL, long_texts, false },
	{ "text", "", "Memo", ",\"MaxLength\":100000", NULL, longest_texts, false },
	{ "string", ",\"length\":10", "String", TWENTY, NULL, marketo_short, false },
	{ "email", ",\"length\":255", "String", ",\"MaxLength\":100", NULL, emails, false },
	{ "phone", ",\"length\":255", "String", ",\"MaxLength\":50", NULL, plain_words, false },
	{ "url", ",\"length\":255", "String", ",\"MaxLength\":200", NULL, plain_words, false },
	{ "integer", "", "Integer", INTEGER, NULL, integers, false },
	{ "score", "", "Integer", INTEGER, NULL, integers, false },
	{ "percent", "", "Integer", INTEGER, NULL, integers, false },
	{ "float", "", "Integer", INTEGER, NULL, float_integers, false },
	{ "string", "", "BigInt", "", NULL, big_integers, false },
	{ "string", "", "Integer", ",\"MinValue\":0,\"MaxValue\":100", NULL, text_integers, false },
	{ "float", "", "Decimal", DECIMAL, NULL, decimals, false },
	{ "float", "", "Double", DECIMAL, NULL, decimals, false },
	{ "currency", "", "Money", MONEY, NULL, moneys, false },
	{ "boolean", "", "Boolean", "", NULL, booleans, false },
	{ "string", "", "Boolean", "", NULL, text_booleans, false },
	{ "date", "", "DateTime", DAY, NULL, dates, false },
	{ "string", "", "DateTime", DAY, NULL, text_dates, false },
	{ "datetime", "", "DateTime", TIME, NULL, times, false },
	{ "string", "", "Picklist", OPTIONS, NULL, choices, false },
	{ "string", "", "MultiSelectPicklist", OPTIONS, NULL, many_choices, false },
	{ "string", "", "State", OPTIONS, NULL, states, true },
	{ "string", "", "Status", OPTIONS, NULL, states, true },
	{ "string", "", "Uniqueidentifier", "", NULL, guids, true },
	{ "string", "", "Lookup", "", NULL, lookups, true },
	{ "string", "", "Owner", "", NULL, lookups, true },
	{ "integer", "", "String", TWENTY, "the Marketo field is a whole number", NULL, false },
	{ "boolean", "", "Picklist", OPTIONS, "the Marketo field is true or false", NULL, false },
	{ "date", "", "DateTime", TIME, "the Marketo field is a date", NULL, false },
	{ "datetime", "", "DateTime", DAY, "the Marketo field is a time", NULL, false },
	{ "reference", "", "String", TWENTY, "of a type that is not synchronised", NULL, false },
};
const size_t type_pair_count = sizeof(type_pairs) / sizeof(type_pairs[0]);

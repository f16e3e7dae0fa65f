/* People to load: the CSV reader (RFC 4180) and the generator. Knows neither side. */
#include "control/people.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 64

/* One line of the file: the fields one after the other, each with its NUL. */
struct csv_record {
	struct text bytes;
	size_t starts[COLUMNS_MAX];
	size_t count;
};

static const struct {
	const char *name;
	size_t offset;
	bool flag;
} column_map[] = {
#define TEXT_COLUMN(name, member)                                                                  \
	{                                                                                          \
		name, offsetof(struct person_row, member), false                                   \
	}
#define FLAG_COLUMN(name, member)                                                                  \
	{                                                                                          \
		name, offsetof(struct person_row, member), true                                    \
	}
	TEXT_COLUMN("where", where),
	TEXT_COLUMN("salutation", salutation),
	TEXT_COLUMN("firstName", first_name),
	TEXT_COLUMN("lastName", last_name),
	TEXT_COLUMN("email", email),
	TEXT_COLUMN("phone", phone),
	TEXT_COLUMN("mobilePhone", mobile_phone),
	TEXT_COLUMN("title", title),
	TEXT_COLUMN("company", company),
	TEXT_COLUMN("address", address),
	TEXT_COLUMN("city", city),
	TEXT_COLUMN("state", state),
	TEXT_COLUMN("postalCode", postal_code),
	TEXT_COLUMN("country", country),
	TEXT_COLUMN("website", website),
	TEXT_COLUMN("leadSource", lead_source),
	TEXT_COLUMN("notes", notes),
	FLAG_COLUMN("doNotCall", do_not_call),
	FLAG_COLUMN("unsubscribed", unsubscribed),
};

enum { COLUMN_MAP_SIZE = sizeof(column_map) / sizeof(column_map[0]) };

static void csv_begin_field(struct csv_record *r)
{
	if (r->count < COLUMNS_MAX)
		r->starts[r->count] = r->bytes.len;
	r->count++;
}

static void csv_put(struct csv_record *r, int c)
{
	text_add(&r->bytes, &(char){ (char)c }, 1);
}

/* The rest of a quoted field, its opening quote read; gives the character after the closing one. */
static int csv_quoted(FILE *file, struct csv_record *r)
{
	int c;

	while ((c = getc_unlocked(file)) != EOF) {
		if (c == '"') {
			c = getc_unlocked(file);
			if (c != '"')
				return c;
		}
		csv_put(r, c);
	}
	return EOF;
}

/* False at the end of the file. */
static bool csv_read(FILE *file, struct csv_record *r)
{
	int c = getc_unlocked(file);

	if (c == EOF)
		return false;
	text_clear(&r->bytes);
	r->count = 0;
	csv_begin_field(r);
	for (;; c = getc_unlocked(file)) {
		if (c == '"' && r->bytes.len == r->starts[(r->count - 1) % COLUMNS_MAX])
			c = csv_quoted(file, r);
		if (c == '\r')
			continue;
		if (c == ',' || c == '\n' || c == EOF)
			csv_put(r, '\0');
		if (c == '\n' || c == EOF)
			return true;
		if (c == ',')
			csv_begin_field(r);
		else
			csv_put(r, c);
	}
}

static bool columns_of(const struct csv_record *head, int *ret_map, const char *path)
{
	for (size_t i = 0; i < head->count; i++) {
		const char *name = head->bytes.data + head->starts[i];
		int found = -1;

		for (int k = 0; k < COLUMN_MAP_SIZE; k++)
			if (strcmp(name, column_map[k].name) == 0)
				found = k;
		if (found < 0) {
			fprintf(stderr, "tandem-sandbox: %s: unknown column '%s'\n", path, name);
			return false;
		}
		ret_map[i] = found;
	}
	return true;
}

static void person_clear(struct person_row *p)
{
	memset(p, 0, sizeof(*p));
	for (int k = 0; k < COLUMN_MAP_SIZE; k++)
		if (!column_map[k].flag)
			*(const char **)((char *)p + column_map[k].offset) = "";
}

static void person_fill(struct person_row *p, const struct csv_record *r, const int *map,
			size_t columns)
{
	person_clear(p);
	for (size_t i = 0; i < r->count && i < columns; i++) {
		const char *value = r->bytes.data + r->starts[i];
		char *member = (char *)p + column_map[map[i]].offset;

		if (column_map[map[i]].flag)
			*(bool *)member = strcmp(value, "true") == 0;
		else
			*(const char **)member = value;
	}
}

static bool people_read(FILE *file, const char *path, people_taker *take, void *context)
{
	struct csv_record r = { 0 };
	struct person_row p;
	int map[COLUMNS_MAX] = { 0 };
	size_t columns;
	bool good = false;

	if (!csv_read(file, &r) || r.count > COLUMNS_MAX)
		fprintf(stderr, "tandem-sandbox: %s: no line of column names\n", path);
	else
		good = columns_of(&r, map, path);
	columns = r.count;
	for (uint64_t line = 2; good && csv_read(file, &r); line++) {
		if (r.count == 1 && !r.bytes.data[0])
			continue;
		if (r.count != columns) {
			fprintf(stderr,
				"tandem-sandbox: %s: record %" PRIu64 " has %zu fields, not %zu\n",
				path, line, r.count, columns);
			good = false;
			break;
		}
		person_fill(&p, &r, map, columns);
		take(context, &p);
	}
	text_free(&r.bytes);
	return good;
}

bool people_read_file(const char *path, people_taker *take, void *context)
{
	FILE *file = fopen(path, "rb");
	bool good;

	if (!file) {
		fprintf(stderr, "tandem-sandbox: cannot read %s\n", path);
		return false;
	}
	good = people_read(file, path, take, context);
	if (ferror(file)) {
		fprintf(stderr, "tandem-sandbox: cannot read %s\n", path);
		good = false;
	}
	fclose(file);
	return good;
}

static const char *const first_names[] = { "Nadia", "Tomas",  "Ingrid", "Mehmet", "Soraya",
					   "Piotr", "Amélie", "Jürgen", "Chiara", "Rafael",
					   "Noor",  "Kwame",  "Yuki",   "Björk",  "Łucja",
					   "Óscar", "Дарья",  "Νίκος",  "美咲",   "지우",
					   "عمر",   "דנה",    "Zoë",    "Ibrahim" };
static const char *const last_names[] = { "Okafor",       "Lindqvist", "Özdemir", "Kowalska",
					  "Lefèvre",      "Grünwald",  "Rossi",   "Carvalho",
					  "van den Berg", "Mensah",    "佐藤",    "O'Rourke",
					  "Þórsdóttir",   "Nowak",     "Ibáñez",  "Смирнова",
					  "Παππάς",       "김",        "حداد",    "לוי",
					  "D’Angelo",     "Ng",        "Hoàng" };
static const char *const salutations[] = { "", "", "Ms.", "Mr.", "Dr.", "Prof." };
static const char *const titles[] = { "Buyer",         "Head of Procurement",
				      "Engineer",      "Director of Marketing",
				      "Analyst",       "Chief Financial Officer",
				      "Plant Manager", "" };
static const char *const companies[] = { "Okafor & Sons",      "Nordlicht GmbH",
					 "Acme Exports",       "Azul, Lda",
					 "Kestrel Works",      "Brise Marine SARL",
					 "\"Quote\" Partners", "" };
static const char *const streets[] = { "Lind Way",   "Rua do Sol",  "Hafenstraße",
				       "Elm Street", "Calle Mayor", "Via Roma" };
static const char *const cities[] = { "Lagos", "Göteborg", "Porto",  "Kraków",
				      "Leeds", "Nantes",   "Torino", "Aarhus" };
static const char *const states[] = { "",           "Västra Götaland", "Porto",
				      "Małopolska", "West Yorkshire",  "" };
static const char *const countries[] = { "Nigeria", "Sweden",         "Portugal",
					 "Poland",  "United Kingdom", "France" };
static const char *const lead_sources[] = {
	"", "Advertisement", "Employee Referral", "Seminar", "Trade Show", "Web", "Word of Mouth"
};

/* splitmix64 */
static uint64_t next_number(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

#define PICK(list, state) (list)[next_number(state) % (sizeof(list) / sizeof((list)[0]))]

static void invent_one(const char *where, uint64_t seed, int64_t number, people_taker *take,
		       void *context)
{
	uint64_t state = seed * 0x2545f4914f6cdd1du + (uint64_t)number;
	char email[96], phone[32], mobile[32], address[64], postal_code[16], website[64], notes[96];
	struct person_row p;

	person_clear(&p);
	for (const char *c = where; *c; c++)
		state = state * 131 + (unsigned char)*c;
	snprintf(email, sizeof(email), "%s-%" PRId64 ".s%" PRIu64 "@example.org", where, number,
		 seed);
	snprintf(phone, sizeof(phone), "+44 20 7946 %04u",
		 (unsigned int)(next_number(&state) % 10000));
	snprintf(mobile, sizeof(mobile), "+44 7700 900%03u",
		 (unsigned int)(next_number(&state) % 1000));
	snprintf(address, sizeof(address), "%s %u", PICK(streets, &state),
		 (unsigned int)(next_number(&state) % 200) + 1);
	snprintf(postal_code, sizeof(postal_code), "%05u",
		 (unsigned int)(next_number(&state) % 100000));
	snprintf(website, sizeof(website), "https://www%u.example.org",
		 (unsigned int)(next_number(&state) % 1000));
	snprintf(notes, sizeof(notes), "Met at the fair.\nWants a call in week %u.",
		 (unsigned int)(next_number(&state) % 52) + 1);
	p.where = where;
	p.salutation = PICK(salutations, &state);
	p.first_name = PICK(first_names, &state);
	p.last_name = PICK(last_names, &state);
	p.email = email;
	p.phone = next_number(&state) % 4 ? phone : "";
	p.mobile_phone = next_number(&state) % 2 ? mobile : "";
	p.title = PICK(titles, &state);
	p.company = PICK(companies, &state);
	p.address = address;
	p.city = PICK(cities, &state);
	p.state = PICK(states, &state);
	p.postal_code = postal_code;
	p.country = PICK(countries, &state);
	p.website = next_number(&state) % 3 ? "" : website;
	p.lead_source = PICK(lead_sources, &state);
	p.notes = next_number(&state) % 8 ? "" : notes;
	p.do_not_call = next_number(&state) % 20 == 0;
	p.unsubscribed = next_number(&state) % 12 == 0;
	take(context, &p);
}

void people_invent(const char *where, int64_t count, uint64_t seed, people_taker *take,
		   void *context)
{
	for (int64_t i = 1; i <= count; i++)
		invent_one(where, seed, i, take, context);
}

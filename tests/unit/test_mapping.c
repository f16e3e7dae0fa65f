/* The active fields (INV-SELECTED). */
#include "tests/unit/fixture.h"
#include "tests/unit/unit.h"

/* One field against three columns that a test may change; NULL name: the table lacks it. */
static struct mapping *one(struct column person, struct column lead, struct column contact)
{
	static const struct field field = { .name = "email",
					    .column = { "email", "mail", "mail" } };
	static const uint16_t slot = 5;
	const struct schema schemas[TABLE_COUNT] = {
		{ TABLE_PERSON, &person, person.name.p ? 1 : 0 },
		{ TABLE_LEAD, &lead, lead.name.p ? 1 : 0 },
		{ TABLE_CONTACT, &contact, contact.name.p ? 1 : 0 },
	};

	return mapping_new(&(struct field_set){ .fields = &field, .count = 1 }, &slot, schemas);
}

static struct column column(const char *name, enum column_type type)
{
	return (struct column){ .name = str_of(name), .type = type, FIXTURE_OPEN };
}

static struct column scaled(const char *name, enum column_type type, int scale)
{
	struct column c = column(name, type);

	c.scale = scale;
	return c;
}

static void everything_fits(void **state)
{
	struct mapping *m = fixture_mapping();

	(void)state;
	assert_int_equal(m->count, FIXTURE_COUNT);
	assert_int_equal(m->slot_count, 8);
	assert_int_equal(m->paused_count, 0);
	assert_int_equal(m->email, -1);
	assert_true(mapping_active(m, FIXTURE_SOURCE, TABLE_LEAD));
	assert_false(mapping_active(m, FIXTURE_SOURCE,
				    TABLE_CONTACT)); /* no such column: nothing to report */
	assert_int_equal(m->fields[FIXTURE_SOURCE].kind, VALUE_TEXT);
	assert_int_equal(m->fields[FIXTURE_FLAG].kind, VALUE_BOOLEAN);
	assert_int_equal(mapping_find(m, STR("flag")), FIXTURE_FLAG);
	assert_int_equal(mapping_find(m, STR("Flag")), -1);
	/* The schemas are copied, options included. */
	assert_ptr_not_equal(m->fields[FIXTURE_SOURCE].column[TABLE_LEAD]->options,
			     fixture_sources);
	assert_str(m->fields[FIXTURE_SOURCE].column[TABLE_LEAD]->options[1].label, "Word of Mouth");
	mapping_free(m);
	mapping_free(NULL);
}

static void fields_travel_in_their_direction(void **state)
{
	struct mapping *m = fixture_mapping();

	(void)state;
	for (int create = 0; create < 2; create++) {
		assert_true(mapping_writable(m, FIXTURE_NAME, TABLE_LEAD, SIDE_MARKETO, create));
		assert_true(
			mapping_writable(m, FIXTURE_NAME, TABLE_CONTACT, SIDE_DYNAMICS, create));
		assert_true(mapping_writable(m, FIXTURE_STATUS, TABLE_LEAD, SIDE_MARKETO, create));
		assert_false(
			mapping_writable(m, FIXTURE_STATUS, TABLE_LEAD, SIDE_DYNAMICS, create));
		assert_false(mapping_writable(m, FIXTURE_TOPIC, TABLE_LEAD, SIDE_MARKETO, create));
		assert_true(mapping_writable(m, FIXTURE_TOPIC, TABLE_LEAD, SIDE_DYNAMICS, create));
		assert_false(
			mapping_writable(m, FIXTURE_SOURCE, TABLE_CONTACT, SIDE_MARKETO, create));
	}
	mapping_free(m);
}

static void rights_decide_create_and_update_apart(void **state)
{
	struct column lead = column("mail", COLUMN_TEXT), person = column("email", COLUMN_TEXT);
	struct mapping *m;

	(void)state;
	lead.can_update = false;
	person.can_create = false;
	m = one(person, lead, (struct column){ .name = STR("") });
	assert_int_equal(m->email, 0);
	assert_true(mapping_writable(m, 0, TABLE_LEAD, SIDE_DYNAMICS, true));
	assert_false(mapping_writable(m, 0, TABLE_LEAD, SIDE_DYNAMICS, false));
	assert_false(mapping_writable(m, 0, TABLE_LEAD, SIDE_MARKETO, true));
	assert_true(mapping_writable(m, 0, TABLE_LEAD, SIDE_MARKETO, false));
	mapping_free(m);
}

static void what_cannot_be_read_pauses(void **state)
{
	struct column lead = column("mail", COLUMN_TEXT), contact = lead,
		      person = column("email", COLUMN_TEXT);
	struct mapping *m;

	(void)state;
	lead.can_read = false;
	m = one(person, lead, contact);
	assert_false(mapping_active(m, 0, TABLE_LEAD));
	assert_true(mapping_active(m, 0, TABLE_CONTACT));
	assert_int_equal(m->paused_count, 1);
	assert_int_equal(m->paused[0].table, TABLE_LEAD);
	assert_string_equal(m->paused[0].name, "email");
	assert_string_equal(m->paused[0].reason, "the sync user may not read the column mail");
	assert_true(m->selection[TABLE_LEAD] == 0);
	mapping_free(m);
	person.can_read = false;
	m = one(person, lead, contact);
	assert_int_equal(m->paused_count, 1); /* on the person: paused altogether */
	assert_int_equal(m->paused[0].table, TABLE_PERSON);
	assert_false(mapping_active(m, 0, TABLE_CONTACT));
	for (int t = 0; t < TABLE_COUNT; t++)
		assert_null(m->fields[0].column[t]);
	assert_int_equal(m->email, -1);
	mapping_free(m);
	m = one(column("email", COLUMN_TEXT), column("other", COLUMN_TEXT),
		column("mail", COLUMN_OTHER));
	assert_int_equal(m->paused_count, 2);
	assert_string_equal(m->paused[0].reason, "there is no column mail");
	assert_string_equal(m->paused[1].reason,
			    "the column mail is of a type that is not synchronised");
	assert_null(m->fields[0].column[TABLE_PERSON]); /* active nowhere: not read either */
	mapping_free(m);
}

static void kinds_must_fit(void **state)
{
	enum column_type types[] = { COLUMN_TEXT,    COLUMN_BOOLEAN,     COLUMN_INTEGER,
				     COLUMN_DECIMAL, COLUMN_DATE,        COLUMN_TIME,
				     COLUMN_CHOICE,  COLUMN_MULTI_CHOICE };

	(void)state;
	for (size_t p = 0; p < 6; p++) {
		for (size_t l = 0; l < ARRAY_LEN(types); l++) {
			struct mapping *m = one(column("email", types[p]), column("mail", types[l]),
						(struct column){ .name = { NULL, 0 } });
			bool is_numbers = (p == 2 || p == 3) && (l == 2 || l == 3);

			assert_int_equal(mapping_active(m, 0, TABLE_LEAD),
					 p == l || p == 0 || is_numbers);
			if (mapping_active(m, 0, TABLE_LEAD))
				assert_int_equal(m->fields[0].kind,
						 l >= 6 ? VALUE_TEXT
							: VALUE_BOOLEAN + (l ? l - 1 : 5));
			/* Only decimals have a scale; here just the one a whole number imposes. */
			assert_int_equal(m->fields[0].scale, p == 2 && l == 3 ? 0 : -1);
			mapping_free(m);
		}
	}
}

static void records_of_different_kinds_pause_the_contact(void **state)
{
	struct mapping *m = one(column("email", COLUMN_TEXT), column("mail", COLUMN_DATE),
				column("mail", COLUMN_TEXT));

	(void)state;
	assert_true(mapping_active(m, 0, TABLE_LEAD));
	assert_false(mapping_active(m, 0, TABLE_CONTACT));
	assert_int_equal(m->fields[0].kind, VALUE_DATE);
	assert_string_equal(m->paused[0].reason,
			    "the column mail is text, the one on lead is a date");
	mapping_free(m);
	m = one(column("email", COLUMN_DATE), column("mail", COLUMN_TEXT),
		column("mail", COLUMN_DATE));
	assert_false(mapping_active(m, 0, TABLE_LEAD));
	assert_true(mapping_active(m, 0, TABLE_CONTACT));
	assert_string_equal(m->paused[0].reason,
			    "the Marketo field is a date, the column mail is text");
	mapping_free(m);
}

static void the_coarser_scale_counts(void **state)
{
	static const struct {
		struct column person, lead, contact;
		int scale;
	} cases[] = {
		{ { .type = COLUMN_DECIMAL, .scale = 2 },
		  { .type = COLUMN_DECIMAL, .scale = 4 },
		  { .scale = 4 },
		  2 },
		{ { .type = COLUMN_DECIMAL, .scale = -1 },
		  { .type = COLUMN_DECIMAL, .scale = 4 },
		  { .scale = 3 },
		  3 },
		{ { .type = COLUMN_INTEGER, .scale = -1 },
		  { .type = COLUMN_DECIMAL, .scale = 4 },
		  { .scale = 4 },
		  0 },
		{ { .type = COLUMN_TEXT, .scale = 0 },
		  { .type = COLUMN_DECIMAL, .scale = -1 },
		  { .scale = -1 },
		  -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mapping *m =
			one(scaled("email", cases[i].person.type, cases[i].person.scale),
			    scaled("mail", cases[i].lead.type, cases[i].lead.scale),
			    scaled("mail", COLUMN_DECIMAL, cases[i].contact.scale));

		assert_int_equal(m->fields[0].kind, VALUE_DECIMAL);
		assert_int_equal(m->fields[0].scale, cases[i].scale);
		mapping_free(m);
	}
}

static void selection_tells_lists_of_columns_apart(void **state)
{
	struct field fields[FIXTURE_COUNT];
	struct mapping *all = fixture_mapping(), *fewer, *turned;

	(void)state;
	for (size_t i = 0; i < FIXTURE_COUNT; i++)
		fields[i] = fixture_fields[FIXTURE_COUNT - 1 - i];
	turned = mapping_new(&(struct field_set){ .fields = fields, .count = FIXTURE_COUNT },
			     fixture_slots, fixture_schemas);
	fewer = mapping_new(&(struct field_set){ .fields = fixture_fields,
						 .count = FIXTURE_COUNT - 1 },
			    fixture_slots, fixture_schemas);
	for (int t = 0; t < TABLE_COUNT; t++) {
		assert_true(all->selection[t] == turned->selection[t]);
		assert_true(all->selection[t] != fewer->selection[t]);
	}
	assert_true(all->selection[TABLE_LEAD] != all->selection[TABLE_CONTACT]);
	mapping_free(all);
	mapping_free(turned);
	mapping_free(fewer);
}

/* What waits for a right is looked at again when the right comes: for that the list must differ. */
static void selection_tells_rights_to_write_apart(void **state)
{
	struct column open = column("mail", COLUMN_TEXT), barred[2] = { open, open };
	struct column email = column("email", COLUMN_TEXT), email_barred = email;
	struct mapping *all = one(email, open, open), *other;

	(void)state;
	barred[0].can_update = false;
	barred[1].can_create = false;
	for (size_t i = 0; i < ARRAY_LEN(barred); i++) {
		other = one(email, barred[i], open);
		assert_true(all->selection[TABLE_LEAD] != other->selection[TABLE_LEAD]);
		assert_true(all->selection[TABLE_CONTACT] == other->selection[TABLE_CONTACT]);
		mapping_free(other);
	}
	email_barred.can_update = false;
	other = one(email_barred, open, open); /* what may not go to Marketo concerns both tables */
	assert_true(all->selection[TABLE_LEAD] != other->selection[TABLE_LEAD]);
	assert_true(all->selection[TABLE_CONTACT] != other->selection[TABLE_CONTACT]);
	mapping_free(other);
	mapping_free(all);
}

/* A set of one field with the sync filter on new_filter, against a lead that has the column as
 * given and a contact that has none. */
static struct mapping *filtered(const struct filter_rule *filter, const struct column *column)
{
	static const struct field field = { .name = "lastName",
					    .column = { "lastName", "lastname", "lastname" } };
	static const uint16_t slot;
	struct column lead[] = { fixture_lead[0], *column };
	const struct schema schemas[TABLE_COUNT] = {
		fixture_schemas[TABLE_PERSON],
		{ TABLE_LEAD, lead, ARRAY_LEN(lead) },
		fixture_schemas[TABLE_CONTACT],
	};
	const struct field_set set = { .fields = &field, .count = 1, .filter = *filter };

	return mapping_new(&set, &slot, schemas);
}

static void the_filter_column_is_read_and_never_mapped(void **state)
{
	const struct filter_rule rule = { .column = "new_filter",
					  .null = FILTER_NULL_SKIP,
					  .is_set_on_create = true };
	struct column c = column("new_filter", COLUMN_BOOLEAN);
	struct mapping *m = filtered(&rule, &c),
		       *none = filtered(&(struct filter_rule){ .column = NULL }, &c);

	(void)state;
	assert_non_null(m->filter[TABLE_LEAD]);
	assert_str(m->filter[TABLE_LEAD]->name, "new_filter");
	assert_ptr_not_equal(m->filter[TABLE_LEAD]->name.p, c.name.p); /* copied */
	assert_null(m->filter[TABLE_CONTACT]);
	assert_null(m->filter[TABLE_PERSON]);
	assert_int_equal(m->filter_rule.null, FILTER_NULL_SKIP);
	assert_true(m->filter_rule.is_set_on_create);
	assert_int_equal(m->count, 1);
	assert_int_equal(m->paused_count, 0);
	/* It is one of the columns that are read: a filter that comes or goes is a new list. */
	assert_true(m->selection[TABLE_LEAD] != none->selection[TABLE_LEAD]);
	assert_true(m->selection[TABLE_CONTACT] == none->selection[TABLE_CONTACT]);
	assert_null(none->filter[TABLE_LEAD]);
	mapping_free(m);
	mapping_free(none);
}

static void a_column_that_is_no_filter_is_none(void **state)
{
	const struct filter_rule rule = { .column = "new_filter" };
	struct column columns[] = { column("new_filter", COLUMN_TEXT),
				    column("new_filter", COLUMN_BOOLEAN),
				    column("new_other", COLUMN_BOOLEAN) };

	(void)state;
	columns[1].can_read = false;
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		struct mapping *m = filtered(&rule, &columns[i]);

		assert_null(m->filter[TABLE_LEAD]);
		mapping_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_fits),
		cmocka_unit_test(fields_travel_in_their_direction),
		cmocka_unit_test(rights_decide_create_and_update_apart),
		cmocka_unit_test(what_cannot_be_read_pauses),
		cmocka_unit_test(kinds_must_fit),
		cmocka_unit_test(records_of_different_kinds_pause_the_contact),
		cmocka_unit_test(the_coarser_scale_counts),
		cmocka_unit_test(selection_tells_lists_of_columns_apart),
		cmocka_unit_test(selection_tells_rights_to_write_apart),
		cmocka_unit_test(the_filter_column_is_read_and_never_mapped),
		cmocka_unit_test(a_column_that_is_no_filter_is_none),
	};

	return RUN(tests);
}

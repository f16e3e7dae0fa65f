/* Table definitions as Dataverse answers them, and privileges. */
#include "remote/dynamics_schema.h"

#include "tests/unit/unit.h"

#define ID(n) "\"MetadataId\":\"024a2ee3-0000-4000-8000-00000000000" n "\""
#define ROW(name, type, n, more)                                                                   \
	"{\"LogicalName\":\"" name "\",\"AttributeType\":\"" type                                  \
	"\"," ID(n) ",\"IsValidForRead\":true,"                                                    \
		    "\"IsValidForCreate\":true,\"IsValidForUpdate\":false" more "}"

static const char base[] = "{\"value\":[" ROW("lastname", "String", "1", ",\"AttributeOf\":null,\"IsSecured\":true") "," ROW(
	"leadsourcecodename", "Virtual", "2",
	",\"AttributeOf\":\"leadsourcecode\"") "," ROW("leadsourcecode", "Picklist", "3",
						       "") "," ROW("revenue", "Money", "4",
								   "") "," ROW("birthdate",
									       "DateTime", "5",
									       "") "," ROW("createdon",
											   "DateTime",
											   "6",
											   "") "," ROW("topics",
												       "Virtual",
												       "7",
												       "") "," ROW("parentcustomerid",
														   "Customer",
														   "8",
														   "") "]}";

static const struct {
	const char *cast, *answer;
} casts[] = {
	{ "String",
	  "{\"value\":[{\"LogicalName\":\"lastname\",\"MaxLength\":50},{\"LogicalName\":\"unknown\"}]}" },
	{ "Money",
	  "{\"value\":[{\"LogicalName\":\"revenue\",\"MinValue\":0,\"MaxValue\":922337203685477.0,\"Precision\":2}]}" },
	{ "DateTime",
	  "{\"value\":[{\"LogicalName\":\"birthdate\",\"Format\":\"DateOnly\",\"DateTimeBehavior\":{\"Value\":\"DateOnly\"}},"
	  "{\"LogicalName\":\"createdon\",\"Format\":\"DateOnly\",\"DateTimeBehavior\":{\"Value\":\"UserLocal\"}}]}" },
	{ "Picklist",
	  "{\"value\":[{\"LogicalName\":\"leadsourcecode\",\"OptionSet\":null,\"GlobalOptionSet\":{\"Options\":["
	  "{\"Value\":1,\"Label\":{\"LocalizedLabels\":[],\"UserLocalizedLabel\":{\"Label\":\" Web \",\"LanguageCode\":1033}}},"
	  "{\"Value\":2,\"Label\":{\"LocalizedLabels\":[{\"Label\":\"Messe\",\"LanguageCode\":1031},"
	  "{\"Label\":\"Trade Show\",\"LanguageCode\":1033}],\"UserLocalizedLabel\":null}},"
	  "{\"Value\":3,\"Label\":{\"LocalizedLabels\":[{\"Label\":\"Anzeige\",\"LanguageCode\":1031}],\"UserLocalizedLabel\":null}},"
	  "{\"Value\":4,\"Label\":{\"LocalizedLabels\":[]}}]}}]}" },
	{ "MultiSelectPicklist",
	  "{\"value\":[{\"LogicalName\":\"topics\",\"OptionSet\":{\"Options\":[]},\"GlobalOptionSet\":null}]}" },
};

static struct json_object *parse(const char *text)
{
	struct json_object *ret = json_tokener_parse(text);

	assert_non_null(ret);
	return ret;
}

static const struct dynamics_cast *cast_of(const char *name)
{
	for (size_t i = 0; i < dynamics_cast_count; i++)
		if (!strcmp(dynamics_cast_name(dynamics_cast_at(i)), name))
			return dynamics_cast_at(i);
	return NULL;
}

static void read_schema(struct arena *a, struct schema *s)
{
	struct json_object *answer = parse(base);

	*s = (struct schema){ .table = TABLE_LEAD };
	assert_int_equal(dynamics_schema_base(answer, a, s, NULL), ERR_NONE);
	json_object_put(answer);
	for (size_t i = 0; i < ARRAY_LEN(casts); i++) {
		answer = parse(casts[i].answer);
		assert_int_equal(dynamics_schema_cast(cast_of(casts[i].cast), answer, 1033, a, s,
						      NULL),
				 ERR_NONE);
		json_object_put(answer);
	}
}

static void columns_are_described(void **state)
{
	CLEANUP(arena_release) struct arena a = { 0 };
	struct schema s;
	const struct column *c;

	(void)state;
	read_schema(&a, &s);
	c = schema_find(&s, STR("lastname"));
	assert_true(c->type == COLUMN_TEXT && c->length_max == 50 &&
		    c->length_unit == LENGTH_UTF16 && c->is_secured);
	assert_true(c->can_read && c->can_create && !c->can_update);
	c = schema_find(&s, STR("leadsourcecodename"));
	assert_true(c->type == COLUMN_OTHER && !c->can_read && !c->can_create);
	c = schema_find(&s, STR("revenue"));
	assert_true(c->type == COLUMN_DECIMAL && c->scale == 2 && c->has_range && c->max > 9e14);
	c = schema_find(&s, STR("birthdate"));
	assert_true(c->type == COLUMN_DATE && c->has_range && c->min == -79257);
	c = schema_find(&s, STR("createdon"));
	assert_true(c->type == COLUMN_TIME && c->has_range && c->min == -79257.0 * 86400);
	assert_int_equal(schema_find(&s, STR("topics"))->type, COLUMN_MULTI_CHOICE);
	c = schema_find(&s, STR("parentcustomerid"));
	assert_int_equal(c->type, COLUMN_LOOKUP);
	assert_false(c->can_create || c->can_update);
}

static void labels_follow_the_language(void **state)
{
	CLEANUP(arena_release) struct arena a = { 0 };
	struct schema s;
	const struct column *c;

	(void)state;
	read_schema(&a, &s);
	c = schema_find(&s, STR("leadsourcecode"));
	assert_int_equal(c->type, COLUMN_CHOICE);
	assert_int_equal(c->option_count, 3);
	assert_str(c->options[0].label, "Web");
	assert_str(c->options[1].label, "Trade Show");
	assert_str(c->options[2].label, "Anzeige");
}

static void odd_definitions_are_rubbish(void **state)
{
	static const char *const bodies[] = {
		"{}",
		"{\"value\":[]}",
		"{\"value\":{}}",
		"{\"value\":[7]}",
		"{\"value\":[{\"LogicalName\":\"x\"}]}",
		("{\"value\":[{\"LogicalName\":\"x\",\"AttributeType\":\"String\",\"MetadataId\":\"z\",\"IsValidForRead\":true,"
		 "\"IsValidForCreate\":true,\"IsValidForUpdate\":true}]}"),
	};
	CLEANUP(arena_release) struct arena a = { 0 };
	struct schema s = { .table = TABLE_LEAD };
	struct json_object *answer;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		answer = parse(bodies[i]);
		assert_int_equal(dynamics_schema_base(answer, &a, &s, NULL), ERR_RUBBISH);
		json_object_put(answer);
	}
}

static void choices_without_a_list_are_left_alone(void **state)
{
	CLEANUP(arena_release) struct arena a = { 0 };
	struct schema s;
	struct json_object *answer;

	(void)state;
	read_schema(&a, &s);
	answer = parse("{\"value\":[{\"LogicalName\":\"leadsourcecode\",\"OptionSet\":null}]}");
	assert_int_equal(dynamics_schema_cast(cast_of("Picklist"), answer, 0, &a, &s, NULL),
			 ERR_NONE);
	assert_int_equal(schema_find(&s, STR("leadsourcecode"))->type, COLUMN_OTHER);
	assert_int_equal(schema_find(&s, STR("lastname"))->type, COLUMN_TEXT);
	json_object_put(answer);
}

static void privileges_have_a_depth(void **state)
{
	struct json_object *answer = parse(
		"{\"RolePrivileges\":["
		"{\"PrivilegeName\":\"prvReadContact\",\"Depth\":\"Local\"},{\"PrivilegeName\":\"prvReadContact\",\"Depth\":\"Global\"},"
		"{\"PrivilegeName\":\"prvReadContact\",\"Depth\":\"Basic\"},{\"PrivilegeName\":\"prvReadLead\",\"Depth\":\"Basic\"},"
		"{\"PrivilegeName\":\"prvWriteLead\"},7]}");

	(void)state;
	assert_string_equal(dynamics_privilege(answer, "Read", TABLE_CONTACT), "Global");
	assert_string_equal(dynamics_privilege(answer, "Read", TABLE_LEAD), "Basic");
	assert_null(dynamics_privilege(answer, "Write", TABLE_LEAD));
	assert_null(dynamics_privilege(answer, "Create", TABLE_CONTACT));
	json_object_put(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_described),
		cmocka_unit_test(labels_follow_the_language),
		cmocka_unit_test(odd_definitions_are_rubbish),
		cmocka_unit_test(choices_without_a_list_are_left_alone),
		cmocka_unit_test(privileges_have_a_depth),
	};

	return RUN(tests);
}

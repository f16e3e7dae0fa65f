/* How a row is addressed: by identifier, by alternate key, by the address in a bind, by a change
 * set's Content-ID (Microsoft Learn: Use an alternate key to reference a record). */
#include <stdlib.h>
#include <string.h>

#include "dataverse/dataverse.h"

/* Characters that cannot stand in the address form of a key. */
#define FORBIDDEN_IN_KEY "/<>*%&:\\?+"

/* Entity sets of the service that a client may come to from the tables there are. */
static bool known_elsewhere(const char *name, size_t len)
{
	static const char *const sets[] = {
		"activitypointers",
		"annotations",
		"appointments",
		"campaigns",
		"duplicaterules",
		"emails",
		"incidents",
		"fieldsecurityprofiles",
		"lists",
		"opportunities",
		"phonecalls",
		"plugintypes",
		"processstages",
		"publishers",
		"pricelevels",
		"roles",
		"slas",
		"solutions",
		"subscriptions",
		"tasks",
		"territories",
		"workflows",
	};

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (strlen(sets[i]) == len && strncmp(sets[i], name, len) == 0)
			return true;
	return false;
}

bool key_no_table(struct call *c, const char *name, size_t len)
{
	int shown = (int)(len < 100 ? len : 100);

	if (known_elsewhere(name, len))
		return call_refuse(c, 501, ODATA_ERROR, "The table of '%.*s' is not offered here.",
				   shown, name);
	return call_refuse(c, 404, ODATA_ERROR, "Resource not found for the segment '%.*s'.", shown,
			   name);
}

void key_free(struct key *key)
{
	text_free(&key->value);
	*key = (struct key){ 0 };
}

/* name='value',other='value': no table here has a key of several columns */
static bool is_composite(const char *s, size_t len)
{
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		quoted ^= s[i] == '\'';
		if (!quoted && s[i] == ',')
			return true;
	}
	return false;
}

/* name='value' */
static bool parse_alternate(struct call *c, const struct table *t, const char *s, size_t len,
			    struct key *ret)
{
	size_t name = 0, at;

	while (name < len && s[name] != '=')
		name++;
	if (t->key_column == NO_COLUMN || table_column(t, s, name) != t->key_column ||
	    is_composite(s, len))
		return call_refuse(
			c, 400, "0x80060890",
			"The specified key attributes are not a defined key for the %s entity",
			t->def->logical_name);
	ret->alternate = true;
	text_add(&ret->value, "", 0);
	at = name + 2;
	if (at > len || s[name + 1] != '\'' || s[len - 1] != '\'' || at == len)
		return call_refuse(c, 400, ODATA_ERROR, "The key value of '%.*s' is not a text.",
				   (int)name, s);
	for (; at < len - 1; at++) {
		if (strchr(FORBIDDEN_IN_KEY, s[at]))
			return call_refuse(
				c, 400, ODATA_ERROR,
				"The key value holds a character that an address cannot hold.");
		at += s[at] == '\'';
		text_add(&ret->value, s + at, 1);
	}
	return true;
}

bool key_parse(struct call *c, const struct table *t, const char *s, size_t len, struct key *ret)
{
	size_t id_len = strlen(t->def->id_column);

	*ret = (struct key){ 0 };
	if (len > id_len && strncmp(s, t->def->id_column, id_len) == 0 && s[id_len] == '=') {
		s += id_len + 1;
		len -= id_len + 1;
	}
	if (guid_parse(s, len, &ret->id))
		return true;
	if (memchr(s, '=', len))
		return parse_alternate(c, t, s, len, ret);
	return call_refuse(c, 400, ODATA_ERROR, "Expected Edm.Guid as the key of '%s', got '%.*s'.",
			   t->def->set_name, (int)len, s);
}

struct first_hit {
	uint32_t record;
};

static bool take_first(void *context, uint32_t record)
{
	struct first_hit *hit = context;

	hit->record = record;
	return false;
}

uint32_t key_find_quietly(const struct table *t, const struct key *key)
{
	struct first_hit hit = { NO_RECORD };

	if (!key->alternate)
		return table_find(t, &key->id, false);
	table_find_text(t, t->key_column, key->value.data, key->value.len, take_first, &hit);
	return hit.record;
}

uint32_t key_find(struct call *c, const struct table *t, const struct key *key)
{
	uint32_t record = key_find_quietly(t, key);
	char id[GUID_TEXT];

	if (record != NO_RECORD)
		return record;
	guid_print(&key->id, id);
	if (key->alternate)
		call_refuse(c, 404, "0x80060891",
			    "A record with the specified key values does not exist in %s entity",
			    t->def->logical_name);
	else
		call_refuse(c, 404, "0x80040217", "%s With Id = %s Does Not Exist",
			    t->def->logical_name, id);
	return NO_RECORD;
}

static const char *reference_target(const struct references *made, const char *id, size_t len)
{
	for (size_t i = 0; made && i < made->count; i++)
		if (strlen(made->items[i].content_id) == len &&
		    strncmp(made->items[i].content_id, id, len) == 0)
			return made->items[i].target.data;
	return NULL;
}

bool key_parse_address(struct call *c, const char *address, struct table **ret_table,
		       struct key *ret)
{
	const char *open, *close;
	size_t root_len;

	*ret = (struct key){ 0 };
	if (*address == '$') {
		const char *target =
			reference_target(c->references, address + 1, strlen(address + 1));

		if (!target)
			return call_refuse(
				c, 400, ODATA_ERROR,
				"Content-ID Reference: '%s' does not exist in the batch context.",
				address);
		address = target;
	}
	if (strstr(address, "://")) {
		address = strchr(strstr(address, "://") + 3, '/');
		address = address ? address : "";
	}
	if (call_rest_of(address, &root_len))
		address = call_rest_of(address, &root_len);
	address += *address == '/';
	open = strchr(address, '(');
	close = strrchr(address, ')');
	if (!open || !close || close < open || close[1])
		return call_refuse(c, 400, PAYLOAD_ERROR,
				   "The reference '%.200s' is not the address of a row.", address);
	*ret_table = store_table_of_set(&c->dataverse->store, address, (size_t)(open - address));
	if (!*ret_table)
		return key_no_table(c, address, (size_t)(open - address));
	return key_parse(c, *ret_table, open + 1, (size_t)(close - open - 1), ret);
}

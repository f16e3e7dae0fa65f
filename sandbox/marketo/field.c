/* The table of fields, standard and created, and the calls that describe and create them.
 * Knows nothing of people. */
#include <ctype.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marketo/marketo.h"

/* Adobe: Lead Database, Field Types. Lengths: strings 255 characters, text areas 30,000 bytes. */
const struct field_type_info field_types[TYPE_COUNT] = {
	[TYPE_STRING] = { "string", 255, true, true, true },
	[TYPE_TEXT] = { "text", 30000, false, true, false },
	[TYPE_EMAIL] = { "email", 255, true, true, true },
	[TYPE_PHONE] = { "phone", 255, true, true, false },
	[TYPE_URL] = { "url", 255, true, true, false },
	[TYPE_INTEGER] = { "integer", 0, true, false, true },
	[TYPE_FLOAT] = { "float", 0, true, false, false },
	[TYPE_BOOLEAN] = { "boolean", 0, true, false, false },
	[TYPE_DATE] = { "date", 0, true, true, false },
	[TYPE_DATETIME] = { "datetime", 0, true, true, false },
	[TYPE_CURRENCY] = { "currency", 0, true, false, false },
	[TYPE_PERCENT] = { "percent", 0, true, false, false },
	[TYPE_SCORE] = { "score", 0, true, false, false },
	[TYPE_REFERENCE] = { "reference", 0, false, false, false },
};

enum { SOAP_ONLY_ID = 1999 };
enum { RO = FIELD_READ_ONLY, DERIVED = FIELD_READ_ONLY | FIELD_DERIVED };

static const struct {
	const char *name, *display, *soap;
	enum field_type type;
	unsigned int flags;
} standard_fields[] = {
	[COLUMN_ID] = { "id", "Id", "Id", TYPE_INTEGER, FIELD_DERIVED },
	[COLUMN_EMAIL] = { "email", "Email Address", "Email", TYPE_EMAIL, 0 },
	[COLUMN_FIRST_NAME] = { "firstName", "First Name", "FirstName", TYPE_STRING, 0 },
	[COLUMN_LAST_NAME] = { "lastName", "Last Name", "LastName", TYPE_STRING, 0 },
	[COLUMN_CREATED_AT] = { "createdAt", "Created At", "", TYPE_DATETIME, DERIVED },
	[COLUMN_UPDATED_AT] = { "updatedAt", "Updated At", "", TYPE_DATETIME, DERIVED },
	[COLUMN_PARTITION] = { "leadPartitionId", "Lead Partition Id", "LeadPartitionId",
			       TYPE_REFERENCE, DERIVED },
	[COLUMN_FULL_NAME] = { "mktoName", "Full Name", "", TYPE_STRING, DERIVED },
	[COLUMN_UNSUBSCRIBED] = { "unsubscribed", "Unsubscribed", "Unsubscribed", TYPE_BOOLEAN, 0 },
	[COLUMN_LEAD_SCORE] = { "leadScore", "Lead Score", "LeadScore", TYPE_INTEGER, FIELD_SCORE },
	[COLUMN_EXTERNAL_COMPANY] = { "externalCompanyId", "External Company Id", "", TYPE_STRING,
				      0 },
	[COLUMN_EXTERNAL_SALES_PERSON] = { "externalSalesPersonId", "External Sales Person Id", "",
					   TYPE_STRING, 0 },
	{ "salutation", "Salutation", "Salutation", TYPE_STRING, 0 },
	{ "middleName", "Middle Name", "MiddleName", TYPE_STRING, 0 },
	{ "title", "Job Title", "Title", TYPE_STRING, 0 },
	{ "department", "Department", "Department", TYPE_STRING, 0 },
	{ "leadRole", "Role", "LeadRole", TYPE_STRING, 0 },
	{ "leadSource", "Person Source", "LeadSource", TYPE_STRING, 0 },
	{ "leadStatus", "Person Status", "LeadStatus", TYPE_STRING, 0 },
	{ "rating", "Person Rating", "Rating", TYPE_STRING, 0 },
	{ "phone", "Phone Number", "Phone", TYPE_PHONE, 0 },
	{ "mobilePhone", "Mobile Phone Number", "MobilePhone", TYPE_PHONE, 0 },
	{ "fax", "Fax Number", "Fax", TYPE_PHONE, 0 },
	{ "dateOfBirth", "Date of Birth", "DateofBirth", TYPE_DATE, 0 },
	{ "address", "Address", "Address", TYPE_TEXT, 0 },
	{ "city", "City", "City", TYPE_STRING, 0 },
	{ "state", "State", "State", TYPE_STRING, 0 },
	{ "postalCode", "Postal Code", "PostalCode", TYPE_STRING, 0 },
	{ "country", "Country", "Country", TYPE_STRING, 0 },
	{ "priority", "Priority", "Priority", TYPE_INTEGER, RO },
	{ "urgency", "Urgency", "Urgency", TYPE_FLOAT, RO },
	{ "relativeScore", "Relative Score", "RelativeScore", TYPE_INTEGER, RO },
	{ "personTimeZone", "Person Time Zone", "", TYPE_STRING, RO },
	{ "mktoPersonNotes", "Person Notes", "MktoPersonNotes", TYPE_TEXT, 0 },
	{ "unsubscribedReason", "Unsubscribed Reason", "UnsubscribedReason", TYPE_TEXT, 0 },
	{ "emailInvalid", "Email Invalid", "EmailInvalid", TYPE_BOOLEAN, 0 },
	{ "emailInvalidCause", "Email Invalid Cause", "EmailInvalidCause", TYPE_STRING, 0 },
	{ "doNotCall", "Do Not Call", "DoNotCall", TYPE_BOOLEAN, 0 },
	{ "doNotCallReason", "Do Not Call Reason", "DoNotCallReason", TYPE_TEXT, 0 },
	{ "marketingSuspended", "Marketing Suspended", "MarketingSuspended", TYPE_BOOLEAN, 0 },
	{ "marketingSuspendedCause", "Marketing Suspended Cause", "MarketingSuspendedCause",
	  TYPE_STRING, 0 },
	{ "blackListed", "Black Listed", "BlackListed", TYPE_BOOLEAN, 0 },
	{ "blackListedCause", "Black Listed Cause", "BlackListedCause", TYPE_STRING, 0 },
	{ "emailSuspended", "Email Suspended", "EmailSuspended", TYPE_BOOLEAN, 0 },
	{ "emailSuspendedAt", "Email Suspended At", "EmailSuspendedAt", TYPE_DATETIME, 0 },
	{ "emailSuspendedCause", "Email Suspended Cause", "EmailSuspendedCause", TYPE_STRING, 0 },
	{ "company", "Company Name", "Company", TYPE_STRING, FIELD_COMPANY },
	{ "site", "Site", "Site", TYPE_STRING, FIELD_COMPANY },
	{ "website", "Website", "Website", TYPE_URL, FIELD_COMPANY },
	{ "mainPhone", "Main Phone", "MainPhone", TYPE_PHONE, FIELD_COMPANY },
	{ "annualRevenue", "Annual Revenue", "AnnualRevenue", TYPE_CURRENCY, FIELD_COMPANY },
	{ "numberOfEmployees", "Num Employees", "NumberOfEmployees", TYPE_INTEGER, FIELD_COMPANY },
	{ "industry", "Industry", "Industry", TYPE_STRING, FIELD_COMPANY },
	{ "sicCode", "SIC Code", "SICCode", TYPE_STRING, FIELD_COMPANY },
	{ "billingStreet", "Billing Address", "BillingStreet", TYPE_TEXT, FIELD_COMPANY },
	{ "billingCity", "Billing City", "BillingCity", TYPE_STRING, FIELD_COMPANY },
	{ "billingState", "Billing State", "BillingState", TYPE_STRING, FIELD_COMPANY },
	{ "billingCountry", "Billing Country", "BillingCountry", TYPE_STRING, FIELD_COMPANY },
	{ "billingPostalCode", "Billing Postal Code", "BillingPostalCode", TYPE_STRING,
	  FIELD_COMPANY },
	{ "mktoCompanyNotes", "Company Notes", "MktoCompanyNotes", TYPE_TEXT, FIELD_COMPANY },
	{ "contactCompany", "Company Id", "", TYPE_INTEGER, RO },
	{ "leadPerson", "Person Id", "", TYPE_INTEGER, RO },
	{ "acquisitionProgramId", "Acquisition Program", "AcquisitionProgramId", TYPE_REFERENCE,
	  RO },
	{ "isAnonymous", "Is Anonymous", "", TYPE_BOOLEAN, RO },
	{ "isLead", "Is Lead", "", TYPE_BOOLEAN, RO },
	{ "personType", "Person Type", "", TYPE_STRING, RO },
	{ "mktoIsCustomer", "Is Customer", "MktoIsCustomer", TYPE_BOOLEAN, RO },
	{ "mktoIsPartner", "Is Partner", "MktoIsPartner", TYPE_BOOLEAN, RO },
	{ "originalSourceType", "Original Source Type", "OriginalSourceType", TYPE_STRING, RO },
	{ "originalSourceInfo", "Original Source Info", "OriginalSourceInfo", TYPE_STRING, RO },
	{ "registrationSourceType", "Registration Source Type", "RegistrationSourceType",
	  TYPE_STRING, RO },
	{ "registrationSourceInfo", "Registration Source Info", "RegistrationSourceInfo",
	  TYPE_STRING, RO },
	{ "originalReferrer", "Original Referrer", "OriginalReferrer", TYPE_STRING, RO },
	{ "originalSearchEngine", "Original Search Engine", "OriginalSearchEngine", TYPE_STRING,
	  RO },
	{ "originalSearchPhrase", "Original Search Phrase", "OriginalSearchPhrase", TYPE_STRING,
	  RO },
	{ "anonymousIP", "Anonymous IP", "AnonymousIP", TYPE_STRING, RO },
	{ "inferredCompany", "Inferred Company", "InferredCompany", TYPE_STRING, RO },
	{ "inferredCountry", "Inferred Country", "InferredCountry", TYPE_STRING, RO },
	{ "inferredCity", "Inferred City", "InferredCity", TYPE_STRING, RO },
	{ "inferredStateRegion", "Inferred State Region", "InferredStateRegion", TYPE_STRING, RO },
	{ "inferredPostalCode", "Inferred Postal Code", "InferredPostalCode", TYPE_STRING, RO },
	{ "inferredMetropolitanArea", "Inferred Metropolitan Area", "InferredMetropolitanArea",
	  TYPE_STRING, RO },
	{ "inferredPhoneAreaCode", "Inferred Phone Area Code", "InferredPhoneAreaCode", TYPE_STRING,
	  RO },
};

enum { STANDARD_COUNT = sizeof(standard_fields) / sizeof(standard_fields[0]) };
_Static_assert(STANDARD_COUNT + CUSTOM_FIELDS_MAX <= FIELDS_MAX, "every field needs a column");

struct field *field_add(struct fields *f, const char *name)
{
	struct field *field = &f->list[f->count];

	*field = (struct field){ .name = name };
	index_add(&f->by_name, index_hash(name, strlen(name), true), (uint32_t)f->count);
	f->count++;
	return field;
}

void fields_init(struct marketo *m)
{
	for (size_t i = 0; i < STANDARD_COUNT; i++) {
		struct field *field = field_add(&m->fields, standard_fields[i].name);

		field->display = standard_fields[i].display;
		field->soap = standard_fields[i].soap;
		field->type = standard_fields[i].type;
		field->flags = standard_fields[i].flags;
		field->id = (uint32_t)(STANDARD_IDS_FROM + i);
	}
}

void fields_free(struct marketo *m)
{
	for (size_t i = 0; i < m->fields.count; i++) {
		struct field *field = &m->fields.list[i];

		index_free(&field->index);
		free(field->description);
		if (!(field->flags & FIELD_CUSTOM)) {
			if (field->display != standard_fields[i].display)
				free((char *)(uintptr_t)field->display);
			continue;
		}
		free((char *)(uintptr_t)field->name);
		free((char *)(uintptr_t)field->display);
		free((char *)(uintptr_t)field->soap);
	}
	index_free(&m->fields.by_name);
	m->fields = (struct fields){ 0 };
}

struct name_search {
	const struct fields *fields;
	const char *name;
	size_t len;
	bool fold_case;
	int found;
};

static bool name_visit(void *context, uint32_t position)
{
	struct name_search *s = context;
	const char *name = s->fields->list[position].name;

	if (strlen(name) != s->len)
		return true;
	if (s->fold_case ? strncasecmp(name, s->name, s->len) != 0
			 : memcmp(name, s->name, s->len) != 0)
		return true;
	s->found = (int)position;
	return false;
}

static int field_search(const struct marketo *m, const char *name, size_t len, bool fold_case)
{
	struct name_search s = {
		.fields = &m->fields, .name = name, .len = len, .fold_case = fold_case, .found = -1
	};

	index_find(&m->fields.by_name, index_hash(name, len, true), name_visit, &s);
	return s.found;
}

int field_find(const struct marketo *m, const char *name, size_t len)
{
	int column = field_search(m, name, len, false);

	return column >= 0 && (m->fields.list[column].flags & FIELD_HIDDEN) ? -1 : column;
}

bool field_can_filter(const struct field *field, int column)
{
	if (column == COLUMN_ID || column == COLUMN_EMAIL || column == COLUMN_PARTITION)
		return true;
	return (field->flags & FIELD_CUSTOM) && field_types[field->type].lookup;
}

static void add_member(struct text *out, const char *name, const char *value)
{
	text_puts(out, ",");
	text_json_key(out, name);
	text_json_string(out, value, strlen(value));
}

static void add_length(struct text *out, const struct field *field)
{
	int length = field_types[field->type].length;

	if (strcmp(field->name, "externalCompanyId") == 0)
		length = 100;
	if (length)
		text_printf(out, ",\"length\":%d", length);
}

/* Live instances describe score fields as integers. */
static const char *described_type(const struct field *field)
{
	return field_types[field->type == TYPE_SCORE ? TYPE_INTEGER : field->type].name;
}

void describe_get(struct call *call)
{
	struct fields *f = &call->m->fields;
	const char *comma = "";

	text_puts(call->out, ",\"result\":[");
	for (size_t i = 0; i < f->count; i++) {
		const struct field *field = &f->list[i];
		const char *read_only = field->flags & FIELD_READ_ONLY ? "true" : "false";

		if (field->flags & FIELD_HIDDEN)
			continue;
		text_printf(call->out, "%s{\"id\":%u", comma, field->id);
		add_member(call->out, "displayName", field->display);
		add_member(call->out, "dataType", described_type(field));
		add_length(call->out, field);
		text_printf(call->out, ",\"rest\":{\"name\":\"%s\",\"readOnly\":%s}", field->name,
			    read_only);
		if (*field->soap)
			text_printf(call->out, ",\"soap\":{\"name\":\"%s\",\"readOnly\":%s}",
				    field->soap, read_only);
		text_puts(call->out, "}");
		comma = ",";
		call->records++;
	}
	if (call->m->limits.soap_only)
		text_printf(
			call->out,
			"%s{\"id\":%d,\"displayName\":\"Acquisition Date\",\"dataType\":"
			"\"datetime\",\"soap\":{\"name\":\"AcquisitionDate\",\"readOnly\":true}}",
			comma, SOAP_ONLY_ID);
	text_puts(call->out, "]");
}

void describe2_get(struct call *call)
{
	struct fields *f = &call->m->fields;
	const char *comma = "";

	text_puts(call->out, ",\"result\":[{\"name\":\"API Lead\",\"searchableFields\":[");
	for (size_t i = 0; i < f->count; i++) {
		if ((f->list[i].flags & FIELD_HIDDEN) || !field_can_filter(&f->list[i], (int)i))
			continue;
		text_printf(call->out, "%s[\"%s\"]", comma, f->list[i].name);
		comma = ",";
	}
	text_puts(call->out, "],\"fields\":[");
	comma = "";
	for (size_t i = 0; i < f->count; i++) {
		const struct field *field = &f->list[i];

		if (field->flags & FIELD_HIDDEN)
			continue;
		text_printf(call->out, "%s{\"name\":\"%s\"", comma, field->name);
		add_member(call->out, "displayName", field->display);
		add_member(call->out, "dataType", described_type(field));
		add_length(call->out, field);
		text_printf(call->out, ",\"updateable\":%s,\"crmManaged\":%s}",
			    field->flags & FIELD_READ_ONLY ? "false" : "true",
			    call->m->limits.crm_managed && !(field->flags & FIELD_CUSTOM)
				    ? "true"
				    : "false");
		comma = ",";
		call->records++;
	}
	text_puts(call->out, "]}]");
}

void field_schema_json(struct text *out, const struct field *field)
{
	bool custom = field->flags & FIELD_CUSTOM;

	text_puts(out, "{\"displayName\":");
	text_json_string(out, field->display, strlen(field->display));
	add_member(out, "name", field->name);
	text_puts(out, ",\"description\":");
	text_json_string(out, field->description,
			 field->description ? strlen(field->description) : 0);
	add_member(out, "dataType", field_types[field->type].name);
	add_length(out, field);
	text_printf(out,
		    ",\"isHidden\":%s,\"isHtmlEncodingInEmail\":true,\"isSensitive\":false,"
		    "\"isCustom\":%s,"
		    "\"isApiCreated\":%s}",
		    field->flags & FIELD_HIDDEN ? "true" : "false", custom ? "true" : "false",
		    custom ? "true" : "false");
}

void schema_fields_get(struct call *call)
{
	struct fields *f = &call->m->fields;
	size_t batch = call_batch_size(call);
	struct page_mark mark = { .kind = PAGE_FIELDS };
	struct text token = { 0 };
	bool good = !call_param(call, "nextPageToken", 0, &token) ||
		    page_mark_read(call->m, token.data, &mark);
	size_t end;

	text_free(&token);
	if (!batch)
		return;
	if (!good || mark.kind != PAGE_FIELDS || mark.at > f->count) {
		call_fail(call, 1003, "Invalid value for nextPageToken");
		return;
	}
	end = mark.at + batch < f->count ? mark.at + batch : f->count;
	text_puts(call->out, ",\"result\":[");
	for (size_t i = mark.at; i < end; i++, call->records++) {
		text_puts(call->out, i > mark.at ? "," : "");
		field_schema_json(call->out, &f->list[i]);
	}
	text_puts(call->out, "]");
	if (end == f->count)
		return;
	text_puts(call->out, ",\"moreResult\":true,\"nextPageToken\":\"");
	page_mark_print(call->m, &(struct page_mark){ .kind = PAGE_FIELDS, .at = end }, call->out);
	text_puts(call->out, "\"");
}

static bool name_is_legal(const char *name)
{
	if (!isalpha((unsigned char)*name))
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

static bool display_is_taken(const struct fields *f, const char *display)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcasecmp(f->list[i].display, display) == 0)
			return true;
	return false;
}

static int creatable_type(const char *name)
{
	for (int i = 0; i < TYPE_COUNT; i++)
		if (field_types[i].creatable && strcmp(field_types[i].name, name) == 0)
			return i;
	return -1;
}

static void field_create(struct call *call, struct json_object *wanted)
{
	struct fields *f = &call->m->fields;
	const char *name = json_member_text(wanted, "name");
	const char *display = json_member_text(wanted, "displayName");
	const char *type_name = json_member_text(wanted, "dataType");
	const char *description = json_member_text(wanted, "description");
	int type = type_name ? creatable_type(type_name) : -1;
	struct field *field;

	if (!name || !display || !type_name) {
		skip_record(call->out, "reasons", 1002,
			    "name, displayName and dataType are required");
	} else if (!name_is_legal(name)) {
		skip_record(call->out, "reasons", 1003, "Invalid field name '%s'", name);
	} else if (type < 0) {
		skip_record(call->out, "reasons", 1003, "Invalid dataType '%s'", type_name);
	} else if (field_search(call->m, name, strlen(name), true) >= 0 ||
		   display_is_taken(f, display)) {
		skip_record(call->out, "reasons", 1017, "Field '%s' already exists", name);
	} else if (f->custom == CUSTOM_FIELDS_MAX) {
		skip_record(call->out, "reasons", 1014, "At most %d custom fields can be created",
			    CUSTOM_FIELDS_MAX);
	} else {
		field = field_add(f, word_copy(name));
		field->display = word_copy(display);
		field->soap = word_copy(name);
		field->description = description ? word_copy(description) : NULL;
		field->type = (enum field_type)type;
		field->flags = FIELD_CUSTOM | (type == TYPE_SCORE ? FIELD_SCORE : 0);
		field->id = (uint32_t)(CUSTOM_IDS_FROM + f->custom++);
		text_printf(call->out, "{\"name\":\"%s\",\"status\":\"created\"}", name);
	}
}

void schema_fields_post(struct call *call)
{
	call_each_record(call, field_create);
}

static struct field *field_of_call(struct call *call)
{
	int column = field_search(call->m, call->word.data, call->word.len, false);

	if (column >= 0)
		return &call->m->fields.list[column];
	call_fail(call, 1006, "Field '%s' not found", call->word.data);
	return NULL;
}

void schema_field_get(struct call *call)
{
	const struct field *field = field_of_call(call);

	if (!field)
		return;
	text_puts(call->out, ",\"result\":[");
	field_schema_json(call->out, field);
	text_puts(call->out, "]");
	call->records = 1;
}

/* 0 or the code of the refusal; nothing is changed before everything was looked at. */
static int field_change(const struct fields *f, struct field *field, struct json_object *wanted)
{
	const char *display = json_member_text(wanted, "displayName");
	const char *description = json_member_text(wanted, "description");
	struct json_object *hidden;

	json_object_object_foreach (wanted, name, value) {
		(void)value;
		if (strcmp(name, "displayName") != 0 && strcmp(name, "description") != 0 &&
		    strcmp(name, "isHidden") != 0)
			return 1003;
	}
	if (display && strcasecmp(display, field->display) != 0 && display_is_taken(f, display))
		return 1017;
	if (json_object_object_get_ex(wanted, "isHidden", &hidden)) {
		if (!(field->flags & FIELD_CUSTOM) ||
		    !json_object_is_type(hidden, json_type_boolean))
			return 1003;
		field->flags &= ~(unsigned int)FIELD_HIDDEN;
		field->flags |= json_object_get_boolean(hidden) ? FIELD_HIDDEN : 0;
	}
	if (description) {
		free(field->description);
		field->description = word_copy(description);
	}
	if (display) {
		size_t column = (size_t)(field - f->list);

		if (column >= STANDARD_COUNT || field->display != standard_fields[column].display)
			free((char *)(uintptr_t)field->display);
		field->display = word_copy(display);
	}
	return 0;
}

void schema_field_post(struct call *call)
{
	struct json_object *input = call_input(call);
	struct field *field = input ? field_of_call(call) : NULL;
	int code;

	if (!field)
		return;
	if (json_object_array_length(input) != 1 ||
	    !json_object_is_type(json_object_array_get_idx(input, 0), json_type_object)) {
		call_fail(call, 1003, "Input must hold exactly one field");
		return;
	}
	code = field_change(&call->m->fields, field, json_object_array_get_idx(input, 0));
	text_puts(call->out, ",\"result\":[");
	if (code)
		skip_record(call->out, "reasons", code, "Field '%s' cannot be changed this way",
			    field->name);
	else
		text_printf(call->out, "{\"name\":\"%s\",\"status\":\"updated\"}", field->name);
	text_puts(call->out, "]");
	call->records = 1;
}

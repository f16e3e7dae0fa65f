/* Collection-valued navigation properties: which lookup of which table each is the other end of
 * (Microsoft Learn: Associate and disassociate table rows). */
#include <string.h>

#include "dataverse/dataverse.h"

static const struct relation relations[] = {
	{ "account_parent_account", TABLE_ACCOUNT, TABLE_ACCOUNT, "parentaccountid" },
	{ "account_primary_contact", TABLE_CONTACT, TABLE_ACCOUNT, "primarycontactid" },
	{ "contact_customer_accounts", TABLE_ACCOUNT, TABLE_CONTACT, "parentcustomerid_account" },
	{ "contact_customer_contacts", TABLE_CONTACT, TABLE_CONTACT, "parentcustomerid_contact" },
	{ "lead_customer_accounts", TABLE_ACCOUNT, TABLE_LEAD, "customerid_account" },
	{ "lead_customer_contacts", TABLE_CONTACT, TABLE_LEAD, "customerid_contact" },
	{ "lead_parent_account", TABLE_ACCOUNT, TABLE_LEAD, "parentaccountid" },
	{ "lead_parent_contact", TABLE_CONTACT, TABLE_LEAD, "parentcontactid" },
};

const struct relation *relation_named(const char *name, size_t len, const struct table *t)
{
	for (size_t i = 0; i < sizeof(relations) / sizeof(relations[0]); i++)
		if (relations[i].one == t->table && strlen(relations[i].name) == len &&
		    strncmp(relations[i].name, name, len) == 0)
			return &relations[i];
	return NULL;
}

void relations_write(const struct table *t, struct text *out)
{
	for (size_t i = 0; i < sizeof(relations) / sizeof(relations[0]); i++)
		if (relations[i].one == t->table)
			text_printf(out,
				    "<NavigationProperty Name=\"%s\" Type=\"Collection(mscrm.%s)\" "
				    "Partner=\"%s\"/>\n",
				    relations[i].name, table_defs[relations[i].many].logical_name,
				    relations[i].navigation);
}

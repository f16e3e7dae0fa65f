/* The built-in field table: what the native connector maps for leads and contacts ("Default
 * Dynamics Field Mapping", Adobe Experience League). Just data. Names of Marketo's standard fields
 * are its REST names ("Standard fields", Adobe Experience League); names of columns are Dataverse's
 * logical names ("lead" and "contact" table reference, Microsoft Learn). Fields with a create_type
 * do not exist in a fresh Marketo; `tandem setup` makes them. */
#include "core/field.h"

#define FIELD_LEAD(name_) .column[TABLE_LEAD] = (name_)
#define FIELD_BOTH(name_) .column[TABLE_LEAD] = (name_), .column[TABLE_CONTACT] = (name_)
#define FIELD_STANDARD(name_) .name = (name_), .column[TABLE_PERSON] = (name_)
#define FIELD_CREATED(name_, display_, type_)                                                      \
	FIELD_STANDARD(name_), .display_name = (display_), .create_type = (type_)

/* clang-format off */
static const struct field field_defaults[] = {
	/* who */
	{ FIELD_STANDARD("salutation"), FIELD_BOTH("salutation") },
	{ FIELD_STANDARD("firstName"), FIELD_BOTH("firstname") },
	{ FIELD_STANDARD("middleName"), FIELD_BOTH("middlename") },
	{ FIELD_STANDARD("lastName"), FIELD_BOTH("lastname") },
	{ FIELD_STANDARD("email"), FIELD_BOTH("emailaddress1") },
	{ FIELD_STANDARD("title"), FIELD_BOTH("jobtitle") },

	/* how to reach them; the list has fax for leads only, contacts have the column too */
	{ FIELD_STANDARD("phone"), FIELD_BOTH("telephone1") },
	{ FIELD_STANDARD("mobilePhone"), FIELD_BOTH("mobilephone") },
	{ FIELD_STANDARD("fax"), FIELD_BOTH("fax") },
	{ FIELD_CREATED("microsoftHomePhone", "Microsoft Home Phone", "phone"),
	  FIELD_BOTH("telephone2") },
	{ FIELD_CREATED("microsoftPreferredMethodOfContact",
			"Microsoft Preferred Method Of Contact", "string"),
	  FIELD_BOTH("preferredcontactmethodcode") },

	/* where */
	{ FIELD_STANDARD("address"), FIELD_BOTH("address1_line1") },
	{ FIELD_CREATED("microsoftAddress2", "Microsoft Address 2", "string"),
	  FIELD_BOTH("address1_line2") },
	{ FIELD_CREATED("microsoftAddress3", "Microsoft Address 3", "string"),
	  FIELD_BOTH("address1_line3") },
	{ FIELD_STANDARD("city"), FIELD_BOTH("address1_city") },
	{ FIELD_STANDARD("state"), FIELD_BOTH("address1_stateorprovince") },
	{ FIELD_STANDARD("country"), FIELD_BOTH("address1_country") },
	{ FIELD_STANDARD("postalCode"), FIELD_BOTH("address1_postalcode") },

	/* their firm; a contact has it from its account */
	{ FIELD_STANDARD("company"), FIELD_LEAD("companyname") },
	{ FIELD_STANDARD("annualRevenue"), FIELD_LEAD("revenue") },

	/* where sales stands; a status changes by qualifying and closing, not by writing it */
	{ FIELD_STANDARD("leadSource"), FIELD_LEAD("leadsourcecode") },
	{ FIELD_STANDARD("leadStatus"), FIELD_BOTH("statecode"),
	  .direction = DIRECTION_TO_MARKETO },
	{ FIELD_CREATED("microsoftStatusReason", "Microsoft Status Reason", "string"),
	  FIELD_BOTH("statuscode"), .direction = DIRECTION_TO_MARKETO },
	{ FIELD_CREATED("microsoftCreatedDate", "Microsoft Created Date", "datetime"),
	  FIELD_BOTH("createdon"), .direction = DIRECTION_TO_MARKETO },
	{ FIELD_STANDARD("rating"), FIELD_LEAD("leadqualitycode") },
	{ FIELD_CREATED("microsoftTopic", "Microsoft Topic", "string"),
	  FIELD_LEAD("subject") },
	{ FIELD_STANDARD("mktoPersonNotes"), FIELD_BOTH("description") },

	/* what they forbid; true means "do not", also for donotsendmm with its positive label */
	{ FIELD_STANDARD("doNotCall"), FIELD_BOTH("donotphone"), .is_consent = true },
	{ FIELD_STANDARD("unsubscribed"), FIELD_BOTH("donotbulkemail"), .is_consent = true },
	{ FIELD_CREATED("microsoftDoNotEmail", "Microsoft Do Not Email", "boolean"),
	  FIELD_BOTH("donotemail"), .is_consent = true },
	{ FIELD_CREATED("microsoftDoNotFax", "Microsoft Do Not Fax", "boolean"),
	  FIELD_BOTH("donotfax"), .is_consent = true },
	{ FIELD_CREATED("microsoftDoNotSendMarketingMaterial",
			"Microsoft Do Not Send Marketing Material", "boolean"),
	  FIELD_BOTH("donotsendmm"), .is_consent = true },

	/* what Marketo's own solution adds to Dynamics; paused where it is not installed */
	{ FIELD_STANDARD("leadScore"), FIELD_BOTH("mkt_leadscore") },
	{ FIELD_STANDARD("priority"), FIELD_BOTH("mkt_priority") },
	{ FIELD_STANDARD("urgency"), FIELD_BOTH("mkt_urgency") },
	{ FIELD_STANDARD("relativeScore"), FIELD_BOTH("mkt_relativescore") },
	{ FIELD_CREATED("msiLastInterestingMomentDate", "Last Interesting Moment Date", "datetime"),
	  FIELD_BOTH("mkt_lastinterestingmomentdate") },
	{ FIELD_CREATED("msiLastInterestingMomentType", "Last Interesting Moment Type", "string"),
	  FIELD_BOTH("mkt_lastinterestingmomenttype") },
	/* "lead" instead of "last": so it is in the published list */
	{ FIELD_CREATED("msiLastInterestingMomentSource", "Last Interesting Moment Source",
			"string"),
	  FIELD_BOTH("mkt_leadinterestingmomentsource") },
	{ FIELD_CREATED("msiLastInterestingMomentDesc", "Last Interesting Moment Desc", "string"),
	  FIELD_BOTH("mkt_lastinterestingmomentdesc") },
};
/* clang-format on */

const struct field_set field_set_default = {
	.fields = field_defaults,
	.count = ARRAY_LEN(field_defaults),
	.filter = { .column = "new_synctomkto", .is_set_on_create = true },
};

const struct stamp_definition stamp_fields[STAMP_FIELD_COUNT] = {
	[STAMP_ID] = { "microsoftId", "Microsoft Id", "string" },
	[STAMP_TYPE] = { "microsoftType", "Microsoft Type", "string" },
	[STAMP_IS_DELETED] = { "microsoftIsDeleted", "Microsoft Is Deleted", "boolean" },
	[STAMP_STATUS] = { "microsoftSyncStatus", "Microsoft Sync Status", "string" },
	[STAMP_SYNCED_AT] = { "microsoftSyncedAt", "Microsoft Synced At", "datetime" },
};

/* Metadata as JSON objects with all their properties; the caller picks from them and puts them. */
#ifndef SANDBOX_DATAVERSE_ATTRIBUTE_H
#define SANDBOX_DATAVERSE_ATTRIBUTE_H

#include "dataverse/dataverse.h"

struct json_object *metadata_entity(const struct table *t);
struct json_object *metadata_attribute(const struct table *t, uint16_t column);
/* The name column that comes with a lookup; NULL for other columns. It shows in metadata, never in
 * rows. */
struct json_object *metadata_companion(const struct table *t, uint16_t column);
struct json_object *metadata_option_set(const struct table *t, uint16_t column);
struct json_object *metadata_keys(const struct table *t);
struct json_object *metadata_relationships(const struct table *t);
struct json_object *metadata_label(const char *label);
/* Microsoft.Dynamics.CRM.<Type>AttributeMetadata of a type there is */
bool metadata_is_cast(const char *name);

#endif

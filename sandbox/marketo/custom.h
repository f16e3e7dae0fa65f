/* What the calls that make, change and fill custom activity types share. */
#ifndef SANDBOX_MARKETO_CUSTOM_H
#define SANDBOX_MARKETO_CUSTOM_H

#include "marketo/marketo.h"

void custom_attribute_free(struct custom_attribute *);
void custom_version_free(struct custom_version *);
void custom_version_copy(const struct custom_version *from, struct custom_version *ret);
/* False after having failed the call. */
bool custom_attribute_read(struct call *, struct json_object *from, struct custom_attribute *ret);
bool custom_name_is_legal(const char *name, bool spaces);
/* The type the path names; NULL after having failed the call. */
struct custom_type *custom_of_call(struct call *);
/* What a change begins with, a copy: the draft, or else what is approved. */
void custom_draft_begin(const struct custom_type *, struct custom_version *ret);
/* Keeps the changed draft and answers with it; drops it when the call has failed. */
void custom_draft_end(struct call *, struct custom_type *, struct custom_version *next);
void custom_answer(struct call *, const struct custom_type *, bool draft);

#endif

/* Companies and sales persons. Adobe: Lead Database, Companies and Sales Persons. */
#ifndef SANDBOX_MARKETO_OBJECT_H
#define SANDBOX_MARKETO_OBJECT_H

#include "marketo/marketo.h"

enum { OBJECT_FIELDS_MAX = 16 };

struct object_info {
	const char *name;
	int key; /* column */
	int key_length;
	uint32_t first_id;
	const char *search; /* the field that can be filtered by, besides the keys */
	const char *fields[OBJECT_FIELDS_MAX]; /* up to the first NULL; the key is not among them */
};
extern const struct object_info object_infos[OBJECT_KIND_COUNT];

/* NULL when there is none. */
struct object *object_by_id(const struct marketo *, enum object_kind, int64_t id);
uint32_t object_id(const struct marketo *, enum object_kind, const struct object *);
struct object *object_add(struct marketo *, enum object_kind, const char *key, size_t len);
void object_remove(struct marketo *, enum object_kind, struct object *);
bool object_in_use(struct marketo *, enum object_kind, const struct object *);

#endif

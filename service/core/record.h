/* One person or record as a side shows it now. */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include "core/filter.h"
#include "core/mapping.h"

struct record {
	enum table table;
	int64_t person_id;      /* of a person */
	struct guid record_id;  /* of a record; of a person: the GUID in its stamp, zero if it has
				   none */
	enum table stamp_table; /* of a person with a stamp: lead or contact; TABLE_PERSON when
				   unknown */
	bool stamp_is_deleted;  /* of a person: microsoftIsDeleted */
	int64_t version;        /* of a record: its row version, for If-Match; 0 unknown */
	int state;              /* of a record: statecode */
	bool is_merged;         /* of a record: lost a merge; master_id won */
	struct guid master_id;
	struct guid origin_id;   /* of a contact: the lead it was qualified from; zero if none */
	bool has_unknown_option; /* of a record: a choice shows a number the schema does not have
				    yet */
	enum filter_mark filter; /* of a record: what its filter column says */
	struct value *values;    /* one per field of the mapping it was read with; memory of the
				    reader's arena */
};

#endif

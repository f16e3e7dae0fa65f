/* Creating and updating records in batches ("Microsoft Learn: Execute batch operations using the
 * Web API"), many new ones at once where the table offers that. Every part of a batch stands alone:
 * a bad record harms no other (INV-NO-HOSTAGE). Private to the dynamics_* files. */
#ifndef REMOTE_DYNAMICS_WRITE_H
#define REMOTE_DYNAMICS_WRITE_H

#include "remote/dynamics_call.h"
#include "remote/dynamics_wire.h"
#include "remote/multipart.h"

enum err_kind dynamics_write(struct dynamics *d, const struct call *call, const struct mapping *m,
			     const struct write *writes, size_t count, struct write_result *results,
			     struct err *err);

/* Creates those of the writes that are creates in requests of many rows, where the table offers
 * that and it pays; is_done tells which are there now. The others may be sent in batches, whatever
 * became of them here. Other than ERR_NONE: nothing can be sent at present. */
enum err_kind dynamics_bulk_create(struct dynamics *d, const struct call *call,
				   const struct mapping *m, const struct write *writes,
				   size_t count, bool *is_done, struct err *err);

/* ---- parts, for tests ---- */

/* Adds the request of one write as a part of a batch; what the column cannot hold is refused and
 * nothing is added. */
enum err_kind dynamics_part_write(const struct mapping *m, const struct write *w, bool obeys_rules,
				  struct buf *out, struct err *err);
/* The same for a create as one of the rows of a bulk request. */
enum err_kind dynamics_part_target(const struct mapping *m, const struct write *w, struct buf *out,
				   struct err *err);
/* Does the answer to a bulk request say that exactly the rows asked for were made, in their order? */
bool dynamics_bulk_made(struct str body, const struct write *writes, const size_t *index,
			size_t count);

/* The outcome of one write from its part of the answer. */
enum err_kind dynamics_part_read(const struct mapping *m, const struct write *w,
				 const struct multipart_part *part,
				 enum dynamics_repeat *ret_repeat, struct write_result *ret);

/* A line of JSON never begins with two dashes, so no body can contain it. */
#define DYNAMICS_BOUNDARY "batch_tandem"
#define DYNAMICS_BATCH_TYPE "multipart/mixed; boundary=" DYNAMICS_BOUNDARY
/* Before the request line of a part, and behind the last part. */
#define DYNAMICS_PART_START                                                                        \
	"--" DYNAMICS_BOUNDARY                                                                     \
	"\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
#define DYNAMICS_PARTS_END "--" DYNAMICS_BOUNDARY "--\r\n"

#endif

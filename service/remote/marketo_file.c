/* Files of bulk extracts, read in pieces of whole rows ("Adobe: Bulk Extract"). How far a file has
 * been read, and the checksum so far, is kept in memory from piece to piece. Must not know what is
 * done with the persons. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/checksum.h"
#include "remote/marketo_parts.h"
#include "remote/marketo_row.h"

enum {
	FILE_PIECE_BYTES = 4 * 1024 * 1024,
	FILE_PIECE_MAX = 32 * 1024 * 1024, /* for a row that does not fit into a piece */
};

struct marketo_file {
	struct marketo_export job;
	uint64_t at, bytes;
	struct checksum *checksum; /* owned; of the bytes before at */
	struct buf header;         /* the row of names */
	struct buf whole;          /* when Marketo gave everything although a part was asked for */
};

/* ---- the files read halfway ---- */

static void file_free(struct marketo_file *f)
{
	if (!f)
		return;
	checksum_free(f->checksum);
	buf_release(&f->header);
	buf_release(&f->whole);
	free(f);
}

static struct marketo_file *file_remove(struct marketo *m, size_t i)
{
	struct marketo_file *f = m->files[i];

	memmove(&m->files[i], &m->files[i + 1], (MARKETO_FILES_MAX - 1 - i) * sizeof(m->files[0]));
	m->files[MARKETO_FILES_MAX - 1] = NULL;
	return f;
}

/* While a piece is read the file belongs to the reader alone; NULL: nobody has begun with it. */
static struct marketo_file *file_take(struct marketo *m, struct str job)
{
	struct marketo_file *f = NULL;

	(void)pthread_mutex_lock(&m->file_lock);
	for (size_t i = 0; i < MARKETO_FILES_MAX && m->files[i] && !f; i++) {
		if (str_equal(str_of(m->files[i]->job.job), job))
			f = file_remove(m, i);
	}
	(void)pthread_mutex_unlock(&m->file_lock);
	return f;
}

/* The one that was not touched for longest makes room. */
static void file_put(struct marketo *m, struct marketo_file *f)
{
	struct marketo_file *other = NULL;
	size_t i = 0;

	(void)pthread_mutex_lock(&m->file_lock);
	if (m->files[MARKETO_FILES_MAX - 1])
		other = file_remove(m, 0);
	while (m->files[i])
		i++;
	m->files[i] = f;
	(void)pthread_mutex_unlock(&m->file_lock);
	file_free(other);
}

void marketo_file_forget(struct marketo *m, struct str job)
{
	file_free(file_take(m, job));
}

void marketo_files_free(struct marketo *m)
{
	for (size_t i = 0; i < MARKETO_FILES_MAX; i++)
		file_free(m->files[i]);
}

/* ---- bytes ---- */

static enum err_kind file_gone(struct err *err)
{
	return err_set(err, ERR_EXPIRED, "the extract is gone or has failed");
}

static enum err_kind file_open(struct marketo *m, const struct call *call, struct str job,
			       struct marketo_file **ret, struct err *err)
{
	struct marketo_export e;
	enum err_kind kind = marketo_export_look(m, call, job, &e, err);

	if (kind == ERR_GONE || (kind == ERR_NONE && e.state > EXTRACT_READY))
		return file_gone(err);
	if (kind != ERR_NONE)
		return kind;
	if (e.state != EXTRACT_READY)
		return err_set(err, ERR_RETRY_LATER, "the extract is not ready");
	if (e.bytes < 0 && e.rows != 0)
		return err_set(err, ERR_RUBBISH, "Marketo does not tell the size of an extract");
	*ret = mem_alloc(sizeof(**ret));
	(*ret)->job = e;
	(*ret)->bytes = e.rows != 0 && e.bytes > 0 ? (uint64_t)e.bytes : 0;
	(*ret)->checksum = checksum_new();
	return ERR_NONE;
}

static enum err_kind file_damaged(struct err *err)
{
	return err_set(err, ERR_EXPIRED, "the file of the extract is damaged");
}

/* A part of the file from where it was left, at most size bytes: a view into f->whole or r->file. */
static enum err_kind file_fetch(struct marketo *m, const struct call *call, struct marketo_file *f,
				size_t size, struct marketo_request *r, struct str *ret,
				struct err *err)
{
	CLEANUP(buf_release) struct buf path = { 0 };
	char range[80];
	enum err_kind kind;

	if (size > f->bytes - f->at)
		size = (size_t)(f->bytes - f->at);
	if (f->whole.len) {
		*ret = (struct str){ f->whole.data + f->at, size };
		return ERR_NONE;
	}
	(void)snprintf(range, sizeof(range), "Range: bytes=%llu-%llu", (unsigned long long)f->at,
		       (unsigned long long)(f->at + size - 1));
	if (!marketo_export_path(str_of(f->job.job), "file", &path))
		return err_set(err, ERR_OURS, "that is no id of an extract");
	*r = (struct marketo_request){ .path = buf_cstr(&path),
				       .timeout_ms = MARKETO_FILE_MS,
				       .permission = "Read-Only Lead",
				       .is_file = true,
				       .range = range };
	kind = marketo_bulk_ask(m, call, r, err);
	if (kind != ERR_NONE)
		return kind == ERR_GONE ? file_gone(err) : kind;
	if ((r->file_bytes >= 0 && (uint64_t)r->file_bytes != f->bytes) ||
	    (!r->is_whole_file && r->file.len > size))
		return file_damaged(err);
	if (!r->is_whole_file && ((uint64_t)r->file_at != f->at || !r->file.len))
		return err_set(err, ERR_RUBBISH, "Marketo gave another part of a file than asked");
	if (!r->is_whole_file) {
		*ret = buf_str(&r->file);
		return ERR_NONE;
	}
	f->whole = r->file;
	r->file = (struct buf){ 0 };
	*ret = (struct str){ f->whole.data + f->at, size };
	return ERR_NONE;
}

static enum err_kind file_verify(struct marketo_file *f, struct err *err)
{
	struct str told = str_of(f->job.checksum), kind = str_cut(&told, ':');
	char sum[CHECKSUM_TEXT];

	checksum_print(f->checksum, sum);
	/* Another kind of checksum proves nothing here. */
	if (!str_equal_fold(kind, STR("sha256")) || str_equal_fold(told, str_of(sum)))
		return ERR_NONE;
	return file_damaged(err);
}

/* ---- rows ---- */

/* The whole rows of text, which stands where the file was left. *ret_taken 0: there is none. */
static enum err_kind file_rows(struct marketo_file *f, struct str text, const struct mapping *m,
			       struct arena *a, struct record_list *ret, size_t *ret_taken,
			       struct err *err)
{
	bool is_all = f->at + text.n == f->bytes;
	size_t names = 0, rows = 0;
	enum err_kind kind = ERR_NONE;

	*ret_taken = 0;
	if (!f->header.len) {
		kind = marketo_header_read(text, is_all, &names, err);
		if (kind != ERR_NONE || !names)
			return kind;
		buf_add(&f->header, (struct str){ text.p, names });
	}
	text = (struct str){ text.p + names, text.n - names };
	kind = marketo_rows_read(buf_str(&f->header), text, is_all, m, a, ret, &rows, err);
	*ret_taken = names + rows;
	return kind;
}

static enum err_kind file_piece(struct marketo *m, const struct call *call, struct marketo_file *f,
				const struct mapping *mapping, struct arena *a,
				struct record_list *ret, struct err *err)
{
	enum err_kind kind = ERR_NONE;
	size_t taken = 0;

	for (size_t size = FILE_PIECE_BYTES; kind == ERR_NONE && !taken; size *= 2) {
		struct marketo_request r = { .path = NULL };
		struct str text = { NULL, 0 };

		if (size > FILE_PIECE_MAX)
			return err_set(err, ERR_RUBBISH, "a row of Marketo's file is too large");
		kind = file_fetch(m, call, f, size, &r, &text, err);
		if (kind == ERR_NONE)
			kind = file_rows(f, text, mapping, a, ret, &taken, err);
		if (kind == ERR_NONE) {
			checksum_add(f->checksum, (struct str){ text.p, taken });
			f->at += taken;
		}
		marketo_request_release(&r);
	}
	return kind;
}

enum err_kind marketo_extract_read(void *self, const struct call *call,
				   const struct mapping *mapping, struct str job, uint64_t *at,
				   struct arena *a, struct record_list *ret, bool *ret_is_last,
				   struct err *err)
{
	struct marketo_file *f = file_take(self, job);
	enum err_kind kind = ERR_NONE;

	*ret = (struct record_list){ .count = 0 };
	if (f && f->at != *at) {
		file_free(f);
		f = NULL;
	}
	if (!f)
		kind = file_open(self, call, job, &f, err);
	if (kind != ERR_NONE)
		return kind;
	if (f->at < f->bytes)
		kind = file_piece(self, call, f, mapping, a, ret, err);
	*ret_is_last = f->at == f->bytes;
	if (kind == ERR_NONE && *ret_is_last && f->bytes)
		kind = file_verify(f, err);
	if (kind == ERR_NONE)
		*at = f->at;
	/* What a repeat may mend goes on from here; what is damaged begins anew. */
	if (kind == ERR_EXPIRED || kind == ERR_RUBBISH || (kind == ERR_NONE && *ret_is_last))
		file_free(f);
	else
		file_put(self, f);
	return kind;
}

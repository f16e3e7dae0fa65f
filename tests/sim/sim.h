/* The simulated world: people, two remotes and a state store in memory, a clock that only moves
 * when told, and what is known of every value ever put anywhere. The real cycle runs against it
 * through the same tables of functions as against the real services. Everything here is one history
 * of one seed; nothing outlives it. */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "base/buf.h"
#include "remote/remote.h"
#include "store/store.h"
#include "sync/engine_p.h"
#include "tests/sim/words.h"

enum {
	SIM_THINGS_MAX = 40, /* of one table */
	SIM_EVENTS_MAX = 64, /* of one history */
	SIM_LINKS_MAX = 80,
	SIM_SERVICES = 2, /* ours, and one that may take the lead */
};

/* Who put a value somewhere. */
enum author { BY_PEOPLE, BY_TANDEM, BY_REMOTE };

/* A value that was put into a field, at a step of the history. Values are words (words.h). */
struct entry {
	const char *value; /* as it ended up there */
	const char *asked; /* as its author meant it: a remote may rewrite */
	enum author author;
	int step;
};

struct cell {
	const char *now;
	struct entry *log;
	size_t count, cap;
};

/* A person, a lead or a contact. */
struct thing {
	enum table table;
	int number; /* within its table, from 1: what stories call it by */
	bool exists;
	int64_t person_id;
	struct guid record_id;
	int64_t version; /* of a row */
	int state;
	bool is_merged;
	struct guid master_id, origin_id;
	enum filter_mark filter;
	struct guid stamp_id; /* of a person */
	enum table stamp_table;
	bool stamp_is_deleted;
	bool is_made_by_tandem, has_won_merge;
	struct guid made_for;    /* person made by Tandem: for which row */
	int64_t made_for_person; /* row made by Tandem: for which person */
	struct cell cells[FIELD_COUNT];
};

/* One entry of Marketo's change log. */
struct feed_entry {
	enum change_kind kind;
	int64_t person_id, winner_id;
	int field; /* -1: none */
	const char *was, *now;
	int due_round; /* late entries show up then */
};

/* A line in the Activity Log of a person. */
struct log_line {
	char reference[32];
	int64_t person_id, at_ms;       /* when it was added: it can be found some time later */
	const struct twin_store *store; /* a store begun anew counts anew */
};

struct feed {
	struct feed_entry *entries; /* in the order in which they can be seen */
	size_t count, cap;
	struct feed_entry *late;
	size_t late_count, late_cap;
	int delay; /* rounds by which new entries are late */
};

struct tombstone {
	struct guid record_id;
	int64_t version;
};

/* What differs between histories besides their events. */
struct setup {
	unsigned fields; /* bit per enum word_field: selected */
	bool has_filter[TABLE_COUNT];
	enum filter_mark filter_default; /* of a row nobody set it on */
	enum filter_null filter_null;
	bool is_set_on_create;
	bool leaves_deleted, match_by_email;
	bool has_memory;  /* Marketo remembers opt-outs beyond persons */
	bool is_plain;    /* both sides type the same words, and nothing is refused */
	bool is_mirrored; /* winners by field are swapped: see run.c */
	enum rewrite { REWRITE_NONE, REWRITE_UPPER, REWRITE_LOWER } rewrite[SIDE_COUNT];
	unsigned row_page, feed_page; /* rows on a page */
	unsigned shuffle;             /* order of rows on a page; 0: as committed */
	unsigned deletes_max;
	bool is_bulk; /* nobody tells the version of a row that was made */
};

struct twin_store;
struct round_model;

struct sim {
	struct arena memory; /* of the whole history */
	struct setup setup;
	int64_t now_ms;
	int step;  /* rises with everything that happens */
	int round; /* of cycles */

	/* the two remotes */
	struct thing *things[TABLE_COUNT]; /* SIM_THINGS_MAX each */
	size_t count[TABLE_COUNT];
	struct feed feed;
	struct log_line *lines;
	size_t line_count, line_cap;
	struct tombstone *gone[TABLE_COUNT];
	size_t gone_count[TABLE_COUNT], gone_cap[TABLE_COUNT];
	int64_t row_version;
	int64_t cursor_age[TABLE_COUNT]; /* raised: older cursors have expired */
	int64_t look_back[TABLE_COUNT];  /* versions the next delta repeats */
	bool is_durable[8];              /* per e-mail word: opted out for good */
	enum right {
		RIGHT_ALL,
		RIGHT_READ,
		RIGHT_NONE
	} right,
		right_told; /* to the secured column */
	bool is_lenient;    /* the remotes' own validation is switched off */
	bool is_other_organisation, is_empty_table;

	/* the state store */
	struct twin_store *store;

	/* faults */
	int throttle[SIDE_COUNT]; /* calls to refuse */
	struct lost_answer {
		bool is_armed;
		unsigned how, after; /* how many writes before it */
	} lost[SIDE_COUNT];
	bool is_crashed[SIM_SERVICES];
	int crash_in; /* writes or commits until it, within the call at hand; -1: none */

	/* where we are */
	bool is_in_cycle;    /* a cycle of ours runs, events may happen inside it */
	bool is_in_requests; /* requests are being worked on: nothing existing may be updated */
	int nested;          /* inside an event that runs code of ours */
	int call_no;         /* twin calls of this cycle */
	void (*on_call)(struct sim *s, void *context);
	void *context;

	/* what is counted for the checks */
	unsigned writes[SIDE_COUNT], stamps, field_writes;
	unsigned collisions, errors, checked_fields;
	struct round_model *agreed; /* check.c; NULL: nothing is known to agree */
	/* A service that had lost the lead wrote on: Marketo has no versions, so a person may show
	 * an old stamp until it is read the next time. */
	bool has_two_leaders;
	bool has_lost_right, has_lost_store, has_frozen, has_chained_merge;

	/* the first invariant that broke; "" none */
	const char *broken;
	char how[400];

	struct buf *story; /* NULL: nobody listens */
	int line;
};

/* What the tables of functions get as self: whose call it is. */
struct port {
	struct sim *sim;
	int service;
	enum side side; /* unused by the store */
	uint64_t calls;
	int64_t fence; /* the store's: 0 does not lead */
};

/* ---- world.c: what happens in the two remotes, whoever does it ---- */
void world_init(struct sim *s);
struct thing *world_person(struct sim *s, int64_t person_id); /* NULL: there is none */
struct thing *world_row(struct sim *s, enum table table, const struct guid *id);
struct thing *world_new(struct sim *s, enum table table); /* NULL: the world is full */
/* Puts a value; rows get a new version from world_touch, persons an entry in the log. */
void world_put(struct sim *s, struct thing *t, enum word_field f, const char *value,
	       enum author author);
void world_touch(struct sim *s, struct thing *row);
void world_delete(struct sim *s, struct thing *t);
void world_log(struct sim *s, const struct feed_entry *e);
void world_show_late(struct sim *s, bool all);
/* A person that has just been made: its durable opt-out comes back, the log shows it. */
void world_made_person(struct sim *s, struct thing *t);
const char *world_name(const struct thing *t, char ret[24]); /* "contact 2" */

/* Calls by what can become of them in a crash: nothing, or a part. */
enum call_kind { CALL_READ, CALL_WRITE, CALL_STORE, CALL_COMMIT };

/* The hook before every call of a twin: other people act, faults strike. */
enum err_kind sim_call(struct port *p, enum call_kind what, struct err *err);
enum err_kind sim_crash(struct port *p, struct err *err); /* from now on nothing works */
void sim_broken(struct sim *s, const char *invariant, const char *fmt, ...) PRINTF_LIKE(3, 4);
void sim_say(struct sim *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void sim_tell(struct sim *s, const char *fmt, ...) PRINTF_LIKE(2, 3); /* what Tandem does */

/* ---- the twins ---- */
extern const struct remote_ops twin_marketo_ops, twin_dynamics_ops;
extern const struct store_ops twin_store_ops;

void twin_unexpected(const char *what) __attribute__((noreturn));
struct value twin_value(struct arena *a, const struct mapped_field *mf, const char *word);
const char *twin_word(struct arena *a, const struct value *v);
enum word_field twin_field(const struct mapping *m, size_t index);
void twin_describe(const struct sim *s, enum table table, struct arena *a, struct schema *ret);

#endif

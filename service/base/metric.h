/* Counters and gauges: one table, one atomic each, printed as Prometheus text ("Prometheus:
 * Text-based format"). Rows with the same name must stand together; they share the help text of the
 * first. */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include "base/buf.h"

/* id, kind, name, labels, help */
#define METRICS(X)                                                                                 \
	X(CYCLES_OK, "counter", "tandem_cycles_total", "result=\"ok\"",                            \
	  "Cycles ended, by result.")                                                              \
	X(CYCLES_PARTIAL, "counter", "tandem_cycles_total", "result=\"partial\"", "")              \
	X(CYCLES_FAILED, "counter", "tandem_cycles_total", "result=\"failed\"", "")                \
	X(CYCLE_RUNNING, "gauge", "tandem_cycle_running", "", "1 while a cycle runs here.")        \
	X(CYCLE_LAST_MS, "gauge", "tandem_cycle_last_milliseconds", "",                            \
	  "Length of the last cycle.")                                                             \
	X(CYCLE_LAST_OK_TIME, "gauge", "tandem_cycle_last_ok_seconds", "",                         \
	  "When the last good cycle ended, seconds since 1970.")                                   \
	X(CURSOR_AGE_PERSON, "gauge", "tandem_cursor_age_seconds", "table=\"person\"",             \
	  "How long ago the place in a change feed moved last, when last looked.")                 \
	X(CURSOR_AGE_LEAD, "gauge", "tandem_cursor_age_seconds", "table=\"lead\"", "")             \
	X(CURSOR_AGE_CONTACT, "gauge", "tandem_cursor_age_seconds", "table=\"contact\"", "")       \
	X(HALTED, "gauge", "tandem_sync_halted", "", "1 while a side is halted.")                  \
	X(PAUSED, "gauge", "tandem_sync_paused", "", "1 while an operator has paused the sync.")   \
	X(READ_PERSONS, "counter", "tandem_records_read_total", "table=\"person\"",                \
	  "Records that cycles read from a remote.")                                               \
	X(READ_LEADS, "counter", "tandem_records_read_total", "table=\"lead\"", "")                \
	X(READ_CONTACTS, "counter", "tandem_records_read_total", "table=\"contact\"", "")          \
	X(CREATED_PERSONS, "counter", "tandem_records_written_total",                              \
	  "table=\"person\",operation=\"create\"", "Records written to a remote.")                 \
	X(UPDATED_PERSONS, "counter", "tandem_records_written_total",                              \
	  "table=\"person\",operation=\"update\"", "")                                             \
	X(CREATED_LEADS, "counter", "tandem_records_written_total",                                \
	  "table=\"lead\",operation=\"create\"", "")                                               \
	X(UPDATED_LEADS, "counter", "tandem_records_written_total",                                \
	  "table=\"lead\",operation=\"update\"", "")                                               \
	X(CREATED_CONTACTS, "counter", "tandem_records_written_total",                             \
	  "table=\"contact\",operation=\"create\"", "")                                            \
	X(UPDATED_CONTACTS, "counter", "tandem_records_written_total",                             \
	  "table=\"contact\",operation=\"update\"", "")                                            \
	X(VERIFIED, "counter", "tandem_links_verified_total", "",                                  \
	  "Links read on both sides by sweeps, to prove them equal.")                              \
	X(DRIFTED, "counter", "tandem_links_drifted_total", "",                                    \
	  "Links that a sweep found different although no feed had told; repaired.")               \
	X(LATE_EVENTS, "counter", "tandem_feed_events_late_total", "",                             \
	  "Events of Marketo's feed that only a look back showed.")                                \
	X(PROVEN_SINCE, "gauge", "tandem_links_proven_since_seconds", "",                          \
	  "Every link was proven equal since then, or made later; seconds since 1970, 0 not yet.") \
	X(VERIFY_PERIOD, "gauge", "tandem_verify_period_seconds", "",                              \
	  "Within which every link is to be proven equal.")                                        \
	X(BACKFILL_LEADS, "gauge", "tandem_backfill_rows_done", "table=\"lead\"",                  \
	  "Rows read so far of a table that is read from the start; 0 when none is.")              \
	X(BACKFILL_CONTACTS, "gauge", "tandem_backfill_rows_done", "table=\"contact\"", "")        \
	X(BACKFILL_LEADS_TOTAL, "gauge", "tandem_backfill_rows_expected", "table=\"lead\"",        \
	  "Rows that table has, as far as Dynamics tells.")                                        \
	X(BACKFILL_CONTACTS_TOTAL, "gauge", "tandem_backfill_rows_expected", "table=\"contact\"",  \
	  "")                                                                                      \
	X(COLLISIONS, "counter", "tandem_collisions_total", "",                                    \
	  "Fields changed on both sides to different values.")                                     \
	X(REFUSALS, "counter", "tandem_refusals_total", "", "Writes a remote refused for good.")   \
	X(CALLS_MARKETO, "counter", "tandem_remote_calls_total", "side=\"marketo\"",               \
	  "HTTP calls to a remote.")                                                               \
	X(CALLS_DYNAMICS, "counter", "tandem_remote_calls_total", "side=\"dynamics\"", "")         \
	X(CALL_ERRORS_MARKETO, "counter", "tandem_remote_call_errors_total", "side=\"marketo\"",   \
	  "HTTP calls that failed.")                                                               \
	X(CALL_ERRORS_DYNAMICS, "counter", "tandem_remote_call_errors_total", "side=\"dynamics\"", \
	  "")                                                                                      \
	X(CERTIFICATE_END, "gauge", "tandem_dynamics_certificate_end_seconds", "",                 \
	  "When the certificate for Dynamics expires, seconds since 1970; 0 without one.")         \
	X(QUOTA_USED_MARKETO, "gauge", "tandem_quota_used_today", "side=\"marketo\"",              \
	  "Calls of Tandem's user today; the day ends at 06:00 UTC.")                              \
	X(QUOTA_USED_DYNAMICS, "gauge", "tandem_quota_used_today", "side=\"dynamics\"", "")        \
	X(QUOTA_LIMIT_MARKETO, "gauge", "tandem_quota_limit_today", "side=\"marketo\"",            \
	  "Calls Tandem may make a day; 0 no limit.")                                              \
	X(QUOTA_LIMIT_DYNAMICS, "gauge", "tandem_quota_limit_today", "side=\"dynamics\"", "")      \
	X(QUOTA_END_MARKETO, "gauge", "tandem_quota_exhausted_seconds", "side=\"marketo\"",        \
	  "When cycles will have used up their calls of today, seconds since 1970; 0 not today.")  \
	X(QUOTA_END_DYNAMICS, "gauge", "tandem_quota_exhausted_seconds", "side=\"dynamics\"", "")  \
	X(CLOSED_MARKETO, "gauge", "tandem_side_closed_seconds", "side=\"marketo\"",               \
	  "How long calls still wait because a side said so or today's are used up.")              \
	X(CLOSED_DYNAMICS, "gauge", "tandem_side_closed_seconds", "side=\"dynamics\"", "")         \
	X(REQUESTS_CREATED, "counter", "tandem_requests_total", "outcome=\"created\"",             \
	  "Real-time calls, by outcome.")                                                          \
	X(REQUESTS_LINKED, "counter", "tandem_requests_total", "outcome=\"linked\"", "")           \
	X(REQUESTS_EXISTS, "counter", "tandem_requests_total", "outcome=\"exists\"", "")           \
	X(REQUESTS_QUEUED, "counter", "tandem_requests_total", "outcome=\"queued\"", "")           \
	X(REQUESTS_AMBIGUOUS, "counter", "tandem_requests_total", "outcome=\"ambiguous\"", "")     \
	X(REQUESTS_REJECTED, "counter", "tandem_requests_total", "outcome=\"rejected\"", "")       \
	X(REQUESTS_FAILED, "counter", "tandem_requests_total", "outcome=\"failed\"", "")           \
	X(REQUESTS_WAITING, "gauge", "tandem_requests_waiting", "",                                \
	  "Real-time callers waiting now.")

#define METRIC_ENUM(id, kind, name, labels, help) METRIC_##id,
enum metric { METRICS(METRIC_ENUM) METRIC_COUNT };
#undef METRIC_ENUM

void metric_add(enum metric m, int64_t n); /* METRIC_COUNT: counted nowhere */
void metric_set(enum metric m, int64_t value);
int64_t metric_get(enum metric m);
void metric_print(struct buf *out);

#endif

"""The seeded bugs. One row: name, the invariant it breaks, the check that must notice, the file, and each text that is
replaced (it must occur exactly once). A check is a program of tests/unit, or oracle, roundtrip, sim (see run)."""

from typing import NamedTuple


class Mutant(NamedTuple):
    name: str
    invariant: str
    check: str
    file: str
    edits: tuple    # (old text, new text)...


def mutant(name, invariant, check, file, *texts):
    return Mutant(name, invariant, check, file, tuple(zip(texts[::2], texts[1::2])))


MERGE, DECIDE = "service/core/merge.c", "service/core/decide.c"
VALUE, SCHEMA, MAPPING = "service/core/value.c", "service/core/schema.c", "service/core/mapping.c"
CYCLE, PAIRS, MATCH = "service/sync/cycle_table.c", "service/sync/pairs.c", "service/sync/match.c"
PARCEL, CANDIDATES = "service/core/parcel.c", "service/sync/candidates.c"
REQUESTS, OVERWRITE = "service/sync/requests.c", "service/sync/overwrite.c"
OUTBOX = "service/sync/outbox.c"

PURE = [
    # --- the merge of one field
    mutant("winner-swapped", "INV-WINNER", "test_merge", MERGE,
           "return link_table == TABLE_CONTACT ? SIDE_DYNAMICS : SIDE_MARKETO;",
           "return link_table == TABLE_CONTACT ? SIDE_MARKETO : SIDE_DYNAMICS;"),
    mutant("winner-of-field-ignored", "INV-WINNER", "oracle", MERGE,
           "switch (f->winner) {", "switch (WINNER_BY_LINK) {"),
    mutant("fingerprint-of-wrong-side", "INV-THREE-WAY", "oracle", DECIDE,
           ".fingerprint = link_fingerprint(in->link, s, slot)",
           ".fingerprint = link_fingerprint(in->link, side_other(s), slot)"),
    mutant("collision-taken-for-one-change", "INV-THREE-WAY", "test_merge", MERGE,
           "if (is_marketo && is_dynamics)\n", "if (is_marketo && is_dynamics && false)\n"),
    mutant("newcomer-decided-blind", "INV-NOTHING-SILENT", "oracle", MERGE,
           "{ .action = MERGE_READ,", "{ .action = MERGE_NOTHING,"),
    mutant("opt-out-reverted", "INV-CONSENT", "test_merge", MERGE,
           "return f->is_consent && v->kind == VALUE_BOOLEAN && v->boolean;",
           "return f->is_consent && v->kind == VALUE_TEXT;"),
    mutant("default-taken-for-consent", "INV-CONSENT", "oracle", DECIDE,
           "(!mf->field->is_consent || is_opt_out); /* INV-CONSENT */", "true;"),
    mutant("empty-stays-ignored", "INV-NOTHING-SILENT", "oracle", MERGE,
           "if (f->empty == EMPTY_STAYS && merge_is_empty(&side[from]))", "if (false)"),
    mutant("change-without-right-forgotten", "INV-SELECTED", "oracle", MERGE,
           "{ .action = MERGE_WAIT, .from = from }", "{ .action = MERGE_ADOPT, .rule = RULE_ONE_WAY }"),
    mutant("covered-edit-judged-wrongly", "INV-WINNER", "oracle", MERGE,
           "return is_opt_out[0] ? SIDE_MARKETO : SIDE_DYNAMICS;", "return SIDE_DYNAMICS;"),
    # --- the plan
    mutant("lost-right-nulls-data", "INV-SELECTED", "oracle", DECIDE,
           "if (v && v->kind == VALUE_UNSEEN)\n\t\t\treturn false;",
           "if (v && v->kind == VALUE_UNSEEN) {\n"
           "\t\t\tstatic const struct value empty = { .kind = VALUE_EMPTY };\n\t\t\tv = &empty;\n\t\t}"),
    mutant("unreadable-column-used", "INV-SELECTED", "oracle", MAPPING,
           "else if (!c->can_read)", "else if (!c->can_read && !c->can_create && !c->can_update)"),
    mutant("one-way-field-travels-back", "INV-SELECTED", "oracle", MAPPING,
           "|| mf->field->direction == against[target])", ")"),
    mutant("echo-taken-for-change", "INV-NO-ECHO", "test_decide_laws", DECIDE,
           "d->plan->fingerprint[target][slot] = parcel.fingerprint;", ""),
    mutant("collision-not-kept", "INV-NOTHING-SILENT", "test_decide", DECIDE,
           "if (merged->is_collision)\n", "if (false)\n"),
    mutant("refusal-claims-agreement", "INV-INTERRUPT", "oracle", DECIDE,
           "\tdecide_restore(in, p, p->write[target][i].index);\n", ""),
    mutant("parked-ignored", "INV-SETTLES", "oracle", DECIDE,
           "if (p->slot == slot && p->target == target && p->fingerprint == fingerprint)", "if (false)"),
    mutant("parked-record-ignored", "INV-SETTLES", "oracle", DECIDE,
           "if (d->is_changed[target] || !p->write_count[target])\n\t\treturn;", "return;"),
    mutant("half-look-at-parked", "INV-NOTHING-SILENT", "oracle", DECIDE,
           "if (!is_refused_there && !decide_has_parked(l, slot, side_other(unseen)))", "if (true)"),
    mutant("freeze-never", "INV-NO-ECHO", "oracle", DECIDE,
           "if (turns >= DECIDE_TURNS_MAX) {", "if (turns > 1000) {"),
    mutant("freeze-by-slow-edits", "INV-SETTLES", "oracle", DECIDE,
           "in->cycle > last->cycle + DECIDE_TURN_CYCLES)", "in->cycle > last->cycle + 100)"),
    mutant("covered-edit-not-restored", "INV-NOTHING-SILENT", "oracle", DECIDE,
           "if (is_written || !in->seen[SIDE_MARKETO] ||", "if (true ||"),
    mutant("too-long-is-sent", "INV-NO-HOSTAGE", "oracle", PARCEL,
           "ret->is_held = column_holds(c, v, &ret->err) == ERR_NONE;", "ret->is_held = true;"),
    mutant("filter-ignored", "INV-SELECTED", "oracle", "service/core/filter.c",
           "case FILTER_NO:\n\t\treturn FILTER_STOPS;", "case FILTER_NO:\n\t\tbreak;"),
    # --- canonical values
    mutant("not-composed", "INV-NO-ECHO", "roundtrip", VALUE,
           "v.text = high ? value_compose(a, s) : s;", "v.text = s;"),
    mutant("not-trimmed", "INV-NO-ECHO", "roundtrip", VALUE,
           "struct value v = { .kind = VALUE_TEXT };\n\tstruct str s = value_trim(raw);",
           "struct value v = { .kind = VALUE_TEXT };\n\tstruct str s = raw;"),
    mutant("length-in-characters", "INV-NO-HOSTAGE", "roundtrip", VALUE,
           "n += (unsigned char)text.p[i] >= 0xf0;", "n += 0;"),
    mutant("rounded-down", "INV-NO-ECHO", "roundtrip", VALUE,
           "is_up = d->digit[kept] >= '5';", "is_up = d->digit[kept] > '5';"),
    mutant("option-in-foreign-spelling", "INV-NO-ECHO", "roundtrip", PARCEL,
           "ret->value = parcel_stored(c, v, a);", "ret->value = *v;"),
    mutant("range-ignored", "INV-NO-HOSTAGE", "roundtrip", SCHEMA,
           "if (!c->has_range || (number >= c->min && number <= c->max))", "if (true)"),
    # --- what must not get out
    mutant("any-address-owned", "INV-ORIGIN", "test_http_origin", "service/remote/http.c",
           "owns = origin && strcmp(origin, o->text) == 0;", "owns = origin;"),
    mutant("addresses-in-messages", "INV-PRIVATE", "test_dynamics_err", "service/remote/dynamics_err.c",
           "\tscrub_addresses(err->text);\n", ""),
    # --- guards and budget
    mutant("deletes-unguarded", "INV-NO-WIPE", "test_guard", "service/core/guard.c",
           "if (!max || deletes <= max)", "if (true)"),
    mutant("empty-table-believed", "INV-NO-WIPE", "test_guard", "service/core/guard.c",
           "if (rows_seen || !links_known)", "if (true)"),
    mutant("other-organisation-accepted", "INV-NO-WIPE", "test_guard", "service/core/guard.c",
           "if (guid_is_zero(known) || guid_equal(known, now))", "if (true)"),
    mutant("budget-overdrawn", "INV-BUDGET", "test_quota", "service/core/quota.c",
           "if (q->total < share)", "if (true)"),
    mutant("cycles-take-what-is-kept", "INV-BUDGET", "test_quota", "service/core/quota.c",
           "if (lane == LANE_REALTIME)", "if (true)"),
    mutant("shut-side-called", "INV-BUDGET", "test_quota", "service/core/quota.c",
           "return q->shut_until_ms > now->wall_ms;", "return false;"),
    mutant("others-calls-ignored", "INV-BUDGET", "test_quota", "service/core/quota.c",
           "q->shared_used >= limits->shared_stop)", "false)"),
    mutant("way-to-the-remote-ignored", "INV-BUDGET", "test_quota", "service/core/quota.c",
           " +\n\t\t  q->limits.guard_ms;", ";"),
    mutant("reset-an-hour-early", "INV-BUDGET", "test_forecast", "service/core/forecast.c",
           "DAY_BEGIN_S = 6 * 3600,", "DAY_BEGIN_S = 5 * 3600,"),
    mutant("execution-time-not-watched", "INV-BUDGET", "test_load", "service/core/load.c",
           "if (percent > LOAD_HIGH_PERCENT && now > 1) {", "if (false) {"),
]

SYNC = [
    mutant("cursor-before-data", "INV-CURSOR-BEHIND", "sim", CYCLE,
           "\t\tkind = cycle_changes(c, &s.step, table, page->changes + done, n, page->is_full_scan,\n\t\t\t\t     err);\n",
           "\t\tledger_cursor(&s.ledger, table, page->cursor);\n"
           "\t\tkind = ledger_commit(&s.ledger, c->e, true, err);\n"
           "\t\ts.ledger = (struct ledger){ .arena = &s.arena };\n"
           "\t\tif (kind == ERR_NONE)\n"
           "\t\t\tkind = cycle_changes(c, &s.step, table, page->changes + done, n,"
           " page->is_full_scan, err);\n"),
    mutant("cursor-with-first-chunk", "INV-CURSOR-BEHIND", "sim", CYCLE,
           "page->count - done < CYCLE_CHUNK ? page->count - done : CYCLE_CHUNK", "1",
           "if (kind == ERR_NONE && done == page->count)", "if (kind == ERR_NONE && done == n)"),
    mutant("marketo-change-not-marked", "INV-SETTLES", "sim", "service/sync/cycle_feed.c",
           "if (change->kind == CHANGE_EDITED) {\n", "if (change->kind == CHANGE_EDITED && false) {\n"),
    mutant("create-without-link-row", "INV-ONE-ROW", "sim", REQUESTS,
           "kind = store->ops->claim(store->self, wanted, n, is_claimed, err);",
           "(void)store;\n\tkind = ERR_NONE;\n\tmemset(is_claimed, true, n);",
           "fingerprint_record_id(str_of(b->s.engine->settings.instance),\n"
           "\t\t\t\t\t\t\tlink->person_id, link->generation);", "fingerprint_random_guid();"),
    mutant("existing-record-not-noticed", "INV-NO-FORCE", "sim", REQUESTS,
           "if (links[i] && link_is_bound(links[i]))\n\t\t\twork_finish(b, &b->works[i], OUTCOME_EXISTS, NULL);",
           ""),
    mutant("linked-record-taken-by-email", "INV-ONE-ROW", "sim", CANDIDATES,
           "if (link_is_taken(links[i]) || link_is_taken(origins[i]))", "if (link_is_taken(origins[i]))"),
    mutant("qualified-lead-keeps-link", "INV-ONE-ROW", "sim", MATCH,
           "if (!link_is_taken(leads[i]) || !leads[i]->person_id)", "if (true)"),
    mutant("linked-person-taken-by-email", "INV-ONE-ROW", "sim", MATCH,
           "if (link_is_taken(link))\n\t\treturn false;\n", "",
           "return guid_is_zero(&person->record_id) || person->stamp_is_deleted;", "return true;"),
    mutant("stamp-of-another-ignored", "INV-ONE-ROW", "sim", MATCH,
           "return guid_is_zero(&person->record_id) || person->stamp_is_deleted;", "return true;"),
    mutant("merged-row-gets-person", "INV-ONE-ROW", "sim", MATCH,
           "if (r->is_merged || is_qualified || is_kept_out)", "if (is_qualified || is_kept_out)"),
    mutant("qualified-lead-gets-person", "INV-ONE-ROW", "sim", MATCH,
           "if (r->is_merged || is_qualified || is_kept_out)", "if (r->is_merged || is_kept_out)"),
    mutant("paused-record-travels", "INV-SELECTED", "sim", "service/sync/records.c",
           "return records_may_travel(s, r) ? FATE_RESUMED : FATE_NOTHING;", "return FATE_PAIR;"),
    mutant("qualified-lead-keeps-its-row", "INV-ONE-ROW", "sim", MATCH,
           "\tlead->state = LINK_DELETED_IN_DYNAMICS;\n\tlead->person_id = 0;\n", ""),
    mutant("merge-keeps-agreements", "INV-CONSENT", "sim", "service/sync/merged.c",
           "\tlink_forget_side(moved, SIDE_DYNAMICS);\n", ""),
    mutant("collision-of-another-value-not-kept", "INV-NOTHING-SILENT", "sim", PAIRS,
           "value_equal(&kept->value[SIDE_DYNAMICS], &c->value[SIDE_DYNAMICS])", "true"),
    mutant("full-scan-hides-deletes", "INV-SETTLES", "sim", CYCLE,
           "if (kind == ERR_NONE && page->is_full_scan)", "if (false)"),
    mutant("stamp-not-written", "INV-ONE-ROW", "sim", PAIRS, "\t\tw.stamp = stamp;\n", ""),
    mutant("losers-not-kept-first", "INV-NOTHING-SILENT", "sim", PAIRS,
           "\tif (kind == ERR_NONE)\n\t\tkind = pairs_keep_losers(s, all, count, err);\n", ""),
    mutant("lost-answer-taken-for-done", "INV-INTERRUPT", "sim", PAIRS,
           "\tpairs_drop(s, p, target, PARKED_WHOLE_RECORD, &later);\n", ""),
    mutant("version-not-named", "INV-NOTHING-SILENT", "sim", PAIRS,
           ".version = p->seen[SIDE_DYNAMICS] ? p->seen[SIDE_DYNAMICS]->version\n"
           "\t\t\t\t\t\t  : p->link->version,", ".version = 0,"),
    mutant("bad-record-holds-batch", "INV-NO-HOSTAGE", "sim", PAIRS,
           "kind = remote->ops->write(remote->self, s->call, s->mapping, writes, n, results, err);",
           "kind = remote->ops->write(remote->self, s->call, s->mapping, writes, n, results, err);\n"
           "\tfor (size_t i = 0; i < n; i++)\n\t\tif (results[i].kind == ERR_REFUSED)\n"
           "\t\t\treturn err_set(err, ERR_RETRY_LATER, \"one of the batch was refused\");"),
    mutant("covered-edit-not-noticed", "INV-NOTHING-SILENT", "sim", OVERWRITE,
           "if (c->was.kind != VALUE_UNSEEN && overwrite_fingerprint(o, &c->was) != row->seen)", "if (false)"),
    # --- Activity Logs
    mutant("line-sent-again-blindly", "INV-ONE-LINE", "sim", OUTBOX,
           "if (b.rows[0].tries)\n\t\tkind = outbox_look(&b, err);", "(void)outbox_look;"),
    mutant("line-not-marked", "INV-ONE-LINE", "sim", OUTBOX,
           "if (kind == ERR_NONE && b.count)\n\t\tkind = outbox_mark(&b, err);", "(void)outbox_mark;"),
    mutant("line-looked-for-too-early", "INV-ONE-LINE", "sim", OUTBOX,
           "e->settings.activity_settle_ms, OUTBOX_BATCH, a,", "0, OUTBOX_BATCH, a,"),
    mutant("lost-answer-taken-for-no-line", "INV-ONE-LINE", "sim", OUTBOX,
           "\tif (r->is_unknown)\n\t\treturn; /* stays marked as tried */\n", ""),
    mutant("line-found-and-sent-again", "INV-ONE-LINE", "sim", OUTBOX,
           "ledger_outbox_step(&ledger, b->rows[i].id, OUTBOX_SENT);",
           "ledger_outbox_step(&ledger, b->rows[i].id, OUTBOX_WAITING);"),
]

MUTANTS = PURE + SYNC

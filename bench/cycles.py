"""Cycles without and with changes: calls, writes, processor time."""

import math

from figures import PERSONS_PER_CALL, RECORDS_PER_BATCH, ROWS_PER_PAGE, Measured, chunks, links, of_one_cycle

NAMES = {"marketo": "Marketo", "dynamics": "Dynamics"}
UPDATED_PER_CALL = 1000


def idle(report, world, people):
    Measured(world, 3)      # Marketo has told of our own writes by then
    before = touched(world)
    calls, cpu_ms, _ = of_one_cycle(world)
    report.at_most(f"idle cycle, {people:,} people: calls to Marketo", calls["marketo"], 4)
    report.at_most("  calls to Dynamics", calls["dynamics"], 3)
    report.at_most("  processor time", cpu_ms, 20, "ms")
    report.at_most("  persons and records written", written(world, 12), 0)
    report.at_most("  link rows read or written", touched(world) - before, 0)


def written(world, cycles):
    columns = " + ".join(f"{what}_{table}" for what in ("created", "updated") for table in ("persons", "leads", "contacts"))
    return int(world.sql(f"SELECT sum({columns}) FROM (SELECT * FROM cycle ORDER BY number DESC LIMIT {cycles}) AS c")[0][0])


def touched(world):
    return int(world.sql("SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) + n_tup_ins + n_tup_upd + n_tup_del "
                         "FROM pg_stat_user_tables WHERE relname = 'link'")[0][0])


def edit_persons(world, pairs, text):
    world.marketo().update_many({"id": person, "city": text} for person, _, _ in pairs)


def edit_records(world, pairs, text):
    seller = world.dynamics()
    for table, path in (("lead", "leads"), ("contact", "contacts")):
        targets = [{"@odata.type": f"Microsoft.Dynamics.CRM.{table}", table + "id": record, "address1_city": text}
                   for _, entity, record in pairs if entity == table]
        for part in chunks(targets, UPDATED_PER_CALL):
            seller.call("POST", f"{path}/Microsoft.Dynamics.CRM.UpdateMultiple", {"Targets": part})


def least_calls(who, pairs):
    """Marketo tells 300 changes and takes or gives 300 persons a call; Dynamics tells 5,000 and takes 100. Marketo tells of
    our own writes as well, and that has to be listened to, though nobody has to be read for it."""
    if who == "marketer":
        return {"marketo": 2 * math.ceil(len(pairs) / PERSONS_PER_CALL), "dynamics": math.ceil(len(pairs) / RECORDS_PER_BATCH)}
    tables = [sum(1 for _, entity, _ in pairs if entity == table) for table in ("lead", "contact")]
    return {"marketo": 2 * math.ceil(len(pairs) / PERSONS_PER_CALL),
            "dynamics": sum(math.ceil(count / ROWS_PER_PAGE) for count in tables)}


def changes(report, world, count):
    pairs = links(world, count)
    for who, edit in (("marketer", edit_persons), ("seller", edit_records)):
        Measured(world, 2)      # nothing is left of what was before
        idle_calls = Measured(world, 1).calls
        report.progress(f"{len(pairs):,} edits by the {who}")
        edit(world, pairs, f"City of {count} by {who}")
        taken = Measured(world, 1)
        least = least_calls(who, pairs)
        for side, name in NAMES.items():
            own = taken.calls[side] - idle_calls[side]
            report.at_most(f"{len(pairs):,} edits by the {who}: {name} calls / least possible", own / least[side], 1.1, "",
                           f"{own} calls, {least[side]} at least; {taken.seconds:.1f} s, {taken.cpu_ms / len(pairs):.3f} ms each")

"""The first cycle: without limits (what the service itself costs), and with the documented ones (what it leaves unused)."""

import datetime

from figures import Measured, json_ns_per_byte, new_world

WINDOW_SECONDS, WINDOW_CALLS = 20, 100
LIMITED_PEOPLE = 60000


def watcher(report, world, people):
    def watch():
        rows = world.sandbox.calls("marketo")
        created = sum(row["records"] for name, row in rows.items() if name.startswith("POST /rest/v1/leads.json"))
        report.progress(f"Marketo was asked for or given {created:,} records; {people:,} people in all")
    return watch


def unlimited(report, world, people):
    first = Measured(world, watch=watcher(report, world, people))
    count = int(world.sql("SELECT count(*) FROM link WHERE state = 1")[0][0])
    alone_ms = first.bytes * json_ns_per_byte(world) / 1e6
    report.figure(f"first cycle, {people:,} people, {count:,} links", first.seconds, "s", f"{count / first.seconds:,.0f} links a second")
    report.at_most("  processor time / json-c alone over the same bytes", first.cpu_ms / alone_ms, 3, "",
                   f"{first.cpu_ms / count:.3f} ms a link, {first.bytes / count:,.0f} bytes a link")
    report.at_most(f"  most memory resident, {people:,} people", first.rss_mib, 64, "MiB")
    if count < people * 0.99:
        raise SystemExit(f"bench: {people} people gave {count} links\n{world.log_tail()}")
    return first


def size(report, world):
    fields = int(world.sql("SELECT count(*) FROM field_slot")[0][0])
    per_link = float(world.sql("SELECT pg_total_relation_size('link')::float8 / count(*) FROM link")[0][0])
    report.at_most("  bytes of database a link, indexes included", per_link, 900, "bytes", f"{fields} fields")


def limited(report):
    """Marketo's 100 calls in any 20 s are the ceiling of a first cycle."""
    world = new_world(report, LIMITED_PEOPLE, TANDEM_MARKETO_CALLS_PER_20S=WINDOW_CALLS, TANDEM_REALTIME_SHARE_PERCENT=0,
                      TANDEM_DYNAMICS_CALLS_PER_5MIN=6000)
    try:
        world.sandbox.limits(marketo={"enforce": True, "perWindow": WINDOW_CALLS, "windowSeconds": WINDOW_SECONDS,
                                      "perDay": 50000, "concurrent": 10}, dynamics={"enforce": True})
        world.sandbox.advance(WINDOW_SECONDS)       # the calls of the set-up are out of the window
        report.progress("a first cycle under the documented limits")
        Measured(world, watch=watcher(report, world, LIMITED_PEOPLE))
        share, seconds, calls = share_of_limit(world)
        report.at_least("back-fill under documented limits: calls / calls allowed", share, 0.95, "",
                        f"{calls} calls to Marketo in {seconds:.0f} s, {LIMITED_PEOPLE:,} people, whole share for it")
        report.at_most("  calls refused by Marketo's rate limit (606)", refused(world, "606"), 0)
        report.at_most("  calls throttled by Dynamics (429)", throttled(world), 0)
    finally:
        world.close()


def share_of_limit(world):
    """When the first call of every further hundred came, against when it could have come at the earliest."""
    rows = [row for row in world.sandbox.log() if row["side"] == "marketo" and row["user"] == "tandem" and "oauth" not in row["path"]]
    rows = rows[-world.sandbox.call_count("marketo"):]
    times = [datetime.datetime.fromisoformat(row["at"].replace("Z", "+00:00")).timestamp() for row in rows]
    windows = (len(times) - 1) // WINDOW_CALLS
    if windows < 3:
        raise SystemExit("bench: the first cycle ended before the limit could matter")
    seconds = times[windows * WINDOW_CALLS] - times[0]
    return windows * WINDOW_SECONDS / seconds, seconds, windows * WINDOW_CALLS


def refused(world, code):
    world.sandbox.limits(marketo={"enforce": False})
    errors = world.marketo().call("GET", "/rest/v1/stats/errors.json")["result"]
    return sum(row["count"] for day in errors for row in day["errors"] if str(row["errorCode"]) == code)


def throttled(world):
    return sum(row["statuses"].get("429", 0) for row in world.sandbox.calls("dynamics").values())

"""What several figures need: a world without sanitizers, a service measured while it runs, the machine's name."""

import json
import os
import pathlib
import platform
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/scenario"))

from harness import World, chunks, until  # noqa: E402, F401

SIDES = ("marketo", "dynamics")
PERSONS_PER_CALL, RECORDS_PER_BATCH, ROWS_PER_PAGE = 300, 100, 5000


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                  if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} x {model}, {memory:.0f} GiB, Linux {platform.release()}, load {load:.1f} at the start"


def new_world(report, people, **settings):
    """Half contacts, half leads, and for every fifth a person of its own in Marketo, all invented."""
    # a first load is one cycle here, so that it can be measured as one
    world = World(plain=True, **{"TANDEM_BACKFILL_SLICE": 86400, **settings})
    world.sandbox.control.timeout = 900
    report.progress(f"making {people:,} people; load {os.getloadavg()[0]:.1f}")
    world.sandbox.seed(persons=people // 5, contacts=people // 2, leads=people - people // 2)
    world.setup()
    return world


class Measured:
    """A service that runs some cycles and ends: what it took."""

    def __init__(self, world, cycles=1, watch=None, **settings):
        world.sandbox.calls_reset()
        start = time.monotonic()
        service = world.spawn("--cycles", str(cycles), TANDEM_SYNC_INTERVAL="0.01", TANDEM_LOG_LEVEL="warn", **settings)
        status, usage = self.wait(service.process, watch)
        service.process.returncode = os.waitstatus_to_exitcode(status)
        service.reader.join(10)
        self.seconds = time.monotonic() - start
        if status:
            raise SystemExit(f"bench: the service failed\n{world.log_tail()}")
        self.cycles = cycles
        self.cpu_ms = (usage.ru_utime + usage.ru_stime) * 1000
        self.rss_mib = usage.ru_maxrss / 1024
        rows = {side: world.sandbox.calls(side) for side in SIDES}
        self.calls = {side: sum(row["count"] for row in rows[side].values()) for side in SIDES}
        self.bytes = sum(row["bytesIn"] + row["bytesOut"] for side in SIDES for row in rows[side].values())

    @staticmethod
    def wait(process, watch):
        """Calls watch() every ten seconds meanwhile."""
        last = time.monotonic()
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG if watch else 0)
            if pid:
                return status, usage
            time.sleep(0.05)
            if time.monotonic() - last >= 10:
                last = time.monotonic()
                watch()


def of_one_cycle(world, cycles=10):
    """What one idle cycle takes, without the start: calls by side, milliseconds of processor time."""
    one, many = Measured(world, 1), Measured(world, cycles + 1)
    return ({side: (many.calls[side] - one.calls[side]) / cycles for side in SIDES}, (many.cpu_ms - one.cpu_ms) / cycles, one)


def output_of(name, text=None):
    """What a program of bench/ prints, as JSON."""
    done = subprocess.run([ROOT / "build/plain/bench" / name], input=text, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def json_ns_per_byte(world):
    """What json-c alone needs to parse and print a byte, over rows of the kind the service reads."""
    return output_of("json_cost", json.dumps({"value": world.dynamics().query("contact", top=1000)}))


def links(world, count):
    """(person, entity, record) of that many live links."""
    return [(int(person), {"1": "lead", "2": "contact"}[entity], record) for person, entity, record in world.sql(
        f"SELECT person_id, entity, record_id FROM link WHERE state = 1 ORDER BY person_id LIMIT {count}")]


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

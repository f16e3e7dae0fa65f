"""Calls of campaigns: what the service adds to the remotes' own time, what many at once cost, how fast `exists` is said."""

import json
import os
import select
import socket
import time
import urllib.parse

from figures import cpu_seconds, until

ONE_BY_ONE, AT_ONCE = 1000, 1000
CONNECTIONS, WINDOW, EXISTS_SECONDS = 8, 16, 5
DELAY_MS = 3000


def run(report, world):
    newcomers = world.marketo().create_many({"email": f"newcomer{n}@example.org", "lastName": f"Newcomer {n}", "company": "Acme"}
                                            for n in range(ONE_BY_ONE + 2 * AT_ONCE))
    world.serve_cycles(2)       # they are no news to the cycle any more
    # so many calls in a row would use up what Dynamics allows in five minutes
    world.start(TANDEM_SYNC_INTERVAL="3600", TANDEM_LOG_LEVEL="warn", TANDEM_DYNAMICS_CALLS_PER_5MIN="8000")
    until(lambda: world.tandem().status()["sync"]["nextAt"], 60, "the end of the first cycle")
    try:
        one_by_one(report, world, newcomers[:ONE_BY_ONE])
        at_once(report, world, newcomers[ONE_BY_ONE:ONE_BY_ONE + AT_ONCE])
        waiting(report, world, newcomers[ONE_BY_ONE + AT_ONCE:])
        exists(report, world, newcomers[:ONE_BY_ONE])
    finally:
        world.stop()


# --- one after the other

def one_by_one(report, world, people):
    report.progress(f"{len(people):,} calls one after the other")
    tandem, total = world.tandem("campaign"), []
    world.sandbox.calls_reset()
    for person in people:
        start = time.monotonic()
        answer = tandem.sync_person(person)
        total.append((time.monotonic() - start) * 1000)
        if answer.status != 200 or answer.json["outcome"] != "created":
            raise SystemExit(f"bench: {answer!r}")
    calls = sum(world.sandbox.call_count(side) for side in ("marketo", "dynamics"))
    own = remotes_own(world, calls) / len(people)
    total.sort()
    added = [taken - own for taken in total]
    report.at_most("real time, added to the remotes' own: 99 of 100 within", at(added, 0.99), 5, "ms",
                   f"half within {at(added, 0.5):.2f} ms, 999 of 1,000 within {at(added, 0.999):.2f} ms, load {os.getloadavg()[0]:.1f}")
    report.figure("  with the sandbox's own time: half within", at(total, 0.5), "ms", f"99 of 100 within {at(total, 0.99):.2f} ms; "
                  f"{calls / len(people):.1f} calls to the remotes each, one after the other")


def at(values, share):
    return values[min(len(values) - 1, int(len(values) * share))]


def remotes_own(world, calls):
    """Milliseconds the sandbox itself spent on the last so many calls of the service."""
    rows = [row for row in world.sandbox.log() if row["user"] == "tandem" and "oauth" not in row["path"]]
    return sum(row["ms"] for row in rows[-calls:])


# --- many at once

class Caller:
    """Requests on raw connections, so that this program is never what is waited for."""

    def __init__(self, world):
        address = urllib.parse.urlsplit(world.service.url)
        self.address, self.key = (address.hostname, address.port), world.keys["campaign"]

    def request(self, person):
        body = json.dumps({"personId": person})
        return (f"POST /v1/sync-person HTTP/1.1\r\nHost: tandem\r\nAuthorization: Bearer {self.key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()

    def connect(self, count):
        return [socket.create_connection(self.address) for _ in range(count)]


class Answers:
    """What came back on one connection, cut into whole answers."""

    def __init__(self):
        self.left = b""

    def take(self, data):
        self.left += data
        while True:
            head = self.left.find(b"\r\n\r\n")
            if head < 0:
                return
            position = self.left.lower().find(b"content-length:", 0, head)
            end = head + 4 + int(self.left[position + 15:self.left.find(b"\r\n", position)])
            if len(self.left) < end:
                return
            if not self.left.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"bench: {self.left[:300]!r}")
            yield json.loads(self.left[head + 4:end])
            self.left = self.left[end:]


def burst(world, people, meanwhile=lambda: None):
    """Everybody at once, a connection each: the outcomes, and the seconds until the last."""
    caller = Caller(world)
    connections = caller.connect(len(people))
    answers = {c.fileno(): (c, Answers()) for c in connections}
    start, outcomes = time.monotonic(), []
    for connection, person in zip(connections, people):
        connection.sendall(caller.request(person))
    meanwhile()
    poll = select.poll()
    for number in answers:
        poll.register(number, select.POLLIN)
    while len(outcomes) < len(people):
        for number, _ in poll.poll(30000):
            connection, reader = answers[number]
            data = connection.recv(65536)
            if not data:
                raise SystemExit("bench: the service closed a connection")
            outcomes += [answer["outcome"] for answer in reader.take(data)]
    for connection in connections:
        connection.close()
    return outcomes, time.monotonic() - start


def at_once(report, world, people):
    report.progress(f"{len(people):,} calls at once")
    world.sandbox.calls_reset()
    outcomes, seconds = burst(world, people)
    if set(outcomes) != {"created"}:
        raise SystemExit(f"bench: {set(outcomes)}")
    report.at_most(f"{len(people):,} calls at once: calls to Marketo", world.sandbox.call_count("marketo"), 8, "", f"{seconds:.1f} s")
    report.at_most("  requests to Dynamics", world.sandbox.call_count("dynamics"), 25)


def waiting(report, world, people):
    """Marketo takes its time, and everybody waits."""
    world.sandbox.faults({"side": "marketo", "path": "/rest/v1/leads.json", "count": 1000000, "effect": {"delayMs": DELAY_MS}})
    seen = []

    def look():
        time.sleep(DELAY_MS / 2000)
        seen.append(world.rss_kib() / 1024)

    outcomes, _ = burst(world, people, look)
    world.sandbox.faults()
    report.at_most(f"  memory resident while {len(people):,} calls wait", max(*seen, world.rss_most_kib() / 1024), 64, "MiB",
                   f"{sum(o == 'created' for o in outcomes):,} created in the end")


# --- nothing to do

def exists(report, world, people):
    """By the service's own processor time: what one core can do, whatever else this machine does meanwhile."""
    pid, caller = world.service.process.pid, Caller(world)
    requests = [caller.request(person) for person in people]
    streams = {c.fileno(): (c, Answers()) for c in caller.connect(CONNECTIONS)}
    position, count, start, before = 0, 0, time.monotonic(), cpu_seconds(pid)

    def send(connection, n):
        nonlocal position
        connection.sendall(b"".join(requests[(position + i) % len(requests)] for i in range(n)))
        position += n

    for connection, _ in streams.values():
        send(connection, WINDOW)
    poll = select.poll()
    for number in streams:
        poll.register(number, select.POLLIN)
    while time.monotonic() - start < EXISTS_SECONDS:
        for number, _ in poll.poll(1000):
            connection, reader = streams[number]
            outcomes = [answer["outcome"] for answer in reader.take(connection.recv(1 << 18))]
            if set(outcomes) - {"exists"}:
                raise SystemExit(f"bench: {set(outcomes)}")
            count += len(outcomes)
            if outcomes:
                send(connection, len(outcomes))
    used, seconds = cpu_seconds(pid) - before, time.monotonic() - start
    for connection, _ in streams.values():
        connection.close()
    report.at_least("`exists` answers a second of processor time", count / used, 5000, "/s",
                    f"{count / seconds:,.0f} a second by the clock, with PostgreSQL on {os.cpu_count()} shared cores")

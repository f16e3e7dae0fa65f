"""The whole program in a small world of its own: a database, a sandbox and the service, each a real process.

    class Example(Scenario):
        def test_something(self):
            world = self.world(people=200)
            world.setup()
            world.serve_cycles(1)
            world.marketo("marketer").update(1, title="Captain")

Waiting is always for something that can be seen, with a deadline. Programs come from TANDEM_BIN and SANDBOX_BIN (without
sanitizers, for figures: TANDEM_PLAIN_BIN, SANDBOX_PLAIN_BIN); everything a world started ends with it.
"""

import atexit
import itertools
import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from clients import DynamicsClient, Http, MarketoClient, RemoteError, TandemClient, chunks  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SAMPLE = ROOT / "deploy/sample/people.csv"
OUR_SETTINGS = re.compile(r"^(TANDEM|MARKETO|DYNAMICS|DATABASE)_")


def program(variable, default):
    return os.environ.get(variable) or str(ROOT / default)


def until(check, seconds=30, what="condition"):
    """What check() returns as soon as that is true."""
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for: {what}")
        time.sleep(0.02)


def must_be_sane(text):
    """Fails with what a sanitizer has seen."""
    found = re.search(r"^.*(Sanitizer|runtime error: ).*$", text, re.M)
    if found:
        raise AssertionError(text[found.start():][:6000])


def first_lines(process, count, seconds=60):
    """The lines a program says when it is ready. One that says nothing for that long is ended, which gives empty ones."""
    timer = threading.Timer(seconds, process.terminate)
    timer.start()
    try:
        return [process.stdout.readline().strip() for _ in range(count)]
    finally:
        timer.cancel()


class Postgres:
    """One cluster for this process, started when first needed. It lives as long as our end of a pipe, so it goes away with
    us whatever happens."""

    started = None
    numbers = itertools.count(1)

    @classmethod
    def get(cls):
        if cls.started is None:
            cls.started = cls()
            atexit.register(cls.started.stop)
        return cls.started

    def __init__(self):
        self.process = subprocess.Popen(
            [str(ROOT / "tests/store/with_postgres.sh"), "sh", "-c",
             'echo "$DATABASE_URL"; echo "$POSTGRES_RESTART"; exec cat'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.url, self.restart_program = first_lines(self.process, 2)
        if not self.url:
            raise AssertionError("PostgreSQL did not start")

    def stop(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()

    def sql(self, statement, url=None):
        """The rows as lists of text."""
        done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-F", "\t", "-c", statement, url or self.url],
                              capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(f"psql: {done.stderr.strip()}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def new_database(self):
        name = f"tandem_{next(self.numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        return name

    def database_url(self, name):
        return re.sub(r"/tandem(?=\?|$)", f"/{name}", self.url)

    def drop(self, name):
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def restart(self):
        subprocess.run([self.restart_program], check=True)


class Sandbox:
    """The sandbox process and its control addresses."""

    def __init__(self, log, people=None, plain=False):
        command = [program("SANDBOX_PLAIN_BIN", "build/tandem-sandbox") if plain else
                   program("SANDBOX_BIN", "build/tandem-sandbox")]
        if people is not None:
            command += ["--people", str(people)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        lines = [line.split() for line in first_lines(self.process, 2)]
        if any(len(line) != 2 for line in lines):
            raise AssertionError(f"the sandbox did not start: {lines}")
        self.url = dict(lines)
        self.control = Http(self.url["marketo"])
        self.known = self.get("/users")

    def stop(self):
        self.control.close()
        self.process.terminate()
        code = self.process.wait(30)
        self.process.stdout.close()
        if code:
            raise AssertionError(f"the sandbox ended with code {code}")

    def get(self, path):
        answer = self.control.send("GET", "/_sandbox" + path)
        if answer.status != 200:
            raise AssertionError(f"GET {path}: {answer!r}")
        return answer.json

    def post(self, path, body=None):
        answer = self.control.send("POST", "/_sandbox" + path, {} if body is None else body)
        if answer.status != 200:
            raise AssertionError(f"POST {path}: {answer!r}")
        return answer.json

    def user(self, side, name):
        return next(user for user in self.known[side] if user["name"] == name)

    def seed(self, persons=0, contacts=0, leads=0, seed=1):
        self.post("/seed", {"persons": persons, "contacts": contacts, "leads": leads, "seed": seed})

    def faults(self, *rules):
        """Replaces all rules; without any: no more faults."""
        self.post("/faults", list(rules))

    def faults_fired(self):
        return self.get("/faults")

    def limits(self, **sides):
        self.post("/limits", sides)

    def advance(self, seconds):
        self.post("/clock", {"advanceSeconds": seconds})

    def calls_reset(self):
        self.post("/calls/reset")

    def calls(self, side, user="tandem"):
        """What one user called since the last reset, by endpoint; getting tokens is left out."""
        return {row["endpoint"]: row for row in self.get("/calls")[side]
                if row["user"] == user and "oauth" not in row["endpoint"]}

    def call_count(self, side, user="tandem"):
        return sum(row["count"] for row in self.calls(side, user).values())

    def log(self, limit=100000):
        return self.get(f"/log?limit={limit}")["calls"]


class Service:
    """One running `tandem serve`. Its lines on standard output are kept in `said`."""

    def __init__(self, command, environment, log):
        self.said, self.url, self.changed = [], None, threading.Condition()
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True,
                                        errors="replace")
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.said.append(line.rstrip("\n"))
                if self.url is None and line.startswith("listening "):
                    self.url = line.split()[1]
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()
        self.process.stdout.close()

    def wait_listening(self, seconds):
        with self.changed:
            self.changed.wait_for(lambda: self.url or not self.reader.is_alive() or self.process.poll() is not None,
                                  seconds)
        if not self.url:
            raise AssertionError(f"the service does not listen (exit code {self.process.poll()}): {self.said[-5:]}")

    def wait(self, seconds):
        code = self.process.wait(seconds)
        self.reader.join(10)
        return code

    def memory_kib(self, what):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{what}:\s+(\d+) kB", status, re.M).group(1))


class World:
    """people: how many lines of the sample to load, True for all of them, a path, or None for an empty sandbox."""

    ROLES = ("campaign", "read", "admin")

    def __init__(self, people=None, plain=False, **settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-scenario."))
        self.log_path = self.folder / "service.log"
        self.log = open(self.log_path, "ab")
        self.service, self.sandbox, self.plain = None, None, plain
        self.keys = {role: secrets.token_hex(16) for role in self.ROLES}
        self.users = {}
        try:
            self.postgres = Postgres.get()
            self.database = self.postgres.new_database()
            with open(self.folder / "sandbox.log", "ab") as log:
                self.sandbox = Sandbox(log, self.people_file(people), plain)
            self.environment = self.make_environment(settings)
        except BaseException:
            self.close()
            raise

    def people_file(self, people):
        if people is None or people is False:
            return None
        if people is True:
            return SAMPLE
        if not isinstance(people, int):
            return people
        path = self.folder / "people.csv"
        with open(SAMPLE, newline="", encoding="utf-8") as source, open(path, "w", newline="", encoding="utf-8") as part:
            part.writelines(itertools.islice(records_of(source), people + 1))
        return path

    def make_environment(self, settings):
        environment = {name: value for name, value in os.environ.items() if not OUR_SETTINGS.match(name)}
        marketo, dynamics = self.sandbox.user("marketo", "tandem"), self.sandbox.user("dynamics", "tandem")
        environment.update({
            "DATABASE_URL": self.postgres.database_url(self.database),
            "MARKETO_URL": self.sandbox.url["marketo"],
            "MARKETO_CLIENT_ID": marketo["clientId"], "MARKETO_CLIENT_SECRET": marketo["clientSecret"],
            "DYNAMICS_URL": self.sandbox.url["dynamics"], "DYNAMICS_AUTHORITY": self.sandbox.url["dynamics"],
            "DYNAMICS_TENANT_ID": dynamics["tenantId"],
            "DYNAMICS_CLIENT_ID": dynamics["clientId"], "DYNAMICS_CLIENT_SECRET": dynamics["clientSecret"],
            "TANDEM_LISTEN": "127.0.0.1:0", "TANDEM_SYNC_INTERVAL": "0.2",
            # the sandbox is ours alone: the whole of what Marketo allows, not a polite share
            "TANDEM_MARKETO_CALLS_PER_20S": "8000", "TANDEM_MARKETO_CALLS_PER_DAY": "1000000",
            "TANDEM_MARKETO_CONCURRENT": "10",
            "TANDEM_API_KEYS": ",".join(f"{role}:{role}:{key}" for role, key in self.keys.items())})
        return self.changed_environment(environment, settings)

    @staticmethod
    def changed_environment(environment, settings):
        """Settings are given by name; None takes one away."""
        environment = {**environment, **{name: str(value) for name, value in settings.items() if value is not None}}
        return {name: value for name, value in environment.items() if settings.get(name, "") is not None}

    # --- who talks to whom

    def marketo(self, user="marketer"):
        if ("marketo", user) not in self.users:
            u = self.sandbox.user("marketo", user)
            self.users["marketo", user] = MarketoClient(self.sandbox.url["marketo"], u["clientId"], u["clientSecret"])
        return self.users["marketo", user]

    def dynamics(self, user="seller"):
        if ("dynamics", user) not in self.users:
            u = self.sandbox.user("dynamics", user)
            self.users["dynamics", user] = DynamicsClient(self.sandbox.url["dynamics"], u["tenantId"], u["clientId"],
                                                          u["clientSecret"])
        return self.users["dynamics", user]

    def tandem(self, role="admin", timeout=60):
        """The running service; role None: without a key."""
        return TandemClient(self.service.url, self.keys[role] if role else None, timeout)

    # --- the program

    def binary(self):
        if self.plain:
            return program("TANDEM_PLAIN_BIN", "build/tandem")
        return program("TANDEM_BIN", "build/tandem")

    def run(self, *arguments, timeout=120, **settings):
        """One command to its end; settings override the world's for this run."""
        done = subprocess.run([self.binary(), *arguments], env=self.changed_environment(self.environment, settings),
                              capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
        must_be_sane(done.stderr)
        return done

    def must(self, *arguments, **settings):
        done = self.run(*arguments, **settings)
        with open(self.log_path, "a", encoding="utf-8") as log:
            log.write(done.stderr)
        if done.returncode:
            raise AssertionError(f"tandem {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout[-2000:]}"
                                 f"\n{done.stderr[-2000:]}")
        return done.stdout

    def setup(self):
        return self.must("setup")

    def compare(self):
        """Succeeds only when both sides agree."""
        return self.must("compare", timeout=600)

    def spawn(self, *arguments, **settings):
        """A service of one's own making: the caller ends it."""
        return Service([self.binary(), "serve", *arguments], self.changed_environment(self.environment, settings), self.log)

    def start(self, *arguments, seconds=60, **settings):
        if self.service:
            raise AssertionError("the service runs already")
        self.service = self.spawn(*arguments, **settings)
        self.service.wait_listening(seconds)
        return self.service

    def stop(self, seconds=60):
        """Asks the service to end, as a supervisor would; anything but code 0 is a failure."""
        self.service.process.send_signal(signal.SIGTERM)
        code = self.service.wait(seconds)
        self.service = None
        if code:
            raise AssertionError(f"the service ended with code {code}\n{self.log_tail()}")

    def kill9(self):
        self.service.process.kill()
        self.service.wait(30)
        self.service = None

    def restart(self, *arguments, **settings):
        if self.service:
            self.stop()
        return self.start(*arguments, **settings)

    def serve_cycles(self, count=1, seconds=600, **settings):
        """Exactly that many good cycles, then nothing runs any more. Returns what was said."""
        settings.setdefault("TANDEM_SYNC_INTERVAL", "0.01")
        service = self.spawn("--cycles", str(count), **settings)
        try:
            code = service.wait(seconds)
        except subprocess.TimeoutExpired:
            service.process.kill()
            service.wait(30)
            raise AssertionError(f"{count} cycles took more than {seconds} s\n{self.log_tail()}") from None
        if code:
            raise AssertionError(f"tandem serve --cycles {count}: exit code {code}\n{self.log_tail()}")
        return service.said

    # --- cycles of the running service

    def run_cycles(self, count=1, seconds=120):
        """Waits until that many cycles that began after now have ended (0: the running one, if any); returns the status."""
        tandem = self.tandem("read")
        sync = tandem.status()["sync"]
        goal = (sync["cycle"] or 0) + count + (1 if sync["state"] == "running" else 0)

        def is_through():
            status = tandem.status()
            now = status["sync"]
            done = now["cycle"] or 0
            return status if done > goal or (done == goal and now["state"] != "running") else None

        return until(is_through, seconds, f"the end of cycle {goal}")

    def wait_cycle(self, number, seconds=120):
        """Waits until the cycle with this number runs or has run."""
        tandem = self.tandem("read")
        return until(lambda: (tandem.status()["sync"]["cycle"] or 0) >= number, seconds, f"cycle {number}")

    def wait_state(self, state, seconds=60):
        tandem = self.tandem("read")
        return until(lambda: tandem.status()["sync"]["state"] == state, seconds, f"the state {state}")

    # --- looking at and breaking things

    def rss_kib(self):
        return self.service.memory_kib("VmRSS")

    def rss_most_kib(self):
        return self.service.memory_kib("VmHWM")

    def sql(self, statement):
        return self.postgres.sql(statement, self.postgres.database_url(self.database))

    def drop_database(self):
        """Lost, and there again, empty."""
        self.postgres.drop(self.database)
        self.postgres.sql(f"CREATE DATABASE {self.database}")

    def log_tail(self, lines=30):
        self.log.flush()
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def close(self):
        """Ends and removes everything; complains about what sanitizers saw."""
        if self.service and self.service.process.poll() is None:
            self.service.process.terminate()
            try:
                self.service.wait(60)
            except subprocess.TimeoutExpired:
                self.service.process.kill()
                self.service.wait(30)
        self.service, trouble = None, None
        if self.sandbox:
            try:
                self.sandbox.stop()
            except AssertionError as error:
                trouble = error
        self.log.close()
        logs = [path.read_text(errors="replace") for path in self.folder.glob("*.log")]
        shutil.rmtree(self.folder, ignore_errors=True)
        if getattr(self, "database", None):
            self.postgres.drop(self.database)
        for text in logs:
            must_be_sane(text)
        if trouble:
            raise trouble


def records_of(lines):
    """Lines of a CSV file put together where a quoted value goes over several of them."""
    record = ""
    for line in lines:
        record += line
        if record.count('"') % 2 == 0:
            yield record
            record = ""


class Scenario(unittest.TestCase):
    """A test with worlds: they end with the test, and a failed one shows the last lines of the log."""

    def world(self, **arguments):
        world = World(**arguments)
        self.addCleanup(world.close)
        self.addCleanup(self.show_log, world)
        return world

    def show_log(self, world):
        outcome = getattr(self, "_outcome", None)
        if outcome is not None and not getattr(outcome, "success", True):
            print("\n".join("# log: " + line for line in world.log_tail().splitlines()), flush=True)

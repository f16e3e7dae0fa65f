"""Files of many persons: bulk extracts and imports of stamps as the remote layer drives them, against the sandbox."""

import datetime
import os
import random
import subprocess
import tempfile
import unittest
import uuid

from harness import MarketoClient, Sandbox, chunks, must_be_sane, program

WAITING, READY, FAILED, GONE = "0", "1", "2", "3"
MINUTE, DAY = 60, 86400
TYPES = ("string", "text", "email", "phone", "url", "integer", "score", "percent", "float", "currency", "boolean", "date",
         "datetime")
FILES = "/bulk/v1/leads/export/"


class ProbeError(Exception):
    """What an operation ended with: kind, code, hint in ms, field."""

    def __init__(self, words):
        super().__init__(" ".join(words))
        self.kind, self.code, self.hint_ms, self.field = words[0], words[1], int(words[2]), words[3]


class Probe:
    """One process with the Marketo side of the program in it."""

    def __init__(self, sandbox, log):
        user = sandbox.user("marketo", "tandem")
        default = "build/address-undefined/tests/scenario/marketo_probe"
        self.process = subprocess.Popen(
            [program("MARKETO_PROBE", default)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            env={**os.environ, "MARKETO_URL": sandbox.url["marketo"], "MARKETO_CLIENT_ID": user["clientId"],
                 "MARKETO_CLIENT_SECRET": user["clientSecret"]})

    def ask(self, *words):
        """The lines of the answer, each as words."""
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            first, *rest = line.split()
            if first == "ok":
                return lines
            if first == "err":
                raise ProbeError(rest)
            lines.append([first, *rest])
        raise AssertionError("the probe ended")

    def stop(self):
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(30)


class Case(unittest.TestCase):
    def setUp(self):
        self.log = tempfile.TemporaryFile("w+")
        self.addCleanup(self.log.close)
        self.addCleanup(self.check_log)
        self.sandbox = Sandbox(self.log)
        self.addCleanup(self.sandbox.stop)
        user = self.sandbox.user("marketo", "tandem")
        self.marketo = MarketoClient(self.sandbox.url["marketo"], user["clientId"], user["clientSecret"])
        self.addCleanup(self.marketo.http.close)
        self.probe = None
        self.addCleanup(lambda: self.probe and self.assertEqual(self.probe.stop(), 0))
        self.window = (-1, 1)
        self.passed = 0   # seconds the sandbox's clock is ahead

    def check_log(self):
        self.log.seek(0)
        must_be_sane(self.log.read())

    def begin(self):
        """A probe that knows the stamp's fields, and a count of calls that begins now."""
        self.again()
        self.probe.ask("setup")
        self.sandbox.calls_reset()

    def again(self):
        """A program that was started anew."""
        if self.probe:
            self.assertEqual(self.probe.stop(), 0)
        self.probe = Probe(self.sandbox, self.log)

    def limits(self, **values):
        self.sandbox.limits(marketo=values)

    def pass_by(self, seconds=MINUTE):
        self.sandbox.advance(seconds)
        self.passed += seconds

    def now(self):
        return int(datetime.datetime.now(datetime.timezone.utc).timestamp()) + self.passed

    def start(self, which="created", first=None, last=None):
        """Days from now; without them, a time all people of the case were created in."""
        first, last = (self.window[0] if first is None else first), (self.window[1] if last is None else last)
        return self.probe.ask("start", which, self.now() + first * DAY, self.now() + last * DAY)[0][1]

    def state(self, job):
        return self.probe.ask("poll", job)[0][1:]

    def ready(self, **more):
        job = self.start(**more)
        self.pass_by()
        self.assertEqual(self.state(job)[0], READY)
        return job

    def read(self, job, at=0, pieces=1000):
        """Everybody in the file by id, where it was left, and whether that is the end."""
        found, is_last = {}, False
        while not is_last and pieces:
            *persons, (_, at, last) = self.probe.ask("read", job, at)
            found.update((int(p[1]), p[2:]) for p in persons)
            is_last, pieces = last == "1", pieces - 1
        return found, int(at), is_last

    def same(self, found, expected):
        """assertEqual would spend minutes on telling how thousands differ."""
        differ = [i for i in {**found, **expected} if found.get(i) != expected.get(i)]
        self.assertFalse(differ[:10], f"{len(differ)} persons differ")

    def leads(self, ids):
        found = {}
        for part in chunks(ids, 300):
            found.update((int(p[1]), p[2:]) for p in self.probe.ask("leads", ",".join(map(str, part))))
        return found

    def fails(self, kind, *words):
        with self.assertRaises(ProbeError) as caught:
            self.probe.ask(*words)
        self.assertEqual(caught.exception.kind, kind)
        return caught.exception

    def file_calls(self):
        return sum(row["count"] for name, row in self.sandbox.calls("marketo").items() if name.endswith("file.json"))

    def jobs(self):
        return [job["status"] for job in self.marketo.call("GET", "/bulk/v1/leads/export.json")["result"]]


class Values(Case):
    ODD = ("null", "Null", "NULL", 'say "ho"', '"', '""', "a,b", "two\nlines", "cr\r\nlf", "lone\rcr", " blanks ", "\u00fcber \u20ac \U0001f600",
           "e\u0301", "true", "0", "-1", "1e3", "2026-01-31", ",", "\n", "x" * 255)

    def people(self, count):
        dice = random.Random(int(os.environ.get("SEED", "1")))
        made = {"string": lambda: dice.choice(self.ODD), "email": lambda: f"p{dice.random()}@example.org",
                "integer": lambda: dice.randrange(-2**31, 2**31), "percent": lambda: dice.randrange(101),
                "float": lambda: round(dice.uniform(-1e6, 1e6), dice.randrange(6)), "boolean": lambda: dice.random() < 0.5,
                "date": lambda: f"{dice.randrange(1900, 2100)}-0{dice.randrange(1, 10)}-1{dice.randrange(10)}",
                "datetime": lambda: f"20{dice.randrange(10, 40)}-11-0{dice.randrange(1, 10)}T0{dice.randrange(10)}:59:07Z"}
        same = {"text": "string", "phone": "string", "url": "string", "score": "integer", "currency": "float"}
        for number in range(count):
            person = {"email": f"person{number}@example.org", "lastName": dice.choice(self.ODD)}
            for kind in TYPES:
                if dice.random() < 0.8:
                    person["address" if kind == "text" else "a" + kind.title()] = made[same.get(kind, kind)]()
            yield person

    def test_a_file_and_a_call_show_the_same_person(self):
        """All kinds of fields, and texts that are hard on a table. The text null is the one that looks empty."""
        self.marketo.call("POST", "/rest/v1/leads/schema/fields.json", {"input": [
            {"displayName": "A " + kind, "name": "a" + kind.title(), "dataType": kind} for kind in TYPES if kind != "text"]})   # the API makes none of those
        self.begin()
        people = list(self.people(200))
        ids = self.marketo.create_many(people)
        self.marketo.update(ids[0], microsoftId=str(uuid.uuid4()), microsoftType="Contact", microsoftIsDeleted=True)
        self.marketo.update(ids[1], microsoftId="none", microsoftType="lead", microsoftIsDeleted=False)
        found, _, is_last = self.read(self.ready())
        self.assertTrue(is_last)
        expected = self.leads(ids)
        self.assertEqual(sorted(found), sorted(expected))
        nulls = {i for i, person in zip(ids, people) if "null" in [v.strip() for v in person.values() if isinstance(v, str)]}
        self.assertTrue(nulls)
        for i in ids:
            if i in nulls:
                self.assertNotEqual(found[i], expected[i])
            else:
                self.assertEqual(found[i], expected[i], people[ids.index(i)])
        self.assertEqual([found[i][1:3] for i in ids[:3]], [["contact", "1"], ["lead", "0"], ["person", "0"]])


class Extract(Case):
    def people(self, count):
        """The sandbox's invented people have been there for 400 days."""
        self.sandbox.seed(persons=count)
        self.window = (-402, -390)

    def test_a_job_from_start_to_end(self):
        self.people(50)
        self.begin()
        self.limits(exportSeconds=90)
        job = self.start()
        self.assertEqual(self.state(job), [WAITING, "0", "0"])
        self.pass_by()
        self.assertEqual(self.state(job)[0], WAITING)
        self.fails("retry_later", "read", job, 0)
        self.pass_by(10000)   # the token is long over
        state, rows, size = self.state(job)
        self.assertEqual((state, rows), (READY, "50"))
        found, at, is_last = self.read(job)
        self.assertEqual((len(found), at, is_last), (50, int(size), True))
        self.assertEqual(found, self.leads(found))

    def test_only_who_was_created_or_updated_in_between(self):
        self.begin()
        old = self.marketo.create(email="a@example.org")
        self.pass_by(10 * DAY)
        new = self.marketo.create(email="b@example.org")
        self.assertEqual(set(self.read(self.ready())[0]), {new})
        self.marketo.update(old, microsoftSyncStatus="linked")
        self.assertEqual(set(self.read(self.ready(which="updated"))[0]), {old, new})
        self.assertEqual(set(self.read(self.ready(first=-30, last=0))[0]), {old, new})
        self.fails("ours", "start", "created", 0, 31 * DAY)
        self.probe.ask("start", "created", 0, 31 * DAY - 1)
        self.fails("ours", "start", "created", 1, 0)

    def test_a_large_file_comes_in_pieces(self):
        self.people(8500)
        self.begin()
        job = self.ready()
        size = int(self.state(job)[2])
        self.assertGreater(size, 9 << 19)
        found, at, is_last = self.read(job, pieces=1)
        self.assertTrue(3 << 20 < at <= 4 << 20 and not is_last)
        once_more, *rest = self.read(job, 0, pieces=1)
        self.assertEqual(rest, [at, False])
        self.same(once_more, found)
        more, at, is_last = self.read(job, at)
        self.assertTrue(at == size and is_last)
        self.assertEqual(len(set(found) & set(more)), 0)
        self.assertEqual(self.file_calls(), 1 + -(-size // (4 << 20)))
        found.update(more)
        self.assertEqual(len(found), 8500)
        sample = random.Random(7).sample(sorted(found), 900)
        self.same({i: found[i] for i in sample}, self.leads(sample))
        # From the middle, in a program that was started anew: from the beginning, until everybody was there.
        self.again()
        found, first, is_last = self.read(job, 4 << 20, pieces=1)
        self.assertTrue(first < 4 << 20 and not is_last)
        more, at, is_last = self.read(job, first)
        self.assertEqual((len({**found, **more}), at, is_last), (8500, size, True))

    def test_several_files_in_turns(self):
        self.people(8500)
        self.begin()
        jobs = [self.ready() for _ in range(3)]
        at, seen, is_last = [0] * 3, [0] * 3, False
        while not is_last:
            for i in (0, 1):
                found, at[i], is_last = self.read(jobs[i], at[i], pieces=1)
                seen[i] += len(found)
        self.assertEqual(seen, [8500, 8500, 0])
        for i in (0, 1, 2):   # one too many: the first was forgotten
            _, at[i], _ = self.read(jobs[i], 0, pieces=1)
        self.assertEqual(self.read(jobs[0], at[0], pieces=1)[1], at[0], "from the beginning")
        self.assertGreater(self.read(jobs[2], at[2], pieces=1)[1], at[2])

    def test_what_breaks_off_goes_on(self):
        self.people(8500)
        self.begin()
        job = self.ready()
        expected, _, _ = self.read(job)
        self.sandbox.faults({"side": "marketo", "path": FILES, "nth": 2, "effect": {"cutBody": True}},
                            {"side": "marketo", "path": FILES, "nth": 3, "effect": {"code": "602"}},
                            {"side": "marketo", "path": FILES, "nth": 4, "effect": {"status": 503}})
        self.same(self.read(job)[0], expected)
        self.assertEqual([rule["fired"] for rule in self.sandbox.faults_fired()], [1, 1, 1])

    def whole_file(self, job):
        return self.marketo.http.send("GET", f"{FILES}{job}/file.json", None,
                                      {"Authorization": "Bearer " + self.marketo.token()}).text

    def read_given(self, job, text):
        """The first call looks at the job; the second gets the text."""
        self.sandbox.faults({"side": "marketo", "path": FILES, "nth": 2,
                             "effect": {"status": 200, "body": text, "contentType": "text/csv"}})
        return self.read(job)

    def test_marketo_may_give_the_whole_file_at_once(self):
        for count in (200, 8500):
            self.people(count)
            self.begin()
            job = self.ready()
            text = self.whole_file(job)
            expected, *rest = self.read(job)
            self.sandbox.calls_reset()
            found, *rest_found = self.read_given(job, text)
            self.assertEqual(rest_found, rest)
            self.same(found, expected)
            self.assertEqual(self.file_calls(), 1, "it is kept until its end")

    def test_a_damaged_file_is_noticed(self):
        self.people(200)
        self.begin()
        job = self.ready()
        text = self.whole_file(job)
        for bad in (text[:-1], text[:3000] + ("x" if text[3000] != "x" else "y") + text[3001:]):
            with self.assertRaises(ProbeError) as caught:
                self.read_given(job, bad)
            self.assertEqual(caught.exception.kind, "expired")
            self.sandbox.faults()
            self.assertEqual(len(self.read(job)[0]), 200, "the next reading begins anew")

    def test_a_file_that_is_no_table_of_ours(self):
        self.people(200)
        self.begin()
        job = self.ready()
        text = self.whole_file(job)
        for bad, field in ((text.replace("lastName", "nameLast", 1), "lastName"), (text.replace(",", ";", 1), "-"),
                           (text.replace(",null", ',"ull', 1), "-"), (text.replace(",1001,", ",x001,", 1), "-")):
            with self.assertRaises(ProbeError) as caught:
                self.read_given(job, bad)
            self.assertEqual(caught.exception.kind, "rubbish")
            if field != "-":
                self.assertEqual(caught.exception.field, field)
            self.sandbox.faults()

    def test_nobody(self):
        self.begin()
        job = self.ready()
        self.assertEqual(self.read(job), ({}, 0, True))
        self.assertEqual(self.file_calls(), 0)

    def test_jobs_that_come_to_nothing(self):
        self.people(5)
        self.begin()
        self.limits(exportFails=True)
        job = self.start()
        self.pass_by()
        self.assertEqual(self.state(job)[0], FAILED)
        self.fails("expired", "read", job, 0)
        self.limits(exportFails=False, exportLosesFile=True)
        self.fails("expired", "read", self.ready(), 0)
        self.limits(exportLosesFile=False)
        job = self.start()
        self.probe.ask("cancel", job)
        self.assertEqual(self.state(job)[0], GONE)
        self.fails("expired", "read", job, 0)
        done = self.ready()
        for job in (job, done, str(uuid.uuid4())):
            self.probe.ask("cancel", job)
        self.assertEqual(self.state(str(uuid.uuid4()))[0], GONE)
        self.fails("expired", "read", uuid.uuid4(), 0)
        for job in ("../../leads", "", "a?b", "x" * 65):
            self.fails("ours", "poll", job)
        self.pass_by(7 * DAY)
        self.fails("expired", "read", done, 0)

    def test_a_subscription_without_the_filter(self):
        self.begin()
        self.limits(exportUpdatedAt=False)
        self.assertEqual(self.fails("rights", "start", "updated", 0, DAY).code, "1035")
        self.start()

    def test_no_free_place(self):
        self.begin()
        self.limits(otherExports=10)
        error = self.fails("throttled", "start", "created", 0, DAY)
        self.assertEqual((error.code, error.hint_ms), ("1029", 60000))
        self.assertEqual(self.jobs(), ["Cancelled"], "no job is left behind")
        self.limits(otherExports=0)
        self.start()

    def test_the_bytes_of_the_day(self):
        self.people(5)
        self.begin()
        self.limits(exportBytesPerDay=10)
        self.ready()
        error = self.fails("throttled", "start", "created", 0, DAY)
        self.assertEqual(error.code, "1029")
        self.assertTrue(0 < error.hint_ms <= DAY * 1000)
        before_six = datetime.datetime.now(datetime.timezone.utc).timestamp() * 1000 + error.hint_ms
        self.assertLess(abs((before_six / 1000 - 6 * 3600 + 43200) % DAY - 43200), 60, "midnight at UTC-6")

    def test_an_answer_that_is_lost_makes_no_second_job(self):
        self.begin()
        self.sandbox.faults({"side": "marketo", "path": "/bulk/v1/leads/export/", "contains": "", "nth": 2,
                             "effect": {"drop": "after"}})
        job = self.start()
        self.assertEqual(self.jobs(), ["Queued"])
        self.pass_by()
        self.assertEqual(self.state(job)[0], READY)


class Oldest(Case):
    def created(self, person):
        text = self.marketo.person(person, "id", "createdAt")["createdAt"]
        return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())

    def oldest(self):
        self.probe.ask("poll", uuid.uuid4())   # the token may be over
        self.sandbox.calls_reset()
        (_, at, sure), = self.probe.ask("oldest")
        return int(at), sure == "1", self.sandbox.call_count("marketo")

    def test_the_lowest_id_tells(self):
        self.begin()
        self.assertEqual(self.oldest(), (1167609600, False, 22))
        first = self.marketo.create(email="a@example.org")
        self.assertEqual(first, 1001)
        self.pass_by(10 * DAY)
        self.marketo.create(email="b@example.org")
        self.assertEqual(self.oldest(), (self.created(first), True, 5))

    def test_where_the_first_are_gone_samples_tell(self):
        self.begin()
        early = self.marketo.create_many({"email": f"a{i}@example.org"} for i in range(6000))
        self.pass_by(10 * DAY)
        late = self.marketo.create_many({"email": f"b{i}@example.org"} for i in range(1000))
        self.marketo.delete(*early[:400])
        self.assertEqual(self.oldest(), (self.created(early[400]), True, 6))
        self.marketo.delete(*early[400:])
        self.assertEqual(self.oldest(), (self.created(late[0]), False, 4))


class Import(Case):
    def stamp(self, person, table="lead", deleted=0, status="linked"):
        guid = uuid.uuid4()
        return f"{person}:{guid}:{table}:{deleted}:{status}", {
            "id": person, "microsoftId": str(guid), "microsoftType": table.title(), "microsoftIsDeleted": bool(deleted),
            "microsoftSyncStatus": status, "microsoftSyncedAt": "2026-08-30T14:05:09Z"}

    def run_import(self, stamps):
        job = self.probe.ask("import", ",".join(stamps))[0][1]
        self.assertEqual(self.probe.ask("outcome", job), [["state", WAITING, "0", "0", "0"]])
        self.pass_by()
        return self.probe.ask("outcome", job)

    def test_stamps_arrive(self):
        self.begin()
        ids = self.marketo.create_many({"email": f"p{i}@example.org", "lastName": "Stays"} for i in range(500))
        stamps = [self.stamp(person, *dice) for person, dice in
                  zip(ids, [("lead",), ("contact",), ("contact", 1, 'deleted_"x"')] * 200)]
        self.assertEqual(self.run_import([text for text, _ in stamps]), [["state", READY, "500", "0", "0"]])
        found = self.marketo.persons(ids, list(stamps[0][1]) + ["lastName"])
        for text, expected in stamps:
            self.assertEqual(found[expected["id"]], {**expected, "lastName": "Stays"})

    def test_rows_that_fail_are_told_by_id(self):
        self.begin()
        person, gone = self.marketo.create_many([{"email": "a@example.org"}, {"email": "b@example.org"}])
        self.marketo.delete(gone)
        told = self.run_import([self.stamp(gone)[0], self.stamp(person)[0], self.stamp(4711)[0]])
        self.assertEqual(told[0], ["state", READY, "1", "2", "0"])
        self.assertEqual(told[1:], [["failure", str(gone), "0", "gone", "1004"], ["failure", "4711", "0", "gone", "1004"]])
        self.assertIsNone(self.marketo.person(4711))

    def test_a_field_of_another_type_is_told(self):
        """Such a row is imported without the field."""
        types = {"microsoftId": "string", "microsoftType": "string", "microsoftIsDeleted": "boolean",
                 "microsoftSyncStatus": "string", "microsoftSyncedAt": "integer"}
        self.marketo.call("POST", "/rest/v1/leads/schema/fields.json", {"input": [
            {"displayName": name, "name": name, "dataType": kind} for name, kind in types.items()]})
        self.again()
        person, gone = self.marketo.create_many([{"email": "a@example.org"}, {"email": "b@example.org"}])
        self.marketo.delete(gone)
        told = self.run_import([self.stamp(person)[0], self.stamp(gone)[0]])
        self.assertEqual(told, [["state", READY, "1", "1", "1"], ["failure", str(gone), "0", "gone", "1004"],
                                ["failure", str(person), "1", "refused", "1003", "microsoftSyncedAt"]])

    def test_no_free_place(self):
        self.begin()
        self.limits(otherImports=10)
        error = self.fails("throttled", "import", self.stamp(1)[0])
        self.assertEqual((error.code, error.hint_ms), ("1016", 30000))

    def test_what_is_no_stamp_never_leaves(self):
        self.begin()
        for bad in (self.stamp(0)[0], self.stamp(1, status="")[0]):
            self.assertIn(self.fails("ours" if ":linked" not in bad else "input", "import", bad).kind, ("ours", "input"))
        self.assertEqual(self.sandbox.call_count("marketo"), 0)

    def test_a_lost_answer_is_told_and_not_repeated(self):
        self.begin()
        person = self.marketo.create(email="a@example.org")
        self.sandbox.faults({"side": "marketo", "path": "/bulk/v1/leads.json", "effect": {"drop": "after"}})
        text, expected = self.stamp(person)
        self.fails("retry_later", "import", text)
        self.assertEqual(self.sandbox.faults_fired()[0]["fired"], 1)
        self.sandbox.faults()
        self.pass_by()
        self.assertEqual(self.run_import([text]), [["state", READY, "1", "0", "0"]])
        self.assertEqual(self.marketo.person(person, *expected), expected)

    def test_imports_nobody_knows(self):
        self.begin()
        self.assertEqual(self.probe.ask("outcome", "4711"), [["state", GONE, "0", "0", "0"]])
        self.fails("ours", "outcome", "../x")


if __name__ == "__main__":
    unittest.main()

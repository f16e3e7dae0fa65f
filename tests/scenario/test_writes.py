"""How writes get to Dynamics: many new records in one request, fewer requests at once when they take long, nothing while told
to wait, and the organisation's duplicate rules when asked to obey them."""

import concurrent.futures
import datetime
import http.client
import http.server
import threading
import unittest
import urllib.parse

from harness import Scenario, until

FILTERS = "/api/data/v9.2/sdkmessagefilters"
BULK = "/api/data/v9.2/leads/Microsoft.Dynamics.CRM.CreateMultiple"
BATCH = "/api/data/v9.2/$batch"


class Writes(Scenario):
    READING = 3  # parts of the batch that asks for rights

    def queue(self, count, names=None, **settings):
        """A world in which the next cycle creates so many leads; names: other last names, by number."""
        world = self.world(**settings)
        world.setup()
        world.start(TANDEM_SYNC_INTERVAL="3600")
        until(lambda: world.tandem("read").status()["sync"]["finishedAt"], 60, "the end of cycle 1")
        people = world.marketo().create_many([
            {"email": f"p{i}@example.org", "lastName": (names or {}).get(i, f"Person {i}"), "title": "Clerk"}
            for i in range(count)])
        tandem = world.tandem("campaign")
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(lambda one: tandem.sync_person(one, campaign={"id": 7, "type": "batch"}), people))
        self.assertEqual({answer.json["outcome"] for answer in answers}, {"queued"})
        world.stop()
        world.sandbox.calls_reset()
        return world, people

    def writes(self, world):
        """(rows by CreateMultiple, parts of batches), request by request, as far as they were taken."""
        bulk, batches = ([call["records"] for call in self.requests(world, path) if call["status"] == 200]
                         for path in (BULK, BATCH))
        return bulk, [parts for parts in batches if parts > self.READING]

    def requests(self, world, path):
        return [call for call in world.sandbox.log() if call["side"] == "dynamics" and call["path"] == path]

    def leads(self, world):
        """Rows by e-mail, none of them twice."""
        rows = world.dynamics().query("lead", columns=("emailaddress1", "lastname", "versionnumber"))
        self.assertEqual(len({row["emailaddress1"] for row in rows}), len(rows))
        return {row["emailaddress1"]: row for row in rows}

    def errors(self, world):
        world.start(TANDEM_SYNC_INTERVAL="3600")
        until(lambda: world.tandem("read").status()["sync"]["nextAt"], 60, "the end of its first cycle")
        return world.tandem("read").errors()


class Bulk(Writes):
    def test_many_new_records_are_one_request(self):
        world, people = self.queue(250)
        world.serve_cycles(1)
        self.assertEqual(len(self.leads(world)), 250)
        bulk, batches = self.writes(world)
        self.assertEqual((sum(bulk), batches), (250, []))
        self.assertLessEqual(len(bulk), 3)
        self.assertEqual(len(self.requests(world, FILTERS)), 1)
        before = self.leads(world)
        world.serve_cycles(2)
        self.assertEqual(self.leads(world), before)
        world.compare()

    def test_a_few_are_not_worth_it(self):
        world, people = self.queue(9)
        world.serve_cycles(1)
        self.assertEqual(len(self.leads(world)), 9)
        self.assertEqual(self.writes(world), ([], [9]))
        self.assertEqual(self.requests(world, FILTERS), [])

    def test_where_it_is_not_offered_nobody_tries(self):
        world, people = self.queue(30)
        world.sandbox.faults({"side": "dynamics", "path": FILTERS, "effect": {
            "status": 200, "contentType": "application/json", "body": '{"value":[]}'}})
        world.serve_cycles(1)
        self.assertEqual(len(self.leads(world)), 30)
        self.assertEqual(self.requests(world, BULK), [])
        self.assertEqual(self.writes(world)[1], [30])

    def test_where_it_is_not_there_after_all_one_request_is_lost(self):
        world, people = self.queue(250)
        world.sandbox.faults({"side": "dynamics", "path": BULK, "effect": {
            "status": 404, "code": "0x80060888", "message": "Resource not found for the segment."}})
        world.serve_cycles(1, TANDEM_DYNAMICS_CONCURRENT=1)
        self.assertEqual(len(self.leads(world)), 250)
        self.assertEqual(len(self.requests(world, BULK)), 1)
        self.assertEqual(sum(self.writes(world)[1]), 250)

    def reject(self, world, **error):
        world.sandbox.limits(dynamics={"plugin": {"reject": {"table": "lead", "column": "lastname", "equals": "Forbidden",
                                                             "message": "Not this name.", **error}}})

    def test_a_row_that_a_plug_in_refuses_harms_no_other(self):
        world, people = self.queue(120, names={50: "Forbidden"})
        self.reject(world)
        world.serve_cycles(1)
        self.assertEqual(set(f"p{i}@example.org" for i in range(120)) - set(self.leads(world)), {"p50@example.org"})
        bulk, batches = self.writes(world)
        self.assertEqual((bulk, batches), ([20], [100]))
        self.assertEqual([call["status"] for call in self.requests(world, BULK)].count(400), 1)
        row, = self.errors(world)
        self.assertEqual((row["personId"], row["message"], row["code"]), (people[50], "Not this name.", "0x80040265"))
        self.assertIn("business rule", row["advice"])

    def test_refused_again_and_again_fewer_travel_together(self):
        world, people = self.queue(300, names={i: "Forbidden" for i in range(0, 300, 40)})
        self.reject(world)
        world.serve_cycles(1, TANDEM_DYNAMICS_CONCURRENT=1)
        self.assertEqual(len(self.leads(world)), 292)
        self.assertEqual(len(self.errors(world)), 8)
        bulk, batches = self.writes(world)
        self.assertTrue(bulk and max(bulk) < 100, bulk)
        self.assertGreaterEqual(sum(bulk) + sum(batches), 300 - self.READING)

    def test_a_row_there_is_already_for_somebody_harms_no_other(self):
        world, people = self.queue(40, names={7: "Forbidden"})
        self.reject(world, status=412, code="0x80040333", message="A duplicate of the current record already exists.")
        world.serve_cycles(1)
        self.assertEqual(len(self.leads(world)), 39)
        self.assertEqual(self.writes(world), ([], [40]))
        row, = self.errors(world)
        self.assertEqual((row["personId"], row["code"]), (people[7], "0x80040333"))
        self.assertIn("link or merge the two", row["advice"])

    def test_a_lost_answer_makes_nothing_twice(self):
        for drop in ("before", "after"):
            with self.subTest(drop=drop):
                world, people = self.queue(40)
                world.sandbox.faults({"side": "dynamics", "path": BULK, "nth": 1, "effect": {"drop": drop}})
                world.serve_cycles(1)
                self.assertEqual(len(self.leads(world)), 40)
                self.assertEqual(len(self.requests(world, BULK)), 1)
                self.assertEqual(self.writes(world)[1], [40])
                world.sandbox.faults()
                world.serve_cycles(2)
                self.assertEqual(len(self.leads(world)), 40)
                self.assertEqual(self.errors(world), [])
                world.stop()
                world.compare()

    def test_an_edit_of_what_was_just_made_is_seen(self):
        """The versions of new rows are not told, so the first update of one looks at it before."""
        world, people = self.queue(12)
        marketo, dynamics = world.marketo(), world.dynamics()
        # the stamps are written after the records; what happens meanwhile is found by the same cycle
        world.sandbox.faults({"side": "marketo", "method": "POST", "path": "/rest/v1/leads.json", "user": "tandem",
                              "contains": "microsoftId", "nth": 1, "effect": {"delayMs": 3000}})
        world.start(TANDEM_SYNC_INTERVAL="3600")
        record = until(lambda: dynamics.query("lead", "emailaddress1 eq 'p3@example.org'", ("leadid",)), 60, "p3")[0]["leadid"]
        dynamics.update("lead", record, jobtitle="Head of Office")
        marketo.update(people[3], title="Secretary")
        until(lambda: world.tandem("read").status()["sync"]["finishedAt"], 60, "the end of the cycle")
        world.restart(TANDEM_SYNC_INTERVAL="3600")  # one more: the edits may have come too late for the first
        collisions = until(lambda: world.tandem("read").collisions(personId=people[3]), 60, "the collision")
        self.assertEqual([(c["field"], c["marketoValue"], c["dynamicsValue"]) for c in collisions],
                         [("title", "Secretary", "Head of Office")])
        self.assertEqual(dynamics.get("lead", record, "jobtitle")["jobtitle"], "Secretary")


class ExecutionTime(Writes):
    """Service protection grants a user so much time of its requests together. In small: 22 seconds in any 12."""

    COUNT = 2500

    def run_cycle(self, **settings):
        """The parts that a cycle with so many updates has sent, of a second a hundred."""
        world = self.world(plain=True, TANDEM_DYNAMICS_CONCURRENT=8, TANDEM_REALTIME_SHARE_PERCENT=0, **settings)
        world.sandbox.seed(contacts=self.COUNT)
        world.setup()
        world.serve_cycles(1)
        marketo = world.marketo()
        people = [person["id"] for person in marketo.everybody(("microsoftId",)).values() if person["microsoftId"]]
        self.assertEqual(len(people), self.COUNT)
        marketo.update_many([{"id": person, "title": f"Title {person}"} for person in people])
        world.sandbox.limits(dynamics={"enforce": True, "windowSeconds": 12, "executionMs": 22000, "operationMs": 10,
                                       "dopHint": 8})
        world.sandbox.calls_reset()
        world.serve_cycles(1)
        world.sandbox.limits(dynamics={"enforce": False, "operationMs": 0})
        world.compare()
        return sum(self.writes(world)[1])

    def test_too_much_at_once_is_refused_and_sent_again(self):
        self.assertGreater(self.run_cycle(), self.COUNT)

    def test_fewer_at_once_where_less_is_granted(self):
        self.assertEqual(self.run_cycle(TANDEM_DYNAMICS_SECONDS_PER_5MIN=8), self.COUNT)


class ToldToWait(Writes):
    SECONDS = 6

    def test_nobody_sends_before_the_time_is_over(self):
        world = self.world(TANDEM_SYNC_INTERVAL="3600")
        world.setup()
        contact = world.dynamics().create("contact", lastname="Known", emailaddress1="known@example.org")
        world.serve_cycles(2, TANDEM_SYNC_INTERVAL="0.01")
        marketo = world.marketo()
        person = marketo.find("microsoftId", [contact])[0]["id"]
        marketo.update(person, title="Captain")
        newcomer = marketo.create(email="new@example.org", lastName="Newcomer")
        world.sandbox.calls_reset()
        world.sandbox.faults({"side": "dynamics", "user": "tandem", "path": BATCH, "contains": "Captain", "nth": 1, "effect": {
            "status": 429, "code": "0x80072322", "message": "Number of requests exceeded.", "retryAfter": self.SECONDS}})
        world.start()
        until(lambda: world.sandbox.faults_fired()[0]["fired"], 60, "the answer that says wait")
        answer = world.tandem("campaign").sync_person(newcomer)
        self.assertEqual(answer.json["outcome"], "created")
        until(lambda: world.tandem("read").status()["sync"]["finishedAt"], 60, "the end of the cycle")
        self.assertEqual(world.dynamics().get("contact", contact, "jobtitle")["jobtitle"], "Captain")
        calls = [call for call in world.sandbox.log() if call["side"] == "dynamics" and call["user"] == "tandem"]
        refused = next(i for i, call in enumerate(calls) if call["status"] == 429)
        at = [datetime.datetime.fromisoformat(call["at"].replace("Z", "+00:00")) for call in calls]
        after = [moment - at[refused] for moment in at[refused + 1:]]
        self.assertGreaterEqual(min(after).total_seconds(), self.SECONDS - 1, calls[refused:])
        self.assertGreater(len(after), 1)


class Recorder(http.server.BaseHTTPRequestHandler):
    """Stands before a service, passes everything on and keeps the headers."""

    protocol_version = "HTTP/1.1"

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=60)
        upstream.request(self.command, self.path, body or None, dict(self.headers.items()))
        answer = upstream.getresponse()
        content = answer.read()
        self.server.seen.append((self.headers, answer.headers))
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        upstream.close()

    do_GET = do_POST = pass_on

    def log_message(self, *_):
        pass


class Cookies(Writes):
    def test_none_is_kept(self):
        """The cookie would tie the service to one web server, whose limits are its own."""
        world = self.world()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
        server.upstream, server.seen = urllib.parse.urlsplit(world.sandbox.url["dynamics"]).netloc, []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        here = f"http://127.0.0.1:{server.server_port}"
        world.environment.update(DYNAMICS_URL=here, DYNAMICS_AUTHORITY=here)
        world.setup()
        world.dynamics().create("contact", lastname="Known", emailaddress1="known@example.org")
        world.serve_cycles(2)
        asked = [request for request, _ in server.seen]
        offered = [answer["Set-Cookie"] for _, answer in server.seen if answer["Set-Cookie"]]
        self.assertGreater(len(asked), 20)
        self.assertTrue(offered and all(cookie.startswith("ARRAffinity=") for cookie in offered))
        self.assertEqual([request["Cookie"] for request in asked if request["Cookie"]], [])


class DuplicateRules(Writes):
    def start_world(self, **settings):
        """Two contacts with their persons, linked and at rest."""
        world = self.world(TANDEM_MATCH="id", **settings)
        world.setup()
        dynamics, marketo = world.dynamics(), world.marketo()
        self.rows = [dynamics.create("contact", lastname=name, emailaddress1=f"{name}@example.org") for name in ("ada", "bo")]
        world.serve_cycles(2)
        self.people = [marketo.find("microsoftId", [row])[0]["id"] for row in self.rows]
        return world, marketo, dynamics

    def emails(self, world):
        return [world.dynamics().get("contact", row, "emailaddress1")["emailaddress1"] for row in self.rows]

    def test_ignored_unless_asked(self):
        world, marketo, dynamics = self.start_world()
        marketo.update(self.people[1], email="ada@example.org")
        world.serve_cycles(2)
        self.assertEqual(self.emails(world), ["ada@example.org"] * 2)
        self.assertEqual(self.errors(world), [])
        twin = marketo.create(email="ada@example.org", lastName="Twin")
        self.assertEqual(world.tandem("campaign").sync_person(twin, syncAs="contact").json["outcome"], "created")

    def test_obeyed_when_asked_and_told_to_everybody(self):
        world, marketo, dynamics = self.start_world(TANDEM_DUPLICATE_RULES="obey")
        since = marketo.person(self.people[1], "createdAt")["createdAt"]
        marketo.update(self.people[1], email="ada@example.org")
        world.serve_cycles(2)
        self.assertEqual(self.emails(world), ["ada@example.org", "bo@example.org"])
        row, = self.errors(world)
        self.assertEqual((row["personId"], row["operation"], row["kind"], row["code"], row["attempts"]),
                         (self.people[1], "update", "refused", "0x80040333", 1))
        self.assertEqual(row["advice"], "A duplicate rule of your Dynamics refused this record: link or merge the two.")
        header, line = world.tandem("read").send("GET", "/v1/errors", headers={"Accept": "text/csv"}).text.splitlines()
        self.assertIn(",advice,", header)
        self.assertIn("link or merge the two", line)
        type_id = marketo.activity_types()["Microsoft Sync"]["id"]
        told, = marketo.activities([type_id], since, [self.people[1]])
        self.assertIn("a duplicate of the current record already exists. A duplicate rule of your Dynamics", str(told))
        twin = marketo.create(email="ada@example.org", lastName="Twin")
        answer = world.tandem("campaign").sync_person(twin, syncAs="contact").json
        self.assertEqual(answer["outcome"], "rejected")
        self.assertIn("duplicate", answer["reason"])

    def test_obeyed_row_by_row(self):
        world, people = self.queue(12, TANDEM_MATCH="id", TANDEM_DUPLICATE_RULES="obey")
        world.dynamics().create("lead", lastname="First", subject="s", emailaddress1="p5@example.org")
        world.serve_cycles(1)
        self.assertEqual(len(self.leads(world)), 12)
        self.assertEqual(self.requests(world, BULK), [])
        self.assertEqual([row["personId"] for row in self.errors(world)], [people[5]])


if __name__ == "__main__":
    unittest.main()

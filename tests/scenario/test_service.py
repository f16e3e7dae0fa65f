"""The service as operators, callers and broken remotes meet it."""

import json
import unittest

from harness import Scenario, until
from sides import unexplained


class Settings(Scenario):
    def test_missing_and_wrong_settings_are_named_line_by_line(self):
        world = self.world()
        done = world.run("serve", MARKETO_URL="http://example.org", DYNAMICS_CLIENT_ID=None, TANDEM_SYNC_INTERVAL="soon",
                         TANDEM_API_KEYS="x:king:abc")
        self.assertEqual(done.returncode, 3, done)
        lines = [line for line in done.stderr.splitlines() if line]
        for name in ("MARKETO_URL", "DYNAMICS_CLIENT_ID", "TANDEM_SYNC_INTERVAL", "TANDEM_API_KEYS"):
            self.assertEqual(sum(line.startswith(name) for line in lines), 1, lines)
        self.assertEqual(len(lines), 4, lines)

    def test_unreachable_database_and_usage(self):
        world = self.world()
        done = world.run("migrate", DATABASE_URL="postgres://nobody:secret@127.0.0.1:1/none")
        self.assertEqual(done.returncode, 4, done)
        self.assertNotIn("secret", done.stderr)
        self.assertEqual(world.run("dance").returncode, 2)
        self.assertEqual(world.run("serve", "--cycles", "none").returncode, 2)
        self.assertEqual(world.run("help", "settings").returncode, 0)
        self.assertIn("0.1.0", world.must("version"))

    def test_not_ready_before_setup(self):
        world = self.world()
        world.start()
        answer = until(lambda: (lambda a: a if "tandem setup" in a.text else None)(world.tandem(None).send("GET", "/readyz")),
                       30, "the reason")
        self.assertEqual(answer.status, 503)
        world.wait_state("halted")
        world.setup()
        until(lambda: world.tandem(None).send("GET", "/readyz").status == 200, 60, "readiness")

    def test_check_tells_what_to_do(self):
        world = self.world()
        done = world.run("check")
        self.assertEqual(done.returncode, 1)
        self.assertIn("tandem setup", done.stdout)
        self.assertIn("tandem migrate", done.stdout)
        world.must("migrate")
        world.setup()
        self.assertIn("is there", world.setup())
        done = world.run("check", "--json")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertTrue(json.loads(done.stdout)["ok"])
        done = world.run("check", MARKETO_CLIENT_SECRET="wrong", DYNAMICS_CLIENT_SECRET="wrong too")
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAIL marketo", done.stdout)
        self.assertIn("FAIL dynamics", done.stdout)
        self.assertNotIn("wrong too", done.stdout + done.stderr)


class Operator(Scenario):
    def start(self, people=50, **settings):
        world = self.world(people=people)
        world.setup()
        world.start(**settings)
        world.run_cycles(1)
        return world

    def test_health_status_metrics_and_lists(self):
        world = self.start()
        tandem = world.tandem(None)
        self.assertEqual(tandem.send("GET", "/livez").status, 200)
        until(lambda: tandem.send("GET", "/readyz").status == 200, 20, "readiness")
        metrics = tandem.metrics()
        self.assertGreaterEqual(metrics['tandem_cycles_total{result="ok"}'], 1)
        for table in ("person", "lead", "contact"):
            self.assertGreater(metrics['tandem_records_read_total{table="%s"}' % table], 0, table)
        status = world.tandem("read").status()
        self.assertEqual({o["object"] for o in status["objects"]} & {"lead", "contact"}, {"lead", "contact"})
        self.assertTrue(world.tandem("read").cycles(limit=1))
        self.assertEqual(world.run("check", "--ready", TANDEM_LISTEN=world.service.url.split("//")[1]).returncode, 0)
        person = world.marketo().find("email", ["nobody@example.org"])
        self.assertEqual(person, [])
        linked = [p for p in world.marketo().everybody(("microsoftId",)).values() if p["microsoftId"]][0]
        shown = world.tandem("read").person(linked["id"])
        self.assertEqual(shown["link"]["recordId"], linked["microsoftId"])
        self.assertTrue(all(f["state"] in ("agreed", "differs", "never", "paused") for f in shown["fields"]), shown["fields"])
        csv = world.tandem("read").send("GET", "/v1/cycles", headers={"Accept": "text/csv"})
        self.assertIn("text/csv", csv.headers["content-type"])
        self.assertTrue(csv.text.startswith("cycle,"), csv.text[:100])

    def test_pause_keeps_changes_for_later(self):  # P25
        world = self.start()
        tandem = world.tandem("admin")
        self.assertEqual(tandem.pause().status, 200)
        world.wait_state("paused")
        people = [p for p in world.marketo().everybody(("microsoftId", "microsoftType")).values() if p["microsoftId"]]
        world.marketo().update(people[0]["id"], title="Edited in the pause")
        self.assertEqual(tandem.resume().status, 200)
        table, record = people[0]["microsoftType"].lower(), people[0]["microsoftId"]
        until(lambda: world.dynamics().get(table, record, "jobtitle")["jobtitle"] == "Edited in the pause", 30, "the edit")

    def test_one_of_two_services_runs_the_cycle(self):
        world = self.start(people=30)
        first = world.service
        second = world.spawn()
        second.wait_listening(30)
        before = world.tandem("read").status()
        self.assertTrue(before["leader"])
        from clients import TandemClient
        other = TandemClient(second.url, world.keys["read"])
        self.assertFalse(until(lambda: other.status(), 20, "status")["leader"])
        world.run_cycles(3)
        self.assertFalse(other.status()["leader"])
        first.process.kill()
        first.wait(30)
        world.service = second
        until(lambda: other.status()["leader"], 30, "the second to take over")
        world.run_cycles(1)

    def test_memory_stays_small(self):
        world = self.world(people=True, plain=True)
        world.setup()
        world.start()
        world.run_cycles(1, seconds=300)
        self.assertLess(world.rss_most_kib(), 64 * 1024)


class Wipe(Scenario):
    """Things that look like the loss of a whole side stop the sync and ask."""

    def test_too_many_deletes_stop_the_cycle_until_an_operator_accepts(self):
        world = self.world(people=60)
        world.setup()
        world.start(TANDEM_MAX_DELETES="5")
        world.run_cycles(1)
        people = [p for p in world.marketo().everybody(("microsoftId", "microsoftType")).values() if p["microsoftId"]]
        world.tandem("admin").pause()
        world.wait_state("paused")
        for person in people[:20]:
            world.dynamics().delete(person["microsoftType"].lower(), person["microsoftId"])
        world.tandem("admin").resume()
        world.wait_state("halted")
        status = world.tandem("read").status()["sync"]
        self.assertIn("TANDEM_MAX_DELETES", status["reason"])
        flagged = [p for p in world.marketo().everybody(("microsoftIsDeleted",)).values() if p["microsoftIsDeleted"]]
        self.assertEqual(flagged, [])
        self.assertEqual(world.tandem("admin").resume().status, 200)
        until(lambda: sum(bool(p["microsoftIsDeleted"]) for p in
                          world.marketo().everybody(("microsoftIsDeleted",)).values()) == 20, 60, "the flags")

    def test_another_organisation_under_the_same_links_is_refused(self):
        world, other = self.world(people=30), self.world(people=30)
        world.setup()
        world.serve_cycles(1)
        other.setup()
        done = world.run("compare", MARKETO_URL=other.sandbox.url["marketo"])
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("belong to", done.stderr)
        self.assertEqual(world.run("compare").returncode, 0)


class BadInput(Scenario):
    def test_every_wrong_call_is_named_and_changes_nothing(self):
        world = self.world(people=20)
        world.setup()
        world.start()
        world.run_cycles(1)
        post = "/v1/sync-person"
        campaign, read, admin, nobody = (world.tandem(r) for r in ("campaign", "read", "admin", None))
        person = world.marketo().create(email="bad@example.org", lastName="Bad")
        cases = [
            (nobody, "POST", post, {"personId": person}, 401, None),
            (read, "POST", post, {"personId": person}, 403, "campaign"),
            (campaign, "GET", "/v1/status", None, 403, "read"),
            (read, "POST", "/v1/pause", None, 403, "admin"),
            (campaign, "POST", post, "{\"personId\": ", 400, None),
            (campaign, "POST", post, "[1]", (400, 422), None),
            (campaign, "POST", post, {}, 422, "personId"),
            (campaign, "POST", post, {"personId": "x"}, 422, "personId"),
            (campaign, "POST", post, {"personId": -1}, 422, "personId"),
            (campaign, "POST", post, {"personId": 1.5}, 422, "personId"),
            (campaign, "POST", post, {"personId": person, "syncAs": "account"}, 422, "syncAs"),
            (campaign, "POST", post, {"personId": person, "owner": 5}, 422, "owner"),
            (campaign, "POST", post, {"personId": person, "campaign": {"type": "often"}}, 422, "campaign/type"),
            (campaign, "POST", post, {"personId": person, "force": True}, 422, "force"),
            (campaign, "GET", post, None, 405, None),
            (campaign, "GET", "/v1/nothing", None, 404, None),
            (read, "GET", "/v1/errors?limit=0", None, 400, "limit"),
            (read, "GET", "/v1/errors?colour=red", None, 400, "colour"),
            (read, "GET", "/v1/persons/zero", None, (400, 404, 422), None),
            (read, "GET", "/v1/persons/987654", None, 404, None),
            (admin, "POST", "/v1/errors/987654/retry", None, 404, None),
        ]
        for client, method, path, body, status, named in cases:
            with self.subTest(method=method, path=path, body=body):
                headers = {"Content-Type": "application/json"} if isinstance(body, str) else {}
                answer = client.send(method, path, body, headers)
                self.assertIn(answer.status, status if isinstance(status, tuple) else (status,), answer)
                self.assertIn("application/problem+json", answer.headers["content-type"])
                if named:
                    self.assertIn(named, answer.text)
        big = campaign.send("POST", post, json.dumps({"personId": person, "owner": "x" * 70000}),
                            {"Content-Type": "application/json"})
        self.assertEqual(big.status, 413)
        other = campaign.send("POST", post, "personId=1", {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(other.status, 415)
        self.assertEqual(world.sql("SELECT count(*) FROM request"), [["0"]])
        self.assertEqual(world.dynamics().query("lead", "emailaddress1 eq 'bad@example.org'", ("leadid",)), [])


class Rubbish(Scenario):
    """Remotes that answer what they never should: an error on that call, nothing half applied, agreement afterwards."""

    def test_each_kind_of_rubbish_from_either_side(self):
        world = self.world(people=120)
        world.setup()
        world.start()
        world.run_cycles(1)
        people = [p for p in world.marketo().everybody(("microsoftId", "microsoftType")).values() if p["microsoftId"]]
        bodies = ("<html>Bad gateway</html>", '{"success":true,"result":[{"id":"', '{"value":[{"contactid":7}]}', "[]", "",
                  '{"success":true,"result":"none"}', '{"value":"none"}')
        for side, path in (("marketo", "/rest/v1/"), ("dynamics", "/api/data/")):
            for i, body in enumerate(bodies):
                with self.subTest(side=side, body=body):
                    world.sandbox.faults({"side": side, "path": path, "user": "tandem", "nth": 1,
                                          "effect": {"status": 200, "body": body, "contentType": "application/json"}})
                    victim = people[i]
                    world.marketo().update(victim["id"], title=f"Title {side} {i}")
                    world.dynamics().update(victim["microsoftType"].lower(), victim["microsoftId"], telephone1=f"{side} {i}")
                    until(lambda: world.sandbox.faults_fired()[0]["fired"] == 1, 60, "the fault")
                    world.sandbox.faults()
                    until(lambda: world.dynamics().get(victim["microsoftType"].lower(), victim["microsoftId"],
                                                       "jobtitle")["jobtitle"] == f"Title {side} {i}", 60, "agreement")
                    until(lambda: world.tandem("read").status()["sync"]["result"] == "ok", 60, "a good cycle")
        world.run_cycles(2)
        self.assertEqual(unexplained(world)[2], [])
        self.assertIsNone(world.service.process.poll())

    def test_throttled_and_unavailable_remotes(self):
        world = self.world(people=200)
        world.setup()
        world.sandbox.faults(
            {"side": "marketo", "path": "/rest/v1/leads.json", "from": 2, "count": 2, "effect": {"code": "606"}},
            {"side": "marketo", "path": "/rest/v1/", "probability": 0.05, "effect": {"status": 503}},
            {"side": "dynamics", "path": "/api/data/v9.2/$batch", "contains": "PATCH ", "nth": 1,
             "effect": {"status": 429, "code": "0x80072322", "retryAfter": 1}},
            {"side": "dynamics", "path": "/api/data/", "probability": 0.05, "effect": {"drop": "after"}})
        world.start()
        until(lambda: world.tandem("read").status()["sync"]["result"] == "ok", 120, "a good cycle")
        world.sandbox.faults()
        world.run_cycles(2)
        linked, _, wrong = unexplained(world)
        self.assertEqual(wrong, [])
        self.assertGreater(linked, 100)
        world.stop()
        world.compare()


if __name__ == "__main__":
    unittest.main()

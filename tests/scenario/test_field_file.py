"""The field file of a running program: mistakes end every command that needs it, and its fields are those that travel."""

import json

from harness import Scenario


class FieldFile(Scenario):
    def write(self, world, content):
        path = world.folder / "fields.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        world.environment["TANDEM_FIELDS"] = str(path)
        return path

    def test_mistakes_end_every_command_that_needs_the_fields(self):
        world = self.world()
        path = self.write(world, '{"version": 1,\n"fields": [{"marketo": "email", "lead": "Email"},\n5]}')
        told = [f"{path}:2: lead must be null or the logical name", f"{path}:3: a field must be an object"]
        for command in (["serve"], ["setup"], ["check"], ["check", "--json"], ["compare"]):
            done = world.run(*command)
            self.assertEqual(done.returncode, 3, command)
            for line in told:
                self.assertIn(line, done.stderr, command)
            if command == ["check"]:
                self.assertIn("FAIL settings  fields: ", done.stdout)
            if command == ["check", "--json"]:
                self.assertEqual([(c["side"], c["ok"]) for c in json.loads(done.stdout)["checks"]], [("settings", False)])
        self.assertEqual(world.run("migrate").returncode, 0)

    def test_the_files_fields_travel(self):
        world = self.world(people=40)
        built_in = json.loads(world.must("help", "fields"))
        own = {**built_in, "fields": [f for f in built_in["fields"] if f["marketo"] != "title"] + [
            {"marketo": "nick", "lead": "websiteurl", "contact": "websiteurl",
             "create": {"type": "string", "displayName": "Nick"}}]}
        self.write(world, own)
        self.assertIn("field nick: created", world.setup())
        world.must("migrate")
        self.assertIn(f"{len(own['fields'])} from ", world.must("check"))
        world.serve_cycles(1)
        person = next(p for p in world.marketo().everybody(("microsoftId", "microsoftType")).values()
                      if p["microsoftType"] == "Lead")
        world.marketo().update(person["id"], title="Captain", nick="https://nick.example.org")
        world.serve_cycles(2)
        record = world.dynamics().get("lead", person["microsoftId"], "jobtitle", "websiteurl")
        self.assertEqual(record["websiteurl"], "https://nick.example.org")
        self.assertNotEqual(record["jobtitle"], "Captain")
        world.compare()

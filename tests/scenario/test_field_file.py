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

    def test_owners_and_ids_are_shown_by_name_and_never_written(self):
        world = self.world()
        built_in = json.loads(world.must("help", "fields"))
        self.write(world, {**built_in, "fields": built_in["fields"] + [
            {"marketo": "ownerName", "lead": "ownerid", "contact": "ownerid",
             "create": {"type": "string", "displayName": "Owner Name"}},
            {"marketo": "contactId", "contact": "contactid", "create": {"type": "string", "displayName": "Contact Id"}}]})
        world.setup()
        dynamics = world.dynamics()
        contact = dynamics.create("contact", lastname="Ode", emailaddress1="ode@example.org")
        world.serve_cycles(2)
        marketo = world.marketo()
        person = marketo.find("microsoftId", [contact], ("id", "ownerName", "contactId"))[0]
        owner = dynamics.query("contact", f"contactid eq {contact}", ("lastname", "_ownerid_value"), with_labels=True)[0]
        self.assertEqual(person["ownerName"], owner["_ownerid_value@OData.Community.Display.V1.FormattedValue"])
        self.assertEqual(person["contactId"], contact)
        marketo.update(person["id"], ownerName="Somebody Else", contactId="none")
        world.serve_cycles(2)
        after = dynamics.get("contact", contact, "_ownerid_value")
        self.assertEqual(after["_ownerid_value"], owner["_ownerid_value"])

    def test_a_field_put_back_brings_what_happened_meanwhile(self):
        world = self.world()
        built_in = json.loads(world.must("help", "fields"))
        whole = self.write(world, built_in)
        world.setup()
        dynamics, marketo = world.dynamics(), world.marketo()
        contact = dynamics.create("contact", lastname="Ida", emailaddress1="ida@example.org", jobtitle="Clerk")
        world.serve_cycles(2)
        person = marketo.find("microsoftId", [contact])[0]["id"]
        self.write(world, {**built_in, "fields": [f for f in built_in["fields"] if f["marketo"] != "title"]})
        marketo.update(person, title="Captain")
        world.serve_cycles(2)
        self.assertEqual(dynamics.get("contact", contact, "jobtitle")["jobtitle"], "Clerk")
        self.assertEqual(self.write(world, built_in), whole)
        world.sandbox.advance(600)
        world.serve_cycles(2)
        self.assertEqual(dynamics.get("contact", contact, "jobtitle")["jobtitle"], "Captain")

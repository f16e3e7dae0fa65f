"""What the tests of the Marketo side share: a sandbox a class, a user, short ways to write people and read them."""

import unittest

from sandbox import Marketo, Sandbox

EPOCH = "2020-01-01T00:00:00Z"


class MarketoCase(unittest.TestCase):
    """One sandbox a class, reset before each test."""

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox()

    @classmethod
    def tearDownClass(cls):
        assert cls.sandbox.stop() == 0

    def setUp(self):
        self.sandbox.reset()
        self.marketo = self.user("tandem")

    def user(self, name):
        made = Marketo(self.sandbox, name)
        self.addCleanup(made.close)
        return made

    def limits(self, **values):
        self.sandbox.control("limits", {"marketo": values})

    def sync(self, *records, **options):
        answer = self.marketo.post("leads.json", {"input": list(records), **options})
        self.assertTrue(answer["success"], answer)
        return answer["result"]

    def create(self, **fields):
        result = self.sync(fields, action="createDuplicate")[0]
        self.assertEqual(result["status"], "created", result)
        return result["id"]

    def lead(self, lead_id, *fields):
        found = self.marketo.get("lead/%d.json" % lead_id, **({"fields": ",".join(fields)} if fields else {}))
        self.assertTrue(found["success"], found)
        return found["result"][0]

    def field(self, name, data_type="string"):
        result = self.marketo.post("leads/schema/fields.json",
                                   {"input": [{"displayName": "The " + name, "name": name, "dataType": data_type}]})
        self.assertEqual(result["result"], [{"name": name, "status": "created"}])

    def find(self, filter_type, *values, **more):
        return self.marketo.get_by_post("leads.json", filterType=filter_type, filterValues=",".join(map(str, values)),
                                        **more)

    def since(self, instant=EPOCH):
        return self.marketo.get("activities/pagingtoken.json", sinceDatetime=instant)["nextPageToken"]

    def assertFails(self, answer, code):
        self.assertIs(answer["success"], False, answer)
        self.assertEqual(answer["errors"][0]["code"], str(code), answer)
        self.assertNotIn("result", answer)
        self.assertRegex(answer["requestId"], "^[0-9a-f]+#[0-9a-f]+$")

    def assertSkipped(self, record, code, text=None):
        self.assertEqual(record["status"], "skipped", record)
        self.assertNotIn("id", record)
        self.assertEqual(record["reasons"][0]["code"], str(code), record)
        if text is not None:
            self.assertEqual(record["reasons"][0]["message"], text)

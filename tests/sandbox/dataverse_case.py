"""What the tests of the Dynamics side share: a sandbox a class, users with tokens, batches written by hand."""

import base64
import email.parser
import json
import unittest
import urllib.parse

from sandbox import Listener, Sandbox

API = "/api/data/v9.2/"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ABSENT = "00000000-0000-4000-8000-000000000001"


def quoted(path):
    """Percent-encodes what a URL cannot hold, leaving the punctuation of OData alone."""
    return urllib.parse.quote(path, safe="/?$&=(),'@:;!*%+-._~\"[]".replace('"', ""))


class Part:
    """One answer inside a multipart answer."""

    def __init__(self, headers, block):
        self.outer = headers
        head, _, self.body = block.partition("\r\n\r\n")
        lines = head.split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}

    @property
    def json(self):
        return json.loads(self.body)


def parts_of(text, boundary):
    """The parts between the delimiters; a nested multipart becomes a list. Line ends must be CRLF."""
    assert "\n" not in text.replace("\r\n", ""), "a line does not end with CRLF"
    pieces = text.split("--" + boundary)
    assert pieces[0] == "" and pieces[-1] == "--\r\n", text
    found = []
    for piece in pieces[1:-1]:
        head, _, block = piece.removeprefix("\r\n").removesuffix("\r\n").partition("\r\n\r\n")
        headers = email.parser.Parser().parsestr(head)
        if headers.get_content_type() == "multipart/mixed":
            found.append(parts_of(block + "\r\n", headers.get_param("boundary")))
        else:
            assert headers["Content-Type"] == "application/http"
            assert headers["Content-Transfer-Encoding"] == "binary"
            found.append(Part(headers, block))
    return found


def request_part(method, path, body=None, **headers):
    """The text of one request of a batch, with the headers of its part."""
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    content_id = headers.pop("Content_ID", None)
    if content_id is not None:
        lines.append(f"Content-ID: {content_id}")
    lines += ["", f"{method} {path if path.startswith(('/', '$', 'http')) else API + path} HTTP/1.1"]
    if body is not None:
        lines.append("Content-Type: application/json; type=entry")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines) + "\r\n\r\n" + ("" if body is None else json.dumps(body))


def multipart(boundary, *parts):
    return "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"


def change_set(*parts):
    return "Content-Type: multipart/mixed; boundary=set_1\r\n\r\n" + multipart("set_1", *parts).removesuffix("\r\n")


class Dynamics:
    """A user of the Dynamics side."""

    def __init__(self, sandbox, user="tandem"):
        self.listener = Listener(sandbox.urls["dynamics"])
        self.origin = sandbox.urls["dynamics"]
        self.user = sandbox.users("dynamics")[user]
        self.token = None

    def ask_token(self, tenant=None, basic=False, **form):
        fields = {"grant_type": "client_credentials", "client_id": self.user["clientId"],
                  "client_secret": self.user["clientSecret"], "scope": self.origin + "/.default"}
        headers = dict(FORM)
        if basic:
            pair = f"{fields.pop('client_id')}:{fields.pop('client_secret')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        fields.update(form)
        body = urllib.parse.urlencode({name: value for name, value in fields.items() if value is not None})
        return self.listener.call("POST", f"/{tenant or self.user['tenantId']}/oauth2/v2.0/token", body, headers)

    def call(self, method, path, body=None, **headers):
        """Path below the API root, or a link; header names with _ for -."""
        if self.token is None:
            self.token = self.ask_token().json["access_token"]
        if path.startswith(self.origin):
            path = path.removeprefix(self.origin)
        elif not path.startswith("/"):
            path = API + path
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.listener.call(method, quoted(path), body, {"Authorization": "Bearer " + self.token, **named})

    def batch(self, *parts, **headers):
        """The outer answer and its parts."""
        answer = self.call("POST", "$batch", multipart("batch_1", *parts),
                           Content_Type='multipart/mixed; boundary="batch_1"', **headers)
        kind, _, boundary = answer.headers["content-type"].partition("; boundary=")
        return answer, parts_of(answer.text, boundary) if kind == "multipart/mixed" else None

    def close(self):
        self.listener.close()


class DataverseCase(unittest.TestCase):
    """One sandbox a class, reset before each test; self.tandem is the user with all rights."""

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox()

    @classmethod
    def tearDownClass(cls):
        assert cls.sandbox.stop() == 0

    def setUp(self):
        self.sandbox.reset()
        self.tandem = self.user("tandem")

    def user(self, name):
        made = Dynamics(self.sandbox, name)
        self.addCleanup(made.close)
        return made

    def limits(self, **values):
        self.sandbox.control("limits", {"dynamics": values})

    def create(self, table="contacts", by=None, **columns):
        """The identifier of a new row."""
        columns = {name.replace("__", "@odata."): value for name, value in columns.items()}
        answer = (by or self.tandem).call("POST", table, columns)
        self.assertEqual(answer.status, 204, answer.text)
        entity = answer.headers["odata-entityid"]
        self.assertTrue(entity.startswith(self.tandem.origin + API + table + "("), entity)
        return entity[-37:-1]

    def get(self, path, by=None, **headers):
        answer = (by or self.tandem).call("GET", path, **headers)
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json

    def rows(self, path, **headers):
        return self.get(path, **headers)["value"]

    def patch(self, path, by=None, **columns):
        answer = (by or self.tandem).call("PATCH", path, columns)
        self.assertEqual(answer.status, 204, answer.text)

    def assertRefused(self, answer, status, code, text=None):
        self.assertEqual(answer.status, status, answer.body)
        error = answer.json["error"]
        self.assertEqual(error["code"], code, error)
        if text is not None:
            self.assertIn(text, error["message"])
        return error

"""Starts the sandbox program and talks to it, for the tests in this folder.

The program is named by the environment variable TANDEM_SANDBOX. Knows no expectation of any test.
"""

import http.client
import json
import os
import subprocess
import urllib.parse


class Answer:
    """An HTTP answer read whole: status, headers (lower-case names), body; json is the body decoded."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.body)


class Listener:
    """One of the two addresses; keeps its connection open between calls."""

    def __init__(self, url):
        self.url = url
        self.host = url.removeprefix("http://")
        self.connection = None

    def call(self, method, path, body=None, headers=None):
        """A body that is neither bytes nor text is sent as JSON."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode("utf-8")
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            self.connection.request(method, path, body=body, headers=headers)
            got = self.connection.getresponse()
            return Answer(got.status, got.getheaders(), got.read())
        except (http.client.HTTPException, OSError):
            self.close()
            raise

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


class Sandbox:
    """A running sandbox. Use as a context manager or call stop()."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([os.environ["TANDEM_SANDBOX"], *arguments], stdout=subprocess.PIPE, text=True)
        self.urls = {}
        for _ in range(2):
            side, _, url = self.process.stdout.readline().strip().partition(" ")
            self.urls[side] = url
        self.marketo = Listener(self.urls["marketo"])
        self.dynamics = Listener(self.urls["dynamics"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends the program as an operator would; its exit code."""
        self.marketo.close()
        self.dynamics.close()
        self.process.terminate()
        self.process.stdout.close()
        return self.process.wait(timeout=30)

    def control(self, name, body=None):
        """POST when there is a body, GET otherwise; fails on anything but 200."""
        answer = self.marketo.call("GET" if body is None else "POST", "/_sandbox/" + name, body)
        if answer.status != 200:
            raise AssertionError(f"{name}: {answer.status} {answer.text}")
        return answer.json

    def reset(self):
        self.control("reset", {})

    def users(self, side):
        return {user["name"]: user for user in self.control("users")[side]}


class Marketo:
    """A user of the Marketo side. Calls give the decoded envelope."""

    def __init__(self, sandbox, user="tandem"):
        self.sandbox = sandbox
        self.listener = Listener(sandbox.urls["marketo"])
        self.user = sandbox.users("marketo")[user]
        self.token = None

    def sign_in(self):
        query = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": self.user["clientId"],
                                        "client_secret": self.user["clientSecret"]})
        answer = self.listener.call("GET", "/identity/oauth/token?" + query).json
        self.token = answer["access_token"]
        return answer

    def raw(self, method, path, body=None, headers=None):
        if self.token is None:
            self.sign_in()
        return self.listener.call(method, path, body, {"Authorization": "Bearer " + self.token, **(headers or {})})

    def get(self, path, **params):
        query = "?" + urllib.parse.urlencode(params) if params else ""
        return self.raw("GET", "/rest/v1/" + path + query).json

    def get_by_post(self, path, **params):
        return self.raw("POST", "/rest/v1/" + path + "?_method=GET", urllib.parse.urlencode(params),
                        {"Content-Type": "application/x-www-form-urlencoded"}).json

    def post(self, path, body):
        return self.raw("POST", "/rest/v1/" + path, body).json

    def close(self):
        self.listener.close()

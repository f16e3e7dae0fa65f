"""Runs every example of docs/sandbox.md, in order and in one shell, and looks at every answer."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from sandbox import Sandbox

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/sandbox.md"


class Examples(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        os.environ["TANDEM_SANDBOX"] = str(pathlib.Path(os.environ["TANDEM_SANDBOX"]).resolve())
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)

    def test_every_example_answers_2xx(self):
        blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.S | re.M)
        self.assertGreater(len(blocks), 8)
        # Every curl tells its status on the standard error output, whatever the example does with its answer.
        (self.folder / ".curlrc").write_text('write-out = "%{stderr}\\nstatus %{http_code} %{url_effective}\\n"\n')
        script = "set -euo pipefail\n" + "\n".join(blocks)
        with Sandbox() as sandbox:
            env = {**os.environ, "CURL_HOME": str(self.folder), "NO_PROXY": "127.0.0.1",
                   "marketo": sandbox.urls["marketo"], "dynamics": sandbox.urls["dynamics"]}
            done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, timeout=120)
            self.assertEqual(done.returncode, 0, done.stderr)
            statuses = re.findall(r"^status (\d+) (\S+)$", done.stderr, re.M)
            self.assertGreaterEqual(len(statuses), len(re.findall(r"\bcurl\b", script)))
            self.assertEqual([s for s in statuses if not s[0].startswith("2")], [])
            self.assertNotIn('"success":false', done.stdout)
        with Sandbox("--state", "demo.state") as again:
            self.assertEqual(again.control("users").keys(), {"marketo", "dynamics"})

    def test_help_names_what_the_page_names(self):
        done = subprocess.run([os.environ["TANDEM_SANDBOX"], "help"], capture_output=True, text=True, timeout=30)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        page = PAGE.read_text(encoding="utf-8")
        for option in set(re.findall(r"--[a-z]+(?:-port)?(?= |`)", page)):
            self.assertIn(option, done.stdout)
        told = re.findall(r"^  ((?:GET|POST)(?:, POST)? /_sandbox/[a-z/{}]+)", done.stdout, re.M)
        rows = re.findall(r"^\| `((?:GET|POST) /_sandbox/[^|]*) \|", page, re.M)
        self.assertEqual(self.addresses(*told), self.addresses(*rows))
        with Sandbox() as sandbox:
            for method, path in sorted(self.addresses(*told)):
                answer = sandbox.marketo.call(method, path.replace("{id}", "1").replace("{n}", "1"), None if method == "GET" else "{")
                self.assertIn(answer.status, (200, 400), (method, path))   # 404 and 405: there is no such address

    @staticmethod
    def addresses(*words):
        """Method and path of what "GET, POST /x" or "POST /x`, `GET" names, each by itself."""
        found = set()
        for row in words:
            for piece in re.split(r"`, `(?=[A-Z]+ )", row):
                methods, path = re.findall(r"\b(?:GET|POST)\b", piece), re.search(r"/_sandbox/[a-z/{}]+", piece).group()
                found |= {(method, path) for method in methods}
            if row.endswith("`, `GET`"):
                found.add(("GET", path))
        return found


if __name__ == "__main__":
    unittest.main()

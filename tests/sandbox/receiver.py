"""A small HTTP server for the tests of what the sandbox sends: notes what comes, answers what it is told.

Knows neither webhooks nor flow steps.
"""

import http.server
import queue
import threading


class Request:
    """One request as it came: header names are lower-case."""

    def __init__(self, handler, body):
        self.method, self.path, self.body = handler.command, handler.path, body
        self.headers = {name.lower(): value for name, value in handler.headers.items()}

    @property
    def text(self):
        return self.body.decode("utf-8")


class Receiver(http.server.ThreadingHTTPServer):
    """answer(request) gives (status, body) or (status, body, headers); None closes without an answer."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer=None):
        self.requests, self.answer, self.open, self.most_open = queue.Queue(), answer or (lambda request: (200, "{}")), 0, 0
        self.counting = threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def respond(self):
                request = Request(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))
                receiver.requests.put(request)
                receiver.count(1)
                try:
                    told = receiver.answer(request)
                finally:
                    receiver.count(-1)
                if told is None:
                    self.close_connection = True
                    return
                status, body, headers = (*told, {})[:3]
                body = body.encode("utf-8") if isinstance(body, str) else body
                try:
                    self.send_response(status)
                    for name, value in {"Content-Length": str(len(body)), **headers}.items():
                        if value is not None:
                            self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # the sender did not wait

            do_GET = do_POST = respond

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=lambda: self.serve_forever(0.02), daemon=True).start()

    def count(self, step):
        with self.counting:
            self.open += step
            self.most_open = max(self.most_open, self.open)

    def next(self):
        return self.requests.get(timeout=10)

    def taken(self):
        """All that came and was not looked at."""
        found = []
        while not self.requests.empty():
            found.append(self.requests.get())
        return found

    def stop(self):
        self.shutdown()
        self.server_close()

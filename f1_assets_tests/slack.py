"""A local server that speaks Slack's API, well and badly."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

TOKEN = "xoxb-planted-secret"


class _Slack:
    def __init__(self):
        self.posted, self.status, self.answer = [], 200, {"ok": True}


@pytest.fixture
def slack():
    state = _Slack()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            is_json = "json" in self.headers["content-type"]
            fields = json.loads(body) if is_json else {name: value[0] for name, value in parse_qs(body).items()}
            state.posted.append((self.path, self.headers["authorization"], fields))
            self.send_response(state.status)
            self.end_headers()
            self.wfile.write(json.dumps(state.answer).encode())

        def log_message(self, *_args):
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}/api"
    yield state
    server.shutdown()
    server.server_close()

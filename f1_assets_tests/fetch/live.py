"""F1's services over TLS: a sign-in, a token without which live timing gives nothing, and a 403 for absent files."""

import contextlib
import datetime
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fastf1.internals.f1account import token_manager
from urllib3.util import connection as urllib3_connection

from f1_assets.fetch.fastf1_private import LimitedSession
from f1_assets.simulator import SimulatedResponse, Simulator

LIVE_TIMING = "livetiming.formula1.com"
HOSTS = (
    "raw.githubusercontent.com",
    LIVE_TIMING,
    "livetiming-mirror.fastf1.dev",
    "api.jolpi.ca",
    "api.multiviewer.app",
    "account.formula1.com",
    "id.formula1.com",
    "jnrbsn.github.io",
)
SIGN_IN = ("account.formula1.com", "id.formula1.com", "jnrbsn.github.io")
KEY = "a secret of the made-up identity provider"

ACCESS_DENIED = SimulatedResponse(
    403,
    {"content-type": "application/xml"},
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>',
)
"""What F1's storage answers for a file that does not exist."""

FORBIDDEN = SimulatedResponse(403, {"content-type": "text/html"}, b"<html><h1>403 ERROR</h1>Request blocked.</html>")
"""What stands before the storage answers to an address that it refuses."""

UNAUTHORIZED = SimulatedResponse(401, {"content-type": "text/plain"}, b"no token")


@dataclass
class Live:
    """The running services: what was asked for, what is absent, and what changes an answer.

    `answers` maps a part of an address to its answer. `change` is called with each address of live timing before it is
    answered, so that a test can revoke a token or refuse an address at a certain request.
    """

    simulator: Simulator
    asked: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    answers: dict[str, SimulatedResponse] = field(default_factory=dict)
    change: Callable[[str], None] = lambda url: None
    sign_ins: int = 0
    accepted: set[str] = field(default_factory=set)
    tokens_sent_to: set[str] = field(default_factory=set)

    @property
    def data_asked(self) -> list[str]:
        """The addresses that were asked for, without those of the sign-in."""
        return [url for url in self.asked if urlsplit(url).hostname not in SIGN_IN]

    def respond(self, url: str, authorization: str | None, body: bytes) -> SimulatedResponse:
        """Answer a request."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        self.asked.append(url)
        if authorization is not None:
            self.tokens_sent_to.add(host)
        if host in SIGN_IN:
            return self._sign_in(host, parts.path, parse_qs(parts.query), body)
        if host == LIVE_TIMING:
            self.change(url)
        for part, answer in self.answers.items():
            if part in url:
                return answer
        if host == LIVE_TIMING and (authorization or "").removeprefix("Bearer ") not in self.accepted:
            return UNAUTHORIZED
        if any(part in url for part in self.absent):
            return ACCESS_DENIED
        answer = self.simulator.respond(url)
        is_storage = host in (LIVE_TIMING, "livetiming-mirror.fastf1.dev")
        return ACCESS_DENIED if is_storage and answer.status == 404 else answer

    def _sign_in(self, host: str, path: str, query: dict[str, list[str]], body: bytes) -> SimulatedResponse:
        if host == "jnrbsn.github.io":
            return _document(["Mozilla/5.0"])
        if host == "account.formula1.com":
            script = b'x={davinci:{clientId:"client",acrValues:"policy"}}'
            return SimulatedResponse(200, {"content-type": "text/javascript"}, script)
        if path == "/as/authorize":
            self._state = query["state"][0]
            form = {"id": "1", "eventName": "continue", "interactionId": "2"}
            return _document({**form, "_links": {"next": {"href": "https://id.formula1.com/submit"}}})
        if path == "/submit":
            return _document({"status": "COMPLETED", "authorizeResponse": {"state": self._state, "code": "code"}})
        self.sign_ins += 1
        token = jwt.encode({"exp": time.time() + 345_600, "n": self.sign_ins}, KEY, "HS256")
        self.accepted.add(token)
        return _document({"access_token": jwt.encode({"subscriptionToken": token}, KEY, "HS256")})


def _document(value: object) -> SimulatedResponse:
    return SimulatedResponse(200, {"content-type": "application/json"}, json.dumps(value).encode())


@contextlib.contextmanager
def live_services(simulator: Simulator, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """Serve all of F1's hosts over TLS on loopback, and let this process find them there without a token of its own."""
    state = Live(simulator)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            url = f"https://{self.headers['Host']}{self.path}"
            answer = state.respond(url, self.headers.get("Authorization"), body)
            self.send_response(answer.status)
            for name, value in {**answer.headers, "content-length": str(len(answer.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        do_POST = do_GET

        def log_message(self, *_args: object) -> None:
            """Stay quiet."""

    certificate = _certificate(folder / "services.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    connect = urllib3_connection.create_connection
    there = ("127.0.0.1", server.server_port)
    monkeypatch.setattr(urllib3_connection, "create_connection", lambda _address, *a, **k: connect(there, *a, **k))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    monkeypatch.setattr(token_manager, "_token", None)
    monkeypatch.setattr(token_manager, "_token_path", folder / "token.json")
    monkeypatch.setattr(LimitedSession, "_RATE_LIMITS", {})  # they would only cost time: no service is reached
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


def _certificate(path: Path) -> Path:
    """Write a key and a certificate of it for all hosts."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "F1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    text = serialization.Encoding.PEM
    private = key.private_bytes(text, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(text))
    path.chmod(0o600)
    return path

"""Bodies that come slowly, that lack an end, or that come from elsewhere, over real connections."""

import contextlib
import itertools
import socket
import threading
from datetime import UTC, datetime

import pytest
import requests

from f1_assets.feeds import bodies
from f1_assets.feeds.table import Feed
from f1_assets.fetch import deadlines
from f1_assets.fetch.exchanges import Outcome
from f1_assets.fetch.transport import Transport
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.policies import policies_of
from f1_assets.simulator import SimulatedResponse, Simulator, SimulatorOptions
from f1_assets_tests.conftest import PLENTY
from f1_assets_tests.fetch.server import services, status

FOLDER = "https://livetiming.formula1.com/static/2025/2025-03-02_Meridian_Grand_Prix/2025-03-02_Race/"
WEATHER, SESSION_STATUS = f"{FOLDER}WeatherData.jsonStream", f"{FOLDER}SessionStatus.jsonStream"
INDEX = "https://livetiming.formula1.com/static/2025/Index.json"
LONG_AGO = datetime(2025, 3, 2, 14, tzinfo=UTC)
SIMULATOR = Simulator(SimulatorOptions.parse("laps=6,samples_every=40,drivers=4"))
STEP_SECONDS = 25.0


class Server:
    """Takes one connection after the other, and writes what `answer` gives: pieces, then the end."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError), connection.makefile("rb") as head:
                self.asked.append(f"https://{head.readline().split()[1].decode().removeprefix('/')}")
                while head.readline().strip():
                    pass
                for piece in self.answer(self.asked[-1]):
                    connection.sendall(piece)

    def close(self):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@pytest.fixture
def serve():
    with contextlib.ExitStack() as stack:

        def start(answer):
            server = Server(answer)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture
def ledger(sqlite_warehouse):
    return Ledger(sqlite_warehouse.engine, policies_of(PLENTY, reaches_real_services=False))


def _ask(transport, url):
    with transport.loading(LONG_AGO) as exchanges, contextlib.suppress(requests.RequestException):
        transport.get(url)
    return exchanges


def _requests(ledger):
    return ledger.stats()[0].windows[0].used


@pytest.mark.parametrize(
    "before",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ids=["head", "body", "chunks"],
)
def test_an_answer_that_comes_byte_by_byte_is_given_up_at_the_deadline(serve, settings_of, ledger, before):
    one_more, times = threading.Semaphore(0), itertools.count(step=STEP_SECONDS)

    def clock():
        one_more.release()
        return next(times)

    def byte_by_byte(_url):
        yield before
        for byte in itertools.cycle(b"HTTP/1.1 200 OK\r\n" if not before else b"1"):
            if not one_more.acquire(timeout=30):
                return
            yield bytes([byte])

    server = serve(byte_by_byte)
    transport = Transport(settings_of(source=server.url), ledger, clock=clock)
    (exchange,) = _ask(transport, WEATHER)
    assert exchange.outcome is Outcome.FAILED
    assert "Timeout" in exchange.detail
    assert next(times) <= deadlines.WHOLE_ANSWER_SECONDS + 3 * STEP_SECONDS
    assert len(server.asked) == _requests(ledger) == 1, "it took its time already, and is not sent again at once"
    transport.close()
    one_more.release(1000)  # the server finds that nobody listens


def test_the_deadline_is_that_of_one_answer_and_the_next_has_its_own(settings_of):
    with services(SIMULATOR) as served:
        times = itertools.count(step=deadlines.WHOLE_ANSWER_SECONDS / 40)
        transport = Transport(settings_of(source=served.url), clock=lambda: next(times))
        for _ in range(20):
            with transport.loading(LONG_AGO, renew=(Feed.SESSION_STATUS,)) as exchanges:
                transport.get(SESSION_STATUS)
            assert [exchange.outcome for exchange in exchanges] == [Outcome.DATA]
        transport.close()


def _closing(body_of):
    """Answer without a length; the connection ends with the body."""
    return lambda url: [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", body_of(url)]


def _body(url):
    return SIMULATOR.respond(url).body


def _lines(body, left_out):
    return b"".join(body.splitlines(keepends=True)[:-left_out])


@pytest.mark.parametrize(
    ("url", "asked"),
    [(WEATHER, 2), (SESSION_STATUS, 1), (INDEX, 1)],
    ids=["nothing tells", "it comes to the session's end", "a document"],
)
def test_a_body_that_ends_by_closing_is_asked_for_twice_unless_its_own_form_tells(
    serve, settings_of, ledger, url, asked
):
    server = serve(_closing(_body))
    transport = Transport(settings_of(source=server.url), ledger)
    assert _ask(transport, url)[-1].outcome is Outcome.DATA
    assert len(server.asked) == _requests(ledger) == asked
    assert transport.archive.find(url).content == _body(url)
    transport.close()


@pytest.mark.parametrize("url", [WEATHER, SESSION_STATUS])
def test_a_body_that_was_cut_after_a_line_is_not_taken_for_whole(serve, settings_of, url):
    cuts = itertools.cycle([3, 1])
    server = serve(_closing(lambda asked: _lines(_body(asked), next(cuts))))
    transport = Transport(settings_of(source=server.url))
    exchanges = _ask(transport, url)
    assert {exchange.outcome for exchange in exchanges} == {Outcome.FAILED}
    assert "asked for twice" in exchanges[-1].detail
    assert len(server.asked) == 2
    assert not transport.has_kept(url)
    transport.close()


@pytest.mark.parametrize("last", [b"not JSON", b"", b"[" * 100_000], ids=["no JSON", "no text", "nested too deeply"])
def test_a_status_whose_last_line_is_unreadable_is_asked_for_twice(serve, settings_of, last):
    whole = _body(SESSION_STATUS) + b'00:00:00.000{"Status":"Started"}\r\n' * 20 + b"00:00:01.000" + last + b"\r\n"
    assert not bodies.is_complete(SESSION_STATUS, whole)
    server = serve(_closing(lambda url: whole))
    transport = Transport(settings_of(source=server.url))
    assert _ask(transport, SESSION_STATUS)[-1].outcome is Outcome.DATA
    assert len(server.asked) == 2
    transport.close()


def test_a_document_that_was_cut_is_asked_for_again_at_once(serve, settings_of):
    cuts = iter([100])
    server = serve(_closing(lambda url: _body(url)[: -next(cuts, 0) or None]))
    transport = Transport(settings_of(source=server.url))
    assert [exchange.outcome for exchange in _ask(transport, INDEX)] == [Outcome.FAILED, Outcome.DATA]
    assert transport.archive.find(INDEX).content == _body(INDEX)
    transport.close()


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: %d", b"Transfer-Encoding: chunked"],
    ids=["length of more than comes", "chunks without a last one"],
)
def test_a_body_that_breaks_off_is_a_fault(serve, settings_of, monkeypatch, head):
    monkeypatch.setattr("f1_assets.fetch.transport.CONNECTION_RETRY_SECONDS", (0.0,))
    lines = _lines(_body(WEATHER), 5)
    framed = b"%x\r\n%s\r\n" % (len(lines), lines) if b"chunked" in head else lines
    announced = head % len(_body(WEATHER)) if b"%d" in head else head
    server = serve(lambda _url: [b"HTTP/1.1 200 OK\r\n", announced, b"\r\n\r\n", framed])
    transport = Transport(settings_of(source=server.url))
    assert {exchange.outcome for exchange in _ask(transport, WEATHER)} == {Outcome.FAILED}
    assert not transport.has_kept(WEATHER)
    transport.close()


@pytest.mark.parametrize(
    ("headers", "ends"),
    [
        ({}, True),
        ({"Content-Length": "soon"}, True),
        ({"Content-Length": "12"}, False),
        ({"Transfer-Encoding": "gzip, chunked"}, False),
    ],
)
def test_only_a_length_or_chunks_say_where_a_body_ends(serve, headers, ends):
    lines = b"".join(f"{name}: {value}\r\n".encode() for name, value in headers.items())
    server = serve(lambda _url: [b"HTTP/1.1 200 OK\r\n", lines, b"\r\n"])
    with requests.get(server.url, stream=True, timeout=10) as response:
        assert bodies.ends_by_closing(response) is ends


@pytest.fixture
def served():
    with services(SIMULATOR) as running:
        yield running


@pytest.fixture
def transport(served, settings_of, ledger):
    made = Transport(settings_of(source=served.url), ledger)
    yield made
    made.close()


@pytest.mark.parametrize(
    "location",
    [
        "https://example.org/WeatherData.jsonStream",
        "//example.org/WeatherData.jsonStream",
        WEATHER.replace("https:", "http:"),
        WEATHER.replace("formula1.com", "formula1.com:444"),
        WEATHER.replace("https://", "https://me@"),
        WEATHER.replace("formula1.com", "formula1.com.example.org"),
        "file:///etc/passwd",
    ],
)
def test_a_redirect_to_another_host_is_not_followed(transport, served, ledger, location):
    served.faults["WeatherData"] = status(302, Location=location)
    (exchange,) = _ask(transport, WEATHER)
    assert exchange.outcome is Outcome.FAILED
    assert "was not followed" in exchange.detail
    assert served.asked == [WEATHER]
    assert _requests(ledger) == 1


@pytest.mark.parametrize("form", ["absolute", "of the path", "by the server", "by the path of the server"])
def test_a_redirect_to_an_own_host_is_followed_and_counted(transport, served, ledger, form):
    there = WEATHER.replace("livetiming.", "livetiming-mirror.").replace("formula1.com", "fastf1.dev")
    if form == "of the path":
        there = WEATHER.replace("WeatherData", "NewWeatherData")
    location = {
        "absolute": there,
        "of the path": there.removeprefix("https://livetiming.formula1.com"),
        "by the server": there.replace("https:/", served.url),
        "by the path of the server": there.removeprefix("https:/"),
    }[form]

    def moved(answer):
        if served.asked[-1] == WEATHER:
            return SimulatedResponse(301, {"Location": location}, b"")
        return SIMULATOR.respond(WEATHER)

    served.faults["WeatherData"] = moved
    assert _ask(transport, WEATHER)[-1].outcome is Outcome.DATA
    assert served.asked == [WEATHER, there]
    assert _requests(ledger) == 2
    assert transport.archive.find(WEATHER).content == _body(WEATHER)


def test_redirects_that_lead_on_and_on_are_few_and_counted(transport, served, ledger):
    served.faults["WeatherData"] = lambda _answer: SimulatedResponse(
        302, {"Location": f"{WEATHER}?{len(served.asked)}"}, b""
    )
    exchanges = _ask(transport, WEATHER)
    assert {exchange.outcome for exchange in exchanges} == {Outcome.FAILED}
    assert "Exceeded 3 redirects" in exchanges[-1].detail
    assert len(served.asked) == _requests(ledger) == 4

import gzip
import socket
import threading
import types
from datetime import UTC, datetime, timedelta

import fastf1
import pandas as pd
import pytest
import requests
from fastf1.core import Session
from fastf1.exceptions import RateLimitExceededError
from fastf1.internals.f1account import LivetimingAuthAdapter
from fastf1.req import Cache
from sqlalchemy import select

from f1_assets.errors import ConfigurationError, QuotaExhausted, TransientError
from f1_assets.feeds.table import Feed
from f1_assets.fetch import transport as transports
from f1_assets.fetch.exchanges import Outcome
from f1_assets.fetch.fastf1_private import LimitedSession
from f1_assets.fetch.transport import LoadStopped, Transport
from f1_assets.quota.ledger import Purpose
from f1_assets.simulator import SimulatedResponse, Simulator, SimulatorOptions
from f1_assets.warehouse.models import upstream_requests
from f1_assets_tests.fetch.server import body, cut_short, hang_up, services, status

FOLDER = "https://livetiming.formula1.com/static/2025/2025-03-02_Meridian_Grand_Prix/2025-03-02_Race/"
WEATHER = f"{FOLDER}WeatherData.jsonStream"
RESULTS = "https://api.jolpi.ca/ergast/f1/2025/1/results.json"
LONG_AGO = datetime(2025, 3, 2, 14, tzinfo=UTC)


@pytest.fixture
def served():
    with services(Simulator(SimulatorOptions.parse("laps=12,samples_every=20,drivers=6"))) as running:
        yield running


@pytest.fixture
def transport(served, settings_of):
    made = Transport(settings_of(source=served.url))
    yield made
    made.close()


def _ask(transport, url, ended_at=LONG_AGO, renew=()):
    with transport.loading(ended_at, renew) as exchanges:
        try:
            transport.get(url)
        except requests.RequestException:
            return exchanges[-1]
    return exchanges[-1]


def test_a_response_of_a_finished_session_is_asked_for_once(transport, served):
    assert [_ask(transport, WEATHER).from_archive for _ in range(3)] == [False, True, True]
    assert served.asked == [WEATHER]


def test_the_archive_outlives_the_process_and_is_for_this_user_alone(transport, served, settings_of, tmp_path):
    _ask(transport, WEATHER)
    transport.close()
    again = Transport(settings_of(source=served.url))
    assert _ask(again, WEATHER).from_archive
    files = list((tmp_path / "home" / "archive").iterdir())
    assert files
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)


def test_the_archive_is_not_a_pickle(transport, tmp_path):
    _ask(transport, WEATHER)
    transport.close()
    stored = b"".join(file.read_bytes() for file in (tmp_path / "home" / "archive").iterdir())
    assert b"requests_cache" not in stored
    assert b"\x80\x04\x95" not in stored


def test_sources_do_not_answer_for_each_other(transport, served, settings_of):
    _ask(transport, WEATHER)
    other = Transport(settings_of(source="simulator", simulator="laps=12,samples_every=20,drivers=6"))
    assert not _ask(other, WEATHER).from_archive


@pytest.mark.parametrize(
    ("fault", "outcome", "words"),
    [
        (status(500), Outcome.FAILED, "HTTP 500"),
        (status(503), Outcome.FAILED, "HTTP 503"),
        (status(401), Outcome.REFUSED, "HTTP 401"),
        (status(403), Outcome.REFUSED, "HTTP 403"),
        (status(404), Outcome.ABSENT, "HTTP 404"),
        (status(429, **{"Retry-After": "60"}), Outcome.THROTTLED, "retry after 60"),
        (hang_up, Outcome.FAILED, "ConnectionError"),
        (cut_short, Outcome.FAILED, "Error"),
        (body(lambda b: b[: len(b) // 2]), Outcome.FAILED, "cut"),
        (body(lambda _b: b""), Outcome.FAILED, "empty"),
        (body(lambda _b: b"<html>be right back</html>"), Outcome.FAILED, "HTML"),
        (body(lambda _b: b"\x00\xff garbage\r\n" * 9), Outcome.FAILED, "cannot be read"),
    ],
)
def test_a_fault_is_noted_with_its_feed_and_never_kept(transport, served, fault, outcome, words):
    served.faults["WeatherData"] = fault
    exchange = _ask(transport, WEATHER, ended_at=datetime.now(UTC) - timedelta(days=1))
    assert (str(exchange.feed), exchange.outcome) == ("WeatherData", outcome)
    assert words in exchange.detail
    served.faults.clear()
    assert _ask(transport, WEATHER).outcome is Outcome.DATA


def test_an_absence_is_believed_for_a_finished_session_until_it_is_forgotten(transport, served):
    served.faults["WeatherData"] = status(404)
    assert [_ask(transport, WEATHER).from_archive for _ in range(2)] == [False, True]
    assert transport.forget_temporary(FOLDER) == 1
    served.faults.clear()
    assert _ask(transport, WEATHER).outcome is Outcome.DATA


@pytest.mark.parametrize(
    ("url", "ended", "kept"),
    [
        (WEATHER, timedelta(minutes=30), False),  # the feed may still be growing
        (WEATHER, timedelta(hours=3), True),
        (RESULTS, timedelta(hours=3), True),
    ],
)
def test_what_may_still_change_is_not_kept(transport, served, url, ended, kept):
    now = datetime.now(UTC)
    assert [_ask(transport, url, now - ended).from_archive for _ in range(2)] == [False, kept]


def test_results_are_asked_for_again_while_they_may_be_amended(transport):
    now = datetime.now(UTC)
    exchange = _ask(transport, RESULTS, now - timedelta(days=2))
    transport._ended_at = now - timedelta(days=2)
    assert transport._expiry(exchange, now) == now + timedelta(hours=12)
    transport._ended_at = now - timedelta(days=30)
    assert transport._expiry(exchange, now) is None


def test_what_broke_is_said_without_the_layers_around_it(settings_of):
    transport = Transport(settings_of(source="http://127.0.0.1:1"))
    assert _ask(transport, WEATHER).detail.startswith("ConnectionError: ")
    assert "HTTPConnectionPool" not in _ask(transport, WEATHER).detail


def test_renewing_asks_the_source_even_for_what_is_kept(transport, served):
    _ask(transport, WEATHER)
    assert not _ask(transport, WEATHER, renew=(Feed.WEATHER,)).from_archive
    assert _ask(transport, WEATHER, renew=(Feed.RESULTS,)).from_archive


class _Refusing:
    """A ledger that gives no permit."""

    def __init__(self, kind=QuotaExhausted):
        self.asked, self.kind = [], kind

    def permit(self, url, _purpose):
        self.asked.append(url)
        raise self.kind(f"no permit for {url}")


@pytest.mark.parametrize("kind", [QuotaExhausted, ConfigurationError, TransientError])
def test_a_permit_that_is_refused_stops_the_request_and_the_load(served, settings_of, kind):
    transport = Transport(settings_of(source=served.url), _Refusing(kind))
    with transport.loading(LONG_AGO), pytest.raises(LoadStopped, match="no permit") as stopped:
        transport.get(WEATHER)
    assert isinstance(stopped.value.reason, kind)
    assert served.asked == []


def test_a_hit_in_the_archive_needs_no_permit(served, settings_of, ledger):
    transport = Transport(settings_of(source=served.url), ledger)
    for _ in range(3):
        _ask(transport, WEATHER)
    assert ledger.stats()[0].windows[0].used == 1


def test_a_request_is_noted_with_what_came_of_it(served, settings_of, ledger, sqlite_warehouse):
    transport = Transport(settings_of(source=served.url), ledger)
    served.faults["results.json"] = status(500)
    purpose = Purpose("2025-01-R", "weather", "load-1", "run-1")
    with transport.loading(LONG_AGO, purpose=purpose):
        transport.get(WEATHER)
        transport.get(RESULTS)
    rows = sqlite_warehouse.query(select(upstream_requests).order_by(upstream_requests.c.id))
    assert rows["policy"].tolist() == ["any", "jolpica"]
    assert rows["status"].tolist() == [200, 500]
    assert rows["path"].tolist() == [
        WEATHER.removeprefix("https://livetiming.formula1.com"),
        "/ergast/f1/2025/1/results.json",
    ]
    assert rows["bytes"].iloc[0] > 1000
    assert rows["settled"].all()
    assert set(rows["session_key"]) == {"2025-01-R"}
    assert set(rows["run_id"]) == {"run-1"}


def test_a_connection_that_breaks_is_settled_too(served, settings_of, ledger, sqlite_warehouse):
    served.faults["WeatherData"] = hang_up
    _ask(Transport(settings_of(source=served.url), ledger), WEATHER)
    row = sqlite_warehouse.query(select(upstream_requests)).iloc[0]
    assert row["settled"]
    assert pd.isna(row["status"])


@pytest.fixture
def no_waits(monkeypatch):
    monkeypatch.setattr(transports, "CONNECTION_RETRY_SECONDS", (0.0, 0.0))


@pytest.mark.parametrize("source", ["http://127.0.0.1:{port}", "http://nowhere.invalid:80"], ids=["refused", "no name"])
def test_a_request_that_never_left_spends_no_quota(no_waits, settings_of, ledger, sqlite_warehouse, source):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    reservation = ledger.reserve(Purpose("2025-01-R"), {"any": 5})
    transport = Transport(settings_of(source=source.format(port=port)), ledger)
    with transport.loading(LONG_AGO, purpose=Purpose("2025-01-R", reservation=reservation)) as exchanges:
        with pytest.raises(requests.ConnectionError):
            transport.get(WEATHER)
        assert [exchange.outcome for exchange in exchanges] == [Outcome.FAILED] * 3
        assert not any(exchange.reached_source for exchange in exchanges)
    assert sqlite_warehouse.query(select(upstream_requests)).empty
    window = ledger.stats()[0].windows[0]
    assert (window.used, window.reserved) == (0, 5)
    transport.close()


@pytest.mark.parametrize("fault", [requests.ReadTimeout("timed out"), requests.ConnectionError("reset by peer")])
def test_a_request_that_may_have_arrived_stays_counted(no_waits, settings_of, ledger, monkeypatch, fault):
    transport = Transport(settings_of(source="simulator", simulator="laps=6"), ledger)

    def breaks(_url):
        raise fault

    monkeypatch.setattr(transport._session.get_adapter(WEATHER)._adapter, "_respond", breaks)
    with transport.loading(LONG_AGO) as exchanges, pytest.raises(requests.RequestException):
        transport.get(WEATHER)
    assert all(exchange.reached_source for exchange in exchanges)
    assert ledger.stats()[0].windows[0].used == len(exchanges)
    transport.close()


def test_a_connection_that_breaks_once_is_tried_again_with_a_permit_of_its_own(
    served, settings_of, ledger, sqlite_warehouse
):
    transport, hang_ups = Transport(settings_of(source=served.url), ledger), [None, None]
    served.faults["WeatherData"] = lambda answer: hang_ups.pop() if hang_ups else answer
    with transport.loading(LONG_AGO) as exchanges:
        assert transport.get(WEATHER).status_code == 200
    assert [exchange.outcome for exchange in exchanges] == [Outcome.FAILED, Outcome.FAILED, Outcome.DATA]
    with sqlite_warehouse.engine.connect() as connection:
        assert connection.execute(select(upstream_requests.c.status)).scalars().all() == [None, None, 200]
    transport.close()


def test_of_two_loads_that_need_one_answer_one_asks_and_the_other_waits(served, settings_of, ledger):
    answering, go_on = threading.Event(), threading.Event()

    def slowly(answer):
        answering.set()
        assert go_on.wait(30)
        return answer

    served.faults["WeatherData"] = slowly
    outcomes = []

    def load(name):
        transport = Transport(settings_of(source=served.url), ledger)
        # FastF1 lets one load run in a process: these two are what two processes do.
        transport._purpose, transport._ended_at = Purpose(load_id=name), LONG_AGO
        outcomes.append(transport.get(WEATHER).content)
        transport.close()

    first = threading.Thread(target=load, args=("first",))
    first.start()
    assert answering.wait(30)
    second = threading.Thread(target=load, args=("second",))
    second.start()
    second.join(0.5)
    assert second.is_alive()
    go_on.set()
    first.join()
    second.join()
    assert len(served.asked) == 1
    assert outcomes[0] == outcomes[1]


def test_a_service_that_answers_429_closes_its_policy_for_all(served, settings_of, ledger):
    served.faults["WeatherData"] = status(429, **{"Retry-After": "3600"})
    transport = Transport(settings_of(source=served.url), ledger)
    assert _ask(transport, WEATHER).outcome is Outcome.THROTTLED
    with transport.loading(LONG_AGO), pytest.raises(LoadStopped, match="HTTP 429 with Retry-After 3600"):
        transport.get(RESULTS)
    assert ledger.stats()[0].closed_until > datetime.now(UTC) + timedelta(minutes=59)


def test_a_recording_costs_no_permit(recordings, settings_of, ledger):
    transport = Transport(settings_of(source=f"recording:{recordings}"), ledger)
    _ask(transport, RESULTS)
    assert ledger.stats()[0].windows[0].used == 0


def test_the_live_services_are_never_asked_without_a_ledger(settings_of):
    with pytest.raises(ConfigurationError, match="needs a ledger"):
        Transport(settings_of(source="live"))


def test_fastf1_is_left_as_it_was(transport):
    before = (Cache._requests_session, Cache._http_tmp_disabled, Cache._func_tmp_disabled, Cache._CACHE_DIR)
    with transport.loading(LONG_AGO):
        assert Cache._requests_session is not before[0]
    assert (Cache._requests_session, Cache._http_tmp_disabled, Cache._func_tmp_disabled, Cache._CACHE_DIR) == before


def test_the_live_session_is_fastf1s_own_with_its_limits_and_its_authentication(settings_of, ledger):
    transport = Transport(settings_of(source="live"), ledger)
    session = transport._session
    assert isinstance(session, LimitedSession)
    assert isinstance(session.get_adapter(WEATHER), LivetimingAuthAdapter)
    assert not isinstance(session.get_adapter(RESULTS), LivetimingAuthAdapter)


def test_fastf1s_own_limit_becomes_a_spent_quota(transport):
    request = requests.Request("GET", RESULTS).prepare()

    def over_the_limit():
        raise RateLimitExceededError("*.jolpi.ca: 200 calls/h")

    with pytest.raises(LoadStopped) as stopped:
        transport.carry(request, over_the_limit)
    assert "200 calls/h" in str(stopped.value.reason)


def test_the_live_adapters_ask_for_a_permit_before_anything_leaves(settings_of, monkeypatch):
    sent = []
    monkeypatch.setattr(
        requests.adapters.HTTPAdapter, "send", lambda _self, request, *_a, **_k: sent.append(request.url)
    )
    refusing = _Refusing()
    session = Transport(settings_of(source="live"), refusing)._session
    for url in (WEATHER, RESULTS):
        adapter = session.get_adapter(url)
        if isinstance(adapter, LivetimingAuthAdapter):
            monkeypatch.setattr(adapter, "_get_token", lambda: None)
        with pytest.raises(LoadStopped):
            adapter.send(requests.Request("GET", url).prepare())
    assert (refusing.asked, sent) == ([WEATHER, RESULTS], [])


def test_a_request_that_authentication_repeats_is_counted_twice(settings_of, ledger, monkeypatch):
    answer = requests.Response()
    answer.status_code, answer._content = 401, b""
    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", lambda *_a, **_k: answer)
    adapter = Transport(settings_of(source="live"), ledger)._session.get_adapter(WEATHER)
    token = types.SimpleNamespace(authorization_header="Bearer x")
    monkeypatch.setattr(adapter, "_get_token", lambda: token)
    monkeypatch.setattr(adapter._tokens, "clear", lambda: None)
    adapter.send(requests.Request("GET", WEATHER).prepare())
    assert ledger.stats()[0].windows[0].used == 2


def test_what_we_touch_of_fastf1s_private_parts_is_there():
    assert fastf1.__version__.startswith("3.9")
    assert hasattr(Cache, "_requests_session")
    assert hasattr(Cache, "_no_cached_warned")
    assert callable(fastf1._api._extended_timing_data)
    assert callable(fastf1._api.fetch_page)
    assert callable(fastf1._api.parse)
    assert callable(fastf1._api._laps_data_driver)
    assert callable(fastf1._api._stream_data_driver)
    assert callable(Session._Session__fix_tyre_info)
    assert callable(Session._check_lap_accuracy)
    assert callable(Session._set_laps_deleted_from_rcm)
    assert "_RACE_LIKE_SESSIONS" in Session.__init__.__code__.co_names


def test_a_body_that_has_more_than_any_feed_is_given_up(transport, served, monkeypatch):
    monkeypatch.setattr("f1_assets.fetch.transport.MOST_BODY_BYTES", 100_000)
    bomb = gzip.compress(b"x" * 10_000_000)
    served.faults["WeatherData"] = lambda answer: SimulatedResponse(
        200, {"content-encoding": "gzip", "content-length": str(len(bomb))}, bomb
    )
    exchange = _ask(transport, WEATHER)
    assert exchange.outcome is Outcome.FAILED
    assert "more than 100,000 bytes" in exchange.detail
    served.faults.clear()
    assert _ask(transport, WEATHER).outcome is Outcome.DATA


def test_a_429_that_asks_for_a_second_is_waited_for_within_the_request(served, settings_of, ledger):
    answers = iter([status(429, **{"Retry-After": "1"})])
    served.faults["WeatherData"] = lambda answer: next(answers, lambda sound: sound)(answer)
    transport = Transport(settings_of(source=served.url), ledger)
    with transport.loading(LONG_AGO) as exchanges:
        assert transport.get(WEATHER).status_code == 200
    assert [exchange.outcome for exchange in exchanges] == [Outcome.THROTTLED, Outcome.DATA]
    assert served.asked == [WEATHER, WEATHER]

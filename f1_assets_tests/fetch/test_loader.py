"""An error that FastF1 swallows becomes one typed error with the feed's name, dataset by dataset."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import requests
from fastf1.exceptions import F1AuthError
from sqlalchemy import update

from f1_assets.context import Context
from f1_assets.datasets import all_datasets, extracted_datasets
from f1_assets.errors import AuthenticationRequired, QuotaExhausted, TransientError
from f1_assets.feeds.table import Feed
from f1_assets.fetch import account
from f1_assets.fetch.estimates import planned_urls
from f1_assets.fetch.exchanges import Exchange, Outcome
from f1_assets.fetch.loaded_session import LoadedSession
from f1_assets.fetch.loader import _asks_live_timing
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.importing.forget import forget_failures
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap, dataset_states
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.warehouse import Status
from f1_assets.warehouse.calendar import event_of
from f1_assets.warehouse.models import seasons, sessions
from f1_assets_tests.applicable import extracted_of
from f1_assets_tests.fetch.planned import requests_of
from f1_assets_tests.fetch.server import body, services, status

KEY = SessionKey(2025, 1, "R")
ALL = tuple(extracted_datasets())
OF_TIMING = {name for name in extracted_of(KEY) if Feed.TIMING_DATA in extracted_datasets()[name].feeds}


def _http_error(code):
    answer = requests.Response()
    answer.status_code = code
    return requests.HTTPError(response=answer)


@pytest.fixture
def served():
    with services(Simulator(SimulatorOptions.parse("laps=6,samples_every=40,drivers=4"))) as running:
        yield running


@pytest.fixture
def transport(served, settings_of):
    made = Transport(settings_of(source=served.url))
    yield made
    made.close()


@pytest.fixture
def run(transport, sqlite_warehouse):
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)

    def run(*datasets, key=KEY):
        gap = SessionGap(key, datasets or ALL)
        return process_session_gap(gap, warehouse=sqlite_warehouse, transport=transport)

    return run


def _lines(outcome):
    return {line.dataset: line for line in outcome.datasets}


def test_an_absent_feed_makes_its_datasets_unavailable_and_leaves_the_others(run, served):
    served.faults["TimingData.json"] = status(404)
    lines = _lines(run())
    assert {name for name, line in lines.items() if line.status is Status.UNAVAILABLE} == OF_TIMING
    assert "TimingData" in lines["laps"].reason


def test_a_feed_that_only_adds_may_be_absent(run, served, sqlite_warehouse):
    served.faults["RaceControlMessages"] = status(404)
    outcome = run("laps")
    assert outcome.extracted == ("laps",)
    assert sqlite_warehouse.rows(all_datasets()["laps"], KEY)["deleted"].isna().all()


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_account_never_looks_like_a_session_without_data(run, served, code):
    served.faults["livetiming.formula1.com"] = status(code)
    lines = _lines(run())
    blocked = {name for name, line in lines.items() if line.status is Status.BLOCKED_AUTH}
    assert blocked == extracted_of(KEY)
    assert all("F1_USERNAME and F1_PASSWORD" in lines[name].reason for name in blocked)
    assert not any(line.status is Status.UNAVAILABLE for line in lines.values())


def test_a_load_of_standings_asks_for_nothing_else(run, served):
    served.asked.clear()
    served.faults["livetiming.formula1.com"] = status(403)
    lines = _lines(run("driver_standings", "constructor_standings"))
    assert {line.status for line in lines.values()} == {Status.PRESENT}
    assert [url.partition("/2025/1/")[2] for url in served.asked] == [
        "driverstandings.json?limit=100",
        "constructorstandings.json?limit=100",
    ]


def test_one_feed_that_is_forbidden_while_others_are_given_is_absent(run, served):
    served.faults["WeatherData"] = status(403)
    assert _lines(run())["weather"].status is Status.UNAVAILABLE


def test_a_service_without_an_account_that_forbids_has_failed(run, served):
    served.faults["circuits/"] = status(403)
    line = _lines(run())["circuit"]
    assert (line.status, line.error_class) == (Status.FAILED, "TransientError")


def test_a_service_that_throttles_is_a_spent_quota(run, served):
    served.faults["WeatherData"] = status(429, **{"Retry-After": "30"})
    line = _lines(run())["weather"]
    assert (line.status, line.error_class) == (Status.FAILED, "QuotaExhausted")


def test_a_session_that_just_ended_is_not_published_yet(served, settings_of, sqlite_warehouse):
    served.faults["/2025-03-02_Race/"] = status(404)
    transport = Transport(settings_of(source=served.url))
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    from dataclasses import replace

    from f1_assets.feeds.table import Feed
    from f1_assets.fetch.loader import load_session
    from f1_assets.warehouse.calendar import event_of

    event = event_of(sqlite_warehouse, KEY)
    session = next(listed for listed in event.sessions if listed.key == KEY)
    loaded = load_session(transport, event, replace(session, end=datetime.now(UTC)), frozenset({Feed.WEATHER}))
    with pytest.raises(Exception, match="WeatherData is not published yet"):
        all_datasets()["weather"].take(loaded)


def _ended(warehouse, ago):
    with warehouse.engine.begin() as connection:
        is_race = (sessions.c.round == KEY.round, sessions.c.session == KEY.session)
        connection.execute(update(sessions).where(*is_race).values(end_utc=datetime.now(UTC) - ago))


@pytest.mark.parametrize(
    ("fault", "dataset", "lacking", "within"),
    [
        ("results.json", "drivers", "driver_id", timedelta(days=7)),
        ("/laps/", "laps", None, timedelta(days=7)),
        ("RaceControlMessages", "laps", "deleted", timedelta(hours=24)),
    ],
)
def test_what_only_adds_is_asked_for_again_while_it_may_still_come(
    run, served, sqlite_warehouse, fault, dataset, lacking, within
):
    def due_at():
        states = dataset_states(sqlite_warehouse, [2025])
        return next(s.next_try_at for s in states if (s.key, s.dataset) == (KEY, dataset))

    served.faults[fault] = status(404)
    _ended(sqlite_warehouse, timedelta(minutes=30))
    now = datetime.now(UTC)
    line = _lines(run(dataset))[dataset]
    assert (line.status, line.failed) == (Status.PRESENT, False)
    assert "not published yet" in line.reason
    assert timedelta(minutes=10) < due_at() - now < timedelta(minutes=20)
    _ended(sqlite_warehouse, within - timedelta(minutes=10))
    run(dataset)
    assert timedelta(hours=4) < due_at() - now < timedelta(hours=8), "the wait grows"
    assert forget_failures(Context.open(warehouse=sqlite_warehouse), KEY, [dataset]) == 1
    assert due_at() <= datetime.now(UTC), "an operator may have it asked for at once"
    without = sqlite_warehouse.rows(dataset, KEY)
    served.faults.clear()
    line = _lines(run(dataset))[dataset]
    assert (line.reason, line.next_try_at) == (None, None)
    if lacking is not None:
        assert without[lacking].isna().all()
        assert sqlite_warehouse.rows(dataset, KEY)[lacking].notna().any()


def test_what_only_adds_is_not_waited_for_for_ever(run, served, sqlite_warehouse):
    served.faults["results.json"] = status(404)
    _ended(sqlite_warehouse, timedelta(days=7, minutes=1))
    line = _lines(run("drivers"))["drivers"]
    assert (line.status, line.next_try_at) == (Status.PRESENT, None)
    assert line.reason.startswith("no driver_id or team_id of ")


def test_a_practice_knows_its_drivers_when_the_race_has_a_result(run, served, sqlite_warehouse):
    practice, race_ends_in = SessionKey(2025, 1, "FP1"), timedelta(hours=50)
    with sqlite_warehouse.engine.begin() as connection:
        of_the_weekend = update(sessions).where(sessions.c.season == 2025, sessions.c.round == 1)
        connection.execute(of_the_weekend.values(end_utc=datetime.now(UTC) + race_ends_in))
        is_practice = sessions.c.session == practice.session
        connection.execute(of_the_weekend.where(is_practice).values(end_utc=datetime.now(UTC) - timedelta(hours=1)))
    served.faults["results.json"] = status(404)
    line = _lines(run("drivers", key=practice))["drivers"]
    assert line.status is Status.PRESENT
    assert sqlite_warehouse.rows("drivers", practice)["driver_id"].isna().all()
    assert race_ends_in < line.next_try_at - datetime.now(UTC) < race_ends_in + timedelta(minutes=20)


def test_a_practice_waits_for_nothing_that_it_never_has(run, sqlite_warehouse):
    with sqlite_warehouse.engine.begin() as connection:
        connection.execute(update(sessions).values(end_utc=datetime.now(UTC) - timedelta(minutes=30)))
    lines = _lines(run(key=SessionKey(2025, 1, "FP1")))
    assert {name: line.next_try_at for name, line in lines.items() if line.next_try_at is not None} == {}


def test_types_that_fastf1_cannot_read_fail_that_dataset_loudly(run, served):
    def wrong_types(content):
        return content.replace(b'"Messages":[', b'"Messages":7,"x":[')

    served.faults["RaceControlMessages"] = body(wrong_types)
    line = _lines(run("race_control_messages"))["race_control_messages"]
    assert (line.status, line.error_class) == (Status.FAILED, "UnreadableData")
    assert "Traceback" in line.error
    assert "TypeError" in line.error


def test_a_driver_without_a_number_is_known_by_the_key_of_the_entry(run, served, sqlite_warehouse):
    def without_number(content):
        line = content.decode("utf-8-sig")
        drivers = json.loads(line[12:])
        del drivers["7"]["RacingNumber"]
        return f"\ufeff{line[:12]}{json.dumps(drivers)}\r\n".encode()

    served.faults["DriverList"] = body(without_number)
    assert run("drivers").extracted == ("drivers",)
    assert "7" in set(sqlite_warehouse.rows(all_datasets()["drivers"], KEY)["driver_number"])


@pytest.mark.parametrize(("dataset", "asks"), [("driver_standings", False), ("results", True)])
def test_standings_alone_need_no_account(settings_of, ledger, sqlite_warehouse, simulator_transport, dataset, asks):
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=simulator_transport)
    event = event_of(sqlite_warehouse, KEY)
    transport = Transport(settings_of(source="live"), ledger)
    urls = planned_urls(event, event.sessions[-1], all_datasets()[dataset].loads_in(KEY))
    assert _asks_live_timing(transport, urls, ()) is asks
    transport.close()


def test_an_account_that_is_refused_is_found_before_any_request(
    settings_of, sqlite_warehouse, simulator_transport, ledger, monkeypatch
):
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=simulator_transport)
    with sqlite_warehouse.engine.begin() as connection:
        connection.execute(update(seasons).values(source="live"))

    attempts = []

    def refuse(*_args, **_kwargs):
        attempts.append(1)
        raise F1AuthError("Invalid credentials")

    monkeypatch.setattr(account.token_manager, "get", refuse)
    monkeypatch.setattr(account, "_refusals", {})
    transport = Transport(settings_of(source="live"), ledger)
    for _ in range(2):
        gap = SessionGap(KEY, ("weather", "laps"))
        outcome = process_session_gap(gap, warehouse=sqlite_warehouse, transport=transport)
        assert outcome.requests == 0
        assert {line.status for line in outcome.datasets} == {Status.BLOCKED_AUTH}
        assert all("Invalid credentials. Set F1_USERNAME" in line.reason for line in outcome.datasets)
    assert len(attempts) == 1, "the account is checked once, not once per session"


@pytest.mark.parametrize(
    ("cause", "error"),
    [
        (requests.ConnectTimeout("no answer"), TransientError),
        (_http_error(503), TransientError),
        (_http_error(401), AuthenticationRequired),
        (None, AuthenticationRequired),
    ],
)
def test_a_sign_in_that_does_not_answer_is_no_refusal(settings_of, monkeypatch, cause, error):
    attempts = []

    def fail(**_kwargs):
        attempts.append(1)
        raise F1AuthError("Sign-in failed") from cause

    monkeypatch.setattr(account.token_manager, "get", fail)
    monkeypatch.setattr(account.token_manager, "get_stored", lambda: None)
    monkeypatch.setattr(account, "_refusals", {})
    settings = settings_of(username="me", password="wrong")
    for _ in range(2):
        with pytest.raises(error, match="Sign-in failed"):
            account.require_account(settings)
    assert len(attempts) == (2 if error is TransientError else 1)
    # Other credentials are tried, and so is a token that has come since.
    with pytest.raises(error):
        account.require_account(settings_of(username="me", password="another"))
    monkeypatch.setattr(account.token_manager, "get_stored", lambda: SimpleNamespace(is_valid=lambda: True))
    monkeypatch.setattr(account.token_manager, "get", lambda **_kwargs: None)
    account.require_account(settings)
    monkeypatch.setattr(account.token_manager, "get_stored", lambda: None)
    account.require_account(settings)


@pytest.mark.parametrize(
    ("datasets", "requests"),
    [
        (("drivers",), 3),
        (("weather",), 5),
        (("race_control_messages",), 5),
        (("session_status", "track_status"), 10),
        (("laps",), 11),
        (("laps", "weather", "race_control_messages"), 12),
        (("team_radio",), 4),
        (("car_telemetry",), 6),
        (("car_telemetry", "laps"), 12),
        (("driver_race_info",), 5),
        (("championship_prediction",), 5),
        (("tyre_sets",), 6),
        (("pit_lane",), 7),
        (ALL, requests_of(str(KEY))),
    ],
)
def test_only_the_union_of_what_is_wanted_is_requested(run, served, datasets, requests):
    served.asked.clear()
    assert run(*datasets).requests == len(served.asked) == requests


def test_a_load_that_stops_before_telemetry_takes_no_feed_away_that_it_would_not_have_asked_for():
    spent = QuotaExhausted("the quota is spent")

    def loaded(*feeds):
        came = [Exchange(Feed.WEATHER, "", Outcome.DATA)]
        return LoadedSession(None, None, None, frozenset(feeds), came, (), spent, 0.0, datetime.now(UTC))

    loaded(Feed.WEATHER, Feed.SESSION_DATA, Feed.CAR_DATA).demand((Feed.WEATHER,), (Feed.SESSION_DATA,))
    # Without telemetry it would have told when session time began.
    with pytest.raises(QuotaExhausted, match="the quota is spent"):
        loaded(Feed.WEATHER, Feed.SESSION_DATA).demand((Feed.WEATHER,), (Feed.SESSION_DATA,))

"""What FastF1 swallows becomes one typed error with the feed's name, dataset by dataset."""

import json
from datetime import UTC, datetime

import pytest
from fastf1.exceptions import F1AuthError

from f1_assets.datasets import all_datasets
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.upstream import account
from f1_assets.upstream.transport import Transport
from f1_assets.warehouse import Status
from f1_assets_tests.upstream.server import body, services, status

KEY = SessionKey(2025, 1, "R")
ALL = tuple(all_datasets())
OF_TIMING = {"laps", "intervals"}


@pytest.fixture
def served():
    with services(Simulator(SimulatorOptions.parse("laps=6,samples_every=20"))) as running:
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
    assert blocked == set(ALL)
    assert all("F1_USERNAME and F1_PASSWORD" in lines[name].reason for name in blocked)
    assert not any(line.status is Status.UNAVAILABLE for line in lines.values())


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

    from f1_assets.upstream.loader import load_session
    from f1_assets.upstream.needs import Needs
    from f1_assets.warehouse.calendar import event_of

    event = event_of(sqlite_warehouse, KEY)
    session = next(listed for listed in event.sessions if listed.key == KEY)
    loaded = load_session(transport, event, replace(session, end=datetime.now(UTC)), Needs(weather=True))
    with pytest.raises(Exception, match="WeatherData is not published yet"):
        all_datasets()["weather"].take(loaded)


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


def test_an_account_that_is_refused_is_found_before_any_request(
    settings_of, sqlite_warehouse, simulator_transport, ledger, monkeypatch
):
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=simulator_transport)
    from sqlalchemy import update

    from f1_assets.warehouse.models import seasons

    with sqlite_warehouse.engine.begin() as connection:
        connection.execute(update(seasons).values(source="live"))

    attempts = []

    def refuse(*_args, **_kwargs):
        attempts.append(1)
        raise F1AuthError("Invalid credentials")

    monkeypatch.setattr(account.token_manager, "get", refuse)
    monkeypatch.setattr(account, "_refusal", None)
    transport = Transport(settings_of(source="live"), ledger)
    for _ in range(2):
        gap = SessionGap(KEY, ("weather", "laps"))
        outcome = process_session_gap(gap, warehouse=sqlite_warehouse, transport=transport)
        assert outcome.requests == 0
        assert {line.status for line in outcome.datasets} == {Status.BLOCKED_AUTH}
        assert all("Invalid credentials. Set F1_USERNAME" in line.reason for line in outcome.datasets)
    assert len(attempts) == 1, "the account is checked once, not once per session"


@pytest.mark.parametrize(
    ("datasets", "requests"),
    [
        (("drivers",), 3),
        (("weather",), 4),
        (("race_control_messages",), 4),
        (("session_status", "track_status"), 9),
        (("laps",), 10),
        (("laps", "weather", "race_control_messages"), 11),
        (("team_radio",), 4),
        (("car_telemetry",), 5),
        (ALL, 15),
    ],
)
def test_only_the_union_of_what_is_wanted_is_requested(run, served, datasets, requests):
    served.asked.clear()
    assert run(*datasets).requests == len(served.asked) == requests

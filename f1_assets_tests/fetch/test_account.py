"""A 401 or 403 of live timing, over TLS and with a sign-in as F1's: absent, refused, or undecided."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from fastf1.internals.f1account import token_manager
from sqlalchemy import update

from f1_assets.context import Context
from f1_assets.fetch import account
from f1_assets.fetch.deadlines import WHOLE_ANSWER_SECONDS
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.importing.forget import forget_failures
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.policies import policies_of
from f1_assets.simulator import SimulatedResponse
from f1_assets.warehouse import Status
from f1_assets.warehouse.models import sessions
from f1_assets_tests.applicable import datasets_of
from f1_assets_tests.faults.struck import SIMULATOR
from f1_assets_tests.fetch.live import ACCESS_DENIED, FORBIDDEN, LIVE_TIMING, live_services

RACE, QUALIFYING = SessionKey(2025, 1, "R"), SessionKey(2025, 1, "Q")
FOLDER = "/2025-03-02_Race/"
INDEX, OLDER_INDEX = "/static/2025/Index.json", "/static/2024/Index.json"
QUICK = ("drivers", "weather", "race_control_messages", "team_radio", "results")
"""What loads without FastF1's laps, which take it seconds."""


@pytest.fixture
def live(tmp_path, monkeypatch):
    monkeypatch.setattr(account, "_refusals", {})
    with live_services(SIMULATOR, tmp_path, monkeypatch) as running:
        yield running


@pytest.fixture
def transport(live, settings_of, sqlite_warehouse):
    ledger = Ledger(sqlite_warehouse.engine, policies_of("any=9000/1h;jolpica=9000/1h", reaches_real_services=False))
    made = Transport(settings_of(source="live", username="me@example.org", password="right"), ledger)
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=made)
    live.asked.clear()
    yield made
    made.close()


@pytest.fixture
def run(transport, sqlite_warehouse):
    def run(*datasets, key=RACE):
        gap = SessionGap(key, datasets or QUICK)
        return process_session_gap(gap, warehouse=sqlite_warehouse, transport=transport)

    return run


def _statuses(outcome):
    return {line.dataset: line.status for line in outcome.datasets}


def _reasons(outcome):
    return {line.reason for line in outcome.datasets if line.status is Status.BLOCKED_AUTH}


def test_data_comes_with_the_token_and_no_other_host_sees_it(run, live):
    assert set(_statuses(run()).values()) == {Status.PRESENT}
    assert (live.sign_ins, live.tokens_sent_to) == (1, {LIVE_TIMING})


def test_absent_feeds_are_unavailable(run, live):
    live.absent += ["TeamRadio", "WeatherData", "SessionData"]
    outcome = run()
    statuses = _statuses(outcome)
    assert {name for name, status in statuses.items() if status is Status.UNAVAILABLE} == {"team_radio", "weather"}
    assert {name for name, status in statuses.items() if status is Status.PRESENT} == {
        "drivers",
        "race_control_messages",
        "results",
    }
    proofs = [url for url in live.data_asked if url.endswith("SessionInfo.jsonStream")]
    assert len(proofs) == 3, "once for the load, once for the first 403, once after the last one"


def test_an_answer_to_another_feed_proves_as_much_as_one_more_request(run, live):
    live.absent += ["SessionInfo", "WeatherData"]
    assert set(_statuses(run("weather", "race_control_messages")).items()) == {
        ("weather", Status.UNAVAILABLE),
        ("race_control_messages", Status.PRESENT),
    }
    assert [url.rpartition("/")[2] for url in live.data_asked if LIVE_TIMING in url] == [
        "SessionInfo.jsonStream",
        "Index.json",
        "DriverList.jsonStream",
        "WeatherData.jsonStream",
        "RaceControlMessages.jsonStream",
        "SessionStatus.jsonStream",
        "SessionData.jsonStream",
    ]


def test_an_absence_that_was_proven_is_believed_for_a_week_and_until_retry(run, live, transport, sqlite_warehouse):
    live.absent += ["WeatherData"]
    run("weather")
    live.asked.clear()
    assert _statuses(run("weather")) == {"weather": Status.UNAVAILABLE}
    assert live.asked == []
    live.absent.clear()
    forget_failures(Context.open(warehouse=sqlite_warehouse, transport=transport), RACE)
    assert _statuses(run("weather")) == {"weather": Status.PRESENT}


@pytest.mark.parametrize("refused", [FORBIDDEN, ACCESS_DENIED])
def test_a_403_for_all_is_a_refusal_after_few_requests(run, live, refused):
    live.answers[""] = refused
    outcome = run(*datasets_of(RACE))
    assert set(_statuses(outcome).values()) == {Status.BLOCKED_AUTH}
    assert outcome.requests <= 4
    assert len(live.data_asked) == 3, live.data_asked
    (reason,) = _reasons(outcome)
    assert "F1 refuses this machine's address" in reason
    assert "F1_PASSWORD" not in reason


@pytest.mark.parametrize("refused", [FORBIDDEN, ACCESS_DENIED])
def test_what_the_archive_has_proves_nothing_about_a_403_for_all_that_is_asked(run, live, refused):
    assert set(_statuses(run("drivers", "weather", "results")).values()) == {Status.PRESENT}
    live.answers[""] = refused
    live.asked.clear()
    outcome = run("drivers", "weather", "results", "race_control_messages", "team_radio")
    statuses = _statuses(outcome)
    assert {name for name, status in statuses.items() if status is Status.BLOCKED_AUTH} == {
        "race_control_messages",
        "team_radio",
    }
    assert {name for name, status in statuses.items() if status is Status.PRESENT} == {"drivers", "weather", "results"}
    assert [url.rpartition("/")[2] for url in live.data_asked] == [
        "RaceControlMessages.jsonStream",
        "SessionInfo.jsonStream",
    ], "SessionInfo is known to be there: it was refused"


def test_a_refusal_midway_by_403_leaves_what_came_before_and_stops(run, live):
    def refuse(url):
        if "WeatherData" in url:
            live.answers[""] = FORBIDDEN

    live.absent += ["DriverList"]  # an absence, proven before
    live.change = refuse
    outcome = run("weather", "race_control_messages", "team_radio", "results")
    statuses = _statuses(outcome)
    assert statuses.pop("results") is Status.PRESENT
    assert set(statuses.values()) == {Status.BLOCKED_AUTH}
    files = [url.rpartition("/")[2] for url in live.data_asked if LIVE_TIMING in url]
    assert files[files.index("WeatherData.jsonStream") :] == [
        "WeatherData.jsonStream",
        "RaceControlMessages.jsonStream",
        "SessionStatus.jsonStream",
        "SessionInfo.jsonStream",
    ], "the third 403 in a row is tested"


def test_a_token_that_is_revoked_midway_is_renewed_with_the_credentials_of_the_settings(run, live, monkeypatch):
    def revoke(url):
        if "WeatherData" in url and live.sign_ins == 1:
            live.accepted.clear()

    live.change = revoke
    assert set(_statuses(run()).values()) == {Status.PRESENT}
    assert live.sign_ins == 2


def test_a_token_that_is_revoked_for_good_blocks_what_was_not_given_yet_and_nothing_more_is_asked(run, live):
    class Never(set):
        def add(self, _token):
            """Accept no token any more."""

    def revoke(url):
        if "WeatherData" in url:
            live.accepted = Never()

    live.change = revoke
    outcome = run("drivers", "weather", "race_control_messages", "team_radio")
    assert _statuses(outcome) == {
        "drivers": Status.PRESENT,
        "weather": Status.BLOCKED_AUTH,
        "race_control_messages": Status.BLOCKED_AUTH,
        "team_radio": Status.BLOCKED_AUTH,
    }
    assert live.data_asked[-1].endswith("WeatherData.jsonStream")
    assert len(_reasons(outcome)) == 1


def test_a_401_is_a_refusal_even_where_all_else_is_given(run, live):
    live.answers["WeatherData"] = SimulatedResponse(401, {}, b"")
    outcome = run("race_control_messages", "weather")
    assert _statuses(outcome)["weather"] is Status.BLOCKED_AUTH
    assert not any("mirror" in url for url in live.asked)


def _ended(warehouse, ago):
    with warehouse.engine.begin() as connection:
        is_race = (sessions.c.round == RACE.round, sessions.c.session == RACE.session)
        connection.execute(update(sessions).where(*is_race).values(end_utc=datetime.now(UTC) - ago))


@pytest.mark.parametrize("without_index", [False, True])
def test_a_session_that_is_not_published_yet_is_told_from_a_refusal_by_an_older_file(
    run, live, sqlite_warehouse, without_index
):
    run("drivers", key=QUALIFYING)  # an older session, which the archive has
    live.asked.clear()
    live.absent += [FOLDER, *([INDEX] if without_index else [])]
    _ended(sqlite_warehouse, timedelta(minutes=30))
    outcome = run("weather", "race_control_messages", "team_radio")
    assert {line.error_class for line in outcome.datasets} == {"NotYetPublished"}
    assert {line.status for line in outcome.datasets} == {Status.FAILED}
    proof = "_Qualifying/SessionInfo.jsonStream" if without_index else INDEX
    others = [url for url in live.data_asked if LIVE_TIMING in url and FOLDER not in url and not url.endswith(proof)]
    assert len(others) == (1 if without_index else 0)
    # Five feeds are absent: the first is tested, the fourth, and the last one.
    assert sum(url.endswith(proof) for url in live.asked) == 3


def test_in_a_new_season_the_index_of_the_one_before_tells(run, live, sqlite_warehouse):
    live.absent += [FOLDER, INDEX]
    _ended(sqlite_warehouse, timedelta(minutes=30))
    outcome = run("weather")
    assert {line.error_class for line in outcome.datasets} == {"NotYetPublished"}
    assert any(url.endswith(OLDER_INDEX) for url in live.asked)


def test_where_the_proof_fails_a_403_is_neither_absent_nor_refused(run, live):
    def fail(url):
        if "WeatherData" in url:
            live.answers["SessionInfo"] = SimulatedResponse(503, {}, b"")

    live.absent += ["WeatherData"]
    live.change = fail
    (line,) = run("weather").datasets
    assert (line.status, line.error_class) == (Status.FAILED, "TransientError")
    assert "may be absent or refused" in line.reason
    assert "SessionInfo failed (HTTP 503)" in line.reason


def test_a_mirror_that_fails_makes_no_failure_of_an_absence(run, live):
    live.absent += ["WeatherData"]
    live.answers["livetiming-mirror"] = SimulatedResponse(500, {}, b"")
    assert _statuses(run("weather")) == {"weather": Status.UNAVAILABLE}


def test_without_a_valid_token_the_message_says_which_credentials_to_set(run, live):
    def forget_token(url):
        live.answers[""] = FORBIDDEN
        token_manager.clear()

    live.change = forget_token
    (reason,) = _reasons(run("weather"))
    assert "F1_USERNAME and F1_PASSWORD" in reason
    assert "address" not in reason


def test_a_redirect_takes_the_token_to_no_other_host(run, live):
    there = f"https://api.multiviewer.app/static/2025/2025-03-02_Meridian_Grand_Prix{FOLDER}WeatherData.jsonStream"
    live.answers[f"{LIVE_TIMING}/static/2025/2025-03-02_Meridian_Grand_Prix{FOLDER}WeatherData"] = SimulatedResponse(
        302, {"Location": there}, b""
    )
    live.answers[there] = SIMULATOR.respond(there.replace("api.multiviewer.app", LIVE_TIMING))
    assert _statuses(run("weather")) == {"weather": Status.PRESENT}
    assert there in live.asked
    assert live.tokens_sent_to == {LIVE_TIMING}


def test_over_tls_too_an_answer_has_a_deadline(live, transport, sqlite_warehouse):
    times = itertools.count(step=2 * WHOLE_ANSWER_SECONDS)
    late = Transport(transport.settings, transport.ledger, clock=lambda: next(times))
    gap = SessionGap(RACE, ("weather",))
    outcome = process_session_gap(gap, warehouse=sqlite_warehouse, transport=late)
    late.close()
    (line,) = outcome.datasets
    assert (line.error_class, live.data_asked) == ("TransientError", list(dict.fromkeys(live.data_asked)))
    assert "Timeout" in line.reason

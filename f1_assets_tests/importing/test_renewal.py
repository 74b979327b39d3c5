"""Renewal of what is present: after days, when it falls short, when a user says so, and for a new version."""

import contextlib
import re
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import select, update

from f1_assets.context import Context
from f1_assets.datasets import all_datasets, derived_datasets, named
from f1_assets.feeds.table import Feed, feed_of
from f1_assets.importing import Selection, import_season, import_selection, process_session_gap, refresh_calendar
from f1_assets.importing.season import SessionRun
from f1_assets.importing.selection import Renewal
from f1_assets.keys import SessionKey
from f1_assets.planning import DatasetState, SessionGap, dataset_states, gaps_of, generate_gap_report, outdated_of
from f1_assets.planning.dispatch import account_blocked_since
from f1_assets.warehouse import Status
from f1_assets.warehouse.amendments import amendments_of
from f1_assets.warehouse.calendar import session_of
from f1_assets.warehouse.models import amendments, extractions, of_session, sessions
from f1_assets_tests.fetch.server import body, status
from f1_assets_tests.warehouse.schema_0007 import make_0007

SIMULATED = "races=1,tests=0,sprints=0,laps=6,samples_every=40,drivers=4"
POSTGRESQL_IS_EXHAUSTIVE = True
RACE, QUALIFYING = SessionKey(2025, 1, "R"), SessionKey(2025, 1, "Q")


@pytest.fixture
def season(warehouse, served_transport):
    refresh_calendar(2025, warehouse=warehouse, transport=served_transport)
    return warehouse


@pytest.fixture
def fill(season, served_transport):
    """Import what is due of sessions, or what a selection renews; give the outcomes."""

    def fill(*sessions, datasets=None, renewal=None):
        outcomes = []

        def run(gaps, workers, reserve, lease, meanwhile):
            for gap in gaps:
                outcomes.append(process_session_gap(gap, warehouse=season, transport=served_transport))
                yield SessionRun(outcomes[-1])

        selection = Selection.of([2025], datasets, sessions=sessions, renewal=renewal)
        import_selection(Context.open(warehouse=season, transport=served_transport), selection, run)
        return outcomes

    return fill


def _states(warehouse, key, now=None):
    return {state.dataset: state for state in dataset_states(warehouse, [key.season], now=now, key=key)}


def _set(warehouse, key, dataset, **values):
    mine = of_session(extractions, key) & (extractions.c.dataset == dataset)
    with warehouse.engine.begin() as connection:
        connection.execute(update(extractions).where(mine).values(**values))


def _asked(served, since):
    return [feed_of(url) for url in served.asked[since:]]


def test_results_are_due_on_days_1_3_7_30_and_100_after_the_end_and_ask_jolpica_alone(season, fill, served):
    for key in (RACE, QUALIFYING):
        fill(key.session, datasets=["results", "laps", "weather"])
        end = session_of(season, key).end
        for stored_after, looked_after, is_due in (
            (0.1, 0.9, False),
            (0.1, 1.1, True),
            (1.1, 2.9, False),
            (1.1, 3.1, True),
            (3.1, 7.1, True),
            (7.1, 29, False),
            (7.1, 31, True),
            (31, 99, False),
            (31, 101, True),
            (101, 4000, False),
        ):
            stored = end + timedelta(days=stored_after)
            _set(season, key, "results", asked_at=stored, extracted_at=stored, tried_at=stored)
            state = _states(season, key, now := end + timedelta(days=looked_after))["results"]
            assert state.is_due(now) is is_due
            assert not is_due or state.renew == {str(Feed.RESULTS)}


def test_several_renewals_that_are_due_are_caught_up_with_at_once(season, fill, served, served_transport):
    fill("R", datasets=["results", "weather"])
    stored = session_of(season, RACE).end + timedelta(hours=2)
    _set(season, RACE, "results", asked_at=stored, extracted_at=stored, tried_at=stored)
    report = generate_gap_report(2025, warehouse=season, transport=served_transport, datasets=named(["results"]))
    assert report.costs[RACE].usual == 1
    served.faults["results.json"] = body(lambda b: re.sub(rb'("points": ?)"25"', rb'\1"26"', b))
    before = len(served.asked)
    (outcome,) = fill("R", datasets=["results", "weather"])
    assert _asked(served, before) == [Feed.RESULTS]
    assert outcome.requests == 1
    changes = [(c.column, c.before, c.after, c.version) for c in amendments_of(season, RACE)]
    assert changes == [("points", "25", "26", None)]
    assert fill("R", datasets=["results", "weather"]) == []


def test_rows_answered_by_the_archive_are_as_old_as_its_answers(season, fill, served_transport):
    fill("R", datasets=["results"])
    first = _states(season, RACE)["results"].extracted_at
    fill("R", datasets=["results"], renewal=Renewal.ARCHIVE)
    (line,) = [line for line in season.extractions(RACE) if line.dataset == "results"]
    assert line.asked_at <= first < line.extracted_at


def test_rows_that_fall_short_are_asked_for_again_1_3_and_7_days_after_they_were_stored(season, fill):
    fill("R", datasets=["laps", "intervals", "weather"])
    season.judge(RACE, {"laps": "5 of 57 laps"})
    (stored,) = [line.short_since for line in season.extractions(RACE) if line.dataset == "laps"]
    assert stored == _states(season, RACE)["laps"].extracted_at
    for asked_after, looked_after, is_due in (
        (0, 0.9, False),
        (0, 1.1, True),
        (1.1, 2.9, False),
        (1.1, 3.1, True),
        (3.1, 6.9, False),
        (3.1, 7.1, True),
        (7.1, 4000, False),
    ):
        asked = stored + timedelta(days=asked_after)
        _set(season, RACE, "laps", asked_at=asked, tried_at=asked)
        states = _states(season, RACE, now := stored + timedelta(days=looked_after))
        assert states["laps"].is_due(now) is is_due
        assert states["laps"].stale_because == "5 of 57 laps"
        assert states["laps"].status is Status.PRESENT
        for gap in gaps_of([s for s in states.values() if s.status is Status.PRESENT], now):
            # The gaps to the leader are made of the same feed.
            assert gap.datasets == ("intervals", "laps")
            assert str(Feed.TIMING_DATA) in gap.renew
            assert str(Feed.WEATHER) not in gap.renew


def test_better_rows_are_stored_with_what_changed_and_fall_short_no_more(season, fill, served, monkeypatch):
    cut = body(lambda b: b"\r\n".join(b.splitlines()[: len(b.splitlines()) // 3]) + b"\r\n")
    served.faults["/TimingData.jsonStream"] = cut
    short = {"laps": "too few"}
    monkeypatch.setattr("f1_assets.importing.sessions.why_short", lambda warehouse, key: short)
    fill("R", datasets=["laps", "intervals"])
    before = {name: len(season.rows(all_datasets()[name], RACE)) for name in ("laps", "intervals")}
    # Asked for again, it is no better: since when it falls short is not forgotten.
    long_ago = datetime.now(UTC) - timedelta(days=2)
    _set(season, RACE, "laps", asked_at=long_ago, short_since=long_ago)
    assert [o.requests > 0 for o in fill("R", datasets=["laps", "intervals"])] == [True]
    assert [line.short_since for line in season.extractions(RACE) if line.dataset == "laps"] == [long_ago]
    assert fill("R", datasets=["laps", "intervals"]) == []
    served.faults.clear()
    short.clear()
    _set(season, RACE, "laps", asked_at=long_ago)
    assert len(fill("R", datasets=["laps", "intervals"])) == 1
    after = {name: len(season.rows(all_datasets()[name], RACE)) for name in ("laps", "intervals")}
    assert all(after[name] > before[name] for name in before)
    assert _states(season, RACE)["laps"].stale_because is None
    assert {change.dataset for change in amendments_of(season, RACE)} == {"laps", "intervals"}


def test_renewing_asks_past_the_archive_and_keeps_rows_and_archive_where_upstream_fails(season, fill, served):
    (first,) = fill("FP1", datasets=["weather", "laps"])
    assert fill("FP1", datasets=["weather", "laps"]) == []
    before = len(served.asked)
    (renewed,) = fill("FP1", datasets=["weather", "laps"], renewal=Renewal.UPSTREAM)
    # All but SessionData: its clock is known by now.
    assert renewed.requests == len(served.asked) - before == first.requests - 1
    rows = season.rows(all_datasets()["weather"], first.key)
    served.faults["/WeatherData.jsonStream"] = status(404)
    (without,) = fill("FP1", datasets=["weather"], renewal=Renewal.UPSTREAM)
    assert without.failed == ("weather",)
    pd.testing.assert_frame_equal(season.rows(all_datasets()["weather"], first.key), rows)
    assert _states(season, first.key)["weather"].status is Status.PRESENT
    (again,) = fill("FP1", datasets=["weather"], renewal=Renewal.ARCHIVE)
    assert (again.failed, again.requests) == ((), 0)


def test_a_higher_version_is_extracted_from_the_archive_without_a_request(season, fill, served, monkeypatch):
    fill("FP1", datasets=["weather", "laps"])
    key = SessionKey(2025, 1, "FP1")
    weather, laps = all_datasets()["weather"], all_datasets()["laps"]
    extract = weather.extract
    with newer(weather, lambda loaded: extract(loaded).assign(air_temperature_c=99.0)):
        _check_that_the_archive_gives_it_again(season, fill, served, key, weather, laps)


@contextlib.contextmanager
def newer(dataset, extract):
    """Raise the version of a dataset, whose rows come out differently now."""
    values = {"version": dataset.version + 1, "extract": extract}
    before = {name: getattr(dataset, name) for name in values}
    for name, value in values.items():
        object.__setattr__(dataset, name, value)
    yield
    for name, value in before.items():
        object.__setattr__(dataset, name, value)


def _check_that_the_archive_gives_it_again(season, fill, served, key, weather, laps):
    states = dataset_states(season, [2025], [weather, laps], key=key)
    assert {state.dataset: state.is_outdated for state in states} == {"weather": True, "laps": False}
    assert gaps_of(states) == []
    assert [(gap.datasets, gap.from_archive) for gap in outdated_of(states)] == [(("weather",), True)]
    before = len(served.asked)
    (outcome,) = fill("FP1", datasets=["weather", "laps"])
    assert (outcome.extracted, outcome.requests, len(served.asked) - before) == (("weather",), 0, 0)
    assert set(season.rows(weather, key)["air_temperature_c"]) == {99.0}
    assert {(change.column, change.version) for change in amendments_of(season, key)} == {
        ("air_temperature_c", weather.version)
    }
    assert fill("FP1", datasets=["weather", "laps"]) == []


def test_what_the_archive_does_not_have_stays_as_it_is_and_is_said_once(season, fill, served, served_transport):
    key = SessionKey(2025, 1, "FP1")
    fill("FP1", datasets=["weather", "track_status"])
    served_transport.discard("WeatherData")
    for name in ("weather", "track_status"):
        _set(season, key, name, version=0)
    before = len(served.asked)
    (outcome,) = fill("FP1", datasets=["weather", "track_status"])
    assert (outcome.failed, outcome.extracted, len(served.asked) - before) == (("weather",), ("track_status",), 0)
    state = _states(season, key)["weather"]
    assert (state.status, state.error_class, state.is_outdated) == (Status.PRESENT, "NotArchived", False)
    assert state.rows == len(season.rows(all_datasets()["weather"], key)) > 0
    assert "--renew" in state.reason
    assert fill("FP1", datasets=["weather", "track_status"]) == []


def test_what_another_version_gave_up_is_tried_again(season, fill):
    key = SessionKey(2025, 1, "FP1")
    fill("FP1", datasets=["weather"])
    _set(season, key, "weather", status="failed", error_class="UnreadableData", next_try_at=None, attempts=3, version=0)
    assert _states(season, key)["weather"].is_due(datetime.now(UTC))
    _set(season, key, "weather", version=1)
    assert not _states(season, key)["weather"].is_due(datetime.now(UTC))


def test_a_thousand_changes_of_one_column_are_one_amendment(season):
    laps = all_datasets()["laps"]
    frame = pd.DataFrame({"driver_number": "1", "lap_number": range(1, 151), "compound": "SOFT"}).convert_dtypes()
    season.replace(RACE, laps, frame)
    season.replace(RACE, laps, frame.assign(compound="HARD").iloc[:148])
    with season.engine.connect() as connection:
        rows = connection.execute(select(amendments.c.row_key, amendments.c.column, amendments.c.after)).fetchall()
    assert sorted(rows, key=str) == [
        ("148 rows", "compound", "HARD"),
        ("driver_number=1, lap_number=149", None, None),
        ("driver_number=1, lap_number=150", None, None),
    ]


def test_a_new_file_in_the_lake_is_one_amendment(season, fill, served):
    fill("FP1", datasets=["car_telemetry"])
    key = SessionKey(2025, 1, "FP1")
    rows = season.count(all_datasets()["car_telemetry"], key)
    lines = body(lambda b: b"\r\n".join(b.splitlines()[:-20]) + b"\r\n")
    served.faults["/CarData.z.jsonStream"] = lines
    fill("FP1", datasets=["car_telemetry"], renewal=Renewal.UPSTREAM)
    (change,) = amendments_of(season, key, "car_telemetry")
    assert change.before.startswith(f"{rows:,} rows")
    assert season.count(all_datasets()["car_telemetry"], key) < rows
    assert change.row == "file"


def test_import_season_renews_what_is_due_by_itself(season, served_transport, served):
    import_season(2025, datasets=["results"], warehouse=season, transport=served_transport)
    for key in (QUALIFYING, RACE):
        stored = session_of(season, key).end + timedelta(hours=2)
        _set(season, key, "results", asked_at=stored, extracted_at=stored, tried_at=stored)
    before = len(served.asked)
    summary = import_season(2025, datasets=["results"], warehouse=season, transport=served_transport)
    assert (summary.processed, summary.succeeded) == (2, 2)
    assert _asked(served, before) == [Feed.RESULTS, Feed.RESULTS]


def test_a_home_of_schema_0007_gets_the_right_values_from_its_archive_without_a_request(season, fill, served):
    datasets = [name for name, dataset in all_datasets().items() if not dataset.in_lake]
    fill("R", datasets=datasets)
    right = {name: season.rows(all_datasets()[name], RACE) for name in datasets}
    with season.engine.begin() as connection:
        connection.execute(update(all_datasets()["laps"].table).values(lap_start_utc=None, speed_i1_kmh=1.0))
        # Only telemetry in the lake noted it, and there is none here.
        connection.execute(update(sessions).values(t0_utc=None))
    make_0007(season.engine)
    season.upgrade()
    before = len(served.asked)
    (outcome,) = fill("R", datasets=datasets)
    assert (outcome.failed, outcome.requests, len(served.asked) - before) == ((), 0, 0)
    newer = {name for name in datasets if all_datasets()[name].version > 1}
    assert set(outcome.extracted) == newer - derived_datasets().keys()
    for name in datasets:
        pd.testing.assert_frame_equal(season.rows(all_datasets()[name], RACE), right[name])
    changes = amendments_of(season, RACE)
    assert {("laps", "lap_start_utc"), ("results", "team_name")} <= {(c.dataset, c.column) for c in changes}
    assert all(change.version == all_datasets()[change.dataset].version for change in changes)
    assert fill("R", datasets=datasets) == []


def test_a_renewal_that_failed_asks_upstream_again_and_not_the_archive(season, fill, served):
    key = SessionKey(2025, 1, "FP1")
    fill("FP1", datasets=["weather"])
    served.faults["/WeatherData.jsonStream"] = status(503)
    (failed,) = fill("FP1", datasets=["weather"], renewal=Renewal.UPSTREAM)
    assert failed.failed == ("weather",)
    state = _states(season, key)["weather"]
    assert (state.status, state.error_class) == (Status.PRESENT, "TransientError")
    (gap,) = gaps_of([state], state.next_try_at)
    assert gap.renew == {str(Feed.WEATHER)}


def test_a_feed_that_is_cut_short_replaces_neither_rows_nor_what_the_archive_has(season, fill, served):
    key = SessionKey(2025, 1, "FP1")
    fill("FP1", datasets=["weather"])
    rows = season.rows(all_datasets()["weather"], key)
    served.faults["/WeatherData.jsonStream"] = body(lambda b: b"\r\n".join(b.splitlines()[:9]) + b"\r\n")
    (cut,) = fill("FP1", datasets=["weather"], renewal=Renewal.UPSTREAM)
    assert cut.failed == ("weather",)
    assert "those stay" in _states(season, key)["weather"].reason
    (again,) = fill("FP1", datasets=["weather"], renewal=Renewal.ARCHIVE)
    assert again.extracted == ("weather",)
    pd.testing.assert_frame_equal(season.rows(all_datasets()["weather"], key), rows)


def test_a_version_that_cannot_be_extracted_waits_for_its_next_try(season, fill):
    fill("FP1", datasets=["weather"])
    weather = all_datasets()["weather"]

    def broken(_loaded):
        raise ValueError("a defect of this version")

    with newer(weather, broken):
        (outcome,) = fill("FP1", datasets=["weather"])
        assert outcome.failed == ("weather",)
        assert outdated_of(_states(season, SessionKey(2025, 1, "FP1")).values()) == []
        assert fill("FP1", datasets=["weather"]) == []


def test_a_refused_renewal_is_a_refused_account(season, fill):
    key = SessionKey(2025, 1, "FP1")
    fill("FP1", datasets=["weather"])
    now = datetime.now(UTC)
    _set(season, key, "weather", error_class="AuthenticationRequired", tried_at=now, next_try_at=now)
    states = _states(season, key)
    assert states["weather"].is_blocked
    assert account_blocked_since(states.values()) == now
    (line,) = [line for line in season.extractions(key) if line.dataset == "weather"]
    assert line.is_blocked


def test_results_that_are_computed_are_renewed_with_the_timing_that_they_are_computed_from():
    key = SessionKey(2025, 2, "SQ")
    now = datetime.now(UTC)
    timing = frozenset({str(Feed.TIMING_DATA)})
    states = [
        DatasetState(key, "laps", Status.PRESENT, next_try_at=now, renew=timing),
        DatasetState(key, "results", Status.PRESENT),
        DatasetState(key, "weather", Status.PRESENT),
    ]
    assert gaps_of(states, now) == [SessionGap(key, ("laps", "results"), timing)]

"""Rows that fall far short of their session: told with the reason, and never where a session was short itself."""

import contextlib

import pandas as pd
import pytest
from sqlalchemy import select

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.datasets.checking import State, check_session, why_short
from f1_assets.datasets.running_time import running_periods
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings
from f1_assets.warehouse.models import of_session, sessions

RACE, QUALIFYING, PRACTICE = (SessionKey(2025, 1, name) for name in ("R", "Q", "FP1"))
NEEDED = ("drivers", "intervals", "laps", "results", "session_status", "track_status")
HOUR_MS = 3_600_000
LIGHTS_MS = 3_785_000
"""When simulated races start."""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    """A simulated weekend without telemetry: whoever changes it puts it back."""
    settings = load_settings(
        home=tmp_path_factory.mktemp("home"), source="simulator", simulator="laps=12,samples_every=50,drivers=10"
    )
    opened, transport = connect(settings), Transport(settings)
    refresh_calendar(2025, warehouse=opened, transport=transport)
    for key in (RACE, QUALIFYING, PRACTICE):
        process_session_gap(SessionGap(key, NEEDED), warehouse=opened, transport=transport)
    transport.close()
    yield opened
    opened.close()


@contextlib.contextmanager
def _changed(warehouse, key, **datasets):
    """Have other rows in the warehouse for a while: a function of the rows per dataset."""
    with contextlib.ExitStack() as stack:
        for name, change in datasets.items():
            dataset = all_datasets()[name]
            before = dataset.conform(warehouse.rows(dataset, key), key)
            stack.callback(warehouse.replace, key, dataset, before)
            warehouse.replace(key, dataset, dataset.conform(change(before.copy()), key))
        yield


def _first_laps(most):
    return lambda laps: laps[laps["lap_number"] <= most]


def _until(minutes, started_ms=900_000):
    """Keep what happened in the first minutes after a simulated session started."""
    return lambda rows: rows[rows["session_time_ms"] <= started_ms + minutes * 60_000]


@pytest.mark.long
def test_a_whole_weekend_is_not_short(warehouse):
    assert [why_short(warehouse, key) for key in (RACE, QUALIFYING, PRACTICE)] == [{}, {}, {}]
    assert why_short(warehouse, SessionKey(2025, 1, "FP3")) == {}


def test_a_race_whose_timing_stops_is_short_of_the_result_and_of_the_time(warehouse):
    with _changed(warehouse, RACE, laps=_first_laps(3), intervals=_until(5, LIGHTS_MS)):
        reasons = why_short(warehouse, RACE)  # one car retired after few laps
        assert why_short(warehouse, RACE, ["weather", "laps"]).keys() == {"laps"}
        broken = {f.check for f in check_session(warehouse, RACE) if f.state is State.BROKEN}
    assert reasons.keys() == {"laps", "intervals"}
    assert "9 of 10 rows of results break laps_are_near_the_result" in reasons["laps"]
    assert "break laps_go_on_to_the_end" in reasons["laps"]
    assert "break changes_go_on_to_the_end" in reasons["intervals"]
    assert all(reason.endswith(").") for reason in reasons.values())
    assert {"laps_are_near_the_result", "laps_go_on_to_the_end", "changes_go_on_to_the_end"} <= broken


def test_without_a_result_the_time_tells_that_a_race_is_short(warehouse):
    with _changed(warehouse, RACE, laps=_first_laps(3), results=lambda results: results.head(0)):
        assert "laps_go_on_to_the_end" in why_short(warehouse, RACE)["laps"]


def test_a_race_that_was_stopped_for_good_is_not_short(warehouse):
    def stopped(statuses):
        at_ms = statuses.loc[statuses["status"] == "Started", "session_time_ms"].item()
        ended = statuses["status"].isin(["Started", "Inactive"])
        aborted = pd.DataFrame({"status": ["Aborted"], "session_time_ms": [at_ms + 400_000]})
        rows = pd.concat([statuses[ended], aborted, statuses[~ended]])
        return rows.assign(change_number=range(1, len(rows) + 1))

    def counted(results):
        return results.assign(laps=results["laps"].clip(upper=3))

    with _changed(
        warehouse, RACE, laps=_first_laps(3), intervals=_until(6, LIGHTS_MS), session_status=stopped, results=counted
    ):
        assert why_short(warehouse, RACE) == {}


def test_a_driver_of_the_result_without_any_lap_is_short(warehouse):
    for key in (RACE, QUALIFYING):
        with _changed(warehouse, key, laps=lambda laps: laps[laps["driver_number"] != "12"]):
            assert "1 of 10 rows of results break laps_are_near_the_result" in why_short(warehouse, key)["laps"]


def test_a_driver_who_never_started_is_not_short(warehouse):
    def without(laps):
        return laps[laps["driver_number"] != "12"]

    def not_counted(results):
        return results.assign(laps=results["laps"].mask(results["driver_number"] == "12", 0))

    with _changed(warehouse, RACE, laps=without, results=not_counted):
        assert why_short(warehouse, RACE) == {}


def test_qualifying_without_any_time_is_short(warehouse):
    with _changed(warehouse, QUALIFYING, results=lambda rows: rows.assign(q1_ms=pd.NA, q2_ms=pd.NA, q3_ms=pd.NA)):
        assert "break qualifying_has_times" in why_short(warehouse, QUALIFYING)["results"]
    with _changed(warehouse, QUALIFYING, results=lambda rows: rows.assign(q2_ms=pd.NA, q3_ms=pd.NA)):
        assert why_short(warehouse, QUALIFYING) == {}


@pytest.mark.parametrize(("key", "rule"), [(QUALIFYING, "laps_go_on"), (PRACTICE, "practice_goes_on")], ids=str)
def test_timing_that_stops_before_half_of_the_session_is_short(warehouse, key, rule):
    with _changed(warehouse, key, laps=_until(15)):
        assert f"{rule}_to_the_end" in why_short(warehouse, key)["laps"]
    with _changed(warehouse, key, laps=_until(40)):
        assert why_short(warehouse, key) == {}


def test_cars_that_stay_in_the_garage_in_the_rain_are_not_short(warehouse):
    def wet(laps):
        return _until(15)(laps).assign(compound="INTERMEDIATE")

    with _changed(warehouse, PRACTICE, laps=wet):
        assert why_short(warehouse, PRACTICE) == {}


def test_three_of_ten_drivers_without_a_lap_are_short_and_two_are_not(warehouse):
    numbers = sorted(warehouse.rows("drivers", PRACTICE)["driver_number"])
    for lost, is_short in ((3, True), (2, False)):
        kept = numbers[lost:]
        with _changed(warehouse, PRACTICE, laps=lambda laps, kept=kept: laps[laps["driver_number"].isin(kept)]):
            found = next(f for f in check_session(warehouse, PRACTICE, ["laps"]) if f.check == "drivers_have_laps")
            reasons = why_short(warehouse, PRACTICE)
        assert found.broken == lost
        assert ("drivers_have_laps" in reasons.get("laps", "")) == is_short
        assert set(found.examples["driver_number"]) == set(numbers[:lost])


def _statuses(*changes):
    return pd.DataFrame(changes, columns=["session_time_ms", "status"])


CLEAR = [(0, "1")]


@pytest.mark.parametrize(
    ("session_status", "track_status", "periods"),
    [
        ([(10, "Started"), (90, "Finished"), (99, "Ends")], CLEAR, [(10, 90)]),
        ([(10, "Started"), (40, "Aborted"), (60, "Started"), (90, "Finished")], CLEAR, [(10, 40), (60, 90)]),
        ([(10, "Started"), (40, "Aborted"), (90, "Finalised")], CLEAR, [(10, 40)]),
        ([(10, "Started"), (90, "Finished")], [(0, "1"), (30, "5"), (50, "1")], [(10, 30), (50, 90)]),
        ([(10, "Started"), (90, "Finished")], [(30, "5")], [(10, 30)]),
        ([(10, "Started"), (20, "Started"), (90, "Finished")], CLEAR, [(10, 90)]),
        # Of a session whose feed was cut, the schedule tells when it ended.
        ([(10, "Started")], CLEAR, [(10, 10 + HOUR_MS)]),
        ([(10, "Started"), (40, "Aborted"), (60, "Started")], CLEAR, [(10, 40), (60, 10 + HOUR_MS)]),
        ([(0, "Inactive")], CLEAR, []),
    ],
)
def test_cars_can_drive_from_the_start_to_the_end_but_for_red_flags(session_status, track_status, periods):
    assert running_periods(_statuses(*session_status), _statuses(*track_status), HOUR_MS) == periods


def test_rules_that_mean_short_look_at_no_other_columns_than_they_name(warehouse):
    """Only these are read: a rule that needs another one has a defect, and would never say that anything is short."""
    for key in (RACE, QUALIFYING, PRACTICE):
        for name in NEEDED:
            dataset = all_datasets()[name]
            frame = warehouse.rows(dataset, key)
            for check in dataset.checks:
                if check.means_short and check.applies_to(key) and not frame.empty:
                    beside = {other: warehouse.rows(other, key) for other in check.beside if other != "sessions"}
                    if "sessions" in check.beside:
                        beside["sessions"] = warehouse.query(select(sessions).where(of_session(sessions, key)))
                    named = {"season", "round", "session", *dataset.key, *(check.columns or frame.columns)}
                    seen = dataset.typed(frame[[column for column in frame.columns if column in named]])
                    assert check.test(seen, **beside).empty, check.name

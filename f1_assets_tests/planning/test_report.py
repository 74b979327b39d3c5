from datetime import UTC, datetime, timedelta

import pytest

from f1_assets.datasets import all_datasets, named
from f1_assets.errors import UsageError
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import (
    SessionGap,
    detect_missing_races,
    detect_missing_sessions,
    detect_session_data_gaps,
    generate_gap_report,
)
from f1_assets.planning.gaps import LONGEST_DELAY, SHORTEST_DELAY, USUAL_DELAY, publication_delay
from f1_assets.warehouse import Extraction, Status
from f1_assets_tests.applicable import extracted_of
from f1_assets_tests.fetch.planned import requests_of, weekend

WEEKEND = [(1, 1), (1, 2), (1, 3), (1, 4), (1, 5)]
PRESENT_ONCE = ("weather", "race_control_messages")


@pytest.fixture
def transport(settings_of, ledger):
    made = Transport(
        settings_of(source="simulator", simulator="races=3,tests=0,laps=5,samples_every=20,drivers=4"), ledger
    )
    yield made
    made.close()


@pytest.fixture
def season(warehouse, transport):
    """A season of three weekends, the second a sprint weekend, of which nothing is there."""
    refresh_calendar(2025, warehouse=warehouse, transport=transport)
    return warehouse


def _import(warehouse, transport, key, *datasets):
    gap = SessionGap(SessionKey.parse(key), datasets or tuple(all_datasets()))
    process_session_gap(gap, warehouse=warehouse, transport=transport)


def test_detect_missing_races(season, transport):
    assert detect_missing_races(2025, warehouse=season) == (1, 2, 3)
    _import(season, transport, "2025-02-S", "weather")
    assert detect_missing_races(2025, warehouse=season) == (1, 3)
    before_the_third = datetime(2025, 9, 1, tzinfo=UTC)
    assert detect_missing_races(2025, warehouse=season, now=before_the_third) == (1,)


def test_detect_missing_sessions(season, transport):
    assert detect_missing_sessions(2025, warehouse=season)[:5] == tuple(WEEKEND)
    _import(season, transport, "2025-01-Q", "weather")
    season.note(Extraction(SessionKey(2025, 1, "R"), "laps", Status.FAILED, reason="HTTP 500"))
    # What failed is missing still; of a qualifying with its weather there, only data is missing.
    assert detect_missing_sessions(2025, warehouse=season)[:4] == ((1, 1), (1, 2), (1, 3), (1, 5))


def test_detect_session_data_gaps(season, transport):
    key = SessionKey(2025, 1, "Q")
    _import(season, transport, str(key), *PRESENT_ONCE)
    later = datetime.now(UTC) + timedelta(hours=1)
    season.note(Extraction(key, "laps", Status.FAILED, reason="HTTP 500", next_try_at=later))
    season.note(Extraction(key, "circuit", Status.UNAVAILABLE, reason="none", next_try_at=later))
    can_have = extracted_of(key)
    gap = next(gap for gap in detect_session_data_gaps(2025, warehouse=season) if gap.key == key)
    assert set(gap.datasets) == can_have - {*PRESENT_ONCE, "laps", "circuit"}
    gap = next(gap for gap in detect_session_data_gaps(2025, warehouse=season, now=later) if gap.key == key)
    assert set(gap.datasets) == can_have - set(PRESENT_ONCE)
    only_weather = detect_session_data_gaps(2025, warehouse=season, datasets=named(["weather"]))
    assert len(only_weather) == 14
    assert key not in [gap.key for gap in only_weather]


def test_the_report_is_chronological_and_says_what_it_costs(season, transport):
    report = generate_gap_report(2025, warehouse=season, transport=transport)
    assert report.missing_races == (1, 2, 3)
    assert report.missing_sessions[:5] == tuple(WEEKEND)
    keys = [str(gap.key) for gap in report.sessions_with_gaps]
    assert keys[:7] == [
        "2025-01-FP1",
        "2025-01-FP2",
        "2025-01-FP3",
        "2025-01-Q",
        "2025-01-R",
        "2025-02-FP1",
        "2025-02-SQ",
    ]
    assert report.total_api_calls_needed == 15
    assert report.completeness == 0.0
    costs = [cost.usual for key, cost in report.costs.items() if key.round == 1]
    # Driver results and circuit are asked for once a weekend, standings after the race.
    keys = weekend(2025)
    assert costs == [requests_of(*keys[: place + 1]) - requests_of(*keys[:place]) for place in range(5)]
    before = report.requests_needed
    _import(season, transport, "2025-01-FP1")
    report = generate_gap_report(2025, warehouse=season, transport=transport)
    assert report.total_api_calls_needed == 14
    assert report.requests_needed == before - costs[0]
    assert 0 < report.completeness < 0.1


def test_what_the_archive_has_costs_nothing(season, transport):
    _import(season, transport, "2025-01-FP1")
    season.forget(SessionKey(2025, 1, "FP1"), all_datasets())
    with season.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM extractions")
    report = generate_gap_report(2025, warehouse=season, transport=transport)
    assert report.costs[SessionKey(2025, 1, "FP1")].usual == 0


def test_a_season_without_a_calendar_is_a_clear_error(warehouse):
    for ask in (detect_missing_races, detect_missing_sessions, detect_session_data_gaps, generate_gap_report):
        with pytest.raises(UsageError, match=r"no calendar of 1999.*f1-assets calendar 1999"):
            ask(1999, warehouse=warehouse)


def _events(warehouse):
    from f1_assets.warehouse.calendar import events_of

    return events_of(warehouse, 2025)


END = datetime(2026, 5, 3, 15, tzinfo=UTC)


def _fetched_after(*minutes):
    return [(END + timedelta(days=i), END + timedelta(days=i, minutes=wait)) for i, wait in enumerate(minutes)]


def test_the_delay_after_a_session_is_learned():
    assert publication_delay([]) == USUAL_DELAY
    assert publication_delay([(END, None), (END, END + timedelta(days=30))]) == USUAL_DELAY
    assert publication_delay(_fetched_after(25)) == timedelta(minutes=24)
    # One that came late raises it, once a quarter of the last ones did.
    assert publication_delay(_fetched_after(25, 25, 25, 25, 25, 25, 25, 45)) == timedelta(minutes=24)
    assert publication_delay(_fetched_after(25, 25, 25, 25, 25, 25, 45, 45)) == timedelta(minutes=44)
    assert publication_delay(_fetched_after(1)) == SHORTEST_DELAY
    assert publication_delay(_fetched_after(300)) == LONGEST_DELAY


def test_a_session_that_has_just_ended_is_not_asked_for_before_its_data_can_be_there(season):
    from f1_assets.planning import dataset_states

    session = _events(season)[0].sessions[0]
    for wait, status in ((10, Status.UPCOMING), (31, Status.MISSING)):
        states = dataset_states(season, [2025], named(["weather"]), session.end + timedelta(minutes=wait), session.key)
        assert states[0].status is status
    assert "expected from" in dataset_states(season, [2025], now=session.end + timedelta(minutes=1))[0].reason

import json
from datetime import UTC, datetime, timedelta

import pytest

from f1_assets.context import Context
from f1_assets.datasets import all_datasets, extracted_datasets
from f1_assets.feeds.table import LIVE_TIMING_HOST, Feed
from f1_assets.fetch.estimates import planned_urls
from f1_assets.fetch.folders import SessionFolders, live_timing_path
from f1_assets.fetch.raw_feeds import fetch_raw
from f1_assets.fetch.transport import Transport
from f1_assets.importing import expected_requests_of, process_session_gap, refresh_calendar, reserve_requests
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.planning.report import feeds_to_load_of
from f1_assets.simulator import SimulatedResponse, Simulator, SimulatorOptions
from f1_assets.warehouse.calendar import event_of, session_of
from f1_assets_tests.fetch.planned import SPRINT_WEEKEND, WEEKEND, requests_of, weekend
from f1_assets_tests.fetch.server import body, services, status

ALL = tuple(extracted_datasets())
NEW = ("pit_lane", "tyre_sets", "driver_race_info", "championship_prediction")


@pytest.fixture
def served():
    with services(Simulator(SimulatorOptions.parse("laps=6,samples_every=40,drivers=4"))) as running:
        yield running


@pytest.fixture
def transport(served, settings_of, ledger, sqlite_warehouse):
    made = Transport(settings_of(source=served.url), ledger)
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=made)
    served.asked.clear()
    yield made
    made.close()


@pytest.mark.parametrize(
    "datasets", [ALL, ("weather",), pytest.param(("laps", "circuit"), marks=pytest.mark.long, id="laps and circuit")]
)
@pytest.mark.parametrize(
    "text", ["2025-01-FP1", "2025-01-Q", "2025-01-R", "2025-02-S", "2025-02-SQ", "2023-02-SS", "2025-T1-1"]
)
def test_what_is_planned_is_what_fastf1_asks_for(transport, served, sqlite_warehouse, text, datasets):
    key = SessionKey.parse(text)
    if key.season != 2025:
        refresh_calendar(key.season, warehouse=sqlite_warehouse, transport=transport)
        served.asked.clear()
    event = event_of(sqlite_warehouse, key)
    session = next(listed for listed in event.sessions if listed.key == key)
    gap = SessionGap(key, datasets)
    expected = expected_requests_of(Context.open(warehouse=sqlite_warehouse, transport=transport), gap)
    process_session_gap(gap, warehouse=sqlite_warehouse, transport=transport)
    assert sorted(planned_urls(event, session, feeds_to_load_of(gap, event))) == sorted(served.asked)
    assert expected["any"] == len(served.asked)
    assert expected["jolpica"] == sum("jolpi.ca" in url for url in served.asked)


@pytest.mark.parametrize(
    ("season", "sessions", "before", "added"),
    [
        (2018, WEEKEND, 62, {"pit_lane": 1, "driver_race_info": 0, "championship_prediction": 0}),
        (2020, WEEKEND, 62, {"pit_lane": 1, "tyre_sets": 5, "driver_race_info": 1, "championship_prediction": 1}),
        (2024, SPRINT_WEEKEND, 64, {"pit_lane": 2, "tyre_sets": 5}),
        (2025, WEEKEND, 62, {"pit_lane": 2, "tyre_sets": 5}),
        (2025, SPRINT_WEEKEND, 64, {"pit_lane": 4, "tyre_sets": 5}),
        (2026, WEEKEND, 62, {"pit_lane": 2, "tyre_sets": 5}),
        (
            2026,
            SPRINT_WEEKEND,
            64,
            {"pit_lane": 4, "tyre_sets": 5, "driver_race_info": 1, "championship_prediction": 1},
        ),
    ],
)
def test_a_weekend_takes_at_most_75_requests(season, sessions, before, added):
    keys = weekend(season, sessions=sessions)
    assert requests_of(*keys) <= 75
    others = [name for name in ALL if name not in NEW]
    assert requests_of(*keys, datasets=others) == before
    for name, requests in added.items():
        assert requests_of(*keys, datasets=[*others, name]) - requests_of(*keys, datasets=others) == requests


def test_a_feed_that_says_the_same_is_asked_for_only_where_the_other_one_is_absent(transport, served):
    folder = "2025/2025-03-02_Meridian_Grand_Prix/2025-03-02_Race/"
    series, single = Feed.PIT_STOP_SERIES, Feed.PIT_STOP
    urls = {feed: f"https://{LIVE_TIMING_HOST}/static/{folder}{feed}.jsonStream" for feed in (series, single)}
    stop = b'01:08:00.675{"RacingNumber":"12","PitStopTime":"2.1"}\r\n'
    served.faults["/PitStop.jsonStream"] = lambda _answer: SimulatedResponse(200, {}, stop)
    with transport.loading(datetime(2025, 3, 2, 16, tzinfo=UTC)):
        assert list(fetch_raw(transport, urls)) == [series]
        assert len(served.asked) == 1
    served.faults["PitStopSeries"] = status(404)
    with transport.loading(datetime(2025, 3, 2, 16, tzinfo=UTC), renew={series}):
        assert fetch_raw(transport, urls) == {single: stop}


def _a_day_later(text):
    return (datetime.fromisoformat(text) + timedelta(days=1)).isoformat()


def test_a_postponed_session_is_loaded_from_the_folder_that_f1s_index_names(transport, served, sqlite_warehouse):
    """F1 keeps a session in the folder of the day that was planned: Sao Paulo 2024, Suzuka 2019."""

    def postponed(schedule):
        columns = json.loads(schedule)
        columns["session2_date"]["1"] = _a_day_later(columns["session2_date"]["1"])
        return json.dumps(columns).encode()

    def postponed_in_the_index(text):
        index = json.loads(text.decode("utf-8-sig"))
        entry = index["Meetings"][1]["Sessions"][1]
        entry["StartDate"], entry["EndDate"] = _a_day_later(entry["StartDate"]), _a_day_later(entry["EndDate"])
        return json.dumps(index).encode()

    key = SessionKey(2025, 1, "FP2")
    folder = live_timing_path(event_of(sqlite_warehouse, key), session_of(sqlite_warehouse, key))
    served.faults["schedule_2025"], served.faults["Index.json"] = body(postponed), body(postponed_in_the_index)
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport, renew=True)
    event, session = event_of(sqlite_warehouse, key), session_of(sqlite_warehouse, key)
    assert live_timing_path(event, session) != folder
    assert SessionFolders(transport.archive).of(event, session) == folder
    served.asked.clear()
    gap = SessionGap(key, ("track_status",))
    expected = expected_requests_of(Context.open(warehouse=sqlite_warehouse, transport=transport), gap)
    outcome = process_session_gap(gap, warehouse=sqlite_warehouse, transport=transport)
    assert expected["any"] == len(served.asked)
    assert all(folder in url for url in served.asked if "livetiming" in url)
    assert sqlite_warehouse.count(all_datasets()["track_status"], key) > 0, outcome


def test_a_session_that_was_loaded_from_another_folder_is_not_asked_for_again(transport, served, sqlite_warehouse):
    gap = SessionGap(SessionKey(2025, 1, "FP2"), ("track_status",))
    process_session_gap(gap, warehouse=sqlite_warehouse, transport=transport)

    def elsewhere(text):
        index = json.loads(text.decode("utf-8-sig"))
        entry = index["Meetings"][1]["Sessions"][1]
        entry["Path"] = entry["Path"].replace("Practice_2", "Practice")
        return json.dumps(index).encode()

    served.faults["Index.json"] = body(elsewhere)
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport, renew=True)
    assert expected_requests_of(Context.open(warehouse=sqlite_warehouse, transport=transport), gap) == {
        "any": 0,
        "jolpica": 0,
    }


def test_what_the_archive_has_costs_nothing_and_needs_no_reservation(transport, sqlite_warehouse):
    gap = SessionGap(SessionKey(2025, 1, "R"), ALL)
    assert reserve_requests(Context.open(warehouse=sqlite_warehouse, transport=transport), gap)
    process_session_gap(gap, warehouse=sqlite_warehouse, transport=transport)
    assert expected_requests_of(Context.open(warehouse=sqlite_warehouse, transport=transport), gap) == {
        "any": 0,
        "jolpica": 0,
    }
    assert reserve_requests(Context.open(warehouse=sqlite_warehouse, transport=transport), gap) is None


def test_only_what_is_missing_is_paid_for_again(transport, served, sqlite_warehouse):
    served.faults["WeatherData"] = status(500)
    gap = SessionGap(SessionKey(2025, 1, "R"), ALL)
    process_session_gap(gap, warehouse=sqlite_warehouse, transport=transport)
    again = SessionGap(gap.key, ("weather",))
    assert expected_requests_of(Context.open(warehouse=sqlite_warehouse, transport=transport), again)["any"] == 1


def test_past_loads_teach_what_absent_feeds_cost(transport, served, sqlite_warehouse):
    served.faults["LapCount"] = status(404)  # the mirror is asked too
    process_session_gap(SessionGap(SessionKey(2025, 1, "R"), ALL), warehouse=sqlite_warehouse, transport=transport)
    other = SessionGap(SessionKey(2025, 2, "R"), ALL)
    context = Context.open(warehouse=sqlite_warehouse, transport=transport)
    assert expected_requests_of(context, other)["any"] == requests_of(str(other.key)) + 1

import pytest

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets, derived_datasets, extracted_datasets, named
from f1_assets.datasets.definition import ALL_SESSIONS
from f1_assets.errors import UsageError
from f1_assets.feeds.table import Feed
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets_tests.fetch.server import services, status


def test_each_file_with_a_dataset_is_one():
    assert list(extracted_datasets()) == [
        "car_telemetry",
        "championship_prediction",
        "circuit",
        "constructor_standings",
        "driver_race_info",
        "driver_standings",
        "drivers",
        "intervals",
        "laps",
        "mini_sectors",
        "pit_lane",
        "position_telemetry",
        "qualifying_parts",
        "race_control_messages",
        "results",
        "session_info",
        "session_status",
        "team_radio",
        "track_status",
        "tyre_sets",
        "weather",
    ]
    assert list(all_datasets()) == [*extracted_datasets(), *derived_datasets()]


IN_LAKE = ("car_telemetry", "driver_race_info", "mini_sectors", "position_telemetry")


@pytest.mark.parametrize("dataset", all_datasets().values(), ids=all_datasets())
def test_a_dataset_says_all_of_itself(dataset):
    assert dataset.description.endswith(".")
    assert set(dataset.key) <= {column.name for column in dataset.columns}
    assert all(column.description for column in dataset.columns)
    assert dataset.sessions <= ALL_SESSIONS
    assert (dataset.table is None) == dataset.in_lake == (dataset.name in IN_LAKE)
    if dataset.table is not None:
        assert [c.name for c in dataset.table.primary_key] == ["season", "round", "session", *dataset.key]
    units = {
        "_ms": "ms",
        "_c": "°C",
        "_kmh": "km/h",
        "_mps": "m/s",
        "_deg": "°",
        "_pct": "%",
        "_m": "m",
        "_laps": "laps",
    }
    for column in dataset.columns:
        for ending, unit in units.items():
            if column.name.endswith(ending):
                assert column.unit == unit, column.name


@pytest.mark.parametrize("dataset", all_datasets().values(), ids=all_datasets())
def test_a_description_lists_all_values_that_a_column_may_have(dataset):
    for column in dataset.columns:
        assert all(value in column.description for value in column.values), column.name


SIMULATED = "races=2,tests=0,laps=30,samples_every=50,drivers=8,seed=4"


@pytest.fixture(scope="module")
def season(tmp_path_factory):
    """What a simulated weekend holds: its rows by dataset and session."""
    settings = load_settings(home=tmp_path_factory.mktemp("home"), source="simulator", simulator=SIMULATED)
    warehouse, transport = connect(settings), Transport(settings)
    refresh_calendar(2025, warehouse=warehouse, transport=transport)
    rows = {}
    # Before the first race of a season nobody has a place in a championship.
    later = (2, "R", ("results", "driver_standings", "standings_projection"))
    for number, session, names in (later, *((1, session, tuple(all_datasets())) for session in ("R", "Q", "FP1"))):
        gap = SessionGap(SessionKey(2025, number, session), names)
        outcome = process_session_gap(gap, warehouse=warehouse, transport=transport)
        assert outcome.failed == ()
        rows |= {(name, f"{number} {session}"): warehouse.rows(name, gap.key) for name in outcome.extracted}
    transport.close()
    # What is asked for instead of another feed has values only where that one is absent.
    with services(Simulator(SimulatorOptions.parse(SIMULATED))) as served:
        served.faults = {"/DriverRaceInfo.jsonStream": status(404)}
        transport = Transport(load_settings(home=tmp_path_factory.mktemp("without"), source=served.url))
        refresh_calendar(2026, warehouse=warehouse, transport=transport)
        gap = SessionGap(SessionKey(2026, 1, "R"), ("driver_race_info",))
        assert process_session_gap(gap, warehouse=warehouse, transport=transport).failed == ()
        rows["driver_race_info", "without its feed"] = warehouse.rows("driver_race_info", gap.key)
        transport.close()
    yield rows
    warehouse.close()


@pytest.mark.parametrize("name", all_datasets())
def test_every_column_has_a_value_somewhere_in_a_simulated_season(season, name):
    frames = [frame for (dataset, _), frame in season.items() if dataset == name]
    empty = [c.name for c in all_datasets()[name].columns if not any(f[c.name].notna().any() for f in frames)]
    assert empty == []


def test_rows_have_the_types_and_values_of_the_registry(season):
    for (name, _), frame in season.items():
        dataset = all_datasets()[name]
        assert (dataset.typed(frame).dtypes == frame.dtypes).all()
        for column in dataset.columns:
            assert not column.values or set(frame[column.name].dropna()) <= set(column.values), column.name


def test_a_session_without_rows_has_the_types_too(sqlite_warehouse):
    for name, dataset in all_datasets().items():
        empty = sqlite_warehouse.rows(name, "2025-02-R")
        assert empty.empty
        assert (dataset.typed(empty).dtypes == empty.dtypes).all()


def test_laps_have_all_31_columns_of_fastf1_and_the_time_of_day():
    assert len(all_datasets()["laps"].columns) == 31 + 1


@pytest.mark.parametrize("dataset", extracted_datasets().values(), ids=extracted_datasets())
def test_a_dataset_is_of_seasons_and_sessions_that_have_its_feeds(dataset):
    for feed in dataset.feeds:
        assert dataset.first_season >= (feed.spec.since or 0)
        assert feed.spec.sessions is None or dataset.sessions <= feed.spec.sessions


def test_a_dataset_whose_rows_have_times_of_day_asks_for_the_clock():
    timed = {name for name, dataset in extracted_datasets().items() if dataset.has_clock}
    assert {"laps", "weather", "pit_lane"} <= timed
    assert {name for name in timed if Feed.SESSION_DATA not in all_datasets()[name].optional_feeds} == set()


def test_a_dataset_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(UsageError, match=r"no dataset 'telemetry'.*weather"):
        named("laps,telemetry")


@pytest.mark.parametrize(
    ("dataset", "key", "live", "ends_season", "words"),
    [
        ("results", "2024-01-FP1", True, False, "FP1 session has no results"),
        ("results", "2026-T1-1", True, False, "tests have no results"),
        ("laps", "2017-01-R", False, False, "before 2018"),
        ("laps", "2020-T1-1", False, False, "does not cover"),
        ("results", "1979-01-R", False, False, None),
        ("laps", "2024-01-FP1", True, False, None),
        ("driver_standings", "2024-01-Q", True, False, "Q session has no driver_standings"),
        ("driver_standings", "2024-01-R", True, False, None),
        ("driver_standings", "2017-01-R", False, False, "of the last race of a season alone"),
        ("driver_standings", "1950-07-R", False, True, None),
        ("constructor_standings", "1957-08-R", False, True, "before 1958"),
        ("constructor_standings", "1958-11-R", False, True, None),
        ("driver_race_info", "2019-01-R", True, False, "before 2020"),
        ("driver_race_info", "2020-01-R", True, False, None),
        ("driver_race_info", "2025-02-S", True, False, "S session has no driver_race_info"),
        ("championship_prediction", "2025-02-Q", True, False, "Q session has no"),
        ("tyre_sets", "2019-01-R", True, False, "before 2020"),
        ("tyre_sets", "2020-01-FP1", True, False, None),
        ("pit_lane", "2024-01-Q", True, False, "Q session has no pit_lane"),
        ("pit_lane", "2018-01-R", True, False, None),
        ("pit_lane", "2021-10-S", True, False, None),
    ],
)
def test_what_a_session_cannot_have_is_not_applicable(dataset, key, live, ends_season, words):
    reason = all_datasets()[dataset].why_not_applicable(SessionKey.parse(key), live, ends_season)
    assert (reason is None) if words is None else (words in reason)

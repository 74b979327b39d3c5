"""What `connect()` gives: typed rows of what is meant, or why they are not there; nothing that writes."""

import warnings
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

import f1_assets
from f1_assets.analysis.schemas import schema_of_files, schema_of_table
from f1_assets.connection import connect as open_warehouse
from f1_assets.datasets import all_datasets, every_dataset, season_datasets
from f1_assets.errors import UsageError
from f1_assets.importing.derived import compute_season
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.planning.absences import NotStored
from f1_assets.reader import MissingDataWarning, Reader, connect
from f1_assets.settings import load_settings
from f1_assets.warehouse import Extraction, Status
from f1_assets_tests.analysis.home import FRAME_TYPES, RACE, WITH_ROWS, make_home
from f1_assets_tests.warehouse.seasons import a_season, store

NAMES = list(every_dataset())
FIRST, SECOND = SessionKey(2024, 1, "R"), SessionKey(2024, 2, "R")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with one race, and what is computed over the season."""
    folder = make_home(tmp_path_factory.mktemp("home"))
    warehouse = open_warehouse(load_settings(home=folder))
    assert [line.status for line in compute_season(warehouse, SeasonKey(2025), ["driver_seasons"])] == ["present"]
    warehouse.close()
    return folder


@pytest.fixture(scope="module")
def season(home):
    with connect(load_settings(home=home)) as opened:
        yield opened


@pytest.fixture
def small(sqlite_warehouse):
    return _small(sqlite_warehouse)


def _small(warehouse):
    """Make two races: the first is stored with laps of two drivers, the second with laps of one of them."""
    store(warehouse, a_season())
    _store(warehouse, FIRST, [("1", "VER", "Max Verstappen"), ("44", "HAM", "Lewis Hamilton")])
    _store(warehouse, SECOND, [("33", "VER", "Max Verstappen")])
    return Reader(warehouse)


def _store(warehouse, key, drivers):
    numbers, letters, names = zip(*drivers, strict=True)
    entries = pd.DataFrame({"driver_number": numbers, "abbreviation": letters, "full_name": names})
    _replace(warehouse, key, "drivers", entries)
    laps = pd.DataFrame({"driver_number": [*numbers, *numbers], "lap_number": [1] * len(numbers) + [2] * len(numbers)})
    _replace(warehouse, key, "laps", laps)


def _replace(warehouse, key, name, frame):
    dataset = all_datasets()[name]
    rows = dataset.conform(frame.convert_dtypes(), key)
    warehouse.replace(key, dataset, rows, Extraction(key, name, Status.PRESENT, version=dataset.version))


def _of(name):
    return 2025 if every_dataset()[name].per == "season" else RACE


def _laps(frame):
    return list(zip(frame["round"], frame["driver_number"], frame["lap_number"], strict=True))


# What is returned


@pytest.mark.parametrize("name", [name for name in NAMES if name in WITH_ROWS or name in season_datasets()])
def test_rows_methods_arrow_and_sql_have_the_types_of_the_registry_also_without_rows(season, name):
    dataset = every_dataset()[name]
    fields = [*dataset.first_columns, *dataset.columns]
    types = {column.name: FRAME_TYPES[column.type] for column in fields}
    schema = schema_of_files(dataset) if dataset.table is None else schema_of_table(dataset.table)
    rows, none = season.rows(name, _of(name)), season.rows(dataset, _of(name), limit=0)
    of_method, table = getattr(season, name)(_of(name)), season.arrow(name, _of(name))
    assert [frame.dtypes.astype(str).to_dict() for frame in (rows, none, of_method)] == [types] * 3
    assert table.schema == season.arrow(name, _of(name), limit=0).schema == schema
    assert len(none) == 0
    pd.testing.assert_frame_equal(of_method, rows)
    stored = season.warehouse.rows(dataset, _of(name))
    assert len(rows) == table.num_rows == len(stored) > 0
    for column in types:
        there = stored[column].notna().to_numpy()
        assert rows[column].notna().to_numpy().tolist() == there.tolist()
        assert rows[column][there].tolist() == stored[column][there].tolist()
        assert pd.Series(table[column].to_pylist(), dtype=object)[there].tolist() == stored[column][there].tolist()


def test_text_and_fractions_compare_and_group_as_an_analyst_expects(season):
    laps = season.laps("2025-01-R").sort_values(["abbreviation", "lap_number"])
    is_first = laps["abbreviation"] != laps["abbreviation"].shift()
    assert (is_first.dtype, is_first.sum()) == (bool, laps["driver_number"].nunique())
    assert is_first.iloc[0]
    assert laps.groupby(is_first.cumsum())["lap_number"].max().tolist() == [
        group["lap_number"].max() for _, group in laps.groupby("abbreviation")
    ]
    assert laps[["speed_st_kmh"]].to_numpy().dtype == float
    assert laps["lap_time_ms"].mean() == laps["lap_time_ms"].dropna().astype(int).mean()


def test_several_sessions_rounds_names_and_drivers_are_asked_for_at_once(warehouse):
    small = _small(warehouse)
    both = [(1, "1", 1), (1, "1", 2), (1, "44", 1), (1, "44", 2), (2, "33", 1), (2, "33", 2)]
    of_verstappen = [lap for lap in both if lap[1] != "44"]
    assert _laps(small.laps([FIRST, "2024-02-R"])) == both
    assert _laps(small.laps(["2024-02-R", "2024-01-R"])) == both[4:] + both[:4]
    assert _laps(small.laps([FIRST, SECOND], limit=5)) == both[:5]
    assert _laps(small.laps([FIRST, SECOND], limit=4)) == both[:4]
    for driver in ("VER", "ver", "Verstappen", "max verstappen", ["VER"]):
        assert _laps(small.rows("laps", [FIRST, SECOND], driver=driver)) == of_verstappen
    assert _laps(small.rows("laps", [FIRST, SECOND], driver=33)) == both[4:]
    assert _laps(small.rows("laps", [FIRST, SECOND], driver=["HAM", 33])) == both[2:]
    with pytest.warns(MissingDataWarning):
        assert _laps(small.laps("2024 Jeddah", driver="VER")) == both[4:]
    with pytest.warns(MissingDataWarning):
        assert _laps(small.laps(2024)) == both
    laps = small.laps(FIRST, columns=["lap_number", "season"], driver="HAM")
    assert list(laps.columns) == ["lap_number", "season"]
    assert laps["lap_number"].tolist() == [1, 2]
    assert small.laps(FIRST, columns="lap_number").columns.tolist() == ["lap_number"]


def test_rows_of_the_lake_and_of_pairs_and_standings_are_found_by_driver_too(season):
    first = season.drivers(RACE, limit=1).iloc[0]
    for name in ("car_telemetry", "position_telemetry"):
        samples = season.rows(name, "2025-01-R", driver=first["abbreviation"], limit=3)
        assert samples["driver_number"].tolist() == [first["driver_number"]] * 3
        assert list(season.rows(name, RACE, columns=["session"], limit=1)["session"]) == ["R"]
    pair = season.teammate_gaps(RACE).iloc[0]
    assert len(season.teammate_gaps(RACE, driver=[pair["driver"]])) == 1
    assert len(season.teammate_gaps(RACE, driver=pair["teammate"])) == 1
    for frame in (
        season.driver_standings(RACE, driver=first["abbreviation"]),
        season.driver_seasons(2025, driver=int(first["driver_number"])),
        season.results(RACE, driver=first["driver_id"]),
    ):
        assert frame["driver_id"].tolist() == [first["driver_id"]]


def test_a_result_without_car_numbers_is_found_by_the_name_in_it(warehouse):
    """Results before 2018 have drivers whose number nobody knows."""
    store(warehouse, a_season())
    frame = pd.DataFrame(
        {"entry": [1, 2], "driver_id": ["moss", "fangio"], "full_name": ["Stirling Moss", "J M Fangio"]}
    )
    _replace(warehouse, FIRST, "results", frame)
    for driver in ("Fangio", "fangio", "J M Fangio"):
        assert Reader(warehouse).results(FIRST, driver=driver)["entry"].tolist() == [2]


def test_rows_say_who_the_car_numbers_are(season):
    letters = season.drivers(RACE).set_index("driver_number")
    stints = season.stints(RACE, with_drivers=True)
    assert list(stints.columns) == [*season.stints(RACE).columns, "abbreviation", "team_name"]
    for name in ("abbreviation", "team_name"):
        assert stints[name].tolist() == stints["driver_number"].map(letters[name]).tolist()
    pairs = season.teammate_gaps(RACE, with_drivers=True)
    assert list(pairs.columns)[-2:] == ["driver_abbreviation", "teammate_abbreviation"]
    assert pairs["teammate_abbreviation"].tolist() == pairs["teammate"].map(letters["abbreviation"]).tolist()
    table = season.arrow("stints", RACE, with_drivers=True, columns=["laps"], limit=2)
    assert table.column_names == ["laps", "abbreviation", "team_name"]
    assert table["abbreviation"].to_pylist() == stints["abbreviation"].tolist()[:2]
    samples = season.car_telemetry(RACE, limit=1, with_drivers=True)
    assert samples["abbreviation"].tolist() == samples["driver_number"].map(letters["abbreviation"]).tolist()
    context = season.lap_context(RACE, with_drivers=True)
    assert context["driver_ahead_abbreviation"].isna().tolist() == context["driver_ahead"].isna().tolist()
    laps = season.laps(RACE, with_drivers=True)
    assert list(laps.columns) == list(season.laps(RACE).columns)  # they have both already
    none = season.overtakes(RACE, with_drivers=True)
    assert none.dtypes.astype(str)["overtaken_abbreviation"] == "str"


def test_a_car_number_is_that_of_its_own_session_and_an_unknown_one_is_missing(small):
    for key, numbers in ((FIRST, ["1", "99"]), (SECOND, ["1", "33"])):
        _replace(small.warehouse, key, "pit_stops", pd.DataFrame({"driver_number": numbers, "lap_number": [1, 1]}))
    stops = small.pit_stops([FIRST, SECOND], with_drivers=True)
    assert stops["abbreviation"].fillna("").tolist() == ["VER", "", "", "VER"]


def test_swaps_are_found_by_either_driver(small):
    swaps = pd.DataFrame({"lap_number": [1, 2], "gained_by": ["1", "44"], "lost_by": ["44", "5"]})
    _replace(small.warehouse, FIRST, "position_changes", swaps)
    assert small.position_changes(FIRST, driver="HAM")["lap_number"].tolist() == [1, 2]
    assert small.position_changes(FIRST, driver="VER")["lap_number"].tolist() == [1]


def test_views_are_read_by_name(season):
    with pytest.warns(MissingDataWarning):
        teams = season.rows("teams", 2025)
    assert set(teams["team_name"]) == set(season.drivers(RACE)["team_name"])
    assert teams.dtypes.astype(str).to_dict()["season"] == "Int64"


# What is not there


def test_nothing_stored_is_an_error_that_says_why_and_what_to_run(season, small):
    with pytest.raises(NotStored) as refused:
        season.laps("2025-01-Q")
    words = "2025-01-Q laps is missing. Run: f1-assets import 2025 --round 1 --session Q --dataset laps"
    assert (str(refused.value), [each.status for each in refused.value.absences]) == (words, [Status.MISSING])
    with pytest.raises(NotStored, match=r"2025-01-Q pit_stops is not applicable: a Q session has no pit_stops\.$"):
        season.pit_stops("2025-01-Q")
    words = r"stints is missing: it is computed from laps \(missing\)\. Run: f1-assets import 2025 .*Q$"
    with pytest.raises(NotStored, match=words):
        season.arrow("stints", "2025-01-Q")
    with pytest.raises(NotStored) as refused:
        season.car_telemetry(["2025-01-Q", "2025-01-FP1"])
    assert str(refused.value).splitlines() == [
        "Nothing of car_telemetry is stored of these 2: 2 missing.",
        "2025-01-Q car_telemetry is missing.",
        "2025-01-FP1 car_telemetry is missing.",
        "Run: f1-assets import 2025 --dataset car_telemetry",
    ]
    words = r"(?s)of these 10: 5 not applicable, 5 missing.\n2024-01-R race_pace is missing"
    with pytest.raises(NotStored, match=words):
        small.race_pace(2024)
    with pytest.raises(NotStored, match="2024 driver_seasons is missing: it is computed from results"):
        small.driver_seasons(2024)


def test_what_failed_is_unavailable_or_is_still_to_come_says_so(sqlite_warehouse):
    store(sqlite_warehouse, a_season())
    reader, soon = Reader(sqlite_warehouse), datetime.now(UTC) + timedelta(days=2)
    for status, reason, at in (
        (Status.UNAVAILABLE, "upstream has none", None),
        (Status.FAILED, "it is odd", None),
        (Status.FAILED, "HTTP 503", soon),
        (Status.BLOCKED_AUTH, "refused", None),
    ):
        sqlite_warehouse.note(Extraction(FIRST, "weather", status, reason=reason, next_try_at=at))
        with pytest.raises(NotStored) as refused:
            reader.weather(FIRST)
        again = "f1-assets retry 2024-01-R --dataset weather, then f1-assets import 2024 --round 1 --session R"
        advice = {
            "refused": "f1-assets health says",
            "HTTP 503": f"It is asked for again after {soon:%Y-%m-%d %H:%M} UTC.",
        }.get(reason, f"To ask again: {again} --dataset weather")
        assert f"is {status.replace('_', ' ')}: {reason}. {advice}" in str(refused.value)
    store(sqlite_warehouse, a_season(datetime.now(UTC).year + 2))
    with pytest.raises(NotStored, match="is upcoming: the session ends"):
        reader.weather(f"{datetime.now(UTC).year + 2}-01-R")


def test_what_is_there_in_part_comes_with_one_warning_and_what_is_missing(season, small):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        laps = season.laps("2025-01")
        table = season.arrow("laps", 2025)
        stops, alone = season.pit_stops(2025), season.laps(RACE)
    assert [(each.category, each.filename) for each in caught] == [(MissingDataWarning, __file__)] * 2
    words = '4 are missing, see attrs["missing"]; the first: 2025-01-FP1 laps is missing.'
    assert str(caught[0].message).startswith(words)
    assert list(laps.attrs["missing"]) == ["2025-01-FP1", "2025-01-FP2", "2025-01-FP3", "2025-01-Q"]
    assert laps.attrs["missing"]["2025-01-Q"]["status"] == "missing"
    assert b"2025-01-FP1" in table.schema.metadata[b"missing"]
    assert alone.attrs == stops.attrs == {}  # practice cannot have pit stops
    with pytest.warns(MissingDataWarning, match=r"^2025-01-Q pit_stops is not applicable"):
        assert "2025-01-Q" in season.pit_stops([RACE, "2025-01-Q"]).attrs["missing"]
    with pytest.warns(MissingDataWarning, match="^8 are missing"):
        small.laps(2024)


def test_what_is_upcoming_is_noted_without_a_warning(sqlite_warehouse):
    year = datetime.now(UTC).year + 2
    store(sqlite_warehouse, a_season(year))
    key = SessionKey(year, 1, "R")
    _store(sqlite_warehouse, key, [("1", "VER", "Max Verstappen")])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        laps = Reader(sqlite_warehouse).laps(year)
    assert {each["status"] for each in laps.attrs["missing"].values()} == {"upcoming"}
    assert len(laps) == 2


def test_a_dataset_that_is_stored_without_rows_is_no_error(small):
    _replace(small.warehouse, FIRST, "neutralisations", pd.DataFrame({"start_ms": []}))
    assert (len(small.neutralisations(FIRST)), small.neutralisations(FIRST).attrs) == (0, {})


@pytest.mark.parametrize(
    ("name", "what", "options", "words"),
    [
        ("nothing", 2025, {}, "There is no dataset 'nothing'. There are: car_telemetry, "),
        ("laps", 2025, {"columns": ["nothing"]}, "laps has no column 'nothing'. There are: season, round, session, "),
        ("laps", RACE, {"driver": "Nobody"}, "No driver is called 'Nobody' there. There are: ALD, BRI, COR, DUN."),
        ("weather", RACE, {"driver": "ALD"}, "The rows of weather are not of drivers"),
        ("weather", RACE, {"with_drivers": True}, "The rows of weather have no car numbers: leave with_drivers= out."),
        ("driver_seasons", 2025, {"with_drivers": True}, "The rows of driver_seasons have no car numbers"),
        ("car_telemetry", "2025-R", {}, "car_telemetry of a season is too much for a frame."),
        ("car_telemetry", 2025, {}, "car_telemetry of a season is too much for a frame. Name a session or a round"),
        ("driver_seasons", "2025-01-R", {}, "driver_seasons is computed over a season. Name the season: 2025."),
    ],
)
def test_what_cannot_be_answered_says_what_there_is(season, name, what, options, words):
    with pytest.raises(UsageError) as refused:
        season.rows(name, what, **options)
    assert words in str(refused.value)
    assert not isinstance(refused.value, NotStored)


# Standings, calendar, and the reader itself


def test_standings_are_those_after_the_last_stored_race(season, small):
    drivers = season.standings(2025)
    pd.testing.assert_frame_equal(drivers, season.driver_standings(RACE))
    pd.testing.assert_frame_equal(season.standings("2025", of="constructors"), season.constructor_standings(RACE))
    for after, place in ((FIRST, 1), (SECOND, 2)):
        frame = pd.DataFrame({"driver_id": ["a", "b"], "position": [place, 3 - place], "points": [1.5, 0.5]})
        _replace(small.warehouse, after, "driver_standings", frame)
    with pytest.warns(MissingDataWarning, match="^3 are missing"):
        last = small.standings(2024)
    assert list(last.attrs["missing"]) == ["2024-03-R", "2024-04-R", "2024-05-R"]
    assert list(zip(last["round"], last["position"], last["driver_id"], strict=True)) == [(2, 1, "b"), (2, 2, "a")]
    assert small.standings(2024, after=1)["driver_id"].tolist() == ["a", "b"]
    with pytest.raises(NotStored, match="2024-03-R driver_standings is missing"):
        small.standings(2024, after=3)
    with pytest.raises(NotStored, match="Nothing of constructor_standings is stored of these 5"):
        small.standings(2024, of="constructors")
    with pytest.raises(UsageError, match=r"no championship of 'tyres'\. There are: drivers, constructors"):
        small.standings(2024, of="tyres")


def test_the_calendar_has_a_row_per_session_in_order(season, small):
    calendar = season.calendar(2025)
    assert calendar["session"].tolist() == ["FP1", "FP2", "FP3", "Q", "R"]
    assert calendar["start_utc"].is_monotonic_increasing
    assert set(calendar["event_name"]) == {"Meridian Grand Prix"}
    assert set(calendar.dtypes.astype(str)) == {"Int64", "str", "boolean", "datetime64[ns, UTC]"}
    assert len(small.calendar([2024])) == 10
    with pytest.raises(UsageError, match="2023"):
        season.calendar(2023)


@pytest.mark.parametrize("name", NAMES)
def test_each_method_documents_its_dataset_with_columns_and_units(name):
    dataset, words = every_dataset()[name], getattr(Reader, name).__doc__
    assert words.startswith(f"Return one row per {dataset.row}.\n")
    assert "".join(dataset.description.split()) in "".join(words.split())
    for column in dataset.columns:
        assert f"\n{column.name} : {column.type}{f', {column.unit}' if column.unit else ''}\n" in words
    assert getattr(Reader, name).__name__ == name


def test_it_says_where_it_is_and_what_it_has(season, small):
    words = repr(season)
    assert str(season.warehouse.engine.url.database) in words
    assert "Seasons: 2025 (1 of 5 sessions)" in words
    assert "laps 1, " in words
    assert "driver_seasons 1" in words
    assert "Seasons: 2024 (2 of 10 sessions)" in repr(small)
    assert "drivers 2, laps 2" in repr(small)


def test_an_empty_and_an_unreadable_warehouse_say_so(sqlite_warehouse, tmp_path):
    assert repr(Reader(sqlite_warehouse)).endswith("It is empty. Run: f1-assets import 2024")
    sqlite_warehouse.close()
    for file in (tmp_path / "home").glob("warehouse.db*"):
        file.unlink()
    assert "It cannot be read: " in repr(Reader(sqlite_warehouse))


def test_it_has_no_method_that_writes_and_is_what_the_package_gives(season, home):
    public = {name for name in dir(season) if not name.startswith("_")}
    assert public == {
        *("warehouse", "close", "rows", "arrow", "telemetry", "compare", "sql", "calendar", "standings"),
        *every_dataset(),
    }
    assert f1_assets.connect is connect
    with f1_assets.connect(load_settings(home=home)) as opened:
        assert isinstance(opened, Reader)
        assert len(opened.telemetry("2025-01-R", season.drivers(RACE)["abbreviation"][0])) > 0

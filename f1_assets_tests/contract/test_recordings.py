"""Every value of every dataset of every recorded session, against what plain FastF1 gives for it."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from f1_assets.connection import connect, connect_as_it_is
from f1_assets.datasets import all_datasets
from f1_assets.datasets.checking import AS_STORED, State, check_session, why_short
from f1_assets.datasets.definition import Severity
from f1_assets.feeds.spec import Load
from f1_assets.feeds.table import feed_of, is_live_timing
from f1_assets.fetch.sources import Recording
from f1_assets.health.integrity import integrity
from f1_assets.keys import SessionKey
from f1_assets.settings import load_settings
from f1_assets.warehouse import Status
from f1_assets.warehouse.calendar import event_of
from f1_assets_tests.contract import plain_fastf1
from f1_assets_tests.contract.recorded import AGAIN, DATASETS, ROWS, Recorded, of_keys
from f1_assets_tests.fetch.planned import planned

pytestmark = pytest.mark.xdist_group("recordings")


@pytest.mark.parametrize("key", of_keys(ROWS))
def test_rows_per_dataset(recorded, key):
    first, _ = recorded[key]
    rows = {line.dataset: line.rows if line.status is Status.PRESENT else None for line in first.datasets}
    assert tuple(rows[name] for name in DATASETS) == ROWS[key]


@pytest.mark.parametrize("key", of_keys(ROWS))
def test_requests_are_those_of_one_load_plus_the_circuit_and_none_the_second_time(recorded, plain, key):
    first, again = recorded[key]
    knows_circuit = event_of(recorded.warehouse, SessionKey.parse(key)).circuit_key or plain[key].loaded("session_info")
    circuit = 1 if knows_circuit else 0
    # The recordings have no telemetry, radio and pit feeds: each is asked for twice, for it may be on the mirror.
    raw_feeds = sum(feed_of(url).spec.load is Load.ITSELF and is_live_timing(url) for url in planned(key))
    raw_feeds += raw_feeds > 0  # without telemetry, SessionData is asked for instead
    standings = 2 if key.endswith("-R") else 0
    assert first.requests == len(plain[key].urls) + circuit + 2 * raw_feeds + standings
    if key in AGAIN:
        assert again.requests == 0
        assert again.extracted == first.extracted


@pytest.mark.long
def test_postgresql_keeps_every_value_as_sqlite_does(recorded, recordings, postgres_url, tmp_path_factory):
    source = f"recording:{recordings}"
    settings = load_settings(home=tmp_path_factory.mktemp("home"), source=source, database_url=postgres_url)
    connect_as_it_is(settings).upgrade()
    warehouse = connect(settings)
    on_postgresql = Recorded(warehouse, settings, tmp_path_factory.mktemp)
    for key in AGAIN:
        for outcome, on_sqlite in zip(on_postgresql[key], recorded[key], strict=True):
            assert (outcome.extracted, outcome.requests) == (on_sqlite.extracted, on_sqlite.requests), key
        for name in all_datasets():
            pd.testing.assert_frame_equal(
                warehouse.rows(name, key), recorded.warehouse.rows(name, key), obj=f"{key} {name}"
            )
    assert integrity(warehouse) == []
    warehouse.close()


@pytest.mark.parametrize("key", ["2020-07-R", "2020-08-R", "2021-10-R", "2021-21-R"])
def test_sessions_without_timing_keep_the_rest_and_say_why_laps_are_unavailable(recorded, key):
    first, _ = recorded[key]
    lines = {line.dataset: line for line in first.datasets}
    assert lines["laps"].status is Status.UNAVAILABLE
    assert "TimingData" in lines["laps"].reason
    assert lines["race_control_messages"].status is Status.PRESENT
    assert lines["weather"].status is Status.PRESENT
    assert first.status == "success"


LAP_TIMES = {
    "session_time_ms": "Time",
    "lap_time_ms": "LapTime",
    "sector1_time_ms": "Sector1Time",
    "sector2_time_ms": "Sector2Time",
    "sector3_time_ms": "Sector3Time",
    "sector1_session_time_ms": "Sector1SessionTime",
    "sector2_session_time_ms": "Sector2SessionTime",
    "sector3_session_time_ms": "Sector3SessionTime",
    "lap_start_time_ms": "LapStartTime",
    "pit_out_time_ms": "PitOutTime",
    "pit_in_time_ms": "PitInTime",
}
LAP_VALUES = {
    "driver_number": "DriverNumber",
    "lap_number": "LapNumber",
    "abbreviation": "Driver",
    "team_name": "Team",
    "stint": "Stint",
    "speed_i1_kmh": "SpeedI1",
    "speed_i2_kmh": "SpeedI2",
    "speed_fl_kmh": "SpeedFL",
    "speed_st_kmh": "SpeedST",
    "is_personal_best": "IsPersonalBest",
    "compound": "Compound",
    "tyre_life_laps": "TyreLife",
    "track_status": "TrackStatus",
    "position": "Position",
    "deleted": "Deleted",
    "deleted_reason": "DeletedReason",
    "fastf1_generated": "FastF1Generated",
    "is_accurate": "IsAccurate",
}


TRAPS = {"I1": "speed_i1_kmh", "I2": "speed_i2_kmh", "FL": "speed_fl_kmh", "ST": "speed_st_kmh"}

ON_PURPOSE = {
    ("drivers", "full_name"): "the text None stands for a name that is missing",
    ("laps", "compound"): "tyres that were not announced for a stint are not those of the stint before",
    ("laps", "deleted"): "deletions without a time, of 10 minutes and more, and of the one lap that is meant",
    ("laps", "fresh_tyre"): "tyres that nobody reported are not fresh",
    ("laps", "lap_start_utc"): "FastF1 knows it only with telemetry of its own",
    ("laps", "speed_*_kmh"): "a trap that is silent for all cars is filled with its last value",
    ("laps", "stint"): "stints are counted by pit stops, also where the first was not announced",
    ("laps", "tyre_life_laps"): "tyres that are known late are counted from when they became known",
    ("race_control_messages", "driver_number"): "the car stands in the message's words only",
    ("results", "time_ms"): "Jolpica's gaps and laps behind are taken for total times",
}
"""Columns in which we differ from FastF1 on purpose, and what FastF1 makes of them."""

REFUSED = {"2024-02-FP2": [10], "2024-02-FP3": [23], "2025-16-FP1": list(range(35, 46))}
"""Messages of the series that follow, by their place in the feed."""


def _with(column):
    return of_keys([key for key, rows in ROWS.items() if rows[column] is not None])


@pytest.mark.parametrize("key", _with(3))
def test_laps(recorded, plain, recordings, key):
    theirs = plain[key].loaded("laps")
    expected = pd.DataFrame({ours: _ms(theirs[name]) for ours, name in LAP_TIMES.items()})
    expected = expected.assign(**{ours: _known(theirs[name]) for ours, name in LAP_VALUES.items()})
    expected["tyre_life_laps"] = _tyre_life_since_fitted(theirs)
    timing = _recorded_lines(recordings, plain[key], "TimingData")
    for trap, column in TRAPS.items():
        expected[column] = _unless_silent(expected, column, trap, timing)
    no_tyre = [pd.isna(c) or pd.isna(t) for c, t in zip(expected["compound"], expected["tyre_life_laps"], strict=True)]
    fresh = _known(theirs["FreshTyre"])
    expected["fresh_tyre"] = [None if unknown else value for unknown, value in zip(no_tyre, fresh, strict=True)]
    _compare(recorded, key, "laps", expected)


@pytest.mark.parametrize("key", _with(8))
def test_weather(recorded, plain, key):
    theirs = plain[key].loaded("weather_data")
    _compare(
        recorded,
        key,
        "weather",
        pd.DataFrame(
            {
                "session_time_ms": _ms(theirs["Time"]),
                "air_temperature_c": _known(theirs["AirTemp"]),
                "track_temperature_c": _known(theirs["TrackTemp"]),
                "humidity_pct": _known(theirs["Humidity"]),
                "pressure_mbar": _known(theirs["Pressure"]),
                "rainfall": _known(theirs["Rainfall"]),
                "wind_direction_deg": _known(theirs["WindDirection"]),
                "wind_speed_mps": _known(theirs["WindSpeed"]),
            }
        ),
    )


@pytest.mark.parametrize("key", _with(4))
def test_race_control_messages(recorded, plain, key):
    everything = plain[key].loaded("race_control_messages")
    theirs = everything.drop(index=[place - 1 for place in REFUSED.get(key, [])])
    said = {line.dataset: line.notes for line in recorded[key][0].datasets}["race_control_messages"]
    assert (json.loads(said)["refused"]["after the session's end"]["rows"] if said else 0) == len(everything) - len(
        theirs
    )
    _compare(
        recorded,
        key,
        "race_control_messages",
        pd.DataFrame(
            {
                "message_number": range(1, len(theirs) + 1),
                "utc": [time.tz_localize("UTC") for time in theirs["Time"]],
                "lap_number": _known(theirs["Lap"] if "Lap" in theirs else pd.Series([None] * len(theirs))),
                "category": _known(theirs["Category"]),
                "message": _known(theirs["Message"]),
                "status": _known(theirs["Status"]),
                "flag": _known(theirs["Flag"]),
                "scope": _known(theirs["Scope"]),
                "sector": _known(theirs["Sector"]),
                "driver_number": [
                    _named_car(words) if number is None else number
                    for number, words in zip(_known(theirs["RacingNumber"]), theirs["Message"], strict=True)
                ],
            }
        ),
    )


@pytest.mark.parametrize(
    ("key", "name"),
    [
        pytest.param(*key.values, name, marks=key.marks)
        for name in ("session_status", "track_status")
        for key in _with(DATASETS.index(name))
    ],
)
def test_statuses(recorded, plain, key, name):
    theirs = plain[key].loaded(name)
    expected = pd.DataFrame({"session_time_ms": _ms(theirs["Time"]), "status": _known(theirs["Status"])})
    expected["change_number"] = range(1, len(expected) + 1)
    if name == "track_status":
        expected["message"] = _known(theirs["Message"])
    _compare(recorded, key, name, expected)


@pytest.mark.parametrize("key", _with(1))
def test_drivers(recorded, plain, key):
    theirs = plain[key].session.results
    columns = {
        "driver_number": "DriverNumber",
        "abbreviation": "Abbreviation",
        "driver_id": "DriverId",
        "first_name": "FirstName",
        "last_name": "LastName",
        "full_name": "FullName",
        "broadcast_name": "BroadcastName",
        "team_name": "TeamName",
        "team_id": "TeamId",
        "team_color": "TeamColor",
        "country_code": "CountryCode",
        "headshot_url": "HeadshotUrl",
    }
    expected = pd.DataFrame({ours: _known(theirs[name]) for ours, name in columns.items()})
    _compare(recorded, key, "drivers", _with_identifiers(plain, key, expected))


SAME_EVENT = {"2023-04-SS": "2023-04-Q"}
"""Sprint qualifyings, of which Jolpica has nothing, and a session of the event that has the same drivers."""


def _with_identifiers(plain, key, expected):
    """Take a sprint qualifying's identifiers from the event's qualifying; FastF1 has none."""
    if key not in SAME_EVENT:
        return expected
    assert expected["driver_id"].isna().all()
    named = plain[SAME_EVENT[key]].session.results.set_index("DriverNumber")
    ids = {ours: [named[theirs][number] for number in expected["driver_number"]] for ours, theirs in IDENTIFIERS}
    return expected.assign(**ids)


IDENTIFIERS = (("driver_id", "DriverId"), ("team_id", "TeamId"))


@pytest.mark.parametrize("key", _with(5))
def test_results(recorded, plain, recordings, key):
    theirs = plain[key].session.results
    expected = pd.DataFrame(
        {
            "entry": range(1, len(theirs) + 1),  # in these recordings Jolpica's order is that of the places
            "driver_number": _known(theirs["DriverNumber"]),
            "driver_id": _known(theirs["DriverId"]),
            "full_name": _known(theirs["FullName"]),
            "team_id": _known(theirs["TeamId"]),
            "team_name": _known(theirs["TeamName"]),
            "position": _known(theirs["Position"]),
            "classified_position": [
                None if value is None else value.removesuffix(".0") for value in _known(theirs["ClassifiedPosition"])
            ],
            "grid_position": _known(theirs["GridPosition"]),
            "q1_ms": _ms(theirs["Q1"]),
            "q2_ms": _ms(theirs["Q2"]),
            "q3_ms": _ms(theirs["Q3"]),
            "laps": _known(theirs["Laps"]),
            "status": _known(theirs["Status"]),
            "points": _known(theirs["Points"]),
        }
    )
    expected["time_ms"] = [
        _official_total_ms(recordings, SessionKey.parse(key), number) for number in expected["driver_number"]
    ]
    _compare(recorded, key, "results", _with_identifiers(plain, key, expected))


@pytest.mark.parametrize("key", _with(2))
def test_intervals(recorded, plain, key):
    theirs = plain[key].stream
    gaps = [_gap(value) for value in _known(theirs["GapToLeader"])]
    ahead = [_gap(value) for value in _known(theirs["IntervalToPositionAhead"])]
    expected = pd.DataFrame(
        {
            "driver_number": _known(theirs["Driver"]),
            "session_time_ms": _ms(theirs["Time"]),
            "position": _known(theirs["Position"]),
            "gap_to_leader_ms": [gap[0] for gap in gaps],
            "laps_behind_leader": [gap[1] for gap in gaps],
            "interval_ms": [gap[0] for gap in ahead],
            "laps_behind_next": [gap[1] for gap in ahead],
        }
    ).drop_duplicates(["driver_number", "session_time_ms"], keep="last")
    _compare(recorded, key, "intervals", expected)


@pytest.mark.parametrize("key", _with(0))
def test_circuit(recorded, plain, recordings, key):
    info = plain_fastf1.circuit(recordings, plain[key])
    frames = [
        frame.rename(columns=str.lower).assign(kind=kind)
        for kind, frame in (
            ("corner", info.corners),
            ("marshal_light", info.marshal_lights),
            ("marshal_sector", info.marshal_sectors),
        )
    ]
    expected = pd.concat(frames).rename(columns={"angle": "angle_deg"}).drop(columns="distance")
    _compare(recorded, key, "circuit", expected)


HELD = {
    # dataset and check: in how many sessions it could be held, over how many rows
    ("intervals", "changes_go_on_to_the_end"): (6, 32680),
    ("intervals", "drivers_are_known"): (8, 33582),
    ("intervals", "last_places_are_whole"): (11, 36750),
    ("laps", "drivers_are_known"): (8, 2899),
    ("laps", "drivers_have_laps"): (8, 160),
    ("laps", "first_laps_fit_the_clock"): (1, 848),
    ("laps", "laps_are_near_the_result"): (5, 100),
    ("laps", "laps_end_after_they_begin"): (9, 3434),
    ("laps", "laps_follow_each_other"): (9, 3434),
    ("laps", "laps_go_on_to_the_end"): (6, 2331),
    ("laps", "laps_have_tyres"): (9, 3434),
    ("laps", "laps_reach_the_distance"): (2, 1156),
    ("laps", "places_are_whole"): (2, 1156),
    ("laps", "practice_goes_on_to_the_end"): (3, 1103),
    ("laps", "sectors_sum_to_lap"): (9, 3434),
    ("laps", "speeds_are_not_stuck"): (9, 3434),
    ("laps", "speeds_change"): (9, 3434),
    ("laps", "stints_follow_each_other"): (9, 3434),
    ("laps", "traps_are_not_silent"): (9, 3434),
    ("laps", "tyres_age_with_the_laps"): (9, 3434),
    ("mini_sectors", "drivers_are_known"): (6, 42475),
    ("mini_sectors", "sectors_have_no_holes"): (7, 55829),
    ("mini_sectors", "timed_laps_are_covered"): (7, 2311),
    ("qualifying_parts", "fewer_cars_go_on"): (4, 12),
    ("qualifying_parts", "parts_are_started"): (4, 12),
    ("qualifying_parts", "parts_follow_each_other"): (4, 12),
    ("race_control_messages", "drivers_are_known"): (19, 1125),
    ("race_control_messages", "times_go_forward"): (19, 1125),
    ("results", "best_times_are_driven"): (4, 80),
    ("results", "drivers_are_known"): (16, 320),
    ("results", "entries_are_listed_once"): (17, 340),
    ("results", "finish_is_as_driven"): (2, 40),
    ("results", "laps_are_as_counted"): (2, 40),
    ("results", "places_are_unique"): (17, 340),
    ("results", "places_have_no_holes"): (17, 340),
    ("results", "qualifying_has_times"): (4, 80),
    ("results", "results_have_laps"): (6, 120),
    ("results", "who_drove_has_a_result"): (6, 2331),
    ("session_status", "course_is_possible"): (20, 151),
    ("session_status", "times_go_forward"): (20, 151),
    ("track_status", "times_go_forward"): (19, 217),
    ("weather", "measurements_follow_each_other"): (9, 1184),
    ("weather", "session_is_covered"): (9, 1184),
    ("weather", "values_are_possible"): (9, 1184),
    ("neutralisations", "neutralisations_follow_each_other"): (16, 33),
    ("stints", "stints_are_apart"): (9, 528),
    ("lap_context", "times_are_possible"): (9, 3434),
    ("lap_context", "gaps_add_up"): (9, 3434),
    ("lap_context", "clean_laps_are_undisturbed"): (9, 3434),
    ("pit_stops", "stops_follow_each_other"): (2, 41),
    ("pit_stops", "only_the_last_stop_has_no_exit"): (2, 41),
    ("race_pace", "pace_rests_on_enough_laps"): (2, 39),
    ("race_pace", "gaps_are_to_the_best"): (2, 39),
    ("track_limits", "laps_follow_the_messages"): (5, 12),
    ("tyre_degradation", "slopes_are_in_their_intervals"): (2, 78),
    ("tyre_degradation", "slopes_rest_on_enough_laps"): (2, 78),
    ("teammate_gaps", "the_faster_one_is_first"): (6, 60),
    ("teammate_gaps", "gaps_rest_on_laps"): (6, 60),
    ("sector_bests", "sectors_take_time"): (9, 179),
    ("sector_bests", "bests_are_driven"): (9, 179),
    ("ideal_laps", "the_ideal_is_not_slower"): (9, 179),
    ("practice_results", "places_are_by_time"): (3, 60),
    ("position_changes", "a_pair_swaps_to_and_fro"): (2, 234),
    ("position_changes", "swaps_sum_to_net_changes"): (2, 234),
    ("overtakes", "two_cars_are_in_it"): (2, 61),
}
AS_STORED_HELD = (256, 104687)
"""The same of the rule that all datasets have."""

ODD = {
    ("2018-04-R", "laps", "sectors_sum_to_lap"): [("55", 8)],
    ("2018-04-R", "laps", "laps_have_tyres"): [("10", 1), ("11", 1), ("16", 1), ("18", 1), ("2", 1)],
    ("2018-04-R", "laps", "first_laps_fit_the_clock"): [("18", 1), ("27", 1)],
    ("2019-14-Q", "race_control_messages", "times_go_forward"): [(39,)],
    ("2024-02-FP3", "race_control_messages", "times_go_forward"): [(2,)],
}
"""Rules that a session breaks, with the keys of the first five rows that do: F1's own feeds are so."""

TOLERATED = {
    ("2018-04-R", "laps", "speeds_change"): 43,
    ("2020-03-FP2", "laps", "speeds_change"): 8,
    ("2020-05-FP2", "laps", "speeds_change"): 34,
    ("2023-04-S", "laps", "speeds_change"): 34,
    ("2023-04-S", "laps", "drivers_have_laps"): 1,
    ("2024-12-FP1", "laps", "speeds_change"): 13,
}
"""Rows that a rule forgives, because real sessions have some."""


@pytest.mark.long
def test_real_data_keeps_the_rules_but_for_its_own_oddities(all_recorded):
    findings = [finding for key in ROWS for finding in check_session(all_recorded, SessionKey.parse(key))]
    odd = {(str(f.key), f.dataset, f.check): f for f in findings if f.state is State.BROKEN}
    keys = {name: list(all_datasets()[name[1]].key) for name in odd}
    assert {name: list(map(tuple, f.examples[keys[name]].to_numpy().tolist())) for name, f in odd.items()} == ODD
    assert {f.severity for f in odd.values()} == {Severity.WARN}
    forgiven = [f for f in findings if f.broken and f.state is State.PASSED]
    assert {(str(f.key), f.dataset, f.check): f.broken for f in forgiven} == TOLERATED
    held = {}
    for finding in findings:
        if finding.state is not State.NOT_CHECKED:
            sessions, rows = held.get((finding.dataset, finding.check), (0, 0))
            held[finding.dataset, finding.check] = sessions + 1, rows + finding.rows
    digests = [held.pop(name) for name in list(held) if name[1] == AS_STORED]
    assert held == HELD
    assert (sum(sessions for sessions, _ in digests), sum(rows for _, rows in digests)) == AS_STORED_HELD


@pytest.mark.long
def test_no_real_session_is_called_short(all_recorded):
    assert {key: why_short(all_recorded, SessionKey.parse(key)) for key in ROWS} == {key: {} for key in ROWS}


def test_the_docs_say_what_the_rules_found():
    page = (Path(__file__).parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")
    page = page.partition("## What they find in real data")[2].partition("\n## ")[0]
    cells = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in page.splitlines() if line[:3] == "| `"]
    said = {(row[0], row[1]): tuple(map(int, row[4:7])) for row in cells}
    broken = {name: sum(name == odd[1:] for odd in ODD) for name in said}
    assert said == {name: (*HELD.get(name, (0, 0)), broken[name]) for name in said}
    assert HELD.keys() <= said.keys()


def test_the_docs_list_where_we_differ_from_fastf1_on_purpose():
    page = (Path(__file__).parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")
    listed = page.partition("## Where we differ from FastF1 on purpose")[2]
    rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in listed.splitlines() if line[:3] == "| `"]
    assert {(dataset, column): why for dataset, column, why in rows} == ON_PURPOSE


@pytest.mark.long
def test_columns_have_no_other_values_than_the_dictionary_lists(all_recorded):
    for name, dataset in all_datasets().items():
        for column in (column for column in dataset.columns if column.values):
            frames = [all_recorded.rows(dataset, SessionKey.parse(key), columns=[column.name]) for key in ROWS]
            found = {value for frame in frames for value in frame[column.name].dropna()}
            assert found <= set(column.values), f"{name}.{column.name}"


@pytest.mark.long
def test_what_was_imported_agrees_with_itself(all_recorded):
    assert integrity(all_recorded) == []


def _recorded_lines(recordings, plain, feed):
    """Return the session time in milliseconds and the content of each line of a recorded feed."""
    url = f"https://livetiming.formula1.com{plain.session.api_path}{feed}.jsonStream"
    response = Recording(recordings).respond(url)
    lines = response.body.decode("utf-8-sig").splitlines()
    clock = pd.to_timedelta([line[:12] for line in lines]) // pd.Timedelta(milliseconds=1)
    return [(time_ms, json.loads(line[12:])) for time_ms, line in zip(clock, lines, strict=True)]


def _unless_silent(laps, column, trap, timing):
    """Return the speeds of a trap, None in laps in which it sent none of any car; values come up to 5 s late."""
    sent = [
        time_ms
        for time_ms, content in timing
        for car in content.get("Lines", {}).values()
        if "Speeds" in car and car["Speeds"].get(trap, {}).get("Value")
    ]
    return [
        None if not pd.isna(start) and not any(start <= at <= end + 5_000 for at in sent) else speed
        for start, end, speed in zip(laps["lap_start_time_ms"], laps["session_time_ms"], laps[column], strict=True)
    ]


def _tyre_life_since_fitted(theirs):
    """Count tyres that became known during the first stint from its first lap; FastF1 counts them from then on."""
    lives = []
    for _, mine in theirs.groupby("DriverNumber", sort=False):
        late = int(mine["Stint"].isna().cummin().sum())
        first = mine["Stint"].min()
        lives.append(mine["TyreLife"] + late * (mine["Stint"] == first))
    return _known(pd.concat(lives).reindex(theirs.index))


def _named_car(words):
    named = set(re.findall(r"\b(\d+) \((?!PIT)[A-Z]{3}\)", words))
    return named.pop() if len(named) == 1 else None


def _compare(recorded, key, dataset, expected):
    """Compare values as Python sees them: equal, or both unknown."""
    assert dataset in recorded[key][0].extracted
    definition = all_datasets()[dataset]
    actual = recorded.warehouse.rows(definition, SessionKey.parse(key))
    identity = list(definition.key)
    expected = expected.sort_values(identity, kind="stable").reset_index(drop=True)
    actual = actual.sort_values(identity, kind="stable").reset_index(drop=True)
    assert len(actual) == len(expected)
    for column in expected.columns:
        ours = [None if pd.isna(value) else value for value in actual[column].tolist()]
        theirs = [None if value is None or pd.isna(value) else value for value in expected[column].tolist()]
        different = [(o, t) for o, t in zip(ours, theirs, strict=True) if o != t]
        assert not different, f"{dataset}.{column}: {len(different)} values differ, such as {different[:3]}"
    unexpected = set(actual.columns) - set(expected.columns) - {"season", "round", "session"}
    assert all(actual[column].isna().all() for column in unexpected), f"not compared: {unexpected}"


def _ms(values):
    return [None if pd.isna(value) else round(value / pd.Timedelta(milliseconds=1)) for value in values]


def _known(values):
    return [None if value is None or value in ("", "None", "nan") or pd.isna(value) else value for value in values]


def _gap(text):
    """Read a gap independently of the extractor: milliseconds, and laps behind."""
    if text is None:
        return None, None
    if text.startswith("LAP"):
        return 0, 0
    if text.endswith("L") or "LAP" in text:
        return None, int("".join(character for character in text if character.isdigit()))
    try:
        return round(pd.Timedelta(f"00:{text.lstrip('+').rjust(9, '0')}" if ":" in text else f"{text.lstrip('+')}s")
                     / pd.Timedelta(milliseconds=1)), 0  # fmt: skip
    except ValueError:
        return None, None


def _official_total_ms(recordings, key, number):
    """Return Jolpica's own milliseconds of a finisher on the lead lap."""
    import gzip
    import json

    kind = {"R": "results", "S": "sprint"}.get(key.session)
    if kind is None:
        return None
    url = f"https://api.jolpi.ca/ergast/f1/{key.season}/{key.round}/{kind}.json"
    for line in (recordings / "index.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if entry["url"] == url:
            race = json.loads(gzip.decompress((recordings / entry["body"]).read_bytes()))
            results = race["MRData"]["RaceTable"]["Races"][0]["Results" if kind == "results" else "SprintResults"]
            result = next(result for result in results if result["number"] == number)
            if result["laps"] != results[0]["laps"] or "Time" not in result:
                return None
            return int(result["Time"]["millis"])
    raise AssertionError(f"{url} is not recorded")

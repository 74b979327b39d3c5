"""People, not car numbers: whoever a result names is stored, and who drove is known where Jolpica has no result."""

import json

import pytest

from f1_assets.cli.output import why
from f1_assets.datasets import all_datasets
from f1_assets.datasets.checking import State, check_session
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.planning.gaps import dataset_states
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.digests import stored_digest
from f1_assets.warehouse.people import LACKING, reason_of_people, with_reason
from f1_assets_tests.fetch.server import body

SIMULATED = "races=2,sprints=1,tests=1,laps=5,samples_every=50,drivers=6"
RACE, SPRINT_QUALIFYING, TEST = (SessionKey.parse(text) for text in ("2025-01-R", "2025-02-SQ", "2025-T1-1"))


@pytest.fixture
def run(served_transport, sqlite_warehouse):
    """Import datasets of a session, and give their extraction records by dataset."""
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=served_transport)

    def run(key, *datasets):
        outcome = process_session_gap(SessionGap(key, datasets), warehouse=sqlite_warehouse, transport=served_transport)
        return {line.dataset: line for line in outcome.datasets}

    return run


def _rows(warehouse, key, dataset):
    return warehouse.rows(all_datasets()[dataset], key)


def _line(warehouse, key, dataset):
    return next(line for line in warehouse.extractions(key) if line.dataset == dataset)


def _changed(change):
    """Answer with a result of which `change` changed the entries."""

    def fault(sound):
        document = json.loads(sound)
        race = document["MRData"]["RaceTable"]["Races"][0]
        race["Results"] = change(race["Results"])
        return json.dumps(document).encode()

    return body(fault)


def _holds_digest(warehouse, key, dataset):
    with warehouse.engine.connect() as connection:
        digest = stored_digest(connection, all_datasets()[dataset].table, key)
    return _line(warehouse, key, dataset).digest == digest


def test_a_sprint_qualifying_takes_its_identifiers_from_the_event_when_they_come(run, served, sqlite_warehouse):
    stored = run(SPRINT_QUALIFYING, "drivers", "results")
    for dataset in ("drivers", "results"):
        rows = _rows(sqlite_warehouse, SPRINT_QUALIFYING, dataset)
        assert rows["driver_id"].isna().all()
        assert rows["full_name"].notna().all()
        assert LACKING in stored[dataset].reason
    run(RACE, "drivers")
    assert _rows(sqlite_warehouse, SPRINT_QUALIFYING, "drivers")["driver_id"].isna().all(), "that is another event"
    served.asked.clear()
    run(SessionKey(2025, 2, "S"), "drivers")
    assert not any("Sprint_Qualifying" in url for url in served.asked)
    sprint = _rows(sqlite_warehouse, SessionKey(2025, 2, "S"), "drivers").set_index("driver_number")
    for dataset in ("drivers", "results"):
        rows = _rows(sqlite_warehouse, SPRINT_QUALIFYING, dataset)
        for name in ("driver_id", "team_id"):
            assert rows[name].tolist() == sprint[name][rows["driver_number"]].tolist()
        line = _line(sqlite_warehouse, SPRINT_QUALIFYING, dataset)
        assert (line.reason, line.digest == stored[dataset].digest) == (None, False)
        assert _holds_digest(sqlite_warehouse, SPRINT_QUALIFYING, dataset)
    again = run(SPRINT_QUALIFYING, "drivers")["drivers"]
    assert again.reason is None
    assert _rows(sqlite_warehouse, SPRINT_QUALIFYING, "drivers")["driver_id"].notna().all()


def test_a_failed_renewal_keeps_why_identifiers_are_missing(run, sqlite_warehouse):
    lacking = run(SPRINT_QUALIFYING, "drivers")["drivers"].reason
    failed = Extraction(SPRINT_QUALIFYING, "drivers", Status.FAILED, reason="HTTP 500; asked twice", error_class="X")
    for _ in range(2):
        sqlite_warehouse.note(failed)
        drivers = [all_datasets()["drivers"]]
        (state,) = dataset_states(sqlite_warehouse, [2025], drivers, key=SPRINT_QUALIFYING)
        assert state.reason == f"HTTP 500; asked twice; {lacking}"
        assert why(state).startswith(state.reason)
    run(SessionKey(2025, 2, "S"), "drivers")
    assert _line(sqlite_warehouse, SPRINT_QUALIFYING, "drivers").reason == "HTTP 500; asked twice"


@pytest.mark.parametrize("other", [None, "HTTP 500", "HTTP 500; asked twice; ", "a; ; b"])
def test_the_part_of_a_reason_about_identifiers_is_replaced_whole_and_the_rest_is_left_as_it_is(other):
    """A name with a semicolon was cut there, and its rest stayed for ever."""
    first, second = (f"{LACKING}{names}: no stored session of the event has them" for names in ("A; B, VER", "VER"))
    reason = with_reason(other, first)
    assert reason_of_people(reason) == first
    assert reason_of_people(with_reason(reason, second)) == second
    assert with_reason(with_reason(reason, second), None) == other
    assert (reason_of_people(other), with_reason(other, None)) == (None, other)


def test_a_test_takes_them_from_the_first_round_with_these_letters_and_team(run, sqlite_warehouse):
    stored = run(TEST, "drivers")["drivers"]
    assert "no stored round of 2025 has them with these letters and team" in stored.reason
    drivers = all_datasets()["drivers"]
    frame = _rows(sqlite_warehouse, TEST, "drivers").drop(columns=["season", "round", "session"])
    moved = frame["driver_number"] == "7"
    frame.loc[moved, "team_name"] = "Ember GP"
    sqlite_warehouse.replace(TEST, drivers, frame, stored)
    run(RACE, "drivers")
    rows = _rows(sqlite_warehouse, TEST, "drivers").set_index("driver_number")
    assert rows.index[rows["driver_id"].isna()].tolist() == ["7"]
    assert rows.index[rows["team_id"].isna()].tolist() == ["7"]
    line = _line(sqlite_warehouse, TEST, "drivers")
    assert line.reason.startswith("no driver_id or team_id of ALD: ")
    assert _holds_digest(sqlite_warehouse, TEST, "drivers")


def test_a_car_that_is_listed_twice_and_one_that_is_left_out_are_told(run, served, sqlite_warehouse):
    """The last row won, and the car that was left out had a row without anything."""
    left_out, twice = [], []

    def change(entries):
        left_out.append(entries[1])
        twice.append(entries[3])
        return [*entries[:1], *entries[2:], {**entries[3], "positionText": "D", "status": "Disqualified"}]

    served.faults["/1/results.json"] = _changed(change)
    run(RACE, "drivers", "laps", "results")
    rows, laps = _rows(sqlite_warehouse, RACE, "results"), _rows(sqlite_warehouse, RACE, "laps")
    number, other = left_out[0]["number"], twice[0]["number"]
    assert sorted(rows["entry"]) == [1, 2, 3, 4, 5, 6]
    assert (rows["driver_number"] == other).sum() == 2
    assert number not in rows["driver_number"].tolist()
    first = laps[(laps["driver_number"] == number) & (laps["lap_number"] == 1)]
    assert first["lap_time_ms"].notna().all(), "the lap times name the driver"
    told = {f.check: f for f in check_session(sqlite_warehouse, RACE, ["results"]) if f.state is State.BROKEN}
    assert set(told["entries_are_listed_once"].examples["driver_number"]) == {other}
    assert told["who_drove_has_a_result"].examples["driver_number"].tolist() == [number]


def test_entries_whose_numbers_are_swapped_or_missing_are_matched_by_the_person(
    run, served, served_transport, sqlite_warehouse
):
    datasets = ("drivers", "laps", "results")
    run(RACE, *datasets)
    sound = {name: _rows(sqlite_warehouse, RACE, name) for name in datasets}

    def change(entries):
        first, second, third, *others = entries
        first["number"], second["number"] = second["number"], first["number"]
        del third["number"]
        return [first, second, third, *others]

    served.faults["/1/results.json"] = _changed(change)
    served_transport.discard("/1/results.json")
    lines = run(RACE, *datasets)
    for name in datasets:
        assert _rows(sqlite_warehouse, RACE, name).equals(sound[name]), name
    assert len(json.loads(lines["results"].notes)["numbers_that_differ"]) == 3


def test_a_result_that_has_no_laps_is_told(run, sqlite_warehouse):
    run(RACE, "drivers", "laps", "results")
    laps = all_datasets()["laps"]
    frame = _rows(sqlite_warehouse, RACE, "laps").drop(columns=["season", "round", "session"])
    number = frame["driver_number"].iloc[0]
    sqlite_warehouse.replace(RACE, laps, laps.typed(frame[frame["driver_number"] != number]))
    told = {f.check: f for f in check_session(sqlite_warehouse, RACE, ["results"]) if f.state is State.BROKEN}
    assert told["results_have_laps"].examples["driver_number"].tolist() == [number]


PAST = SessionKey(1951, 1, "R")


def _of_the_past(change):
    def fault(sound):
        document = json.loads(sound)
        races = document["MRData"]["RaceTable"]["Races"]
        if races:
            races[0]["Results"] = change(races[0]["Results"])
        return json.dumps(document).encode()

    return body(fault)


def _sharing(entries):
    """Two share the winning car, and the second of them drove another one, too."""
    first, second, third, *others = entries
    return [{**first, "points": "5"}, {**second, "number": first["number"], "position": "1", "positionText": "1",
            "Time": first["Time"], "points": "4"}, second, third, *others]  # fmt: skip


def _without_number(entries):
    return [{name: value for name, value in entry.items() if name != "number"} for entry in entries]


@pytest.mark.parametrize(("change", "more"), [(_sharing, 1), (_without_number, 0)])
def test_a_race_of_the_past_keeps_every_entry_with_its_name(
    run, served, served_transport, sqlite_warehouse, change, more
):
    """Seven results became four, and an entry without a number failed the race."""
    refresh_calendar(1951, warehouse=sqlite_warehouse, transport=served_transport)
    served.faults["/1951/results.json"] = _of_the_past(change)
    run(PAST, "results")
    rows = _rows(sqlite_warehouse, PAST, "results")
    assert len(rows) == 6 + more
    assert rows[["driver_id", "full_name", "team_id", "team_name"]].notna().all(axis=None)
    if more:
        assert rows["driver_number"][0] == rows["driver_number"][1]
        assert rows["time_ms"][0] == rows["time_ms"][1]
        findings = check_session(sqlite_warehouse, PAST, ["results"])
        assert [f.check for f in findings if f.state is State.BROKEN and f.check == "entries_are_listed_once"] == []
    else:
        assert rows["driver_number"].isna().all()

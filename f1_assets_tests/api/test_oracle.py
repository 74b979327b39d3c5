"""Rows of recorded sessions, held against what F1's feeds and Jolpica state: read here, without f1_assets."""

import gzip
import json
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from f1_assets.api.endpoint import Scope
from f1_assets_tests.api.conftest import answer

pytestmark = pytest.mark.xdist_group("recordings")

SPRINT, SHOOTOUT, QUALIFYING = "2023-04-S", "2023-04-SS", "2019-14-Q"
FOLDERS = {
    SPRINT: "2023-04-30_Azerbaijan_Grand_Prix/2023-04-29_Sprint",
    SHOOTOUT: "2023-04-30_Azerbaijan_Grand_Prix/2023-04-29_Sprint_Shootout",
    QUALIFYING: "2019-09-08_Italian_Grand_Prix/2019-09-07_Qualifying",
}


class Raw:
    """The recorded answers, as they were sent."""

    def __init__(self, folder):
        lines = [json.loads(line) for line in (folder / "index.jsonl").read_text(encoding="utf-8").splitlines()]
        self._folder, self._bodies = folder, {line["url"]: line["body"] for line in lines}

    def text(self, end):
        (body,) = [body for url, body in self._bodies.items() if url.endswith(end)]
        return gzip.decompress((self._folder / body).read_bytes()).decode("utf-8-sig")

    def stream(self, key, topic):
        """Return the lines of a feed: session time and JSON."""
        lines = filter(None, map(str.strip, self.text(f"{FOLDERS[key]}/{topic}.jsonStream").splitlines()))
        return [(_since(line[:12]), json.loads(line[12:])) for line in lines]

    def cars(self, key, topic):
        """Return the lines of a feed about cars: session time, car number and what changed."""
        stream = self.stream(key, topic)
        return [(at, int(car), update) for at, line in stream for car, update in line.get("Lines", {}).items()]

    def info(self, key):
        return self.stream(key, "SessionInfo")[-1][1]

    def jolpica(self, path, results):
        races = json.loads(self.text(f"/ergast/f1/{path}.json"))["MRData"]["RaceTable"]["Races"]
        return {int(entry["number"]): entry for entry in races[0][results]}


@pytest.fixture(scope="module")
def raw(recordings):
    return Raw(recordings)


@pytest.fixture
def ask(recorded, raw):
    """Ask an endpoint for the rows of a recorded session; each has the keys that SessionInfo states."""

    def of(name, key):
        assert recorded[key][0].failed == ()
        info = raw.info(key)
        rows = answer(recorded.warehouse, name, f"session_key={info['Key']}")
        keys = {(row.pop("session_key"), row.pop("meeting_key")) for row in rows}
        assert keys <= {(info["Key"], info["Meeting"]["Key"])}
        return rows

    return of


def _since(text):
    hours, minutes, seconds = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))


def _seconds(text):
    """Return a lap's time such as 1:20.417 in seconds; None for an empty one."""
    minutes, _, seconds = (text or "").rpartition(":")
    return round(60 * int(minutes or 0) + float(seconds), 3) if seconds else None


def _items(value):
    """Return what a list holds by its index: the first line of a feed has a list, the next ones an object."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return [(int(index), item) for index, item in pairs]


def _merge(state, update):
    for name, value in update.items():
        if isinstance(value, dict) and isinstance(state.get(name), dict):
            _merge(state[name], value)
        else:
            state[name] = value


def _lap_of(key, laps_counted):
    """Return the lap that a car is on: in qualifying the count includes it, in races and sprints it does not."""
    return laps_counted + (key == SPRINT)


def _values(update):
    """Return what an update states of a lap, by OpenF1's names."""
    stated = {"lap_duration": _seconds(update.get("LastLapTime", {}).get("Value"))}
    for sector, value in _items(update.get("Sectors", {})):
        stated[f"duration_sector_{sector + 1}"] = _seconds(value.get("Value"))
    for trap, value in update.get("Speeds", {}).items():
        if trap != "FL":
            stated[f"{trap.lower()}_speed"] = int(value["Value"]) if value.get("Value") else None
    return {field: value for field, value in stated.items() if value is not None}


def _laps(raw, key):
    """Return what TimingData states of each lap, and the value that was stated before it, which is not sent again."""
    laps, counted, last = defaultdict(dict), Counter(), defaultdict(dict)
    before = {}
    for _, car, update in raw.cars(key, "TimingData"):
        lap, stated = (car, _lap_of(key, counted[car])), _values(update)
        if stated:
            before.setdefault(lap, dict(last[car]))
            laps[lap] |= stated
            last[car] |= stated
        counted[car] = update.get("NumberOfLaps", counted[car])
    return laps, before


def _pit_exits(raw, key):
    """Return the laps that began with an exit from the pits, by car.

    In qualifying the lap is counted some seconds after the exit: `PitOut` is withdrawn later.
    """
    exits, counted = defaultdict(list), Counter()
    started = next(at for at, line in raw.stream(key, "SessionStatus") if line["Status"] == "Started")
    for at, car, update in raw.cars(key, "TimingData"):
        counted[car] = update.get("NumberOfLaps", counted[car])
        # Before the start, cars drive to the grid.
        if update.get("InPit" if key == SPRINT else "PitOut") is False and at > started:
            exits[car].append(_lap_of(key, counted[car]))
    return exits


LAPS = {
    #          rows, rows without a value, by field: values that are not sent
    SPRINT: (308, 0, {"i1_speed": 12, "duration_sector_3": 1}),
    QUALIFYING: (275, 3, {"i2_speed": 3}),
}
"""A value that is the one before is not always sent again: car 11 was measured at I1 with 195 km/h on laps 1 and 2."""

EQUAL = {
    SPRINT: {
        "lap_duration": 288,
        "duration_sector_1": 288,
        "duration_sector_2": 307,
        "duration_sector_3": 307,
        "i1_speed": 296,
        "i2_speed": 308,
        "st_speed": 308,
    },
    QUALIFYING: {
        "lap_duration": 166,
        "duration_sector_1": 176,
        "duration_sector_2": 253,
        "duration_sector_3": 249,
        "i1_speed": 262,
        "i2_speed": 253,
        "st_speed": 269,
    },
}


@pytest.mark.parametrize("key", LAPS)
def test_laps_have_the_times_and_speeds_that_timingdata_states(ask, raw, key):
    laps, before = _laps(raw, key)
    rows = {(row["driver_number"], row["lap_number"]): row for row in ask("laps", key)}
    n_rows, n_silent, repeated = LAPS[key]
    assert (len(rows), len(rows.keys() - laps.keys())) == (n_rows, n_silent)
    assert laps.keys() <= rows.keys()
    equal, again = Counter(), Counter()
    for lap, row in rows.items():
        stated = laps.get(lap, {})
        for field in EQUAL[key]:
            if field in stated and not (field == "lap_duration" and _has_time_in_the_pits(row, stated)):
                assert row[field] == stated[field], (lap, field)
                equal[field] += 1
            elif row[field] is not None:
                assert row[field] in (before[lap].get(field), _last_sector(row)), (lap, field)
                again[field] += 1
    assert equal == EQUAL[key]
    assert again == repeated


def _last_sector(row):
    """Return what the time of a lap leaves for its last sector; FastF1 fills a missing one in."""
    return round((row["lap_duration"] or 0) - (row["duration_sector_1"] or 0) - (row["duration_sector_2"] or 0), 3)


def _has_time_in_the_pits(row, stated):
    """Check whether the time of a lap begins with minutes in the pits: OpenF1 has it, FastF1 and we do not."""
    return row["is_pit_out_lap"] and stated["lap_duration"] > 5 * 60


@pytest.mark.parametrize(("key", "exits"), [(SPRINT, 5), (QUALIFYING, 92)])
def test_laps_out_of_the_pits_are_those_that_timingdata_marks(ask, raw, key, exits):
    found = sorted((r["driver_number"], r["lap_number"]) for r in ask("laps", key) if r["is_pit_out_lap"])
    assert found == sorted((car, lap) for car, laps in _pit_exits(raw, key).items() for lap in laps)
    assert len(found) == exits


@pytest.mark.parametrize(("key", "changes"), [(SPRINT, 98), (QUALIFYING, 1053)])
def test_places_are_the_changes_that_timingdata_states(ask, raw, key, changes):
    stated, found = defaultdict(list), defaultdict(list)
    for _, car, update in raw.cars(key, "TimingData"):
        if "Position" in update and stated[car][-1:] != [int(update["Position"])]:
            stated[car].append(int(update["Position"]))
    rows = ask("position", key)
    for row in rows:
        found[row["driver_number"]].append(row["position"])
    assert found == stated
    assert len(rows) == changes


NAMES = {
    "broadcast_name": "BroadcastName",
    "full_name": "FullName",
    "name_acronym": "Tla",
    "first_name": "FirstName",
    "last_name": "LastName",
    "team_name": "TeamName",
    "team_colour": "TeamColour",
    "headshot_url": "HeadshotUrl",
    "country_code": "CountryCode",
}


@pytest.mark.parametrize(("key", "listed"), [(SPRINT, 19), (QUALIFYING, 20), (SHOOTOUT, 20)])
def test_drivers_are_those_of_driverlist(ask, raw, key, listed):
    state = {}
    for _, update in raw.stream(key, "DriverList"):
        _merge(state, update)
    rows = {row["driver_number"]: row for row in ask("drivers", key)}
    stated = {int(car): {ours: of.get(theirs) for ours, theirs in NAMES.items()} for car, of in state.items()}
    for names in stated.values():
        if names["full_name"] == "ZHOU Guanyu":  # alone with his family name first: ours is always last
            names["full_name"] = "Guanyu ZHOU"
    assert {car: {name: rows[car][name] for name in NAMES} for car in stated} == stated
    assert len(stated) == listed
    # Car 2 did not start the sprint and is not in its list: Jolpica has it.
    assert rows.keys() - stated.keys() == ({2} if key == SPRINT else set())


@pytest.mark.parametrize("key", [SPRINT, QUALIFYING])
def test_the_country_of_a_meeting_is_known_from_any_of_its_sessions(recorded, raw, key):
    assert recorded[key][0].failed == ()
    meeting = raw.info(key)["Meeting"]
    (row,) = answer(recorded.warehouse, "meetings", f"meeting_key={meeting['Key']}")
    assert (row["country_key"], row["country_code"]) == (meeting["Country"]["Key"], meeting["Country"]["Code"])


@pytest.mark.parametrize("key", FOLDERS)
def test_a_session_is_that_of_sessioninfo(ask, raw, key):
    info, (row,) = raw.info(key), ask("sessions", key)
    meeting = info["Meeting"]
    offset = _since(info["GmtOffset"])
    assert row == {
        "session_name": info["Name"],
        "session_type": info["Type"],
        "year": int(info["StartDate"][:4]),
        "location": meeting["Location"],
        "country_key": meeting["Country"]["Key"],
        "country_code": meeting["Country"]["Code"],
        "country_name": meeting["Country"]["Name"],
        "circuit_key": meeting["Circuit"]["Key"],
        "circuit_short_name": meeting["Circuit"]["ShortName"],
        "gmt_offset": info["GmtOffset"],
        "date_start": _utc(info["StartDate"], offset),
        "date_end": _utc(info["EndDate"], offset),
        "is_cancelled": False,
    }


def _utc(local, offset):
    return (datetime.fromisoformat(local).replace(tzinfo=UTC) - offset).isoformat()


def _messages(raw, key):
    """Return session time and message in the order in which they were sent."""
    stream = raw.stream(key, "RaceControlMessages")
    return [(at, message) for at, line in stream for _, message in _items(line["Messages"])]


@pytest.mark.parametrize(("key", "messages"), [(QUALIFYING, 40), (SHOOTOUT, 58)])
def test_messages_are_those_of_race_control(ask, raw, key, messages):
    rows, stated = ask("race_control", key), [message for _, message in _messages(raw, key)]
    assert len(rows) == messages
    for row, message in zip(rows, stated, strict=True):
        del row["qualifying_phase"]  # by the session's clock, which the next test gives it
        assert row == {
            "date": f"{message['Utc']}+00:00",
            "category": message["Category"],
            "flag": message.get("Flag"),
            "scope": message.get("Scope"),
            "sector": message.get("Sector"),
            "lap_number": message.get("Lap"),
            "message": message["Message"],
            # Beyond OpenF1: also where the car stands in the message's words alone.
            "driver_number": int(message.get("RacingNumber") or _car_in(message["Message"]) or 0) or None,
        }


def _car_in(words):
    cars = re.findall(r"\bCAR (\d+) \(", words)
    return cars[0] if len(cars) == 1 else None


@pytest.mark.parametrize("key", [QUALIFYING, SHOOTOUT])
def test_with_the_clock_of_a_session_messages_have_the_part_that_had_begun(ask, raw, key, monkeypatch):
    messages = _messages(raw, key)
    # A message is sent after the second that it names.
    t0 = max(datetime.fromisoformat(f"{message['Utc']}+00:00") - at for at, message in messages[:30])
    monkeypatch.setattr(Scope, "_t0_utc", t0)
    begun, is_between = [], True
    for at, line in raw.stream(key, "SessionStatus"):
        if line["Status"] == "Started" and is_between:
            begun.append(at)
        # After a red flag the same part goes on.
        is_between = {"Finished": True, "Started": False}.get(line["Status"], is_between)
    assert len(begun) == 3
    phases = [row["qualifying_phase"] for row in ask("race_control", key)]
    sent = [datetime.fromisoformat(f"{message['Utc']}+00:00") - t0 for _, message in messages]
    second = timedelta(seconds=1)
    assert phases == [sum(start < at + second for start in begun) or None for at in sent]
    assert {1, 2, 3} <= {*phases}


def _stints(raw, key):
    """Return compound, age and first lap of the sets of tyres that TimingAppData states, where each exit has one.

    F1 lists a set anew when it goes out again; here it is one stint, see docs/openf1.md.
    """
    listed, exits = defaultdict(dict), _pit_exits(raw, key)
    for _, car, update in raw.cars(key, "TimingAppData"):
        for number, stint in _items(update.get("Stints", {})):
            listed[car].setdefault(number, {}).update(stint)
    stints = {}
    for car, numbered in listed.items():
        starts = sorted({1, *exits[car]})
        if len(starts) != len(numbered):
            continue
        own = stints[car] = []
        for (_, stint), start in zip(sorted(numbered.items()), starts, strict=True):
            compound, age = stint["Compound"], stint["StartLaps"]
            if not (own and own[-1][0] == compound and own[-1][2] - own[-1][1] == start - age):
                own.append((compound, age, start))
    return stints, sum(map(len, listed.values()))


@pytest.mark.parametrize(("key", "cars", "listed", "rows"), [(SPRINT, 19, 23, 23), (QUALIFYING, 20, 92, 86)])
def test_stints_are_the_sets_of_tyres_that_timingappdata_lists(ask, raw, key, cars, listed, rows):
    stints, all_listed = _stints(raw, key)
    assert (len(stints), all_listed) == (cars, listed)
    found = defaultdict(list)
    for row in ask("stints", key):
        found[row["driver_number"]].append(row)
    assert sum(map(len, found.values())) == rows
    last = Counter()
    for row in ask("laps", key):
        last[row["driver_number"]] = max(last[row["driver_number"]], row["lap_number"])
    for car, own in stints.items():
        assert [(r["compound"], r["tyre_age_at_start"], r["lap_start"]) for r in found[car]] == own, car
        ends = [start - 1 for _, _, start in own[1:]] + [last[car]]
        assert [r["lap_end"] for r in found[car]] == ends, car


def test_weather_is_what_weatherdata_states(ask, raw):
    stated, info = list(raw.stream(QUALIFYING, "WeatherData")), raw.info(QUALIFYING)
    # No clock of this session is recorded: its dates count from the scheduled start, see docs/openf1.md.
    started = next(at for at, line in raw.stream(QUALIFYING, "SessionStatus") if line["Status"] == "Started")
    t0 = datetime.fromisoformat(_utc(info["StartDate"], _since(info["GmtOffset"]))) - started
    assert ask("weather", QUALIFYING) == [
        {
            "date": (t0 + at).isoformat(),
            "air_temperature": float(line["AirTemp"]),
            "track_temperature": float(line["TrackTemp"]),
            "humidity": float(line["Humidity"]),
            "pressure": float(line["Pressure"]),
            "rainfall": int(line["Rainfall"]),
            "wind_direction": int(line["WindDirection"]),
            "wind_speed": float(line["WindSpeed"]),
        }
        for at, line in stated
    ]
    assert len(stated) == 95


def test_the_result_of_a_sprint_is_jolpicas(ask, raw):
    entries = raw.jolpica("2023/4/sprint", "SprintResults")
    winner = int(next(entry for entry in entries.values() if entry["position"] == "1")["Time"]["millis"])
    rows = {row.pop("driver_number"): row for row in ask("session_result", SPRINT)}
    assert len(rows) == 20
    for car, entry in entries.items():
        millis = int(entry["Time"]["millis"]) if "Time" in entry else None
        started = entry["laps"] != "0"  # Jolpica has the last place and an R for car 2, which crashed before
        assert rows.pop(car) == {
            "position": int(entry["position"]) if started else None,
            "number_of_laps": int(entry["laps"]),
            "duration": millis and millis / 1000,
            "gap_to_leader": None if millis is None else (millis - winner) / 1000,
            "dnf": entry["positionText"] == "R" and started,
            "dns": not started,
            "dsq": False,
        }
    assert rows == {}


def _best_laps(raw, key):
    """Return each car's best laps of the three parts, as TimingData states them."""
    best = defaultdict(lambda: [None, None, None])
    for _, car, update in raw.cars(key, "TimingData"):
        for part, lap in _items(update.get("BestLapTimes", {})):
            best[car][part] = _seconds(lap.get("Value")) or best[car][part]
    return best


@pytest.mark.parametrize("key", [QUALIFYING, SHOOTOUT])
def test_the_result_of_a_qualifying_has_the_best_laps_that_timingdata_states(ask, raw, key):
    best, counted, places = _best_laps(raw, key), Counter(), {}
    for _, car, update in raw.cars(key, "TimingData"):
        counted[car] = update.get("NumberOfLaps", counted[car])
        places[car] = int(update.get("Position", places.get(car, 0)))
    fastest = [min(times[part] for times in best.values() if times[part] is not None) for part in range(3)]
    rows = ask("session_result", key)
    assert [row["position"] for row in rows] == [*range(1, 21)]
    for row in rows:
        times = best[row["driver_number"]]
        assert row["duration"] == times
        assert row["gap_to_leader"] == [
            None if time is None else round(time - first, 3) for time, first in zip(times, fastest, strict=True)
        ]
        assert (row["number_of_laps"], row["position"]) == (counted[row["driver_number"]], places[row["driver_number"]])
        assert (row["dnf"], row["dns"], row["dsq"]) == (False, False, False)
    assert sum(time is not None for row in rows for time in row["duration"]) > 40


def test_the_result_of_a_qualifying_is_jolpicas(ask, raw):
    entries = raw.jolpica("2019/14/qualifying", "QualifyingResults")
    assert {row["driver_number"]: (row["position"], row["duration"]) for row in ask("session_result", QUALIFYING)} == {
        car: (int(entry["position"]), [_seconds(entry.get(part)) for part in ("Q1", "Q2", "Q3")])
        for car, entry in entries.items()
    }


def test_the_grid_of_a_sprint_is_jolpicas_with_the_best_laps_of_the_shootout(ask, raw, recorded):
    assert recorded[SPRINT][0].failed == ()
    best = _best_laps(raw, SHOOTOUT)
    grid = {int(entry["grid"]): car for car, entry in raw.jolpica("2023/4/sprint", "SprintResults").items()}
    # Car 31 started from the pit lane: that is no place on the grid.
    assert grid.pop(0) in (2, 31)
    assert ask("starting_grid", SHOOTOUT) == [
        {"position": place, "driver_number": car, "lap_duration": [time for time in best[car] if time is not None][-1]}
        for place, car in sorted(grid.items())
    ]
    assert len(grid) == 18
    timing = {car: int(u["GridPos"]) for _, car, u in raw.cars(SPRINT, "TimingAppData") if u.get("GridPos")}
    assert {car: place for place, car in grid.items()} == {car: place for car, place in timing.items() if car != 31}

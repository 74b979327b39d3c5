"""The simulator's feeds against the recorded ones: feeds, fields, types and cadence."""

import collections
import gzip
import json
import statistics
from itertools import pairwise

import pytest

from f1_assets.simulator import Simulator

FEEDS = (
    "SessionInfo",
    "DriverList",
    "SessionStatus",
    "TrackStatus",
    "LapCount",
    "TimingData",
    "TimingAppData",
    "WeatherData",
    "RaceControlMessages",
)
BASE = "https://livetiming.formula1.com/static/2025/"
SIMULATED = (
    f"{BASE}2025-03-02_Meridian_Grand_Prix/2025-03-02_Race/",
    f"{BASE}2025-03-02_Meridian_Grand_Prix/2025-03-01_Qualifying/",
    f"{BASE}2025-03-02_Meridian_Grand_Prix/2025-02-28_Practice_1/",
)


@pytest.fixture(scope="module")
def recorded(recordings):
    """All recorded bodies by address."""
    entries = [json.loads(line) for line in (recordings / "index.jsonl").read_text().splitlines()]
    return {e["url"]: gzip.decompress((recordings / e["body"]).read_bytes()) for e in entries if e["status"] == 200}


@pytest.fixture(scope="module")
def simulated():
    """The simulated bodies of a race, a qualifying and a practice."""
    simulator = Simulator()
    urls = [f"{folder}{feed}.jsonStream" for folder in SIMULATED for feed in FEEDS]
    responses = {url: simulator.respond(url) for url in urls}
    return {url: response.body for url, response in responses.items() if response.status == 200}


def _lines(body):
    for line in body.decode("utf-8-sig").split("\r\n")[:-1]:
        hours, minutes, seconds = line[:12].split(":")
        yield int(hours) * 3600 + int(minutes) * 60 + float(seconds), json.loads(line[12:])


def _paths(value, path=()):
    """Yield the path of every value with its type; numbers of cars, segments and the like count as one name."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _paths(inner, (*path, "#" if name.isdigit() else name))
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, (*path, "#"))
    else:
        yield path, "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def _fields(bodies):
    return {field for body in bodies for _, content in _lines(body) for field in _paths(content)}


@pytest.mark.parametrize("feed", FEEDS)
def test_fields_and_types_are_those_of_the_recordings(recorded, simulated, feed):
    theirs = _fields(body for url, body in recorded.items() if url.endswith(f"/{feed}.jsonStream"))
    ours = _fields(body for url, body in simulated.items() if url.endswith(f"/{feed}.jsonStream"))
    assert ours
    assert ours - theirs == set()


@pytest.mark.parametrize("body_start", [b"\xef\xbb\xbf00:00:0"])
def test_every_stream_begins_and_ends_as_the_recorded_ones(recorded, simulated, body_start):
    for bodies in (recorded, simulated):
        streams = [body for url, body in bodies.items() if url.endswith(".jsonStream") and "TimingData" in url]
        assert all(body.startswith(body_start) and body.endswith(b"\r\n") for body in streams)


def _median_step(bodies):
    steps = []
    for body in bodies:
        times = [time for time, _ in _lines(body)]
        steps += [later - earlier for earlier, later in pairwise(times) if later > earlier]
    return statistics.median(steps)


def _lines_per_lap(body):
    """Return how often a car is mentioned in each of its laps."""
    mentions, laps = collections.Counter(), collections.Counter()
    for _, content in _lines(body):
        for number, state in content.get("Lines", {}).items():
            mentions[number] += 1
            laps[number] = max(laps[number], state.get("NumberOfLaps", 0))
    return mentions.total() / laps.total()


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("2023-04-29_Sprint/", "2025-03-02_Race/"),
        ("2023-04-28_Qualifying/", "2025-03-01_Qualifying/"),
        ("2024-07-05_Practice_1/", "2025-02-28_Practice_1/"),
    ],
)
def test_a_car_has_as_many_lines_a_lap_as_in_the_recordings_within_a_factor_of_three(recorded, simulated, theirs, ours):
    real = next(body for url, body in recorded.items() if f"{theirs}TimingData" in url)
    made_up = next(body for url, body in simulated.items() if f"{ours}TimingData" in url)
    assert 1 / 3 < _lines_per_lap(made_up) / _lines_per_lap(real) < 3


@pytest.mark.parametrize("feed", ["TimingData", "WeatherData", "TimingAppData", "LapCount"])
def test_the_cadence_is_within_a_factor_of_three_of_the_recorded_one(recorded, simulated, feed):
    theirs = _median_step(body for url, body in recorded.items() if url.endswith(f"/{feed}.jsonStream"))
    ours = _median_step(body for url, body in simulated.items() if url.endswith(f"/{feed}.jsonStream"))
    assert 1 / 3 < ours / theirs < 3


def test_jolpica_and_the_schedule_have_the_recorded_fields(recorded):
    simulator = Simulator()
    pairs = [
        ("https://api.jolpi.ca/ergast/f1/2024/12/results.json", "https://api.jolpi.ca/ergast/f1/2025/1/results.json"),
        ("https://api.jolpi.ca/ergast/f1/2021/18/qualifying.json", "https://api.jolpi.ca/ergast/f1/2025/1/qualifying.json"),
        ("https://api.jolpi.ca/ergast/f1/2025/1/laps/1.json", "https://api.jolpi.ca/ergast/f1/2025/1/laps/1.json"),
        ("https://api.jolpi.ca/ergast/f1/2023/4/sprint.json", "https://api.jolpi.ca/ergast/f1/2023/2/sprint.json"),
        ("https://api.jolpi.ca/ergast/f1/2024.json", "https://api.jolpi.ca/ergast/f1/2024.json"),
        ("https://livetiming.formula1.com/static/2023/Index.json", "https://livetiming.formula1.com/static/2023/Index.json"),
        ("https://api.multiviewer.app/api/v1/circuits/39/2020", "https://api.multiviewer.app/api/v1/circuits/9000/2025"),
    ]  # fmt: skip
    for real, made_up in pairs:
        theirs, ours = (
            {path for path, _ in _paths(json.loads(body.decode("utf-8-sig")))}
            for body in (recorded[real], simulator.respond(made_up).body)
        )
        assert ours - theirs <= {("corners", "#", "letter")}
    schedule = "https://raw.githubusercontent.com/theOehrly/f1schedule/master/schedule_2025.json"
    assert json.loads(recorded[schedule]).keys() == json.loads(simulator.respond(schedule).body).keys()

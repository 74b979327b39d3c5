"""A dataset of a known feed, and two of new ones, a stream and a document: one file each, and one row for each feed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import f1_assets
from f1_assets.simulator import SimulatedResponse, Simulator, SimulatorOptions
from f1_assets_tests.conftest import PLENTY
from f1_assets_tests.fetch.server import services

HERE = Path(__file__).parent
STREAM = """    EXTRAPOLATED_CLOCK = (
        "ExtrapolatedClock",
        _stream(Load.ITSELF, "clock", identity=Identity.TIMES),
    )
"""
DOCUMENT = """    PIT_STOPS = (
        "Jolpica pit stops",
        FeedSpec(
            Service.JOLPICA,
            Document("MRData", dict),
            Load.ITSELF,
            "pit stops",
            re.compile(r"/pitstops/$"),
            lambda event, session: f"{_round_url(event)}/pitstops/" if session.key.session == "R" else None,
            identity=Identity.RACE,
            retention=OF_RESULTS,
            zero_means_none=True,
        ),
    )
"""
FIRST_OF_A_SEASON = "    SCHEDULE = ("

TIMES = b"".join(
    b'00:%02d:00.000{"Utc":"2025-03-02T12:0%d:00Z","Remaining":"01:5%d:00","Extrapolating":true}\r\n' % (m, m, 9 - m)
    for m in (1, 2, 3)
)

STOPS = {"season": "2025", "round": "1", "Races": [{"round": "1", "date": "2025-03-02", "PitStops": [{"lap": "3"}]}]}

PROGRAM = """
import json
from f1_assets.connection import connect
from f1_assets.context import Context
from f1_assets.datasets import all_datasets
from f1_assets.datasets.dictionary import markdown
from f1_assets.importing import expected_requests_of, process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap, dataset_states
from f1_assets.settings import process_settings
from f1_assets.fetch.process import transport_for

refresh_calendar(2025)
warehouse, transport = connect(), transport_for(process_settings())
THREE = ("flags", "clock", "pit_stops")
keys = [SessionKey(2025, 1, session) for session in ("R", "Q")]
gaps = [SessionGap(key, names) for key, names in zip(keys, (THREE, THREE[:2]))]
costs = [expected_requests_of(Context(process_settings(), warehouse), gap)["any"] for gap in gaps[:1]]
outcomes = [process_session_gap(gap) for gap in gaps]
states = {(str(state.key), state.dataset): str(state.status) for state in dataset_states(warehouse, [2025])}
print(json.dumps({
    "costs": costs,
    "requests": [outcome.requests for outcome in outcomes[:1]],
    "states": [states[(str(key), name)] for key in keys for name in THREE],
    "stops": warehouse.rows("pit_stops", keys[0])["lap_number"].tolist(),
    "times": warehouse.rows("clock", keys[0])["remaining_ms"].tolist(),
    "flags": len(warehouse.rows("flags", keys[0])),
    "loads": [all_datasets()[name].load_name for name in THREE],
    "sections": [line for line in markdown().splitlines() if line.strip("#` ") in THREE],
}))
"""


def only_of_the_race(answer: SimulatedResponse) -> SimulatedResponse:
    return SimulatedResponse(200, {"content-type": "application/octet-stream"}, TIMES)


def stops(answer: SimulatedResponse) -> SimulatedResponse:
    document = {"MRData": {"total": "1", "RaceTable": STOPS}}
    return SimulatedResponse(200, {"content-type": "application/json"}, json.dumps(document).encode())


@pytest.fixture
def package(tmp_path):
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(f1_assets.__file__).parent, tmp_path / "f1_assets", ignore=ignored)
    datasets, table = tmp_path / "f1_assets" / "datasets", tmp_path / "f1_assets" / "feeds" / "table.py"
    (datasets / "flags.py").write_text((HERE / "example_dataset.py.txt").read_text())
    (datasets / "clock.py").write_text((HERE / "example_feed_dataset.py.txt").read_text())
    (datasets / "pit_stops.py").write_text((HERE / "example_document_dataset.py.txt").read_text())
    rows = table.read_text()
    assert rows.count(FIRST_OF_A_SEASON) == 1
    table.write_text(rows.replace(FIRST_OF_A_SEASON, STREAM + DOCUMENT + FIRST_OF_A_SEASON))
    return tmp_path


def test_new_feeds_are_rows_and_files(package):
    shape = SimulatorOptions.parse("races=1,tests=0,sprints=0,laps=6,samples_every=40,drivers=4")
    with services(Simulator(shape)) as served:
        served.faults["Race/ExtrapolatedClock"] = only_of_the_race
        served.faults["/2025/1/pitstops/"] = stops
        variables = {"PYTHONPATH": str(package), "F1_HOME": str(package / "home"), "F1_QUOTA": PLENTY}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, **variables, "F1_SOURCE": served.url},
            cwd=package,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        of_the_race = [url for url in served.asked if "2025-03-02_Race/" in url]
        of_stops = [url for url in served.asked if "pitstops" in url]
    found = json.loads(done.stdout.splitlines()[-1])
    files = sorted(url.rpartition("/")[2] for url in of_the_race)
    assert files == [
        "DriverList.jsonStream",
        "ExtrapolatedClock.jsonStream",
        "RaceControlMessages.jsonStream",
        "SessionInfo.jsonStream",
    ]
    assert of_stops == ["https://api.jolpi.ca/ergast/f1/2025/1/pitstops/"]
    assert found["costs"] == found["requests"] == [len(files) + 2]  # and Jolpica's results, as with every load
    assert found["states"] == ["present"] * 3 + ["present", "unavailable", "not_applicable"]
    assert found["times"] == [118 * 60_000, 117 * 60_000, 116 * 60_000]
    assert found["stops"] == [3]
    assert found["flags"] > 1
    assert found["loads"] == ["messages", "clock", "pit stops"]
    assert found["sections"] == ["## `clock`", "## `flags`", "## `pit_stops`"]

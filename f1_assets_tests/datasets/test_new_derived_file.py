"""A derived dataset is one new file: all else follows from its being there."""

import json
import subprocess
import sys

NEW_FILE = '''
"""Longest stints: of each driver."""

import pandas as pd

from f1_assets.datasets.definition import Dataset, Field


def compute(inputs):
    """Return each driver's longest stint."""
    return inputs["stints"].groupby("driver_number", as_index=False)["laps"].max()


DATASET = Dataset(
    name="longest_stints",
    row="driver",
    description="Derived from what is derived.",
    key=("driver_number",),
    columns=(
        Field("driver_number", "text", "Car number in this session"),
        Field("laps", "integer", "Laps of the longest stint", "laps"),
    ),
    compute=compute,
    inputs=("stints",),
)
'''

NEW_FILE_OF_SEASONS = '''
"""Laps in a season: of each driver."""

from f1_assets.datasets.definition import Dataset, Field


def compute(inputs):
    """Return how many laps each driver drove in the sessions that are stored."""
    return inputs["laps"].groupby("driver_number").size().rename("laps").reset_index()


DATASET = Dataset(
    name="season_laps",
    row="driver and season",
    description="Derived over a season.",
    per="season",
    key=("driver_number",),
    columns=(
        Field("driver_number", "text", "Car number"),
        Field("laps", "integer", "Laps of all sessions that are stored", "laps"),
    ),
    compute=compute,
    inputs=("laps",),
)
'''

PROGRAM = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path

import f1_assets.datasets

folder = Path(sys.argv[1])
f1_assets.datasets.__path__.append(str(folder / "datasets"))

import dagster as dg

from f1_assets.analysis.export import export_warehouse
from f1_assets.connection import connect
from f1_assets.context import Context
from f1_assets.datasets.dictionary import markdown
from f1_assets.definitions import defs
from f1_assets.importing import Selection, import_selection, process_session_gap, refresh_calendar
from f1_assets.importing.season import SessionRun
from f1_assets.keys import SessionKey
from f1_assets.board.readings import Readings
from f1_assets.board.season import SeasonFilter
from f1_assets.board.session import session_view
from f1_assets.health.metrics import WarehouseCollector, metrics_text
from f1_assets.planning import dataset_states
from f1_assets.planning.season_states import season_states
from f1_assets.reader import Reader
from f1_assets.settings import load_settings
from f1_assets.fetch.transport import Transport

shape = "races=1,tests=0,sprints=0,laps=6,samples_every=40,drivers=4"
settings = load_settings(home=folder / "home", source="simulator", simulator=shape)
warehouse, transport, key = connect(settings), Transport(settings), SessionKey(2025, 1, "R")


def run(gaps, workers, reserve, lease, meanwhile):
    for gap in gaps:
        yield SessionRun(process_session_gap(gap, warehouse=warehouse, transport=transport))


# stints come with it: nobody named them, but it is derived from them.
selection = Selection.of([2025], ["laps", "longest_stints", "season_laps"], sessions=["R"])
context = Context.open(settings, warehouse=warehouse, transport=transport)
summary = import_selection(context, selection, run)
now = datetime.now(UTC)
states = dataset_states(warehouse, [2025], now=now, key=key)
graph = defs.resolve_asset_graph()
node, of_season = (graph.get(dg.AssetKey(name)) for name in ("longest_stints", "season_laps"))
exported = export_warehouse(warehouse, folder / "export", [2025])
metrics = metrics_text(WarehouseCollector(lambda: warehouse, settings))[0].decode()
print(json.dumps({
    "computed": [line.dataset for line in summary.computed],
    "states": {state.dataset: str(state.status) for state in states},
    "rows": len(warehouse.rows("longest_stints", key)),
    "parents": [each.to_user_string() for each in node.parent_keys],
    "board": [line.dataset for line in session_view(warehouse, key, states, now).datasets],
    "dictionary": "## `longest_stints`" in markdown(),
    "export": [file.dataset for file in exported],
    "metric": 'f1_assets_rows{dataset="longest_stints",season="2025"} 4.0' in metrics,
    "of_season": {
        "status": [(state.dataset, str(state.status), state.rows) for state in season_states(warehouse, [2025])],
        "parents": [each.to_user_string() for each in of_season.parent_keys],
        "partitions": of_season.partitions_def.name,
        "board": [cell.dataset for cell in Readings(context).season(2025, SeasonFilter()).over_season],
        "rows": int(warehouse.rows("season_laps", 2025)["laps"].sum()) == len(warehouse.rows("laps", key)),
        "sql": len(Reader(warehouse).sql("SELECT * FROM season_laps")),
        "dictionary": "## `season_laps`" in markdown(),
        "metric": 'f1_assets_rows{dataset="season_laps",season="2025"} 4.0' in metrics,
    },
}))
"""


def test_one_new_file_is_all_that_a_derived_dataset_takes_of_a_session_or_a_season(tmp_path):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "longest_stints.py").write_text(NEW_FILE)
    (tmp_path / "datasets" / "season_laps.py").write_text(NEW_FILE_OF_SEASONS)
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["computed"] == ["stints", "longest_stints", "season_laps"]
    assert (found["states"]["longest_stints"], found["rows"]) == ("present", 4)
    assert found["parents"] == ["stints"]
    assert "longest_stints" in found["board"]
    assert {"longest_stints", "season_laps"} <= set(found["export"])
    assert (found["dictionary"], found["metric"]) == (True, True)
    assert found["of_season"] == {
        "status": [["driver_seasons", "missing", 0], ["season_laps", "present", 4]],
        "parents": ["laps"],
        "partitions": "f1_season",
        "board": ["driver_seasons", "season_laps"],
        "rows": True,
        "sql": 4,
        "dictionary": True,
        "metric": True,
    }

"""A home in which one race of a simulated season is imported."""

from pathlib import Path

from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings

RACE = SessionKey(2025, 1, "R")

WITH_ROWS = {
    name: dataset
    for name, dataset in all_datasets().items()
    if dataset.why_not_applicable(RACE, live_timing=True) is None
}
"""The datasets of which the race has rows."""

FRAME_TYPES = {
    "int8": "Int8",
    "int16": "Int16",
    "int32": "Int32",
    "integer": "Int64",
    "bigint": "Int64",
    "float": "float64",
    "boolean": "boolean",
    "text": "str",
    "timestamp": "datetime64[ns, UTC]",
}
"""The types of what an analyst is handed, by those of the registry."""


def make_home(folder: Path) -> Path:
    """Import the race, and return the home."""
    options = "races=1,tests=0,sprints=0,laps=5,samples_every=50,drivers=4"
    settings = load_settings(home=folder, source="simulator", simulator=options)
    warehouse, transport = connect(settings), Transport(settings)
    refresh_calendar(2025, warehouse=warehouse, transport=transport)
    gap = SessionGap(RACE, tuple(all_datasets()))
    assert process_session_gap(gap, warehouse=warehouse, transport=transport).failed == ()
    transport.close()
    warehouse.close()
    return folder

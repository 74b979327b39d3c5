"""A simulated session whose feeds are changed as public reports describe real ones, through a whole import."""

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from f1_assets.connection import connect
from f1_assets.fetch.transport import Transport
from f1_assets.importing import SessionOutcome, process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.warehouse import Warehouse
from f1_assets_tests.fetch.server import Fault, body, services

OPTIONS = "races=2,tests=0,sprints=0,laps=8,samples_every=50,drivers=6"
DATASETS = (
    "car_telemetry",
    "drivers",
    "intervals",
    "laps",
    "position_telemetry",
    "race_control_messages",
    "session_status",
    "team_radio",
    "track_status",
)


def clock(milliseconds: int) -> str:
    """Write a session time as feeds have it."""
    seconds, ms = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"


def _ms(line):
    hours, minutes, seconds, ms = map(int, re.split("[:.]", line[:12]))
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms


def with_lines(*lines: tuple[int, object]) -> Fault:
    """Add lines to a feed: their session time in milliseconds, and their content."""

    def change(content):
        own = content.decode("utf-8-sig").splitlines()
        more = [f"{clock(time_ms)}{json.dumps(what)}" for time_ms, what in lines]
        return ("\r\n".join(sorted([*own, *more], key=_ms)) + "\r\n").encode()

    return body(change)


def with_times(change: Callable[[int], int]) -> Fault:
    """Change the session times of a feed's lines, in milliseconds."""

    def moved(content):
        lines = content.decode("utf-8-sig").splitlines()
        return "".join(f"{clock(change(_ms(line)))}{line[12:]}\r\n" for line in lines).encode()

    return body(moved)


def in_turn(*faults: Fault) -> Fault:
    """Apply one fault after the other."""

    def fault(answer):
        for each in faults:
            answer = each(answer)
        return answer

    return fault


@contextlib.contextmanager
def importing(
    faults: Mapping[str, Fault], key: SessionKey, home: Path, datasets: tuple[str, ...] = DATASETS
) -> Iterator[tuple[Warehouse, SessionOutcome]]:
    """Import a session whose feeds have faults; its warehouse is open for a while."""
    with services(Simulator(SimulatorOptions.parse(OPTIONS))) as served:
        served.faults.update(faults)
        settings = load_settings(home=home, source=served.url)
        warehouse, transport = connect(settings), Transport(settings)
        refresh_calendar(key.season, warehouse=warehouse, transport=transport)
        outcome = process_session_gap(SessionGap(key, datasets), warehouse=warehouse, transport=transport)
        transport.close()
    try:
        assert outcome.failed == ()
        yield warehouse, outcome
    finally:
        warehouse.close()


def imported(
    faults: Mapping[str, Fault], key: SessionKey, home: Path, datasets: tuple[str, ...] = DATASETS
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Import a session whose feeds have faults; give its rows and what was noted, by dataset."""
    with importing(faults, key, home, datasets) as (warehouse, outcome):
        rows = {name: warehouse.rows(name, key) for name in datasets}
        return rows, notes_of(outcome)


def notes_of(outcome: SessionOutcome) -> dict[str, Any]:
    """Return what was noted of each dataset."""
    return {line.dataset: json.loads(line.notes) if line.notes else {} for line in outcome.datasets}

"""A small warehouse with all that can be, and the board of it on loopback."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import requests
import uvicorn
from sqlalchemy import insert, select, update
from starlette.types import ASGIApp

from f1_assets.connection import F1Warehouse, connect
from f1_assets.datasets import all_datasets
from f1_assets.fetch.process import transport_for
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import Settings, load_settings
from f1_assets.warehouse import Extraction, Status
from f1_assets.warehouse.models import amendments, events, extractions, session_claims

NOW = datetime(2025, 3, 20, 14, 2, tzinfo=UTC)
"""After the first of three weekends; the others are upcoming."""

HOSTILE = "<script>alert(1)</script>"
FAILED, GIVEN_UP, UNAVAILABLE, BLOCKED = (SessionKey(2025, 1, name) for name in ("FP1", "FP2", "FP3", "R"))
IMPORTED = SessionKey(2025, 1, "Q")


def settings_for(home: Path, **overrides: object) -> Settings:
    """Return the settings of a board of a made-up season."""
    simulated = "races=3,tests=1,sprints=1,laps=5,samples_every=40,drivers=4"
    return load_settings(
        **{"home": home, "source": "simulator", "simulator": simulated, "autostart": True, **overrides}
    )


def fill(settings: Settings) -> None:
    """Import a session, and note of others whatever can be noted."""
    warehouse, transport = connect(settings), transport_for(settings)
    refresh_calendar(2025, warehouse=warehouse, transport=transport)
    process_session_gap(SessionGap(IMPORTED, tuple(all_datasets())), warehouse=warehouse, transport=transport)
    before = NOW - timedelta(minutes=5)  # its present is not the clock's
    with warehouse.engine.begin() as connection:
        connection.execute(update(extractions).values(asked_at=before, extracted_at=before, tried_at=before))
    soon = NOW + timedelta(minutes=30)
    for line in (
        _line(FAILED, "laps", Status.FAILED, "TimingData failed: HTTP 500", "TransientError", soon),
        _line(GIVEN_UP, "laps", Status.FAILED, f"{HOSTILE} is no lap", "UnreadableData"),
        _line(UNAVAILABLE, "team_radio", Status.UNAVAILABLE, "TeamRadio: HTTP 404", "Unavailable", soon),
        _line(BLOCKED, "laps", Status.BLOCKED_AUTH, "the account was refused", "AuthenticationRequired"),
        _line(BLOCKED, "weather", Status.BLOCKED_AUTH, "the account was refused", "AuthenticationRequired"),
    ):
        warehouse.note(line)
    _note_the_rest(warehouse)
    warehouse.close()


def _line(
    key: SessionKey, dataset: str, status: Status, reason: str, error_class: str, next_try_at: datetime | None = None
) -> Extraction:
    return Extraction(
        key,
        dataset,
        status,
        reason=reason,
        error_class=error_class,
        error=f"Traceback: {HOSTILE}",
        tried_at=NOW - timedelta(minutes=5),
        next_try_at=next_try_at,
        requests=12,
        load_seconds=3.5,
        fastf1_version="3.9.0",
        run_id="0d1f",
        version=all_datasets()[dataset].version,
    )


def _note_the_rest(warehouse: F1Warehouse) -> None:
    """Hostile names, an amended result, a session that runs, a cancelled event."""
    drivers, messages = all_datasets()["drivers"].table, all_datasets()["race_control_messages"].table
    with warehouse.engine.begin() as connection:
        connection.execute(update(drivers).values(abbreviation=HOSTILE, full_name=HOSTILE))
        number = connection.execute(select(drivers.c.driver_number)).scalars().first()
        connection.execute(update(messages).values(message=HOSTILE, driver_number=number))
        connection.execute(update(events).where(events.c.event_key == "2025-01").values(name=f"Grand {HOSTILE}"))
        changed = {"season": 2025, "round": 1, "session": "Q", "dataset": "results", "changed_at": NOW}
        row = {"row_key": f"driver_number={HOSTILE}", "column": "position", "before": "3", "after": HOSTILE}
        connection.execute(insert(amendments).values(**changed, **row))
        running = {"season": 2025, "round": 1, "session": "FP3", "owner": "x"}
        connection.execute(insert(session_claims).values(**running, expires_at=NOW + timedelta(minutes=1)))
        first = connection.execute(events.select().where(events.c.event_key == "2025-02")).mappings().one()
        cancelled = {"event_key": "2025-x", "round": None, "cancelled": True, "meeting_key": None}
        named = {"name": "Cancelled Grand Prix", "event_date": date(2025, 5, 18)}
        connection.execute(insert(events).values({**first, **cancelled, **named}))


def forget(warehouse: F1Warehouse, key: SessionKey, dataset: str) -> None:
    """Take the line of a dataset away."""
    x = extractions.c
    mine = (x.season == key.season) & (x.round == key.round) & (x.session == key.session) & (x.dataset == dataset)
    with warehouse.engine.begin() as connection:
        connection.execute(extractions.delete().where(mine))


@dataclass
class Board:
    """A running board."""

    url: str

    def get(self, path: str, **options: object) -> requests.Response:
        """Ask for a page."""
        return requests.get(self.url + path, timeout=30, **options)


@contextlib.contextmanager
def serving(app: ASGIApp) -> Iterator[Board]:
    """Serve an application on a free port, as ``f1-assets serve`` does."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield Board(f"http://127.0.0.1:{listener.getsockname()[1]}")
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listener.close()

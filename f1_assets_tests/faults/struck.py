"""A small imported season to be struck by faults: what is left of it afterwards, and what the next run asks for."""

import contextlib
import functools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pandas as pd
from sqlalchemy import delete

from f1_assets.connection import F1Warehouse, connect
from f1_assets.datasets import all_datasets, extracted_datasets, named
from f1_assets.fetch.transport import Transport
from f1_assets.importing import SessionOutcome, process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap, dataset_states, gaps_of
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.policies import policies_of
from f1_assets.settings import load_settings
from f1_assets.simulator import SimulatedResponse, Simulator, SimulatorOptions
from f1_assets.warehouse import Extraction
from f1_assets.warehouse.models import extractions, of_session
from f1_assets_tests.applicable import extracted_of
from f1_assets_tests.conftest import PLENTY
from f1_assets_tests.fetch.planned import requests_of
from f1_assets_tests.fetch.server import Services, services

SHAPE = "races=2,tests=0,sprints=0,drivers=4,laps=6,samples_every=40"
RACE, QUALIFYING, SECOND_RACE = SessionKey(2025, 1, "R"), SessionKey(2025, 1, "Q"), SessionKey(2025, 2, "R")
ALL = tuple(name for name in extracted_datasets() if name in extracted_of(RACE))
"""The datasets that the race can have."""
REQUESTS = requests_of(str(RACE))
"""What an undisturbed import of the race sends."""


class Remembering(Simulator):
    """A simulator that gives an answer at once when it gave it before."""

    def __init__(self, shape: str = SHAPE) -> None:
        super().__init__(SimulatorOptions.parse(shape))
        self.respond = functools.cache(super().respond)


SIMULATOR = Remembering()


class Clock:
    """The ledger's clock: whoever waits for a permit moves it on."""

    def __init__(self) -> None:
        self.ms = time.time_ns() // 1_000_000

    def now_ms(self) -> int:
        return self.ms

    def sleep(self, seconds: float) -> None:
        self.ms += int(seconds * 1000) + 1


@dataclass
class Season:
    """A warehouse with a season's calendar, F1's services on loopback, and what an undisturbed import stores."""

    served: Services
    warehouse: F1Warehouse
    transport: Transport
    clock: Clock = field(default_factory=Clock)
    undisturbed: dict[str, pd.DataFrame] = field(default_factory=dict)

    def run(self, *datasets: str, key: SessionKey = RACE) -> SessionOutcome:
        """Import datasets of a session, as any runner does."""
        self.clock.sleep(3600)
        self.served.asked.clear()
        gap = SessionGap(key, datasets or ALL)
        return process_session_gap(gap, warehouse=self.warehouse, transport=self.transport)

    def due(self, *datasets: str, after: timedelta = timedelta()) -> tuple[str, ...]:
        """Name what the planning would import when all that is to be tried again before long is due."""
        states = dataset_states(self.warehouse, [RACE.season], named(datasets or ALL), key=RACE)
        now = max([state.next_try_at for state in states if state.next_try_at], default=None)
        gaps = gaps_of(states, None if now is None else now + after)
        return gaps[0].datasets if gaps else ()

    def lines(self) -> dict[str, Extraction]:
        """Return what is known of each dataset of the race."""
        return {line.dataset: line for line in self.warehouse.extractions(RACE)}

    def is_as_undisturbed(self, *datasets: str) -> bool:
        """Check whether the rows are those of an undisturbed import."""
        return all(frame.equals(self.undisturbed[name]) for name, frame in self.rows(*datasets).items())

    def rows(self, *datasets: str) -> dict[str, pd.DataFrame]:
        """Return the race's rows by dataset."""
        return {name: self.warehouse.rows(all_datasets()[name], RACE) for name in datasets or ALL}

    def lose(self, *url_parts: str) -> None:
        """Lose the race's rows, and what the archive has below some addresses."""
        for part in url_parts:
            self.transport.discard(part)
        with self.warehouse.engine.begin() as connection:
            for dataset in all_datasets().values():
                if dataset.table is not None:
                    connection.execute(delete(dataset.table).where(of_session(dataset.table, RACE)))
            connection.execute(delete(extractions).where(of_session(extractions, RACE)))


def open_season(home: Path, served: Services, **overrides: object) -> Season:
    """Open a season that has its calendar and nothing else."""
    settings = load_settings(home=home, source=served.url, **overrides)
    warehouse, clock = connect(settings), Clock()
    ledger = Ledger(warehouse.engine, policies_of(PLENTY, reaches_real_services=False), clock.now_ms, clock.sleep)
    season = Season(served, warehouse, Transport(settings, ledger), clock)
    refresh_calendar(RACE.season, warehouse=warehouse, transport=season.transport)
    return season


@contextlib.contextmanager
def imported_season(home: Path) -> Iterator[Season]:
    """Open a season of which the race and its qualifying were imported."""
    with services(SIMULATOR) as served:
        season = open_season(home, served)
        season.run(key=QUALIFYING)
        season.run("laps", key=SECOND_RACE)
        assert season.run().requests == REQUESTS - 1  # the circuit is there already
        season.undisturbed = season.rows()
        yield season
        season.transport.close()
        season.warehouse.close()


def undisturbed_rows(home: Path) -> dict[str, pd.DataFrame]:
    """Return what an undisturbed import of the race stores, by dataset."""
    with services(SIMULATOR) as served:
        season = open_season(home, served)
        assert season.run().failed == ()
        rows = season.rows()
        season.transport.close()
        season.warehouse.close()
    return rows


class Stall:
    """A service that never answers, until it is told to hang up."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def __call__(self, _answer: SimulatedResponse) -> None:
        self.over.wait(30)


def slowly(answer: SimulatedResponse) -> SimulatedResponse:
    """Answer late, and within the time-out."""
    threading.Event().wait(0.05)
    return answer

"""Health of all that the warehouse rests on: part by part whether it is as it should be, why not, and what to do.

A part is looked at without asking any service. One that cannot even be looked at is a part that fails; the others are
looked at all the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from f1_assets.connection import connect
from f1_assets.datasets import named
from f1_assets.errors import ConfigurationError
from f1_assets.health.clock_health import clock_part
from f1_assets.health.consistency_health import consistency_part, integrity_part
from f1_assets.health.data_health import blocked_part, failures_part, fastf1_part, newest_part
from f1_assets.health.parts import Check, Condition, Part, failing, looked_at
from f1_assets.health.storage_health import (
    archive_part,
    database_part,
    lake_alone_part,
    lake_part,
    no_database_part,
)
from f1_assets.health.upstream_health import account_part, quota_part, source_part
from f1_assets.planning import dataset_states
from f1_assets.settings import Settings
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.calendar import known_seasons


@dataclass(frozen=True)
class Health:
    """All parts. Without a usable database (`database_usable`) those that rest on it are left out."""

    parts: tuple[Part, ...]
    database_usable: bool = True

    @property
    def condition(self) -> Condition:
        """The worst of its parts."""
        found = {part.condition for part in self.parts}
        return next((c for c in (Condition.FAILING, Condition.WARNING) if c in found), Condition.OK)

    @property
    def exit_code(self) -> int:
        """0 where nothing fails, 4 where the database cannot be used, 1 where something else fails."""
        if not self.database_usable:
            return ConfigurationError.exit_code
        return 1 if self.condition is Condition.FAILING else 0


def check_health(
    settings: Settings,
    more: Iterable[tuple[str, Check]] = (),
    now: datetime | None = None,
    seasons: Collection[int] = (),
) -> Health:
    """Look at every part.

    Parameters
    ----------
    settings
        Which database, archive, lake, source and quota.
    more
        Names and checks of parts that stand above this package, such as Dagster's daemon.
    now
        What is taken for the present.
    seasons
        Hold all sessions of these against the rules of their data; otherwise the newest few.
    """
    now = now or datetime.now(UTC)
    of_database = _parts_of_database(settings, now, seasons)
    others = [looked_at(name, check) for name, check in (*_checks(settings, now), *more)]
    usable = of_database[0].condition is not Condition.FAILING
    return Health((of_database[0], *others, *of_database[1:]), usable)


def _parts_of_database(settings: Settings, now: datetime, seasons: Collection[int]) -> list[Part]:
    """Look at the database, then at the parts that rest on it."""
    absent = no_database_part(settings)
    if absent is not None:
        return [absent]
    try:
        warehouse = connect(settings)
        try:
            return [database_part(warehouse), *_parts_of_warehouse(warehouse, settings, now, seasons)]
        finally:
            warehouse.close()
    except Exception as error:  # whatever a damaged database makes of it
        return [failing("database", error), looked_at("lake", lambda: lake_alone_part(settings))]


def _parts_of_warehouse(
    warehouse: Warehouse, settings: Settings, now: datetime, seasons: Collection[int]
) -> Iterator[Part]:
    states = dataset_states(warehouse, known_seasons(warehouse), named(settings.datasets), now)
    yield looked_at("lake", lambda: lake_part(warehouse))
    yield looked_at("quota", lambda: quota_part(warehouse, settings, now))
    yield looked_at("clock", lambda: clock_part(warehouse, settings))
    yield looked_at("newest session", lambda: newest_part(warehouse, states, now))
    yield looked_at("failures", lambda: failures_part(states, now))
    yield looked_at("refusals", lambda: blocked_part(warehouse, states))
    yield looked_at("integrity", lambda: integrity_part(warehouse))
    yield looked_at("consistency", lambda: consistency_part(warehouse, states, seasons))
    yield looked_at("FastF1", lambda: fastf1_part(warehouse))


def _checks(settings: Settings, now: datetime) -> Iterator[tuple[str, Check]]:
    yield "archive", lambda: archive_part(settings)
    yield "source", lambda: source_part(settings)
    if settings.source == "live":
        yield "account", lambda: account_part(settings, now)

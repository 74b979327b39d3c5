"""The newest session that has ended and has something to bring, and how much of it is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from f1_assets.keys import SessionKey
from f1_assets.planning import DatasetState
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.statistics import last_ended


@dataclass(frozen=True)
class NewestSession:
    """A session that has ended: how many datasets it should have, and how many are present."""

    key: SessionKey
    ended_at: datetime
    expected: int
    present: int

    @property
    def present_ratio(self) -> float:
        """The share that is present, from 0 to 1."""
        return self.present / self.expected


def newest_session(warehouse: Warehouse, states: Iterable[DatasetState], now: datetime) -> NewestSession | None:
    """Return the session that ended last of those that have something to bring; None where there is none.

    Parameters
    ----------
    warehouse
        Whose calendar.
    states
        Those of its sessions.
    now
        What is taken for the present.
    """
    with reading(warehouse.engine) as connection:
        ended = last_ended(connection, now)
    statuses: dict[SessionKey, list[Status]] = {key: [] for key, _ in ended}
    for state in states:
        if state.key in statuses and not state.is_derived and not state.status.has_no_data:
            statuses[state.key].append(state.status)
    for key, ended_at in ended:
        if expected := statuses[key]:
            return NewestSession(key, ended_at, len(expected), expected.count(Status.PRESENT))
    return None

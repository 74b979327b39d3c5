"""Check whether the newest data is there. The calendar decides: no race in August is no alarm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from f1_assets.keys import SessionKey
from f1_assets.planning.gaps import DatasetState
from f1_assets.warehouse import Status

TIME_TO_FILL = timedelta(hours=3)
"""A dataset is late when it is missing so long after it could be there: a spent quota alone is no alarm."""


@dataclass(frozen=True)
class Freshness:
    """How fresh a dataset is.

    Parameters
    ----------
    dataset
        Which one.
    newest
        The newest session that has ended and has such data upstream; None where there is none yet.
    is_late
        Whether its data should have been there by now, and is not.
    words
        In a sentence.
    """

    dataset: str
    newest: SessionKey | None
    is_late: bool
    words: str


def freshness_of(
    states: Iterable[DatasetState], ends: Mapping[SessionKey, datetime], now: datetime
) -> dict[str, Freshness]:
    """Return of each dataset whether its newest session is there.

    Parameters
    ----------
    states
        In the order of the calendar.
    ends
        When each session ended.
    now
        What is taken for the present.
    """
    newest: dict[str, DatasetState] = {}
    names: dict[str, None] = {}
    for state in states:
        names[state.dataset] = None
        if state.status.is_expected:
            newest[state.dataset] = state
    return {name: _freshness(name, newest.get(name), ends, now) for name in names}


def _freshness(name: str, state: DatasetState | None, ends: Mapping[SessionKey, datetime], now: datetime) -> Freshness:
    if state is None:
        return Freshness(name, None, False, "no session with such data has ended yet")
    ended = ends[state.key]
    if state.status is Status.PRESENT:
        return Freshness(name, state.key, False, f"{state.key}, the newest, is there with {state.rows:,} rows")
    words = f"{state.key} ended {ended:%Y-%m-%d %H:%M} UTC and is {state.status}"
    words += f": {state.reason}" if state.reason else ""
    return Freshness(name, state.key, now - ended > TIME_TO_FILL, words)

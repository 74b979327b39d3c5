"""The gap report: what should be there and is not, what it costs to get it, and what waits for what."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING

from f1_assets.datasets import all_datasets
from f1_assets.feeds.table import Feed
from f1_assets.keys import SessionKey
from f1_assets.planning.gaps import DatasetState, SessionGap, extracted, gaps_of, outdated_of
from f1_assets.warehouse import Status
from f1_assets.warehouse.calendar import CalendarEvent, CalendarSession

if TYPE_CHECKING:
    from f1_assets.fetch.estimates import RequestCost


@dataclass(frozen=True)
class GapReport:
    """Every (session, dataset) of some seasons with its status, and from it what is missing.

    Parameters
    ----------
    seasons
        Which seasons.
    now
        When it was made; what is due was due then.
    states
        In the order of the calendar; those of derived datasets are left out, for nothing is loaded for them.
    sessions
        The calendar's sessions with their event, in its order.
    costs
        Requests that each session with gaps will take.
    renewed
        What is asked for again, in the place of what is missing.
    """

    seasons: tuple[int, ...]
    now: datetime
    states: tuple[DatasetState, ...]
    sessions: Mapping[SessionKey, tuple[CalendarEvent, CalendarSession]] = field(default_factory=dict)
    costs: Mapping[SessionKey, RequestCost] = field(default_factory=dict)
    renewed: tuple[SessionGap, ...] | None = None

    def __post_init__(self) -> None:
        """Leave out what is derived."""
        object.__setattr__(self, "states", tuple(extracted(self.states)))

    @functools.cached_property
    def sessions_with_gaps(self) -> tuple[SessionGap, ...]:
        """The sessions that lack something now, with the datasets that they lack, in the order of the calendar."""
        return tuple(gaps_of(self.states, self.now)) if self.renewed is None else self.renewed

    @functools.cached_property
    def sessions_outdated(self) -> tuple[SessionGap, ...]:
        """The sessions with rows of a lower version than their dataset: the archive gives them again, unasked."""
        return tuple(outdated_of(self.states))

    @property
    def missing_races(self) -> tuple[int, ...]:
        """Rounds of which nothing at all is there, although a session of theirs has ended; tests are no race."""
        return tuple(dict.fromkeys(number for season in self.seasons for number in missing_rounds(self.states, season)))

    @property
    def missing_sessions(self) -> tuple[tuple[int, int], ...]:
        """Round and session number (place in the weekend) of sessions of which nothing at all is there."""
        return tuple((key.round, self.sessions[key][1].number) for key in missing_keys(self.states))

    @property
    def total_api_calls_needed(self) -> int:
        """How many sessions have to be loaded."""
        return len(self.sessions_with_gaps)

    @property
    def requests_needed(self) -> int:
        """How many requests these loads are expected to send; what the archive has costs none."""
        return sum(cost.usual for cost in self.costs.values())

    @property
    def counts(self) -> Mapping[Status, int]:
        """How many (session, dataset) have each status."""
        return Counter(state.status for state in self.states)

    @property
    def completeness(self) -> float | None:
        """Share of what upstream has and what has ended that is there, from 0 to 1; None before a session has ended."""
        counted = [state for state in self.states if state.status.is_expected]
        return sum(state.status is Status.PRESENT for state in counted) / len(counted) if counted else None

    @property
    def failed(self) -> tuple[DatasetState, ...]:
        """Return what failed: it is asked for again now, or later, or not before you run ``retry``."""
        return tuple(state for state in self.states if state.status.has_failed)

    @property
    def waiting(self) -> tuple[DatasetState, ...]:
        """Return what failed and is asked for again later, or not before you run ``retry``."""
        return tuple(s for s in self.failed if not s.is_due(self.now))

    def load_seconds(self, usual: float = 6.0) -> float:
        """Return how long a load takes, as past ones did; `usual` where there was none."""
        seen = [state.load_seconds for state in self.states if state.status is Status.PRESENT and state.requests]
        return median(seen) if seen else usual


def feeds_to_load_of(gap: SessionGap, event: CalendarEvent) -> frozenset[Feed]:
    """Return all feeds that are asked for when the datasets of a gap are loaded."""
    wanted = (all_datasets()[name] for name in gap.datasets)
    of_event = (event.live_timing, event.ends_season)
    applicable = (dataset for dataset in wanted if dataset.why_not_applicable(gap.key, *of_event) is None)
    return frozenset[Feed]().union(*(dataset.loads_in(gap.key) for dataset in applicable))


def missing_keys(states: Iterable[DatasetState]) -> list[SessionKey]:
    """Return the sessions that have ended and of which nothing is there and something should be."""
    present: dict[SessionKey, bool] = {}
    wanted: dict[SessionKey, bool] = {}
    for state in states:
        present[state.key] = present.get(state.key, False) or state.status is Status.PRESENT
        wanted[state.key] = wanted.get(state.key, False) or state.status.is_gap
    return [key for key, is_wanted in wanted.items() if is_wanted and not present[key]]


def missing_rounds(states: Iterable[DatasetState], season: int) -> list[int]:
    """Return the rounds of a season of which nothing is there, although a session of theirs has ended."""
    of_season = [state for state in states if state.key.season == season and not state.key.is_test]
    there = {state.key.round for state in of_season if state.status is Status.PRESENT}
    missing = dict.fromkeys(key.round for key in missing_keys(of_season))
    return [number for number in missing if number not in there]

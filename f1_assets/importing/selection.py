"""Which seasons, rounds, sessions and datasets an import is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from f1_assets.datasets import Dataset, named, season_datasets_named
from f1_assets.errors import UsageError
from f1_assets.feeds.table import Feed
from f1_assets.keys import SessionKey, session_meant
from f1_assets.planning import DatasetState, SessionGap, dataset_states, gaps_of, outdated_of
from f1_assets.warehouse import Status, Warehouse


class Renewal(StrEnum):
    """Where what is stored already is taken from again."""

    UPSTREAM = "upstream"
    ARCHIVE = "archive"


@dataclass(frozen=True)
class Selection:
    """Which seasons, rounds, sessions and datasets to import; nothing named means all.

    `of_seasons` are the datasets that are computed over whole seasons. With `renewal`, what is present is imported
    again, past the archive or from it alone.
    """

    seasons: Sequence[int]
    datasets: Sequence[Dataset]
    rounds: Sequence[int] = ()
    sessions: Sequence[str] = ()
    renewal: Renewal | None = None
    of_seasons: Sequence[Dataset] = ()

    @classmethod
    def of(
        cls,
        seasons: Sequence[int],
        datasets: Iterable[str] | str | None = None,
        rounds: Sequence[int] = (),
        sessions: Sequence[str] = (),
        renewal: Renewal | None = None,
    ) -> Selection:
        """Select by names.

        Raises
        ------
        UsageError
            When there is no dataset of a name.
        """
        wanted = datasets if datasets is None or isinstance(datasets, str) else list(datasets)
        return cls(seasons, named(wanted), rounds, sessions, renewal, season_datasets_named(wanted))

    @property
    def is_of_whole_seasons(self) -> bool:
        """Check whether no round and no session was named."""
        return not self.rounds and not self.sessions

    def states(self, warehouse: Warehouse, now: datetime | None = None) -> list[DatasetState]:
        """Return the states of what is selected.

        Raises
        ------
        UsageError
            When a round or session was named that none of the seasons has.
        """
        states = dataset_states(warehouse, self.seasons, self.datasets, now)
        for number in self.rounds:
            if not any(state.key.round == number for state in states):
                last = max((state.key.round for state in states), default=0)
                raise UsageError(f"{self._in_words()} has no round {number}; rounds go to {last}.")
        states = [state for state in states if not self.rounds or state.key.round in self.rounds]
        for session in self.sessions:
            if not any(state.key.session == session for state in states):
                has = ", ".join(dict.fromkeys(state.key.session for state in states))
                meant = f" Did you mean {near}?" if (near := session_meant(session)) else ""
                what = f"There is no session {session[:20]!r} among what was asked for; there are: {has}."
                raise UsageError(what + meant)
        return [state for state in states if not self.sessions or state.key.session in self.sessions]

    def due_states(self, warehouse: Warehouse) -> list[DatasetState]:
        """Return the states, and refuse sessions that were named and have not taken place: nothing would be done."""
        states = self.states(warehouse, datetime.now(UTC))
        idle = (Status.UPCOMING, Status.NOT_APPLICABLE)
        if not self.is_of_whole_seasons and states and all(state.status in idle for state in states):
            upcoming = next((state for state in states if state.status is Status.UPCOMING), None)
            if upcoming is not None:
                raise UsageError(f"{upcoming.key} has not taken place yet, or is not published: {upcoming.reason}.")
        return states

    def _has(self, key: SessionKey) -> bool:
        return (not self.rounds or key.round in self.rounds) and (not self.sessions or key.session in self.sessions)

    def gaps(self, warehouse: Warehouse, now: datetime) -> tuple[list[SessionGap], list[SessionGap]]:
        """Return what upstream is asked for, and what the archive alone gives again."""
        states = self.due_states(warehouse)
        if self.renewal is None:
            return gaps_of(states, now), outdated_of(states)
        renewed = [_renewed(gap, self.renewal) for gap in _present_of(states)]
        return (renewed, []) if self.renewal is Renewal.UPSTREAM else ([], renewed)

    def _in_words(self) -> str:
        first, last = self.seasons[0], self.seasons[-1]
        return f"Season {first}" if len(self.seasons) == 1 else f"None of the seasons {first} to {last}"


def _present_of(states: Iterable[DatasetState]) -> list[SessionGap]:
    """Gather what is present by session."""
    found: dict[SessionKey, list[str]] = {}
    for state in states:
        if state.status is Status.PRESENT and not state.is_derived:
            found.setdefault(state.key, []).append(state.dataset)
    return [SessionGap(key, tuple(names)) for key, names in found.items()]


def _renewed(gap: SessionGap, renewal: Renewal) -> SessionGap:
    """Return a gap for which all that its datasets are made of is asked for again, or nothing."""
    if renewal is Renewal.ARCHIVE:
        return replace(gap, from_archive=True)
    made_of = [dataset.feeds_in(gap.key) for dataset in named(gap.datasets)]
    feeds = {Feed.SESSION_INFO}.union(*((*feeds.required, *feeds.optional) for feeds in made_of))
    return replace(gap, renew=frozenset(str(feed) for feed in feeds))

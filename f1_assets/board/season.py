"""A season as the board shows it: every weekend with its sessions, and of each session every dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from f1_assets.board.overview import (
    AmendedValue,
    Failure,
    SeasonRow,
    event_names,
    failures_of,
    latest_amendments,
    season_row,
    what_next,
)
from f1_assets.errors import UsageError
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.planning import DatasetState
from f1_assets.planning.gaps import extracted
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.calendar import CalendarEvent, events_of, no_calendar, refreshes_of
from f1_assets.warehouse.leases import leased_sessions


@dataclass(frozen=True)
class SeasonFilter:
    """The part of a season that is shown; nothing named, nothing left out.

    Of statuses the sessions are shown that have one of them in a dataset that is shown.
    """

    statuses: frozenset[Status] = frozenset()
    sessions: frozenset[str] = frozenset()
    datasets: frozenset[str] = frozenset()
    rounds: frozenset[int] = frozenset()

    @classmethod
    def of(
        cls, statuses: Iterable[str], sessions: Iterable[str], datasets: Iterable[str], rounds: Iterable[str]
    ) -> SeasonFilter:
        """Read the words of an address; an empty one, as a form sends it, names nothing.

        Raises
        ------
        UsageError
            When there is no such status, or a round is no number.
        """
        wanted_statuses, wanted_rounds = [*filter(None, statuses)], [*filter(None, rounds)]
        there = [str(status) for status in Status]
        for word in wanted_statuses:
            if word not in there:
                raise UsageError(f"There is no status {word[:40]!r}. There are: {', '.join(there)}.")
        for word in wanted_rounds:
            if not (word.isascii() and word.isdigit() and len(word) <= 2):
                raise UsageError(f"{word[:40]!r} is no round. Rounds go from 1 to 99; tests are round 0.")
        return cls(
            frozenset(Status(word) for word in wanted_statuses),
            frozenset(word.upper() for word in sessions if word),
            frozenset(filter(None, datasets)),
            frozenset(int(word) for word in wanted_rounds),
        )

    def lets(self, key: SessionKey) -> bool:
        """Check whether a session is shown, whatever is known of it; a test day is of the type ``TEST``."""
        kind = "TEST" if key.is_test else key.session
        return (not self.sessions or kind in self.sessions) and (not self.rounds or key.round in self.rounds)

    def lets_state(self, state: DatasetState) -> bool:
        """Check whether a dataset is shown; one of the whole season has no session and no round."""
        of_season = isinstance(state.key, SeasonKey)
        is_there = not self.sessions and not self.rounds if of_season else self.lets(state.key)
        of_dataset = not self.datasets or state.dataset in self.datasets
        return is_there and of_dataset and (not self.statuses or state.status in self.statuses)


@dataclass(frozen=True)
class Cell:
    """One dataset of one session: its status, and in words why and what next."""

    dataset: str
    status: Status
    rows: int
    reason: str | None
    error_class: str | None
    extracted_at: datetime | None
    next_try_at: datetime | None
    what_next: str | None


@dataclass(frozen=True)
class SessionLine:
    """A session with its datasets. `number` is its place in the weekend; times are in UTC."""

    key: str
    session: str
    name: str
    number: int
    start: datetime
    end: datetime
    is_running: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Weekend:
    """A race weekend or a test; `round` is 0 for a test and None for a cancelled event."""

    event_key: str
    round: int | None
    name: str
    location: str
    country: str
    format: str
    event_date: date
    cancelled: bool
    sessions: tuple[SessionLine, ...]


@dataclass(frozen=True)
class SeasonView:
    """A season. `summary` counts all of it, `shown` the (session, dataset) that the filter leaves, by status.

    `over_season` is what is computed over all sessions of the season.
    """

    made_at: datetime
    summary: SeasonRow
    datasets: tuple[str, ...]
    shown: dict[Status, int]
    weekends: tuple[Weekend, ...]
    failures: tuple[Failure, ...]
    amendments: tuple[AmendedValue, ...]
    over_season: tuple[Cell, ...] = ()


def season_view(
    warehouse: Warehouse,
    season: int,
    states: Sequence[DatasetState],
    now: datetime,
    only: SeasonFilter,
    over_season: Sequence[DatasetState] = (),
    *,
    by_itself: bool = False,
) -> SeasonView:
    """Return a season, or what a filter leaves of it.

    Parameters
    ----------
    warehouse
        Where to look.
    season
        Championship year.
    states
        Every (session, dataset) of the season; what is derived is shown with its session, and here where it failed.
    now
        What is taken for the present.
    only
        What is shown, of sessions and of failures; amendments are those of the whole season.
    over_season
        What is computed over the whole season.
    by_itself
        See `what_next`.

    Raises
    ------
    UsageError
        When the warehouse has no calendar of the season.
    """
    calendar = refreshes_of(warehouse).get(season)
    if calendar is None:
        raise UsageError(no_calendar(str(season)))
    names, running = event_names(warehouse, season), leased_sessions(warehouse, now)
    shown = {
        key: kept
        for key, group in groupby(extracted(states), lambda state: state.key)
        if only.lets(key) and (kept := _kept(group, only))
    }
    return SeasonView(
        made_at=now,
        summary=season_row(season, calendar, states, now),
        datasets=tuple(dict.fromkeys(state.dataset for kept in shown.values() for state in kept)),
        shown=_counted(state for kept in shown.values() for state in kept),
        weekends=tuple(_weekends(events_of(warehouse, season), shown, running, now, only, by_itself=by_itself)),
        failures=failures_of(filter(only.lets_state, [*states, *over_season]), names, now, by_itself=by_itself),
        amendments=latest_amendments(warehouse, names, [season]),
        over_season=tuple(cell(state, now, by_itself=by_itself) for state in over_season),
    )


def _kept(states: Iterable[DatasetState], only: SeasonFilter) -> list[DatasetState]:
    kept = [state for state in states if not only.datasets or state.dataset in only.datasets]
    return kept if not only.statuses or any(state.status in only.statuses for state in kept) else []


def _counted(states: Iterable[DatasetState]) -> dict[Status, int]:
    counts = Counter(state.status for state in states)
    return {status: counts[status] for status in Status}


def _weekends(
    events: Iterable[CalendarEvent],
    shown: Mapping[SessionKey, list[DatasetState]],
    running: Collection[SessionKey],
    now: datetime,
    only: SeasonFilter,
    *,
    by_itself: bool,
) -> Iterable[Weekend]:
    is_filtered = only != SeasonFilter()
    for event in sorted(events, key=lambda event: event.event_date):
        lines = tuple(
            SessionLine(
                key=str(listed.key),
                session=listed.key.session,
                name=listed.name,
                number=listed.number,
                start=listed.start,
                end=listed.end,
                is_running=listed.key in running,
                cells=tuple(cell(state, now, by_itself=by_itself) for state in shown[listed.key]),
            )
            for listed in event.sessions
            if listed.key in shown
        )
        if lines or not is_filtered:
            yield Weekend(
                event_key=event.event_key,
                round=event.round,
                name=event.name,
                location=event.location,
                country=event.country,
                format=event.format,
                event_date=event.event_date,
                cancelled=event.cancelled,
                sessions=lines,
            )


def cell(state: DatasetState, now: datetime, *, by_itself: bool = False) -> Cell:
    """Return what is known of a dataset of a session, with what happens next."""
    return Cell(
        dataset=state.dataset,
        status=state.status,
        rows=state.rows,
        reason=state.reason,
        error_class=state.error_class,
        extracted_at=state.extracted_at,
        next_try_at=state.next_try_at,
        what_next=what_next(state, now, by_itself=by_itself),
    )

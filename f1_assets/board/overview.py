"""The first page of the season board, from the warehouse alone: how complete each season is, what runs, what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from f1_assets.keys import SessionKey
from f1_assets.planning import DatasetState, GapReport
from f1_assets.planning.gaps import extracted
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.amendments import amendments_of
from f1_assets.warehouse.calendar import StoredCalendar
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import events


@dataclass(frozen=True)
class SeasonRow:
    """How far a season is.

    `complete` is from 0 to 1, and None before a session has ended; `counts` has (session, dataset) by status.
    """

    season: int
    source: str
    complete: float | None
    sessions: int
    sessions_ended: int
    sessions_complete: int
    counts: dict[Status, int]
    last_success: datetime | None
    calendar_refreshed_at: datetime


@dataclass(frozen=True)
class Failure:
    """A dataset that failed, or whose renewal did, and what happens next."""

    key: str
    event: str
    dataset: str
    status: Status
    reason: str | None
    error_class: str | None
    attempts: int
    tried_at: datetime | None
    next_try_at: datetime | None
    needs_a_person: bool
    what_next: str


@dataclass(frozen=True)
class AmendedValue:
    """A value that changed upstream after it was imported; `column` is None where the whole row came or went."""

    key: str
    event: str
    dataset: str
    row: str
    column: str | None
    before: str | None
    after: str | None
    changed_at: datetime


def season_rows(
    calendars: Mapping[int, StoredCalendar], states: Iterable[DatasetState], now: datetime
) -> tuple[SeasonRow, ...]:
    """Return a row per season, the newest first, also of those of which nothing is there.

    Parameters
    ----------
    calendars
        The seasons that the warehouse knows.
    states
        Of every (session, dataset) of these seasons.
    now
        What is taken for the present.
    """
    by_season: dict[int, list[DatasetState]] = {season: [] for season in calendars}
    for state in states:
        by_season[state.key.season].append(state)
    return tuple(season_row(season, calendars[season], by_season[season], now) for season in sorted(by_season)[::-1])


def season_row(season: int, calendar: StoredCalendar, states: Sequence[DatasetState], now: datetime) -> SeasonRow:
    """Count what a season has; what is derived is not counted."""
    states = extracted(states)
    counts = Counter(state.status for state in states)
    sessions = {state.key for state in states}
    upcoming = {state.key for state in states if state.status is Status.UPCOMING}
    lacking = {state.key for state in states if state.status.is_gap}
    return SeasonRow(
        season=season,
        source=calendar.source,
        complete=GapReport((season,), now, tuple(states)).completeness,
        sessions=len(sessions),
        sessions_ended=len(sessions - upcoming),
        sessions_complete=len(sessions - upcoming - lacking),
        counts={status: counts[status] for status in Status},
        last_success=max((s.extracted_at for s in states if s.extracted_at is not None), default=None),
        calendar_refreshed_at=calendar.at,
    )


def failures_of(
    states: Iterable[DatasetState], names: Mapping[str, str], now: datetime, *, by_itself: bool = False
) -> tuple[Failure, ...]:
    """Return what failed, the latest try first.

    Parameters
    ----------
    states
        Where to look.
    names
        Names of events by their key.
    now
        What is taken for the present.
    by_itself
        See `what_next`.
    """
    failed = [state for state in states if has_failed(state)]
    failed.sort(key=lambda state: (state.tried_at is not None, state.tried_at), reverse=True)
    return tuple(
        Failure(
            key=str(state.key),
            event=names.get(state.key.event_key, ""),
            dataset=state.dataset,
            status=state.status,
            reason=state.reason,
            error_class=state.error_class,
            attempts=state.attempts,
            tried_at=state.tried_at,
            next_try_at=state.next_try_at,
            needs_a_person=needs_a_person(state),
            what_next=what_next(state, now, by_itself=by_itself) or "",
        )
        for state in failed
    )


def has_failed(state: DatasetState) -> bool:
    """Check whether the last try failed, be it that older rows are still there."""
    return state.status.has_failed or (state.status is Status.PRESENT and state.error_class is not None)


def needs_a_person(state: DatasetState) -> bool:
    """Check whether nothing happens until an operator acts."""
    return state.is_given_up or state.status.needs_operator


def what_next(state: DatasetState, now: datetime, *, by_itself: bool = False) -> str | None:
    """Return what happens next with a dataset that is not there; None where nothing is to be said.

    Parameters
    ----------
    state
        Of the dataset.
    now
        What is taken for the present.
    by_itself
        Whether Dagster imports what is due (``F1_AUTOSTART``). Otherwise nothing tries at the time of the next try.
    """
    if state.is_given_up:
        return f"retries exhausted; to ask again: f1-assets retry {state.key}"
    if state.status is Status.BLOCKED_AUTH:
        return "waits for a valid account" + (", which one session tries every half hour" if by_itself else "")
    if state.status is Status.MISSING:
        return "with the next import"
    if state.status not in (Status.FAILED, Status.UNAVAILABLE) and not has_failed(state):
        return None
    if state.next_try_at is None:
        return None
    if state.next_try_at <= now:
        return "due: with the next import"
    at = moment(state.next_try_at, now)
    return f"next try {at}" if by_itself else f"with the first import after {at}"


def moment(at: datetime, now: datetime) -> str:
    """Write a time in UTC: ``14:32`` today, ``24 Nov 14:32`` this year, with the year else."""
    if at.date() == now.date():
        return f"{at:%H:%M}"
    return f"{at.day} {at:%b %H:%M}" if at.year == now.year else f"{at.day} {at:%b %Y %H:%M}"


def latest_amendments(
    warehouse: Warehouse, names: Mapping[str, str], seasons: Iterable[int] | None = None, key: SessionKey | None = None
) -> tuple[AmendedValue, ...]:
    """Return what changed upstream after it was imported, the latest change first."""
    found = amendments_of(warehouse, key, seasons=seasons)[::-1]
    return tuple(
        AmendedValue(
            str(a.key), names.get(a.key.event_key, ""), a.dataset, a.row, a.column, a.before, a.after, a.changed_at
        )
        for a in found
    )


def event_names(warehouse: Warehouse, season: int | None = None) -> dict[str, str]:
    """Return the names of events by their key, of one season or of all."""
    query = select(events.c.event_key, events.c.name)
    with reading(warehouse.engine) as connection:
        rows = connection.execute(query if season is None else query.where(events.c.season == season))
        return {row.event_key: row.name for row in rows}

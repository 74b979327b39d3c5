"""What should exist, what is there, and what is missing: every (session, dataset) with its status, from one query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, and_, select

from f1_assets.datasets import Dataset, named
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import events, extractions, sessions


@dataclass(frozen=True)
class DatasetState:
    """What is known of one dataset of one session; `reason` says why it is not there."""

    key: SessionKey
    dataset: str
    status: Status
    rows: int = 0
    reason: str | None = None
    error_class: str | None = None
    attempts: int = 0
    extracted_at: datetime | None = None
    next_try_at: datetime | None = None
    requests: int = 0

    def is_due(self, now: datetime) -> bool:
        """Tell whether it should be imported now: it is missing, or failed and its time to be tried has come."""
        if self.status in (Status.MISSING, Status.BLOCKED_AUTH):
            return True
        return self.status is Status.FAILED and (self.next_try_at is None or self.next_try_at <= now)


@dataclass(frozen=True)
class SessionGap:
    """The datasets that one session lacks."""

    key: SessionKey
    datasets: tuple[str, ...]


def dataset_states(
    warehouse: Warehouse,
    seasons: Iterable[int],
    datasets: Sequence[Dataset] | None = None,
    now: datetime | None = None,
    key: SessionKey | None = None,
) -> list[DatasetState]:
    """Give every (session, dataset) of some seasons with its status, in the order of the calendar.

    Parameters
    ----------
    warehouse
        Where to look.
    seasons
        Which seasons.
    datasets
        Which datasets; all by default.
    now
        What is taken for the present.
    key
        Only this session.
    """
    now = now or datetime.now(UTC)
    wanted = named(None) if datasets is None else datasets
    query = (
        select(
            sessions.c.season,
            sessions.c.round,
            sessions.c.session,
            sessions.c.end_utc,
            events.c.live_timing,
            *(column.label(f"x_{column.name}") for column in extractions.columns if not column.foreign_keys),
        )
        .join(events, sessions.c.event_key == events.c.event_key)
        .outerjoin(
            extractions,
            and_(
                extractions.c.season == sessions.c.season,
                extractions.c.round == sessions.c.round,
                extractions.c.session == sessions.c.session,
            ),
        )
        .where(sessions.c.season.in_(list(seasons)))
        .order_by(sessions.c.start_utc, sessions.c.season, sessions.c.round, sessions.c.session)
    )
    if key is not None:
        query = query.where(
            sessions.c.season == key.season, sessions.c.round == key.round, sessions.c.session == key.session
        )
    found: dict[SessionKey, tuple[Row[Any], dict[str, Row[Any]]]] = {}
    with reading(warehouse.engine) as connection:
        for row in connection.execute(query):
            lines = found.setdefault(SessionKey(row.season, row.round, row.session), (row, {}))[1]
            if row.x_dataset is not None:
                lines[row.x_dataset] = row
    return [
        _state(session_key, dataset, session, lines.get(dataset.name), now)
        for session_key, (session, lines) in found.items()
        for dataset in wanted
    ]


def gaps_of(states: Iterable[DatasetState], now: datetime | None = None) -> list[SessionGap]:
    """Gather what should be imported now by session, in the order of the states."""
    now = now or datetime.now(UTC)
    due: dict[SessionKey, list[str]] = {}
    for state in states:
        if state.is_due(now):
            due.setdefault(state.key, []).append(state.dataset)
    return [SessionGap(key, tuple(names)) for key, names in due.items()]


def _state(key: SessionKey, dataset: Dataset, session: Row[Any], line: Row[Any] | None, now: datetime) -> DatasetState:
    if line is None:
        status, reason = _without_line(key, dataset, session, now)
        return DatasetState(key, dataset.name, status, reason=reason)
    status = Status(line.x_status)
    if status is Status.UNAVAILABLE and line.x_next_try_at is not None and line.x_next_try_at <= now:
        status = Status.MISSING
    return DatasetState(
        key,
        dataset.name,
        status,
        rows=line.x_rows,
        reason=line.x_reason,
        error_class=line.x_error_class,
        attempts=line.x_attempts,
        extracted_at=line.x_extracted_at,
        next_try_at=line.x_next_try_at,
        requests=line.x_requests,
    )


def _without_line(key: SessionKey, dataset: Dataset, session: Row[Any], now: datetime) -> tuple[Status, str | None]:
    if reason := dataset.why_not_applicable(key, session.live_timing):
        return Status.NOT_APPLICABLE, reason
    if session.end_utc > now:
        return Status.UPCOMING, f"the session ends {session.end_utc:%Y-%m-%d %H:%M} UTC"
    return Status.MISSING, None

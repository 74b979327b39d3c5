"""A session as the board shows it: each dataset with what it took and why it is not there, and race control's log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from f1_assets.board.overview import AmendedValue, latest_amendments, needs_a_person, what_next
from f1_assets.datasets import all_datasets
from f1_assets.errors import UsageError
from f1_assets.keys import SessionKey
from f1_assets.planning import DatasetState
from f1_assets.warehouse import Extraction, Status, Warehouse
from f1_assets.warehouse.calendar import event_of, events_of
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.leases import leased_sessions
from f1_assets.warehouse.models import of_session


@dataclass(frozen=True)
class DatasetLine:
    """What is known of one dataset of a session.

    `requests` and `load_seconds` are those of the load that it shared with others, `seconds` its own. `error` is the
    last error, a traceback where it was a defect.
    """

    dataset: str
    row: str
    status: Status
    rows: int
    rows_expected: int | None
    reason: str | None
    error_class: str | None
    error: str | None
    attempts: int
    tried_at: datetime | None
    extracted_at: datetime | None
    next_try_at: datetime | None
    needs_a_person: bool
    what_next: str | None
    requests: int
    archive_hits: int
    seconds: float
    load_seconds: float
    fastf1_version: str
    run_id: str | None
    file_bytes: int | None


@dataclass(frozen=True)
class RaceControlMessage:
    """A message of race control; `driver` is three letters, or the car's number where these are unknown."""

    utc: datetime | None
    lap: int | None
    category: str | None
    flag: str | None
    driver: str | None
    message: str | None


@dataclass(frozen=True)
class SessionView:
    """A session. Times are in UTC; `previous` and `following` are the keys of its neighbours in the season."""

    made_at: datetime
    key: str
    season: int
    round: int
    session: str
    name: str
    event: str
    location: str
    country: str
    circuit: str | None
    start: datetime
    end: datetime
    end_is_estimated: bool
    is_running: bool
    previous: str | None
    following: str | None
    datasets: tuple[DatasetLine, ...]
    amendments: tuple[AmendedValue, ...]
    race_control: tuple[RaceControlMessage, ...]


def session_view(
    warehouse: Warehouse, key: SessionKey, states: Sequence[DatasetState], now: datetime, *, by_itself: bool = False
) -> SessionView:
    """Return a session.

    Parameters
    ----------
    warehouse
        Where to look.
    key
        Which session.
    states
        Of each of its datasets.
    now
        What is taken for the present.
    by_itself
        See `what_next`.

    Raises
    ------
    UsageError
        When the calendar does not have the session.
    """
    events = events_of(warehouse, key.season)
    listed = {s.key: (event, s) for event in events for s in event.sessions}
    if key not in listed:
        event_of(warehouse, key)  # says what there is instead
        raise UsageError(f"The calendar does not have {key}. Run: f1-assets calendar {key.season}")
    event, session = listed[key]
    order = sorted(listed, key=lambda other: (listed[other][1].start, other))
    place = order.index(key)
    lines = {line.dataset: line for line in warehouse.extractions(key)}
    return SessionView(
        made_at=now,
        key=str(key),
        season=key.season,
        round=key.round,
        session=key.session,
        name=session.name,
        event=event.name,
        location=event.location,
        country=event.country,
        circuit=event.circuit_name,
        start=session.start,
        end=session.end,
        end_is_estimated=session.end_is_estimated,
        is_running=key in leased_sessions(warehouse, now),
        previous=str(order[place - 1]) if place else None,
        following=str(order[place + 1]) if place + 1 < len(order) else None,
        datasets=tuple(_line(state, lines.get(state.dataset), now, by_itself=by_itself) for state in states),
        amendments=latest_amendments(warehouse, {event.event_key: event.name}, key=key),
        race_control=race_control(warehouse, key),
    )


def _line(state: DatasetState, line: Extraction | None, now: datetime, *, by_itself: bool) -> DatasetLine:
    known = line or Extraction(state.key, state.dataset, state.status)
    return DatasetLine(
        dataset=state.dataset,
        row=all_datasets()[state.dataset].row,
        status=state.status,
        rows=state.rows,
        rows_expected=known.rows_expected,
        reason=state.reason,
        error_class=state.error_class,
        error=known.error,
        attempts=state.attempts,
        tried_at=state.tried_at,
        extracted_at=state.extracted_at,
        next_try_at=state.next_try_at,
        needs_a_person=needs_a_person(state),
        what_next=what_next(state, now, by_itself=by_itself),
        requests=known.requests,
        archive_hits=known.archive_hits,
        seconds=known.seconds,
        load_seconds=known.load_seconds,
        fastf1_version=known.fastf1_version,
        run_id=known.run_id,
        file_bytes=known.file_bytes,
    )


def race_control(warehouse: Warehouse, key: SessionKey) -> tuple[RaceControlMessage, ...]:
    """Return the messages of race control in their order, as far as they are there."""
    messages, drivers = all_datasets()["race_control_messages"].table, all_datasets()["drivers"].table
    if messages is None or drivers is None:
        return ()
    query = select(messages).where(of_session(messages, key)).order_by(messages.c.message_number)
    entered = select(drivers.c.driver_number, drivers.c.abbreviation).where(of_session(drivers, key))
    with reading(warehouse.engine) as connection:
        letters = {row.driver_number: row.abbreviation for row in connection.execute(entered)}
        return tuple(
            RaceControlMessage(
                utc=row.utc,
                lap=row.lap_number,
                category=row.category,
                flag=row.flag,
                driver=letters.get(row.driver_number) or row.driver_number,
                message=row.message,
            )
            for row in connection.execute(query)
        )

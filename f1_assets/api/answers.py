"""An answer: which rows a query asks for, session by session, and what it is made of."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain, groupby
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionDtype

from f1_assets import __version__
from f1_assets.analysis.frames import TEXT
from f1_assets.analysis.stored_rows import Where
from f1_assets.api.endpoint import Endpoint, Scope
from f1_assets.api.filters import Filter, Kind, parse
from f1_assets.api.sessions import ApiSession, Sessions, is_narrow
from f1_assets.datasets import all_datasets
from f1_assets.errors import UsageError
from f1_assets.planning import dataset_states
from f1_assets.warehouse import Status, Warehouse

_OPTIONS = ("csv", "limit", "offset")
_DECIMALS = 6
_TYPES: dict[Kind, ExtensionDtype] = {
    Kind.INTEGER: pd.Int64Dtype(),
    Kind.NUMBER: pd.Float64Dtype(),
    Kind.BOOLEAN: pd.BooleanDtype(),
    Kind.TEXT: TEXT,
}
"""As what the values of a field are read before they are written."""


@dataclass(frozen=True)
class Query:
    """A query as it was asked."""

    endpoint: Endpoint
    wanted: Filter
    as_csv: bool
    limit: int | None
    offset: int
    sessions: tuple[ApiSession, ...]
    calendar: Sessions


def query_of(warehouse: Warehouse, endpoint: Endpoint, text: str, now: datetime | None = None) -> Query:
    """Read a query string.

    Raises
    ------
    UsageError
        When something in it cannot be, or telemetry is asked for without a session or a driver.
    """
    calendar, present = Sessions(warehouse), now or datetime.now(UTC)
    options, rest = _split(text)
    wanted = parse(rest, endpoint.all_fields, lambda field: calendar.latest(field, present))
    if endpoint.is_telemetry and not is_narrow(wanted) and wanted.allowed("driver_number") is None:
        raise UsageError(
            f"{endpoint.name} of all sessions is too much for an answer. Add session_key=latest or another session, "
            "or driver_number."
        )
    dates = {name for name, kind in endpoint.fields.items() if kind is Kind.DATE}
    chosen = [each for each in calendar.asked_for(wanted, dates) if endpoint.can_be_of(each.key)]
    if endpoint.per_meeting:
        first: dict[int, ApiSession] = {}
        for each in chosen:
            first.setdefault(each.meeting_key, each)
        chosen = list(first.values())
    return Query(
        endpoint,
        wanted,
        options.get("csv", "").lower() in ("true", "1"),
        _count(options, "limit"),
        _count(options, "offset") or 0,
        tuple(chosen),
        calendar,
    )


def frames(warehouse: Warehouse, query: Query) -> Iterator[pd.DataFrame]:
    """Give the rows that are asked for, session by session; sessions without any are left out."""
    skip, left = query.offset, query.limit
    for scope in _scopes(warehouse, query):
        if left is not None and left <= 0:
            return
        frame, each = query.endpoint.rows(scope), scope.session
        if not query.endpoint.at_once:
            frame = frame.assign(session_key=each.session_key, meeting_key=each.meeting_key)
        frame = query.wanted.rows(frame[list(query.endpoint.all_fields)])
        if skip:
            skip, frame = max(skip - len(frame), 0), frame.iloc[skip:]
        if left is not None:
            frame = frame.iloc[:left]
            left -= len(frame)
        if not frame.empty:
            yield frame


def _scopes(warehouse: Warehouse, query: Query) -> Iterator[Scope]:
    """Give what rows are made of, one after the other."""
    numbers = query.wanted.allowed("driver_number")
    drivers = None if numbers is None or None in numbers else frozenset(str(int(each)) for each in numbers)
    where = _where(query)
    for season, of_season in groupby(query.sessions, lambda each: each.key.season):
        everything = tuple(query.calendar.of(season))
        chosen = tuple(of_season)
        for part in [chosen] if query.endpoint.at_once else [(each,) for each in chosen]:
            yield Scope(warehouse, part[0], everything, part, drivers, where)


def _where(query: Query) -> dict[str, list[Where]]:
    stored_as = query.endpoint.stored_as.items()
    found = [
        (column, operator, value.to_pydatetime() if isinstance(value, pd.Timestamp) else value)
        for name, column in stored_as
        for operator, value in query.wanted.bounds(name)
    ]
    return {query.endpoint.datasets[0]: found} if found else {}


def body(query: Query, found: Iterator[pd.DataFrame]) -> Iterator[bytes]:
    """Give the answer piece by piece, as JSON or CSV."""
    return _csv(query.endpoint, found) if query.as_csv else _json(query.endpoint, found)


def peeked(found: Iterator[pd.DataFrame]) -> tuple[bool, Iterator[pd.DataFrame]]:
    """Tell whether there is a row at all, and give all of them."""
    first = next(found, None)
    return first is not None, found if first is None else chain([first], found)


def entity_tag(warehouse: Warehouse, query: Query, text: str) -> str:
    """Return a tag that changes when what an answer is made of does: the query, the calendar, the stored digests.

    Those of the whole season: a grid is made of the race's result, a championship of the race before.
    """
    lines = [
        f"{line.key} {line.dataset} {line.status} {line.digest}"
        for line in warehouse.extractions(seasons={each.key.season for each in query.sessions})
        if line.dataset in query.endpoint.datasets
    ]
    sessions = [f"{each.session_key} {each.meeting_key}" for each in query.sessions]
    events = {(each.event.season, each.event.event_key): each.event for each in query.sessions}
    made_of = [__version__, query.endpoint.name, text, *sessions, *map(str, events.values()), *sorted(lines)]
    return f'"{sha256(chr(10).join(made_of).encode()).hexdigest()[:32]}"'


def why_empty(warehouse: Warehouse, query: Query) -> tuple[Status, Sequence[ApiSession]] | None:
    """Return why nothing is stored of what is asked for, and of which sessions; None where something is."""
    if not query.endpoint.datasets or query.endpoint.at_once or not query.sessions:
        return None
    dataset = all_datasets()[query.endpoint.datasets[0]]
    keys = {each.key: each for each in query.sessions}
    states = [
        state
        for state in dataset_states(warehouse, sorted({key.season for key in keys}), [dataset])
        if state.key in keys
    ]
    if not states or any(state.status is Status.PRESENT for state in states):
        return None
    worst = next(
        (state.status for state in states if state.status not in (Status.NOT_APPLICABLE, Status.UPCOMING)),
        states[0].status,
    )
    return worst, [keys[state.key] for state in states if state.status is worst]


def _split(text: str) -> tuple[dict[str, str], str]:
    options, rest = {}, []
    for piece in text.split("&"):
        name, equals, value = piece.partition("=")
        if equals and name.lower() in _OPTIONS:
            options[name.lower()] = value
        else:
            rest.append(piece)
    return options, "&".join(rest)


def _count(options: dict[str, str], name: str) -> int | None:
    text = options.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise UsageError(f"{name} is a whole number from 0, not {text[:60]!r}.")
    return int(text)


def _records(endpoint: Endpoint, frame: pd.DataFrame) -> list[dict[str, Any]]:
    columns = [_plain(frame[name], kind) for name, kind in endpoint.all_fields.items()]
    return [dict(zip(endpoint.all_fields, row, strict=True)) for row in zip(*columns, strict=True)]


def _plain(values: pd.Series, kind: Kind) -> list[Any]:
    """Return values as JSON has them."""
    if kind is Kind.DATE:
        return _iso_dates(values)
    if kind not in _TYPES:
        return list(values)
    typed = values.astype(_TYPES[kind])
    typed = typed.round(_DECIMALS) if kind is Kind.NUMBER else typed
    plain: list[Any] = typed.astype(object).where(typed.notna(), None).tolist()
    return plain


def _iso_dates(values: pd.Series) -> list[str | None]:
    """Return dates as Python's own `isoformat` writes them, many at once."""
    utc = values.dt.tz_convert(None).to_numpy("datetime64[us]")
    written = np.datetime_as_string(utc).tolist()
    return [None if each == "NaT" else f"{each.removesuffix('.000000')}+00:00" for each in written]


def _json(endpoint: Endpoint, found: Iterator[pd.DataFrame]) -> Iterator[bytes]:
    before = b"["
    for frame in found:
        yield before + msgspec.json.encode(_records(endpoint, frame))[1:-1]
        before = b","
    yield b"[]" if before == b"[" else b"]"


def _csv(endpoint: Endpoint, found: Iterator[pd.DataFrame]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(endpoint.all_fields))
    writer.writeheader()
    for frame in found:
        writer.writerows(_records(endpoint, frame))
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()

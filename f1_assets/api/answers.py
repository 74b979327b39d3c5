"""An answer: which rows a query asks for, session by session, and what it is made of."""

from __future__ import annotations

import csv
import functools
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain, groupby
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionDtype
from sqlalchemy import select

from f1_assets import __version__
from f1_assets.analysis.frames import TEXT
from f1_assets.analysis.stored_rows import Where
from f1_assets.api.endpoint import Endpoint, Scope
from f1_assets.api.filters import Filter, Kind, parse
from f1_assets.api.kept import Kept, Whole
from f1_assets.api.sessions import ApiSession, Sessions, is_narrow
from f1_assets.datasets import all_datasets
from f1_assets.errors import UsageError
from f1_assets.keys import SessionKey
from f1_assets.planning import dataset_states
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import extractions

_OPTIONS = ("csv", "limit", "offset")
_DECIMALS = 6
_FEW = 10
"""So many sessions are looked up one by one; more, by all of their season."""

_TYPES: dict[Kind, ExtensionDtype] = {
    Kind.INTEGER: pd.Int64Dtype(),
    Kind.NUMBER: pd.Float64Dtype(),
    Kind.BOOLEAN: pd.BooleanDtype(),
    Kind.TEXT: TEXT,
}
"""As what the values of a field are read before they are written."""


Stamps = Mapping[SessionKey, tuple[str, ...]]


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


@dataclass(frozen=True)
class Piece:
    """The rows of an answer that are of one session, or of the sessions of one season.

    Parameters
    ----------
    frame
        The rows.
    written
        Each as it is written in JSON, by the frame's index; None where that is still to be done.
    """

    frame: pd.DataFrame
    written: Sequence[bytes] | None = None


def stamps_of(warehouse: Warehouse, query: Query) -> Stamps:
    """Return what the stored rows of a query are known by, session by session: they change when the rows do."""
    keys = {each.key for each in query.sessions}
    if query.endpoint.at_once:  # of all sessions, because a country is known from any of them
        return {key: _stamp_of_all(warehouse, query.endpoint.datasets) for key in [*keys][:1]}
    # What is not kept may follow from other sessions too: a grid from the race's result, points from the race before.
    of_seasons = not query.endpoint.is_kept
    found: dict[SessionKey, list[str]] = defaultdict(list, {key: [] for key in keys})
    lines = (
        [line for key in keys for line in warehouse.extractions(key)]
        if len(keys) <= _FEW and not of_seasons
        else warehouse.extractions(seasons={key.season for key in keys})
    )
    for line in lines:
        if line.dataset in query.endpoint.datasets and (of_seasons or line.key in keys):
            found[line.key].append(f"{line.dataset} {line.status} {line.digest}")
    return {key: tuple(sorted(stamps)) for key, stamps in found.items()}


def _stamp_of_all(warehouse: Warehouse, datasets: Sequence[str]) -> tuple[str, ...]:
    x = extractions.c
    query = select(x.season, x.round, x.session, x.status, x.digest).where(x.dataset.in_(datasets))
    with reading(warehouse.engine) as connection:
        return tuple(sorted(" ".join(map(str, row)) for row in connection.execute(query)))


def pieces_of(warehouse: Warehouse, query: Query, stamps: Stamps, kept: Kept) -> Iterator[Piece]:
    """Yield the rows that are asked for, session by session; sessions without any are left out."""
    skip, left = query.offset, query.limit
    for scope in _scopes(warehouse, query):
        if left is not None and left <= 0:
            return
        piece = _made(query, scope, stamps, kept)
        frame = query.wanted.rows(piece.frame)
        if skip:
            skip, frame = max(skip - len(frame), 0), frame.iloc[skip:]
        if left is not None:
            frame = frame.iloc[:left]
            left -= len(frame)
        if not frame.empty:
            yield Piece(frame, piece.written)


def _made(query: Query, scope: Scope, stamps: Stamps, kept: Kept) -> Piece:
    """Return the rows of a scope: all of them, which are kept, or a few that are asked for alone, the first time."""
    endpoint, is_narrow_scope = query.endpoint, scope.drivers is not None or bool(scope.where)
    if not endpoint.is_kept:
        return Piece(_rows(endpoint, scope))
    each = scope.session
    of = (endpoint.name, each.session_key, each.meeting_key, each.session, stamps[each.key])
    if is_narrow_scope and not kept.is_asked_for_again(of):
        return Piece(_rows(endpoint, scope))
    everything = replace(scope, drivers=None, where={})
    whole = kept.get(of, lambda: _whole(endpoint, everything))
    return Piece(whole.frame, whole.written)


def _whole(endpoint: Endpoint, scope: Scope) -> Whole:
    frame = _rows(endpoint, scope).reset_index(drop=True)
    return Whole(frame, tuple(msgspec.json.encode(row) for row in _objects(endpoint, frame)))


def _rows(endpoint: Endpoint, scope: Scope) -> pd.DataFrame:
    frame, each = endpoint.rows(scope), scope.session
    if not endpoint.at_once:
        frame = frame.assign(session_key=each.session_key, meeting_key=each.meeting_key)
    return frame[list(endpoint.all_fields)]


def _scopes(warehouse: Warehouse, query: Query) -> Iterator[Scope]:
    """Yield what rows are made of, one after the other."""
    numbers = query.wanted.allowed("driver_number")
    drivers = None if numbers is None or None in numbers else frozenset(str(int(each)) for each in numbers)
    for season, of_season in groupby(query.sessions, lambda each: each.key.season):
        everything = tuple(query.calendar.of(season))
        chosen = tuple(of_season)
        for part in [chosen] if query.endpoint.at_once else [(each,) for each in chosen]:
            yield Scope(warehouse, part[0], everything, part, drivers, _where(query, part[0]))


def _where(query: Query, session: ApiSession) -> dict[str, list[Where]]:
    """Return what the stored rows are asked for, without what holds for all of the session.

    Where its clock is not known, stored times of day may be NULL and answered ones are not.
    """
    found: list[Where] = []
    for name, column in query.endpoint.stored_as.items():
        for operator, value in query.wanted.bounds(name):
            if not isinstance(value, pd.Timestamp):
                found.append((column, operator, value))
            elif session.session.t0_utc is not None and not session.is_whole(operator, value):
                found.append((column, operator, value.to_pydatetime()))
    return {query.endpoint.datasets[0]: found} if found else {}


def body(query: Query, pieces: Iterator[Piece]) -> Iterator[bytes]:
    """Yield the answer piece by piece, as JSON or CSV."""
    return _csv(query.endpoint, pieces) if query.as_csv else _json(query.endpoint, pieces)


def peeked(pieces: Iterator[Piece]) -> tuple[bool, Iterator[Piece]]:
    """Check whether there is a row at all, and return all of them."""
    first = next(pieces, None)
    return first is not None, pieces if first is None else chain([first], pieces)


def entity_tag(query: Query, stamps: Stamps, text: str) -> str:
    """Return a tag that changes when what an answer is made of does: the query, the calendar, the stored digests."""
    sessions = [f"{each.session_key} {each.meeting_key}" for each in query.sessions]
    events = {(each.event.season, each.event.event_key): each.event for each in query.sessions}
    lines = [f"{key} {line}" for key in sorted(stamps) for line in stamps[key]]
    made_of = [__version__, query.endpoint.name, text, *sessions, *map(str, events.values()), *lines]
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


def _plain_rows(endpoint: Endpoint, frame: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Return the rows as plain values, in the order of the endpoint's fields."""
    return zip(*(_plain(frame[name], kind) for name, kind in endpoint.all_fields.items()), strict=True)


def _objects(endpoint: Endpoint, frame: pd.DataFrame) -> list[msgspec.Struct]:
    """Return the rows as what is written as an object each: dictionaries would take three times as long."""
    row_of = _struct_of(tuple(endpoint.all_fields))
    return [row_of(*values) for values in _plain_rows(endpoint, frame)]


@functools.cache
def _struct_of(fields: tuple[str, ...]) -> type[msgspec.Struct]:
    return msgspec.defstruct("Row", [(name, Any) for name in fields])


def _plain(values: pd.Series, kind: Kind) -> list[Any]:
    """Return values as JSON has them."""
    if kind is Kind.DATE:
        return _iso_dates(values)
    if kind not in _TYPES:
        return list(values)
    typed = values.astype(_TYPES[kind])
    typed = typed.round(_DECIMALS) if kind is Kind.NUMBER else typed
    is_missing = typed.isna()
    plain: list[Any] = (
        typed.astype(object).where(~is_missing, None) if is_missing.any() else typed.to_numpy()
    ).tolist()
    return plain


def _iso_dates(values: pd.Series) -> list[str | None]:
    """Return dates as Python's own `isoformat` writes them, many at once."""
    utc = values.dt.tz_convert(None).to_numpy("datetime64[us]")
    written = np.datetime_as_string(utc).tolist()
    return [None if each == "NaT" else f"{each.removesuffix('.000000')}+00:00" for each in written]


def _json(endpoint: Endpoint, pieces: Iterator[Piece]) -> Iterator[bytes]:
    before = b"["
    for piece in pieces:
        if piece.written is None:
            yield before + msgspec.json.encode(_objects(endpoint, piece.frame))[1:-1]
        else:
            yield before + b",".join([piece.written[place] for place in piece.frame.index])
        before = b","
    yield b"[]" if before == b"[" else b"]"


def _csv(endpoint: Endpoint, pieces: Iterator[Piece]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(endpoint.all_fields)
    for piece in pieces:
        writer.writerows(_plain_rows(endpoint, piece.frame))
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()

"""The filter language of OpenF1: what a query string asks for, and which rows that are.

The operator is part of the query string: ``lap_number>=3`` arrives as the name ``lap_number>`` with the value ``3``,
``speed>315`` as a name without a value, and both may be percent-encoded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from operator import ge, gt, le, lt
from typing import Any
from urllib.parse import unquote_plus

import pandas as pd
from dateutil.parser import ParserError
from dateutil.parser import parse as parse_date

from f1_assets.errors import UsageError


class Kind(StrEnum):
    """Kinds of values that a field holds, in the words of JSON."""

    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    LIST = "list"
    MIXED = "number or text"


_COMPARED: Mapping[str, Callable[[Any, Any], Any]] = {">=": ge, "<=": le, ">": gt, "<": lt}
_PIECE = re.compile(r"(?s)(?P<field>[^<>=]*)(?P<operator>>=|<=|>|<|=)(?P<value>.*)")
_ZONE_WITH_SPACE = re.compile(r" (\d{2}:?\d{2})$")
_SHOWN = 60


@dataclass(frozen=True)
class Condition:
    """One comparison: a field, an operator (``=``, ``>``, ``<``, ``>=``, ``<=``) and a value of the field's kind."""

    field: str
    operator: str
    value: Any


@dataclass(frozen=True)
class Filter:
    """All that a query asks of the rows; values of one field with ``=`` mean either, all else means both."""

    conditions: tuple[Condition, ...] = ()

    def allowed(self, field: str) -> set[Any] | None:
        """Return the values that a field may have; None for any."""
        values = {each.value for each in self.conditions if each.field == field and each.operator == "="}
        return values or None

    def bounds(self, field: str) -> list[tuple[str, Any]]:
        """Return comparisons that hold for every value of a field that is asked for; none where NULL is."""
        allowed = self.allowed(field)
        if allowed is not None and None in allowed:
            return []
        compared = [
            (each.operator, each.value)
            for each in self.conditions
            if each.field == field and each.operator != "=" and each.value is not None
        ]
        return compared if allowed is None else [*compared, (">=", min(allowed)), ("<=", max(allowed))]

    def of(self, fields: Iterable[str]) -> Filter:
        """Return what is asked of these fields alone."""
        wanted = {*fields}
        return Filter(tuple(each for each in self.conditions if each.field in wanted))

    def holds_for(self, row: Mapping[str, Any]) -> bool:
        """Check whether one row is asked for."""
        for each in self.conditions:
            value, allowed = row[each.field], self.allowed(each.field)
            if each.operator == "=":
                if allowed is not None and value not in allowed:
                    return False
            elif value is None or each.value is None or not _COMPARED[each.operator](value, each.value):
                return False
        return True

    def rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows that are asked for; where a field is NULL, no comparison holds."""
        kept = pd.Series(True, index=frame.index)
        for field in dict.fromkeys(each.field for each in self.conditions):
            values = frame[field]
            allowed = self.allowed(field)
            if allowed is not None:
                kept &= _equals(values, allowed)
            for each in self.conditions:
                if each.field == field and each.operator != "=":
                    kept &= _compares(values, each)
        return frame[kept]


def parse(query: str, fields: Mapping[str, Kind], latest: Callable[[str], int | None]) -> Filter:
    """Read the query string of an address.

    Parameters
    ----------
    query
        As it stands in the address, still encoded; without ``csv``, ``limit`` and ``offset``.
    fields
        What there is to be asked for.
    latest
        Gives the newest key of a field: of ``session_key`` or ``meeting_key``.

    Raises
    ------
    UsageError
        When a field does not exist or is a list, or a value is none of its kind: it says which there are.
    """
    conditions: list[Condition] = []
    for name, operator, text in pieces(query):
        field = name.lower()
        kind = fields.get(field)
        if kind is None:
            raise UsageError(f"There is no field {name[:_SHOWN]!r}. There are: {', '.join(sorted(fields))}.")
        if kind is Kind.LIST:
            raise UsageError(f"{field} is a list, which cannot be filtered.")
        if field in ("session_key", "meeting_key") and text == "latest":
            newest = latest(field)
            conditions.append(Condition(field, operator, newest if newest is not None else 0))
        elif kind is Kind.DATE:
            conditions += _dates(field, operator, text)
        else:
            conditions.append(Condition(field, operator, _value(field, kind, text)))
    return Filter(tuple(conditions))


def pieces(query: str) -> list[tuple[str, str, str]]:
    """Split a query string into names, operators and values.

    Raises
    ------
    UsageError
        When a piece has no operator.
    """
    found = []
    for raw in filter(None, query.split("&")):
        piece = unquote_plus(raw, errors="replace")
        match = _PIECE.fullmatch(piece)
        if match is None:
            raise UsageError(f"{piece[:_SHOWN]!r} asks for nothing. Write FIELD=VALUE, or >, <, >= or <= instead of =.")
        value = match["value"]
        # Who hands `speed>=` to a library as a name gets `speed>==315`.
        if match["operator"] in (">=", "<="):
            value = value.removeprefix("=")
        found.append((match["field"].strip(), match["operator"], value.strip()))
    return found


def _value(field: str, kind: Kind, text: str) -> Any:  # noqa: ANN401 (of the field's kind)
    if text.lower() in ("null", "none") and kind is not Kind.TEXT:
        return None
    match kind:
        case Kind.BOOLEAN:
            if text.lower() in ("true", "1", "false", "0"):
                return text.lower() in ("true", "1")
            raise UsageError(f"{field} is true or false, not {text[:_SHOWN]!r}.")
        case Kind.INTEGER | Kind.NUMBER:
            number = _number(text)
            if number is None:
                raise UsageError(f"{field} is a number, not {text[:_SHOWN]!r}.")
            return number
        case Kind.MIXED:
            number = _number(text)
            return text if number is None else number
        case _:
            return text


def _number(text: str) -> float | None:
    if not re.fullmatch(r"[+-]?(\d{1,18}(\.\d{0,18})?|\.\d{1,18})([eE][+-]?\d{1,2})?", text, re.ASCII):
        return None
    return float(text) if not re.fullmatch(r"[+-]?\d+", text) else int(text)


def _dates(field: str, operator: str, text: str) -> list[Condition]:
    """Read a date; one without a time means the whole day."""
    text = _ZONE_WITH_SPACE.sub(r"+\1", text) if ":" in text or "T" in text else text
    moments = []
    for hour in (5, 10):
        try:
            moments.append(parse_date(text, default=datetime(2000, 1, 1, hour)))
        except (ParserError, OverflowError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(f"{field} is a date, such as 2024-03-02T15:00:00, not {text[:_SHOWN]!r}.") from error
    moment = moments[0] if moments[0].tzinfo is not None else moments[0].replace(tzinfo=UTC)
    if moments[0] == moments[1]:
        return [Condition(field, operator, pd.Timestamp(moment.astimezone(UTC)))]
    day = pd.Timestamp(moment.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC))
    next_day = day + timedelta(days=1)
    match operator:
        case ">":
            return [Condition(field, ">=", next_day)]
        case "<":
            return [Condition(field, "<", day)]
        case ">=":
            return [Condition(field, ">=", day)]
        case "<=":
            return [Condition(field, "<", next_day)]
        case _:
            return [Condition(field, ">=", day), Condition(field, "<", next_day)]


def _equals(values: pd.Series, allowed: set[Any]) -> pd.Series:
    named = [value for value in allowed if value is not None]
    # A list, as of the three parts of a qualifying, equals nothing; pandas cannot look one up.
    single = values.mask(values.map(_is_list)) if values.dtype == object else values
    found = single.isin(named).fillna(False).astype(bool)
    return found | values.isna() if None in allowed else found


def _compares(values: pd.Series, condition: Condition) -> pd.Series:
    compare, other = _COMPARED[condition.operator], condition.value
    if other is None:
        return pd.Series(False, index=values.index)
    if values.dtype == object:  # numbers and texts side by side: each is compared with its like
        return pd.Series([_likes(value, other) and bool(compare(value, other)) for value in values], index=values.index)
    kept: pd.Series = compare(values, other).fillna(False).astype(bool)
    return kept


def _likes(value: object, other: object) -> bool:
    return isinstance(value, str) == isinstance(other, str) and not _is_list(value) and not _is_null(value)


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _is_null(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value != value

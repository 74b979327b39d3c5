"""From the body of a telemetry feed to its entries: what was read, packed into integers, and a tally of what was bad.

An entry is a moment with a value of each channel for each car. A line holds four or five of them, as deflated JSON in
base64. A line is decoded straight into typed structs, which is fast and takes it whole or not at all; a line that does
not fit them is decoded once more, tolerantly, and each part of it that is good is kept.
"""

import binascii
import json
import struct
import zlib
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from msgspec.structs import astuple

from f1_assets.errors import UnreadableData
from f1_assets.feeds.stream_lines import Tally, listed, microseconds, stream_lines

ABSENT = -(2**31)
"""Stands for NULL among packed integers, which are of 32 bits."""

LONGEST_LINE_BYTES = 1_000_000
"""What a line may inflate to: a hundred times what one holds. A line that holds more is bad, and not inflated on."""

MOST_BYTES = 500_000_000
"""What all lines of a feed may inflate to: some thrice what a day of testing has."""

_NOT_THERE = (TypeError, KeyError, AttributeError)
"""What it raises to look for something in JSON that is not laid out as expected."""

_Moment = tuple[object, tuple[str, ...], bytes]
"""An entry: the date as it was sent; the drivers; all their values, packed."""


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries of a feed, column by column.

    These are arrays since tuples by the ten thousand would set off the garbage collector, which takes a tenth of the
    time that all else takes.

    Attributes
    ----------
    dates_us, session_times_ms, lines
        The date in microseconds since 1970, and the session time and number of the line it came in.
    groups
        The place in `drivers` of the drivers that it is about; nearly all entries of a feed are about the same.
    values
        As many native 32-bit integers for each driver as the feed has channels.
    drivers
        Each combination of drivers, in the order of their values.
    """

    dates_us: "array[int]" = field(default_factory=lambda: array("q"))
    session_times_ms: "array[int]" = field(default_factory=lambda: array("i"))
    lines: "array[int]" = field(default_factory=lambda: array("q"))
    groups: "array[int]" = field(default_factory=lambda: array("q"))
    values: list[bytes] = field(default_factory=list)
    drivers: list[tuple[str, ...]] = field(default_factory=list)


class _Channels(msgspec.Struct, gc=False):
    rpm: int = msgspec.field(name="0", default=ABSENT)
    speed: int = msgspec.field(name="2", default=ABSENT)
    gear: int = msgspec.field(name="3", default=ABSENT)
    throttle: int = msgspec.field(name="4", default=ABSENT)
    brake: int = msgspec.field(name="5", default=ABSENT)
    drs: int = msgspec.field(name="45", default=ABSENT)


class _Car(msgspec.Struct, gc=False):
    channels: _Channels = msgspec.field(name="Channels")


class _CarEntry(msgspec.Struct, gc=False):
    date: str = msgspec.field(name="Utc")
    cars: dict[str, _Car] = msgspec.field(name="Cars")


class _CarMessage(msgspec.Struct, gc=False):
    entries: list[_CarEntry] = msgspec.field(name="Entries")


class _Place(msgspec.Struct, gc=False):
    x: int = msgspec.field(name="X", default=ABSENT)
    y: int = msgspec.field(name="Y", default=ABSENT)
    z: int = msgspec.field(name="Z", default=ABSENT)
    status: Literal["OnTrack", "OffTrack", "0", "1", 0, 1, None] = msgspec.field(name="Status", default=None)


class _PositionEntry(msgspec.Struct, gc=False):
    date: str = msgspec.field(name="Timestamp")
    cars: dict[str, _Place] = msgspec.field(name="Entries")


class _PositionMessage(msgspec.Struct, gc=False):
    entries: list[_PositionEntry] = msgspec.field(name="Position")


# In early seasons the status is a number: 0 is on track.
_ON_TRACK: dict[str | int | None, int] = {"OnTrack": 1, "OffTrack": 0, "0": 1, "1": 0, 0: 1, 1: 0, None: ABSENT}


def _car_values(cars: Iterable[_Car]) -> list[int]:
    values: list[int] = []
    for car in cars:
        values += astuple(car.channels)
    return values


def _place_values(places: Iterable[_Place]) -> list[int]:
    values: list[int] = []
    for place in places:
        values += (place.x, place.y, place.z, _ON_TRACK[place.status])
    return values


def _salvaged_integer(value: object) -> int | None:
    """Read what is not quite an integer, such as "280" or 280.0; None where that cannot be."""
    if value is None:
        return ABSENT
    if not isinstance(value, int | float | str):
        return None
    try:
        number = int(float(value))
    except (ValueError, OverflowError):
        return None
    return number if ABSENT < number < 2**31 else None


def _salvaged_status(value: object) -> int | None:
    number = _salvaged_integer(value)
    if number is None:
        return _ON_TRACK.get(str(value))
    return number if number == ABSENT else int(number == 0)


def _salvaged_car(car: Any) -> list[int | None]:  # noqa: ANN401 (any JSON)
    channels = car["Channels"]
    return [_salvaged_integer(channels.get(name)) for name in _Channels.__struct_encode_fields__]


def _salvaged_place(place: Any) -> list[int | None]:  # noqa: ANN401 (any JSON)
    return [*(_salvaged_integer(place.get(name)) for name in "XYZ"), _salvaged_status(place.get("Status"))]


@dataclass(frozen=True, slots=True)
class Format:
    """How a feed is laid out, `width` values for each car: for the fast path as structs, for the tolerant one as keys.

    `keys` are those of a line's entries, and of an entry's date and cars.
    """

    name: str
    width: int
    decoder: msgspec.json.Decoder[Any]
    values: Callable[[Iterable[Any]], list[int]]
    keys: tuple[str, str, str]
    salvaged: Callable[[Any], list[int | None]]


CAR_DATA = Format(
    "CarData.z",
    6,
    msgspec.json.Decoder(_CarMessage),
    _car_values,
    ("Entries", "Utc", "Cars"),
    _salvaged_car,
)
POSITION = Format(
    "Position.z",
    4,
    msgspec.json.Decoder(_PositionMessage),
    _place_values,
    ("Position", "Timestamp", "Entries"),
    _salvaged_place,
)


def read_entries(body: bytes, form: Format, tally: Tally) -> Entries:
    """Read all entries of a feed, in its order; what cannot be read goes into the tally.

    Raises
    ------
    UnreadableData
        When it inflates to more than any feed has.
    """
    entries = Entries()
    group_of: dict[tuple[str, ...], int] = {}
    latest = inflated_bytes = 0
    for number, session_time_ms, payload in stream_lines(body, tally):
        try:
            text = _inflated(payload)
            inflated_bytes += len(text)
            if inflated_bytes > MOST_BYTES:
                raise UnreadableData(f"{form.name}: inflates to more than {MOST_BYTES:,} bytes; it is no such feed")
            moments = _decoded(text, form, number, tally)
        except (ValueError, RecursionError, zlib.error, *_NOT_THERE):
            tally.bad_lines.append(number)
            continue
        for date, drivers, values in moments:
            date_us = microseconds(date)
            if date_us is None:
                tally.bad_entries.append(number)
            elif drivers:
                if date_us < latest:
                    tally.unordered.append(number)
                latest = max(latest, date_us)
                entries.dates_us.append(date_us)
                entries.session_times_ms.append(session_time_ms)
                entries.lines.append(number)
                entries.groups.append(group_of.setdefault(drivers, len(group_of)))
                entries.values.append(values)
    entries.drivers.extend(group_of)
    return entries


def _inflated(payload: bytes) -> bytes:
    if payload.startswith(b"{"):
        return payload
    deflated = zlib.decompressobj(-zlib.MAX_WBITS)
    text = deflated.decompress(binascii.a2b_base64(payload.strip(b'"')), LONGEST_LINE_BYTES)
    if not deflated.eof:
        raise ValueError("the line was cut, or holds too much")
    return text


def _decoded(text: bytes, form: Format, line: int, tally: Tally) -> list[_Moment]:
    try:
        message = form.decoder.decode(text)
        return [(entry.date, tuple(entry.cars), _packed(form.values(entry.cars.values()))) for entry in message.entries]
    except (msgspec.DecodeError, ValueError, RecursionError, struct.error):
        return _salvaged(json.loads(text), form, line, tally)


def _packed(values: list[int]) -> bytes:
    return struct.pack(f"={len(values)}i", *values)


def _salvaged(message: Any, form: Format, line: int, tally: Tally) -> list[_Moment]:  # noqa: ANN401 (any JSON)
    entries_key, date_key, cars_key = form.keys
    moments: list[_Moment] = []
    for entry in listed(message[entries_key]):
        try:
            date, cars = entry[date_key], entry[cars_key].items()
        except _NOT_THERE:
            tally.bad_entries.append(line)
            continue
        drivers: list[str] = []
        values: list[int] = []
        for driver, car in cars:
            try:
                found = form.salvaged(car)
            except _NOT_THERE:
                tally.bad_entries.append(line)
                continue
            if None in found:
                tally.bad_entries.append(line)
                if set(found) <= {None, ABSENT}:
                    continue
            drivers.append(driver)
            values += (ABSENT if value is None else value for value in found)
        moments.append((date, tuple(drivers), _packed(values)))
    return moments

"""Car data, positions and team radio out of live timing's raw feeds: real samples only, and a count of what was bad.

This stands in for FastF1's `car_data` and `position_data`, which make a dozen Python objects of each of half a million
samples; here values are packed integers at once, and all else is done on whole columns. Differences, on purpose:

- Nothing is padded. FastF1 gives each driver a row of zeros where only others have a sample.
- What FastF1 passes on as a number but is none is NULL: the 104 that stands for "no signal", a channel that is absent.
- A driver has one sample per date. FastF1 keeps what was sent twice.
- A line without a readable session time is bad. FastF1 keeps its samples, without a time.
- A last line that lacks its line end is read if it is whole.
- An entry whose date cannot be that of its line is bad. FastF1 keeps it, and such a date moves its whole clock.

Nothing here knows the session, and nothing is resampled or merged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from f1_assets.feeds.json_reading import read_json
from f1_assets.feeds.stream_lines import EPOCH, FeedCounts, Tally, listed, microseconds, stream_lines
from f1_assets.feeds.telemetry_entries import ABSENT, CAR_DATA, POSITION, Format, read_entries

__all__ = [
    "CarSamples",
    "FeedCounts",
    "PositionSamples",
    "TeamRadio",
    "TeamRadioCapture",
    "parse_car_data",
    "parse_positions",
    "parse_team_radio",
    "t0_date",
]

MOST_AHEAD = timedelta(minutes=5)
"""By how much a date may be ahead of what the others say of the time of its line."""

MOST_DELAY = timedelta(days=1)
"""How much later than the others an entry may come."""

_MICROSECOND = timedelta(microseconds=1)

_Integers = npt.NDArray[np.signedinteger]


@dataclass(frozen=True, slots=True)
class CarSamples:
    """Car data.

    Attributes
    ----------
    table
        One row per driver and date, by driver number and then by date:

        - `driver_number` (category of str)
        - `date_utc` (datetime64[us], UTC without a zone): FastF1's `Date`, cut to microseconds as there
        - `session_time_ms` (int32): FastF1's `Time`: when the line came that brought this and three or four more
        - `rpm` (Int16, 1/min), `speed_kmh` (Int16, km/h), `gear` (Int8)
        - `throttle_pct` (Int8, %): NULL outside 0 to 100; FastF1 keeps the 104 that stands for "no signal"
        - `brake` (boolean): NULL where the channel is outside 0 to 100; FastF1 takes a 104 for braking
        - `drs` (Int8): NULL where there is no channel 45, as from 2026; FastF1 has 0 there

        A channel that is absent, or whose value the type cannot hold, is NULL; FastF1 drops a sample that lacks one.
    counts
        What was bad in the feed.
    """

    table: pd.DataFrame
    counts: FeedCounts


@dataclass(frozen=True, slots=True)
class PositionSamples:
    """Positions of the cars.

    Attributes
    ----------
    table
        One row per driver and date, by driver number and then by date:

        - `driver_number`, `date_utc`, `session_time_ms`: as in `CarSamples`
        - `x`, `y`, `z` (Int32, 1/10 m): NULL where absent; FastF1 drops a sample that lacks one
        - `on_track` (boolean): NULL where the status is absent or unknown
    counts
        What was bad in the feed.
    """

    table: pd.DataFrame
    counts: FeedCounts


@dataclass(frozen=True, slots=True)
class TeamRadioCapture:
    """A message on a driver's radio: when it was published, and its sound file, relative to the session's folder."""

    driver_number: str
    utc: datetime
    path: str


@dataclass(frozen=True, slots=True)
class TeamRadio:
    """The captures of a session, one per sound file, in the order of the feed."""

    captures: tuple[TeamRadioCapture, ...]
    counts: FeedCounts


def parse_car_data(body: bytes) -> CarSamples:
    """Read `CarData.z.jsonStream`.

    Damaged lines and entries are counted and left out; an empty body gives an empty table.

    Raises
    ------
    UnreadableData
        If something is there, and no sample of it can be read.
    """
    key, values, counts = _columns(body, CAR_DATA)
    rpm, speed, gear, throttle, brake, drs = values
    channels = {
        "rpm": _nullable(rpm, np.int16),
        "speed_kmh": _nullable(speed, np.int16),
        "gear": _nullable(gear, np.int8),
        "throttle_pct": _nullable(throttle, np.int8, 0, 100),
        "brake": pd.arrays.BooleanArray(brake > 0, (brake < 0) | (brake > 100)),
        "drs": _nullable(drs, np.int8),
    }
    return CarSamples(pd.DataFrame({**key, **channels}, copy=False), counts)


def parse_positions(body: bytes) -> PositionSamples:
    """Read `Position.z.jsonStream`.

    Damaged lines and entries are counted and left out; an empty body gives an empty table.

    Raises
    ------
    UnreadableData
        If something is there, and no sample of it can be read.
    """
    key, values, counts = _columns(body, POSITION)
    *coordinates, on_track = values
    places = {name: _nullable(column, np.int32) for name, column in zip("xyz", coordinates, strict=True)}
    status = {"on_track": pd.arrays.BooleanArray(on_track > 0, on_track == ABSENT)}
    return PositionSamples(pd.DataFrame({**key, **places, **status}, copy=False), counts)


def parse_team_radio(body: bytes) -> TeamRadio:
    """Read `TeamRadio.jsonStream`, whose first line holds a list of captures, and the others objects by index.

    Raises
    ------
    UnreadableData
        If something is there, and no capture of it can be read.
    """
    tally = Tally()
    captures: dict[str, TeamRadioCapture] = {}
    latest = EPOCH
    for line, _, payload in stream_lines(body, tally):
        try:
            sent = listed(read_json(payload)["Captures"])
        except (ValueError, TypeError, KeyError, RecursionError):
            tally.bad_lines.append(line)
            continue
        for capture in sent:
            read = _capture(capture)
            if read is None:
                tally.bad_entries.append(line)
            elif read.path in captures:
                tally.duplicates.append(line)
            else:
                if read.utc < latest:
                    tally.unordered.append(line)
                latest = max(latest, read.utc)
                captures[read.path] = read
    tally.refuse_if_nothing("TeamRadio", len(captures))
    return TeamRadio(tuple(captures.values()), tally.counts())


def _capture(capture: Any) -> TeamRadioCapture | None:  # noqa: ANN401 (any JSON)
    try:
        driver_number, utc_us, path = capture["RacingNumber"], microseconds(capture["Utc"]), capture["Path"]
    except (TypeError, KeyError):
        return None
    if utc_us is None or not isinstance(path, str) or not isinstance(driver_number, str | int):
        return None
    return TeamRadioCapture(str(driver_number), EPOCH + timedelta(microseconds=utc_us), path)


def t0_date(*feeds: CarSamples | PositionSamples) -> pd.Timestamp | None:
    """Compute the date at which the session time is zero, as FastF1's `Session.t0_date`.

    A line comes some time after the samples in it were taken, so each sample gives a date that is too early by this
    delay. The latest one is taken: that of the least delay.

    Parameters
    ----------
    feeds
        Car data and positions of one session, or one of them.

    Returns
    -------
    pd.Timestamp | None
        In UTC without a zone, rounded to milliseconds; None if there is no sample. FastF1's `SessionTime` of a sample
        is its `date_utc`, rounded to milliseconds, minus this.
    """
    zeros_us = []
    for table in (feed.table for feed in feeds if len(feed.table)):
        dates_us = table["date_utc"].to_numpy().astype(np.int64)
        zeros_us.append(int((dates_us - table["session_time_ms"].to_numpy().astype(np.int64) * 1000).max()))
    return pd.Timestamp(max(zeros_us), unit="us").round("ms") if zeros_us else None


def _columns(body: bytes, form: Format) -> tuple[dict[str, object], list[_Integers], FeedCounts]:
    """Read a feed into the columns that tell samples apart, and those of their values."""
    tally = Tally()
    entries = read_entries(body, form, tally)
    # The earliest of equal dates comes first, and stays.
    by_date = np.lexsort((entries.session_times_ms, entries.dates_us))
    credible = _is_credible(np.asarray(entries.dates_us), np.asarray(entries.session_times_ms))
    if not credible.all():
        tally.bad_entries += np.asarray(entries.lines)[~credible].tolist()
        by_date = by_date[credible[by_date]]
    groups = np.asarray(entries.groups)[by_date]
    drivers, codes_of = _driver_codes(entries.drivers)
    codes = np.concatenate([np.array([], np.int8), *(codes_of[group] for group in groups.tolist())])
    sizes = np.array([len(group) for group in entries.drivers], np.intp)[groups]
    dates, session_times, lines = (
        np.repeat(np.asarray(column)[by_date], sizes)
        for column in (entries.dates_us, entries.session_times_ms, entries.lines)
    )
    packed = b"".join([entries.values[entry] for entry in by_date.tolist()])
    values = np.frombuffer(packed, np.int32).reshape(-1, form.width)

    order = np.argsort(codes, kind="stable")
    # Few samples lack the first value, so that the others need be looked at in those only.
    valueless = np.flatnonzero(values[:, 0] == ABSENT)
    valueless = valueless[(values[valueless] == ABSENT).all(axis=1)]
    if len(valueless):
        tally.bad_entries += lines[valueless].tolist()
        order = order[~np.isin(order, valueless)]
    repeated = np.zeros(len(order), bool)
    repeated[1:] = (np.diff(codes[order]) == 0) & (np.diff(dates[order]) == 0)
    if repeated.any():
        tally.duplicates += lines[order[repeated]].tolist()
        order = order[~repeated]

    tally.refuse_if_nothing(form.name, len(order))
    numbers = pd.Categorical.from_codes(codes[order], categories=pd.Index(drivers, dtype=object))
    key: dict[str, object] = {
        "driver_number": numbers if credible.all() and not len(valueless) else numbers.remove_unused_categories(),
        "date_utc": dates[order].view("datetime64[us]"),
        "session_time_ms": session_times[order],
    }
    return key, [np.take(column, order) for column in values.T], tally.counts()


def _is_credible(dates_us: npt.NDArray[np.int64], session_times_ms: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Return which entries have a date that goes with the session time of their line.

    An entry is sent after it was measured: a date after that is wrong, or the time of the line is, and would move the
    zero of the session time, and with it every sample.
    """
    zeros_us = dates_us - session_times_ms.astype(np.int64) * 1000
    if not len(zeros_us):
        return np.zeros(0, bool)
    off_us = zeros_us - np.median(zeros_us)
    credible: npt.NDArray[np.bool_] = (off_us <= MOST_AHEAD / _MICROSECOND) & (off_us >= -MOST_DELAY / _MICROSECOND)
    return credible


def _driver_codes(groups: Sequence[tuple[str, ...]]) -> tuple[list[str], list[npt.NDArray[np.signedinteger]]]:
    """Return the drivers by number, and for each group the places of its drivers among them."""
    # Numbers come as text: the shorter is the smaller. What is no number comes last.
    drivers = sorted({driver for group in groups for driver in group}, key=lambda d: (not d.isdecimal(), len(d), d))
    code_of = {driver: code for code, driver in enumerate(drivers)}
    # The smallest type, as numpy sorts integers of up to 16 bits in linear time.
    small = np.min_scalar_type(-len(drivers) - 1)
    return drivers, [np.array([code_of[driver] for driver in group], small) for group in groups]


def _nullable(
    values: _Integers, dtype: type[np.signedinteger], low: int | None = None, high: int | None = None
) -> pd.arrays.IntegerArray:
    """Make a column of a small type, with NULL outside the bounds and for what the type cannot hold."""
    bounds = np.iinfo(dtype)
    null = (values == ABSENT) | (values < (bounds.min if low is None else low))
    null |= values > (bounds.max if high is None else high)
    return pd.arrays.IntegerArray(np.where(null, 0, values).astype(dtype), null)

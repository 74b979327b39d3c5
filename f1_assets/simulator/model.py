"""The course of a simulated session, before it is written as feeds: laps, standings, weather, messages, statuses.

Session times are whole milliseconds since the feed's start, as everywhere in live timing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from f1_assets.simulator.calendar import SimulatedEvent, SimulatedSession
from f1_assets.simulator.entrants import Driver

SEGMENTS = (6, 8, 6)
"""Mini sectors that are reported of each sector."""

DELETED_AFTER_MS = 45_000
"""How long race control takes to delete a lap."""


class SessionKind(StrEnum):
    """What the timing of a session is like; sprints are races, sprint shootouts are qualifying."""

    PRACTICE = "practice"
    QUALIFYING = "qualifying"
    RACE = "race"


@dataclass(frozen=True)
class Tyres:
    """A set of tyres as fitted; `age_laps` is what it had been driven before."""

    compound: str
    age_laps: int

    @property
    def is_new(self) -> bool:
        """Check whether nobody drove it before."""
        return self.age_laps == 0


@dataclass(frozen=True)
class Lap:
    """A lap of one car.

    A time that live timing does not give is None: sector 1 of a lap that began in the garage or on the grid, and the
    time of that lap. A lap that ends in the pit lane ends where the timing line crosses it. `speeds_kmh` are those of
    intermediates 1 and 2, of the finish line (None in the pit lane) and of the longest straight.
    """

    number: int
    start_ms: int
    end_ms: int
    sectors_ms: tuple[int | None, int | None, int | None]
    lap_time_ms: int | None
    stint: int
    tyres: Tyres
    laps_on_tyres: int
    speeds_kmh: tuple[int, int, int | None, int]
    pit_out_ms: int | None = None
    pit_in_ms: int | None = None
    deleted_ms: int | None = None

    @property
    def deleted(self) -> bool:
        """Check whether race control deleted the time."""
        return self.deleted_ms is not None

    @property
    def is_timed(self) -> bool:
        """Check whether the lap went from line to line, so that its time may be a best one."""
        return self.lap_time_ms is not None and self.pit_in_ms is None and self.pit_out_ms is None

    @property
    def sector_ends_ms(self) -> tuple[int, int, int]:
        """Session times at the end of each sector; of a sector without a time, some point within the lap."""
        first, second, third = self.sectors_ms
        if first is not None and second is not None:
            return self.start_ms + first, self.start_ms + first + second, self.end_ms
        end_of_second = self.end_ms - (third or 0)
        return end_of_second - (second or 0), end_of_second, self.end_ms


class Standing(NamedTuple):
    """A change of a car's place or gap: a gap in time, or laps behind, or neither for who leads.

    There are tens of thousands in a race, hence a tuple.
    """

    time_ms: int
    number: str
    position: int
    gap_ms: int | None = None
    laps_behind: int = 0
    interval_ms: int | None = None
    interval_laps: int = 0
    leads_lap: int | None = None


@dataclass(frozen=True)
class Best:
    """A change of a car's best lap: a better one, or after a deletion the one before it, or none any more.

    `part` counts the parts of a qualifying from 0; the gaps are those to the fastest lap and to the place ahead.
    """

    time_ms: int
    number: str
    part: int
    lap: int | None
    lap_time_ms: int | None
    to_fastest_ms: int | None = None
    to_ahead_ms: int | None = None


@dataclass(frozen=True)
class Part:
    """A part of a qualifying, and who takes part in it."""

    start_ms: int
    numbers: frozenset[str]


@dataclass(frozen=True)
class Weather:
    """A minute's measurements, as precise as they are sent."""

    time_ms: int
    air_c: float
    track_c: float
    humidity_pct: float
    pressure_mbar: float
    rainfall: bool
    wind_deg: int
    wind_mps: float


@dataclass(frozen=True)
class Message:
    """A message of race control."""

    time_ms: int
    category: str
    text: str
    lap: int | None = None
    flag: str | None = None
    scope: str | None = None
    sector: int | None = None
    number: str | None = None
    status: str | None = None


@dataclass(frozen=True)
class Result:
    """A classified driver, in the order of the result."""

    driver: Driver
    position: int
    grid: int | None = None
    laps: int | None = None
    total_ms: int | None = None
    gap_ms: int | None = None
    retired: bool = False
    points: float = 0.0
    fastest_lap: Lap | None = None
    parts_ms: tuple[int | None, int | None, int | None] = (None, None, None)


@dataclass(frozen=True)
class Course:
    """All that happened in a session."""

    event: SimulatedEvent
    session: SimulatedSession
    drivers: tuple[Driver, ...]
    feed_start: datetime
    laps: dict[str, tuple[Lap, ...]]
    weather: tuple[Weather, ...]
    messages: tuple[Message, ...]
    track_status: tuple[tuple[int, str, str], ...]
    session_status: tuple[tuple[int, str], ...]
    results: tuple[Result, ...] = ()
    standings: tuple[Standing, ...] = ()
    bests: tuple[Best, ...] = ()
    parts: tuple[Part, ...] = ()
    total_laps: int | None = None
    retirements_ms: dict[str, int] = field(default_factory=dict)
    first_lap_ms: dict[str, int] = field(default_factory=dict)
    first_tyres: dict[str, Tyres] = field(default_factory=dict)
    samples_every: int = 1

    @property
    def kind(self) -> SessionKind:
        """Return what kind of session it is."""
        if self.total_laps is not None:
            return SessionKind.RACE
        return SessionKind.QUALIFYING if self.parts else SessionKind.PRACTICE

    @property
    def is_race(self) -> bool:
        """Check whether cars race each other; otherwise the clock."""
        return self.kind is SessionKind.RACE

    def utc(self, time_ms: int) -> datetime:
        """Return the time of day of a session time, to the second as messages have it."""
        return (self.feed_start + timedelta(milliseconds=time_ms)).replace(microsecond=0)


def lap_clock(milliseconds: int) -> str:
    """Write a lap time as the services do: ``1:23.456``."""
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes}:{rest // 1000:02}.{rest % 1000:03}"


def seconds_clock(milliseconds: int) -> str:
    """Write a gap or sector time as the services do, in seconds however many: ``66.892``."""
    return f"{milliseconds // 1000}.{milliseconds % 1000:03}"


def with_deletions(laps: Iterable[Lap], numbers: set[int]) -> tuple[Lap, ...]:
    """Mark laps as deleted some time after they ended."""
    return tuple(
        replace(lap, deleted_ms=lap.end_ms + DELETED_AFTER_MS) if lap.number in numbers else lap for lap in laps
    )

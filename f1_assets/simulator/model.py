"""What happens in a made-up session, before anyone writes it down: laps, standings, weather, messages, statuses.

Session times are whole milliseconds since the feed's start, as everywhere in live timing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from f1_assets.simulator.calendar import SimulatedEvent, SimulatedSession
from f1_assets.simulator.entrants import Driver


@dataclass(frozen=True)
class Tyres:
    """A set of tyres as fitted; `age_laps` is what it had been driven before."""

    compound: str
    age_laps: int

    @property
    def is_new(self) -> bool:
        """Whether nobody drove it before."""
        return self.age_laps == 0


@dataclass(frozen=True)
class Lap:
    """A lap of one car.

    A time that live timing would not give is None: sector 1 of a lap that began in the garage or on the grid, the
    last sector of one that ends in the pit lane, and the lap time of both.
    """

    number: int
    start_ms: int
    end_ms: int
    sectors_ms: tuple[int | None, int | None, int | None]
    lap_time_ms: int | None
    stint: int
    tyres: Tyres
    laps_on_tyres: int
    speeds_kmh: tuple[int, int, int, int]
    pit_out_ms: int | None = None
    pit_in_ms: int | None = None
    deleted: bool = False

    @property
    def sector_ends_ms(self) -> tuple[int, int, int]:
        """Session times at the end of each sector; of a sector without a time, some point within the lap."""
        first, second, third = self.sectors_ms
        if first is not None and second is not None:
            return self.start_ms + first, self.start_ms + first + second, self.end_ms
        end_of_second = self.end_ms - (third or 0)
        return end_of_second - (second or 0), end_of_second, self.end_ms


@dataclass(frozen=True)
class Standing:
    """A change of a car's place or gap: a gap in time, or laps behind, or neither for who leads."""

    time_ms: int
    number: str
    position: int
    gap_ms: int | None = None
    laps_behind: int = 0
    interval_ms: int | None = None
    interval_laps: int = 0
    leads_lap: int | None = None


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
    part_starts_ms: tuple[int, ...] = ()
    total_laps: int | None = None
    retirements_ms: dict[str, int] = field(default_factory=dict)
    first_lap_ms: dict[str, int] = field(default_factory=dict)

    def utc(self, time_ms: int) -> datetime:
        """Give the time of day of a session time, to the second as messages have it."""
        return (self.feed_start + timedelta(milliseconds=time_ms)).replace(microsecond=0)


def lap_clock(milliseconds: int) -> str:
    """Write a lap time as the services do: ``1:23.456``."""
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes}:{rest // 1000:02}.{rest % 1000:03}"


def deleted(laps: tuple[Lap, ...], numbers: set[int]) -> tuple[Lap, ...]:
    """Mark laps as deleted."""
    return tuple(replace(lap, deleted=True) if lap.number in numbers else lap for lap in laps)

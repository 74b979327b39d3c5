"""When and where the made-up season takes place: weekends in all formats, and pre-season tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from f1_assets.simulator.options import SimulatorOptions


@dataclass(frozen=True)
class Place:
    """Where a race is held, with the properties of its circuit.

    `lap_s` is the time of a perfect lap, `offset_minutes` local time minus UTC, `air_c` the usual temperature.
    """

    name: str
    location: str
    country: str
    country_code: str
    circuit_key: int
    lap_s: float
    offset_minutes: int
    air_c: float
    corners: int

    @property
    def country_key(self) -> int:
        """The key that live timing has for its country."""
        return self.circuit_key - 8000


PLACES = tuple(
    Place(name, location, country, code, 9000 + index, lap_s, offset, air, corners)
    for index, (name, location, country, code, lap_s, offset, air, corners) in enumerate(
        (
            ("Meridian", "Port Meridian", "Meridia", "MRD", 88.4, 180, 27.0, 15),
            ("Valdoro", "Valdoro", "Auria", "AUR", 81.2, 60, 22.0, 19),
            ("Highmoor", "Highmoor", "Norrland", "NRL", 86.9, 0, 16.0, 18),
            ("Sunda Bay", "Sunda Bay", "Tamara", "TMR", 95.8, 480, 30.0, 19),
            ("Lakeshore", "Lakeshore City", "Columbia", "CLB", 78.6, -240, 24.0, 14),
            ("Karst", "Karst", "Illyra", "ILY", 84.1, 120, 25.0, 16),
            ("Red Mesa", "Red Mesa", "Arida", "ARD", 92.3, -420, 33.0, 20),
            ("Fenwick", "Fenwick", "Albany", "ALB", 87.5, 60, 18.0, 18),
            ("Amber Coast", "Amber", "Baltia", "BLT", 76.9, 180, 19.0, 13),
            ("Two Rivers", "Two Rivers", "Pampa", "PMP", 72.4, -180, 23.0, 15),
            ("Old Harbour", "Old Harbour", "Liguria Nova", "LGN", 74.8, 120, 21.0, 19),
            ("Longford Vale", "Longford", "Austrasia", "AST", 80.7, 600, 20.0, 14),
            ("Cinder Cape", "Cinder Cape", "Volcania", "VLC", 85.2, 0, 24.0, 17),
            ("Silverpine", "Silverpine", "Boreas", "BOR", 79.3, -300, 17.0, 14),
            ("Monte Alto", "Monte Alto", "Serrana", "SRN", 76.2, -360, 21.0, 17),
            ("Saffron Coast", "Saffron", "Orienta", "ORT", 90.1, 330, 31.0, 18),
            ("Northgate", "Northgate", "Caldera", "CLD", 83.6, 60, 15.0, 16),
            ("Pearl Island", "Pearl Island", "Lagoona", "LGO", 98.3, 480, 29.0, 19),
            ("Hollow Creek", "Hollow Creek", "Prairia", "PRR", 94.7, -300, 28.0, 20),
            ("Sierra Blanca", "Sierra Blanca", "Montara", "MNT", 77.4, -360, 20.0, 17),
            ("Rio Verde", "Rio Verde", "Verdania", "VRD", 71.3, -180, 25.0, 15),
            ("Neon Strip", "Neon City", "Arcadia", "ARC", 93.5, -480, 18.0, 17),
            ("Dune Bay", "Dune Bay", "Sahira", "SHR", 82.9, 180, 27.0, 16),
            ("Last Lagoon", "Last Lagoon", "Emira", "EMR", 84.8, 240, 26.0, 16),
        )
    )
)

_FORMATS = {
    "conventional": ("Practice 1", "Practice 2", "Practice 3", "Qualifying", "Race"),
    "sprint": ("Practice 1", "Qualifying", "Practice 2", "Sprint", "Race"),
    "sprint_shootout": ("Practice 1", "Qualifying", "Sprint Shootout", "Sprint", "Race"),
    "sprint_qualifying": ("Practice 1", "Sprint Qualifying", "Sprint", "Qualifying", "Race"),
    "testing": ("Practice 1", "Practice 2", "Practice 3"),
}
# Days before the last one, and local time, of the five places of a weekend.
_TIMETABLE = ((2, 13, 30), (2, 17, 0), (1, 12, 30), (1, 16, 0), (0, 15, 0))
_TEST_TIMETABLE = ((2, 10, 0), (1, 10, 0), (0, 10, 0))

IDENTIFIERS = {
    "Practice 1": "FP1",
    "Practice 2": "FP2",
    "Practice 3": "FP3",
    "Qualifying": "Q",
    "Sprint Qualifying": "SQ",
    "Sprint Shootout": "SS",
    "Sprint": "S",
    "Race": "R",
}
_MINUTES = {"Q": 60, "SQ": 44, "SS": 44, "S": 60, "R": 120}
FIRST_SEASON, LAST_SEASON = 1950, 2100
FIRST_LIVE_TIMING_SEASON = 2018


@dataclass(frozen=True)
class SimulatedSession:
    """A session of the calendar; `session_id` is FastF1's identifier, ``T1-2`` for a test day."""

    session_id: str
    name: str
    session_key: int
    start_local: datetime
    start_utc: datetime
    end_utc: datetime

    @property
    def kind(self) -> str:
        """Return what live timing calls its type: a sprint is a race, a sprint shootout a qualifying."""
        kinds = {"R": "Race", "S": "Race", "Q": "Qualifying", "SQ": "Qualifying", "SS": "Qualifying"}
        return kinds.get(self.session_id, "Practice")


@dataclass(frozen=True)
class SimulatedEvent:
    """A weekend or a test; `round` is 0 for tests."""

    season: int
    round: int
    name: str
    official_name: str
    format: str
    place: Place
    meeting_key: int
    last_day: date
    sessions: tuple[SimulatedSession, ...]


def events_of(season: int, options: SimulatorOptions) -> tuple[SimulatedEvent, ...]:
    """Return the events of a season, tests first, in order of their dates; tests only since there is live timing."""
    if not FIRST_SEASON <= season <= LAST_SEASON:
        return ()
    tests = [
        _event(season, 0, test + 1, "testing", PLACES[0], _tests_end(season, options, test))
        for test in range(options.tests if season >= FIRST_LIVE_TIMING_SEASON else 0)
    ]
    sundays = _sundays(season, options.races)
    sprints = _sprint_rounds(season, options)
    races = [
        _event(season, number, 0, _format(season, number in sprints), PLACES[(number - 1) % len(PLACES)], sunday)
        for number, sunday in enumerate(sundays, 1)
    ]
    return (*tests, *races)


def _tests_end(season: int, options: SimulatorOptions, test: int) -> date:
    # On a Saturday: FastF1 3.9 looks for some real test days (2025-02-26, 2026-02-11 and -18, all Wednesdays, and the
    # two days after each) in a folder named "Day_1" and so on; a made-up test must not begin on one of those.
    return _sundays(season, 1)[0] - timedelta(days=1 + 7 * (options.tests - test))


def _sundays(season: int, count: int) -> list[date]:
    """Spread the races over the Sundays from March to the first of December; more races come twice a week."""
    first = date(season, 3, 1)
    first += timedelta(days=(6 - first.weekday()) % 7)
    weeks = 40
    days = [round(index * weeks / max(count, 2)) * 7 for index in range(count)]
    if any(later <= earlier for earlier, later in pairwise(days)):
        days = [index * 7 for index in range(count)]
    return [first + timedelta(days=day) for day in days]


def _sprint_rounds(season: int, options: SimulatorOptions) -> set[int]:
    if season < 2021 or not options.sprints:
        return set()
    # Round 1 is always a conventional weekend, and round 2 the first sprint.
    step = max((options.races - 1) // options.sprints, 1)
    return {2 + index * step for index in range(options.sprints) if 2 + index * step <= options.races}


def _format(season: int, is_sprint: bool) -> str:
    if not is_sprint:
        return "conventional"
    if season <= 2022:
        return "sprint"
    return "sprint_shootout" if season == 2023 else "sprint_qualifying"


def _event(season: int, number: int, test: int, format_: str, place: Place, last_day: date) -> SimulatedEvent:
    order = 90 + test if test else number
    timetable = _TEST_TIMETABLE if test else _TIMETABLE
    sessions = []
    for index, (name, (days, hour, minute)) in enumerate(zip(_FORMATS[format_], timetable, strict=True), 1):
        local = datetime.combine(last_day - timedelta(days=days), datetime.min.time()).replace(hour=hour, minute=minute)
        identifier = f"T{test}-{index}" if test else IDENTIFIERS[name]
        start = (local - timedelta(minutes=place.offset_minutes)).replace(tzinfo=UTC)
        sessions.append(
            SimulatedSession(
                session_id=identifier,
                name=name,
                session_key=(season - 1950) * 1000 + order * 10 + index,
                start_local=local,
                start_utc=start,
                end_utc=start + timedelta(minutes=_MINUTES.get(identifier, 60)),
            )
        )
    title = f"Pre-Season Testing {test}" if test else f"{place.name} Grand Prix"
    if not test and number > len(PLACES):
        title = f"{place.name} Night Grand Prix"
    return SimulatedEvent(
        season=season,
        round=number,
        name=title,
        official_name=f"SIMULATED {title.upper()} {season}",
        format=format_,
        place=place,
        meeting_key=(season - 1950) * 100 + order,
        last_day=last_day,
        sessions=tuple(sessions),
    )


def folder(event: SimulatedEvent, session: SimulatedSession) -> str:
    """Return the folder of a session below its season, as F1's archive names it."""
    return f"{event.last_day}_{event.name}/{session.start_local.date()}_{session.name}/".replace(" ", "_")


def offset_clock(place: Place) -> str:
    """Write local time minus UTC as the services do: ``03:00:00``, ``-04:00:00``."""
    hours, minutes = divmod(abs(place.offset_minutes), 60)
    return f"{'-' if place.offset_minutes < 0 else ''}{hours:02}:{minutes:02}:00"


def track_clock(place: Place, feed_start: datetime) -> Callable[[int], datetime]:
    """Return the clock at the track: session time in milliseconds to local time of day."""
    return lambda time_ms: feed_start + timedelta(milliseconds=time_ms, minutes=place.offset_minutes)

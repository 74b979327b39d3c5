"""Rows of a session for its charts: of datasets that are there, each read once, no column more than is drawn."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import select

from f1_assets.datasets import all_datasets
from f1_assets.errors import ConfigurationError
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Extraction, Status, Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import circuits, events, of_session, sessions


class Lap(NamedTuple):
    """A lap; fields are columns of ``laps``."""

    driver_number: str
    lap_number: int
    abbreviation: str | None = None
    team_name: str | None = None
    session_time_ms: int | None = None
    lap_time_ms: int | None = None
    lap_start_time_ms: int | None = None
    pit_out_time_ms: int | None = None
    pit_in_time_ms: int | None = None
    stint: int | None = None
    compound: str | None = None
    tyre_life_laps: int | None = None
    track_status: str | None = None
    position: int | None = None
    deleted: bool | None = None


class Entry(NamedTuple):
    """A driver's entry; fields are columns of ``drivers``."""

    driver_number: str
    abbreviation: str | None = None
    full_name: str | None = None
    team_name: str | None = None
    team_color: str | None = None


class Result(NamedTuple):
    """A driver's result; fields are columns of ``results``.

    `driver_number` tells the drivers of a session apart: who has no number, or shares one, has the name beside it.
    """

    driver_number: str
    position: int | None = None
    classified_position: str | None = None
    grid_position: int | None = None
    q1_ms: int | None = None
    q2_ms: int | None = None
    q3_ms: int | None = None
    status: str | None = None
    driver_id: str | None = None
    full_name: str | None = None
    team_name: str | None = None


class Measurement(NamedTuple):
    """A minute of weather; fields are columns of ``weather``."""

    session_time_ms: int
    air_temperature_c: float | None = None
    track_temperature_c: float | None = None
    rainfall: bool | None = None
    wind_direction_deg: float | None = None
    wind_speed_mps: float | None = None


class Marker(NamedTuple):
    """A marker of the circuit; fields are columns of ``circuit``."""

    kind: str
    number: int
    letter: str
    x: float | None = None
    y: float | None = None
    angle_deg: float | None = None
    distance_m: float | None = None


class Change(NamedTuple):
    """A change of the session's or the track's status; fields are columns of both datasets."""

    session_time_ms: int | None
    status: str | None


_RECORDS: dict[str, Any] = {
    "laps": Lap,
    "drivers": Entry,
    "results": Result,
    "weather": Measurement,
    "circuit": Marker,
    "session_status": Change,
    "track_status": Change,
}


@dataclass(frozen=True)
class Place:
    """Where a session takes place, and how far its map is turned."""

    circuit: str | None = None
    rotation_deg: float | None = None


@dataclass(frozen=True)
class SessionRows:
    """What is there of a session. What is not there is empty."""

    key: SessionKey
    laps: tuple[Lap, ...] = ()
    drivers: tuple[Entry, ...] = ()
    results: tuple[Result, ...] = ()
    weather: tuple[Measurement, ...] = ()
    circuit: tuple[Marker, ...] = ()
    session_status: tuple[Change, ...] = ()
    track_status: tuple[Change, ...] = ()
    place: Place = Place()
    line_driven: tuple[tuple[float, float], ...] = ()

    @property
    def is_race(self) -> bool:
        """Check whether cars race each other, in a race or a sprint."""
        return self.key.session in ("R", "S")

    @property
    def started_ms(self) -> int | None:
        """Session time at which the session was started; None where that is not known."""
        return next((change.session_time_ms for change in self.session_status if change.status == "Started"), None)

    @property
    def fastest_lap(self) -> Lap | None:
        """The fastest lap that was not deleted."""
        return fastest(self.laps)


def fastest(laps: Collection[Lap]) -> Lap | None:
    """Return the fastest of laps, of those that were not deleted."""
    timed = [lap for lap in laps if time_of(lap) is not None and not lap.deleted]
    return min(timed, key=lambda lap: (lap.lap_time_ms or 0, lap.lap_number), default=None)


def time_of(lap: Lap) -> int | None:
    """Return a lap's time; None where it has none that a clock can show."""
    return lap.lap_time_ms if lap.lap_time_ms is not None and lap.lap_time_ms > 0 else None


def present(warehouse: Warehouse, key: SessionKey) -> dict[str, Extraction]:
    """Return the datasets of a session that are there, with their lines."""
    return {line.dataset: line for line in warehouse.extractions(key) if line.status is Status.PRESENT}


def read(warehouse: Warehouse, key: SessionKey, wanted: Collection[str], lines: dict[str, Extraction]) -> SessionRows:
    """Read the datasets that are wanted and there.

    Parameters
    ----------
    warehouse, key
        The session, and where it is.
    wanted
        Names of datasets.
    lines
        What `present` gave.
    """
    rows = {name: _rows(warehouse, name, key) for name in _RECORDS if name in wanted and name in lines}
    place = _place(warehouse, key) if "circuit" in wanted else Place()
    positions = lines.get("position_telemetry") if "position_telemetry" in wanted else None
    lap = fastest([lap for lap in rows.get("laps", ()) if None not in (lap.lap_start_time_ms, lap.session_time_ms)])
    driven = _line_driven(warehouse, positions, lap) if positions is not None and lap is not None else ()
    return SessionRows(key, **rows, place=place, line_driven=driven)


def _rows(warehouse: Warehouse, dataset: str, key: SessionKey) -> tuple[Any, ...]:
    definition, record = all_datasets()[dataset], _RECORDS[dataset]
    table = definition.table
    if table is None:
        raise TypeError(f"{dataset} is kept in the lake")
    query = select(*(table.c[name] for name in record._fields)).where(of_session(table, key))
    with reading(warehouse.engine) as connection:
        found = connection.execute(query.order_by(*(table.c[name] for name in definition.key)))
        rows = tuple(record._make(row) for row in found)
    return _told_apart(rows) if record is Result else rows


def _told_apart(results: Iterable[Result]) -> tuple[Result, ...]:
    """Return each person of a result once, under a number of his or her own."""
    people: set[tuple[str | None, str | None]] = set()
    apart: dict[str, Result] = {}
    for place, result in enumerate(results, 1):
        person = (result.driver_number, result.driver_id)
        if result.driver_id is not None and person in people:
            continue
        people.add(person)
        number = result.driver_number
        if number is None or number in apart:
            number = f"{number or ''} {result.full_name or ''} ({place})".strip()
        apart[number] = result._replace(driver_number=number)
    return tuple(apart.values())


def _place(warehouse: Warehouse, key: SessionKey) -> Place:
    where = sessions.join(events, events.c.event_key == sessions.c.event_key).outerjoin(
        circuits, circuits.c.circuit_key == events.c.circuit_key
    )
    query = select(circuits.c.name, events.c.location, circuits.c.rotation_deg).select_from(where)
    with reading(warehouse.engine) as connection:
        row = connection.execute(query.where(of_session(sessions, key))).first()
    return Place(row.name or row.location, row.rotation_deg) if row is not None else Place()


def _line_driven(warehouse: Warehouse, positions: Extraction, lap: Lap) -> tuple[tuple[float, float], ...]:
    """Read where the car of one lap was: of the file, one driver's row group and two columns."""
    if positions.file is None:
        return ()
    conditions = [
        ("driver_number", "==", lap.driver_number),
        ("session_time_ms", ">=", lap.lap_start_time_ms),
        ("session_time_ms", "<=", lap.session_time_ms),
    ]
    try:
        samples = warehouse.lake.read(positions.file, columns=["x", "y"], filters=conditions)
    except ConfigurationError:
        return ()  # the lake is out of reach: the markers make a map too, and it says that it is one of markers
    samples = samples.dropna()
    places = zip(samples["x"].tolist(), samples["y"].tolist(), strict=True)
    # The feed puts a car that it does not see at the origin.
    return tuple((float(x), float(y)) for x, y in places if (x, y) != (0, 0))

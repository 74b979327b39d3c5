"""Circuit: where its corners, marshal lights and marshal sectors are, from MultiViewer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from f1_assets.datasets.coercions import integer, number
from f1_assets.datasets.definition import Dataset, Extract, Field
from f1_assets.datasets.lap_telemetry import lap_telemetry, marker_distances_m
from f1_assets.datasets.samples import began_at, samples_of
from f1_assets.errors import F1AssetsError, UnreadableData
from f1_assets.feeds.table import Feed
from f1_assets.warehouse.models import circuits

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession

_KINDS = {"corner": "corners", "marshal_light": "marshal_lights", "marshal_sector": "marshal_sectors"}


def extract(loaded: LoadedSession) -> Extract:
    """Return the markers, and the circuit's rotation beside them."""
    info = loaded.circuit
    if not math.isfinite(info.rotation):
        words = f"the circuit's rotation is {info.rotation}, which is no angle"
        raise UnreadableData(words, key=loaded.key, dataset="circuit", feed=Feed.CIRCUIT)
    frames = [_markers(kind, getattr(info, attribute)) for kind, attribute in _KINDS.items()]
    circuit = {
        "circuit_key": loaded.circuit_key,
        "name": loaded.event.circuit_name,
        "location": loaded.event.location,
        "country": loaded.event.country,
        "rotation_deg": info.rotation,
    }
    markers = pd.concat(frames, ignore_index=True)
    # Its distances need the telemetry, which tells when session time began: later loads may do without.
    parents = {circuits: [circuit], **began_at(loaded)}
    return Extract(markers.assign(distance_m=_distances(loaded, markers)), parents)


def _distances(loaded: LoadedSession, markers: pd.DataFrame) -> pd.Series | None:
    """Return the markers' distances along the session's fastest lap; None where it or its telemetry is not there.

    A feed that failed has failed the dataset before; one that upstream lacks, or that cannot be read, costs the
    distances alone: the map is worth having without them.
    """
    feeds = (Feed.TIMING_DATA, Feed.CAR_DATA, Feed.POSITION)
    if loaded.t0_utc is None or not all(loaded.has(feed) for feed in feeds):
        return None
    try:
        laps: Any = loaded.laps  # FastF1's own kind of frame
        tables = (loaded.car_data.table, loaded.positions.table)
    except F1AssetsError:
        return None
    fastest = laps.pick_fastest()
    if fastest is None or pd.isna(fastest["LapStartTime"]) or pd.isna(fastest["Time"]):
        return None
    car, positions = (
        samples_of(table[table["driver_number"] == fastest["DriverNumber"]], loaded.t0_utc, loaded.key)
        for table in tables
    )
    start, end = (round(fastest[name].total_seconds() * 1000) for name in ("LapStartTime", "Time"))
    lap = lap_telemetry(car, positions, start, end)
    if lap.empty:
        return None
    places = (markers[axis].to_numpy(dtype="float64") for axis in ("x", "y"))
    return number(pd.Series(marker_distances_m(lap, *places)))


def _markers(kind: str, markers: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "kind": kind,
            "number": integer(markers["Number"]),
            "letter": markers["Letter"].astype("string"),
            "x": number(markers["X"]),
            "y": number(markers["Y"]),
            "angle_deg": number(markers["Angle"]),
        }
    )


DATASET = Dataset(
    name="circuit",
    row="marker of the circuit",
    description=(
        "Corners, marshal lights and marshal sectors, placed by hand by MultiViewer: good for drawing, not exact. "
        "The rotation that turns the map upright is in `circuits`."
    ),
    key=("kind", "number", "letter"),
    columns=(
        Field(
            "kind",
            "text",
            "corner, marshal_light or marshal_sector",
            values=("corner", "marshal_light", "marshal_sector"),
        ),
        Field("number", "integer", "Number of the corner, light or sector"),
        Field("letter", "text", "Tells corners with one number apart (2A); empty where there is none"),
        Field("x", "float", "Place on the map", "0.1 m"),
        Field("y", "float", "Place on the map", "0.1 m"),
        Field("angle_deg", "float", "Direction in which a label stands off the track", "°"),
        Field("distance_m", "float", "From the finish line along the fastest lap; NULL without telemetry", "m"),
    ),
    extract=extract,
    feeds=(Feed.CIRCUIT,),
    optional_feeds=(
        # Without any of these four FastF1 has no laps, and so no fastest one to measure along.
        Feed.TIMING_DATA,
        Feed.TIMING_APP_DATA,
        Feed.SESSION_STATUS,
        Feed.TRACK_STATUS,
        # It says which laps were deleted, and so which one is the fastest.
        Feed.RACE_CONTROL,
        Feed.CAR_DATA,
        Feed.POSITION,
    ),
    views={
        "circuit_markers": (
            "SELECT e.circuit_key, c.season, c.kind, c.number, c.letter, c.x, c.y, c.angle_deg, "
            "AVG(c.distance_m) AS distance_m "
            "FROM circuit c JOIN sessions s ON s.season = c.season AND s.round = c.round AND s.session = c.session "
            "JOIN events e ON e.event_key = s.event_key "
            "GROUP BY e.circuit_key, c.season, c.kind, c.number, c.letter, c.x, c.y, c.angle_deg"
        )
    },
)

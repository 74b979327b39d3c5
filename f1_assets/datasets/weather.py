"""Weather: what the stations at the track measure, once a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from f1_assets.datasets.coercions import flag, milliseconds, number
from f1_assets.datasets.definition import Check, Dataset, Field
from f1_assets.feeds.table import Feed

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession

_MEASURES = {
    "air_temperature_c": "AirTemp",
    "track_temperature_c": "TrackTemp",
    "humidity_pct": "Humidity",
    "pressure_mbar": "Pressure",
    "wind_direction_deg": "WindDirection",
    "wind_speed_mps": "WindSpeed",
}

_HOLE_MS = 5 * 60_000


def extract(loaded: LoadedSession) -> pd.DataFrame:
    """Return the measurements; FastF1 writes 0 for a missing one, and air pressure is never 0."""
    weather = loaded.weather
    frame = pd.DataFrame({ours: number(weather[theirs]) for ours, theirs in _MEASURES.items()})
    gaps = frame["pressure_mbar"] == 0
    for name in _MEASURES:
        frame[name] = frame[name].mask(gaps & (frame[name] == 0))
    rainfall = flag(weather["Rainfall"])
    return frame.assign(
        session_time_ms=milliseconds(weather["Time"]),
        rainfall=rainfall.mask(gaps & ~rainfall.fillna(False)),
    )


def _impossible(frame: pd.DataFrame) -> pd.DataFrame:
    humid = frame["humidity_pct"].notna() & ~frame["humidity_pct"].between(0, 100)
    thin = frame["pressure_mbar"].notna() & ~frame["pressure_mbar"].between(700, 1100)
    return frame[humid | thin]


def _after_holes(frame: pd.DataFrame) -> pd.DataFrame:
    ordered = frame.sort_values("session_time_ms")
    return ordered[(ordered["session_time_ms"].diff() > _HOLE_MS).fillna(False)]


def _short_of_the_session(frame: pd.DataFrame, session_status: pd.DataFrame) -> pd.DataFrame:
    """Return the first measurement where it is too late, and the last where it is too early."""
    times, status = session_status["session_time_ms"], session_status["status"]
    begin_ms, end_ms = times[status == "Started"].min(), times[status.isin(["Finished", "Aborted"])].max()
    ordered = frame.sort_values("session_time_ms")
    late = ordered.head(1)["session_time_ms"] > begin_ms + _HOLE_MS
    early = ordered.tail(1)["session_time_ms"] < end_ms - _HOLE_MS
    outside: pd.DataFrame = pd.concat([ordered.head(1)[late.fillna(False)], ordered.tail(1)[early.fillna(False)]])
    return outside


DATASET = Dataset(
    name="weather",
    row="minute of weather at the track",
    description="Temperatures, humidity, pressure, rain and wind, measured at the track about once a minute.",
    key=("session_time_ms",),
    columns=(
        Field("session_time_ms", "integer", "Session time of the measurement", "ms"),
        Field("utc", "timestamp", "The same as a time of day; NULL until the session's clock is known"),
        Field("air_temperature_c", "float", "Air temperature", "°C"),
        Field("track_temperature_c", "float", "Temperature of the track's surface", "°C"),
        Field("humidity_pct", "float", "Relative humidity", "%"),
        Field("pressure_mbar", "float", "Air pressure", "mbar"),
        Field("rainfall", "boolean", "Whether it rained"),
        Field("wind_direction_deg", "float", "Where the wind came from, 0 to 359", "°"),
        Field("wind_speed_mps", "float", "Wind speed", "m/s"),
    ),
    extract=extract,
    feeds=(Feed.WEATHER,),
    optional_feeds=(Feed.SESSION_DATA,),
    checks=(
        Check("values_are_possible", "Humidity and pressure are within physical limits.", _impossible),
        Check(
            "measurements_follow_each_other",
            "No two measurements are more than 5 minutes apart.",
            _after_holes,
            columns=("session_time_ms",),
        ),
        Check(
            "session_is_covered",
            "Measurements begin and end at most 5 minutes inside of the session.",
            _short_of_the_session,
            beside=("session_status",),
            columns=("session_time_ms",),
        ),
    ),
)

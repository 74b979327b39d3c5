"""Weather: what the stations at the track measure, once a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from f1_assets.datasets.coercions import flag, milliseconds, number
from f1_assets.datasets.definition import Check, Dataset, Field
from f1_assets.upstream.feeds import Feed
from f1_assets.upstream.needs import Needs

if TYPE_CHECKING:
    from f1_assets.upstream.loader import LoadedSession

_MEASURES = {
    "air_temperature_c": "AirTemp",
    "track_temperature_c": "TrackTemp",
    "humidity_pct": "Humidity",
    "pressure_mbar": "Pressure",
    "wind_direction_deg": "WindDirection",
    "wind_speed_mps": "WindSpeed",
}


def extract(loaded: LoadedSession) -> pd.DataFrame:
    """Give the measurements; FastF1 writes 0 for a missing one, and air pressure is never 0."""
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


DATASET = Dataset(
    name="weather",
    row="minute of weather at the track",
    description="Temperatures, humidity, pressure, rain and wind, measured at the track about once a minute.",
    key=("session_time_ms",),
    columns=(
        Field("session_time_ms", "integer", "Session time of the measurement", "ms"),
        Field("utc", "timestamp", "The same as a time of day; NULL where no telemetry was loaded with it"),
        Field("air_temperature_c", "float", "Air temperature", "°C"),
        Field("track_temperature_c", "float", "Temperature of the track's surface", "°C"),
        Field("humidity_pct", "float", "Relative humidity", "%"),
        Field("pressure_mbar", "float", "Air pressure", "mbar"),
        Field("rainfall", "boolean", "Whether it rained"),
        Field("wind_direction_deg", "float", "Where the wind came from, 0 to 359", "°"),
        Field("wind_speed_mps", "float", "Wind speed", "m/s"),
    ),
    extract=extract,
    requires=(Feed.WEATHER,),
    needs=Needs(weather=True),
    checks=(Check("values_are_possible", "Humidity and pressure are within physical limits.", _impossible),),
)

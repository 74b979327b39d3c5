"""Two laps compared in a page: where one gains on the other, by sector, by corner and along the lap."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from f1_assets.analysis.lap_comparison import compared
from f1_assets.api.bounded import plain, table
from f1_assets.errors import UsageError
from f1_assets.planning.absences import NotStored
from f1_assets.reader import Reader

_FACTS = (
    "lap_number",
    "lap_time_ms",
    "sector1_time_ms",
    "sector2_time_ms",
    "sector3_time_ms",
    "compound",
    "tyre_life_laps",
    "deleted",
)
_MOST_PLACES = 500

Lap = int | str


def lap_summary(
    reader: Reader, session: str, driver: str, other: str, lap: Lap, other_lap: Lap | None, every_m: int
) -> dict[str, Any]:
    """Return two laps side by side; every delta is the other lap less the first.

    Parameters
    ----------
    reader
        What is read.
    session, driver, other, lap, other_lap
        As in `f1_assets.reader.Reader.compare`.
    every_m
        So many metres lie between two places of `along_the_lap`.

    Raises
    ------
    NotStored, UsageError
        As `f1_assets.reader.Reader.compare`; also when the places lie too close together.
    """
    samples = reader.telemetry(session, driver, lap)
    other_samples = reader.telemetry(session, other, lap if other_lap is None else other_lap)
    sides = compared(samples, other_samples)
    first, second = _facts(reader, session, samples), _facts(reader, session, other_samples)
    length = float(sides["distance_m"].iloc[-1])
    if length / every_m > _MOST_PLACES:
        raise UsageError(f"every_m={every_m} is too fine for a lap of {length:.0f} m; {_MOST_PLACES} places at most.")
    corners = _corners(reader, session)
    return {
        "session": session,
        "first_lap": first,
        "other_lap": second,
        "meaning": (
            "Deltas are the time of the other lap less that of the first lap: above 0, the first lap is faster. Places "
            "are aligned by the share of the lap that is driven; distance_m is that of the first lap."
        ),
        "lap_time_delta_ms": _difference(first, second, "lap_time_ms"),
        "sector_delta_ms": [_difference(first, second, f"sector{number}_time_ms") for number in (1, 2, 3)],
        "corners": corners if isinstance(corners, str) else _at(sides, corners, [("corner", list(corners.index))]),
        "along_the_lap": _at(sides, pd.Series(_places(length, every_m)), []),
    }


def _facts(reader: Reader, session: str, samples: pd.DataFrame) -> dict[str, Any]:
    """Return who drove a lap, which one, its times and tyres."""
    number, lap = samples["driver_number"].iloc[0], samples["lap_number"].iloc[0]
    laps = reader.rows("laps", session, columns=_FACTS, driver=str(number))
    row = laps[laps["lap_number"] == lap].iloc[0]
    who = {"driver": plain(samples["driver"].iloc[0]), "driver_number": plain(number)}
    return who | {name: plain(row[name]) for name in _FACTS}


def _difference(first: dict[str, Any], second: dict[str, Any], name: str) -> int | None:
    one, other = first[name], second[name]
    return None if one is None or other is None else int(other - one)


def _corners(reader: Reader, session: str) -> pd.Series | str:
    """Return how far into the lap each corner is, or why that is not known."""
    try:
        markers = reader.rows("circuit", session)
    except NotStored as error:
        return str(error)
    corners = markers[(markers["kind"] == "corner") & markers["distance_m"].notna()].sort_values("distance_m")
    if corners.empty:
        return "The corners of this circuit have no known distance."
    names = corners["number"].astype(str) + corners["letter"].fillna("").astype(str)
    return pd.Series(corners["distance_m"].to_numpy(dtype=np.float64), index=names)


def _places(length: float, every_m: int) -> npt.NDArray[np.float64]:
    """Return places along a lap, and its end."""
    return np.append(np.arange(0, length, every_m, dtype=np.float64), length)


def _at(sides: pd.DataFrame, places: pd.Series, before: list[tuple[str, list[str]]]) -> dict[str, Any]:
    """Return delta and speeds at some places, as a table."""
    wanted = places.to_numpy(dtype=np.float64)
    known = sides["distance_m"].to_numpy(dtype=np.float64)

    def at(name: str) -> npt.NDArray[np.float64]:
        values: npt.NDArray[np.float64] = sides[name].to_numpy(dtype=np.float64, na_value=np.nan)
        found: npt.NDArray[np.float64] = np.interp(wanted, known, values)
        return found

    delta = at("delta_ms")
    frame = pd.DataFrame(
        {
            **dict(before),
            "distance_m": wanted.round(),
            "delta_ms": delta.round(),
            "delta_since_last_ms": np.diff(delta, prepend=0.0).round(),
            "speed_kmh": at("speed_kmh").round(),
            "other_speed_kmh": at("other_speed_kmh").round(),
        }
    )
    whole = {name: "Int64" for name in frame.columns if name != "corner"}
    return table(frame.astype(whole), _MOST_PLACES + 1, "Ask again with a larger every_m.")

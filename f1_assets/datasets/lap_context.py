"""Lap context: what else has to be known of a lap to compare it with another."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from f1_assets.datasets.clean_laps import CLEAN_WITHIN, counting, in_laps, out_laps, within_best
from f1_assets.datasets.definition import Check, Dataset, Field, Severity
from f1_assets.datasets.inputs import Inputs
from f1_assets.datasets.laps import COMPOUNDS, RACES
from f1_assets.datasets.session_status import part_starts

QUALIFYING = frozenset({"Q", "SQ", "SS"})

YELLOW = "2"

WEATHER_WITHIN_MS = 300_000
"""The weather is measured once a minute; a measurement that is older than this at the end of a lap is not the lap's."""

_NEVER_MS = 10**12
"""Later than any session's end: where no end is known."""

_LAP = ["driver_number", "lap_number"]


def compute(inputs: Inputs) -> pd.DataFrame:
    """Return the context of every lap."""
    laps = inputs["laps"].sort_values(_LAP, ignore_index=True)
    is_race = inputs.key.session in RACES
    neutralised, yellow = _times_under_flags(laps, inputs.get("neutralisations"), inputs.get("track_status"))
    frame = laps[_LAP].assign(
        is_in_lap=in_laps(laps), is_out_lap=out_laps(laps, is_race), neutralised_ms=neutralised, yellow_ms=yellow
    )
    counts = counting(laps, frame)
    frame["is_clean"] = counts & (neutralised == 0) & within_best(laps, counts.fillna(True))
    frame = pd.concat([frame, _tyres(laps, inputs["stints"]), _weather(laps, inputs.get("weather"))], axis=1)
    if is_race:
        frame["fuel_laps_left"] = _distance(laps) - laps["lap_number"]
        frame = pd.concat([frame, _gaps(laps)], axis=1)
    if inputs.key.session in QUALIFYING:
        frame["qualifying_part"] = _part(laps, inputs.get("session_status"))
    return frame


def _times_under_flags(
    laps: pd.DataFrame, neutralisations: pd.DataFrame | None, track: pd.DataFrame | None
) -> tuple[pd.Series, pd.Series]:
    """Return how much of each lap was neutralised, and how much of the rest was under yellow flags."""
    unknown = pd.Series(pd.NA, laps.index, "Int64")
    if neutralisations is None:
        return unknown, unknown
    periods = neutralisations.sort_values("start_ms")
    closed = [*zip(periods["start_ms"], periods["end_ms"].fillna(_NEVER_MS), strict=True)]
    neutralised = _time_within(laps, closed)
    if track is None:
        return neutralised, unknown
    changes = track.dropna(subset=["session_time_ms", "status"]).sort_values("change_number")
    since = changes["session_time_ms"]
    is_yellow = changes["status"] == YELLOW
    yellow = zip(since[is_yellow], since.shift(-1).fillna(_NEVER_MS)[is_yellow], strict=True)
    return neutralised, _time_within(laps, _united([*closed, *yellow])) - neutralised


def _united(periods: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the same time as periods that do not overlap."""
    united: list[tuple[int, int]] = []
    for start, end in sorted(periods):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((start, end))
    return united


def _time_within(laps: pd.DataFrame, periods: list[tuple[int, int]]) -> pd.Series:
    """Return how much of each lap lies within periods that do not overlap; NULL without its start or end."""
    begin, end = laps["lap_start_time_ms"], laps["session_time_ms"]
    if not periods:
        return (end - begin) * 0
    bounds = np.array(periods, float)
    # How much of a session lies within them until a time goes up within them and stays as it is between.
    until = np.cumsum(np.diff(bounds, axis=1)[:, 0])
    amounts = np.column_stack([np.concatenate([[0.0], until[:-1]]), until]).ravel()
    at = [np.interp(times.to_numpy("float64", na_value=np.nan), bounds.ravel(), amounts) for times in (begin, end)]
    return pd.Series(at[1] - at[0], laps.index).round().astype("Int64")


def _tyres(laps: pd.DataFrame, stints: pd.DataFrame) -> pd.DataFrame:
    """Return the set that each lap was driven on."""
    known = stints[["driver_number", "stint", "first_lap", "last_lap", "compound", "tyre_age_at_start_laps"]]
    found = _before(laps[_LAP], known, "lap_number", "first_lap", by="driver_number")
    age = found["tyre_age_at_start_laps"] + found["lap_number"] - found["first_lap"] + 1
    return found[["stint", "compound"]].assign(tyre_age_laps=age).where(found["lap_number"] <= found["last_lap"])


def _weather(laps: pd.DataFrame, weather: pd.DataFrame | None) -> pd.DataFrame:
    """Return the latest measurement before the end of each lap."""
    names = ["air_temperature_c", "track_temperature_c"]
    if weather is None or weather.empty:
        return pd.DataFrame(index=laps.index)
    known = weather[["session_time_ms", *names]].rename(columns={"session_time_ms": "measured_ms"})
    found = _before(laps[["session_time_ms"]], known, "session_time_ms", "measured_ms", tolerance=WEATHER_WITHIN_MS)
    return found[names]


def _before(
    left: pd.DataFrame,
    right: pd.DataFrame,
    left_on: str,
    right_on: str,
    by: str | None = None,
    tolerance: int | None = None,
) -> pd.DataFrame:
    """Put beside each row the last one of another frame that is not after it, in the order of the first frame."""
    known = left.assign(row=range(len(left))).dropna(subset=[left_on]).sort_values(left_on, kind="stable")
    other = right.dropna(subset=[right_on]).sort_values(right_on, kind="stable")
    found = pd.merge_asof(known, other, left_on=left_on, right_on=right_on, by=by, tolerance=tolerance)
    return found.set_index("row").reindex(range(len(left))).set_index(left.index)


def _distance(laps: pd.DataFrame) -> int:
    """Return how many laps the race had: the most that a car completed."""
    driven = laps.loc[_is_at_the_line(laps), "lap_number"]
    return int(driven.max()) if len(driven) else 0


def _is_at_the_line(laps: pd.DataFrame) -> pd.Series:
    """Return whether a car was seen at the line at the end of a lap."""
    return laps["session_time_ms"].notna() & ~laps["fastf1_generated"].fillna(False)


def _gaps(laps: pd.DataFrame) -> pd.DataFrame:
    """Return the gaps at the line, between cars that end the same lap."""
    ends = laps[_is_at_the_line(laps)].sort_values(["lap_number", "session_time_ms", "position"], kind="stable")
    times = ends.groupby("lap_number")["session_time_ms"]
    return pd.DataFrame(
        {
            "gap_to_leader_ms": ends["session_time_ms"] - times.transform("min"),
            "gap_ahead_ms": times.diff().astype("Int64"),
            "driver_ahead": ends.groupby("lap_number")["driver_number"].shift(),
        }
    ).reindex(laps.index)


def _part(laps: pd.DataFrame, statuses: pd.DataFrame | None) -> pd.Series:
    """Return the part of a qualifying in which each lap ends: a start opens one unless a red flag came before it."""
    if statuses is None:
        return pd.Series(pd.NA, laps.index, "Int64")
    opens = part_starts(statuses)
    ends = laps["session_time_ms"].to_numpy("float64", na_value=np.nan)
    part = np.searchsorted(np.sort(opens.to_numpy("float64")), ends, side="right")
    return pd.Series(part, laps.index, "Int64").mask((part == 0) | np.isnan(ends))


def _impossible_times(frame: pd.DataFrame) -> pd.DataFrame:
    negative = (frame[["neutralised_ms", "yellow_ms", "gap_to_leader_ms", "gap_ahead_ms"]] < 0).any(axis=1)
    wider = frame["gap_ahead_ms"] > frame["gap_to_leader_ms"]
    return frame[negative | wider.fillna(False)]


def _gaps_that_do_not_add_up(frame: pd.DataFrame) -> pd.DataFrame:
    """Return laps whose gap to the car ahead is not the difference of both gaps to the leader."""
    ahead = frame[[*_LAP, "gap_to_leader_ms"]].set_axis(["driver_ahead", "lap_number", "gap_of_ahead_ms"], axis=1)
    both = frame.merge(ahead, on=["driver_ahead", "lap_number"])
    return both[both["gap_to_leader_ms"] - both["gap_of_ahead_ms"] != both["gap_ahead_ms"]]


def _clean_under_neutralisation(frame: pd.DataFrame) -> pd.DataFrame:
    spoilt = frame["is_in_lap"] | frame["is_out_lap"] | (frame["neutralised_ms"] > 0).fillna(False)
    return frame[frame["is_clean"].fillna(False) & spoilt]


DATASET = Dataset(
    name="lap_context",
    row="lap of a driver, as in `laps`",
    description=(
        "What has to be known of a lap to compare it. Times under safety cars and flags are cut from `neutralisations` "
        "and `track_status` between the lap's start and end: the digits of `laps.track_status` say only that there was "
        "one during the lap. A lap is clean when it is timed, not deleted, neither in- nor out-lap, nothing of it was "
        f"neutralised, and it takes at most {CLEAN_WITHIN:.0%} of the driver's best lap that counts in this session; "
        "yellow flags do not matter, and `is_clean` is NULL where it rests on what is not known, such as deletions "
        "without race control messages. Gaps are those at the line, from the session times at which cars end the same "
        "lap, also a lap later: the stream of `intervals` lags by a second. A lap that FastF1 added has none. "
        "Tyres are those of `stints`. The weather is the latest measurement, at most 5 minutes old, when the lap ends. "
        "A part of qualifying begins with each Started of `session_status`, unless the last of Finished and Aborted "
        "before it is Aborted; a lap is of the part in which it ends."
    ),
    key=("driver_number", "lap_number"),
    columns=(
        Field("driver_number", "text", "Car number in this session"),
        Field("lap_number", "integer", "Lap, from 1"),
        Field("is_in_lap", "boolean", "Whether the car came into the pits on it"),
        Field("is_out_lap", "boolean", "Whether the car left the pits on it; in a race, after the start"),
        Field("neutralised_ms", "integer", "How much of it was under safety car, virtual safety car or red flag", "ms"),
        Field("yellow_ms", "integer", "How much of it was under yellow flags and not neutralised", "ms"),
        Field("is_clean", "boolean", "Whether it shows the car's pace; see the description"),
        Field("stint", "integer", "Stint of the driver, of `stints`"),
        Field("compound", "text", f"Tyres: {', '.join(COMPOUNDS)}", values=COMPOUNDS),
        Field("tyre_age_laps", "integer", "Laps driven on this set, this one included", "laps"),
        Field(
            "fuel_laps_left",
            "integer",
            "Laps of fuel left at the end of the lap: the most laps that a car completed less this one's number. NULL "
            "but in races and sprints: nobody knows the fuel of other sessions",
            "laps",
        ),
        Field("gap_to_leader_ms", "integer", "Time after the first car to end this lap, in races and sprints", "ms"),
        Field("gap_ahead_ms", "integer", "Time after the car before it to end this lap; NULL for the leader", "ms"),
        Field("driver_ahead", "text", "Number of that car"),
        Field("air_temperature_c", "float", "Air temperature", "°C"),
        Field("track_temperature_c", "float", "Temperature of the track's surface", "°C"),
        Field("qualifying_part", "integer", "Part of a qualifying, from 1; NULL in other sessions"),
    ),
    compute=compute,
    inputs=("laps", "stints"),
    optional_inputs=("neutralisations", "track_status", "session_status", "weather"),
    checks=(
        Check(
            "times_are_possible",
            "No time is negative, and no gap to the car ahead is wider than that to the leader.",
            _impossible_times,
            Severity.ERROR,
            columns=("neutralised_ms", "yellow_ms", "gap_to_leader_ms", "gap_ahead_ms"),
        ),
        Check(
            "gaps_add_up",
            "The gap to the leader is that of the car ahead and the gap to it.",
            _gaps_that_do_not_add_up,
            Severity.ERROR,
            columns=("gap_to_leader_ms", "gap_ahead_ms", "driver_ahead"),
        ),
        Check(
            "clean_laps_are_undisturbed",
            "A clean lap is neither in- nor out-lap, and nothing of it was neutralised.",
            _clean_under_neutralisation,
            Severity.ERROR,
            columns=("is_clean", "is_in_lap", "is_out_lap", "neutralised_ms"),
        ),
    ),
)

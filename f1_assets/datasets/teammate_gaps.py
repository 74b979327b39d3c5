"""Gaps between team mates: in qualifying by their best laps, in a race by their pace."""

from __future__ import annotations

import pandas as pd

from f1_assets.datasets.clean_laps import counting, with_context
from f1_assets.datasets.definition import Check, Dataset, Field, Severity
from f1_assets.datasets.inputs import Inputs
from f1_assets.datasets.lap_context import QUALIFYING
from f1_assets.datasets.laps import RACES


def compute(inputs: Inputs) -> pd.DataFrame:
    """Return the gap between each pair of team mates; those without one are in the order of their car numbers."""
    pairs = _pairs(inputs["laps"], inputs.get("drivers"))
    times = _bests(inputs) if inputs.key.session in QUALIFYING else _paces(inputs.get("race_pace"))
    # The last part of which both have a time; a race is a single one.
    both = pairs.merge(times, on="driver").merge(
        times.rename(columns={"driver": "teammate"}), on=["teammate", "part"], suffixes=("", "_of_teammate")
    )
    both = both.sort_values("part", kind="stable").drop_duplicates(["driver", "teammate"], keep="last")
    gaps = pairs.merge(both, on=list(pairs), how="left")
    is_slower = (gaps["time_ms"] > gaps["time_ms_of_teammate"]).fillna(False)
    gap = (gaps["time_ms_of_teammate"] - gaps["time_ms"]).abs()
    return pd.DataFrame(
        {
            "team_name": gaps["team_name"],
            "driver": gaps["driver"].mask(is_slower, gaps["teammate"]),
            "teammate": gaps["teammate"].mask(is_slower, gaps["driver"]),
            "gap_ms": gap,
            "gap_pct": gap / gaps[["time_ms", "time_ms_of_teammate"]].min(axis=1) * 100,
            "qualifying_part": gaps["part"] if inputs.key.session in QUALIFYING else pd.NA,
            "laps_used": gaps[["laps", "laps_of_teammate"]].min(axis=1),
        }
    )


def _pairs(laps: pd.DataFrame, drivers: pd.DataFrame | None) -> pd.DataFrame:
    """Return each pair of cars of a team once, the lower number first."""
    entries = pd.concat([laps if drivers is None else drivers, laps])[["team_name", "driver_number"]]
    # The driver list comes first: it is what the laps have their teams from.
    entries = entries.dropna().drop_duplicates("driver_number").rename(columns={"driver_number": "driver"})
    pairs = entries.merge(entries.rename(columns={"driver": "teammate"}), on="team_name")
    is_once = pairs["driver"].map(_order) < pairs["teammate"].map(_order)
    return pairs[is_once].reset_index(drop=True)


def _order(number: str) -> tuple[int, str]:
    return len(number), number


def _bests(inputs: Inputs) -> pd.DataFrame:
    """Return the best lap that counts of each driver and part of a qualifying."""
    laps = with_context(inputs["laps"], inputs["lap_context"])
    best = laps[counting(laps, laps).fillna(False)].groupby(["driver_number", "qualifying_part"])["lap_time_ms"].min()
    return best.rename("time_ms").rename_axis(["driver", "part"]).reset_index().assign(laps=1)


def _paces(race_pace: pd.DataFrame | None) -> pd.DataFrame:
    """Return the race pace of each driver who has one."""
    if race_pace is None:
        return pd.DataFrame({"driver": [], "time_ms": [], "part": [], "laps": []}).astype(
            {"driver": "string", "time_ms": "Int64", "part": "Int64", "laps": "Int64"}
        )
    paced = race_pace[race_pace["pace_ms"].notna()]
    columns = {"driver": paced["driver_number"], "time_ms": paced["pace_ms"], "laps": paced["laps_used"]}
    return pd.DataFrame(columns).assign(part=0)


def _behind_the_teammate(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[(frame["gap_ms"] < 0).fillna(False) | (frame["driver"] == frame["teammate"])]


def _without_laps(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["gap_ms"].notna() != frame["laps_used"].notna()]


DATASET = Dataset(
    name="teammate_gaps",
    row="pair of team mates in a qualifying, sprint qualifying, race or sprint",
    description=(
        "In qualifying the gap between their best laps that count (timed, not deleted, neither in- nor out-lap) in the "
        "last part in which both have one; deletions have to be known. In a race the gap between their `race_pace`. "
        "`driver` is the faster one, so that a gap is never negative; where there is no gap, the lower car number. A "
        "team of which one car was entered has no row."
    ),
    key=("team_name", "driver", "teammate"),
    columns=(
        Field("team_name", "text", "Team's short name"),
        Field("driver", "text", "Car number of the faster one"),
        Field("teammate", "text", "Car number of the other"),
        Field("gap_ms", "integer", "How much faster", "ms"),
        Field("gap_pct", "float", "The same as a share of the faster one's time", "%"),
        Field("qualifying_part", "integer", "Part of the qualifying whose laps are compared; NULL in a race"),
        Field(
            "laps_used",
            "integer",
            "Laps of each that the gap rests on: 1 in qualifying, in a race the fewer of both drivers' clean laps",
            "laps",
        ),
    ),
    compute=compute,
    inputs=("laps", "lap_context"),
    optional_inputs=("drivers", "race_pace"),
    sessions=RACES | QUALIFYING,
    checks=(
        Check(
            "the_faster_one_is_first",
            "No gap is negative, and nobody is his own team mate.",
            _behind_the_teammate,
            Severity.ERROR,
            columns=("gap_ms",),
        ),
        Check(
            "gaps_rest_on_laps",
            "There is a gap where, and only where, there are laps that tell it.",
            _without_laps,
            Severity.ERROR,
            columns=("gap_ms", "laps_used"),
        ),
    ),
)

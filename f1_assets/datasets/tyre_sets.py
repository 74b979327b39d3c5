"""Tyre sets: what was fitted to each car and how far it had been driven, as F1 has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from f1_assets.datasets.definition import Check, Dataset, Extract, Field
from f1_assets.datasets.laps import COMPOUNDS, RACES
from f1_assets.datasets.refusals import Refusals
from f1_assets.datasets.rules import drivers_are_known
from f1_assets.feeds.table import Feed

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession

FIRST_SEASON = 2020
"""Since this season there is TyreStintSeries."""


def extract(loaded: LoadedSession) -> Extract:
    """Return the sets of the session's own cars."""
    lines, refusals = loaded.tyre_lines, Refusals()
    rows = [
        (
            each.driver_number,
            each.number,
            each.session_time_ms,
            each.compound,
            each.is_new,
            each.tyres_not_changed,
            each.total_laps,
            each.start_laps,
        )
        for each in lines.sets
    ]
    frame = pd.DataFrame(rows, columns=[column.name for column in _COLUMNS if column.name != "utc"])
    own = refusals.other_cars(frame, loaded.cars)
    return Extract(own, notes=lines.counts.document() | refusals.document())


def _holes(frame: pd.DataFrame) -> pd.DataFrame:
    ordered = frame.sort_values(["driver_number", "set_number"])
    return ordered[ordered["set_number"] != ordered.groupby("driver_number").cumcount() + 1]


def _impossible_laps(frame: pd.DataFrame) -> pd.DataFrame:
    """Return sets that were driven for less than no lap, and new ones that had been driven."""
    odd = (frame["total_laps"] < frame["start_laps"]) | (frame["is_new"] & (frame["start_laps"] > 0))
    return frame[odd.fillna(False)]


def _other_sums(frame: pd.DataFrame, laps: pd.DataFrame) -> pd.DataFrame:
    """Return drivers whose sets were driven for more or fewer laps than they drove, by more than one."""
    driven = laps[~laps["fastf1_generated"].fillna(False)].groupby("driver_number").size().rename("laps_driven")
    known = frame.dropna(subset=["total_laps", "start_laps"])
    on_sets = (known["total_laps"] - known["start_laps"]).groupby(known["driver_number"]).sum().rename("laps_on_sets")
    both: pd.DataFrame = pd.concat([driven, on_sets], axis=1).dropna().reset_index(names="driver_number")
    return both[(both["laps_driven"] - both["laps_on_sets"]).abs() > 1]


_COLUMNS = (
    Field("driver_number", "text", "Car number in this session"),
    Field("set_number", "integer", "Set of the driver, from 1, as F1 counts: one for each stop"),
    Field("session_time_ms", "integer", "Session time at which it was first shown", "ms"),
    Field("utc", "timestamp", "The same as a time of day; NULL until the session's clock is known"),
    Field("compound", "text", f"Tyres: {', '.join(COMPOUNDS)}", values=COMPOUNDS),
    Field("is_new", "boolean", "Whether the set was new when fitted"),
    Field("tyres_not_changed", "boolean", "Whether the tyres stayed at this stop: it is the set before"),
    Field("total_laps", "integer", "Laps driven on it in the end, those before it was fitted included", "laps"),
    Field("start_laps", "integer", "Laps driven on it before it was fitted", "laps"),
)

DATASET = Dataset(
    name="tyre_sets",
    row="driver and set of tyres that was fitted",
    description=(
        "The sets of TyreStintSeries, as they stand at the end of the session. A stop at which the tyres stayed begins "
        "a set too, with `tyres_not_changed`; `stints` has sets as they were driven, with their laps. F1 corrects what "
        "it announced: the last word counts."
    ),
    key=("driver_number", "set_number"),
    columns=_COLUMNS,
    extract=extract,
    feeds=(Feed.TYRE_STINTS,),
    is_addition=True,
    optional_feeds=(Feed.DRIVER_LIST, Feed.SESSION_STATUS, Feed.SESSION_DATA),
    first_season=FIRST_SEASON,
    checks=(
        drivers_are_known(),
        Check(
            "sets_follow_each_other",
            "A driver's sets are numbered from 1 without a hole.",
            _holes,
            columns=("set_number",),
        ),
        Check(
            "laps_are_possible",
            "A set has at least the laps that it had when fitted, and a new one had none.",
            _impossible_laps,
            columns=("is_new", "total_laps", "start_laps"),
        ),
        Check(
            "sets_sum_to_the_laps",
            "The laps on a driver's sets sum to the laps driven, to one lap.",
            _other_sums,
            beside=("laps",),
            sessions=RACES,
            columns=("driver_number", "total_laps", "start_laps"),
        ),
    ),
)

"""Pit stops: each drive into the pits in a race, what it cost, and what came of the car's place and tyres."""

from __future__ import annotations

import pandas as pd

from f1_assets.datasets.clean_laps import entry_laps, usable
from f1_assets.datasets.definition import Check, Dataset, Field, Severity
from f1_assets.datasets.inputs import Inputs
from f1_assets.datasets.laps import COMPOUNDS, RACES
from f1_assets.datasets.neutralisations import KINDS

LAPS_AROUND = 4
"""Laps before the in-lap, and after the out-lap, whose medians are what a stop's two laps are held against."""

FEWEST_AROUND = 3
"""So many of them have to be clean on each side."""

GREEN = "green"


def compute(inputs: Inputs) -> pd.DataFrame:
    """Return the stops of every driver."""
    laps, context = inputs["laps"], inputs["lap_context"]
    stops = _with_exits(_entries(laps, inputs.get("session_status")), laps, context)
    stops["under"] = _under(stops, inputs.get("neutralisations"))
    stops = _with_lane_times(stops, inputs.get("pit_lane"))
    stops["is_double_stack"] = _are_stacked(stops)
    tyres = context.set_index(["driver_number", "lap_number"])["compound"]
    places = laps.set_index(["driver_number", "lap_number"])["position"]
    stops["position_before"] = _at(places, stops, stops["lap_number"] - 1)
    stops["position_after"] = _at(places, stops, stops["out_lap"])
    stops["compound_before"] = _at(tyres, stops, stops["lap_number"])
    stops["compound_after"] = _at(tyres, stops, stops["out_lap"])
    return _with_loss(stops, laps, context)


def _entries(laps: pd.DataFrame, statuses: pd.DataFrame | None) -> pd.DataFrame:
    """Return the entries into the pits between the start and the flag; one on the lap that takes the flag is none."""
    laps = laps[laps["pit_in_time_ms"].notna()]
    entries = laps[["driver_number", "team_name"]].assign(pit_in_ms=laps["pit_in_time_ms"])
    if statuses is None:
        return entries
    times = statuses["session_time_ms"]
    start, flag = times[statuses["status"] == "Started"].min(), times[statuses["status"] == "Finished"].max()
    outside = (entries["pit_in_ms"] < start) | (entries["pit_in_ms"] >= flag)
    driven: pd.DataFrame = entries[~outside.fillna(False)]
    return driven


def _with_exits(entries: pd.DataFrame, laps: pd.DataFrame, context: pd.DataFrame) -> pd.DataFrame:
    """Add on which lap each entry came, and the first exit after it, unless the car came in again before."""
    entries = entries.assign(lap_number=entry_laps(laps).reindex(entries.index))
    entries = entries.sort_values("pit_in_ms", kind="stable")
    entries["next_in_ms"] = entries.groupby("driver_number")["pit_in_ms"].shift(-1)
    out = laps.merge(context.loc[context["is_out_lap"], ["driver_number", "lap_number"]])
    exits = out[["driver_number"]].assign(pit_out_ms=out["pit_out_time_ms"], out_lap=out["lap_number"])
    stops = pd.merge_asof(
        entries,
        exits.sort_values("pit_out_ms", kind="stable"),
        left_on="pit_in_ms",
        right_on="pit_out_ms",
        by="driver_number",
        direction="forward",
        allow_exact_matches=False,
    )
    is_later = (stops["pit_out_ms"] > stops["next_in_ms"]).fillna(False)
    stops[["pit_out_ms", "out_lap"]] = stops[["pit_out_ms", "out_lap"]].mask(is_later)
    return stops


def _with_lane_times(stops: pd.DataFrame, pit_lane: pd.DataFrame | None) -> pd.DataFrame:
    """Add the times in the lane and standing: those of the first pass on the in-lap that was timed after the entry."""
    lane_ms = stops["pit_out_ms"] - stops["pit_in_ms"]
    if pit_lane is None:
        return stops.assign(lane_ms=lane_ms, standing_ms=pd.Series(pd.NA, stops.index, "Int64"))
    passes = pit_lane[["driver_number", "lap_number", "session_time_ms", "lane_ms", "standing_ms"]]
    pairs = stops.reset_index().merge(passes.sort_values("session_time_ms"), on=["driver_number", "lap_number"])
    is_after = (pairs["session_time_ms"] > pairs["pit_in_ms"]).fillna(False)
    timed = pairs[is_after].drop_duplicates("index").set_index("index").reindex(stops.index)
    lane_ms = timed["lane_ms"].where(lane_ms.notna()).fillna(lane_ms)
    return stops.assign(lane_ms=lane_ms, standing_ms=timed["standing_ms"])


def _under(stops: pd.DataFrame, neutralisations: pd.DataFrame | None) -> pd.Series:
    """Return what the track was under when the car came in; red also where the flag came while it was in the pits."""
    if neutralisations is None:
        return pd.Series(pd.NA, stops.index, "string")
    under = pd.Series(GREEN, stops.index, "string")
    entered, left = stops["pit_in_ms"], stops["pit_out_ms"].fillna(stops["pit_in_ms"])
    for kind, start, end in neutralisations[["kind", "start_ms", "end_ms"]].itertuples(index=False):
        is_before_its_end = pd.Series(True, stops.index) if pd.isna(end) else entered < end
        begun = left if kind == "red" else entered
        under = under.mask(is_before_its_end & (begun >= start) & (under != "red"), kind)
    return under


def _are_stacked(stops: pd.DataFrame) -> pd.Series:
    """Return whether both cars of a team were in the pit lane at once; under a red flag all cars stand there."""
    racing = stops[(stops["under"] != "red").fillna(True) & stops["team_name"].notna()].reset_index()
    pairs = racing.merge(racing, on="team_name", suffixes=("", "_other"))
    pairs = pairs[pairs["driver_number"] != pairs["driver_number_other"]]
    meets = (pairs["pit_in_ms"] < pairs["pit_out_ms_other"]) & (pairs["pit_in_ms_other"] < pairs["pit_out_ms"])
    stacked = pd.Series(stops.index.isin(pairs.loc[meets.fillna(False), "index"]), stops.index, dtype="boolean")
    return stacked.mask(stops["team_name"].isna())


def _at(values: pd.Series, stops: pd.DataFrame, lap: pd.Series) -> pd.Series:
    """Return what is known of the driver on a lap."""
    found: pd.Series = values.reindex(pd.MultiIndex.from_arrays([stops["driver_number"], lap]))
    return found.set_axis(stops.index)


def _with_loss(stops: pd.DataFrame, laps: pd.DataFrame, context: pd.DataFrame) -> pd.DataFrame:
    """Add the time lost, and how many laps tell it: where the stop has an exit and was not under red flag."""
    is_measured = stops["out_lap"].notna() & (stops["out_lap"] == stops["lap_number"] + 1).fillna(False)
    is_measured &= (stops["under"] != "red").fillna(True)
    quiet = usable(laps, context)
    quiet = quiet.loc[(quiet["yellow_ms"] == 0).fillna(False), ["driver_number", "lap_number", "lap_time_ms"]]
    pairs = stops.reset_index().merge(quiet, on="driver_number", suffixes=("", "_around"))
    offset = pairs["lap_number_around"] - pairs["lap_number"]
    times = laps.set_index(["driver_number", "lap_number"])["lap_time_ms"]
    lost = _at(times, stops, stops["lap_number"]) + _at(times, stops, stops["out_lap"])
    lost = lost.astype("Float64").where(is_measured)
    used = pd.Series(0, stops.index, "Int64")
    for side in (offset.between(-LAPS_AROUND, -1), offset.between(2, LAPS_AROUND + 1)):
        around = pairs[side.fillna(False)].groupby("index")["lap_time_ms"]
        count = around.count().reindex(stops.index, fill_value=0)
        lost = (lost - around.median().reindex(stops.index)).where(count >= FEWEST_AROUND)
        used += count
    return stops.assign(time_lost_ms=lost.round(), laps_for_loss=used.where(is_measured))


def _out_of_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Return stops that end before they begin, or begin before the driver's stop before has ended."""
    ordered = frame.sort_values(["driver_number", "pit_in_ms"])
    before = ordered.groupby("driver_number")["pit_out_ms"].shift()
    odd = (ordered["pit_out_ms"] <= ordered["pit_in_ms"]) | (before > ordered["pit_in_ms"])
    return ordered[odd.fillna(False)]


def _without_exit_in_between(frame: pd.DataFrame) -> pd.DataFrame:
    ordered = frame.sort_values(["driver_number", "pit_in_ms"])
    goes_on = ordered.duplicated("driver_number", keep="last")
    return ordered[goes_on & ordered["pit_out_ms"].isna()]


DATASET = Dataset(
    name="pit_stops",
    row="driver and drive into the pits in a race or sprint",
    description=(
        "From the times at which cars entered and left the pits, between the start and the flag: the way to the grid "
        "and the way back after the flag are no stops, a penalty that is driven through the pits is one. An entry "
        "without an exit is a retirement in the pits. `lane_ms` and `standing_ms` are those of `pit_lane` where it has "
        "the stop, to a tenth of a second; else `lane_ms` is from entry to exit. `time_lost_ms` is the in-lap and the "
        f"out-lap less the medians of the driver's clean laps among the {LAPS_AROUND} before the in-lap and the "
        f"{LAPS_AROUND} after the out-lap, each median once, for one lap each; clean as in `lap_context`, and without "
        f"a yellow flag. It is NULL with fewer than {FEWEST_AROUND} on either side, and under red flag. Where nobody "
        "knows which laps were deleted, none counts as deleted. Halves of a millisecond are rounded to the even one. "
        "A stop under a safety car has a loss too, with two slow laps in it."
    ),
    key=("driver_number", "lap_number"),
    columns=(
        Field("driver_number", "text", "Car number in this session"),
        Field("lap_number", "integer", "The in-lap"),
        Field("pit_in_ms", "integer", "Session time at which the car entered the pits", "ms"),
        Field("pit_out_ms", "integer", "Session time at which it left them; NULL where it did not", "ms"),
        Field(
            "lane_ms",
            "integer",
            "Time in the pit lane, of `pit_lane` or from entry to exit; under red flag with the time that it stood",
            "ms",
        ),
        Field("standing_ms", "integer", "How long the car stood; NULL where `pit_lane` does not have it", "ms"),
        Field("time_lost_ms", "integer", "Time lost to the stop; see the description", "ms"),
        Field("laps_for_loss", "integer", "Clean laps before and after, together, that there are to tell it", "laps"),
        Field(
            "under",
            "text",
            "green, sc, vsc or red: what the track was under when the car came in, red also where the flag came while "
            "it was in the pits; NULL without `neutralisations`",
            values=(GREEN, *dict.fromkeys(KINDS.values())),
        ),
        Field("position_before", "integer", "Place at the end of the lap before the in-lap; NULL for a stop on lap 1"),
        Field("position_after", "integer", "Place at the end of the out-lap"),
        Field("compound_before", "text", f"Tyres of the in-lap: {', '.join(COMPOUNDS)}", values=COMPOUNDS),
        Field("compound_after", "text", f"Tyres of the out-lap: {', '.join(COMPOUNDS)}", values=COMPOUNDS),
        Field(
            "is_double_stack",
            "boolean",
            "Whether the team's other car was in the pit lane at the same time, for either of them; not under red flag",
        ),
    ),
    compute=compute,
    inputs=("laps", "lap_context"),
    optional_inputs=("neutralisations", "pit_lane", "session_status"),
    sessions=RACES,
    version=2,
    checks=(
        Check(
            "stops_follow_each_other",
            "A car leaves the pits after it came in, and comes in again after that.",
            _out_of_order,
            Severity.ERROR,
            columns=("pit_in_ms", "pit_out_ms"),
        ),
        Check(
            "only_the_last_stop_has_no_exit",
            "A car that came in again left the pits before.",
            _without_exit_in_between,
            columns=("pit_in_ms", "pit_out_ms"),
        ),
    ),
)

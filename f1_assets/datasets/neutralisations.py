"""Neutralisations: safety car, virtual safety car and red flag, from their beginning to the end."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from f1_assets.datasets.definition import Check, Dataset, Field, Severity
from f1_assets.datasets.inputs import Inputs
from f1_assets.datasets.laps import RACES

ALL_CLEAR = "1"
KINDS = {"4": "sc", "5": "red", "6": "vsc", "7": "vsc"}
"""Kinds by track status: 7 announces the end of a virtual safety car, which lasts until 1."""

_ENDS = ("Finished", "Finalised", "Ends")


def compute(inputs: Inputs) -> pd.DataFrame:
    """Return the neutralisations between the first start and the end of the session."""
    session, track = inputs["session_status"], inputs["track_status"].sort_values("change_number")
    starts = session.loc[session["status"] == "Started", "session_time_ms"].dropna()
    if starts.empty:
        return pd.DataFrame()
    begin, end, leader = int(starts.min()), _end_of(session), _leader(inputs)
    rows = []
    for kind, since, until in _periods(track.dropna(subset=["session_time_ms", "status"])):
        first, last = max(since, begin), end if until is None else until if end is None else min(until, end)
        if last is not None and last <= first:
            continue
        rows.append(
            {
                "start_ms": first,
                "end_ms": last,
                "kind": kind,
                "duration_ms": None if last is None else last - first,
                "leader_first_lap": _lap_at(first, leader),
                "leader_last_lap": _lap_at(last, leader),
            }
        )
    return pd.DataFrame(rows)


def _periods(changes: pd.DataFrame) -> Iterator[tuple[str, int, int | None]]:
    """Return kind, start and end of each; the end of the last one is None where the track was not cleared."""
    kind, since = None, 0
    for at, status in changes[["session_time_ms", "status"]].itertuples(index=False):
        # A yellow flag in between, and what is not known, ends nothing.
        now = None if status == ALL_CLEAR else KINDS.get(status, kind)
        if now == kind:
            continue
        if kind is not None:
            yield kind, since, int(at)
        kind, since = now, int(at)
    if kind is not None:
        yield kind, since, None


def _end_of(session: pd.DataFrame) -> int | None:
    """Return when the session ended: with the last flag, else with what follows it; None without either."""
    for status in _ENDS:
        times = session.loc[session["status"] == status, "session_time_ms"].dropna()
        if not times.empty:
            return int(times.max())
    return None


def _leader(inputs: Inputs) -> pd.Series | None:
    """Return when the leader of a race ended each lap, by its number: the leader is the first to end it."""
    laps = inputs.get("laps")
    if laps is None or inputs.key.session not in RACES:
        return None
    driven = laps[laps["session_time_ms"].notna() & ~laps["fastf1_generated"].fillna(False)]
    return driven.groupby("lap_number")["session_time_ms"].min().sort_index()


def _lap_at(time_ms: int | None, leader: pd.Series | None) -> int | None:
    """Return the lap that the leader was on; the last one after the flag."""
    if time_ms is None or leader is None or leader.empty:
        return None
    after = leader[leader >= time_ms]
    return int(leader.index[-1] if after.empty else after.index[0])


def _ends_before_it_begins(frame: pd.DataFrame) -> pd.DataFrame:
    ordered = frame.sort_values("start_ms")
    overlaps = ordered["end_ms"].shift() > ordered["start_ms"]
    return ordered[((ordered["end_ms"] <= ordered["start_ms"]) | overlaps).fillna(False)]


DATASET = Dataset(
    name="neutralisations",
    row="period of safety car, virtual safety car or red flag",
    description=(
        "From the track status that begins it to the one that clears the track or begins another kind. What lies "
        "before the first start of the session is none, and an open one ends with the session. A session without any "
        "has no rows, and is present all the same."
    ),
    key=("start_ms",),
    columns=(
        Field("start_ms", "integer", "Session time of its beginning", "ms"),
        Field("end_ms", "integer", "Session time of its end; NULL where no end was announced", "ms"),
        Field(
            "kind",
            "text",
            "sc: safety car; vsc: virtual safety car, its announced end included; red: red flag",
            values=tuple(dict.fromkeys(KINDS.values())),
        ),
        Field("duration_ms", "integer", "How long it lasted", "ms"),
        Field("leader_first_lap", "integer", "Lap of a race that its leader was on when it began; NULL without laps"),
        Field("leader_last_lap", "integer", "Lap of a race that its leader was on when it ended; NULL without laps"),
    ),
    compute=compute,
    inputs=("track_status", "session_status"),
    optional_inputs=("laps",),
    checks=(
        Check(
            "neutralisations_follow_each_other",
            "One ends after it began, and before the next one begins.",
            _ends_before_it_begins,
            Severity.ERROR,
            columns=("start_ms", "end_ms"),
        ),
    ),
)

"""Qualifying parts: when each part of a qualifying was started and ended, and how many cars took part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from f1_assets.datasets.definition import Check, Dataset, Extract, Field, Severity
from f1_assets.datasets.lap_context import QUALIFYING
from f1_assets.datasets.refusals import late_lines
from f1_assets.datasets.session_status import changes_of, part_starts
from f1_assets.feeds.table import Feed
from f1_assets.feeds.timing_lines import PartBegun

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession

SOURCES = ("feed", "session_status")


def extract(loaded: LoadedSession) -> Extract:
    """Return the parts that TimingData shows; where it shows none, those that the session's statuses open."""
    notes = late_lines(loaded, Feed.SESSION_STATUS).document() | loaded.timing_lines.counts.document()
    return Extract(parts_of(changes_of(loaded), loaded.timing_lines.parts), notes=notes)


def parts_of(changes: pd.DataFrame, shown: Sequence[PartBegun]) -> pd.DataFrame:
    """Return a row per part.

    Parameters
    ----------
    changes
        Changes of the session status, as `session_status` has them.
    shown
        Parts as TimingData shows them; none where it does not.
    """
    if shown:
        begins = [(part.part, part.session_time_ms, part.entries) for part in shown]
    else:
        begins = [(part, int(start), None) for part, start in enumerate(part_starts(changes), 1)]
    if not begins:
        return pd.DataFrame()
    ends = [*(begin for _, begin, _ in begins[1:]), None]
    known = changes.dropna(subset=["session_time_ms"]).sort_values("change_number")
    rows = []
    for (part, begin, entries), end in zip(begins, ends, strict=True):
        is_within = (known["session_time_ms"] >= begin) & (end is None or known["session_time_ms"] < end)
        start_ms, end_ms = _course(known[is_within])
        rows.append({"part": part, "start_ms": start_ms, "end_ms": end_ms, "entries": entries})
    return pd.DataFrame(rows).assign(source="feed" if shown else "session_status")


def _course(changes: pd.DataFrame) -> tuple[int | None, int | None]:
    """Return the first start of a part, and its end: the flag after its last start, or the red flag that ended it."""
    starts = changes[changes["status"] == "Started"]
    if starts.empty:
        return None, None
    after = changes[changes["change_number"] > starts["change_number"].iloc[-1]]
    first = after.drop_duplicates("status").set_index("status")["session_time_ms"]
    end = first.get("Finished", first.get("Aborted"))
    return int(starts["session_time_ms"].iloc[0]), None if end is None else int(end)


def _out_of_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the parts that end before they start, start before the one before ended, or leave a number out."""
    ordered = frame.sort_values("part")
    backwards = ordered["end_ms"] < ordered["start_ms"]
    overlapping = ordered["start_ms"] < ordered["end_ms"].shift()
    return ordered[(backwards | overlapping).fillna(False) | (ordered["part"] != range(1, len(ordered) + 1))]


def _more_entries(frame: pd.DataFrame) -> pd.DataFrame:
    ordered = frame.sort_values("part")
    return ordered[(ordered["entries"] >= ordered["entries"].shift()).fillna(False)]


def _other_starts(frame: pd.DataFrame, session_status: pd.DataFrame) -> pd.DataFrame:
    """Return the parts whose start does not open one by the session's statuses."""
    opened = part_starts(session_status)
    return frame[frame["start_ms"].notna() & ~frame["start_ms"].isin(opened)]


DATASET = Dataset(
    name="qualifying_parts",
    row="part of a qualifying or sprint qualifying",
    description=(
        "When the parts of a qualifying (Q1, Q2, Q3) were driven. TimingData shows which part it is, some two minutes "
        "before it is started; where it does not, a Started of the session's statuses opens a part, unless the last of "
        "Finished and Aborted before it is Aborted. A part starts with its first Started and ends with the Finished, "
        "the chequered flag, after its last one, or with the red flag after which it was not resumed; the break of a "
        "red flag within it counts. Laps that are under way at the flag end later, and are of the part: see "
        "`lap_context.qualifying_part`."
    ),
    key=("part",),
    columns=(
        Field("part", "integer", "Part, from 1"),
        Field("start_ms", "integer", "Session time of its first start; NULL where it was not started", "ms"),
        Field("end_ms", "integer", "Session time of the flag that ended it; NULL where none is recorded", "ms"),
        Field("entries", "integer", "Cars that take part in it, by TimingData; NULL where it does not say"),
        Field("source", "text", "What tells the parts apart: feed (TimingData) or session_status", None, SOURCES),
    ),
    extract=extract,
    feeds=(Feed.SESSION_STATUS,),
    is_addition=True,
    optional_feeds=(Feed.TIMING_DATA,),
    sessions=QUALIFYING,
    checks=(
        Check(
            "parts_follow_each_other",
            "Parts are counted from 1, and each starts after the one before ended.",
            _out_of_order,
            Severity.ERROR,
            columns=("part", "start_ms", "end_ms"),
        ),
        Check(
            "fewer_cars_go_on",
            "In each part there are fewer cars than in the one before.",
            _more_entries,
            columns=("part", "entries"),
        ),
        Check(
            "parts_are_started",
            "Each part starts where the session's statuses open one.",
            _other_starts,
            beside=("session_status",),
            columns=("part", "start_ms"),
        ),
    ),
)

"""When cars could drive, from the statuses of a session, and the rule that timing goes on to the end of it."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from f1_assets.datasets.definition import Check

MOST_LEFT = 0.5
"""Up to this share of a session's running time may be left after the last row: complete timing leaves next to none."""

LEAST_LEFT_MS = 300_000
"""Less than this that is left says nothing: some races were stopped for good after a few laps."""

_RED_FLAG = "5"
_WET_TYRES = ("INTERMEDIATE", "WET")


def goes_on_to_the_end(name: str, sessions: frozenset[str], columns: tuple[str, ...], even_if_wet: bool) -> Check:
    """Make the rule that the rows do not end before half of a session's running time.

    Parameters
    ----------
    name, sessions
        What the rule is called, and for which sessions it is.
    columns
        `session_time_ms`, and what else the rule looks at: `compound`, `fastf1_generated`, `overtakes`.
    even_if_wet
        Whether cars drive in the rain too: in practice they stay in the garage.
    """

    def ends_early(
        frame: pd.DataFrame, session_status: pd.DataFrame, track_status: pd.DataFrame, sessions: pd.DataFrame
    ) -> pd.DataFrame:
        known = frame[frame["session_time_ms"].notna()]
        if "overtakes" in known:
            known = known[known["overtakes"].isna()]  # nobody has to overtake late in a race
        if "fastf1_generated" in known:
            known = known[~known["fastf1_generated"].fillna(False)]  # their ends are guesses
        is_wet = not even_if_wet and known["compound"].isin(_WET_TYRES).any()
        if known.empty or is_wet:
            return known.head(0)
        last = known.nlargest(1, "session_time_ms")
        scheduled_ms = int((sessions["end_utc"] - sessions["start_utc"]).iloc[0] / pd.Timedelta(milliseconds=1))
        return _with_what_is_left(last, running_periods(session_status, track_status, scheduled_ms))

    return Check(
        name,
        "The last row comes in the second half of the time in which cars could drive"
        f"{'' if even_if_wet else ', unless the track was wet'}.",
        ends_early,
        beside=("session_status", "track_status", "sessions"),
        sessions=sessions,
        columns=columns,
        means_short=True,
    )


def _with_what_is_left(last: pd.DataFrame, periods: list[tuple[int, int]]) -> pd.DataFrame:
    """Return the last row with the running time that is left after it, or nothing where that is little."""
    ended = int(last["session_time_ms"].iloc[0])
    left_ms = sum(max(0, end - max(begin, ended)) for begin, end in periods)
    running_ms = sum(end - begin for begin, end in periods)
    if left_ms < LEAST_LEFT_MS or left_ms <= MOST_LEFT * running_ms:
        return last.head(0)
    return last.assign(running_minutes=round(running_ms / 60_000), minutes_left=round(left_ms / 60_000))


def running_periods(
    session_status: pd.DataFrame, track_status: pd.DataFrame, scheduled_ms: int
) -> list[tuple[int, int]]:
    """Return the session times, in ms, from which and until which cars could drive: started, and no red flag.

    A session that started and of which nothing more is known ends with its scheduled duration.
    """
    changes = sorted(
        [*_switches(session_status, "Started".__eq__, "started"), *_switches(track_status, _RED_FLAG.__eq__, "red")]
    )
    state = {"started": False, "red": False}
    periods: list[tuple[int, int]] = []
    begin: int | None = None
    for at_ms, what, is_on in changes:
        state[what] = is_on
        drives = state["started"] and not state["red"]
        if drives and begin is None:
            begin = at_ms
        elif not drives and begin is not None:
            periods.append((begin, at_ms))
            begin = None
    if begin is not None:
        first = periods[0][0] if periods else begin
        periods.append((begin, max(begin, first + scheduled_ms)))
    return periods


def _switches(statuses: pd.DataFrame, is_on: Callable[[str], bool], what: str) -> list[tuple[int, str, bool]]:
    known = statuses[statuses["session_time_ms"].notna() & statuses["status"].notna()]
    return [(int(at_ms), what, is_on(status)) for at_ms, status in known[["session_time_ms", "status"]].to_numpy()]

"""Laps that FastF1 generates and that nobody drove: beyond the distance, and of cars that never started.

FastF1 gives a car that has not finished when the session does another lap, although it may have taken the flag
milliseconds before; and a car whose tyres were announced a first lap, although it may not have started.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import pandas as pd

from f1_assets.feeds.json_reading import read_json
from f1_assets.feeds.stream_lines import Tally, stream_lines

DID_NOT_START = frozenset({"did not start", "withdrew", "did not qualify", "did not prequalify"})
"""Jolpica's words, in small letters, for who was entered and did not start."""


_STATES = ("InPit", "Retired", "Stopped")


def never_driven(
    laps: pd.DataFrame, distance: int | None, aborted_ms: Collection[int], did_not_start: Collection[str]
) -> pd.Series:
    """Return which laps of a race or sprint were generated and never driven.

    Parameters
    ----------
    laps
        With driver and lap number, start and end in session time, and `fastf1_generated`.
    distance
        The laps of the race, where they are announced.
    aborted_ms
        Session times of red flags: a lap that one ended was begun.
    did_not_start
        Numbers of the cars that did not start.
    """
    generated = laps["fastf1_generated"].fillna(False)
    real = laps[~generated]
    no_start = generated & (laps["lap_number"] == 1) & laps["driver_number"].isin(list(did_not_start))
    if real.empty:
        return no_start
    most = real["lap_number"].max()
    flag_ms = real.loc[real["lap_number"] == most, "session_time_ms"].min()
    after_the_flag = (laps["lap_start_time_ms"] >= flag_ms).fillna(False)
    beyond = (after_the_flag | (laps["lap_number"] > most)) & ~laps["session_time_ms"].isin(list(aborted_ms))
    if distance is not None:
        beyond |= laps["lap_number"] > distance
    invented: pd.Series = no_start | (generated & beyond.fillna(False))
    return invented


def without_start(timing: bytes, started_ms: int) -> set[str]:
    """Return which cars did not start, by TimingData: retired or stopped before the start, or never out of the pits.

    Parameters
    ----------
    timing
        The body of TimingData.
    started_ms
        Session time of the start.
    """
    at_start: dict[str, dict[str, object]] = {}
    left_later: set[str] = set()
    for time_ms, car, state in _states(timing):
        if time_ms <= started_ms:
            at_start.setdefault(car, {}).update({name: state[name] for name in _STATES if name in state})
        elif state.get("InPit") is False:
            left_later.add(car)
    return {car for car, state in at_start.items() if any(state.get(name) is True for name in _STATES)} - left_later


def _states(timing: bytes) -> Iterator[tuple[int, str, Mapping[str, object]]]:
    """Return the session time, car and change of each line that tells of the pits or of a retirement."""
    for _, time_ms, payload in stream_lines(timing, Tally()):
        if not any(name.encode() in payload for name in _STATES):
            continue
        try:
            lines = read_json(payload)["Lines"].items()
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue  # FastF1 skips it too
        for car, state in lines:
            if isinstance(state, dict):
                yield time_ms, str(car), state

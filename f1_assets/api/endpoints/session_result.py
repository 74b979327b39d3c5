"""``/v1/session_result``: places after a session."""

from __future__ import annotations

import pandas as pd

from f1_assets.api.endpoint import Endpoint, Scope, car_numbers, seconds
from f1_assets.api.endpoints.intervals import gaps
from f1_assets.api.filters import Kind
from f1_assets.datasets.laps import RACES

_PARTS = ("q1_ms", "q2_ms", "q3_ms")


def rows(scope: Scope) -> pd.DataFrame:
    """Return a row per entry; in qualifying `duration` and `gap_to_leader` are lists of the three parts."""
    kind = scope.session.key.session
    if scope.session.key.is_test or kind.startswith("FP"):
        return _of_practice(scope)
    # A gap is to the leader, whoever is asked for.
    everybody = Scope(scope.warehouse, scope.session, scope.sessions).frame("results")
    frame = _of_race(everybody) if kind in RACES else _of_qualifying(everybody, scope)
    wanted = everybody["driver_number"].isin(scope.drivers) if scope.drivers is not None else slice(None)
    return frame.loc[wanted]


def _of_race(stored: pd.DataFrame) -> pd.DataFrame:
    winner = stored[stored["position"] == 1]
    first = winner.iloc[0] if not winner.empty else None
    behind = (first["laps"] - stored["laps"]) if first is not None else stored["laps"] * pd.NA
    finished = stored["time_ms"].notna()
    gap = stored["time_ms"] - (first["time_ms"] if first is not None else pd.NA)
    classified = stored["classified_position"].fillna("").str.isdigit()
    return _with_fates(stored).assign(
        number_of_laps=stored["laps"],
        duration=seconds(stored["time_ms"]).astype(object).where(finished, None),
        gap_to_leader=gaps(gap, behind.where(classified & ~(finished & (behind == 0)))),
    )


def _of_qualifying(stored: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    parts = stored[list(_PARTS)]
    best = parts.min()
    laps = Scope(scope.warehouse, scope.session, scope.sessions).frame("laps").groupby("driver_number").size()
    return _with_fates(stored).assign(
        number_of_laps=stored["driver_number"].map(laps).astype("Int64"),
        duration=_lists(parts),
        gap_to_leader=_lists(parts - best),
    )


def _of_practice(scope: Scope) -> pd.DataFrame:
    stored = scope.frame("practice_results")
    return _with_fates(stored.assign(classified_position="")).assign(
        number_of_laps=stored["laps"],
        duration=seconds(stored["best_lap_ms"]).astype(object).where(stored["best_lap_ms"].notna(), None),
        gap_to_leader=gaps(stored["gap_ms"], pd.Series(pd.NA, index=stored.index)),
    )


def _with_fates(stored: pd.DataFrame) -> pd.DataFrame:
    """Return number and place, and who did not finish, start or count, by the letter of the classification.

    Jolpica has "R" for some who did not start; these have no place.
    """
    letters = stored["classified_position"].fillna("")
    is_absent = letters.isin(["W", "F"]) | ((letters == "R") & stored["position"].isna())
    return pd.DataFrame(
        {
            "driver_number": car_numbers(stored["driver_number"]),
            "position": stored["position"],
            "dnf": letters.isin(["R", "N"]) & ~is_absent,
            "dns": is_absent,
            "dsq": letters.isin(["D", "E"]),
        }
    )


def _lists(milliseconds: pd.DataFrame) -> pd.Series:
    values = [
        [None if pd.isna(each) else int(each) / 1000 for each in row] for row in milliseconds.itertuples(index=False)
    ]
    return pd.Series(values, index=milliseconds.index, dtype=object)


ENDPOINT = Endpoint(
    "session_result",
    "an entry of a result",
    {
        "driver_number": Kind.INTEGER,
        "position": Kind.INTEGER,
        "number_of_laps": Kind.INTEGER,
        "duration": Kind.MIXED,
        "gap_to_leader": Kind.MIXED,
        "dnf": Kind.BOOLEAN,
        "dns": Kind.BOOLEAN,
        "dsq": Kind.BOOLEAN,
    },
    rows,
    ("results", "practice_results", "laps"),
    is_kept=True,
)

"""Stints: sets of tyres, each as long as it was driven without a break."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

import pandas as pd

from f1_assets.datasets.definition import Check, Dataset, Field, Severity
from f1_assets.datasets.inputs import Inputs
from f1_assets.datasets.laps import COMPOUNDS, RACES

ENDINGS = ("pit", "finish", "retired", "red_flag")

FLAG_WITHIN_MS = 5_000
"""A lap that ends so shortly before `Finished` took the flag: the status comes some milliseconds after the winner."""

_COURSE = ("Started", "Aborted", "Finished")


_NEEDED = (
    "driver_number",
    "lap_number",
    "session_time_ms",
    "pit_in_time_ms",
    "pit_out_time_ms",
    "compound",
    "tyre_life_laps",
    "fresh_tyre",
    "fastf1_generated",
)
_Lap = Mapping[Hashable, Any]
"""A row of laps, of which `_NEEDED` are read."""


@dataclass
class _Stint:
    """Laps on one set; `new_on_lap` is the lap on which the set was new, by its age, where that is known."""

    compound: str | None = None
    new_on_lap: int | None = None
    is_fresh: bool | None = None
    laps: list[_Lap] = field(default_factory=list)

    def is_continued_by(self, compound: str | None, new_on_lap: int | None) -> bool:
        """Check whether a lap can be on this set: nothing that is known of both differs."""
        return (None in (self.compound, compound) or self.compound == compound) and (
            None in (self.new_on_lap, new_on_lap) or self.new_on_lap == new_on_lap
        )

    def is_surely(self, other: _Stint) -> bool:
        """Check whether another stint is on the same set, although the car stood in the pits between them."""
        return self.new_on_lap is not None and (self.compound, self.new_on_lap) == (other.compound, other.new_on_lap)

    def may_be(self, other: _Stint) -> bool:
        """Check whether nothing speaks against another stint on the same set, where F1 says that it is."""
        return None in (self.compound, other.compound) or self.compound == other.compound

    def go_on(self, other: _Stint) -> None:
        """Add the laps of another stint on the same set, and what only they tell of it."""
        self.laps += other.laps
        if self.new_on_lap is None and self.compound is None:
            self.is_fresh = other.is_fresh
        self.compound = self.compound or other.compound
        self.new_on_lap = other.new_on_lap if self.new_on_lap is None else self.new_on_lap

    def add(self, lap: _Lap, compound: str | None, new_on_lap: int | None) -> None:
        """Add a lap, and what it tells of the set."""
        if (self.compound, self.new_on_lap) == (None, None) != (compound, new_on_lap):
            self.is_fresh = None if pd.isna(lap["fresh_tyre"]) else bool(lap["fresh_tyre"])
        self.laps.append(lap)
        self.compound = self.compound or compound
        self.new_on_lap = new_on_lap if self.new_on_lap is None else self.new_on_lap


def compute(inputs: Inputs) -> pd.DataFrame:
    """Return the stints of every driver."""
    course = _course_of(inputs.get("session_status"))
    fitted = _fitted(inputs.get("tyre_sets"))
    rows = []
    laps = inputs["laps"].sort_values(["driver_number", "lap_number"])[list(_NEEDED)].to_dict("records")
    for driver, own in groupby(laps, key=itemgetter("driver_number")):
        stints = list(_stints(own, fitted.get(driver, [])))
        for number, stint in enumerate(stints, 1):
            first, last = (int(stint.laps[place]["lap_number"]) for place in (0, -1))
            is_last = number == len(stints)
            rows.append(
                {
                    "driver_number": driver,
                    "stint": number,
                    "first_lap": first,
                    "last_lap": last,
                    "laps": len(stint.laps),
                    "compound": stint.compound,
                    "tyre_age_at_start_laps": None if stint.new_on_lap is None else first - stint.new_on_lap,
                    "is_fresh": stint.is_fresh,
                    "ended_by": _ended_by(stint.laps[-1], is_last, inputs.key.session in RACES, course),
                }
            )
    return pd.DataFrame(rows)


def _fitted(tyre_sets: pd.DataFrame | None) -> dict[str, list[tuple[int, bool]]]:
    """Return when each car's sets were first shown, in order, and whether the tyres stayed."""
    if tyre_sets is None:
        return {}
    stayed = tyre_sets["tyres_not_changed"].fillna(False)
    ordered = tyre_sets.assign(stayed=stayed).dropna(subset=["session_time_ms"]).sort_values("set_number")
    return {
        str(driver): [(int(at), bool(stays)) for at, stays in rows[["session_time_ms", "stayed"]].to_numpy()]
        for driver, rows in ordered.groupby("driver_number")
    }


def _stints(laps: Iterable[_Lap], fitted: Sequence[tuple[int, bool]]) -> Iterator[_Stint]:
    """Return the stints of a driver, whose laps are in order."""
    before: _Stint | None = None
    since: int | None = None
    for run in _runs(laps):
        until = _end_of(run)
        stays = before is not None and _stayed(fitted, since, until)
        since = until
        for number, stint in enumerate(_of_run(run)):
            is_said = stays and number == 0
            if before is not None and (before.is_surely(stint) or (is_said and before.may_be(stint))):
                before.go_on(stint)
                continue
            if before is not None:
                yield before
            before = stint
    if before is not None:
        yield before


def _runs(laps: Iterable[_Lap]) -> Iterator[list[_Lap]]:
    """Return the laps between two visits to the pits."""
    run: list[_Lap] = []
    for lap in laps:
        if run and (pd.notna(run[-1]["pit_in_time_ms"]) or pd.notna(lap["pit_out_time_ms"])):
            yield run
            run = []
        run.append(lap)
    if run:
        yield run


def _end_of(run: Sequence[_Lap]) -> int | None:
    """Return the session time at which a run ended, where the car came into the pits."""
    came_in: Any = run[-1]["pit_in_time_ms"]
    at: Any = run[-1]["session_time_ms"] if pd.isna(came_in) else came_in
    return None if pd.isna(at) else int(at)


def _stayed(fitted: Sequence[tuple[int, bool]], since: int | None, until: int | None) -> bool:
    """Check whether the set that was last shown as fitted between two times is the one before."""
    if since is None or until is None:
        return False
    shown = [stays for at, stays in fitted if since <= at < until]
    return bool(shown) and shown[-1]


def _of_run(run: Iterable[_Lap]) -> list[_Stint]:
    """Return the stints of a run; laps of which no tyres are known are on the tyres before, or else on those after."""
    stints = [_Stint()]
    for lap in run:
        compound: str | None = None if pd.isna(lap["compound"]) else str(lap["compound"])
        age: Any = lap["tyre_life_laps"]
        new_on_lap: int | None = None if pd.isna(age) else int(lap["lap_number"]) - int(age) + 1
        if not stints[-1].is_continued_by(compound, new_on_lap):
            stints.append(_Stint())
        stints[-1].add(lap, compound, new_on_lap)
    return stints


def _course_of(statuses: pd.DataFrame | None) -> list[tuple[int, str]] | None:
    """Return when the session was started, stopped and finished; None where that is not known."""
    if statuses is None:
        return None
    course = statuses[statuses["status"].isin(_COURSE) & statuses["session_time_ms"].notna()]
    course = course.sort_values("change_number")
    return list(zip(course["session_time_ms"].astype(int), course["status"].astype(str), strict=True))


def _ended_by(lap: _Lap, is_last: bool, is_race: bool, course: Sequence[tuple[int, str]] | None) -> str | None:
    came_in: Any = lap["pit_in_time_ms"]
    at: Any = lap["session_time_ms"] if pd.isna(came_in) else came_in
    if course is None or pd.isna(at):
        return None
    past = [status for since, status in course if since <= at + (FLAG_WITHIN_MS if status == "Finished" else 0)]
    match past[-1] if past else None:
        case "Aborted":
            return "red_flag"
        case "Finished":
            # What FastF1 adds ends some time after the car was seen last.
            return "retired" if is_race and lap["fastf1_generated"] is True else "finish"
        case "Started":
            return "pit" if not is_last or (pd.notna(came_in) and not is_race) else "retired"
        case _:
            return None


def _out_of_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Return stints that are not numbered one by one, begin before the one before has ended, or have too many laps."""
    ordered = frame.sort_values(["driver_number", "stint"])
    before = ordered.groupby("driver_number")[["stint", "last_lap"]].shift().fillna(0)
    room = ordered["last_lap"] - ordered["first_lap"] + 1
    follows = (ordered["stint"] == before["stint"] + 1) & (ordered["first_lap"] > before["last_lap"])
    return ordered[~(follows & (ordered["laps"] >= 1) & (ordered["laps"] <= room)).fillna(False)]


DATASET = Dataset(
    name="stints",
    row="driver and set of tyres that was driven without a break",
    description=(
        "A new stint begins when the set changes: with another compound, or where the age of the tyres does not go on "
        "with the laps driven; where `tyre_sets` says that the tyres stayed on at a stop, the stint goes on. "
        "FastF1's stint is another: it counts drives through the pits, also where the tyres stay. Laps of which no "
        "tyres are known, such as many first laps, are on the set that is known before them, or else after them, "
        "between two visits to the pits. The laps of a driver's stints sum to the driver's rows in `laps`; the lap on "
        "which a car stopped counts."
    ),
    key=("driver_number", "stint"),
    columns=(
        Field("driver_number", "text", "Car number in this session"),
        Field("stint", "integer", "Stint of the driver, from 1"),
        Field("first_lap", "integer", "First lap on this set"),
        Field("last_lap", "integer", "Last lap on this set"),
        Field("laps", "integer", "Laps driven on it in this stint", "laps"),
        Field(
            "compound",
            "text",
            f"Tyres: {', '.join(COMPOUNDS)}; NULL where none were announced",
            values=COMPOUNDS,
        ),
        Field("tyre_age_at_start_laps", "integer", "Laps driven on the set before; 0 for a new one", "laps"),
        Field("is_fresh", "boolean", "Whether the set was new when fitted, as F1 says on the first lap that has tyres"),
        Field(
            "ended_by",
            "text",
            "pit; finish: it took the flag, in qualifying that of a part; retired: the car stopped for good; red_flag: "
            "it came in under one. NULL without session_status",
            values=ENDINGS,
        ),
    ),
    compute=compute,
    inputs=("laps",),
    optional_inputs=("session_status", "tyre_sets"),
    checks=(
        Check(
            "stints_are_apart",
            "A driver's stints are numbered from 1, each begins after the one before, and has at most the laps in it.",
            _out_of_order,
            Severity.ERROR,
            columns=("first_lap", "last_lap", "laps"),
        ),
    ),
)

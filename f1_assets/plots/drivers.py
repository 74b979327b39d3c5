"""Who is drawn, in which order and how: teams by colour and shape, team mates by solid and dashed lines.

As in FastF1's plotting, a team has one colour, its first driver a solid line, its second one a dashed line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from f1_assets.errors import UsageError
from f1_assets.plots.colours import readable
from f1_assets.plots.drawing import NothingToDraw, Spec, word

HIGHLIGHTED = 5
"""How many drivers have a thicker line; more than these nobody can follow without a click."""

DASHES: tuple[list[int], ...] = ([1, 0], [6, 3], [2, 3], [10, 3, 2, 3])
_SHAPES = (
    "circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right", "triangle-left",
    "M-1,-1L1,1M1,-1L-1,1", "M-1,-1L1,-1L-1,1L1,1Z", "M-1,0L1,0M0,-1L0,1", "M-1,-0.5L1,-0.5L0,1Z",
)  # fmt: skip
_PALETTE = (
    "4E79A7", "F28E2B", "E15759", "76B7B2", "59A14F", "B6992D", "B07AA1", "D37295", "9D7660", "79706E", "499894",
)  # fmt: skip
"""Colours of teams where no list of drivers has them."""

_NO_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Driver:
    """A driver as charts show him or her. `mate` counts the drivers of a team, from 0."""

    number: str
    label: str
    team: str
    color: str
    shape: str
    mate: int


@dataclass(frozen=True)
class Field:
    """The drivers of a chart, in order."""

    drivers: tuple[Driver, ...]
    title: str = "Driver"

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        entries: pd.DataFrame | None = None,
        order: Sequence[str] = (),
        drivers: Collection[str] = (),
    ) -> Field:
        """Return who the rows are of.

        Parameters
        ----------
        frame
            Rows with `driver_number`; names and teams are those of `abbreviation` and `team_name`, where it has them.
        entries
            Rows of ``drivers``: names, teams and colours.
        order
            Car numbers in the order of the chart; others follow as they come.
        drivers
            Who is drawn, by letters or car number; everybody where it is empty.

        Raises
        ------
        UsageError
            When one of `drivers` is neither in the rows nor in `entries`.
        NothingToDraw
            When none of `drivers` is in the rows.
        """
        known = [str(number) for number in frame["driver_number"].dropna().unique()]
        names, teams = (_looked_up(column, known, entries, frame) for column in ("abbreviation", "team_name"))
        colors = _looked_up("team_color", known, entries)
        labels = _labels(known, names)
        places = {number: place for place, number in enumerate(dict.fromkeys(order))}
        ordered = sorted(known, key=lambda number: places.get(number, len(places)))
        mates: dict[str, list[str]] = {}
        for number in sorted(known, key=_by_number):
            mates.setdefault(teams.get(number, labels[number]), []).append(number)
        drawn = []
        for number in ordered:
            team = teams.get(number, labels[number])
            place = list(mates).index(team)
            color = readable(colors.get(number, "")) if colors else readable(_PALETTE[place % len(_PALETTE)])
            shape = _SHAPES[place % len(_SHAPES)]
            drawn.append(Driver(number, labels[number], team, color, shape, mates[team].index(number)))
        return cls(tuple(_chosen(drawn, drivers, entries) if drivers else drawn))

    def rows_axis(self) -> Spec:
        """Encode the driver by rows, in order."""
        axis = {"grid": True, "ticks": False, "domain": False, "labelFontWeight": 600}
        return word("driver", None, sort=self.labels, axis=axis)

    @property
    def labels(self) -> list[str]:
        """Return the drivers' labels in order."""
        return [driver.label for driver in self.drivers]

    def label(self, number: Any) -> str:  # noqa: ANN401 (as frames have it)
        """Return the label of a car number."""
        return next((driver.label for driver in self.drivers if driver.number == str(number)), f"#{number}")

    def rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of these drivers, with their label in `driver`, driver by driver."""
        places = {driver.number: place for place, driver in enumerate(self.drivers)}
        place = np.array([places.get(str(number), -1) for number in frame["driver_number"].tolist()], dtype=np.int64)
        order = np.argsort(place, kind="stable")
        order = order[place[order] >= 0]
        return frame.iloc[order].assign(driver=np.array([*self.labels, ""], dtype=object)[place[order]])

    def scale(self, values: Sequence[Any]) -> Spec:
        """Return a scale with a value for each driver."""
        return {"domain": self.labels, "range": list(values)}

    def channel(self, values: Sequence[Any], legend: bool = True) -> Spec:
        """Encode the driver by these values, with a part in the legend."""
        shown = {"title": self.title} if legend else None
        return word("driver", self.title, sort=self.labels, legend=shown, scale=self.scale(values))

    def color(self, legend: bool = True) -> Spec:
        """Return the colours of teams."""
        return self.channel([driver.color for driver in self.drivers], legend)

    def dash(self, legend: bool = True) -> Spec:
        """Return solid and dashed lines for team mates."""
        return self.channel([DASHES[driver.mate % len(DASHES)] for driver in self.drivers], legend)

    def shape(self, legend: bool = True) -> Spec:
        """Return a shape for each team."""
        return self.channel([driver.shape for driver in self.drivers], legend)


def finishing_order(laps: pd.DataFrame, results: pd.DataFrame | None = None) -> list[str]:
    """Return car numbers by result, else by laps completed and last place, else by best lap, else by last gap."""
    if results is not None and "position" in results:
        official = results.dropna(subset=["driver_number", "position"]).sort_values("position")["driver_number"]
        if not official.empty:
            return list(dict.fromkeys(map(str, official)))
    if "position" in laps and laps["position"].notna().any():
        last = laps.dropna(subset=["position"]).sort_values("lap_number").groupby("driver_number").tail(1)
        return [str(n) for n in last.sort_values(["lap_number", "position"], ascending=[False, True])["driver_number"]]
    if "lap_time_ms" in laps:
        return [str(n) for n in laps.groupby("driver_number")["lap_time_ms"].min().sort_values().index]
    last = laps.sort_values("lap_number", kind="stable").groupby("driver_number").tail(1)
    return [str(n) for n in last.sort_values(["lap_number", "gap"], ascending=[False, True])["driver_number"]]


def _looked_up(column: str, numbers: Collection[str], *frames: pd.DataFrame | None) -> Mapping[str, str]:
    """Return the first value that a car number has, cut to what a legend can show."""
    found: dict[str, str] = {}
    for frame in frames:
        if frame is None or column not in frame or "driver_number" not in frame or len(found) == len(numbers):
            continue
        values = frame[column]
        for number, value, is_missing in zip(
            frame["driver_number"].tolist(), values.tolist(), values.isna(), strict=True
        ):
            if not is_missing and str(number) not in found:
                found[str(number)] = _shown(value)
    return found


def _labels(numbers: Sequence[str], names: Mapping[str, str]) -> dict[str, str]:
    """Return letters, with the number where two have the same."""
    shown = {number: _shown(number) for number in numbers}
    labels = {number: names.get(number, "").strip() or f"#{shown[number]}" for number in numbers}
    given = list(labels.values())
    return {
        number: label if given.count(label) == 1 else f"{label} #{shown[number]}" for number, label in labels.items()
    }


def _shown(value: Any) -> str:  # noqa: ANN401 (as frames have it)
    """Return what a legend can show: vl-convert dies of some signs that are no text."""
    return _NO_TEXT.sub("\ufffd", str(value))[:40]


def _chosen(there: Sequence[Driver], drivers: Collection[str], entries: pd.DataFrame | None) -> list[Driver]:
    """Return who was chosen and has rows; who is entered and has none, as without a stop, is left out."""
    by_name = {name.upper(): driver for driver in there for name in (driver.number, driver.label)}
    entered: set[str] = set()
    for column in ("driver_number", "abbreviation"):
        if entries is not None and column in entries:
            entered |= {str(name).upper() for name in entries[column].dropna()}
    unknown = [str(name) for name in drivers if str(name).upper() not in entered | by_name.keys()]
    if unknown:
        has = ", ".join(driver.label for driver in there)
        raise UsageError(f"There is no driver {', '.join(unknown)}.", advice=f"The drivers are: {has}.")
    found = [by_name[str(name).upper()] for name in drivers if str(name).upper() in by_name]
    if not found:
        raise NothingToDraw(f"There are no rows of {', '.join(map(str, drivers))}.")
    return list(dict.fromkeys(found))


def _by_number(number: str) -> tuple[float, str]:
    return (int(number) if number.isascii() and number.isdigit() and len(number) < 9 else float("inf"), number)

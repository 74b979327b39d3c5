"""Who is drawn, in which order and how: teams by colour and shape, team mates by solid and dashed lines.

As in FastF1's plotting, a team has one colour, its first driver a solid line, its second one a dashed line.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from f1_assets.errors import UsageError
from f1_assets.plots.colours import readable
from f1_assets.plots.grammar import Spec, word
from f1_assets.plots.rows import NAMES, Frame, NothingToDraw, Rows, by, column, last_of, rows_of

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
        rows: Frame,
        entries: Frame | None = None,
        order: Sequence[str] = (),
        drivers: Collection[str] = (),
    ) -> Field:
        """Return who the rows are of.

        Parameters
        ----------
        rows
            Rows with `driver_number`, and names and teams in `abbreviation` and `team_name`, where they have them.
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
        rows = rows_of(rows, "driver_number", *NAMES)
        known = list(dict.fromkeys(str(row["driver_number"]) for row in rows if row["driver_number"] is not None))
        entered = rows_of(entries, "driver_number", *NAMES, "team_color")
        names, teams = (_looked_up(name, known, entered, rows) for name in NAMES)
        colors = _looked_up("team_color", known, entered)
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
        return cls(tuple(_chosen(drawn, drivers, entered) if drivers else drawn))

    def axis(self) -> Spec:
        """Encode the driver by lines below each other, in order."""
        shown = {"grid": True, "ticks": False, "domain": False, "labelFontWeight": 600}
        return word("driver", None, sort=self.labels, axis=shown)

    @property
    def labels(self) -> list[str]:
        """Return the drivers' labels in order."""
        return [driver.label for driver in self.drivers]

    def rows(self, rows: Rows) -> Rows:
        """Return the rows of these drivers, with their label in `driver`, driver by driver."""
        own: dict[str, Rows] = {driver.number: [] for driver in self.drivers}
        labels = {driver.number: driver.label for driver in self.drivers}
        for row in rows:
            if (number := str(row["driver_number"])) in own:
                own[number].append({**row, "driver": labels[number]})
        return list(itertools.chain.from_iterable(own.values()))

    def channel(self, values: Sequence[Any], legend: bool = True) -> Spec:
        """Encode the driver by these values, with a part in the legend."""
        shown = {"title": self.title} if legend else None
        scale = {"domain": self.labels, "range": list(values)}
        return word("driver", self.title, sort=self.labels, legend=shown, scale=scale)

    def width(self, thick: float, thin: float, legend: bool = False) -> Spec:
        """Return thicker lines for the first drivers."""
        return self.channel([thick if place < HIGHLIGHTED else thin for place in range(len(self.drivers))], legend)

    def color(self, legend: bool = True) -> Spec:
        """Return the colours of teams."""
        return self.channel([driver.color for driver in self.drivers], legend)

    def dash(self, legend: bool = True) -> Spec:
        """Return solid and dashed lines for team mates."""
        return self.channel([DASHES[driver.mate % len(DASHES)] for driver in self.drivers], legend)

    def shape(self, legend: bool = True) -> Spec:
        """Return a shape for each team."""
        return self.channel([driver.shape for driver in self.drivers], legend)


def by_result(results: Frame | None) -> list[str]:
    """Return car numbers in the order of results; none where there are no results."""
    known = [row for row in rows_of(results, "driver_number", "position") if row["driver_number"] is not None]
    known = [row for row in known if row.get("position") is not None]
    return list(dict.fromkeys(str(row["driver_number"]) for row in sorted(known, key=itemgetter("position"))))


def finishing_order(laps: Rows, results: Frame | None = None) -> list[str]:
    """Return car numbers by result, else by laps completed and last place, else by best lap, else by last gap."""
    if official := by_result(results):
        return official
    for name in ("position", "lap_time_ms", "gap"):
        known = [lap for lap in laps if lap.get(name) is not None]
        if known and name == "lap_time_ms":
            bests = {number: min(column(own, name)) for number, own in by(known, "driver_number").items()}
            return [str(number) for number in sorted(bests, key=lambda number: (bests[number], str(number)))]
        if known:
            last = last_of(known, "driver_number", "lap_number")
            return [str(lap["driver_number"]) for lap in sorted(last, key=lambda lap: (-lap["lap_number"], lap[name]))]
    return []


def _looked_up(name: str, numbers: Collection[str], *sources: Rows) -> Mapping[str, str]:
    """Return the first value that a car number has, cut to what a legend can show."""
    found: dict[str, str] = {}
    for rows in sources:
        if len(found) < len(numbers):
            for row in rows:
                if (value := row.get(name)) is not None and (number := str(row["driver_number"])) not in found:
                    found[number] = _shown(value)
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


def _chosen(there: Sequence[Driver], drivers: Collection[str], entries: Rows) -> list[Driver]:
    """Return who was chosen and has rows; who is entered and has none, as without a stop, is left out."""
    by_name = {name.upper(): driver for driver in there for name in (driver.number, driver.label)}
    names = {str(row[name]).upper() for row in entries for name in ("driver_number", "abbreviation") if row.get(name)}
    unknown = [str(name) for name in drivers if str(name).upper() not in names | by_name.keys()]
    if unknown:
        has = ", ".join(driver.label for driver in there)
        raise UsageError(f"There is no driver {', '.join(unknown)}.", advice=f"The drivers are: {has}.")
    found = [by_name[str(name).upper()] for name in drivers if str(name).upper() in by_name]
    if not found:
        raise NothingToDraw(f"There are no rows of {', '.join(map(str, drivers))}.")
    return list(dict.fromkeys(found))


def _by_number(number: str) -> tuple[float, str]:
    return (int(number) if number.isascii() and number.isdigit() and len(number) < 9 else float("inf"), number)

"""Tyre strategy of a race: a row per driver, a bar per stint with its compound's letter and its laps."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from f1_assets.formatting import counted
from f1_assets.plots.chart import WIDTH, Chart, ChartTable, chart
from f1_assets.plots.colours import KNOWN_COMPOUNDS, UNKNOWN, Compound, compound_of
from f1_assets.plots.entrants import Entrant, entrants_of
from f1_assets.plots.formats import listed
from f1_assets.plots.plot import Plot, whole_steps, x_axis
from f1_assets.plots.reading import Lap, SessionRows
from f1_assets.plots.svg import group, hint, label, letters, rectangle

_LEFT, _RIGHT, _TOP, _ROW = 100.0, 12.0, 44.0, 24.0
_LETTER_WIDTH = 12.5
"""Of text as large as it gets, on a narrow screen."""


@dataclass(frozen=True)
class Stint:
    """Laps that were driven on one set of tyres. `number` is None where upstream does not tell."""

    number: int | None
    first: int
    last: int
    laps: int
    compound: Compound
    age_at_start: int | None


def stints_of(laps: Sequence[Lap]) -> Mapping[str, list[Stint]]:
    """Return the stints of every driver, in order."""
    grouped: defaultdict[tuple[str, int | None], list[Lap]] = defaultdict(list)
    for lap in laps:
        grouped[lap.driver_number, lap.stint].append(lap)
    stints: defaultdict[str, list[Stint]] = defaultdict(list)
    for (driver, number), own in grouped.items():
        stints[driver].append(_stint(number, own))
    return {driver: sorted(own, key=lambda stint: (stint.first, stint.last)) for driver, own in stints.items()}


def _stint(number: int | None, laps: Sequence[Lap]) -> Stint:
    laps = sorted(laps, key=lambda lap: lap.lap_number)
    known = Counter(
        lap.compound for lap in laps if lap.compound is not None and compound_of(lap.compound) is not UNKNOWN
    )
    compound = compound_of(known.most_common(1)[0][0]) if known else UNKNOWN
    life = laps[0].tyre_life_laps
    age = max(life - 1, 0) if life is not None else None
    return Stint(number, laps[0].lap_number, laps[-1].lap_number, len(laps), compound, age)


def draw(rows: SessionRows) -> Chart | None:
    """Draw the strategies; nothing when no lap tells its stint or its compound."""
    if all(lap.stint is None and lap.compound is None for lap in rows.laps):
        return None
    stints = stints_of(rows.laps)
    entrants = [entrant for entrant in entrants_of(rows) if entrant.number in stints]
    last = max(stint.last for own in stints.values() for stint in own)
    first = min(stint.first for own in stints.values() for stint in own)
    plot = Plot(_LEFT, _TOP, WIDTH - _LEFT - _RIGHT, _ROW * len(entrants), (first - 1, last), (len(entrants), 0))
    content = group(
        _key({stint.compound for own in stints.values() for stint in own}),
        x_axis(plot, whole_steps(plot.x_range, 8), lambda value: f"{value:g}", "Laps"),
        *(_row(plot, row, entrant, stints[entrant.number]) for row, entrant in enumerate(entrants)),
    )
    summary, table = _summary(entrants, stints), _table(entrants, stints)
    return chart(rows.key, "strategy", "Tyre strategy", summary, plot.bottom + 52, content, table)


def _row(plot: Plot, row: int, entrant: Entrant, stints: Sequence[Stint]) -> Markup:
    middle = plot.y(row + 0.5)
    place = label(34, middle, str(entrant.place), anchor="end", muted=True, dominant_baseline="central")
    weight = "600" if entrant.highlighted else None
    name = label(42, middle, entrant.label, dominant_baseline="central", font_weight=weight)
    return group(place, name, *(_bar(plot, middle, entrant, stint) for stint in stints))


def _bar(plot: Plot, middle: float, entrant: Entrant, stint: Stint) -> Markup:
    begin, end = plot.x(stint.first - 1), plot.x(stint.last)
    width, compound = max(end - begin - 1.5, 1.0), stint.compound
    bar = rectangle(
        begin + 0.75,
        middle - 9,
        width,
        18,
        rx="3",
        class_="chart-stint",
        fill=compound.color,
        stroke="#6f7782",
        stroke_width="0.8",
    )
    both = f"{compound.letter} {stint.laps}"
    fitting = next((words for words in (both, compound.letter) if width >= _LETTER_WIDTH * len(words)), "")
    words = [letters((begin + end) / 2, middle, fitting, compound.ink)] if fitting else []
    return group(hint(_told(entrant, stint)), bar, *words, class_="chart-mark")


def _told(entrant: Entrant, stint: Stint) -> str:
    numbered = f"stint {stint.number}" if stint.number is not None else "stint"
    laps = f"lap {stint.first}" if stint.first == stint.last else f"laps {stint.first} to {stint.last}"
    age = "" if stint.age_at_start is None else f", {_age(stint.age_at_start)}"
    return f"{entrant.label} {numbered}: {stint.compound.name}, {laps}{age}"


def _age(laps: int) -> str:
    return "new" if laps == 0 else f"{counted(laps, 'lap')} old at its start"


def _key(used: set[Compound]) -> Markup:
    entries: list[Markup] = []
    x = 12.0
    for compound in (*KNOWN_COMPOUNDS, UNKNOWN):
        if compound not in used:
            continue
        box = rectangle(x, 8, 22, 18, rx="3", fill=compound.color, stroke="#6f7782", stroke_width="0.8")
        letter = letters(x + 11, 17, compound.letter, compound.ink)
        name = compound.name.removesuffix(" tyre")
        entries.append(group(box, letter, label(x + 29, 17, name, muted=True, dominant_baseline="central")))
        x += 50 + 12.5 * len(name)
    return group(*entries)


def _summary(entrants: Sequence[Entrant], stints: Mapping[str, Sequence[Stint]]) -> str:
    total = sum(len(own) for own in stints.values())
    first = entrants[0]
    course = listed(f"{stint.compound.name} for {counted(stint.laps, 'lap')}" for stint in stints[first.number])
    starts = Counter(own[0].compound.name for own in stints.values())
    on = listed(f"{number} on {name}" for name, number in starts.most_common())
    return (
        f"{first.label}, first in the final order, drove {course}. "
        f"{counted(len(stints), 'driver')}, {counted(total, 'stint')}; at the start {on}."
    )


def _table(entrants: Sequence[Entrant], stints: Mapping[str, Sequence[Stint]]) -> ChartTable:
    rows = tuple(
        (
            entrant.label,
            "" if stint.number is None else str(stint.number),
            stint.compound.name,
            f"{stint.first}-{stint.last}",
            str(stint.laps),
            "" if stint.age_at_start is None else str(stint.age_at_start),
        )
        for entrant in entrants
        for stint in stints[entrant.number]
    )
    return ChartTable(("Driver", "Stint", "Tyre", "On laps", "Laps", "Laps old at its start"), rows)

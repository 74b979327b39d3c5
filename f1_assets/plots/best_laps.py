"""Best laps of practice and qualifying: a bar per driver, as long as the gap to the fastest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from f1_assets.formatting import counted
from f1_assets.plots.chart import WIDTH, Chart, ChartTable, chart
from f1_assets.plots.colours import Compound, compound_of
from f1_assets.plots.entrants import Entrant, entrants_of, laps_by_driver
from f1_assets.plots.formats import gap, lap_time
from f1_assets.plots.plot import Plot, Range, quartiles, steps, x_axis
from f1_assets.plots.reading import SessionRows, fastest
from f1_assets.plots.svg import (
    AXIS,
    INK,
    PAPER,
    circle,
    element,
    group,
    hint,
    label,
    letters,
    line,
    path_through,
    rectangle,
)

_LEFT, _RIGHT, _ROW, _TYRE = 128.0, 104.0, 25.0, 112.0
_TOP, _TOP_WITHOUT_KEY = 44.0, 14.0
_LEAST_RANGE_MS = 500


@dataclass(frozen=True)
class Best:
    """A driver's best: the time that counts, and those of the phases of a qualifying, None where there is none."""

    entrant: Entrant
    time_ms: int | None
    phases: tuple[int | None, ...] = ()
    compound: Compound | None = None

    @property
    def reached(self) -> int:
        """The last phase with a time, from 1; 0 for none."""
        return max((number for number, time in enumerate(self.phases, start=1) if time is not None), default=0)


def draw(rows: SessionRows) -> Chart | None:
    """Draw the best laps; nothing when nobody has a time."""
    bests = bests_of(rows)
    timed = [best for best in bests if best.time_ms is not None]
    if not timed:
        return None
    reference = next(best.time_ms for best in bests if best.time_ms is not None)
    if not any(best.phases for best in bests):
        reference = min(best.time_ms for best in timed if best.time_ms is not None)
    phases = [number for number in (1, 2, 3) if any(best.reached >= number for best in bests)]
    top = _TOP if phases else _TOP_WITHOUT_KEY
    plot = Plot(_LEFT, top, WIDTH - _LEFT - _RIGHT, _ROW * len(bests), _gaps_shown(bests, reference), (len(bests), 0))
    content = group(
        _key(rows, phases),
        x_axis(plot, steps(plot.x_range, 6), lambda value: f"{value / 1000:g}", "Gap to the fastest (s)"),
        *(_row(plot, row, best, reference, phases) for row, best in enumerate(bests)),
        *_eliminations(plot, bests),
        line((plot.x(0), plot.top), (plot.x(0), plot.bottom), class_="chart-axis", stroke=AXIS, stroke_width="1.5"),
    )
    title = "Qualifying" if phases else "Best laps"
    summary, table = _summary(bests), _table(rows, bests, phases, reference)
    return chart(rows.key, "best-laps", title, summary, plot.bottom + 52, content, table)


def bests_of(rows: SessionRows) -> list[Best]:
    """Return everyone's best, by final order: of the last phase reached in a qualifying, else of all laps."""
    laps = laps_by_driver(rows.laps)
    phases = {result.driver_number: _phases(result.q1_ms, result.q2_ms, result.q3_ms) for result in rows.results}
    has_phases = any(any(times) for times in phases.values())
    bests = []
    for entrant in entrants_of(rows):
        lap = fastest(laps.get(entrant.number, ()))
        compound = compound_of(lap.compound) if lap is not None and lap.compound is not None else None
        if not has_phases:
            bests.append(Best(entrant, lap.lap_time_ms if lap else None, compound=compound))
            continue
        times = phases.get(entrant.number, (None, None, None))
        counts = next((time for time in reversed(times) if time is not None), None)
        bests.append(Best(entrant, counts, times))
    return bests


def _phases(*times: int | None) -> tuple[int | None, ...]:
    return tuple(time if time is not None and time > 0 else None for time in times)


def _gaps_shown(bests: Sequence[Best], reference: int) -> Range:
    """Return the range of gaps that is drawn: one car that never got going must not squash the others."""
    gaps = sorted(best.time_ms - reference for best in bests if best.time_ms is not None)
    _, upper = quartiles(gaps)
    high = max(min(gaps[-1], max(upper, _LEAST_RANGE_MS) * 2), _LEAST_RANGE_MS)
    earlier = [time - reference for best in bests for time in best.phases if time is not None]
    low = min(0, *gaps, *earlier) if earlier else min(0, gaps[0])
    return max(low, -high), high * 1.02


def _row(plot: Plot, row: int, best: Best, reference: int, phases: Sequence[int]) -> Markup:
    middle, entrant = plot.y(row + 0.5), best.entrant
    weight = "600" if entrant.highlighted else None
    marks = [
        label(34, middle, str(entrant.place), anchor="end", muted=True, dominant_baseline="central"),
        label(42, middle, entrant.label, dominant_baseline="central", font_weight=weight),
    ]
    if best.time_ms is None:
        marks.append(label(plot.x(0) + 8, middle, "no time", muted=True, dominant_baseline="central"))
        return group(hint(f"{entrant.name}: no time"), *marks)
    behind = best.time_ms - reference
    end = min(max(plot.x(behind), plot.left), plot.right)
    marks.append(_bar(plot.x(0), end, middle, entrant))
    if end < plot.x(behind) - 1:
        marks.append(_cut(end, middle))
    marks.extend(
        _phase_mark(number, (plot.x(time - reference), middle))
        for number, time in enumerate(best.phases, start=1)
        if time is not None and number in phases and plot.x_range[0] <= time - reference <= plot.x_range[1]
    )
    if best.compound is not None:
        marks.append(_tyre(best.compound, middle))
    words = lap_time(best.time_ms) if behind == 0 else gap(behind)
    furthest = max([end, *(plot.x(t - reference) for t in best.phases if t is not None)])
    furthest = min(furthest, plot.right)
    marks.append(label(furthest + 10, middle, words, muted=not entrant.highlighted, dominant_baseline="central"))
    return group(hint(_told(best, reference)), *marks, class_="chart-mark")


def _bar(begin: float, end: float, middle: float, entrant: Entrant) -> Markup:
    left, width = min(begin, end), max(abs(end - begin), 2.0)
    hollow = {"fill_opacity": "0.25", "stroke": entrant.color, "stroke_width": "1.5"} if entrant.dash else {}
    return rectangle(left, middle - 7, width, 14, rx="2", class_="chart-bar", fill=entrant.color, **hollow)


def _cut(end: float, middle: float) -> Markup:
    """Cut a bar that would be longer than there is room."""
    strokes = path_through(
        [(end - 18, middle + 9), (end - 12, middle - 9), None, (end - 11, middle + 9), (end - 5, middle - 9)]
    )
    return element("path", d=strokes, class_="chart-halo", stroke=PAPER, stroke_width="3", fill="none")


def _tyre(compound: Compound, middle: float) -> Markup:
    disc = circle((_TYRE, middle), 11, fill=compound.color, stroke="#6f7782", stroke_width="0.8")
    return group(disc, letters(_TYRE, middle, compound.letter, compound.ink, "600"))


def _phase_mark(number: int, at: tuple[float, float]) -> Markup:
    """Draw the time of a phase: a ring, a square, a diamond."""
    style = {"class_": "chart-phase", "fill": PAPER, "stroke": INK, "stroke_width": "1.5"}
    x, y = at
    if number == 1:
        return circle(at, 4, **style)
    if number == 2:
        return rectangle(x - 3.7, y - 3.7, 7.4, 7.4, **style)
    corners = path_through([(x, y - 5.5), (x + 5.5, y), (x, y + 5.5), (x - 5.5, y)])
    return element("path", d=f"{corners}Z", **style)


def _phase_name(rows: SessionRows, number: int) -> str:
    return f"{'Q' if rows.key.session == 'Q' else 'SQ'}{number}"


def _key(rows: SessionRows, phases: Sequence[int]) -> Markup:
    entries = []
    for place, number in enumerate(phases):
        x = 18 + 90.0 * place
        words = label(x + 12, 18, _phase_name(rows, number), muted=True, dominant_baseline="central")
        entries.append(group(_phase_mark(number, (x, 18)), words))
    return group(*entries)


def _eliminations(plot: Plot, bests: Sequence[Best]) -> list[Markup]:
    """Draw a line where those begin who did not reach the next phase."""
    edges = [row for row in range(1, len(bests)) if 0 < bests[row].reached < bests[row - 1].reached]
    ends = (8.0, WIDTH - 8.0)
    return [
        line(
            (ends[0], plot.y(row)),
            (ends[1], plot.y(row)),
            class_="chart-axis",
            stroke=AXIS,
            stroke_dasharray="4 3",
        )
        for row in edges
    ]


def _told(best: Best, reference: int) -> str:
    if best.time_ms is None:
        return f"{best.entrant.name}: no time"
    phases = [f"Q{number} {lap_time(time)}" for number, time in enumerate(best.phases, start=1) if time is not None]
    tyre = [best.compound.name] if best.compound is not None else []
    behind = best.time_ms - reference
    words = [*(phases or [lap_time(best.time_ms)]), *tyre, *([gap(behind)] if behind else [])]
    return f"{best.entrant.name}: {', '.join(words)}"


def _summary(bests: Sequence[Best]) -> str:
    timed = [(best, best.time_ms) for best in bests if best.time_ms is not None]
    if not any(best.phases for best in bests):
        timed.sort(key=lambda pair: pair[1])
    (first, time), *others = timed
    words = f"Fastest: {first.entrant.label} {lap_time(time)}"
    if others:
        second, behind = others[0][0], others[0][1] - time
        words += f", {behind / 1000:.3f} s ahead of {second.entrant.label}"
    without = len(bests) - len(timed)
    return f"{words}. {counted(len(timed), 'driver')} with a time{f', {without} without' if without else ''}."


def _table(rows: SessionRows, bests: Sequence[Best], phases: Sequence[int], reference: int) -> ChartTable:
    def written(time: int | None) -> str:
        return lap_time(time) if time is not None else ""

    headers = ("Place", "Driver", *(_phase_name(rows, number) for number in phases)) + (
        () if phases else ("Best lap", "Tyre")
    )
    lines = []
    for best in bests:
        times = [written(best.phases[number - 1]) for number in phases]
        plain = [] if phases else [written(best.time_ms), best.compound.name if best.compound else ""]
        behind = gap(best.time_ms - reference) if best.time_ms is not None else ""
        lines.append((str(best.entrant.place), best.entrant.label, *times, *plain, behind))
    return ChartTable((*headers, "Gap (s)"), tuple(lines))

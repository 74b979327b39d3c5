"""Lap times of a race: a line per driver; what is far slower than racing runs out of the picture at its top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from f1_assets.formatting import counted
from f1_assets.plots.chart import WIDTH, Chart, ChartTable, chart
from f1_assets.plots.colours import compound_of
from f1_assets.plots.entrants import Entrant, entrants_of, laps_by_driver
from f1_assets.plots.formats import lap_time, ranges, short_lap_time
from f1_assets.plots.legend import (
    ABOVE_BANDS,
    THICK,
    THIN,
    Band,
    bands_of,
    draw_bands,
    draw_legend,
    kind_of,
    legend_height,
)
from f1_assets.plots.plot import Plot, Range, quartiles, time_steps, whole_steps, x_axis, y_axis
from f1_assets.plots.reading import Lap, SessionRows, fastest, time_of
from f1_assets.plots.svg import PAPER, Point, circle, element, group, hint, path_through

_LEFT, _RIGHT, _HEIGHT = 76.0, 12.0, 300.0
_BEYOND = 12.0
"""How far a line runs out of the plot where a lap is too slow or too fast for it."""

_SLOWED = {"red": "the red flag", "safety-car": "the safety car", "virtual-safety-car": "the virtual safety car"}


def draw(rows: SessionRows) -> Chart | None:
    """Draw the lap times; nothing when no lap has a time."""
    timed = [lap for lap in rows.laps if time_of(lap) is not None]
    if not timed:
        return None
    entrants, laps = entrants_of(rows), laps_by_driver(rows.laps)
    drawn = [entrant for entrant in entrants if any(time_of(lap) is not None for lap in laps.get(entrant.number, ()))]
    bands = _slow_laps(rows.laps)
    top = legend_height(drawn) + 62
    numbers = [lap.lap_number for lap in timed]
    plot = Plot(_LEFT, top, WIDTH - _LEFT - _RIGHT, _HEIGHT, (min(numbers), max(numbers)), racing_times(timed))
    clip = f"lap-times-{rows.key}-clip".lower()
    lines = [_line(plot, entrant, laps[entrant.number]) for entrant in reversed(drawn)]
    marks = [_marks(plot, entrant, laps[entrant.number]) for entrant in reversed(drawn) if entrant.highlighted]
    content = group(
        plot.clip(clip),
        draw_legend(drawn, 6),
        draw_bands(plot, bands),
        y_axis(plot, time_steps(plot.y_range, 6), short_lap_time, "Lap time (min:s)", ABOVE_BANDS),
        x_axis(plot, whole_steps(plot.x_range, 8), lambda value: f"{value:g}", "Lap", grid=False),
        group(*lines, clip_path=f"url(#{clip})"),
        *marks,
    )
    summary, table = _summary(rows, entrants, timed, bands, plot.y_range), _table(drawn, laps)
    return chart(rows.key, "lap-times", "Lap times", summary, plot.bottom + 52, content, table)


def racing_times(timed: Sequence[Lap]) -> Range:
    """Return the range of times worth looking at: that of laps at racing speed, without their outliers."""
    racing = [
        lap
        for lap in timed
        if lap.pit_in_time_ms is None
        and lap.pit_out_time_ms is None
        and lap.lap_number > 1
        and kind_of(lap.track_status) is None
    ]
    times = sorted(time for lap in racing or timed if (time := time_of(lap)) is not None)
    lower, upper = quartiles(times)
    reach = max(upper - lower, 400)
    low, high = max(times[0], lower - 2.5 * reach), min(times[-1], upper + 2.5 * reach)
    room = max(0.04 * (high - low), 50)
    return low - room, high + room


def _slow_laps(laps: Sequence[Lap]) -> list[Band]:
    """Return the laps of safety cars and red flags, as the leader drove them."""
    leading: dict[int, Lap] = {}
    for lap in laps:
        first = leading.get(lap.lap_number)
        if lap.session_time_ms is not None and (
            first is None or first.session_time_ms is None or lap.session_time_ms < first.session_time_ms
        ):
            leading[lap.lap_number] = lap
    ordered = sorted(leading.items())
    return bands_of((kind_of(lap.track_status), number - 0.5, number + 0.5) for number, lap in ordered)


def _line(plot: Plot, entrant: Entrant, laps: Sequence[Lap]) -> Markup:
    points: list[Point | None] = []
    before: int | None = None
    for lap in laps:
        time = time_of(lap)
        if time is None or (before is not None and lap.lap_number != before + 1):
            points.append(None)
        if time is not None:
            points.append(_point(plot, lap.lap_number, time, _BEYOND))
        before = lap.lap_number
    best = fastest(laps)
    words = f"{entrant.name}: {counted(len(laps), 'lap')}{f', best {lap_time(time_of(best) or 0)}' if best else ''}"
    return group(
        hint(words),
        element(
            "path",
            d=path_through(points),
            fill="none",
            stroke=entrant.color,
            stroke_width=THICK if entrant.highlighted else THIN,
            stroke_opacity=None if entrant.highlighted else "0.7",
            stroke_dasharray=entrant.dash,
            stroke_linejoin="round",
            stroke_linecap="round",
        ),
        class_="chart-driver",
    )


def _marks(plot: Plot, entrant: Entrant, laps: Sequence[Lap]) -> Markup:
    """Put a mark on each lap of a driver who stands out: a ring at the pits, else what only the pointer sees."""
    marks: list[Markup] = []
    for lap in laps:
        time = time_of(lap)
        if time is None:
            continue
        point, words = _point(plot, lap.lap_number, time), hint(_told(entrant, lap, time))
        if lap.pit_in_time_ms is not None:
            ring = circle(point, 4, words, class_="chart-pit", fill=PAPER, stroke=entrant.color, stroke_width="2")
            marks.append(ring)
        else:
            marks.append(circle(point, 5, words, class_="chart-hover"))
    return group(*marks, fill=entrant.color, fill_opacity="0")


def _point(plot: Plot, number: int, time: float, beyond: float = 0.0) -> Point:
    """Return the place of a lap, at the plot's edge, or a little `beyond` it, where the lap is too slow or too fast."""
    return plot.x(number), min(max(plot.y(time), plot.top - beyond), plot.bottom + beyond)


def _told(entrant: Entrant, lap: Lap, time: int) -> str:
    words = [lap_time(time)]
    if lap.compound is not None:
        words.append(compound_of(lap.compound).name)
    if lap.tyre_life_laps is not None:
        words.append(f"{counted(lap.tyre_life_laps, 'lap')} old")
    if lap.pit_in_time_ms is not None:
        words.append("then to the pits")
    if lap.deleted:
        words.append("deleted")
    return f"{entrant.label} lap {lap.lap_number}: {', '.join(words)}"


def _summary(
    rows: SessionRows, entrants: Sequence[Entrant], timed: Sequence[Lap], bands: Sequence[Band], shown: Range
) -> str:
    labels = {entrant.number: entrant.label for entrant in entrants}
    best = rows.fastest_lap
    drivers = len({lap.driver_number for lap in timed})
    words = [f"{counted(len(timed), 'timed lap')} of {counted(drivers, 'driver')}."]
    if best is not None:
        words.insert(
            0, f"Fastest lap {lap_time(time_of(best) or 0)} by {labels[best.driver_number]} on lap {best.lap_number};"
        )
    for kind, name in _SLOWED.items():
        numbers = [number for band in bands if band.kind == kind for number in band.whole_numbers]
        if numbers:
            words.append(f"Under {name}: {'laps' if len(numbers) > 1 else 'lap'} {ranges(numbers)}.")
    slower = sum(1 for lap in timed if (time_of(lap) or 0) > shown[1])
    if slower:
        words.append(f"{counted(slower, 'lap')} slower than {lap_time(shown[1])} run out of the picture at the top.")
    return " ".join(words)


def _table(entrants: Sequence[Entrant], laps: Mapping[str, Sequence[Lap]]) -> ChartTable:
    rows = []
    for entrant in entrants:
        own = laps[entrant.number]
        best, times = fastest(own), sorted(time for lap in own if (time := time_of(lap)) is not None)
        stops = sum(1 for lap in own if lap.pit_in_time_ms is not None)
        rows.append(
            (
                entrant.label,
                str(len(own)),
                lap_time(best.lap_time_ms or 0) if best else "",
                str(best.lap_number) if best else "",
                lap_time(times[len(times) // 2]),
                str(stops),
            )
        )
    return ChartTable(("Driver", "Laps", "Best lap", "On lap", "Median lap", "Laps into the pits"), tuple(rows))

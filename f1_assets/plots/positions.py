"""Positions over the laps of a race: a line per driver from the grid to the flag; names stand where the lines end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from f1_assets.formatting import counted
from f1_assets.plots.chart import WIDTH, Chart, ChartTable, chart
from f1_assets.plots.entrants import Entrant, entrants_of, laps_by_driver
from f1_assets.plots.formats import listed
from f1_assets.plots.legend import THICK, THIN
from f1_assets.plots.plot import Plot, whole_steps, x_axis
from f1_assets.plots.reading import Lap, Result, SessionRows
from f1_assets.plots.svg import GRID, PAPER, Point, element, group, hint, label, line, path_through

_LEFT, _RIGHT, _TOP, _ROW = 100.0, 88.0, 34.0, 24.0
_CLASSIFIED = 0.9
"""Share of the winner's laps that makes a finisher, by the sporting regulations."""


@dataclass(frozen=True)
class Course:
    """A driver's way through the race. `places` are (lap, position), lap 0 the grid; `row` is where the name stands."""

    entrant: Entrant
    places: tuple[tuple[int, int], ...]
    row: int
    finished: bool
    outcome: str
    from_pit_lane: bool = False

    @property
    def grid(self) -> int | None:
        """Place on the grid; None where it is not known."""
        return self.places[0][1] if self.places and self.places[0][0] == 0 else None

    @property
    def start(self) -> str | None:
        """Where the driver started from, in words; None where it is not known."""
        if self.from_pit_lane:
            return "the pit lane"
        return f"grid place {self.grid}" if self.grid is not None else None


def draw(rows: SessionRows) -> Chart | None:
    """Draw the positions; from grid and result alone when laps tell none, and nothing without both."""
    courses = courses_of(rows)
    if not any(len(course.places) > 1 for course in courses):
        return None
    last = max(lap for course in courses for lap, _ in course.places)
    first = min(lap for course in courses for lap, _ in course.places)
    rows_needed = max(len(courses), *(place for course in courses for _, place in course.places))
    size = min(rows_needed, 2 * len(courses) + 10)
    plot = Plot(_LEFT, _TOP, WIDTH - _LEFT - _RIGHT, _ROW * size, (first, last), (size + 0.5, 0.5))
    from_laps = any(lap.position is not None for lap in rows.laps)
    marks = whole_steps(plot.x_range, 8) if from_laps else [0, 1]
    clip = f"positions-{rows.key}-clip".lower()
    content = group(
        element("clipPath", element("rect", x=0, y=_TOP - 6, width=WIDTH, height=plot.height + 12), id=clip),
        label(8, 16, "Position", muted=True),
        *(_grid_row(plot, place) for place in range(1, size + 1)),
        x_axis(plot, marks, _lap if from_laps else _end, "Lap" if from_laps else "", grid=not from_laps),
        group(*(_line(plot, course) for course in reversed(courses)), clip_path=f"url(#{clip})"),
        *(_names(plot, course) for course in courses if max(course.row, 1) <= size),
    )
    summary, table = _summary(courses), _table(courses)
    return chart(rows.key, "positions", "Positions", summary, plot.bottom + (52 if from_laps else 34), content, table)


def _lap(value: float) -> str:
    return "Grid" if value == 0 else f"{value:g}"


def _end(value: float) -> str:
    return "Finish" if value else "Grid"


def courses_of(rows: SessionRows) -> list[Course]:
    """Return everyone's way through the race, by final order."""
    results = {result.driver_number: result for result in rows.results}
    laps, grid = laps_by_driver(rows.laps), _grid(rows.results)
    longest = max((lap.lap_number for lap in rows.laps if lap.position is not None), default=0)
    courses = []
    for row, entrant in enumerate(entrants_of(rows), start=1):
        result, own = results.get(entrant.number), laps.get(entrant.number, [])
        places = [(0, grid[entrant.number])] if entrant.number in grid else []
        places += [(lap.lap_number, lap.position) for lap in own if lap.position and lap.lap_number > 0]
        if not longest and result is not None and result.position is not None:
            places.append((1, result.position))
        finished = _finished(result, own, longest)
        lane = result is not None and result.grid_position == 0
        outcome = "" if finished else _outcome(result, own)
        courses.append(Course(entrant, tuple(places), row, finished, outcome, lane))
    return courses


def _grid(results: Sequence[Result]) -> dict[str, int]:
    """Return places on the grid; those who start from the pit lane, place 0, stand behind it."""
    grid = {result.driver_number: result.grid_position for result in results if result.grid_position}
    behind = max(grid.values(), default=0)
    lane = [result.driver_number for result in results if result.grid_position == 0]
    return grid | {number: behind + place for place, number in enumerate(lane, start=1)} if grid else {}


def _finished(result: Result | None, laps: Sequence[Lap], longest: int) -> bool:
    if result is not None and result.classified_position is not None:
        return result.classified_position.isdigit()
    return bool(laps) and laps[-1].lap_number >= _CLASSIFIED * longest


def _outcome(result: Result | None, laps: Sequence[Lap]) -> str:
    letter = result.classified_position if result is not None else None
    if letter in ("D", "E"):
        return "DSQ"
    if letter == "W" or not laps:
        return "DNS" if letter == "W" or (result is not None and result.status == "Did not start") else "out"
    return f"L{laps[-1].lap_number}"


def _grid_row(plot: Plot, place: int) -> Markup:
    height = plot.y(place)
    return line((plot.left, height), (plot.right, height), class_="chart-grid", stroke=GRID)


def _line(plot: Plot, course: Course) -> Markup:
    entrant, points = course.entrant, _points(plot, course.places)
    style = {
        "stroke": entrant.color,
        "stroke_width": THICK if entrant.highlighted else THIN,
        "stroke_opacity": None if entrant.highlighted else "0.8",
    }
    drawn = element(
        "path",
        d=path_through(points),
        fill="none",
        stroke_dasharray=entrant.dash,
        stroke_linejoin="round",
        stroke_linecap="round",
        **style,
    )
    end = points[-1] if points else None
    extras: list[Markup] = []
    if end is not None and course.finished:
        extras.append(line(end, (plot.right + 8, plot.y(course.row)), stroke_dasharray="1 3", **style))
    elif end is not None:
        extras.append(_cross(end, entrant.color))
    return group(hint(_told(course)), drawn, *extras, class_="chart-driver")


def _points(plot: Plot, places: Sequence[tuple[int, int]]) -> list[Point | None]:
    points: list[Point | None] = []
    before: int | None = None
    for lap, place in places:
        if before is not None and lap > before + 1:
            points.append(None)
        points.append(plot.at(lap, place))
        before = lap
    return points


def _cross(at: Point, color: str) -> Markup:
    x, y = at
    strokes = path_through([(x - 4, y - 4), (x + 4, y + 4), None, (x - 4, y + 4), (x + 4, y - 4)])
    halo = element("path", d=strokes, class_="chart-halo", stroke=PAPER, stroke_width="5", fill="none")
    return group(halo, element("path", d=strokes, stroke=color, stroke_width="2.4", fill="none"))


def _names(plot: Plot, course: Course) -> Markup:
    entrant, height = course.entrant, plot.y(course.row)
    weight = "600" if entrant.highlighted else None
    name = label(
        plot.right + 12,
        height,
        entrant.label,
        muted=not course.finished,
        dominant_baseline="central",
        font_weight=weight,
    )
    names = [name]
    if course.outcome:
        names.append(
            label(
                plot.right + 52,
                height,
                course.outcome,
                muted=True,
                dominant_baseline="central",
                class_="chart-muted chart-wide",
            )
        )
    if course.grid is not None:
        at = plot.y(course.grid)
        names.append(label(plot.left - 8, at, entrant.label, anchor="end", muted=True, dominant_baseline="central"))
    place = label(28, height, str(course.row), anchor="end", muted=True, dominant_baseline="central")
    return group(place, *names)


def _told(course: Course) -> str:
    start = f"from {course.start}, " if course.start is not None else ""
    if course.finished:
        return f"{course.entrant.name}: {start}finished {course.entrant.place}"
    return f"{course.entrant.name}: {start}not classified{f' ({course.outcome})' if course.outcome else ''}"


def _summary(courses: Sequence[Course]) -> str:
    winner = courses[0]
    start = f" from {winner.start}" if winner.start is not None else ""
    words = [f"{winner.entrant.label} won{start}."]
    gains = {course: course.grid - course.row for course in courses if course.finished and course.grid is not None}
    best = max(gains.values(), default=0)
    if best > 0:
        climbers = listed(f"{c.entrant.label} (from {c.start} to {c.row})" for c, gain in gains.items() if gain == best)
        words.append(f"Most places gained: {climbers}.")
    out = [course.entrant.label for course in courses if not course.finished]
    words.append(
        f"{counted(len(courses) - len(out), 'driver')} classified{f'; not classified: {listed(out)}' if out else ''}."
    )
    return " ".join(words)


def _table(courses: Sequence[Course]) -> ChartTable:
    rows = tuple(
        (
            str(course.row),
            course.entrant.label,
            "pit lane" if course.from_pit_lane else "" if course.grid is None else str(course.grid),
            str(max((lap for lap, _ in course.places), default=0)) if course.places else "",
            "" if course.finished else (course.outcome or "not classified"),
        )
        for course in courses
    )
    return ChartTable(("Place", "Driver", "Grid", "Last lap", "Not classified"), rows)

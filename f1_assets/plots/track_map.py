"""Map of the circuit: the line that the fastest lap drove, and the corners; the markers alone without telemetry."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from f1_assets.formatting import counted
from f1_assets.plots.chart import WIDTH, Chart, ChartTable, chart
from f1_assets.plots.entrants import entrants_of
from f1_assets.plots.formats import lap_time, shortened
from f1_assets.plots.reading import Marker, SessionRows, time_of
from f1_assets.plots.svg import AXIS, INK, PAPER, Point, circle, element, group, hint, label, line, path_through

_EDGE, _LEAST_HEIGHT, _MOST_HEIGHT = 62.0, 260.0, 560.0
_CLOSED = 0.06
"""A line whose ends are nearer than this share of its extent is a lap: it is closed."""

_REACHES = (22.0, 36.0, 52.0, 70.0)
_TURNS = (0.0, 30.0, -30.0, 60.0, -60.0, 180.0, 150.0, -150.0)
"""How far from its corner a number may stand, how far turned from its direction; the first free place is taken."""

_HALF_LABEL = (15.0, 11.0)

Projection = Callable[[float, float], Point]


@dataclass(frozen=True)
class Corner:
    """A corner that has a place: its name, where it is drawn, where its number stands."""

    name: str
    at: Point
    label_at: Point
    moved: bool
    distance_m: float | None


def draw(rows: SessionRows) -> Chart | None:
    """Draw the map; nothing when neither the line nor a marker has a place."""
    driven, markers = rows.line_driven, [marker for marker in rows.circuit if _place(marker) is not None]
    outline = list(driven) if len(driven) >= 10 else []
    sketch = [] if outline else _in_order(markers)
    places = [*outline, *(place for marker in markers if (place := _place(marker)) is not None)]
    if len(set(places)) < 2:
        return None
    rotation = _finite(rows.place.rotation_deg) or 0.0
    project, height = _projection(places, rotation)
    line_points = [project(*point) for point in outline or sketch]
    corners = _corners([marker for marker in markers if marker.kind == "corner"], project, rotation, line_points)
    content = group(
        _track(line_points, known=bool(outline)),
        _start(line_points, corners) if outline else Markup(),
        *(_corner(corner) for corner in corners),
    )
    name = shortened(rows.place.circuit, 60) if rows.place.circuit else "The circuit"
    summary = _summary(rows, name, len(corners), measured=bool(outline))
    return chart(rows.key, "track-map", f"Track map: {name}", summary, height, content, _table(corners))


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) and abs(value) < 1e7 else None


def _place(marker: Marker) -> Point | None:
    x, y = _finite(marker.x), _finite(marker.y)
    return (x, y) if x is not None and y is not None else None


def _in_order(markers: Sequence[Marker]) -> list[Point]:
    """Return places along the track, as good as markers tell them: sectors follow each other, corners lie between."""
    sectors = sorted((m for m in markers if m.kind == "marshal_sector"), key=lambda m: (m.number, m.letter))
    corners = sorted((m for m in markers if m.kind == "corner"), key=lambda m: (m.number, m.letter))
    ring = [place for marker in sectors if (place := _place(marker)) is not None]
    for corner in corners:
        place = _place(corner)
        if place is not None:
            ring.insert(_shortest_way(ring, place) if sectors else len(ring), place)
    return ring


def _shortest_way(ring: Sequence[Point], place: Point) -> int:
    """Return between which two neighbours of a ring a place is the shortest way round."""

    def detour(index: int) -> float:
        before, after = ring[index - 1], ring[index]
        return math.dist(before, place) + math.dist(place, after) - math.dist(before, after)

    return min(range(len(ring)), key=detour)


def _turned(x: float, y: float, degrees: float) -> Point:
    angle = math.radians(degrees)
    return x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)


def _projection(places: Sequence[Point], rotation: float) -> tuple[Projection, float]:
    """Return what turns coordinates into the drawing's, whose y goes down, and the drawing's height."""
    turned = [_turned(x, y, rotation) for x, y in places]
    low_x, low_y = min(x for x, _ in turned), min(y for _, y in turned)
    wide, high = max(x for x, _ in turned) - low_x, max(y for _, y in turned) - low_y
    inner = WIDTH - 2 * _EDGE
    scale = min(inner / wide if wide else math.inf, (_MOST_HEIGHT - 2 * _EDGE) / high if high else math.inf)
    height = max(high * scale + 2 * _EDGE, _LEAST_HEIGHT)
    left, top = (WIDTH - wide * scale) / 2, (height - high * scale) / 2

    def project(x: float, y: float) -> Point:
        across, up = _turned(x, y, rotation)
        return left + (across - low_x) * scale, top + (high - (up - low_y)) * scale

    return project, round(height)


def _track(points: Sequence[Point], *, known: bool) -> Markup:
    if len(points) < 2:
        return Markup()
    extent = max(max(p[axis] for p in points) - min(p[axis] for p in points) for axis in (0, 1))
    closes = not known or math.dist(points[0], points[-1]) < _CLOSED * extent
    data = path_through(points) + ("Z" if closes else "")
    style = {"fill": "none", "stroke_linejoin": "round", "stroke_linecap": "round"}
    if not known:
        return element(
            "path", d=data, class_="chart-axis", stroke=AXIS, stroke_width="2", stroke_dasharray="3 6", **style
        )
    asphalt = element("path", d=data, class_="chart-outline", stroke=INK, stroke_width="8", **style)
    middle = element("path", d=data, class_="chart-halo", stroke=PAPER, stroke_width="2", **style)
    return group(asphalt, middle)


def _start(points: Sequence[Point], corners: Sequence[Corner]) -> Markup:
    """Draw the finish line across the track and an arrow the way that cars go."""
    here = points[0]
    ahead = next((point for point in points if math.dist(point, here) > 12), points[-1])
    length = math.dist(here, ahead) or 1.0
    along = ((ahead[0] - here[0]) / length, (ahead[1] - here[1]) / length)
    across = (-along[1], along[0])
    side = _freer_side(here, across, [corner.label_at for corner in corners], points)
    ends = [(here[0] + across[0] * reach, here[1] + across[1] * reach) for reach in (-10, 10)]
    flag = line(ends[0], ends[1], class_="chart-start", stroke="#d92d20", stroke_width="4")
    base = (here[0] + across[0] * 20 * side, here[1] + across[1] * 20 * side)
    tip = (base[0] + along[0] * 26, base[1] + along[1] * 26)
    barbs = [
        (tip[0] - along[0] * 7 + across[0] * 5 * turn, tip[1] - along[1] * 7 + across[1] * 5 * turn) for turn in (-1, 1)
    ]
    arrow = element(
        "path",
        d=path_through([base, tip, None, barbs[0], tip, barbs[1]]),
        class_="chart-start",
        fill="none",
        stroke="#d92d20",
        stroke_width="2.2",
        stroke_linejoin="round",
    )
    return group(hint("Start and finish"), flag, arrow)


def _freer_side(here: Point, across: Point, labels: Sequence[Point], points: Sequence[Point]) -> int:
    def room(side: int) -> float:
        at = (here[0] + across[0] * 22 * side, here[1] + across[1] * 22 * side)
        others = [point for point in points if math.dist(point, here) > 40]
        return min((math.dist(at, other) for other in (*labels, *others)), default=math.inf)

    return max((1, -1), key=room)


def _corners(markers: Sequence[Marker], project: Projection, rotation: float, track: Sequence[Point]) -> list[Corner]:
    """Place the corners' numbers, each where it covers neither the track nor another number."""
    corners: list[Corner] = []
    taken: list[Point] = []
    for marker in sorted(markers, key=lambda m: (m.number, m.letter)):
        place = _place(marker)
        if place is None:
            continue
        at = project(*place)
        angle = (_finite(marker.angle_deg) or 0.0) + rotation
        tries = [_beside(at, angle + turn, reach) for reach in _REACHES for turn in _TURNS]
        free = next((spot for spot in tries if _is_free(spot, taken, track)), tries[0])
        taken.append(free)
        name = shortened(f"{marker.number}{marker.letter or ''}", 5)
        corners.append(Corner(name, at, free, math.dist(at, free) > _REACHES[0] + 1, _finite(marker.distance_m)))
    return corners


def _beside(at: Point, degrees: float, reach: float) -> Point:
    across, up = _turned(reach, 0.0, degrees)
    return at[0] + across, at[1] - up


def _is_free(spot: Point, taken: Sequence[Point], track: Sequence[Point]) -> bool:
    wide, high = _HALF_LABEL
    beside = all(abs(spot[0] - x) > 2 * wide - 2 or abs(spot[1] - y) > 2 * high - 2 for x, y in taken)
    inside = 12 < spot[0] < WIDTH - 12 and spot[1] > 10
    return beside and inside and all(abs(spot[0] - x) > wide or abs(spot[1] - y) > high for x, y in track)


def _corner(corner: Corner) -> Markup:
    distance = f", {corner.distance_m:,.0f} m from the finish line" if corner.distance_m is not None else ""
    marks = [hint(f"Corner {corner.name}{distance}")]
    if corner.moved:
        marks.append(line(corner.at, corner.label_at, class_="chart-axis", stroke=AXIS))
    marks.append(circle(corner.at, 3, class_="chart-corner", fill="#d92d20", stroke=PAPER, stroke_width="1"))
    words = label(
        *corner.label_at,
        corner.name,
        anchor="middle",
        dominant_baseline="central",
        font_weight="600",
        class_="chart-ink chart-haloed",
        paint_order="stroke",
        stroke=PAPER,
        stroke_width="3",
    )
    return group(*marks, words, class_="chart-mark")


def _summary(rows: SessionRows, name: str, corners: int, *, measured: bool) -> str:
    lap = rows.fastest_lap
    turns = f"{name}, {counted(corners, 'corner')}" if corners else name
    if not measured:
        return f"{turns}; sketched from the circuit's markers alone, for there is no telemetry of a lap."
    labels = {entrant.number: entrant.label for entrant in entrants_of(rows)}
    if lap is None:
        return f"{turns}; the line is that of a lap's telemetry."
    return (
        f"{turns}; the line is that of the fastest lap, {lap_time(time_of(lap) or 0)} by {labels[lap.driver_number]}."
    )


def _table(corners: Sequence[Corner]) -> ChartTable | None:
    if not any(corner.distance_m is not None for corner in corners):
        return None
    rows = ((c.name, "" if c.distance_m is None else f"{c.distance_m:,.0f}") for c in corners)
    return ChartTable(("Corner", "From the finish line (m)"), tuple(rows))

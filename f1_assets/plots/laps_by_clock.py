"""Lap times of practice and qualifying: a dot per lap when it ended; laps out of and into the pits are left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from f1_assets.formatting import counted
from f1_assets.plots.chart import WIDTH, Chart, ChartTable, chart
from f1_assets.plots.colours import compound_of
from f1_assets.plots.entrants import Entrant, entrants_of, laps_by_driver
from f1_assets.plots.formats import lap_time, short_lap_time
from f1_assets.plots.legend import ABOVE_BANDS, Band, bands_of, draw_bands, kind_of
from f1_assets.plots.plot import Plot, time_steps, whole_steps, x_axis, y_axis
from f1_assets.plots.reading import Lap, SessionRows, fastest, time_of
from f1_assets.plots.svg import PAPER, circle, dots_at, element, group, hint, label

_LEFT, _RIGHT, _TOP, _HEIGHT = 76.0, 12.0, 92.0, 290.0
_WORTH_LOOKING_AT = 1.07
"""Times up to this many times the fastest are drawn: the share that qualifies for a race."""

_MINUTE_MS = 60_000


def draw(rows: SessionRows) -> Chart | None:
    """Draw the lap times; nothing when no lap has a time and an end."""
    best = rows.fastest_lap
    if best is None or best.lap_time_ms is None:
        return None
    slowest = best.lap_time_ms * _WORTH_LOOKING_AT
    shown = [
        lap
        for lap in rows.laps
        if lap.session_time_ms is not None
        and (time := time_of(lap)) is not None
        and best.lap_time_ms <= time <= slowest
    ]
    if not shown:
        return None
    began = _began(rows, shown)
    entrants, laps = entrants_of(rows), laps_by_driver(shown)
    minutes = [_minutes(lap.session_time_ms or 0, began) for lap in shown]
    times = [time_of(lap) or 0 for lap in shown]
    room = max(0.05 * (max(times) - min(times)), 50)
    plot = Plot(
        _LEFT,
        _TOP,
        WIDTH - _LEFT - _RIGHT,
        _HEIGHT,
        (min(0.0, *minutes), max(*minutes, 1.0) * 1.02),
        (min(times) - room, max(times) + room),
    )
    bands = _interruptions(rows, began, plot.x_range[1])
    content = group(
        _key_of_leaders([entrant for entrant in entrants if entrant.highlighted]),
        draw_bands(plot, bands),
        y_axis(plot, time_steps(plot.y_range, 6), short_lap_time, "Lap time (min:s)", ABOVE_BANDS),
        x_axis(plot, whole_steps(plot.x_range, 8), lambda value: f"{value:g}", "Minutes since the start", grid=False),
        *(
            _dots(plot, entrant, laps[entrant.number], began)
            for entrant in reversed(entrants)
            if entrant.number in laps
        ),
    )
    table = _table(entrants, laps_by_driver(rows.laps))
    return chart(
        rows.key, "lap-times", "Lap times", _summary(rows, entrants, shown, best), plot.bottom + 52, content, table
    )


def _began(rows: SessionRows, shown: Sequence[Lap]) -> int:
    if rows.started_ms is not None:
        return rows.started_ms
    starts = [lap.lap_start_time_ms for lap in rows.laps if lap.lap_start_time_ms is not None]
    return min([*starts, *(lap.session_time_ms or 0 for lap in shown)])


def _minutes(session_time_ms: int, began: int) -> float:
    return (session_time_ms - began) / _MINUTE_MS


def _interruptions(rows: SessionRows, began: int, until: float) -> list[Band]:
    changes = sorted(
        (change.session_time_ms, change.status) for change in rows.track_status if change.session_time_ms is not None
    )
    ends = [*(time for time, _ in changes[1:]), int(until * _MINUTE_MS) + began]
    spans = zip(changes, ends, strict=False)
    return bands_of((kind_of(status), _minutes(time, began), _minutes(end, began)) for (time, status), end in spans)


def _dots(plot: Plot, entrant: Entrant, laps: Sequence[Lap], began: int) -> Markup:
    at = {lap.lap_number: plot.at(_minutes(lap.session_time_ms or 0, began), time_of(lap) or 0) for lap in laps}
    if not entrant.highlighted:
        dots = element(
            "path",
            d=dots_at(at.values()),
            class_="chart-others",
            stroke="#8b939d",
            stroke_width="5",
            stroke_linecap="round",
            stroke_opacity="0.5",
        )
        return group(hint(f"{entrant.name}: {counted(len(laps), 'lap')}"), dots, class_="chart-driver")
    return group(
        *(circle(at[lap.lap_number], 4.5, hint(_told(entrant, lap)), **_fill(entrant)) for lap in laps),
        class_="chart-driver",
    )


def _fill(entrant: Entrant) -> dict[str, str]:
    """Fill the dots of one team mate, and leave the other's hollow."""
    if entrant.dash is None:
        return {"fill": entrant.color, "stroke": PAPER, "stroke_width": "1", "class_": "chart-dot"}
    return {"fill": PAPER, "stroke": entrant.color, "stroke_width": "2.4", "class_": "chart-pit"}


def _key_of_leaders(leaders: Sequence[Entrant]) -> Markup:
    entries = []
    for place, entrant in enumerate(leaders):
        x = 18 + 104.0 * place
        words = label(x + 12, 20, entrant.label, dominant_baseline="central", font_weight="600")
        entries.append(group(hint(f"{entrant.place}. {entrant.name}"), circle((x, 20), 5, **_fill(entrant)), words))
    x = 18 + 104.0 * len(leaders)
    grey = circle((x, 20), 3.5, fill="#8b939d", fill_opacity="0.6")
    return group(*entries, group(grey, label(x + 12, 20, "others", muted=True, dominant_baseline="central")))


def _told(entrant: Entrant, lap: Lap) -> str:
    tyre = f", {compound_of(lap.compound).name}" if lap.compound is not None else ""
    life = f", {counted(lap.tyre_life_laps, 'lap')} old" if lap.tyre_life_laps is not None else ""
    deleted = ", deleted" if lap.deleted else ""
    return f"{entrant.label} lap {lap.lap_number}: {lap_time(time_of(lap) or 0)}{tyre}{life}{deleted}"


def _summary(rows: SessionRows, entrants: Sequence[Entrant], shown: Sequence[Lap], best: Lap) -> str:
    labels = {entrant.number: entrant.label for entrant in entrants}
    timed = sum(1 for lap in rows.laps if time_of(lap) is not None)
    return (
        f"Fastest lap {lap_time(time_of(best) or 0)} by {labels[best.driver_number]} on lap {best.lap_number}; "
        f"{len(shown):,} of {counted(timed, 'timed lap')} are within 107% of it and drawn."
    )


def _table(entrants: Sequence[Entrant], laps: Mapping[str, Sequence[Lap]]) -> ChartTable:
    rows = []
    for entrant in entrants:
        own = laps.get(entrant.number, ())
        best = fastest(own)
        tyre = compound_of(best.compound).name if best and best.compound else ""
        time = lap_time(best.lap_time_ms or 0) if best else ""
        rows.append((entrant.label, str(len(own)), time, str(best.lap_number) if best else "", tyre))
    return ChartTable(("Driver", "Laps", "Best lap", "On lap", "Tyre"), tuple(rows))

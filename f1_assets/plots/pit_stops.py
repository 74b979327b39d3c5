"""Pit stops: a dot per stop at the time that it took in the pit lane."""

from __future__ import annotations

from collections.abc import Collection
from statistics import median

from f1_assets.formatting import counted
from f1_assets.plots.drawing import Drawing, chart_only, layered
from f1_assets.plots.drivers import Field, by_result
from f1_assets.plots.formats import seconds
from f1_assets.plots.grammar import calculated, domain, fading, isolating, kinds, layer, number, word
from f1_assets.plots.rows import NAMES, Frame, column, needed, plain, table

_UNDER = {"green": ("green flag", "#2a9d8f", "circle"), "sc": ("safety car", "#c98f00", "square"),
          "vsc": ("virtual safety car", "#8a6fb0", "diamond"), "red": ("red flag", "#d92d20", "triangle-up"),
          None: ("not known", "#7d8590", "cross")}  # fmt: skip


def draw(
    pit_stops: Frame,
    *,
    results: Frame | None = None,
    entries: Frame | None = None,
    drivers: Collection[str] = (),
) -> Drawing:
    """Draw how long each stop took.

    Parameters
    ----------
    pit_stops
        Rows of ``pit_stops`` of a race or sprint.
    results, entries
        Rows of ``results`` (order) and ``drivers`` (names), where there are some.
    drivers
        Who is drawn, by letters or number; everybody where it is empty.
    """
    also = ("standing_ms", "time_lost_ms", "under", "compound_after", *NAMES)
    stops = needed(pit_stops, "pit_stops", "driver_number", "lap_number", "lane_ms", also=also)
    field = Field.of(stops, entries, by_result(results), drivers)
    stops = field.rows(stops)
    for stop in stops:
        stop["look"] = _UNDER.get(stop["under"], _UNDER["green"])
        stop["under"] = stop["look"][0]
        for name, column_ms in (("lane", "lane_ms"), ("standing", "standing_ms"), ("lost", "time_lost_ms")):
            stop[name] = None if stop[column_ms] is None else stop[column_ms] / 1000
    times = column(stops, "lane")
    low, high = min(times), min(max(times), median(times) * 1.6)
    room = max(0.05 * (high - low), 0.3)
    data = {"stops": plain(stops, driver="driver", lap="lap_number", lane="lane", standing="standing", lost="lost",
                           under="under", tyre="compound_after")}  # fmt: skip
    x = number("shown", "Time in the pit lane (s)", axis={"tickCount": 8, "grid": False},
               scale=domain(low - room, high + 2 * room))  # fmt: skip
    y = field.axis()
    color, shape = kinds("under", "Under", [look for look in _UNDER.values() if look in column(stops, "look")])
    long = "' (' + format(datum.lane, '.1f') + ' s)'"
    shown = [calculated("shown", f"min(datum.lane, {high + room})"),
             calculated("words", f"'L' + datum.lap + (datum.lane > {high + room} ? {long} : '')")]  # fmt: skip
    tips = [word("driver", "Driver"), number("lap", "Lap"), number("lane", "In the lane (s)", format=".3f"),
            number("standing", "Standing (s)", format=".3f"), number("lost", "Time lost (s)", format=".3f"),
            word("tyre", "Tyres after"), word("under", "Under")]  # fmt: skip
    fade = fading("kinds", 0.12)
    layers = [
        layer("stops", {"type": "point", "filled": True, "size": 70}, shown, [isolating("under", "kinds")], x=x, y=y,
              color=color, shape=shape, opacity=fade, tooltip=tips),
        layer("stops", {"type": "text", "style": "quiet", "align": "left", "dx": 7, "fontSize": 10}, shown, x=x, y=y,
              text=word("words"), opacity=fade),
    ]  # fmt: skip
    chart = layered("Pit stops", pit_stops, layers, data, max(140, 22 * len(field.labels)))
    numbers = table({
        "Driver": column(stops, "driver"), "Lap": column(stops, "lap_number"),
        "In the lane (s)": map(seconds, column(stops, "lane_ms")),
        "Standing (s)": map(seconds, column(stops, "standing_ms")),
        "Time lost (s)": map(seconds, column(stops, "time_lost_ms")), "Under": column(stops, "under"),
    })  # fmt: skip
    quickest = min(stops, key=lambda stop: stop["lane_ms"])
    told = f"{counted(len(stops), 'stop')}. The shortest took {seconds(quickest['lane_ms'])} s in the pit lane, "
    told += f"{quickest['driver']} on lap {quickest['lap_number']}; the median is {median(times):.3f} s."
    return Drawing("Pit stops", chart, told, numbers)


pit_stops = chart_only(draw)

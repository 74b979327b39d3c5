"""Dominance: how far each driver's best sectors, and the mini sectors of the best lap, are from the best of all."""

from __future__ import annotations

from collections.abc import Collection

from f1_assets.plots.drawing import Drawing, beside, chart_only, in_words
from f1_assets.plots.drivers import Field
from f1_assets.plots.formats import lap_time, seconds
from f1_assets.plots.grammar import Spec, calculated, layer, number, only, word
from f1_assets.plots.rows import NAMES, Frame, Rows, by, column, needed, plain, quantile, rows_of, table

_SECTORS = {"sector1_time_ms": "S1", "sector2_time_ms": "S2", "sector3_time_ms": "S3"}
_IN_THE_PITS = 2064
_TIMED = ("driver_number", "lap_number", "lap_time_ms", *_SECTORS)
_OF_MINI = ("driver_number", "lap_number", "sector", "segment", "status", "time_ms")


def draw(
    laps: Frame,
    *,
    mini_sectors: Frame | None = None,
    entries: Frame | None = None,
    drivers: Collection[str] = (),
) -> Drawing:
    """Draw who is fastest where, drivers by their best lap.

    Parameters
    ----------
    laps
        Rows of ``laps`` of one session.
    mini_sectors
        Rows of ``mini_sectors``, where there are some: those of each driver's best lap are drawn.
    entries
        Rows of ``drivers`` (names), where there are some.
    drivers
        Who is drawn, by letters or number; everybody where it is empty.
    """
    timed = _counting(laps)
    bests = best_laps(laps)
    field = Field.of(timed, entries, [str(lap["driver_number"]) for lap in bests], drivers)
    timed, bests = field.rows(timed), field.rows(bests)
    own = by(timed, "driver")
    sectors = {name: {driver: min(column(rows, ms)) for driver, rows in own.items()} for ms, name in _SECTORS.items()}
    best = {name: min(times.values()) for name, times in sectors.items()}
    long = [{"driver": driver, "place": name, "gap": time - best[name], "time": time}
            for name, times in sectors.items() for driver, time in times.items()]  # fmt: skip
    data, panels = {"sectors": plain(long, **_FIELDS)}, [_panel("sectors", "Best sectors", field, 150, long)]
    if mini := _mini(mini_sectors, bests, field):
        data["mini"] = plain(mini, **_FIELDS)
        panels.append(_panel("mini", "Mini sectors of the best lap", field, 430, mini))
    chart = beside("Sector dominance", laps, panels, data)
    numbers = table({
        "Driver": field.labels, "Best lap (m:ss.mmm)": map(lap_time, column(bests, "lap_time_ms")),
        **{f"{name} (s)": [seconds(times[driver]) for driver in field.labels] for name, times in sectors.items()},
        "Ideal lap (m:ss.mmm)": [lap_time(sum(times[driver] for times in sectors.values())) for driver in field.labels],
    })  # fmt: skip
    fastest = {name: min(times, key=times.__getitem__) for name, times in sectors.items()}
    told = in_words([f"{name} {driver} ({seconds(best[name])} s)" for name, driver in fastest.items()])
    return Drawing("Sector dominance", chart, f"Fastest in {told}.", numbers)


dominance = chart_only(draw)

_FIELDS = {name: name for name in ("driver", "place", "gap", "time")}


def best_laps(laps: Frame) -> Rows:
    """Return the best lap of each driver that counts, the fastest first."""
    ordered = sorted(_counting(laps), key=lambda lap: (lap["lap_time_ms"], lap["lap_number"]))
    return [own[0] for own in by(ordered, "driver_number").values()]


def _counting(laps: Frame) -> Rows:
    timed = needed(laps, "dominance", *_TIMED, also=("deleted", *NAMES))
    return [lap for lap in timed if not lap["deleted"]] or timed


def _panel(name: str, title: str, field: Field, width: int, rows: Rows) -> Spec:
    is_first, widest = name == "sectors", max(quantile(column(rows, "gap"), 0.8), 1.0)
    x = word("place", title, sort=None, axis={"orient": "top", "labelAngle": 0, "ticks": False, "domain": False,
             "labelFontSize": 11 if is_first else 9})  # fmt: skip
    axis = {"ticks": False, "domain": False, "labelFontWeight": 600} if is_first else None
    y = word("driver", None, sort=field.labels, axis=axis)
    purple = ["#7b3fb5", "#d9cde8", "#f3efe6"]
    scale = {"domain": [0, widest], "range": purple, "clamp": True, "interpolate": "rgb"}
    color = number("gap", "Behind (ms)", scale=scale, legend=None)
    tips = [word("driver", "Driver"), word("place", "Sector"), number("time", "Time (ms)", format=".0f"),
            number("gap", "Behind the fastest (ms)", format=".0f")]  # fmt: skip
    text = {"type": "text", "fontSize": 11, "color": "#1c2024"}
    ink = {"condition": {"test": f"datum.gap < {widest * 0.3}", "value": "#ffffff"}, "value": "#1c2024"}
    layers = [layer(name, {"type": "rect"}, x=x, y=y, color=color, tooltip=tips)]
    if is_first:
        said = calculated("said", "datum.gap === 0 ? 'fastest' : '+' + format(datum.gap / 1000, '.3f')")
        layers.append(layer(name, text, [said], x=x, y=y, text=word("said"), color=ink))
    else:
        layers.append(layer(name, text | {"text": "●"}, [only("datum.gap === 0")], x=x, y=y, color=ink))
    return {"width": width, "height": max(120, 20 * len(field.labels)), "layer": layers}


def _mini(mini_sectors: Frame | None, bests: Rows, field: Field) -> Rows:
    """Return the mini sectors of best laps, with what each lost to the fastest of these laps there."""
    wanted = {(lap["driver_number"], lap["lap_number"]) for lap in bests}
    of_best = [
        row | {"place": f"{row['sector']}.{row['segment']}", "time": row["time_ms"]}
        for row in rows_of(mini_sectors, *_OF_MINI)
        if (row["driver_number"], row["lap_number"]) in wanted
        and row["time_ms"] is not None
        and row["status"] != _IN_THE_PITS
    ]
    fastest = {place: min(column(rows, "time")) for place, rows in by(of_best, "place").items()}
    for row in of_best:
        row["gap"] = row["time"] - fastest[row["place"]]
    return sorted(field.rows(of_best), key=lambda row: (row["sector"], row["segment"]))

"""Which charts there are, what each needs, and those of a session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from f1_assets.keys import SessionKey
from f1_assets.plots import best_laps, lap_times, laps_by_clock, positions, strategy, track_map, weather
from f1_assets.plots.chart import Chart
from f1_assets.plots.reading import SessionRows, present, read
from f1_assets.warehouse import Warehouse


@dataclass(frozen=True)
class Drawing:
    """A kind of chart.

    Parameters
    ----------
    draw
        Gives the chart, or None when the rows tell nothing that it could show.
    needs
        Datasets of which at least one must be there.
    uses
        Datasets that add to it.
    races
        Whether it is of races and sprints only (True), of all other sessions only (False), or of all (None).
    """

    draw: Callable[[SessionRows], Chart | None]
    needs: frozenset[str]
    uses: frozenset[str] = frozenset()
    races: bool | None = None

    def applies(self, rows: SessionRows) -> bool:
        """Check whether such a session has this chart."""
        return self.races is None or self.races == rows.is_race


_WHO = frozenset({"drivers", "results"})

DRAWINGS = (
    Drawing(best_laps.draw, frozenset({"laps", "results"}), _WHO, races=False),
    Drawing(positions.draw, frozenset({"laps", "results"}), _WHO, races=True),
    Drawing(lap_times.draw, frozenset({"laps"}), _WHO, races=True),
    Drawing(laps_by_clock.draw, frozenset({"laps"}), _WHO | {"session_status", "track_status"}, races=False),
    Drawing(strategy.draw, frozenset({"laps"}), _WHO, races=True),
    Drawing(weather.draw, frozenset({"weather"}), frozenset({"session_status"})),
    Drawing(track_map.draw, frozenset({"circuit", "position_telemetry"}), _WHO | {"laps"}),
)


_OF_DATASET: dict[str, tuple[Drawing, ...]] = {
    name: tuple(drawing for drawing in DRAWINGS if drawing.draw in draws)
    for name, draws in {
        "circuit": (track_map.draw,),
        "laps": (strategy.draw, laps_by_clock.draw),
        "position_telemetry": (track_map.draw,),
        "results": (positions.draw, best_laps.draw),
        "weather": (weather.draw,),
    }.items()
}


def dataset_chart(warehouse: Warehouse, key: SessionKey, dataset: str) -> Chart | None:
    """Draw the one chart that says most of a dataset of a session, from what is there; None where there is none."""
    there = present(warehouse, key)
    for drawing in _OF_DATASET.get(dataset, ()):
        if drawing.applies(SessionRows(key)) and dataset in there:
            return drawing.draw(read(warehouse, key, drawing.needs | drawing.uses, there))
    return None


def session_charts(warehouse: Warehouse, key: SessionKey | str) -> list[Chart]:
    """Draw what there is to see of a session.

    Parameters
    ----------
    warehouse
        Where its data is. Each dataset is read once; one that is not there costs only the charts that need it.
    key
        The session: ``2024-03-R``.

    Returns
    -------
    list of Chart
        In the order of a page; empty for a session of which there is nothing.
    """
    key = SessionKey.parse(key) if isinstance(key, str) else key
    there = present(warehouse, key)
    drawings = [drawing for drawing in DRAWINGS if drawing.applies(SessionRows(key)) and drawing.needs & there.keys()]
    wanted = frozenset[str]().union(*(drawing.needs | drawing.uses for drawing in drawings))
    return charts_of(read(warehouse, key, wanted, there)) if drawings else []


def charts_of(rows: SessionRows) -> list[Chart]:
    """Draw rows that were read."""
    drawn = (drawing.draw(rows) for drawing in DRAWINGS if drawing.applies(rows))
    return [chart for chart in drawn if chart is not None]

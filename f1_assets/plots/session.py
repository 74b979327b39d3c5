"""The charts of a stored session and of a season: which there are, what each reads, and their words and numbers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import altair as alt
import pandas as pd

from f1_assets.datasets import all_datasets
from f1_assets.keys import SessionKey
from f1_assets.plots.drawing import Drawing, NothingToDraw
from f1_assets.plots.lap_times import draw as draw_lap_times
from f1_assets.plots.weather import draw as draw_weather
from f1_assets.warehouse import Status, Warehouse

_RACES = frozenset({"R", "S"})

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "laps": (
        "driver_number", "lap_number", "abbreviation", "team_name", "session_time_ms", "lap_time_ms",
        "lap_start_time_ms", "sector1_time_ms", "sector2_time_ms", "sector3_time_ms", "pit_out_time_ms",
        "pit_in_time_ms", "compound", "tyre_life_laps", "position", "deleted",
    ),
    "drivers": ("driver_number", "abbreviation", "team_name", "team_color"),
    "results": ("driver_number", "position", "grid_position", "q1_ms", "q2_ms", "q3_ms"),
}  # fmt: skip
"""Columns of datasets of which charts need some alone."""


@dataclass(frozen=True)
class SessionChart:
    """A chart of a session.

    Parameters
    ----------
    id
        Names the kind of chart: ``lap-times``.
    title
        What it shows.
    summary
        A sentence or two that tell what the picture does, for who does not see it.
    chart
        The chart, with its data.
    table
        The numbers behind it, with units in the names of the columns.
    """

    id: str
    title: str
    summary: str
    chart: alt.TopLevelMixin
    table: pd.DataFrame


@dataclass
class Stored:
    """The datasets of a session that are there, each read once."""

    warehouse: Warehouse
    key: SessionKey
    drivers: Collection[str] = ()
    laps: Sequence[int] = ()
    _frames: dict[str, pd.DataFrame] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Look up what is there."""
        lines = self.warehouse.extractions(self.key)
        self.present = {line.dataset: line for line in lines if line.status is Status.PRESENT}

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return the rows of a dataset."""
        if name not in self._frames:
            dataset = all_datasets()[name]
            columns = _COLUMNS.get(name, tuple(column.name for column in dataset.columns))
            frame = self.warehouse.rows(dataset, self.key, columns=columns)
            key: dict[str, Any] = {"season": self.key.season, "round": self.key.round, "session": self.key.session}
            self._frames[name] = frame.assign(**key)
        return self._frames[name]

    def get(self, name: str) -> pd.DataFrame | None:
        """Return the rows of a dataset; None where it is not there."""
        return self[name] if name in self.present else None


@dataclass(frozen=True)
class _Kind:
    """A kind of chart: what it is called, which datasets it needs, and in which sessions it is."""

    id: str
    draw: Callable[[Stored], Drawing]
    needs: tuple[str, ...]
    races: bool | None = None

    def applies(self, stored: Stored) -> bool:
        is_race = stored.key.session in _RACES
        return self.races in (None, is_race) and all(name in stored.present for name in self.needs)


def _lap_times(stored: Stored) -> Drawing:
    return draw_lap_times(
        stored["laps"], stored.get("drivers"), stored.get("results"), stored.get("neutralisations"), stored.drivers
    )


def _weather(stored: Stored) -> Drawing:
    status = stored.get("session_status")
    began = None
    if status is not None:
        started = status.loc[status["status"] == "Started", "session_time_ms"].dropna()
        began = float(started.min()) if len(started) else None
    return draw_weather(stored["weather"], stored.get("neutralisations"), began)


_KINDS = (
    _Kind("lap-times", _lap_times, ("laps",)),
    _Kind("weather", _weather, ("weather",)),
)


def session_charts(
    warehouse: Warehouse, key: SessionKey | str, *, drivers: Collection[str] = (), laps: Sequence[int] = ()
) -> list[SessionChart]:
    """Draw what there is to see of a session.

    Parameters
    ----------
    warehouse
        Where its data is. Each dataset is read once; one that is not there costs only the charts that need it.
    key
        The session: ``2024-03-R``.
    drivers
        Who is drawn, by letters or number; everybody where it is empty. Two laps are compared of the first two.
    laps
        Which laps are compared, one of each of these drivers; the fastest ones where it is empty.

    Returns
    -------
    list of SessionChart
        In the order of a page; empty for a session of which there is nothing.

    Raises
    ------
    UsageError
        When a driver is not in the session.
    """
    stored = _stored(warehouse, key, drivers, laps)
    drawn = (_drawn(kind, stored) for kind in _KINDS)
    return [chart for chart in drawn if chart is not None]


def session_chart(
    warehouse: Warehouse, key: SessionKey | str, id: str, *, drivers: Collection[str] = (), laps: Sequence[int] = ()
) -> SessionChart | None:
    """Draw one chart of a session, see `session_charts`; None where the session does not have it."""
    stored = _stored(warehouse, key, drivers, laps)
    return next((chart for kind in _KINDS if kind.id == id and (chart := _drawn(kind, stored)) is not None), None)


def season_charts(warehouse: Warehouse, season: int) -> list[SessionChart]:
    """Draw the championships of drivers and of teams over a season."""
    return []


def _stored(warehouse: Warehouse, key: SessionKey | str, drivers: Collection[str], laps: Sequence[int]) -> Stored:
    return Stored(warehouse, SessionKey.parse(key) if isinstance(key, str) else key, drivers, laps)


def _drawn(kind: _Kind, stored: Stored) -> SessionChart | None:
    if not kind.applies(stored):
        return None
    try:
        drawing = kind.draw(stored)
    except NothingToDraw:
        return None
    return SessionChart(kind.id, drawing.title, drawing.summary, drawing.chart, drawing.table)

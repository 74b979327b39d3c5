"""The charts of a stored session and of a season: which there are, what each reads, and their words and numbers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Literal

import altair as alt
import pandas as pd
from sqlalchemy import select

from f1_assets.datasets import all_datasets
from f1_assets.datasets.lap_telemetry import lap_telemetry
from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.plots.degradation import draw as draw_degradation
from f1_assets.plots.dominance import best_laps
from f1_assets.plots.dominance import draw as draw_dominance
from f1_assets.plots.drawing import Drawing, session_in_words, subtitled
from f1_assets.plots.drivers import Field, finishing_order
from f1_assets.plots.gaps import draw as draw_gaps
from f1_assets.plots.lap_times import draw as draw_lap_times
from f1_assets.plots.pace import draw as draw_pace
from f1_assets.plots.pit_stops import draw as draw_pit_stops
from f1_assets.plots.positions import draw as draw_positions
from f1_assets.plots.qualifying import draw as draw_qualifying
from f1_assets.plots.rows import NAMES, NothingToDraw, Rows, needed
from f1_assets.plots.speed_trace import draw as draw_speed_trace
from f1_assets.plots.standings import draw as draw_standings
from f1_assets.plots.track_map import draw as draw_track_map
from f1_assets.plots.tyre_strategy import draw as draw_tyre_strategy
from f1_assets.plots.weather import draw as draw_weather
from f1_assets.warehouse import Extraction, Status, Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import circuits, events, of_session, sessions

_RACES = frozenset({"R", "S"})

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "laps": (
        "session", "driver_number", "lap_number", "abbreviation", "team_name", "session_time_ms", "lap_time_ms",
        "lap_start_time_ms", "sector1_time_ms", "sector2_time_ms", "sector3_time_ms", "pit_out_time_ms",
        "pit_in_time_ms", "compound", "tyre_life_laps", "position", "deleted",
    ),
    "drivers": ("driver_number", "abbreviation", "team_name", "team_color"),
    "results": ("driver_number", "position", "grid_position", "q1_ms", "q2_ms", "q3_ms"),
    "lap_context": ("driver_number", "lap_number", "is_clean"),
}  # fmt: skip
"""Columns of datasets of which charts need some alone."""

_SAMPLES = {
    "car_telemetry": ("driver_number", "session_time_ms", "speed_kmh", "gear", "throttle_pct", "brake"),
    "position_telemetry": ("driver_number", "session_time_ms", "x", "y"),
}
_OF_MINI_SECTORS = ("driver_number", "lap_number", "sector", "segment", "status", "time_ms")
_AROUND_MS = 3000
"""So much before and after a lap is read: its first and last values lie between samples."""


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
    _read: dict[str, Rows] = field(default_factory=dict)

    @functools.cached_property
    def present(self) -> Mapping[str, Extraction]:
        """What is there, by dataset."""
        lines = self.warehouse.extractions(self.key)
        return {line.dataset: line for line in lines if line.status is Status.PRESENT}

    def __getitem__(self, name: str) -> Rows:
        """Return the rows of a dataset of the database."""
        if name not in self._read:
            self._read[name] = self.warehouse.plain_rows(all_datasets()[name], self.key, _COLUMNS.get(name))
        return self._read[name]

    def get(self, name: str) -> Rows | None:
        """Return the rows of a dataset; None where it is not there."""
        return self[name] if name in self.present else None

    def also(self, *names: str) -> dict[str, Any]:
        """Return what adds to a chart, by the name of its parameter."""
        entries = "drivers" if "drivers" in self.present else "laps"
        return {name: self.get(entries if name == "entries" else name) for name in names}

    @functools.cached_property
    def compared(self) -> tuple[pd.DataFrame, pd.DataFrame | None]:
        """Return the telemetry of two laps: of the chosen drivers and laps, else the fastest ones of the best two."""
        times = ("lap_start_time_ms", "session_time_ms")
        laps = needed(self["laps"], "telemetry", "driver_number", "lap_number", *times, also=("lap_time_ms", *NAMES))
        field = Field.of(laps, self.get("drivers"), finishing_order(laps, self.get("results")), self.drivers)
        chosen: Rows = []
        for place, driver in enumerate(field.drivers[:2]):
            own = [lap for lap in laps if str(lap["driver_number"]) == driver.number]
            if place < len(self.laps):
                own = [lap for lap in own if lap["lap_number"] == self.laps[place]]
                if not own:
                    raise UsageError(f"{driver.label} has no lap {self.laps[place]}.")
            else:
                own = sorted((lap for lap in own if lap["lap_time_ms"] is not None), key=itemgetter("lap_time_ms"))
            chosen += [own[0] | {"driver": driver.label}] if own else []
        whole = [lap for lap in self._telemetry(chosen) if len(lap)] if chosen else []
        if not whole:
            raise NothingToDraw("There is no telemetry of these laps.")
        return whole[0], whole[1] if len(whole) > 1 else None

    def _telemetry(self, laps: Rows) -> list[pd.DataFrame]:
        """Read the samples of laps: of each file the drivers' row groups, some columns, some seconds around laps."""
        conditions = [
            [("driver_number", "==", lap["driver_number"]),
             ("session_time_ms", ">=", lap["lap_start_time_ms"] - _AROUND_MS),
             ("session_time_ms", "<=", lap["session_time_ms"] + _AROUND_MS)] for lap in laps
        ]  # fmt: skip
        files = [
            self.warehouse.read_file(self.present[name].file or "", columns, conditions)
            for name, columns in _SAMPLES.items()
        ]
        whole = []
        for lap in laps:
            car, positions = (samples[samples["driver_number"] == lap["driver_number"]] for samples in files)
            driven = lap_telemetry(car, positions, lap["lap_start_time_ms"], lap["session_time_ms"])
            whole.append(driven.assign(**{name: lap[name] for name in ("driver_number", "driver", "lap_number")}))
        return whole

    def mini_sectors(self) -> pd.DataFrame | None:
        """Read the mini sectors of the laps that are some driver's best."""
        if "mini_sectors" not in self.present:
            return None
        best = {lap["driver_number"]: lap["lap_number"] for lap in best_laps(self["laps"])}
        frame = self.warehouse.read_file(self.present["mini_sectors"].file or "", _OF_MINI_SECTORS)
        return frame[(frame["lap_number"] == frame["driver_number"].map(best)).fillna(False)]

    @functools.cached_property
    def place(self) -> tuple[str, float]:
        """The name of the event, and how far the map of its circuit is turned; 0 where nobody knows."""
        where = sessions.join(events, events.c.event_key == sessions.c.event_key).outerjoin(
            circuits, circuits.c.circuit_key == events.c.circuit_key
        )
        query = select(events.c.name, circuits.c.rotation_deg).select_from(where).where(of_session(sessions, self.key))
        with reading(self.warehouse.engine) as connection:
            found = connection.execute(query).first()
        return (found[0], float(found[1] or 0.0)) if found else ("", 0.0)


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


def _of(dataset: str, draw: Callable[..., Drawing], *also: str) -> Callable[[Stored], Drawing]:
    """Return what draws the rows of a dataset, with what adds to the chart."""
    return lambda stored: draw(stored[dataset], drivers=stored.drivers, **stored.also(*also))


def _gaps(stored: Stored) -> Drawing:
    also = stored.also("entries", "results", "neutralisations")
    between = stored.drivers if len(stored.drivers) == 2 else ()
    return draw_gaps(stored["laps"], between=between, drivers=stored.drivers, **also)


def _tyre_strategy(stored: Stored) -> Drawing:
    also = ("entries", "results", "neutralisations")
    return _of("stints" if "stints" in stored.present else "laps", draw_tyre_strategy, *also)(stored)


def _dominance(stored: Stored) -> Drawing:
    mini_sectors, also = stored.mini_sectors(), stored.also("entries")
    return draw_dominance(stored["laps"], drivers=stored.drivers, mini_sectors=mini_sectors, **also)


def _speed_trace(stored: Stored) -> Drawing:
    first, second = stored.compared
    return draw_speed_trace(first, second, **stored.also("entries", "circuit"))


def _track_map(colour: Literal["plain", "speed", "gear", "fastest"]) -> Callable[[Stored], Drawing]:
    def draw(stored: Stored) -> Drawing:
        first, second = stored.compared
        if colour == "fastest" and second is None:
            raise NothingToDraw("There is one lap alone.")
        also = stored.also("entries", "circuit")
        return draw_track_map(first, second, colour=colour, rotation_deg=stored.place[1], **also)

    return draw


def _weather(stored: Stored) -> Drawing:
    starts = [row["session_time_ms"] for row in stored.get("session_status") or () if row["status"] == "Started"]
    began = min((start for start in starts if start is not None), default=None)
    return draw_weather(stored["weather"], began_ms=began, **stored.also("neutralisations"))


_TELEMETRY = ("laps", "car_telemetry", "position_telemetry")

_KINDS = (
    _Kind("qualifying", _of("results", draw_qualifying, "entries"), ("results",), races=False),
    _Kind("positions", _of("laps", draw_positions, "entries", "results", "neutralisations"), ("laps",), races=True),
    _Kind("lap-times", _of("laps", draw_lap_times, "entries", "results", "neutralisations"), ("laps",)),
    _Kind("gaps", _gaps, ("laps",), races=True),
    _Kind("tyre-strategy", _tyre_strategy, ("laps",), races=True),
    _Kind("pace", _of("laps", draw_pace, "entries", "lap_context"), ("laps",), races=True),
    _Kind("degradation", _of("tyre_degradation", draw_degradation, "entries", "results", "stints"),
          ("tyre_degradation",), races=True),
    _Kind("pit-stops", _of("pit_stops", draw_pit_stops, "entries", "results"), ("pit_stops",), races=True),
    _Kind("dominance", _dominance, ("laps",)),
    _Kind("speed-trace", _speed_trace, _TELEMETRY),
    _Kind("track-fastest", _track_map("fastest"), _TELEMETRY),
    _Kind("track-speed", _track_map("speed"), _TELEMETRY),
    _Kind("track-gear", _track_map("gear"), _TELEMETRY),
    _Kind("weather", _weather, ("weather",)),
)  # fmt: skip


_OF_THE_LAKE = {kind.id for kind in _KINDS if kind.needs == _TELEMETRY} | {"dominance"}


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
    """Draw the championships of drivers and of teams over a season; empty where no standings are stored."""
    charts = []
    key, datasets = SeasonKey(season), all_datasets()
    entries = warehouse.plain_rows(datasets["drivers"], key, ("team_id", "team_color"))
    for name in ("driver_standings", "constructor_standings"):
        if rows := warehouse.plain_rows(datasets[name], key):
            charts.append(_chart(name.replace("_", "-"), draw_standings(rows, entries=entries)))
    return charts


def _stored(warehouse: Warehouse, key: SessionKey | str, drivers: Collection[str], laps: Sequence[int]) -> Stored:
    return Stored(warehouse, SessionKey.parse(key) if isinstance(key, str) else key, drivers, laps)


def _drawn(kind: _Kind, stored: Stored) -> SessionChart | None:
    if not kind.applies(stored):
        return None
    try:
        drawing = kind.draw(stored)
    except NothingToDraw:
        return None
    except ConfigurationError:
        if kind.id in _OF_THE_LAKE:
            return None  # the lake is out of reach: what is in the database is drawn all the same
        raise
    subtitled(drawing.chart, session_in_words(stored.key, stored.place[0]), first=True)
    return _chart(kind.id, drawing)


def _chart(id: str, drawing: Drawing) -> SessionChart:
    return SessionChart(id, drawing.title, drawing.summary, drawing.chart, drawing.table)

"""Charts of sessions and seasons: functions over the warehouse's rows that return interactive Vega-Altair charts."""

from f1_assets.plots.degradation import degradation
from f1_assets.plots.dominance import dominance
from f1_assets.plots.gaps import gaps
from f1_assets.plots.lap_times import lap_times
from f1_assets.plots.pace import pace
from f1_assets.plots.pictures import png, svg
from f1_assets.plots.pit_stops import pit_stops
from f1_assets.plots.positions import positions
from f1_assets.plots.qualifying import qualifying
from f1_assets.plots.session import SessionChart, season_charts, session_chart, session_charts
from f1_assets.plots.specification import vega_lite
from f1_assets.plots.speed_trace import speed_trace
from f1_assets.plots.standings import standings
from f1_assets.plots.theme import Scheme, config
from f1_assets.plots.track_map import track_map
from f1_assets.plots.tyre_strategy import tyre_strategy
from f1_assets.plots.weather import weather

__all__ = [
    "Scheme",
    "SessionChart",
    "config",
    "degradation",
    "dominance",
    "gaps",
    "lap_times",
    "pace",
    "pit_stops",
    "png",
    "positions",
    "qualifying",
    "season_charts",
    "session_chart",
    "session_charts",
    "speed_trace",
    "standings",
    "svg",
    "track_map",
    "tyre_strategy",
    "vega_lite",
    "weather",
]

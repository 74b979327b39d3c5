"""Charts of sessions and seasons: functions over the warehouse's rows that return interactive Vega-Altair charts."""

from f1_assets.plots.pictures import png, svg
from f1_assets.plots.session import SessionChart, season_charts, session_chart, session_charts
from f1_assets.plots.specification import vega_lite
from f1_assets.plots.theme import Scheme, config

from f1_assets.plots.lap_times import lap_times  # isort: skip
from f1_assets.plots.weather import weather  # isort: skip

__all__ = [
    "Scheme",
    "SessionChart",
    "config",
    "lap_times",
    "png",
    "season_charts",
    "session_chart",
    "session_charts",
    "svg",
    "vega_lite",
    "weather",
]

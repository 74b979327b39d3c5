"""Charts of a session as accessible inline SVG, drawn from the warehouse alone."""

from f1_assets.plots.chart import Chart, ChartTable, data_uri, standalone
from f1_assets.plots.gallery import dataset_chart, session_charts

__all__ = ["Chart", "ChartTable", "data_uri", "dataset_chart", "session_charts", "standalone"]

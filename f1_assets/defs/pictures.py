"""The picture of a session: one chart as PNG, drawn when somebody asks for it, for those who stay in Dagster.

All charts, to point at and to zoom, are on the season board.
"""

import base64
import io
from typing import TYPE_CHECKING

import dagster as dg

from f1_assets.defs.descriptions import way_back
from f1_assets.defs.governor import PICTURES_JOB
from f1_assets.defs.metadata import OWNERS, board_page
from f1_assets.defs.partitions import SESSIONS
from f1_assets.defs.resources import WarehouseResource
from f1_assets.defs.tags import name_session
from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.escaping import markdown, visible
from f1_assets.keys import SessionKey
from f1_assets.warehouse.calendar import event_of

if TYPE_CHECKING:
    from altair import TopLevelMixin

    from f1_assets.plots import SessionChart
    from f1_assets.warehouse import Warehouse

PICTURE_BYTES = 60_000
"""As text, a picture is at most so large: Dagster keeps each of them for ever in its event log."""

_CHARTS = ("qualifying", "positions", "lap-times", "weather")
"""The first of these that a session has is its picture."""

_FORMS = ((1.0, 64), (1.0, 16), (0.7, 16), (0.5, 8))
"""Scale and number of colours, the best first."""


@dg.asset(
    partitions_def=SESSIONS,
    group_name="pictures",
    kinds={"vega", "png"},
    owners=OWNERS,
    deps=["laps", "results", "weather"],
    description=(
        "One picture per session: its qualifying, the positions of its race, or its lap times.\n\n"
        f"Job `{PICTURES_JOB}` draws it from stored rows, without a request; nothing draws it by itself. It needs the "
        "extra `pictures`: `pip install 'f1-assets[pictures]'`.\n\n"
        f"{way_back()}"
    ),
)
def session_picture(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult[None]:
    """Draw one chart of a session."""
    try:
        opened, key = warehouse.context(), SessionKey.parse(context.partition_key)
        name_session(context.instance, context.run, event_of(opened.warehouse, key), key)
        chart = _chart_of(opened.warehouse, key)
        picture = small_png(chart.chart)
    except (ConfigurationError, UsageError) as error:
        raise dg.Failure(visible(str(error), lines=True), allow_retries=False) from error
    address = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    return dg.MaterializeResult(
        metadata={
            "picture": dg.MetadataValue.md(f"![{markdown(f'{key}: {chart.title}')}]({address})"),
            "shows": visible(f"{chart.title}. {chart.summary}"),
            "season_board": board_page(opened.settings, key),
        }
    )


session_pictures = dg.define_asset_job(
    PICTURES_JOB,
    selection=dg.AssetSelection.assets(session_picture),
    executor_def=dg.in_process_executor,
    description="Draw the picture of one session from its stored rows; needs the extra `pictures`.",
)


def _chart_of(warehouse: "Warehouse", key: SessionKey) -> "SessionChart":
    from f1_assets.plots import session_chart  # Altair takes half a second, which loading the definitions need not

    drawn = (session_chart(warehouse, key, name) for name in _CHARTS)
    chart = next((each for each in drawn if each is not None), None)
    if chart is None:
        raise UsageError(
            "Nothing is stored that could be drawn.", key=key, advice="Materialize laps or results of it first."
        )
    return chart


def small_png(chart: "TopLevelMixin", at_most: int = PICTURE_BYTES) -> bytes:
    """Return a chart as a PNG that fits as text: with fewer colours, then smaller.

    Raises
    ------
    ConfigurationError
        When the extra `pictures` is not installed, or no form of the chart fits.
    """
    from f1_assets.plots import png

    for scale, colours in _FORMS:
        picture = _with_colours(png(chart, scale=scale), colours)
        if len(picture) * 4 / 3 <= at_most - 200:  # base64, and what stands around it
            return picture
    raise ConfigurationError(f"The picture is larger than {at_most:,} bytes in every form.")


def _with_colours(picture: bytes, number: int) -> bytes:
    """Write a picture with so many colours: of a chart nobody sees the difference, and it is an eighth as large."""
    from PIL import Image

    written = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as opened:
        opened.convert("RGB").quantize(number).save(written, "PNG", optimize=True)
    return written.getvalue()

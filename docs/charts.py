"""Make the pictures of the charts anew: one of each, from a simulated season with telemetry as dense as the real one.

Takes about three minutes.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

from f1_assets import plots
from f1_assets.connection import connect
from f1_assets.datasets import all_datasets
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import load_settings

PICTURES = Path(__file__).parent / "pictures"
SEASON, RACES = 2025, 5
SHAPE = f"races={RACES},tests=0,sprints=0,samples_every=1"
AT_MOST_BYTES, COLOURS = 100_000, 128


def main() -> None:
    """Import a weekend and the standings of the season, and draw."""
    with tempfile.TemporaryDirectory(prefix="f1_assets_charts_") as folder:
        settings = load_settings(home=Path(folder), source="simulator", simulator=SHAPE)
        warehouse, transport = connect(settings), Transport(settings)
        refresh_calendar(SEASON, warehouse=warehouse, transport=transport)
        standings = ("drivers", "driver_standings", "constructor_standings")
        wanted = {
            SessionKey(SEASON, 1, "R"): tuple(name for name in all_datasets() if name != "driver_race_info"),
            SessionKey(SEASON, 1, "Q"): tuple(name for name in all_datasets() if name != "driver_race_info"),
            **{SessionKey(SEASON, number, "R"): standings for number in range(2, RACES + 1)},
        }
        for key, datasets in wanted.items():
            process_session_gap(SessionGap(key, datasets), warehouse=warehouse, transport=transport)
        race, qualifying = (plots.session_charts(warehouse, key) for key in [*wanted][:2])
        of_qualifying = [chart for chart in qualifying if chart.id in ("qualifying", "track-fastest")]
        others = [chart for chart in race if chart.id != "track-fastest"]
        first_two = list(race[0].table["Driver"][:2])
        between = plots.session_chart(warehouse, next(iter(wanted)), "gaps", drivers=first_two)
        for chart in (*others, *of_qualifying, *plots.season_charts(warehouse, SEASON)):
            _save(chart.id, plots.png(chart.chart, scale=1.25))
        if between is not None:
            _save("gaps-between", plots.png(between.chart, "dark", scale=1.25))
        transport.close()
        warehouse.close()


def _save(name: str, picture: bytes) -> None:
    """Store a picture; where it is too large, in fewer colours."""
    path = PICTURES / f"chart-{name}.png"
    drawn = Image.open(io.BytesIO(picture)).convert("RGB")
    drawn.save(path, optimize=True)
    if path.stat().st_size > AT_MOST_BYTES:
        drawn.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    sys.stdout.write(f"{path} {path.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()

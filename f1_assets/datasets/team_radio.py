"""Team radio: the messages between cars and teams that were broadcast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from f1_assets.datasets.definition import Dataset, Extract, Field
from f1_assets.datasets.joins import RADIO_WITH_LAP
from f1_assets.datasets.refusals import Refusals
from f1_assets.datasets.rules import drivers_are_known
from f1_assets.feeds.table import Feed

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession


def extract(loaded: LoadedSession) -> Extract:
    """Return every message on the radio of the session's own cars and time."""
    radio, refusals = loaded.team_radio, Refusals()
    rows = [
        {"driver_number": capture.driver_number, "utc": capture.utc, "url": f"{loaded.folder_url}{capture.path}"}
        for capture in radio.captures
    ]
    frame = refusals.other_cars(pd.DataFrame(rows, columns=["driver_number", "utc", "url"]), loaded.cars)
    frame = refusals.published_later(frame, loaded.own_time.latest_at)
    return Extract(frame, notes=radio.counts.document() | refusals.document())


DATASET = Dataset(
    name="team_radio",
    row="message on a driver's radio",
    description="What was broadcast of the talk between cars and teams: when, and where its sound is.",
    key=("driver_number", "utc"),
    columns=(
        Field("driver_number", "text", "Car number in this session"),
        Field("utc", "timestamp", "When it was published"),
        Field("url", "text", "Address of the sound"),
    ),
    extract=extract,
    feeds=(Feed.TEAM_RADIO,),
    optional_feeds=(Feed.DRIVER_LIST,),
    version=2,
    views={"radio_with_lap": RADIO_WITH_LAP},
    order_by=("utc", "driver_number"),
    checks=(drivers_are_known(),),
)

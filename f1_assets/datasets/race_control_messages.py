"""Race control messages: what race control told the teams, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from f1_assets.datasets.coercions import integer, text, utc
from f1_assets.datasets.definition import Dataset, Field
from f1_assets.datasets.rules import drivers_are_known, times_go_forward
from f1_assets.upstream.feeds import Feed
from f1_assets.upstream.needs import Needs

if TYPE_CHECKING:
    from f1_assets.upstream.loader import LoadedSession


def extract(loaded: LoadedSession) -> pd.DataFrame:
    """Give the messages in the order in which they were sent; FastF1's ``Time`` of a message is a date in UTC."""
    messages = loaded.race_control_messages
    return pd.DataFrame(
        {
            "message_number": range(1, len(messages) + 1),
            "utc": utc(messages["Time"]),
            "lap_number": integer(messages["Lap"]),
            "category": text(messages["Category"]),
            "message": text(messages["Message"]),
            "status": text(messages["Status"]),
            "flag": text(messages["Flag"]),
            "scope": text(messages["Scope"]),
            "sector": integer(messages["Sector"]),
            "driver_number": text(messages["RacingNumber"]),
        }
    )


DATASET = Dataset(
    name="race_control_messages",
    row="message of race control",
    description=(
        "Flags, safety cars, investigations, deleted laps and all else that race control announced. A corrected "
        "message is sent again, so it has a row for each time it was sent."
    ),
    key=("message_number",),
    columns=(
        Field("message_number", "integer", "Order of the messages, from 1"),
        Field("utc", "timestamp", "Time of day"),
        Field("lap_number", "integer", "Lap of the leader, in races and sprints"),
        Field("category", "text", "Flag, CarEvent, Drs, SafetyCar, Other, ..."),
        Field("message", "text", "The message's words"),
        Field("status", "text", "ENABLED, DISABLED, DEPLOYED, ... where the category has one"),
        Field("flag", "text", "GREEN, YELLOW, DOUBLE YELLOW, RED, BLUE, CLEAR, CHEQUERED, ..."),
        Field("scope", "text", "Track, Sector or Driver"),
        Field("sector", "integer", "Marshal sector"),
        Field("driver_number", "text", "Car that it is about"),
    ),
    extract=extract,
    requires=(Feed.RACE_CONTROL,),
    needs=Needs(messages=True),
    checks=(times_go_forward("message_number", "utc"), drivers_are_known()),
)

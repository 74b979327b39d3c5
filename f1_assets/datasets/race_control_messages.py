"""Race control messages: what race control told the teams, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from f1_assets.datasets.coercions import integer, text, utc
from f1_assets.datasets.definition import Dataset, Extract, Field
from f1_assets.datasets.joins import MESSAGES_WITH_DRIVER
from f1_assets.datasets.own_messages import car_of, refusal_of
from f1_assets.datasets.refusals import Refusals
from f1_assets.datasets.rules import drivers_are_known, times_go_forward
from f1_assets.feeds.table import Feed

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession

CATEGORIES = ("Flag", "CarEvent", "Drs", "SafetyCar", "Other")
STATUSES = ("ENABLED", "DISABLED", "DEPLOYED", "IN THIS LAP", "ENDING", "THROUGH THE PIT LANE")
FLAGS = ("GREEN", "YELLOW", "DOUBLE YELLOW", "RED", "BLUE", "CLEAR", "CHEQUERED", "BLACK AND WHITE")


def extract(loaded: LoadedSession) -> Extract:
    """Return the session's own messages in the order in which they were sent.

    FastF1's ``Time`` of a message is a date in UTC.
    """
    messages = loaded.race_control_messages
    words, said = text(messages["Message"]), text(messages["RacingNumber"])
    named = words.map(lambda message: car_of(message, loaded.cars), na_action="ignore").astype("string")
    frame = pd.DataFrame(
        {
            "utc": utc(messages["Time"]),
            "lap_number": integer(messages["Lap"]),
            "category": text(messages["Category"]),
            "message": words,
            "status": text(messages["Status"]),
            "flag": text(messages["Flag"]),
            "scope": text(messages["Scope"]),
            "sector": integer(messages["Sector"]),
            "driver_number": said.fillna(named),
        }
    )
    refusals = Refusals()
    own = _without_others(frame, loaded, refusals)
    return Extract(own.assign(message_number=range(1, len(own) + 1)), notes=refusals.document())


def _without_others(frame: pd.DataFrame, loaded: LoadedSession, refusals: Refusals) -> pd.DataFrame:
    """Refuse the messages of other series."""
    told = frame[["utc", "message", "category"]].astype(object)
    told = told.where(told.notna(), None)
    reasons = [
        refusal_of(time, words, category, loaded.own_time, loaded.cars)
        for time, words, category in told.itertuples(index=False)
    ]
    why = pd.Series(reasons, index=frame.index, dtype=object)
    for reason in why.dropna().unique():
        rows = told[why == reason].itertuples(index=False)
        refusals.add(str(reason), [f"{time:%Y-%m-%d %H:%M:%S} UTC: {words}" for time, words, _ in rows])
    return frame[why.isna()]


DATASET = Dataset(
    name="race_control_messages",
    row="message of race control",
    description=(
        "Flags, safety cars, investigations, deleted laps and all else that race control announced. A corrected "
        "message is sent again, so it has a row for each time it was sent. Those of the series before and after, which "
        "stand in the same feed, are refused."
    ),
    key=("message_number",),
    columns=(
        Field("message_number", "integer", "Order of the messages, from 1"),
        Field("utc", "timestamp", "Time of day"),
        Field("lap_number", "integer", "Lap of the leader, in races and sprints"),
        Field("category", "text", ", ".join(CATEGORIES), values=CATEGORIES),
        Field("message", "text", "The message's words"),
        Field("status", "text", f"{', '.join(STATUSES)}, where the category has one", values=STATUSES),
        Field("flag", "text", ", ".join(FLAGS), values=FLAGS),
        Field("scope", "text", "Track, Sector or Driver", values=("Track", "Sector", "Driver")),
        Field("sector", "integer", "Marshal sector"),
        Field("driver_number", "text", "Car that it is about, also where only the message's words name it"),
    ),
    extract=extract,
    feeds=(Feed.RACE_CONTROL,),
    optional_feeds=(Feed.DRIVER_LIST, Feed.SESSION_STATUS),
    version=2,
    views={"messages_with_driver": MESSAGES_WITH_DRIVER},
    checks=(times_go_forward("message_number", "utc"), drivers_are_known()),
)

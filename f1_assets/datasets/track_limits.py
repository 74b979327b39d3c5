"""Track limits: messages that delete a lap or give it back, each with the lap that it is about."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from f1_assets.datasets.definition import Check, Dataset, Field
from f1_assets.datasets.inputs import Inputs
from f1_assets.datasets.laps import RACES
from f1_assets.feeds.track_limits import laps_ruled, rulings

ACTIONS = ("deleted", "reinstated")

_MILLISECOND = pd.Timedelta(milliseconds=1)


def compute(inputs: Inputs) -> pd.DataFrame:
    """Return what race control ruled about laps, message by message."""
    messages = inputs["race_control_messages"].sort_values("message_number", ignore_index=True)
    laps = inputs.get("laps")
    words = zip(_plain(messages["utc"].dt.tz_localize(None)), _plain(messages["message"]), strict=True)
    driven = _as_fastf1_has_them(laps)
    numbers = driven["LapNumber"].to_dict()
    rows = []
    for ruling, lap in laps_ruled(driven, rulings(words, _began_at(laps)), inputs.key.session in RACES):
        rows.append(
            {
                "message_number": messages["message_number"].iloc[ruling.place],
                "driver_number": ruling.number,
                "turn": ruling.turn,
                "lap_time_ms": None if ruling.time is None else ruling.time // _MILLISECOND,
                "message_lap": ruling.message_lap,
                "lap_number": None if lap is None else numbers[lap],
                "action": ACTIONS[0] if ruling.deletes else ACTIONS[1],
                "lap_found": None if laps is None else lap is not None,
                "reason": None if ruling.reason is None else ruling.reason.strip(),
            }
        )
    return pd.DataFrame(rows)


def _plain(values: pd.Series) -> list[object]:
    return [None if pd.isna(value) else value for value in values]


def _as_fastf1_has_them(laps: pd.DataFrame | None) -> pd.DataFrame:
    """Return what tells laps apart, under FastF1's names."""
    if laps is None:
        return pd.DataFrame(columns=["DriverNumber", "Driver", "LapNumber", "LapTime", "Time"])
    return pd.DataFrame(
        {
            "DriverNumber": laps["driver_number"],
            "Driver": laps["abbreviation"],
            "LapNumber": laps["lap_number"],
            "LapTime": pd.to_timedelta(laps["lap_time_ms"], unit="ms"),
            "Time": pd.to_timedelta(laps["session_time_ms"], unit="ms"),
        }
    )


def _began_at(laps: pd.DataFrame | None) -> datetime | None:
    """Return when session time began, by the first lap that has a time of day too."""
    if laps is None:
        return None
    known = laps[laps["utc"].notna() & laps["session_time_ms"].notna()]
    if known.empty:
        return None
    first = known.iloc[0]
    began_at: datetime = (first["utc"] - int(first["session_time_ms"]) * _MILLISECOND).to_pydatetime()
    return began_at


def _not_as_in_laps(frame: pd.DataFrame, laps: pd.DataFrame) -> pd.DataFrame:
    """Return the last ruling on a lap where `laps` says otherwise."""
    lap = ["driver_number", "lap_number"]
    last = frame[frame["lap_found"].fillna(False)].sort_values("message_number").drop_duplicates(lap, keep="last")
    marked = last.merge(laps[[*lap, "deleted"]], on=lap, how="left")
    return marked[(marked["deleted"] != (marked["action"] == ACTIONS[0])).fillna(False)]


DATASET = Dataset(
    name="track_limits",
    row="message that deletes or reinstates a lap",
    description=(
        "What race control ruled about laps: for track limits mostly, and for other reasons, such as yellow flags. The "
        "lap is found by driver and time; where that time was driven twice, by the lap that the message names, else it "
        "is the last one that had ended when the message was sent, or the first one where no time of day is known. "
        "Without such a time the lap is found by driver and the lap of the message, less one in practice and "
        "qualifying, whose messages count the lap out of the garage as 2. Driver means number and letters, as the "
        "message has them. `laps.deleted` follows the same rule; a message of which no lap is found stays here, and "
        "marks none. Decisions that name no lap and no time, or several cars, are no rows."
    ),
    key=("message_number",),
    columns=(
        Field("message_number", "integer", "The message in `race_control_messages`"),
        Field("driver_number", "text", "Car number that the message names; it need not be of this session"),
        Field("turn", "integer", "Turn where it happened; NULL where the message names none"),
        Field("lap_time_ms", "integer", "Lap time that the message names", "ms"),
        Field("message_lap", "integer", "Lap that the message names"),
        Field("lap_number", "integer", "The lap in `laps`; NULL where none is found"),
        Field("action", "text", ", ".join(ACTIONS), values=ACTIONS),
        Field("lap_found", "boolean", "Whether there is such a lap; NULL without laps"),
        Field("reason", "text", "Why, in the message's words"),
    ),
    compute=compute,
    inputs=("race_control_messages",),
    optional_inputs=("laps",),
    checks=(
        Check(
            "laps_follow_the_messages",
            "A lap is marked as deleted where the last message about it deletes it, and not where it is reinstated.",
            _not_as_in_laps,
            beside=("laps",),
            columns=("lap_number", "action", "lap_found"),
        ),
    ),
)

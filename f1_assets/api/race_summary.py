"""A race or sprint in a page, from the datasets of it that are stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from f1_assets.analysis.selection import sessions_meant
from f1_assets.api.bounded import plain, table
from f1_assets.errors import UsageError
from f1_assets.keys import SessionKey
from f1_assets.planning.absences import NotStored
from f1_assets.reader import Reader
from f1_assets.warehouse.calendar import event_of, session_of

RACES = ("R", "S")

_CLASSIFICATION = (
    "position",
    "classified_position",
    "driver_number",
    "full_name",
    "team_name",
    "grid_position",
    "laps",
    "time_ms",
    "status",
    "points",
)
_STOPS = (
    "driver_number",
    "abbreviation",
    "lap_number",
    "lane_ms",
    "standing_ms",
    "time_lost_ms",
    "under",
    "compound_before",
    "compound_after",
)
_PERIODS = ("kind", "leader_first_lap", "leader_last_lap", "duration_ms")
_FASTEST = ("driver_number", "abbreviation", "team_name", "lap_number", "lap_time_ms", "compound", "tyre_life_laps")
_MOST_STOPS = 120
_MOST_CARS = 60
_MOST_DRIVERS = 5


def race_summary(reader: Reader, session: str | int) -> dict[str, Any]:
    """Return result, fastest lap, pit stops, neutralisations and overtakes; `not_there` says what lacks, and why.

    Raises
    ------
    NotStored
        When nothing of it is stored.
    UsageError
        When no race or sprint is named, or more than one.
    """
    key = _race_meant(reader, session)
    event, held = event_of(reader.warehouse, key), session_of(reader.warehouse, key)
    found: dict[str, pd.DataFrame] = {}
    absent: dict[str, NotStored] = {}
    for dataset in ("results", "laps", "pit_stops", "neutralisations", "overtakes"):
        try:
            found[dataset] = reader.rows(dataset, key, with_drivers=dataset not in ("results", "neutralisations"))
        except NotStored as error:
            absent[dataset] = error
    if not found:
        raise absent["results"]
    parts = {
        "results": _result,
        "laps": _fastest_lap,
        "pit_stops": _pit_stops,
        "neutralisations": _neutralisations,
        "overtakes": _overtakes,
    }
    summary: dict[str, Any] = {
        "session": str(key),
        "event": event.name,
        "name": held.name,
        "location": event.location,
        "country": event.country,
        "start_utc": plain(held.start),
    }
    for dataset, frame in found.items():
        summary |= parts[dataset](frame)
    return {**summary, "not_there": {dataset: str(error) for dataset, error in absent.items()}}


def _race_meant(reader: Reader, session: str | int) -> SessionKey:
    """Return the race that is meant; that of an event where no session of it is named."""
    keys = sessions_meant(reader.warehouse, session).keys
    races = [key for key in keys if key.session in RACES]
    if not races:
        raise UsageError(f"{keys[0]} is no race and no sprint. For its result call rows with dataset=results.")
    of_the_main = [key for key in races if key.session == "R"] or races
    if len(of_the_main) > 1:
        raise UsageError(f"{str(session)[:60]!r} has {len(of_the_main)} races. Name one, such as {of_the_main[-1]}.")
    return of_the_main[0]


def _result(results: pd.DataFrame) -> dict[str, Any]:
    winners = results[results["position"] == 1]["full_name"].dropna()  # two who shared a car are both
    return {
        "winner": " and ".join(winners) or None,
        "classification": table(results[[*_CLASSIFICATION]], _MOST_CARS, "Call rows with dataset=results for all."),
    }


def _fastest_lap(laps: pd.DataFrame) -> dict[str, Any]:
    counts = laps["lap_time_ms"].notna() & ~laps["deleted"].fillna(False)
    fastest = laps[counts].nsmallest(1, "lap_time_ms")
    return {
        "laps_driven": plain(laps["lap_number"].max()),
        "fastest_lap": next(iter(_documents(fastest, _FASTEST)), None),
    }


def _pit_stops(stops: pd.DataFrame) -> dict[str, Any]:
    # Under red flag a car stands in the pits for as long as the race is stopped.
    timed = stops[stops["lane_ms"].notna() & (stops["under"] != "red")]
    shortest = _documents(timed.nsmallest(1, "lane_ms"), _STOPS)
    return {
        "pit_stop_count": len(stops),
        "shortest_pit_stop": next(iter(shortest), None),
        "pit_stops": table(stops[[*_STOPS]], _MOST_STOPS, "Call rows with dataset=pit_stops for all."),
    }


def _neutralisations(periods: pd.DataFrame) -> dict[str, Any]:
    return {"neutralisations": _documents(periods, _PERIODS)}


def _overtakes(overtakes: pd.DataFrame) -> dict[str, Any]:
    letters = dict(zip(overtakes["overtaking"], overtakes["overtaking_abbreviation"], strict=True))
    drivers = [
        {"driver_number": number, "abbreviation": plain(letters[number]), "overtakes": count}
        for number, count in overtakes["overtaking"].value_counts().head(_MOST_DRIVERS).to_dict().items()
    ]
    return {
        "overtake_count": len(overtakes),
        "overtakes_from": sorted({str(source) for source in overtakes["source"].dropna()}),
        "most_overtakes": drivers,
    }


def _documents(frame: pd.DataFrame, columns: Sequence[str]) -> list[dict[str, Any]]:
    return [{name: plain(row[name]) for name in columns} for row in frame.to_dict("records")]

"""Rows of Jolpica's result: every entry, in its order, with the number and names that the driver list has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from f1_assets.datasets.coercions import full_name, text
from f1_assets.datasets.definition import Extract
from f1_assets.feeds.classification import Classification, Entry
from f1_assets.feeds.people import Person, people_of, places_in_list

NOT_CLASSIFIED_BEYOND = (107, 100)
"""Who is slower than 107 % of the fastest and was eliminated in the first part of a qualifying is not classified."""


def rows_of_result(result: Classification, driver_list: pd.DataFrame | None) -> Extract:
    """Make the rows of `results` from Jolpica's result.

    Parameters
    ----------
    result
        Jolpica's result.
    driver_list
        F1's driver list, in FastF1's columns: it has the number under which timing knows a driver, and the names that
        every other dataset uses.

    Returns
    -------
    Extract
        One row per entry. The notes say which entries the driver list has under another number, or not at all.
    """
    listed = driver_list if driver_list is not None else pd.DataFrame()
    people = [Person(entry.number, entry.letters, entry.first_name, entry.last_name) for entry in result.entries]
    places = places_in_list(people, people_of(listed))
    names = _names_in(listed)
    classified = _classified(result)
    totals = total_times(result.entries)
    rows: list[Mapping[str, Any]] = []
    for number, (entry, place) in enumerate(zip(result.entries, places, strict=True), 1):
        known = names[place] if place is not None else {}
        q1, q2, q3 = entry.parts_ms
        # Jolpica gives the last place to who did not start; FastF1 none, to make that obvious.
        started = not names or place is not None or bool(entry.laps) or (q1, q2, q3) != (None, None, None)
        rows.append(
            {
                "entry": number,
                "driver_number": known.get("number") or entry.number,
                "driver_id": entry.driver_id,
                "full_name": known.get("full_name") or entry.full_name,
                "team_id": entry.team_id,
                "team_name": known.get("team_name") or entry.team_name,
                "position": entry.position if started else None,
                "classified_position": classified[number - 1],
                "grid_position": entry.grid if started else None,
                "q1_ms": q1,
                "q2_ms": q2,
                "q3_ms": q3,
                "time_ms": totals[number - 1],
                "laps": entry.laps,
                "status": entry.status,
                "points": entry.points,
            }
        )
    return Extract(pd.DataFrame(rows), rows_expected=result.total, notes=_notes(result.entries, places, names))


def total_times(entries: Sequence[Entry]) -> list[int | None]:
    """Return the total times of the cars on the lead lap.

    Jolpica writes a total for the leader and gaps for the others, whoever is first by now: after a disqualification
    the leader of the race may be the last entry, or gone. So the leader is who has a total; where nobody has one, or
    two have different ones, Jolpica's own count of milliseconds is left.
    """
    leaders = [entry for entry in entries if entry.time_ms is not None and not entry.is_gap]
    ends = {entry.time_ms for entry in leaders}
    timed = [entry for entry in entries if entry.time_ms is not None or entry.total_ms is not None]
    laps = max((entry.laps for entry in leaders or timed if entry.laps is not None), default=None)

    def total(entry: Entry) -> int | None:
        if entry.laps is None or entry.laps != laps:
            return None
        if entry.time_ms is not None and not entry.is_gap:
            return entry.time_ms
        if entry.time_ms is not None and len(ends) == 1:
            (end,) = ends
            return None if end is None else end + entry.time_ms
        return entry.total_ms

    return [total(entry) for entry in entries]


def _classified(result: Classification) -> list[str | None]:
    """Return the classified places; of a qualifying Jolpica has none, and FastF1 applies the rule of 107 %."""
    if not result.is_qualifying:
        return [entry.classified for entry in result.entries]
    slowest, of = NOT_CLASSIFIED_BEYOND
    fastest = min((entry.parts_ms[0] for entry in result.entries if entry.parts_ms[0] is not None), default=None)
    places: list[str | None] = []
    for entry in result.entries:
        q1, q2, _ = entry.parts_ms
        is_slow = fastest is not None and q1 is not None and q2 is None and q1 * of > fastest * slowest
        place = str(entry.position) if entry.position is not None else None
        places.append("N" if is_slow else place)
    return places


def _names_in(listed: pd.DataFrame) -> list[dict[str, str | None]]:
    if listed.empty:
        return []
    columns = {
        "number": text(listed["DriverNumber"]),
        "full_name": full_name(listed["FirstName"], listed["LastName"]),
        "team_name": text(listed["TeamName"]),
    }
    frame = pd.DataFrame(columns).astype(object)
    return [
        {str(name): value for name, value in row.items()} for row in frame.where(frame.notna(), None).to_dict("records")
    ]


def _notes(
    entries: Sequence[Entry], places: Sequence[int | None], names: Sequence[Mapping[str, str | None]]
) -> Mapping[str, Any]:
    """Return where the result and the driver list differ about people."""
    found = [(entry, names[place] if place is not None else None) for entry, place in zip(entries, places, strict=True)]
    renamed = {
        entry.driver_id: f"{entry.number or 'no number'} in the result, {known['number']} in timing"
        for entry, known in found
        if known is not None and known.get("number") != entry.number
    }
    strangers = [entry.driver_id for entry, known in found if known is None] if names else []
    notes: dict[str, Any] = {}
    if renamed:
        notes["numbers_that_differ"] = renamed
    if strangers:
        notes["not_in_the_driver_list"] = strangers
    return notes

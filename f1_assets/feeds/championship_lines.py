"""ChampionshipPrediction: both championships before a race, and as they would be as it stands."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from f1_assets.feeds.stream_lines import FeedCounts, Tally
from f1_assets.feeds.stream_states import changes_of, deleted_of, is_car_number, state_lines, whole

MOST_POINTS = 10_000
"""No season has so many."""

LONGEST_NAME = 100


@dataclass(frozen=True)
class Prediction:
    """A driver or team in a championship; None for what the feed does not say.

    Attributes
    ----------
    is_team
        Whether it is a team.
    entrant
        The driver's car number, or F1's name of the team with its engine.
    team_name
        Name of the team.
    position_before, points_before
        Before the race: as they were sent first.
    position_predicted, points_predicted
        As the race stands: as they were sent last.
    """

    is_team: bool
    entrant: str
    team_name: str | None = None
    position_before: int | None = None
    points_before: float | None = None
    position_predicted: int | None = None
    points_predicted: float | None = None


@dataclass(frozen=True)
class ChampionshipLines:
    """Drivers and teams, and what was not as it should be."""

    predictions: tuple[Prediction, ...]
    counts: FeedCounts


def parse_championship(body: bytes, until_ms: int | None = None) -> ChampionshipLines:
    """Read ChampionshipPrediction; what is damaged is left out and counted.

    A driver of the year who is not there has an empty key, and is left out.

    Parameters
    ----------
    body
        The feed.
    until_ms
        Session time after which lines are not of the session; None where that is not known.

    Raises
    ------
    UnreadableData
        When something is damaged and nothing could be read.
    """
    tally = Tally()
    found: dict[tuple[bool, str], Prediction] = {}
    for number, _, content in state_lines(body, tally, until_ms):
        for is_team, name in ((False, "Drivers"), (True, "Teams")):
            entries = content.get(name, {})
            for entrant in deleted_of(entries):
                found.pop((is_team, entrant), None)
            for entrant, sent in _entries(entries, is_team, number, tally):
                before = found.get((is_team, entrant), Prediction(is_team, entrant))
                found[is_team, entrant] = _changed(before, sent, number, tally)
    said = [each for each in found.values() if replace(each, team_name=None) != Prediction(each.is_team, each.entrant)]
    tally.refuse_if_nothing("ChampionshipPrediction", len(said))
    return ChampionshipLines(tuple(said), tally.counts())


def _entries(entries: object, is_team: bool, number: int, tally: Tally) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the entrants of a line that have a name, with what is sent of them."""
    if not isinstance(entries, dict):
        if entries:  # an empty list is one without entrants
            tally.bad_entries.append(number)
        return
    for entrant, sent in (changes_of(entries) or {}).items():
        is_named = len(entrant) <= LONGEST_NAME if is_team else is_car_number(entrant)
        if not entrant:
            continue
        if is_named and isinstance(sent, dict):
            yield entrant, sent
        else:
            tally.bad_entries.append(number)


def _changed(before: Prediction, sent: dict[str, Any], number: int, tally: Tally) -> Prediction:
    read: dict[str, Any] = {}
    for name, (field, reading) in _FIELDS.items():
        value = sent.get(name)
        read[field] = reading(value)
        if read[field] is None and value not in (None, ""):
            tally.bad_entries.append(number)
    known = {field: value for field, value in read.items() if value is not None}
    known |= {_FIELDS[name][0]: None for name in deleted_of(sent) if name in _FIELDS}
    # What was before the race does not change in it: a later value may be that after it.
    known |= {field: value for field in _BEFORE if (value := getattr(before, field)) is not None}
    return replace(before, **known)


def _points(value: object) -> float | None:
    """Read points, which may be sent as a text; None where there are none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        points = float(value)
    except (ValueError, OverflowError):
        return None
    return points if math.isfinite(points) and 0 <= points < MOST_POINTS else None


def _place(value: object) -> int | None:
    return whole(value) or None


def _team_name(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME else None


_FIELDS = {
    "TeamName": ("team_name", _team_name),
    "CurrentPosition": ("position_before", _place),
    "CurrentPoints": ("points_before", _points),
    "PredictedPosition": ("position_predicted", _place),
    "PredictedPoints": ("points_predicted", _points),
}
_BEFORE = ("position_before", "points_before")

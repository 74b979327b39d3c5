"""Which race control messages are of the session: the feed also carries those of the series before and after it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

import pandas as pd

from f1_assets.datasets.refusals import AFTER_THE_END, BEFORE_THE_BEGIN, OF_ANOTHER_SERIES
from f1_assets.feeds.own_time import OwnTime
from f1_assets.feeds.track_limits import cars_named

_OTHER_SERIES = re.compile(
    r"\b(?:F[234]|FORMULA (?:2|3|4|TWO|THREE|FOUR|REGIONAL)|F1 ACADEMY|W SERIES|GP[23]|PORSCHE|SUPERCUP|CARRERA|FREC)\b"
)
_STEWARDS = re.compile(r"\bSTEWARDS\b")
_GENERAL = "Other"
"""The category of what is announced; flags, safety cars and DRS are about cars on the track."""


def refusal_of(
    utc: datetime | None, message: str | None, category: str | None, own: OwnTime, cars: Mapping[str, str | None] | None
) -> str | None:
    """Return why a message is not of the session; None where it is.

    Between the begin and the end of the session all messages are its own but those that name another series, or cars by
    number and letters of which none is the session's; until its start all named cars have to be, and where it overruns,
    it may announce what that means for the next series. Outside of that time they are its own where they name its cars
    by number and letters, or are decisions of its stewards; before it, general announcements too.

    Parameters
    ----------
    utc, message, category
        The message's time of day, words and category.
    own
        The session's own time.
    cars
        The letters of the session's drivers by car number, where they are known.
    """
    if utc is None or pd.isna(utc):
        return None
    words = message or ""
    if own.ends_at is not None and utc > own.ends_at:
        return None if _is_of_its_cars_or_stewards(words, cars) else AFTER_THE_END
    if own.begins_at is None or utc >= own.begins_at:
        return OF_ANOTHER_SERIES if _is_of_others(utc, words, own, cars) else None
    announced = own.announced_at is not None and utc >= own.announced_at and (category or _GENERAL) == _GENERAL
    if (announced and _fits(words, cars)) or _is_of_its_cars_or_stewards(words, cars):
        return None
    return BEFORE_THE_BEGIN


def car_of(message: str | None, cars: Mapping[str, str | None] | None) -> str | None:
    """Return the one car that a message names by number and letters; None where it names none, several or another's."""
    named = cars_named(message or "")
    if len(named) != 1 or not _are_of(named, cars, unless_unknown=True):
        return None
    return named[0][0]


def _is_of_its_cars_or_stewards(words: str, cars: Mapping[str, str | None] | None) -> bool:
    named = cars_named(words)
    if named:
        return _are_of(named, cars, unless_unknown=False)
    return _STEWARDS.search(words) is not None and _OTHER_SERIES.search(words) is None


def _is_of_others(utc: datetime, words: str, own: OwnTime, cars: Mapping[str, str | None] | None) -> bool:
    """Check whether a message between begin and end names cars that are not the session's, or another series."""
    named = cars_named(words)
    if not named or cars is None:
        # "START OF F2 RACE IS DELAYED BY 15 MINUTES" stands in the feed of a qualifying that overran.
        overruns = own.held is not None and utc > own.held[1]
        return not (overruns and not named) and _OTHER_SERIES.search(words) is not None
    # Letters that the driver list does not tell cannot differ.
    are_own = [number in cars and cars[number] in (letters, None) for number, letters in named]
    is_started = own.held is None or utc >= own.held[0]
    return not (any(are_own) if is_started else all(are_own))


def _fits(words: str, cars: Mapping[str, str | None] | None) -> bool:
    return _OTHER_SERIES.search(words) is None and _are_of(cars_named(words), cars, unless_unknown=True)


def _are_of(named: list[tuple[str, str]], cars: Mapping[str, str | None] | None, unless_unknown: bool) -> bool:
    """Check whether all named cars are the session's; where its cars are unknown, give `unless_unknown`."""
    if cars is None:
        return unless_unknown
    return all(number in cars and cars[number] == letters for number, letters in named)

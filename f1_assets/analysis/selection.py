"""Which sessions somebody means: a key, a round, a season, its races, an event's name, or several of these."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from f1_assets.errors import UsageError
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.calendar import CalendarEvent, event_of, events_of, no_calendar

Asked = SessionKey | str | int | Iterable[SessionKey | str | int]
"""``"2024-12-R"``, ``2024``, ``"2024-12"``, ``"2024-R"``, ``"2026-T1"``, ``"2024 Monza"``, ``"2024 Monza Q"``; a list.

``"2024-R"`` are all races of the season, ``"2024-Q"`` all its qualifying sessions.
"""

_KEY = re.compile(r"\d{4}-(\d{2}|T\d)-[A-Z0-9-]+|\d{4}-T\d-\d", re.ASCII)
_YEAR = re.compile(r"\d{4}", re.ASCII)
_ROUND = re.compile(r"(\d{4})-(\d{1,2}|T\d)", re.ASCII)
_KIND = re.compile(r"(\d{4})-(FP\d|[A-Z]{1,2})", re.ASCII)
_SEASON = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)", re.ASCII)
_EMPTY_WORDS = {"grand", "prix", "gp", "the", "of", "de", "di"}


@dataclass(frozen=True)
class Meant:
    """The sessions or seasons that are meant, and which of them were named one by one, not as part of a whole."""

    keys: tuple[SessionKey, ...]
    named: frozenset[SessionKey]


def sessions_meant(warehouse: Warehouse, asked: Asked) -> Meant:
    """Return the sessions of the calendar that are meant, each once, in the order in which they are asked for.

    Raises
    ------
    UsageError
        When a name is unclear, or there is no such session, event or season; it lists what could be meant.
    """
    keys: list[SessionKey] = []
    named: set[SessionKey] = set()
    for one in listed(asked):
        found = _sessions_of(warehouse, str(one).strip())
        named.update(found if len(found) == 1 else ())
        keys += found
    if not keys:
        raise UsageError("No session is asked for. Name a key such as 2024-12-R, a round, a season or an event.")
    return Meant(tuple(dict.fromkeys(keys)), frozenset(named))


def seasons_meant(warehouse: Warehouse, asked: Asked, name: str) -> Meant:
    """Return the seasons that are meant, each once, in the order in which they are asked for.

    Raises
    ------
    UsageError
        When something else than a season is named, or the calendar does not have it.
    """
    keys = []
    for one in listed(asked):
        if not _YEAR.fullmatch(str(one).strip()):
            year = _SEASON.search(str(one))
            season = f": {year[1]}" if year is not None else ", such as 2024"
            raise UsageError(f"{name} is computed over a season. Name the season{season}.")
        keys.append(SeasonKey.parse(str(one).strip()))
        _events(warehouse, keys[-1].season)
    if not keys:
        raise UsageError("No season is asked for. Name one, such as 2024.")
    return Meant(tuple(dict.fromkeys(keys)), frozenset(keys))


def is_season(asked: Asked) -> bool:
    """Check whether a whole season, or a session of all its weekends, is among what is asked for."""
    texts = [str(one).strip().upper() for one in listed(asked)]
    return any(_YEAR.fullmatch(text) or _KIND.fullmatch(text) for text in texts)


def listed(asked: Asked) -> list[SessionKey | str | int]:
    """Return what is asked for as a list, also where it is one."""
    is_one = isinstance(asked, SessionKey | str) or not isinstance(asked, Iterable)
    return [asked] if is_one else list(asked)  # type: ignore[arg-type, list-item]


def _sessions_of(warehouse: Warehouse, text: str) -> list[SessionKey]:
    if _KEY.fullmatch(text.upper()):
        key = SessionKey.parse(text.upper())
        event_of(warehouse, key)
        return [key]
    if _YEAR.fullmatch(text):
        return _keys(_events(warehouse, int(text)))
    if match := _ROUND.fullmatch(text.upper()):
        return _keys([_of_round(warehouse, int(match[1]), match[2].upper())])
    if match := _KIND.fullmatch(text.upper()):
        return _of_kind(_events(warehouse, int(match[1])), match[2])
    return _of_name(warehouse, text)


def _of_kind(events: Sequence[CalendarEvent], session: str) -> list[SessionKey]:
    keys = _keys(events)
    found = [key for key in keys if key.session == session]
    if not found:
        there = ", ".join(dict.fromkeys(key.session for key in keys if not key.is_test))
        raise UsageError(f"Season {events[0].season} has no session {session}. There are: {there}.")
    return found


def _events(warehouse: Warehouse, season: int) -> list[CalendarEvent]:
    events = [event for event in events_of(warehouse, season) if not event.cancelled]
    if not events:
        raise UsageError(no_calendar(str(season)))
    return events


def _keys(events: Iterable[CalendarEvent]) -> list[SessionKey]:
    return [session.key for event in events for session in event.sessions]


def _of_round(warehouse: Warehouse, season: int, number: str) -> CalendarEvent:
    wanted = f"{season}-{number if number.startswith('T') else number.zfill(2)}"
    events = _events(warehouse, season)
    found = next((event for event in events if event.event_key == wanted), None)
    if found is None:
        raise UsageError(f"Season {season} has no event {wanted}. {_events_named(events)}")
    return found


def _of_name(warehouse: Warehouse, text: str) -> list[SessionKey]:
    seasons = _SEASON.findall(text)
    if len(set(seasons)) != 1:
        raise UsageError(
            f"{text[:60]!r} names no session. Write a key (2024-12-R), a round (2024-12), a season (2024), its races "
            "(2024-R), or the season and an event's name (2024 Monza, Italian Grand Prix 2024, 2024 Monza Q)."
        )
    season, words = int(seasons[0]), _words(_SEASON.sub(" ", text))
    events = _events(warehouse, season)
    event, rest = _event_named(events, words, text)
    if not rest:
        return _keys([event])
    named = [session for session in event.sessions if rest in (_words(session.name), _words(session.key.session))]
    if not named:
        there = ", ".join(session.key.session for session in event.sessions)
        raise UsageError(f"{event.name} {season} has no session {' '.join(rest)!r}; it has {there}.")
    return [named[0].key]


def _event_named(events: Sequence[CalendarEvent], words: list[str], text: str) -> tuple[CalendarEvent, list[str]]:
    """Find the event of the most words, and return the words that are left, which name a session.

    It is sought by its name, or else by its place, or else among all words of its names.
    """
    sessions = [_words(name) for event in events for s in event.sessions for name in (s.name, s.key.session)]
    ends = [end for end in range(len(words), 0, -1) if not words[end:] or words[end:] in sessions]
    for is_meant in (_is_name, _is_place, _is_in_names, _is_in_official_name):
        for end in ends:
            found = [event for event in events if is_meant(event, words[:end])]
            if len(found) == 1:
                return found[0], words[end:]
            if found:
                raise UsageError(f"{text[:60]!r} may be {_names(found)}. Write more of the name, or the round.")
    close = difflib.get_close_matches(" ".join(words), [" ".join(_words(event.name)) for event in events], n=3)
    near = [event for event in events if " ".join(_words(event.name)) in close]
    meant = f"Did you mean {_names(near)}?" if near else _events_named(events)
    raise UsageError(f"No event of {events[0].season} is called {text[:60]!r}. {meant}")


def _is_name(event: CalendarEvent, words: list[str]) -> bool:
    return words == _words(event.name)


def _is_place(event: CalendarEvent, words: list[str]) -> bool:
    return words in (_words(event.location), _words(event.country))


def _is_in_names(event: CalendarEvent, words: list[str]) -> bool:
    return {*words} <= {*_words(f"{event.name} {event.location} {event.country}")}


def _is_in_official_name(event: CalendarEvent, words: list[str]) -> bool:
    return {*words} <= {*_words(f"{event.official_name} {event.circuit_name or ''}")}


def _words(name: str) -> list[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return [word for word in re.findall(r"\w+", plain.casefold()) if word not in _EMPTY_WORDS]


def _names(events: Iterable[CalendarEvent]) -> str:
    return " or ".join(f"{event.name} ({event.event_key}, {event.location})" for event in events)


def _events_named(events: Iterable[CalendarEvent]) -> str:
    return f"There are: {', '.join(f'{event.event_key} {event.name}' for event in events)}."

"""Search for a session by words: ``monza 2024 qualifying``, in any order, with or without accents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from sqlalchemy import select

from f1_assets.board.rendering import SEARCHED_AT_MOST
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import circuits, events, sessions

_IGNORED = frozenset({"gp", "the", "of", "de", "di", "season", "round", "session", "formula", "f1"})

_KINDS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("sprint qualifying", "sprint qualy", "sprint quali", "sprint shootout", "shootout", "sq", "ss"), ("SQ", "SS")),
    (("practice 1", "practice1", "fp1", "p1"), ("FP1",)),
    (("practice 2", "practice2", "fp2", "p2"), ("FP2",)),
    (("practice 3", "practice3", "fp3", "p3"), ("FP3",)),
    (("free practice", "practice"), ("FP1", "FP2", "FP3")),
    (("qualifying", "qualifications", "qualy", "quali", "q"), ("Q",)),
    (("sprint race", "sprint", "s"), ("S",)),
    (("grand prix race", "race", "r"), ("R",)),
    (("pre season testing", "pre season", "testing", "tests", "test"), ("T",)),
)
"""Words for kinds of sessions, the longer before those that they contain; T is a day of a test."""


@dataclass(frozen=True)
class ListedSession:
    """A session of the calendar, as a search lists it."""

    key: SessionKey
    name: str
    event: str
    official_name: str
    location: str
    country: str
    circuit: str | None
    start: datetime


def listed_sessions(warehouse: Warehouse) -> list[ListedSession]:
    """Return every session of every stored calendar, the newest first; those of cancelled events are left out."""
    columns = (events.c.name.label("event"), events.c.official_name, events.c.location, events.c.country)
    where = sessions.join(events, events.c.event_key == sessions.c.event_key).outerjoin(
        circuits, circuits.c.circuit_key == events.c.circuit_key
    )
    query = select(sessions, *columns, circuits.c.name.label("circuit")).select_from(where)
    with reading(warehouse.engine) as connection:
        return [
            ListedSession(
                SessionKey(row.season, row.round, row.session),
                row.name,
                row.event,
                row.official_name,
                row.location,
                row.country,
                row.circuit,
                row.start_utc,
            )
            for row in connection.execute(query.where(~events.c.cancelled).order_by(sessions.c.start_utc.desc()))
        ]


def found(listed: Sequence[ListedSession], text: str) -> list[ListedSession]:
    """Return the sessions that all words of a text name; a misspelt place is taken for the closest one.

    Parameters
    ----------
    listed
        Where to search.
    text
        Season, place or event, and kind of session, each of which may be left out; or a session's key.
    """
    text = text[:SEARCHED_AT_MOST]
    if keyed := [session for session in listed if str(session.key).casefold() == text.strip().casefold()]:
        return keyed
    words = _words(text)
    kinds, words = _kinds_in(words)
    years = {int(word) for word in words if re.fullmatch(r"(19|20)\d\d", word, re.ASCII)}
    names = [word for word in words if not re.fullmatch(r"(19|20)\d\d", word, re.ASCII)]
    if not (kinds or years or names):
        return []
    within = [
        session
        for session in listed
        if (not years or session.key.season in years)
        and (not kinds or ("T" if session.key.is_test else session.key.session) in kinds)
    ]
    return _named(within, names) or _named(within, _corrected(within, names))


def _named(listed: Iterable[ListedSession], names: Sequence[str]) -> list[ListedSession]:
    return [session for session in listed if all(_names(session, word) for word in names)]


def _names(session: ListedSession, word: str) -> bool:
    if word.isdigit():
        return not session.key.is_test and session.key.round == int(word)
    return any(name.startswith(word) for name in _names_of(session))


def _names_of(session: ListedSession) -> list[str]:
    names = (session.event, session.official_name, session.location, session.country, session.circuit or "")
    return _words(" ".join(names))


def _corrected(listed: Iterable[ListedSession], names: Iterable[str]) -> list[str]:
    known = {name for session in listed for name in _names_of(session)}
    return [(get_close_matches(word, known, n=1, cutoff=0.75) or [word])[0] for word in names]


def _kinds_in(words: Sequence[str]) -> tuple[frozenset[str], list[str]]:
    """Return the kinds of sessions that are named, and the words that are left."""
    left = f" {' '.join(words)} "
    kinds: set[str] = set()
    for phrases, of_kind in _KINDS:
        for phrase in phrases:
            if f" {phrase} " in left:
                kinds.update(of_kind)
                left = left.replace(f" {phrase} ", " ")
    return frozenset(kinds), left.split()


def _words(text: str) -> list[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    words = re.findall(r"\w+", plain.casefold())
    return [word for word in words if word not in _IGNORED]

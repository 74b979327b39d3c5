"""Jolpica's answers to what FastF1's `Ergast` asks, made of what is archived race by race."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from f1_assets.feeds.table import JOLPICA_HOST

if TYPE_CHECKING:
    from f1_assets.fetch.archive import Archive

_BASE = f"https://{JOLPICA_HOST}/ergast/f1"
_ASKED = re.compile(
    r"/ergast/f1/(?P<season>\d{4})(?:/(?P<round>\d{1,2}|last))?/"
    r"(?P<what>driverstandings|constructorstandings|results|qualifying|sprint)\.json",
    re.IGNORECASE,
)
_ROWS = {"results": "Results", "qualifying": "QualifyingResults", "sprint": "SprintResults"}
_USUAL_LIMIT = 30
_PAGES = 0
_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
"""Nothing in the archive has expired by then."""


def archived_answer(archive: Archive, url: str) -> bytes | None:
    """Return the body that Jolpica would answer with; None where nothing of it is archived, or it is another question.

    Standings of a season are those after its last race that is archived, as Jolpica's are; results of a season are
    those of all its races that are archived, `limit` rows from `offset` on.

    Parameters
    ----------
    archive
        The responses that were kept, of any age.
    url
        What FastF1 asks for.
    """
    parts = urlsplit(url)
    match = _ASKED.fullmatch(parts.path) if parts.hostname == JOLPICA_HOST else None
    if match is None:
        return None
    season, number, what = match["season"], match["round"], match["what"].lower()
    bodies = _archived(archive, season, what)
    if what not in _ROWS or number is not None:
        rounds = [place for place in bodies if place != _PAGES]
        wanted = int(number) if number is not None and number.isdecimal() else max(rounds, default=_PAGES)
        return bodies[wanted][0] if wanted in rounds else None
    query = parse_qs(parts.query)
    limit, offset = _number(query, "limit", _USUAL_LIMIT), _number(query, "offset", 0)
    races = _races([body for of_round in bodies.values() for body in of_round], _ROWS[what])
    return _season_of(url, season, _ROWS[what], races, limit, offset) if races else None


def _archived(archive: Archive, season: str, what: str) -> dict[int, list[bytes]]:
    """Return the archived bodies about a season: one a round, and under `_PAGES` those of the season's pages."""
    address = re.compile(rf"{re.escape(_BASE)}/{season}/(?:(\d{{1,2}})/)?{what}\.json(?:\?.*)?", re.IGNORECASE)
    found: dict[int, list[bytes]] = {}
    for listed in sorted(archive.addresses(_BEFORE_ALL)):
        if (match := address.fullmatch(listed)) and (kept := archive.last(listed)) and kept.status_code == 200:
            found.setdefault(int(match[1] or _PAGES), []).append(kept.content)
    return found


def _races(bodies: Iterable[bytes], rows: str) -> list[dict[str, Any]]:
    """Return the races of some bodies in their order, each once, with all its rows: a page may end within a race."""
    races: dict[int, dict[str, Any]] = {}
    for body in bodies:
        for race in json.loads(body)["MRData"]["RaceTable"]["Races"]:
            known = races.setdefault(int(race["round"]), {**race, rows: []})
            known[rows] += [row for row in race.get(rows, []) if row not in known[rows]]
    return [races[number] for number in sorted(races)]


def _season_of(url: str, season: str, rows: str, races: Iterable[Mapping[str, Any]], limit: int, offset: int) -> bytes:
    chosen: list[dict[str, Any]] = []
    total = 0
    for race in races:
        if kept := race[rows][max(offset - total, 0) : max(offset + limit - total, 0)]:
            chosen.append({**race, rows: kept})
        total += len(race[rows])
    head = {"xmlns": "", "series": "f1", "url": url, "limit": str(limit), "offset": str(offset), "total": str(total)}
    return json.dumps({"MRData": {**head, "RaceTable": {"season": season, "Races": chosen}}}).encode()


def _number(query: Mapping[str, list[str]], name: str, otherwise: int) -> int:
    text = query.get(name, [""])[-1]
    return int(text) if text.isdecimal() else otherwise

"""Who is drawn, in which order and how: by final order, in the team's colour, team mates by their dashes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from f1_assets.plots.colours import alike, readable
from f1_assets.plots.formats import LONGEST_LABEL, LONGEST_NAME, shortened
from f1_assets.plots.reading import Lap, SessionRows, fastest

HIGHLIGHTED = 5
"""How many drivers stand out; more lines than these nobody can follow."""

_DASHES = (None, "7 3", "2 3", "10 3 2 3")


@dataclass(frozen=True)
class Entrant:
    """A driver as charts show him or her. `place` counts from 1, by final order."""

    number: str
    label: str
    name: str
    team: str
    color: str
    dash: str | None
    place: int

    @property
    def highlighted(self) -> bool:
        """Check whether the driver stands out."""
        return self.place <= HIGHLIGHTED


def entrants_of(rows: SessionRows) -> list[Entrant]:
    """Return everyone who has laps or a result, by final order; an entry alone is not enough to be drawn."""
    laps = laps_by_driver(rows.laps)
    entries = {entry.driver_number: entry for entry in rows.drivers}
    results = {result.driver_number: result for result in rows.results}
    numbers = {*laps, *results}
    teams = {number: _team(number, rows, laps) for number in numbers}
    dashes = _dashes(teams)
    entrants = []
    for place, number in enumerate(_final_order(rows, laps, numbers), start=1):
        entry = entries.get(number)
        listed = results[number].full_name if number in results else None
        named = [entry.abbreviation if entry else None, *(lap.abbreviation for lap in laps.get(number, ())[:1])]
        code = _first_of([*named, *(listed or "").split()[-1:], f"#{number}"], LONGEST_NAME)
        entrants.append(
            Entrant(
                number=number,
                label=shortened(code, LONGEST_LABEL),
                name=_first_of([entry.full_name if entry else None, listed, code], LONGEST_NAME),
                team=_first_of([teams[number]], LONGEST_NAME),
                color=readable(entry.team_color if entry else None),
                dash=dashes[number],
                place=place,
            )
        )
    return _told_apart(entrants)


def _told_apart(entrants: list[Entrant]) -> list[Entrant]:
    """Return those who stand out another dash where their line would look like that of one before them."""
    kept: list[Entrant] = []
    for entrant in entrants:
        if entrant.highlighted:
            used = {other.dash for other in kept if alike(other.color, entrant.color)}
            if entrant.dash in used:
                entrant = replace(entrant, dash=next((dash for dash in _DASHES if dash not in used), entrant.dash))
        kept.append(entrant)
    return kept


def laps_by_driver(laps: Iterable[Lap]) -> Mapping[str, list[Lap]]:
    """Return every driver's laps in order."""
    found: defaultdict[str, list[Lap]] = defaultdict(list)
    for lap in laps:
        found[lap.driver_number].append(lap)
    return {number: sorted(own, key=lambda lap: lap.lap_number) for number, own in found.items()}


def _first_of(words: Iterable[str | None], limit: int) -> str:
    """Return the first words that are not blank."""
    return next(filter(None, (shortened(each, limit) for each in words if each is not None)), "")


def _team(number: str, rows: SessionRows, laps: Mapping[str, list[Lap]]) -> str | None:
    listed = [entry.team_name for entry in rows.drivers if entry.driver_number == number]
    listed += [result.team_name for result in rows.results if result.driver_number == number]
    return next(filter(None, listed), None) or next((lap.team_name for lap in laps.get(number, ())), None)


def _dashes(teams: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return team mates different dashes, the same ones in all sessions of a weekend: by number, not by result."""
    mates: defaultdict[str | None, list[str]] = defaultdict(list)
    for number in sorted(teams, key=_by_number):
        mates[teams[number]].append(number)
    return {number: _DASHES[place % len(_DASHES)] for own in mates.values() for place, number in enumerate(own)}


def _final_order(rows: SessionRows, laps: Mapping[str, list[Lap]], numbers: Collection[str]) -> list[str]:
    official = {result.driver_number: result.position for result in rows.results if result.position is not None}

    def rank(number: str) -> tuple[tuple[float, ...], str]:
        own = laps.get(number, [])
        if rows.is_race:
            last = max((lap.lap_number for lap in own), default=0)
            place = next((lap.position for lap in reversed(own) if lap.position is not None), None)
            unofficial: tuple[float, ...] = (-last, place if place is not None else float("inf"))
        else:
            best = fastest(own)
            unofficial = (float(best.lap_time_ms or 0) if best else float("inf"),)
        return (official.get(number, float("inf")), *unofficial, _by_number(number)[0]), number

    return sorted(numbers, key=rank)


def _by_number(number: str) -> tuple[float, str]:
    return (int(number) if number.isascii() and number.isdigit() and len(number) < 9 else float("inf"), number)

"""Which drivers and laps a session's page shows: chosen in its address, so that a view can be shared."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import select

from f1_assets.board.stored import table_of
from f1_assets.errors import UsageError
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import of_session

MOST_LAPS = 999
"""No race had so many laps, and no session."""

_RANGE = re.compile(r"(\d{1,3})-(\d{1,3})", re.ASCII)
_LAP = re.compile(r"\d{1,3}", re.ASCII)


@dataclass(frozen=True)
class Entrant:
    """A driver of a session; `label` names one in an address: letters, or the car's number where they are not alone."""

    label: str
    number: str
    name: str
    team: str | None
    position: int | None


@dataclass(frozen=True)
class Chosen:
    """What an address asks for.

    Parameters
    ----------
    drivers
        Labels of who is shown; everybody where it is empty.
    between
        The laps at which charts over laps begin; all laps where it is None.
    compared
        The laps that are compared, one of each driver; the fastest ones where it is empty.
    """

    drivers: tuple[str, ...] = ()
    between: tuple[int, int] | None = None
    compared: tuple[int, ...] = ()

    @classmethod
    def of(
        cls, entrants: Sequence[Entrant], drivers: Iterable[str], laps: Sequence[str], compared: Iterable[str]
    ) -> Chosen:
        """Read the words of an address; an empty one, as a form sends it, names nothing.

        Raises
        ------
        UsageError
            When there is no such driver, or laps are none.
        """
        by_name = {name.upper(): entrant.label for entrant in entrants for name in (entrant.number, entrant.label)}
        wanted = [*filter(None, drivers)]
        for name in wanted:
            if name.upper() not in by_name:
                there = ", ".join(entrant.label for entrant in entrants) or "none is stored"
                raise UsageError(f"There is no driver {name[:40]!r} in this session. There are: {there}.")
        labels = dict.fromkeys(by_name[name.upper()] for name in wanted)
        return cls(tuple(labels), _between([*filter(None, laps)]), tuple(_laps(filter(None, compared))))

    @property
    def laps_in_words(self) -> str:
        """The laps as the address has them: ``10-25``."""
        return f"{self.between[0]}-{self.between[1]}" if self.between else ""

    @property
    def compared_in_words(self) -> str:
        """The compared laps as the form has them: ``12, 14``."""
        return ", ".join(map(str, self.compared))

    @property
    def query(self) -> str:
        """The query of an address that shows the same; empty where nothing is chosen."""
        pairs = [("driver", label) for label in self.drivers]
        pairs += [("laps", self.laps_in_words)] if self.between else []
        pairs += [("lap", str(lap)) for lap in self.compared]
        return urlencode(pairs)


def _between(given: Sequence[str]) -> tuple[int, int] | None:
    if not given:
        return None
    found = _RANGE.fullmatch(given[0].strip())
    if len(given) > 1 or found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"{', '.join(given)[:40]!r} are no laps. Write the first and the last one, such as 10-25.")
    return int(found[1]), int(found[2])


def _laps(given: Iterable[str]) -> Iterable[int]:
    for word in " ".join(given).replace(",", " ").split():
        if not _LAP.fullmatch(word) or not int(word):
            raise UsageError(f"{word[:40]!r} is no lap. Laps go from 1 to {MOST_LAPS}.")
        yield int(word)


def entrants_of(warehouse: Warehouse, key: SessionKey) -> list[Entrant]:
    """Return who took part in a session, as far as it is stored: by result, else by car number."""
    drivers, results = table_of("drivers"), table_of("results")
    with reading(warehouse.engine) as connection:
        places = {
            row.driver_number: row
            for row in connection.execute(
                select(results.c.driver_number, results.c.full_name, results.c.team_name, results.c.position).where(
                    of_session(results, key), results.c.driver_number.is_not(None)
                )
            )
        }
        listed = {
            row.driver_number: row
            for row in connection.execute(
                select(drivers.c.driver_number, drivers.c.abbreviation, drivers.c.full_name, drivers.c.team_name).where(
                    of_session(drivers, key)
                )
            )
        }
    letters = Counter(row.abbreviation for row in listed.values())
    entrants = []
    for number in {**listed, **places}:
        row, place = listed.get(number), places.get(number)
        known = row or place
        is_alone = row is not None and row.abbreviation and letters[row.abbreviation] == 1
        entrants.append(
            Entrant(
                label=row.abbreviation if row is not None and is_alone else number,
                number=number,
                name=(known.full_name if known is not None else None) or number,
                team=known.team_name if known is not None else None,
                position=place.position if place is not None else None,
            )
        )
    return sorted(entrants, key=_place)


def _place(entrant: Entrant) -> tuple[bool, int, int, str]:
    number = int(entrant.number) if entrant.number.isdecimal() else MOST_LAPS
    return entrant.position is None, entrant.position or 0, number, entrant.number

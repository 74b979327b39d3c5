"""Whose rows are meant by a driver's letters, car number, last name or identifier, as they were in each session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, or_, select

from f1_assets.datasets import Dataset, all_datasets
from f1_assets.errors import UsageError
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import of_session

Drivers = str | int | Iterable[str | int]
"""``"VER"``, ``1``, ``"Verstappen"``, ``"max_verstappen"``, or several of these."""

_CALLED = ("abbreviation", "code", "last_name", "full_name", "driver_id", "driver_number")
"""Columns by which a driver is known, the shortest name first."""

_NUMBERS = ("driver_number", "driver", "teammate", "overtaking", "overtaken", "gained_by", "lost_by")
"""Columns that have car numbers; a row of two drivers is a row of both."""


@dataclass(frozen=True)
class DriverIds:
    """The car numbers and identifiers of drivers in one session, or season."""

    numbers: frozenset[str]
    ids: frozenset[str]

    def condition(self, columns: Any) -> ColumnElement[bool]:  # noqa: ANN401 (columns of a table or subquery)
        """Return the condition that a row is theirs; identifiers count where a row has no number."""
        numbers = [columns[name] for name in _NUMBERS if name in columns]
        of_numbers = [column.in_(sorted(self.numbers)) for column in numbers]
        if "driver_id" not in columns:
            return or_(false(), *of_numbers)
        has_no_number = [column.is_(None) for column in numbers]
        return or_(*of_numbers, and_(columns["driver_id"].in_(sorted(self.ids)), *has_no_number))


def drivers_meant(
    warehouse: Warehouse,
    name: str,
    columns: Sequence[str],
    dataset: Dataset,
    keys: Sequence[SessionKey],
    asked: Drivers,
) -> list[DriverIds]:
    """Return what these drivers have in each session, or season: none of it where they did not take part.

    Parameters
    ----------
    warehouse
        Where the drivers are looked up.
    name, columns, dataset
        Whose rows are meant: a dataset or a view of one, and its columns.
    keys
        The sessions or seasons.
    asked
        The drivers.

    Raises
    ------
    UsageError
        When the rows are not of drivers, or no session has one of these drivers; it lists which there are.
    """
    if not {*_NUMBERS, "driver_id"} & {*columns}:
        raise UsageError(f"The rows of {name} are not of drivers: leave driver= out.")
    is_one = isinstance(asked, str) or not isinstance(asked, Iterable)
    wanted = {str(each).strip().casefold(): each for each in ([asked] if is_one else asked)}  # type: ignore[union-attr]
    with reading(warehouse.engine) as connection:
        there = [_known(connection, dataset, key) for key in keys]
    everybody = [person for session in there for person in session]
    for one, written in wanted.items():
        if not any(one in _names(person) for person in everybody):
            names = sorted({_shortest(person) for person in everybody})
            raise UsageError(
                f"No driver is called {str(written)[:20]!r} there. There are: {', '.join(names) or 'none'}."
            )
    return [_ids(person for person in session if _names(person) & {*wanted}) for session in there]


def _ids(persons: Iterable[dict[str, str]]) -> DriverIds:
    found = list(persons)
    numbers, ids = ({person[name] for person in found if name in person} for name in ("driver_number", "driver_id"))
    return DriverIds(frozenset(numbers), frozenset(ids))


def _names(person: dict[str, str]) -> set[str]:
    names = {person[name].casefold() for name in _CALLED if name in person}
    return names | {person["full_name"].split()[-1].casefold()} if person.get("full_name", "").strip() else names


def _shortest(person: dict[str, str]) -> str:
    return next(person[name] for name in _CALLED if name in person)


def _known(connection: Connection, dataset: Dataset, key: SessionKey) -> list[dict[str, str]]:
    """Return what the drivers of a session are called: in its list of drivers, its laps, and the rows themselves."""
    found: list[dict[str, str]] = []
    for table in (all_datasets()["drivers"].table, all_datasets()["laps"].table, dataset.table):
        columns = [table.c[name] for name in _CALLED if name in table.c] if table is not None else []
        if table is None or not columns:
            continue
        for row in connection.execute(select(*columns).where(of_session(table, key)).distinct()):
            person = {name: value for name, value in row._mapping.items() if value is not None}
            same = next((other for other in found if _is_same(person, other)), None)
            if same is not None:
                same |= person
            elif person:
                found.append(person)
    return found


def _is_same(one: dict[str, str], other: dict[str, str]) -> bool:
    """Check whether two rows are of one driver: by the car number, or by the identifier where one has no number."""
    name = "driver_number" if "driver_number" in one and "driver_number" in other else "driver_id"
    return name in one and one[name] == other.get(name)

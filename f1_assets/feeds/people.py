"""Which entry of a result is which entry of the driver list: told by the person, and by the car number last.

The services disagree now and then on a car's number: two are swapped, or one service has a driver's permanent number
and the other the champion's 1. By the number alone a driver would get another one's result.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Person:
    """A driver as one service names him or her."""

    number: str | None = None
    letters: str | None = None
    first_name: str | None = None
    last_name: str | None = None


def words_of(*names: str | None) -> tuple[str, ...]:
    """Return the words of names in small letters without accents, so that services' spellings compare."""
    spelled = unicodedata.normalize("NFKD", " ".join(name for name in names if name))
    plain = "".join(letter for letter in spelled if not unicodedata.combining(letter)).casefold()
    return tuple(re.findall(r"[^\W_]+", plain))


def places_in_list(entered: Sequence[Person], listed: Sequence[Person]) -> list[int | None]:
    """Find each entry of a result in the driver list.

    Entries that agree with the list on number and person come first; then those of a person whom the list has under
    another number; then those that agree on the number, where nothing says that they are two people. Several entries
    of one person have the same place.

    Parameters
    ----------
    entered
        The entries of the result.
    listed
        The driver list.

    Returns
    -------
    list of int or None
        For each entry its place in the list; None where the list does not have the person.
    """
    places: list[int | None] = [None] * len(entered)

    def take(fits: Callable[[Person, Person], bool], free: set[int]) -> None:
        for index, person in enumerate(entered):
            if places[index] is None:
                found = [place for place in free if fits(person, listed[place])]
                places[index] = found[0] if len(found) == 1 else None

    def untaken() -> set[int]:
        return set(range(len(listed))) - {place for place in places if place is not None}

    take(lambda one, other: _same_number(one, other) and _agree(one, other), set(range(len(listed))))
    take(_are_the_same, untaken())
    take(lambda one, other: _same_number(one, other) and not _disagree(one, other), untaken())
    return places


def number_named(driver_id: str, people: Sequence[Person]) -> str | None:
    """Find the car of one of Jolpica's identifiers by its words: last name, or first and last name.

    Returns
    -------
    str or None
        The number of the only one among `people` who can be meant; None otherwise.
    """
    wanted = words_of(driver_id.replace("_", " "))
    spellings = (
        (person, (words_of(person.last_name), words_of(person.first_name, person.last_name))) for person in people
    )
    found = [person.number for person, names in spellings if wanted and wanted in names]
    return found[0] if len(found) == 1 else None


def people_of(frame: pd.DataFrame) -> list[Person]:
    """Return the drivers of a frame in FastF1's columns."""
    names = ("DriverNumber", "Abbreviation", "FirstName", "LastName")
    columns = [frame[name].tolist() if name in frame else [None] * len(frame) for name in names]
    return [Person(*(_word(value) for value in row)) for row in zip(*columns, strict=True)]


def renumbered(entered: pd.DataFrame, listed: pd.DataFrame | None) -> pd.DataFrame:
    """Return FastF1's entries of a result the numbers that the driver list has for these people, each number once.

    FastF1 joins the two by number alone, and cannot use an entry without a number or a number that stands twice.

    Parameters
    ----------
    entered
        The entries as FastF1 reads them, with the car number as index.
    listed
        The driver list as FastF1 reads it; None without one.
    """
    import pandas as pd

    people, known = people_of(entered), people_of(listed) if listed is not None else []
    taken = {person.number for person in known}
    numbers = [
        known[place].number if place is not None else None if person.number in taken else person.number
        for person, place in zip(people, places_in_list(people, known), strict=True)
    ]
    frame = entered.assign(DriverNumber=pd.Series(numbers, index=entered.index, dtype=object))
    frame = frame[frame["DriverNumber"].notna()].drop_duplicates("DriverNumber")
    return frame.set_index("DriverNumber", drop=False)


def _word(value: object) -> str | None:
    """Read a value that FastF1 may have turned into a float or into the text of what is missing."""
    word = str(value).strip().removesuffix(".0")
    return None if word in ("", "None", "nan", "<NA>", "-1") else word


def _same_number(one: Person, other: Person) -> bool:
    return one.number is not None and one.number == other.number


def _agree(one: Person, other: Person) -> bool:
    """Check whether two entries with one number have the same letters or last name, be it written first."""
    if one.letters and other.letters and one.letters.casefold() == other.letters.casefold():
        return True
    pairs = ((one, other), (other, one))
    return any({*words_of(a.last_name)} & {*words_of(b.first_name, b.last_name)} for a, b in pairs)


def _disagree(one: Person, other: Person) -> bool:
    """Check whether two entries name two people: both have a name or letters, and nothing is the same."""
    is_named = [bool(person.letters or words_of(person.first_name, person.last_name)) for person in (one, other)]
    return all(is_named) and not _agree(one, other)


def _are_the_same(one: Person, other: Person) -> bool:
    """Check whether two entries name one person, whatever their numbers are."""
    names = [set(words_of(person.first_name, person.last_name)) for person in (one, other)]
    if names[0] and names[0] == names[1]:
        return True
    have_letters = one.letters and other.letters and one.letters.casefold() == other.letters.casefold()
    last_names = [words_of(person.last_name) for person in (one, other)]
    return bool(have_letters and last_names[0] and last_names[0] == last_names[1])

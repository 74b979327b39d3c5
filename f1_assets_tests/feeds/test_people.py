"""Entries of a result find their car in the driver list by the person; the number alone is the last resort."""

import pandas as pd
import pytest

from f1_assets.feeds.people import Person, number_named, places_in_list, renumbered

ALDER, BRIGHT = Person("7", "ALD", "Nico", "Alder"), Person("12", "BRI", "Sam", "Bright")
LISTED = [ALDER, BRIGHT]


@pytest.mark.parametrize(
    ("entered", "places"),
    [
        ([ALDER, BRIGHT], [0, 1]),
        ([Person("12", "ALD", "Nico", "Alder"), Person("7", "BRI", "Sam", "Bright")], [0, 1]),  # swapped
        ([Person("77", "ALD", "Nico", "Alder")], [0]),  # one service has another number
        ([Person(None, None, "Níco", "ALDER")], [0]),  # no number, another spelling
        ([Person("7", None, "Alder", "Nico")], [0]),  # the last name first
        ([Person("7")], [0]),  # nothing but the number
        ([ALDER, ALDER], [0, 0]),  # listed twice
        ([ALDER, Person("7", "IBA", "Juan", "Ibarra")], [0, None]),  # a number that stands twice
        ([Person("7", "IBA", "Juan", "Ibarra")], [None]),  # another person under the number
        ([Person("50", "ALD", "Ana", "Petrova")], [None]),  # the same letters are not enough
    ],
)
def test_people_are_found_in_the_list(entered, places):
    assert places_in_list(entered, LISTED) == places


def test_jolpicas_identifiers_are_names():
    people = [ALDER, Person("1", "VER", "Max", "Verstappen"), Person("27", "HUL", "Nico", "Hülkenberg")]
    assert number_named("max_verstappen", people) == "1"
    assert number_named("hulkenberg", people) == "27"
    assert number_named("nico", people) is None
    assert number_named("alder", [ALDER, Person("8", "ALD", "Max", "Alder")]) is None


def _frame(*rows):
    names = ["DriverNumber", "Abbreviation", "FirstName", "LastName", "DriverId"]
    return pd.DataFrame(rows, columns=names).set_index("DriverNumber", drop=False)


def test_fastf1_gets_each_number_once_and_as_the_list_has_it():
    listed = _frame(("7", "ALD", "Nico", "Alder", ""), ("12", "BRI", "Sam", "Bright", ""))
    entered = _frame(
        ("12.0", "ALD", "Nico", "Alder", "alder"),  # a missing number makes floats of the others
        ("7.0", "BRI", "Sam", "Bright", "bright"),
        ("7.0", "BRI", "Sam", "Bright", "bright"),
        ("nan", "COR", "Luca", "Corvo", "corvo"),
        ("5.0", "IBA", "Juan", "Ibarra", "ibarra"),
    )
    given = renumbered(entered, listed)
    assert dict(zip(given.index, given["DriverId"], strict=True)) == {"7": "alder", "12": "bright", "5": "ibarra"}
    assert list(renumbered(entered, None).index) == ["12", "7", "5"]

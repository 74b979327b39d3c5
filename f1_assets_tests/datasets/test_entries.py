"""Rows of a result from Jolpica's entries: total times whoever is first, names and numbers of the driver list."""

import pandas as pd
import pytest

from f1_assets.datasets.entries import rows_of_result, total_times
from f1_assets.feeds.classification import Classification, Entry

TOTAL, SECOND, LAPPED = (
    Entry("alder", laps=57, time_ms=5_400_000, total_ms=5_400_000),
    Entry("bright", laps=57, time_ms=5_123, is_gap=True, total_ms=5_405_123),
    Entry("corvo", laps=56, time_ms=1_136, is_gap=True, total_ms=5_401_136),
)
OUT = Entry("dunmar", laps=12)


def _entry(base, **changes):
    return Entry(**{**vars(base), **changes})


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([TOTAL, SECOND, LAPPED, OUT], [5_400_000, 5_405_123, None, None]),
        # The winner was disqualified: he is the last entry, and still the one whom the gaps are to.
        ([SECOND, LAPPED, OUT, _entry(TOTAL, position=20)], [5_405_123, None, None, 5_400_000]),
        # ... or he is gone, or has lost his time.
        ([SECOND, LAPPED, OUT], [5_405_123, None, None]),
        ([SECOND, LAPPED, _entry(TOTAL, time_ms=None, total_ms=None)], [5_405_123, None, None]),
        # Two share the winning car, or place 1 is there twice.
        ([TOTAL, TOTAL, SECOND], [5_400_000, 5_400_000, 5_405_123]),
        # Two totals: nobody knows which one the gap is to, and Jolpica's own count is left.
        ([TOTAL, _entry(SECOND, time_ms=5_405_123, is_gap=False), _entry(SECOND, time_ms=9)],
         [5_400_000, 5_405_123, 5_405_123]),
        # No milliseconds: the gap tells; and neither: nothing does.
        ([TOTAL, _entry(SECOND, total_ms=None)], [5_400_000, 5_405_123]),
        ([_entry(SECOND, total_ms=None)], [None]),
        ([], []),
    ],
)  # fmt: skip
def test_total_times_do_not_depend_on_who_is_first(entries, expected):
    assert total_times(entries) == expected


def _rows(*entries, listed=None, is_qualifying=False):
    names = ["DriverNumber", "Abbreviation", "FirstName", "LastName", "TeamName"]
    driver_list = None if listed is None else pd.DataFrame(listed, columns=names)
    extract = rows_of_result(Classification(entries, len(entries), is_qualifying), driver_list)
    return extract.frame.to_dict("records"), extract.notes


PERSON = Entry("alder", "77", "ALD", "Nico", "Alder", "aurora", "Aurora (Jolpica)", position=20, grid=0, laps=57)


def test_the_number_and_the_names_are_those_of_the_driver_list():
    (row,), notes = _rows(PERSON, listed=[("7", "ALD", "Nico", "Alder", "Aurora")])
    assert (row["entry"], row["driver_number"], row["driver_id"]) == (1, "7", "alder")
    assert (row["full_name"], row["team_id"], row["team_name"]) == ("Nico Alder", "aurora", "Aurora")
    assert notes == {"numbers_that_differ": {"alder": "77 in the result, 7 in timing"}}


def test_without_a_driver_list_they_are_jolpicas():
    (row,), notes = _rows(PERSON)
    assert (row["driver_number"], row["full_name"], row["team_name"]) == ("77", "Nico Alder", "Aurora (Jolpica)")
    assert (row["position"], row["grid_position"]) == (20, 0)
    assert notes == {}


@pytest.mark.parametrize(("laps", "place"), [(0, None), (57, 20)])
def test_who_is_not_in_the_list_and_drove_no_lap_has_no_place(laps, place):
    (row,), notes = _rows(_entry(PERSON, laps=laps), listed=[("12", "BRI", "Sam", "Bright", "Aurora")])
    assert row["position"] == place
    assert notes == {"not_in_the_driver_list": ["alder"]}


def test_a_qualifying_has_places_but_for_who_is_slower_than_107_percent():
    times = [(60_000, 59_000, None), (64_201, None, None), (64_200, None, None), (None, None, None)]
    entries = [Entry(f"d{place}", position=place, parts_ms=parts) for place, parts in enumerate(times, 1)]
    rows, _ = _rows(*entries, is_qualifying=True)
    assert [row["classified_position"] for row in rows] == ["1", "N", "3", "4"]

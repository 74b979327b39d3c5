"""Whose entries a driver list has: those of its first whole list, and later changes that fit it."""

import pytest

from f1_assets.feeds.driver_list import read_driver_list

FIRST = {
    "7": {"RacingNumber": "7", "Tla": "ALD", "FullName": "Nico ALDER", "LastName": "Alder", "TeamName": "Aurora"},
    "12": {"RacingNumber": "12", "Tla": "BRI", "FullName": "Sam BRIGHT", "LastName": "Bright", "TeamName": "Aurora"},
}
LATER_MS = 2_400_000


@pytest.mark.parametrize(
    "patch",
    [
        {"Tla": "SUP", "FullName": "Bo SUPPORT", "TeamName": None, "Line": 1},
        {"Tla": "SUP", "FullName": "Bo SUPPORT", "TeamName": "Support Racing"},
        {"Tla": "SUP", "LastName": "Support"},
        {"LastName": "Support"},
        {"Tla": "SUP", "_deleted": ["TeamName", "LastName"]},
        {"TeamName": "Support Racing"},
        {"Tla": "SUP", "TeamName": "Aurora", "RacingNumber": "8"},
        {"_deleted": ["TeamName"]},
    ],
)
def test_another_series_does_not_rename_a_car(patch):
    listed = read_driver_list([(4_000, FIRST), (LATER_MS, {"7": patch})])
    assert listed.entries == FIRST
    assert [(entry.number, entry.session_time_ms) for entry in listed.refused] == [("7", LATER_MS)]
    assert str(listed.refused[0]).startswith("car 7 at 00:40:00: ")


@pytest.mark.parametrize("team", [None, "", "Support Racing"])
def test_another_series_adds_no_car(team):
    added = {"61": {"RacingNumber": "61", "Tla": "OTH", "TeamName": team}}
    listed = read_driver_list([(4_000, FIRST), (LATER_MS, added)])
    assert (listed.entries, [entry.number for entry in listed.refused]) == (FIRST, ["61"])


def test_changes_that_fit_are_taken():
    lines = [
        (4_000, FIRST),
        (900_000, {"7": {"Line": 2}, "12": {"Line": 1, "HeadshotUrl": "https://media.example/b.png"}}),
        (LATER_MS, {"7": {"Tla": "RES", "FullName": "Re SERVE", "TeamName": "Aurora"}}),
        (LATER_MS, {"40": {"RacingNumber": "40", "Tla": "NEW", "TeamName": "Aurora"}}),
    ]
    listed = read_driver_list(lines)
    assert listed.refused == []
    assert (listed.entries["7"]["Tla"], listed.entries["40"]["Tla"]) == ("RES", "NEW")
    assert listed.entries["12"]["HeadshotUrl"] == "https://media.example/b.png"


def test_a_list_that_comes_in_parts_is_taken_whole():
    parts = [
        (4_000, {"7": {"RacingNumber": "7", "Tla": "ALD"}}),
        (5_000, {"12": {"RacingNumber": "12", "Tla": "BRI"}}),
        (660_000, {"7": {"TeamName": "Aurora", "LastName": "Alder"}, "12": {"TeamName": "Aurora"}}),
    ]
    listed = read_driver_list(parts)
    assert listed.refused == []
    assert [entry["TeamName"] for entry in listed.entries.values()] == ["Aurora", "Aurora"]


def test_after_an_hour_no_change_of_who_drives_is_taken_and_places_are_nobodys_business():
    lines = [(4_000, FIRST), (3_700_000, {"7": {"Tla": "RES", "TeamName": "Aurora"}, "12": {"Line": 1}})]
    listed = read_driver_list(lines)
    assert listed.entries == FIRST
    assert [entry.number for entry in listed.refused] == ["7"]


def test_what_is_no_list_is_passed_over():
    assert read_driver_list([(0, "x"), (0, {"7": "y"}), (0, None)]).entries == {}

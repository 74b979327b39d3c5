"""Jolpica's results as they come: every entry, what is missing as missing, and what is no result as damage."""

import json

import pytest

from f1_assets.errors import UnreadableData
from f1_assets.feeds.classification import classification_of, clock_ms, first_laps_of
from f1_assets.feeds.table import damage_of

RESULTS = "https://api.jolpi.ca/ergast/f1/2025/1/results.json"
LAPS = "https://api.jolpi.ca/ergast/f1/2025/1/laps/1.json"


def _body(*rows, name="Results", total=None):
    races = [{name: list(rows)}] if rows else []
    return json.dumps({"MRData": {"total": str(len(rows) if total is None else total), "RaceTable": {"Races": races}}})


def _row(driver_id="alder", **values):
    return {"Driver": {"driverId": driver_id}, "Constructor": {"constructorId": "aurora"}, **values}


@pytest.mark.parametrize(
    ("given", "number"), [("7", "7"), ("07", "7"), (7, "7"), ("", None), ("-1", None), (None, None), (r"\N", None)]
)
def test_a_car_number_is_text_and_may_be_missing(given, number):
    (entry,) = classification_of(_body(_row(number=given)).encode()).entries
    assert entry.number == number


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ("1:34:50.366", 5_690_366),
        ("3:22:11.0", 12_131_000),
        ("1:41.269", 101_269),
        ("+58.2", 58_200),
        ("+1:01.636", 61_636),
        ("", None),
        ("+1 Lap", None),
        (None, None),
    ],
)
def test_durations_are_read_to_the_millisecond(clock, expected):
    assert clock_ms(clock) == expected


def test_every_entry_stays_in_its_order_with_what_it_says():
    rows = [_row("fang", number="8", position="1"), _row("fagi", number="8", position="1"), _row("vill", position="3")]
    result = classification_of(_body(*rows).encode())
    assert [(entry.driver_id, entry.number, entry.position) for entry in result.entries] == [
        ("fang", "8", 1),
        ("fagi", "8", 1),
        ("vill", None, 3),
    ]
    assert (result.total, result.is_qualifying) == (3, False)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (_body(total=20), "it has no entries"),
        (_body("no entry"), "does not say whose it is"),
        (_body({"number": "7"}), "does not say whose it is"),
        (_body(_row() | {"Constructor": 5}), "the team of an entry"),
        (_body(_row(), name="Results").replace("[{", "{", 1).replace("}]}", "}}", 1), "the body is not JSON"),
        ('{"MRData": {"total": "20", "RaceTable": {"Races": [{"Results": 5}]}}}', "no list of entries"),
        ('{"MRData": {"total": "20", "RaceTable": 5}}', "no list of races"),
    ],
)
def test_what_is_no_result_is_damaged_and_asked_for_again(body, why):
    assert why in damage_of(RESULTS, body.encode())


def test_a_result_that_does_not_exist_yet_is_no_damage():
    assert damage_of(RESULTS, b'{"MRData": {"total": "0", "RaceTable": {"Races": []}}}') is None
    assert damage_of(LAPS, b'{"MRData": {"total": "0"}}') is None


def test_lap_times_that_cannot_be_read_are_damaged():
    timings = [{"driverId": "alder", "time": "1:38.109"}, {"driverId": "bright", "time": ""}]
    laps = [
        {"number": "2", "Timings": [{"driverId": "corvo", "time": "1:30.000"}]},
        {"number": "1", "Timings": timings},
    ]
    body = json.dumps({"MRData": {"total": "2", "RaceTable": {"Races": [{"Laps": laps}]}}}).encode()
    assert damage_of(LAPS, body) is None
    assert first_laps_of(body) == {"alder": 98_109}
    for broken in (body.replace(b'"Timings"', b'"Times"'), body.replace(b'"driverId"', b'"driver"')):
        assert damage_of(LAPS, broken)
        with pytest.raises(UnreadableData, match="lap times cannot be read"):
            first_laps_of(broken)

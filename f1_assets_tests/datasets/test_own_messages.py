"""Which messages of a feed are the session's own, and which car they name."""

from datetime import UTC, datetime, timedelta

import pytest

from f1_assets.datasets.own_messages import car_of, refusal_of
from f1_assets.datasets.refusals import AFTER_THE_END, BEFORE_THE_BEGIN, OF_ANOTHER_SERIES
from f1_assets.feeds.own_time import OwnTime

START = datetime(2025, 9, 5, 11, 30, tzinfo=UTC)
OWN = OwnTime(
    START - timedelta(hours=2),
    START - timedelta(minutes=15),
    START + timedelta(minutes=75),
    held=(START, START + timedelta(minutes=60)),
)
CARS = {"1": "VER", "44": "HAM", "6": None}


def why(minutes, words, category="Other", cars=CARS, own=OWN):
    return refusal_of(START + timedelta(minutes=minutes), words, category, own, cars)


@pytest.mark.parametrize("minutes", [-15, -1, 0, 10, 60])
@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("RISK OF RAIN FOR F3 QUALIFYING SESSION IS 0%", True),
        ("F2: CAR 61 (XYZ) TIME 1:30.000 DELETED", True),
        ("CAR 61 (XYZ) TIME 1:30.000 DELETED", True),
        ("CAR 1 (BAD) TIME 1:52.545 DELETED", True),
        ("PORSCHE SUPERCUP WILL FOLLOW", True),
        ("CAR 1 (VER) TIME 1:52.545 DELETED - TRACK LIMITS AT PORSCHE CURVE", False),
        ("CAR 6 (HAD) NOTED", False),
        ("CAR 61 NOTED", False),
        ("RISK OF RAIN FOR F1 RACE IS 0%", False),
        ("YELLOW IN TRACK SECTOR 8", False),
        (None, False),
    ],
)
def test_while_the_session_is_on_all_is_its_own_but_what_names_others(minutes, words, refused):
    assert why(minutes, words, "Flag") == (OF_ANOTHER_SERIES if refused else None)


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("START OF F2 RACE IS DELAYED BY 15 MINUTES", False),
        ("F2: CAR 61 (XYZ) TIME 1:30.000 DELETED", True),
        ("CAR 61 (XYZ) TIME 1:30.000 DELETED", True),
        ("CAR 1 (VER) NOTED", False),
    ],
)
def test_where_it_overruns_it_may_announce_the_next_series(words, refused):
    assert [why(minutes, words) for minutes in (60.1, 75)] == [OF_ANOTHER_SERIES if refused else None] * 2


@pytest.mark.parametrize(("minutes", "refused"), [(-30, True), (-0.1, True), (0, False)])
def test_before_the_start_all_cars_that_a_message_names_are_its_own(minutes, refused):
    prepared = OwnTime(None, START - timedelta(hours=1), held=OWN.held)
    found = why(minutes, "CARS 1 (VER) AND 61 (XYZ) NOTED", own=prepared)
    assert found == (OF_ANOTHER_SERIES if refused else None)


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("CAR 1 (VER) TIME 1:20.000 DELETED - TRACK LIMITS", False),
        ("FIA STEWARDS: CARS 1 (VER) AND 44 (HAM) NO FURTHER ACTION", False),
        ("FIA STEWARDS: DECISION ON THE RED FLAG WILL FOLLOW", False),
        ("FIA STEWARDS: F2 SPRINT RACE RESULT AMENDED", True),
        ("FIA STEWARDS: FORMULA 3 CARS WILL BE INVESTIGATED", True),
        ("FIA STEWARDS: CAR 1 (BAD) WILL BE INVESTIGATED", True),
        ("CARS 1 (VER) AND 44 (BAD) NOTED", True),
        ("CAR 6 (HAD) NOTED", True),
        ("CAR 1 NOTED", True),
        ("GREEN LIGHT - PIT EXIT OPEN", True),
        ("SESSION TEMPERATURES: AIR = 26, TRACK = 44", True),
        (None, True),
    ],
)
def test_after_the_end_only_its_cars_and_its_stewards(words, refused):
    assert why(75.1, words) == (AFTER_THE_END if refused else None)


@pytest.mark.parametrize(
    ("minutes", "words", "category", "refused"),
    [
        (-119, "AIR TEMPERATURE 2 HOURS BEFORE THE RACE = 29 DEGREES", "Other", False),
        (-20, "PINK HEAD PADDING MATERIAL MUST BE USED", "Other", False),
        (-20, "CHEQUERED FLAG", "Flag", True),
        (-20, "DRS ENABLED", "Drs", True),
        (-20, "CAR 1 (BAD) NOTED", "Other", True),
        (-20, "RISK OF RAIN FOR F2 RACE IS 0%", "Other", True),
        (-20, "CAR 1 (VER) NOTED", "Flag", False),
        (-121, "PINK HEAD PADDING MATERIAL MUST BE USED", "Other", True),
        (-121, "FIA STEWARDS: CAR 44 (HAM) SUMMONED", "Other", False),
    ],
)
def test_before_the_begin_general_announcements_too(minutes, words, category, refused):
    assert why(minutes, words, category) == (BEFORE_THE_BEGIN if refused else None)


def test_where_nothing_tells_nothing_is_refused_by_time_and_no_car_can_be_told_apart():
    assert why(600, "GREEN LIGHT - PIT EXIT OPEN", own=OwnTime()) is None
    assert why(10, "CAR 1 (BAD) NOTED", cars=None) is None
    assert why(80, "CAR 1 (VER) NOTED", cars=None) == AFTER_THE_END
    assert refusal_of(None, "CAR 1 (BAD) NOTED", "Other", OWN, CARS) is None


@pytest.mark.parametrize(
    ("words", "cars", "number"),
    [
        ("CAR 44 (HAM) TIME 1:23.456 DELETED - TRACK LIMITS AT TURN 4", CARS, "44"),
        ("INCIDENT INVOLVING CARS 1 (VER) AND 44 (HAM) NOTED", CARS, None),
        ("CAR 1 (BAD) NOTED", CARS, None),
        ("CAR 1 (BAD) NOTED", None, "1"),
        ("CHEQUERED FLAG", CARS, None),
        (None, CARS, None),
    ],
)
def test_the_one_car_that_a_message_names(words, cars, number):
    assert car_of(words, cars) == number

"""Which lap a message of race control deletes or gives back."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from f1_assets.feeds.track_limits import cars_named, rulings, with_rulings

ZERO = datetime(2025, 3, 2, 12, 0, tzinfo=UTC)


def laps(*rows):
    """Make laps of driver 12 (BRI) by number, time in seconds, and session time of the end in seconds."""
    return pd.DataFrame(
        [
            {
                "DriverNumber": "12",
                "Driver": "BRI",
                "LapNumber": float(number),
                "LapTime": pd.NaT if seconds is None else pd.Timedelta(seconds=seconds),
                "Time": pd.Timedelta(seconds=end),
                "IsPersonalBest": True,
                "DeletedReason": "",
            }
            for number, seconds, end in rows
        ]
    )


def deleted(frame, *messages, race=True):
    """Return the numbers of the laps that messages delete, each with its session time in seconds."""
    sent = [(pd.Timestamp(2025, 3, 2, 12) + pd.Timedelta(seconds=at), words) for at, words in messages]
    marked = with_rulings(frame, rulings(sent, ZERO), race)
    assert not marked.loc[marked["Deleted"], "IsPersonalBest"].any()
    return marked.loc[marked["Deleted"], "LapNumber"].astype(int).tolist()


THREE = ((1, None, 100), (2, 83.456, 183.456), (3, 84.0, 267.456))


def test_by_driver_and_time_and_the_reason_without_the_time_of_day():
    words = "CAR 12 (BRI) TIME 1:23.456 DELETED - TRACK LIMITS AT TURN 4 LAP 9 18:07:34"
    assert deleted(laps(*THREE), (200, words)) == [2]
    marked = with_rulings(laps(*THREE), rulings([(None, words)], None), True)
    assert marked["DeletedReason"].tolist() == ["", "TRACK LIMITS AT TURN 4 LAP 9 ", ""]


def test_a_lap_without_a_time_is_found_by_its_number():
    words = "CAR 12 (BRI) LAP DELETED - TRACK LIMITS AT TURN 4 LAP 3 18:58:59 (PIT)"
    assert deleted(laps(*THREE), (300, words)) == [3]
    assert deleted(laps(*THREE), (300, words), race=False) == [2]
    assert deleted(laps(*THREE), (300, "CAR 12 (BRI) TIME 2:22.222 DELETED - TRACK LIMITS LAP 1")) == [1]


@pytest.mark.parametrize(("said", "seconds"), [("10:02.345", 602.345), ("1:00:02.345", 3602.345), ("0:59.999", 59.999)])
def test_times_of_any_length(said, seconds):
    assert deleted(laps((1, 90.0, 90), (2, seconds, 5000)), (5100, f"CAR 12 (BRI) TIME {said} DELETED - X")) == [2]


def test_of_laps_with_the_same_time_only_the_one_that_is_meant():
    twice = laps((2, 83.456, 200), (3, 83.456, 283), (4, 83.456, 400))
    assert deleted(twice, (210, "CAR 12 (BRI) TIME 1:23.456 DELETED - X")) == [2]
    assert deleted(twice, (300, "CAR 12 (BRI) TIME 1:23.456 DELETED - X")) == [3]
    assert deleted(twice, (410, "CAR 12 (BRI) TIME 1:23.456 DELETED - X LAP 3")) == [3]
    both = ((290, "CAR 12 (BRI) TIME 1:23.456 DELETED - X"), (295, "CAR 12 (BRI) TIME 1:23.456 DELETED - Y"))
    assert deleted(twice, *both) == [2, 3]


def test_a_lap_is_given_back_and_deleted_again():
    delete = (200, "CAR 12 (BRI) TIME 1:23.456 DELETED - TRACK LIMITS AT TURN 4 LAP 2")
    back = (260, "CAR 12 (BRI) TIME 1:23.456 - LAP TIME REINSTATED")
    assert deleted(laps(*THREE), delete, back) == []
    assert deleted(laps(*THREE), delete, back, (300, delete[1])) == [2]
    assert (
        deleted(laps(*THREE), (300, "CAR 12 (BRI) LAP DELETED - X LAP 3"), (310, "CAR 12 (BRI) LAP 3 REINSTATED")) == []
    )
    assert deleted(laps(*THREE), back) == []


@pytest.mark.parametrize(
    "words",
    [
        "CAR 12 (SUP) TIME 1:23.456 DELETED - TRACK LIMITS",
        "CAR 13 (BRI) TIME 1:23.456 DELETED - TRACK LIMITS",
        "CARS 12 (BRI) AND 7 (ALD) TIME 1:23.456 DELETED",
        "CAR 12 (BRI) TIME 1:23.456 UNDER INVESTIGATION",
        "CAR 12 (BRI) TIME 1:55.000 DELETED - TRACK LIMITS",
        "CAR 12 (BRI) DELETED",
        None,
    ],
)
def test_what_deletes_none_of_these_laps(words):
    assert deleted(laps(*THREE), (300, words)) == []


def test_cars_that_a_message_names():
    assert cars_named("TURN 10 INCIDENT INVOLVING CARS 44 (HAM) AND 2 (SAR) NOTED") == [("44", "HAM"), ("2", "SAR")]
    assert cars_named("CAR 9 (MAZ) IN PIT, CAR 9 (MAZ) OUT") == [("9", "MAZ")]
    assert cars_named("DRS ENABLED 12 (noted) LAP 34 18:58:59 (PIT)") == []

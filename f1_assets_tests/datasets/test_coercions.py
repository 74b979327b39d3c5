import fastf1.core
import numpy as np
import pandas as pd
import pytest

from f1_assets.datasets import all_datasets
from f1_assets.datasets.coercions import flag, full_name, integer, milliseconds, text, utc
from f1_assets.datasets.intervals import _gap_ms, _laps
from f1_assets.errors import UnreadableData
from f1_assets.feeds.own_time import OwnTime
from f1_assets.fetch.corrections import Corrections
from f1_assets.keys import SessionKey


def _plain(values):
    return [None if pd.isna(value) else value for value in values]


def test_durations_become_whole_milliseconds():
    given = pd.Series([pd.Timedelta("0:01:23.456"), pd.NaT, pd.Timedelta("0:00:00.0005"), pd.Timedelta("0:00:01.0019")])
    assert _plain(milliseconds(given)) == [83456, None, 0, 1002]
    assert _plain(milliseconds(pd.Series([None, None], dtype=object))) == [None, None]


def test_a_text_that_fastf1_made_of_nothing_is_missing():
    assert _plain(text(pd.Series(["VER", "None", "nan", "", None, np.nan]))) == ["VER", None, None, None, None, None]


def test_a_driver_without_names_has_no_full_name():
    """FastF1 wrote "None None", and that was stored."""
    first, last = pd.Series(["Nico", "None", None, "nan"]), pd.Series(["Alder", "Alder", None, ""])
    assert _plain(full_name(first, last)) == ["Nico Alder", "Alder", None, None]


def test_floats_become_the_whole_numbers_that_they_are():
    assert _plain(integer(pd.Series([1.0, np.nan, 57.0]))) == [1, None, 57]
    assert _plain(integer(pd.Series([None, 3], dtype=object))) == [None, 3]


def test_flags_that_are_no_flags_are_missing():
    assert _plain(flag(pd.Series([True, False, np.nan, None, "x"], dtype=object))) == [True, False, None, None, None]


def test_naive_dates_are_utc():
    assert utc(pd.Series([pd.Timestamp("2024-03-02 15:00")])).iloc[0] == pd.Timestamp("2024-03-02 15:00", tz="UTC")


@pytest.mark.parametrize(
    ("gap", "milliseconds_", "laps"),
    [
        ("+5.123", 5123, 0),
        ("5.123", 5123, 0),
        ("+1:02.345", 62345, 0),
        ("LAP 12", 0, 0),
        ("1L", None, 1),
        ("+2 LAPS", None, 2),
        ("15L", None, 15),
        ("+0.5", 500, 0),
        ("STOP", None, None),
    ],
)
def test_gaps_in_time_and_in_laps(gap, milliseconds_, laps):
    assert (_gap_ms(gap), _laps(gap)) == (milliseconds_, laps)


def test_a_weather_measurement_that_is_missing_is_null_and_a_true_zero_stays():
    class Loaded:
        weather = pd.DataFrame(
            {
                "Time": pd.to_timedelta(["0:01:00", "0:02:00"]),
                "AirTemp": [0.0, 0.0],
                "TrackTemp": [30.5, 0.0],
                "Humidity": [40.0, 0.0],
                "Pressure": [1000.2, 0.0],
                "Rainfall": [False, False],
                "WindDirection": [0, 0],
                "WindSpeed": [0.0, 1.2],
            }
        )

    frame = all_datasets()["weather"].extract(Loaded())
    assert _plain(frame["air_temperature_c"]) == [0.0, None]
    assert _plain(frame["wind_speed_mps"]) == [0.0, 1.2]
    assert _plain(frame["rainfall"]) == [False, None]


def test_a_tyre_that_nobody_reported_is_not_a_fresh_one():
    columns = dict.fromkeys(fastf1.core.Laps._COLUMNS, None)
    driven = pd.DataFrame([{**columns, "DriverNumber": "4", "LapNumber": float(lap)} for lap in (1, 2)])
    driven["Compound"], driven["TyreLife"] = ["SOFT", "nan"], [3.0, float("nan")]
    driven["Stint"] = [1.0, float("nan")]
    driven["FreshTyre"] = [True, True]  # what FastF1 makes of a missing flag

    class Loaded:
        laps = driven
        key = SessionKey(2025, 1, "FP1")
        results = pd.DataFrame({"Laps": [float("nan")]})
        timing_stream = pd.DataFrame({"Driver": ["4"]})
        laps_scheduled = cars = t0_utc = t0_of_session_data = None
        corrections = Corrections()
        own_time = OwnTime()

        def body(self, _feed):
            return None

    frame = all_datasets()["laps"].extract(Loaded()).frame
    assert _plain(frame["fresh_tyre"]) == [True, None]
    assert _plain(frame["compound"]) == ["SOFT", None]
    assert _plain(frame["deleted"]) == [None, None]


def test_rows_without_their_key_and_values_of_another_type_are_no_data():
    weather, key = all_datasets()["weather"], SessionKey(2024, 1, "R")
    with pytest.raises(UnreadableData, match="1 rows of weather have no session_time_ms"):
        weather.conform(pd.DataFrame({"session_time_ms": [1, None]}), key)
    with pytest.raises(UnreadableData, match=r"weather\.air_temperature_c is not float"):
        weather.conform(pd.DataFrame({"session_time_ms": [1], "air_temperature_c": ["warm"]}), key)

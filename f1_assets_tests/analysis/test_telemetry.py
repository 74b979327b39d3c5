"""Telemetry of a lap, of several, of a stint and of a session: typed, with driver, lap, tyres and time of day."""

import pandas as pd
import pytest

from f1_assets.errors import UsageError
from f1_assets.planning.absences import NotStored
from f1_assets.reader import connect
from f1_assets.settings import load_settings
from f1_assets_tests.analysis.home import RACE, make_home

TYPES = {
    "driver": "str",
    "driver_number": "str",
    "lap_number": "Int64",
    "compound": "str",
    "utc": "datetime64[ns, UTC]",
    "session_time_ms": "Int64",
    "time_ms": "Int64",
    "source": "str",
    "distance_m": "float64",
    "relative_distance": "float64",
    "rpm": "float64",
    "speed_kmh": "float64",
    "gear": "Int8",
    "throttle_pct": "float64",
    "brake": "boolean",
    "drs": "Int8",
    "x": "float64",
    "y": "float64",
    "z": "float64",
    "on_track": "boolean",
}


@pytest.fixture(scope="module")
def season(tmp_path_factory):
    with connect(load_settings(home=make_home(tmp_path_factory.mktemp("home")))) as opened:
        yield opened


@pytest.fixture(scope="module")
def laps(season):
    """Laps of the driver who drove most of them."""
    laps = season.laps(RACE)
    return laps[laps["abbreviation"] == laps["abbreviation"].value_counts().index[0]].set_index("lap_number")


def test_samples_have_their_driver_lap_tyres_and_time_of_day(season, laps):
    driver = laps["abbreviation"].iloc[0]
    lap = season.telemetry(RACE, driver, 3)
    assert lap.dtypes.astype(str).to_dict() == TYPES
    assert (set(lap["driver"]), set(lap["driver_number"])) == ({driver}, set(laps["driver_number"]))
    assert (set(lap["lap_number"]), set(lap["compound"])) == ({3}, {laps["compound"][3]})
    assert lap["time_ms"].iloc[-1] == laps["session_time_ms"][3] - laps["lap_start_time_ms"][3]
    assert (lap["utc"].iloc[0], lap["utc"].iloc[-1]) == (laps["lap_start_utc"][3], laps["utc"][3])
    for same in ("3", [3]):
        pd.testing.assert_frame_equal(season.telemetry("2025-01-R", laps["driver_number"].iloc[0], same), lap)
    pd.testing.assert_frame_equal(season.telemetry("2025 Meridian R", driver.lower(), [3]), lap)
    counting = laps[~laps["deleted"].fillna(False)]["lap_time_ms"].astype("Float64")
    assert set(season.telemetry(RACE, driver)["lap_number"]) == {counting.idxmin()}


def test_several_laps_are_one_after_the_other_and_a_stint_is_all_of_its_laps(season, laps):
    driver = laps["abbreviation"].iloc[0]
    two = season.telemetry(RACE, driver, (4, 2))
    assert two["lap_number"].drop_duplicates().tolist() == [2, 4]
    one = season.telemetry(RACE, driver, 4)
    pd.testing.assert_frame_equal(two[two["lap_number"] == 4].reset_index(drop=True), one)
    stint = season.stints(RACE, driver=driver).iloc[0]
    of_stint = season.telemetry(RACE, driver, stint=int(stint["stint"]))
    timed = laps.dropna(subset=["lap_start_time_ms", "session_time_ms"]).loc[stint["first_lap"] : stint["last_lap"]]
    assert of_stint["lap_number"].drop_duplicates().tolist() == timed.index.tolist()
    assert of_stint.dtypes.astype(str).to_dict() == TYPES


def test_of_a_whole_session_each_sample_is_of_the_lap_that_it_is_in(season, laps):
    whole = season.telemetry(RACE, laps["abbreviation"].iloc[0], None)
    assert whole.dtypes.astype(str).to_dict() == TYPES
    for number, lap in laps.dropna(subset=["lap_start_time_ms", "session_time_ms"]).iterrows():
        inside = whole["session_time_ms"].between(lap["lap_start_time_ms"], lap["session_time_ms"], inclusive="left")
        assert inside.any()
        assert set(whole[inside]["lap_number"]) == {number}
        assert set(whole[inside]["compound"]) == {lap["compound"]}
    is_before = whole["session_time_ms"] < laps["lap_start_time_ms"].min()
    assert is_before.any()
    assert whole[is_before]["lap_number"].isna().all()


def test_two_laps_are_compared_at_the_same_places(season, laps):
    other = next(letters for letters in season.drivers(RACE)["abbreviation"] if letters != laps["abbreviation"].iloc[0])
    theirs = season.laps(RACE, driver=other).set_index("lap_number")
    both = season.compare(RACE, laps["abbreviation"].iloc[0], other, 3)
    took, they_took = (each["session_time_ms"][3] - each["lap_start_time_ms"][3] for each in (laps, theirs))
    assert (both["delta_ms"].iloc[0], both["delta_ms"].iloc[-1]) == (0, they_took - took)
    same = season.compare(RACE, other, other, 3, other_lap=2)
    assert same["delta_ms"].iloc[-1] == theirs["session_time_ms"][2] - theirs["lap_start_time_ms"][2] - they_took


def test_what_is_not_there_says_why(season, laps):
    driver = laps["abbreviation"].iloc[0]
    for arguments, options, words in (
        ((RACE, "XXX"), {}, r"no driver 'XXX'\. There are: "),
        ((RACE, driver, 99), {}, "no lap 99 with"),
        ((RACE, driver, [2, 98, 99]), {}, "no lap 98, 99 with"),
        ((RACE, driver), {"stint": 9}, r"no stint 9\. Stints: 1"),
        (("2025-01", driver), {}, r"'2025-01' has 5 sessions\. Name one, such as 2025-01-R\."),
    ):
        with pytest.raises(UsageError, match=words):
            season.telemetry(*arguments, **options)
    with pytest.raises(NotStored, match="2025-01-Q drivers is missing"):
        season.telemetry("2025-01-Q", driver)

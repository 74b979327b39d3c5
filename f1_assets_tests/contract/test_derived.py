"""Derived datasets of recorded sessions, against values that were counted by hand and from FastF1's own frames."""

import pandas as pd
import pytest

from f1_assets.datasets import all_datasets
from f1_assets.datasets.checking import State, check_session
from f1_assets.datasets.clean_laps import counting, with_context
from f1_assets.datasets.qualifying_parts import parts_of
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Status
from f1_assets_tests.contract.recorded import of_keys

NAMES = (
    "ideal_laps",
    "lap_context",
    "neutralisations",
    "overtakes",
    "pit_stops",
    "position_changes",
    "practice_results",
    "race_pace",
    "sector_bests",
    "stints",
    "teammate_gaps",
    "track_limits",
    "tyre_degradation",
)

BAKU, SPRINT, SHOOTOUT, PRACTICE = "2018-04-R", "2023-04-S", "2023-04-SS", "2024-12-FP1"
QUALIFYINGS = ("2019-14-Q", "2021-18-Q", "2023-04-Q", "2023-04-SS")

pytestmark = pytest.mark.xdist_group("recordings")


@pytest.fixture
def imported(recorded):
    """The warehouse with these sessions and what is derived of them."""
    for key in (BAKU, SPRINT, SHOOTOUT, PRACTICE):
        assert recorded[key][0].failed == ()
    return recorded.warehouse


def _stints(warehouse, key, driver):
    rows = warehouse.rows("stints", key)
    return rows[rows["driver_number"] == driver]


def test_there_are_55_stints_where_fastf1_counts_56(imported):
    stints, laps = imported.rows("stints", BAKU), imported.rows("laps", BAKU)
    assert len(stints) == 55
    assert laps.groupby("driver_number")["stint"].max().sum() == 56
    assert (stints.groupby("driver_number")["laps"].sum() == laps.groupby("driver_number").size()).all()


def test_a_driver_changes_from_one_set_to_the_next(imported):
    columns = ["first_lap", "last_lap", "compound", "ended_by"]
    assert _stints(imported, BAKU, "44")[columns].to_numpy().tolist() == [
        [1, 22, "SUPERSOFT", "pit"],
        [23, 40, "SOFT", "pit"],
        [41, 51, "ULTRASOFT", "finish"],
    ]


def test_a_stop_that_kept_its_tyres_begins_no_stint(imported):
    laps = imported.rows("laps", BAKU)
    assert laps[(laps["driver_number"] == "9") & (laps["lap_number"] == 39)]["pit_in_time_ms"].notna().all()
    last = _stints(imported, BAKU, "9").iloc[-1]
    assert (last["first_lap"], last["last_lap"], last["tyre_age_at_start_laps"]) == (37, 51, 0)


def test_every_pit_stop_but_the_one_that_kept_its_tyres_ended_a_stint(imported):
    endings = imported.rows("stints", BAKU)["ended_by"].value_counts().to_dict()
    assert endings == {"pit": 36 - 1, "finish": 13, "retired": 7}


def test_both_safety_cars_and_the_leaders_laps_under_them(imported):
    rows = imported.rows("neutralisations", BAKU)
    assert rows[["kind", "start_ms", "end_ms", "leader_first_lap", "leader_last_lap"]].to_numpy().tolist() == [
        ["sc", 511_311, 1_255_542, 1, 5],
        ["sc", 5_030_402, 6_243_406, 40, 47],
    ]


def test_a_virtual_safety_car_that_becomes_a_real_one_is_two_periods(imported):
    rows = imported.rows("neutralisations", SPRINT)
    assert rows["kind"].tolist() == ["vsc", "sc"]
    assert rows["end_ms"].iloc[0] == rows["start_ms"].iloc[1]


def test_a_red_flag_ends_stints_and_is_a_period_without_a_leader(imported):
    rows, stints = imported.rows("neutralisations", SHOOTOUT), imported.rows("stints", SHOOTOUT)
    assert rows["kind"].tolist() == ["red"]
    assert rows["leader_first_lap"].isna().all()
    assert stints["ended_by"].value_counts().to_dict() == {"finish": 22, "red_flag": 18, "pit": 3}


def _of_lap(warehouse, driver, lap, *columns):
    rows = warehouse.rows("lap_context", BAKU).set_index(["driver_number", "lap_number"])
    return tuple(rows.loc[(driver, lap), list(columns)])


def test_of_a_lap_only_what_was_under_the_safety_car_is_neutralised(imported):
    laps = imported.rows("laps", BAKU).set_index(["driver_number", "lap_number"])
    for driver, lap, neutralised_ms, lap_ms in (
        ("5", 1, 99_203, 148_071),
        ("5", 5, 148_065, 183_029),
        ("77", 40, 19_301, 116_537),
    ):
        assert _of_lap(imported, driver, lap, "neutralised_ms", "is_clean") == (neutralised_ms, False)
        assert abs(laps.loc[(driver, lap), "lap_time_ms"] - lap_ms) <= 1
    assert "4" in laps.loc[("77", 40), "track_status"]


def test_gaps_at_the_line_and_who_led(imported):
    for driver, lap, gap_ms in (("5", 40, 17_896), ("7", 40, 73_605), ("77", 10, 6_443)):
        assert _of_lap(imported, driver, lap, "gap_to_leader_ms") == (gap_ms,)
    assert _of_lap(imported, "5", 40, "gap_ahead_ms", "driver_ahead") == (17_896, "77")
    rows = imported.rows("lap_context", BAKU)
    leads = rows[(rows["gap_to_leader_ms"] == 0).fillna(False)].set_index("lap_number")["driver_number"]
    leads = leads.sort_index()
    assert leads.loc[1:30].eq("5").all()
    assert (len(leads), leads[31]) == (51, "77")


def test_laps_have_the_tyres_of_their_stints(imported):
    laps, rows = imported.rows("laps", BAKU), imported.rows("lap_context", BAKU)
    known = laps["tyre_life_laps"].notna()
    assert (rows["tyre_age_laps"] == laps["tyre_life_laps"])[known].all()
    assert rows["compound"].notna().all()
    assert rows.groupby("driver_number")["stint"].max().sum() == 55


@pytest.mark.parametrize("key", of_keys(QUALIFYINGS))
def test_the_best_laps_of_each_part_that_count_are_the_times_of_the_result(recorded, key):
    assert recorded[key][0].failed == ()
    warehouse = recorded.warehouse
    laps = with_context(warehouse.rows("laps", key), warehouse.rows("lap_context", key))
    counts = counting(laps, laps).fillna(False)
    best = laps[counts].groupby(["driver_number", "qualifying_part"])["lap_time_ms"].min()
    results = warehouse.rows("results", key).set_index("driver_number")
    times = [(driver, part, results.loc[driver, f"q{part}_ms"]) for driver in results.index for part in (1, 2, 3)]
    official = {(driver, part): int(time) for driver, part, time in times if pd.notna(time)}
    assert len(official) > 40
    assert {place: int(best[place]) for place in official} == official


@pytest.mark.parametrize("key", of_keys(QUALIFYINGS))
def test_parts_are_those_of_the_feed_and_of_the_statuses_alike(recorded, key):
    assert recorded[key][0].failed == ()
    warehouse = recorded.warehouse
    rows, statuses = warehouse.rows("qualifying_parts", key), warehouse.rows("session_status", key)
    assert rows["source"].tolist() == ["feed"] * 3
    assert rows["entries"].tolist() == [20, 15, 10]
    alone = all_datasets()["qualifying_parts"].typed(parts_of(statuses, ()))
    assert rows[["part", "start_ms", "end_ms"]].equals(alone[["part", "start_ms", "end_ms"]])
    # A lap is of the part in which it ends, of those under way at the flag as well.
    laps = with_context(warehouse.rows("laps", key), warehouse.rows("lap_context", key))
    ended = laps.dropna(subset=["session_time_ms", "qualifying_part"])
    starts = rows["start_ms"].tolist()
    part = [sum(start <= time for start in starts) for time in ended["session_time_ms"]]
    assert ended["qualifying_part"].tolist() == part
    if key == "2019-14-Q":
        # By hand: Q1 and Q3 were resumed after a red flag.
        assert rows[["start_ms", "end_ms"]].to_numpy().tolist() == [
            [899_169, 2_193_224],
            [2_579_242, 3_479_229],
            [3_959_251, 5_314_146],
        ]


@pytest.mark.parametrize(("key", "layout"), [(SPRINT, [8, 10, 7]), (SHOOTOUT, [8, 10, 7]), (PRACTICE, [7, 10, 8])])
def test_timed_laps_have_all_mini_sectors_of_the_circuit_and_take_as_long(imported, key, layout):
    rows, laps = imported.rows("mini_sectors", key), imported.rows("laps", key)
    assert (
        rows.groupby("sector")["segment"].max().tolist()
        == rows.groupby("sector")["segment"].nunique().tolist()
        == layout
    )
    times = rows.groupby(["driver_number", "lap_number"])["time_ms"].agg(lambda times: times.sum(skipna=False))
    timed = laps.dropna(subset=["lap_time_ms", "lap_start_time_ms"]).set_index(["driver_number", "lap_number"])
    apart = (times.reindex(timed.index) - timed["lap_time_ms"]).abs().dropna()
    assert len(apart) > 0.8 * len(timed)
    # Mini sectors are shown some tenths of a second late.
    assert apart.median() < 150


def test_recordings_of_2018_and_2019_have_no_mini_sectors(recorded):
    for key in (BAKU, "2019-14-Q"):
        line = next(line for line in recorded[key][0].datasets if line.dataset == "mini_sectors")
        assert (line.status, line.failed) == (Status.UNAVAILABLE, False)
        assert "the feed is there, without entries" in line.reason


def test_there_are_36_stops_and_each_has_an_exit_and_one_kept_its_tyres(imported):
    stops, rows = imported.rows("pit_stops", BAKU), imported.rows("lap_context", BAKU)
    assert (len(stops), stops["pit_out_ms"].isna().sum()) == (36, 0)
    stint = rows.set_index(["driver_number", "lap_number"])["stint"]
    kept = [
        (driver, lap)
        for driver, lap in stops[["driver_number", "lap_number"]].itertuples(index=False)
        if stint[driver, lap] == stint[driver, lap + 1]
    ]
    assert kept == [("9", 39)]
    lane = stops.set_index(["driver_number", "lap_number"])["lane_ms"]
    assert (lane["44", 22], lane["5", 30], lane["3", 37]) == (20_346, 20_049, 19_892)
    assert (lane.min(), lane.idxmin()) == (15_006, ("9", 39))


def test_the_time_that_a_stop_lost(imported):
    stops = imported.rows("pit_stops", BAKU).set_index(["driver_number", "lap_number"])
    # 110,536 + 122,645 - 106,683.5 - 106,289 are 20,208.5: the half is rounded to the even millisecond.
    for stop, lost_ms, laps in ((("5", 30), 20_208, 8), (("18", 23), 21_157, 7), (("16", 24), 21_876, 7)):
        assert tuple(stops.loc[stop, ["time_lost_ms", "laps_for_loss", "under"]]) == (lost_ms, laps, "green")
    # Two clean laps before, and one after.
    for stop, laps in ((("44", 22), 2 + 4), (("3", 37), 4 + 1)):
        assert pd.isna(stops.loc[stop, "time_lost_ms"])
        assert stops.loc[stop, "laps_for_loss"] == laps
    assert stops["under"].value_counts().to_dict() == {"sc": 23, "green": 13}
    assert stops.index[stops["is_double_stack"]].tolist() == [("10", 39), ("28", 39)]


def test_a_stop_of_a_car_that_retired_in_the_pits_has_no_exit(imported):
    stops = imported.rows("pit_stops", SPRINT)
    retired = stops[stops["pit_out_ms"].isna()]
    assert retired[["driver_number", "lap_number", "under"]].to_numpy().tolist() == [["22", 2, "sc"]]
    assert retired[["lane_ms", "time_lost_ms", "laps_for_loss"]].isna().all(axis=None)


def test_without_fuel_the_pace_is_slower_and_tyres_seem_to_get_faster(imported):
    pace, slopes = imported.rows("race_pace", BAKU), imported.rows("tyre_degradation", BAKU)
    known = pace[pace["pace_ms"].notna()]
    assert (len(pace), len(known)) == (20, 17)
    assert (known["pace_ms"] < known["pace_uncorrected_ms"]).all()
    assert set(pace.loc[pace["pace_ms"].isna(), "driver_number"]) == {"27", "31", "35"}
    assert len(slopes) == len(imported.rows("stints", BAKU))
    long = slopes[slopes["laps_used"] >= 23]
    without_fuel = long["slope_ms_per_lap"] - long["fuel_ms_per_lap"]
    assert len(long) == 11
    assert without_fuel.max() < -49


@pytest.mark.parametrize("key", of_keys(["2018-04-R", *QUALIFYINGS]))
def test_each_team_has_its_gap(recorded, key):
    assert recorded[key][0].failed == ()
    rows = recorded.warehouse.rows("teammate_gaps", key)
    assert len(rows) == recorded.warehouse.rows("drivers", key)["team_name"].nunique() == 10
    if key == BAKU:
        paces = recorded.warehouse.rows("race_pace", key).set_index("driver_number")["pace_ms"]
        assert (paces[rows["driver"]].array + rows["gap_ms"] == paces[rows["teammate"]].array).all()
        return
    results = recorded.warehouse.rows("results", key).set_index("driver_number")
    for row in rows.dropna(subset="gap_ms").itertuples():
        q = results[f"q{row.qualifying_part}_ms"]
        assert row.gap_ms == q[row.teammate] - q[row.driver]


def test_a_practice_ends_in_the_order_that_its_timing_ends_with(imported):
    rows = imported.rows("practice_results", PRACTICE).set_index("driver_number")
    streamed = imported.rows("intervals", PRACTICE).sort_values("session_time_ms", kind="stable")
    last = streamed.dropna(subset="position").drop_duplicates("driver_number", keep="last")
    assert rows["position"].to_dict() == last.set_index("driver_number")["position"].to_dict()
    first = rows.sort_values("position").head(3)
    # As F1's timing has them: Norris, Stroll, Piastri, with their NumberOfLaps.
    assert first[["best_lap_ms", "gap_ms", "laps"]].to_numpy().tolist() == [
        [87_420, 0, 26],
        [87_554, 134, 22],
        [87_631, 211, 18],
    ]


def test_ideal_laps_are_of_the_best_sectors_of_several_laps(imported):
    sectors = imported.rows("sector_bests", BAKU).set_index("driver_number").loc["77"]
    assert sectors[[f"best_sector_{n}_ms" for n in (1, 2, 3)]].tolist() == [36_995, 42_391, 25_593]
    assert sectors[[f"best_sector_{n}_lap" for n in (1, 2, 3)]].tolist() == [37, 37, 29]
    ideal = imported.rows("ideal_laps", BAKU).set_index("driver_number")
    assert ideal.loc["77"][["ideal_lap_ms", "best_lap_ms", "gap_to_best_lap_ms"]].tolist() == [104_979, 105_149, 170]
    assert (ideal["gap_to_best_lap_ms"].dropna() >= 0).all()
    # Who crashed on the first lap has none.
    assert set(ideal.index[ideal["ideal_lap_ms"].isna()]) == {"31", "35"}


def test_108_swaps_between_lap_ends_of_which_52_were_far_from_the_pits(imported):
    rows = imported.rows("position_changes", BAKU)
    later = rows[(rows["lap_number"] > 1) & (rows["reason"] != "retirement")]
    assert later["reason"].value_counts().to_dict() == {"pit": 56, "track": 48, "neutralised": 4}
    assert (len(later), 48 + 4) == (108, 52)
    assert rows["reason"].value_counts()[["start", "retirement"]].tolist() == [18, 80]
    # Nobody was given a penalty that changed the order: it is that at the flag.
    assert not rows["reason"].eq("penalty").any()
    results = imported.rows("results", BAKU).set_index("driver_number")
    net = rows["gained_by"].value_counts().reindex(results.index, fill_value=0)
    net -= rows["lost_by"].value_counts().reindex(results.index, fill_value=0)
    assert (net == results["grid_position"] - results["position"]).all()


def test_overtakes_are_those_on_the_track(imported):
    rows = imported.rows("overtakes", BAKU)
    assert len(rows) == 48
    first = rows.iloc[0][["session_time_ms", "lap_number", "overtaking", "overtaken", "position", "source"]]
    assert first.tolist() == [1_408_308, 6, "55", "3", 4, "laps"]
    # In the sprint Perez took the lead from Leclerc on lap 8.
    sprint = imported.rows("overtakes", SPRINT)
    leads = sprint[sprint["position"] == 1]
    assert leads[["lap_number", "overtaking", "overtaken"]].to_numpy().tolist() == [[8, "11", "16"]]


@pytest.mark.parametrize("key", [BAKU, SPRINT, SHOOTOUT, PRACTICE])
def test_their_rules_hold_and_their_rows_have_their_types(imported, key):
    applicable = [
        name for name in NAMES if all_datasets()[name].why_not_applicable(SessionKey.parse(key), True) is None
    ]
    # Of these sessions, one has no message that deletes a lap, and one has no messages.
    stored = [name for name in applicable if name != "track_limits" or not imported.rows(name, key).empty]
    findings = check_session(imported, key, stored)
    # These sessions have no message that deletes a lap, or one that is about no lap.
    assert {f.dataset for f in findings if f.state is not State.PASSED} <= {"track_limits"}
    assert [finding for finding in findings if finding.state is State.BROKEN] == []
    for name in stored:
        rows = imported.rows(name, key)
        pd.testing.assert_frame_equal(rows, all_datasets()[name].typed(rows))

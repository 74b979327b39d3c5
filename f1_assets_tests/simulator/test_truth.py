"""FastF1 reads the simulated weekend as the real thing, and what the warehouse holds equals the ground truth."""

import pandas as pd
import pytest

from f1_assets.datasets import all_datasets, derived_datasets
from f1_assets.datasets.laps import RACES
from f1_assets.fetch.transport import Transport
from f1_assets.importing import process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.warehouse import Status

SESSIONS = [
    ("laps=12,drivers=10", "2025-01-FP1"),
    ("laps=12,drivers=10", "2025-01-Q"),
    pytest.param("", "2025-01-R", marks=pytest.mark.long, id="a whole race"),
    pytest.param("laps=12,drivers=10", "2025-02-SQ", marks=pytest.mark.long),
    ("laps=12,drivers=10", "2025-02-S"),
    ("laps=12,seed=7,drivers=10", "2025-02-R"),
    pytest.param("laps=12,seed=3,drivers=10", "2023-02-SS", marks=pytest.mark.long),
    pytest.param("laps=12,seed=5,drivers=10", "2022-02-FP2", marks=pytest.mark.long),
    pytest.param("laps=12,drivers=10", "2025-T1-2", marks=pytest.mark.long),
]

SPRINTS = (2,)
"""Rounds with a sprint before the last of these races."""


@pytest.mark.parametrize(("options", "text"), SESSIONS)
def test_rows_equal_the_ground_truth(options, text, settings_of, sqlite_warehouse):
    warehouse = sqlite_warehouse  # that PostgreSQL keeps the same values is shown in contract/test_recordings.py
    key = SessionKey.parse(text)
    transport = Transport(settings_of(source="simulator", simulator=f"{options},samples_every=50"))
    refresh_calendar(key.season, warehouse=warehouse, transport=transport)
    outcome = process_session_gap(SessionGap(key, tuple(all_datasets())), warehouse=warehouse, transport=transport)
    assert outcome.failed == ()
    simulator = Simulator(SimulatorOptions.parse(options))
    truth = simulator.truth(key.season, key.round, key.session)
    applicable = {line.dataset for line in outcome.datasets if line.status is not Status.NOT_APPLICABLE}
    # Telemetry, radio and standings have a truth of their own: see datasets/test_telemetry.py, feeds/test_history.py.
    elsewhere = {"car_telemetry", "position_telemetry", "team_radio", "driver_standings", "constructor_standings"}
    if key.session == "R":
        truth["championship_prediction"] = simulator.championship_truth(key.season, key.round)
    assert applicable - elsewhere - derived_datasets().keys() == truth.keys()
    for name, expected in truth.items():
        _compare(name, expected, warehouse.rows(all_datasets()[name], key))
    _compare_derived(truth, warehouse, key)
    if key.session == "R":
        _compare_standings(simulator, warehouse.rows("standings_projection", key), key)
        _compare_overtakes(simulator.overtakes_truth(key.season, key.round), truth["laps"], warehouse, key)


def _compare_standings(simulator, rows, key):
    """Hold points before and after a race against those of all races and sprints so far."""
    earlier = [(number, session) for number in range(1, key.round + 1) for session in ("S", "R")]
    won = [
        simulator.truth(key.season, number, session)["results"].assign(is_before=(number, session) != (key.round, "R"))
        for number, session in earlier
        if session == "R" or number in SPRINTS
    ]
    points = pd.concat(won)
    drivers = points.drop_duplicates("driver_number").set_index("driver_number")["driver_id"]
    teams = points.drop_duplicates("team_name").set_index("team_name")["team_id"]
    predicted = simulator.championship_truth(key.season, key.round)
    predicted = predicted.assign(
        driver_id=predicted["driver_number"].map(drivers), team_id=predicted["team_name"].map(teams)
    )
    for championship, identifier in (("driver", "driver_id"), ("constructor", "team_id")):
        of = rows[rows["championship"] == championship].set_index("entrant_id")
        after = points.groupby(identifier)["points"].sum()
        before = points[points["is_before"]].groupby(identifier)["points"].sum().reindex(after.index, fill_value=0)
        assert set(of.index) == set(after.index)
        assert of["points_after"].to_dict() == after.to_dict()
        assert of["points_before"].to_dict() == before.to_dict()
        # Equal points share no place: F1 knows what parts them.
        places = predicted[predicted["championship"] == championship].set_index(identifier)
        assert of["position_before"].to_dict() == places["position_before"].to_dict()
        assert of["position_after"].to_dict() == places["position_predicted"].to_dict()
        assert all(places.at[name, "position_before"] > (before > had).sum() for name, had in before.items())
    assert set(rows["source"]) == {"feed"}


def _compare_overtakes(overtakes, laps, warehouse, key):
    """Hold overtakes against those that were driven, on a lap of the car that overtakes."""
    rows = warehouse.rows("overtakes", key)
    columns = ["session_time_ms", "overtaking", "overtaken", "position"]
    assert set(rows[columns].itertuples(index=False, name=None)) == set(overtakes.itertuples(index=False, name=None))
    assert len(rows) == len(overtakes) > 0
    assert set(rows["source"]) == {"feed"}
    on_lap = rows.merge(laps, left_on=["overtaking", "lap_number"], right_on=["driver_number", "lap_number"])
    assert len(on_lap) == len(rows)
    assert (on_lap["session_time_ms_x"] <= on_lap["session_time_ms_y"]).all()
    earlier = laps.assign(lap_number=laps["lap_number"] + 1)
    before = rows.merge(earlier, left_on=["overtaking", "lap_number"], right_on=["driver_number", "lap_number"])
    assert (before["session_time_ms_x"] > before["session_time_ms_y"]).all()
    assert rows["utc"].notna().all()


def _compare_derived(truth, warehouse, key):
    """Hold what is computed of laps against the laps that were driven."""
    driven = truth["laps"].set_index(["driver_number", "lap_number"]).sort_index()
    context = warehouse.rows("lap_context", key).set_index(["driver_number", "lap_number"]).loc[driven.index]
    _equal(context["is_in_lap"], driven["is_pit_in"])
    _equal(context["is_out_lap"], driven["is_pit_out"])
    _equal(context["compound"], driven["compound"])
    _equal(context["tyre_age_laps"], driven["tyre_life_laps"])
    _compare_bests(driven, warehouse, key)
    _compare_stints(truth, warehouse.rows("stints", key))
    if key.session in RACES:
        _equal(context["gap_to_leader_ms"], driven["session_time_ms"] - _first_at_the_line(driven))
        stops = warehouse.rows("pit_stops", key).set_index(["driver_number", "lap_number"])
        _compare_stops(driven, truth["pit_lane"].set_index(["driver_number", "lap_number"]), stops)
        _compare_swaps(driven, truth["results"], warehouse.rows("position_changes", key))
        assert driven["is_pit_in"].any() == (key.session == "R")  # in a sprint nobody changes tyres
    elif "results" in truth:
        times = truth["results"].set_index("driver_number")
        for gap in warehouse.rows("teammate_gaps", key).dropna(subset="gap_ms").itertuples():
            part = times[f"q{gap.qualifying_part}_ms"]
            assert gap.gap_ms == part[gap.teammate] - part[gap.driver]
            later = times[[f"q{number}_ms" for number in range(gap.qualifying_part + 1, 4)]]
            assert later.loc[[gap.driver, gap.teammate]].isna().any().all()


def _compare_stints(truth, stints):
    """Hold stints against the sets that were fitted: in the simulator every one is driven without a break."""
    known = truth["tyre_sets"]
    fitted = known[known["total_laps"] > known["start_laps"]].sort_values(["driver_number", "set_number"])
    assert (fitted["total_laps"] - fitted["start_laps"]).sum() == len(truth["laps"])
    for driver, of_driver in fitted.groupby("driver_number"):
        driven = stints[stints["driver_number"] == driver].sort_values("stint")
        _equal(driven["tyre_age_at_start_laps"], of_driver["start_laps"])
        _equal(driven["compound"], of_driver["compound"])


def _compare_bests(driven, warehouse, key):
    """Hold best sectors and laps against the laps that count."""
    counts = driven[driven["lap_time_ms"].notna() & ~driven["deleted"] & ~driven["is_pit_in"] & ~driven["is_pit_out"]]
    # The first lap of a race has no sector 1 but what the others leave of it.
    left = counts["lap_time_ms"] - counts["sector2_time_ms"] - counts["sector3_time_ms"]
    sectors = counts.assign(sector1_time_ms=counts["sector1_time_ms"].fillna(left))
    best = sectors.groupby("driver_number")[[f"sector{number}_time_ms" for number in (1, 2, 3)]].min()
    bests = warehouse.rows("sector_bests", key).set_index("driver_number")
    for number in (1, 2, 3):
        _equal(bests[f"best_sector_{number}_ms"], best[f"sector{number}_time_ms"].reindex(bests.index))
    best_laps = counts.groupby("driver_number")["lap_time_ms"].min()
    ideal = warehouse.rows("ideal_laps", key).set_index("driver_number")
    _equal(ideal["best_lap_ms"], best_laps.reindex(ideal.index))
    if key.is_test or key.session in ("FP1", "FP2", "FP3"):
        rows = warehouse.rows("practice_results", key).sort_values("position")
        timed = rows[rows["position"].notna()]
        _equal(timed["driver_number"], best_laps.sort_values(kind="stable").index)
        _equal(rows["laps"], driven.groupby("driver_number").size().reindex(rows["driver_number"], fill_value=0))


def _compare_swaps(driven, results, swaps):
    """Hold swaps against each pair's order at the line, and their sums against grid and result."""
    orders = driven["position"].unstack("driver_number")
    between = {
        (lap, ahead, behind)
        for lap in orders.index[1:]
        for ahead in orders
        for behind in orders
        if orders.at[lap, ahead] < orders.at[lap, behind] and orders.at[lap - 1, ahead] > orders.at[lap - 1, behind]
    }
    later = swaps[(swaps["lap_number"] > 1) & ~swaps["reason"].isin(["retirement", "penalty"])]
    assert set(later[["lap_number", "gained_by", "lost_by"]].itertuples(index=False, name=None)) == between != set()
    placed = results.set_index("driver_number")
    net = swaps["gained_by"].value_counts().reindex(placed.index, fill_value=0)
    net -= swaps["lost_by"].value_counts().reindex(placed.index, fill_value=0)
    _equal(net, placed["grid_position"] - placed["position"])


def _first_at_the_line(driven):
    return driven["session_time_ms"].groupby("lap_number").transform("min")


def _compare_stops(driven, passes, stops):
    came_in = driven[driven["is_pit_in"]].index
    assert stops.index.tolist() == came_in.tolist()
    out_laps = [(driver, lap + 1) for driver, lap in came_in]
    from_in_to_out = driven.loc[out_laps, "pit_out_time_ms"].array - driven.loc[came_in, "pit_in_time_ms"]
    assert ((stops["lane_ms"] - from_in_to_out).abs() <= 50).all()  # the loops time to a tenth of a second
    _equal(stops["lane_ms"], passes.loc[came_in, "lane_ms"])
    _equal(stops["standing_ms"], passes.loc[came_in, "standing_ms"])
    _equal(stops["position_after"], driven.loc[out_laps, "position"])
    _equal(stops["compound_after"], driven.loc[out_laps, "compound"])
    _equal(stops["compound_before"], driven.loc[came_in, "compound"])
    before = [driven["position"].get((driver, lap - 1)) for driver, lap in came_in]
    _equal(stops["position_before"], pd.Series(before))


def _equal(ours, theirs):
    assert [None if pd.isna(value) else value for value in ours] == [
        None if pd.isna(value) else value for value in theirs
    ]


def _compare(name, expected, actual):
    if name == "laps":
        # For a car that stopped on track, FastF1 adds the lap that it did not finish.
        actual = actual[~actual["fastf1_generated"]]
    identity = list(all_datasets()[name].key)
    expected = expected.sort_values(identity).reset_index(drop=True)
    actual = actual.sort_values(identity).reset_index(drop=True)
    assert len(actual) == len(expected), name
    # What only the ground truth says: the warehouse has the times instead.
    for column in expected.columns.difference(["is_pit_in", "is_pit_out"]):
        ours = [None if pd.isna(value) else value for value in actual[column]]
        theirs = [None if pd.isna(value) else value for value in expected[column]]
        different = [(o, t) for o, t in zip(ours, theirs, strict=True) if o != t]
        assert not different, f"{name}.{column}: {len(different)} differ, such as {different[:3]}"


@pytest.mark.long
def test_a_race_has_all_that_makes_a_race():
    simulator = Simulator()
    races = [simulator.truth(2025, number, "R") for number in (1, 2)]
    laps = pd.concat([race["laps"] for race in races])
    statuses = pd.concat([race["track_status"] for race in races])
    results = pd.concat([race["results"] for race in races])
    messages = pd.concat([race["race_control_messages"] for race in races])["message"]
    assert laps["pit_in_time_ms"].notna().sum() > 2 * 15
    assert {"SOFT", "MEDIUM", "HARD"} <= set(laps["compound"])
    assert {"1", "2", "4"} <= set(statuses["status"])
    assert "Retired" in set(results["status"])
    assert results["status"].str.startswith("+").any(), "nobody was lapped"
    assert laps["deleted"].any()
    assert messages.str.contains("REINSTATED").any()
    assert messages.str.contains("WAVED BLUE FLAG").any()


def test_order_at_the_flag_is_the_order_of_the_result():
    truth = Simulator().truth(2025, 1, "R")
    laps, results = truth["laps"], truth["results"]
    classified = results[results["classified_position"] != "R"]
    last = laps.loc[laps.groupby("driver_number")["lap_number"].idxmax()].set_index("driver_number")
    order = last.loc[classified["driver_number"]]
    ranked = order.sort_values(["lap_number", "session_time_ms"], ascending=[False, True])
    assert list(ranked.index) == list(classified["driver_number"])

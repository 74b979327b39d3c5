"""The simulated pit and tyre feeds of several seasons, read as real ones, equal the ground truth."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from f1_assets.datasets import all_datasets
from f1_assets.datasets.pit_lane import passes_of
from f1_assets.feeds.pit_lines import parse_pit_lane_times, parse_pit_stop_series, parse_pit_stops
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.simulator.calendar import events_of, folder

OPTIONS = SimulatorOptions.parse("races=2,tests=0,laps=20,samples_every=50,drivers=20,sprints=1")
PARSERS = {
    "PitLaneTimeCollection": parse_pit_lane_times,
    "PitStopSeries": parse_pit_stop_series,
    "PitStop": parse_pit_stops,
}


@pytest.fixture(scope="module")
def simulator():
    return Simulator(OPTIONS, now=lambda: datetime(2030, 1, 1, tzinfo=UTC))


def _bodies(simulator, season, session, names):
    """Return those of the feeds that a session of the last round has."""
    event = events_of(season, OPTIONS)[-1]
    (held,) = [each for each in event.sessions if each.session_id == session]
    base = f"https://livetiming.formula1.com/static/{season}/{folder(event, held)}"
    answers = {name: simulator.respond(f"{base}{name}.jsonStream") for name in names}
    return {name: answer.body for name, answer in answers.items() if answer.status == 200}


def _rows(passes):
    rows = all_datasets()["pit_lane"].typed(passes_of(passes))
    return rows.sort_values(["driver_number", "pass_number"]).reset_index(drop=True)


@pytest.mark.parametrize(
    ("season", "feeds"), [(2019, ["PitLaneTimeCollection"]), (2025, [*PARSERS][:2]), (2026, [*PARSERS])]
)
def test_passes_equal_the_ground_truth(simulator, season, feeds):
    bodies = _bodies(simulator, season, "R", PARSERS)
    assert list(bodies) == feeds
    passes = {name: PARSERS[name](body).passes for name, body in bodies.items()}
    rows = _rows(passes)
    truth = all_datasets()["pit_lane"].typed(simulator.truth(season, 2, "R")["pit_lane"])
    truth = truth.sort_values(["driver_number", "pass_number"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, truth[rows.columns])
    assert len(rows) > 15
    if season == 2026:
        assert rows["standing_ms"].isna().any(), "all stops are in PitStopSeries"
        assert any(each.lap is None for each in passes["PitStop"]), "all lines of PitStop have a lap"
        single = _rows({name: each for name, each in passes.items() if name != "PitStopSeries"})
        told = ["standing_source"]
        pd.testing.assert_frame_equal(single.drop(columns=told), rows.drop(columns=told))
        assert set(single["standing_source"].dropna()) == {"PitStop"}


def test_a_sprint_without_stops_has_drives_to_the_grid_alone_and_a_qualifying_no_feed(simulator):
    bodies = _bodies(simulator, 2026, "S", PARSERS)
    assert list(bodies) == ["PitLaneTimeCollection", "PitStopSeries"]
    to_grid, stops = (PARSERS[name](body).passes for name, body in bodies.items())
    assert stops == ()
    assert {each.lap for each in to_grid} == {1}
    assert len(to_grid) == len(simulator.truth(2026, 2, "S")["pit_lane"]) == 20
    assert _bodies(simulator, 2026, "Q", PARSERS) == {}


def test_tyres_are_sent_in_every_session_since_2020(simulator):
    for season, session, is_there in ((2019, "R", False), (2020, "R", True), (2026, "Q", True), (2026, "FP1", True)):
        assert bool(_bodies(simulator, season, session, ["TyreStintSeries"])) == is_there
        assert ("tyre_sets" in simulator.truth(season, 2, session)) == is_there

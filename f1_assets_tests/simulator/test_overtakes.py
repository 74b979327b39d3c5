"""The simulated OvertakeSeries, read as the real one, equals the ground truth."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from f1_assets.feeds.overtake_lines import parse_overtakes
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.simulator.calendar import events_of, folder

OPTIONS = SimulatorOptions.parse("races=2,tests=0,laps=20,samples_every=50,drivers=20,sprints=1")
COLUMNS = ["driver_number", "session_time_ms", "overtakes"]


@pytest.fixture(scope="module")
def simulator():
    return Simulator(OPTIONS, now=lambda: datetime(2030, 1, 1, tzinfo=UTC))


def _answer(simulator, season, session):
    """Return that of the last round."""
    event = events_of(season, OPTIONS)[-1]
    (held,) = [each for each in event.sessions if each.session_id == session]
    return simulator.respond(
        f"https://livetiming.formula1.com/static/{season}/{folder(event, held)}OvertakeSeries.jsonStream"
    )


def test_counts_equal_the_ground_truth(simulator):
    parsed = parse_overtakes(_answer(simulator, 2026, "R").body)
    assert parsed.counts.document() == {}
    rows = pd.DataFrame(parsed.changes)[COLUMNS].sort_values(COLUMNS).reset_index(drop=True)
    truth = simulator.overtake_counts_truth(2026, 2)[COLUMNS].sort_values(COLUMNS).reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, truth)
    assert rows.groupby("driver_number")["overtakes"].max().sum() == len(simulator.overtakes_truth(2026, 2)) > 10
    assert rows["overtakes"].max() > 2, "no car has counts that come by their index"


def test_counts_are_sent_in_races_since_2026(simulator):
    sessions = ((2025, "R"), (2026, "R"), (2026, "S"), (2026, "Q"))
    assert [_answer(simulator, *session).status for session in sessions] == [404, 200, 404, 404]

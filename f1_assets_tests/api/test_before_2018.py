"""Seasons of which there are results and standings alone, under keys of ours."""

import pyopenf1
import pytest

from f1_assets.board.app import create_app
from f1_assets.context import Context
from f1_assets.importing import import_season
from f1_assets.settings import load_settings
from f1_assets_tests.api.clients import GENTLE
from f1_assets_tests.board.board import serving
from f1_assets_tests.conftest import PLENTY

SEASON = 1988


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    home = tmp_path_factory.mktemp("history") / "home"
    settings = load_settings(home=home, source="simulator", simulator="races=2,tests=0,drivers=6", quota=PLENTY)
    context = Context.open(settings)
    import_season(SEASON, warehouse=context.warehouse, transport=context.transport)
    context.transport.close()
    with serving(create_app(context)) as board:
        yield board


def test_a_client_reads_races_results_and_standings_of_1988(served):
    with pyopenf1.OpenF1Client(base_url=f"{served.url}/v1", **GENTLE) as client:
        races = client.sessions.get_sessions(year=SEASON, session_name="Race")
        meetings = client.sessions.get_meetings(year=SEASON)
        assert [race.meeting_key for race in races] == [meeting.meeting_key for meeting in meetings]
        assert all(race.session_key < 0 and race.meeting_key < 0 for race in races)
        assert len({race.session_key for race in races}) == 2
        result = client.results.get_session_results(session_key=races[-1].session_key)
        assert [row.position for row in result] == [1, 2, 3, 4, 5, 6]
    standings = served.get(f"/v1/championship_drivers?session_key={races[-1].session_key}").json()
    assert {row["driver_number"] for row in standings} == {row.driver_number for row in result}
    # Only the standings after the last race are stored of such a season: nobody says that they began with nothing.
    assert {row["points_start"] for row in standings} == {None}
    assert all(row["points_current"] > 0 for row in standings)


def test_what_there_was_none_of_is_empty_and_said_to_be_not_applicable(served):
    (race, *_) = served.get(f"/v1/sessions?year={SEASON}").json()
    answer = served.get(f"/v1/laps?session_key={race['session_key']}")
    assert (answer.json(), answer.headers["f1-status"]) == ([], "not_applicable")

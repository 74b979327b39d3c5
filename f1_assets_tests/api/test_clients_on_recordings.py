"""Each endpoint of the clients that others wrote for OpenF1, on real sessions of one weekend."""

import asyncio

import pyopenf1
import pytest

from f1_assets.board.app import create_app
from f1_assets.context import Context
from f1_assets.keys import SessionKey
from f1_assets.warehouse.calendar import session_of
from f1_assets_tests.api.clients import GENTLE, rows_of_openf1_python_client, rows_of_pyopenf1
from f1_assets_tests.board.board import serving

pytestmark = pytest.mark.xdist_group("recordings")

THERE = {
    "2023-04-Q": {"drivers", "laps", "position", "race_control", "session_result", "sessions", "stints"},
    "2023-04-S": {"drivers", "intervals", "laps", "position", "session_result", "sessions", "stints"},
}
"""What of these sessions was recorded."""


@pytest.fixture(scope="module", params=[pytest.param("2023-04-Q", marks=pytest.mark.long), "2023-04-S"])
def served(recorded, request):
    """The API on a recorded session, its name, and its key there."""
    recorded[request.param]
    with serving(create_app(Context.open(recorded.settings, warehouse=recorded.warehouse))) as board:
        yield board, request.param, session_of(recorded.warehouse, SessionKey.parse(request.param)).session_key


def test_each_endpoint_of_openf1_python_client_reads_what_is_stored(served):
    board, name, session_key = served
    meeting_key = board.get(f"/v1/sessions?session_key={session_key}").json()[0]["meeting_key"]

    def wanted(endpoint):
        return {"meeting_key": meeting_key} if endpoint == "meetings" else {"session_key": session_key}

    found = rows_of_openf1_python_client(f"{board.url}/v1", wanted)
    assert {endpoint for endpoint, rows in found.items() if rows} >= THERE[name]
    for endpoint, rows in found.items():
        stored = board.get(f"/v1/{endpoint}", params=wanted(endpoint)).json()
        plain = [row.model_dump() for row in rows]
        assert [
            {key: row[key] for key in ("driver_number", "position", "lap_number") if key in row} for row in stored
        ] == [
            {key: row[key] for key in ("driver_number", "position", "lap_number") if key in stored[0]} for row in plain
        ]


REFUSED = {
    "2023-04-Q": {
        "race_control": {"qualifying_phase": lambda value: value in (1, 2, 3)},
        "session_result": {
            "duration": lambda value: len(value) == 3,
            "gap_to_leader": lambda value: len(value) == 3,
        },
    },
    "2023-04-S": {
        "intervals": {
            "gap_to_leader": lambda value: value.startswith("+") and "LAP" in value,
            "interval": lambda value: value.startswith("+") and "LAP" in value,
        },
        "session_result": {"position": lambda value: value is None},
    },
}
"""What pyopenf1's models refuse although OpenF1 sends it so: parts of a qualifying as numbers, its times as lists of
three, gaps of whole laps as text, and null as the place of who is not classified ("NC" on F1's page)."""


def test_each_endpoint_of_pyopenf1_reads_what_is_stored_and_refuses_openf1s_own_form_alone(served):
    board, name, session_key = served

    def wanted(endpoint):
        return {} if endpoint == "meetings" else {"session_key": session_key}

    found, refused = asyncio.run(rows_of_pyopenf1(f"{board.url}/v1", wanted))
    assert {endpoint for endpoint, rows in found.items() if rows} >= THERE[name] - refused.keys()
    for endpoint, rows in found.items():
        stored = board.get(f"/v1/{endpoint}", params=wanted(endpoint)).json()
        assert len(rows) == len(stored), endpoint
    assert {endpoint: fields.keys() for endpoint, fields in refused.items()} == {
        endpoint: fields.keys() for endpoint, fields in REFUSED[name].items()
    }
    for endpoint, fields in refused.items():
        for field, values in fields.items():
            assert all(REFUSED[name][endpoint][field](value) for value in values), (endpoint, field, values)


def test_pyopenf1_without_async_reads_the_stored_lap_times(served):
    board, _, session_key = served
    with pyopenf1.OpenF1Client(base_url=f"{board.url}/v1", **GENTLE) as client:
        laps = client.timing.get_laps(session_key=session_key)
    stored = board.get(f"/v1/laps?session_key={session_key}").json()
    assert [(lap.driver_number, lap.lap_number, lap.lap_duration) for lap in laps] == [
        (lap["driver_number"], lap["lap_number"], lap["lap_duration"]) for lap in stored
    ]

"""The made-up season as a server: it answers for all hosts, counts on its own, and misbehaves on demand."""

import threading

import pytest
import requests

from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.simulator.faults import Faults
from f1_assets.simulator.referee import Referee
from f1_assets.simulator.server import SimulatorServer

SCHEDULE = "raw.githubusercontent.com/theOehrly/f1schedule/master/schedule_2025.json"
WEATHER = "livetiming.formula1.com/static/2025/2025-03-02_Meridian_Grand_Prix/2025-03-02_Race/WeatherData.jsonStream"
RESULTS = "api.jolpi.ca/ergast/f1/2025/1/results.json?limit=5"


@pytest.fixture
def serve():
    servers = []

    def serve(limits="", faults=""):
        simulator = Simulator(SimulatorOptions.parse("laps=6"))
        server = SimulatorServer(("127.0.0.1", 0), simulator, Referee.parse(limits), Faults.parse(faults))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def _get(server, path):
    return requests.get(f"{server.url}/{path}", timeout=5)


def test_it_answers_for_every_host_with_its_query(serve):
    server, simulator = serve(), Simulator(SimulatorOptions.parse("laps=6"))
    for path in (SCHEDULE, WEATHER, RESULTS):
        assert _get(server, path).content == simulator.respond(f"https://{path}").body
    assert _get(server, "example.org/x").status_code == 404


def test_beyond_the_limit_it_answers_429_with_the_wait(serve):
    server = serve("any=3/10s;jolpica=1/10s")
    assert [_get(server, RESULTS).status_code for _ in range(2)] == [200, 429]
    assert _get(server, WEATHER).status_code == 200
    refused = _get(server, WEATHER)
    assert (refused.status_code, int(refused.headers["Retry-After"])) == (429, 10)
    report = _get(server, "referee").json()
    assert (report["requests"], report["refused"]) == (4, 2)
    assert [window["peak"] for window in report["windows"]] == [4, 2]


def test_its_windows_roll():
    now = [0.0]
    referee = Referee([("any", 2, 10)], clock=lambda: now[0])
    assert [referee.arrive("h") for _ in range(2)] == [None, None]
    now[0] = 9.9
    assert referee.arrive("h") == pytest.approx(0.1)
    now[0] = 10.0
    assert referee.arrive("h") is None


@pytest.mark.parametrize(
    ("fault", "broken"),
    [("reset", requests.ConnectionError), ("cut", requests.exceptions.ChunkedEncodingError)],
)
def test_it_breaks_connections_on_demand(serve, fault, broken):
    with pytest.raises((broken, requests.ConnectionError)):
        _get(serve(faults=f"WeatherData={fault}"), WEATHER)


@pytest.mark.parametrize(
    ("fault", "status", "start"),
    [("503", 503, b"a fault"), ("html", 200, b"<html>"), ("garbage", 200, b"\x00\xff"), ("empty", 200, b"")],
)
def test_it_gives_wrong_answers_on_demand_and_only_where_told(serve, fault, status, start):
    server = serve(faults=f"WeatherData={fault}")
    answer = _get(server, WEATHER)
    assert (answer.status_code, answer.content[: len(start)]) == (status, start)
    assert _get(server, RESULTS).status_code == 200


def test_a_share_of_requests_fails_and_the_same_ones_each_time(serve):
    first, second = (
        [faults.of("x") for _ in range(50)] for faults in (Faults.parse("*=500@0.5"), Faults.parse("*=500@0.5"))
    )
    assert first == second
    faults = Faults.parse("*=500@0.3")
    share = sum(faults.of("x") == "500" for _ in range(1000)) / 1000
    assert 0.25 < share < 0.35


@pytest.mark.parametrize("text", ["WeatherData", "WeatherData=explode", "WeatherData=500@2", "=500"])
def test_a_fault_that_cannot_be_read_is_refused(text):
    with pytest.raises(ValueError, match="is no fault"):
        Faults.parse(text)


@pytest.mark.parametrize("text", ["any", "any=5", "all=5/1h", "any=5/1w"])
def test_a_limit_that_cannot_be_read_is_refused(text):
    with pytest.raises(ValueError, match="is no limit"):
        Referee.parse(text)

"""`openf1-mcp-server`, which others wrote for OpenF1 and assistants, unchanged but for its base address.

It needs version 1 of the MCP SDK, so it runs in an environment of its own.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from f1_assets_tests.api.assistant import assistant

pytestmark = [pytest.mark.xdist_group("api"), pytest.mark.long]

STARTED = "import openf1_mcp.client; openf1_mcp.client.BASE_URL = {url!r}; from openf1_mcp.server import main; main()"


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The Python of an environment that has it, and what is installed here where that will do."""
    venv = tmp_path_factory.mktemp("openf1") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    python = str(venv / "bin" / "python")
    own, ours = (_packages_of(each) for each in (python, sys.executable))
    (own / "ours.pth").write_text(str(ours))
    pip = [sys.executable, "-m", "pip", "--python", python]
    install = [*pip, "install", "--quiet", "--no-compile", "openf1-mcp-server==0.1.0", "mcp<2"]
    installed = subprocess.run(install, capture_output=True, text=True, check=False)
    if installed.returncode != 0:
        pytest.skip(f"no package index has openf1-mcp-server: {installed.stderr.strip().splitlines()[-1]}")
    return python


def _packages_of(python):
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip())


@pytest.fixture(scope="module")
def server(python, api, tmp_path_factory):
    command = ("-c", STARTED.format(url=f"{api.url}/v1"))
    with assistant(python, command, {}, tmp_path_factory.mktemp("log") / "stderr") as running:
        yield running


def _rows(server, tool, **arguments):
    result = server.do("call_tool", tool, arguments)
    assert not result.is_error, result.content
    rows = result.structured_content["result"]
    assert isinstance(rows, list), rows  # an error is an object
    return rows


def test_each_of_its_tools_gets_the_rows_of_its_endpoint(server, api, race):
    tools = [tool.name for tool in server.do("list_tools").tools]
    assert len(tools) >= 16
    for tool in tools:
        endpoint = tool.removeprefix("get_")
        wanted = {"session_key": race}
        if endpoint == "meetings":
            wanted = {"meeting_key": "latest"}
        elif endpoint == "starting_grid":
            wanted = {"session_key": race - 1}
        elif endpoint in ("car_data", "location"):
            wanted["driver_number"] = 12
        query = "&".join(f"{name}={value}" for name, value in wanted.items())
        expected = api.get(f"/v1/{endpoint}?{query}").json()
        assert _rows(server, tool, **wanted) == expected, tool
        assert expected, tool


def test_its_filters_are_understood(server, race):
    laps = _rows(server, "get_laps", session_key=race, lap_duration_max=90, lap_number=3)
    assert laps
    assert all(lap["lap_duration"] <= 90 and lap["lap_number"] == 3 for lap in laps)
    fast = _rows(server, "get_car_data", session_key=race, driver_number=12, speed_min=250, throttle_max=100)
    assert min(sample["speed"] for sample in fast) >= 250
    results = _rows(server, "get_session_result", session_key="latest", dnf=True)
    assert results
    assert all(result["dnf"] for result in results)
    weather = _rows(server, "get_weather", session_key=race)
    some = _rows(server, "get_weather", session_key=race, date_start=weather[2]["date"], date_end=weather[5]["date"])
    assert some == weather[2:5]

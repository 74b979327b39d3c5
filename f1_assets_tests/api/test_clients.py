"""Each endpoint of the clients that others wrote for OpenF1, on a simulated season."""

import asyncio
import functools

import openf1_client
import pyopenf1
import pytest

from f1_assets.api.endpoints import endpoints
from f1_assets_tests.api.clients import GENTLE, rows_of_openf1_python_client, rows_of_pyopenf1

pytestmark = pytest.mark.xdist_group("api")  # one process imports the season for both files


def _wanted(race, name):
    if name == "meetings":
        return {"meeting_key": 7502}
    if name == "starting_grid":
        return {"session_key": race - 1}
    return {"session_key": race, **({"driver_number": 12} if name in ("car_data", "location") else {})}


def test_openf1_python_client_reads_each_of_its_endpoints(api, race):
    found = rows_of_openf1_python_client(f"{api.url}/v1", functools.partial(_wanted, race))
    assert {*found} <= {*endpoints()}
    for name, rows in found.items():
        query = "&".join(f"{field}={value}" for field, value in _wanted(race, name).items())
        expected = api.get(f"/v1/{name}?{query}").json()
        assert len(rows) == len(expected) > 0, name
        assert [row.model_dump()["meeting_key"] for row in rows] == [row["meeting_key"] for row in expected]
    client = openf1_client.OpenF1Client(base_url=f"{api.url}/v1")
    fast = client.laps.list(session_key=race, lap_duration={"<": 90})
    assert {lap.lap_duration < 90 for lap in fast} == {True}


def test_pyopenf1_validates_each_of_its_endpoints(api, race):
    found, refused = asyncio.run(rows_of_pyopenf1(f"{api.url}/v1", functools.partial(_wanted, race)))
    assert refused == {}
    assert len(found) >= 16
    assert {name for name, rows in found.items() if not rows} == set()


def test_pyopenf1_without_async_does_too(api, race):
    with pyopenf1.OpenF1Client(base_url=f"{api.url}/v1", **GENTLE) as client:
        drivers = client.drivers.get_drivers(session_key=race)
    assert sorted(driver.driver_number for driver in drivers) == sorted(
        row["driver_number"] for row in api.get(f"/v1/drivers?session_key={race}").json()
    )

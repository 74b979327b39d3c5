"""Clients that others wrote for OpenF1, unchanged, with the base address pointed here."""

import asyncio
import inspect

import openf1_client
import pyopenf1
import pytest

from f1_assets.api.endpoints import endpoints

pytestmark = pytest.mark.xdist_group("api")  # one process imports the season for both files

GENTLE = {"max_per_second": 1000.0, "max_per_minute": 100_000.0}


def _wanted(name, race):
    if name == "meetings":
        return {"meeting_key": 7502}
    if name == "starting_grid":
        return {"session_key": race - 1}
    return {"session_key": race, **({"driver_number": 12} if name in ("car_data", "location") else {})}


def test_openf1_python_client_reads_each_of_its_endpoints(api, race):
    from openf1_client.models import ENDPOINT_MODELS

    client = openf1_client.OpenF1Client(base_url=f"{api.url}/v1")
    assert {*ENDPOINT_MODELS} <= {*endpoints()}
    for name in ENDPOINT_MODELS:
        wanted = _wanted(name, race)
        rows = getattr(client, name).list(**wanted)
        query = "&".join(f"{field}={value}" for field, value in wanted.items())
        expected = api.get(f"/v1/{name}?{query}").json()
        assert len(rows) == len(expected) > 0, name
        assert [row.model_dump()["meeting_key"] for row in rows] == [row["meeting_key"] for row in expected]
    fast = client.laps.list(session_key=race, lap_duration={"<": 90})
    assert {lap.lap_duration < 90 for lap in fast} == {True}


def _methods(client):
    parts = ("telemetry", "sessions", "drivers", "timing", "race", "results", "weather", "team_radio", "championship")
    for part in (getattr(client, name) for name in parts):
        for name, _ in inspect.getmembers(type(part), inspect.iscoroutinefunction):
            if name.startswith("get_"):
                yield name.removeprefix("get_"), getattr(part, name)


async def _all(base_url, race):
    found = {}
    async with pyopenf1.AsyncOpenF1Client(base_url=base_url, **GENTLE) as client:
        for name, method in _methods(client):
            found[name] = await method(**_wanted({"pit_stops": "pit"}.get(name, name), race))
    return found


def test_pyopenf1_validates_each_of_its_endpoints(api, race):
    found = asyncio.run(_all(f"{api.url}/v1", race))
    assert len(found) >= 16
    assert {name for name, rows in found.items() if not rows} == set()


def test_pyopenf1_without_async_does_too(api, race):
    with pyopenf1.OpenF1Client(base_url=f"{api.url}/v1", **GENTLE) as client:
        drivers = client.drivers.get_drivers(session_key=race)
    assert sorted(driver.driver_number for driver in drivers) == sorted(
        row["driver_number"] for row in api.get(f"/v1/drivers?session_key={race}").json()
    )

"""Clients that others wrote for OpenF1, unchanged, with the base address pointed elsewhere."""

import inspect

import openf1_client
import pydantic
import pyopenf1
from openf1_client.models import ENDPOINT_MODELS

GENTLE = {"max_per_second": 1000.0, "max_per_minute": 100_000.0}
"""OpenF1 limits callers; this API does not."""

_PARTS = ("telemetry", "sessions", "drivers", "timing", "race", "results", "weather", "team_radio", "championship")
_CALLED = {
    "drivers_championship": "championship_drivers",
    "pit_stops": "pit",
    "positions": "position",
    "session_results": "session_result",
    "teams_championship": "championship_teams",
}
"""Endpoints that pyopenf1 calls by another name."""


def rows_of_openf1_python_client(base_url, wanted):
    """Return what each of its endpoints reads, asked for what `wanted` says of an endpoint's name."""
    client = openf1_client.OpenF1Client(base_url=base_url)
    return {name: getattr(client, name).list(**wanted(name)) for name in ENDPOINT_MODELS}


async def rows_of_pyopenf1(base_url, wanted):
    """Return what each of its endpoints reads, and of each that its models refuse the values, by field."""
    found, refused = {}, {}
    async with pyopenf1.AsyncOpenF1Client(base_url=base_url, **GENTLE) as client:
        for name, method in _methods(client):
            try:
                found[name] = await method(**wanted(name))
            except pydantic.ValidationError as error:
                values = refused.setdefault(name, {})
                for each in error.errors():
                    values.setdefault(each["loc"][1], []).append(each["input"])
    return found, refused


def _methods(client):
    for part in (getattr(client, name) for name in _PARTS):
        for name, _ in inspect.getmembers(type(part), inspect.iscoroutinefunction):
            if name.startswith("get_"):
                asked = name.removeprefix("get_")
                yield _CALLED.get(asked, asked), getattr(part, name)

"""FastF1 on a simulator: no network, no cache, no limits."""

import fastf1
import requests
from fastf1.req import Cache
from requests.adapters import BaseAdapter


class SimulatorAdapter(BaseAdapter):
    """Answers requests from a simulator, and knows what was asked."""

    def __init__(self, simulator):
        super().__init__()
        self._simulator = simulator
        self.asked = []

    def send(self, request, **_kwargs):
        self.asked.append(request.url)
        answer = self._simulator.respond(request.url)
        response = requests.Response()
        response.status_code, response.url, response.request = answer.status, request.url, request
        response.headers.update(answer.headers)
        response._content = answer.body
        return response

    def close(self):
        """Nothing is open."""


def load(simulator, season, number, session_id, monkeypatch, telemetry=False):
    """Load a session through FastF1; give it and the addresses that were asked for."""
    adapter = SimulatorAdapter(simulator)
    session = requests.Session()
    session.mount("https://", adapter)
    monkeypatch.setattr(Cache, "_requests_session", session)
    monkeypatch.setattr(Cache, "_no_cached_warned", True)
    monkeypatch.setattr(Cache, "_http_tmp_disabled", True)
    monkeypatch.setattr(Cache, "_func_tmp_disabled", True)
    if number == 0:
        test, day = session_id.removeprefix("T").split("-")
        loaded = fastf1.get_testing_session(season, int(test), int(day))
    else:
        loaded = fastf1.get_session(season, number, session_id)
    loaded.load(telemetry=telemetry)
    return loaded, adapter.asked

"""FastF1 alone, as its documentation says to use it, on the same recordings: the oracle for every dataset."""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import fastf1
import fastf1._api
import pandas as pd
import requests
from fastf1.req import Cache

from f1_assets.fetch.fastf1_private import captured_timing_stream
from f1_assets.fetch.sources import AnsweringAdapter, Recording
from f1_assets.keys import SessionKey


@dataclass
class Plain:
    """A session as FastF1 gives it, with the addresses it asked for and the stream that it parses on the way."""

    session: fastf1.core.Session
    urls: list[str]
    stream: pd.DataFrame | None

    def loaded(self, name: str) -> pd.DataFrame | None:
        """Return a property of the session, None where FastF1 could not load it."""
        try:
            return getattr(self.session, name)
        except fastf1.exceptions.DataNotLoadedError:
            return None


@contextlib.contextmanager
def _answering(folder: Path, urls: list[str]) -> Iterator[None]:
    recording = Recording(folder)

    def respond(url: str):
        urls.append(url)
        return recording.respond(url)

    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, AnsweringAdapter(respond))
    before, warned = Cache._requests_session, Cache._no_cached_warned
    Cache._requests_session, Cache._no_cached_warned = session, True
    Cache.set_disabled()
    fastf1.set_log_level(logging.CRITICAL)
    try:
        yield
    finally:
        Cache._requests_session, Cache._no_cached_warned = before, warned
        Cache.set_enabled()


def load(folder: Path, key: SessionKey) -> Plain:
    """Load a session with FastF1 alone, without telemetry."""
    urls: list[str] = []
    with _answering(folder, urls):
        session = fastf1.get_session(key.season, key.round, key.session)
        urls.clear()  # the schedule: f1_assets has it from its calendar
        # What `fastf1.api.timing_data` gives: parsing it once more would take a third of the time.
        with captured_timing_stream() as streams:
            session.load(laps=True, telemetry=False, weather=True, messages=True)
        return Plain(session, list(urls), streams[-1] if streams else None)


class AllPlain(dict[str, Plain]):
    """Every recorded session as FastF1 alone gives it, loaded when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __missing__(self, key: str) -> Plain:
        self[key] = load(self._folder, SessionKey.parse(key))
        return self[key]


def schedule(folder: Path, season: int) -> pd.DataFrame:
    """Return FastF1's own schedule of a season."""
    with _answering(folder, []):
        return fastf1.get_event_schedule(season)


def circuit(folder: Path, plain: Plain) -> fastf1.mvapi.CircuitInfo | None:
    """Return FastF1's circuit of a loaded session."""
    with _answering(folder, []):
        return fastf1.mvapi.get_circuit_info(
            year=plain.session.event.year, circuit_key=plain.session.session_info["Meeting"]["Circuit"]["Key"]
        )

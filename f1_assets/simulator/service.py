"""The made-up season as its services: one function that answers for every upstream host."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pandas as pd

from f1_assets.simulator import jolpica
from f1_assets.simulator.calendar import SimulatedEvent, SimulatedSession, events_of, folder, offset_clock
from f1_assets.simulator.circuits import circuit_of, multiviewer
from f1_assets.simulator.entrants import Driver, entrants
from f1_assets.simulator.feeds import feed
from f1_assets.simulator.model import Course
from f1_assets.simulator.options import SimulatorOptions
from f1_assets.simulator.race import race
from f1_assets.simulator.timed import practice, qualifying
from f1_assets.simulator.truth import truth_of

FIRST_SEASON = 2018
_REMEMBERED = 12
_RESULTS = {"results": ("R", "Results"), "qualifying": ("Q", "QualifyingResults"), "sprint": ("S", "SprintResults")}
_GRID_OF = {"R": ("Q",), "S": ("SQ", "SS", "Q")}


@dataclass(frozen=True)
class SimulatedResponse:
    """Status, headers and body of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes


_NOT_FOUND = SimulatedResponse(404, {"content-type": "text/plain"}, b"not found")


class Simulator:
    """Answers as FastF1's upstream services would, about seasons that never were.

    Parameters
    ----------
    options
        What the seasons are like.
    now
        The clock; a session that has not ended by it is listed, but has no data.
    """

    def __init__(
        self, options: SimulatorOptions | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._options = options or SimulatorOptions()
        self._now = now
        self._drivers = entrants(self._options.drivers)
        self._courses: OrderedDict[tuple[int, int, str], Course] = OrderedDict()

    def respond(self, url: str) -> SimulatedResponse:
        """Answer a GET of any address; 404 for what the services do not have."""
        parts = urlsplit(url)
        path, query = unquote(parts.path), parse_qs(parts.query)
        match parts.hostname:
            case "raw.githubusercontent.com":
                return self._schedule(path)
            case "livetiming.formula1.com":
                return self._live_timing(path)
            case "api.jolpi.ca":
                return self._jolpica(url, path, query)
            case "api.multiviewer.app":
                return self._circuit(path)
            case _:
                return _NOT_FOUND

    def truth(self, season: int, round: int, session: str) -> dict[str, pd.DataFrame]:
        """Give the ground truth of a session: the rows of each dataset.

        Parameters
        ----------
        season, round, session
            Which; round 0 and ``T1-2`` for a test day.
        """
        event, listed = self._find(season, round, session)
        return truth_of(self._course(event, listed), circuit_of(event.place))

    def sessions(self, season: int) -> list[tuple[int, str]]:
        """Give round and identifier of every session of a season."""
        return [(e.round, s.session_id) for e in events_of(season, self._options) for s in e.sessions]

    def _find(self, season: int, number: int, session_id: str) -> tuple[SimulatedEvent, SimulatedSession]:
        for event in events_of(season, self._options):
            for session in event.sessions:
                if event.round == number and session.session_id == session_id:
                    return event, session
        raise KeyError(f"the made-up season {season} has no round {number} {session_id}")

    def _course(self, event: SimulatedEvent, session: SimulatedSession) -> Course:
        key = (event.season, event.round, session.session_id)
        if key not in self._courses:
            self._courses[key] = self._run(event, session)
            while len(self._courses) > _REMEMBERED:
                self._courses.popitem(last=False)
        self._courses.move_to_end(key)
        return self._courses[key]

    def _run(self, event: SimulatedEvent, session: SimulatedSession) -> Course:
        seed = [self._options.seed, event.season, event.round, *session.session_id.encode()]
        if session.session_id in ("Q", "SQ", "SS"):
            return qualifying(event, session, self._drivers, seed)
        if session.session_id in _GRID_OF:
            laps = self._options.laps or round(5_400 / event.place.lap_s)
            laps = laps if session.session_id == "R" else max(laps // 3, 5)
            return race(event, session, self._grid(event, session), laps, seed)
        return practice(event, session, self._drivers, seed)

    def _grid(self, event: SimulatedEvent, session: SimulatedSession) -> tuple[Driver, ...]:
        listed = {other.session_id: other for other in event.sessions}
        qualified = next(listed[name] for name in _GRID_OF[session.session_id] if name in listed)
        return tuple(result.driver for result in self._course(event, qualified).results)

    def _has_ended(self, session: SimulatedSession) -> bool:
        return session.end_utc + timedelta(minutes=20) <= self._now()

    def _schedule(self, path: str) -> SimulatedResponse:
        match = re.fullmatch(r"/theOehrly/f1schedule/master/schedule_(\d{4})\.json", path)
        if match is None or int(match[1]) < FIRST_SEASON:
            return _NOT_FOUND
        rows = [_schedule_row(event) for event in events_of(int(match[1]), self._options)]
        columns = {name: {str(index): row[name] for index, row in enumerate(rows)} for name in rows[0]}
        return _answer(json.dumps(columns).encode(), "text/plain; charset=utf-8")

    def _live_timing(self, path: str) -> SimulatedResponse:
        if match := re.fullmatch(r"/static/(\d{4})/Index\.json", path):
            if int(match[1]) < FIRST_SEASON:
                return _NOT_FOUND
            return _answer(self._index(int(match[1])), "application/json")
        match = re.fullmatch(r"/static/(\d{4})/([^/]+/[^/]+/)(\w+)\.jsonStream", path)
        if match is None:
            return _NOT_FOUND
        for event in events_of(int(match[1]), self._options):
            for session in event.sessions:
                if folder(event, session) != match[2] or not self._has_ended(session):
                    continue
                body = feed(self._course(event, session), match[3])
                return _NOT_FOUND if body is None else _answer(body, "application/octet-stream")
        return _NOT_FOUND

    def _index(self, season: int) -> bytes:
        meetings = []
        for event in events_of(season, self._options):
            place = event.place
            meetings.append(
                {
                    "Sessions": [_index_entry(event, number) for number in range(len(event.sessions))],
                    "Key": event.meeting_key,
                    "Code": f"{place.country_code}{event.round:02}",
                    "Number": event.round or 1,
                    "Location": place.location,
                    "OfficialName": event.official_name,
                    "Name": event.name,
                    "Country": {"Key": place.circuit_key - 8000, "Code": place.country_code, "Name": place.country},
                    "Circuit": {"Key": place.circuit_key, "ShortName": place.location},
                }
            )
        return b"\xef\xbb\xbf" + json.dumps({"Year": season, "Meetings": meetings}).encode()

    def _jolpica(self, url: str, path: str, query: dict[str, list[str]]) -> SimulatedResponse:
        limit, offset = (int(query.get(name, [default])[0]) for name, default in (("limit", "30"), ("offset", "0")))
        if match := re.fullmatch(r"/ergast/f1/(\d{4})\.json", path):
            season = int(match[1])
            body = jolpica.season_table(url, season, events_of(season, self._options))
            return _answer(body, "application/json")
        match = re.fullmatch(r"/ergast/f1/(\d{4})/(\d{1,2})/(results|qualifying|sprint|laps/1)\.json", path)
        if match is None:
            return _NOT_FOUND
        events = events_of(int(match[1]), self._options)
        event = next((listed for listed in events if listed.round == int(match[2]) and listed.round), None)
        if event is None:
            return _NOT_FOUND
        session_id, kind = _RESULTS.get(match[3], ("R", "Laps"))
        session = next((listed for listed in event.sessions if listed.session_id == session_id), None)
        entries: list[object] = []
        if session is not None and self._has_ended(session):
            course = self._course(event, session)
            make = {"QualifyingResults": jolpica.qualifying_results, "Laps": jolpica.first_laps}
            entries = [*make.get(kind, jolpica.results)(course)]
        return _answer(jolpica.race_table(url, event, kind, entries, limit, offset), "application/json")

    def _circuit(self, path: str) -> SimulatedResponse:
        match = re.fullmatch(r"/api/v1/circuits/(\d+)/(\d{4})", path)
        places = {event.place.circuit_key: event.place for event in events_of(2024, SimulatorOptions(races=24))}
        if match is None or int(match[1]) not in places:
            return _NOT_FOUND
        body = multiviewer(circuit_of(places[int(match[1])]), int(match[2]))
        return _answer(body, "application/json; charset=utf-8")


def _answer(body: bytes, content_type: str) -> SimulatedResponse:
    return SimulatedResponse(200, {"content-type": content_type, "content-length": str(len(body))}, body)


def _schedule_row(event: SimulatedEvent) -> dict[str, object]:
    place = event.place
    clock = offset_clock(place)
    row: dict[str, object] = {
        "round_number": event.round,
        "country": place.country,
        "location": place.location,
        "official_event_name": event.official_name,
        "event_date": f"{event.last_day}T00:00:00",
        "event_name": event.name,
        "gmt_offset": clock[:-3] if clock.startswith("-") else f"+{clock[:-3]}",
        "event_format": event.format,
    }
    for number in range(1, 6):
        session = event.sessions[number - 1] if number <= len(event.sessions) else None
        row[f"session{number}"] = session.name if session else None
        row[f"session{number}_date"] = session.start_local.isoformat() if session else None
    row["f1_api_support"] = True
    return row


def _index_entry(event: SimulatedEvent, number: int) -> dict[str, object]:
    session, place = event.sessions[number], event.place
    return {
        "Key": session.session_key,
        "Type": session.name.rstrip(" 123"),
        "Number": number + 1,
        "Name": session.name,
        "StartDate": session.start_local.isoformat(),
        "EndDate": (session.start_local + (session.end_utc - session.start_utc)).isoformat(),
        "GmtOffset": offset_clock(place),
        "Path": f"{event.season}/{folder(event, session)}",
    }

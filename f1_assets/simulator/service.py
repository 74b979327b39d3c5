"""The made-up season as its services: one function that answers for every upstream host."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import RLock
from urllib.parse import parse_qs, unquote, urlsplit

import pandas as pd

from f1_assets.simulator import jolpica
from f1_assets.simulator.calendar import (
    FIRST_LIVE_TIMING_SEASON,
    PLACES,
    SimulatedEvent,
    SimulatedSession,
    events_of,
    folder,
)
from f1_assets.simulator.circuits import circuit_of, multiviewer
from f1_assets.simulator.entrants import Driver, entrants
from f1_assets.simulator.feeds import CHAMPIONSHIP, feed
from f1_assets.simulator.model import Course, Result
from f1_assets.simulator.options import SimulatorOptions
from f1_assets.simulator.race import race
from f1_assets.simulator.schedules import schedule, season_index
from f1_assets.simulator.timed import practice, qualifying
from f1_assets.simulator.truth import (
    championship_truth_of,
    overtake_counts_truth_of,
    overtakes_truth_of,
    telemetry_truth_of,
    truth_of,
)

_REMEMBERED = 8
_RACE_S = 5_400
_RESULTS = {
    "results": ("R", "Results"),
    "qualifying": ("Q", "QualifyingResults"),
    "sprint": ("S", "SprintResults"),
    "laps/1": ("R", "Laps"),
}
_QUALIFYING_SINCE = 2003
_STANDINGS = {"driverstandings": "DriverStandings", "constructorstandings": "ConstructorStandings"}
# In the first seasons with sprints, the sprint set the grid of the race.
_GRID_OF = {"R": ("Q",), "S": ("SQ", "SS", "Q")}
_GRID_OF_BY_SPRINT = {"R": ("S",), "S": ("Q",)}


@dataclass(frozen=True)
class SimulatedResponse:
    """Status, headers and body of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes


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
        self._scored: dict[tuple[int, int, str], tuple[Result, ...]] = {}
        self._lock = RLock()

    def respond(self, url: str) -> SimulatedResponse:
        """Answer a GET of any address; 404 for what the services do not have."""
        try:
            parts = urlsplit(url)
            path, query = unquote(parts.path), parse_qs(parts.query)
        except ValueError:
            return _NOT_FOUND
        if parts.scheme != "https":
            return _NOT_FOUND
        match parts.netloc:
            case "raw.githubusercontent.com":
                return self._schedule(path)
            case "livetiming.formula1.com":
                return self._live_timing(path)
            case "api.jolpi.ca":
                return self._jolpica(url, path, query)
            case "api.multiviewer.app":
                return _circuit(path)
            case _:
                return _NOT_FOUND

    def truth(self, season: int, round: int, session: str) -> dict[str, pd.DataFrame]:
        """Return the ground truth of a session: the rows of each dataset.

        Parameters
        ----------
        season, round, session
            Which; `session` is FastF1's identifier, and with round 0 ``T1-2`` for the second day of the first test.

        Raises
        ------
        KeyError
            When the made-up season has no such session.
        """
        event, listed = self._find(season, round, session)
        return truth_of(self._course(event, listed), circuit_of(event.place))

    def telemetry_truth(self, season: int, round: int, session: str) -> dict[str, pd.DataFrame]:
        """Return the ground truth of a session's telemetry and team radio, which takes seconds to make.

        Parameters
        ----------
        season, round, session
            Which, as for `truth`.

        Raises
        ------
        KeyError
            When the made-up season has no such session.
        """
        return telemetry_truth_of(self._course(*self._find(season, round, session)))

    def championship_truth(self, season: int, round: int) -> pd.DataFrame:
        """Return the ground truth of the championships before a race and after it, which takes all races before it.

        Raises
        ------
        KeyError
            When the made-up season has no such race.
        """
        event, session = self._find(season, round, "R")
        scored = self._scored_before(events_of(season, self._options), session)
        return championship_truth_of(self._course(event, session), scored)

    def overtakes_truth(self, season: int, round: int) -> pd.DataFrame:
        """Return the ground truth of who overtook whom on the track of a race.

        Raises
        ------
        KeyError
            When the made-up season has no such race.
        """
        return overtakes_truth_of(self._course(*self._find(season, round, "R")))

    def overtake_counts_truth(self, season: int, round: int) -> pd.DataFrame:
        """Return the ground truth of how often each car of a race has overtaken, where that is all that F1 sends.

        Raises
        ------
        KeyError
            When the made-up season has no such race.
        """
        return overtake_counts_truth_of(self._course(*self._find(season, round, "R")))

    def sessions(self, season: int) -> list[tuple[int, str]]:
        """Return round and identifier of every session of a season."""
        return [(e.round, s.session_id) for e in events_of(season, self._options) for s in e.sessions]

    def _find(self, season: int, number: int, session_id: str) -> tuple[SimulatedEvent, SimulatedSession]:
        for event in events_of(season, self._options):
            for session in event.sessions:
                if event.round == number and session.session_id == session_id:
                    return event, session
        raise KeyError(f"the made-up season {season} has no round {number} {session_id}")

    def _course(self, event: SimulatedEvent, session: SimulatedSession) -> Course:
        key = (event.season, event.round, session.session_id)
        # Servers ask from several threads; none of them shall run a session that another one is running.
        with self._lock:
            course = self._courses.get(key) or replace(
                self._run(event, session), samples_every=self._options.samples_every
            )
            self._courses[key] = course
            self._courses.move_to_end(key)
            while len(self._courses) > _REMEMBERED:
                self._courses.popitem(last=False)
        return course

    def _run(self, event: SimulatedEvent, session: SimulatedSession) -> Course:
        seed = [self._options.seed, event.season, event.round, *session.session_id.encode()]
        if session.session_id in ("Q", "SQ", "SS"):
            return qualifying(event, session, self._drivers, seed)
        if session.session_id in _GRID_OF:
            laps = self._options.laps or round(_RACE_S / event.place.lap_s)
            laps = laps if session.session_id == "R" else max(laps // 3, 5)
            return race(event, session, self._grid(event, session), laps, seed)
        return practice(event, session, self._drivers, seed)

    def _grid(self, event: SimulatedEvent, session: SimulatedSession) -> tuple[Driver, ...]:
        listed = {other.session_id: other for other in event.sessions}
        grid_of = _GRID_OF_BY_SPRINT if event.format == "sprint" else _GRID_OF
        earlier = next(listed[name] for name in grid_of[session.session_id] if name in listed)
        return tuple(result.driver for result in self._course(event, earlier).results)

    def _has_ended(self, session: SimulatedSession) -> bool:
        return session.end_utc <= self._now()

    def _schedule(self, path: str) -> SimulatedResponse:
        match = re.fullmatch(r"/theOehrly/f1schedule/master/schedule_([0-9]{4})\.json", path)
        events = events_of(int(match[1]), self._options) if match and int(match[1]) >= FIRST_LIVE_TIMING_SEASON else ()
        return _answer(schedule(events), "text/plain; charset=utf-8") if events else _NOT_FOUND

    def _live_timing(self, path: str) -> SimulatedResponse:
        match = re.fullmatch(r"/static/([0-9]{4})/(?:(Index)\.json|([^/]+/[^/]+/)(\w+(?:\.z)?)\.jsonStream)", path)
        events = events_of(int(match[1]), self._options) if match and int(match[1]) >= FIRST_LIVE_TIMING_SEASON else ()
        if match is None or not events:
            return _NOT_FOUND
        if match[2]:
            return _answer(season_index(int(match[1]), events), "application/json")
        for event in events:
            for session in event.sessions:
                if folder(event, session) == match[3] and self._has_ended(session):
                    scored = self._scored_before(events, session) if match[4] == CHAMPIONSHIP else ()
                    body = feed(self._course(event, session), match[4], scored)
                    return _NOT_FOUND if body is None else _answer(body, "application/octet-stream")
        return _NOT_FOUND

    def _jolpica(self, url: str, path: str, query: dict[str, list[str]]) -> SimulatedResponse:
        match = re.fullmatch(
            r"/ergast/f1/([0-9]{4})(?:/([0-9]{1,2}))?(?:/(results|qualifying|sprint|laps/1|\w+standings))?(?:\.json|/)",
            path.lower(),
        )
        events = events_of(int(match[1]), self._options) if match else ()
        if match is None or not events:
            return _NOT_FOUND
        limit, offset = jolpica.page_of(query)
        season, races = int(match[1]), [event for event in events if event.round]
        if match[3] is None:
            return _json(jolpica.season_table(url, season, events, limit, offset)) if match[2] is None else _NOT_FOUND
        if match[3] in _STANDINGS:
            number = int(match[2]) if match[2] else max(event.round for event in races)
            kind, entries = _STANDINGS[match[3]], self._standings(races, number, match[3])
            return _json(jolpica.standings_table(url, season, number, kind, entries, limit, offset))
        if match[3] not in _RESULTS:
            return _NOT_FOUND
        if match[2] is None:
            session_id, kind = _RESULTS[match[3]]
            listed = [(event, self._entries(event, session_id, kind)) for event in races]
            return _json(jolpica.season_race_table(url, season, listed, kind, limit, offset))
        event = next((listed for listed in events if listed.round and listed.round == int(match[2])), None)
        if event is None:
            return _NOT_FOUND
        session_id, kind = _RESULTS[match[3]]
        entries = self._entries(event, session_id, kind)
        return _json(jolpica.race_table(url, event, kind, entries, limit, offset))

    def _standings(self, races: Sequence[SimulatedEvent], number: int, kind: str) -> Sequence[object]:
        """Add up the points after a round; none before its race has ended."""
        of_this_round = [event for event in races if event.round == number]
        if not of_this_round or not self._has_ended(of_this_round[0].sessions[-1]):
            return []
        scored = [
            (session.session_id, self._results(event, session))
            for event in races
            if event.round <= number
            for session in event.sessions
            if session.session_id in _GRID_OF
        ]
        return jolpica.standings(scored, kind == "constructorstandings")

    def _scored_before(self, events: Sequence[SimulatedEvent], session: SimulatedSession) -> list[tuple[Result, ...]]:
        """Return the results of the races and sprints of a season before a session."""
        return [
            self._results(each, listed)
            for each in events
            if each.round
            for listed in each.sessions
            if listed.session_id in _GRID_OF and listed.start_utc < session.start_utc
        ]

    def _results(self, event: SimulatedEvent, session: SimulatedSession) -> tuple[Result, ...]:
        """Return the result of a race or sprint, remembered for as long as the simulator lives."""
        key = (event.season, event.round, session.session_id)
        if key not in self._scored:
            self._scored[key] = tuple(self._course(event, session).results)
        return self._scored[key]

    def _entries(self, event: SimulatedEvent, session_id: str, kind: str) -> Sequence[object]:
        """Return the entries of one of Jolpica's lists; none for a session that has not ended, or is not held."""
        session = next((listed for listed in event.sessions if listed.session_id == session_id), None)
        if session is None or not self._has_ended(session):
            return []
        if kind == "QualifyingResults" and event.season < _QUALIFYING_SINCE:
            return []
        course = self._course(event, session)
        match kind:
            case "QualifyingResults":
                return jolpica.qualifying_results(course)
            case "Laps":
                return jolpica.first_laps(course)
            case _:
                return jolpica.results(course)


def _circuit(path: str) -> SimulatedResponse:
    match = re.fullmatch(r"/api/v1/circuits/([0-9]+)/([0-9]{4})", path)
    place = next((listed for listed in PLACES if match and str(listed.circuit_key) == match[1]), None)
    if match is None or place is None:
        return _NOT_FOUND
    return _answer(multiviewer(circuit_of(place), int(match[2])), "application/json; charset=utf-8")


def _json(body: bytes) -> SimulatedResponse:
    return _answer(body, "application/json")


def _answer(body: bytes, content_type: str, status: int = 200) -> SimulatedResponse:
    return SimulatedResponse(status, {"content-type": content_type, "content-length": str(len(body))}, body)


_NOT_FOUND = _answer(b"not found", "text/plain", 404)

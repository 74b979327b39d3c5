"""Live timing's feeds of a made-up session, as lines of session time and JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from f1_assets.simulator.calendar import folder, offset_clock
from f1_assets.simulator.car_data import car_data
from f1_assets.simulator.car_lines import Line
from f1_assets.simulator.car_lines import to_json as _json
from f1_assets.simulator.championship import championship
from f1_assets.simulator.model import Course, Result
from f1_assets.simulator.overtakes import overtake_series
from f1_assets.simulator.pit_lane import pit_lane_times, pit_stop, pit_stop_series
from f1_assets.simulator.position import position
from f1_assets.simulator.race_info import race_info
from f1_assets.simulator.session_data import session_data
from f1_assets.simulator.team_radio import team_radio
from f1_assets.simulator.timing_app_data import timing_app_data
from f1_assets.simulator.timing_data import timing_data
from f1_assets.simulator.tyre_stints import tyre_stints

CHAMPIONSHIP = "ChampionshipPrediction"
"""The feed that speaks of a season."""


def feed(course: Course, name: str, scored: Sequence[Sequence[Result]] = ()) -> bytes | None:
    """Return the body of a feed such as ``CarData.z``; None for one that this session does not have.

    `scored` are the results of the season's races and sprints before it, for the championship.
    """
    write = _WRITERS.get(name)
    lines = championship(course, scored) if name == CHAMPIONSHIP else write(course) if write else None
    if lines is None:
        return None
    ordered = sorted(lines, key=lambda line: line[0])
    return b"\xef\xbb\xbf" + "".join(f"{_clock(time_ms)}{text}\r\n" for time_ms, text in ordered).encode()


def _clock(time_ms: int) -> str:
    seconds, ms = divmod(time_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"


def _session_info(course: Course) -> Iterable[Line]:
    event, session, place = course.event, course.session, course.event.place
    end_local = session.start_local + (session.end_utc - session.start_utc)
    yield (
        0,
        _json(
            {
                "Meeting": {
                    "Key": event.meeting_key,
                    "Name": event.name,
                    "OfficialName": event.official_name,
                    "Location": place.location,
                    "Country": {"Key": place.country_key, "Code": place.country_code, "Name": place.country},
                    "Circuit": {"Key": place.circuit_key, "ShortName": place.location},
                },
                "ArchiveStatus": {"Status": "Generating"},
                "Key": session.session_key,
                "Type": session.kind,
                "Name": session.name,
                "StartDate": session.start_local.isoformat(),
                "EndDate": end_local.isoformat(),
                "GmtOffset": offset_clock(place),
                "Path": f"{event.season}/{folder(event, session)}",
            }
        ),
    )


def _driver_list(course: Course) -> Iterable[Line]:
    drivers = {
        driver.number: {
            "RacingNumber": driver.number,
            "BroadcastName": driver.broadcast_name,
            "FullName": f"{driver.first_name} {driver.last_name.upper()}",
            "Tla": driver.code,
            "Line": line,
            "TeamName": driver.team.name,
            "TeamColour": driver.team.color,
            "FirstName": driver.first_name,
            "LastName": driver.last_name,
            "Reference": driver.reference,
            "HeadshotUrl": driver.headshot_url,
            "CountryCode": driver.country_code,
        }
        for line, driver in enumerate(course.drivers, 1)
    }
    yield 4_800, _json(drivers)


def _session_status(course: Course) -> Iterable[Line]:
    return ((time_ms, _json({"Status": status})) for time_ms, status in course.session_status)


def _track_status(course: Course) -> Iterable[Line]:
    return ((time_ms, _json({"Status": code, "Message": words})) for time_ms, code, words in course.track_status)


def _lap_count(course: Course) -> Iterable[Line] | None:
    if course.total_laps is None:
        return None
    ends = [
        min(laps[index].end_ms for laps in course.laps.values() if len(laps) > index)
        for index in range(course.total_laps)
    ]
    lines = [(5_400, _json({"CurrentLap": 1, "TotalLaps": course.total_laps}))]
    return lines + [(end, _json({"CurrentLap": lap})) for lap, end in enumerate(ends[:-1], 2)]


def _weather(course: Course) -> Iterable[Line]:
    for minute in course.weather:
        yield (
            minute.time_ms,
            _json(
                {
                    "AirTemp": f"{minute.air_c:.1f}",
                    "Humidity": f"{minute.humidity_pct:.1f}",
                    "Pressure": f"{minute.pressure_mbar:.1f}",
                    "Rainfall": "1" if minute.rainfall else "0",
                    "TrackTemp": f"{minute.track_c:.1f}",
                    "WindDirection": str(minute.wind_deg),
                    "WindSpeed": f"{minute.wind_mps:.1f}",
                }
            ),
        )


def _race_control_messages(course: Course) -> Iterable[Line]:
    for index, message in enumerate(course.messages):
        entry: dict[str, Any] = {"Utc": course.utc(message.time_ms).strftime("%Y-%m-%dT%H:%M:%S")}
        for name, value in (
            ("Lap", message.lap),
            ("Category", message.category),
            ("Flag", message.flag),
            ("Scope", message.scope),
            ("Sector", message.sector),
            ("RacingNumber", message.number),
            ("Status", message.status),
            ("Message", message.text),
        ):
            if value is not None:
                entry[name] = value
        # The first message comes in a list, the others by their index.
        yield message.time_ms, _json({"Messages": [entry] if index == 0 else {str(index): entry}})


_WRITERS: dict[str, Callable[[Course], Iterable[Line] | None]] = {
    "SessionInfo": _session_info,
    "DriverList": _driver_list,
    "SessionStatus": _session_status,
    "TrackStatus": _track_status,
    "LapCount": _lap_count,
    "WeatherData": _weather,
    "RaceControlMessages": _race_control_messages,
    "TimingData": timing_data,
    "TimingAppData": timing_app_data,
    "CarData.z": car_data,
    "Position.z": position,
    "TeamRadio": team_radio,
    "DriverRaceInfo": race_info,
    "OvertakeSeries": overtake_series,
    "SessionData": session_data,
    "PitLaneTimeCollection": pit_lane_times,
    "PitStopSeries": pit_stop_series,
    "PitStop": pit_stop,
    "TyreStintSeries": tyre_stints,
}

"""The ground truth of a made-up session: what the warehouse must hold, taken from the model and not from the feeds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from f1_assets.simulator.calendar import offset_clock
from f1_assets.simulator.car_lines import segment_status
from f1_assets.simulator.championship import points_at_the_end, standings
from f1_assets.simulator.circuits import Circuit, circuit_of
from f1_assets.simulator.model import SEGMENTS, Course, Lap, Result
from f1_assets.simulator.pit_lane import stops
from f1_assets.simulator.position import statuses
from f1_assets.simulator.race_info import FIRST_SEASON as RACE_INFO_SINCE
from f1_assets.simulator.race_info import sent
from f1_assets.simulator.race_order import moments
from f1_assets.simulator.records import records
from f1_assets.simulator.standings import passings
from f1_assets.simulator.team_radio import captures
from f1_assets.simulator.telemetry import TICKS_PER_MS, CarSamples, PositionSamples, car_samples, position_samples
from f1_assets.simulator.track import track_of
from f1_assets.simulator.tyre_stints import FIRST_SEASON, shown_ms


def truth_of(course: Course, circuit: Circuit) -> dict[str, pd.DataFrame]:
    """Return the rows of each dataset, in its own columns; times in whole milliseconds."""
    tables: dict[str, list[dict[str, Any]] | pd.DataFrame] = {
        "session_info": [_session_info(course)],
        "drivers": _drivers(course),
        "laps": [_lap(number, lap, course) for number, laps in course.laps.items() for lap in laps],
        "weather": _weather(course),
        "race_control_messages": _messages(course),
        "track_status": [
            {"change_number": number, "session_time_ms": time_ms, "status": code, "message": words}
            for number, (time_ms, code, words) in enumerate(course.track_status, 1)
        ],
        "session_status": [
            {"change_number": number, "session_time_ms": time_ms, "status": status}
            for number, (time_ms, status) in enumerate(course.session_status, 1)
        ],
        "intervals": _intervals(course),
        "mini_sectors": _mini_sectors(course),
        "circuit": [
            {
                "kind": marker.kind,
                "number": marker.number,
                "letter": marker.letter,
                "x": marker.x,
                "y": marker.y,
                "angle_deg": marker.angle_deg,
            }
            for marker in circuit.markers
        ],
    }
    if course.session.session_id == "R" and course.event.season >= RACE_INFO_SINCE:
        tables["driver_race_info"] = _race_info(course)
    if course.event.season >= FIRST_SEASON:
        tables["tyre_sets"] = _tyre_sets(course)
    if course.is_race:
        tables["pit_lane"] = _pit_lane(course)
    if course.parts:
        tables["qualifying_parts"] = _parts(course)
    if course.results:
        tables["results"] = [_result(entry, result, course) for entry, result in enumerate(course.results, 1)]
    return {name: pd.DataFrame(rows) for name, rows in tables.items()}


def _session_info(course: Course) -> dict[str, Any]:
    event, session, place = course.event, course.session, course.event.place
    return {
        "session_key": session.session_key,
        "session_name": session.name,
        "session_type": session.kind,
        "meeting_key": event.meeting_key,
        "meeting_name": event.name,
        "meeting_official_name": event.official_name,
        "location": place.location,
        "country_key": place.country_key,
        "country_code": place.country_code,
        "country_name": place.country,
        "circuit_key": place.circuit_key,
        "circuit_short_name": place.location,
        "gmt_offset": offset_clock(place),
    }


def championship_truth_of(course: Course, scored: Sequence[Sequence[Result]]) -> pd.DataFrame:
    """Return the championships before a race and as it finished.

    Parameters
    ----------
    course
        The race.
    scored
        The results of the season's races and sprints before it.
    """
    return pd.DataFrame(
        [
            {
                "championship": "constructor" if entrant.team_name else "driver",
                "entrant": entrant.key,
                "driver_number": None if entrant.team_name else entrant.key,
                "team_name": entrant.team_name,
                "points_before": entrant.points_before,
                "position_before": entrant.position_before,
                "points_predicted": entrant.points,
                "position_predicted": entrant.position,
            }
            for entrant in standings(course, scored, points_at_the_end(course))
        ]
    )


def overtakes_truth_of(course: Course) -> pd.DataFrame:
    """Return who overtook whom on the track of a race."""
    return pd.DataFrame(
        [
            {
                "session_time_ms": moment.standing.time_ms,
                "overtaking": moment.standing.number,
                "overtaken": overtaken,
                "position": moment.order.index(moment.standing.number) + 1,
            }
            for moment in moments(course)
            for overtaken in moment.overtaken
        ],
        columns=["session_time_ms", "overtaking", "overtaken", "position"],
    )


def overtake_counts_truth_of(course: Course) -> pd.DataFrame:
    """Return how many cars each car had overtaken in a race, whenever it overtook."""
    won = overtakes_truth_of(course).groupby(["overtaking", "session_time_ms"]).size()
    counts = won.groupby("overtaking").cumsum().rename("overtakes").reset_index()
    return counts.rename(columns={"overtaking": "driver_number"})


def telemetry_truth_of(course: Course) -> dict[str, pd.DataFrame]:
    """Return the rows of what the cars measure and say, one row a car and sample, cars in the order of their numbers.

    `session_time_ms` is in whole milliseconds, as FastF1 rounds it. `distance_m` goes on from lap to lap, and lap 1
    begins at 0; `sector_ends` has the distance at which each car has to be at the end of each sector.
    """
    return {
        "car_data": _car_data(car_samples(course)),
        "position": _position(position_samples(course)),
        "team_radio": pd.DataFrame(
            [
                {
                    "capture_number": number,
                    "session_time_ms": capture.sent_ms,
                    "utc": capture.utc(course),
                    "driver_number": capture.driver.number,
                    "path": capture.path(course),
                }
                for number, capture in enumerate(captures(course))
            ],
            columns=["capture_number", "session_time_ms", "utc", "driver_number", "path"],
        ),
        "sector_ends": pd.DataFrame(_sector_ends(course)),
    }


def _car_data(samples: CarSamples) -> pd.DataFrame:
    rpm, speed, gear, throttle, brake, drs = np.moveaxis(samples.channels, -1, 0)
    columns = {
        "rpm": rpm,
        "speed_kmh": speed,
        "gear": gear,
        "throttle_pct": throttle,
        "brake": brake > 0,
        "drs": drs,
        "distance_m": samples.distance_m,
    }
    return _by_car(samples, columns)


def _position(samples: PositionSamples) -> pd.DataFrame:
    x, y, z = np.moveaxis(samples.xyz, -1, 0)
    return _by_car(samples, {"status": statuses(samples), "x": x, "y": y, "z": z, "distance_m": samples.distance_m})


def _by_car(samples: CarSamples | PositionSamples, columns: dict[str, Any]) -> pd.DataFrame:
    """Lay out arrays by sample and car as rows, one car after the other."""
    count = len(samples.clock.ticks)
    # FastF1 reads microseconds, and rounds half to even.
    time_ms = np.rint(samples.clock.ticks // 10 / (TICKS_PER_MS // 10)).astype(np.int64)
    rows: dict[str, Any] = {
        "driver_number": np.repeat(np.array(samples.numbers, dtype=object), count),
        "session_time_ms": np.tile(time_ms, len(samples.numbers)),
    }
    return pd.DataFrame(rows | {name: values.T.ravel() for name, values in columns.items()})


def _sector_ends(course: Course) -> list[dict[str, Any]]:
    track = track_of(circuit_of(course.event.place))
    ends_m = (*track.sector_ends_m, track.length_m)
    return [
        {
            "driver_number": number,
            "lap_number": lap.number,
            "sector": sector,
            "session_time_ms": end_ms,
            "distance_m": (lap.number - 1) * track.length_m + end_m,
            "lap_length_m": track.length_m,
        }
        for number, laps in course.laps.items()
        for lap in laps
        for sector, (end_ms, end_m) in enumerate(zip(lap.sector_ends_ms, ends_m, strict=True), 1)
    ]


def _is_named_by_jolpica(course: Course) -> bool:
    """Check whether a session has Jolpica's identifiers by itself: it has no sprint qualifying and no tests."""
    return course.session.session_id in ("FP1", "FP2", "FP3", "Q", "S", "R")


def _drivers(course: Course) -> list[dict[str, Any]]:
    by_jolpica = _is_named_by_jolpica(course)
    return [
        {
            "driver_number": driver.number,
            "abbreviation": driver.code,
            "driver_id": driver.driver_id if by_jolpica else None,
            "first_name": driver.first_name,
            "last_name": driver.last_name,
            "full_name": f"{driver.first_name} {driver.last_name}",
            "broadcast_name": driver.broadcast_name,
            "team_name": driver.team.name,
            "team_id": driver.team.team_id if by_jolpica else None,
            "team_color": driver.team.color,
            "country_code": driver.country_code,
            "headshot_url": driver.headshot_url,
        }
        for driver in course.drivers
    ]


def _lap(number: str, lap: Lap, course: Course) -> dict[str, Any]:
    first_lap_ms = course.first_lap_ms.get(number) if course.session.session_id == "R" and lap.number == 1 else None
    position = None
    if course.is_race:
        ends = [laps[lap.number - 1].end_ms for laps in course.laps.values() if len(laps) >= lap.number]
        position = sum(1 for end in ends if end <= lap.end_ms)
    first, second, third = lap.sectors_ms
    return {
        "driver_number": number,
        "lap_number": lap.number,
        "session_time_ms": lap.end_ms,
        "lap_time_ms": lap.lap_time_ms if first_lap_ms is None else first_lap_ms,
        "sector1_time_ms": first,
        "sector2_time_ms": second,
        "sector3_time_ms": third,
        "stint": lap.stint + 1,
        "compound": lap.tyres.compound,
        "tyre_life_laps": lap.tyres.age_laps + lap.laps_on_tyres,
        "fresh_tyre": lap.tyres.is_new,
        "speed_i1_kmh": lap.speeds_kmh[0],
        "speed_i2_kmh": lap.speeds_kmh[1],
        "speed_fl_kmh": lap.speeds_kmh[2],
        "speed_st_kmh": lap.speeds_kmh[3],
        "pit_out_time_ms": lap.pit_out_ms,
        "pit_in_time_ms": lap.pit_in_ms,
        "is_pit_out": lap.pit_out_ms is not None,
        "is_pit_in": lap.pit_in_ms is not None,
        "position": position,
        "deleted": lap.deleted,
    }


def _result(entry: int, result: Result, course: Course) -> dict[str, Any]:
    down = (course.total_laps or 0) - (result.laps or 0)
    status = "Finished" if down == 0 else f"+{down} Lap{'s' if down > 1 else ''}"
    is_race = course.is_race
    q1, q2, q3 = result.parts_ms
    driver, by_jolpica = result.driver, _is_named_by_jolpica(course)
    return {
        "entry": entry,
        "driver_number": driver.number,
        "driver_id": driver.driver_id if by_jolpica else None,
        "full_name": f"{driver.first_name} {driver.last_name}",
        "team_id": driver.team.team_id if by_jolpica else None,
        "team_name": driver.team.name,
        "position": result.position,
        "classified_position": "R" if result.retired else str(result.position),
        "grid_position": result.grid,
        "q1_ms": q1,
        "q2_ms": q2,
        "q3_ms": q3,
        "time_ms": result.total_ms,
        "laps": result.laps,
        "status": ("Retired" if result.retired else status) if is_race else None,
        "points": result.points if is_race else None,
    }


def _parts(course: Course) -> list[dict[str, Any]]:
    starts, ends = (
        [time_ms for time_ms, status in course.session_status if status == word] for word in ("Started", "Finished")
    )
    return [
        {"part": number, "start_ms": start_ms, "end_ms": end_ms, "entries": len(part.numbers), "source": "feed"}
        for number, (part, start_ms, end_ms) in enumerate(zip(course.parts, starts, ends, strict=True), 1)
    ]


def _race_info(course: Course) -> list[dict[str, Any]]:
    """Return what is announced of each car; gaps and overtakes are those of that time alone."""
    overtaken = {
        (moment.standing.time_ms, number): moment.standing.number
        for moment in moments(course)
        for number in moment.overtaken
    }
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    states: dict[str, dict[str, Any]] = {}
    for time_ms, cars in sent(course):
        for number, fields in cars.items():
            state = states.setdefault(number, {})
            state |= fields
            row = rows.setdefault((number, time_ms), {"driver_number": number, "session_time_ms": time_ms})
            row |= {
                "position": int(state["Position"]),
                "pit_stops": state["PitStops"],
                "is_catching": state["Catching"] > 0,
                "overtake_state": state["OvertakeState"],
                "is_out": state["IsOut"],
                "overtaken_by": overtaken.get((time_ms, number)),
                "gap_ms": _gap_ms(fields["Gap"]) if "Gap" in fields else row.get("gap_ms"),
                "interval_ms": _gap_ms(fields["Interval"]) if "Interval" in fields else row.get("interval_ms"),
            }
    return list(rows.values())


def _gap_ms(written: str) -> int | None:
    if written.startswith("LAP"):
        return 0
    return round(float(written) * 1000) if written else None


def _pit_lane(course: Course) -> pd.DataFrame:
    frame = pd.DataFrame(
        [(stop.number, stop.lap, stop.sent_ms, stop.lane_ms, stop.standing_ms) for stop in stops(course)],
        columns=["driver_number", "lap_number", "session_time_ms", "lane_ms", "standing_ms"],
    )
    return frame.assign(
        pass_number=frame.groupby("driver_number").cumcount() + 1,
        source="PitLaneTimeCollection",
        standing_source=frame["standing_ms"].map(lambda _: "PitStopSeries", na_action="ignore"),
    )


def _tyre_sets(course: Course) -> list[dict[str, Any]]:
    driven = {(number, lap.stint): lap for number, laps in course.laps.items() for lap in laps}
    rows = []
    for (number, stint), at_ms in shown_ms(course).items():
        lap = driven.get((number, stint))
        tyres = course.first_tyres[number] if lap is None else lap.tyres
        rows.append(
            {
                "driver_number": number,
                "set_number": stint + 1,
                "session_time_ms": at_ms,
                "compound": tyres.compound,
                "is_new": tyres.is_new,
                "tyres_not_changed": False,
                "total_laps": tyres.age_laps + (0 if lap is None else lap.laps_on_tyres),
                "start_laps": tyres.age_laps,
            }
        )
    return rows


def _mini_sectors(course: Course) -> list[dict[str, Any]]:
    found = records(course.laps)
    rows = []
    for number, laps in course.laps.items():
        for lap in laps:
            times = iter(passings(lap))
            for sector, segments in enumerate(SEGMENTS):
                for segment in range(segments):
                    _, time_ms = next(times)
                    record = found.get((number, lap.number, sector))
                    rows.append(
                        {
                            "driver_number": number,
                            "lap_number": lap.number,
                            "sector": sector + 1,
                            "segment": segment + 1,
                            "status": segment_status(lap, sector, segment, record),
                            "session_time_ms": time_ms,
                        }
                    )
                next(times)  # the end of the sector
    return rows


def _weather(course: Course) -> list[dict[str, Any]]:
    return [
        {
            "session_time_ms": minute.time_ms,
            "air_temperature_c": minute.air_c,
            "track_temperature_c": minute.track_c,
            "humidity_pct": minute.humidity_pct,
            "pressure_mbar": minute.pressure_mbar,
            "rainfall": minute.rainfall,
            "wind_direction_deg": float(minute.wind_deg),
            "wind_speed_mps": minute.wind_mps,
        }
        for minute in course.weather
    ]


def _messages(course: Course) -> list[dict[str, Any]]:
    return [
        {
            "message_number": number,
            "utc": course.utc(message.time_ms),
            "lap_number": message.lap,
            "category": message.category,
            "message": message.text,
            "status": message.status,
            "flag": message.flag,
            "scope": message.scope,
            "sector": message.sector,
            "driver_number": message.number or _named_car(message.text),
        }
        for number, message in enumerate(course.messages, 1)
    ]


def _named_car(words: str) -> str | None:
    """Return the car that a message names in its words only."""
    named = re.search(r"\bCAR (\d+) \([A-Z]{3}\)", words)
    return named[1] if named else None


def _intervals(course: Course) -> list[dict[str, Any]]:
    is_race = course.is_race
    rows = []
    for change in course.standings:
        if not course.laps[change.number]:
            # Of a car that does not complete a lap, FastF1 gives no places and gaps either.
            continue
        known = is_race and (change.leads_lap is not None or change.gap_ms is not None or change.laps_behind)
        rows.append(
            {
                "driver_number": change.number,
                "session_time_ms": change.time_ms,
                "position": change.position,
                "gap_to_leader_ms": 0 if change.leads_lap else change.gap_ms,
                "laps_behind_leader": change.laps_behind if known else None,
                "interval_ms": 0 if change.leads_lap else change.interval_ms,
                "laps_behind_next": change.interval_laps if known else None,
            }
        )
    return rows

"""The two feeds that make up laps: TimingData with times, places and pit lane, TimingAppData with tyres."""

from __future__ import annotations

import json
from collections.abc import Iterator

from f1_assets.simulator.model import Course, Lap, Standing, lap_clock

_SEGMENTS = (6, 8, 6)
"""Mini sectors that are reported of each sector."""

_TO_THE_GRID_MS = 1_300_000


def timing_data(course: Course) -> Iterator[tuple[int, str]]:
    """Write TimingData: the state of all cars at first, then what changes."""
    yield 4_000, '{"Lines":{},"Withheld":false}'
    yield _first_state(course)
    standings = {(change.time_ms, change.number): change for change in course.standings}
    for place, (number, laps) in enumerate(course.laps.items()):
        if course.total_laps is not None:
            yield _line(_TO_THE_GRID_MS + place * 2_100, number, {"InPit": False, "Status": 64})
        best: int | None = None
        part = 0
        for lap in laps:
            while part < len(course.part_starts_ms) and lap.end_ms > course.part_starts_ms[part]:
                part, best = part + 1, None
            yield from _on_the_way(number, lap)
            line, best = _line_crossed(number, lap, best, standings.get((lap.end_ms, number)))
            yield line
        if number in course.retirements_ms:
            yield _line(course.retirements_ms[number], number, {"Retired": True, "Stopped": True, "Status": 92})
    for part, start_ms in enumerate(course.part_starts_ms):
        if part:
            lines = {number: {"BestLapTimes": {str(part): {"Value": ""}}} for number in course.laps}
            yield start_ms - 60_000, _json({"SessionPart": part + 1, "Lines": lines})


def _first_state(course: Course) -> tuple[int, str]:
    first = {change.number: change for change in course.standings if change.time_ms <= 10_000}
    time_ms = min(change.time_ms for change in first.values())
    is_race = course.total_laps is not None
    nothing = {"Value": "", "Status": 0, "OverallFastest": False, "PersonalFastest": False}
    lines = {}
    for line, (number, change) in enumerate(first.items(), 1):
        state: dict[str, object] = {}
        if is_race:
            leads = "LAP 1" if change.leads_lap else ""
            state |= {"GapToLeader": leads, "IntervalToPositionAhead": {"Value": leads, "Catching": False}}
        state |= {
            "Line": line,
            "Position": str(change.position),
            "ShowPosition": True,
            "RacingNumber": number,
            "Retired": False,
            "InPit": True,
            "PitOut": False,
            "Stopped": False,
            "Status": 80,
            "Sectors": [{"Stopped": False, **nothing} for _ in range(3)],
            "Speeds": {trap: nothing for trap in ("I1", "I2", "FL", "ST")},
            "BestLapTime": {"Value": ""},
            "LastLapTime": nothing,
        }
        lines[number] = state
    return time_ms, _json({"Lines": lines})


def _on_the_way(number: str, lap: Lap) -> Iterator[tuple[int, str]]:
    """Report a lap up to its last sector: pit lane, mini sectors, sectors 1 and 2, speed traps."""
    begin = lap.start_ms if lap.pit_out_ms is None else lap.pit_out_ms
    if lap.pit_out_ms is not None:
        yield _line(lap.pit_out_ms, number, {"InPit": False, "PitOut": True, "Status": 192})
    if lap.pit_in_ms is not None:
        yield _line(lap.pit_in_ms, number, {"InPit": True, "Status": 80})
    for sector, end_ms in enumerate(lap.sector_ends_ms):
        step = max((end_ms - begin) // (_SEGMENTS[sector] + 1), 1)
        for segment in range(_SEGMENTS[sector]):
            # Written by hand: these lines are most of the feed.
            yield (
                begin + step * (segment + 1),
                f'{{"Lines":{{"{number}":{{"Sectors":{{"{sector}":{{"Segments":{{"{segment}":{{"Status":2048}}}}}}}}}}}}}}',
            )
        begin = end_ms
    first_end, second_end, _ = lap.sector_ends_ms
    i1, i2, _, longest = lap.speeds_kmh
    first, second, _ = lap.sectors_ms
    if first is not None:
        yield _line(
            first_end, number, {"Sectors": {"0": {"Value": _seconds(first)}}, "Speeds": {"I1": {"Value": str(i1)}}}
        )
    if second is not None:
        yield _line(
            second_end, number, {"Sectors": {"1": {"Value": _seconds(second)}}, "Speeds": {"I2": {"Value": str(i2)}}}
        )
    yield _line((second_end + lap.end_ms) // 2, number, {"Speeds": {"ST": {"Value": str(longest)}}})


def _line_crossed(
    number: str, lap: Lap, best: int | None, standing: Standing | None
) -> tuple[tuple[int, str], int | None]:
    state: dict[str, object] = {}
    if standing is not None:
        ahead = _gap(standing.leads_lap, standing.interval_laps, standing.interval_ms)
        state["GapToLeader"] = _gap(standing.leads_lap, standing.laps_behind, standing.gap_ms)
        state["IntervalToPositionAhead"] = {"Value": ahead}
        state |= {"Line": standing.position, "Position": str(standing.position)}
    state["NumberOfLaps"] = lap.number
    if lap.sectors_ms[2] is not None:
        state["Sectors"] = {"2": {"Value": _seconds(lap.sectors_ms[2])}}
        state["Speeds"] = {"FL": {"Value": str(lap.speeds_kmh[2])}}
    if lap.lap_time_ms is not None:
        if not lap.deleted and (best is None or lap.lap_time_ms < best):
            best = lap.lap_time_ms
            state["BestLapTime"] = {"Value": lap_clock(lap.lap_time_ms), "Lap": lap.number}
        state["LastLapTime"] = {"Value": lap_clock(lap.lap_time_ms)}
    return _line(lap.end_ms, number, state), best


def timing_app_data(course: Course) -> Iterator[tuple[int, str]]:
    """Write TimingAppData: who fitted which tyres, and how far they have gone."""
    lines = {driver.number: {"RacingNumber": driver.number, "Line": n} for n, driver in enumerate(course.drivers, 1)}
    yield 4_900, _json({"Lines": lines})
    if course.total_laps is not None:
        on_the_grid = {number: {"Stints": [_fitted(laps[0])]} for number, laps in course.laps.items()}
        yield _TO_THE_GRID_MS + 60_000, _json({"Lines": on_the_grid})
    for number, laps in course.laps.items():
        stint = 0 if course.total_laps is not None else -1
        for lap in laps:
            if lap.stint != stint:
                stint = lap.stint
                fitted_ms = (lap.pit_out_ms or lap.start_ms) + 1_500
                yield _line(fitted_ms, number, {"Stints": {str(stint): _fitted(lap)}})
            if lap.pit_in_ms is None and lap.lap_time_ms is not None:
                driven = {"TotalLaps": lap.tyres.age_laps + lap.laps_on_tyres}
                yield _line(lap.end_ms + 2_000, number, {"Stints": {str(stint): driven}})


def _fitted(lap: Lap) -> dict[str, object]:
    age = lap.tyres.age_laps
    return {
        "LapFlags": 0,
        "Compound": lap.tyres.compound,
        "New": "true" if lap.tyres.is_new else "false",
        "TyresNotChanged": "0",
        "TotalLaps": age,
        "StartLaps": age,
    }


def _gap(leads_lap: int | None, laps: int, gap_ms: int | None) -> str:
    if leads_lap is not None:
        return f"LAP {leads_lap}"
    if laps:
        return f"{laps}L"
    gap = gap_ms or 0
    if gap >= 60_000:
        return f"+{lap_clock(gap)}"
    return f"+{_seconds(gap)}"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000:03}"


def _line(time_ms: int, number: str, state: dict[str, object]) -> tuple[int, str]:
    return time_ms, _json({"Lines": {number: state}})


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

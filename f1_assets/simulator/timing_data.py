"""The feed TimingData: the state of all cars at first, then line by line what changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from f1_assets.simulator.car_lines import IN_PIT, ON_TRACK, CarLines, Line, car_line, to_json
from f1_assets.simulator.model import SEGMENTS, Best, Course, Standing, seconds_clock
from f1_assets.simulator.records import records
from f1_assets.simulator.standings import FIRST_MS

_TO_THE_GRID_MS = 1_300_000
_TIME: dict[str, object] = {"Value": "", "Status": 0, "OverallFastest": False, "PersonalFastest": False}


def timing_data(course: Course) -> Iterator[Line]:
    """Write the feed: the state of all cars at first, then what changes."""
    yield _first_state(course)
    yield FIRST_MS + 3_000, _all_blank(course)
    bests: dict[str, dict[int, Best]] = defaultdict(dict)
    for best in course.bests:
        bests[best.number][best.time_ms] = best
    found = records(course.laps)
    for place, (number, laps) in enumerate(course.laps.items()):
        if course.is_race:
            yield car_line(_TO_THE_GRID_MS + place * 2_100, number, {"InPit": False, "Status": ON_TRACK})
        car = CarLines(number, course.kind, bests[number], found)
        for lap in laps:
            yield from car.lap(lap)
        if number in course.retirements_ms:
            yield from car.stop(course.retirements_ms[number], laps)
        yield from car.without_best()
    yield from _standings(course)
    for part in range(1, len(course.parts)):
        yield _next_part(course, part)


def _first_state(course: Course) -> Line:
    lines = {}
    for change in course.standings:
        if change.time_ms != FIRST_MS:
            break
        state: dict[str, object] = {}
        if course.is_race:
            leads = "LAP 1" if change.leads_lap else ""
            state |= {"GapToLeader": leads, "IntervalToPositionAhead": {"Value": leads, "Catching": False}}
        elif course.parts:
            stats = {"TimeDiffToFastest": "", "TimeDifftoPositionAhead": ""}
            state |= {"Stats": [stats] * 3, "KnockedOut": False, "Cutoff": True}
            state |= {"BestLapTimes": [{"Value": ""}, {}, {}]}
        else:
            state |= {"TimeDiffToFastest": "", "TimeDiffToPositionAhead": ""}
        lines[change.number] = state | {
            "Line": change.position,
            "Position": str(change.position),
            "ShowPosition": True,
            "RacingNumber": change.number,
            "Retired": False,
            "InPit": True,
            "PitOut": False,
            "Stopped": False,
            "Status": IN_PIT,
            "Sectors": [{"Stopped": False, **_TIME}] * 3,
            "Speeds": {trap: _TIME for trap in ("I1", "I2", "FL", "ST")},
            "BestLapTime": {"Value": ""},
            "LastLapTime": _TIME,
        }
    head: dict[str, object] = {}
    if course.parts:
        left = [len(part.numbers) for part in course.parts]
        head = {"NoEntries": left, "SessionPart": 1, "CutOffTime": "", "CutOffPercentage": "107"}
    return FIRST_MS, to_json({**head, "Lines": lines, "Withheld": False})


def _all_blank(course: Course) -> str:
    blank = {str(sector): {"Segments": [{"Status": 0}] * segments} for sector, segments in enumerate(SEGMENTS)}
    return to_json({"Lines": {number: {"Sectors": blank} for number in course.laps}})


def _next_part(course: Course, part: int) -> Line:
    """Begin a part of qualifying: what the one before has shown is blanked, and who is out is out."""
    blank = {"Value": ""}
    lines = {}
    for number in course.laps:
        state: dict[str, object] = {
            "Sectors": {str(sector): blank for sector in range(3)},
            "Speeds": {"I1": blank, "I2": blank},
            "LastLapTime": blank,
        }
        if number in course.parts[part].numbers:
            state |= {"BestLapTimes": {str(part): blank}, "BestLapTime": {**blank, "_deleted": ["Lap"]}}
            lines[number] = state
        elif number in course.parts[part - 1].numbers:
            lines[number] = {"KnockedOut": True, **state}
    return course.parts[part].start_ms, to_json({"SessionPart": part + 1, "Lines": lines})


def _standings(course: Course) -> Iterator[Line]:
    """Write the places and gaps that change: one line for all that change at the same time."""
    shown: dict[str, Standing] = {}
    for change in course.standings:
        before = shown.get(change.number)
        shown[change.number] = change
        if before is None:
            continue
        moved = f'"Line":{change.position},"Position":"{change.position}"' if change.position != before.position else ""
        gaps = _gaps(change) if course.is_race and (change[3:] != before[3:] or not moved) else ""
        fields = f"{gaps},{moved}" if gaps and moved else gaps or moved
        yield change.time_ms, f'{{"Lines":{{"{change.number}":{{{fields}}}}}}}'


def _gaps(change: Standing) -> str:
    leader = _gap(change.leads_lap, change.laps_behind, change.gap_ms)
    ahead = _gap(change.leads_lap, change.interval_laps, change.interval_ms)
    return f'"GapToLeader":"{leader}","IntervalToPositionAhead":{{"Value":"{ahead}"}}'


def _gap(leads_lap: int | None, laps: int, gap_ms: int | None) -> str:
    if leads_lap is not None:
        return f"LAP {leads_lap}"
    if laps:
        return f"{laps}L"
    gap = gap_ms or 0
    return f"+{seconds_clock(gap)}"

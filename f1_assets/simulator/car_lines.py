"""The lines of one car in the feed TimingData: laps, sectors, mini sectors, speed traps, and the pit lane.

A lap begins by blanking the mini sectors of the one before; a sector's time is repeated as the previous one soon
after; where two cars contend for a record, the loser's flag is taken back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from f1_assets.simulator.model import SEGMENTS, Best, Lap, SessionKind, lap_clock, seconds_clock
from f1_assets.simulator.records import LAP, Record
from f1_assets.simulator.standings import passings

Line = tuple[int, str]
"""Session time in milliseconds, and the JSON text."""

IN_PIT, ON_TRACK = 80, 64
_OUT_OF_PIT, _OUT_LAP, _STOPPED = 608, 576, 92
_REPEATED_AFTER_MS = 1_100
_OWN_PACE, _OWN_BEST, _BEST_OF_ALL, _PIT_LANE = 2048, 2049, 2051, 2064


class CarLines:
    """Writes the lines of one car, and knows what they have shown.

    Parameters
    ----------
    number
        The car.
    kind
        Laps are counted, and best laps shown, in other ways in practice, qualifying and races.
    bests
        Changes of the car's best lap, by their session time.
    found
        The records of all cars.
    """

    def __init__(
        self,
        number: str,
        kind: SessionKind,
        bests: Mapping[int, Best],
        found: Mapping[tuple[str, int, int], Record],
    ) -> None:
        self._number, self._kind, self._found = number, kind, found
        self._bests = dict(bests)
        self._flagged: set[int] = set()
        self._pit_stops = 0

    def lap(self, lap: Lap) -> Iterator[Line]:
        """Write a lap, from the pit exit if it begins there, to the line."""
        if lap.pit_out_ms is not None:
            yield self._line(lap.pit_out_ms, self._leaving(lap))
            yield self._line(lap.sector_ends_ms[0] - 400, {"PitOut": False, "Status": _OUT_LAP})
        yield from self._segments(lap)
        first_end, second_end, _ = lap.sector_ends_ms
        i1, i2, _, longest = lap.speeds_kmh
        yield from self._sector(lap, 0, first_end, {"I1": str(i1), "I2": "", "FL": "", "ST": ""})
        yield from self._sector(lap, 1, second_end, {"I2": str(i2)})
        yield self._line((second_end + lap.end_ms) // 2, {"Speeds": {"ST": {"Value": str(longest)}}})
        if lap.pit_in_ms is not None:
            self._pit_stops += 1
            state = {"InPit": True, "Status": IN_PIT, "NumberOfPitStops": self._pit_stops}
            yield self._line(lap.pit_in_ms, state)
        yield from self._sector(lap, 2, lap.end_ms, {"FL": str(lap.speeds_kmh[2])} if lap.speeds_kmh[2] else {})

    def stop(self, time_ms: int, laps: Sequence[Lap]) -> Iterator[Line]:
        """Write that the car has stopped on track, in the middle of a lap."""
        if laps:
            begin = laps[-1].end_ms
            step = (time_ms - begin) // (SEGMENTS[0] + 1)
            yield begin + step, self._blanked(_OWN_PACE)
            for segment in range(1, SEGMENTS[0]):
                yield self._segment(begin + step * (segment + 1), 0, segment, _OWN_PACE)
        yield self._line(time_ms, {"Retired": True, "Stopped": True, "Status": _STOPPED})

    def without_best(self) -> Iterator[Line]:
        """Write the best laps that come back, or are gone, because race control deletes a lap."""
        for best in self._bests.values():
            yield self._line(best.time_ms, _best_lap(best, self._kind))

    def _leaving(self, lap: Lap) -> dict[str, object]:
        state: dict[str, object] = {"InPit": False, "PitOut": True, "Status": _OUT_OF_PIT}
        if self._kind is not SessionKind.RACE:
            # Outside races the lap out of the garage is counted from its exit on.
            blank = {"Value": ""}
            state |= {
                "NumberOfLaps": lap.number,
                "Sectors": {str(sector): blank for sector in range(3)},
                "Speeds": {trap: blank for trap in ("I1", "I2", "ST")},
            }
        return state

    def _segments(self, lap: Lap) -> Iterator[Line]:
        sector, segment = 0, 0
        for _, time_ms in passings(lap):
            if segment == SEGMENTS[sector]:
                sector, segment = sector + 1, 0
                continue
            status = segment_status(lap, sector, segment, self._found.get((self._number, lap.number, sector)))
            if sector == segment == 0:
                yield time_ms, self._blanked(status)
            else:
                yield self._segment(time_ms, sector, segment, status)
            segment += 1

    def _segment(self, time_ms: int, sector: int, segment: int, status: int) -> Line:
        # Written by hand: these lines are most of the feed.
        at = f'"{sector}":{{"Segments":{{"{segment}":{{"Status":{status}}}}}}}'
        return time_ms, f'{{"Lines":{{"{self._number}":{{"Sectors":{{{at}}}}}}}}}'

    def _blanked(self, status: int) -> str:
        blanked = _BLANK_SEGMENTS.replace('"Status":0', f'"Status":{status}', 1)
        return f'{{"Lines":{{"{self._number}":{{"Sectors":{{{blanked}}}}}}}}}'

    def _sector(self, lap: Lap, sector: int, end_ms: int, speeds: Mapping[str, str]) -> Iterator[Line]:
        """Write the end of a sector: its time and speed trap, and for the last one the lap."""
        state: dict[str, object] = {}
        time_ms = lap.sectors_ms[sector]
        sectors: dict[str, object] = {}
        if time_ms is not None:
            sectors[str(sector)] = {"Value": seconds_clock(time_ms), **self._flags(lap, sector)}
        if sector == 0:
            sectors |= {later: {"Value": ""} for later in ("1", "2")} if time_ms is not None else {}
        if sectors:
            state["Sectors"] = sectors
        if speeds:
            state["Speeds"] = {trap: {"Value": value} for trap, value in speeds.items()}
        if sector == 2:
            state |= self._line_crossed(lap)
        if state:
            yield self._line(end_ms, state)
        if time_ms is not None:
            repeated = {"Sectors": {str(sector): {"PreviousValue": seconds_clock(time_ms)}}}
            yield self._line(end_ms + _REPEATED_AFTER_MS, repeated)
        for which in (sector, LAP) if sector == 2 else (sector,):
            record = self._found.get((self._number, lap.number, which))
            if record is not None and record.dethroned is not None:
                lost: dict[str, object] = {"OverallFastest": False}
                field = {"LastLapTime": lost} if which == LAP else {"Sectors": {str(which): lost}}
                yield car_line(end_ms + _REPEATED_AFTER_MS, record.dethroned, field)

    def _line_crossed(self, lap: Lap) -> dict[str, object]:
        state: dict[str, object] = {}
        if self._kind is SessionKind.RACE:
            state["NumberOfLaps"] = lap.number
        elif lap.pit_in_ms is None:
            state["NumberOfLaps"] = lap.number + 1
        best = self._bests.pop(lap.end_ms, None)
        if best is not None:
            state |= _best_lap(best, self._kind)
        if lap.lap_time_ms is not None:
            state["LastLapTime"] = {"Value": lap_clock(lap.lap_time_ms), **self._flags(lap, LAP)}
        elif self._kind is not SessionKind.RACE and lap.number > 1:
            # What live timing calls the time of a lap out of the garage is the time since the line was crossed before.
            state["LastLapTime"] = {"Value": lap_clock(lap.end_ms - lap.start_ms), **self._flags(lap, LAP)}
        return state

    def _flags(self, lap: Lap, which: int) -> dict[str, bool]:
        """Return the flags of a time that change: set for a record, taken back with the next time."""
        record = self._found.get((self._number, lap.number, which))
        if record is None:
            if which not in self._flagged:
                return {}
            self._flagged.discard(which)
            return {"PersonalFastest": False}
        self._flagged.add(which)
        return {"PersonalFastest": True, **({"OverallFastest": True} if record.overall else {})}

    def _line(self, time_ms: int, state: Mapping[str, object]) -> Line:
        return car_line(time_ms, self._number, state)


def segment_status(lap: Lap, sector: int, segment: int, record: Record | None) -> int:
    """Return the status of a mini sector that was driven, both counted from 0, with the record of its sector."""
    if (lap.pit_out_ms is not None and sector == 0 and segment < 2) or (
        lap.pit_in_ms is not None and sector == 2 and segment == SEGMENTS[2] - 1
    ):
        return _PIT_LANE
    if record is None:
        return _OWN_PACE
    return _BEST_OF_ALL if record.overall else _OWN_BEST


def _best_lap(best: Best, kind: SessionKind) -> dict[str, object]:
    value: dict[str, object] = {"Value": "" if best.lap_time_ms is None else lap_clock(best.lap_time_ms)}
    if best.lap is not None:
        value["Lap"] = best.lap
    if kind is SessionKind.RACE:
        return {"BestLapTime": value}
    to_fastest, to_ahead = _behind(best.to_fastest_ms), _behind(best.to_ahead_ms)
    if kind is SessionKind.PRACTICE:
        return {"TimeDiffToFastest": to_fastest, "TimeDiffToPositionAhead": to_ahead, "BestLapTime": value}
    part = str(best.part)
    # The services spell the one with a small t in qualifying.
    stats = {part: {"TimeDiffToFastest": to_fastest, "TimeDifftoPositionAhead": to_ahead}}
    return {"Stats": stats, "BestLapTimes": {part: value}, "BestLapTime": value}


def _behind(gap_ms: int | None) -> str:
    return f"+{seconds_clock(gap_ms)}" if gap_ms else ""


def car_line(time_ms: int, number: str, state: Mapping[str, object]) -> Line:
    """Write what changes of one car."""
    return time_ms, to_json({"Lines": {number: state}})


def to_json(value: object) -> str:
    """Write JSON without spaces, as the feeds have it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _blank_segments() -> str:
    blank = {"Status": 0}
    sectors = {str(sector): {"Segments": dict.fromkeys(map(str, range(n)), blank)} for sector, n in enumerate(SEGMENTS)}
    return to_json(sectors)[1:-1]


_BLANK_SEGMENTS = _blank_segments()

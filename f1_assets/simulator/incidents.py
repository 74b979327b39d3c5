"""Race control in a race: flags, the safety car, blue flags, penalties in words only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from f1_assets.simulator.entrants import Driver
from f1_assets.simulator.messages import track_flag, yellow
from f1_assets.simulator.model import Lap, Message, Standing

_ALL_CLEAR, _YELLOW, _SAFETY_CAR = ("1", "AllClear"), ("2", "Yellow"), ("4", "SCDeployed")
_BLUE_FLAGS_MOST = 12


class Incidents(NamedTuple):
    """Track statuses, each with its session time, code and words; and messages."""

    track_status: tuple[tuple[int, str, str], ...]
    messages: list[Message]


def incidents(
    drivers: Mapping[str, Driver],
    retirements_ms: Mapping[str, int],
    driven: Mapping[str, Sequence[Lap]],
    safety_car: range,
) -> Incidents:
    """Show yellow flags where a car stops, and send the safety car out for the first of them."""
    changes: list[tuple[int, str, str]] = [(0, *_ALL_CLEAR)]
    words: list[Message] = []
    for index, (number, stopped_ms) in enumerate(sorted(retirements_ms.items(), key=lambda item: item[1])):
        lap, sector = leader_lap(driven, stopped_ms), 3 + index
        words += yellow(stopped_ms + 1_000, sector, lap=lap)
        stopped = f"CAR {number} ({drivers[number].code}) STOPPED AT TURN {sector + 1}"
        words.append(Message(stopped_ms + 9_000, "CarEvent", stopped, lap=lap, number=number))
        clear_ms = stopped_ms + 48_000
        if index == 0 and safety_car:
            ends = [laps[safety_car[-1] - 1].end_ms for laps in driven.values() if len(laps) >= safety_car[-1]]
            clear_ms = max([stopped_ms + 60_000, *ends])
            deployed_ms, last = stopped_ms + 15_000, leader_lap(driven, clear_ms - 40_000)
            changes += [(stopped_ms + 1_400, *_YELLOW), (deployed_ms, *_SAFETY_CAR)]
            words.append(Message(deployed_ms + 200, "SafetyCar", "SAFETY CAR DEPLOYED", lap=lap, status="DEPLOYED"))
            words.append(
                Message(clear_ms - 40_000, "SafetyCar", "SAFETY CAR IN THIS LAP", lap=last, status="IN THIS LAP")
            )
        elif changes[-1][0] < stopped_ms:
            changes.append((stopped_ms + 1_400, *_YELLOW))
        words.append(track_flag(clear_ms + 200, "CLEAR", "TRACK CLEAR", leader_lap(driven, clear_ms)))
        if clear_ms > changes[-1][0]:
            changes.append((clear_ms, *_ALL_CLEAR))
    return Incidents(tuple(changes), words)


def announcements(
    lights_ms: int,
    finish_ms: int,
    total_laps: int,
    rain: tuple[int, int] | None,
    driven: Mapping[str, Sequence[Lap]],
    local: datetime,
) -> list[Message]:
    """Return what is said in every race; `local` is the time of day of the lights at the track."""
    words = [
        track_flag(1_200_000, "GREEN", "GREEN LIGHT - PIT EXIT OPEN", 1),
        Message(1_800_000, "Other", "PIT EXIT CLOSED", lap=1),
        Message(lights_ms - 900_000, "Other", f"RISK OF RAIN FOR F1 RACE IS {60 if rain else 10}%", lap=1),
        Message(lights_ms - 600_000, "Other", f"FORMATION LAP WILL START AT {local:%H:%M}", lap=1),
        track_flag(lights_ms, "GREEN", "GREEN LIGHT - PIT EXIT OPEN", 1),
        track_flag(finish_ms, "CHEQUERED", "CHEQUERED FLAG", total_laps),
    ]
    leader_ends = [min(laps[1].end_ms for laps in driven.values() if len(laps) > 1)] if total_laps > 3 else []
    words += [Message(end + 1_500, "Drs", "DRS ENABLED", lap=3, status="ENABLED") for end in leader_ends]
    if rain is not None and rain[0] < finish_ms:
        words.append(Message(rain[0] + 20_000, "Other", "LOW GRIP CONDITIONS", lap=leader_lap(driven, rain[0])))
    return words


def blue_flags(
    drivers: Mapping[str, Driver],
    standings: Sequence[Standing],
    driven: Mapping[str, Sequence[Lap]],
    local: Callable[[int], datetime],
) -> list[Message]:
    """Wave blue flags at cars as they are lapped; `local` is the clock at the track."""
    words = []
    for change in lapped(standings):
        clock = f"{local(change.time_ms):%H:%M:%S}"
        text = f"WAVED BLUE FLAG FOR CAR {change.number} ({drivers[change.number].code}) TIMED AT {clock}"
        lap = leader_lap(driven, change.time_ms)
        words.append(Message(change.time_ms, "Flag", text, lap, "BLUE", "Driver", number=change.number))
    return words


def lapped(standings: Sequence[Standing]) -> list[Standing]:
    """Return the first changes at which a car is one more lap behind."""
    behind: dict[str, int] = {}
    found = []
    for change in standings:
        if change.laps_behind > behind.get(change.number, 0):
            found.append(change)
        behind[change.number] = max(change.laps_behind, behind.get(change.number, 0))
    return found[:_BLUE_FLAGS_MOST]


def leader_lap(driven: Mapping[str, Sequence[Lap]], time_ms: int) -> int:
    """Return the lap that the leader is on, or the last one of the race."""
    done = max((lap.number for laps in driven.values() for lap in laps if lap.end_ms <= time_ms), default=0)
    distance = max((len(laps) for laps in driven.values()), default=1)
    return min(done + 1, distance)

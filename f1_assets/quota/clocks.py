"""The time by which requests are counted: it passes as the machine's monotonic clock does, not as the wall clock does.

The ledger keeps its latest time beside the wall clock, the boot and the monotonic time of that look. In the same boot,
exactly the monotonic time has passed since. In another boot at least its uptime has; what cannot be known did not pass,
so requests are assumed to be recent. When the wall clock has jumped, the stored times move along with it and keep their
distance from now: nothing leaves a window early, and times stay those that the wall clock shows.

On PostgreSQL the server's clock alone counts: it has no other that all machines share.
"""

from __future__ import annotations

import ctypes
import sys
import time
from dataclasses import dataclass
from pathlib import Path

JUMP_MS = 5_000
"""A wall clock that is off by more than this since the last look has jumped."""

SLEWED_PER_MILLE = 1
"""By so much of the time that passed a wall clock may be off because it is being adjusted slowly."""

ALIGNED_WITHIN_MS = 1_000
"""So far the ledger's time may be from the wall clock before stored times are moved."""

GRAIN_MS = 10
"""The monotonic time is read in steps of this size."""

NO_BOOT = "unknown boot"
"""Stands for the boot where the system does not name it: a smaller uptime then tells another one."""


@dataclass(frozen=True)
class Reading:
    """What the clocks show. Without a boot there is only one clock, which alone counts."""

    wall_ms: int
    boot_id: str | None = None
    uptime_ms: int = 0

    @property
    def grain_ms(self) -> int:
        """In which steps the clock advances."""
        return 1 if self.boot_id is None else GRAIN_MS


@dataclass(frozen=True)
class LastLook:
    """What the ledger noted at its last look. `latest_ms` is 0 before the first one; older versions noted no clocks."""

    latest_ms: int
    boot_id: str | None = None
    uptime_ms: int | None = None
    wall_ms: int | None = None


@dataclass(frozen=True)
class Look:
    """The time of the ledger now.

    Parameters
    ----------
    now_ms
        In terms of the times that are stored.
    shift_ms
        What the stored times are to be moved by, so that they are in terms of the clock as it is now.
    is_measured
        Whether the time since the last look is known, so that stored times can be moved to what they truly were.
    jump_ms
        By how much the wall clock has jumped since the last look; None where it has not, as far as can be known.
    """

    now_ms: int
    shift_ms: int = 0
    is_measured: bool = True
    jump_ms: int | None = None


def look(last: LastLook, reading: Reading, longest_window_ms: int) -> Look:
    """Return what time it is.

    Parameters
    ----------
    last
        What was noted at the last look.
    reading
        What the clocks show now.
    longest_window_ms
        A clock that alone counts and was set back is waited for no longer than this.
    """
    if last.latest_ms == 0:
        return Look(reading.wall_ms)
    if reading.boot_id is None:
        return _by_one_clock(last, reading, longest_window_ms)
    passed, jump = _passed_by_uptime(last, reading)
    now = last.latest_ms + passed
    gap = reading.wall_ms - now
    return Look(now, gap if abs(gap) > ALIGNED_WITHIN_MS else 0, _is_same_boot(last, reading), jump)


def _by_one_clock(last: LastLook, reading: Reading, longest_window_ms: int) -> Look:
    back = reading.wall_ms - last.wall_ms if last.wall_ms is not None else 0
    jump = back if back < -JUMP_MS else None
    if last.latest_ms - reading.wall_ms <= longest_window_ms:
        return Look(max(last.latest_ms, reading.wall_ms), jump_ms=jump)
    # Waiting until it is there again would take longer than any window: as if all had been sent right now is enough.
    return Look(last.latest_ms, reading.wall_ms - last.latest_ms, is_measured=False, jump_ms=jump)


def _passed_by_uptime(last: LastLook, reading: Reading) -> tuple[int, int | None]:
    """Return how much time has passed since the last look, at least, and by how much the wall clock jumped."""
    if last.boot_id is None or last.uptime_ms is None or last.wall_ms is None:
        back = reading.wall_ms - last.latest_ms
        return 0, back if back < -JUMP_MS else None
    by_wall = reading.wall_ms - last.wall_ms
    if not _is_same_boot(last, reading):
        # This machine was started after the last look, unless the home was copied to another one: then the wall
        # clocks of the two tell more than its uptime.
        return max(min(reading.uptime_ms, by_wall), 0), by_wall if by_wall < -JUMP_MS else None
    passed = reading.uptime_ms - last.uptime_ms
    jump = by_wall - passed
    return passed, jump if abs(jump) > JUMP_MS + passed * SLEWED_PER_MILLE // 1000 else None


def _is_same_boot(last: LastLook, reading: Reading) -> bool:
    return last.boot_id == reading.boot_id and last.uptime_ms is not None and reading.uptime_ms >= last.uptime_ms


def read_machine_clocks() -> Reading:
    """Return what the clocks of this machine show."""
    return Reading(time.time_ns() // 1_000_000, _boot_id() or NO_BOOT, _uptime_ms())


def _boot_id() -> str | None:
    if sys.platform == "darwin":
        return _sysctl("kern.bootsessionuuid")
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip() or None
    except OSError:
        return None


def _uptime_ms() -> int:
    """Return the time since the machine was started, the time that it slept included."""
    try:
        # The kernel's own: libraries that set another time for a process do not reach it.
        return int(float(Path("/proc/uptime").read_text(encoding="ascii").split()[0]) * 1000)
    except (OSError, ValueError, IndexError):
        # macOS counts sleep in this one and in no other; elsewhere the usual clock has to do.
        clock = getattr(time, "CLOCK_MONOTONIC_RAW", None) if sys.platform == "darwin" else None
        nanoseconds = time.clock_gettime_ns(clock) if clock is not None else time.monotonic_ns()
        return nanoseconds // (GRAIN_MS * 1_000_000) * GRAIN_MS


def _sysctl(name: str) -> str | None:
    """Return a text that the kernel of macOS keeps under a name."""
    ask = getattr(ctypes.CDLL(None), "sysctlbyname", None)
    size = ctypes.c_size_t(64)
    value = ctypes.create_string_buffer(size.value)
    if ask is None or ask(name.encode(), value, ctypes.byref(size), None, ctypes.c_size_t(0)) != 0:
        return None
    return value.value.decode("ascii", "replace") or None

"""How many sessions the quota admits at a time: pure figures, without Dagster and without a clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Admission:
    """How many sessions may run side by side, and why not more.

    `limit` counts those that run already; `resumes_at` is when the next one fits, where none fits now.
    """

    limit: int
    running: int
    queued: int
    resumes_at: datetime | None
    reason: str

    @property
    def is_paused(self) -> bool:
        """Check whether queued sessions wait for the quota alone."""
        return self.queued > 0 and self.resumes_at is not None


def admit(
    fits: int,
    resumes_at: datetime | None,
    needed: Mapping[str, int],
    running: int,
    queued: int,
    workers: int,
    next_session: str | None,
) -> Admission:
    """Decide how many sessions may run.

    Parameters
    ----------
    fits
        How many more sessions like the next one the quota covers; those that run have theirs reserved already.
    resumes_at
        When the quota covers the next one, where `fits` is 0.
    needed
        Requests of the next session, by policy.
    running, queued
        Sessions that run, and that wait.
    workers
        At most so many side by side.
    next_session
        The session that waits first.
    """
    room = max(workers - running, 0)
    limit = running + min(room, fits)
    requests = max(needed.values(), default=0)
    if queued == 0:
        return Admission(limit, running, queued, None, f"no session waits, {running} running; {_room(fits)}")
    if fits == 0 and resumes_at is not None:
        words = (
            f"paused: {next_session} needs {requests} requests and the quota does not cover them; "
            f"it resumes at {resumes_at:%H:%M:%S} UTC; {queued} waiting, {running} running"
        )
        return Admission(limit, running, queued, resumes_at, words)
    words = f"{queued} waiting, {running} running, at most {limit} side by side; {_room(fits)}"
    return Admission(limit, running, queued, None, words)


def _room(fits: int) -> str:
    return "the quota covers more than is needed" if fits >= 1_000 else f"the quota covers {fits} more"

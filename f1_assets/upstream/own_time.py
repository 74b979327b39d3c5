"""When a session's feeds are about the session itself: they run on, and carry messages and cars of the next series."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from f1_assets.upstream.stream_lines import Tally, listed, stream_lines

ENDS_WITHIN = timedelta(minutes=15)
"""So long after its end by SessionInfo a session is over, where no `Ends` is recorded."""

BEGINS_WITHIN = timedelta(minutes=15)
"""So long before its start a session is being prepared; its own feeds begin then, or earlier."""

ANNOUNCED_WITHIN = timedelta(hours=2)
"""So long before its start a session is announced: "AIR TEMPERATURE 2 HOURS BEFORE THE RACE"."""

_CLOCKS_AGREE = timedelta(seconds=5)


@dataclass(frozen=True)
class OwnTime:
    """From when to when feeds are about the session itself; None for what nothing tells.

    Attributes
    ----------
    announced_at, begins_at, ends_at
        Times of day: since when the session may be announced, since when it is prepared, and when it was over.
    ends_ms
        Session time of the status `Ends`.
    held
        Start and end of the session by SessionInfo.
    """

    announced_at: datetime | None = None
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    ends_ms: int | None = None
    held: tuple[datetime, datetime] | None = None


def own_time(
    statuses: bytes | None,
    messages: bytes | None,
    held: tuple[datetime, datetime] | None,
    t0_utc: datetime | None = None,
) -> OwnTime:
    """Find out when a session's feeds are about the session itself.

    Parameters
    ----------
    statuses, messages
        Bodies of SessionStatus and RaceControlMessages, where they are there.
    held
        Start and end of the session, best as SessionInfo has them.
    t0_utc
        When session time began, where the messages do not tell.
    """
    course = list(_statuses(statuses)) if statuses is not None else []
    ends_ms = ends_ms_of(statuses) if statuses is not None else None
    began_at = session_time_began_at(messages) if messages is not None else None
    began_at = began_at or t0_utc
    start, end = held if held is not None else (None, None)
    begins_at = start - BEGINS_WITHIN if start is not None else None
    if begins_at is not None and began_at is not None:
        begins_at = min(begins_at, began_at)
    ends_at = None
    if ends_ms is not None and began_at is not None:
        ends_at = began_at + timedelta(milliseconds=ends_ms)
    elif end is not None:
        over = [time_ms for time_ms, status in course if status in ("Finished", "Finalised")]
        if over and began_at is not None:
            end = max(end, began_at + timedelta(milliseconds=over[-1]))
        ends_at = end + ENDS_WITHIN
    announced_at = start - ANNOUNCED_WITHIN if start is not None else None
    return OwnTime(announced_at, begins_at, ends_at, ends_ms, held)


def session_time_began_at(messages: bytes) -> datetime | None:
    """Tell when session time began, from the times of day and of session of RaceControlMessages; None without any.

    A message is sent some time after its own time of day, so that each gives a time that is too early by this delay.
    The latest one is taken with which another one agrees: a single one may have a wrong clock.
    """
    zeros = sorted((utc - timedelta(milliseconds=time_ms) for time_ms, utc in _dated(messages)), reverse=True)
    agreed = (later for later, earlier in itertools.pairwise(zeros) if later - earlier <= _CLOCKS_AGREE)
    return next(agreed, zeros[0] if zeros else None)


def ends_ms_of(statuses: bytes) -> int | None:
    """Give the session time of the first `Ends` of SessionStatus after the start; None where it has none.

    What comes later is of the next series.
    """
    started = False
    for time_ms, status in _statuses(statuses):
        started |= status == "Started"
        if started and status == "Ends":
            return time_ms
    return None


def _statuses(body: bytes) -> Iterator[tuple[int, str]]:
    for _, time_ms, payload in stream_lines(body, Tally()):
        try:
            yield time_ms, str(json.loads(payload)["Status"])
        except (ValueError, TypeError, KeyError, RecursionError):
            continue  # FastF1 skips it too


def _dated(body: bytes) -> Iterator[tuple[int, datetime]]:
    seen: set[tuple[int, bytes]] = set()
    for _, time_ms, payload in stream_lines(body, Tally()):
        if (time_ms, payload) in seen:
            continue  # a line that is sent again agrees with itself, and proves nothing
        seen.add((time_ms, payload))
        try:
            sent = listed(json.loads(payload)["Messages"])
            dates = [datetime.fromisoformat(message["Utc"]) for message in sent]
        except (ValueError, TypeError, KeyError, RecursionError):
            continue  # FastF1 refuses such a feed as a whole, or skips the line
        for date in dates:
            yield time_ms, date if date.tzinfo is not None else date.replace(tzinfo=UTC)

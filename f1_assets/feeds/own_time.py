"""When a session's feeds are about the session itself: they run on, and carry messages and cars of the next series."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from f1_assets.feeds.json_reading import read_json
from f1_assets.feeds.stream_lines import Tally, listed, stream_lines

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
    latest_at
        Time of day after which samples and radio are not of the session; None where it may have overrun.
    latest_ms
        Session time after which laps are not of the session, where no `Ends` is recorded and it is known to be over.
    """

    announced_at: datetime | None = None
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    ends_ms: int | None = None
    held: tuple[datetime, datetime] | None = None
    latest_at: datetime | None = None
    latest_ms: int | None = None


def own_time(
    statuses: bytes | None,
    messages: bytes | None,
    held: tuple[datetime, datetime] | None,
    t0_utc: datetime | None = None,
    parts: int | None = None,
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
    parts
        How many parts the session has, each of which a chequered flag ends; None where its statuses were not asked for.
    """
    course = list(_statuses(statuses)) if statuses is not None else []
    ends_ms = ends_ms_of(statuses) if statuses is not None else None
    began_at = session_time_began_at(messages) if messages is not None else None
    began_at = began_at or t0_utc
    start, end = held if held is not None else (None, None)
    begins_at = start - BEGINS_WITHIN if start is not None else None
    if begins_at is not None and began_at is not None:
        begins_at = min(begins_at, began_at)
    ends_at, finished = None, []
    if ends_ms is not None and began_at is not None:
        ends_at = began_at + timedelta(milliseconds=ends_ms)
    elif end is not None:
        over = [time_ms for time_ms, status in course if status in ("Finished", "Finalised")]
        finished = [began_at + timedelta(milliseconds=time_ms) for time_ms in over] if began_at is not None else []
        ends_at = max([end, *finished[-1:]]) + ENDS_WITHIN
    latest_at, latest_ms = None, None
    if ends_ms is None and ends_at is not None and held is not None and parts is not None:
        flagged, is_stopped = _flagged(messages or b"", held[0], ends_at)
        if len(finished) >= parts or len(flagged) >= parts:
            latest_at = max(ends_at, *(flag + ENDS_WITHIN for flag in flagged[:parts])) if flagged else ends_at
            if began_at is not None:
                latest_ms = (latest_at - began_at) // timedelta(milliseconds=1)
        elif not is_stopped:
            latest_at = ends_at
    announced_at = start - ANNOUNCED_WITHIN if start is not None else None
    return OwnTime(announced_at, begins_at, ends_at, ends_ms, held, latest_at, latest_ms)


def _flagged(messages: bytes, start: datetime, ends_at: datetime) -> tuple[list[datetime], bool]:
    """Return when parts of a session ended, by its messages, and whether one was stopped that may have gone on."""
    said = sorted((utc, words) for _, utc, words in _dated(messages) if utc >= start)
    over = [utc for utc, words in said if words == "CHEQUERED FLAG" or "NOT BE RESUMED" in words]
    return over, any(words == "RED FLAG" and utc <= ends_at for utc, words in said)


def session_time_began_at(messages: bytes) -> datetime | None:
    """Return when session time began, from the times of day and of session of RaceControlMessages; None without any.

    A message is sent some time after its own time of day, so that each gives a time that is too early by this delay.
    The latest one is taken with which another one agrees: a single one may have a wrong clock.
    """
    zeros = sorted((utc - timedelta(milliseconds=time_ms) for time_ms, utc, _ in _dated(messages)), reverse=True)
    agreed = (later for later, earlier in itertools.pairwise(zeros) if later - earlier <= _CLOCKS_AGREE)
    return next(agreed, zeros[0] if zeros else None)


def ends_ms_of(statuses: bytes) -> int | None:
    """Return the session time of the first `Ends` of SessionStatus after the start; None where it has none.

    What comes later is of the next series.
    """
    started = False
    for time_ms, status in _statuses(statuses):
        started |= status == "Started"
        if started and status == "Ends":
            return time_ms
    return None


def latest_ms_of(statuses: bytes, parts: int) -> int | None:
    """Return the session time after which lines are of the next series, by SessionStatus; None where it does not tell.

    That is the first `Ends` after the start, else a while after the last `Finished`, if each part of the session has
    one.
    """
    ends_ms = ends_ms_of(statuses)
    if ends_ms is not None:
        return ends_ms
    finished = [time_ms for time_ms, status in _statuses(statuses) if status == "Finished"]
    return finished[-1] + ENDS_WITHIN // timedelta(milliseconds=1) if len(finished) >= parts else None


def parts_of(session: str) -> int:
    """Return how many parts a session has, each of which ends by itself: three in a qualifying."""
    return 3 if session in ("Q", "SQ", "SS") else 1


def _statuses(body: bytes) -> Iterator[tuple[int, str]]:
    for _, time_ms, payload in stream_lines(body, Tally()):
        try:
            yield time_ms, str(read_json(payload)["Status"])
        except (ValueError, TypeError, KeyError, RecursionError):
            continue  # FastF1 skips it too


def _dated(body: bytes) -> Iterator[tuple[int, datetime, str]]:
    seen: set[tuple[int, bytes]] = set()
    for _, time_ms, payload in stream_lines(body, Tally()):
        if (time_ms, payload) in seen:
            continue  # a line that is sent again agrees with itself, and proves nothing
        seen.add((time_ms, payload))
        try:
            sent = listed(read_json(payload)["Messages"])
            dates = [(datetime.fromisoformat(message["Utc"]), str(message.get("Message"))) for message in sent]
        except (ValueError, TypeError, KeyError, RecursionError):
            continue  # FastF1 refuses such a feed as a whole, or skips the line
        for date, words in dates:
            yield time_ms, date if date.tzinfo is not None else date.replace(tzinfo=UTC), words

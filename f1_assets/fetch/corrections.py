"""Corrections of what FastF1 does during a load: whose lines, whose drivers, which laps count."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from f1_assets.feeds.driver_list import DriverList, read_driver_list
from f1_assets.feeds.own_time import latest_ms_of, session_time_began_at
from f1_assets.feeds.stream_lines import clock_ms
from f1_assets.feeds.table import Feed
from f1_assets.feeds.track_limits import rulings, with_rulings
from f1_assets.fetch.exchanges import Exchange, body_of
from f1_assets.fetch.fastf1_private import Page, deleting_laps, judged_pages

logger = logging.getLogger(__name__)

_TOLD_CHARACTERS = 80
_ZERO = "00:00:00.000"
_END_WITH_THE_SESSION = frozenset(feed for feed in Feed if feed.spec.ends_with_session)


@dataclass
class Corrections:
    """What was left out of a load's feeds.

    Attributes
    ----------
    driver_list
        The session's own entries, and those that were refused.
    late_lines
        Lines after the session's end, in words.
    repeated_lines
        How many lines of a feed were sent again, where there are any.
    """

    driver_list: DriverList | None = None
    late_lines: dict[Feed, list[str]] = field(default_factory=dict)
    repeated_lines: dict[str, int] = field(default_factory=dict)

    def repeats_document(self, feeds: Iterable[Feed]) -> Mapping[str, Any]:
        """Return how many lines of some feeds were sent again, as JSON has it; nothing where none was."""
        found = {str(feed): self.repeated_lines[feed] for feed in feeds if feed in self.repeated_lines}
        return {"repeated_lines": found} if found else {}


@contextlib.contextmanager
def corrected(exchanges: Sequence[Exchange], parts: int = 1) -> Iterator[Corrections]:
    """Correct what FastF1 takes from the feeds and from race control's rulings, for the time of a load.

    Parameters
    ----------
    exchanges
        Those of the load, as they come.
    parts
        How many parts the session has, see `own_time.parts_of`.

    Yields
    ------
    Corrections
        What was refused so far.
    """
    found = Corrections()

    def judge(name: str, page: Page) -> Page:
        page = _each_once(name, page, found)
        if name == Feed.DRIVER_LIST:
            found.driver_list = read_driver_list((clock_ms(clock) or 0, content) for clock, content in page)
            return [[_ZERO, found.driver_list.entries]]
        if name in _END_WITH_THE_SESSION:
            return _until_the_end(Feed(name), page, body_of(exchanges, Feed.SESSION_STATUS), parts, found)
        return page

    def mark(laps: pd.DataFrame, messages: pd.DataFrame, is_race: bool) -> pd.DataFrame:
        body = body_of(exchanges, Feed.RACE_CONTROL)
        began_at = session_time_began_at(body) if body is not None else None
        words = zip(messages["Time"], messages["Message"], strict=True)
        return with_rulings(laps, rulings(words, began_at), is_race)

    with judged_pages(judge), deleting_laps(mark):
        yield found


def _each_once(name: str, page: Page, found: Corrections) -> Page:
    """Leave out the lines that a feed sends again: right after themselves, or where its time goes back.

    Lines of one time may rightly be equal with another one between them: clear, yellow, clear.
    """
    kept: Page = []
    sent: dict[Any, list[Any]] = {}
    latest, goes_back = "", False
    for line in page:
        clock, content = line
        if clock != latest:
            goes_back = clock < latest
            latest = max(clock, latest)
        same_time = sent.setdefault(clock, [])
        if (kept and kept[-1] == line) or (goes_back and content in same_time):
            continue
        same_time.append(content)
        kept.append(line)
    if repeated := len(page) - len(kept):
        found.repeated_lines[name] = repeated
        logger.info("%s sends %d of %d lines again; each is taken once", name, repeated, len(page))
    return kept


def _until_the_end(feed: Feed, page: Page, statuses: bytes | None, parts: int, found: Corrections) -> Page:
    """Take the lines of a feed up to the session's end, where that is known."""
    latest_ms = latest_ms_of(statuses, parts) if statuses is not None else None
    if latest_ms is None:
        return page
    late = [line for line in page if (clock_ms(line[0]) or 0) > latest_ms]
    if late:
        found.late_lines[feed] = [f"{clock} {json.dumps(content)}"[:_TOLD_CHARACTERS] for clock, content in late]
        return [line for line in page if (clock_ms(line[0]) or 0) <= latest_ms]
    return page

"""The one place that touches what FastF1 3.9 keeps to itself; `f1_assets_tests` has a contract test for each name.

- `Cache._requests_session`: the session through which FastF1 sends every request when its HTTP cache is off;
- `Cache._no_cached_warned`: keeps it from creating its default cache folder;
- `_SessionWithRateLimiting`: the session with FastF1's own limits and authentication, which stay as they are;
- `_api.base_url`, `_api.pages`: where the feeds are;
- `_api.make_path`: the folder of a session's feeds;
- `_api._extended_timing_data`: gives the stream of gaps that `Session.load()` parses and drops;
- `_api.fetch_page`: gives the lines of a feed, of which those of other series are refused;
- `_api.parse`: reads the JSON of a line, for which another reader takes a third of the time;
- `_api._laps_data_driver`, `_api._stream_data_driver`, `Session.__fix_tyre_info`, `Session._check_lap_accuracy`: what
  a load spends most of its time in, see `fastf1_shortcuts`;
- `Session._set_laps_deleted_from_rcm`, `_laps`, `_race_control_messages`, `_RACE_LIKE_SESSIONS`: deleted laps;
- `Session._drivers_from_f1_api`, `Session._drivers_results_from_ergast`: the two lists that it joins by car number.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import fastf1._api
import pandas as pd
import requests
from fastf1.core import Session
from fastf1.exceptions import FastF1CriticalError, RateLimitExceededError
from fastf1.internals.f1account import token_manager
from fastf1.internals.f1account.login import login
from fastf1.req import Cache, _SessionWithRateLimiting

from f1_assets.feeds.json_reading import read_json
from f1_assets.fetch.fastf1_shortcuts import (
    DriverLines,
    are_accurate,
    lines_of_laps,
    messages_of_tyres,
    stream_of_driver,
)

if TYPE_CHECKING:
    from fastf1.core import Session

__all__ = [
    "LIVE_TIMING_URL",
    "FastF1CriticalError",
    "LimitedSession",
    "RateLimitExceededError",
    "captured_failures",
    "captured_timing_stream",
    "deleting_laps",
    "joined_by",
    "judged_pages",
    "login",
    "make_path",
    "sending_through",
    "taking_shortcuts",
    "token_manager",
]

LimitedSession = _SessionWithRateLimiting
make_path: Callable[[str, str, str, str], str] = fastf1._api.make_path

LIVE_TIMING_URL: str = fastf1._api.base_url
Page = list[list[Any]]
"""The lines of a feed as FastF1 reads them: each one's session time, as in the feed, and its content."""

_one_at_a_time = threading.RLock()


@contextlib.contextmanager
def sending_through(session: requests.Session) -> Iterator[None]:
    """Make FastF1 send all its requests through `session`, with its own caches off, for the time of a block.

    FastF1 keeps these as globals of the process, so one block runs at a time.
    """
    with _one_at_a_time:
        before = (
            Cache._requests_session,
            Cache._no_cached_warned,
            Cache._http_tmp_disabled,
            Cache._func_tmp_disabled,
        )
        Cache._requests_session, Cache._no_cached_warned = session, True
        Cache.set_disabled()
        try:
            yield
        finally:
            (
                Cache._requests_session,
                Cache._no_cached_warned,
                Cache._http_tmp_disabled,
                Cache._func_tmp_disabled,
            ) = before


@contextlib.contextmanager
def captured_timing_stream() -> Iterator[list[pd.DataFrame]]:
    """Collect the stream of positions and gaps that a load parses, so that it need not be parsed twice."""
    streams: list[pd.DataFrame] = []
    parse: Callable[..., Any] = fastf1._api._extended_timing_data

    def parse_and_collect(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (passed through)
        laps, stream, split_times = parse(*args, **kwargs)
        streams.append(stream)
        return laps, stream, split_times

    fastf1._api._extended_timing_data = parse_and_collect
    try:
        yield streams
    finally:
        fastf1._api._extended_timing_data = parse


@contextlib.contextmanager
def judged_pages(judge: Callable[[str, Page], Page]) -> Iterator[None]:
    """Make loads take the lines of live timing's feeds as `judge` gives them, which is handed a feed's name and lines.

    What is no stream, or holds no lines of a session time and something, is passed through. Lines are read by
    `read_json`.
    """
    fetch: Callable[..., Any] = fastf1._api.fetch_page
    parse: Callable[..., Any] = fastf1._api.parse
    names = {name: page.removesuffix(".jsonStream") for name, page in fastf1._api.pages.items()}

    def fetch_and_judge(path: str, name: str) -> Any:  # noqa: ANN401 (passed through)
        page = fetch(path, name)
        is_stream = isinstance(page, list) and all(isinstance(line, list) and len(line) == 2 for line in page)
        return judge(names[name], page) if is_stream else page

    def parse_quickly(text: str, zipped: bool = False) -> Any:  # noqa: ANN401 (any JSON)
        return read_json(text) if text[0] == "{" else parse(text, zipped)

    fastf1._api.fetch_page, fastf1._api.parse = fetch_and_judge, parse_quickly
    try:
        yield
    finally:
        fastf1._api.fetch_page, fastf1._api.parse = fetch, parse


@contextlib.contextmanager
def taking_shortcuts() -> Iterator[None]:
    """Make loads come to FastF1's laps, gaps and tyres in a fraction of its time, by `fastf1_shortcuts`."""
    api: Any = fastf1._api
    session_class: Any = Session
    laps_of_driver, own_stream = api._laps_data_driver, api._stream_data_driver
    fix_tyres, own_check = session_class._Session__fix_tyre_info, session_class._check_lap_accuracy

    def laps_of_few_lines(lines: DriverLines, empty: dict[str, Any], driver: str) -> Any:  # noqa: ANN401 (passed through)
        return laps_of_driver(lines_of_laps(lines), empty, driver)

    def fix_few_messages(session: Session, messages: pd.DataFrame, ends_of_stints: list[Any]) -> pd.DataFrame:
        fixed: pd.DataFrame = fix_tyres(session, messages_of_tyres(messages, ends_of_stints), ends_of_stints)
        return fixed

    def check_laps(session: Session) -> None:
        for driver in session.drivers:
            is_drivers = session.laps["DriverNumber"] == driver
            session._laps.loc[is_drivers, "IsAccurate"] = are_accurate(session.laps[is_drivers]) or False
            session._laps[["IsAccurate"]] = session._laps[["IsAccurate"]].astype(bool)

    api._laps_data_driver, api._stream_data_driver = laps_of_few_lines, stream_of_driver
    session_class._Session__fix_tyre_info, session_class._check_lap_accuracy = fix_few_messages, check_laps
    try:
        yield
    finally:
        api._laps_data_driver, api._stream_data_driver = laps_of_driver, own_stream
        session_class._Session__fix_tyre_info, session_class._check_lap_accuracy = fix_tyres, own_check


@contextlib.contextmanager
def deleting_laps(mark: Callable[[pd.DataFrame, pd.DataFrame, bool], pd.DataFrame]) -> Iterator[None]:
    """Make loads take deleted laps from `mark`, given laps, messages and whether it is a race or a sprint.

    It takes effect before FastF1 computes results from the laps that count.
    """
    own = Session._set_laps_deleted_from_rcm

    def mark_deleted(session: Session) -> None:
        if hasattr(session, "_laps") and hasattr(session, "_race_control_messages"):
            is_race = session.name in session._RACE_LIKE_SESSIONS
            session._laps = mark(session._laps, session._race_control_messages, is_race)

    Session._set_laps_deleted_from_rcm = mark_deleted
    try:
        yield
    finally:
        Session._set_laps_deleted_from_rcm = own


def joined_by(session: Session, change: Callable[[pd.DataFrame, pd.DataFrame | None], pd.DataFrame]) -> list[Any]:
    """Make a session's load join the driver list with what `change` makes of Jolpica's entries.

    Parameters
    ----------
    session
        A session before its load.
    change
        Gets Jolpica's entries and the driver list; None without one.

    Returns
    -------
    list
        Has the driver list after the load, where there is one.
    """
    lists: list[Any] = []
    from_list, from_jolpica = session._drivers_from_f1_api, session._drivers_results_from_ergast

    def collect(**options: Any) -> Any:  # noqa: ANN401 (passed through)
        frame = from_list(**options)
        if frame is not None and not frame.empty:
            lists.append(frame)
        return frame

    def join(**options: Any) -> Any:  # noqa: ANN401 (passed through)
        frame = from_jolpica(**options)
        return frame if frame is None or frame.empty else change(frame, lists[-1] if lists else None)

    session._drivers_from_f1_api, session._drivers_results_from_ergast = collect, join
    return lists


class _FailureCollector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.failures: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self.failures.append(record.exc_info[1])


@contextlib.contextmanager
def captured_failures() -> Iterator[list[BaseException]]:
    """Collect the exceptions that FastF1 logs and swallows; its console output is off meanwhile."""
    collector = _FailureCollector()
    logger = logging.getLogger("fastf1")
    consoles = [(handler, handler.level) for handler in logger.handlers]
    propagates = logger.propagate
    for handler, _ in consoles:
        handler.setLevel(logging.CRITICAL)
    logger.addHandler(collector)
    logger.propagate = False
    try:
        yield collector.failures
    finally:
        logger.propagate = propagates
        logger.removeHandler(collector)
        for handler, level in consoles:
            handler.setLevel(level)

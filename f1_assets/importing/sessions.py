"""Import one session: load it once, extract one dataset after the other, keep what succeeded."""

from __future__ import annotations

import contextlib
import json
import logging
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from f1_assets.context import Context
from f1_assets.datasets import Dataset, named
from f1_assets.datasets.checking import why_short
from f1_assets.errors import (
    ConfigurationError,
    QuotaExhausted,
    TransientError,
    Unavailable,
    UsageError,
)
from f1_assets.feeds.loads import name_of_load
from f1_assets.feeds.table import Feed
from f1_assets.garbage import collecting_rarely
from f1_assets.importing.derived import compute_each
from f1_assets.importing.failures import failure_of
from f1_assets.importing.retries import a_jitter, not_yet_wait
from f1_assets.keys import SessionKey
from f1_assets.logs import about
from f1_assets.planning import SessionGap
from f1_assets.planning.report import feeds_to_load_of
from f1_assets.quota.ledger import SHORT_WAIT_SECONDS, Purpose
from f1_assets.warehouse import Extraction, Status, Warehouse
from f1_assets.warehouse.calendar import SIMULATOR, CalendarEvent, CalendarSession, event_of, source_of

if TYPE_CHECKING:
    from f1_assets.fetch.loaded_session import LoadedSession

logger = logging.getLogger(__name__)
LEAST_OF_THE_ROWS = 0.5
"""With fewer of them than this share, other rows do not replace those that are stored."""

PAGES_ARE_NEW = timedelta(hours=1)
"""For so long a page of a season's results that was asked for serves to renew the season's other races."""


class Outcome(StrEnum):
    """How the import of a session ended. What upstream does not have is no failure, and alone no success either."""

    SUCCESS = "success"
    UNAVAILABLE = "unavailable"
    PARTIAL = "partial"
    FAILED = "failed"


@dataclass(frozen=True)
class SessionOutcome:
    """The outcome of each dataset of a session."""

    key: SessionKey
    datasets: tuple[Extraction, ...]
    requests: int
    archive_hits: int
    seconds: float

    @property
    def extracted(self) -> tuple[str, ...]:
        """Names of the datasets whose rows are now in the warehouse."""
        return tuple(line.dataset for line in self.datasets if line.status is Status.PRESENT and not line.failed)

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the datasets that failed and are asked for again."""
        return tuple(line.dataset for line in self.datasets if line.failed)

    @property
    def unavailable(self) -> tuple[str, ...]:
        """Names of the datasets that upstream does not have."""
        return tuple(line.dataset for line in self.datasets if line.status.has_no_data)

    @property
    def status(self) -> Outcome:
        """Success when nothing failed, partial when something was kept nevertheless, else failed.

        Unavailable when nothing failed because upstream has nothing of what was asked for.
        """
        if not self.failed:
            has_nothing = not self.extracted and any(line.status is Status.UNAVAILABLE for line in self.datasets)
            return Outcome.UNAVAILABLE if has_nothing else Outcome.SUCCESS
        return Outcome.PARTIAL if self.extracted or self.unavailable else Outcome.FAILED


@dataclass(frozen=True)
class _Load:
    """What is to be loaded of a session."""

    event: CalendarEvent
    session: CalendarSession
    feeds: frozenset[Feed]
    renew: frozenset[Feed]
    from_archive: bool
    pages_since: datetime | None = None


def expected_requests_of(context: Context, gap: SessionGap) -> Mapping[str, int]:
    """Estimate the requests of a session's load, by policy; nothing for a session that will not be loaded."""
    try:
        load = _load_of(context, gap)
    except (UsageError, ConfigurationError):
        return {}
    return _expected(context, load)


def _expected(context: Context, load: _Load) -> Mapping[str, int]:
    from f1_assets.fetch.estimates import expected_requests

    if load.from_archive:
        return {}
    return expected_requests(context.transport, load.event, load.session, load.feeds, load.renew, load.pages_since)


def reserve_requests(context: Context, gap: SessionGap) -> str | None:
    """Set the requests of a session aside, before it is loaded here or by another process.

    Parameters
    ----------
    context
        With the ledger, and the archive that says what need not be asked for.
    gap
        The session and the datasets that will be extracted.

    Returns
    -------
    str or None
        The reservation; None when the load will send no request.

    Raises
    ------
    QuotaExhausted
        When the quota does not cover the session now; it says when it will.
    ConfigurationError
        When telemetry is wanted, and the lake is not the database's: before a request is spent on it.
    """
    if any(dataset.in_lake for dataset in named(gap.datasets)):
        context.warehouse.lake_ownership.refuse_to_write()
    ledger = context.transport.ledger
    if ledger is None:
        return None
    needed = _expected(context, _load_of(context, gap))
    if not any(needed.values()):
        return None
    return ledger.reserve(Purpose(session_key=str(gap.key)), needed)


def load(context: Context, gap: SessionGap, run_id: str | None = None, reservation: str | None = None) -> LoadedSession:
    """Load a session once, with the union of its datasets' feeds.

    Parameters
    ----------
    context
        Whom to ask, and the calendar, which must know the session.
    gap
        The session, and the datasets that will be extracted.
    run_id
        Noted with its requests in the ledger.
    reservation
        Requests that were reserved for it; it is released after the load. Without it, they are reserved here.

    Raises
    ------
    UsageError
        When the calendar does not have the session, or it has not ended.
    QuotaExhausted
        When the quota does not cover the load, and would not for more than some seconds.
    """
    from f1_assets.fetch.loader import load_session

    transport, wanted = context.transport, _load_of(context, gap)
    if reservation is None:
        reservation = reserve_after_a_short_wait(context, gap)
    purpose = Purpose(str(gap.key), name_of_load(wanted.feeds), uuid.uuid4().hex, run_id, reservation)
    try:
        with about(session=gap.key, run=run_id), collecting_rarely():
            loaded = load_session(
                transport,
                wanted.event,
                wanted.session,
                wanted.feeds,
                purpose,
                wanted.renew,
                wanted.from_archive,
                wanted.pages_since,
            )
            words = "loaded %s in %.1f s: %d requests, %d responses from the archive"
            logger.info(words, name_of_load(wanted.feeds), loaded.seconds, loaded.requests, loaded.archive_hits)
            return loaded
    finally:
        if reservation is not None and transport.ledger is not None:
            # It expires by itself; a good load is not lost for it.
            with contextlib.suppress(ConfigurationError, TransientError):
                transport.ledger.release(reservation)


def _load_of(context: Context, gap: SessionGap) -> _Load:
    key, warehouse, source = gap.key, context.warehouse, context.transport.source
    event = event_of(warehouse, key)
    if (source_of(warehouse, key.season) == SIMULATOR) != (source == SIMULATOR):
        raise ConfigurationError(
            f"Season {key.season} in the warehouse is {'real' if source == SIMULATOR else 'simulated'}, "
            f"but F1_SOURCE is {source}.",
            advice=f"Set F1_SOURCE to match, or run: f1-assets calendar {key.season}",
        )
    session = next(listed for listed in event.sessions if listed.key == key)
    if session.end > datetime.now(UTC):
        raise UsageError(
            f"{key} has not taken place yet: {event.name} {session.name} ends {session.end:%Y-%m-%d %H:%M} UTC."
        )
    feeds = feeds_to_load_of(gap, event)
    since = _pages_since(gap, warehouse) if gap.renew else None
    return _Load(event, session, feeds, frozenset(Feed(name) for name in gap.renew), gap.from_archive, since)


def _pages_since(gap: SessionGap, warehouse: Warehouse) -> datetime:
    """Return since when a page of a season's results is new enough to renew a session: its rows are older.

    The first race of a renewed season asks for the pages, and the other races are answered from them.
    """
    stored = [line.extracted_at for line in warehouse.extractions(gap.key) if line.dataset in gap.datasets]
    return max([datetime.now(UTC) - PAGES_ARE_NEW, *(at for at in stored if at is not None)])


def reserve_after_a_short_wait(context: Context, gap: SessionGap) -> str | None:
    """Reserve a session's requests as `reserve_requests` does; wait for the quota if it is back within 90 s."""
    deadline = time.monotonic() + SHORT_WAIT_SECONDS
    while True:
        try:
            return reserve_requests(context, gap)
        except QuotaExhausted as spent:
            wait = (spent.retry_at - datetime.now(UTC)).total_seconds() if spent.retry_at else SHORT_WAIT_SECONDS
            if time.monotonic() + wait > deadline:
                raise
            time.sleep(min(max(wait, 0.05), 1.0))


def done_since(warehouse: Warehouse, key: SessionKey, since: datetime) -> dict[str, Extraction]:
    """Return what other imports have stored of a session since a time, by dataset: it need not be imported again."""
    lines = warehouse.extractions(key)
    return {line.dataset: line for line in lines if not line.failed and line.tried_at and line.tried_at >= since}


def extract_each(
    loaded: LoadedSession, datasets: Sequence[Dataset], warehouse: Warehouse, run_id: str | None = None
) -> Iterator[Extraction]:
    """Extract one dataset after the other and store it; one that fails does not stop the next.

    Yields
    ------
    Extraction
        The outcome of each dataset, when it is stored.
    """
    from f1_assets.fetch.loader import fastf1_version

    now, jitter = datetime.now(UTC), a_jitter()  # of all datasets: they are asked for again in one load
    for dataset in datasets:
        line = Extraction(
            loaded.key,
            dataset.name,
            Status.PRESENT,
            requests=loaded.requests,
            archive_hits=loaded.archive_hits,
            load_seconds=loaded.seconds,
            fastf1_version=fastf1_version(),
            version=dataset.version,
            asked_at=loaded.asked_at(dataset.feeds),
            run_id=run_id,
        )
        if reason := dataset.why_not_applicable(loaded.key, loaded.event.live_timing, loaded.event.ends_season):
            yield replace(line, status=Status.NOT_APPLICABLE, reason=reason)
            continue
        with about(session=loaded.key, dataset=dataset.name, run=run_id), collecting_rarely():
            line = _extract(loaded, dataset, warehouse, line, now, jitter)
            level = logging.WARNING if line.failed else logging.INFO
            logger.log(level, "%s: %s", line.status, line.reason or f"{line.rows:,} rows")
        yield line


def _extract(
    loaded: LoadedSession, dataset: Dataset, warehouse: Warehouse, line: Extraction, now: datetime, jitter: float
) -> Extraction:
    started = time.perf_counter()
    try:
        extract = dataset.take(loaded)
        if extract.frame.empty:
            words = f"upstream has no {dataset.name} of this session: the feed is there, without entries"
            raise Unavailable(words, key=loaded.key, dataset=dataset.name)
        _refuse_fewer_rows(loaded.key, dataset.name, len(extract.frame), warehouse)
        notes = json.dumps(extract.notes) if extract.notes else None
        line = replace(line, rows_expected=extract.rows_expected, notes=notes, seconds=time.perf_counter() - started)
        feeds = dataset.feeds_in(loaded.key)
        if awaited := loaded.awaited((*feeds.required, *feeds.optional)):
            line = replace(
                line,
                reason=f"{', '.join(awaited)} not published yet: what comes from there is missing",
                next_try_at=now + min(not_yet_wait(since, jitter) for since in awaited.values()),
            )
        return warehouse.replace(
            loaded.key, dataset, extract.frame, line, extract.parents, starts_at=loaded.session.start
        )
    except ConfigurationError:
        raise  # the database itself: no other dataset would fare better
    except Exception as error:  # one dataset's defect is noted with its traceback, and the next gets its turn
        failed = failure_of(line, error, warehouse, now, jitter)
        return warehouse.note(replace(failed, seconds=time.perf_counter() - started))


def _refuse_fewer_rows(key: SessionKey, name: str, rows: int, warehouse: Warehouse) -> None:
    """Keep rows that are there, where far fewer come: upstream gives a feed cut short now and then.

    Rows that fall short themselves give way to any.
    """
    stored = next((line for line in warehouse.extractions(key) if line.dataset == name), None)
    if stored is None or stored.status is not Status.PRESENT or stored.short_because is not None:
        return
    if rows < stored.rows * LEAST_OF_THE_ROWS:
        words = f"{rows:,} rows of {name} came, and {stored.rows:,} are stored: those stay"
        raise Unavailable(words, key=key, dataset=name)


def fill(
    context: Context, gap: SessionGap, run_id: str | None = None, reservation: str | None = None
) -> SessionOutcome:
    """Fill the gap of one session: one load, every missing dataset from it.

    Parameters
    ----------
    context
        Whom to ask, and where to store it.
    gap
        The session and the datasets that it lacks; what is derived among them is computed from what is there then.
    run_id
        Noted with each extraction.
    reservation
        Requests that were reserved for it.

    Raises
    ------
    UsageError
        When the calendar does not have the session, or it has not ended.
    QuotaExhausted
        When the quota does not cover the load; nothing is noted of the session then.
    ConfigurationError
        When the database cannot be used.
    """
    started, warehouse = time.perf_counter(), context.warehouse
    extracted = [dataset for dataset in named(gap.datasets) if not dataset.is_derived]
    derived = [name for name in gap.datasets if name not in {dataset.name for dataset in extracted}]
    if not extracted:
        computed = tuple(compute_each(warehouse, gap.key, derived, run_id))
        return SessionOutcome(gap.key, computed, 0, 0, time.perf_counter() - started)
    loadable = replace(gap, datasets=tuple(dataset.name for dataset in extracted))
    loaded = load(context, loadable, run_id, reservation)
    lines = tuple(extract_each(loaded, extracted, warehouse, run_id))
    warehouse.judge(gap.key, why_short(warehouse, gap.key))
    lines += tuple(compute_each(warehouse, gap.key, derived, run_id))
    return SessionOutcome(gap.key, lines, loaded.requests, loaded.archive_hits, time.perf_counter() - started)

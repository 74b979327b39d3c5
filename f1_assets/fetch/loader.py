"""One load of a session, shared by all datasets: what FastF1 swallows becomes one typed error per feed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import fastf1
from fastf1.mvapi import CircuitInfo, get_circuit_info

from f1_assets.errors import (
    AuthenticationRequired,
    ConfigurationError,
    QuotaExhausted,
    TransientError,
)
from f1_assets.feeds.loads import asks_fastf1, asks_for, flags_of, raw_feeds
from f1_assets.feeds.own_time import parts_of
from f1_assets.feeds.people import renumbered
from f1_assets.feeds.table import Feed, feed_of, is_live_timing
from f1_assets.fetch.account import refusal, require_account
from f1_assets.fetch.corrections import corrected
from f1_assets.fetch.estimates import planned_urls, urls_of
from f1_assets.fetch.fastf1_private import (
    captured_failures,
    captured_timing_stream,
    joined_by,
    taking_shortcuts,
)
from f1_assets.fetch.fastf1_sessions import circuit_key_of, fastf1_session
from f1_assets.fetch.folders import SessionFolders
from f1_assets.fetch.loaded_session import LoadedSession
from f1_assets.fetch.raw_feeds import fetch_raw
from f1_assets.fetch.transport import LoadStopped, Transport
from f1_assets.quota.ledger import Purpose
from f1_assets.warehouse.calendar import CalendarEvent, CalendarSession

if TYPE_CHECKING:
    pass


def load_session(
    transport: Transport,
    event: CalendarEvent,
    session: CalendarSession,
    feeds: frozenset[Feed],
    purpose: Purpose | None = None,
    renew: Collection[Feed] = (),
    archive_only: bool = False,
    pages_since: datetime | None = None,
) -> LoadedSession:
    """Load a session once, with the union of its datasets' feeds.

    Nothing is raised for what upstream does not give: the loaded session raises it for the dataset that needs it.

    Parameters
    ----------
    transport
        Carries the requests.
    event, session
        What to load, as the calendar has it: its address follows from it, without a request for the schedule.
    feeds
        What to load of it, as `loads.feeds_to_load` gives it.
    purpose
        What to note with its requests in the ledger.
    renew, archive_only, pages_since
        Which feeds are asked for past the archive, whether the archive alone answers, and which pages of a season are
        new enough; see `Transport.loading`.

    Raises
    ------
    ConfigurationError
        When the database went away while a permit was asked for, or the archive cannot be used.
    """
    loaded_at, started = datetime.now(UTC), time.perf_counter()
    asked = fastf1_session(event, session)
    asked.api_path = SessionFolders(transport.archive).of(event, session)
    listed = joined_by(asked, renumbered)
    urls = planned_urls(event, session, feeds, asked.api_path)
    stopped: QuotaExhausted | TransientError | AuthenticationRequired | None = None
    circuit: CircuitInfo | None = None
    raw: dict[Feed, bytes] = {}
    with (
        transport.loading(
            session.end,
            renew=renew,
            purpose=purpose,
            live_timing=event.live_timing,
            session=session,
            weekend=event.sessions,
            archive_only=archive_only,
            pages_since=pages_since,
        ) as exchanges,
        captured_failures() as failures,
        captured_timing_stream() as streams,
        taking_shortcuts(),
        corrected(exchanges, parts_of(session.key.session)) as corrections,
    ):
        try:
            if transport.source == "live" and not archive_only and _asks_live_timing(transport, urls, renew):
                require_account(transport.settings)
            # What one step raises is judged feed by feed, and takes nothing from the next.
            if asks_fastf1(feeds):
                with _noted(failures):
                    asked.load(**flags_of(feeds))
            key = event.circuit_key or circuit_key_of(asked)
            if asks_for(Feed.CIRCUIT, feeds) and key is not None:
                with _noted(failures):
                    circuit = get_circuit_info(year=event.season, circuit_key=key)
            raw = fetch_raw(transport, urls_of(event, session, raw_feeds(feeds), asked.api_path))
            if (proof := transport.refusal()) is not None:
                stopped = refusal(transport.settings, session.key, proof)
        except LoadStopped as stop:
            if isinstance(stop.reason, ConfigurationError):
                raise stop.reason from stop
            stopped = stop.reason
        except (AuthenticationRequired, TransientError) as not_signed_in:
            stopped = not_signed_in
    return LoadedSession(
        event=event,
        session=session,
        fastf1=asked,
        feeds=feeds,
        exchanges=tuple(exchanges),
        failures=tuple(failures),
        stopped=stopped,
        seconds=time.perf_counter() - started,
        loaded_at=loaded_at,
        _timing_streams=streams,
        corrections=corrections,
        _circuit=circuit,
        _raw=raw,
        _lists=listed,
    )


def _asks_live_timing(transport: Transport, urls: Iterable[str], renew: Collection[Feed]) -> bool:
    """Check whether a load will ask what stands behind the Formula 1 account: the archive may have it all."""
    archived = transport.kept_addresses()
    return transport.sends and any(
        is_live_timing(url) and (feed_of(url) in renew or url not in archived) for url in urls
    )


@contextlib.contextmanager
def _noted(failures: list[BaseException]) -> Iterator[None]:
    """Note what FastF1 raises through its own handling; what ends a load passes."""
    try:
        yield
    except LoadStopped:
        raise
    except Exception as error:
        failures.append(error)


def fastf1_version() -> str:
    """Return FastF1's version, which stands with every extraction."""
    return str(fastf1.__version__)

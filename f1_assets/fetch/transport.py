"""The one seam to the network: archive, then FastF1's own limits, then the ledger's permit, then the source.

Every answer and every failure is noted by feed, because FastF1 swallows most of them: after a load the transport
knows which feed failed and why.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import requests

from f1_assets.errors import ConfigurationError, QuotaExhausted, TransientError
from f1_assets.feeds.bodies import DamagedBody, made, may_be_cut, read
from f1_assets.feeds.history import is_renewed, page_urls, pages_of, race_of
from f1_assets.feeds.identity import Asked, fault_of, is_distinctive
from f1_assets.feeds.table import Feed, feed_of, is_live_timing
from f1_assets.fetch.archive import Archive
from f1_assets.fetch.deadlines import Clock
from f1_assets.fetch.ergast_answers import archived_answer
from f1_assets.fetch.exchanges import (
    Exchange,
    Outcome,
    exchange_of,
    failed_exchange,
    never_left,
    refused_as_stranger,
    stored_at,
)
from f1_assets.fetch.fastf1_private import (
    FastF1CriticalError,
    RateLimitExceededError,
    sending_through,
)
from f1_assets.fetch.refusals import Refusals
from f1_assets.fetch.sessions import session_for
from f1_assets.fetch.sources import source_kind
from f1_assets.quota.ledger import InFlight, Ledger, Purpose
from f1_assets.settings import Settings
from f1_assets.warehouse.calendar import CalendarSession

if TYPE_CHECKING:
    from requests_cache.models.response import CachedResponse

IN_FLIGHT_SECONDS = 0.1
"""How long to wait before looking again whether the answer to another process's, or host's, request is there."""

CONNECTION_FAULTS = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
CONNECTION_RETRY_SECONDS = (0.2, 0.8)
"""A request whose connection broke is sent again after these times: such faults come and go in a moment."""

MOST_BODY_BYTES = 200_000_000
"""No feed has a tenth of it; a body that inflates to more is not read on."""

BRIEF_SECONDS, MOST_BRIEF_WAITS = 5, 2
"""A 429 that asks for so little patience is waited for within the request, so often; a longer one ends the load."""

LEAST_OF_A_BODY = 0.5
"""A renewed body that is shorter than this share of the archived one does not take its place."""

_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
"""Nothing in the archive is as old."""


class LoadStopped(FastF1CriticalError):
    """Passes through FastF1's catch-all error handling and ends a load at once; `reason` is our own error."""

    def __init__(self, reason: QuotaExhausted | TransientError | ConfigurationError) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Transport:
    """All requests of one process to one source.

    Parameters
    ----------
    settings
        Where to ask and where to keep the answers.
    ledger
        Asked for a permit before each request that leaves, and told how it ended. Only a recording does without.
    sends
        Whether anything is sent: without it, only what the archive has is read.
    clock
        Seconds that never go back: an answer has to be whole by a deadline.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger | None = None,
        sends: bool = True,
        clock: Clock = time.monotonic,
    ) -> None:
        self.sends, self.clock = sends, clock
        self.source = source_kind(settings.source)
        self.settings = settings
        self.ledger = ledger
        self.exchanges: list[Exchange] = []
        settings.make_home()
        self._archive = Archive.of(settings)
        self._session = session_for(self, settings)
        self._purpose = Purpose()
        self._ended_at: datetime | None = None
        self._renew: Container[str] = ()
        self._pages_since = _BEFORE_ALL
        self._archive_only = not sends
        self._live_timing = True
        self._asked: Asked | None = None
        self._refusals: Refusals | None = None

    @contextlib.contextmanager
    def loading(
        self,
        ended_at: datetime | None = None,
        renew: Container[Feed] = (),
        purpose: Purpose | None = None,
        live_timing: bool = True,
        session: CalendarSession | None = None,
        archive_only: bool = False,
        weekend: Iterable[CalendarSession] = (),
        pages_since: datetime | None = None,
    ) -> Iterator[list[Exchange]]:
        """Carry FastF1's requests for the time of a block, and collect them.

        Parameters
        ----------
        ended_at
            When the session ended that is loaded; its responses are kept if that is long enough ago.
        renew
            Feeds for which the source is asked even where the archive has an answer.
        purpose
            What the requests are sent for, to be noted in the ledger.
        live_timing
            Whether F1's live timing covers the session. FastF1 asks it all the same, and is told so without a request.
        session
            The session that is loaded: what comes of another one is refused, and a 403 is tested.
        weekend
            All sessions of its event: what none of the others was may be of a postponed one.
        archive_only
            Whether the archive alone answers, with what it has of any age; nothing is sent then.
        pages_since
            Pages of a season's results that are archived since then are not renewed again; by default since now.
        """
        before, self.exchanges = self.exchanges, []
        self._live_timing = live_timing
        self._archive_only = archive_only or not self.sends
        if session is not None:
            self._asked = Asked(session, weekend=tuple(weekend))
        if session is not None and not self._archive_only:
            self._refusals = Refusals(self.exchanges, self._ask_source, self._archive, self._keep)
        self._ended_at, self._renew, self._purpose = ended_at, renew, purpose or Purpose()
        self._pages_since = pages_since or datetime.now(UTC)
        try:
            with sending_through(self._session):
                yield self.exchanges
        finally:
            if self._refusals is not None:
                self._refusals.give_up("the load ended before a file that must be there was asked for")
            self.exchanges = before
            self._ended_at, self._renew, self._purpose = None, (), Purpose()
            self._archive_only = not self.sends
            self._live_timing, self._asked, self._refusals = True, None, None

    def refusal(self) -> Exchange | None:
        """Return the answer that proves that F1 refuses this load, at its end; ask for the proof that is missing."""
        if self._refusals is None:
            return None
        self._refusals.settle()
        return self._refusals.proof

    def _ask_source(self, url: str) -> Exchange:
        """Ask the source past the archive, and return how that ended."""
        before, self._renew = self._renew, tuple(Feed)
        try:
            with contextlib.suppress(requests.RequestException):  # it is noted
                self.get(url)
        finally:
            self._renew = before
        return self.exchanges[-1]

    def counted(self, request: requests.PreparedRequest, send: Callable[[], requests.Response]) -> requests.Response:
        """Send one request that leaves: with a permit, and with its end noted in the ledger.

        Raises
        ------
        LoadStopped
            When there is no permit.
        """
        if self._archive_only:
            raise AssertionError(f"{request.url} would be sent, although the archive alone may answer")
        if self.ledger is None:
            return read(send(), request, MOST_BODY_BYTES)
        try:
            permit = self.ledger.permit(request.url or "", self._purpose)
        except (QuotaExhausted, ConfigurationError, TransientError) as error:
            raise LoadStopped(error) from error
        started, status, size, retry_after = time.perf_counter(), None, 0, None
        is_unsent = False
        try:
            response = read(send(), request, MOST_BODY_BYTES)
            status, size = response.status_code, len(response.content)
            retry_after = response.headers.get("Retry-After")
            return response
        except requests.ConnectionError as error:
            is_unsent = never_left(error)
            raise
        finally:
            if is_unsent:
                self.ledger.withdraw(permit, self._purpose.reservation)
            else:
                self.ledger.settle(permit, status, size, (time.perf_counter() - started) * 1000, retry_after)

    def get(self, url: str) -> requests.Response:
        """Send one request of our own; only inside `loading`."""
        return self._session.get(url)

    def has_kept(self, url: str) -> bool:
        """Check whether the archive answers for an address, so that it costs no request."""
        return self._archive.has(url)

    def is_asked_again(self, url: str, renew: Container[str], pages_since: datetime) -> bool:
        """Check whether an address is asked for past the archive; one page has the results of many races."""
        feed = feed_of(url)
        if feed is not Feed.SEASON_RESULTS or not is_renewed(feed, renew):
            return feed in renew
        page = self._archive.find(url)
        return page is None or stored_at(page) < pages_since

    def kept_addresses(self) -> frozenset[str]:
        """Return every address that the archive answers for."""
        return self._archive.addresses()

    def known_pages(self, url: str) -> list[str]:
        """Return the pages that answer for a race of the past, as many as there are where the archive knows it."""
        usual = page_urls(url)
        first = self._archive.find(usual[0]) if usual else None
        return usual if first is None else page_urls(url, pages_of(first.content))

    @property
    def archive(self) -> Archive:
        """The kept responses of the source."""
        return self._archive

    def archive_size(self) -> tuple[int, int]:
        """Return how many responses the archive has, and the bytes that they take."""
        return self._archive.size()

    def verify_archive(self) -> tuple[int, list[str]]:
        """Remove what is damaged in the archive; return how many responses there were, and which were removed."""
        return self._archive.give_up_damaged(fault_of)

    def sweep_archive(self) -> list[str]:
        """Remove bodies that no response of the archive has any more, and name them."""
        return self._archive.sweep()

    def discard(self, url_part: str) -> int:
        """Return up what the archive has below an address, because it belongs to another event now."""
        return self._archive.discard(url_part)

    def forget_temporary(self, url_part: str) -> int:
        """Forget what the archive keeps only for a time below an address: absences, and results that may change."""
        return self._archive.forget(url_part)

    def close(self) -> None:
        """Close connections and the archive."""
        self._session.close()
        self._archive.close()

    def carry(
        self,
        request: requests.PreparedRequest,
        send: Callable[[], requests.Response],
        now: datetime | None = None,
    ) -> requests.Response:
        """Answer a request from the archive, or send it, note how it ended, and keep what came back.

        Sessions of a weekend share some answers, and all hosts a season's: of two that load at once, one asks, and the
        other one waits and finds the answer in the archive. It asks itself where the first one's request was lost.
        """
        while True:
            try:
                return self._carry(request, send, now)
            except InFlight:
                time.sleep(IN_FLIGHT_SECONDS)
            except (ConfigurationError, TransientError) as error:
                # The archive, or the ledger: FastF1 would go on as if a feed were absent.
                raise LoadStopped(error) from error

    def _carry(
        self, request: requests.PreparedRequest, send: Callable[[], requests.Response], now: datetime | None
    ) -> requests.Response:
        url = request.url or ""
        feed = feed_of(url)
        now = now or datetime.now(UTC)
        is_asked_again = self.is_asked_again(url, self._renew, self._pages_since)
        archived = self._archive.last(url) if self._archive_only else self._archive.find(url, now)
        kept = None if is_asked_again else archived
        if kept is not None:
            return self._kept(feed, url, kept)
        if page_urls(url):
            return self._from_season(feed, request)
        if not self._live_timing and is_live_timing(url):
            return self._made(request, feed, 404, b"not covered by live timing")
        if self._archive_only:
            return self._not_archived(request, feed)
        if self._refusals is not None and self._refusals.proof is not None:
            # Not noted: it was not asked for.
            return made(request, 403, b"F1 refuses this load: nothing more is asked for")
        try:
            response = self._whole(feed, url, send)
        except RateLimitExceededError as error:
            words = f"FastF1's own request limit is reached ({error})."
            reason = QuotaExhausted(words, advice="Wait an hour and run it again.")
            raise LoadStopped(reason) from error
        except requests.RequestException as error:
            self.exchanges.append(failed_exchange(feed, url, error))
            raise
        exchange = self._without_twin(exchange_of(feed, url, response, asked=self._asked), response)
        self.exchanges.append(exchange)
        if exchange.is_stranger and feed is Feed.SESSION_INFO:
            # Nothing that comes from there can be trusted, and most of it does not say whose it is.
            advice = "Nothing was kept; it is asked for again."
            raise LoadStopped(TransientError(f"{url}: {exchange.detail}.", advice=advice, feed=feed))
        self._take_as_info(exchange, response)
        if exchange.outcome is Outcome.FAILED and response.status_code == 200:
            raise DamagedBody(f"{url}: {exchange.detail}")
        self._keep(exchange, response, now)
        if self._refusals is not None:
            self._refusals.note(exchange, response)
        return response

    def _keep(self, exchange: Exchange, response: requests.Response, now: datetime | None = None) -> None:
        now = now or datetime.now(UTC)
        # A renewal that finds nothing, or far less than there is, takes nothing from the archive.
        renews = is_renewed(exchange.feed, self._renew)
        archived = self._archive.last(exchange.url) if renews else None
        is_poorer = exchange.outcome is not Outcome.DATA or (
            archived is not None
            and archived.status_code == 200
            and len(response.content) < len(archived.content) * LEAST_OF_A_BODY
        )
        if not (renews and is_poorer) and (expires := self._expiry(exchange, now)) != now:
            self._archive.keep(exchange.url, response, expires)
            if exchange.outcome is Outcome.DATA and is_distinctive(exchange.feed, response.content):
                self._archive.keep_identity(exchange.url, response.content)

    def _without_twin(self, exchange: Exchange, response: requests.Response) -> Exchange:
        """Refuse a body that says nothing of its session where the archive has the very same of another one."""
        if exchange.outcome is not Outcome.DATA or not is_distinctive(exchange.feed, response.content):
            return exchange
        twin = self._archive.twin(exchange.url, response.content)
        return (
            exchange if twin is None else refused_as_stranger(exchange, f"it is also that of another session, {twin}")
        )

    def _take_as_info(self, exchange: Exchange, response: requests.Response) -> None:
        """Take note of when the session was held, as F1 itself says it."""
        if self._asked is not None and exchange.feed is Feed.SESSION_INFO and exchange.outcome is Outcome.DATA:
            self._asked = replace(self._asked, info=response.content)

    def _kept(self, feed: Feed, url: str, kept: CachedResponse) -> requests.Response:
        self.exchanges.append(exchange := exchange_of(feed, url, kept, from_archive=True))
        self._take_as_info(exchange, kept)
        return cast(requests.Response, kept)

    def _whole(self, feed: Feed, url: str, send: Callable[[], requests.Response]) -> requests.Response:
        """Send, and send again where nothing tells that a body is whole: it is when the same comes twice."""
        first = self._insist(feed, url, send)
        if feed is Feed.OTHER or not may_be_cut(url, first):
            return first
        detail, size = "the body has no length and ends with the connection", len(first.content)
        self.exchanges.append(Exchange(feed, url, Outcome.FAILED, detail, first.status_code, body_bytes=size))
        second = self._insist(feed, url, send)
        if may_be_cut(url, second) and second.content != first.content:
            raise DamagedBody(f"{detail}; asked for twice, it had {size:,} and {len(second.content):,} bytes")
        return second

    def _insist(self, feed: Feed, url: str, send: Callable[[], requests.Response]) -> requests.Response:
        """Send, and send again where the service asks for a moment of patience: its permit waits for that moment."""
        response = self._send(feed, url, send)
        for _ in range(MOST_BRIEF_WAITS):
            if not _asks_for_a_moment(response):
                break
            self.exchanges.append(exchange_of(feed, url, response))
            response = self._send(feed, url, send)
        return response

    def _send(self, feed: Feed, url: str, send: Callable[[], requests.Response]) -> requests.Response:
        """Send, and send again where the connection broke: each time with a permit of its own, and noted."""
        for pause in CONNECTION_RETRY_SECONDS:
            try:
                return send()
            except requests.Timeout:
                raise  # it took its time already; the next run tries again
            except CONNECTION_FAULTS as error:
                self.exchanges.append(failed_exchange(feed, url, error))
                time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 (spreads retries, guards nothing)
        return send()

    def _from_season(self, feed: Feed, request: requests.PreparedRequest) -> requests.Response:
        """Answer for a race of the past from the pages of its season, which are fetched where they are not kept."""
        url, before = request.url or "", len(self.exchanges)
        try:
            pages = self._pages_of_season(url)
        except requests.RequestException as error:
            # Only the page is noted by now; whoever asks why there are no results asks for the race's own feed.
            self.exchanges.append(failed_exchange(feed, url, error))
            raise
        failed = next((page for page in pages if page.status_code != 200), None)
        if failed is not None and self._archive_only:
            return self._not_archived(request, feed)
        if failed is not None:
            return self._made(request, feed, failed.status_code, failed.content)
        response = self._made(request, feed, 200, race_of(url, [page.content for page in pages]))
        times = [page.answered_at for page in self.exchanges[before:-1] if page.answered_at is not None]
        self.exchanges[-1] = replace(self.exchanges[-1], answered_at=min(times, default=None))
        return response

    def _pages_of_season(self, url: str) -> list[requests.Response]:
        """Return the pages that answer for a race; the first one alone where it does not say how many there are."""
        first = self.get(page_urls(url, 1)[0])
        if first.status_code != 200:
            return [first]
        return [first, *(self.get(page) for page in page_urls(url, pages_of(first.content))[1:])]

    def _made(self, request: requests.PreparedRequest, feed: Feed, status: int, body: bytes) -> requests.Response:
        """Answer without a request of its own."""
        response = made(request, status, body)
        self.exchanges.append(exchange_of(feed, response.url, response, from_archive=True))
        return response

    def _not_archived(self, request: requests.PreparedRequest, feed: Feed) -> requests.Response:
        """Answer as for an absent feed: FastF1 goes on, and whoever needs the feed is told."""
        if (body := archived_answer(self._archive, request.url or "")) is not None:
            return self._made(request, feed, 200, body)
        response = self._made(request, feed, 404, b"")
        self.exchanges[-1] = replace(self.exchanges[-1], outcome=Outcome.NOT_ARCHIVED, detail="not in the archive")
        return response

    def _expiry(self, exchange: Exchange, now: datetime) -> datetime | None:
        """Return until when to keep a response: None for ever, `now` not at all."""
        if exchange.outcome not in (Outcome.DATA, Outcome.ABSENT, Outcome.NO_DATA):
            return now
        return exchange.feed.spec.retention.until(now, self._ended_at, exchange.outcome is not Outcome.DATA)


def _asks_for_a_moment(response: requests.Response) -> bool:
    """Check whether a service is throttling for a few seconds only."""
    asked = response.headers.get("Retry-After", "").strip()
    return response.status_code == 429 and asked.isascii() and asked.isdigit() and int(asked[:10]) <= BRIEF_SECONDS

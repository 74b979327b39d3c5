"""How many requests a session's load will send: its addresses, less what the archive has, and what past loads teach."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import quote

from f1_assets.feeds.history import is_renewed
from f1_assets.feeds.loads import asks_for, name_of_load
from f1_assets.feeds.table import Feed, feed_of
from f1_assets.fetch.fastf1_private import LIVE_TIMING_URL
from f1_assets.fetch.folders import SessionFolders, live_timing_path
from f1_assets.quota.policies import ANY, JOLPICA, policy_of
from f1_assets.warehouse.calendar import CalendarEvent, CalendarSession

if TYPE_CHECKING:
    from f1_assets.fetch.transport import Transport


def expected_requests(
    transport: Transport,
    event: CalendarEvent,
    session: CalendarSession,
    feeds: Collection[Feed],
    renew: Container[str] = (),
    pages_since: datetime | None = None,
) -> Mapping[str, int]:
    """Estimate the requests of a load, by policy: nothing for what the archive has and `renew` does not name.

    To what a load sends when every feed is there, past loads of such sessions add what they sent beyond it (an absent
    feed costs a second request, to a mirror), at the worst of the last ones: a load that stops halfway costs more than
    a request that was reserved in vain. `pages_since` is that of `Transport.loading`.
    """
    folder = SessionFolders(transport.archive).of(event, session)
    planned = _with_pages(transport, planned_urls(event, session, feeds, folder))
    since = pages_since or datetime.now(UTC)
    missing = [url for url in planned if transport.is_asked_again(url, renew, since) or not transport.has_kept(url)]
    if not missing:
        return {ANY: 0, JOLPICA: 0}
    loads = (
        transport.ledger.past_loads(session.key.session, name_of_load(feeds)) if transport.ledger is not None else []
    )
    beyond = max((load.get(ANY, 0) - len(planned) for load in loads), default=0)
    jolpica = sum(1 for url in missing if policy_of(url) == JOLPICA)
    return {ANY: len(missing) + max(beyond, 0), JOLPICA: jolpica}


@dataclass(frozen=True)
class RequestCost:
    """The requests of a load: what is usual, the least and the most that past loads of such sessions took.

    `jolpica` are those among the usual ones that go to Jolpica, which has a quota of its own beside.
    """

    usual: int = 0
    least: int = 0
    most: int = 0
    jolpica: int = 0

    def __add__(self, other: RequestCost) -> RequestCost:
        """Return the cost of two loads."""
        return RequestCost(
            self.usual + other.usual,
            self.least + other.least,
            self.most + other.most,
            self.jolpica + other.jolpica,
        )


class CostEstimator:
    """Estimates the loads of many sessions: the archive is looked at once, and each kind of past load once.

    Sessions are to be asked for in the order in which they will be loaded: what one load fetches, the archive has for
    the next one of the weekend.

    Parameters
    ----------
    transport
        With the archive and the ledger.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._kept = set(transport.kept_addresses())
        self._fetched: set[str] = set()
        self._ledger = transport.ledger
        self._folders = SessionFolders(transport.archive)
        self._beyond: dict[tuple[str, str], list[int]] = {}

    def cost(
        self, event: CalendarEvent, session: CalendarSession, feeds: Collection[Feed], renew: Container[str] = ()
    ) -> RequestCost:
        """Estimate one load; nothing where the archive has all of it, but for the feeds that `renew` names."""
        folder = self._folders.of(event, session)
        planned = _with_pages(self._transport, planned_urls(event, session, feeds, folder))
        missing = [url for url in planned if self._is_renewed(url, renew) or url not in self._kept]
        if not missing:
            return RequestCost()
        self._kept.update(missing)
        self._fetched.update(missing)
        beyond = self._beyond_plan(session.key.session, name_of_load(feeds), len(planned))
        jolpica = sum(1 for url in missing if policy_of(url) == JOLPICA)
        number = len(missing)
        return RequestCost(number + round(median(beyond)), number + min(beyond), number + max(beyond), jolpica)

    def _is_renewed(self, url: str, renew: Container[str]) -> bool:
        """Check whether a load asks for an address again: for a page of a season only the first load does."""
        feed = feed_of(url)
        return is_renewed(feed, renew) and not (feed is Feed.SEASON_RESULTS and url in self._fetched)

    def _beyond_plan(self, session: str, needs: str, planned: int) -> list[int]:
        known = self._beyond.get((session, needs))
        if known is None:
            loads = self._ledger.past_loads(session, needs) if self._ledger is not None else []
            known = [max(load.get(ANY, 0) - planned, 0) for load in loads] or [0]
            self._beyond[(session, needs)] = known
        return known


def planned_urls(
    event: CalendarEvent, session: CalendarSession, feeds: Collection[Feed], folder: str | None = None
) -> list[str]:
    """Return the addresses that a load asks for when every feed is there, as FastF1 3.9 does.

    Parameters
    ----------
    event, session, feeds
        What is loaded of which session.
    folder
        Where F1 keeps its feeds; by default where FastF1 would look.
    """
    asked = [feed for feed in Feed if asks_for(feed, feeds)]
    return list(urls_of(event, session, asked, folder or live_timing_path(event, session)).values())


def urls_of(event: CalendarEvent, session: CalendarSession, feeds: Iterable[Feed], folder: str) -> Mapping[Feed, str]:
    """Return where feeds of a session are, of those that such a session has."""
    # Written as it leaves, and as the archive has it: some names have letters that an address has not.
    base = f"{LIVE_TIMING_URL}{quote(folder)}"
    urls = {feed: _url_of(feed, event, session, base) for feed in feeds}
    return {feed: url for feed, url in urls.items() if url is not None}


def _url_of(feed: Feed, event: CalendarEvent, session: CalendarSession, base: str) -> str | None:
    spec = feed.spec
    if spec.url_of is not None:
        return spec.url_of(event, session)
    if feed is Feed.SESSION_DATA and session.t0_utc is not None:
        return None  # the clock that it would tell is known
    return f"{base}{feed}.jsonStream" if event.live_timing and spec.is_of(session.key) else None


def _with_pages(transport: Transport, urls: list[str]) -> list[str]:
    """Put the pages of a season in the place of a race of the past."""
    return [page for url in urls for page in transport.known_pages(url) or [url]]

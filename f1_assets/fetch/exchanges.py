"""How requests end: data, nothing, absent, refused, throttled or failed, and why. FastF1 swallows most of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from f1_assets.feeds.identity import Asked, mismatch_reason
from f1_assets.feeds.table import NOT_IN_STORAGE, Feed, damage_of, is_live_timing, is_without_data, needs_account
from f1_assets.fetch.sources import NOT_RECORDED


class Outcome(StrEnum):
    """How the request for a feed ended."""

    DATA = "data"
    NO_DATA = "no data"
    ABSENT = "absent"
    REFUSED = "refused"
    THROTTLED = "throttled"
    FAILED = "failed"
    NOT_ARCHIVED = "not archived"
    """The archive alone was to answer, and does not have it."""


@dataclass(frozen=True)
class Exchange:
    """One request and how it ended; `detail` says why when it did not give data, which may be another session's.

    `answered_at` is when upstream gave the answer, where it is known; that of the archive may be years old.
    `body` is what came, of the feeds whose body a load keeps.
    """

    feed: Feed
    url: str
    outcome: Outcome
    detail: str = ""
    status: int | None = None
    from_archive: bool = False
    body_bytes: int = 0
    is_stranger: bool = False
    answered_at: datetime | None = None
    never_sent: bool = False
    body: bytes = field(default=b"", repr=False)

    @property
    def reached_source(self) -> bool:
        """Check whether a request reached the source for it."""
        return not self.from_archive and not self.never_sent


def failed_exchange(feed: Feed, url: str, error: requests.RequestException) -> Exchange:
    """Note a request that gave no answer."""
    return Exchange(feed, url, Outcome.FAILED, in_short(error), never_sent=never_left(error))


def never_left(error: BaseException | None) -> bool:
    """Check whether a request ended before a connection was there: no name, a refused connection, none in time."""
    if isinstance(error, requests.ConnectTimeout | NewConnectionError):
        return True
    if isinstance(error, requests.exceptions.ProxyError) or not isinstance(error, requests.ConnectionError):
        return False
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError | ConnectTimeoutError)


def decisive(exchanges: Iterable[Exchange], feed: Feed) -> Exchange | None:
    """Return the exchange that says most about a feed: FastF1 asks a mirror where the service itself fails."""
    order = [
        Outcome.DATA,
        Outcome.REFUSED,
        Outcome.THROTTLED,
        Outcome.FAILED,
        Outcome.NO_DATA,
        Outcome.ABSENT,
        Outcome.NOT_ARCHIVED,
    ]
    mine = [exchange for exchange in exchanges if exchange.feed is feed]
    if any(exchange.outcome is Outcome.ABSENT and needs_account(exchange.url) for exchange in mine):
        # What F1 itself does not have is absent, whether or not the mirror answers.
        mine = [each for each in mine if each.outcome is not Outcome.FAILED or needs_account(each.url)]
    return min(mine, key=lambda exchange: order.index(exchange.outcome), default=None)


def body_of(exchanges: Iterable[Exchange], feed: Feed) -> bytes | None:
    """Return the kept body of a feed that gave data, the last one where it came twice; None without any."""
    came = [exchange.body for exchange in exchanges if exchange.feed is feed and exchange.outcome is Outcome.DATA]
    return came[-1] if came else None


def in_short(error: requests.RequestException) -> str:
    """Return what broke, without the layers of libraries around it."""
    cause: object = error
    while isinstance(cause, BaseException) and cause.args and isinstance(cause.args[-1], BaseException):
        cause = cause.args[-1]
    cause = getattr(cause, "reason", None) or cause
    words = str(cause).rpartition("): ")[2] or str(cause)
    return f"{type(error).__name__}: {words}"


def exchange_of(
    feed: Feed,
    url: str,
    response: requests.Response,
    from_archive: bool = False,
    asked: Asked | None = None,
) -> Exchange:
    """Return how a request ended, from its answer; what the archive gave was sound when it was kept."""
    status, body = response.status_code, response.content
    outcome, detail = _judge(feed, url, status, response, body, from_archive)
    answered_at = _answered_at(response, from_archive)
    if outcome is Outcome.DATA and not from_archive and (whose := mismatch_reason(url, body, asked)) is not None:
        return refused_as_stranger(Exchange(feed, url, outcome, "", status, False, len(body)), whose)
    kept = body if outcome is Outcome.DATA and feed.spec.keeps_body else b""
    return Exchange(
        feed,
        url,
        outcome,
        detail,
        status,
        from_archive,
        len(body),
        answered_at=answered_at,
        body=kept,
    )


def _answered_at(response: requests.Response, from_archive: bool) -> datetime | None:
    """Return when upstream gave an answer: now, or when the archive stored it; None for one that was made here."""
    if not from_archive:
        return datetime.now(UTC)
    return stored_at(response) if hasattr(response, "created_at") else None


def stored_at(archived: requests.Response) -> datetime:
    """Return when the archive stored a response."""
    created: datetime = archived.created_at  # type: ignore[attr-defined]
    return created.replace(tzinfo=UTC) if created.tzinfo is None else created


def refused_as_stranger(exchange: Exchange, whose: str) -> Exchange:
    """Return an exchange as failed, because its body is not what was asked for."""
    detail = f"{whose} (HTTP {exchange.status}, {exchange.body_bytes:,} bytes)"
    return replace(exchange, outcome=Outcome.FAILED, detail=detail, is_stranger=True, body=b"")


def _judge(
    feed: Feed, url: str, status: int, response: requests.Response, body: bytes, from_archive: bool
) -> tuple[Outcome, str]:
    if status == 200:
        damage = None if from_archive else damage_of(url, body)
        if damage:
            return Outcome.FAILED, f"{damage} (HTTP 200, {len(body):,} bytes)"
        return (Outcome.NO_DATA, "no entries") if is_without_data(feed, body) else (Outcome.DATA, "")
    if status in (401, 403) and needs_account(url):
        if from_archive:
            return Outcome.ABSENT, f"HTTP {status}"  # kept only where that was proven
        return Outcome.REFUSED, f"HTTP {status}"
    if status == 403 and is_live_timing(url) and NOT_IN_STORAGE in body:
        return Outcome.ABSENT, f"HTTP {status}"  # the mirror refuses nobody
    if status in (404, 410):
        return Outcome.ABSENT, NOT_RECORDED if response.reason == NOT_RECORDED else f"HTTP {status}"
    if status == 429:
        return (
            Outcome.THROTTLED,
            f"HTTP 429, retry after {response.headers.get('Retry-After', 'an unknown time')}",
        )
    return Outcome.FAILED, f"HTTP {status}"

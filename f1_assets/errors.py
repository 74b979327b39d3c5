"""Every error that f1_assets raises on purpose: one base, five classes for upstream data, three for the rest.

An error carries what happened, for which session, dataset and feed, what to do, and when it is tried again, each in a
field of its own: its text is for people, and nothing reads it. Whatever is not below `F1AssetsError` is a defect and is
shown with its traceback.
"""

from datetime import datetime, timedelta
from typing import ClassVar


class F1AssetsError(Exception):
    """Base of all errors that f1_assets raises on purpose.

    Parameters
    ----------
    what
        What happened.
    advice
        What to do about it, or what happens next; empty where `what` says all.
    where
        The place that it happened in, where not everybody who reads of it should know it: a database's address.
    key, dataset, feed
        Which session, dataset and feed it is about, where it is about one.
    retry_at
        When it is tried again, or worth trying, where that is known.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        what: str = "",
        *,
        advice: str = "",
        where: str = "",
        key: object = None,
        dataset: str | None = None,
        feed: str | None = None,
        retry_at: datetime | None = None,
    ) -> None:
        super().__init__(what)
        self.what, self.advice, self.where = what, advice, where
        self.key = None if key is None else str(key)
        self.dataset, self.feed, self.retry_at = dataset, feed, retry_at

    @property
    def without_place(self) -> str:
        """Return what happened and what to do, without the session and the place."""
        return " ".join(filter(None, (self.what, self.advice)))

    @property
    def without_advice(self) -> str:
        """Return what happened and where, without the session and what to do."""
        return " ".join(filter(None, (self.what, self.where)))

    @property
    def reason(self) -> str:
        """Return what happened, what to do and where, without the session: for a line that names the session."""
        return " ".join(filter(None, (self.without_place, self.where)))

    def __str__(self) -> str:
        """Return the message with its advice."""
        return f"{self.key}: {self.reason}" if self.key is not None else self.reason


class UpstreamError(F1AssetsError):
    """Upstream did not give what was asked for. One of five subclasses says why."""


class TransientError(UpstreamError):
    """A fault that is expected to pass: a time-out, a 5xx, a damaged body, a deadlock. It is tried again."""


class QuotaExhausted(UpstreamError):
    """The request quota is spent, here or at the service (HTTP 429). Work resumes at `retry_at`, where it is known."""

    exit_code = 3


class NotYetPublished(UpstreamError):
    """The session has ended, but upstream does not have its data yet. It is asked for again later.

    `since_end` is how long ago the session ended when it was asked for.
    """

    def __init__(
        self,
        what: str = "",
        since_end: timedelta = timedelta(),
        *,
        advice: str = "",
        key: object = None,
        feed: str | None = None,
    ) -> None:
        super().__init__(what, advice=advice, key=key, feed=feed)
        self.since_end = since_end


class Unavailable(UpstreamError):
    """Upstream does not have this data. It is asked for again only after the finding expires."""


class NotArchived(Unavailable):
    """The archive alone may answer, and it does not have this response."""


class AuthenticationRequired(UpstreamError):
    """The Formula 1 account was refused or is not set: one problem for all sessions, which an operator solves."""

    exit_code = 4


class UnreadableData(F1AssetsError):
    """Upstream answered, but FastF1 could not read it. The cause carries FastF1's own traceback."""


class ConfigurationError(F1AssetsError):
    """A setting, a credential or the database stands in the way."""

    exit_code = 4


class UsageError(F1AssetsError):
    """What was asked for does not exist or is malformed: a season, a round, a session, a dataset, a key."""

    exit_code = 2

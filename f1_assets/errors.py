"""Every error that f1_assets raises on purpose: one base, five classes for upstream data, three for the rest.

Each message says what happened, for which session and dataset or address, and what to do or what happens next.
Whatever is not below `F1AssetsError` is a defect and is shown with its traceback.
"""

from datetime import datetime, timedelta
from typing import ClassVar


class F1AssetsError(Exception):
    """Base of all errors that f1_assets raises on purpose."""

    exit_code: ClassVar[int] = 1


class UpstreamError(F1AssetsError):
    """Upstream did not give what was asked for. One of five subclasses says why."""


class TransientError(UpstreamError):
    """A fault that is expected to pass: a time-out, a 5xx, a damaged body, a deadlock. It is tried again."""


class QuotaExhausted(UpstreamError):
    """The request quota is spent, here or at the service (HTTP 429). Work resumes when it is back.

    `resumes_at` is when that will be, where it is known.
    """

    exit_code = 3

    def __init__(self, message: str, resumes_at: datetime | None = None) -> None:
        super().__init__(message)
        self.resumes_at = resumes_at


class NotYetPublished(UpstreamError):
    """The session has ended, but upstream does not have its data yet. It is asked for again later.

    `since_end` is how long ago the session ended when it was asked for.
    """

    def __init__(self, message: str, since_end: timedelta = timedelta()) -> None:
        super().__init__(message)
        self.since_end = since_end


class Unavailable(UpstreamError):
    """Upstream does not have this data. It is asked for again only after the finding expires."""


class NotArchived(Unavailable):
    """The archive alone may answer, and it does not have this response."""


class AuthenticationRequired(UpstreamError):
    """The Formula 1 account was refused or is not set: one problem for all sessions, mended by a person."""

    exit_code = 4


class UnreadableData(F1AssetsError):
    """Upstream answered, but FastF1 could not read it. The cause carries FastF1's own traceback."""


class ConfigurationError(F1AssetsError):
    """A setting, a credential or the database stands in the way."""

    exit_code = 4


class UsageError(F1AssetsError):
    """What was asked for does not exist or is malformed: a season, a round, a session, a dataset, a key."""

    exit_code = 2

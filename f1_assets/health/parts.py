"""One part of what the warehouse rests on: how it is, why, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from f1_assets.errors import F1AssetsError

_LONGEST = 300
"""Characters of an error that nobody foresaw."""


class Condition(StrEnum):
    """How a part is: a warning can wait, a failure stands in the way."""

    OK = "ok"
    WARNING = "warning"
    FAILING = "failing"


@dataclass(frozen=True)
class Part:
    """One part: how it is, why, in one sentence, and what to do about it."""

    name: str
    condition: Condition
    reason: str
    what_to_do: str | None = None


Check = Callable[[], Part]
"""Looks at one part; what it raises is that part's failure."""


def looked_at(name: str, check: Check) -> Part:
    """Look at a part; where that itself goes wrong, the part fails with what went wrong."""
    try:
        return check()
    except Exception as error:  # the other parts are worth knowing all the same
        return failing(name, error)


def failing(name: str, error: Exception) -> Part:
    """Make an error the failure of a part: what happened says why, and its advice what to do."""
    if isinstance(error, F1AssetsError):
        reason = " ".join(f"{error.what} {error.where}".split())
        return Part(name, Condition.FAILING, f"{reason.rstrip('.')}.", error.advice or None)
    # A database's own words, without the statement that SQLAlchemy adds.
    words = " ".join(str(getattr(error, "orig", None) or error).split())
    return Part(name, Condition.FAILING, f"It cannot be looked at: {type(error).__name__}: {words[:_LONGEST]}.")

"""Messages about failures: each session once, with its reason and what happens next; one problem for all said once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from f1_assets.warehouse import Extraction, Warehouse

MOST_TOLD = 5
"""More sessions than these are counted: whoever reads wants to know what happens, not all of it."""


def failures_since(warehouse: Warehouse, since: datetime) -> list[Extraction]:
    """Return what failed after a time and is not there since, in the order in which it failed."""
    failed = [line for line in warehouse.extractions() if line.failed and line.tried_at and line.tried_at > since]
    return sorted(failed, key=lambda line: (line.tried_at, line.dataset))


def failure_message(failures: Sequence[Extraction]) -> str:
    """Write what failed, why, and what happens next.

    Parameters
    ----------
    failures
        The datasets that failed; not empty.
    """
    blocked = [line for line in failures if line.status.needs_operator]
    others = [line for line in failures if not line.status.needs_operator]
    return "\n".join([*_of_account(blocked), *_of_sessions(others)])


def _of_account(blocked: Sequence[Extraction]) -> list[str]:
    if not blocked:
        return []
    count = len({line.key for line in blocked})
    waits = f"{count} session waits" if count == 1 else f"{count} sessions wait"
    return [
        f"Formula 1: {_reason(blocked[0])}",
        f"{waits} for it, and no other is asked for; one tries again every half hour, and all go on when it is "
        "accepted.",
    ]


def _of_sessions(failures: Sequence[Extraction]) -> list[str]:
    if not failures:
        return []
    sessions: dict[str, list[Extraction]] = {}
    for line in failures:
        sessions.setdefault(str(line.key), []).append(line)
    words = "1 session failed" if len(sessions) == 1 else f"{len(sessions)} sessions failed"
    told = [f"• {key}: {_of_session(lines)}" for key, lines in list(sessions.items())[:MOST_TOLD]]
    more = [f"and {len(sessions) - MOST_TOLD} more: f1-assets status"] if len(sessions) > MOST_TOLD else []
    return [f"Formula 1: {words}.", *told, *more]


def _of_session(lines: Sequence[Extraction]) -> str:
    names = ", ".join(line.dataset for line in lines)
    next_tries = [line.next_try_at for line in lines if line.next_try_at is not None]
    if next_tries:
        follows = f"Next try {min(next_tries):%Y-%m-%d %H:%M} UTC."
    else:
        follows = f"That was the last try; when it is mended: f1-assets retry {lines[0].key}"
    return f"{names}. {_reason(lines[0])} {follows}"


def _reason(line: Extraction) -> str:
    words = " ".join((line.reason or "It failed").split())
    return f"{words.rstrip('.')}."

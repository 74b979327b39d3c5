"""Record why datasets of a session are not there, or could not be renewed, and when they are tried again."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from f1_assets.datasets import Dataset
from f1_assets.errors import F1AssetsError, NotArchived, UpstreamError
from f1_assets.importing.retries import a_jitter, next_try_at, status_after
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Extraction, Status, Warehouse

MOST_OF_A_REASON = 1_000
MOST_OF_A_TRACEBACK = 20_000
"""So many characters are kept: an error may repeat a body of megabytes."""


def note_failed(
    datasets: Sequence[Dataset], key: SessionKey, error: Exception, warehouse: Warehouse, run_id: str | None = None
) -> tuple[Extraction, ...]:
    """Note of datasets that something failed which is none of theirs, such as the load: each has its next try."""
    now, jitter = datetime.now(UTC), a_jitter()
    lines = [
        Extraction(key, dataset.name, Status.FAILED, version=dataset.version, run_id=run_id) for dataset in datasets
    ]
    return tuple(warehouse.note(failure_of(line, error, warehouse, now, jitter)) for line in lines)


def failure_of(
    line: Extraction, error: Exception, warehouse: Warehouse, now: datetime, jitter: float | None = None
) -> Extraction:
    """Make the line of a dataset that ended in an error: its status, its reason, and when it is tried again."""
    words, advice = f"defect: {type(error).__name__}: {error}", ""
    if isinstance(error, F1AssetsError):
        words, advice = error.reason, error.advice
    before = next((stored for stored in warehouse.extractions(line.key) if stored.dataset == line.dataset), line)
    attempts = before.attempts + 1
    is_repeated = before.error_class == type(error).__name__
    return replace(
        line,
        status=status_after(error),
        reason=_writable(words, MOST_OF_A_REASON),
        error_class=type(error).__name__,
        error=_writable(
            error.without_advice if isinstance(error, UpstreamError) else "".join(traceback.format_exception(error)),
            MOST_OF_A_TRACEBACK,
        ),
        advice=_writable(advice, MOST_OF_A_REASON) or None,
        # That the archive lacks something changes nothing of when upstream is asked again.
        next_try_at=before.next_try_at
        if isinstance(error, NotArchived)
        else next_try_at(error, attempts, now, is_repeated, jitter),
        tried_at=now,
    )


def _writable(words: str, most: int) -> str:
    """Make words of an error, which may repeat what upstream sent, such that any database takes them."""
    shortened = words if len(words) <= most else f"{words[: most // 2]} ... {words[-most // 2 :]}"
    return shortened.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")

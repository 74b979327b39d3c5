"""The outcome of an import, session by session and in all: what the command reports, as lines or as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from f1_assets.importing.sessions import Outcome, SessionOutcome
from f1_assets.warehouse import Extraction


@dataclass
class ImportSummary:
    """What came of an import.

    `computed` has what was derived from stored rows, without a request. `waiting` says what was asked for and could
    not be computed, because what it is derived from is missing and was not asked for.
    """

    seasons: tuple[int, ...] = ()
    outcomes: list[SessionOutcome] = field(default_factory=list)
    computed: list[Extraction] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    season_requests: int = 0
    seconds: float = 0.0
    paused_seconds: float = 0.0
    pauses: int = 0
    stopped_by: str | None = None
    exit_code: int = 0

    @property
    def requests(self) -> int:
        """Requests that reached the source, those for calendars included."""
        return self.season_requests + sum(outcome.requests for outcome in self.outcomes)

    @property
    def processed(self) -> int:
        """Sessions that were imported, well or not."""
        return len(self.outcomes)

    @property
    def succeeded(self) -> int:
        """Sessions of which everything is there now that upstream has; it has something of each."""
        return self.count(Outcome.SUCCESS)

    @property
    def unavailable(self) -> int:
        """Sessions of which upstream has nothing."""
        return self.count(Outcome.UNAVAILABLE)

    @property
    def counts_in_words(self) -> str:
        """How many sessions ended how."""
        words = f"{self.succeeded} succeeded, {self.partial} partial, {self.failed} failed"
        return f"{words}, {self.unavailable} unavailable" if self.unavailable else words

    @property
    def partial(self) -> int:
        """Sessions of which something failed and something was kept."""
        return self.count(Outcome.PARTIAL)

    @property
    def failed(self) -> int:
        """Sessions of which nothing was kept."""
        return self.count(Outcome.FAILED)

    @property
    def duration(self) -> timedelta:
        """How long it took, pauses included."""
        return timedelta(seconds=self.seconds)

    def count(self, status: Outcome) -> int:
        """Count the sessions that ended so."""
        return sum(1 for outcome in self.outcomes if outcome.status is status)

    def document(self) -> dict[str, Any]:
        """Return the summary as JSON has it."""
        return {
            "sessions": [_session_document(outcome) for outcome in self.outcomes],
            "processed": self.processed,
            "succeeded": self.succeeded,
            "partial": self.partial,
            "failed": self.failed,
            "unavailable": self.unavailable,
            "requests": self.requests,
            "seconds": round(self.seconds, 3),
            "paused_seconds": round(self.paused_seconds, 3),
            "stopped_by": self.stopped_by,
            "computed": [
                {"key": str(line.key), "dataset": line.dataset, **_dataset_document(line, line.failed)}
                for line in self.computed
            ],
            "waiting": self.waiting,
        }


def _session_document(outcome: SessionOutcome) -> dict[str, Any]:
    return {
        "key": str(outcome.key),
        "status": str(outcome.status),
        "datasets": {
            line.dataset: _dataset_document(line, line.dataset in (*outcome.failed, *outcome.unavailable))
            for line in outcome.datasets
        },
        "requests": outcome.requests,
        "seconds": round(outcome.seconds, 3),
    }


def _dataset_document(line: Extraction, is_wrong: bool) -> dict[str, Any]:
    return {"status": str(line.status), "rows": line.rows, "error": line.reason if is_wrong else None}

"""The outcomes of the sessions that Dagster imported, in one message when the queue is empty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from f1_assets.defs.governor import ACTIVE, session_runs
from f1_assets.health.notifications import RunsSummary, SlackChannel, import_message
from f1_assets.importing import Outcome, SessionOutcome
from f1_assets.warehouse import Extraction, Warehouse

_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
COMMAND_TAG = "f1_assets/command"
"""The tag of runs that the command started: it reports their outcomes itself."""


def summarize(
    instance: dg.DagsterInstance,
    warehouse: Warehouse,
    channel: SlackChannel | None,
    cursor: str | None,
    board_url: str | None = None,
) -> tuple[str, str]:
    """Post what was imported since the last message.

    Parameters
    ----------
    instance, warehouse
        With the runs and their outcomes.
    channel
        Where to post; None without a token of Slack.
    cursor
        When the last message was posted; None at the first time.
    board_url
        Where the season board is, for a link; None leaves the link out.

    Returns
    -------
    tuple of str
        What the tick says, and the next cursor.
    """
    now = datetime.now(UTC)
    if channel is None:
        return "nothing is posted: F1_SLACK_TOKEN is not set", now.isoformat()
    if cursor is None:
        return "from now on imports are reported", now.isoformat()
    if active := session_runs(instance, ACTIVE):
        return f"{len(active)} sessions are queued or running", cursor
    since = datetime.fromisoformat(cursor)
    ended = [run for run, _ in session_runs(instance, _ENDED, limit=None, since=since) if COMMAND_TAG not in run.tags]
    if not ended:
        return "nothing was imported since the last message", cursor
    summary = _summary_of(ended, warehouse, (now - since).total_seconds())
    words = f"{summary.processed} sessions were imported"
    if not channel.post(import_message(summary, board_url)):
        return f"{words}; Slack did not take the message, which is tried again", cursor
    return f"{words}; posted", now.isoformat()


def _summary_of(runs: Sequence[dg.DagsterRun], warehouse: Warehouse, seconds: float) -> RunsSummary:
    by_run: dict[str, list[Extraction]] = {run.run_id: [] for run in runs}
    for line in warehouse.extractions():
        if line.run_id in by_run:
            by_run[line.run_id].append(line)
    outcomes = [_outcome(run, by_run[run.run_id]) for run in runs]
    count = Counter(outcomes)
    return RunsSummary(
        seasons=tuple(sorted({line.key.season for lines in by_run.values() for line in lines})),
        processed=len(runs),
        succeeded=count[Outcome.SUCCESS],
        partial=count[Outcome.PARTIAL],
        failed=count[Outcome.FAILED],
        requests=sum(max((line.requests for line in lines), default=0) for lines in by_run.values()),
        seconds=seconds,
        unavailable=count[Outcome.UNAVAILABLE],
    )


def _outcome(run: dg.DagsterRun, lines: Sequence[Extraction]) -> Outcome:
    if not lines:
        # It found nothing to do, or ended without a word.
        return Outcome.SUCCESS if run.status is dg.DagsterRunStatus.SUCCESS else Outcome.FAILED
    return SessionOutcome(lines[0].key, tuple(lines), requests=0, archive_hits=0, seconds=0.0).status

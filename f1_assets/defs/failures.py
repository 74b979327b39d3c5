"""Tell of failures: bundled into one message, at most one in a quarter of an hour, a refused account once."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from f1_assets.health.failures import failure_message, failures_since
from f1_assets.health.notifications import SlackChannel
from f1_assets.planning import DatasetState
from f1_assets.planning.dispatch import account_blocked_since
from f1_assets.warehouse import Warehouse

LEAST_BETWEEN = timedelta(minutes=15)


@dataclass(frozen=True)
class Told:
    """Up to when failures were told, when the last message left, and whether the account's refusal was told."""

    until: str
    posted_at: str | None = None
    account: bool = False


def tell_failures(
    warehouse: Warehouse,
    states: list[DatasetState],
    channel: SlackChannel | None,
    cursor: str | None,
    now: datetime | None = None,
) -> tuple[str, str]:
    """Post what failed since the last message.

    Parameters
    ----------
    warehouse, states
        With what failed, and the state of everything that is kept.
    channel
        Where to post; None without a token of Slack.
    cursor
        What was told already; None at the first time.
    now
        What is taken for the present.

    Returns
    -------
    tuple of str
        What the tick says, and the next cursor.
    """
    now = now or datetime.now(UTC)
    if cursor is None or channel is None:
        words = "from now on failures are reported" if channel is not None else "F1_SLACK_TOKEN is not set"
        return words, json.dumps(asdict(Told(now.isoformat())))
    told = Told(**json.loads(cursor))
    is_blocked = account_blocked_since(states) is not None
    failures = failures_since(warehouse, datetime.fromisoformat(told.until))
    if is_blocked and told.account:
        failures = [line for line in failures if not line.status.needs_operator]
    if not failures:
        kept = Told(told.until, told.posted_at, told.account and is_blocked)
        return "nothing failed since the last message", json.dumps(asdict(kept))
    if told.posted_at is not None and now < datetime.fromisoformat(told.posted_at) + LEAST_BETWEEN:
        return f"{len(failures)} failures wait for the next message", json.dumps(asdict(told))
    if not channel.post(failure_message(failures)):
        return "Slack did not take the message, which is tried again", json.dumps(asdict(told))
    latest = max(line.tried_at for line in failures if line.tried_at is not None)
    return f"{len(failures)} failures reported", json.dumps(
        asdict(Told(latest.isoformat(), now.isoformat(), is_blocked))
    )

"""Output on the terminal: tables, one line per session, and errors in one or two lines."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.text import Text

from f1_assets.cli.console import Table, out
from f1_assets.cli.notes import in_words, parsed
from f1_assets.datasets import Dataset
from f1_assets.escaping import visible, visible_json
from f1_assets.formatting import counted
from f1_assets.planning import DatasetState
from f1_assets.warehouse import Status

if TYPE_CHECKING:
    import pandas as pd

    from f1_assets.quota.windows import PolicyStatus

STYLES = {
    Status.PRESENT: "green",
    Status.MISSING: "yellow",
    Status.FAILED: "bold red",
    Status.BLOCKED_AUTH: "bold red",
    Status.UNAVAILABLE: "dim",
    Status.NOT_APPLICABLE: "dim",
    Status.UPCOMING: "cyan",
}
_SIGNS = {
    Status.MISSING: "missing",
    Status.FAILED: "FAILED",
    Status.BLOCKED_AUTH: "BLOCKED",
    Status.UNAVAILABLE: "none",
    Status.NOT_APPLICABLE: "-",
    Status.UPCOMING: "soon",
}


def print_json(document: Any) -> None:  # noqa: ANN401 (any JSON value)
    """Print one JSON document."""
    written = json.dumps(document, indent=2, default=_plain, ensure_ascii=False)
    sys.stdout.write(visible_json(written) + "\n")


def _plain(value: Any) -> Any:  # noqa: ANN401 (any value of a row)
    return value.isoformat() if isinstance(value, datetime) else str(value)


def matrix(states: Iterable[DatasetState], title: str, datasets: Sequence[Dataset]) -> Table:
    """Draw sessions by datasets: rows where there are rows, else a word for why not."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, header_style="bold", collapse_padding=True)
    table.add_column("session", no_wrap=True)
    for dataset in datasets:
        # As narrow as its words: Rich would take from the widest column, and cut what is beside it.
        table.add_column(dataset.name.replace("_", "\n"), justify="right", no_wrap=True)
    lines: dict[str, dict[str, DatasetState]] = {}
    for state in states:
        lines.setdefault(str(state.key), {})[state.dataset] = state
    for key, by_dataset in lines.items():
        table.add_row(key, *(_cell(by_dataset.get(dataset.name)) for dataset in datasets))
    return table


def _cell(state: DatasetState | None) -> Text:
    if state is None:
        return Text("")
    words = f"{state.rows:,}" if state.status is Status.PRESENT else _SIGNS[state.status]
    return Text(words, style=STYLES[state.status])


def session_table(states: Sequence[DatasetState], title: str | None = None) -> Table:
    """Draw one session: status, rows, when, and why not, a line per dataset."""
    table = Table(title=title or str(states[0].key), title_justify="left", box=SIMPLE_HEAD, header_style="bold")
    for name in ("dataset", "status", "rows", "when (UTC)", "why, and what next"):
        table.add_column(name, justify="right" if name == "rows" else "left")
    told: str | None = None
    for state in states:
        # One problem for all datasets is printed once.
        words = why(state._replace(reason="as above") if state.reason and state.reason == told else state)
        words = "; ".join(filter(None, (words, in_words(state.notes))))
        told = state.reason or told
        when = f"{state.extracted_at:%Y-%m-%d %H:%M}" if state.extracted_at else ""
        table.add_row(
            state.dataset,
            Text(state.status.replace("_", " "), style=STYLES[state.status]),
            f"{state.rows:,}" if state.status is Status.PRESENT else "",
            when,
            words,
        )
    return table


def row_tables(rows: pd.DataFrame, title: str, key: Sequence[str]) -> Iterator[Table]:
    """Draw rows, in as many tables below each other as their columns need; each begins with the key."""
    texts = rows.astype("string").fillna("").map(visible)
    widths = {str(name): max(len(str(name)), int(texts[name].str.len().max())) + 3 for name in texts.columns}
    identity = [name for name in texts.columns if name in key]
    room = out().width - sum(widths[name] for name in identity) - 2
    groups: list[list[str]] = [[]]
    for name in (name for name in texts.columns if name not in key):
        if groups[-1] and sum(widths[other] for other in groups[-1]) + widths[name] > room:
            groups.append([])
        groups[-1].append(name)
    for number, group in enumerate(groups):
        table = Table(title=title if number == 0 else None, title_justify="left", box=SIMPLE_HEAD, header_style="bold")
        for name in (*identity, *group):
            table.add_column(name, justify="left" if rows[name].dtype == "string" else "right", no_wrap=len(groups) > 1)
        for row in texts[[*identity, *group]].itertuples(index=False):
            table.add_row(*row)
        yield table


def quota_table(stats: Sequence[PolicyStatus]) -> Table:
    """Draw the quota, a line per policy and window."""
    table = Table(box=SIMPLE_HEAD, header_style="bold")
    for name in ("policy", "limit", "used", "reserved", "remaining", "next permit"):
        table.add_column(name, justify="left" if name in ("policy", "next permit") else "right")
    for policy in stats:
        for window in policy.windows:
            free_at = policy.closed_until or window.free_at
            table.add_row(
                policy.name,
                f"{window.limit:,} in {_duration(window.seconds)}",
                f"{window.used:,}",
                f"{window.reserved:,}",
                Text(f"{window.remaining:,}", style="green" if window.remaining else "bold red"),
                "now" if free_at is None else f"{free_at:%Y-%m-%d %H:%M:%S} UTC",
            )
    return table


def _duration(seconds: int) -> str:
    for size, word in ((3600, "hour"), (60, "minute")):
        if seconds % size == 0:
            return counted(seconds // size, word)
    return counted(seconds, "second")


def program() -> str:
    """Return the command as it was called, so that what is suggested can be typed."""
    called = Path(sys.argv[0])
    if shutil.which(called.name) or not called.is_file():
        return "f1-assets"
    return str(called.relative_to(Path.cwd())) if called.is_relative_to(Path.cwd()) else str(called)


def why(state: DatasetState) -> str:
    """Return why a dataset is not there, and when it is asked for again."""
    words = "; ".join(filter(None, (state.reason, state.stale_because)))
    if state.is_given_up:
        tries = counted(state.attempts, "try", "tries")
        return f"{words.rstrip('.')} (retries exhausted after {tries}; to ask again: retry {state.key})"
    if state.status is not Status.UPCOMING and state.next_try_at is not None:
        is_due = state.next_try_at <= datetime.now(UTC)
        when = "by the next import" if is_due else f"after {state.next_try_at:%Y-%m-%d %H:%M} UTC"
        words = f"{words.rstrip('.')} (asked for again {when})".strip()
    return words


def state_document(state: DatasetState) -> Mapping[str, Any]:
    """Return a state as JSON has it."""
    return {
        "key": str(state.key),
        "dataset": state.dataset,
        "status": str(state.status),
        "rows": state.rows,
        "reason": state.reason,
        "error_class": state.error_class,
        "attempts": state.attempts,
        "extracted_at": state.extracted_at,
        "next_try_at": state.next_try_at,
        "stale_because": state.stale_because,
        "notes": parsed(state.notes),
    }

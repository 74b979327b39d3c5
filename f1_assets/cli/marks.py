"""Marks of sessions on the terminal: one sign and one word for each status, never the colour alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.text import Text

from f1_assets.cli.console import Table
from f1_assets.cli.output import STYLES
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets.planning import DatasetState
from f1_assets.warehouse import Status

_SIGNS = {
    Status.PRESENT: ("✓", "+"),
    Status.MISSING: ("○", "o"),
    Status.FAILED: ("✗", "x"),
    Status.BLOCKED_AUTH: ("!", "!"),
    Status.UNAVAILABLE: ("–", "-"),
    Status.UPCOMING: ("…", "~"),
    Status.NOT_APPLICABLE: ("·", "."),
}
"""The sign of a status, and one for a terminal that has only ASCII."""

_WORDS = {
    Status.PRESENT: "stored",
    Status.MISSING: "missing",
    Status.FAILED: "failed",
    Status.BLOCKED_AUTH: "account refused",
    Status.UNAVAILABLE: "not there upstream",
    Status.UPCOMING: "upcoming",
}

_WORST_FIRST = (Status.BLOCKED_AUTH, Status.FAILED, Status.MISSING, Status.UPCOMING)

_NAMED_AT_MOST = 3
"""Of a status with more datasets than these, their number is written."""


def sign(status: Status, console: Console) -> str:
    """Return the sign of a status as a terminal can show it."""
    beautiful, plain = _SIGNS[status]
    try:
        beautiful.encode(console.encoding)
    except UnicodeEncodeError:
        return plain
    return beautiful


def status_lines(states: Sequence[DatasetState], events: Mapping[str, str], title: str, console: Console) -> Table:
    """Draw a line per session: its mark, how many of its datasets are stored, their rows, and what is open.

    Parameters
    ----------
    states
        Of every (session, dataset).
    events
        The name of each event by its key.
    title
        The table's.
    console
        Where it is printed; the width decides how much is said of what is open.
    """
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, header_style="bold", collapse_padding=True)
    for name in ("", "session", "event", "stored", "rows", "open"):
        table.add_column(name, justify="right" if name in ("stored", "rows") else "left", no_wrap=True)
    by_session: dict[SessionKey, list[DatasetState]] = {}
    for state in states:
        by_session.setdefault(state.key, []).append(state)
    before = [[str(key), _event(events, key), *_stored(own)] for key, own in by_session.items()]
    taken = sum(max(map(len, (name, *column))) for name, column in zip(_BEFORE, zip(*before, strict=True), strict=True))
    room = console.width - taken - 2 * len(_BEFORE) - 6
    for cells, own in zip(before, by_session.values(), strict=True):
        mark = mark_of(own)
        table.add_row(Text(sign(mark, console), style=STYLES[mark]), *cells, _open(own, room, console))
    return table


_BEFORE = ("session", "event", "stored", "rows")


def legend(states: Iterable[DatasetState], console: Console) -> Text:
    """Write what each mark means, those that occur."""
    found = {state.status for state in states}
    there = [status for status in _WORDS if status in found]
    parts = [Text.assemble((sign(each, console), STYLES[each]), f" {_WORDS[each]}") for each in there]
    return Text("   ").join(parts)


def mark_of(states: Iterable[DatasetState]) -> Status:
    """Return the status that a session is marked with: the worst of its datasets, as long as any is open."""
    found = {state.status for state in states}
    open_ones = next((status for status in _WORST_FIRST if status in found), None)
    if open_ones is not None:
        return open_ones
    return Status.PRESENT if Status.PRESENT in found else Status.UNAVAILABLE


def is_complete(states: Iterable[DatasetState]) -> bool:
    """Check whether nothing of a session is open."""
    return mark_of(states) not in _WORST_FIRST


def _event(events: Mapping[str, str], key: SessionKey) -> str:
    name = "whole season" if isinstance(key, SeasonKey) else events.get(key.event_key, "")
    return f"{name.removesuffix('Grand Prix')}GP" if name.endswith(" Grand Prix") else name


def _stored(states: Sequence[DatasetState]) -> tuple[str, str]:
    expected = [state for state in states if state.status.is_expected]
    present = [state for state in expected if state.status is Status.PRESENT]
    if not expected:
        return "", ""
    return f"{len(present)} of {len(expected)}", f"{sum(state.rows for state in present):,}" if present else ""


def _open(states: Sequence[DatasetState], room: int, console: Console) -> Text:
    """Say what is not stored: by name, else with its number and word, else with its number, as there is room."""
    names: dict[Status, list[str]] = {}
    for state in states:
        if state.status in _WORDS and state.status is not Status.PRESENT:
            names.setdefault(state.status, []).append(state.dataset)
    counts = Counter({status: len(found) for status, found in names.items()})
    if counts[Status.UPCOMING] and len(counts) == 1:
        return Text(_WORDS[Status.UPCOMING], style=STYLES[Status.UPCOMING])
    in_numbers = {status: str(number) for status, number in counts.items()}
    in_words = {status: f"{number} {_WORDS[status]}" for status, number in counts.items()}
    by_name = {
        status: ", ".join(found) if len(found) <= _NAMED_AT_MOST else in_words[status]
        for status, found in names.items()
    }
    written = [_marked(words, console) for words in (by_name, in_words, in_numbers)]
    return next((words for words in written if words.cell_len <= room), written[-1])


def _marked(words: Mapping[Status, str], console: Console) -> Text:
    ordered = [status for status in (*_WORST_FIRST, Status.UNAVAILABLE) if status in words]
    return Text("  ").join([Text(f"{sign(each, console)} {words[each]}", style=STYLES[each]) for each in ordered])

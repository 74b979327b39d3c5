"""Notes of an extraction in a few words: what was refused, left out or repeated in its feeds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from f1_assets.escaping import visible
from f1_assets.formatting import counted

_BAD = {
    "bad_lines": ("unreadable line", "unreadable lines"),
    "bad_entries": ("unreadable entry", "unreadable entries"),
    "duplicates": ("repeated entry", "repeated entries"),
}


def parsed(notes: str | None) -> Any:  # noqa: ANN401 (any JSON value)
    """Return notes as JSON has them; as they are, where they are no JSON."""
    try:
        return None if notes is None else json.loads(notes)
    except (ValueError, RecursionError):
        return notes


def in_words(notes: str | None) -> str:
    """Return how much was refused or repeated, and what; nothing where nothing was.

    Parameters
    ----------
    notes
        Those of an extraction, as the database has them.
    """
    found = parsed(notes)
    return visible("; ".join(_sayings(found))) if isinstance(found, dict) else ""


def _sayings(notes: Mapping[str, Any]) -> Iterator[str]:
    for reason, refused in _entries(notes, "refused").items():
        if number := _count(_entries(refused).get("rows")):
            yield f"refused {counted(number, 'row')} {reason}"
    repeated = _entries(notes, "repeated_rows")
    if number := _count(repeated.get("dropped")):
        with_others = _count(repeated.get("with_other_values"))
        yield f"left out {counted(number, 'row')} with the key of a later row, {with_others:,} with other values"
    for feed, lines in _entries(notes, "repeated_lines").items():
        if number := _count(lines):
            yield f"{feed} sent {counted(number, 'line')} again"
    for name, (one, several) in _BAD.items():
        if number := _count(notes.get(name)):
            yield f"left out {counted(number, one, several)}"


def _entries(value: Any, name: str | None = None) -> Mapping[str, Any]:  # noqa: ANN401
    inner = value.get(name) if name is not None else value
    return inner if isinstance(inner, dict) else {}


def _count(value: Any) -> int:  # noqa: ANN401
    return value if isinstance(value, int) else 0

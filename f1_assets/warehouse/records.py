"""Frames to rows and back: what is missing is NULL in the database and never a number, a text or a flag."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pandas as pd


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn a frame into one plain dict a row, with None for whatever is missing."""
    columns: dict[str, list[Any]] = {}
    for name in frame.columns:
        values = frame[name]
        present = values.notna().tolist()
        plain = values.tolist()
        columns[str(name)] = [_plain(v) if there else None for v, there in zip(plain, present, strict=True)]
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def digest_of(rows: Iterable[Mapping[str, Any]]) -> str:
    """Give a SHA-256 of the rows: equal rows, equal digest, on any machine."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr(sorted(row.items())).encode())
    return digest.hexdigest()


def why_no_text(text: str) -> str | None:
    """Tell why no database takes a text; None when any does."""
    if "\0" in text:
        return "has a text with a NUL in it"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "has a text with half a character in it"
    return None


def _plain(value: Any) -> Any:  # noqa: ANN401 (any value of a frame)
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    if isinstance(value, datetime | str | bool | int | float):
        return value
    return value.item() if hasattr(value, "item") else value

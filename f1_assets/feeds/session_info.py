"""SessionInfo: what F1 says of a session and its meeting."""

from __future__ import annotations

from typing import Any

from f1_assets.feeds.json_reading import read_json


def session_info(body: bytes) -> dict[str, Any]:
    """Return the last line of SessionInfo: it repeats itself whole when something changes.

    Raises
    ------
    ValueError
        When there is no such line.
    """
    lines = body.decode("utf-8-sig").splitlines()
    if not lines:
        raise ValueError("SessionInfo is empty")
    document: dict[str, Any] = read_json(lines[-1][lines[-1].index("{") :])
    return document

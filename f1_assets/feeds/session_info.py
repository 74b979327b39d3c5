"""SessionInfo: what F1 says of a session and its meeting."""

from __future__ import annotations

import json
from typing import Any


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
    document: dict[str, Any] = json.loads(lines[-1][lines[-1].index("{") :])
    return document

"""The states of streams whose lines change a state: each line is merged into the one before, and keys are removed.

A list of the first lines is later sent as an object by index, and `_deleted` lists the keys that go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from f1_assets.feeds.json_reading import read_json
from f1_assets.feeds.stream_lines import Tally, stream_lines

_DELETED = "_deleted"
_CAR_NUMBER = re.compile(r"[1-9]\d{0,2}", re.ASCII)
_SECONDS = re.compile(r"\d{1,6}(?:\.\d{1,9})?", re.ASCII)
_MOST_DIGITS = 6


def state_lines(body: bytes, tally: Tally, until_ms: int | None) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Yield each line's number, its session time in milliseconds, and its object; other lines are counted as bad.

    Parameters
    ----------
    body
        The feed.
    tally
        Counts what is bad.
    until_ms
        Session time after which lines are not of the session; None where that is not known.
    """
    for number, time_ms, payload in stream_lines(body, tally):
        if until_ms is not None and time_ms > until_ms:
            continue
        try:
            content = read_json(payload)
        except (ValueError, RecursionError):
            content = None
        if isinstance(content, dict):
            yield number, time_ms, content
        else:
            tally.bad_lines.append(number)


def changes_of(listed: object) -> dict[str, Any] | None:
    """Return the entries of a list or an object by index or key, without `_deleted` and such; None if it is neither."""
    if isinstance(listed, list):
        return {str(index): entry for index, entry in enumerate(listed)}
    if isinstance(listed, dict):
        return {name: entry for name, entry in listed.items() if not name.startswith("_")}
    return None


def deleted_of(listed: object) -> list[str]:
    """Return the keys that an object removes from a state."""
    names = listed.get(_DELETED) if isinstance(listed, dict) else None
    return [str(name) for name in names] if isinstance(names, list) else []


def cars_in(sent: object, number: int, tally: Tally) -> Iterator[tuple[str, Any]]:
    """Yield the cars of an object by car, with what line `number` sends of them; other keys are counted as bad."""
    if not isinstance(sent, dict):
        if sent:  # an empty list is one without cars
            tally.bad_entries.append(number)
        return
    for car, entry in (changes_of(sent) or {}).items():
        if is_car_number(car):
            yield car, entry
        else:
            tally.bad_entries.append(number)


def is_car_number(name: object) -> bool:
    """Check whether a key is the number of a car."""
    return isinstance(name, str) and _CAR_NUMBER.fullmatch(name) is not None


def whole(value: object) -> int | None:
    """Read a small whole number, which may be sent as a text; None where it is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**_MOST_DIGITS else None


def seconds_in_ms(value: object) -> int | None:
    """Read seconds, sent as a text or a number, in whole milliseconds; None where there are none."""
    written = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(written, str) or not _SECONDS.fullmatch(written):
        return None
    return round(float(written) * 1000)


def yes_or_no(value: object) -> bool | None:
    """Read a boolean, which may be sent as a text or as 0 and 1; None where it is none."""
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())

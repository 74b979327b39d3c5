"""Forms of a sound body: a stream of live timing, or a JSON document."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from f1_assets.feeds.json_reading import read_json

MOST_RESULTS_OF_A_SEASON = 2_000
"""No season had half as many. What says so is damaged, and would be asked for page by page."""

_STREAM_LINE = re.compile(rb'\d{2}:\d{2}:\d{2}\.\d{3}[{"]')
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def _never(_body: bytes) -> bool:
    return False


def _no_damage(_content: Any) -> None:  # noqa: ANN401 (any JSON)
    return None


@dataclass(frozen=True)
class Stream:
    """Lines of a session time and JSON, each ended by CRLF; whatever was cut lacks the last one.

    A few lines that cannot be read are left to FastF1, which skips them.

    Parameters
    ----------
    shows_its_end
        Checks whether a sound body ends as only a whole one does. Most streams may have been cut after any line.
    """

    shows_its_end: Callable[[bytes], bool] = _never

    def damage(self, text: bytes) -> str | None:
        """Return what is wrong with a body that is neither empty nor a page; None when it is sound."""
        if not text.endswith(b"\n"):
            return "the body was cut in the middle"
        lines = text.splitlines()
        unreadable = sum(1 for line in lines if not _is_readable(line))
        if unreadable * 10 > len(lines):
            return f"{unreadable} of {len(lines)} lines cannot be read"
        return None


@dataclass(frozen=True)
class Document:
    """One JSON object.

    Parameters
    ----------
    name, kind
        What it must have, and of which type that is.
    check
        Returns what is wrong with it; None when it is sound.
    """

    name: str
    kind: type
    check: Callable[[Any], str | None] = _no_damage

    def damage(self, text: bytes) -> str | None:
        """Return what is wrong with a body that is neither empty nor a page; None when it is sound."""
        try:
            document = read_json(text)
        except (ValueError, RecursionError):
            return "the body is not JSON, or was cut"
        if not isinstance(document, dict):
            return "the body is not a JSON object"
        if self.name not in document:
            return f"the body has no {self.name}"
        if not isinstance(document[self.name], self.kind):
            return f"{self.name} in the body is not as it should be"
        return self.check(document[self.name])

    def shows_its_end(self, body: bytes) -> bool:
        """Check whether a sound body is whole: a JSON object is."""
        return True


def damage(form: Stream | Document, body: bytes) -> str | None:
    """Return what is wrong with the body of a response with status 200; None when it is sound."""
    text = body.removeprefix(_BYTE_ORDER_MARK)
    if not text.strip():
        return "the body is empty"
    if text.lstrip()[:1] == b"<":
        return "the body is an HTML page"
    return form.damage(text)


def ends_the_session(body: bytes) -> bool:
    """Check whether a stream of a session's status comes to the session's end."""
    try:
        last = read_json(body.splitlines()[-1][12:].decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return False  # a stream may have a few lines that cannot be read
    return isinstance(last, dict) and last.get("Status") == "Ends"


def readable(check: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
    """Return a check of a document that says that it cannot be read."""

    def damage_of(content: Any) -> str | None:  # noqa: ANN401 (any JSON)
        why = check(content)
        return f"the body cannot be read: {why}" if why else None

    return damage_of


def page_damage(page: dict[str, Any]) -> str | None:
    """Return what is wrong with a page of a season's results: what is made of it later must be there."""
    total, table = str(page.get("total")), page.get("RaceTable")
    if not re.fullmatch(r"\d{1,6}", total, re.ASCII) or int(total) > MOST_RESULTS_OF_A_SEASON:
        return f"{total[:20]!r} is no number of results of a season"
    races = table.get("Races") if isinstance(table, dict) else None
    if not isinstance(races, list):
        return "the body has no list of races"
    for race in races:
        lists = [race.get(name, []) for name in ("Results", "QualifyingResults")] if isinstance(race, dict) else []
        if not lists or not isinstance(race.get("round"), str) or not all(isinstance(each, list) for each in lists):
            return "a race in the body is not as it should be"
    return None


def _is_readable(line: bytes) -> bool:
    if not _STREAM_LINE.match(line):
        return False
    try:
        read_json(line[12:])
    except (ValueError, RecursionError):
        return False
    return True

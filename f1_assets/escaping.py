r"""Text from outside, made safe for where it is shown: a terminal, JSON, Dagster's Markdown, Slack.

What upstream sends, and what others may have written into the database, is text: it changes no colour, moves no cursor,
makes no link, loads no picture and notifies nobody. Whatever cannot be seen is written as an escape, such as ``\x1b``.
"""

from __future__ import annotations

import re

_UNSEEN = (
    "\x00-\x1f\x7f-\x9f"  # control characters: ESC, the C1 set
    "\u00ad\u061c\u180e\u200b\u200e\u200f"  # soft hyphen, zero width, marks of direction
    "\u2028-\u202e\u2060-\u2064\u2066-\u206f"  # separators of lines, overrides of direction
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # byte order mark, annotations, tags
    "\ud800-\udfff"  # halves of a character
)
_UNSEEN_CHARACTER = re.compile(f"[{_UNSEEN}]")
_UNSEEN_IN_LINES = re.compile(f"(?![\\n\\t])[{_UNSEEN}]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>()#|~!&]")
_BARE_ADDRESS = re.compile(r"://|\bwww(?=\.)|@", re.IGNORECASE)
_ZERO_WIDTH_SPACE = "\u200b"


def visible(text: str, lines: bool = False) -> str:
    """Write what cannot be seen as an escape.

    Parameters
    ----------
    text
        Any text.
    lines
        Whether the text may have several lines: line feeds and tabs stay then.
    """
    return (_UNSEEN_IN_LINES if lines else _UNSEEN_CHARACTER).sub(_escape, text)


def visible_json(document: str) -> str:
    """Write what cannot be seen in a JSON document as JSON's own escapes: it is the same document."""
    return _UNSEEN_IN_LINES.sub(_json_escape, document)


def markdown(text: str) -> str:
    """Write text so that Markdown shows it as it is, on one line: no link, picture, HTML or cell of a table.

    Renderers make links of bare addresses too: a space of no width after ``://``, ``www`` and ``@`` keeps them from it.
    """
    escaped = _MARKDOWN.sub(r"\\\g<0>", visible(" ".join(text.splitlines())))
    return _BARE_ADDRESS.sub(rf"\g<0>{_ZERO_WIDTH_SPACE}", escaped)


def slack(text: str) -> str:
    """Write text so that Slack shows it as it is: ``<!channel>`` notifies nobody, and ``<http://x|y>`` is no link."""
    return visible(text, lines=True).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))

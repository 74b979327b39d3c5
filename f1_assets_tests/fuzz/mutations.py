"""Ways in which what the services send can be damaged: in its bytes, its lines, its JSON, its packed telemetry."""

import base64
import binascii
import json
import zlib
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

CRLF = b"\r\n"

ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**31,
    2**63,
    -(10**30),
    10**400,
    1e308,
    float("nan"),
    float("inf"),
    "",
    " ",
    "0",
    "-0.5",
    "1e999",
    "nan",
    "²",
    "١",
    "None",
    "+1 LAP",
    "99:99:99.999",
    "-00:00:01.000",
    "25:61:61.9999999",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.9999999Z",
    "2024-02-30T00:00:00",
    "2024-05-05T19:00:00+99:99",
    "\x00",
    "\ud800",
    "'; DROP TABLE laps; --",
    "../../../etc/passwd",
    "9" * 5000,
    "x" * 10_000,
    [],
    {},
    [[]],
    [None],
    {"": None},
    {"0": {}},
    {"Value": 5},
)
"""What may stand where something else is expected. What JSON does not know, Python's own dialect writes and reads."""

JUNK = (
    b"",
    b"\x00" * 20,
    b"\xff\xfe\xfd",
    b"<html>busy</html>",
    b"{",
    b'{"a":',
    b"null",
    b"[]",
    b"00:00:00.000",
    b'00:00:00.000"',
    b"99:59:59.999{}",
    b"-1:00:00.000{}",
    b"24:00:00.000{}",
    b'00:00:01.000{"R":' + b"[" * 200_000,
    b'00:00:01.000{"a":1}' * 3,
)


@st.composite
def mutated(draw: st.DrawFn, body: bytes, most: int = 4) -> bytes:
    """Damage a body in one to `most` ways, each after the other."""
    for _ in range(draw(st.integers(1, most))):
        body = draw(st.sampled_from(_WAYS))(draw, body)
    return body


@st.composite
def mutated_document(draw: st.DrawFn, document: Any, most: int = 3) -> Any:
    """Change values, drop them, double them, or hide them deep down, somewhere in a JSON value."""
    for _ in range(draw(st.integers(1, most))):
        document = _changed(draw, document)
    return document


def packed(text: bytes) -> bytes:
    """Pack a text as live timing packs telemetry."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return b'"' + base64.b64encode(deflate.compress(text) + deflate.flush()) + b'"'


def _flip(draw: st.DrawFn, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(draw(st.integers(1, 8)) if body else 0):
        changed[draw(st.integers(0, len(body) - 1))] = draw(st.integers(0, 255))
    return bytes(changed)


def _cut(draw: st.DrawFn, body: bytes) -> bytes:
    first, second = sorted((draw(st.integers(0, len(body))), draw(st.integers(0, len(body)))))
    return draw(st.sampled_from((body[:first], body[second:], body[:first] + body[second:], body[first:second])))


def _double_a_line(draw: st.DrawFn, body: bytes) -> bytes:
    lines = body.split(CRLF)
    line, place = draw(st.sampled_from(lines)), draw(st.integers(0, len(lines)))
    return CRLF.join([*lines[:place], *[line] * draw(st.integers(1, 3)), *lines[place:]])


def _reorder(draw: st.DrawFn, body: bytes) -> bytes:
    lines = body.split(CRLF)
    first, second = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
    lines[first], lines[second] = lines[second], lines[first]
    return CRLF.join(draw(st.sampled_from((lines, lines[::-1]))))


def _insert(draw: st.DrawFn, body: bytes) -> bytes:
    lines = body.split(CRLF)
    place = draw(st.integers(0, len(lines)))
    return CRLF.join([*lines[:place], draw(st.sampled_from(JUNK)), *lines[place:]])


def _change_a_time(draw: st.DrawFn, body: bytes) -> bytes:
    lines = body.split(CRLF)
    place = draw(st.integers(0, len(lines) - 1))
    clock = draw(st.sampled_from((b"00:00:00.000", b"23:59:59.999", b"24:00:00.000", b"99:59:59.999", b"-0:00:01.000")))
    lines[place] = clock + lines[place].removeprefix(b"\xef\xbb\xbf")[12:]
    return CRLF.join(lines)


def _change_the_json(draw: st.DrawFn, body: bytes) -> bytes:
    """Change the JSON of a line, packed or not, or of a body that is one document."""
    lines = body.split(CRLF)
    place = draw(st.integers(0, len(lines) - 1))
    begin = 12 if len(lines) > 1 else 0
    line = lines[place].removeprefix(b"\xef\xbb\xbf")
    text, is_packed = _unpacked(line[begin:])
    try:
        document = _changed(draw, json.loads(text))
    except (ValueError, RecursionError):
        return body
    changed = json.dumps(document).encode()
    lines[place] = line[:begin] + (packed(changed) if is_packed else changed)
    return CRLF.join(lines)


def _unpacked(text: bytes) -> tuple[bytes, bool]:
    if not text.startswith(b'"'):
        return text, False
    try:
        return zlib.decompress(binascii.a2b_base64(text.strip(b'"')), -zlib.MAX_WBITS), True
    except (ValueError, zlib.error):
        return text, False


def _changed(draw: st.DrawFn, document: Any) -> Any:
    """Change one place of a document, found by going down from its root."""
    inner: list[Any] = (
        list(document)
        if isinstance(document, dict)
        else list(range(len(document or ())))
        if isinstance(document, list)
        else []
    )
    if not inner or draw(st.integers(0, 9)) == 0:
        return _odd(draw, document)
    name = draw(st.sampled_from(inner))
    copy = document.copy()
    match draw(st.integers(0, 9)):
        case 0:
            del copy[name]
        case 1 if isinstance(copy, list):
            copy.insert(name, copy[name])
        case 1:
            copy[draw(st.sampled_from(("0", "999", "x", "", str(name).lower())))] = copy[name]
        case _:
            copy[name] = _changed(draw, document[name])
    return copy


def _odd(draw: st.DrawFn, document: Any) -> Any:
    match draw(st.integers(0, 3)):
        case 0:
            return [document]
        case 1:
            deep = document
            for _ in range(draw(st.sampled_from((3, 200)))):
                deep = {"a": deep}
            return deep
        case _:
            return draw(st.sampled_from(ODD_VALUES))


_WAYS: tuple[Callable[[st.DrawFn, bytes], bytes], ...] = (
    _change_the_json,
    _change_the_json,
    _change_the_json,
    _flip,
    _cut,
    _double_a_line,
    _reorder,
    _insert,
    _change_a_time,
)

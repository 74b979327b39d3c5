"""How an archive writes responses: heads as JSON, bodies compressed in gzip's format."""

from __future__ import annotations

import copy
import gzip
import json
import re
import zlib
from collections.abc import Sequence
from typing import Any, cast

from requests_cache.models.response import CachedResponse
from requests_cache.serializers.preconf import json_preconf_stage

LEVEL = 6
"""The highest level, 9, takes four times as long for a tenth less: measured on the largest recorded bodies."""

_GZIP = zlib.MAX_WBITS + 16
_TELEMETRY = re.compile(rb'(?:\xef\xbb\xbf)?\d\d:\d\d:\d\d\.\d{3}"')
"""How a stream begins whose lines are base64 of what is compressed already."""


def packed(response: CachedResponse) -> bytes:
    """Return a response in one piece: its head in a line, then its body."""
    return compressed(response.content or b"", head=json.dumps(head_of(response)).encode() + b"\n")


def unpacked(piece: bytes) -> CachedResponse:
    """Return the response of a piece that `packed` made, or an earlier version, which wrote the body into the JSON."""
    head, _, body = gzip.decompress(piece).partition(b"\n")
    response = response_of(json.loads(head))
    return put_into(response, body) if body else response


def compressed(body: bytes, head: bytes = b"") -> bytes:
    """Return a body, behind a head, as gzip writes it: the same bytes each time.

    In base64 of what is compressed already nothing repeats, and only the frequencies of its letters save room. To
    leave out the search for repeats takes a third of the time, and 5 % more room.
    """
    strategy = zlib.Z_HUFFMAN_ONLY if _TELEMETRY.match(body) else zlib.Z_DEFAULT_STRATEGY
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP, strategy=strategy)
    return packer.compress(head) + packer.compress(body) + packer.flush()


def head_of(response: CachedResponse, but: Sequence[str] = ()) -> dict[str, Any]:
    """Return all of a response but its body and some fields, as JSON has it."""
    head = copy.copy(response)
    head._content = b""
    return {name: value for name, value in json_preconf_stage.dumps(head).items() if name not in but}


def response_of(head: dict[str, Any]) -> CachedResponse:
    """Return the response of a head that `head_of` made."""
    return cast(CachedResponse, json_preconf_stage.loads(head))


def put_into(response: CachedResponse, body: bytes) -> CachedResponse:
    """Give a response its body."""
    response._content = body
    response.raw.reset(body)
    return response

"""Packed responses: they come back as they were, those too that an earlier version wrote."""

import base64
import gzip
import json
import random
import zlib
from datetime import UTC, datetime, timedelta

import pytest
import requests
from requests_cache.models.response import CachedResponse
from requests_cache.serializers.preconf import json_preconf_stage

from f1_assets.fetch.packing import compressed, packed, unpacked
from f1_assets.fetch.sources import Answer, AnsweringAdapter

_CHANCE = random.Random(1)
TELEMETRY = b"".join(
    f'00:00:{second:02}.000"{base64.b64encode(zlib.compress(_CHANCE.randbytes(400))).decode()}"\r\n'.encode()
    for second in range(60)
)
LINES = b"".join(b'00:00:%02d.000{"Lines": {"1": {"Position": "1"}}}\r\n' % second for second in range(60))
BODIES = {
    "telemetry": TELEMETRY,
    "telemetry with a byte order mark": b"\xef\xbb\xbf" + TELEMETRY,
    "lines": LINES,
    "lines in lines": b'{"a": 1}\n{"b": 2}\n',
    "only a line's end": b"\n",
    "no UTF-8": bytes(range(256)),
    "nothing": b"",
}


def _response(body):
    session = requests.Session()
    headers = {"Content-Type": "application/octet-stream"}
    session.mount("https://", AnsweringAdapter(lambda _url: Answer(203, headers, body)))
    response, at = session.get("https://host.invalid/a.jsonStream"), datetime(2025, 3, 16, 4, 0, tzinfo=UTC)
    return CachedResponse.from_response(response, created_at=at, expires=at + timedelta(days=3))


def _facts(response):
    return (
        response.status_code,
        response.url,
        dict(response.headers),
        response.created_at,
        response.expires,
        response.content or b"",
    )


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_response_comes_back_as_it_was(body):
    response = _response(body)
    again = unpacked(packed(response))
    assert _facts(again) == _facts(response)
    assert (again.raw.read() or b"") == body


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_an_earlier_version_wrote_is_read(body):
    response = _response(body)
    earlier = gzip.compress(json.dumps(json_preconf_stage.dumps(response)).encode(), 6)
    assert _facts(unpacked(earlier)) == _facts(response)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_is_compressed_to_the_same_bytes_each_time(body):
    assert compressed(body) == compressed(body)
    assert gzip.decompress(compressed(body)) == body


def test_bodies_take_little_more_than_the_least_that_gzip_can_do():
    assert len(compressed(TELEMETRY)) < 1.06 * len(gzip.compress(TELEMETRY, 9)) < len(TELEMETRY)
    assert len(compressed(LINES)) < 1.2 * len(gzip.compress(LINES, 9)) < len(LINES) / 10

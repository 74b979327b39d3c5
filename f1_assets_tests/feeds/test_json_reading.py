"""`read_json` returns what `json.loads` returns, and refuses what that refuses."""

import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from f1_assets.feeds.json_reading import read_json

ODD = [
    b"NaN",
    b"-Infinity",
    b"1e400",
    b"-0",
    b"-0.0",
    b"123456789012345678901234567890",
    b'"\\ud800"',
    b'"\xed\xa0\x80"',
    b'"\xff"',
    b'\xef\xbb\xbf{"a": 1}',
    '{"a": 1}'.encode("utf-16"),
    b'{"a": 1, "a": 2}',
    b'"\x01"',
    b"[1,]",
    b"01",
    b"{} {}",
    b"{",
    b"",
    b" {} ",
    b"1" * 5000,
    b"[" * 3000 + b"]" * 3000,
]


def _outcome(read, text):
    try:
        content = read(text)
    except (ValueError, RecursionError) as error:
        return type(error)
    return "nan" if isinstance(content, float) and math.isnan(content) else (repr(content), content)


@pytest.mark.parametrize("text", ODD, ids=lambda text: repr(text[:20]))
def test_what_is_odd_is_read_or_refused_as_python_does(text):
    assert _outcome(read_json, text) == _outcome(json.loads, text)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_VALUES.map(json.dumps) | st.text())
@example('{"Lines": {"1": {"Sectors": {"0": {"Segments": {"3": {"Status": 2049}}}}}}}')
def test_any_text_is_read_or_refused_as_python_does(text):
    assert repr(_outcome(read_json, text)) == repr(_outcome(json.loads, text))


@given(st.binary())
def test_any_bytes_are_read_or_refused_as_python_does(text):
    assert repr(_outcome(read_json, text)) == repr(_outcome(json.loads, text))

"""Text from outside is text: on a terminal, in JSON, in Markdown, in Slack."""

import html
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from f1_assets.escaping import markdown, slack, visible, visible_json

UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")

HOSTILE = (
    "![x](http://evil.example/x.png)",
    "[x](javascript:alert(1))",
    "[x][y]\n\n[y]: http://evil.example",
    "<img src=http://evil.example/x>",
    "<script>alert(1)</script>",
    "<http://evil.example>",
    "a | b",
    "a\n| --- |\n# title",
    "a\r\rb\u2028c\x0bd\x85e",
    "`code` **bold** _it_ ~~no~~",
    "\\[x\\](http://evil.example) \\| \\\\",
    "&lt;b&gt; &#106;",
    "http://evil.example www.evil.example me@evil.example",
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Pérez, 周冠宇 🏁 é", "Pérez, 周冠宇 🏁 é"),
        ("\x1b]0;pwned\x07", "\\x1b]0;pwned\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb\tc\nd", "a\\rb\\tc\\nd"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\ud800\U000e0041", "\\ud800\\U000e0041"),
    ],
)
def test_what_cannot_be_seen_is_written_as_an_escape(text, shown):
    assert visible(text) == shown


def test_lines_stay_where_there_may_be_several():
    assert visible("a\n\tb\r\x1b", lines=True) == "a\n\tb\\r\\x1b"


@given(st.text(st.characters()))
def test_nothing_unseen_is_left_and_json_stays_what_it_was(text):
    assert not UNSEEN.search(visible(text))
    assert "\n" not in visible(text)
    written = visible_json(json.dumps({"text": text}, indent=2, ensure_ascii=False))
    assert not UNSEEN.search(written)
    assert json.loads(written) == {"text": text}


def _table_in(text):
    """Return the kinds of tokens and the text of a table of one cell, as Markdown reads it."""
    parsed = MarkdownIt().enable("table").parse(f"| a |\n| --- |\n| {markdown(text)} |\n\nafter")
    inline = [token for token in parsed if token.type == "inline"]
    kinds = {child.type for token in inline for child in token.children}
    return [token.type for token in parsed], kinds, inline[1].content, inline


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_it_as_it_is(text):
    blocks, kinds, _, inline = _table_in(text)
    assert kinds <= {"text", "text_special"}
    assert (blocks.count("tr_open"), blocks.count("td_open"), blocks.count("paragraph_open")) == (2, 1, 1)
    shown = "".join(child.content for child in inline[1].children).replace("\u200b", "")
    assert shown == visible(" ".join(text.splitlines())).strip()
    # Renderers of GitHub's Markdown make links of these by themselves.
    assert not re.search(r"://\w|www\.|\w@\w", markdown(text))


@given(st.text())
def test_no_text_is_more_than_text_in_markdown(text):
    blocks, kinds, _, _ = _table_in(text)
    assert kinds <= {"text", "text_special"}
    assert blocks.count("tr_open") == 2


@pytest.mark.parametrize(
    "text", ["<!channel>", "<@U123>", "<http://evil.example|the board>", "a & b &lt; c", "\x1b\u202e"]
)
def test_slack_shows_it_as_it_is(text):
    escaped = slack(text)
    assert not re.search(r"[<>]", escaped)
    assert html.unescape(escaped) == visible(text)

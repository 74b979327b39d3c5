"""Messages to a local server that speaks Slack's API, well and badly."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from f1_assets.health.notifications import RunsSummary, import_message, post, post_import

TOKEN = "xoxb-planted-secret"
SUMMARY = RunsSummary((2024,), processed=12, succeeded=10, partial=1, failed=1, requests=1_140, seconds=200, pauses=2)


class _Slack:
    def __init__(self):
        self.posted, self.status, self.answer = [], 200, {"ok": True}


@pytest.fixture
def slack():
    state = _Slack()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            is_json = "json" in self.headers["content-type"]
            fields = json.loads(body) if is_json else {name: value[0] for name, value in parse_qs(body).items()}
            state.posted.append((self.path, self.headers["authorization"], fields))
            self.send_response(state.status)
            self.end_headers()
            self.wfile.write(json.dumps(state.answer).encode())

        def log_message(self, *_args):
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}/api"
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def with_slack(settings_of, slack):
    return settings_of(slack_token=TOKEN, slack_channel="#f1", slack_api_url=slack.url)


def test_the_message_word_by_word():
    assert import_message(SUMMARY) == (
        "Formula 1, season 2024: 12 sessions imported (10 succeeded, 1 partial, 1 failed) in 3 min 20 s, "
        "1,140 requests, 2 pauses for the quota."
    )
    stopped = RunsSummary((2023, 2024), 1, 1, 0, 0, requests=1, seconds=8, stopped_by="The account was refused.")
    assert import_message(stopped) == (
        "Formula 1, seasons 2023 to 2024: 1 session imported (1 succeeded, 0 partial, 0 failed) in 8 s, 1 request.\n"
        "Stopped: The account was refused."
    )


def test_the_message_leads_to_the_board_where_somebody_said_where_it_is(settings_of, slack):
    assert import_message(SUMMARY, "http://board").splitlines()[1:] == ["http://board/season/2024"]
    several = RunsSummary((2023, 2024), 1, 1, 0, 0, requests=1, seconds=8)
    assert import_message(several, "http://board").splitlines()[1:] == ["http://board"]
    named = settings_of(slack_token=TOKEN, slack_channel="#f1", slack_api_url=slack.url, board_url="http://board/")
    assert post_import(named, SUMMARY, print)
    assert slack.posted[0][2]["text"] == import_message(SUMMARY, "http://board")


def test_it_is_posted_to_the_channel_with_the_token(with_slack, slack):
    warned = []
    assert post_import(with_slack, SUMMARY, warned.append)
    path, authorization, fields = slack.posted[0]
    assert (path, authorization) == ("/api/chat.postMessage", f"Bearer {TOKEN}")
    assert (fields["channel"], fields["text"]) == ("#f1", import_message(SUMMARY))
    assert (len(slack.posted), warned) == (1, [])


def test_a_message_is_plain_text_that_notifies_nobody_and_links_nowhere(with_slack, slack):
    assert post(with_slack, "<!channel> & <http://evil.example|board>\x1b[2J\nhttp://board/season/2024", print)
    fields = slack.posted[0][2]
    assert fields["text"] == (
        "&lt;!channel&gt; &amp; &lt;http://evil.example|board&gt;\\x1b[2J\nhttp://board/season/2024"
    )
    assert [str(fields[name]).lower() for name in ("mrkdwn", "link_names", "unfurl_links")] in (
        ["false"] * 3,
        ["0"] * 3,
    )
    assert fields["parse"] == "none"


@pytest.mark.parametrize(
    ("status", "answer"),
    [(429, {"ok": False, "error": "ratelimited"}), (500, {}), (200, {"ok": False, "error": "channel_not_found"})],
)
def test_a_slack_that_fails_is_a_warning_without_the_token(with_slack, slack, status, answer):
    slack.status, slack.answer, warned = status, answer, []
    assert not post(with_slack, "words", warned.append)
    assert len(warned) == 1
    assert "Slack failed" in warned[0]
    assert TOKEN not in warned[0]


def test_a_slack_that_does_not_answer_is_a_warning(settings_of):
    warned = []
    settings = settings_of(slack_token=TOKEN, slack_channel="#f1", slack_api_url="http://127.0.0.1:9/api")
    assert not post(settings, "words", warned.append)
    assert "Slack failed" in warned[0]


def test_without_a_token_nothing_is_posted_and_without_a_channel_it_is_said(settings_of, slack):
    warned = []
    assert not post(settings_of(slack_api_url=slack.url), "words", warned.append)
    assert warned == []
    assert not post(settings_of(slack_token=TOKEN, slack_api_url=slack.url), "words", warned.append)
    assert "F1_SLACK_CHANNEL is not" in warned[0]
    assert slack.posted == []

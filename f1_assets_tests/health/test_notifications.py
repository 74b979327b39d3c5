"""Messages to a local server that speaks Slack's API, well and badly."""

import pytest
from slack_sdk import WebClient

from f1_assets.defs.resources import SlackApiResource
from f1_assets.health.notifications import RunsSummary, import_message, slack_channel
from f1_assets.importing import import_season
from f1_assets.settings import process_settings
from f1_assets_tests.conftest import PLENTY
from f1_assets_tests.slack import TOKEN

SUMMARY = RunsSummary((2024,), processed=12, succeeded=10, partial=1, failed=1, requests=1_140, seconds=200, pauses=2)


@pytest.fixture(params=["of the library", "of Dagster's resource"])
def channel_of(request, monkeypatch):
    """Return the channel of some settings, with a client of each kind; warnings are collected in `warned`."""

    def channel_of(**settings):
        for name, value in settings.items():
            monkeypatch.setenv(f"F1_SLACK_{name.upper()}", value)
        process_settings.cache_clear()
        if request.param == "of the library":
            return slack_channel(process_settings(), channel_of.warned.append)
        return SlackApiResource().channel(channel_of.warned.append)

    channel_of.warned = []
    return channel_of


@pytest.fixture
def channel(channel_of, slack):
    return channel_of(token=TOKEN, channel="#f1", api_url=slack.url)


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


def test_the_message_leads_to_the_board_where_somebody_said_where_it_is():
    assert import_message(SUMMARY, "http://board").splitlines()[1:] == ["http://board/season/2024"]
    several = RunsSummary((2023, 2024), 1, 1, 0, 0, requests=1, seconds=8)
    assert import_message(several, "http://board").splitlines()[1:] == ["http://board"]


@pytest.mark.parametrize("notify", [True, False])
def test_an_import_posts_its_summary_once_if_it_is_asked_to(monkeypatch, tmp_path, slack, notify):
    names = {"SLACK_TOKEN": TOKEN, "SLACK_CHANNEL": "#f1", "SLACK_API_URL": slack.url, "BOARD_URL": "http://board/"}
    simulated = {"SOURCE": "simulator", "SIMULATOR": "races=1,tests=0,sprints=0,laps=5,samples_every=40,drivers=4"}
    for name, value in {**names, **simulated, "HOME": str(tmp_path / "home"), "QUOTA": PLENTY}.items():
        monkeypatch.setenv(f"F1_{name}", value)
    process_settings.cache_clear()
    summary = import_season(2025, datasets=["weather"], notify=notify)
    assert summary.succeeded == 5
    message = import_message(summary, "http://board")
    assert [fields["text"] for _, _, fields in slack.posted] == ([message] if notify else [])


def test_it_is_posted_to_the_channel_with_the_token(channel, channel_of, slack):
    assert channel.post(import_message(SUMMARY))
    path, authorization, fields = slack.posted[0]
    assert (path, authorization) == ("/api/chat.postMessage", f"Bearer {TOKEN}")
    assert (fields["channel"], fields["text"]) == ("#f1", import_message(SUMMARY))
    assert (len(slack.posted), channel_of.warned) == (1, [])


def test_a_message_is_plain_text_that_notifies_nobody_and_links_nowhere(channel, slack):
    assert channel.post("<!channel> & <http://evil.example|board>\x1b[2J\nhttp://board/season/2024")
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
def test_a_slack_that_fails_is_a_warning_without_the_token(channel, channel_of, slack, status, answer):
    slack.status, slack.answer = status, answer
    assert not channel.post("words")
    assert len(channel_of.warned) == 1
    assert "Slack failed" in channel_of.warned[0]
    assert TOKEN not in channel_of.warned[0]


def test_a_slack_that_repeats_the_token_is_a_warning_without_it(channel, channel_of, slack):
    slack.answer = {"ok": False, "error": f"{TOKEN} is revoked"}
    assert not channel.post("words")
    assert "*** is revoked" in channel_of.warned[0]
    assert TOKEN not in channel_of.warned[0] + repr(channel)


def test_a_slack_that_does_not_answer_is_a_warning(channel_of):
    channel = channel_of(token=TOKEN, channel="#f1", api_url="http://127.0.0.1:9/api")
    assert not channel.post("words")
    assert "Slack failed" in channel_of.warned[0]


def test_without_a_token_there_is_no_channel_and_without_its_name_nothing_is_posted(channel_of, slack):
    assert channel_of(api_url=slack.url) is None
    assert channel_of(token="", api_url=slack.url) is None
    assert not channel_of(token=TOKEN, api_url=slack.url).post("words")
    assert "F1_SLACK_CHANNEL is not" in channel_of.warned[0]
    assert slack.posted == []


def test_without_another_address_slack_itself_is_asked_and_no_request_lasts_for_ever(channel_of):
    client = channel_of(token=TOKEN, channel="#f1").client
    assert (client.base_url, client.timeout) == (WebClient.BASE_URL, 10)

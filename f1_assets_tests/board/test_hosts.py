"""The board answers under its own names alone, and sends nobody elsewhere."""

import http.client
import re

import pytest

from f1_assets.board.app import create_app
from f1_assets.board.hosts import host_name
from f1_assets.context import Context
from f1_assets.errors import ConfigurationError
from f1_assets.settings import load_settings
from f1_assets_tests.board.board import serving

OWN = (
    "localhost",
    "localhost:8050",
    "LocalHost",
    "localhost.",
    "board.localhost",
    "127.0.0.1",
    "127.0.0.2:1",
    "[::1]:80",
)
OTHERS = (
    "evil.example",
    "evil.example:8050",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "notlocalhost",
    "10.0.0.5",
    "0.0.0.0",
    "[::2]",
    "127.0.0.1@evil.example",
    "127.1",
    "<b>x</b>",
    "",
)
PATHS = ("/", "/api", "/api/seasons", "/season/2024", "/static/board.js", "/x", "/health/", "/metrics/x")


def _board(folder, listens_on=None, **settings):
    return serving(create_app(Context.open(load_settings(home=folder / "home", **settings)), listens_on=listens_on))


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    with _board(tmp_path_factory.mktemp("board")) as running:
        yield running


def _ask(board, path, *hosts):
    """Ask with these Host headers, and with no other."""
    connection = http.client.HTTPConnection(board.url.removeprefix("http://"), timeout=30)
    connection.putrequest("GET", path, skip_host=True)
    for host in hosts:
        connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer, body


@pytest.mark.parametrize("host", OWN)
def test_it_answers_as_loopback(board, host):
    assert _ask(board, "/", host)[0].status == 200


@pytest.mark.parametrize("host", OTHERS)
def test_it_answers_as_nobody_else(board, host):
    for path in PATHS:
        answer, body = _ask(board, path, host)
        assert answer.status == 421
        assert "set F1_BOARD_HOSTS" in body
        assert "<" not in body
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert ("json" in answer.headers["content-type"]) == path.startswith("/api")


@pytest.mark.parametrize("hosts", [("localhost", "evil.example"), ("evil.example", "localhost")])
def test_two_names_are_no_name(board, hosts):
    assert _ask(board, "/", *hosts)[0].status in (400, 421)


@pytest.mark.parametrize("path", ["/metrics", "/health", "/ready"])
def test_machines_ask_under_any_name(board, path):
    for host in ("evil.example", "10.0.0.5:8050"):
        assert _ask(board, path, host)[0].status == 200


def test_it_answers_to_the_names_it_was_given(tmp_path):
    settings = {"board_hosts": "board.example.org, 10.0.0.5:80,[fe80::0:1]", "board_url": "https://f1.example.org/"}
    own = ("board.example.org", "Board.Example.Org:8050", "10.0.0.5:8050", "[fe80::1]", "f1.example.org", "192.0.2.7")
    with _board(tmp_path, listens_on="192.0.2.7", **settings) as board:
        for host in (*own, "localhost"):
            assert _ask(board, "/", host)[0].status == 200, host
        for host in ("example.org", "x.board.example.org", "10.0.0.6"):
            assert _ask(board, "/", host)[0].status == 421, host


def test_a_redirect_stays_on_the_host_that_was_asked(board):
    for host in ("localhost", "localhost:1", "127.0.0.9:443"):
        answer, _ = _ask(board, "/season/2024/?status=failed", host)
        assert (answer.status, answer.headers["location"]) == (307, "/season/2024?status=failed")
    assert "location" not in _ask(board, "/health/", "evil.example")[0].headers


@pytest.mark.parametrize(
    "path", ["//evil.example/", "//evil.example/season/2024/", "/\\evil.example/x", "///evil.example"]
)
def test_no_path_leads_to_another_host(board, path):
    answer, body = _ask(board, path, "localhost")
    location = answer.headers.get("location", "/")
    for target in (location, *re.findall(r'(?:href|src)="([^"]*)"', body)):
        assert re.match(r"/(?![/\\])|#|http://127\.0\.0\.1:3000", target), target


@pytest.mark.parametrize("hosts", ["http://board", "*", "board/x", "a b", "a,b?c", "[::1"])
def test_what_is_no_host_is_refused(hosts):
    with pytest.raises(ConfigurationError, match="F1_BOARD_HOSTS: write names or addresses without http://"):
        load_settings(board_hosts=hosts)


def test_hosts_are_compared_in_one_way():
    written = ("Board.Example.org", "board.example.org.", "board.example.org:8050", "[0:0::1]:80", "::1", " 10.0.0.5 ")
    assert [host_name(host) for host in written] == [*["board.example.org"] * 3, "::1", "::1", "10.0.0.5"]

"""Faults of a service that pass."""

from f1_assets.simulator import SimulatedResponse
from f1_assets_tests.faults.struck import Stall
from f1_assets_tests.fetch.server import body, cut_short, hang_up, status

PAGE = b"<html>be right back</html>"


def with_page(code):
    return lambda _answer: SimulatedResponse(code, {"content-type": "text/html"}, PAGE)


TRANSIENT = {
    "HTTP 500": status(500),
    "HTTP 502 with a page": with_page(502),
    "HTTP 503 with a page": with_page(503),
    "time-out": Stall(),
    "no answer": hang_up,
    "body shorter than its length": cut_short,
    "cut in the middle": body(lambda content: content[: len(content) // 2].rstrip()[:-1]),
    "HTML page with status 200": body(lambda _content: PAGE),
    "garbage": body(lambda _content: b"\x00\xff\x13" * 99),
    "empty body": body(lambda _content: b""),
}

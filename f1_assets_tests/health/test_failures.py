"""Messages about failures, word by word."""

from dataclasses import replace
from datetime import UTC, datetime

from f1_assets.health.failures import failure_message
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Extraction, Status

AT = datetime(2025, 3, 16, 14, 32, tzinfo=UTC)
WEATHER = Extraction(
    SessionKey(2025, 12, "R"),
    "weather",
    Status.FAILED,
    reason="WeatherData failed: HTTP 500.",
    error_class="TransientError",
    next_try_at=AT,
)


def test_a_session_is_told_with_its_reason_and_what_happens_next():
    laps = replace(WEATHER, dataset="laps", next_try_at=None, reason="defect: KeyError: 'Time'")
    assert failure_message([WEATHER, replace(laps, key=SessionKey(2025, 12, "Q"))]) == (
        "Formula 1: 2 sessions failed.\n"
        "• 2025-12-R: weather. WeatherData failed: HTTP 500. Next try 2025-03-16 14:32 UTC.\n"
        "• 2025-12-Q: laps. defect: KeyError: 'Time'. That was the last try; when it is mended: "
        "f1-assets retry 2025-12-Q"
    )


def test_many_failures_are_one_message_that_counts_the_rest():
    message = failure_message([replace(WEATHER, key=SessionKey(2025, number, "R")) for number in range(1, 9)])
    assert message.startswith("Formula 1: 8 sessions failed.\n• 2025-01-R: weather.")
    assert message.count("•") == 5
    assert message.endswith("\nand 3 more: f1-assets status")


def test_a_refused_account_is_one_problem_and_what_else_failed_is_told_too():
    blocked = replace(
        WEATHER, status=Status.BLOCKED_AUTH, reason="The Formula 1 account was refused: HTTP 401. Set F1_USERNAME."
    )
    of_the_account, _, of_the_rest = failure_message([WEATHER, blocked]).partition("\nFormula 1: ")
    assert of_the_account == failure_message([blocked])
    assert of_the_rest.startswith("1 session failed.\n• 2025-12-R: weather. WeatherData failed: HTTP 500.")
    assert failure_message([blocked, replace(blocked, dataset="laps")]) == (
        "Formula 1: The Formula 1 account was refused: HTTP 401. Set F1_USERNAME.\n"
        "1 session waits for it, and no other is asked for; one tries again every half hour, and all go on when it is "
        "accepted."
    )

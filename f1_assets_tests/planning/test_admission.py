from datetime import UTC, datetime

import pytest

from f1_assets.planning.admission import admit

SOON = datetime(2026, 1, 1, 14, 32, tzinfo=UTC)
NEEDED = {"any": 12, "jolpica": 2}


@pytest.mark.parametrize(
    ("fits", "running", "queued", "limit"),
    [(0, 0, 5, 0), (1, 0, 5, 1), (9, 0, 5, 2), (1, 1, 5, 2), (0, 1, 5, 1), (9, 2, 5, 2), (9, 3, 5, 3), (9, 0, 0, 2)],
)
def test_the_limit_is_what_runs_and_what_the_quota_covers_at_most_the_workers(fits, running, queued, limit):
    admission = admit(fits, SOON if fits == 0 else None, NEEDED, running, queued, 2, "2024-12-R")
    assert admission.limit == limit
    assert admission.is_paused is (fits == 0 and queued > 0)


def test_a_pause_says_who_waits_for_what_until_when():
    admission = admit(0, SOON, NEEDED, 1, 5, 2, "2024-12-R")
    assert admission.reason == (
        "paused: 2024-12-R needs 12 requests and the quota does not cover them; it resumes at 14:32:00 UTC; "
        "5 waiting, 1 running"
    )


def test_without_anyone_waiting_nothing_is_paused():
    assert "no session waits" in admit(0, SOON, NEEDED, 0, 0, 2, None).reason

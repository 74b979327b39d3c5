from datetime import UTC, datetime, timedelta

from f1_assets.fetch.estimates import RequestCost
from f1_assets.keys import SessionKey
from f1_assets.planning.forecast import Forecast
from f1_assets.planning.plan import PlannedSession, ProcessingPlan

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _plan(*ends):
    sessions = tuple(
        PlannedSession(SessionKey(2025, n, "R"), "", ("laps",), RequestCost(), NOW, NOW + timedelta(seconds=s), 0)
        for n, s in enumerate(ends, 1)
    )
    return ProcessingPlan(NOW, sessions, (), (), RequestCost())


def test_the_time_left_is_that_of_the_plan_with_the_pauses_to_come():
    forecast = Forecast(_plan(10, 20, 3620))
    assert forecast.seconds_left(0, 0.0) == 3620
    assert forecast.seconds_left(2, 0.0) == 3600, "two sessions in a moment say nothing of the pause before the third"
    assert forecast.seconds_left(2, 600.0) == 3000
    assert forecast.seconds_left(3, 5.0) == 0
    assert forecast.seconds_left(4, 0.0) == 0


def test_what_takes_longer_than_planned_is_due_and_never_overdue():
    assert Forecast(_plan(10)).seconds_left(0, 60.0) == 0
    assert Forecast(_plan()).seconds_left(0, 1.0) == 0

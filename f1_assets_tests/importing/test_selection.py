"""Whether an import is likely to have something to do, so that its workers' libraries are loaded ahead."""

from datetime import UTC, datetime

import pytest

from f1_assets.importing import Selection
from f1_assets.importing.selection import Renewal
from f1_assets.warehouse import Extraction, Status
from f1_assets_tests.warehouse.seasons import a_season, store

NOW = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def complete(sqlite_warehouse):
    """A season whose weather is there."""
    store(sqlite_warehouse, a_season())
    for event in a_season():
        for session in event.sessions:
            sqlite_warehouse.note(Extraction(session.key, "weather", Status.UNAVAILABLE, tried_at=NOW))
    return sqlite_warehouse


@pytest.mark.parametrize(
    ("selection", "is_due"),
    [
        (Selection.of([2024], "weather"), False),
        (Selection.of([2024], "weather,laps"), True),
        (Selection.of([2023, 2024], "weather"), True),
        (Selection.of([2024], "weather", renewal=Renewal.ARCHIVE), True),
    ],
)
def test_what_lacks_or_is_not_known_is_likely_due(complete, selection, is_due):
    assert selection.is_likely_due(complete, NOW) is is_due


def test_a_round_that_the_calendar_does_not_have_is_no_error_before_it_is_refreshed(complete):
    assert Selection.of([2024], "weather", rounds=[99]).is_likely_due(complete, NOW) is False

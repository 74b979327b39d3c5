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
        (Selection.of([2024], "weather,laps", rounds=[99]), False),
        (Selection.of([2024], "weather,laps", sessions=["S"]), False),
        (Selection.of([2024], "weather,laps", rounds=[1], sessions=["R"]), True),
        (Selection.of([2023, 2024], "weather"), True),
        (Selection.of([2024], "weather", renewal=Renewal.ARCHIVE), True),
    ],
)
def test_what_is_missing_or_unknown_is_likely_due_and_what_no_calendar_has_is_no_error(complete, selection, is_due):
    assert selection.is_likely_due(complete, NOW) is is_due

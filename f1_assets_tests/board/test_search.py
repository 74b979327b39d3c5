"""Search for a session by words."""

from datetime import UTC, datetime

import pytest

from f1_assets.board.search import ListedSession, found
from f1_assets.keys import SessionKey

NAMES = {"FP1": "Practice 1", "Q": "Qualifying", "SQ": "Sprint Qualifying", "S": "Sprint", "R": "Race", "T1-1": "Day 1"}


def _listed(season, round, session, event, location, country, circuit=None):
    start = datetime(season, 3, round + 1, 12, tzinfo=UTC)
    official = f"FORMULA 1 BIG BANK {event.upper()} {season}"
    return ListedSession(
        SessionKey(season, round, session), NAMES[session], event, official, location, country, circuit, start
    )


LISTED = [
    _listed(season, round, session, *event)
    for season in (2024, 2025)
    for round, event, sessions in (
        (0, ("Pre-Season Testing", "Sakhir", "Bahrain"), ("T1-1",)),
        (16, ("Italian Grand Prix", "Monza", "Italy", "Autodromo Nazionale"), ("FP1", "Q", "R")),
        (21, ("São Paulo Grand Prix", "São Paulo", "Brazil", "Interlagos"), ("FP1", "SQ", "S", "Q", "R")),
        (7, ("Emilia Romagna Grand Prix", "Imola", "Italy"), ("Q", "R")),
    )
    for session in sessions
]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("monza 2024 qualifying", ["2024-16-Q"]),
        ("Qualifying Monza 2024", ["2024-16-Q"]),
        ("2024 italian grand prix race", ["2024-16-R"]),
        ("italian gp 2024 quali", ["2024-16-Q"]),
        ("sao paulo 2025 sprint qualifying", ["2025-21-SQ"]),
        ("São Paulo 2025 sprint", ["2025-21-S"]),
        ("interlagos 2025 r", ["2025-21-R"]),
        ("brazil 2025 fp1", ["2025-21-FP1"]),
        ("monzza 2024 race", ["2024-16-R"]),
        ("2025-16-q", ["2025-16-Q"]),
        ("2024 round 16 race", ["2024-16-R"]),
        ("monza race", ["2024-16-R", "2025-16-R"]),
        ("italy 2024 race", ["2024-16-R", "2024-07-R"]),
        ("testing 2025", ["2025-T1-1"]),
        ("imola 2024", ["2024-07-Q", "2024-07-R"]),
        ("verstappen", []),
        ("monza 2019", []),
        ("", []),
        ("   ", []),
        ("gp", []),
        ("'; DROP TABLE sessions; --", []),
        ("\ud800", []),
    ],
)
def test_words_name_sessions(text, keys):
    assert [str(session.key) for session in found(LISTED, text)] == keys


def test_a_search_of_a_megabyte_is_cut():
    assert found(LISTED, "monza " * 200_000) != []

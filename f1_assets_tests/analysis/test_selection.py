"""Which sessions are meant: by key, round, season, event and session of it; an error says what could be meant."""

from dataclasses import replace

import pytest

from f1_assets.analysis.selection import is_season, seasons_meant, sessions_meant
from f1_assets.errors import UsageError
from f1_assets.keys import SeasonKey, SessionKey
from f1_assets_tests.warehouse.seasons import a_season, store


@pytest.fixture
def calendar(sqlite_warehouse):
    """Four rounds: two in one country, one of these without a qualifying, and one whose name has an accent."""
    names = {
        "Sakhir": ("Bahrain Grand Prix", "Bahrain"),
        "Jeddah": ("Emilia Romagna Grand Prix", "Italy"),
        "Melbourne": ("São Paulo Grand Prix", "Brazil"),
        "Suzuka": ("Italian Grand Prix", "Italy"),
    }
    events = [
        replace(event, name=names[event.location][0], country=names[event.location][1])
        for event in a_season(places=tuple(names))
    ]
    store(sqlite_warehouse, [*events[:3], replace(events[3], sessions=events[3].sessions[1:])])
    return sqlite_warehouse


def _keys(warehouse, asked):
    return " ".join(map(str, sessions_meant(warehouse, asked).keys))


@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        ("2024-02-R", "2024-02-R"),
        (" 2024-02-r ", "2024-02-R"),
        (SessionKey(2024, 2, "Q"), "2024-02-Q"),
        ("2024-02", "2024-02-Q 2024-02-R"),
        ("2024-2", "2024-02-Q 2024-02-R"),
        (["2024-03-R", "2024-01-R", "2024-03-R"], "2024-03-R 2024-01-R"),
        ((key for key in ("2024-03-R", "2024-04")), "2024-03-R 2024-04-R"),
        ("2024-R", "2024-01-R 2024-02-R 2024-03-R 2024-04-R"),
        ("2024-q", "2024-01-Q 2024-02-Q 2024-03-Q"),
        ("2024 Bahrain", "2024-01-Q 2024-01-R"),
        ("bahrain grand prix 2024", "2024-01-Q 2024-01-R"),
        ("2024 Sakhir Q", "2024-01-Q"),
        ("2024 Sakhir qualifying", "2024-01-Q"),
        ("2024 Sao Paulo race", "2024-03-R"),
        ("2024 SÃO PAULO", "2024-03-Q 2024-03-R"),
        ("Italian GP 2024", "2024-04-R"),
        ("2024 Emilia", "2024-02-Q 2024-02-R"),
        ("2024 Emilia R", "2024-02-R"),
    ],
)
def test_sessions_are_meant_by_key_round_event_and_lists_of_these(calendar, asked, keys):
    assert _keys(calendar, asked) == keys


def test_a_season_has_all_its_sessions_and_only_what_is_one_session_is_named(calendar):
    for asked in (2024, "2024", SeasonKey(2024)):
        meant = sessions_meant(calendar, asked)
        assert (len(meant.keys), meant.named) == (7, frozenset())
        assert seasons_meant(calendar, asked, "x").keys == (SeasonKey(2024),)
        assert is_season([asked])
    assert sessions_meant(calendar, ["2024-02", "2024 Sakhir Q", "2024-03-R"]).named == {
        SessionKey(2024, 1, "Q"),
        SessionKey(2024, 3, "R"),
    }
    assert sessions_meant(calendar, "2024-R").named == frozenset()
    assert is_season("2024-r")
    assert not is_season("2024-02")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (
            "2024 Italy",
            "may be Emilia Romagna Grand Prix (2024-02, Jeddah) or Italian Grand Prix (2024-04, Suzuka).",
        ),
        (
            "2024 Bahrein",
            "called '2024 Bahrein'. Did you mean Bahrain Grand Prix (2024-01, Sakhir)?",
        ),
        ("2024 nowhere", "There are: 2024-01 Bahrain Grand Prix, 2024-02 Emilia"),
        ("2024 grand prix", "No event of 2024 is called"),
        ("2024 Sakhir FP1", "No event of 2024 is called '2024 Sakhir FP1'"),
        ("2024 Suzuka Q", "Italian Grand Prix 2024 has no session 'q'; it has R."),
        ("2024-09", "Season 2024 has no event 2024-09. There are: 2024-01 Bahrain"),
        ("2024-01-FP1", "Bahrain Grand Prix 2024 (round 1) has no session FP1; it has Q, R."),
        ("2024-FP1", "Season 2024 has no session FP1. There are: Q, R."),
        ("2024-01-X", "'2024-01-X' is not a session key"),
        (2023, "2023"),
        ("Sakhir", "'Sakhir' names no session. Write a key (2024-12-R)"),
        ("2023 2024 Sakhir", "names no session"),
        ([], "No session is asked for."),
    ],
)
def test_what_is_unclear_or_not_there_is_refused_with_what_could_be_meant(calendar, asked, words):
    with pytest.raises(UsageError) as refused:
        sessions_meant(calendar, asked)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("2024-01-R", "driver_seasons is computed over a season. Name the season: 2024."),
        ("Sakhir", "Name the season, such as 2024."),
        (2023, "2023"),
        ([], "No season is asked for."),
    ],
)
def test_what_is_of_a_season_is_asked_for_by_the_season(calendar, asked, words):
    with pytest.raises(UsageError) as refused:
        seasons_meant(calendar, asked, "driver_seasons")
    assert words in str(refused.value)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f1_assets.errors import UsageError
from f1_assets.keys import RACE_WEEKEND_SESSIONS, SessionKey, parse_seasons

weekend_keys = st.builds(
    SessionKey, st.integers(1950, 2100), st.integers(1, 99), st.sampled_from(RACE_WEEKEND_SESSIONS)
)
test_keys = st.builds(
    lambda season, test, day: SessionKey(season, 0, f"T{test}-{day}"),
    st.integers(1950, 2100),
    st.integers(1, 9),
    st.integers(1, 9),
)


@given(weekend_keys | test_keys)
def test_a_key_survives_the_round_trip_through_text(key):
    assert SessionKey.parse(str(key)) == key


@given(st.text(max_size=30))
def test_any_other_text_is_refused_with_a_usage_error(text):
    try:
        key = SessionKey.parse(text)
    except UsageError:
        return
    assert str(key) == text


@pytest.mark.parametrize(
    "text",
    [
        "2024-3-Q",
        "../../x",
        "",
        "2024-03-q",
        "2024-00-R",
        "1949-01-R",
        "2024-03-Q\n",
        "２０２４-03-Q",
        "2026-T0-1",
        "x" * 10_000,
    ],
)
def test_a_malformed_key_is_refused_in_a_short_message_that_shows_a_right_one(text):
    with pytest.raises(UsageError) as refused:
        SessionKey.parse(text)
    assert len(str(refused.value)) < 400


def test_a_test_day_is_round_zero():
    key = SessionKey.parse("2026-T1-2")
    assert (key.season, key.round, key.session, key.event_key) == (2026, 0, "T1-2", "2026-T1")


@pytest.mark.parametrize(
    ("text", "seasons"),
    [
        ("2024", [2024]),
        ("2018-2020", [2018, 2019, 2020]),
        ("2024,2026", [2024, 2026]),
        ("2024, 2022-2024", [2022, 2023, 2024]),
    ],
)
def test_seasons_are_read_in_order_each_once(text, seasons):
    assert parse_seasons(text) == seasons


@pytest.mark.parametrize("text", ["", "24", "2026-2024", "1949", "2024-", "2024;2025", "abcd", "2150"])
def test_what_names_no_seasons_is_refused(text):
    with pytest.raises(UsageError):
        parse_seasons(text)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-3-Q", "2024-03-Q"),
        ("2024-03-q", "2024-03-Q"),
        ("2024-3-race", "2024-03-R"),
        ("2024 12 sprint qualifying", "2024-12-SQ"),
        ("2024/R07/Practice-1", "2024-07-FP1"),
    ],
)
def test_a_key_that_is_nearly_right_is_offered_as_it_should_be(written, meant):
    with pytest.raises(UsageError, match=f"is not a session key. Did you mean {meant}\\?"):
        SessionKey.parse(written)


@pytest.mark.parametrize("written", ["2024-00-R", "monza", "2024-03-X", "2024" + "-" * 10_000])
def test_nothing_is_offered_for_what_is_no_key_at_all(written):
    with pytest.raises(UsageError) as refused:
        SessionKey.parse(written)
    assert "Did you mean" not in str(refused.value)

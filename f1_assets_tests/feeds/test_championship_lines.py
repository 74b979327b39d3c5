"""Championships in lines of ChampionshipPrediction: the first state of a real race, and small ones."""

import json

import pytest

from f1_assets.errors import UnreadableData
from f1_assets.feeds.championship_lines import Prediction, parse_championship
from f1_assets_tests.conftest import RECORDINGS

STATE = RECORDINGS.parent / "feeds" / "2024-12-R-first-state.json"


def _feed(*lines):
    texts = [f"00:00:{at:02}.000{c if isinstance(c, str) else json.dumps(c)}" for at, c in lines]
    return b"\xef\xbb\xbf" + "\r\n".join(texts).encode()


def _entry(place, points, predicted, then, **of):
    return {
        "CurrentPosition": place,
        "PredictedPosition": predicted,
        "CurrentPoints": points,
        "PredictedPoints": then,
        **of,
    }


FIRST = (
    1,
    {
        "Drivers": {
            "12": _entry(3, 170.0, 3, 170.0, RacingNumber="12"),
            "4": _entry(4, "150.5", "4", "150.5", RacingNumber="4"),
            "": _entry(5, 20.0, 5, 20.0, RacingNumber=""),
        },
        "Teams": {"Aurora Mercedes": _entry(1, 320.0, 1, 320.0, TeamName="Aurora")},
    },
)


def test_a_real_state_has_every_driver_and_team():
    if not STATE.exists():
        pytest.skip(f"the state of a real race is not at {STATE}")
    parsed = parse_championship(_feed((1, json.loads(STATE.read_text())["ChampionshipPrediction"])))
    assert parsed.counts.document() == {}
    drivers = [each for each in parsed.predictions if not each.is_team]
    assert (len(drivers), len(parsed.predictions) - len(drivers)) == (21, 10)
    assert drivers[1] == Prediction(False, "4", None, 2, 156.0, 2, 156.0)
    assert parsed.predictions[21] == Prediction(
        True, "Red Bull Racing Honda RBPT", "Red Bull Racing", 1, 355.0, 1, 355.0
    )


def test_before_is_what_came_first_and_predicted_what_came_last():
    parsed = parse_championship(
        _feed(
            FIRST,
            (2, {"Drivers": {"12": {"PredictedPosition": 2, "PredictedPoints": 188.0}}}),
            (3, {"Teams": {"Aurora Mercedes": {"PredictedPoints": 345.5}}, "Drivers": {"4": {"CurrentPoints": 168.5}}}),
            (4, {"Drivers": {"12": {"CurrentPosition": 2}, "63": {"PredictedPoints": 1}}}),
            (5, {"Drivers": {"12": {"PredictedPosition": 1}}}),
        ),
        until_ms=4_000,
    )
    assert parsed.predictions == (
        Prediction(False, "12", None, 3, 170.0, 2, 188.0),
        Prediction(False, "4", None, 4, 150.5, 4, 150.5),
        Prediction(True, "Aurora Mercedes", "Aurora", 1, 320.0, 1, 345.5),
        Prediction(False, "63", None, None, None, None, 1.0),
    )
    assert parsed.counts.document() == {}


def test_what_is_removed_is_known_no_more():
    lines = [
        (2, {"Drivers": {"_deleted": ["4", ""], "12": {"_deleted": ["PredictedPoints"]}}, "Teams": {"_deleted": []}})
    ]
    parsed = parse_championship(_feed(FIRST, *lines))
    assert [each.entrant for each in parsed.predictions] == ["12", "Aurora Mercedes"]
    assert parsed.predictions[0] == Prediction(False, "12", None, 3, 170.0, 3, None)


def test_what_is_damaged_is_left_out_and_counted():
    lines = [
        (2, "{"),
        (3, {"Drivers": {"12": 5, "twelve": {}}, "Teams": ["Aurora"]}),
        (4, {"Drivers": {"12": {"PredictedPoints": "NaN", "PredictedPosition": -1}}}),
        (5, {"Drivers": [], "Teams": {"Cobalt": {"TeamName": "Cobalt"}}}),
    ]
    parsed = parse_championship(_feed(FIRST, *lines))
    assert parsed.predictions == parse_championship(_feed(FIRST)).predictions
    assert parsed.counts.document() == {
        "bad_lines": 1,
        "bad_entries": 5,
        "lines": 5,
        "line_numbers": {"bad_lines": [2], "bad_entries": [3, 4]},
    }
    with pytest.raises(UnreadableData, match="ChampionshipPrediction: nothing could be read"):
        parse_championship(_feed((2, {"Drivers": {"12": 5}})))

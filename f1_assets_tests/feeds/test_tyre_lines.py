"""Sets of tyres in lines of TyreStintSeries, written as the feed has them; and those of a real race."""

import json

import pytest

from f1_assets.errors import UnreadableData
from f1_assets.feeds.tyre_lines import TyreSet, parse_tyre_stints
from f1_assets_tests.conftest import RECORDINGS

FINAL_STATE = RECORDINGS.parent / "feeds" / "2024-07-R-final-state.json"


def _feed(*lines):
    """Make a feed of pairs of seconds and content."""
    texts = [f"00:{at // 60:02}:{at % 60:02}.000{c if isinstance(c, str) else json.dumps(c)}" for at, c in lines]
    return b"\xef\xbb\xbf" + "\r\n".join(texts).encode()


def _stints(sets, car="12"):
    return {"Stints": {car: sets}}


def _fitted(compound="MEDIUM", new="true", total=0, start=0, not_changed="0"):
    return {
        "Compound": compound,
        "New": new,
        "TyresNotChanged": not_changed,
        "TotalLaps": total,
        "StartLaps": start,
    }


def test_sets_are_shown_as_they_are_fitted_and_age():
    parsed = parse_tyre_stints(
        _feed(
            (1, {"Stints": {"12": [], "4": []}, "_kf": True}),
            (50, {"Stints": {"12": {"0": _fitted()}, "4": {"0": _fitted("soft", False, "2", "2")}}}),
            (60, _stints({"0": {"TotalLaps": 1}})),
            (90, _stints({"0": {"TotalLaps": "20"}})),
            (95, _stints({"1": _fitted("", "", 20, 20, "1")})),
            (96, _stints({"1": {"Compound": "MEDIUM", "New": "false"}})),
        )
    )
    assert parsed.sets == (
        TyreSet("4", 1, 50_000, "SOFT", False, False, 2, 2),
        TyreSet("12", 1, 50_000, "MEDIUM", True, False, 20, 0),
        TyreSet("12", 2, 95_000, "MEDIUM", False, True, 20, 20),
    )
    assert parsed.counts.document() == {}


def test_what_is_removed_is_no_set():
    lines = (50, _stints([_fitted(), _fitted("HARD")]))
    (left,) = parse_tyre_stints(_feed(lines, (60, _stints({"_deleted": ["1"]})))).sets
    assert left.compound == "MEDIUM"
    assert parse_tyre_stints(_feed(lines, (60, {"Stints": {"_deleted": ["12"]}}))).sets == ()
    again = parse_tyre_stints(_feed(lines, (60, {"Stints": {"_deleted": ["12"], "12": [_fitted("SOFT")]}}))).sets
    assert [(each.compound, each.session_time_ms) for each in again] == [("SOFT", 60_000)]


def test_lines_after_the_session_are_not_of_it():
    body = _feed((50, _stints([_fitted()])), (60, _stints({"0": {"TotalLaps": 1}})))
    assert parse_tyre_stints(body, until_ms=59_000).sets[0].total_laps == 0


BAD = [
    ("[]", "bad_lines"),
    ({"Stints": 5}, "bad_entries"),
    (_stints(5), "bad_entries"),
    (_stints([_fitted()], car="VER"), "bad_entries"),
    (_stints([5]), "bad_entries"),
    (_stints({"first": _fitted()}), "bad_entries"),
    (_stints({"100": _fitted()}), "bad_entries"),
]


def test_what_is_damaged_is_left_out_and_counted():
    half = _stints([_fitted("?!", "perhaps", -1, "x", 7)], car="44")
    parsed = parse_tyre_stints(_feed((1, _stints([_fitted()])), (2, half), *((3, line) for line, _ in BAD)))
    assert parsed.sets == (
        TyreSet("12", 1, 1_000, "MEDIUM", True, False, 0, 0),
        TyreSet("44", 1, 2_000, None, None, None, None, None),
    )
    assert (parsed.counts.bad_lines, parsed.counts.bad_entries) == (1, len(BAD))
    for line, _ in BAD:
        with pytest.raises(UnreadableData, match="nothing could be read"):
            parse_tyre_stints(_feed((3, line)))
    assert parse_tyre_stints(b"").sets == ()


def test_the_sets_of_a_real_race_sum_to_its_laps():
    """The stints of TimingAppData, which TyreStintSeries has in the same form."""
    if not FINAL_STATE.exists():
        pytest.skip(f"there is no {FINAL_STATE}")
    state = json.loads(FINAL_STATE.read_text())
    stints = {car: line["Stints"] for car, line in state["TimingAppData"]["Lines"].items() if "Stints" in line}
    parsed = parse_tyre_stints(_feed((1, {"Stints": stints})))
    assert parsed.counts.document() == {}
    laps = {}
    for each in parsed.sets:
        laps[each.driver_number] = laps.get(each.driver_number, 0) + each.total_laps - each.start_laps
    driven = {car: line["NumberOfLaps"] for car, line in state["TimingData"]["Lines"].items()}
    assert laps == driven
    assert [each.number for each in parsed.sets if each.tyres_not_changed and each.driver_number == "23"] == [4]

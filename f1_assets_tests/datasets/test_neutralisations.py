"""Neutralisations from track status: what begins one, what ends it, and which laps the leader was on."""

import pandas as pd
import pytest

from f1_assets.datasets import all_datasets
from f1_assets.datasets.inputs import Inputs
from f1_assets.keys import SessionKey

COURSE = ((100, "Started"), (900, "Finished"), (950, "Finalised"))


def _frame(name, rows):
    dataset = all_datasets()[name]
    return dataset.typed(pd.DataFrame(rows).reindex(columns=[column.name for column in dataset.columns]))


def _changes(name, changes):
    rows = [{"change_number": n, "session_time_ms": at, "status": s} for n, (at, s) in enumerate(changes, 1)]
    return _frame(name, rows)


def _found(*track, course=COURSE, laps=None, session="R"):
    frames = {"track_status": _changes("track_status", track), "session_status": _changes("session_status", course)}
    if laps is not None:
        frames["laps"] = _frame("laps", laps)
    rows = all_datasets()["neutralisations"].computed(Inputs(SessionKey(2025, 1, session), frames))
    ends = [None if pd.isna(end) else end for end in rows["end_ms"]]
    durations = [None if end is None else end - start for start, end in zip(rows["start_ms"], ends, strict=True)]
    assert durations == [None if pd.isna(ms) else ms for ms in rows["duration_ms"]]
    return rows, list(zip(rows["kind"], rows["start_ms"], ends, strict=True))


@pytest.mark.parametrize(
    ("track", "periods"),
    [
        ([], []),
        ([(200, "2"), (300, "1")], []),
        ([(200, "4"), (300, "1")], [("sc", 200, 300)]),
        ([(200, "4"), (250, "2"), (300, "1")], [("sc", 200, 300)]),  # a yellow flag ends none
        ([(200, "6"), (250, "7"), (300, "1")], [("vsc", 200, 300)]),
        ([(200, "6"), (250, "4"), (300, "1")], [("vsc", 200, 250), ("sc", 250, 300)]),
        ([(200, "4"), (200, "5"), (300, "1")], [("red", 200, 300)]),  # a safety car of no length
        ([(200, "5"), (300, "9"), (400, "1")], [("red", 200, 400)]),
        ([(50, "4"), (80, "1")], []),  # before the start
        ([(50, "4"), (300, "1")], [("sc", 100, 300)]),
        ([(200, "4")], [("sc", 200, 900)]),  # it ends with the session
        ([(200, "4"), (930, "1")], [("sc", 200, 900)]),
        ([(910, "5"), (940, "1")], []),
    ],
)
def test_periods(track, periods):
    assert _found(*track)[1] == periods


def test_a_session_that_never_started_has_none():
    assert _found((200, "5"), (300, "1"), course=[(10, "Inactive")])[1] == []


def test_the_end_of_an_open_one_is_not_known_where_the_session_has_none():
    rows, periods = _found((200, "5"), course=[(100, "Started")], laps=[])
    assert periods == [("red", 200, None)]
    assert rows["leader_last_lap"].isna().all()


def test_a_session_with_parts_ends_with_the_last_of_its_flags():
    course = [(100, "Started"), (300, "Finished"), (400, "Started"), (700, "Finished")]
    assert _found((500, "5"), course=course)[1] == [("red", 500, 700)]


LAPS = [
    {"driver_number": car, "lap_number": lap, "session_time_ms": at, "fastf1_generated": generated}
    for car, lap, at, generated in (
        ("1", 1, 210, False),
        ("4", 1, 205, False),
        ("4", 2, 310, False),
        ("1", 2, 306, False),
        ("16", 3, 315, True),  # stopped on lap 3: nobody saw it end
        ("1", 3, 410, False),
    )
]


def test_the_leader_is_the_first_to_end_a_lap():
    rows, _ = _found((205, "6"), (307, "1"), (405, "4"), laps=LAPS)
    assert rows["leader_first_lap"].tolist() == [1, 3]
    assert rows["leader_last_lap"].tolist() == [3, 3]


@pytest.mark.parametrize(("laps", "session"), [(None, "R"), (LAPS, "Q")])
def test_there_is_no_leader_without_laps_and_in_no_qualifying(laps, session):
    rows, _ = _found((205, "6"), (307, "1"), laps=laps, session=session)
    assert rows[["leader_first_lap", "leader_last_lap"]].isna().all(axis=None)


def test_periods_that_overlap_or_end_before_they_begin_break_the_rule():
    (rule,) = all_datasets()["neutralisations"].checks
    rows = {"start_ms": [100, 150, 400], "end_ms": [200, 300, 350]}
    assert rule.test(_frame("neutralisations", rows))["start_ms"].tolist() == [150, 400]

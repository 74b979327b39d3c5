"""When the parts of a qualifying began and ended, from small courses of statuses."""

import pytest

from f1_assets.datasets import all_datasets
from f1_assets.datasets.qualifying_parts import parts_of
from f1_assets.feeds.timing_lines import PartBegun
from f1_assets_tests.datasets.frames import changes, frame_of, values

COLUMNS = ("part", "start_ms", "end_ms", "entries", "source")
# A shoot-out of 2023: its first part was stopped, and not resumed.
COURSE = [
    (1, "Inactive"),
    (100, "Started"),
    (150, "Aborted"),
    (180, "Finished"),
    (210, "Inactive"),
    (220, "Started"),
    (230, "Aborted"),
    (240, "Started"),
    (300, "Finished"),
    (330, "Finalised"),
]


def _parts(course, *shown):
    rows = parts_of(changes("session_status", *course), [PartBegun(*part) for part in shown])
    return all_datasets()["qualifying_parts"].typed(rows)


def test_the_feed_tells_parts_apart_and_the_statuses_when_they_were_driven():
    rows = _parts(COURSE, (1, 0, 20), (2, 205, 15), (3, 320, 10))
    assert values(rows, *COLUMNS) == [
        (1, 100, 180, 20, "feed"),
        (2, 220, 300, 15, "feed"),
        (3, None, None, 10, "feed"),
    ]


def test_without_the_feed_a_start_opens_a_part_unless_a_red_flag_came_before_it():
    assert values(_parts(COURSE), *COLUMNS) == [
        (1, 100, 180, None, "session_status"),
        (2, 220, 300, None, "session_status"),
    ]


def test_a_part_that_is_not_resumed_ends_with_the_red_flag_and_one_under_way_has_no_end():
    assert values(_parts([(100, "Started"), (150, "Aborted"), (155, "Inactive")]), "start_ms", "end_ms") == [(100, 150)]
    assert values(_parts([(100, "Started")]), "start_ms", "end_ms") == [(100, None)]


def test_before_anything_started_there_is_no_part():
    assert parts_of(changes("session_status", (1, "Inactive")), ()).empty


def _broken(name, rows, *beside):
    check = {check.name: check for check in all_datasets()["qualifying_parts"].checks}[name]
    return check.test(frame_of("qualifying_parts", rows), *beside)["part"].tolist()


def test_parts_that_cannot_be_break_the_rules():
    rows = [{"part": 1, "start_ms": 100, "end_ms": 180, "entries": 20}, {"part": 2, "start_ms": 220, "entries": 15}]
    statuses = changes("session_status", *COURSE)
    assert _broken("parts_follow_each_other", rows) == _broken("fewer_cars_go_on", rows) == []
    assert _broken("parts_are_started", [*rows, {"part": 3}], statuses) == []
    assert _broken("parts_follow_each_other", [{**rows[0], "end_ms": 99}, rows[1]]) == [1]
    assert _broken("parts_follow_each_other", [rows[0], {**rows[1], "start_ms": 179}]) == [2]
    assert _broken("parts_follow_each_other", [rows[0], {**rows[1], "part": 3}]) == [3]
    assert _broken("fewer_cars_go_on", [rows[0], {**rows[1], "entries": 20}]) == [2]
    assert _broken("parts_are_started", [rows[0], {**rows[1], "start_ms": 240}], statuses) == [2]


@pytest.mark.parametrize(("session", "is_of"), [("Q", True), ("SQ", True), ("SS", True), ("R", False), ("FP1", False)])
def test_only_qualifyings_have_parts(session, is_of):
    assert (session in all_datasets()["qualifying_parts"].sessions) == is_of

"""The page of faults is the one that its tests wrote."""

import itertools

from f1_assets_tests.faults import table
from f1_assets_tests.faults.table import FAULTS, FEEDS, POINTS, Found


def test_the_page_has_the_table_as_it_is_written():
    text = table.PAGE.read_text(encoding="utf-8")
    section = text.partition(table.BEGIN)[2].partition(table.END)[0].lstrip("\n")
    assert section == table.markdown(table.committed()), table.HOW_TO_RENEW


def test_every_fault_and_every_point_is_in_it():
    cells = table.committed()
    assert {fault for fault, _ in cells} == set(FAULTS)
    assert {point for _, point in cells} == set(POINTS)
    of_feeds = FAULTS[: FAULTS.index("slow answer") + 1]
    assert set(itertools.product(of_feeds, FEEDS)) <= set(cells)


def test_cells_are_read_as_they_were_written():
    same, other = Found("all is there", "asks for nothing"), Found("nothing is there", "asks again")
    cells = {(fault, feed): same for fault in FAULTS for feed in FEEDS}
    cells |= {("HTTP 404", "LapCount"): other, ("disk full", "lake"): other, ("HTTP 500", "request"): same}
    assert table.read(f"x{table.BEGIN}\n{table.markdown(cells)}{table.END}y") == cells

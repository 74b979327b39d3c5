"""Compare the outcome of each fault at each point with docs/reliability.md, or write it there."""

import os
from collections.abc import Callable

import pytest

from f1_assets_tests.faults import table
from f1_assets_tests.faults.disks import disk  # noqa: F401 (a fixture)
from f1_assets_tests.faults.table import HOW_TO_RENEW, WRITES, Found

_FOUND = pytest.StashKey[table.Cells]()
_IS_WRITING = os.environ.get(WRITES) == "1"


@pytest.fixture
def found(record_property: Callable[[str, object], None]) -> Callable[[str, str, str, str], None]:
    """Note what a fault left at a point, and what the next run did: the page must say the same."""

    def note(fault: str, point: str, left: str, then: str) -> None:
        assert fault in table.FAULTS
        assert point in table.POINTS
        record_property("fault", [fault, point, left, then])
        if not _IS_WRITING:
            assert table.committed().get((fault, point)) == Found(left, then), HOW_TO_RENEW

    return note


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FOUND] = {}
    if _IS_WRITING and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Writer(config.stash[_FOUND]))


class _Writer:
    """Gathers what tests found, those of other processes too, and writes the page at the end."""

    def __init__(self, cells: table.Cells) -> None:
        self._cells = cells

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            for name, value in report.user_properties:
                if name == "fault":
                    fault, point, left, then = value
                    self._cells[(fault, point)] = Found(left, then)

    def pytest_sessionfinish(self) -> None:
        table.write(self._cells)

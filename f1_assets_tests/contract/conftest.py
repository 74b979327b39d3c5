"""What FastF1 alone gives of the recordings, for tests of the xdist group ``recordings``."""

from pathlib import Path

import pytest

from f1_assets_tests.contract.plain_fastf1 import AllPlain


@pytest.fixture(scope="session")
def plain(recordings: Path) -> AllPlain:
    """Every recorded session as FastF1 alone gives it, loaded when it is first asked for."""
    return AllPlain(recordings)

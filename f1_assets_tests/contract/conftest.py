"""All recorded sessions in one warehouse: tests that use it belong to the xdist group ``recordings``."""

import pytest

from f1_assets.connection import connect
from f1_assets.settings import load_settings
from f1_assets_tests.contract.recorded import ROWS, import_each


@pytest.fixture(scope="session")
def imported(recordings, tmp_path_factory):
    """All recorded sessions in one warehouse, with what was requested for each."""
    settings = load_settings(home=tmp_path_factory.mktemp("home"), source=f"recording:{recordings}")
    warehouse = connect(settings)
    yield warehouse, import_each(ROWS, warehouse, settings, tmp_path_factory)
    warehouse.close()

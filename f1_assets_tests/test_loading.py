"""Libraries are loaded without looking for garbage, and afterwards everything is as before."""

import gc
import sys
from importlib import import_module

import pytest

from f1_assets.loading import loading_libraries


@pytest.fixture(autouse=True)
def _as_before():
    yield
    gc.enable()


def test_no_garbage_is_looked_for_meanwhile_nor_in_what_was_loaded(monkeypatch):
    before = gc.get_freeze_count()
    with loading_libraries():
        made = [[] for _ in range(1000)]
        monkeypatch.setitem(sys.modules, "made_here", made)
        assert not gc.isenabled()
        with loading_libraries():
            assert not gc.isenabled()
        assert not gc.isenabled()
        assert gc.get_freeze_count() == before
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(made)


def test_where_nothing_new_is_loaded_garbage_stays_garbage():
    before = gc.get_freeze_count()
    with loading_libraries():
        made = [[] for _ in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() < before + len(made)


def test_what_fails_to_load_leaves_nothing_behind():
    with pytest.raises(ModuleNotFoundError), loading_libraries():
        import_module("no_such_module")
    assert gc.isenabled()


def test_a_process_that_looks_for_no_garbage_is_left_so():
    gc.disable()
    with loading_libraries():
        pass
    assert not gc.isenabled()

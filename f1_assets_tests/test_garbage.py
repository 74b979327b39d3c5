"""Libraries are loaded without looking for garbage, sessions with few looks; afterwards everything is as before."""

import gc
import sys
import threading
from importlib import import_module

import pytest

from f1_assets.garbage import RARELY, collecting_rarely, loading_libraries


@pytest.fixture(autouse=True)
def _as_before():
    usual = gc.get_threshold()
    yield
    gc.enable()
    gc.set_threshold(*usual)


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


def test_it_looks_rarely_until_the_last_of_several_blocks_ends():
    gc.set_threshold(500, 7, 9)
    entered, leave = threading.Event(), threading.Event()

    def other():
        with collecting_rarely():
            entered.set()
            leave.wait(60)

    thread = threading.Thread(target=other)
    with collecting_rarely():
        assert gc.get_threshold() == RARELY
        thread.start()
        assert entered.wait(60)
    assert gc.get_threshold() == RARELY
    leave.set()
    thread.join()
    assert gc.get_threshold() == (500, 7, 9)


def test_what_fails_within_leaves_the_collector_as_it_was():
    gc.set_threshold(500, 7, 9)
    with pytest.raises(ZeroDivisionError), collecting_rarely():
        _ = 1 / 0
    assert gc.get_threshold() == (500, 7, 9)

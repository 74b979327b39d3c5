"""Workers that are killed: replaced, and their session taken up again."""

import functools
import multiprocessing
import os
import re
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import forkserver
from pathlib import Path

import pytest

from f1_assets.defs.processes import load_ahead, load_once
from f1_assets.defs.runs import _reserved
from f1_assets.defs.worker_pool import WorkerPool, side_by_side
from f1_assets.errors import ConfigurationError, UsageError
from f1_assets.importing import SessionOutcome, SessionRun
from f1_assets.importing.pauses import AskAgain
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap
from f1_assets.settings import process_settings

FIRST, SECOND = (SessionGap(SessionKey(2024, 1, name), ("laps",)) for name in ("Q", "R"))


def _run(gap):
    return SessionRun(SessionOutcome(gap.key, (), requests=0, archive_hits=0, seconds=0.0), str(os.getpid()))


def _run_killed(gap, until_there):
    """Import it once the file is there; be killed before."""
    if not until_there.exists():
        until_there.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return _run(gap)


def _always_killed(gap):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_is_killed_is_replaced_and_the_others_go_on(tmp_path):
    lost = []
    with WorkerPool(2, lambda gap, times: lost.append((gap, times))) as pool:
        pool.start(FIRST, functools.partial(_run_killed, FIRST, tmp_path / "killed"))
        pool.start(SECOND, functools.partial(_run, SECOND))
        assert pool.is_busy
        runs = []
        while not pool.is_idle:
            runs += pool.ended()
    assert lost == [(FIRST, 1)]
    assert {run.outcome.key for run in runs} == {FIRST.key, SECOND.key}


def _named(number):
    if number < 0:
        raise UsageError("there is no such number", advice="Name one that there is.", key=FIRST.key)
    if number == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return number, os.getpid()


def test_what_is_done_side_by_side_comes_in_its_order_or_with_its_error():
    with side_by_side(2, _named) as each:
        done = list(each([3, 1, 2]))
    assert [number for number, _ in done] == [3, 1, 2]
    assert os.getpid() not in {process for _, process in done}
    with (
        pytest.raises(UsageError, match=r"^2024-01-Q: there is no such number Name one that there is\.$"),
        side_by_side(2, _named) as each,
    ):
        list(each([1, -1, 2]))
    with (
        pytest.raises(ConfigurationError, match=r"was killed\. Run the command again, with fewer workers"),
        side_by_side(1, _named) as each,
    ):
        list(each([1, 0, 2]))


def _settings_seen(gap):
    outcome = SessionOutcome(gap.key, (), requests=0, archive_hits=0, seconds=0.0)
    return SessionRun(outcome, f"{process_settings().workers} {Path.cwd()}")


@pytest.mark.parametrize("workers", [3, 5])
def test_a_worker_has_the_settings_of_who_hired_it_however_old_what_it_is_forked_off(monkeypatch, tmp_path, workers):
    monkeypatch.setenv("F1_WORKERS", str(workers))
    with WorkerPool(1, lambda _gap, _times: None) as pool:
        pool.start(FIRST, functools.partial(_settings_seen, FIRST))
        (run,) = pool.ended()
    assert run.run_id == f"{workers} {tmp_path}"


def test_a_session_that_kills_every_worker_ends_when_it_is_given_up():
    with WorkerPool(1, lambda gap, times: _run(gap) if times == 3 else None) as pool:
        pool.start(FIRST, functools.partial(_always_killed, FIRST))
        runs = []
        while not pool.is_idle:
            runs += pool.ended()
        assert [run.outcome.key for run in runs] == [FIRST.key]
        pool.start(SECOND, functools.partial(_run, SECOND))
        (run,) = pool.ended()
    assert run.outcome.key == SECOND.key


def test_sessions_that_end_while_the_quota_is_waited_for_are_given_at_once():
    given = []

    def reserve(gap):
        if not given:
            raise AskAgain(0.2)
        return f"reservation of {gap.key}"

    with WorkerPool(2, lambda gap, times: None) as pool:
        pool.start(FIRST, functools.partial(_run, FIRST))
        waiting = _reserved(pool, SECOND, reserve, lambda: False)
        given.append(next(waiting))
        with pytest.raises(StopIteration) as reserved:
            next(waiting)
    assert [run.outcome.key for run in given] == [FIRST.key]
    assert reserved.value.value == f"reservation of {SECOND.key}"


def _started(load, opened):
    """Start what workers are forked off, in a process of its own; return its command, this one's, and what it has."""
    pipe = os.pipe()
    with Path(os.devnull).open() if opened is None else Path(opened).open() as file:
        load()
        folder = Path(f"/proc/{forkserver._forkserver._forkserver_pid}")
        status = (folder / "status").read_text()
        ours = {str(Path(f"/proc/self/fd/{number}").readlink()) for number in (file.fileno(), *pipe)}
    with WorkerPool(1, lambda _gap, _times: None) as pool:
        pool.start(FIRST, functools.partial(_run, FIRST))
        (run,) = pool.ended()  # it has begun to take requests by now
        theirs = {str(path.readlink()) for path in (folder / "fd").iterdir()}
        command = (folder / "cmdline").read_text()
    assert int(run.run_id) != os.getpid()
    return command, Path("/proc/self/cmdline").read_text(), ours & theirs, status


ALONE = multiprocessing.get_context("spawn")
needs_proc = pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked at in /proc")


@needs_proc
@pytest.mark.parametrize("load", [load_ahead, load_once])
def test_ctrl_c_does_not_reach_what_loads_libraries_for_workers(load):
    with ProcessPoolExecutor(1, mp_context=ALONE) as process:
        *_, status = process.submit(_started, load, None).result()
    (blocked,) = re.findall(r"^SigBlk:\s+([0-9a-f]+)$", status, re.MULTILINE)
    assert int(blocked, 16) & 1 << (signal.SIGINT - 1)


@needs_proc
def test_libraries_are_loaded_once_for_a_command_and_its_workers():
    with ProcessPoolExecutor(1, mp_context=ALONE) as process:
        command, ours, in_common, _ = process.submit(_started, load_once, None).result()
    assert command == ours
    # Neither a pipe whose end somebody waits for, nor a file.
    assert in_common <= {os.devnull}


@needs_proc
def test_what_has_a_database_open_is_not_forked(tmp_path):
    (tmp_path / "warehouse.db").touch()
    with ProcessPoolExecutor(1, mp_context=ALONE) as process:
        command, ours, in_common, _ = process.submit(_started, load_once, str(tmp_path / "warehouse.db")).result()
    assert command != ours
    assert "forkserver" in command
    assert in_common <= {os.devnull}


def _with_a_thread():
    until = threading.Event()
    thread = threading.Thread(target=until.wait)
    thread.start()
    try:
        return _started(load_once, None)
    finally:
        until.set()
        thread.join()


@needs_proc
def test_what_has_threads_is_not_forked():
    with ProcessPoolExecutor(1, mp_context=ALONE) as process:
        command, ours, *_ = process.submit(_with_a_thread).result()
    assert command != ours


def _is_blocked(gap):
    """Return whether Ctrl-C is blocked in this worker."""
    outcome = SessionOutcome(gap.key, (), requests=0, archive_hits=0, seconds=0.0)
    return SessionRun(outcome, str(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())))


def test_a_worker_can_be_is_blocked():
    with WorkerPool(1, lambda _gap, _times: None) as pool:
        pool.start(FIRST, functools.partial(_is_blocked, FIRST))
        (run,) = pool.ended()
    assert run.run_id == "False"

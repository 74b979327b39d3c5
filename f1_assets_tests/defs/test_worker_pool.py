"""Workers that are killed: replaced, and their session taken up again."""

import functools
import multiprocessing
import multiprocessing.util
import os
import re
import signal
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from f1_assets.defs.processes import load_ahead
from f1_assets.defs.runs import _reserved
from f1_assets.defs.worker_pool import WorkerPool
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


def _preloading():
    """Start what workers are forked off, in a process of its own; return what it is started with."""
    started = []
    spawn = multiprocessing.util.spawnv_passfds

    def noted(path, arguments, descriptors):
        pid = spawn(path, arguments, descriptors)
        started.append((arguments, Path(f"/proc/{pid}/status").read_text()))
        return pid

    multiprocessing.util.spawnv_passfds = noted
    load_ahead()
    return next(status for arguments, status in started if "forkserver" in " ".join(map(os.fsdecode, arguments)))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="blocked signals are read from /proc")
def test_ctrl_c_does_not_reach_what_loads_libraries_for_workers():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        status = process.submit(_preloading).result()
    (blocked,) = re.findall(r"^SigBlk:\s+([0-9a-f]+)$", status, re.MULTILINE)
    assert int(blocked, 16) & 1 << (signal.SIGINT - 1)


def _is_blocked(gap):
    """Return whether Ctrl-C is blocked in this worker."""
    outcome = SessionOutcome(gap.key, (), requests=0, archive_hits=0, seconds=0.0)
    return SessionRun(outcome, str(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())))


def test_a_worker_can_be_is_blocked():
    with WorkerPool(1, lambda _gap, _times: None) as pool:
        pool.start(FIRST, functools.partial(_is_blocked, FIRST))
        (run,) = pool.ended()
    assert run.run_id == "False"

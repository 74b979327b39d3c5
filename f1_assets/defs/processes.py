"""Processes that begin with their libraries loaded: forked off one that has loaded them and does nothing else."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import stat
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from importlib import import_module
from multiprocessing import forkserver, resource_tracker, util
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from f1_assets.garbage import loading_libraries

PRELOAD = "f1_assets.defs.preload"
"""The module that loads what a session needs."""

_RUNS = "f1_assets.defs.runs"
"""What of it this process needs too."""


def forked_off() -> BaseContext:
    """Return how this process starts others, with what a session needs loaded where the system can do that.

    The process that they are forked off is started with the first one, and ends after the last one.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOAD])
    return context


def load_ahead() -> None:
    """Start the process that others are forked off, if it is not there: it loads what they need meanwhile.

    Ctrl-C does not reach it, nor those that are forked off it until they unblock it: while it loads, it would end with
    a traceback.
    """
    if forked_off().get_start_method() != "forkserver":
        return
    resource_tracker.ensure_running()  # which unblocks the signal where it starts
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def load_once() -> None:
    """Load libraries into this process, and fork off it the process that others are forked off: see `load_ahead`.

    That spares a second of processor time, in which a new interpreter would load the same libraries again. It is done
    before a command opens anything: a database that is open may not be carried into another process, nor may threads.
    Where there is something of both, as in a program that calls a command, it starts an interpreter.
    """
    with loading_libraries():
        import_module(_RUNS)
    if not _may_fork():
        load_ahead()
        return
    resource_tracker.ensure_running()  # an interpreter of its own
    with _forking():
        load_ahead()


def _may_fork() -> bool:
    return sys.platform == "linux" and threading.active_count() == 1 and not _has_open_files()


def _has_open_files() -> bool:
    """Check whether this process has a file or a connection open, beside what the terminal gave it."""
    for number in _open_files():
        with contextlib.suppress(OSError):  # what lists them is closed by now
            mode = os.fstat(number).st_mode
            if number > 2 and (stat.S_ISREG(mode) or stat.S_ISSOCK(mode)):
                return True
    return False


def _open_files() -> list[int]:
    return [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]


@contextlib.contextmanager
def _forking() -> Iterator[None]:
    """Let `multiprocessing` fork where it would start an interpreter."""
    start = util.spawnv_passfds
    util.spawnv_passfds = _forked  # type: ignore[assignment]
    try:
        yield
    finally:
        util.spawnv_passfds = start


def _forked(_path: object, _arguments: Sequence[str | bytes], descriptors: Sequence[int]) -> int:
    """Fork the process that others are forked off, with these files open; return its number.

    Its files are those by which it is asked for others, and by which it knows that nobody is left to do so.
    """
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        # Its children are told of a tracker; it has none.
        tracker: Any = resource_tracker._resource_tracker
        tracker._fd = tracker._pid = None
        _close_all_but({0, 1, 2, *descriptors})
        listener, alive = descriptors
        forkserver.main(listener, alive, [PRELOAD])
    except SystemExit:
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _close_all_but(kept: set[int]) -> None:
    for number in _open_files():
        if number not in kept:
            with contextlib.suppress(OSError):
                os.close(number)

"""Processes that work on sessions side by side. Those that import them may be killed at any time.

Each worker of an import is a pool of one process: a pool of many breaks as a whole when one of its processes is killed.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from f1_assets.defs.processes import forked_off, load_ahead
from f1_assets.errors import ConfigurationError
from f1_assets.importing import SessionRun
from f1_assets.keys import SessionKey
from f1_assets.logs import set_up_logs
from f1_assets.planning import SessionGap
from f1_assets.settings import process_settings

Given = TypeVar("Given")
Result = TypeVar("Result")


@dataclass
class _Task:
    """A session that a worker imports, and how often its worker was killed in it."""

    gap: SessionGap
    run: Callable[[], SessionRun]
    worker: ProcessPoolExecutor
    losses: int = 0


class WorkerPool:
    """A pool of worker processes, each of which imports one session at a time.

    Parameters
    ----------
    size
        How many sessions are imported side by side.
    lost
        Called when a worker was killed in a session, with how often that was; gives the session's end, or None where it
        is to be imported by another worker.
    """

    def __init__(self, size: int, lost: Callable[[SessionGap, int], SessionRun | None]) -> None:
        self._lost = lost
        self._free = [_hire() for _ in range(size)]
        self._tasks: dict[Future[SessionRun], _Task] = {}

    def __enter__(self) -> Self:
        """Begin; a process starts with its first session."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        """Let what runs come to its end; after Ctrl-C end it, for it was let come to its end after the first one."""
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            _kill_all()
        for worker in (*self._free, *(task.worker for task in self._tasks.values())):
            worker.shutdown(wait=True, cancel_futures=True)

    @property
    def is_idle(self) -> bool:
        """Check whether no session is being imported."""
        return not self._tasks

    @property
    def at_work(self) -> list[SessionKey]:
        """The sessions that are being imported."""
        return [task.gap.key for task in self._tasks.values()]

    @property
    def is_busy(self) -> bool:
        """Check whether every worker has a session."""
        return not self._free

    @property
    def has_ended(self) -> bool:
        """Check whether a session has ended that `ended` would give at once."""
        return any(future.done() for future in self._tasks)

    def start(self, gap: SessionGap, run: Callable[[], SessionRun]) -> None:
        """Start a session in a free worker; `run` is what its process calls."""
        self._submit(_Task(gap, run, self._free.pop()))

    def ended(self, patience_seconds: float | None = None) -> Iterator[SessionRun]:
        """Wait until a session ends, or for so long, and give those that did."""
        done, _ = wait(self._tasks, patience_seconds, FIRST_COMPLETED)
        for future in done:
            task = self._tasks.pop(future)
            try:
                run: SessionRun | None = future.result()
            except BrokenProcessPool:
                task.worker.shutdown(wait=False)
                task.worker, task.losses = _hire(), task.losses + 1
                run = self._lost(task.gap, task.losses)
            if run is None:
                self._submit(task)
            else:
                self._free.append(task.worker)
                yield run

    def rest(self) -> Iterator[SessionRun]:
        """Wait until every session has ended, and give each as it does."""
        while not self.is_idle:
            yield from self.ended()

    def _submit(self, task: _Task) -> None:
        load_ahead()
        try:
            future = task.worker.submit(task.run)
        except BrokenProcessPool:  # it was killed while it had nothing to do
            task.worker.shutdown(wait=False)
            task.worker = _hire()
            future = task.worker.submit(task.run)
        self._tasks[future] = task


@contextlib.contextmanager
def side_by_side(size: int, act: Callable[[Given], Result]) -> Iterator[Callable[[Sequence[Given]], Iterator[Result]]]:
    """Open so many processes, and give a function that calls `act` with each of many values in them.

    It gives the results in the order of the values. `act` stores nothing: after an error, or Ctrl-C, the processes are
    killed where they are.

    Raises
    ------
    ConfigurationError
        When one of the processes was killed.
    """
    load_ahead()
    pool = _hire(size)
    try:
        yield functools.partial(pool.map, act)
    except BrokenProcessPool as error:
        advice = "Run the command again, with fewer workers where there was not enough memory."
        raise ConfigurationError("A worker's process was killed.", advice=advice) from error
    except BaseException:
        _kill_all()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _hire(size: int = 1) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(size, mp_context=forked_off(), initializer=_begin, initargs=(dict(os.environ),))


def _kill_all() -> None:
    for process in multiprocessing.active_children():
        process.kill()


def _begin(environment: dict[str, str]) -> None:
    """Let a session that is being imported come to its end after Ctrl-C, but not outlive a command that was killed.

    The process that this one was forked off may be older than the settings of the process that hired it.
    """
    os.environ.clear()
    os.environ.update(environment)
    process_settings.cache_clear()
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # a terminal sends Ctrl-C to the group of the command
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    set_up_logs(process_settings().log_format)
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

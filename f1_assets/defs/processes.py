"""Processes that begin with their libraries loaded: forked off one that has loaded them and does nothing else."""

from __future__ import annotations

import multiprocessing
import signal
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import BaseContext

PRELOAD = "f1_assets.defs.preload"
"""The module that loads what a session needs."""


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
    """Start the process that others are forked off: it loads what they need while this one does something else.

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

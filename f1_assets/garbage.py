"""Keep Python's garbage collector from looking through what stays: loaded libraries, the lines of a session's feeds."""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
from collections.abc import Iterator

RARELY = (100_000, 50, 100)
"""How many new objects, and collections of a generation, make it look: 700, 10 and 10 are Python's own."""

_lock = threading.Lock()
_blocks = 0
_usual = gc.get_threshold()


@contextlib.contextmanager
def loading_libraries() -> Iterator[None]:
    """Switch the garbage collector off while libraries are imported, and let it pass over what is there then for good.

    To look through it, then and once more when the process ends, takes a third of the time of a short command. Within
    itself, or where nothing new is imported, it does nothing.
    """
    if not gc.isenabled():
        yield
        return
    known = len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > known:
            gc.freeze()
        gc.enable()


@contextlib.contextmanager
def collecting_rarely() -> Iterator[None]:
    """Let the garbage collector look rarely while a session is loaded or extracted.

    The lines of its feeds are a hundred thousand objects that stay for a while, and are no garbage: to look through
    them as often as usual takes a twentieth of an import. Blocks of several threads may overlap.
    """
    global _blocks, _usual
    with _lock:
        if _blocks == 0:
            _usual = gc.get_threshold()
            gc.set_threshold(*RARELY)
        _blocks += 1
    try:
        yield
    finally:
        with _lock:
            _blocks -= 1
            if _blocks == 0:
                gc.set_threshold(*_usual)

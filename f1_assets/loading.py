"""Load libraries with Python's garbage collector off: what an import makes stays.

To look through it, then and once more when the process ends, takes a third of the time of a short command.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def loading_libraries() -> Iterator[None]:
    """Switch the garbage collector off while libraries are imported, and let it pass over what is there then for good.

    Within itself, or where nothing new is imported, it does nothing.
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

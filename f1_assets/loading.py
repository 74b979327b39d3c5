"""Load libraries without looking for garbage meanwhile: what an import makes stays.

To look for garbage in it, and to look again when the process ends, takes a third of the time of a short command.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def loading_libraries() -> Iterator[None]:
    """Look for no garbage while libraries are imported, nor ever in what they made; within itself it does nothing."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()

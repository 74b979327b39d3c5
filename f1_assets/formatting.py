"""How counts, shares, durations and sizes are written: alike in the terminal, on pages, in checks and in Slack."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def counted(number: float, word: str | None = None, several: str | None = None) -> str:
    """Write a count, with its word where one is given: ``1,204``, ``1 lap``, ``3 tries``."""
    if word is None:
        return f"{number:,}"
    return f"{number:,} {word if number == 1 else several or f'{word}s'}"


def percent(share: float | None) -> str:
    """Write a share from 0 to 1 so that 100 % is said only of what is whole; a dash where there is nothing to share."""
    if share is None:
        return "–"
    if share >= 1:
        return "100 %"
    return f"{min(int(share * 1000), 999) / 10:.1f} %"


def duration(seconds: float) -> str:
    """Write a duration as people say it: ``8 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def size(number_of_bytes: float) -> str:
    """Write a size: ``512 B``, ``1.4 kB``, ``2.0 GB``."""
    for unit, word in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")):
        if number_of_bytes >= unit:
            return f"{number_of_bytes / unit:.1f} {word}"
    return f"{number_of_bytes:,} B"


def did_you_mean(written: str, names: Iterable[str]) -> str:
    """Return ``Did you mean laps?`` with the names that are close to what was written; nothing where none is.

    Parameters
    ----------
    written
        What there is not.
    names
        What there is.
    """
    by_folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(written[:60].casefold().replace("-", "_"), by_folded, n=3)
    *others, last = [by_folded[each] for each in close] or [""]
    return f"Did you mean {' or '.join(filter(None, (', '.join(others), last)))}?" if last else ""

"""What runs now, read for the bar of the terminal as the board reads it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from f1_assets.board.caches import CachedCosts
from f1_assets.context import Context
from f1_assets.errors import F1AssetsError
from f1_assets.importing import Selection
from f1_assets.planning.running import RunningImport, running_import
from f1_assets.quota.outlook import QuotaNow

READ_AFTER_SECONDS = 2.0
"""The bar is drawn ten times a second; the warehouse is read less often."""


class RunningFigures:
    """Reads the figures of the running import.

    Parameters
    ----------
    context
        Whose warehouse and quota.
    selection
        What the import is about.
    workers
        Sessions side by side.
    """

    def __init__(self, context: Context, selection: Selection, workers: int) -> None:
        self._context, self._selection, self._workers = context, selection, workers
        self._costs = CachedCosts(context)
        self._read_at, self._last = float("-inf"), None

    _last: RunningImport | None

    def __call__(self) -> RunningImport | None:
        """Return what runs, as of some seconds ago at most; None where it cannot be read."""
        if time.monotonic() - self._read_at >= READ_AFTER_SECONDS:
            try:
                self._last = self._read()
            except F1AssetsError:  # the import says what is wrong with the database; a bar does not end it
                self._last = None
            self._read_at = time.monotonic()
        return self._last

    def _read(self) -> RunningImport:
        context, now = self._context, datetime.now(UTC)
        states = self._selection.states(context.warehouse, now)
        report = self._costs.report(tuple(self._selection.seasons), states, now)
        alive_in = context.settings.alive_folder
        return running_import(context.warehouse, alive_in, {}, report, QuotaNow(context.ledger, now), self._workers)

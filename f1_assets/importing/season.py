"""Import whole seasons: refresh the calendar, find the gaps, fill them one session after the other, and say what came.

How a session is run is handed in: the library runs it here, the command as a Dagster run.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import time
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from f1_assets.context import Context
from f1_assets.errors import ConfigurationError, QuotaExhausted
from f1_assets.health.notifications import import_message, slack_channel
from f1_assets.importing.calendar import CalendarRefresh, refresh_calendars
from f1_assets.importing.derivation import Derivation
from f1_assets.importing.pauses import Pauses, waiting_for
from f1_assets.importing.recovery import recover
from f1_assets.importing.selection import Renewal, Selection
from f1_assets.importing.sessions import SessionOutcome, done_since, fill
from f1_assets.importing.summary import ImportSummary
from f1_assets.importing.sweep import sweep_lake
from f1_assets.planning import SessionGap, dataset_states, gaps_of, outdated_of
from f1_assets.planning.plan import in_turn
from f1_assets.warehouse import Extraction, Warehouse
from f1_assets.warehouse.leases import Leases
from f1_assets.warehouse.progress import PublishedProgress

if TYPE_CHECKING:
    from f1_assets.keys import SessionKey


logger = logging.getLogger(__name__)

LOOKED_AT_AGAIN_SECONDS = 1.0
"""After this time it is looked again whether another import has come to its end."""


@dataclass(frozen=True)
class SessionRun:
    """A session's outcome, and its Dagster run.

    `error` is why the run ended before its time; `warning` is what went wrong when all datasets had their end.
    """

    outcome: SessionOutcome
    run_id: str | None = None
    error: str | None = None
    warning: str | None = None


class Watcher:
    """Is told how an import goes. This one shows nothing."""

    def refreshed(self, refresh: CalendarRefresh) -> None:
        """Hear that a season's calendar was refreshed."""

    def warned(self, message: str) -> None:
        """Hear of something that went wrong and does not stop the import."""

    def computed(self, line: Extraction) -> None:
        """Hear that a derived dataset of a session was computed, or failed."""

    def began(self, gaps: Sequence[SessionGap]) -> None:
        """Hear what will be imported."""

    def paused(self, what: str, spent: QuotaExhausted, seconds_left: float) -> None:
        """Hear that a session, or a season's calendar, waits for the quota; several times a second."""

    def ended(self, run: SessionRun) -> None:
        """Hear that a session was imported, or failed."""

    def interrupted(self, keys: Sequence[SessionKey]) -> None:
        """Hear of Ctrl-C, and which sessions come to their end all the same."""


class Runner(Protocol):
    """Runs the import of sessions, at most `workers` side by side, and gives each as it ends.

    Where `gaps` gives None, other imports have leased all that is left: ask again a little later.
    `reserve` is called before each starts; it gives its reservation, or raises `AskAgain` or `QuotaExhausted` where the
    quota is spent.
    `lease` is the name under which the sessions are leased.
    `meanwhile` does a piece of other work, where there is one: it is called when no session can be started.
    """

    def __call__(
        self,
        gaps: Iterable[SessionGap | None],
        workers: int,
        reserve: Callable[[SessionGap], str | None],
        lease: str,
        meanwhile: Callable[[], bool],
    ) -> Generator[SessionRun, None, None]:
        """Run them."""


def run_here(context: Context) -> Runner:
    """Return what runs the sessions one after the other in this process, without Dagster."""

    def run(
        gaps: Iterable[SessionGap | None],
        workers: int,
        reserve: Callable[[SessionGap], str | None],
        lease: str,
        meanwhile: Callable[[], bool],
    ) -> Generator[SessionRun, None, None]:
        for gap in gaps:
            if gap is None:
                time.sleep(LOOKED_AT_AGAIN_SECONDS)
                continue
            reservation = waiting_for(functools.partial(reserve, gap))
            yield SessionRun(fill(context, gap, reservation=reservation))
            while meanwhile():
                pass

    return run


def import_selection(
    context: Context,
    selection: Selection,
    run: Runner,
    watcher: Watcher | None = None,
    *,
    workers: int = 1,
    waits: bool = True,
    max_requests: int | None = None,
    notify: bool = False,
) -> ImportSummary:
    """Refresh the calendars of a selection, find its gaps, and fill them; extract again what is outdated.

    What is derived from a session's rows is computed while the next ones are imported; what else is due, at the end.

    Parameters
    ----------
    context
        Whom to ask, and where to store it.
    selection
        What to import.
    run
        How a session is run.
    watcher
        Told how it goes.
    workers
        Sessions side by side.
    waits, max_requests, notify
        See `import_season`.
    """
    watcher, started = watcher or Watcher(), time.perf_counter()
    settings, warehouse = context.settings, context.warehouse
    recover(context)
    summary = ImportSummary(tuple(selection.seasons))
    progress = PublishedProgress(settings.alive_folder, uuid.uuid4().hex)

    def paused(what: str, spent: QuotaExhausted, seconds_left: float) -> None:
        progress.paused(what, spent.retry_at)
        watcher.paused(what, spent, seconds_left)

    pauses = Pauses(context, waits, max_requests, paused)
    # What the archive alone gives again needs no request, nor a calendar that is fresher than the rows.
    seasons = () if selection.renewal is Renewal.ARCHIVE else selection.seasons
    for refresh in refresh_calendars(context, seasons, warned=watcher.warned, insist=pauses.insist):
        summary.season_requests += refresh.requests
        watcher.refreshed(refresh)
    began_at = datetime.now(UTC)
    gaps, outdated = selection.gaps(warehouse, began_at)
    watcher.began([*gaps, *outdated])
    missing = sum(len(gap.datasets) for gap in gaps)
    logger.info("gaps: %d datasets of %d sessions are missing in %s", missing, len(gaps), summary.seasons)
    with Leases(warehouse, progress.owner, settings.alive_folder) as leases, progress:
        progress.began(gap.key for gap in (*outdated, *gaps))
        derivation = Derivation(warehouse, selection, leases, watcher.computed)

        def note(session_run: SessionRun) -> bool:
            watcher.ended(session_run)
            progress.ended(session_run.outcome.key)
            summary.outcomes.append(session_run.outcome)
            if session_run.error is None:
                derivation.later(session_run.outcome.key)
            else:
                leases.release(session_run.outcome.key)
                derivation.leave()
            if (stopped_by := _stops(session_run)) is not None:
                summary.stopped_by, summary.exit_code = stopped_by, ConfigurationError.exit_code
            return stopped_by is None

        # What the archive gives costs nothing, and comes before what may wait for the quota.
        for wanted in (outdated, gaps):
            if summary.exit_code or not wanted:
                continue
            turns = in_turn(wanted, workers, is_limited=max_requests is not None)
            free = _unleased(context, turns, leases, selection.renewal, began_at)
            try:
                with contextlib.closing(run(free, workers, pauses.reserve, leases.owner, derivation.next)) as runs:
                    _note_each(runs, note)
            except QuotaExhausted as spent:
                summary.stopped_by, summary.exit_code = str(spent), spent.exit_code
            # An import that stops leaves nothing of what it brought to be computed.
            while derivation.next():
                pass
        if summary.exit_code != ConfigurationError.exit_code:
            derivation.rest()
            summary.waiting = derivation.waiting()
        summary.computed = derivation.computed
    for words in summary.waiting:
        watcher.warned(words)
    try:
        sweep_lake(warehouse)
    except (OSError, ConfigurationError) as error:
        watcher.warned(f"Leftovers in the lake were not looked for: {error}")
    summary.paused_seconds, summary.pauses = pauses.seconds, pauses.count
    summary.seconds = time.perf_counter() - started
    has_failed = any(outcome.failed for outcome in summary.outcomes) or any(line.failed for line in summary.computed)
    if not summary.exit_code and (has_failed or summary.waiting):
        summary.exit_code = 1
    logger.info("report: %s; %d requests, %.1f s", summary.counts_in_words, summary.requests, summary.seconds)
    if notify and (channel := slack_channel(settings, watcher.warned)) is not None:
        channel.post(import_message(summary, settings.announced_board_url))
    return summary


def _note_each(runs: Generator[SessionRun, None, None], note: Callable[[SessionRun], bool]) -> None:
    """Note each session as it ends, until that says to stop.

    Ctrl-C may come while one is noted: `runs` has the sessions that are at work, and answers it there too.
    """
    session_run = next(runs, None)
    while session_run is not None:
        try:
            goes_on = note(session_run)
        except KeyboardInterrupt as interrupt:
            session_run = runs.throw(interrupt)
            continue
        session_run = next(runs, None) if goes_on else None


def _stops(run: SessionRun) -> str | None:
    """Return what stops the whole import: a problem of all sessions is reported once, and the others wait."""
    if run.error is not None:
        return run.error
    blocked = next((line for line in run.outcome.datasets if line.is_blocked), None)
    return blocked.reason if blocked is not None else None


def _unleased(
    context: Context,
    gaps: Sequence[SessionGap],
    leases: Leases,
    renewal: Renewal | None,
    began_at: datetime,
) -> Iterator[SessionGap | None]:
    """Yield the gaps that no other import has leased, and None where others have all that is left.

    It never waits itself: whoever asks may have sessions of its own that end meanwhile.
    """
    waiting, warehouse = list(gaps), context.warehouse
    while waiting:
        held_by_others: list[SessionGap] = []
        for gap in waiting:
            if _still_due(gap, warehouse, renewal, began_at) is None:
                continue
            if not leases.take(gap.key):
                held_by_others.append(gap)
            elif (left := _still_due(gap, warehouse, renewal, began_at)) is not None:
                yield left
            else:
                leases.release(gap.key)
        if held_by_others:
            yield None
            recover(context)
        waiting = held_by_others


def _still_due(gap: SessionGap, warehouse: Warehouse, renewal: Renewal | None, began_at: datetime) -> SessionGap | None:
    """Narrow a gap to what no other import has stored meanwhile; None when nothing is left."""
    if renewal is not None:
        done = done_since(warehouse, gap.key, began_at)
        names = tuple(name for name in gap.datasets if name not in done)
        return replace(gap, datasets=names) if names else None
    states = dataset_states(warehouse, [gap.key.season], key=gap.key)
    found = outdated_of(states) if gap.from_archive else gaps_of(states)
    names = tuple(name for name in gap.datasets if found and name in found[0].datasets)
    return replace(gap, datasets=names, renew=found[0].renew) if names else None

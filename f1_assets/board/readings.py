"""Readings of the board at the present time: the warehouse, the quota, and the plan that follows from both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module

from f1_assets.board.caches import CachedCosts, CachedStates
from f1_assets.board.charts import CachedCharts, ShownChart
from f1_assets.board.chosen import Chosen
from f1_assets.board.overview import (
    AmendedValue,
    Failure,
    SeasonRow,
    event_names,
    failures_of,
    latest_amendments,
    season_rows,
)
from f1_assets.board.season import SeasonFilter, SeasonView, season_view
from f1_assets.board.session import SessionView, session_view
from f1_assets.context import Context
from f1_assets.datasets import named, season_datasets_named
from f1_assets.keys import SessionKey
from f1_assets.planning import DatasetState, GapReport, build_processing_plan
from f1_assets.planning.plan_document import PlanDocument, plan_document
from f1_assets.planning.running import RunningImport, running_import
from f1_assets.planning.season_states import season_states
from f1_assets.plots import season_charts, session_charts
from f1_assets.quota.outlook import QuotaNow
from f1_assets.quota.windows import PolicyStatus
from f1_assets.warehouse import Status
from f1_assets.warehouse.calendar import events_of, refreshes_of


@dataclass(frozen=True)
class Overview:
    """All that the first page shows."""

    made_at: datetime
    seasons: tuple[SeasonRow, ...]
    quota: tuple[PolicyStatus, ...]
    plan: PlanDocument
    running: RunningImport
    failures: tuple[Failure, ...]
    amendments: tuple[AmendedValue, ...]


class Readings:
    """Reads what the pages show; no reading writes.

    Parameters
    ----------
    context
        Which warehouse, quota and datasets.
    clock
        Gives the present.

    Raises
    ------
    ConfigurationError
        When the database cannot be used.
    """

    def __init__(self, context: Context, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.settings, self.warehouse = context.settings, context.warehouse
        self._now = clock
        self._by_itself = self.settings.autostart
        self._ledger = context.ledger
        self._states = CachedStates(self.warehouse, named(self.settings.datasets))
        self._costs = CachedCosts(context)
        self._charts = CachedCharts()
        # FastF1 takes a second, and what reads telemetry some time too: the first page should not wait for them.
        imports = ThreadPoolExecutor(1, thread_name_prefix="imports")
        imports.submit(lambda: context.transport)
        imports.submit(import_module, "pyarrow.dataset")
        imports.shutdown(wait=False)

    def overview(self) -> Overview:
        """Return the first page."""
        now, calendars = self._now(), refreshes_of(self.warehouse)
        states, names = self._states.read(calendars, now), event_names(self.warehouse)
        quota = QuotaNow(self._ledger, now)
        return Overview(
            made_at=now,
            seasons=season_rows(calendars, states, now),
            quota=quota.policies,
            plan=self._plan(tuple(calendars), states, quota, now),
            running=self._running(self._costs.report(tuple(calendars), states, now), names, quota),
            failures=failures_of(states, names, now, by_itself=self._by_itself),
            amendments=latest_amendments(self.warehouse, names),
        )

    def running(self) -> RunningImport:
        """Return what is being imported, and how far it is."""
        now, seasons = self._now(), tuple(self.known_seasons())
        report = self._costs.report(seasons, self._states.read(seasons, now), now)
        return self._running(report, event_names(self.warehouse), QuotaNow(self._ledger, now))

    def seasons(self) -> tuple[SeasonRow, ...]:
        """Return a row per season."""
        now, calendars = self._now(), refreshes_of(self.warehouse)
        return season_rows(calendars, self._states.read(calendars, now), now)

    def known_seasons(self) -> list[int]:
        """Return the seasons whose calendar is there."""
        return sorted(refreshes_of(self.warehouse))

    def season(self, season: int, only: SeasonFilter) -> SeasonView:
        """Return a season as a filter leaves it.

        Raises
        ------
        UsageError
            When the warehouse has no calendar of the season, or there is no dataset of a name.
        """
        return self._season(season, only)[0]

    def season_and_plan(self, season: int, only: SeasonFilter) -> tuple[SeasonView, PlanDocument]:
        """Return a season as a filter leaves it, and the plan of all of it, from the same look; see `season`."""
        view, states = self._season(season, only)
        quota = QuotaNow(self._ledger, view.made_at)
        return view, self._plan((season,), states, quota, view.made_at)

    def _season(self, season: int, only: SeasonFilter) -> tuple[SeasonView, Sequence[DatasetState]]:
        named(only.datasets)
        now = self._now()
        states = self._states.read((season,), now)
        over_season = season_states(self.warehouse, [season], season_datasets_named(self.settings.datasets), now)
        view = season_view(self.warehouse, season, states, now, only, over_season, by_itself=self._by_itself)
        return view, states

    def session(self, key: SessionKey) -> SessionView:
        """Return a session; `UsageError` when the calendar does not have it."""
        now = self._now()
        states = [state for state in self._states.read((key.season,), now) if state.key == key]
        return session_view(self.warehouse, key, states, now, by_itself=self._by_itself)

    def charts(self, key: SessionKey, chosen: Chosen, *, drawn: bool) -> tuple[ShownChart, ...] | None:
        """Return the charts of a session, of the drivers and laps that are chosen.

        Parameters
        ----------
        key
            Which session.
        chosen
            Of whom.
        drawn
            Whether to draw them, which takes a second, where they are not drawn yet; None is returned otherwise.

        Raises
        ------
        UsageError
            When a chart does not have one of the drivers.
        """
        lines = self.warehouse.extractions(key)
        stored = tuple((line.dataset, line.status, line.digest, line.extracted_at) for line in lines)
        page = (key, chosen.drivers, chosen.compared)
        if not drawn and any(line.status is Status.PRESENT for line in lines):
            return self._charts.known(page, stored)
        return self._charts.read(
            page,
            stored,
            lambda: session_charts(self.warehouse, key, drivers=chosen.drivers, laps=chosen.compared),
        )

    def standings_charts(self, season: int) -> tuple[ShownChart, ...]:
        """Return the charts of the championships of a season, of the rows that are stored."""
        stored = self._states.fingerprint(season)
        return self._charts.read(season, stored, lambda: season_charts(self.warehouse, season))

    def quota(self) -> tuple[PolicyStatus, ...]:
        """Return every policy of the quota; none where a recording answers."""
        return QuotaNow(self._ledger, self._now()).policies

    def plan(self, season: int) -> PlanDocument:
        """Return the plan of a season; `UsageError` when the warehouse has no calendar of it."""
        return self.season_and_plan(season, SeasonFilter())[1]

    def failures(self) -> tuple[Failure, ...]:
        """Return all that failed, of every season, the latest try first."""
        now = self._now()
        states = self._states.read(self.known_seasons(), now)
        return failures_of(states, event_names(self.warehouse), now, by_itself=self._by_itself)

    def amendments(self) -> tuple[AmendedValue, ...]:
        """Return all that changed upstream after it was imported, the latest change first."""
        return latest_amendments(self.warehouse, event_names(self.warehouse))

    def examples(self) -> dict[str, str]:
        """Return a season and a session that are there, to try the API with."""
        known = self.known_seasons()
        events = events_of(self.warehouse, known[-1]) if known else []
        keys = [str(listed.key) for event in events for listed in event.sessions]
        return {"year": str(known[-1]) if known else "2024", "key": keys[0] if keys else "2024-03-Q"}

    def _running(self, report: GapReport, names: Mapping[str, str], quota: QuotaNow) -> RunningImport:
        alive_in, workers = self.settings.alive_folder, self.settings.workers
        return running_import(self.warehouse, alive_in, names, report, quota, workers)

    def _plan(
        self, seasons: tuple[int, ...], states: Sequence[DatasetState], quota: QuotaNow, now: datetime
    ) -> PlanDocument:
        report, workers = self._costs.report(seasons, states, now), self.settings.workers
        return plan_document(build_processing_plan(report, outlook=quota.windows, workers=workers), seasons)

"""``gaps``, ``plan`` and ``retry``: what is missing, what would be done about it, and to have it asked for again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.text import Text

from f1_assets.cli.console import Table, out
from f1_assets.cli.options import AsJson, Seasons
from f1_assets.cli.output import STYLES, print_json, program, why
from f1_assets.cli.tables import print_table
from f1_assets.context import Context
from f1_assets.datasets import named
from f1_assets.formatting import counted, percent
from f1_assets.importing.forget import forget_failures
from f1_assets.keys import SeasonKey, SessionKey, parse_key, parse_seasons
from f1_assets.planning import GapReport, SessionGap, build_processing_plan
from f1_assets.planning.costs import gap_report
from f1_assets.quota.outlook import quota_outlook
from f1_assets.warehouse import Status
from f1_assets.warehouse.calendar import no_calendar

if TYPE_CHECKING:
    from f1_assets.fetch.estimates import RequestCost

commands = typer.Typer()

_SEASONS_IN_DETAIL = 2
"""Of so many seasons the race weekends are listed; of more, a line a season."""


@commands.command()
def gaps(seasons: Seasons, as_json: AsJson = False) -> None:
    """Report what should be in the warehouse and is not."""
    context = Context.open()
    report = _report(seasons, context)
    if as_json:
        print_json(_report_document(report))
        return
    table = _table("season", "complete", "sessions to load", "requests", "failed", "not there upstream", "upcoming")
    for season in report.seasons:
        table.add_row(*_season_row(report, season))
    print_table(table)
    if len(report.seasons) <= _SEASONS_IN_DETAIL:
        _print_weekends(report, context)
        _print_failed(report)
    if report.sessions_outdated:
        sessions = counted(len(report.sessions_outdated), "session")
        out().print(f"Rows of an older version of their dataset in {sessions}: import takes them from the archive.")
    loads, requests = counted(report.total_api_calls_needed, "session"), counted(report.requests_needed, "request")
    if report.total_api_calls_needed or report.sessions_outdated:
        fill = f"{program()} import {seasons.replace(' ', '')}"
        out().print(f"{loads} to load, {requests}. To fill the gaps: {fill}")
    elif not _without_calendar(report):
        out().print("Nothing is missing that can be asked for now.")
    _say_without_calendar(report)


@commands.command()
def plan(
    seasons: Seasons,
    max_requests: Annotated[int | None, typer.Option(min=0, help="Spend at most so many requests.")] = None,
    max_sessions: Annotated[int | None, typer.Option(min=0, help="Load at most so many sessions.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what would be imported, in which order, its cost, and when it would be complete."""
    context = Context.open()
    report = _report(seasons, context)
    made = build_processing_plan(
        report,
        max_sessions,
        max_requests=max_requests,
        outlook=quota_outlook(context.ledger),
        workers=context.settings.workers,
    )
    if as_json:
        from f1_assets.planning.plan_document import plan_document

        document = asdict(plan_document(made, report.seasons))
        print_json({**document, "without_calendar": _without_calendar(report)})
        return
    if not made.sessions:
        beyond = f"; {counted(len(made.left_out), 'session')} would cost more than it may" if made.left_out else ""
        out().print(f"Nothing to import now{beyond}.{_what_is_next(report)}")
        _say_without_calendar(report)
        return
    table = _table("round", "event", "sessions", "requests", "starts (UTC)")
    for weekend in made.weekends:
        first, cost = weekend.sessions[0], _sum([planned.cost for planned in weekend.sessions])
        table.add_row(
            first.key.event_key,
            weekend.event,
            _sessions_in_words([SessionGap(planned.key, planned.datasets) for planned in weekend.sessions], context),
            _cost(cost),
            "now" if first.after_pause == 0 else f"{first.starts_at:%m-%d %H:%M}, after pause {first.after_pause}",
        )
    print_table(table)
    out().print(f"{counted(made.session_loads, 'session')}, {_cost(made.cost)} requests; {made.fits_now} fit now.")
    for number, pause in enumerate(made.pauses[:5], 1):
        out().print(f"Pause {number}: {pause.begins_at:%m-%d %H:%M} to {pause.ends_at:%m-%d %H:%M} UTC, for the quota")
    if len(made.pauses) > 5:
        out().print(f"... and {len(made.pauses) - 5} more pauses")
    if made.left_out:
        out().print(f"Left out, beyond what it may spend: {counted(len(made.left_out), 'session')}")
    else:
        out().print(f"Complete at about {made.complete_at:%Y-%m-%d %H:%M} UTC.")
    _say_without_calendar(report)


@commands.command()
def retry(
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="Sessions, 2024-03-Q, or seasons, 2024.")],
    datasets: Annotated[list[str] | None, typer.Option("--dataset", help="Only this dataset.")] = None,
    as_json: AsJson = False,
) -> None:
    """Forget failures and "unavailable" of these sessions, so that they are asked for again."""
    context, wanted = Context.open(), [parse_key(key) for key in keys]
    named(datasets)  # a name that does not exist is refused before anything is forgotten
    forgotten = {key: forget_failures(context, key, datasets) for key in dict.fromkeys(wanted)}
    if as_json:
        print_json({"forgotten": {str(key): number for key, number in forgotten.items()}})
        return
    for key, number in forgotten.items():
        if not number:
            out().print(f"{key}: nothing failed and nothing was found unavailable; there is nothing to forget.")
            continue
        again = f"{program()} import {key.season}{_selecting(key)}"
        out().print(f"{key}: {counted(number, 'dataset')} will be asked for again. To do it now: {again}")


def _selecting(key: SessionKey) -> str:
    """Return the options with which `import` takes this session alone; none for a season."""
    if isinstance(key, SeasonKey):
        return ""
    return f" --session {key.session}" if key.is_test else f" --round {key.round} --session {key.session}"


def _report(seasons: str, context: Context) -> GapReport:
    return gap_report(context, parse_seasons(seasons), named(context.settings.datasets))


def _without_calendar(report: GapReport) -> list[int]:
    known = {state.key.season for state in report.states}
    return [season for season in report.seasons if season not in known]


def _say_without_calendar(report: GapReport) -> None:
    """Name the seasons of which nobody can say what is missing."""
    if unknown := _without_calendar(report):
        words = no_calendar(", ".join(map(str, unknown)))
        out().print(f"{words}. Until then nothing is known to be missing there.")


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, header_style="bold")
    for name in columns:
        left = name in ("event", "sessions", "what is missing", "dataset", "why, and what next", "starts (UTC)")
        table.add_column(name, justify="left" if left else "right")
    return table


def _season_row(report: GapReport, season: int) -> Iterator[str]:
    states = [state for state in report.states if state.key.season == season]
    mine = GapReport((season,), report.now, tuple(states))
    loads = [gap.key for gap in mine.sessions_with_gaps]
    yield str(season)
    yield percent(mine.completeness) if states else "no calendar"
    yield f"{len(loads):,}"
    yield f"{sum(report.costs[key].usual for key in loads):,}"
    yield f"{mine.counts[Status.FAILED] + mine.counts[Status.BLOCKED_AUTH]:,}"
    yield f"{mine.counts[Status.UNAVAILABLE]:,}"
    yield f"{len({state.key for state in states if state.status is Status.UPCOMING}):,}"


def _print_weekends(report: GapReport, context: Context) -> None:
    if not report.sessions_with_gaps:
        return
    table = _table("round", "event", "what is missing", "requests")
    for event_key, group in groupby(report.sessions_with_gaps, lambda gap: gap.key.event_key):
        listed = list(group)
        name = report.sessions[listed[0].key][0].name
        cost = _cost(_sum([report.costs[gap.key] for gap in listed]))
        table.add_row(event_key, name, _sessions_in_words(listed, context), cost)
    print_table(table)


def _print_failed(report: GapReport) -> None:
    if not report.failed:
        return
    table = _table("session", "dataset", "why, and what next")
    # One problem for all datasets of a session is printed once.
    for (key, status, words), group in groupby(report.failed, lambda state: (state.key, state.status, why(state))):
        datasets = ", ".join(state.dataset for state in group)
        table.add_row(str(key), Text(datasets, style=STYLES[status]), words)
    print_table(table)


def _what_is_next(report: GapReport) -> str:
    upcoming = {state.key for state in report.states if state.status is Status.UPCOMING}
    if not upcoming:
        return ""
    key, (_, session) = min(
        ((key, known) for key, known in report.sessions.items() if key in upcoming), key=lambda item: item[1][1].end
    )
    ends = f"{session.end:%Y-%m-%d %H:%M} UTC"
    return f" To come: {counted(len(upcoming), 'session')}, first {key}, which ends {ends}."


def _sessions_in_words(listed: Sequence[SessionGap], context: Context) -> str:
    """Write sessions together that lack the same: ``FP1 FP2: everything; R: laps, weather``."""
    words: dict[str, list[str]] = {}
    for gap in listed:
        words.setdefault(_datasets_in_words(gap, context), []).append(gap.key.session)
    return "; ".join(f"{' '.join(sessions)}: {what}" for what, sessions in words.items())


def _datasets_in_words(gap: SessionGap, context: Context) -> str:
    wanted = [dataset for dataset in named(context.settings.datasets) if not dataset.is_derived]
    applicable = [dataset.name for dataset in wanted if dataset.why_not_applicable(gap.key, True) is None]
    return "everything" if set(gap.datasets) >= set(applicable) else ", ".join(gap.datasets)


def _sum(costs: Sequence[RequestCost]) -> RequestCost:
    total = costs[0]
    for cost in costs[1:]:
        total += cost
    return total


def _cost(cost: RequestCost) -> str:
    spread = f" ({cost.least:,} to {cost.most:,})" if cost.least != cost.most else ""
    return f"{cost.usual:,}{spread}"


def _report_document(report: GapReport) -> Mapping[str, Any]:
    states = {(state.key, state.dataset): state for state in report.states}
    return {
        "seasons": report.seasons,
        "made_at": report.now,
        "without_calendar": _without_calendar(report),
        "completeness": None if report.completeness is None else round(report.completeness, 4),
        "counts": {str(status): number for status, number in report.counts.items()},
        "missing_races": report.missing_races,
        "missing_sessions": report.missing_sessions,
        "sessions_with_gaps": [
            {
                "key": str(gap.key),
                "event": report.sessions[gap.key][0].name,
                "datasets": {
                    name: {"status": str(states[gap.key, name].status), "reason": states[gap.key, name].reason}
                    for name in gap.datasets
                },
                "requests": asdict(report.costs[gap.key]),
            }
            for gap in report.sessions_with_gaps
        ],
        "waiting": [
            {
                "key": str(state.key),
                "dataset": state.dataset,
                "status": str(state.status),
                "reason": state.reason,
                "next_try_at": state.next_try_at,
                "given_up": state.is_given_up,
            }
            for state in report.waiting
        ],
        "total_api_calls_needed": report.total_api_calls_needed,
        "requests_needed": report.requests_needed,
    }

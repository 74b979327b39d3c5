"""Health of the data: what waits for an operator, what a refused account blocks, what is new, who read it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from importlib.metadata import version

from f1_assets.formatting import counted
from f1_assets.health.newest import newest_session
from f1_assets.health.parts import Condition, Part
from f1_assets.planning import DatasetState
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.statistics import stored_lines

LATE_AFTER = timedelta(hours=3)
"""So long after its end something of a session should be there."""

_NAMED = 3
"""So many are named; the others are counted."""


def failures_part(states: Sequence[DatasetState], now: datetime) -> Part:
    """Return what failed too often and waits for an operator, and what the next import tries again."""
    given_up = [state for state in states if state.is_given_up]
    again = [state for state in states if state.status is Status.FAILED and state.next_try_at is not None]
    if not given_up and not again:
        return Part("failures", Condition.OK, "Nothing failed.")
    if not given_up:
        return Part(
            "failures", Condition.OK, f"{_tried_again(again, now)}: {_listed(again)}.", _where_the_error_is(again)
        )
    keys = list(dict.fromkeys(str(state.key) for state in given_up))
    verb = "waits" if len(given_up) == 1 else "wait"
    why = f"{counted(len(given_up), 'dataset')} {verb} for an operator: {_listed(given_up)}"
    also = f"; {_tried_again(again, now)}" if again else ""
    shown = " ".join(keys[:_NAMED]) + (" ..." if len(keys) > _NAMED else "")
    what = f"{_where_the_error_is(given_up)}; f1-assets retry {shown} asks again"
    return Part("failures", Condition.WARNING, f"{why}{also}.", what)


def _tried_again(again: Sequence[DatasetState], now: datetime) -> str:
    """Return that the next import tries what failed again: without a daemon nothing is tried by itself."""
    first = min(state.next_try_at for state in again if state.next_try_at is not None)
    after = f" after {first:%Y-%m-%d %H:%M} UTC" if first > now else ""
    return f"{counted(len(again), 'dataset')} failed, and the next import{after} tries again"


def _where_the_error_is(failed: Sequence[DatasetState]) -> str:
    return f"f1-assets status {failed[0].key} shows the error"


def blocked_part(warehouse: Warehouse, states: Sequence[DatasetState]) -> Part:
    """Return what waits because the Formula 1 account was refused, with what F1 answered last and what to do."""
    blocked = [state for state in states if state.status.needs_operator]
    if not blocked:
        return Part("refusals", Condition.OK, "Nothing waits for the Formula 1 account.")
    sessions = len({state.key for state in blocked})
    latest = max(blocked, key=lambda state: state.tried_at.timestamp() if state.tried_at else 0.0)
    (record,) = [line for line in warehouse.extractions(latest.key) if line.dataset == latest.dataset]
    from f1_assets.fetch.account import WHAT_TO_DO

    # Before schema 0011 the advice was in the reason alone.
    said = record.error if record.advice else record.reason
    words = f"{counted(len(blocked), 'dataset')} of {counted(sessions, 'session')} wait for the Formula 1 account"
    reason = f"{words}: {said.rstrip('.')}." if said else f"{words}."
    return Part("refusals", Condition.FAILING, reason, record.advice or WHAT_TO_DO)


def newest_part(warehouse: Warehouse, states: Sequence[DatasetState], now: datetime) -> Part:
    """Return whether something of the newest session is there."""
    if not states:
        words = "The warehouse has no calendar yet, so that nobody can say what is missing."
        return Part("newest session", Condition.WARNING, words, "f1-assets calendar SEASONS")
    newest = newest_session(warehouse, states, now)
    if newest is None:
        return Part("newest session", Condition.OK, "The calendar has no session that has ended.")
    there = f"{newest.present} of {newest.expected} datasets are there"
    words = f"{newest.key} ended {newest.ended_at:%Y-%m-%d %H:%M} UTC; {there}."
    if newest.present == 0 and now - newest.ended_at > LATE_AFTER:
        what = f"f1-assets import {newest.key.season}; f1-assets ui keeps it complete by itself"
        return Part("newest session", Condition.WARNING, words, what)
    return Part("newest session", Condition.OK, words)


def fastf1_part(warehouse: Warehouse) -> Part:
    """Hold FastF1's version against those that read what is stored."""
    installed = version("fastf1")
    with reading(warehouse.engine) as connection:
        lines = stored_lines(connection, ())
    counts: Counter[str] = Counter()
    for line in lines:
        counts[line.fastf1_version or "an unknown version"] += line.lines
    others = {name: number for name, number in counts.items() if name != installed}
    if not others:
        return Part("FastF1", Condition.OK, f"Version {installed}, which read all that is stored.")
    words = ", ".join(f"{number:,} by {name}" for name, number in sorted(others.items()))
    reason = f"Version {installed}; session-datasets that were extracted by another: {words}."
    if any(_numbers(name) > _numbers(installed) for name in others):
        return Part("FastF1", Condition.WARNING, reason, "Upgrade FastF1 here: another machine has a newer one.")
    return Part("FastF1", Condition.OK, reason)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text)[:3])


def _listed(states: Iterable[DatasetState]) -> str:
    listed = list(states)
    named = "; ".join(f"{state.key} {state.dataset} ({_short(state.reason)})" for state in listed[:_NAMED])
    return f"{named}; and {len(listed) - _NAMED:,} more" if len(listed) > _NAMED else named


def _short(reason: str | None) -> str:
    words = " ".join((reason or "no reason was noted").split())
    return words if len(words) <= 100 else f"{words[:99]}…"

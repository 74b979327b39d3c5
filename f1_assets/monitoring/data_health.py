"""Health of the data: what waits for a person, what the account's refusal blocks, what is new, who read it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from importlib.metadata import version

from f1_assets.monitoring.newest import newest_session
from f1_assets.monitoring.parts import Condition, Part
from f1_assets.planning import DatasetState
from f1_assets.warehouse import Status, Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.statistics import stored_lines

LATE_AFTER = timedelta(hours=3)
"""So long after its end something of a session should be there."""

_NAMED = 3
"""So many are named; the others are counted."""


def failures_part(states: Sequence[DatasetState]) -> Part:
    """Tell what failed too often and waits for a person, and what is tried again by itself."""
    given_up = [state for state in states if state.is_given_up]
    again = [state for state in states if state.status is Status.FAILED and state.next_try_at is not None]
    first = min((state.next_try_at for state in again if state.next_try_at is not None), default=None)
    by_itself = f"{_datasets(len(again))} failed and {_is(len(again))} tried again by itself" if again else ""
    by_itself += f", first after {first:%Y-%m-%d %H:%M} UTC" if first else ""
    if not given_up:
        return Part("failures", Condition.OK, f"{by_itself or 'Nothing failed'}.")
    keys = list(dict.fromkeys(str(state.key) for state in given_up))
    why = f"{_datasets(len(given_up))} wait{'s' if len(given_up) == 1 else ''} for a person: {_listed(given_up)}"
    also = f"; {by_itself}" if by_itself else ""
    shown = " ".join(keys[:_NAMED]) + (" ..." if len(keys) > _NAMED else "")
    what = f"f1-assets status {keys[0]} shows the error; f1-assets retry {shown} asks again"
    return Part("failures", Condition.WARNING, f"{why}{also}.", what)


def blocked_part(states: Sequence[DatasetState]) -> Part:
    """Tell what waits because the Formula 1 account was refused."""
    blocked = [state for state in states if state.status is Status.BLOCKED_AUTH]
    if not blocked:
        return Part("refusals", Condition.OK, "Nothing waits for the Formula 1 account.")
    from f1_assets.upstream.account import WHAT_TO_DO

    sessions = len({state.key for state in blocked})
    latest = max(blocked, key=lambda state: state.tried_at.timestamp() if state.tried_at else 0.0)
    said = (latest.reason or "").removesuffix(WHAT_TO_DO).strip().rstrip(".")
    of = f"{sessions} session{'' if sessions == 1 else 's'}"
    words = f"{_datasets(len(blocked))} of {of} wait for the Formula 1 account"
    return Part("refusals", Condition.FAILING, f"{words}: {said}." if said else f"{words}.", WHAT_TO_DO)


def newest_part(warehouse: Warehouse, states: Sequence[DatasetState], now: datetime) -> Part:
    """Tell whether something of the newest session is there."""
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


def _datasets(number: int) -> str:
    return f"{number:,} dataset{'' if number == 1 else 's'}"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"

"""The figures of a running import, the same for the board, its JSON and the bar of the terminal.

They come from what the warehouse keeps: leases say which sessions are at work, the ledger and the extraction records
what each is at since when, the progress that an import publishes how many it took on, the plan when it ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from sqlalchemy import func, select

from f1_assets.formatting import counted
from f1_assets.keys import SessionKey
from f1_assets.planning.gaps import DatasetState
from f1_assets.planning.plan import build_processing_plan
from f1_assets.planning.report import GapReport
from f1_assets.quota.outlook import QuotaNow
from f1_assets.quota.windows import PolicyStatus
from f1_assets.warehouse import Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.leases import lease_owners
from f1_assets.warehouse.models import quota_reservations as reservations
from f1_assets.warehouse.models import upstream_requests as requests
from f1_assets.warehouse.progress import ImportProgress, running_imports

_LOOKS_BACK = timedelta(hours=2)
"""A load of a session without a published import is looked for so far back."""


class Doing(StrEnum):
    """What a session is at; it is starting until its requests are reserved, or the archive has answered."""

    STARTING = "starting"
    LOADING = "loading"
    EXTRACTING = "extracting"
    STORING = "storing"
    COMPUTING = "computing"


@dataclass(frozen=True)
class SessionAtWork:
    """A session that is being imported: what it is at and since when, and its requests; None where that is not known.

    `stored` of its `datasets` are stored by this import; `words` say what it is at, as it is shown.
    """

    key: str
    event: str
    doing: Doing
    words: str
    since: datetime | None
    requests: int
    stored: int
    datasets: int


@dataclass(frozen=True)
class QuotaLeft:
    """What is left of the longest window of a policy; `free_at` is when the next request may leave, None for now."""

    policy: str
    left: int
    limit: int
    seconds: int
    free_at: datetime | None


@dataclass(frozen=True)
class RunningImport:
    """What runs now.

    `ended` of `sessions` have ended: of the imports that this machine's command runs; both are None where others run.
    `requests` were sent since it began. `paused_until` is when the quota lets it go on, `ends_at` when it is expected
    to end.
    """

    made_at: datetime
    is_running: bool
    sessions: int | None
    ended: int | None
    at_work: tuple[SessionAtWork, ...]
    began_at: datetime | None
    requests: int
    paused_before: str | None
    paused_until: datetime | None
    ends_at: datetime | None
    quota: tuple[QuotaLeft, ...]


@dataclass(frozen=True)
class _Load:
    """The latest load of a session, as the ledger has it."""

    first: datetime
    last: datetime
    requests: int


def running_import(
    warehouse: Warehouse,
    alive_in: Path,
    names: Mapping[str, str],
    report: GapReport,
    quota: QuotaNow,
    workers: int = 1,
) -> RunningImport:
    """Return the figures of what is imported now.

    Parameters
    ----------
    warehouse
        With the leases, the ledger and the extraction records.
    alive_in
        Where imports of this machine show that they live, and how far they are.
    names
        Names of events by their key.
    report
        What is missing, with costs; its time is the present.
    quota
        The quota, as it is now.
    workers
        Sessions side by side.
    """
    now = report.now
    owners = lease_owners(warehouse, now)
    published = {each.owner: each for each in running_imports(alive_in)}
    keys = sorted(owners)
    since = {
        key: published[owner].began_at if owner in published else now - _LOOKS_BACK for key, owner in owners.items()
    }
    loads, reserved = _loads(warehouse, since), _reserved(warehouse, keys, now)
    by_key: dict[SessionKey, list[DatasetState]] = {}
    for state in report.states:
        if state.key in owners and state.status.is_expected:
            by_key.setdefault(state.key, []).append(state)
    at_work = tuple(
        _at_work(key, names.get(key.event_key, ""), by_key.get(key, []), loads.get(key), key in reserved, since[key])
        for key in keys
    )
    imports = list(published.values())
    began_at = min((each.began_at for each in imports), default=None)
    pause = _pause(imports, now)
    return RunningImport(
        made_at=now,
        is_running=bool(at_work or imports),
        sessions=sum(each.sessions for each in imports) if imports else None,
        ended=sum(each.sessions - len(each.left) for each in imports) if imports else None,
        at_work=at_work,
        began_at=began_at,
        requests=sum(each.requests for each in at_work) if began_at is None else _requests_since(warehouse, began_at),
        paused_before=pause.paused_before if pause else None,
        paused_until=pause.paused_until if pause else None,
        ends_at=_ends_at(imports, report, quota, workers, pause),
        quota=tuple(map(_left_of, quota.policies)),
    )


def _left_of(policy: PolicyStatus) -> QuotaLeft:
    window = max(policy.windows, key=lambda each: each.seconds)
    left = 0 if policy.closed_until is not None else window.remaining
    return QuotaLeft(policy.name, left, window.limit, window.seconds, policy.closed_until or window.free_at)


def _at_work(
    key: SessionKey,
    event: str,
    states: Sequence[DatasetState],
    load: _Load | None,
    is_reserved: bool,
    since: datetime,
) -> SessionAtWork:
    started = load.first if load is not None else since
    stored = [state.tried_at for state in states if state.tried_at is not None and state.tried_at >= started]
    if is_reserved:
        doing, at = Doing.LOADING, load.first if load else None
    elif stored:
        is_whole = len(stored) == len(states)
        doing, at = (Doing.COMPUTING, max(stored)) if is_whole else (Doing.STORING, min(stored))
    elif load is not None:
        doing, at = Doing.EXTRACTING, load.last
    else:
        doing, at = Doing.STARTING, None
    sent = load.requests if load is not None else 0
    words = {
        Doing.STARTING: "starting",
        Doing.LOADING: f"loading, {counted(sent, 'request')}" if sent else "loading",
        Doing.EXTRACTING: "extracting",
        Doing.COMPUTING: "computing derived data",
        Doing.STORING: f"storing, {len(stored)} of {counted(len(states), 'dataset')}",
    }
    return SessionAtWork(str(key), event, doing, words[doing], at, sent, len(stored), len(states))


def _loads(warehouse: Warehouse, since: Mapping[SessionKey, datetime]) -> Mapping[SessionKey, _Load]:
    """Return the latest load of each session since it was taken on."""
    if not since:
        return {}
    by_name = {str(key): key for key in since}
    r = requests.c
    query = (
        select(r.session_key, func.min(r.permitted_at_ms), func.max(r.permitted_at_ms), func.count())
        .where(r.session_key.in_(by_name), r.permitted_at_ms >= _ms(min(since.values())))
        .group_by(r.session_key, r.load_id)
        .order_by(func.min(r.permitted_at_ms))
    )
    with reading(warehouse.engine) as connection:
        rows = connection.execute(query).all()
    loads = {by_name[name]: _Load(_time(first), _time(last), number) for name, first, last, number in rows}
    return {key: load for key, load in loads.items() if load.first >= since[key]}


def _reserved(warehouse: Warehouse, keys: Sequence[SessionKey], now: datetime) -> set[SessionKey]:
    """Return the sessions whose load has not ended: it releases its reservation then."""
    by_name = {str(key): key for key in keys}
    live = reservations.c.expires_at_ms > _ms(now)
    query = select(reservations.c.session_key).where(reservations.c.session_key.in_(by_name), live)
    with reading(warehouse.engine) as connection:
        return {by_name[name] for name in connection.execute(query).scalars()}


def _requests_since(warehouse: Warehouse, began_at: datetime) -> int:
    query = select(func.count()).where(requests.c.permitted_at_ms >= _ms(began_at))
    with reading(warehouse.engine) as connection:
        return int(connection.execute(query).scalar_one())


def _pause(imports: Sequence[ImportProgress], now: datetime) -> ImportProgress | None:
    """Return the import that waits longest; one whose time has come goes on."""
    waiting = [each for each in imports if each.paused_until is not None and each.paused_until > now]
    return max(waiting, key=lambda each: each.paused_until or now, default=None)


def _ends_at(
    imports: Sequence[ImportProgress],
    report: GapReport,
    quota: QuotaNow,
    workers: int,
    pause: ImportProgress | None,
) -> datetime | None:
    """Return when the sessions that are left are loaded by the plan; None where nobody knows which these are."""
    left = {key for each in imports for key in each.left}
    if not left:
        return None
    mine = replace(report, states=tuple(state for state in report.states if state.key in left))
    plan = build_processing_plan(mine, outlook=quota.windows, workers=workers)
    # Who waits may wait for more than the plan sees: that other sessions release what they reserved.
    until = pause.paused_until if pause is not None else None
    return max(plan.complete_at, until) if until is not None else plan.complete_at


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)

"""What should exist, what is there, and what is missing: every (session, dataset) with its status, from one query."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, and_, func, select

from f1_assets.datasets import Dataset, all_datasets, named
from f1_assets.errors import AuthenticationRequired, QuotaExhausted, TransientError
from f1_assets.feeds.loads import asks_fastf1
from f1_assets.feeds.table import Feed, is_of_live_timing
from f1_assets.keys import SessionKey
from f1_assets.planning.derived import Computation, InputState, Judgement, judge
from f1_assets.planning.known_gaps import known_gaps
from f1_assets.planning.wrong_clocks import RecordedTimes, is_of_the_future, plausible_times
from f1_assets.warehouse import Extraction, Status, Warehouse
from f1_assets.warehouse.engine import reading
from f1_assets.warehouse.models import events, extractions, sessions

USUAL_DELAY = timedelta(minutes=30)
"""How long after its end a session's data is there, where nothing was learned yet."""

SHORTEST_DELAY = timedelta(minutes=10)
LONGEST_DELAY = timedelta(hours=1)
SOON_AFTER = timedelta(hours=6)
"""A session that was fetched later says nothing about when its data came."""

SHORT_RENEWALS = tuple(timedelta(days=days) for days in (1, 3, 7))
"""So long after rows were stored that fall far short of their session, upstream is asked again."""

_RENEWED_STILL = tuple(error.__name__ for error in (TransientError, QuotaExhausted, AuthenticationRequired))

REMEMBERED = 8
_STATUSES = {str(status): status for status in Status}


class DatasetState(NamedTuple):
    """What is known of one dataset of one session; `reason` says why it is not there.

    `next_try_at` is when it is asked for again: of what is present, when it is renewed because it may have changed.
    `stale_because` says why present rows are not the right ones any more, and `renew` names the feeds that are asked
    for past the archive when the time has come. `is_outdated` says that the rows are of a lower version of the dataset,
    and that the archive may have what the right ones are made of. `notes` is what was found in its feeds, as JSON.
    `digest` is that of the rows. Of a dataset that `is_derived` nothing is ever imported; `is_to_be_computed` says that
    it is missing or stale and that its inputs are there.
    """

    key: SessionKey
    dataset: str
    status: Status
    rows: int = 0
    reason: str | None = None
    error_class: str | None = None
    attempts: int = 0
    tried_at: datetime | None = None
    extracted_at: datetime | None = None
    next_try_at: datetime | None = None
    requests: int = 0
    load_seconds: float = 0.0
    stale_because: str | None = None
    renew: frozenset[str] = frozenset()
    is_outdated: bool = False
    notes: str | None = None
    digest: str | None = None
    is_derived: bool = False
    is_to_be_computed: bool = False

    def is_due(self, now: datetime) -> bool:
        """Check whether it should be imported now: it is missing, or the time has come to ask for it again."""
        if self.is_derived:
            return False
        if self.status in (Status.MISSING, Status.BLOCKED_AUTH):
            return True
        return (
            self.status in (Status.FAILED, Status.PRESENT) and self.next_try_at is not None and self.next_try_at <= now
        )

    @property
    def is_blocked(self) -> bool:
        """Check whether the last attempt was refused for the account, be it that older rows are still there."""
        return self.status is Status.BLOCKED_AUTH or (
            self.status is Status.PRESENT and self.error_class == AuthenticationRequired.__name__
        )

    @property
    def is_given_up(self) -> bool:
        """Check whether the last try failed too, so that only ``retry`` asks again."""
        return self.status is Status.FAILED and self.next_try_at is None


@dataclass(frozen=True)
class SessionGap:
    """The datasets that one session lacks.

    `renew` names the feeds that are asked for past the archive, because what it has may have changed upstream. With
    `from_archive` the archive alone answers: the rows are of a lower version of their dataset.
    """

    key: SessionKey
    datasets: tuple[str, ...]
    renew: frozenset[str] = frozenset()
    from_archive: bool = False

    @property
    def asks_jolpica_alone(self) -> bool:
        """Check whether nothing is asked that stands behind the Formula 1 account, or nothing at all."""
        renews_results = bool(self.renew) and not any(is_of_live_timing(Feed(feed)) for feed in self.renew)
        wanted = [dataset for dataset in named(self.datasets) if not dataset.is_derived]
        by_fastf1 = [dataset.name for dataset in wanted if asks_fastf1(dataset.loads_in(self.key))]
        return self.from_archive or not by_fastf1 or (renews_results and by_fastf1 == ["results"])


def _is_made_of(dataset: Dataset, feeds: Collection[str], key: SessionKey) -> bool:
    """Check whether a dataset's rows are made of one of these feeds of live timing."""
    own = dataset.feeds_in(key)
    return any(is_of_live_timing(feed) and feed in feeds for feed in (*own.required, *own.optional))


def dataset_states(
    warehouse: Warehouse,
    seasons: Iterable[int],
    datasets: Sequence[Dataset] | None = None,
    now: datetime | None = None,
    key: SessionKey | None = None,
) -> list[DatasetState]:
    """Return every (session, dataset) of some seasons with its status, in the order of the calendar.

    Parameters
    ----------
    warehouse
        Where to look; it is asked once, however many seasons there are.
    seasons
        Which seasons.
    datasets
        Which datasets; all by default.
    now
        What is taken for the present.
    key
        Only this session; what its season teaches about delays holds for it too.
    """
    now = now or datetime.now(UTC)
    wanted = named(None) if datasets is None else datasets
    found: dict[tuple[int, int, str], tuple[Row[Any], dict[str, Any]]] = {}
    with reading(warehouse.engine) as connection:
        for row in connection.execute(_query(seasons)):
            identity = row[:3]
            known = found.get(identity)
            if known is None:
                known = found[identity] = (row, {})
            if row.dataset is not None:
                known[1][row.dataset] = row
    delay = publication_delay(_first_extractions(found.values()))
    return [
        state
        for session_key, session, lines in ((SessionKey(*k), row, lines) for k, (row, lines) in found.items())
        if key is None or session_key == key
        for state in _states_of(session_key, wanted, session, lines, now, delay)
    ]


def extracted(states: Iterable[DatasetState]) -> list[DatasetState]:
    """Leave out what is derived: it counts in no figure of what is missing, of loads or of requests."""
    return [state for state in states if not state.is_derived]


def to_be_computed(
    states: Iterable[DatasetState], is_wanted: Callable[[DatasetState], bool]
) -> dict[SessionKey, list[str]]:
    """Name by session what is derived, missing or stale, and has its inputs, each followed by what is made of it.

    Parameters
    ----------
    states
        Of all datasets of some sessions: those of inputs say what can be computed.
    is_wanted
        Says of a derived dataset whether it is to be there.
    """
    found: dict[SessionKey, list[str]] = {}
    for key, of_session in _by_session(states).items():
        there = {state.dataset for state in of_session if state.status is Status.PRESENT}
        names: list[str] = []
        for state in (each for each in of_session if each.is_derived and is_wanted(each)):
            dataset = all_datasets()[state.dataset]
            has_inputs = there.union(names) >= set(dataset.inputs) and not state.status.has_no_data
            follows = has_inputs and not {*dataset.inputs, *dataset.optional_inputs}.isdisjoint(names)
            if state.is_to_be_computed or follows:
                names.append(state.dataset)
        if names:
            found[key] = names
    return found


def _first_extractions(
    found: Iterable[tuple[Row[Any], dict[str, Any]]],
) -> Iterator[tuple[datetime, datetime | None]]:
    for row, lines in found:
        times = [line[-2] for line in lines.values() if line[-2] is not None]
        yield row.end_utc, min(times, default=None)


def _query(seasons: Iterable[int]) -> Select[Any]:
    x = extractions.c
    line = (x.dataset, x.status, x.rows, x.reason, x.error_class, x.attempts, x.requests, x.load_seconds)
    of_rows = (x.version, x.asked_at, x.short_because, x.short_since, x.notes, x.digest, x.inputs)
    times = (x.tried_at, x.extracted_at, x.next_try_at)
    s = sessions.c
    is_race = s.session == "R"
    last = select(s.season, func.max(s.start_utc).label("starts")).where(is_race).group_by(s.season).subquery()
    ends_season = (is_race & (s.start_utc == last.c.starts)).label("ends_season")
    of_session = (s.season, s.round, s.session, s.end_utc, s.start_utc, events.c.live_timing, ends_season)
    return (
        select(*of_session, *line, *of_rows, *times)
        .join(events, s.event_key == events.c.event_key)
        .outerjoin(last, last.c.season == s.season)
        .outerjoin(extractions, and_(x.season == s.season, x.round == s.round, x.session == s.session))
        .where(s.season.in_(list(seasons)))
        .order_by(s.start_utc, s.season, s.round, s.session)
    )


def publication_delay(seen: Iterable[tuple[datetime, datetime | None]]) -> timedelta:
    """Return how long after its end a session is worth asking for, as those taught that were fetched soon after.

    Each success lowers the delay by a minute, until a session is not there yet: that costs one load, and the next
    delay is as long as it took.

    Parameters
    ----------
    seen
        Of each session its end, and when its first dataset came; None where none did.
    """
    soon = sorted((at, at - end) for end, at in seen if at is not None and timedelta() <= at - end <= SOON_AFTER)
    waits = sorted(wait for _, wait in soon[-REMEMBERED:])
    if not waits:
        return USUAL_DELAY
    usual = waits[len(waits) * 3 // 4]
    return min(max(usual - timedelta(minutes=1), SHORTEST_DELAY), LONGEST_DELAY)


def gaps_of(states: Iterable[DatasetState], now: datetime | None = None) -> list[SessionGap]:
    """Gather what should be imported now by session, in the order of the states; additions come last.

    What is renewed brings the session's other datasets that need the same feeds with it.
    """
    now = now or datetime.now(UTC)
    due = {
        key: of_session
        for key, of_session in _by_session(states).items()
        if any(state.is_due(now) for state in of_session)
    }
    # The sort keeps the order of what is equal.
    return [_gap(key, due[key], now) for key in sorted(due, key=lambda key: _is_addition(due[key], now))]


def _is_addition(states: Sequence[DatasetState], now: datetime) -> bool:
    """Check whether a session has data, and lacks only datasets that are additions to it."""
    lacks_additions = all(all_datasets()[state.dataset].is_addition for state in states if state.is_due(now))
    return lacks_additions and any(state.status is Status.PRESENT for state in states)


def outdated_of(states: Iterable[DatasetState]) -> list[SessionGap]:
    """Gather what the archive alone has to give again, because a dataset's version is higher than that of its rows.

    Also what is due to be renewed: what upstream changes then is told from what the version changed.
    """
    names = {
        key: tuple(state.dataset for state in of_session if state.is_outdated)
        for key, of_session in _by_session(states).items()
    }
    return [SessionGap(key, outdated, from_archive=True) for key, outdated in names.items() if outdated]


def _by_session(states: Iterable[DatasetState]) -> dict[SessionKey, list[DatasetState]]:
    found: dict[SessionKey, list[DatasetState]] = {}
    for state in states:
        found.setdefault(state.key, []).append(state)
    return found


def _gap(key: SessionKey, states: Sequence[DatasetState], now: datetime) -> SessionGap:
    due = {state.dataset for state in states if state.is_due(now)}
    renew = frozenset[str]().union(*(state.renew for state in states if state.dataset in due))
    if renew:
        present = {state.dataset for state in states if state.status is Status.PRESENT}
        due |= {name for name in present if _is_made_of(all_datasets()[name], renew, key)}
    return SessionGap(key, tuple(state.dataset for state in states if state.dataset in due), renew)


def _states_of(
    key: SessionKey,
    datasets: Sequence[Dataset],
    session: Row[Any],
    lines: Mapping[str, Any],
    now: datetime,
    delay: timedelta,
) -> list[DatasetState]:
    """Return the states of datasets of a session; those of inputs are found once, be they wanted or not."""
    known: dict[str, DatasetState] = {}

    def state_of(dataset: Dataset) -> DatasetState:
        name, line = dataset.name, lines.get(dataset.name)
        if name not in known and dataset.is_derived:
            required = [state_of(all_datasets()[each]) for each in dataset.inputs]
            optional = [state_of(all_datasets()[each]) for each in dataset.optional_inputs]
            known[name] = _derived_state(key, dataset, session, line, required, optional, now)
        elif name not in known:
            known[name] = _state(key, dataset, session, line, now, delay)
        return known[name]

    return [state_of(dataset) for dataset in datasets]


def _derived_state(
    key: SessionKey,
    dataset: Dataset,
    session: Row[Any],
    line: Row[Any] | None,
    required: Sequence[DatasetState],
    optional: Sequence[DatasetState],
    now: datetime,
) -> DatasetState:
    if reason := dataset.why_not_applicable(key, session.live_timing, session.ends_season):
        return DatasetState(key, dataset.name, Status.NOT_APPLICABLE, reason=reason, is_derived=True)
    inputs = [
        [InputState(state.dataset, state.status, state.reason, state.digest) for state in states]
        for states in (required, optional)
    ]
    last = None
    if line is not None:
        recorded = RecordedTimes(line.tried_at, line.extracted_at, line.next_try_at)
        next_try_at = plausible_times(recorded, _STATUSES[line.status], line.error_class, session.end_utc, now)[2]
        last = Computation.of(_STATUSES[line.status], line.version, line.error_class, next_try_at, line.inputs)
    found = judge(dataset, inputs[0], inputs[1], last, now)
    return judged_state(key, dataset, found, line, last.next_try_at if last is not None else None)


def judged_state(
    key: SessionKey,
    dataset: Dataset,
    found: Judgement,
    line: Row[Any] | Extraction | None,
    next_try_at: datetime | None,
) -> DatasetState:
    """Return the state of a derived dataset of a session, or a season, from its judgement and its record."""
    state = DatasetState(
        key,
        dataset.name,
        found.status,
        reason=found.reason,
        stale_because=found.stale_because,
        is_derived=True,
        is_to_be_computed=found.is_due,
    )
    if line is None:
        return state
    return state._replace(
        rows=line.rows,
        reason=found.reason or line.reason,
        error_class=line.error_class,
        attempts=line.attempts,
        tried_at=line.tried_at,
        extracted_at=line.extracted_at,
        next_try_at=next_try_at,
        digest=line.digest,
    )


def _state(
    key: SessionKey, dataset: Dataset, session: Row[Any], line: tuple[Any, ...] | None, now: datetime, delay: timedelta
) -> DatasetState:
    lost = known_gaps().get((session.start_utc.date(), key.session, dataset.name))
    if lost is not None and (line is None or Status.PRESENT not in line):
        return DatasetState(key, dataset.name, Status.UNAVAILABLE, reason=lost)
    if line is None:
        status, reason = _without_line(key, dataset, session, now, delay)
        return DatasetState(key, dataset.name, status, reason=reason)
    _, _, _, end, _, _, _, name, *known = line
    stored, rows, reason, error_class, attempts, requests, load_seconds, *known = known
    version, asked_at, short_because, short_since, notes, digest, _, tried_at, extracted_at, next_try_at = known
    status = _STATUSES[stored]
    stale_because, renew, is_old = None, frozenset[str](), version < dataset.version
    recorded = RecordedTimes(tried_at, extracted_at, next_try_at)
    tried, written_at, next_try_at = plausible_times(recorded, status, error_class, end, now)
    asked_at, short_since = (None if is_of_the_future(at, now) else at for at in (asked_at, short_since))
    if status is Status.UNAVAILABLE and next_try_at is not None and next_try_at <= now:
        status = Status.MISSING
    elif status.has_failed:
        if reason_now := dataset.why_not_applicable(key, session.live_timing, session.ends_season):
            return DatasetState(key, name, Status.NOT_APPLICABLE, reason=reason_now)
        if is_old and next_try_at is None:
            next_try_at = now  # what another version could not extract, this one may
    elif status is Status.PRESENT:
        stored_at = written_at or end
        asked = asked_at or stored_at
        planned = [end + after for after in dataset.renewals.get(key.session, ())]
        repairs = [(short_since or stored_at) + after for after in SHORT_RENEWALS] if short_because else []
        renewals = [*planned, *repairs]
        open_since = asked if error_class is None else tried or asked
        if error_class is None or next_try_at is None:
            # What was stored without all that adds to it is asked for again when that may have come.
            later = [at for at in renewals if at > open_since]
            next_try_at = min((at for at in (next_try_at, *later) if at is not None), default=None)
        if next_try_at is not None:
            open_until = max(next_try_at, now)
            # A renewal that failed is one still.
            failed = error_class in _RENEWED_STILL and tried is not None and tried > asked
            if failed or any(asked < at <= open_until for at in planned):
                renew |= {str(feed) for feed in dataset.feeds}
            if any(asked < at <= open_until for at in repairs):
                renew |= {str(feed) for feed in dataset.feeds_in(key).required}
        stale_because = short_because
        if is_old:
            stale_because = f"made by version {version} of {name}, which has version {dataset.version} now"
    # What failed waits for its next try, and what the archive does not have stays as it is.
    is_outdated = status is Status.PRESENT and is_old and error_class is None
    return DatasetState(
        key,
        name,
        status,
        rows,
        reason,
        error_class,
        attempts,
        tried_at,
        extracted_at,
        next_try_at,
        requests,
        load_seconds,
        stale_because,
        renew,
        is_outdated,
        notes,
        digest,
    )


def _without_line(
    key: SessionKey, dataset: Dataset, session: Row[Any], now: datetime, delay: timedelta
) -> tuple[Status, str | None]:
    if reason := dataset.why_not_applicable(key, session.live_timing, session.ends_season):
        return Status.NOT_APPLICABLE, reason
    if session.end_utc > now:
        return Status.UPCOMING, f"the session ends {session.end_utc:%Y-%m-%d %H:%M} UTC"
    if session.end_utc + delay > now:
        return Status.UPCOMING, f"its data is expected from {session.end_utc + delay:%Y-%m-%d %H:%M} UTC on"
    return Status.MISSING, None

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_assets.fetch.estimates import RequestCost
from f1_assets.fetch.transport import Transport
from f1_assets.importing import refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import DatasetState, GapReport, SessionGap, build_processing_plan, generate_gap_report
from f1_assets.planning.plan import in_turn
from f1_assets.quota.outlook import WindowOutlook, quota_outlook
from f1_assets.warehouse import Status

NOW = datetime(2026, 5, 4, 6, tzinfo=UTC)


def _report(*costs, datasets=("laps", "weather")):
    keys = [SessionKey(2026, 1 + index // 5, ("FP1", "FP2", "FP3", "Q", "R")[index % 5]) for index in range(len(costs))]
    states = tuple(DatasetState(key, name, Status.MISSING) for key in keys for name in datasets)
    made = {key: RequestCost(cost, cost, cost + 2, 1) for key, cost in zip(keys, costs, strict=True)}
    return GapReport((2026,), NOW, states, {}, made)


def test_build_processing_plan(warehouse, settings_of, ledger):
    transport = Transport(
        settings_of(source="simulator", simulator="races=2,tests=0,laps=5,samples_every=20,drivers=4"), ledger
    )
    refresh_calendar(2025, warehouse=warehouse, transport=transport)
    report = generate_gap_report(2025, warehouse=warehouse, transport=transport)
    plan = build_processing_plan(report, outlook=quota_outlook(ledger), load_seconds=6.0)
    assert [(w.season, w.round, len(w.sessions)) for w in plan.weekends] == [(2025, 1, 5), (2025, 2, 5)]
    assert (plan.session_loads, plan.fits_now, plan.left_out) == (10, 10, ())
    assert plan.cost.usual == report.requests_needed
    # One after the other, six seconds each.
    assert plan.complete_at - report.now == timedelta(seconds=60)
    first = build_processing_plan(report, max_calls=3)
    assert [str(planned.key) for planned in first.sessions] == ["2025-01-FP1", "2025-01-FP2", "2025-01-FP3"]
    assert len(first.left_out) == 7
    transport.close()


def test_a_plan_keeps_within_what_it_may_spend_and_skips_nobody():
    plan = build_processing_plan(_report(10, 10, 1), max_requests=15)
    assert [str(planned.key) for planned in plan.sessions] == ["2026-01-FP1"]
    assert [str(key) for key in plan.left_out] == ["2026-01-FP2", "2026-01-FP3"]
    assert build_processing_plan(_report(10, 10), max_requests=0).sessions == ()


def test_what_does_not_fit_waits_until_requests_leave_the_window():
    sent = tuple(NOW - timedelta(minutes=50) for _ in range(70))
    outlook = [WindowOutlook("any", 100, 3600, sent)]
    plan = build_processing_plan(_report(10, 10, 10, 10), outlook=outlook, load_seconds=5.0)
    assert plan.fits_now == 3
    assert [planned.after_pause for planned in plan.sessions] == [0, 0, 0, 1]
    assert plan.pauses[0].begins_at == NOW + timedelta(seconds=15)
    assert plan.pauses[0].ends_at == NOW + timedelta(minutes=10)
    assert plan.complete_at == NOW + timedelta(minutes=10, seconds=5)


def test_a_short_window_sets_the_pace_and_a_closed_policy_is_a_pause():
    plan = build_processing_plan(_report(40), outlook=[WindowOutlook("any", 4, 1)], load_seconds=5.0)
    assert plan.complete_at == NOW + timedelta(seconds=10)
    closed = WindowOutlook("jolpica", 200, 3600, (), NOW + timedelta(hours=2))
    plan = build_processing_plan(_report(10), outlook=[closed], load_seconds=5.0)
    assert plan.sessions[0].starts_at == NOW + timedelta(hours=2)


def test_a_session_larger_than_the_window_is_planned_all_the_same():
    plan = build_processing_plan(_report(30), outlook=[WindowOutlook("any", 20, 3600)], load_seconds=5.0)
    assert plan.session_loads == 1


def test_workers_load_side_by_side():
    plan = build_processing_plan(_report(10, 10, 10), workers=2, load_seconds=10.0)
    assert plan.complete_at == NOW + timedelta(seconds=20)


def test_workers_share_the_pace_of_a_short_window():
    outlook = [WindowOutlook("any", 4, 1)]
    plan = build_processing_plan(_report(40, 40, 40), outlook=outlook, workers=2, load_seconds=5.0)
    assert [planned.ends_at for planned in plan.sessions] == [NOW + timedelta(seconds=s) for s in (10, 20, 30)]
    alone = build_processing_plan(_report(40, 40, 40), outlook=outlook, workers=1, load_seconds=5.0)
    assert plan.complete_at == alone.complete_at


def test_workers_that_need_no_request_wait_for_no_pace():
    outlook = [WindowOutlook("any", 4, 1), WindowOutlook("jolpica", 4, 1)]
    plan = build_processing_plan(_report(0, 40), outlook=outlook, workers=2, load_seconds=5.0)
    assert plan.sessions[1].ends_at == NOW


def test_several_workers_begin_each_weekend_with_its_last_session():
    keys = [SessionKey(2026, number, session) for number in (1, 2) for session in ("FP1", "Q", "R")]
    gaps = [SessionGap(key, ("laps",)) for key in keys]
    assert in_turn(gaps, workers=1) == gaps
    assert in_turn(gaps, workers=2, is_limited=True) == gaps
    in_words = " ".join(str(gap.key) for gap in in_turn(gaps, workers=2))
    assert in_words == "2026-01-R 2026-01-Q 2026-01-FP1 2026-02-R 2026-02-Q 2026-02-FP1"


def test_an_empty_plan_is_complete_now():
    plan = build_processing_plan(_report())
    assert (plan.session_loads, plan.complete_at, plan.weekends) == (0, NOW, ())


@settings(max_examples=60, deadline=None)
@given(
    costs=st.lists(st.integers(0, 30), max_size=40),
    limit=st.integers(5, 60),
    seconds=st.integers(61, 4000),
    used=st.lists(st.integers(0, 4000), max_size=60),
    workers=st.integers(1, 4),
)
def test_no_planned_window_holds_more_than_its_number(costs, limit, seconds, used, workers):
    ago = sorted((age for age in used if age < seconds), reverse=True)[:limit]
    outlook = [WindowOutlook("any", limit, seconds, tuple(NOW - timedelta(seconds=age) for age in ago))]
    plan = build_processing_plan(_report(*costs), outlook=outlook, workers=workers, load_seconds=3.0)
    assert plan.session_loads == len(costs)
    starts = [planned.starts_at for planned in plan.sessions]
    assert starts == sorted(starts)
    # Counted when a load ends, as the plan does; whatever was sent before counts too.
    sent = [NOW - timedelta(seconds=age) for age in ago]
    for planned in plan.sessions:
        number = min(planned.cost.usual, limit)
        inside = sum(at > planned.starts_at - timedelta(seconds=seconds - 0.001) for at in sent)
        assert number == 0 or inside + number <= limit
        sent += [planned.ends_at] * number


@pytest.mark.parametrize("seasons", [(2025,), (2025, 2024)])
def test_several_seasons_are_one_report(warehouse, simulator_transport, seasons):
    for season in seasons:
        refresh_calendar(season, warehouse=warehouse, transport=simulator_transport)
    report = generate_gap_report(seasons, warehouse=warehouse, transport=simulator_transport)
    assert {gap.key.season for gap in report.sessions_with_gaps} == set(seasons)
    keys = [gap.key for gap in report.sessions_with_gaps]
    assert keys == sorted(keys, key=lambda key: report.sessions[key][1].start)

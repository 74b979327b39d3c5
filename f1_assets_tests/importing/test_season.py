"""Whole seasons, as the library imports them: complete, twice at no cost, side by side, and after any damage."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from f1_assets.connection import F1Warehouse, connect
from f1_assets.context import Context
from f1_assets.datasets import all_datasets, extracted_datasets, named
from f1_assets.errors import NotYetPublished
from f1_assets.fetch.transport import Transport
from f1_assets.importing import ImportSummary, Watcher, import_season, process_session_gap, refresh_calendar
from f1_assets.importing.forget import forget_failures
from f1_assets.importing.season import _note_each
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap, build_processing_plan, dataset_states, generate_gap_report
from f1_assets.quota.ledger import Ledger
from f1_assets.quota.policies import policies_of
from f1_assets.settings import load_settings
from f1_assets.simulator import Simulator, SimulatorOptions
from f1_assets.warehouse import Status
from f1_assets.warehouse.models import events, extractions, sessions
from f1_assets_tests.conftest import PLENTY
from f1_assets_tests.fetch.server import Services, services, status

POSTGRESQL_IS_LONG = True

SIMULATED = "races=2,tests=0,sprints=1,laps=5,samples_every=40,drivers=4"
SESSIONS = 2 * 5
DONE = (Status.PRESENT, Status.NOT_APPLICABLE)


class _Told(Watcher):
    def __init__(self):
        self.keys, self.warnings = [], []

    def ended(self, run):
        self.keys.append(str(run.outcome.key))

    def warned(self, message):
        self.warnings.append(message)


@pytest.fixture
def transport(served_transport):
    return served_transport


@dataclass
class _Imported:
    """A season that was imported from F1's services on loopback, and what the import said."""

    served: Services
    warehouse: F1Warehouse
    transport: Transport
    summary: ImportSummary
    told: _Told


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """A complete season; whoever damages it completes it again."""
    with services(Simulator(SimulatorOptions.parse(SIMULATED))) as served:
        loaded = load_settings(home=tmp_path_factory.mktemp("imported"), source=served.url)
        warehouse, told = connect(loaded), _Told()
        transport = Transport(loaded, Ledger(warehouse.engine, policies_of(PLENTY, reaches_real_services=False)))
        summary = import_season(2025, warehouse=warehouse, transport=transport, watcher=told)
        yield _Imported(served, warehouse, transport, summary, told)
        transport.close()
        warehouse.close()


def test_import_full_season_and_then_its_gaps(imported):
    served, warehouse, transport = imported.served, imported.warehouse, imported.transport
    summary, told = imported.summary, imported.told
    assert (summary.processed, summary.succeeded, summary.partial, summary.failed) == (SESSIONS, SESSIONS, 0, 0)
    assert summary.requests == len(served.asked)
    assert summary.duration.total_seconds() == pytest.approx(summary.seconds, abs=1e-3)
    assert told.keys == [str(key) for key in dict.fromkeys(s.key for s in dataset_states(warehouse, [2025]))]
    assert {state.status for state in dataset_states(warehouse, [2025])} == set(DONE)
    before = len(served.asked)
    again = import_season(2025, warehouse=warehouse, transport=transport)
    assert (again.processed, again.requests, len(served.asked) - before) == (0, 0, 0)

    weather, laps = all_datasets()["weather"], all_datasets()["laps"]
    with warehouse.engine.begin() as connection:
        for dataset, number in ((weather, 1), (laps, 2)):
            connection.execute(delete(dataset.table).where(dataset.table.c.round == number))
            of_it = (extractions.c.dataset == dataset.name) & (extractions.c.round == number)
            connection.execute(delete(extractions).where(of_it))
    report = generate_gap_report(2025, warehouse=warehouse, transport=transport)
    assert report.total_api_calls_needed == 10
    assert report.requests_needed == 0
    before = len(served.asked)
    summary = import_season(2025, warehouse=warehouse, transport=transport)
    assert (summary.processed, summary.requests) == (10, 0)
    assert len(served.asked) == before
    brought = {(o.key.round, line.dataset) for o in summary.outcomes for line in o.datasets}
    assert brought == {(1, "weather"), (2, "laps")}
    assert {state.status for state in dataset_states(warehouse, [2025])} == set(DONE)


def test_two_imports_at_once_import_no_session_twice(warehouse, served, settings_of, ledger):
    refresh_calendar(2025, warehouse=warehouse, transport=Transport(settings_of(source=served.url), ledger))
    told, errors = [_Told(), _Told()], []

    def run(watcher):
        try:
            transport = Transport(settings_of(source=served.url), ledger)
            import_season(2025, datasets=["weather"], warehouse=warehouse, transport=transport, watcher=watcher)
            transport.close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(watcher,)) for watcher in told]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    imported = told[0].keys + told[1].keys
    assert len(imported) == len(set(imported)) == SESSIONS


def test_a_season_that_does_not_exist_is_one_clear_error(warehouse, transport):
    with pytest.raises(NotYetPublished, match="no schedule of season 2101"):
        import_season(2101, warehouse=warehouse, transport=transport)


CELLS = [
    (number, session, dataset)
    for number, listed in ((1, ("FP1", "FP2", "FP3", "Q", "R")), (2, ("FP1", "SQ", "S", "Q", "R")))
    for session in listed
    for dataset, definition in extracted_datasets().items()
    if definition.why_not_applicable(SessionKey(2025, number, session), live_timing=True) is None
]


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lost=st.sets(st.sampled_from(CELLS), max_size=8))
def test_whatever_is_lost_the_plan_imports_exactly_that_and_then_nothing_is_missing(imported, lost):
    warehouse, transport = imported.warehouse, imported.transport
    with warehouse.engine.begin() as connection:
        for number, session, dataset in lost:
            x = extractions.c
            of_it = (x.round == number) & (x.session == session) & (x.dataset == dataset)
            connection.execute(delete(extractions).where(of_it))
    plan = build_processing_plan(generate_gap_report(2025, warehouse=warehouse, transport=transport))
    planned = {(p.key.round, p.key.session, name) for p in plan.sessions for name in p.datasets}
    assert planned == lost
    assert plan.cost.usual == 0
    for session in plan.sessions:
        outcome = process_session_gap(
            SessionGap(session.key, session.datasets), warehouse=warehouse, transport=transport
        )
        assert set(outcome.extracted) == set(session.datasets)
    assert generate_gap_report(2025, warehouse=warehouse, transport=transport).sessions_with_gaps == ()
    assert import_season(2025, warehouse=warehouse, transport=transport).processed == 0


def test_what_failed_is_tried_again_only_at_its_time_and_at_once_when_a_person_says_so(warehouse, transport, served):
    served.faults["WeatherData"] = status(500)
    summary = import_season(2025, datasets=["weather"], warehouse=warehouse, transport=transport)
    assert (summary.exit_code, summary.failed) == (1, SESSIONS)
    served.faults.clear()
    assert import_season(2025, datasets=["weather"], warehouse=warehouse, transport=transport).processed == 0
    state = dataset_states(warehouse, [2025], named(["weather"]))[0]
    assert state.next_try_at > datetime.now(UTC)
    assert forget_failures(Context.open(warehouse=warehouse, transport=transport), state.key, ["weather"]) == 1
    assert forget_failures(Context.open(warehouse=warehouse, transport=transport), state.key, ["laps"]) == 0
    again = import_season(2025, datasets=["weather"], warehouse=warehouse, transport=transport)
    assert [(str(o.key), o.extracted) for o in again.outcomes] == [(str(state.key), ("weather",))]


def test_unavailable_is_forgotten_together_with_the_archives_404(warehouse, transport, served):
    served.faults["WeatherData"] = status(404)
    import_season(2025, datasets=["weather"], warehouse=warehouse, transport=transport)
    state = dataset_states(warehouse, [2025], named(["weather"]))[0]
    assert state.status is Status.UNAVAILABLE
    served.faults.clear()
    assert forget_failures(Context.open(warehouse=warehouse, transport=transport), state.key) == 1
    again = import_season(2025, datasets=["weather"], warehouse=warehouse, transport=transport)
    assert again.succeeded == again.processed == 1
    assert again.outcomes[0].extracted == ("weather",)


def test_retry_forgets_absences_of_an_event_whose_name_is_not_ascii(sqlite_warehouse, transport, served):
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=transport)
    gap = SessionGap(SessionKey(2025, 1, "R"), ("weather",))
    with sqlite_warehouse.engine.begin() as connection:
        connection.execute(update(events).values(name="S\u00e3o Paulo Grand Prix"))
        connection.execute(update(sessions).values(session_key=None))

    def asked():
        served.asked.clear()
        (line,) = process_session_gap(gap, warehouse=sqlite_warehouse, transport=transport).datasets
        assert line.status is Status.UNAVAILABLE
        return ["S%C3%A3o_Paulo" in url for url in served.asked if "WeatherData" in url]

    assert all(first := asked())
    assert first
    assert asked() == []
    forget_failures(Context.open(warehouse=sqlite_warehouse, transport=transport), gap.key)
    assert asked() == first


def test_ctrl_c_while_a_session_is_noted_is_answered_where_the_sessions_are_at_work():
    heard, noted = [], []

    def at_work():
        try:
            yield "first"
            yield "second"
        except KeyboardInterrupt:
            heard.append("will be finished")
            yield "finished"
            raise

    def note(run):
        noted.append(run)
        if run == "first":
            raise KeyboardInterrupt
        return True

    with pytest.raises(KeyboardInterrupt):
        _note_each(at_work(), note)
    assert (heard, noted) == (["will be finished"], ["first", "finished"])

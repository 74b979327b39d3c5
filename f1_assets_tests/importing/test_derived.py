"""Derived datasets in imports: computed from stored rows, again when these change, and never with a request."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from sqlalchemy import func, select, update

from f1_assets.context import Context
from f1_assets.datasets import all_datasets, derived_datasets
from f1_assets.importing import Selection, Watcher, import_selection, process_session_gap, refresh_calendar
from f1_assets.importing.derived import compute_due, compute_each, kept
from f1_assets.importing.season import SessionRun
from f1_assets.importing.selection import Renewal
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap, dataset_states
from f1_assets.warehouse import Status
from f1_assets.warehouse.amendments import amendments_of
from f1_assets.warehouse.leases import Leases
from f1_assets.warehouse.models import extractions, of_session, upstream_requests
from f1_assets_tests.fetch.server import status

SIMULATED = "races=1,tests=0,sprints=0,laps=6,samples_every=40,drivers=4"
RACE, QUALIFYING = SessionKey(2025, 1, "R"), SessionKey(2025, 1, "Q")
DERIVED = tuple(name for name in derived_datasets() if name in ("neutralisations", "stints"))
INPUTS = ("laps", "session_status", "track_status")


class _Told(Watcher):
    def __init__(self):
        self.warnings, self.lines = [], []

    def warned(self, message):
        self.warnings.append(message)

    def computed(self, line):
        self.lines.append((line.dataset, line.status, line.failed))


@pytest.fixture
def season(sqlite_warehouse, served_transport):
    refresh_calendar(2025, warehouse=sqlite_warehouse, transport=served_transport)
    return sqlite_warehouse


@pytest.fixture
def run(season, served_transport):
    """Import a selection of the race by the library."""

    def run(*datasets, sessions=("R",), renewal=None, watcher=None, started=None, **options):
        def here(gaps, workers, reserve, lease, meanwhile):
            for gap in gaps:
                if started is not None:
                    started(gap.key)
                yield SessionRun(process_session_gap(gap, warehouse=season, transport=served_transport))
                while workers == 1 and meanwhile():
                    pass

        selection = Selection.of([2025], datasets or None, sessions=sessions, renewal=renewal)
        context = Context.open(warehouse=season, transport=served_transport)
        return import_selection(context, selection, here, watcher, **options)

    return run


def _state(warehouse, name, key=RACE):
    return next(state for state in dataset_states(warehouse, [2025], key=key) if state.dataset == name)


def _record(warehouse, name, key=RACE):
    return next(line for line in warehouse.extractions(key) if line.dataset == name)


def _sent(warehouse):
    with warehouse.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(upstream_requests)).scalar_one()


def _damage(warehouse, **values):
    """Change values of laps, so that what the archive has of them is another thing."""
    with warehouse.engine.begin() as connection:
        table = all_datasets()["laps"].table
        connection.execute(update(table).where(of_session(table, RACE)).values(**values))
        laps = of_session(extractions, RACE) & (extractions.c.dataset == "laps")
        connection.execute(update(extractions).where(laps).values(digest="another"))


def test_an_import_does_not_end_before_what_follows_from_it_is_computed(season, run):
    told = _Told()
    summary = run(*INPUTS, *DERIVED, watcher=told)
    assert (summary.exit_code, summary.processed, summary.waiting) == (0, 1, [])
    assert told.lines == [(name, Status.PRESENT, False) for name in DERIVED]
    assert summary.document()["computed"] == [
        {"key": str(RACE), "dataset": name, "status": "present", "rows": _state(season, name).rows, "error": None}
        for name in DERIVED
    ]
    for name in DERIVED:
        record, dataset = _record(season, name), derived_datasets()[name]
        inputs = {*dataset.inputs, *dataset.optional_inputs}.intersection(INPUTS)
        assert json.loads(record.inputs) == {each: _record(season, each).digest for each in inputs}
        assert (record.requests, record.version) == (0, derived_datasets()[name].version)
    laps = season.rows(all_datasets()["laps"], RACE)
    stints = season.rows(all_datasets()["stints"], RACE)
    assert stints["laps"].sum() == len(laps)
    before = _sent(season)
    again = run(*INPUTS, *DERIVED)
    assert (again.processed, again.computed, _sent(season)) == (0, [], before)


def test_workers_begin_with_the_race_and_get_their_next_session_before_anything_is_computed(season, run):
    told = _Told()
    computed_before = {}
    summary = run(
        *DERIVED,
        *INPUTS,
        sessions=("FP1", "Q", "R"),
        watcher=told,
        started=lambda key: computed_before.update({key.session: len(told.lines)}),
        workers=2,
    )
    assert list(computed_before.items()) == [("R", 0), ("Q", 0), ("FP1", 0)]
    assert {line.key.session for line in summary.computed if line.status is Status.PRESENT} >= {"R", "Q"}


def test_one_worker_computes_what_follows_from_a_session_before_the_next(season, run):
    told = _Told()
    computed_before = {}
    run(
        *DERIVED,
        *INPUTS,
        sessions=("Q", "R"),
        watcher=told,
        started=lambda key: computed_before.update({key.session: len(told.lines)}),
    )
    assert list(computed_before) == ["Q", "R"]
    assert computed_before["R"] > 0


def test_a_derived_dataset_alone_without_its_inputs_says_what_is_missing(season, run, served):
    told, before = _Told(), len(served.asked)
    summary = run("stints", watcher=told)
    words = "stints is missing: it is computed from laps (missing). In 1 session: 2025-01-R."
    assert (summary.exit_code, summary.waiting, told.warnings, summary.computed) == (1, [words], [words], [])
    assert len(served.asked) == before


def test_a_derived_dataset_alone_is_computed_from_what_is_stored(season, run, served):
    run("laps")
    before = len(served.asked)
    summary = run("stints")
    assert (summary.exit_code, summary.processed, summary.requests, len(served.asked)) == (0, 0, 0, before)
    assert [line.dataset for line in summary.computed] == ["stints"]
    assert _state(season, "neutralisations").status is Status.MISSING


def test_what_no_such_session_has_is_not_computed_although_its_inputs_are_there(season, run):
    run("laps", "lap_context", "pit_stops", sessions=("Q",))
    assert _state(season, "lap_context", QUALIFYING).status is Status.PRESENT
    assert list(compute_each(season, QUALIFYING, ["pit_stops"])) == []
    assert _state(season, "pit_stops", QUALIFYING).status is Status.NOT_APPLICABLE


def test_laps_that_fail_are_told_of_once_and_not_again_as_stints_that_wait(season, run, served):
    served.faults["/TimingData.jsonStream"] = status(404)
    summary = run("laps", "stints")
    assert summary.waiting == []
    assert _state(season, "stints").status in (Status.MISSING, Status.UNAVAILABLE)


def test_an_amendment_makes_it_stale_and_is_followed_in_the_same_import_without_a_request(season, run):
    run(*INPUTS, *DERIVED)
    right = season.rows(all_datasets()["stints"], RACE)
    _damage(season, compound="WET", tyre_life_laps=None)
    assert _state(season, "stints").stale_because == "laps changed since it was computed"
    assert {line.dataset for line in run("stints").computed} == set(DERIVED)
    assert set(season.rows(all_datasets()["stints"], RACE)["compound"]) == {"WET"}
    before = _sent(season)
    summary = run("laps", renewal=Renewal.ARCHIVE)  # whoever renews laps alone leaves no stale stints behind
    assert {line.dataset for line in summary.computed} == set(DERIVED)
    assert _sent(season) == before
    pd.testing.assert_frame_equal(season.rows(all_datasets()["stints"], RACE), right)
    assert _state(season, "stints").stale_because is None


def test_changes_of_what_is_derived_are_no_amendments(season, run):
    run(*INPUTS, *DERIVED)
    _damage(season, compound="WET", tyre_life_laps=None)
    run("stints")
    assert [change for change in amendments_of(season, RACE) if change.dataset in DERIVED] == []


def test_laps_of_a_new_version_bring_new_stints(season, run):
    run(*INPUTS, *DERIVED)
    right = season.rows(all_datasets()["stints"], RACE)
    _damage(season, compound="WET", tyre_life_laps=None)
    run("stints")
    with season.engine.begin() as connection:
        connection.execute(update(extractions).where(extractions.c.dataset == "laps").values(version=1))
    summary = run(*INPUTS, *DERIVED)
    assert [line.dataset for line in summary.outcomes[0].datasets] == ["laps"]
    assert {line.dataset for line in summary.computed} == set(DERIVED)
    pd.testing.assert_frame_equal(season.rows(all_datasets()["stints"], RACE), right)


@pytest.fixture
def compute_stints_by():
    """Put another computation in the place of that of stints; None puts it back."""
    stints = derived_datasets()["stints"]
    right = stints.compute

    def put(compute):
        object.__setattr__(stints, "compute", compute or right)

    yield put
    put(None)


def test_a_defect_is_noted_with_its_traceback_and_stops_nothing_else(season, run, compute_stints_by):
    run(*INPUTS)

    def odd(inputs):
        raise ZeroDivisionError("no laps to divide by")

    compute_stints_by(odd)
    told = _Told()
    summary = run(*DERIVED, watcher=told)
    assert summary.exit_code == 1
    assert sorted(told.lines) == [("neutralisations", Status.PRESENT, False), ("stints", Status.FAILED, True)]
    record = _record(season, "stints")
    assert "ZeroDivisionError: no laps to divide by" in record.reason
    assert "in odd" in record.error
    assert json.loads(record.inputs).keys() == {"laps", "session_status"}
    state = _state(season, "stints")
    assert (state.attempts, state.is_to_be_computed) == (1, False)
    assert run(*DERIVED).computed == []
    compute_stints_by(None)
    assert season.forget(RACE, ["stints"]) == 1
    assert [line.dataset for line in run(*DERIVED).computed] == ["stints"]


def test_rows_stay_when_they_cannot_be_computed_again(season, run, compute_stints_by):
    run(*INPUTS, *DERIVED)
    rows = season.rows(all_datasets()["stints"], RACE)
    _damage(season, compound="WET")
    compute_stints_by(lambda inputs: inputs["nothing"])
    assert [line.dataset for line in run("stints").computed if line.failed] == ["stints"]
    state = _state(season, "stints")
    assert (state.status, state.rows, state.error_class) == (Status.PRESENT, len(rows), "KeyError")
    assert state.stale_because == "the last computation failed"
    pd.testing.assert_frame_equal(season.rows(all_datasets()["stints"], RACE), rows)


def test_renewing_what_is_derived_computes_it_again_without_a_request(season, run):
    run(*INPUTS, *DERIVED)
    before = _sent(season)
    summary = run("stints", renewal=Renewal.ARCHIVE)
    assert [line.dataset for line in summary.computed] == ["stints"]
    assert _sent(season) == before


def test_a_session_without_a_neutralisation_has_no_rows_and_is_present(season, run):
    run(*INPUTS, *DERIVED, sessions=("Q",))
    state = _state(season, "neutralisations", QUALIFYING)
    assert (state.status, state.rows) == (Status.PRESENT, 0)


def test_a_clock_that_is_filled_in_later_changes_the_digest_and_never_removes_it(season, run, served):
    served.faults["SessionData"] = status(404)
    run(*INPUTS, *DERIVED)
    before = {line.dataset: line.digest for line in season.extractions(RACE)}
    assert season.rows(all_datasets()["laps"], RACE)["utc"].isna().all()
    run("car_telemetry")
    assert season.rows(all_datasets()["laps"], RACE)["utc"].notna().all()
    digests = {line.dataset: line.digest for line in season.extractions(RACE)}
    assert None not in digests.values()
    assert all(digests[name] != before[name] for name in INPUTS)
    assert all(digests[name] == before[name] for name in DERIVED)
    assert json.loads(_record(season, "stints").inputs)["laps"] == digests["laps"]


def test_rows_that_an_old_version_stored_without_a_digest_get_one_when_they_are_an_input(season, run):
    run("laps")
    digest = _record(season, "laps").digest
    with season.engine.begin() as connection:
        connection.execute(update(extractions).values(digest=None))
    run("stints")
    assert _record(season, "laps").digest == digest
    assert json.loads(_record(season, "stints").inputs) == {"laps": digest}
    assert not _state(season, "stints").is_to_be_computed


def test_a_session_that_another_import_is_at_work_on_is_left_to_it(season, run):
    run("laps")
    with Leases(season) as others:
        assert others.take(RACE)
        assert run("stints").computed == []
        others.release(RACE)
    assert [line.dataset for line in run("stints").computed] == ["stints"]


def test_a_gap_may_name_what_is_derived_and_loads_nothing_for_it(season, served_transport, served):
    gap = SessionGap(RACE, ("laps", "stints"))
    outcome = process_session_gap(gap, warehouse=season, transport=served_transport)
    assert outcome.extracted == ("laps", "stints")
    before = len(served.asked)
    alone = process_session_gap(replace(gap, datasets=("stints",)), warehouse=season, transport=served_transport)
    assert (alone.extracted, alone.requests, len(served.asked)) == (("stints",), 0, before)


def test_what_has_no_inputs_is_not_computed(season):
    assert list(compute_each(season, RACE, ["stints"])) == []
    assert compute_due(season, RACE, kept(all_datasets().values())) == ()
    assert season.extractions(RACE) == []

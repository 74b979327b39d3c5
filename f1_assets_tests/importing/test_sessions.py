from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from f1_assets.cli.progress import _line
from f1_assets.datasets import Dataset, all_datasets, extracted_datasets
from f1_assets.errors import ConfigurationError, TransientError, Unavailable, UsageError
from f1_assets.fetch.transport import Transport
from f1_assets.health.notifications import import_message
from f1_assets.importing import ImportSummary, Outcome, process_session_gap, refresh_calendar
from f1_assets.keys import SessionKey
from f1_assets.planning import SessionGap, dataset_states, gaps_of
from f1_assets.warehouse import Status
from f1_assets.warehouse.models import sessions
from f1_assets_tests.applicable import datasets_of, extracted_of

POSTGRESQL_IS_LONG = True

RACE = SessionKey(2025, 1, "R")
ALL = tuple(all_datasets())


@pytest.fixture
def run(warehouse, simulator_transport):
    refresh_calendar(2025, warehouse=warehouse, transport=simulator_transport)

    def run(key, *datasets):
        return process_session_gap(
            SessionGap(key, datasets or ALL), warehouse=warehouse, transport=simulator_transport, run_id="run-1"
        )

    return run


def _fails(monkeypatch, name, error):
    """Let one dataset's extraction fail."""
    take = Dataset.take

    def take_unless(dataset, loaded):
        if dataset.name == name:
            raise error
        return take(dataset, loaded)

    monkeypatch.setattr(Dataset, "take", take_unless)


def test_process_session_gap(run, warehouse):
    outcome = run(RACE, "weather", "track_status")
    assert (outcome.status, outcome.extracted, outcome.failed) == (Outcome.SUCCESS, ("track_status", "weather"), ())
    stored = {line.dataset: line for line in warehouse.extractions(RACE)}
    assert stored.keys() == {"weather", "track_status"}
    weather = stored["weather"]
    assert weather.rows == warehouse.count(all_datasets()["weather"], RACE) > 60
    assert (weather.fastf1_version, weather.run_id, weather.requests) == ("3.9.0", "run-1", outcome.requests)
    assert weather.extracted_at > datetime.now(UTC) - timedelta(minutes=5)


def test_the_datasets_of_a_load_that_failed_alike_share_one_next_try(run, warehouse, monkeypatch):
    monkeypatch.setattr(Dataset, "take", lambda dataset, loaded: _raise(TransientError("HTTP 500")))
    outcome = run(RACE, "weather", "track_status")
    assert outcome.status is Outcome.FAILED
    assert len({line.next_try_at for line in outcome.datasets}) == 1


def _raise(error):
    raise error


def test_a_session_of_which_upstream_has_nothing_is_no_success(run, monkeypatch):
    monkeypatch.setattr(Dataset, "take", lambda dataset, loaded: _raise(Unavailable("HTTP 404")))
    outcome = run(RACE, "weather", "track_status")
    assert (outcome.status, outcome.unavailable) == (Outcome.UNAVAILABLE, ("track_status", "weather"))
    summary = ImportSummary((2025,), [outcome])
    assert (summary.succeeded, summary.unavailable, summary.processed) == (0, 1, 1)
    assert summary.document()["sessions"][0]["status"] == "unavailable"
    assert summary.document()["unavailable"] == 1
    assert import_message(summary).startswith(
        "Formula 1, season 2025: 1 session imported (0 succeeded, 0 partial, 0 failed, 1 unavailable)"
    )
    assert "success" not in _line(outcome)


def test_import_single_session(run, warehouse):
    outcome = run(SessionKey(2025, 1, "FP1"))
    assert outcome.status is Outcome.SUCCESS
    assert set(outcome.unavailable) == extracted_datasets().keys() - extracted_of(outcome.key)
    assert set(outcome.extracted) == datasets_of(outcome.key)
    assert gaps_of(dataset_states(warehouse, [2025], key=outcome.key)) == []


def test_import_full_race(run, warehouse, simulator):
    outcome = run(RACE)
    assert set(outcome.extracted) == datasets_of(RACE)
    truth = simulator.truth(2025, 1, "R")
    rows = {line.dataset: line.rows for line in outcome.datasets}
    assert {name: rows[name] for name in truth if name != "laps"} == {
        n: len(f) for n, f in truth.items() if n != "laps"
    }
    laps = next(line for line in warehouse.extractions(RACE) if line.dataset == "laps")
    assert laps.rows_expected == len(truth["laps"]) <= laps.rows
    assert run(RACE).requests == 0


def test_partial_success_handling(run, warehouse, monkeypatch):
    _fails(monkeypatch, "drivers", RuntimeError("a defect of this extractor"))
    outcome = run(RACE)
    assert (outcome.status, outcome.failed) == (Outcome.PARTIAL, ("drivers",))
    assert set(outcome.extracted) == datasets_of(RACE) - {"drivers"}
    line = next(line for line in warehouse.extractions(RACE) if line.dataset == "drivers")
    assert (line.status, line.error_class) == (Status.FAILED, "RuntimeError")
    assert "Traceback" in line.error
    assert "a defect of this extractor" in line.reason
    monkeypatch.undo()
    again = run(RACE, "drivers")
    assert (again.status, again.requests) == (Outcome.SUCCESS, 0)


def test_words_of_an_error_that_no_database_takes_are_stored_readably(run, warehouse, monkeypatch):
    _fails(monkeypatch, "weather", ValueError("half \ud800, nothing \0, " + "and much " * 100_000))
    assert run(RACE, "weather").failed == ("weather",)
    (line,) = warehouse.extractions(RACE)
    assert line.reason.startswith("defect: ValueError: half \\ud800, nothing \\x00, and much")
    assert len(line.reason) < 1_100
    assert "Traceback" in line.error
    assert len(line.error) < 21_000


def test_a_failed_dataset_does_not_stop_the_next_even_if_it_is_the_first(run, monkeypatch):
    _fails(monkeypatch, ALL[0], ValueError("broken"))
    assert set(run(RACE).extracted) == datasets_of(RACE) - {ALL[0]}


def test_a_session_of_which_all_failed_has_failed(run, monkeypatch):
    _fails(monkeypatch, "weather", ValueError("broken"))
    assert run(RACE, "weather").status is Outcome.FAILED


def test_what_upstream_does_not_have_is_no_failure(run, monkeypatch):
    _fails(monkeypatch, "weather", Unavailable("the station was off"))
    outcome = run(RACE, "weather", "drivers")
    assert (outcome.status, outcome.unavailable) == (Outcome.SUCCESS, ("weather",))


def test_a_renewal_that_fails_keeps_the_rows_and_is_a_failure(run, warehouse, monkeypatch):
    rows = run(RACE, "weather").datasets[0].rows
    _fails(monkeypatch, "weather", ValueError("broken"))
    outcome = run(RACE, "weather")
    assert outcome.failed == ("weather",)
    assert warehouse.count(all_datasets()["weather"], RACE) == rows


def test_a_database_that_gives_up_stops_the_session(run, warehouse, monkeypatch):
    def full(*_args, **_kwargs):
        raise ConfigurationError("The disk is full")

    monkeypatch.setattr(type(warehouse), "replace", full)
    with pytest.raises(ConfigurationError, match="disk is full"):
        run(RACE)


def test_a_session_that_has_not_taken_place_is_refused(run, warehouse):
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with warehouse.engine.begin() as connection:
        connection.execute(update(sessions).where(sessions.c.session == "R").values(end_utc=tomorrow))
    with pytest.raises(UsageError, match="has not taken place yet"):
        run(RACE)


def test_a_session_that_does_not_exist_is_refused(run):
    with pytest.raises(UsageError, match="rounds go to 24"):
        run(SessionKey(2025, 30, "R"))


def test_a_made_up_season_is_never_filled_from_the_live_services(warehouse, simulator_transport, settings_of, ledger):
    refresh_calendar(2025, warehouse=warehouse, transport=simulator_transport)
    live = Transport(settings_of(source="live"), ledger)
    with pytest.raises(ConfigurationError, match="is simulated, but F1_SOURCE is live"):
        process_session_gap(SessionGap(RACE, ALL), warehouse=warehouse, transport=live)

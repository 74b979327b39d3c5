"""One context is opened at the edges, and handed in to all else."""

import ast
import inspect
from pathlib import Path

import pytest

import f1_assets
from f1_assets.connection import connect
from f1_assets.context import Context
from f1_assets.fetch.process import transport_for
from f1_assets.fetch.transport import Transport
from f1_assets.importing import import_season, load_fastf1_session, process_session_gap, refresh_calendar
from f1_assets.planning import (
    detect_missing_races,
    detect_missing_sessions,
    detect_session_data_gaps,
    generate_gap_report,
)
from f1_assets.quota import check_rate_limit, get_rate_limit_stats, wait_for_rate_limit
from f1_assets.settings import process_settings

ROOT = Path(f1_assets.__file__).parent
OPENERS = {"process_settings", "load_settings", "transport_for", "connect", "connect_as_it_is", "ledger_of"}
"""What opens something, besides `Context.open`."""

OPENING = {
    "settings.py": {"load_settings"},
    "connection.py": {"process_settings", "connect"},  # connect() of a notebook, and connect_to_read()
    "context.py": {"process_settings", "connect", "transport_for", "ledger_of"},
    "importing/front.py": {"Context.open"},
    "planning/front.py": {"Context.open"},
    "quota/rate_limit.py": {"process_settings", "ledger_of"},  # the quota's functions for scripts
    "fetch/process.py": {"ledger_of"},
    "health/report.py": {"connect"},  # that it cannot be opened is a part of the report
    "defs/resources.py": {"process_settings", "connect"},
    "defs/sensors.py": {"process_settings"},  # whether it is on from the start
    "defs/descriptions.py": {"process_settings"},  # where the board is
    "defs/schedules.py": {"process_settings"},
    "defs/runs.py": {"Context.open"},  # the command's worker processes
    "defs/celery_worker.py": {"Context.open"},  # in a process that ends before the worker begins
    "defs/worker_pool.py": {"process_settings"},
    "offline.py": {"process_settings", "Context.open"},
}
"""Modules that open something, beside those of the command."""


def _opened(path):
    """Name what a module calls of this; methods of the same name are something else."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in OPENERS:
            found.add(node.func.id)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Context.open":
            found.add("Context.open")
    return found


def test_only_the_edges_open_a_context():
    modules = {path.relative_to(ROOT).as_posix(): _opened(path) for path in ROOT.rglob("*.py")}
    below = {name: found for name, found in modules.items() if found and not name.startswith(("cli/", "simulator/"))}
    assert below == OPENING
    assert "Context.open" in modules["cli/imports.py"]


def test_what_is_not_handed_in_is_opened_as_the_settings_say(settings_of, sqlite_warehouse, monkeypatch, tmp_path):
    monkeypatch.setenv("F1_HOME", str(tmp_path / "of the environment"))
    monkeypatch.setenv("F1_SOURCE", "simulator")
    process_settings.cache_clear()
    context = Context.open()
    assert context.settings is process_settings()
    assert context.warehouse.engine.url.database == str(process_settings().home / "warehouse.db")
    assert context.transport is transport_for(process_settings())
    assert context.ledger is context.transport.ledger
    assert context.ledger is not None
    context.warehouse.close()
    settings = settings_of(source="simulator")
    own = Transport(settings, sends=False)
    given = Context.open(settings, warehouse=sqlite_warehouse, transport=own)
    assert (given.settings, given.warehouse, given.transport) == (settings, sqlite_warehouse, own)
    assert given.ledger is None
    with pytest.raises(AttributeError):
        given.warehouse = context.warehouse
    offline = Context.open(settings, warehouse=sqlite_warehouse).offline()
    assert not offline.transport.sends
    assert offline.warehouse is sqlite_warehouse


def test_names_that_scripts_use_take_what_they_took():
    def parameters(function):
        return [*inspect.signature(function).parameters]

    assert parameters(detect_missing_races) == parameters(detect_missing_sessions) == ["season", "warehouse", "now"]
    assert parameters(detect_session_data_gaps) == ["season", "warehouse", "datasets", "now"]
    assert parameters(generate_gap_report) == ["season", "warehouse", "transport", "datasets", "now"]
    assert parameters(refresh_calendar) == ["season", "warehouse", "transport", "renew"]
    of_load = ["key", "datasets", "warehouse", "transport", "run_id", "reservation", "renew", "from_archive"]
    assert parameters(load_fastf1_session) == of_load
    assert parameters(process_session_gap) == ["gap", "warehouse", "transport", "run_id", "reservation"]
    wishes = ["season", "notify", "datasets", "waits", "max_requests"]
    assert parameters(import_season) == [*wishes, "warehouse", "transport", "watcher"]
    assert parameters(check_rate_limit) == ["requests", "settings"]
    assert parameters(wait_for_rate_limit) == ["requests", "timeout_seconds", "settings", "sleep"]
    assert parameters(get_rate_limit_stats) == parameters(connect) == ["settings"]

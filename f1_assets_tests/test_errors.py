"""Errors carry what they are about in fields: no text of theirs is ever read."""

import ast
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import f1_assets
from f1_assets.errors import ConfigurationError, F1AssetsError, NotYetPublished, QuotaExhausted, TransientError
from f1_assets.health.parts import failing
from f1_assets.importing.failures import failure_of
from f1_assets.keys import SessionKey
from f1_assets.warehouse import Extraction, Status
from f1_assets_tests.warehouse.seasons import a_season, store

KEY = SessionKey(2024, 1, "R")
NOW = datetime(2024, 3, 20, tzinfo=UTC)


def an_error(**fields):
    return TransientError("WeatherData failed: HTTP 503. Twice.", advice="It is asked for again.", **fields)


def test_a_text_says_all_and_a_reason_leaves_out_the_session():
    error = an_error(key=KEY, feed="WeatherData", where="The database is sqlite:///x.")
    said = "WeatherData failed: HTTP 503. Twice. It is asked for again."
    assert str(error) == f"2024-01-R: {said} The database is sqlite:///x."
    assert error.reason == f"{said} The database is sqlite:///x."
    assert error.without_advice == "WeatherData failed: HTTP 503. Twice. The database is sqlite:///x."
    assert error.without_place == said
    assert (error.key, error.feed, error.dataset, error.retry_at) == ("2024-01-R", "WeatherData", None, None)


@pytest.mark.parametrize(
    "error",
    [
        an_error(key=KEY, dataset="weather"),
        QuotaExhausted("spent", advice="later", retry_at=NOW),
        NotYetPublished("not yet", timedelta(hours=1), key=KEY, feed="WeatherData"),
    ],
)
def test_an_error_keeps_its_fields_between_processes(error):
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_what_is_recorded_of_an_error_leaves_out_the_session_however_it_is_worded(sqlite_warehouse):
    store(sqlite_warehouse, a_season())
    line = Extraction(KEY, "weather", Status.PRESENT)
    recorded = failure_of(line, an_error(key=KEY), sqlite_warehouse, NOW)
    assert recorded.reason == "WeatherData failed: HTTP 503. Twice. It is asked for again."
    assert (recorded.error, recorded.advice) == ("WeatherData failed: HTTP 503. Twice.", "It is asked for again.")
    assert recorded.status is Status.FAILED
    spent = failure_of(line, QuotaExhausted("spent", retry_at=NOW + timedelta(hours=1)), sqlite_warehouse, NOW)
    assert spent.next_try_at == NOW + timedelta(hours=1)


def test_a_part_of_health_takes_the_advice_from_its_field():
    part = failing("database", ConfigurationError("It is full. Of what?", advice="Free space. Soon.", where="It is x."))
    assert (part.reason, part.what_to_do) == ("It is full. Of what? It is x.", "Free space. Soon.")
    assert failing("database", ConfigurationError("It is full. Of what?")).what_to_do is None


def test_a_status_implies_the_same_everywhere():
    implied = {
        Status.MISSING: "is_gap is_expected",
        Status.PRESENT: "is_expected",
        Status.FAILED: "has_failed is_gap is_expected",
        Status.UNAVAILABLE: "has_no_data",
        Status.NOT_APPLICABLE: "has_no_data",
        Status.UPCOMING: "",
        Status.BLOCKED_AUTH: "has_failed is_gap is_expected needs_operator",
    }
    names = ("has_failed", "is_gap", "is_expected", "has_no_data", "needs_operator")
    assert {status: " ".join(name for name in names if getattr(status, name)) for status in Status} == implied


def _is_text_of_an_error(node, caught):
    is_str = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str"
    return is_str and len(node.args) == 1 and isinstance(node.args[0], ast.Name) and node.args[0].id in caught


def _readers_of_texts(tree):
    """Find where the text of an error that f1_assets raises is compared, cut or searched."""
    own = {name for name, kind in vars(f1_assets.errors).items() if isinstance(kind, type)}
    own &= {kind.__name__ for kind in [F1AssetsError, *_subclasses(F1AssetsError)]}
    for handler in (node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.name):
        kinds = {name.id for name in ast.walk(handler.type) if isinstance(name, ast.Name)} if handler.type else set()
        if not kinds & own:
            continue
        for node in ast.walk(handler):
            if isinstance(node, ast.Attribute) and _is_text_of_an_error(node.value, {handler.name}):
                yield node.lineno
            if isinstance(node, ast.Compare) and any(
                _is_text_of_an_error(each, {handler.name}) for each in (node.left, *node.comparators)
            ):
                yield node.lineno


def _subclasses(kind):
    return [each for child in kind.__subclasses__() for each in (child, *_subclasses(child))]


def test_nothing_reads_the_text_of_an_error_of_ours():
    found = [
        f"{path.name}:{line}"
        for path in Path(f1_assets.__file__).parent.rglob("*.py")
        for line in _readers_of_texts(ast.parse(path.read_text()))
    ]
    assert found == []
    planted = "try:\n    f()\nexcept ConfigurationError as error:\n    lacks = str(error).partition('. ')[0]\n"
    assert list(_readers_of_texts(ast.parse(planted))) == [4]
